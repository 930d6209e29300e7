//! An article as schema.org has it, in JSON-LD 1.1: `NewsArticle` and its kinds.
//!
//! Only what is known to be true is said. What is behind a paywall is told as search engines want it, so that they do not take
//! it for cloaking (<https://developers.google.com/search/docs/appearance/structured-data/paywalled-content>).

use serde_json::{Map, Value, json};

use super::xml::safe;
use crate::domain::{
    article::{Access, Article, ArticleType, Byline, Image},
    change::Entity,
    correction::{Correction, CorrectionKind},
    instant::Instant,
    site::Site,
};

/// Its media type.
pub const MEDIA_TYPE: &str = "application/ld+json";

/// The longest headline that search engines take, in characters.
const MAX_HEADLINE: usize = 110;

/// The article, which was read with its corrections.
pub fn article(article: &Article, site: &Site) -> Value {
    let published = article.published_at.unwrap_or(article.updated_at);
    let keywords: Vec<_> = article.tags.iter().map(|tag| safe(&tag.name)).collect();
    let sections: Vec<_> =
        article.section.iter().chain(&article.sections).map(|section| safe(&section.name)).collect();
    let authors: Vec<_> = article.bylines.iter().map(|byline| author(byline, site)).collect();
    let corrections: Vec<_> =
        article.corrections.iter().flatten().filter_map(|item| correction(item, article)).collect();
    let about: Vec<_> = article
        .tags
        .iter()
        .filter_map(|tag| {
            use crate::domain::tag::TagType;
            let kind = match tag.kind {
                TagType::Person => "Person",
                TagType::Place => "Place",
                TagType::Organisation => "Organization",
                TagType::Event => "Event",
                TagType::Topic => "Thing",
                TagType::Series | TagType::Tone => return None,
            };
            let page = format!("{}/tags/{}", site.url, tag.slug);
            Some(json!({"@type": kind, "name": safe(&tag.name), "url": page}))
        })
        .collect();
    let description = article.seo.description.as_ref().or(article.standfirst.as_ref());
    let some = |values: Vec<Value>| (!values.is_empty()).then(|| Value::from(values));
    let mut members = vec![
        ("@context", Some("https://schema.org".into())),
        ("@type", Some(kind(article.kind))),
        ("@id", Some(format!("{}#article", article.url).into())),
        ("identifier", Some(super::feed::urn(Entity::Article, article.id.get()).into())),
        ("headline", Some(shortened(&article.headline, MAX_HEADLINE).into())),
        ("alternativeHeadline", alternative(article).map(Value::from)),
        ("description", description.map(|text| safe(text).into())),
        ("url", Some(article.url.clone().into())),
        ("mainEntityOfPage", Some(json!({"@type": "WebPage", "@id": canonical(article)}))),
        ("datePublished", Some(published.to_string().into())),
        ("dateModified", Some(changed(article, published).to_string().into())),
        ("author", Some(if authors.is_empty() { publisher(site) } else { authors.into() })),
        ("publisher", Some(publisher(site))),
        ("articleSection", (!sections.is_empty()).then(|| json!(sections))),
        ("keywords", (!keywords.is_empty()).then(|| json!(keywords))),
        ("about", some(about)),
        ("isPartOf", Some(is_part_of(article, site))),
        ("image", article.lead_image.as_ref().map(image)),
        ("inLanguage", Some(article.language.clone().into())),
        ("wordCount", Some(article.word_count.into())),
        ("dateline", article.dateline.as_deref().map(|text| safe(text).into())),
        ("correction", some(corrections)),
        ("isAccessibleForFree", Some((article.access == Access::Free).into())),
        ("hasPart", paywalled(article, site)),
    ];
    if article.kind == ArticleType::Live {
        // What Google asks of a live blog; when it ends nobody knows.
        members.push(("coverageStartTime", Some(published.to_string().into())));
    }
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}

