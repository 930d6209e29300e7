//! Inline HTML as a tree.

use std::cell::RefCell;

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

use super::xml;

/// An element of inline HTML that holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A link; its address is an attribute.
    A,
    /// Stressed.
    Em,
    /// Important.
    Strong,
    /// Code.
    Code,
    /// Below the line.
    Sub,
    /// Above the line.
    Sup,
    /// No longer true.
    S,
    /// Highlighted.
    Mark,
    /// In another language, which is an attribute.
    Span,
}

impl Element {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::Em => "em",
            Self::Strong => "strong",
            Self::Code => "code",
            Self::Sub => "sub",
            Self::Sup => "sup",
            Self::S => "s",
            Self::Mark => "mark",
            Self::Span => "span",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let all = [
            Self::A,
            Self::Em,
            Self::Strong,
            Self::Code,
            Self::Sub,
            Self::Sup,
            Self::S,
            Self::Mark,
            Self::Span,
        ];
        all.into_iter().find(|element| element.name() == name)
    }

    /// The only attribute that it may have.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::A => Some("href"),
            Self::Span => Some("lang"),
            _ => None,
        }
    }
}

/// A part of inline HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Text, unescaped.
    Text(String),
    /// A line break.
    Break,
    /// An element with the value of its attribute and what is in it.
    Element(Element, Option<String>, Vec<Self>),
}

struct Open {
    element: Element,
    attribute: Option<String>,
    before: Vec<Node>,
}

#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// The tokenizer takes its sink by shared reference.
#[derive(Default)]
struct Sink(RefCell<Tree>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut tree = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => tree.text(&text),
            Token::TagToken(tag) => tree.tag(&tag),
            Token::EOFToken => while tree.close() {},
            Token::NullCharacterToken
            | Token::CommentToken(_)
            | Token::DoctypeToken(_)
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Tree {
    fn text(&mut self, text: &str) {
        let text = xml::safe(text);
        match self.nodes.last_mut() {
            Some(Node::Text(last)) => last.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.nodes.push(Node::Text(text.into_owned())),
        }
    }

    fn tag(&mut self, tag: &Tag) {
        if &*tag.name == "br" {
            return self.nodes.push(Node::Break);
        }
        // What is not of the subset was never stored; its text would stay.
        let Some(element) = Element::of(&tag.name) else { return };
        if tag.kind == TagKind::StartTag {
            let attribute = tag.attrs.iter().find(|known| Some(&*known.name.local) == element.attribute());
            let attribute = attribute.map(|attribute| xml::safe(&attribute.value).into_owned());
            self.open.push(Open { element, attribute, before: std::mem::take(&mut self.nodes) });
        } else if self.open.iter().any(|open| open.element == element) {
            while self.open.last().is_some_and(|open| open.element != element) {
                self.close();
            }
            self.close();
        }
    }

    /// Closes what was opened last.
    fn close(&mut self) -> bool {
        let Some(Open { element, attribute, before }) = self.open.pop() else { return false };
        let inner = std::mem::replace(&mut self.nodes, before);
        self.nodes.push(Node::Element(element, attribute, inner));
        true
    }
}

/// Reads inline HTML.
pub fn parse(html: &str) -> Vec<Node> {
    if !html.contains(['<', '&']) {
        return vec![Node::Text(xml::safe(html).into_owned())];
    }
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().nodes
}

/// The text of inline HTML, with spaces as they are shown: runs of them are one, and a line break is a line feed.
pub fn text(html: &str) -> String {
    fn walk(nodes: &[Node], into: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => push_collapsed(into, text),
                Node::Break => {
                    into.truncate(into.trim_end().len());
                    into.push('\n');
                }
                Node::Element(_, _, inner) => walk(inner, into),
            }
        }
    }
    let mut collapsed = String::with_capacity(html.len());
    walk(&parse(html), &mut collapsed);
    collapsed.trim_matches(is_space).to_owned()
}

/// Whether a character is white space that HTML collapses; a no-break space is not.
pub const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// Adds text with runs of white space as one space, also over the seam.
pub fn push_collapsed(into: &mut String, text: &str) {
    for c in text.chars() {
        if !is_space(c) {
            into.push(c);
        } else if !into.is_empty() && !into.ends_with([' ', '\n']) {
            into.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_stored_becomes_a_tree_of_the_subset() {
        let text = |text: &str| Node::Text(text.to_owned());
        assert_eq!(
            parse(r#"a <em>b &amp; <a href="/c?d&amp;e" onclick="x">f</em> g<script>h"#),
            [
                text("a "),
                Node::Element(
                    Element::Em,
                    None,
                    vec![text("b & "), Node::Element(Element::A, Some("/c?d&e".to_owned()), vec![text("f")])]
                ),
                text(" gh"),
            ]
        );
        assert_eq!(super::text("a  <em> b</em>\n<br> c&nbsp; "), "a b\nc\u{a0}");
        assert_eq!(super::text("a\u{1}b"), "ab");
    }
}
