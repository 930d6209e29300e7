//! `/v1/sections`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Ref,
        schema::{Array, ArrayBuilder, SchemaType, Type},
    },
};

use super::{
    answer::{self, Answer, List, PageInfo},
    caller::{Caller, OptionalIfMatch},
    fields::{FieldsQuery, Sparse},
    input::{Input, NoQuery, Parse, Query, QueryInput, present},
    paging::page_request,
    path::Named,
};
use crate::{
    domain::{
        article::Seo,
        change::Entity,
        error::{Error, Fault, Faults},
        id::SectionId,
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
        section::{self, SectionChanges, SectionNode},
        slug::{Reference, Slug},
        surrogate::SurrogateKeys,
        text,
    },
    service::{Newsroom, sections},
    store::sections::ORDER,
};

/// A section of the site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "parent_id": "184467440737095500", "slug": "europe", "path": "/world/europe",
    "name": "Europe", "description": "From Lisbon to Tbilisi.",
    "seo": {"title": null, "description": null, "canonical_url": null, "noindex": false, "og_image": null},
    "position": 0, "article_count": 12, "children": null, "version": 1,
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct Section {
    /// Its id.
    pub id: SectionId,
    /// The section above it; `null` for one at the root.
    pub parent_id: Option<SectionId>,
    /// Its name in addresses, unique among its siblings.
    pub slug: Slug,
    /// The slugs from the root down to it.
    pub path: String,
    /// Its name for readers.
    pub name: String,
    /// A text for its front.
    pub description: Option<String>,
    /// For search engines.
    pub seo: Seo,
    /// Its place among its siblings, from 0.
    pub position: i32,
    /// How many articles readers see in it and below it; `null` unless `include` or `fields` asks for it.
    #[schema(minimum = 0)]
    pub article_count: Option<i64>,
    /// The sections directly below it, in their order; `null` unless `tree=true`.
    #[schema(schema_with = children_schema)]
    pub children: Option<Vec<Self>>,
    /// Counts its edits; also the beginning of its `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A list of sections or `null`, by reference, since a derived schema would go into itself without end.
fn children_schema() -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(Ref::from_schema_name("Section"))
        .description(Some("The sections directly below it, in their order; `null` unless `tree=true`."))
        .build()
}

impl From<section::Section> for Section {
    fn from(section: section::Section) -> Self {
        SectionNode { section, article_count: None, children: None }.into()
    }
}

