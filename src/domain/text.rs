//! Rules for plain text in the input.

use super::error::{Fault, Faults};

/// Trims a single-line text and checks its length in characters; faults are told at `pointer`. `None` if it is at
/// fault.
pub fn line(faults: &mut Faults, pointer: &str, text: &str, max: usize) -> Option<String> {
    let text = paragraphs(faults, pointer, text, max)?;
    if text.contains('\n') {
        faults.add(pointer, "line_break", "must be one line");
        return None;
    }
    Some(text)
}

/// As [`line()`], for text that may have several lines.
pub fn paragraphs(faults: &mut Faults, pointer: &str, text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        faults.add(pointer, "blank", "must not be blank");
    } else if length > max {
        faults.push(
            Fault::body(pointer, "too_long", format!("must be at most {max} characters")).with("max", max),
        );
    } else {
        return Some(text.to_owned());
    }
    None
}

/// As [`line()`], for text that may be absent: blank text counts as absent.
pub fn optional_line(faults: &mut Faults, pointer: &str, text: Option<&str>, max: usize) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).and_then(|text| line(faults, pointer, text, max))
}

/// As [`paragraphs`], for text that may be absent: blank text counts as absent.
pub fn optional_paragraphs(
    faults: &mut Faults,
    pointer: &str,
    text: Option<&str>,
    max: usize,
) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).and_then(|text| paragraphs(faults, pointer, text, max))
}

/// Whether a character is one that text never needs and that confuses readers, logs or databases: control characters
/// other than tab and line feed, and the marks that turn the direction of what follows.
pub fn is_forbidden_character(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether an address is an absolute `http` or `https` URL.
pub fn is_web_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !text.contains(|c: char| c.is_whitespace() || c == '"' || c == '<')
    })
}
