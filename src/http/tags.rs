//! `/v1/tags`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::{self, Answer, List},
    caller::{Caller, OptionalIfMatch},
    fields::{FieldsQuery, Sparse},
    input::{Input, NoQuery, Parse, Query, QueryInput, present},
    paging::page_request,
    path::Named,
};
use crate::{
    domain::{
        change::Entity,
        error::{Error, Faults},
        id::TagId,
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
        slug::{Reference, Slug},
        surrogate::SurrogateKeys,
        tag::{self, TagChanges, TagType},
        text,
    },
    service::{Newsroom, tags},
    store::tags::ORDER,
};

/// A tag: what articles are about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "slug": "harbour-authority", "name": "Harbour Authority", "type": "organisation",
    "description": "Runs the port.", "version": 1,
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for readers.
    pub name: String,
    /// What it names.
    #[serde(rename = "type")]
    pub kind: TagType,
    /// A text for its page.
    pub description: Option<String>,
    /// Counts its edits; also the beginning of its `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

impl From<tag::Tag> for Tag {
    fn from(tag: tag::Tag) -> Self {
        let tag::Tag { id, slug, name, kind, description, version, created_at, updated_at } = tag;
        Self { id, slug, name, kind, description, version, created_at, updated_at }
    }
}

/// A tag to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Harbour Authority", "type": "organisation", "description": "Runs the port."}))]
pub struct TagCreate {
    /// Its name for readers.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its name in addresses; made from the name if there is none.
    #[serde(default)]
    #[schema(value_type = Option<Slug>)]
    slug: Option<String>,
    /// What it names; a topic if nothing is said.
    #[serde(default, rename = "type")]
    kind: Option<TagType>,
    /// A text for its page.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: Option<String>,
}

impl Parse for TagCreate {
    type Command = TagChanges;

    fn parse(self, faults: &mut Faults) -> Option<TagChanges> {
        Some(TagChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: text::line(faults, "/name", &self.name, 200),
            kind: self.kind,
            description: Some(self.description),
        })
    }
}

/// The members of a tag to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Port Authority"}))]
pub struct TagPatch {
    /// A new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// A new slug; the old one redirects to it.
    #[serde(default)]
    #[schema(value_type = Slug, required = false)]
    slug: Option<String>,
    /// A new type.
    #[serde(default, rename = "type")]
    #[schema(nullable = false)]
    kind: Option<TagType>,
    /// A new text.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 2000)]
    description: Option<Option<String>>,
}

impl Parse for TagPatch {
    type Command = TagChanges;

    fn parse(self, faults: &mut Faults) -> Option<TagChanges> {
        Some(TagChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: self.name.and_then(|name| text::line(faults, "/name", &name, 200)),
            kind: self.kind,
            description: self.description,
        })
    }
}

/// Where a tag is merged into.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into": "port-authority"}))]
pub struct TagMerge {
    /// The tag that remains, by id or slug.
    #[schema(min_length = 1, max_length = 200)]
    into: String,
}

impl Parse for TagMerge {
    type Command = Reference;

    fn parse(self, _: &mut Faults) -> Option<Reference> {
        Some(Reference::parse(&self.into))
    }
}

/// Which tags.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct TagQuery {
    /// Only tags of this type.
    #[serde(rename = "type")]
    kind: Option<TagType>,
    /// Only tags whose name begins so, case-sensitive.
    #[param(max_length = 200)]
    prefix: Option<String>,
    /// Most items of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// The number of the page, from 1; down to 10,000 rows.
    #[param(minimum = 1, maximum = 10000)]
    page: Option<u32>,
    /// Also count all tags.
    count: bool,
}

impl Default for TagQuery {
    fn default() -> Self {
        Self { kind: None, prefix: None, limit: DEFAULT_LIMIT, cursor: None, page: None, count: false }
    }
}

impl Parse for TagQuery {
    type Command = (Option<TagType>, Option<String>, PageRequest);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let Self { kind, prefix, limit, cursor, page, count } = self;
        let page = page_request(limit, cursor.as_deref(), page, count, Some(ORDER), faults);
        Some((kind, prefix, page))
    }
}

