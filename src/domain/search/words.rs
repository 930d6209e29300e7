//! Words, as they are searched: the same for what is stored and for what is asked, on every database.
//!
//! A word is a run of letters and digits, in lower case, without accents: `Å` is `a`, `ß` is `ss`, `é` is `e`, be they
//! composed or not (Unicode normal form KD). Writing systems without spaces give one word for each character, so that a
//! run of them is found as a phrase. Nothing is stemmed: a newsroom writes in many languages.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// The longest word, in characters; what is longer is found by its beginning.
const MAX_WORD: usize = 64;

/// A word with its place in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is compared.
    pub folded: String,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Its longest form, in bytes: some signs are written out in many letters, and PostgreSQL takes no more than 2,046.
const MAX_BYTES: usize = 256;

/// What a character is to a word.
enum Part {
    Letter,
    /// A word of its own.
    Whole,
    /// Belongs to the letter before.
    Mark,
    /// As if it were not there.
    Nothing,
    Break,
}

fn part(c: char) -> Part {
    match c {
        _ if c.is_ascii() => {
            if c.is_ascii_alphanumeric() {
                Part::Letter
            } else {
                Part::Break
            }
        }
        // A soft hyphen and what joins letters.
        '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' => Part::Nothing,
        _ if is_accent(c) => Part::Nothing,
        _ if is_combining_mark(c) => Part::Mark,
        _ if !c.is_alphanumeric() => Part::Break,
        _ if is_written_without_spaces(c) => Part::Whole,
        _ => Part::Letter,
    }
}

/// Marks that are left out in haste, or by habit: accents, Hebrew points, Arabic vowels. Vowel signs of Indian scripts and
/// the voicing marks of Japanese are letters to their readers and stay.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Chinese, Japanese, Thai, Lao, Burmese, Khmer.
pub(super) fn is_written_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{3ffff}')
}

/// Adds a character to a word as it is compared.
fn fold(c: char, word: &mut String) {
    if c.is_ascii() {
        word.push(c.to_ascii_lowercase());
        return;
    }
    // Latin letters, with those that no decomposition takes apart: ø, ł, ß, æ.
    if matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
        && let Some(plain) = deunicode::deunicode_char(c)
        && plain.chars().all(|c| c.is_ascii_alphanumeric())
    {
        word.push_str(&plain.to_ascii_lowercase());
        return;
    }
    decompose_compatible(c, |part| {
        if is_accent(part) || !(part.is_alphanumeric() || is_combining_mark(part)) {
            return;
        }
        for lower in part.to_lowercase().filter(|lower| !is_accent(*lower)) {
            word.push(if lower == 'ς' { 'σ' } else { lower });
        }
    });
}

/// The words of a text in order.
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// The most characters of a text that count when texts are sorted.
const MAX_SORT_KEY: usize = 100;

/// By what a text is sorted among others: its words, so that case, accents and quotation marks do not count.
pub fn sort_key(text: &str) -> String {
    let words: Vec<_> = words(text).map(|word| word.folded).collect();
    words.join(" ").chars().take(MAX_SORT_KEY).collect()
}

/// The words of a text.
#[derive(Debug)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let mut word = Word { folded: String::new(), start: self.at, end: self.at };
        let (mut length, mut is_whole) = (0, false);
        let begun = self.at;
        for (offset, c) in self.text.get(begun..)?.char_indices() {
            let (at, end) = (begun + offset, begun + offset + c.len_utf8());
            let kind = part(c);
            let is_open = !word.folded.is_empty();
            let ends = match kind {
                Part::Break => is_open,
                Part::Whole => is_open,
                Part::Letter => is_open && is_whole,
                Part::Mark | Part::Nothing => false,
            };
            if ends {
                self.at = at;
                return Some(word);
            }
            match kind {
                Part::Break => {}
                Part::Nothing if !is_open => {}
                Part::Nothing => word.end = end,
                Part::Mark if !is_open => {}
                Part::Letter | Part::Whole | Part::Mark => {
                    if !is_open {
                        word.start = at;
                        is_whole = matches!(kind, Part::Whole);
                    }
                    if length < MAX_WORD && word.folded.len() < MAX_BYTES {
                        fold(c, &mut word.folded);
                        length += 1;
                    }
                    word.end = end;
                }
            }
        }
        self.at = self.text.len();
        (!word.folded.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn accents_and_case_make_no_difference() {
        assert_eq!(
            folded("Café Straße ÅNGSTRÖM A\u{30a}ngstro\u{308}m"),
            ["cafe", "strasse", "angstrom", "angstrom"]
        );
        assert_eq!(folded("Øresund Łódź Æther ﬁn"), ["oresund", "lodz", "aether", "fin"]);
        assert_eq!(folded("ΣΊΣΥΦΟΣ Σίσυφος"), ["σισυφοσ", "σισυφοσ"]);
        assert_eq!(folded("Ёлка ёлка"), ["елка", "елка"]);
    }

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(
            folded("O'Brien: COVID-19, 3.5 % & more…"),
            ["o", "brien", "covid", "19", "3", "5", "more"]
        );
        assert_eq!(folded("Ha\u{ad}fen 🎉 x"), ["hafen", "x"]);
        assert_eq!(folded("東京 が"), ["東", "京", "か\u{3099}"]);
        assert_eq!(folded(""), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn words_lie_in_the_text_in_order(text in "\\PC{0,80}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(last <= word.start && word.start < word.end && text.get(word.start..word.end).is_some());
                prop_assert!(!word.folded.is_empty() && !word.folded.contains(|c: char| c.is_whitespace() || "\"'*()".contains(c)));
                last = word.end;
            }
        }
    }
}
