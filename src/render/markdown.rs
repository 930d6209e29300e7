//! A body as Markdown: CommonMark 0.31, and for tables the extension of GitHub Flavored Markdown, section 4.10.
//!
//! Text is escaped so that nothing in it becomes markup. What Markdown has no sign for (`sub`, `mark`, a language …), and
//! emphasis next to characters between which its sign would not be read as one, is written as HTML, which is Markdown too.

use super::{
    Context,
    inline::{self, Element, Node, push_collapsed},
    xml::{push_escaped, safe},
};
use crate::domain::{
    body::{BlockContent, Body},
    id::LinkId,
};

/// The body.
pub fn body(body: &Body, context: Context<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    // Two lists in a row would be one if they had the same sign.
    let mut last_list: Option<(bool, bool)> = None;
    for section in body {
        if let Some(heading) = &section.heading {
            let signs = "#".repeat(usize::from(section.level.clamp(2, 4)));
            parts.push(format!("{signs} {}", line(heading)));
            last_list = None;
        }
        for block in &section.blocks {
            let list = match &block.content {
                BlockContent::List { ordered, .. } => {
                    Some((*ordered, last_list.is_some_and(|(last, other)| last == *ordered && !other)))
                }
                _ => None,
            };
            if let Some(part) = self::block(&block.content, context, list.is_some_and(|(_, other)| other)) {
                parts.push(part);
                last_list = list;
            }
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

fn block(content: &BlockContent<LinkId>, context: Context<'_>, other_sign: bool) -> Option<String> {
    let paragraphs = |parts: Vec<String>| parts.join("\n\n");
    Some(match content {
        BlockContent::Paragraph { html } | BlockContent::KeyPoint { html } => inline(html, context),
        BlockContent::Image { media, alt, caption, credit } => {
            let image = format!("![{}]({})", line(alt.as_deref().unwrap_or_default()), address(&media.url));
            let texts = [caption, credit].into_iter().flatten().map(|text| line(text));
            paragraphs(std::iter::once(image).chain(texts).collect())
        }
        BlockContent::Quote { html, cite } | BlockContent::PullQuote { html, cite } => {
            let cite = cite.as_deref().map(|cite| format!("— {}", line(cite)));
            let text = paragraphs(std::iter::once(inline(html, context)).chain(cite).collect());
            prefixed(&text, "> ", "> ")
        }
        BlockContent::List { ordered, items } => {
            let item = |(number, item): (usize, &String)| {
                let sign = match (ordered, other_sign) {
                    (true, false) => format!("{}. ", number + 1),
                    (true, true) => format!("{}) ", number + 1),
                    (false, false) => "- ".to_owned(),
                    (false, true) => "* ".to_owned(),
                };
                prefixed(&inline(item, context), &sign, &" ".repeat(sign.len()))
            };
            items.iter().enumerate().map(item).collect::<Vec<_>>().join("\n")
        }
        BlockContent::Table { caption, header, rows } => {
            let table = table(header, rows, context);
            paragraphs(caption.iter().map(|caption| line(caption)).chain([table]).collect())
        }
        BlockContent::Embed { url, provider, title } => {
            let words = title.as_ref().or(provider.as_ref()).unwrap_or(url);
            let link = format!("[{}]({})", line(words), address(url));
            let provider = provider.as_ref().filter(|_| title.is_some());
            paragraphs(std::iter::once(link).chain(provider.map(|provider| line(provider))).collect())
        }
        BlockContent::Code { language, code } => {
            let code = safe(code).replace("\r\n", "\n").replace('\r', "\n");
            let fence = "`".repeat(longest_run(&code).max(2) + 1);
            let is_word = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
            let language: String =
                language.as_deref().unwrap_or_default().chars().filter(|c| is_word(*c)).collect();
            format!("{fence}{language}\n{code}\n{fence}")
        }
        BlockContent::Divider {} => "***".to_owned(),
        BlockContent::ReadMore { link } => {
            let (label, card) = context.link(*link)?;
            let headline = line(&card.headline);
            match &card.url {
                Some(url) => format!("{}: [{headline}]({})", line(label), address(url)),
                None => format!("{}: {headline}", line(label)),
            }
        }
    })
}

/// A table as GitHub reads it: it always has a header.
fn table(header: &[String], rows: &[Vec<String>], context: Context<'_>) -> String {
    let width = header.len().max(rows.first().map_or(0, Vec::len));
    let row = |cells: &[String]| {
        let cell = |cell: &String| {
            let cell = inline(cell, context).replace("\\\n", "<br>").replace('\n', " ");
            // A bar ends the cell even in code, unless it is escaped.
            cell.replace("\\|", "|").replace('|', "\\|")
        };
        let mut cells: Vec<_> = cells.iter().map(cell).collect();
        cells.resize(width, String::new());
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("|{}", " --- |".repeat(width));
    [row(header), rule].into_iter().chain(rows.iter().map(|cells| row(cells))).collect::<Vec<_>>().join("\n")
}

/// Puts `first` before the first line and `rest` before the others.
fn prefixed(text: &str, first: &str, rest: &str) -> String {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(number, line)| format!("{}{line}", if number == 0 { first } else { rest }));
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Plain text as one line.
fn line(text: &str) -> String {
    let mut collapsed = String::new();
    push_collapsed(&mut collapsed, &safe(text));
    let mut out = String::new();
    push_text(&mut out, collapsed.trim());
    guard_starts(&out)
}

/// Inline HTML as the content of one paragraph.
fn inline(html: &str, context: Context<'_>) -> String {
    let mut out = String::new();
    nodes(&mut out, &inline::parse(html), context);
    guard_starts(out.trim_matches([' ', '\n', '\\']))
}

/// Escapes what would be markup wherever it stands.
fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        if "\\`*_[]<>#&~|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Escapes what would be markup at the beginning of a line only: signs of lists, and the underline of a heading.
fn guard_starts(text: &str) -> String {
    let guard = |line: &str| {
        let line = line.trim_start_matches(inline::is_space);
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        if line.starts_with(['+', '-', '=']) {
            format!("\\{line}")
        } else if digits > 0 && line[digits..].starts_with(['.', ')']) {
            format!("{}\\{}", &line[..digits], &line[digits..])
        } else {
            line.to_owned()
        }
    };
    text.split('\n').map(guard).collect::<Vec<_>>().join("\n")
}

fn nodes(out: &mut String, nodes: &[Node], context: Context<'_>) {
    for node in nodes {
        match node {
            Node::Text(text) => {
                let mut collapsed = String::new();
                // A space at the seam is one too many.
                let seam = if out.is_empty() || out.ends_with([' ', '\n']) { "" } else { "x" };
                collapsed.push_str(seam);
                push_collapsed(&mut collapsed, text);
                push_text(out, &collapsed[seam.len()..]);
            }
            Node::Break => {
                out.truncate(out.trim_end_matches(' ').len());
                // A line with nothing on it would end the paragraph.
                if !out.is_empty() && !out.ends_with('\n') {
                    out.push_str("\\\n");
                }
            }
            Node::Element(element, attribute, inner) => {
                self::element(out, *element, attribute.as_deref(), inner, context);
            }
        }
    }
}

fn element(out: &mut String, element: Element, value: Option<&str>, inner: &[Node], context: Context<'_>) {
    if element == Element::Code {
        return code(out, inner);
    }
    // A space at the beginning counts if what is before does not end with one.
    let seam = if out.is_empty() || out.ends_with([' ', '\n']) { "" } else { "x" };
    let mut content = seam.to_owned();
    nodes(&mut content, inner, context);
    let whole = &content[seam.len()..];
    let content = whole.trim_matches(' ');
    let sign = match element {
        Element::Em => Some("*"),
        Element::Strong => Some("**"),
        _ => None,
    };
    // A sign is read as one whatever stands around it if letters or digits are on its inner side (CommonMark 0.31,
    // section 6.2).
    let is_plain = content.starts_with(char::is_alphanumeric) && content.ends_with(char::is_alphanumeric);
    // Signs stand on the inner side of spaces.
    if whole.starts_with(' ') && !content.is_empty() {
        out.push(' ');
    }
    match (sign, element, value) {
        (Some(sign), ..) if is_plain && !content.contains('*') && !out.ends_with('*') => {
            out.push_str(&format!("{sign}{content}{sign}"));
        }
        (None, Element::A, Some(href)) => {
            out.push_str(&format!("[{content}]({})", address(&context.href(href))));
        }
        (None, Element::A, None) => out.push_str(content),
        _ => {
            out.push('<');
            out.push_str(element.name());
            if let (Some(name), Some(value)) = (element.attribute(), value) {
                out.push_str(&format!(" {name}=\""));
                push_escaped(out, value);
                out.push('"');
            }
            out.push_str(&format!(">{content}</{}>", element.name()));
        }
    }
    if whole.ends_with(' ') {
        out.push(' ');
    }
}

/// Code between runs of backticks that are longer than those in it (CommonMark 0.31, section 6.1).
fn code(out: &mut String, inner: &[Node]) {
    fn walk(nodes: &[Node], into: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => push_collapsed(into, text),
                Node::Break => into.push(' '),
                Node::Element(_, _, inner) => walk(inner, into),
            }
        }
    }
    let mut text = String::new();
    walk(inner, &mut text);
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // Two runs next to each other would be one.
    if out.ends_with('`') {
        out.push_str("<!-- -->");
    }
    out.push_str(&format!("{fence}{pad}{text}{pad}{fence}"));
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// An address as the destination of a link, where entities and escapes are read.
fn address(url: &str) -> String {
    let mut out = String::new();
    for c in safe(url).chars() {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '&' => out.push_str("&amp;"),
            '(' | ')' | '\\' | '*' | '_' | '|' | '`' | '[' | ']' | '~' => out.extend(['\\', c]),
            c if c.is_whitespace() => out.push_str("%20"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(line("1. *a* [b](c) <d> &amp; e_f"), r"1\. \*a\* \[b\](c) \<d\> \&amp; e\_f");
        assert_eq!(line("- a"), r"\- a");
        assert_eq!(line("## a"), r"\#\# a");
        assert_eq!(line("2024 was"), "2024 was");
        assert_eq!(inline("a<br>- b<br><br>3) c<br>", Context::default()), "a\\\n\\- b\\\n3\\) c");
    }

    #[test]
    fn signs_stand_where_they_are_read_as_such() {
        let inline = |html| super::inline(html, Context::default());
        assert_eq!(inline("a <em>b</em>c <strong>d e</strong> <em> f</em>"), "a *b*c **d e** *f*");
        assert_eq!(inline("a<em> b </em>c<a href=\"/\"> d</a>"), "a *b* c [d](/)");
        assert_eq!(inline("<em>a</em><em>b</em>"), "*a*<em>b</em>");
        assert_eq!(inline("H<sub>2</sub>O <code>a`b</code>"), "H<sub>2</sub>O ``a`b``");
        assert_eq!(inline(r#"<a href="/a(b)?c&amp;d">e</a>"#), r"[e](/a\(b\)?c&amp;d)");
    }
}
