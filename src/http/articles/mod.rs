//! `/v1/articles`

pub mod actions;
pub mod bulk;
pub mod dto;
pub mod editing;
pub mod input;
mod query;
pub mod revisions;

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web::Data};

pub use self::query::{ArticleListQuery, ArticleQuery};
use self::{
    dto::Article,
    editing::{Editing, changed},
    input::{ArticleCreate, ArticlePatch},
    query::Wanted,
};
use super::{
    answer::{Answer, List},
    caller::{Caller, IfMatch},
    contract::Contract,
    input::{Input, NoQuery, Query},
    path::{Named, segment},
};
use crate::{
    domain::{
        error::{Error, Fault},
        surrogate::SurrogateKeys,
    },
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
/// finds those with all. `section` includes the sections below it. `as_of` lists what readers saw at an instant, or will see.
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
    let (wanted, as_of) = (query.request()?, query.as_of()?);
    let (page, keys) = match as_of {
        None => articles::list(&newsroom, principal.clone(), wanted).await?,
        Some(at) => {
            let page = articles::list_as_of(&newsroom, principal.clone(), wanted, at).await?;
            (page, SurrogateKeys::default())
        }
    };
    let mut data = Vec::with_capacity(page.items.len());
    let includes = query.includes();
    for view in page.items {
        let mut article = Article::try_from(view)?;
        if !includes.body {
            article.body = None;
        }
        if !includes.related {
            article.related = None;
        }
        if !includes.corrections {
            article.corrections = None;
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
    Answer::page(&request, &principal, page).keys(keys).fields(fields).send()
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
/// By id or slug, as readers see it. `stage=draft` answers the draft to those who may read it, `stage=scheduled` the version
/// that takes effect later, `as_of` what readers saw at an instant, `preview` the draft to whoever has the token of a
/// preview. A former slug answers 308, a retracted article 410 with the reason.
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
    let (caller, reference) = (principal.clone(), name.reference());
    let view = match query.wanted()? {
        Wanted::Stage(stage) => articles::get(&newsroom, caller, reference, stage).await?,
        Wanted::AsOf(at) => articles::get_as_of(&newsroom, caller, reference, at).await?,
        Wanted::Preview(token) => {
            let view = articles::open_preview(&newsroom, reference, token).await?;
            let version = view.article.version;
            return Answer::private(&request, Article::try_from(view)?)
                .version(version)
                .fields(fields)
                .send();
        }
    };
    let (version, updated_at) = (view.article.version, view.article.updated_at);
    let keys = SurrogateKeys::default().article(&view.article);
    let answer = Answer::ok(&request, &principal, Article::try_from(view)?).version(version);
    answer.keys(keys).modified(updated_at).fields(fields).send()
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

/// A fault of one query parameter.
fn parameter_fault<T>(name: &str, code: &'static str, message: impl Into<String>) -> Result<T, Error> {
    Err(Error::InvalidParameters(vec![Fault::parameter(name, code, message)]))
}
