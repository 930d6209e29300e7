//! `/v1/articles/{name}/schema.org` and `/v1/articles/{name}/meta`.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{answer::Answer, caller::Caller, input::NoQuery, path::Named};
use crate::{
    domain::{article::Article, error::Error, surrogate::SurrogateKeys},
    render::{
        json_ld,
        open_graph::{self, Attribute, Head, Meta},
    },
    service::{Newsroom, structured_data},
};

/// What stands in the `<head>` of an article's page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "title": "Harbour bridge reopens after two years – The Courier",
    "description": "Traffic is back on the upper deck.",
    "canonical_url": "https://courier.example/city/harbour-bridge-reopens",
    "robots": "index, follow, max-image-preview:large, max-snippet:-1",
    "meta": [
        {"name": "description", "content": "Traffic is back on the upper deck."},
        {"property": "og:type", "content": "article"},
        {"property": "og:title", "content": "Harbour bridge reopens after two years"},
        {"name": "twitter:card", "content": "summary"}
    ]
}))]
pub struct PageHead {
    /// The `<title>`: `seo.title`, or the headline with the name of the site.
    title: String,
    /// `seo.description`, or the standfirst.
    description: Option<String>,
    /// The `<link rel="canonical">`.
    canonical_url: String,
    /// What robots may do.
    #[schema(value_type = String)]
    robots: &'static str,
    /// Every `<meta>` element, in the order in which they are to stand.
    meta: Vec<MetaElement>,
}

/// A `<meta>` element: with `name`, or for Open Graph with `property`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetaElement {
    /// The key, of HTML and of cards: `description`, `robots`, `author`, `twitter:*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, examples("twitter:card"))]
    name: Option<&'static str>,
    /// The key, of Open Graph: `og:*`, `article:*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, examples("og:title"))]
    property: Option<&'static str>,
    /// The value: plain text, to be escaped in HTML.
    content: String,
}

impl From<Meta> for MetaElement {
    fn from(meta: Meta) -> Self {
        let Meta { attribute, key, content } = meta;
        let of = |wanted| (attribute == wanted).then_some(key);
        Self { name: of(Attribute::Name), property: of(Attribute::Property), content }
    }
}

impl From<Head> for PageHead {
    fn from(head: Head) -> Self {
        let Head { title, description, canonical, robots, meta } = head;
        let meta = meta.into_iter().map(MetaElement::from).collect();
        Self { title, description, canonical_url: canonical, robots, meta }
    }
}

/// Get an article as schema.org has it
///
/// JSON-LD for a `<script type="application/ld+json">` of the article's page: a `NewsArticle`, by the type of the article an
/// `AnalysisNewsArticle`, `OpinionNewsArticle`, `BackgroundNewsArticle` or `LiveBlogPosting`. As readers see it, with what
/// was put right. An article whose `access` is not `free` is not accessible for free, and `hasPart` names the site's
/// `paywall_selector`, if it has one. A former slug answers 308, a retracted article 410 with the reason.
#[utoipa::path(tag = "discovery", params(Named), responses((status = 200, description = "The article.",
    content_type = "application/ld+json", body = Object, example = json!({
        "@context": "https://schema.org", "@type": "NewsArticle",
        "@id": "https://courier.example/city/harbour-bridge-reopens#article",
        "headline": "Harbour bridge reopens after two years", "datePublished": "2026-05-18T09:30:00.000Z",
        "author": [{"@type": "Person", "name": "Ada Okafor", "url": "https://courier.example/authors/ada-okafor"}]}))))]
#[get("/articles/{name}/schema.org")]
pub async fn get_article_schema(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let (article, site) = structured_data::live_article(&newsroom, name.reference()).await?;
    let text = serde_json::to_string(&json_ld::article(&article, &site));
    // It may be put into a page as it is: nothing in it closes the script.
    let text = text.map_err(|error| Error::internal("writing JSON-LD", error))?.replace('<', "\\u003c");
    let answer = Answer::ok(&request, &principal, text).keys(keys(&article));
    Ok(answer.send_as(json_ld::MEDIA_TYPE))
}

/// Get the meta elements of an article's page
///
/// What its `<head>` says to search engines and social networks: title, description, canonical address, robots, Open Graph
/// and cards, as readers see the article. A former slug answers 308, a retracted article 410 with the reason.
#[utoipa::path(tag = "discovery", params(Named),
    responses((status = 200, description = "The head of the page.", body = PageHead)))]
#[get("/articles/{name}/meta")]
pub async fn get_article_meta(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let (article, site) = structured_data::live_article(&newsroom, name.reference()).await?;
    let head = PageHead::from(open_graph::head(&article, &site));
    Answer::ok(&request, &principal, head).keys(keys(&article)).send()
}

fn keys(article: &Article) -> SurrogateKeys {
    SurrogateKeys::default().article(article)
}
