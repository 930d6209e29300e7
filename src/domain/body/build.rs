//! Builds bodies of what editors write, and tells bodies apart.

use std::collections::{HashMap, HashSet};

use super::{
    Block, BlockDraft, Body, BodySection, BodySectionDraft, LinkDraft, MAX_BLOCKS, MAX_SECTIONS, inline_links,
};
use crate::domain::{
    error::{Error, Faults},
    id::{BlockId, BodySectionId, IdGenerator, LinkId},
    link::NewLink,
    slug::Slug,
};

/// Turns what an editor wrote into a body: ids and anchors are kept where they were and made where they are missing.
pub struct Builder<'a> {
    ids: &'a IdGenerator,
    old_sections: HashMap<BodySectionId, &'a BodySection<LinkId>>,
    old_blocks: HashSet<BlockId>,
    /// Readers know the anchors, so a changed heading keeps its anchor.
    keep_anchors: bool,
    seen_sections: HashSet<BodySectionId>,
    seen_blocks: HashSet<BlockId>,
    /// Links to be made, in the order of their blocks.
    pub new_links: Vec<(LinkId, NewLink)>,
    /// What is wrong.
    pub faults: Faults,
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl<'a> Builder<'a> {
    /// Begins with the body as it is.
    pub fn new(ids: &'a IdGenerator, old: &'a Body, keep_anchors: bool) -> Self {
        Self {
            ids,
            old_sections: old.iter().map(|section| (section.id, section)).collect(),
            old_blocks: old.iter().flat_map(|section| &section.blocks).map(|block| block.id).collect(),
            keep_anchors,
            seen_sections: HashSet::new(),
            seen_blocks: HashSet::new(),
            new_links: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// One section; its faults are told under `pointer`. Its anchor may still collide: see [`finish`].
    pub fn section(&mut self, pointer: &str, draft: BodySectionDraft) -> BodySection<LinkId> {
        let old = draft.id.and_then(|id| self.old_sections.get(&id).copied());
        if let Some(id) = draft.id {
            if old.is_none() {
                self.unknown(&format!("{pointer}/id"), "section");
            }
            if !self.seen_sections.insert(id) {
                self.repeated(&format!("{pointer}/id"), "section");
            }
        }
        let id = draft.id.unwrap_or_else(|| BodySectionId::new(self.ids.next()));
        let kept =
            old.filter(|old| self.keep_anchors || old.heading == draft.heading).map(|old| old.anchor.clone());
        let made = || draft.heading.as_deref().and_then(Slug::from_text).map(Slug::into_string);
        let anchor = draft
            .anchor
            .map(Slug::into_string)
            .or(kept)
            .or_else(made)
            .unwrap_or_else(|| format!("section-{id}"));
        let blocks = draft.blocks.into_iter().enumerate();
        let blocks =
            blocks.map(|(index, block)| self.block(&format!("{pointer}/blocks/{index}"), block)).collect();
        BodySection { id, heading: draft.heading, level: draft.level.unwrap_or(2), anchor, blocks }
    }

    /// One block; its faults are told under `pointer`.
    pub fn block(&mut self, pointer: &str, draft: BlockDraft) -> Block<LinkId> {
        if let Some(id) = draft.id {
            if !self.old_blocks.contains(&id) {
                self.unknown(&format!("{pointer}/id"), "block");
            }
            if !self.seen_blocks.insert(id) {
                self.repeated(&format!("{pointer}/id"), "block");
            }
        }
        let id = draft.id.unwrap_or_else(|| BlockId::new(self.ids.next()));
        let content = draft.content.try_map_link(|link| {
            Ok::<_, std::convert::Infallible>(match link {
                LinkDraft::Existing(link) => link,
                LinkDraft::New(new) => {
                    let link = LinkId::new(self.ids.next());
                    self.new_links.push((link, new));
                    link
                }
            })
        });
        let Ok(content) = content;
        Block { id, content }
    }

    fn unknown(&mut self, pointer: &str, what: &str) {
        let message = format!("is no {what} of this article; leave the id out and a new {what} is made");
        self.faults.add(pointer, "unknown_id", message);
    }

    fn repeated(&mut self, pointer: &str, what: &str) {
        self.faults.add(pointer, "repeated_id", format!("this {what} stands in the body twice"));
    }
}

/// Makes anchors unique, keeping those of `old` sections, and checks the size of a body.
pub fn finish(body: &mut Body, old: &Body) -> Result<(), Error> {
    let mut faults = Faults::default();
    if body.len() > MAX_SECTIONS {
        faults.add("/body", "too_many", format!("must have at most {MAX_SECTIONS} sections"));
    }
    if body.iter().map(|section| section.blocks.len()).sum::<usize>() > MAX_BLOCKS {
        faults.add("/body", "too_many", format!("must have at most {MAX_BLOCKS} blocks"));
    }
    let mut links = HashSet::new();
    for (link, block) in inline_links(body) {
        if !links.insert(link) {
            faults.add(
                "/body",
                "repeated_link",
                format!("the link {link} stands in the body twice (block {block})"),
            );
        }
    }
    faults.check()?;

    let established: HashSet<_> = old.iter().map(|section| (section.id, section.anchor.as_str())).collect();
    let is_established =
        |section: &BodySection<LinkId>| established.contains(&(section.id, section.anchor.as_str()));
    let mut taken: HashSet<String> =
        body.iter().filter(|section| is_established(section)).map(|section| section.anchor.clone()).collect();
    for section in body.iter_mut().filter(|section| !is_established(section)) {
        let wanted = Slug::from_stored(section.anchor.clone());
        let mut number = 2;
        while !taken.insert(section.anchor.clone()) {
            section.anchor = wanted.numbered(number).into_string();
            number += 1;
        }
    }
    Ok(())
}

/// The ids of sections and blocks in which two bodies differ, as `body/{section}` and `blocks/{block}`; `body` if only
/// the order differs.
pub fn differences(old: &Body, new: &Body) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let head = |section: &BodySection<LinkId>| {
        let blocks: Vec<_> = section.blocks.iter().map(|block| block.id).collect();
        (section.heading.clone(), section.level, section.anchor.clone(), blocks)
    };
    let sections = |body: &Body| body.iter().map(|s| (format!("body/{}", s.id), head(s))).collect::<Vec<_>>();
    let blocks = |body: &Body| {
        let blocks = body.iter().flat_map(|section| section.blocks.clone());
        blocks.map(|block| (format!("blocks/{}", block.id), block.content)).collect::<Vec<_>>()
    };
    let mut changed = different_keys(&sections(old), &sections(new));
    changed.extend(different_keys(&blocks(old), &blocks(new)));
    if changed.is_empty() {
        changed.push("body".to_owned());
    }
    changed
}

fn different_keys<V: PartialEq>(old: &[(String, V)], new: &[(String, V)]) -> Vec<String> {
    let old_by_key: HashMap<_, _> = old.iter().map(|(key, value)| (key, value)).collect();
    let new_keys: HashSet<_> = new.iter().map(|(key, _)| key).collect();
    let gone = old.iter().map(|(key, _)| key).filter(|key| !new_keys.contains(key));
    let changed = new.iter().filter(|(key, value)| old_by_key.get(key) != Some(&value)).map(|(key, _)| key);
    changed.chain(gone).cloned().collect()
}
