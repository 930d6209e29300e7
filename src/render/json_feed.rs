//! JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>).

use serde_json::{Map, Value, json};

use super::{
    feed::{Feed, Item},
    xml::safe,
};
use crate::domain::error::Error;

/// Its media type.
pub const MEDIA_TYPE: &str = "application/feed+json";

/// The document.
///
/// # Errors
/// When a stored body cannot be read.
pub fn write(feed: &Feed<'_>) -> Result<String, Error> {
    let items: Vec<_> = feed.items()?.into_iter().map(item).collect();
    let document = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": safe(&feed.title),
        "home_page_url": feed.page,
        "feed_url": feed.self_url,
        "description": safe(&feed.description),
        "language": feed.site.language,
        "authors": [author(&feed.site.name, Some(feed.site.url.clone()))],
        "items": items,
    });
    serde_json::to_string(&document).map_err(|error| Error::internal("writing a JSON Feed", error))
}

fn author(name: &str, url: Option<String>) -> Value {
    present([("name", Some(safe(name).into())), ("url", url.map(Value::from))])
}

/// An object of what there is.
fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}

fn item(item: Item<'_>) -> Value {
    let article = item.article;
    let authors: Vec<_> = item.authors.into_iter().map(|(name, url)| author(name, url)).collect();
    let tags: Vec<_> = item.categories.iter().map(|(name, _)| safe(name)).collect();
    let canonical = article.seo.canonical_url.as_ref().filter(|canonical| **canonical != article.url);
    present([
        ("id", Some(item.id.into())),
        ("url", Some(article.url.clone().into())),
        ("external_url", canonical.map(|url| url.clone().into())),
        ("title", Some(safe(&article.headline).into())),
        // It has to be there, be it empty.
        ("content_html", Some(item.html.into())),
        ("summary", article.standfirst.as_deref().map(|text| safe(text).into())),
        ("image", article.lead_image.as_ref().map(|image| image.media.url.clone().into())),
        ("date_published", Some(item.published.to_string().into())),
        ("date_modified", Some(item.updated.to_string().into())),
        ("authors", (!authors.is_empty()).then(|| authors.into())),
        ("tags", (!tags.is_empty()).then(|| json!(tags))),
        ("language", Some(article.language.clone().into())),
    ])
}
