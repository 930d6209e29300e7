//! Domain → text: what frontends, aggregators and search engines read. No I/O, no HTTP, no SQL.
//!
//! | file | what comes out |
//! | --- | --- |
//! | [`html`], [`text`], [`markdown`] | the body of an article |
//! | [`rss`], [`atom`], [`json_feed`] | a [`feed::Feed`] |
//! | [`sitemap`] | sitemaps, their index, the sitemap of news |
//! | [`json_ld`], [`open_graph`] | an article for search engines and social networks |
//!
//! Inline HTML is stored in a sanitised subset and is read again ([`inline`]), so that nothing else can come out, whatever
//! was stored; every other text is escaped. Characters that XML cannot have are dropped everywhere ([`xml::safe`]).

pub mod atom;
pub mod feed;
pub mod html;
pub mod inline;
pub mod json_feed;
pub mod json_ld;
pub mod markdown;
pub mod open_graph;
pub mod rss;
pub mod sitemap;
pub mod text;
pub mod xml;

use crate::domain::{
    article::Article,
    body::Body,
    error::Error,
    id::LinkId,
    link::{LinkCard, RelatedLink},
};

/// What a body refers to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The links that stand in it. A `read_more` block whose link is not among them is left out.
    pub links: &'a [RelatedLink],
    /// What addresses without a host are relative to, if they are to be made absolute.
    pub base: Option<Base<'a>>,
}

/// What addresses without a host are relative to.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The address of the site, without a slash at the end.
    pub site: &'a str,
    /// The address of the article.
    pub page: &'a str,
}

impl<'a> Context<'a> {
    /// That of an article, with addresses as they were written.
    pub fn of(article: &'a Article) -> Self {
        Self { links: article.links.as_deref().unwrap_or_default(), base: None }
    }

    /// That of an article which is shown elsewhere than on its site.
    pub fn absolute(article: &'a Article, site: &'a str) -> Self {
        Self { base: Some(Base { site, page: &article.url }), ..Self::of(article) }
    }

    /// The label of a link and the card of its target.
    fn link(&self, id: LinkId) -> Option<(&'a str, &'a LinkCard)> {
        let found = self.links.iter().find(|related| related.link.id == id)?;
        Some((found.link.label.as_str(), &found.card))
    }

    /// An address, absolute if there is a base.
    fn href(&self, href: &str) -> String {
        match self.base {
            Some(base) if href.starts_with('/') => format!("{}{href}", base.site),
            Some(base) if href.starts_with('#') => format!("{}{href}", base.page),
            _ => href.to_owned(),
        }
    }
}

/// The body of an article that was read with it.
///
/// # Errors
/// When the stored body cannot be read.
pub fn body_of(article: &Article) -> Result<Body, Error> {
    let stored = article.body.as_deref().unwrap_or("[]");
    serde_json::from_str(stored).map_err(|error| Error::internal("reading a stored body", error))
}
