//! Merges two edits of one document that began with the same version: three-way, by the ids of sections, blocks and
//! links.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    article::Document,
    body::{Block, BlockContent, Body, BodySection},
    id::{BlockId, BodySectionId, LinkId},
    link::Link,
};

/// A place that both edits changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MergeConflict {
    /// A field, `body/{section}`, `blocks/{block}` or `links/{link}`; `body` or `links` for an order.
    #[schema(examples("blocks/184467440737095302"))]
    pub place: String,
    /// What it was when both began; `null` if it was not there.
    pub base: Value,
    /// What it is now; `null` if it was removed.
    pub current: Value,
    /// What the caller wants it to be; `null` if it was removed.
    pub mine: Value,
}

#[derive(Default)]
struct Conflicts(Vec<MergeConflict>);

impl Conflicts {
    /// Tells a place, once.
    fn add(&mut self, place: String, base: &impl Serialize, current: &impl Serialize, mine: &impl Serialize) {
        if self.0.iter().any(|known| known.place == place) {
            return;
        }
        // What is stored as JSON serialises.
        let value = |value: Result<Value, _>| value.unwrap_or_default();
        self.0.push(MergeConflict {
            place,
            base: value(serde_json::to_value(base)),
            current: value(serde_json::to_value(current)),
            mine: value(serde_json::to_value(mine)),
        });
    }

    /// What only one side changed, or both in the same way. A conflict keeps the present one.
    fn pick<T: Clone + PartialEq + Serialize>(
        &mut self,
        place: impl FnOnce() -> String,
        base: &T,
        current: &T,
        mine: &T,
    ) -> T {
        if mine == base || mine == current {
            current.clone()
        } else if current == base {
            mine.clone()
        } else {
            self.add(place(), base, current, mine);
            current.clone()
        }
    }

    /// A list of things that are told apart by themselves: what either side added is there, what either removed is not.
    fn pick_list<T: Clone + Eq + Hash + Serialize>(
        &mut self,
        place: &str,
        base: &[T],
        current: &[T],
        mine: &[T],
    ) -> Vec<T> {
        merge_order(base, current, mine).unwrap_or_else(|| {
            self.add(place.to_owned(), &base, &current, &mine);
            current.to_vec()
        })
    }
}

/// Merges two orders that began as one: what either side removed is gone, what either added stands behind what it was
/// put behind. `None` if both sides sorted what they have in common differently.
fn merge_order<T: Clone + Eq + Hash>(base: &[T], current: &[T], mine: &[T]) -> Option<Vec<T>> {
    fn set<T: Eq + Hash>(items: &[T]) -> HashSet<&T> {
        items.iter().collect()
    }
    let (in_base, in_current, in_mine) = (set(base), set(current), set(mine));
    let is_kept = |item: &&T| in_current.contains(item) && in_mine.contains(item) && in_base.contains(item);
    let kept = |side: &[T]| side.iter().filter(is_kept).cloned().collect::<Vec<_>>();
    let (base_order, current_order, mine_order) = (kept(base), kept(current), kept(mine));
    let (first, second) = if mine_order == base_order || mine_order == current_order {
        (current, mine)
    } else if current_order == base_order {
        (mine, current)
    } else {
        return None;
    };
    let in_second = set(second);
    let mut merged: Vec<T> =
        first.iter().filter(|item| !in_base.contains(item) || in_second.contains(item)).cloned().collect();
    let in_first = set(first);
    let mut place = 0;
    for item in second {
        if let Some(found) = merged.iter().position(|known| known == item) {
            place = found + 1;
        } else if !in_base.contains(item) {
            // Behind what the other side put at the same place.
            while merged.get(place).is_some_and(|next| !in_base.contains(next) && in_first.contains(next)) {
                place += 1;
            }
            merged.insert(place, item.clone());
            place += 1;
        }
    }
    Some(merged)
}

