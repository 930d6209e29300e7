//! What of a document is searched.

use super::words::words;
use crate::domain::{
    article::Document,
    body::{BlockContent, BodySection},
    inline_html,
};

/// Most words of a document that are searched; PostgreSQL counts positions no further than 16,383.
pub const MAX_WORDS: usize = 16_000;
/// Most bytes of them; PostgreSQL takes a megabyte.
const MAX_BYTES: usize = 400_000;

/// The words of a document, folded, with spaces between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexText {
    /// Of the headline.
    pub headline: String,
    /// Of the kicker and the standfirst.
    pub lead: String,
    /// Of the body.
    pub body: String,
}

impl IndexText {
    /// The words of these texts. What goes beyond the first 16,000 is not searched.
    pub fn new<L>(
        headline: &str,
        kicker: Option<&str>,
        standfirst: Option<&str>,
        body: &[BodySection<L>],
    ) -> Self {
        let lead = [kicker, standfirst].into_iter().flatten().collect::<Vec<_>>().join("\n");
        let (mut words_left, mut bytes_left) = (MAX_WORDS, MAX_BYTES);
        let mut folded = |text: &str| {
            let mut all = String::new();
            for word in words(text) {
                let bytes = word.folded.len() + 1;
                if words_left == 0 || bytes_left < bytes {
                    break;
                }
                (words_left, bytes_left) = (words_left - 1, bytes_left - bytes);
                if !all.is_empty() {
                    all.push(' ');
                }
                all.push_str(&word.folded);
            }
            all
        };
        let (headline, lead) = (folded(headline), folded(&lead));
        Self { headline, lead, body: folded(&body_text(body)) }
    }
}

impl From<&Document> for IndexText {
    fn from(document: &Document) -> Self {
        let (kicker, standfirst) = (document.kicker.as_deref(), document.standfirst.as_deref());
        Self::new(&document.headline, kicker, standfirst, &document.body)
    }
}

/// The text of a body without markup, a line for each part that is read by itself. Code, links and addresses are no text.
pub fn body_text<L>(body: &[BodySection<L>]) -> String {
    let mut text = String::new();
    let mut add = |line: &str| {
        let line = line.trim();
        if !line.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
    };
    for section in body {
        section.heading.iter().for_each(|heading| add(heading));
        for block in &section.blocks {
            match &block.content {
                BlockContent::Paragraph { html } | BlockContent::KeyPoint { html } => {
                    add(&inline_html::text(html))
                }
                BlockContent::Quote { html, cite } | BlockContent::PullQuote { html, cite } => {
                    add(&inline_html::text(html));
                    cite.iter().for_each(|cite| add(cite));
                }
                BlockContent::Image { alt, caption, credit, .. } => {
                    [caption, alt, credit].into_iter().flatten().for_each(|line| add(line));
                }
                BlockContent::List { items, .. } => {
                    items.iter().for_each(|item| add(&inline_html::text(item)))
                }
                BlockContent::Table { caption, header, rows } => {
                    caption.iter().for_each(|caption| add(caption));
                    header.iter().chain(rows.iter().flatten()).for_each(|cell| add(&inline_html::text(cell)));
                }
                BlockContent::Embed { title, .. } => title.iter().for_each(|title| add(title)),
                BlockContent::Code { .. } | BlockContent::Divider {} | BlockContent::ReadMore { .. } => {}
            }
        }
    }
    text
}
