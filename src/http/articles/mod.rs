//! `/v1/articles`

pub mod actions;
pub mod body_format;
pub mod bulk;
pub mod dto;
pub mod editing;
pub mod input;
mod query;
pub mod revisions;

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web::Data};

use self::body_format::BodyFormat;
pub use self::query::{ArticleListQuery, ArticleQuery};
use self::{
    dto::{Article, ArticleList},
    editing::{Editing, changed},
    input::{ArticleCreate, ArticlePatch},
    query::{Wanted, WantedArticle, WantedList},
};
use super::{
    answer::{Answer, List},
    caller::{Caller, IfMatch},
    input::{Input, NoQuery, QueryInput},
    path::{Named, segment},
};
use crate::{
    domain::{article::Include, change::Entity, error::Error, surrogate::SurrogateKeys},
    service::{
        Newsroom,
        articles::{self, ArticleView, SearchRequest, SearchResult},
    },
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
///
/// `q` searches headline, kicker, standfirst and body, and can be combined with every filter but `as_of`. Each item then
/// has `match` with the hits marked. `sort=relevance` is relevance times recency. Relevance is the mean over the words
/// and phrases of what each is worth in its best place: 8 in the headline, 3 in kicker or standfirst, 1 in the body.
/// Recency is 1 at the publication (for drafts, the making), and what is above ¼ of it halves every 30 days. Among
/// equals the newer article, by id, comes first.
///
/// However frequent the words are, a search looks at a bounded number of articles. It is exact, and `is_partial` is false,
/// if
///
/// - fewer than 5,000 articles have the words (2,000 if nothing but dates of publication narrows the search), and fewer
///   than 1,000 of them fit the filters;
/// - `ids` are given; or at most 500 articles are in the section, have the tags, are by the author, of the types, or of
///   the dates of publication that are asked for, any one of these by itself; or a contributor has at most 500 drafts. A
///   query of more than four words looks at fewer than 500: at 2,000 divided by the number of words.
///
/// Otherwise it looks at the newest 5,000 (2,000) articles with the words and finds the newest 1,000 of them that fit the
/// filters; by relevance also those with the words in the headline, by the same bounds. `is_partial` is true, and
/// `count`, `facets` and the last page end with what was found. Only with `sort=published_at` and `-published_at` the
/// pages go on to the end, where each `page.next` leads: a page of a narrow search may then have fewer articles than
/// `limit`, or none, and still a next one. `is_partial` is about `count` and `facets` there, and about numbered pages.
///
/// With `include=body` `body_format` says how bodies are written.
#[utoipa::path(tag = "articles", params(ArticleListQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "A page of articles.", body = ArticleList)))]
#[get("/articles")]
pub async fn list_articles(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput(wanted): QueryInput<ArticleListQuery>,
) -> Result<HttpResponse, Error> {
    let WantedList { list: wanted, search, facets, as_of, format, fields } = wanted;
    let includes = wanted.include;
    if let Some(search) = search {
        let wanted = SearchRequest { query: search, list: wanted, facets };
        let SearchResult { page, facets, is_partial } =
            articles::search(&newsroom, principal.clone(), wanted).await?;
        let page = page.try_map(|found| {
            let matched = Some(found.highlights);
            item(found.view, includes, format).map(|article| Article { matched, ..article })
        })?;
        // Any article may come to match, and facets and cards show sections, tags and authors.
        let entities = [Entity::Article, Entity::Section, Entity::Tag, Entity::Author];
        let keys = entities.into_iter().fold(SurrogateKeys::default(), SurrogateKeys::all);
        return Answer::page(&request, &principal, page)
            .map(|List { data, page }| ArticleList { data, page, facets, is_partial: Some(is_partial) })
            .keys(keys)
            .fields(fields)
            .send();
    }
    let (page, keys) = match as_of {
        None => articles::list(&newsroom, principal.clone(), wanted).await?,
        Some(at) => {
            let page = articles::list_as_of(&newsroom, principal.clone(), wanted, at).await?;
            (page, SurrogateKeys::default())
        }
    };
    let page = page.try_map(|view| item(view, includes, format))?;
    Answer::page(&request, &principal, page)
        .map(|List { data, page }| ArticleList { data, page, facets: None, is_partial: None })
        .keys(keys)
        .fields(fields)
        .send()
}

/// An article as an item of a list: with the parts that are asked for.
fn item(view: ArticleView, includes: Include, format: BodyFormat) -> Result<Article, Error> {
    let article = Article::with_format(view, format)?;
    Ok(Article {
        body: article.body.filter(|_| includes.body),
        related: article.related.filter(|_| includes.related),
        corrections: article.corrections.filter(|_| includes.corrections),
        ..article
    })
}

/// Create an article
///
/// Everybody who can log in. It begins as a draft that readers do not see. With `publish`, for those who may publish it, it
/// is made and published or scheduled in one step, or with 422 not made at all; the answer tells in `outcome` what the
/// preflight found.
#[utoipa::path(tag = "articles", request_body = ArticleCreate, security(("bearer" = [])),
    responses((status = 201, description = "The draft.", body = Article)))]
#[post("/articles")]
pub async fn create_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input((changes, publish)): Input<ArticleCreate>,
) -> Result<HttpResponse, Error> {
    let (view, outcome) = articles::create(&newsroom, principal.clone(), changes, publish).await?;
    let (location, version) = (format!("/v1/articles/{}", view.article.id), view.article.version);
    let article = Article { outcome: outcome.map(Into::into), ..Article::try_from(view)? };
    Answer::ok(&request, &principal, article).created(location).version(version).send()
}

/// Get an article
///
/// By id or slug, as readers see it. `stage=draft` answers the draft to those who may read it, `stage=scheduled` the version
/// that takes effect later, `as_of` what readers saw at an instant, `preview` the draft to whoever has the token of a
/// preview. A former slug answers 308, a retracted article 410 with the reason. `body_format` makes one text of the body:
/// HTML that a page can print as it is, plain text or Markdown; links that the caller cannot follow are left out of it.
#[utoipa::path(tag = "articles", params(Named, ArticleQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The article.", body = Article)))]
#[get("/articles/{name}")]
pub async fn get_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    QueryInput(WantedArticle { form, format, fields }): QueryInput<ArticleQuery>,
) -> Result<HttpResponse, Error> {
    let (caller, reference) = (principal.clone(), name.reference());
    let view = match form {
        Wanted::Stage(stage) => articles::get(&newsroom, caller, reference, stage).await?,
        Wanted::AsOf(at) => articles::get_as_of(&newsroom, caller, reference, at).await?,
        Wanted::Preview(token) => {
            let view = articles::open_preview(&newsroom, reference, token).await?;
            let version = view.article.version;
            return Answer::private(&request, Article::with_format(view, format)?)
                .version(version)
                .fields(fields)
                .send();
        }
    };
    let version = view.article.version;
    let keys = SurrogateKeys::default().article(&view.article);
    let article = Article::with_format(view, format)?;
    let answer = Answer::ok(&request, &principal, article).version(version);
    answer.keys(keys).fields(fields).send()
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
