//! `/v1/authors`

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
        article::Image,
        author::{self, AuthorChanges, LabelledLink},
        change::Entity,
        error::{Error, Faults},
        id::{AuthorId, UserId},
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
        slug::Slug,
        surrogate::SurrogateKeys,
        text,
        user::Principal,
    },
    service::{Newsroom, authors},
    store::authors::ORDER,
};

/// An author: somebody named in bylines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "slug": "ada-okafor", "name": "Ada Okafor", "role": "Political editor",
    "bio": "Covers the city council.",
    "avatar": {
        "media": {"url": "https://images.example.com/ada.jpg", "width": 400, "height": 400},
        "alt": "Ada Okafor", "caption": null, "credit": null
    },
    "links": [{"label": "Home page", "url": "https://example.com/people/ada"}], "user_id": null, "version": 1,
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct Author {
    /// Their id.
    pub id: AuthorId,
    /// Their name in addresses.
    pub slug: Slug,
    /// Their name for readers.
    pub name: String,
    /// What they are.
    pub role: Option<String>,
    /// A text for their page.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar: Option<Image>,
    /// Where else to find them.
    pub links: Vec<LabelledLink>,
    /// The user whose profile this is; always `null` for anonymous callers.
    pub user_id: Option<UserId>,
    /// Counts their edits; also the beginning of the `ETag`.
    pub version: i64,
    /// When they were made.
    pub created_at: Instant,
    /// When they were last edited.
    pub updated_at: Instant,
}

impl Author {
    /// The author as this caller may see them.
    fn seen_by(principal: &Principal, author: author::Author) -> Self {
        let author::Author {
            id,
            slug,
            name,
            role,
            bio,
            avatar,
            links,
            user_id,
            version,
            created_at,
            updated_at,
        } = author;
        let user_id = user_id.filter(|_| !principal.is_anonymous());
        Self { id, slug, name, role, bio, avatar, links, user_id, version, created_at, updated_at }
    }
}

/// An author to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Ada Okafor", "role": "Political editor", "bio": "Covers the city council.",
    "links": [{"label": "Home page", "url": "https://example.com/people/ada"}]
}))]
pub struct AuthorCreate {
    /// Their name for readers.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Their name in addresses; made from the name if there is none.
    #[serde(default)]
    #[schema(value_type = Option<Slug>)]
    slug: Option<String>,
    /// What they are, such as "Political editor".
    #[serde(default)]
    #[schema(max_length = 200)]
    role: Option<String>,
    /// A text for their page.
    #[serde(default)]
    #[schema(max_length = 10000)]
    bio: Option<String>,
    /// Their picture.
    #[serde(default)]
    avatar: Option<Image>,
    /// Where else to find them.
    #[serde(default)]
    #[schema(max_items = 30)]
    links: Vec<LabelledLink>,
    /// The id of the user whose profile this is.
    #[serde(default)]
    #[schema(value_type = Option<UserId>)]
    user_id: Option<String>,
}

impl Parse for AuthorCreate {
    type Command = AuthorChanges;

    fn parse(self, faults: &mut Faults) -> Option<AuthorChanges> {
        Some(AuthorChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: text::line(faults, "/name", &self.name, 200),
            role: Some(text::optional_line(faults, "/role", self.role.as_deref(), 200)),
            bio: Some(self.bio),
            avatar: Some(self.avatar.map(|avatar| checked_image(avatar, faults, "/avatar"))),
            links: Some(LabelledLink::canonical_list(self.links, faults, "/links")),
            user_id: Some(self.user_id.and_then(|id| faults.take("/user_id", "bad_id", id.parse()))),
        })
    }
}

/// The members of an author to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "Chief political correspondent"}))]
pub struct AuthorPatch {
    /// A new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// A new slug; the old one redirects to it.
    #[serde(default)]
    #[schema(value_type = Slug, required = false)]
    slug: Option<String>,
    /// A new role.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 200)]
    role: Option<Option<String>>,
    /// A new text.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 10000)]
    bio: Option<Option<String>>,
    /// A new picture.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Image>)]
    avatar: Option<Option<Image>>,
    /// New links, in the place of all there are.
    #[serde(default)]
    #[schema(max_items = 30, nullable = false)]
    links: Option<Vec<LabelledLink>>,
    /// The id of another user.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<UserId>)]
    user_id: Option<Option<String>>,
}

impl Parse for AuthorPatch {
    type Command = AuthorChanges;

    fn parse(self, faults: &mut Faults) -> Option<AuthorChanges> {
        Some(AuthorChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: self.name.and_then(|name| text::line(faults, "/name", &name, 200)),
            role: self.role.map(|role| text::optional_line(faults, "/role", role.as_deref(), 200)),
            bio: self.bio,
            avatar: self.avatar.map(|avatar| avatar.map(|avatar| checked_image(avatar, faults, "/avatar"))),
            links: self.links.map(|links| LabelledLink::canonical_list(links, faults, "/links")),
            user_id: self.user_id.map(|id| id.and_then(|id| faults.take("/user_id", "bad_id", id.parse()))),
        })
    }
}

