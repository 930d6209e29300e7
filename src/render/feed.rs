//! What RSS, Atom and JSON Feed have in common: a feed of articles and its items.
//!
//! An item has the same id for as long as the article exists, whatever becomes of its headline, its path or the address of
//! the site: aggregators tell by it what they have shown already. It is a UUID made of the article's id (RFC 9562,
//! section 5.5).

use uuid::{Uuid, uuid};

use super::{Context, body_of, html, xml::escaped};
use crate::domain::{
    article::{Access, Article, Image},
    change::{Entity, surrogate_key},
    error::Error,
    instant::Instant,
    site::Site,
};

/// Under which names of things become ids. Another one would make every aggregator show everything again.
const NAMESPACE: Uuid = uuid!("5c0f6b0e-3d0b-4c0a-9a51-6f2d9e1b7c44");

/// The id of a thing for aggregators: `urn:uuid:…`.
pub fn urn(entity: Entity, id: i64) -> String {
    name(&surrogate_key(entity, id))
}

/// As [`urn`], for a thing that is known by a name.
pub fn name(name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).urn().to_string()
}

/// A feed of articles.
#[derive(Debug, Clone)]
pub struct Feed<'a> {
    /// Its id, which does not change.
    pub id: String,
    /// The site.
    pub site: &'a Site,
    /// What it is a feed of.
    pub title: String,
    /// A sentence about that.
    pub description: String,
    /// The page that it is a feed of.
    pub page: String,
    /// Where it is itself.
    pub self_url: String,
    /// When something in it was last changed.
    pub updated: Instant,
    /// The articles, read with bodies, links and corrections, the newest first.
    pub articles: &'a [Article],
}

/// An article as a feed shows it.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The article.
    pub article: &'a Article,
    /// Its id, which does not change.
    pub id: String,
    /// Its text and what was put right in it, as HTML with absolute addresses. Of what not everybody may read the standfirst
    /// only, or nothing if there is none: whoever has the feed has what is in it.
    pub html: String,
    /// Who wrote it: a name, and the address of the author's page.
    pub authors: Vec<(&'a str, Option<String>)>,
    /// What it is about: its section and its tags, each with the address of its page.
    pub categories: Vec<(&'a str, String)>,
    /// When it was published.
    pub published: Instant,
    /// When it was last changed.
    pub updated: Instant,
}

impl Feed<'_> {
    /// Its items.
    ///
    /// # Errors
    /// When a stored body cannot be read.
    pub fn items(&self) -> Result<Vec<Item<'_>>, Error> {
        self.articles.iter().map(|article| self.item(article)).collect()
    }

    fn item<'a>(&'a self, article: &'a Article) -> Result<Item<'a>, Error> {
        let url = &self.site.url;
        let html = if article.access == Access::Free {
            let mut html = html::body(&body_of(article)?, Context::absolute(article, url));
            html.push_str(&html::corrections(article.corrections.as_deref().unwrap_or_default()));
            html
        } else {
            let standfirst = article.standfirst.as_deref();
            standfirst.map(|text| format!("<p>{}</p>", escaped(text))).unwrap_or_default()
        };
        let author = |author: &crate::domain::author::AuthorCard| format!("{url}/authors/{}", author.slug);
        let authors = article
            .bylines
            .iter()
            .map(|byline| (byline.name.as_str(), byline.author.as_deref().map(author)))
            .collect();
        let section =
            article.section.iter().map(|section| (section.name.as_str(), format!("{url}{}", section.path)));
        let tags = article.tags.iter().map(|tag| (tag.name.as_str(), format!("{url}/tags/{}", tag.slug)));
        Ok(Item {
            article,
            id: urn(Entity::Article, article.id.get()),
            html,
            authors,
            categories: section.chain(tags).collect(),
            published: article.published_at.unwrap_or(article.updated_at),
            updated: updated(article),
        })
    }
}

/// When what a feed shows of an article was last changed: its document, or its corrections, which appear without an edit
/// of that.
pub fn updated(article: &Article) -> Instant {
    let corrections = article.corrections.iter().flatten();
    let corrections = corrections.map(|correction| correction.updated_at.max(correction.published_at));
    [article.published_at, corrections.max()].into_iter().flatten().fold(article.updated_at, Instant::max)
}

/// The media type of a picture, by the end of its address; `None` if that does not tell.
pub fn media_type(image: &Image) -> Option<&'static str> {
    let path = image.media.url.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        "avif" => Some("image/avif"),
        _ => None,
    }
}
