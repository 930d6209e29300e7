//! Corrections: what readers are told of what was put right after publication.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    id::{BlockId, CorrectionId},
    instant::Instant,
    text_enum::text_enum,
};

/// Most corrections of an article.
pub const MAX_CORRECTIONS: usize = 500;
/// Most characters of a correction.
pub const MAX_TEXT: usize = 2000;

/// What a correction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// Something was wrong and has been put right.
    Correction,
    /// Something could be misread and has been made clear.
    Clarification,
    /// Something new was added.
    Update,
    /// A part was taken back.
    Retraction,
}

text_enum!(CorrectionKind {
    Correction "correction",
    Clarification "clarification",
    Update "update",
    Retraction "retraction",
});

/// What readers are told of what was put right in an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095601", "kind": "correction",
    "text": "An earlier version of this article gave the wrong year of the bridge's opening.",
    "block_id": "184467440737095302", "published_at": "2026-05-19T08:00:00.000Z",
    "created_at": "2026-05-19T08:00:00.000Z", "updated_at": "2026-05-19T08:00:00.000Z"
}))]
pub struct Correction {
    /// Its id.
    pub id: CorrectionId,
    /// What it is.
    pub kind: CorrectionKind,
    /// Plain text, which may have several lines.
    pub text: String,
    /// The block of the body that it is about; an edit since may have taken that away.
    pub block_id: Option<BlockId>,
    /// Its date, by which corrections are ordered.
    pub published_at: Instant,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A correction to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCorrection {
    /// What it is.
    pub kind: CorrectionKind,
    /// Plain text.
    pub text: String,
    /// The block that it is about.
    pub block_id: Option<BlockId>,
    /// Its date; now if nothing is said.
    pub published_at: Option<Instant>,
}

/// The members of a correction to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorrectionChanges {
    /// A new kind.
    pub kind: Option<CorrectionKind>,
    /// A new text.
    pub text: Option<String>,
    /// A new block, or none.
    pub block_id: Option<Option<BlockId>>,
    /// A new date.
    pub published_at: Option<Instant>,
}
