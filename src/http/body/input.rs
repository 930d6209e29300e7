//! Sections and blocks as they come in.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        body::{BlockContent, BlockDraft, BodySectionChanges, BodySectionDraft, MAX_HEADING},
        error::Faults,
        id::{BlockId, BodySectionId},
        slug::Slug,
        text::optional_line,
    },
    http::{
        input::{Parse, present},
        links::input::LinkInput,
    },
};

/// A block to write: its `type`, the members of that type, and the `id` of the block that it replaces, if any.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockInput {
    /// The block of this article that it is; none for a new one.
    #[serde(default)]
    id: Option<BlockId>,
    #[serde(flatten)]
    content: BlockContent<LinkInput>,
}

/// A section of a body to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"heading": "What happens next", "level": 2,
    "blocks": [{"type": "paragraph", "html": "The lower deck opens <em>in June</em>."}]}))]
pub struct BodySectionInput {
    /// The section of this article that it is; none for a new one.
    #[serde(default)]
    id: Option<BodySectionId>,
    /// Its heading; the first section may have none.
    #[serde(default)]
    #[schema(max_length = 200)]
    heading: Option<String>,
    /// The level of the heading.
    #[serde(default)]
    #[schema(minimum = 2, maximum = 4)]
    level: Option<u8>,
    /// An anchor of the editor's choice; made from the heading if there is none.
    #[serde(default)]
    #[schema(value_type = Option<Slug>)]
    anchor: Option<String>,
    /// Its blocks in order.
    #[schema(max_items = 2000)]
    blocks: Vec<BlockInput>,
}

impl BlockInput {
    fn at(self, faults: &mut Faults, pointer: &str) -> Option<BlockDraft> {
        let content = self.content.canonical(faults, pointer);
        let content = content.try_map_link(|link| link.at(faults, &format!("{pointer}/link")).ok_or(()));
        Some(BlockDraft { id: self.id, content: content.ok()? })
    }
}

impl BodySectionInput {
    fn at(self, faults: &mut Faults, pointer: &str) -> BodySectionDraft {
        let heading = self.heading.as_deref();
        let heading = optional_line(faults, &format!("{pointer}/heading"), heading, MAX_HEADING);
        let anchor = self.anchor.filter(|anchor| self.id.is_none_or(|id| *anchor != format!("section-{id}")));
        let anchor = anchor.and_then(|anchor| {
            faults.take(format!("{pointer}/anchor"), "bad_anchor", anchor.parse::<Slug>())
        });
        let blocks = self.blocks.into_iter().enumerate();
        let blocks =
            blocks.filter_map(|(index, block)| block.at(faults, &format!("{pointer}/blocks/{index}")));
        BodySectionDraft { id: self.id, heading, level: self.level, anchor, blocks: blocks.collect() }
    }
}

pub(crate) fn parse_body(
    faults: &mut Faults,
    pointer: &str,
    body: Vec<BodySectionInput>,
) -> Vec<BodySectionDraft> {
    body.into_iter()
        .enumerate()
        .map(|(index, section)| section.at(faults, &format!("{pointer}/{index}")))
        .collect()
}

/// A section to insert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": 1, "section": {"heading": "What happens next",
    "blocks": [{"type": "paragraph", "html": "The lower deck opens in June."}]}}))]
pub struct BodySectionInsert {
    /// Its place among the sections, from 0; at the end if nothing is said.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000)]
    position: Option<u32>,
    /// The section.
    section: BodySectionInput,
}

impl Parse for BodySectionInsert {
    type Command = (Option<usize>, BodySectionDraft);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((self.position.map(|position| position as usize), self.section.at(faults, "/section")))
    }
}

/// The members of a section to change (RFC 7396): what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"heading": "What comes next", "level": 3}))]
pub struct BodySectionPatch {
    /// A new heading.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 200)]
    heading: Option<Option<String>>,
    /// A new level.
    #[serde(default)]
    #[schema(minimum = 2, maximum = 4, nullable = false)]
    level: Option<u8>,
    /// A new anchor.
    #[serde(default)]
    #[schema(value_type = Slug, required = false)]
    anchor: Option<String>,
    /// New blocks. Those that are kept carry their ids.
    #[serde(default)]
    #[schema(max_items = 2000, nullable = false)]
    blocks: Option<Vec<BlockInput>>,
}

impl Parse for BodySectionPatch {
    type Command = BodySectionChanges;

    fn parse(self, faults: &mut Faults) -> Option<BodySectionChanges> {
        let blocks = self.blocks.map(|blocks| {
            let blocks = blocks.into_iter().enumerate();
            blocks.filter_map(|(index, block)| block.at(faults, &format!("/blocks/{index}"))).collect()
        });
        Some(BodySectionChanges {
            heading: self
                .heading
                .map(|heading| optional_line(faults, "/heading", heading.as_deref(), MAX_HEADING)),
            level: self.level,
            anchor: self.anchor.and_then(|anchor| faults.take("/anchor", "bad_anchor", anchor.parse())),
            blocks,
        })
    }
}

impl Parse for BodySectionInput {
    type Command = BodySectionDraft;

    fn parse(self, faults: &mut Faults) -> Option<BodySectionDraft> {
        Some(self.at(faults, ""))
    }
}

/// The whole body to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": [{"blocks": [{"type": "paragraph", "html": "The bridge reopened on Monday."}]}]}))]
pub struct BodyWrite {
    /// The sections. Those that are kept carry their ids.
    #[schema(max_items = 200)]
    body: Vec<BodySectionInput>,
}

impl Parse for BodyWrite {
    type Command = Vec<BodySectionDraft>;

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some(parse_body(faults, "/body", self.body))
    }
}

/// The sections of a body in their new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"order": ["184467440737095301", "184467440737095311"]}))]
pub struct BodyOrder {
    /// Every section once.
    #[schema(max_items = 200)]
    order: Vec<BodySectionId>,
}

impl Parse for BodyOrder {
    type Command = Vec<BodySectionId>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.order)
    }
}

/// A block to insert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": 0, "block": {"type": "paragraph", "html": "The bridge reopened on Monday."}}))]
pub struct BlockInsert {
    /// Its place among the blocks of the section, from 0; at the end if nothing is said.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000)]
    position: Option<u32>,
    /// The block.
    block: BlockInput,
}

impl Parse for BlockInsert {
    type Command = (Option<usize>, BlockDraft);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((self.position.map(|position| position as usize), self.block.at(faults, "/block")?))
    }
}

/// The members of a block to change (RFC 7396): those of its type, or another `type` with its members.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"html": "The bridge reopened on <strong>Monday</strong>."}))]
pub struct BlockPatch {
    /// Members of the block.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties)]
    members: serde_json::Map<String, Value>,
}

impl Parse for BlockPatch {
    type Command = serde_json::Map<String, Value>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.members)
    }
}

impl Parse for BlockInput {
    type Command = BlockDraft;

    fn parse(self, faults: &mut Faults) -> Option<BlockDraft> {
        self.at(faults, "")
    }
}