/// Merges `current` and `mine`, which both began as `base`.
///
/// # Errors
/// Every place that both changed, each in its own way.
pub fn merge(base: &Document, current: &Document, mine: &Document) -> Result<Document, Vec<MergeConflict>> {
    let mut conflicts = Conflicts::default();
    macro_rules! field {
        ($field:ident, $name:literal) => {
            conflicts.pick(|| $name.to_owned(), &base.$field, &current.$field, &mine.$field)
        };
    }
    macro_rules! list {
        ($field:ident, $name:literal) => {
            conflicts.pick_list($name, &base.$field, &current.$field, &mine.$field)
        };
    }
    let mut merged = Document {
        slug: field!(slug, "slug"),
        kind: field!(kind, "type"),
        headline: field!(headline, "headline"),
        standfirst: field!(standfirst, "standfirst"),
        kicker: field!(kicker, "kicker"),
        section: field!(section, "section"),
        sections: list!(sections, "sections"),
        tags: list!(tags, "tags"),
        bylines: field!(bylines, "bylines"),
        lead_image: field!(lead_image, "lead_image"),
        language: field!(language, "language"),
        dateline: field!(dateline, "dateline"),
        access: field!(access, "access"),
        seo: field!(seo, "seo"),
        body: merge_bodies(&mut conflicts, &base.body, &current.body, &mine.body),
        links: merge_links(&mut conflicts, &base.links, &current.links, &mine.links),
    };
    // One side may have made the other's secondary section the main one.
    merged.sections.retain(|section| Some(*section) != merged.section);
    if conflicts.0.is_empty() { Ok(merged) } else { Err(conflicts.0) }
}

/// A thing that each side may have kept, changed, added or removed.
fn merge_things<K: Copy + Eq + Hash, T: Clone + PartialEq + Serialize>(
    conflicts: &mut Conflicts,
    place: impl Fn(K) -> String,
    base: &HashMap<K, &T>,
    current: &HashMap<K, &T>,
    mine: &HashMap<K, &T>,
) -> HashMap<K, T> {
    let mut merged = HashMap::new();
    let mut keys: Vec<K> = current.keys().copied().collect();
    keys.extend(mine.keys().filter(|key| !current.contains_key(key)));
    for key in keys {
        let thing = match (base.get(&key), current.get(&key), mine.get(&key)) {
            (Some(base), Some(current), Some(mine)) => {
                Some(conflicts.pick(|| place(key), *base, *current, *mine))
            }
            // Removed by one side: gone, unless the other has changed it.
            (Some(base), Some(left), None) | (Some(base), None, Some(left)) if base == left => None,
            (Some(base), current, mine) => {
                conflicts.add(place(key), base, &current, &mine);
                None
            }
            (None, current, mine) => current.or(mine).map(|thing| (*thing).clone()),
        };
        merged.extend(thing.map(|thing| (key, thing)));
    }
    merged
}

fn merge_links(conflicts: &mut Conflicts, base: &[Link], current: &[Link], mine: &[Link]) -> Vec<Link> {
    fn by_id(links: &[Link]) -> HashMap<LinkId, &Link> {
        links.iter().map(|link| (link.id, link)).collect()
    }
    fn ids(links: &[Link]) -> Vec<LinkId> {
        links.iter().map(|link| link.id).collect()
    }
    let place = |id| format!("links/{id}");
    let mut merged = merge_things(conflicts, place, &by_id(base), &by_id(current), &by_id(mine));
    let order = conflicts.pick_list("links", &ids(base), &ids(current), &ids(mine));
    order.into_iter().filter_map(|id| merged.remove(&id)).collect()
}

/// A section without its blocks.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Head {
    heading: Option<String>,
    level: u8,
    anchor: String,
}

