//! `/v1/articles`

pub mod dto;
pub mod editing;
pub mod input;
mod query;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};

pub use self::query::{ArticleListQuery, ArticleQuery};
use self::{
    dto::Article,
    editing::{Editing, OptionalEditing, changed},
    input::{ArticleCreate, ArticlePatch, PublishRequest},
};
use super::{
    answer::{self, Answer, List},
    caller::{Caller, IfMatch, OptionalIfMatch},
    contract::Contract,
    input::{Input, NoQuery, OptionalInput, Query},
    path::{Named, segment},
};
use crate::{
    domain::error::{Error, Fault},
    service::{Newsroom, articles},
};

/// An id in the path; what is no id names nothing.
pub(super) fn id_segment<T: std::str::FromStr>(
    request: &HttpRequest,
    name: &str,
    what: &str,
) -> Result<T, Error> {
    segment(request, name)?.parse().map_err(|_| Error::not_found(what))
}

/// List articles
///
/// Live articles, newest first. With credentials `stage=draft` lists drafts: a contributor's own, everybody's for others.
/// All filters must hold. `tag` takes several tags separated by commas and finds articles with any of them; `all_tags`
/// finds those with all. `section` includes the sections below it.
#[utoipa::path(tag = "articles", params(ArticleListQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "A page of articles.", body = List<Article>)))]
#[get("/articles")]
pub async fn list_articles(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    contract: Data<Contract>,
    Caller(principal): Caller,
    Query(query): Query<ArticleListQuery>,
) -> Result<HttpResponse, Error> {
    let fields = query.fields(&contract)?;
    let page = articles::list(&newsroom, principal.clone(), query.request()?).await?;
    let mut data = Vec::with_capacity(page.items.len());
    let (includes_body, includes_related) = query.includes();
    for view in page.items {
        let mut article = Article::try_from(view)?;
        if !includes_body {
            article.body = None;
        }
        if !includes_related {
            article.related = None;
        }
        data.push(article);
    }
    let page = crate::domain::page::Page {
        items: data,
        limit: page.limit,
        next: page.next,
        prev: page.prev,
        total: page.total,
    };
    Answer::page(&request, &principal, page).fields(fields).send()
}

/// Create an article
///
/// Everybody who can log in. It begins as a draft that readers do not see.
#[utoipa::path(tag = "articles", request_body = ArticleCreate, security(("bearer" = [])),
    responses((status = 201, description = "The draft.", body = Article)))]
#[post("/articles")]
pub async fn create_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<ArticleCreate>,
) -> Result<HttpResponse, Error> {
    let view = articles::create(&newsroom, principal.clone(), changes).await?;
    let (location, version) = (format!("/v1/articles/{}", view.article.id), view.article.version);
    Answer::ok(&request, &principal, Article::try_from(view)?).created(location).version(version).send()
}

/// Get an article
///
/// By id or slug, as readers see it. `stage=draft` answers the draft to those who may read it. A former slug answers 308.
#[utoipa::path(tag = "articles", params(Named, ArticleQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The article.", body = Article)))]
#[get("/articles/{name}")]
pub async fn get_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    contract: Data<Contract>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<ArticleQuery>,
) -> Result<HttpResponse, Error> {
    let fields = query.fields(&contract)?;
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage()).await?;
    let version = view.article.version;
    Answer::ok(&request, &principal, Article::try_from(view)?).version(version).fields(fields).send()
}

/// Edit an article
///
/// Those who may edit its draft, under its version: `If-Match` is required. A merge patch (RFC 7396) on the draft;
/// readers see nothing of it until it is published. A stale version is 412 with what changed since.
#[utoipa::path(tag = "articles", params(Named, IfMatch), request_body = ArticlePatch, security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[patch("/articles/{name}")]
pub async fn update_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(changes): Input<ArticlePatch>,
) -> Result<HttpResponse, Error> {
    let view = articles::update(&newsroom, on, changes).await?;
    changed(&request, view)
}

/// Delete an article
///
/// Editors and above; an author their own that was never public. An article that readers see is 409: unpublish it first.
/// Links to it keep its headline and are withdrawn from readers.
#[utoipa::path(tag = "articles", params(Named, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 204, description = "The article is gone.")))]
#[delete("/articles/{name}")]
pub async fn delete_article(
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
) -> Result<HttpResponse, Error> {
    articles::delete(&newsroom, on).await?;
    Ok(answer::no_content())
}

/// Publish an article
///
/// Authors their own, editors all. What readers see becomes what the draft is, in one step. Publishing a published
/// article makes its changes public. With `If-Match` the draft must still have that version. A draft without a section
/// or a text is 422 `not_ready`.
#[utoipa::path(tag = "articles", params(Named, OptionalIfMatch), request_body = Option<PublishRequest>,
    security(("bearer" = [])), responses((status = 200, description = "The draft, now published.", body = Article)))]
#[post("/articles/{name}/publish")]
pub async fn publish_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    OptionalInput(published_at): OptionalInput<PublishRequest>,
) -> Result<HttpResponse, Error> {
    let view = articles::publish(&newsroom, on, published_at).await?;
    changed(&request, view)
}

/// Unpublish an article
///
/// Authors their own, editors all. Readers get 404 from now on; the draft stays and can be published again.
#[utoipa::path(tag = "articles", params(Named, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft, now withdrawn.", body = Article)))]
#[post("/articles/{name}/unpublish")]
pub async fn unpublish_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
) -> Result<HttpResponse, Error> {
    let view = articles::unpublish(&newsroom, on).await?;
    changed(&request, view)
}

/// A fault of one query parameter.
fn parameter_fault<T>(name: &str, code: &'static str, message: impl Into<String>) -> Result<T, Error> {
    Err(Error::InvalidParameters(vec![Fault::parameter(name, code, message)]))
}
