//! What XML can hold, and how it is written.

use std::{borrow::Cow, io::Cursor};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use crate::domain::error::Error;

/// Whether a document can hold a character (XML 1.0, section 2.2, production `Char`); the control characters from U+7F
/// on, which XML discourages, are left out as well.
pub fn is_char(c: char) -> bool {
    !matches!(c,
        '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

/// A text without the characters that XML cannot hold.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_char) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| is_char(*c)).collect())
    }
}

/// Adds a text with what is markup escaped; good between tags and in attributes with double quotes, in HTML and XML.
pub fn push_escaped(into: &mut String, text: &str) {
    for c in text.chars().filter(|c| is_char(*c)) {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            c => into.push(c),
        }
    }
}

/// A text as HTML that shows it.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    push_escaped(&mut html, text);
    html
}

/// A document that is being written.
pub struct Document(Writer<Cursor<Vec<u8>>>);

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Document")
    }
}

impl Document {
    /// Begins with the declaration and the root element, with these attributes.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub fn begin(root: &str, attributes: &[(&str, &str)]) -> Result<Self, Error> {
        let mut document = Self(Writer::new(Cursor::default()));
        document.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let root = BytesStart::new(root).with_attributes(attributes.iter().copied());
        document.event(Event::Start(root))?;
        Ok(document)
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), Error> {
        self.0.write_event(event).map_err(|error| Error::internal("writing XML", error))
    }

    /// Opens an element.
    ///
    /// # Errors
    /// None in practice.
    pub fn open(&mut self, name: &str) -> Result<(), Error> {
        self.event(Event::Start(BytesStart::new(name)))
    }

    /// Closes an element.
    ///
    /// # Errors
    /// None in practice.
    pub fn close(&mut self, name: &str) -> Result<(), Error> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    /// An element with a text.
    ///
    /// # Errors
    /// None in practice.
    pub fn text(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.open(name)?;
        self.event(Event::Text(BytesText::new(&safe(text))))?;
        self.close(name)
    }

    /// Closes the root element.
    ///
    /// # Errors
    /// None in practice.
    pub fn end(mut self, root: &str) -> Result<String, Error> {
        self.close(root)?;
        let bytes = self.0.into_inner().into_inner();
        String::from_utf8(bytes).map_err(|error| Error::internal("writing XML", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_dropped_and_the_rest_escaped() {
        let mut document = Document::begin("a", &[("b", "<\"&")]).unwrap();
        document.text("c", "x\u{1}y ]]> <i> & 😀 \u{fffe}\u{5d0}").unwrap();
        assert_eq!(
            document.end("a").unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a b=\"&lt;&quot;&amp;\"><c>xy ]]&gt; &lt;i&gt; &amp; 😀 \u{5d0}</c></a>"
        );
        let mut escaped = String::new();
        push_escaped(&mut escaped, "\u{8}<a href=\"x\">&");
        assert_eq!(escaped, "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