/// A body taken apart.
struct Parts<'a> {
    order: Vec<BodySectionId>,
    heads: HashMap<BodySectionId, Head>,
    blocks: HashMap<BlockId, &'a BlockContent<LinkId>>,
    block_orders: HashMap<BodySectionId, Vec<BlockId>>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a Body) -> Self {
        let head = |section: &BodySection<LinkId>| Head {
            heading: section.heading.clone(),
            level: section.level,
            anchor: section.anchor.clone(),
        };
        let ids = |section: &BodySection<LinkId>| section.blocks.iter().map(|block| block.id).collect();
        let blocks = body.iter().flat_map(|section| &section.blocks);
        Self {
            order: body.iter().map(|section| section.id).collect(),
            heads: body.iter().map(|section| (section.id, head(section))).collect(),
            blocks: blocks.map(|block| (block.id, &block.content)).collect(),
            block_orders: body.iter().map(|section| (section.id, ids(section))).collect(),
        }
    }

    fn blocks_of(&self, section: BodySectionId) -> &[BlockId] {
        self.block_orders.get(&section).map_or(&[], Vec::as_slice)
    }

    fn heads(&self) -> HashMap<BodySectionId, &Head> {
        self.heads.iter().map(|(id, head)| (*id, head)).collect()
    }
}

