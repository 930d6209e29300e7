//! What is different between two documents: fields, sections, blocks, and the words inside them.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use utoipa::ToSchema;

use super::{
    article::Document,
    body::{Block, BlockContent, Body},
    id::{BlockId, BodySectionId, LinkId},
};

/// What became of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextOperation {
    /// It is in both.
    Equal,
    /// It is new.
    Insert,
    /// It is gone.
    Delete,
}

/// A piece of text. All but the inserted ones make up the old text, all but the deleted ones the new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextChange {
    /// What became of it.
    pub operation: TextOperation,
    /// Whole words and tags.
    pub text: String,
}

/// A field that is different.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldChange {
    /// Its name.
    #[schema(examples("headline"))]
    pub field: String,
    /// What it was; what it refers to is named by id.
    pub old: Value,
    /// What it is.
    pub new: Value,
    /// For texts: the words.
    pub text: Option<Vec<TextChange>>,
}

/// What became of a section or block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It stands elsewhere.
    Moved,
    /// It says something else.
    Changed,
}

/// A section that is different, its blocks apart.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SectionChange {
    /// Which one.
    pub id: BodySectionId,
    /// What became of it.
    pub changes: Vec<PartChange>,
    /// The heading that it had.
    pub old_heading: Option<String>,
    /// The heading that it has.
    pub new_heading: Option<String>,
}

/// A block that is different.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BlockChange {
    /// Which one.
    pub id: BlockId,
    /// What became of it.
    pub changes: Vec<PartChange>,
    /// What it was; `null` for a new one.
    pub old: Value,
    /// What it is; `null` for one that is gone.
    pub new: Value,
    /// If its text changed: the words.
    pub text: Option<Vec<TextChange>>,
}

/// What is different between two documents.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "fields": [{"field": "headline", "old": "Bridge reopens", "new": "Bridge reopens at last",
        "text": [{"operation": "equal", "text": "Bridge reopens"}, {"operation": "insert", "text": " at last"}]}],
    "sections": [],
    "blocks": [{"id": "184467440737095302", "changes": ["removed"],
        "old": {"type": "paragraph", "html": "More soon."}, "new": null, "text": null}]
}))]
pub struct DocumentDiff {
    /// Fields, the body apart.
    pub fields: Vec<FieldChange>,
    /// Sections of the body, in the order of the new document, then those that are gone.
    pub sections: Vec<SectionChange>,
    /// Blocks, in the order of the new document, then those that are gone.
    pub blocks: Vec<BlockChange>,
}

/// Words and tags that are compared at most; texts beyond are replaced as a whole.
const MAX_TOKENS: usize = 200_000;

/// Compares two documents. Takes a second or two for the largest: not for a thread that others wait for.
pub fn diff(old: &Document, new: &Document) -> DocumentDiff {
    let mut budget = MAX_TOKENS;
    DocumentDiff {
        fields: fields(old, new, &mut budget),
        sections: sections(&old.body, &new.body),
        blocks: blocks(old, new, &mut budget),
    }
}

/// What is stored as JSON serialises.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn fields(old: &Document, new: &Document, budget: &mut usize) -> Vec<FieldChange> {
    macro_rules! pairs {
        ($($field:ident $name:literal),* $(,)?) => {
            [$(($name, json(&old.$field), json(&new.$field))),*]
        };
    }
    let pairs = pairs!(
        slug "slug", kind "type", headline "headline", standfirst "standfirst", kicker "kicker", section "section",
        sections "sections", tags "tags", bylines "bylines", lead_image "lead_image", language "language",
        dateline "dateline", access "access", seo "seo", links "links",
    );
    let changed = pairs.into_iter().filter(|(_, old, new)| old != new);
    let field = |(name, old, new): (&str, Value, Value)| {
        let is_text = ["headline", "standfirst", "kicker"].contains(&name);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let text = is_text.then(|| words(&text(&old), &text(&new), budget));
        FieldChange { field: name.to_owned(), old, new, text }
    };
    changed.map(field).collect()
}

