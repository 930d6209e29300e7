//! What is to be looked at before an article is published.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    article::Document,
    body::BlockContent,
    error::Fault,
    id::ArticleId,
    instant::Instant,
    link::{CardState, LinkTarget, RelatedLink},
};

/// The longest title that search engines show whole, in characters.
pub const MAX_SHOWN_TITLE: usize = 60;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The article cannot be published.
    Blocker,
    /// It can, but somebody should look.
    Warning,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "severity": "warning", "code": "no_alt_text", "pointer": "/body/0/blocks/2/alt",
    "message": "the picture has no text for those who cannot see it", "params": {}
}))]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable, machine-readable: `no_headline`, `no_section`, `no_body`, `unknown_article` block, and in a release
    /// `invalid_transition`, `already_scheduled`, `in_release`; `no_alt_text`, `heading_level_jumps`, `link_not_public`,
    /// `embargo_conflict`, `seo_title_too_long`, `slug_changed` warn.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// The place in the article, a JSON pointer (RFC 6901).
    pub pointer: String,
    /// For people.
    pub message: String,
    /// The limits and values that the message speaks of.
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
}

impl Finding {
    /// A finding that speaks of no values.
    pub fn new(
        severity: Severity,
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { severity, code, pointer: pointer.into(), message: message.into(), params: Map::new() }
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        let severity = serde_json::to_value(finding.severity).unwrap_or_default();
        let fault = Self::body(finding.pointer, finding.code, finding.message);
        finding
            .params
            .into_iter()
            .fold(fault.with("severity", severity), |fault, (name, value)| fault.with(&name, value))
    }
}

/// Findings that do not block.
pub fn only_warnings(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity == Severity::Warning)
}

/// What a check must know beside the draft.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The slug under which readers know the article.
    pub public_slug: Option<&'a str>,
    /// When it is to become public.
    pub at: Instant,
    /// Articles that become public with it.
    pub coming: &'a HashSet<ArticleId>,
    /// Articles that cease to be public with it.
    pub going: &'a HashSet<ArticleId>,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.0.push(Finding::new(severity, code, pointer, message));
    }

    fn with(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(last) = self.0.last_mut() {
            last.params.insert(name.to_owned(), value.into());
        }
    }
}

/// Checks a draft; `links` are those of the document, with what they lead to. Blockers come first.
pub fn check(links: &[RelatedLink], document: &Document, circumstances: &Circumstances<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    check_parts(&mut findings, document);
    check_links(&mut findings, links, circumstances);
    if let Some(known) = circumstances.public_slug
        && known != document.slug.as_str()
    {
        let message =
            format!("readers know the article as {known:?}; its address changes and the old one redirects");
        findings.add(Severity::Warning, "slug_changed", "/slug", message);
        findings.with("public_slug", known);
    }
    findings.0.sort_by_key(|finding| finding.severity);
    findings.0
}

fn check_parts(findings: &mut Findings, document: &Document) {
    if document.headline.trim().is_empty() {
        findings.add(Severity::Blocker, "no_headline", "/headline", "the article has no headline");
    }
    if document.section.is_none() {
        let message = "the article has no section, so it would have no place on the site";
        findings.add(Severity::Blocker, "no_section", "/section", message);
    }
    if document.body.iter().all(|section| section.blocks.is_empty()) {
        findings.add(Severity::Blocker, "no_body", "/body", "the article has no text");
    }
    let title = document.seo.title.as_deref().unwrap_or_default();
    if title.chars().count() > MAX_SHOWN_TITLE {
        let message = format!("search engines cut titles after about {MAX_SHOWN_TITLE} characters");
        findings.add(Severity::Warning, "seo_title_too_long", "/seo/title", message);
        findings.with("max", MAX_SHOWN_TITLE);
    }
    let lacks_alt = |alt: &Option<String>| alt.as_deref().is_none_or(|alt| alt.trim().is_empty());
    let no_alt = "the picture has no text for those who cannot see it";
    if document.lead_image.as_ref().is_some_and(|image| lacks_alt(&image.alt)) {
        findings.add(Severity::Warning, "no_alt_text", "/lead_image/alt", no_alt);
    }
    let mut level = 1;
    for (index, section) in document.body.iter().enumerate() {
        if section.heading.is_some() {
            if section.level > level + 1 {
                let message = format!("the heading goes from level {level} to level {}", section.level);
                findings.add(
                    Severity::Warning,
                    "heading_level_jumps",
                    format!("/body/{index}/level"),
                    message,
                );
            }
            level = section.level;
        }
        for (number, block) in section.blocks.iter().enumerate() {
            if let BlockContent::Image { alt, .. } = &block.content
                && lacks_alt(alt)
            {
                let pointer = format!("/body/{index}/blocks/{number}/alt");
                findings.add(Severity::Warning, "no_alt_text", pointer, no_alt);
            }
        }
    }
}

fn check_links(findings: &mut Findings, links: &[RelatedLink], circumstances: &Circumstances<'_>) {
    for (index, related) in links.iter().enumerate() {
        let pointer = format!("/related/{index}/target");
        match &related.link.target {
            LinkTarget::External { .. } => {}
            LinkTarget::Deleted { title } => {
                let message = format!("the article {title:?}, to which the link led, was deleted");
                findings.add(Severity::Blocker, "unknown_article", pointer, message);
            }
            LinkTarget::Article(id) if circumstances.coming.contains(id) => {}
            LinkTarget::Article(id) => {
                let headline = &related.card.headline;
                match (related.card.state, related.card.scheduled_for) {
                    (CardState::Live, _) if !circumstances.going.contains(id) => continue,
                    (CardState::Scheduled, Some(at)) if at <= circumstances.at => continue,
                    (CardState::Scheduled, Some(at)) => {
                        let message = format!(
                            "{headline:?} becomes public only at {at}: until then the link is left out"
                        );
                        findings.add(Severity::Warning, "embargo_conflict", pointer, message);
                        findings.with("scheduled_for", at.to_string());
                    }
                    _ => {
                        let message =
                            format!("readers cannot see {headline:?}: the link is left out until they can");
                        findings.add(Severity::Warning, "link_not_public", pointer, message);
                    }
                }
                findings.with("article_id", id.to_string());
            }
        }
    }
}