fn merge_bodies(conflicts: &mut Conflicts, base: &Body, current: &Body, mine: &Body) -> Body {
    // The common cases: only one side touched the body.
    if mine == base || mine == current {
        return current.clone();
    }
    if current == base {
        return mine.clone();
    }
    let (base, current, mine) = (Parts::of(base), Parts::of(current), Parts::of(mine));
    let place = |id| format!("body/{id}");
    let mut heads = merge_things(conflicts, place, &base.heads(), &current.heads(), &mine.heads());
    let place = |id| format!("blocks/{id}");
    let mut contents = merge_things(conflicts, place, &base.blocks, &current.blocks, &mine.blocks);
    let order = conflicts.pick_list("body", &base.order, &current.order, &mine.order);
    // A block of a section that the other side removed would have no place.
    for removed in base.order.iter().filter(|id| !order.contains(id)) {
        for (side, other) in [(&current, &mine), (&mine, &current)] {
            let orphans = side.blocks_of(*removed).iter();
            let is_new = orphans.clone().any(|id| {
                !base.blocks.contains_key(id) || {
                    let was_elsewhere = !base.blocks_of(*removed).contains(id);
                    was_elsewhere && !other.blocks_of(*removed).contains(id)
                }
            });
            if is_new {
                let whole = |parts: &Parts<'_>| {
                    let blocks = parts.blocks_of(*removed).iter();
                    let blocks: Vec<_> =
                        blocks.filter_map(|id| parts.blocks.get(id).copied().cloned()).collect();
                    parts.heads.get(removed).map(|head| (head.clone(), blocks))
                };
                let (before, left) = (whole(&base), whole(side));
                let nothing = Value::Null;
                if std::ptr::eq(side, &current) {
                    conflicts.add(format!("body/{removed}"), &before, &left, &nothing);
                } else {
                    conflicts.add(format!("body/{removed}"), &before, &nothing, &left);
                }
            }
        }
    }
    let mut merged = Body::new();
    let mut placed = HashSet::new();
    for id in order {
        let Some(Head { heading, level, anchor }) = heads.remove(&id) else { continue };
        let (was, is, wanted) = (base.blocks_of(id), current.blocks_of(id), mine.blocks_of(id));
        let blocks = conflicts.pick_list(&format!("body/{id}"), was, is, wanted);
        let mut section = BodySection { id, heading, level, anchor, blocks: Vec::new() };
        for block in blocks {
            match contents.remove(&block) {
                Some(content) => {
                    placed.insert(block);
                    section.blocks.push(Block { id: block, content });
                }
                // Both sides moved it, each to another section.
                None if placed.contains(&block) => {
                    let at = |parts: &Parts<'_>| {
                        let sections = parts.block_orders.iter();
                        sections.clone().find(|(_, ids)| ids.contains(&block)).map(|(id, _)| id.to_string())
                    };
                    conflicts.add(format!("blocks/{block}"), &at(&base), &at(&current), &at(&mine));
                }
                None => {}
            }
        }
        merged.push(section);
    }
    // What is left was moved by one side out of where the other side has it.
    for (block, _) in contents {
        let place = format!("blocks/{block}");
        if !conflicts.0.iter().any(|known| known.place == place) {
            let content = |parts: &Parts<'_>| parts.blocks.get(&block).map(|content| (*content).clone());
            conflicts.add(place, &content(&base), &content(&current), &content(&mine));
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(sections: &[(i64, &[(i64, &str)])]) -> Body {
        let block = |(id, text): &(i64, &str)| Block {
            id: BlockId::new(*id),
            content: BlockContent::Paragraph { html: (*text).to_owned() },
        };
        let section = |(id, blocks): &(i64, &[(i64, &str)])| BodySection {
            id: BodySectionId::new(*id),
            heading: None,
            level: 2,
            anchor: format!("section-{id}"),
            blocks: blocks.iter().map(block).collect(),
        };
        sections.iter().map(section).collect()
    }

    fn merged(base: &Body, current: &Body, mine: &Body) -> Result<Body, Vec<String>> {
        let mut conflicts = Conflicts::default();
        let body = merge_bodies(&mut conflicts, base, current, mine);
        let places: Vec<_> = conflicts.0.into_iter().map(|conflict| conflict.place).collect();
        if places.is_empty() { Ok(body) } else { Err(places) }
    }

    #[test]
    fn edits_of_different_blocks_merge() {
        let base = body(&[(1, &[(11, "a"), (12, "b")]), (2, &[(21, "c")])]);
        let current = body(&[(1, &[(11, "A"), (12, "b"), (13, "new")]), (2, &[(21, "c")])]);
        let mine = body(&[(1, &[(12, "B"), (11, "a")]), (2, &[(21, "c"), (22, "mine")]), (3, &[(31, "x")])]);
        let expected = body(&[
            (1, &[(12, "B"), (13, "new"), (11, "A")]),
            (2, &[(21, "c"), (22, "mine")]),
            (3, &[(31, "x")]),
        ]);
        assert_eq!(merged(&base, &current, &mine), Ok(expected));
    }

    #[test]
    fn what_both_changed_is_a_conflict() {
        let base = body(&[(1, &[(11, "a"), (12, "b")]), (2, &[(21, "c")])]);
        let edited = body(&[(1, &[(11, "A"), (12, "b")]), (2, &[(21, "c")])]);
        let other = body(&[(1, &[(11, "x"), (12, "b")]), (2, &[(21, "c")])]);
        let removed = body(&[(1, &[(12, "b")]), (2, &[(21, "c")])]);
        let without_section = body(&[(2, &[(21, "c")])]);
        let added = body(&[(1, &[(11, "a"), (12, "b"), (13, "n")]), (2, &[(21, "c")])]);
        let conflict = |place: &str| Err(vec![place.to_owned()]);
        assert_eq!(merged(&base, &edited, &other), conflict("blocks/11"));
        assert_eq!(merged(&base, &edited, &removed), conflict("blocks/11"));
        assert_eq!(merged(&base, &removed, &edited), conflict("blocks/11"));
        assert_eq!(merged(&base, &edited, &without_section), conflict("blocks/11"));
        assert!(merged(&base, &added, &without_section).unwrap_err().contains(&"body/1".to_owned()));
        assert!(merged(&base, &without_section, &added).unwrap_err().contains(&"body/1".to_owned()));
    }

    #[test]
    fn a_block_goes_where_it_was_moved() {
        let base = body(&[(1, &[(11, "a"), (12, "b")]), (2, &[(21, "c")]), (3, &[])]);
        let edited = body(&[(1, &[(11, "A"), (12, "b")]), (2, &[(21, "c")]), (3, &[])]);
        let moved = body(&[(1, &[(12, "b")]), (2, &[(21, "c"), (11, "a")]), (3, &[])]);
        let elsewhere = body(&[(1, &[(12, "b")]), (2, &[(21, "c")]), (3, &[(11, "a")])]);
        let expected = body(&[(1, &[(12, "b")]), (2, &[(21, "c"), (11, "A")]), (3, &[])]);
        assert_eq!(merged(&base, &edited, &moved), Ok(expected.clone()));
        assert_eq!(merged(&base, &moved, &edited), Ok(expected));
        assert_eq!(merged(&base, &moved, &elsewhere), Err(vec!["blocks/11".to_owned()]));
    }

    #[test]
    fn lists_take_what_either_side_added() {
        let merged = |base: &str, current: &str, mine: &str| {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            merge_order(&chars(base), &chars(current), &chars(mine))
                .map(|merged| merged.into_iter().collect::<String>())
        };
        assert_eq!(merged("abc", "abxc", "aybc").as_deref(), Some("aybxc"));
        assert_eq!(merged("abc", "xabc", "yabc").as_deref(), Some("xyabc"));
        assert_eq!(merged("abc", "ac", "bcz").as_deref(), Some("cz"));
        assert_eq!(merged("abc", "cba", "abcz").as_deref(), Some("czba"));
        assert_eq!(merged("abc", "cab", "bca"), None);
    }

    /// An edit of a body: keeps, changes or removes each block, and adds some.
    fn edited(base: &Body, choices: &[u8], first_new: i64, mark: &str) -> Body {
        let (mut next, mut choices) = (first_new, choices.iter().copied().cycle());
        let mut body = base.clone();
        for section in &mut body {
            let mut blocks = Vec::new();
            for mut block in section.blocks.drain(..) {
                let choice = choices.next().unwrap_or_default() % 5;
                if choice == 1 {
                    block.content = BlockContent::Paragraph { html: format!("{mark}{}", block.id) };
                }
                if choice != 2 {
                    blocks.push(block);
                }
                if choice == 3 {
                    let content = BlockContent::Paragraph { html: format!("{mark} new") };
                    blocks.push(Block { id: BlockId::new(next), content });
                    next += 1;
                }
            }
            section.blocks = blocks;
        }
        body
    }

    fn ids(body: &Body) -> HashSet<BlockId> {
        body.iter().flat_map(|section| &section.blocks).map(|block| block.id).collect()
    }

    proptest! {
        #[test]
        fn merging_with_the_base_changes_nothing(choices in prop::collection::vec(any::<u8>(), 1..12)) {
            let base = body(&[(1, &[(11, "a"), (12, "b"), (13, "c")]), (2, &[(21, "d"), (22, "e")])]);
            let edit = edited(&base, &choices, 100, "x");
            prop_assert_eq!(merged(&base, &edit, &base), Ok(edit.clone()));
            prop_assert_eq!(merged(&base, &base, &edit), Ok(edit));
        }

        #[test]
        fn nothing_is_lost_that_nobody_removed(
            one in prop::collection::vec(any::<u8>(), 1..12),
            other in prop::collection::vec(any::<u8>(), 1..12),
        ) {
            let base = body(&[(1, &[(11, "a"), (12, "b"), (13, "c")]), (2, &[(21, "d"), (22, "e")])]);
            let (current, mine) = (edited(&base, &one, 100, "x"), edited(&base, &other, 200, "y"));
            if let Ok(merged) = merged(&base, &current, &mine) {
                let (was, is, wanted) = (ids(&base), ids(&current), ids(&mine));
                let kept = |id: &&BlockId| !was.contains(id) || (is.contains(id) && wanted.contains(id));
                let expected: HashSet<_> = is.union(&wanted).filter(kept).copied().collect();
                prop_assert_eq!(ids(&merged), expected);
                let text = serde_json::to_string(&merged).unwrap();
                for id in was.iter().filter(|id| is.contains(id) && wanted.contains(id)) {
                    for (side, mark) in [(&current, "x"), (&mine, "y")] {
                        let changed = format!("{mark}{id}");
                        if serde_json::to_string(side).unwrap().contains(&changed) {
                            prop_assert!(text.contains(&changed), "{changed} is lost: {text}");
                        }
                    }
                }
            }
        }
    }
}