impl From<SectionNode> for Section {
    fn from(node: SectionNode) -> Self {
        let SectionNode { section, article_count, children } = node;
        let section::Section { id, parent_id, slug, path, name, description, seo, position, .. } = section;
        let section::Section { version, created_at, updated_at, .. } = section;
        let children = children.map(|children| children.into_iter().map(Self::from).collect());
        Self {
            id,
            parent_id,
            slug,
            path,
            name,
            description,
            seo,
            position,
            article_count,
            children,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A section to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Europe", "parent": "world", "description": "From Lisbon to Tbilisi."}))]
pub struct SectionCreate {
    /// Its name for readers.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its name in addresses; made from the name if there is none.
    #[serde(default)]
    #[schema(value_type = Option<Slug>)]
    slug: Option<String>,
    /// The section above it, by id or path; none for one at the root.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    parent: Option<String>,
    /// A text for its front.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// For search engines.
    #[serde(default)]
    seo: Option<Seo>,
    /// Its place among its siblings, from 0; the others make room. At the end if there is none.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10000)]
    position: Option<i32>,
}

impl Parse for SectionCreate {
    type Command = SectionChanges;

    fn parse(self, faults: &mut Faults) -> Option<SectionChanges> {
        Some(SectionChanges {
            parent: Some(self.parent.as_deref().map(Reference::parse)),
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: text::line(faults, "/name", &self.name, 200),
            description: Some(self.description),
            seo: self.seo.map(|seo| checked_seo(seo, faults)),
            position: self.position,
        })
    }
}

/// The members of a section to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parent": "world", "position": 0}))]
pub struct SectionPatch {
    /// A new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// A new slug; the old paths of the section and of all below it redirect to the new ones.
    #[serde(default)]
    #[schema(value_type = Slug, required = false)]
    slug: Option<String>,
    /// Another section above it, by id or path; `null` moves it to the root.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 1000)]
    parent: Option<Option<String>>,
    /// A new text.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 2000)]
    description: Option<Option<String>>,
    /// New words for search engines, in the place of all of the old ones.
    #[serde(default)]
    #[schema(nullable = false)]
    seo: Option<Seo>,
    /// A new place among its siblings, from 0; the others make room.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10000, nullable = false)]
    position: Option<i32>,
}

impl Parse for SectionPatch {
    type Command = SectionChanges;

    fn parse(self, faults: &mut Faults) -> Option<SectionChanges> {
        Some(SectionChanges {
            parent: self.parent.map(|parent| parent.as_deref().map(Reference::parse)),
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            name: self.name.and_then(|name| text::line(faults, "/name", &name, 200)),
            description: self.description,
            seo: self.seo.map(|seo| checked_seo(seo, faults)),
            position: self.position,
        })
    }
}

/// Checks the texts and addresses for search engines.
fn checked_seo(seo: Seo, faults: &mut Faults) -> Seo {
    for (member, url) in [("canonical_url", &seo.canonical_url), ("og_image", &seo.og_image)] {
        if url.as_deref().is_some_and(|url| !text::is_web_url(url)) {
            faults.add(format!("/seo/{member}"), "not_a_url", "must be an http or https address");
        }
    }
    Seo {
        title: text::optional_line(faults, "/seo/title", seo.title.as_deref(), 200),
        description: text::optional_line(faults, "/seo/description", seo.description.as_deref(), 500),
        ..seo
    }
}

/// What a section can hold beside its own members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SectionInclude {
    /// How many articles readers see in it and below it.
    ArticleCount,
}

/// Which sections, and what of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct SectionListQuery {
    /// Answer the whole tree on one page: the sections at the root, each with its `children`.
    tree: bool,
    /// What else to show, separated by commas; what `fields` names is shown as well.
    #[param(inline, style = Form, explode = false)]
    include: Vec<SectionInclude>,
    /// Most items of the page; a tree is not parted.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another; not with `tree`.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// The number of the page, from 1; down to 10,000 rows; not with `tree`.
    #[param(minimum = 1, maximum = 10000)]
    page: Option<u32>,
    /// Also count all sections; in a tree, those at the root.
    count: bool,
}

impl Default for SectionListQuery {
    fn default() -> Self {
        let (include, limit) = (Vec::new(), DEFAULT_LIMIT);
        Self { tree: false, include, limit, cursor: None, page: None, count: false }
    }
}

/// The field that is counted only if it is asked for.
const ARTICLE_COUNT: &str = "article_count";

/// Which sections are wanted, and in which form.
#[derive(Debug)]
pub struct WantedSections {
    is_tree: bool,
    counts: bool,
    page: PageRequest,
}

impl Parse for SectionListQuery {
    type Command = WantedSections;

    fn parse(self, faults: &mut Faults) -> Option<WantedSections> {
        let Self { tree: is_tree, include, limit, mut cursor, mut page, count } = self;
        if is_tree {
            for (name, is_given) in [("cursor", cursor.take().is_some()), ("page", page.take().is_some())] {
                if is_given {
                    faults.push(Fault::parameter(name, "excluded", "cannot be combined with tree"));
                }
            }
        }
        let counts = include.contains(&SectionInclude::ArticleCount);
        let page = page_request(limit, cursor.as_deref(), page, count, Some(ORDER), faults);
        Some(WantedSections { is_tree, counts, page })
    }
}

/// What of a section.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct SectionQuery {
    /// What else to show, separated by commas; what `fields` names is shown as well.
    #[param(inline, style = Form, explode = false)]
    include: Vec<SectionInclude>,
}

/// How a section is deleted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct SectionDeleteQuery {
    /// The section, by id or path, that gets the articles and the sections of this one; without it, a section that has
    /// any stays.
    #[param(min_length = 1, max_length = 1000)]
    move_to: Option<String>,
}

