//! A body as HTML (WHATWG): semantic elements, no styles, no scripts. Classes tell what has no element of its own.

use super::{
    Context,
    inline::{self, Element, Node},
    xml::push_escaped,
};
use crate::domain::{
    body::{BlockContent, Body, ImageFile},
    correction::Correction,
    id::LinkId,
    text::is_web_url,
};

/// The body: a `section` for each of its sections, whose `id` is its anchor.
pub fn body(body: &Body, context: Context<'_>) -> String {
    let mut html = Html { out: String::new(), context };
    for section in body {
        html.open("section", &[("id", Some(section.anchor.as_str()))]);
        if let Some(heading) = &section.heading {
            let name = ["h2", "h3", "h4"][usize::from(section.level.clamp(2, 4) - 2)];
            html.element(name, &[], heading);
        }
        for block in &section.blocks {
            html.block(&block.content);
        }
        html.close("section");
        html.out.push('\n');
    }
    html.out
}

/// What was put right, as it stands below the text.
pub fn corrections(corrections: &[Correction]) -> String {
    let mut html = Html { out: String::new(), context: Context::default() };
    for correction in corrections {
        html.open("aside", &[("class", Some(correction.kind.as_str()))]);
        for paragraph in correction.text.lines().filter(|line| !line.trim().is_empty()) {
            html.element("p", &[], paragraph);
        }
        html.close("aside");
        html.out.push('\n');
    }
    html.out
}

/// Attributes; those without a value are left out.
type Attributes<'a> = &'a [(&'static str, Option<&'a str>)];

struct Html<'a> {
    out: String,
    context: Context<'a>,
}

impl Html<'_> {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_escaped(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn element(&mut self, name: &str, attributes: Attributes<'_>, text: &str) {
        self.open(name, attributes);
        push_escaped(&mut self.out, text);
        self.close(name);
    }

    fn inline_element(&mut self, name: &str, attributes: Attributes<'_>, html: &str) {
        self.open(name, attributes);
        self.inline(html);
        self.close(name);
    }

    fn inline(&mut self, html: &str) {
        self.nodes(&inline::parse(html));
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => push_escaped(&mut self.out, text),
                Node::Break => self.out.push_str("<br>"),
                Node::Element(element, attribute, inner) => {
                    let value = attribute.as_deref().map(|value| match element {
                        Element::A => self.context.href(value),
                        _ => value.to_owned(),
                    });
                    let attribute = element.attribute().map(|name| (name, value.as_deref()));
                    self.open(element.name(), attribute.as_slice());
                    self.nodes(inner);
                    self.close(element.name());
                }
            }
        }
    }

    fn block(&mut self, content: &BlockContent<LinkId>) {
        self.out.push('\n');
        match content {
            BlockContent::Paragraph { html } => self.inline_element("p", &[], html),
            BlockContent::KeyPoint { html } => {
                self.inline_element("p", &[("class", Some("key-point"))], html);
            }
            BlockContent::Image { media, alt, caption, credit } => {
                self.image(media, alt.as_deref(), [caption, credit]);
            }
            BlockContent::Quote { html, cite } => self.quote(html, cite.as_deref()),
            BlockContent::PullQuote { html, cite } => {
                self.open("aside", &[("class", Some("pull-quote"))]);
                self.inline_element("p", &[], html);
                if let Some(cite) = cite {
                    self.element("p", &[("class", Some("cite"))], cite);
                }
                self.close("aside");
            }
            BlockContent::List { ordered, items } => {
                let name = if *ordered { "ol" } else { "ul" };
                self.open(name, &[]);
                for item in items {
                    self.inline_element("li", &[], item);
                }
                self.close(name);
            }
            BlockContent::Table { caption, header, rows } => self.table(caption.as_deref(), header, rows),
            BlockContent::Embed { url, provider, title } => {
                self.open("figure", &[("class", Some("embed"))]);
                let words = title.as_ref().or(provider.as_ref()).unwrap_or(url);
                self.element("a", &[("href", Some(url))], words);
                if let (Some(_), Some(provider)) = (title, provider) {
                    self.element("figcaption", &[], provider);
                }
                self.close("figure");
            }
            BlockContent::Code { language, code } => {
                let class = language.as_deref().map(code_class);
                self.open("pre", &[]);
                self.element("code", &[("class", class.as_deref())], code);
                self.close("pre");
            }
            BlockContent::Divider {} => self.out.push_str("<hr>"),
            BlockContent::ReadMore { link } => self.read_more(*link),
        }
    }

    fn image(&mut self, media: &ImageFile, alt: Option<&str>, texts: [&Option<String>; 2]) {
        let size = |pixels: Option<u32>| pixels.map(|pixels| pixels.to_string());
        let (width, height) = (size(media.width), size(media.height));
        self.open("figure", &[]);
        self.open(
            "img",
            &[
                ("src", Some(&media.url)),
                // An empty one tells that the picture says nothing that the text does not.
                ("alt", Some(alt.unwrap_or_default())),
                ("width", width.as_deref()),
                ("height", height.as_deref()),
            ],
        );
        let [caption, credit] = texts;
        if caption.is_some() || credit.is_some() {
            self.open("figcaption", &[]);
            push_escaped(&mut self.out, caption.as_deref().unwrap_or_default());
            if let Some(credit) = credit {
                self.out.push_str(if caption.is_some() { " " } else { "" });
                self.element("small", &[], credit);
            }
            self.close("figcaption");
        }
        self.close("figure");
    }

    /// Whose words they are stands outside of the `blockquote` (WHATWG HTML, section 4.4.4); its `cite` is an address.
    fn quote(&mut self, html: &str, cite: Option<&str>) {
        if cite.is_some() {
            self.open("figure", &[("class", Some("quote"))]);
        }
        self.open("blockquote", &[("cite", cite.filter(|cite| is_web_url(cite)))]);
        self.inline_element("p", &[], html);
        self.close("blockquote");
        if let Some(cite) = cite {
            self.element("figcaption", &[], cite);
            self.close("figure");
        }
    }

    fn table(&mut self, caption: Option<&str>, header: &[String], rows: &[Vec<String>]) {
        self.open("table", &[]);
        if let Some(caption) = caption {
            self.element("caption", &[], caption);
        }
        if !header.is_empty() {
            self.open("thead", &[]);
            self.row("th", header);
            self.close("thead");
        }
        self.open("tbody", &[]);
        for row in rows {
            self.row("td", row);
        }
        self.close("tbody");
        self.close("table");
    }

    fn row(&mut self, cell: &str, cells: &[String]) {
        self.open("tr", &[]);
        let scope = (cell == "th").then_some("col");
        for html in cells {
            self.inline_element(cell, &[("scope", scope)], html);
            // So that the words of neighbours stay apart where the markup is taken off.
            self.out.push('\n');
        }
        self.close("tr");
    }

    fn read_more(&mut self, link: LinkId) {
        let Some((label, card)) = self.context.link(link) else { return };
        self.open("aside", &[("class", Some("read-more"))]);
        push_escaped(&mut self.out, label);
        self.out.push_str(": ");
        match &card.url {
            Some(url) => self.element("a", &[("href", Some(url))], &card.headline),
            None => push_escaped(&mut self.out, &card.headline),
        }
        self.close("aside");
    }
}

/// The class by which highlighters know the language of code (WHATWG HTML, section 4.5.15).
fn code_class(language: &str) -> String {
    format!("language-{}", language.replace(char::is_whitespace, "-"))
}