/// How a tag is deleted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct TagDeleteQuery {
    /// Take the tag off all articles; without it a tag that is in use stays.
    detach: bool,
}

/// List tags
///
/// By name. Use `prefix` to complete what an editor types.
#[utoipa::path(tag = "tags", params(TagQuery, FieldsQuery), responses((status = 200, description = "A page of tags.", body = List<Tag>)))]
#[get("/tags")]
pub async fn list_tags(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((kind, prefix, page)): QueryInput<TagQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let tags = tags::list(&newsroom, kind, prefix, page).await?;
    let keys = SurrogateKeys::default().all(Entity::Tag);
    Answer::page(&request, &principal, tags.map(Tag::from)).keys(keys).fields(fields.0).send()
}

/// Create a tag
///
/// Authors and above. The slug is made from the name unless one is given.
#[utoipa::path(tag = "tags", request_body = TagCreate, security(("bearer" = [])),
    responses((status = 201, description = "The tag.", body = Tag)))]
#[post("/tags")]
pub async fn create_tag(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<TagCreate>,
) -> Result<HttpResponse, Error> {
    let tag = tags::create(&newsroom, &principal, changes).await?;
    let location = format!("/v1/tags/{}", tag.id);
    Answer::ok(&request, &principal, Tag::from(tag)).created(location).version(1).send()
}

/// Get a tag
///
/// By id or slug. A former slug, also one of a tag that was merged into this one, answers 308.
#[utoipa::path(tag = "tags", params(Named, FieldsQuery), responses((status = 200, description = "The tag.", body = Tag)))]
#[get("/tags/{name}")]
pub async fn get_tag(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let tag = tags::get(&newsroom, name.reference()).await?;
    let version = tag.version;
    let keys = SurrogateKeys::default().one(Entity::Tag, tag.id.get());
    Answer::ok(&request, &principal, Tag::from(tag)).version(version).keys(keys).fields(fields.0).send()
}

/// Edit a tag
///
/// Editors and above. A merge patch (RFC 7396). A new slug keeps the old one as a redirect.
#[utoipa::path(tag = "tags", params(Named, OptionalIfMatch), request_body = TagPatch, security(("bearer" = [])),
    responses((status = 200, description = "The tag as it is now.", body = Tag)))]
#[patch("/tags/{name}")]
pub async fn update_tag(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<TagPatch>,
) -> Result<HttpResponse, Error> {
    let tag = tags::update(&newsroom, &principal, name.reference(), if_match.version(), changes).await?;
    let version = tag.version;
    Answer::ok(&request, &principal, Tag::from(tag)).version(version).send()
}

/// Merge a tag into another
///
/// Editors and above. Every article that has the tag gets the other instead, in drafts and live, and the old slug
/// answers 308 from then on.
#[utoipa::path(tag = "tags", params(Named), request_body = TagMerge, security(("bearer" = [])),
    responses((status = 200, description = "The tag that remains.", body = Tag)))]
#[post("/tags/{name}/merge")]
pub async fn merge_tag(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    Input(into): Input<TagMerge>,
) -> Result<HttpResponse, Error> {
    let tag = tags::merge(&newsroom, &principal, name.reference(), into).await?;
    let version = tag.version;
    Answer::ok(&request, &principal, Tag::from(tag)).version(version).send()
}

/// Delete a tag
///
/// Editors and above. A tag that articles have is 409, unless `detach=true` takes it off them.
#[utoipa::path(tag = "tags", params(Named, TagDeleteQuery), security(("bearer" = [])),
    responses((status = 204, description = "The tag is gone.")))]
#[delete("/tags/{name}")]
pub async fn delete_tag(
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<TagDeleteQuery>,
) -> Result<HttpResponse, Error> {
    tags::delete(&newsroom, &principal, name.reference(), query.detach).await?;
    Ok(answer::no_content())
}