/// List sections
///
/// By path. `tree=true` answers all of them on one page instead: those at the root, in their order, each with its
/// `children` in it.
#[utoipa::path(tag = "sections", params(SectionListQuery, FieldsQuery),
    responses((status = 200, description = "A page of sections, or the tree.", body = List<Section>)))]
#[get("/sections")]
pub async fn list_sections(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput(WantedSections { is_tree, counts, page }): QueryInput<SectionListQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let counts = counts || fields.names(ARTICLE_COUNT);
    // With the numbers of their articles, which any article changes.
    let keys = SurrogateKeys::default().all(Entity::Section);
    let keys = if counts { keys.all(Entity::Article) } else { keys };
    if is_tree {
        let roots = sections::tree(&newsroom, counts).await?;
        let total = page.count.then(|| i64::try_from(roots.len()).unwrap_or(i64::MAX));
        let page = PageInfo { limit: page.limit, next: None, prev: None, total };
        let data = roots.into_iter().map(Section::from).collect();
        return Answer::ok(&request, &principal, List { data, page }).keys(keys).fields(fields.0).send();
    }
    let sections = sections::list(&newsroom, page, counts).await?;
    Answer::page(&request, &principal, sections.map(Section::from)).keys(keys).fields(fields.0).send()
}

/// Create a section
///
/// Editors and above. The slug is made from the name unless one is given. It stands at the end of its siblings unless
/// `position` is given.
#[utoipa::path(tag = "sections", request_body = SectionCreate, security(("bearer" = [])),
    responses((status = 201, description = "The section.", body = Section)))]
#[post("/sections")]
pub async fn create_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<SectionCreate>,
) -> Result<HttpResponse, Error> {
    let section = sections::create(&newsroom, &principal, changes).await?;
    let location = format!("/v1/sections/{}", section.id);
    Answer::ok(&request, &principal, Section::from(section)).created(location).version(1).send()
}

/// Get a section
///
/// By id, or by path with its slashes escaped: `/v1/sections/world%2Feurope`. A former path answers 308.
#[utoipa::path(tag = "sections", params(Named, SectionQuery, FieldsQuery),
    responses((status = 200, description = "The section.", body = Section)))]
#[get("/sections/{name}")]
pub async fn get_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<SectionQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let counts = query.include.contains(&SectionInclude::ArticleCount) || fields.names(ARTICLE_COUNT);
    let node = sections::get(&newsroom, name.reference(), counts).await?;
    let version = node.section.version;
    let id = node.section.id.get();
    let keys = SurrogateKeys::default().one(Entity::Section, id);
    let keys = if counts { keys.articles_of(Entity::Section, id) } else { keys };
    Answer::ok(&request, &principal, Section::from(node)).version(version).keys(keys).fields(fields.0).send()
}

/// Edit a section
///
/// Editors and above. A merge patch (RFC 7396). A new slug or parent changes the paths of the section, of all below it,
/// and of their articles; the old paths redirect.
#[utoipa::path(tag = "sections", params(Named, OptionalIfMatch), request_body = SectionPatch,
    security(("bearer" = [])), responses((status = 200, description = "The section as it is now.", body = Section)))]
#[patch("/sections/{name}")]
pub async fn update_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<SectionPatch>,
) -> Result<HttpResponse, Error> {
    let section =
        sections::update(&newsroom, &principal, name.reference(), if_match.version(), changes).await?;
    let version = section.version;
    Answer::ok(&request, &principal, Section::from(section)).version(version).send()
}

/// Delete a section
///
/// Editors and above. A section that has articles, in drafts or live, or sections below it is 409, unless `move_to` names
/// another section that gets them; the old path redirects there then.
#[utoipa::path(tag = "sections", params(Named, SectionDeleteQuery), security(("bearer" = [])),
    responses((status = 204, description = "The section is gone.")))]
#[delete("/sections/{name}")]
pub async fn delete_section(
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<SectionDeleteQuery>,
) -> Result<HttpResponse, Error> {
    let move_to = query.move_to.as_deref().map(Reference::parse);
    sections::delete(&newsroom, &principal, name.reference(), move_to).await?;
    Ok(answer::no_content())
}
