//! Inline HTML: the small subset that texts in a body may use.
//!
//! What is outside the subset is refused with its place, never dropped in silence. What is inside is stored in one
//! canonical, well-formed spelling.

use std::{cell::RefCell, collections::HashSet, sync::LazyLock};

use ammonia::Builder;
use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

use super::error::{Fault, Faults};

/// The longest inline text, in characters of markup.
pub const MAX_HTML: usize = 20_000;

const ELEMENTS: [&str; 10] = ["a", "em", "strong", "code", "sub", "sup", "s", "br", "mark", "span"];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("span", ["lang"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(None);
    builder
});

/// Reads inline HTML into its canonical spelling; everything that is refused is told at `pointer`.
pub fn parse(faults: &mut Faults, pointer: &str, html: &str) -> Option<String> {
    let length = html.chars().count();
    if length > MAX_HTML {
        let message = format!("must be at most {MAX_HTML} characters");
        faults.push(Fault::body(pointer, "too_long", message).with("max", MAX_HTML));
        return None;
    }
    let scan = scan(html);
    if scan.text.trim().is_empty() && scan.refused.is_empty() {
        faults.add(pointer, "blank", "must not be blank");
        return None;
    }
    if scan.refused.is_empty() {
        return Some(SANITISER.clean(html).to_string());
    }
    faults.extend(scan.refused.into_iter().map(|(what, message)| {
        Fault::body(pointer, "html_not_allowed", message)
            .with("found", what)
            .with("elements", ELEMENTS.to_vec())
    }));
    None
}

/// The text of inline HTML without its markup; a line break is a space.
pub fn text(html: &str) -> String {
    if html.contains(['<', '&']) { scan(html).text } else { html.to_owned() }
}

#[derive(Default)]
struct Scan {
    text: String,
    /// What was found and the sentence that refuses it.
    refused: Vec<(String, String)>,
    open: Vec<String>,
}

/// The tokenizer takes its sink by shared reference.
#[derive(Default)]
struct Sink(RefCell<Scan>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.0.borrow_mut().token(token);
        TokenSinkResult::Continue
    }
}

impl Scan {
    fn refuse(&mut self, found: &str, message: String) {
        self.refused.push((found.to_owned(), message));
    }

    fn token(&mut self, token: Token) {
        match token {
            Token::CharacterTokens(text) => self.text.push_str(&text),
            Token::NullCharacterToken => self.refuse("\\0", "the NUL character is not allowed".to_owned()),
            Token::CommentToken(_) => self.refuse("<!-- -->", "comments are not allowed".to_owned()),
            Token::DoctypeToken(_) => self.refuse("<!DOCTYPE>", "a document type is not allowed".to_owned()),
            Token::TagToken(tag) => self.tag(&tag),
            Token::EOFToken => {
                while let Some(name) = self.open.pop() {
                    self.refuse(&format!("<{name}>"), format!("<{name}> is never closed"));
                }
            }
            // The tokenizer's own complaints, such as a bare "&", are repaired by the canonical spelling.
            Token::ParseError(_) => {}
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.to_string();
        if !ELEMENTS.contains(&name.as_str()) {
            if tag.kind == TagKind::StartTag {
                self.refuse(&format!("<{name}>"), format!("<{name}> is not allowed in inline text"));
            }
            return;
        }
        if name == "br" {
            self.text.push(' ');
        } else if tag.kind == TagKind::EndTag {
            if self.open.last() == Some(&name) {
                self.open.pop();
            } else {
                self.refuse(&format!("</{name}>"), format!("</{name}> closes nothing that was opened last"));
            }
            return;
        } else if name == "a" && self.open.contains(&name) {
            self.refuse("<a>", "a link cannot stand inside a link".to_owned());
        } else {
            self.open.push(name.clone());
        }
        for attribute in &tag.attrs {
            let attribute_name = attribute.name.local.to_string();
            let found = format!("{name}[{attribute_name}]");
            match (name.as_str(), attribute_name.as_str()) {
                ("a", "href") if !is_allowed_href(&attribute.value) => {
                    self.refuse(
                        &found,
                        "href must be http, https, mailto, tel or a path of the site".to_owned(),
                    );
                }
                ("a", "href") | ("span", "lang") => {}
                _ => {
                    self.refuse(&found, format!("the attribute {attribute_name} is not allowed on <{name}>"))
                }
            }
        }
    }
}

fn is_allowed_href(href: &str) -> bool {
    let href = href.trim();
    let web = ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| href.starts_with(scheme));
    // "//host" would be another site under the scheme of the page.
    web || href.starts_with('#') || (href.starts_with('/') && !href.starts_with("//"))
}

fn scan(html: &str) -> Scan {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(html: &str) -> Vec<String> {
        let mut faults = Faults::default();
        parse(&mut faults, "/html", html);
        faults.into_vec().into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn the_subset_is_kept_as_it_is() {
        let html = r#"A <a href="https://example.com/?a=1&amp;b=2">link</a>, <em>em</em>, H<sub>2</sub>O, <span lang="fr">mot</span><br>x"#;
        assert_eq!(parse(&mut Faults::default(), "", html).as_deref(), Some(html));
        assert_eq!(text("fish &amp; <strong>chips</strong><br>now"), "fish & chips now");
    }

    #[test]
    fn what_is_outside_is_named() {
        assert_eq!(refused("<script>alert(1)</script>"), ["<script> is not allowed in inline text"]);
        assert_eq!(refused(r#"<em onclick="x()">a</em>"#), ["the attribute onclick is not allowed on <em>"]);
        assert_eq!(refused(r#"<a href="javascript:x">a</a>"#).len(), 1);
        assert_eq!(refused(r#"<a href="//evil.example">a</a>"#).len(), 1);
        assert_eq!(refused("<em>a"), ["<em> is never closed"]);
        assert_eq!(refused("<em>a</strong></em>"), ["</strong> closes nothing that was opened last"]);
        assert_eq!(refused("<div><p>two faults</p></div>").len(), 2);
        assert_eq!(refused(" <br> "), ["must not be blank"]);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_canonical_and_keeps_its_text(html in "[a-z<>&;/=\"' emsua]{0,60}") {
            let mut faults = Faults::default();
            if let Some(clean) = parse(&mut faults, "", &html) {
                prop_assert_eq!(text(&clean), text(&html));
                prop_assert_eq!(parse(&mut Faults::default(), "", &clean), Some(clean.clone()));
            } else {
                prop_assert!(!faults.is_empty());
            }
        }
    }
}