/// The kind of article. What schema.org has no sound word for is a `NewsArticle`: `ReportageNewsArticle` would promise that
/// the rules of the Trust Project were kept, which nobody has said.
fn kind(kind: ArticleType) -> Value {
    match kind {
        ArticleType::Analysis => "AnalysisNewsArticle".into(),
        ArticleType::Opinion => "OpinionNewsArticle".into(),
        ArticleType::Explainer => "BackgroundNewsArticle".into(),
        // By itself it is a posting in a blog, which has neither dateline nor newsroom.
        ArticleType::Live => json!(["LiveBlogPosting", "NewsArticle"]),
        ArticleType::News | ArticleType::Feature | ArticleType::Interview => "NewsArticle".into(),
    }
}

/// The part of the page that not everybody reads, metered or not: to search engines both are the same.
fn paywalled(article: &Article, site: &Site) -> Option<Value> {
    let selector = site.paywall_selector.as_ref().filter(|_| article.access != Access::Free)?;
    Some(json!({"@type": "WebPageElement", "isAccessibleForFree": false, "cssSelector": selector}))
}

/// When readers last saw it change: its document, or its corrections.
fn changed(article: &Article, published: Instant) -> Instant {
    super::feed::updated(article).max(published)
}

/// The address that counts as the original.
pub fn canonical(article: &Article) -> &str {
    article.seo.canonical_url.as_deref().unwrap_or(&article.url)
}

/// The whole headline if it had to be shortened, or else the kicker.
fn alternative(article: &Article) -> Option<String> {
    let is_long = article.headline.chars().count() > MAX_HEADLINE;
    let text = if is_long { Some(&article.headline) } else { article.kicker.as_ref() };
    text.map(|text| safe(text).into_owned())
}

/// A text of so many characters at most, cut at a word.
pub fn shortened(text: &str, max: usize) -> String {
    let text = safe(text);
    if text.chars().count() <= max {
        return text.into_owned();
    }
    let cut: String = text.chars().take(max - 1).collect();
    let word = cut.rsplit_once(char::is_whitespace).map_or(cut.as_str(), |(before, _)| before);
    format!("{}…", word.trim_end())
}

/// Bylines are names of people, with a profile or without. An agency may be among them, but only a guess would tell.
fn author(byline: &Byline, site: &Site) -> Value {
    let mut person = json!({"@type": "Person", "name": safe(&byline.name)});
    if let Some(author) = &byline.author {
        person["url"] = format!("{}/authors/{}", site.url, author.slug).into();
        if let Some(role) = &author.role {
            person["jobTitle"] = safe(role).into();
        }
    }
    person
}

fn publisher(site: &Site) -> Value {
    json!({"@type": "NewsMediaOrganization", "@id": format!("{}/#publisher", site.url), "name": safe(&site.name),
           "url": format!("{}/", site.url)})
}

fn is_part_of(article: &Article, site: &Site) -> Value {
    let website = json!({"@type": "WebSite", "@id": format!("{}/#website", site.url), "name": safe(&site.name),
                         "url": format!("{}/", site.url)});
    match &article.section {
        Some(section) => {
            let page = format!("{}{}", site.url, section.path);
            json!([{"@type": "CollectionPage", "@id": page, "name": safe(&section.name), "url": page}, website])
        }
        None => website,
    }
}

fn image(image: &Image) -> Value {
    let text = |text: &Option<String>| text.as_deref().map(|text| Value::from(safe(text)));
    let members = [
        ("@type", Some("ImageObject".into())),
        ("url", Some(image.media.url.clone().into())),
        ("width", image.media.width.map(Value::from)),
        ("height", image.media.height.map(Value::from)),
        ("caption", text(&image.caption).or_else(|| text(&image.alt))),
        ("creditText", text(&image.credit)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}

/// A `CorrectionComment` (schema.org, pending); an update corrects nothing.
fn correction(correction: &Correction, article: &Article) -> Option<Value> {
    if correction.kind == CorrectionKind::Update {
        return None;
    }
    Some(json!({
        "@type": "CorrectionComment",
        "@id": format!("{}#correction-{}", article.url, correction.id),
        "text": safe(&correction.text),
        "datePublished": correction.published_at.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_are_cut_at_a_word() {
        assert_eq!(shortened("short", 110), "short");
        assert_eq!(shortened("one two three", 9), "one two…");
        assert_eq!(shortened(&"ä".repeat(200), 110).chars().count(), 110);
    }
}
