//! Where in an article the hits are: HTML of its plain text, in which hits are marked and all else is escaped.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    query::SearchQuery,
    text::MAX_WORDS,
    words::{Word, words},
};

/// The texts in which something was found. HTML: hits stand in `<mark>`, everything else is escaped, there is no other
/// markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "headline": "<mark>Harbour bridge</mark> reopens after two years",
    "standfirst": "Traffic is back on the upper deck.",
    "snippet": "… the <mark>harbour bridge</mark> was closed for repairs &amp; a new deck …"
}))]
pub struct Highlights {
    /// The headline.
    pub headline: String,
    /// The sentence under the headline.
    pub standfirst: Option<String>,
    /// A piece of the body around the first hits; its beginning if there are none in it.
    pub snippet: String,
}

/// How far apart the first and the last hit of a snippet are, in bytes.
const HITS_WITHIN: usize = 200;
/// What comes before the first hit of a snippet, in bytes.
const BEFORE: usize = 60;
/// The length of a snippet, in bytes of plain text; it ends with a word.
const LENGTH: usize = 280;
/// The longest word is cut here.
const MAX_LENGTH: usize = 600;

/// A hit: its place in bytes, and the bit of its term.
#[derive(Debug, Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    term: u32,
}

fn hits(words: &[Word], query: &SearchQuery) -> Vec<Hit> {
    let folded: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
    let mut hits: Vec<Hit> = Vec::new();
    for (start, word) in words.iter().enumerate() {
        let at = folded.get(start..).unwrap_or_default();
        for (term, bit) in query.required.iter().zip(0_u32..) {
            if term.matches(at)
                && let Some(last) = words.get(start + term.words.len() - 1)
            {
                hits.push(Hit { start: word.start, end: last.end, term: 1 << bit });
            }
        }
    }
    hits
}

/// A piece of a text with its hits marked.
fn marked(text: &str, from: usize, to: usize, hits: &[Hit]) -> String {
    let mut html = String::new();
    let mut at = from;
    let mut open_until = None;
    let inside = hits.iter().filter(|hit| hit.start >= from && hit.end <= to);
    for hit in inside {
        match open_until {
            // Overlaps the one before.
            Some(end) if hit.start < end => {
                escape(text.get(at..hit.end.max(at)).unwrap_or_default(), &mut html);
                at = at.max(hit.end);
            }
            _ => {
                if open_until.is_some() {
                    html.push_str("</mark>");
                }
                escape(text.get(at..hit.start).unwrap_or_default(), &mut html);
                html.push_str("<mark>");
                escape(text.get(hit.start..hit.end).unwrap_or_default(), &mut html);
                at = hit.end;
            }
        }
        open_until = Some(at);
    }
    if open_until.is_some() {
        html.push_str("</mark>");
    }
    escape(text.get(at..to).unwrap_or_default(), &mut html);
    html
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push(' '),
            c => html.push(c),
        }
    }
}

/// A whole text with its hits marked.
pub fn highlight(text: &str, query: &SearchQuery) -> String {
    let words: Vec<Word> = words(text).take(MAX_WORDS).collect();
    marked(text, 0, text.len(), &hits(&words, query))
}

/// A piece of a text around the first hits: where the most different terms stand close together.
pub fn snippet(text: &str, query: &SearchQuery) -> String {
    let words: Vec<Word> = words(text).take(MAX_WORDS).collect();
    let hits = hits(&words, query);
    let terms_near = |first: usize, start: usize| {
        let near = hits.iter().skip(first).take_while(|hit| hit.end <= start + HITS_WITHIN);
        near.fold(0, |terms, hit| terms | hit.term).count_ones()
    };
    let mut best = (0, 0);
    for (index, hit) in hits.iter().enumerate() {
        let terms = terms_near(index, hit.start);
        if terms > best.0 {
            best = (terms, hit.start);
        }
    }
    let (terms, hit) = best;
    let (mut from, mut to) = if terms == 0 { (0, 0) } else { (hit, hit) };
    if terms > 0 {
        let before = words.iter().rev().skip_while(|word| word.start >= hit);
        from = before.take_while(|word| hit - word.start <= BEFORE).last().map_or(hit, |word| word.start);
    }
    // The first words of a text begin with it, with its quotation mark and all.
    if words.first().is_some_and(|first| from <= first.start) {
        from = 0;
    }
    for word in words.iter().skip_while(|word| word.start < from) {
        if word.end - from > LENGTH && to > hit {
            break;
        }
        to = word.end;
    }
    let is_end = words.last().is_none_or(|last| to >= last.end) && words.len() < MAX_WORDS;
    if is_end && text.len() - from <= MAX_LENGTH {
        to = text.len();
    }
    let to = text.floor_char_boundary(to.min(from + MAX_LENGTH));
    let html = marked(text, from, to, &hits);
    let (before, after) = (if from > 0 { "… " } else { "" }, if to < text.len() { " …" } else { "" });
    format!("{before}{}{after}", html.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> SearchQuery {
        SearchQuery::parse(text).unwrap()
    }

    #[test]
    fn hits_are_marked_and_the_rest_is_escaped() {
        let q = query("\"harbour bridge\" caf*");
        assert_eq!(
            highlight("Fish & <script>: Harbour Bridge, Cafés", &q),
            "Fish &amp; &lt;script&gt;: <mark>Harbour Bridge</mark>, <mark>Cafés</mark>"
        );
        assert_eq!(highlight("a a", &query("a")), "<mark>a</mark> <mark>a</mark>");
        assert_eq!(highlight("a b c", &query("\"a b\" \"b c\"")), "<mark>a b c</mark>");
        assert_eq!(highlight("nothing", &q), "nothing");
    }

    #[test]
    fn a_snippet_is_a_window_around_the_first_hits() {
        let long = format!(
            "{} “the ferry” {} the harbour & the ferry {}",
            "x ".repeat(200),
            "y ".repeat(200),
            "z ".repeat(200)
        );
        let found = snippet(&long, &query("ferry harbour"));
        assert!(found.starts_with("… ") && found.ends_with(" …"), "{found}");
        assert!(found.contains("the <mark>harbour</mark> &amp; the <mark>ferry</mark> z"), "{found}");
        assert!(found.len() < 400, "{found}");
        assert_eq!(snippet("“Short,” he said.", &query("other")), "“Short,” he said.");
        assert_eq!(snippet("", &query("other")), "");
    }

    proptest! {
        #[test]
        fn only_marks_are_markup(text in "[\\PC<>&\"'\n]{0,900}", q in "[a-zé]{1,2}\\*? [<>\"&a-z]{0,3}") {
            let Ok(query) = SearchQuery::parse(&q) else { return Ok(()) };
            for html in [highlight(&text, &query), snippet(&text, &query)] {
                let bare = html.replace("<mark>", "").replace("</mark>", "");
                prop_assert!(!bare.contains(['<', '>', '"', '\'']));
                prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
            }
            prop_assert!(snippet(&text, &query).len() < 10 * MAX_LENGTH);
        }
    }
}
