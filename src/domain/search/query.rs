//! What is searched for.

use super::words::{is_written_without_spaces, words};
use crate::domain::error::Fault;

/// The longest text of a query, in characters.
pub const MAX_QUERY: usize = 500;
/// Most words and phrases of a query.
pub const MAX_TERMS: usize = 20;
/// Most words of a query, those of phrases included.
pub const MAX_QUERY_WORDS: usize = 50;
/// The shortest beginning of a word that is searched for as one, in characters; a single letter is a word.
pub const MIN_PREFIX: usize = 2;

/// A word or a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its words in order, folded; at least one.
    pub words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    pub is_prefix: bool,
}

impl Term {
    /// How many of these words the term takes, if it stands at their beginning.
    pub fn matches(&self, at: &[impl AsRef<str>]) -> bool {
        let Some((last, firsts)) = self.words.split_last() else { return false };
        let Some(at) = at.get(..self.words.len()) else { return false };
        let Some((at_last, at_firsts)) = at.split_last() else { return false };
        let fits = if self.is_prefix {
            at_last.as_ref().starts_with(last.as_str())
        } else {
            at_last.as_ref() == last
        };
        fits && firsts.iter().zip(at_firsts).all(|(word, at)| word == at.as_ref())
    }

    /// Whether the term stands anywhere among these words.
    pub fn is_in(&self, words: &[impl AsRef<str>]) -> bool {
        (0..words.len()).any(|start| words.get(start..).is_some_and(|at| self.matches(at)))
    }
}

/// A query: all of these, and none of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// What must occur. Without any, nothing is found.
    pub required: Vec<Term>,
    /// What must not.
    pub excluded: Vec<Term>,
}

impl SearchQuery {
    /// Reads words, `"phrases"`, `beginnings*`, `-word` and `-"phrase"`. All else is punctuation: it separates words and
    /// means nothing, so no text is wrong for its signs, nor for what is still to be typed.
    ///
    /// # Errors
    /// A fault of the parameter `q`: too long, or too many words.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |code, message: String| Err(Fault::parameter("q", code, message));
        if text.chars().count() > MAX_QUERY {
            return fault("too_long", format!("must be at most {MAX_QUERY} characters"));
        }
        let mut query = Self { required: Vec::new(), excluded: Vec::new() };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let after = rest.trim_start_matches('-');
            let is_excluded = after.len() < rest.len();
            let (part, has_star, left) = part(after);
            rest = left.trim_start();
            let words: Vec<String> = words(part).map(|word| word.folded).collect();
            let Some(last) = words.last() else { continue };
            let is_whole = last.chars().count() < MIN_PREFIX
                || last.chars().next().is_some_and(is_written_without_spaces);
            let term = Term { is_prefix: has_star && !is_whole, words };
            let terms = if is_excluded { &mut query.excluded } else { &mut query.required };
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        if query.required.len() + query.excluded.len() > MAX_TERMS || query.word_count() > MAX_QUERY_WORDS {
            let message = format!("must be at most {MAX_TERMS} terms of {MAX_QUERY_WORDS} words together");
            return fault("too_many_words", message);
        }
        Ok(query)
    }

    /// Whether there is nothing to look for: no word, or only what must not occur.
    pub const fn is_empty(&self) -> bool {
        self.required.is_empty()
    }

    /// How many words there are, those that must not occur included.
    pub fn word_count(&self) -> usize {
        self.required.iter().chain(&self.excluded).map(|term| term.words.len()).sum()
    }
}

/// As keyboards and word processors write them.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

/// The next word or phrase, whether a star follows it, and the rest. A phrase that is not closed goes to the end.
fn part(text: &str) -> (&str, bool, &str) {
    let mut chars = text.chars();
    if chars.next().is_some_and(is_quote) {
        let inside = chars.as_str();
        let (phrase, rest) = match inside.char_indices().find(|(_, c)| is_quote(*c)) {
            Some((end, quote)) => (&inside[..end], &inside[end + quote.len_utf8()..]),
            None => (inside, ""),
        };
        let has_star = rest.starts_with('*') || phrase.trim_end().ends_with('*');
        return (phrase, has_star, rest.trim_start_matches('*'));
    }
    let end = text.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, word.ends_with('*'), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let show = |term: &Term| format!("{}{}", term.words.join("+"), if term.is_prefix { "*" } else { "" });
        let query = match SearchQuery::parse(text) {
            Ok(query) => query,
            Err(fault) => return fault.code.to_owned(),
        };
        let excluded = query.excluded.iter().map(|term| format!("-{}", show(term)));
        query.required.iter().map(show).chain(excluded).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_syntax_is_forgiving() {
        for (text, expected) in [
            ("Harbour bridge", "harbour bridge"),
            ("\"harbour bridge\" -ferry", "harbour+bridge -ferry"),
            ("harb* -\"night ferry\"", "harb* -night+ferry"),
            ("„Harbour Br*“", "harbour+br*"),
            ("\"never closed", "never+closed"),
            ("a AND b OR (c NEAR d)", "a and b or c near d"),
            ("headline:x ^y - z -- \"\" * 🎉", "headline+x y z"),
            ("COVID-19 O'Brien", "covid+19 o+brien"),
            ("one one", "one"),
            ("東京*", "東+京"),
            ("", ""),
            ("🎉 - * \"", ""),
            ("-ferry", "-ferry"),
            ("h*", "h"),
            ("é* -\"night f*\"", "e -night+f"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(shown(&"a ".repeat(251)), "too_long");
        let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
        assert_eq!(shown(&many.join(" ")), "too_many_words");
    }

    proptest! {
        #[test]
        fn a_query_has_words_and_they_are_bounded(text in "[\\PC\"* -]{0,120}") {
            if let Ok(query) = SearchQuery::parse(&text) {
                for term in query.required.iter().chain(&query.excluded) {
                    prop_assert!(!term.words.is_empty() && term.words.iter().all(|word| !word.is_empty()));
                    prop_assert!(term.is_in(&term.words));
                }
            }
        }
    }
}
