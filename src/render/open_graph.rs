//! What stands in the head of an article's page: title, description and robots for search engines, Open Graph
//! (<https://ogp.me/>) and the cards of X (formerly Twitter) for social networks.

use super::{feed::updated, json_ld::canonical, xml::safe};
use crate::domain::{
    article::{Access, Article},
    site::Site,
};

/// One `<meta>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The attribute that holds the key: `property` for Open Graph, `name` for all else.
    pub attribute: Attribute,
    /// The key.
    pub key: &'static str,
    /// The value.
    pub content: String,
}

/// The attribute of a `<meta>` element that holds its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// HTML's own.
    Name,
    /// That of RDFa, which Open Graph uses.
    Property,
}

/// The head of an article's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The `<title>`.
    pub title: String,
    /// The description.
    pub description: Option<String>,
    /// The address that counts as the original.
    pub canonical: String,
    /// What robots may do.
    pub robots: &'static str,
    /// All `<meta>` elements, the description and robots among them, in the order in which they are to stand.
    pub meta: Vec<Meta>,
}

/// The head of an article's page.
pub fn head(article: &Article, site: &Site) -> Head {
    let safe = |text: &str| safe(text).into_owned();
    let description = article.seo.description.as_deref().or(article.standfirst.as_deref()).map(safe);
    let headline = safe(&article.headline);
    let title =
        article.seo.title.as_deref().map_or_else(|| format!("{headline} – {}", safe(&site.name)), safe);
    let social = article.seo.title.as_deref().map_or(headline, safe);
    // Pictures and extracts of any size are what newsrooms want to be shown with.
    let robots = if article.seo.noindex {
        "noindex"
    } else {
        "index, follow, max-image-preview:large, max-snippet:-1"
    };
    let mut meta = Vec::new();
    let mut add = |attribute, key, content: Option<String>| {
        meta.extend(content.filter(|content| !content.is_empty()).map(|content| Meta {
            attribute,
            key,
            content,
        }));
    };
    use Attribute::{Name, Property};
    add(Name, "description", description.clone());
    add(Name, "robots", Some(robots.to_owned()));
    for byline in &article.bylines {
        add(Name, "author", Some(safe(&byline.name)));
    }

    add(Property, "og:type", Some("article".to_owned()));
    add(Property, "og:site_name", Some(safe(&site.name)));
    add(Property, "og:title", Some(social.clone()));
    add(Property, "og:description", description.clone());
    add(Property, "og:url", Some(canonical(article).to_owned()));
    add(Property, "og:locale", locale(&article.language));
    let lead = article.lead_image.as_ref();
    // A picture of its own has no size that is known.
    let own = article.seo.og_image.as_ref();
    let picture = own.or(lead.map(|image| &image.media.url));
    add(Property, "og:image", picture.cloned());
    let lead = lead.filter(|_| own.is_none());
    let pixels = |pixels: Option<u32>| pixels.map(|pixels| pixels.to_string());
    add(Property, "og:image:width", lead.and_then(|image| pixels(image.media.width)));
    add(Property, "og:image:height", lead.and_then(|image| pixels(image.media.height)));
    let alt = lead.and_then(|image| image.alt.as_deref().or(image.caption.as_deref())).map(safe);
    add(Property, "og:image:alt", alt.clone());

    add(Property, "article:published_time", article.published_at.map(|at| at.to_string()));
    add(Property, "article:modified_time", Some(updated(article).to_string()));
    for author in article.bylines.iter().filter_map(|byline| byline.author.as_ref()) {
        add(Property, "article:author", Some(format!("{}/authors/{}", site.url, author.slug)));
    }
    add(Property, "article:content_tier", Some(tier(article.access).to_owned()));
    add(Property, "article:section", article.section.as_ref().map(|section| safe(&section.name)));
    for tag in &article.tags {
        add(Property, "article:tag", Some(safe(&tag.name)));
    }

    let card = if picture.is_some() { "summary_large_image" } else { "summary" };
    add(Name, "twitter:card", Some(card.to_owned()));
    add(Name, "twitter:title", Some(social));
    add(Name, "twitter:description", description.clone());
    add(Name, "twitter:image", picture.cloned());
    add(Name, "twitter:image:alt", alt);
    Head { title, description, canonical: canonical(article).to_owned(), robots, meta }
}

/// What Facebook calls it.
const fn tier(access: Access) -> &'static str {
    match access {
        Access::Free => "free",
        Access::Metered => "metered",
        Access::Subscription => "locked",
    }
}

/// A language as Open Graph has it: `pt_BR` for `pt-BR`. `None` without a country: Open Graph has no languages alone, and a
/// country that is made up would be wrong. What stands behind a single letter is an extension (RFC 5646, section 2.2.6).
fn locale(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let language = parts.next()?.to_ascii_lowercase();
    let is_country = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let country = parts.take_while(|part| part.len() > 1).find(is_country)?;
    Some(format!("{language}_{}", country.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_a_language_and_a_country() {
        for (tag, expected) in [("pt-BR", "pt_BR"), ("zh-Hant-TW", "zh_TW"), ("de-ch-1996", "de_CH")] {
            assert_eq!(locale(tag).as_deref(), Some(expected));
        }
        for tag in ["en", "de-1996", "es-419", "en-x-us", "en-u-ca-gregory"] {
            assert_eq!(locale(tag), None);
        }
    }
}