/// Checks the address and the texts of a picture.
fn checked_image(image: Image, faults: &mut Faults, pointer: &str) -> Image {
    if !text::is_web_url(&image.media.url) {
        faults.add(format!("{pointer}/media/url"), "not_a_url", "must be an http or https address");
    }
    let mut line = |member: &str, text: Option<String>, max| {
        text::optional_line(faults, &format!("{pointer}/{member}"), text.as_deref(), max)
    };
    let (alt, caption) = (line("alt", image.alt, 1000), line("caption", image.caption, 1000));
    Image { alt, caption, credit: line("credit", image.credit, 300), media: image.media }
}

/// Which authors.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuthorQuery {
    /// Only authors whose name begins so, case-sensitive.
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
    /// Also count all authors.
    count: bool,
}

impl Default for AuthorQuery {
    fn default() -> Self {
        Self { prefix: None, limit: DEFAULT_LIMIT, cursor: None, page: None, count: false }
    }
}

impl Parse for AuthorQuery {
    type Command = (Option<String>, PageRequest);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let Self { prefix, limit, cursor, page, count } = self;
        Some((prefix, page_request(limit, cursor.as_deref(), page, count, Some(ORDER), faults)))
    }
}

/// How an author is deleted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuthorDeleteQuery {
    /// Leave only the printed name in all bylines; without it an author whom bylines name stays.
    detach: bool,
}

/// List authors
///
/// By name. Use `prefix` to complete what an editor types.
#[utoipa::path(tag = "authors", params(AuthorQuery, FieldsQuery), responses((status = 200, description = "A page of authors.", body = List<Author>)))]
#[get("/authors")]
pub async fn list_authors(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((prefix, page)): QueryInput<AuthorQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let authors = authors::list(&newsroom, prefix, page).await?;
    let keys = SurrogateKeys::default().all(Entity::Author);
    let authors = authors.map(|author| Author::seen_by(&principal, author));
    Answer::page(&request, &principal, authors).keys(keys).fields(fields.0).send()
}

/// Create an author
///
/// Editors and above. The slug is made from the name unless one is given. A user has one profile at most.
#[utoipa::path(tag = "authors", request_body = AuthorCreate, security(("bearer" = [])),
    responses((status = 201, description = "The author.", body = Author)))]
#[post("/authors")]
pub async fn create_author(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<AuthorCreate>,
) -> Result<HttpResponse, Error> {
    let author = authors::create(&newsroom, &principal, changes).await?;
    let location = format!("/v1/authors/{}", author.id);
    Answer::ok(&request, &principal, Author::seen_by(&principal, author)).created(location).version(1).send()
}

/// Get an author
///
/// By id or slug. A former slug answers 308.
#[utoipa::path(tag = "authors", params(Named, FieldsQuery), responses((status = 200, description = "The author.", body = Author)))]
#[get("/authors/{name}")]
pub async fn get_author(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let author = authors::get(&newsroom, name.reference()).await?;
    let version = author.version;
    let keys = SurrogateKeys::default().one(Entity::Author, author.id.get());
    Answer::ok(&request, &principal, Author::seen_by(&principal, author))
        .version(version)
        .keys(keys)
        .fields(fields.0)
        .send()
}

/// Edit an author
///
/// Editors and above. A merge patch (RFC 7396). A new slug keeps the old one as a redirect. Bylines that do not print
/// another name show the new one at once.
#[utoipa::path(tag = "authors", params(Named, OptionalIfMatch), request_body = AuthorPatch, security(("bearer" = [])),
    responses((status = 200, description = "The author as they are now.", body = Author)))]
#[patch("/authors/{name}")]
pub async fn update_author(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<AuthorPatch>,
) -> Result<HttpResponse, Error> {
    let author =
        authors::update(&newsroom, &principal, name.reference(), if_match.version(), changes).await?;
    let version = author.version;
    Answer::ok(&request, &principal, Author::seen_by(&principal, author)).version(version).send()
}

/// Delete an author
///
/// Editors and above. An author whom bylines name is 409, unless `detach=true` leaves only the printed name in them.
#[utoipa::path(tag = "authors", params(Named, AuthorDeleteQuery), security(("bearer" = [])),
    responses((status = 204, description = "The author is gone.")))]
#[delete("/authors/{name}")]
pub async fn delete_author(
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<AuthorDeleteQuery>,
) -> Result<HttpResponse, Error> {
    authors::delete(&newsroom, &principal, name.reference(), query.detach).await?;
    Ok(answer::no_content())
}
