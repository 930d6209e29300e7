//! Sitemaps (<https://www.sitemaps.org/protocol.html>, version 0.9) and the sitemap of news
//! (<https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap>).

use super::xml::Document;
use crate::domain::{error::Error, instant::Instant};

/// Their media type.
pub const MEDIA_TYPE: &str = "application/xml; charset=utf-8";

/// Addresses in the sitemap of news at most.
pub const MAX_NEWS: usize = 1_000;

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
const NEWS: &str = "http://www.google.com/schemas/sitemap-news/0.9";

/// The index: the addresses of files, and when something in them was last changed, where that is known.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn index(files: &[(String, Option<Instant>)]) -> Result<String, Error> {
    let mut document = Document::begin("sitemapindex", &[("xmlns", NAMESPACE)])?;
    for (file, changed) in files {
        document.open("sitemap")?;
        document.text("loc", file)?;
        if let Some(changed) = changed {
            document.text("lastmod", &changed.to_string())?;
        }
        document.close("sitemap")?;
    }
    document.end("sitemapindex")
}

/// A file of addresses that is being written.
#[derive(Debug)]
pub struct UrlSet(Document);

impl UrlSet {
    /// An empty one.
    ///
    /// # Errors
    /// None in practice.
    pub fn begin() -> Result<Self, Error> {
        Document::begin("urlset", &[("xmlns", NAMESPACE)]).map(Self)
    }

    /// Adds an address and when what is there was last changed.
    ///
    /// # Errors
    /// None in practice.
    pub fn url(&mut self, location: &str, changed: Option<Instant>) -> Result<(), Error> {
        self.0.open("url")?;
        self.0.text("loc", location)?;
        if let Some(changed) = changed {
            self.0.text("lastmod", &changed.to_string())?;
        }
        self.0.close("url")
    }

    /// The file.
    ///
    /// # Errors
    /// None in practice.
    pub fn end(self) -> Result<String, Error> {
        self.0.end("urlset")
    }
}

/// An article of the last days.
#[derive(Debug, Clone)]
pub struct News<'a> {
    /// Its address.
    pub url: &'a str,
    /// Its headline.
    pub title: &'a str,
    /// Its language, BCP 47.
    pub language: &'a str,
    /// When it was published.
    pub published_at: Instant,
}

/// The sitemap of news, of a publication with this name.
///
/// # Errors
/// None in practice.
pub fn news(publication: &str, articles: &[News<'_>]) -> Result<String, Error> {
    let mut document = Document::begin("urlset", &[("xmlns", NAMESPACE), ("xmlns:news", NEWS)])?;
    for article in articles {
        document.open("url")?;
        document.text("loc", article.url)?;
        document.open("news:news")?;
        document.open("news:publication")?;
        document.text("news:name", publication)?;
        document.text("news:language", &news_language(article.language))?;
        document.close("news:publication")?;
        document.text("news:publication_date", &article.published_at.to_string())?;
        document.text("news:title", article.title)?;
        document.close("news:news")?;
        document.close("url")?;
    }
    document.end("urlset")
}

/// The language as Google News wants it: ISO 639, two or three letters, but `zh-cn` and `zh-tw` for Chinese.
fn news_language(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase();
    let mut parts = tag.split('-');
    match parts.next().unwrap_or_default() {
        "zh" if parts.any(|part| ["hant", "tw", "hk", "mo"].contains(&part)) => "zh-tw".to_owned(),
        "zh" => "zh-cn".to_owned(),
        language => language.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_told_by_its_script() {
        let languages = ["en", "pt-BR", "zh", "zh-Hans-CN", "zh-Hant", "zh-HK", "gsw"];
        assert_eq!(languages.map(news_language), ["en", "pt", "zh-cn", "zh-cn", "zh-tw", "zh-tw", "gsw"]);
    }
}