/// The items that stand elsewhere among those that both lists have.
fn moved<T: Copy + Ord + std::hash::Hash>(old: &[T], new: &[T]) -> HashSet<T> {
    let (in_old, in_new): (HashSet<_>, HashSet<_>) = (old.iter().collect(), new.iter().collect());
    let old: Vec<T> = old.iter().filter(|item| in_new.contains(item)).copied().collect();
    let new: Vec<T> = new.iter().filter(|item| in_old.contains(item)).copied().collect();
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let moved = operations.iter().filter(|operation| operation.tag() != DiffTag::Equal);
    moved.flat_map(|operation| new.get(operation.new_range()).unwrap_or_default().to_vec()).collect()
}

fn sections(old: &Body, new: &Body) -> Vec<SectionChange> {
    let ids = |body: &Body| body.iter().map(|section| section.id).collect::<Vec<_>>();
    let moved = moved(&ids(old), &ids(new));
    let mut found = Vec::new();
    for section in new {
        let before = old.iter().find(|before| before.id == section.id);
        let mut changes = Vec::new();
        match before {
            None => changes.push(PartChange::Added),
            Some(before) => {
                if moved.contains(&section.id) {
                    changes.push(PartChange::Moved);
                }
                if (&before.heading, before.level, &before.anchor)
                    != (&section.heading, section.level, &section.anchor)
                {
                    changes.push(PartChange::Changed);
                }
            }
        }
        if !changes.is_empty() {
            let old_heading = before.and_then(|before| before.heading.clone());
            found.push(SectionChange {
                id: section.id,
                changes,
                old_heading,
                new_heading: section.heading.clone(),
            });
        }
    }
    let gone = old.iter().filter(|section| new.iter().all(|kept| kept.id != section.id));
    found.extend(gone.map(|section| SectionChange {
        id: section.id,
        changes: vec![PartChange::Removed],
        old_heading: section.heading.clone(),
        new_heading: None,
    }));
    found
}

fn blocks(old: &Document, new: &Document, budget: &mut usize) -> Vec<BlockChange> {
    type Placed<'a> = (BodySectionId, &'a Block<LinkId>);
    fn placed(body: &Body) -> Vec<Placed<'_>> {
        body.iter().flat_map(|section| section.blocks.iter().map(|block| (section.id, block))).collect()
    }
    let (old, new) = (placed(&old.body), placed(&new.body));
    let ids = |blocks: &[Placed<'_>]| blocks.iter().map(|(_, block)| block.id).collect::<Vec<_>>();
    let moved = moved(&ids(&old), &ids(&new));
    let before: HashMap<BlockId, Placed<'_>> = old.iter().map(|placed| (placed.1.id, *placed)).collect();
    let mut found = Vec::new();
    for (section, block) in &new {
        let mut changes = Vec::new();
        let mut text = None;
        let before = before.get(&block.id);
        match before {
            None => changes.push(PartChange::Added),
            Some((old_section, old)) => {
                if old_section != section || moved.contains(&block.id) {
                    changes.push(PartChange::Moved);
                }
                if old.content != block.content {
                    changes.push(PartChange::Changed);
                    text = content_text(&old.content).zip(content_text(&block.content));
                }
            }
        }
        if !changes.is_empty() {
            found.push(BlockChange {
                id: block.id,
                changes,
                old: before.map_or(Value::Null, |(_, old)| json(&old.content)),
                new: json(&block.content),
                text: text.map(|(old, new)| words(&old, &new, budget)),
            });
        }
    }
    let kept: HashSet<BlockId> = new.iter().map(|(_, block)| block.id).collect();
    found.extend(old.iter().filter(|(_, block)| !kept.contains(&block.id)).map(|(_, block)| BlockChange {
        id: block.id,
        changes: vec![PartChange::Removed],
        old: json(&block.content),
        new: Value::Null,
        text: None,
    }));
    found
}

