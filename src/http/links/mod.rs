//! `/v1/articles/{name}/links` and `…/inbound`

pub mod input;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web::Data};
use serde::Serialize;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use self::input::{LinkCreate, LinkOrder, LinkPatch};
use super::{
    answer::Answer,
    articles::{
        dto::{Article, Link},
        editing::{Editing, changed, created},
        id_segment,
    },
    body::BodyQuery,
    caller::{Caller, IfMatch},
    input::{Input, NoQuery, Query},
    path::{Named, parameter},
};
use crate::{
    domain::{
        change::Entity,
        error::Error,
        id::{ArticleId, BlockId, LinkId},
        link::{self, LinkCard, LinkKind},
        surrogate::SurrogateKeys,
    },
    service::{Newsroom, articles},
};

/// The links of an article, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// The links.
    data: Vec<Link>,
}

/// A link to an article from another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095402", "label": "Read More", "kind": "related", "block_id": "184467440737095309",
    "article_id": "184467440737095518",
    "card": {"headline": "Ferry timetable changes", "url": "https://courier.example/city/ferry-timetable-changes",
             "path": "/city/ferry-timetable-changes", "standfirst": null, "lead_image": null,
             "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"},
             "published_at": "2026-05-20T09:30:00.000Z", "state": "live"}
}))]
pub struct InboundLink {
    /// The link.
    id: LinkId,
    /// The words before the headline.
    label: String,
    /// What this article is to the other.
    kind: LinkKind,
    /// The block of the other article in which the link stands; `null` for a listed link.
    block_id: Option<BlockId>,
    /// The article in which the link stands.
    article_id: ArticleId,
    /// That article as it is now.
    card: LinkCard,
}

impl From<link::InboundLink> for InboundLink {
    fn from(inbound: link::InboundLink) -> Self {
        let link::InboundLink { id, label, kind, block_id, article_id, card } = inbound;
        Self { id, label, kind, block_id, article_id, card }
    }
}

/// The links to an article, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct InboundLinks {
    /// The links.
    data: Vec<InboundLink>,
}

/// The segment `{link}` of a path.
#[derive(Debug)]
pub struct LinkSegment;

impl IntoParams for LinkSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("link", "The id of a link.", "184467440737095401")]
    }
}

fn link_id(request: &HttpRequest) -> Result<LinkId, Error> {
    id_segment(request, "link", "link")
}

/// List the links of an article
///
/// Listed and inline ones, in order, with cards of their targets as they are now. Readers get those that they can follow.
#[utoipa::path(tag = "links", params(Named, BodyQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The links.", body = Links)))]
#[get("/articles/{name}/links")]
pub async fn list_links(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<BodyQuery>,
) -> Result<HttpResponse, Error> {
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage()).await?;
    let keys = SurrogateKeys::default().article(&view.article);
    let data = view.article.links.into_iter().flatten().map(Link::from).collect();
    Answer::ok(&request, &principal, Links { data }).version(view.article.version).keys(keys).send()
}

/// Add a link to a draft
///
/// Listed beside the article, or with `after_block` inline: a `read_more` block is made behind that block.
#[utoipa::path(tag = "links", params(Named, IfMatch), request_body = LinkCreate, security(("bearer" = [])),
    responses((status = 201, description = "The draft as it is now; `Location` is the new link.", body = Article)))]
#[post("/articles/{name}/links")]
pub async fn create_link(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input((new, place)): Input<LinkCreate>,
) -> Result<HttpResponse, Error> {
    let (view, id) = articles::create_link(&newsroom, on, new, place).await?;
    let location = format!("/v1/articles/{}/links/{id}", view.article.id);
    created(&request, view, location)
}

/// Order the links of a draft
///
/// Every link is named once.
#[utoipa::path(tag = "links", params(Named, IfMatch), request_body = LinkOrder, security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[put("/articles/{name}/links/order")]
pub async fn order_links(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(order): Input<LinkOrder>,
) -> Result<HttpResponse, Error> {
    let view = articles::order_links(&newsroom, on, order).await?;
    changed(&request, view)
}

/// Get a link of an article
///
/// With the card of its target as it is now.
#[utoipa::path(tag = "links", params(Named, LinkSegment, BodyQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The link.", body = Link)))]
#[get("/articles/{name}/links/{link}")]
pub async fn get_link(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<BodyQuery>,
) -> Result<HttpResponse, Error> {
    let id = link_id(&request)?;
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage()).await?;
    let keys = SurrogateKeys::default().article(&view.article);
    let link = view.article.links.into_iter().flatten().find(|related| related.link.id == id);
    let link = link.ok_or_else(|| Error::not_found("link"))?;
    Answer::ok(&request, &principal, Link::from(link)).version(view.article.version).keys(keys).send()
}

/// Edit a link of a draft
///
/// A merge patch (RFC 7396).
#[utoipa::path(tag = "links", params(Named, LinkSegment, IfMatch), request_body = LinkPatch,
    security(("bearer" = [])), responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[patch("/articles/{name}/links/{link}")]
pub async fn update_link(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(changes): Input<LinkPatch>,
) -> Result<HttpResponse, Error> {
    let id = link_id(&request)?;
    let view = articles::update_link(&newsroom, on, id, changes).await?;
    changed(&request, view)
}

/// Delete a link of a draft
///
/// An inline link goes with its `read_more` block.
#[utoipa::path(tag = "links", params(Named, LinkSegment, IfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[delete("/articles/{name}/links/{link}")]
pub async fn delete_link(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
) -> Result<HttpResponse, Error> {
    let id = link_id(&request)?;
    let view = articles::delete_link(&newsroom, on, id).await?;
    changed(&request, view)
}

/// List who links to an article
///
/// The newest links first: from live articles for readers, from drafts too for editors.
#[utoipa::path(tag = "links", params(Named), security((), ("bearer" = [])),
    responses((status = 200, description = "The links.", body = InboundLinks)))]
#[get("/articles/{name}/inbound")]
pub async fn list_inbound_links(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let inbound = articles::inbound(&newsroom, principal.clone(), name.reference()).await?;
    let data = inbound.into_iter().map(InboundLink::from).collect();
    // Any article may link here tomorrow, and the path of each follows from its section.
    let keys = SurrogateKeys::default().all(Entity::Article).all(Entity::Section);
    Answer::ok(&request, &principal, InboundLinks { data }).keys(keys).send()
}
