//! A body as plain text: paragraphs with a blank line between them, nothing but words and line breaks.
//!
//! The words are those of the HTML in its order, and the numbers of numbered lists.

use super::{Context, inline, xml::safe};
use crate::domain::{
    body::{BlockContent, Body},
    id::LinkId,
};

/// The body.
pub fn body(body: &Body, context: Context<'_>) -> String {
    let mut parts = Vec::new();
    for section in body {
        parts.extend(section.heading.as_deref().map(|heading| safe(heading).into_owned()));
        parts.extend(section.blocks.iter().filter_map(|block| self::block(&block.content, context)));
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

fn block(content: &BlockContent<LinkId>, context: Context<'_>) -> Option<String> {
    let lines = |lines: Vec<String>| lines.join("\n");
    let plain = |text: &Option<String>| text.as_deref().map(|text| safe(text).into_owned());
    Some(match content {
        BlockContent::Paragraph { html } | BlockContent::KeyPoint { html } => inline::text(html),
        BlockContent::Quote { html, cite } | BlockContent::PullQuote { html, cite } => {
            lines([Some(inline::text(html)), plain(cite)].into_iter().flatten().collect())
        }
        BlockContent::Image { caption, credit, .. } => {
            lines([plain(caption), plain(credit)].into_iter().flatten().collect())
        }
        BlockContent::List { ordered, items } => {
            let item = |(number, item): (usize, &String)| {
                let text = inline::text(item);
                if *ordered { format!("{}. {text}", number + 1) } else { format!("• {text}") }
            };
            lines(items.iter().enumerate().map(item).collect())
        }
        BlockContent::Table { caption, header, rows } => {
            let row = |cells: &Vec<String>| {
                let cells: Vec<_> = cells.iter().map(|cell| inline::text(cell).replace('\n', " ")).collect();
                cells.join("\t")
            };
            let head = (!header.is_empty()).then(|| row(header));
            lines(plain(caption).into_iter().chain(head).chain(rows.iter().map(row)).collect())
        }
        BlockContent::Embed { url, provider, title } => {
            let texts = [plain(title), plain(provider)].into_iter().flatten().collect::<Vec<_>>();
            if texts.is_empty() { safe(url).into_owned() } else { lines(texts) }
        }
        BlockContent::Code { code, .. } => safe(code).into_owned(),
        BlockContent::Divider {} => "* * *".to_owned(),
        BlockContent::ReadMore { link } => {
            let (label, card) = context.link(*link)?;
            format!("{}: {}", safe(label), safe(&card.headline))
        }
    })
}
