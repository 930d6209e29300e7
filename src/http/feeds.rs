//! `/feeds`: RSS, Atom and JSON Feed.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};

use super::{
    answer::Answer,
    caller::Caller,
    input::NoQuery,
    path::{Named, parameter, segment},
};
use crate::{
    domain::error::Error,
    render::{atom, json_feed, rss},
    service::{
        Newsroom,
        feeds::{self, FeedOf},
    },
};

/// The formats by their file names.
const FILES: [&str; 3] = ["rss.xml", "atom.xml", "feed.json"];

/// The segment `{file}` of a path.
#[derive(Debug)]
pub struct FeedFile;

impl IntoParams for FeedFile {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(FILES))
            .examples([serde_json::json!(FILES[0])])
            .build();
        let parameter = ParameterBuilder::new()
            .name("file")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The format: RSS 2.0, Atom 1.0 or JSON Feed 1.1."))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

/// The segments `{name}` of a path that are a section.
#[derive(Debug)]
pub struct SectionPath;

impl IntoParams for SectionPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "The path of a section, or its id. The slashes in it may stand as they are: \
            `/feeds/sections/world/europe/rss.xml`.";
        vec![parameter("name", description, "world%2Feurope")]
    }
}

/// Get the feed of the site
///
/// The newest 50 articles, with their whole texts and what was put right in them; of those whose `access` is not `free` the
/// standfirst only. Everybody gets what readers see. An item keeps its id (`guid`, `id`) for as long as the article exists,
/// whatever becomes of its headline or path. Articles with `seo.noindex` are in: that is for search engines, and whoever
/// subscribes has asked for all.
#[utoipa::path(tag = "feeds", params(FeedFile), responses((status = 200, description = "The feed.", content(
    (String = "application/rss+xml", example = "<rss version=\"2.0\"><channel><title>The Courier</title>…</channel></rss>"),
    (String = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>The Courier</title>…</feed>"),
    (Object = "application/feed+json", example = json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "The Courier", "home_page_url": "https://courier.example/",
        "feed_url": "https://cms.courier.example/feeds/feed.json", "items": []}))))))]
#[get("/feeds/{file}")]
pub async fn get_site_feed(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    feed(&request, &newsroom, caller, FeedOf::Site).await
}

/// Get the feed of a section
///
/// The newest 50 articles of the section and the sections below it, as in the feed of the site. A former path answers 308.
#[utoipa::path(tag = "feeds", params(SectionPath, FeedFile), responses((status = 200, description = "The feed.", content(
    (String = "application/rss+xml", example = "<rss version=\"2.0\"><channel><title>Europe – The Courier</title>…</channel></rss>"),
    (String = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Europe – The Courier</title>…</feed>"),
    (Object = "application/feed+json", example = json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "Europe – The Courier", "items": []}))))))]
#[get("/feeds/sections/{name:.+}/{file}")]
pub async fn get_section_feed(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    feed(&request, &newsroom, caller, FeedOf::Section(name.reference())).await
}

/// Get the feed of a tag
///
/// The newest 50 articles with the tag, as in the feed of the site. A former slug answers 308.
#[utoipa::path(tag = "feeds", params(Named, FeedFile), responses((status = 200, description = "The feed.", content(
    (String = "application/rss+xml", example = "<rss version=\"2.0\"><channel><title>Port – The Courier</title>…</channel></rss>"),
    (String = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Port – The Courier</title>…</feed>"),
    (Object = "application/feed+json", example = json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "Port – The Courier", "items": []}))))))]
#[get("/feeds/tags/{name}/{file}")]
pub async fn get_tag_feed(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    feed(&request, &newsroom, caller, FeedOf::Tag(name.reference())).await
}

/// Get the feed of an author
///
/// The newest 50 articles of the author, as in the feed of the site. A former slug answers 308.
#[utoipa::path(tag = "feeds", params(Named, FeedFile), responses((status = 200, description = "The feed.", content(
    (String = "application/rss+xml", example = "<rss version=\"2.0\"><channel><title>Ada – The Courier</title>…</channel></rss>"),
    (String = "application/atom+xml", example = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Ada – The Courier</title>…</feed>"),
    (Object = "application/feed+json", example = json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "Ada – The Courier", "items": []}))))))]
#[get("/feeds/authors/{name}/{file}")]
pub async fn get_author_feed(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    feed(&request, &newsroom, caller, FeedOf::Author(name.reference())).await
}

async fn feed(
    request: &HttpRequest,
    newsroom: &Newsroom,
    Caller(principal): Caller,
    of: FeedOf,
) -> Result<HttpResponse, Error> {
    let file = segment(request, "file")?;
    if !FILES.contains(&file.as_str()) {
        return Err(Error::not_found("feed"));
    }
    let newest = feeds::newest(newsroom, of).await?;
    let feed = newest.feed(&file);
    let (text, media_type) = match file.as_str() {
        "rss.xml" => (rss::write(&feed)?, rss::MEDIA_TYPE),
        "atom.xml" => (atom::write(&feed)?, atom::MEDIA_TYPE),
        _ => (json_feed::write(&feed)?, json_feed::MEDIA_TYPE),
    };
    let answer = Answer::ok(request, &principal, text);
    Ok(answer.keys(newest.keys()).send_as(media_type))
}