/// What a block says, if that is one text.
fn content_text(content: &BlockContent<LinkId>) -> Option<String> {
    match content {
        BlockContent::Paragraph { html }
        | BlockContent::Quote { html, .. }
        | BlockContent::PullQuote { html, .. }
        | BlockContent::KeyPoint { html } => Some(html.clone()),
        BlockContent::List { items, .. } => Some(items.join("\n")),
        BlockContent::Code { code, .. } => Some(code.clone()),
        _ => None,
    }
}

/// The words, runs of space and whole tags of a text.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first == '<' {
            rest.find('>').map_or(rest.len(), |end| end + 1)
        } else if first.is_whitespace() {
            rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
        } else {
            rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len())
        };
        let (token, others) = rest.split_at(length);
        tokens.push(token);
        rest = others;
    }
    tokens
}

/// Compares two texts by words; no tag is cut. What is left of the budget shrinks by their lengths.
fn words(old: &str, new: &str, budget: &mut usize) -> Vec<TextChange> {
    let (old, new) = (tokens(old), tokens(new));
    let Some(left) = budget.checked_sub(old.len() + new.len()) else {
        let whole = |operation, tokens: &[&str]| TextChange { operation, text: tokens.concat() };
        return vec![whole(TextOperation::Delete, &old), whole(TextOperation::Insert, &new)];
    };
    *budget = left;
    let mut changes = Vec::<TextChange>::new();
    for operation in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (deleted, inserted) = (operation.old_range(), operation.new_range());
        let parts: &[_] = match operation.tag() {
            DiffTag::Equal => &[(TextOperation::Equal, old.get(deleted))],
            DiffTag::Delete => &[(TextOperation::Delete, old.get(deleted))],
            DiffTag::Insert => &[(TextOperation::Insert, new.get(inserted))],
            DiffTag::Replace => {
                &[(TextOperation::Delete, old.get(deleted)), (TextOperation::Insert, new.get(inserted))]
            }
        };
        for (operation, tokens) in parts {
            let text = tokens.unwrap_or_default().concat();
            changes.push(TextChange { operation: *operation, text });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mark = |change: TextChange| match change.operation {
            TextOperation::Equal => change.text,
            TextOperation::Insert => format!("[+{}]", change.text),
            TextOperation::Delete => format!("[-{}]", change.text),
        };
        words(old, new, &mut { MAX_TOKENS }).into_iter().map(mark).collect()
    }

    #[test]
    fn words_and_tags_are_never_cut() {
        assert_eq!(shown("The bridge opens.", "The bridge reopens."), "The bridge [-opens.][+reopens.]");
        assert_eq!(
            shown("a <em>b</em> c", "a <strong>b</strong> c"),
            "a [-<em>][+<strong>]b[-</em>][+</strong>] c"
        );
        assert_eq!(shown("", "new"), "[+new]");
        assert_eq!(shown("same", "same"), "same");
    }

    #[test]
    fn the_fewest_things_have_moved() {
        assert_eq!(moved(&[1, 2, 3, 4], &[2, 3, 4, 1]), HashSet::from([1]));
        assert_eq!(moved(&[1, 2, 3], &[1, 9, 3]), HashSet::new());
    }

    proptest! {
        #[test]
        fn the_pieces_make_up_both_texts(old in "[ab <>/]{0,30}", new in "[ab <>/é]{0,30}") {
            let changes = words(&old, &new, &mut { MAX_TOKENS });
            let without = |left_out: TextOperation| {
                let kept = changes.iter().filter(|change| change.operation != left_out);
                kept.map(|change| change.text.as_str()).collect::<String>()
            };
            prop_assert_eq!(without(TextOperation::Insert), old);
            prop_assert_eq!(without(TextOperation::Delete), new);
        }
    }
}
