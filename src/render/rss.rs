//! RSS 2.0, with `content:encoded` for the whole text, `dc:creator`, `media:content` and the `atom:link` to itself that
//! the RSS Best Practices Profile asks for.
//!
//! A `description`, of the channel and of an item, is read as HTML, so what stands there is escaped once more. Everything else
//! but `content:encoded` is plain text: titles, categories, names, and the texts of Media RSS, whose `type` is "plain" unless
//! it is told.

use std::collections::BTreeMap;

use rss::{
    Category, Channel, Enclosure, Guid,
    extension::{
        Extension,
        atom::{AtomExtension, Link},
        dublincore::DublinCoreExtension,
    },
};

use super::{
    feed::{Feed, Item, media_type},
    xml::{escaped, safe},
};
use crate::domain::{article::Image, error::Error, instant::Instant};

/// Its media type.
pub const MEDIA_TYPE: &str = "application/rss+xml; charset=utf-8";

/// The namespace of `media:content` (Media RSS 1.5.1).
const MEDIA: &str = "http://search.yahoo.com/mrss/";

/// RFC 822, with the four digits of the year that RSS prefers.
fn date(at: Instant) -> String {
    at.to_utc().to_rfc2822()
}

/// The document.
///
/// # Errors
/// When a stored body cannot be read.
pub fn write(feed: &Feed<'_>) -> Result<String, Error> {
    let own = Link {
        href: feed.self_url.clone(),
        rel: "self".to_owned(),
        mime_type: Some("application/rss+xml".to_owned()),
        ..Link::default()
    };
    let channel = Channel {
        title: safe(&feed.title).into_owned(),
        link: feed.page.clone(),
        description: escaped(&feed.description),
        language: Some(feed.site.language.clone()),
        last_build_date: Some(date(feed.updated)),
        generator: Some("Masthead".to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        atom_ext: Some(AtomExtension { links: vec![own] }),
        namespaces: BTreeMap::from([("media".to_owned(), MEDIA.to_owned())]),
        items: feed.items()?.into_iter().map(item).collect(),
        ..Channel::default()
    };
    let bytes = channel.write_to(Vec::new()).map_err(|error| Error::internal("writing RSS", error))?;
    String::from_utf8(bytes).map_err(|error| Error::internal("writing RSS", error))
}

fn item(item: Item<'_>) -> rss::Item {
    let article = item.article;
    let text = |text: &str| safe(text).into_owned();
    let category = |(name, domain): (&str, String)| Category { name: text(name), domain: Some(domain) };
    let image = article.lead_image.as_ref();
    // A size that nobody knows is 0 (RSS Best Practices Profile, "enclosure").
    let enclosure = image.and_then(|image| {
        let mime_type = media_type(image)?.to_owned();
        Some(Enclosure { url: image.media.url.clone(), length: "0".to_owned(), mime_type })
    });
    let media = image.map(|image| BTreeMap::from([("content".to_owned(), vec![media_content(image)])]));
    let creators: Vec<_> = item.authors.iter().map(|(name, _)| text(name)).collect();
    rss::Item {
        title: Some(text(&article.headline)),
        link: Some(article.url.clone()),
        description: article.standfirst.as_deref().map(escaped),
        categories: item.categories.into_iter().map(category).collect(),
        enclosure,
        guid: Some(Guid { value: item.id, permalink: false }),
        pub_date: Some(date(item.published)),
        content: Some(item.html).filter(|html| !html.is_empty()),
        extensions: media.map(|media| ("media".to_owned(), media)).into_iter().collect(),
        dublin_core_ext: (!creators.is_empty())
            .then(|| DublinCoreExtension { creators, ..DublinCoreExtension::default() }),
        ..rss::Item::default()
    }
}

fn media_content(image: &Image) -> Extension {
    let attribute = |name: &str, value: Option<String>| Some((name.to_owned(), value?));
    let attributes = [
        attribute("url", Some(image.media.url.clone())),
        attribute("medium", Some("image".to_owned())),
        attribute("type", media_type(image).map(str::to_owned)),
        attribute("width", image.media.width.map(|width| width.to_string())),
        attribute("height", image.media.height.map(|height| height.to_string())),
    ];
    let child = |name: &str, text: &Option<String>| {
        let text = safe(text.as_deref()?).into_owned();
        let element = Extension { name: format!("media:{name}"), value: Some(text), ..Extension::default() };
        Some((name.to_owned(), vec![element]))
    };
    let children =
        [child("description", &image.caption), child("credit", &image.credit), child("text", &image.alt)];
    Extension {
        name: "media:content".to_owned(),
        value: None,
        attrs: attributes.into_iter().flatten().collect(),
        children: children.into_iter().flatten().collect(),
    }
}
