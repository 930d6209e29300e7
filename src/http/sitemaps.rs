//! `/sitemap.xml`, `/sitemaps` and `/news-sitemap.xml`.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::Answer,
    caller::Caller,
    input::NoQuery,
    path::{parameter, segment},
};
use crate::{
    domain::error::Error,
    render::sitemap::MEDIA_TYPE,
    service::{
        Newsroom,
        sitemaps::{self, File, Sitemap},
    },
};

/// The segment `{file}` of a path.
#[derive(Debug)]
pub struct SitemapFile;

impl IntoParams for SitemapFile {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("file", "The name of a file, as the index has it.", "sections.xml")]
    }
}

/// Get the sitemap index
///
/// The addresses of all sitemaps (sitemaps.org, 0.9): sections, tags, authors, and articles by the month of their
/// publication; none has more than 50,000 pages. `lastmod` stands where it is known: at sections, and at the months that have
/// one of the 1,000 articles that were changed last. A month that is over and gets its first article afterwards, by an earlier
/// `published_at`, may take ten minutes to appear. The addresses in the sitemaps are those of the site: name the index in
/// the `robots.txt` there.
#[utoipa::path(tag = "discovery", responses((status = 200, description = "The index.", content_type = "application/xml",
    body = String, example = "<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><sitemap><loc>https://cms.courier.example/sitemaps/sections.xml</loc><lastmod>2026-05-18T09:30:00.000Z</lastmod></sitemap></sitemapindex>")))]
#[get("/sitemap.xml")]
pub async fn get_sitemap_index(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    Ok(answer(&request, caller, sitemaps::index(&newsroom).await?))
}

/// Get a sitemap
///
/// The pages of one file of the index, with when they were last changed. What has `seo.noindex`, or another address as its
/// `seo.canonical_url`, is left out, as are tags and authors under which readers see nothing.
#[utoipa::path(tag = "discovery", params(SitemapFile), responses((status = 200, description = "The sitemap.",
    content_type = "application/xml", body = String, example = "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><url><loc>https://courier.example/city</loc><lastmod>2026-05-18T09:30:00.000Z</lastmod></url></urlset>")))]
#[get("/sitemaps/{file}")]
pub async fn get_sitemap(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let file: File = segment(&request, "file")?.parse().map_err(|_| Error::not_found("sitemap"))?;
    Ok(answer(&request, caller, sitemaps::file(&newsroom, file).await?))
}

/// Get the sitemap of news
///
/// The articles of the last 48 hours as Google News wants them, the newest first, 1,000 at most. What has `seo.noindex`, or
/// another address as its `seo.canonical_url`, is left out.
#[utoipa::path(tag = "discovery", responses((status = 200, description = "The sitemap.", content_type = "application/xml",
    body = String, example = "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\"><url><loc>https://courier.example/city/harbour-bridge-reopens</loc><news:news><news:publication><news:name>The Courier</news:name><news:language>en</news:language></news:publication><news:publication_date>2026-05-18T09:30:00.000Z</news:publication_date><news:title>Harbour bridge reopens after two years</news:title></news:news></url></urlset>")))]
#[get("/news-sitemap.xml")]
pub async fn get_news_sitemap(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    Ok(answer(&request, caller, sitemaps::news(&newsroom).await?))
}

fn answer(request: &HttpRequest, Caller(principal): Caller, sitemap: Sitemap) -> HttpResponse {
    let Sitemap { text, keys, updated } = sitemap;
    let answer = Answer::ok(request, &principal, text).keys(keys);
    match updated {
        Some(updated) => answer.modified(updated),
        None => answer,
    }
    .send_as(MEDIA_TYPE)
}
