//! Atom 1.0 (RFC 4287).

use atom_syndication::{Category, Content, Entry, FixedDateTime, Generator, Link, Person, Text, TextType};

use super::{
    feed::{Feed, Item, media_type},
    xml::safe,
};
use crate::domain::{error::Error, instant::Instant};

/// Its media type.
pub const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";

fn date(at: Instant) -> FixedDateTime {
    at.to_utc().fixed_offset()
}

fn plain(value: &str) -> Text {
    Text { value: safe(value).into_owned(), r#type: TextType::Text, ..Text::default() }
}

fn link(rel: &str, href: &str, mime_type: Option<&str>) -> Link {
    let mime_type = mime_type.map(str::to_owned);
    Link { href: href.to_owned(), rel: rel.to_owned(), mime_type, ..Link::default() }
}

/// The document.
///
/// # Errors
/// When a stored body cannot be read.
pub fn write(feed: &Feed<'_>) -> Result<String, Error> {
    let document = atom_syndication::Feed {
        title: plain(&feed.title),
        id: feed.id.clone(),
        updated: date(feed.updated),
        // An entry whose author is not told has that of the feed (section 4.1.1).
        authors: vec![person(&feed.site.name, Some(feed.site.url.clone()))],
        generator: Some(Generator { value: "Masthead".to_owned(), ..Generator::default() }),
        links: vec![
            link("self", &feed.self_url, Some("application/atom+xml")),
            link("alternate", &feed.page, Some("text/html")),
        ],
        subtitle: Some(plain(&feed.description)),
        entries: feed.items()?.into_iter().map(entry).collect(),
        lang: Some(feed.site.language.clone()),
        ..atom_syndication::Feed::default()
    };
    let bytes = document.write_to(Vec::new()).map_err(|error| Error::internal("writing Atom", error))?;
    String::from_utf8(bytes).map_err(|error| Error::internal("writing Atom", error))
}

fn person(name: &str, uri: Option<String>) -> Person {
    Person { name: safe(name).into_owned(), uri, ..Person::default() }
}

fn entry(item: Item<'_>) -> Entry {
    let article = item.article;
    let category = |(name, address): (&str, String)| Category {
        term: safe(name).into_owned(),
        // The address of all tags, or of the section above: whose word it is.
        scheme: address.rsplit_once('/').map(|(scheme, _)| scheme.to_owned()),
        label: None,
    };
    let image =
        article.lead_image.as_ref().map(|image| link("enclosure", &image.media.url, media_type(image)));
    let page = Link {
        hreflang: Some(article.language.clone()),
        ..link("alternate", &article.url, Some("text/html"))
    };
    Entry {
        title: plain(&article.headline),
        id: item.id,
        updated: date(item.updated),
        authors: item.authors.into_iter().map(|(name, address)| person(name, address)).collect(),
        categories: item.categories.into_iter().map(category).collect(),
        links: std::iter::once(page).chain(image).collect(),
        published: Some(date(item.published)),
        summary: article.standfirst.as_deref().map(plain),
        content: Some(item.html).filter(|html| !html.is_empty()).map(|html| Content {
            lang: Some(article.language.clone()),
            value: Some(html),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}
