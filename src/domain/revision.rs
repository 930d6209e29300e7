//! Revisions: immutable snapshots of what was published or kept on purpose, and when readers saw them.

use utoipa::ToSchema;

use super::{instant::Instant, text_enum::text_enum, user::UserCard};

/// Why a revision was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevisionKind {
    /// It was published, or is to be at a set instant.
    Publication,
    /// It is a publication whose corrections changed.
    Correction,
    /// An editor kept it.
    SavePoint,
    /// It was the draft before that was replaced.
    Backup,
}

text_enum!(RevisionKind {
    Publication "publication",
    Correction "correction",
    SavePoint "save_point",
    Backup "backup",
});

/// An interval in which readers saw a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ToSchema)]
pub struct Publication {
    /// From this instant on.
    pub live_from: Instant,
    /// Up to this instant; `null` while readers still see it.
    pub live_until: Option<Instant>,
}

/// A revision without its document.
#[derive(Debug, Clone, PartialEq, serde::Serialize, ToSchema)]
#[schema(example = json!({
    "number": 2, "kind": "publication", "version": 5, "at": "2026-05-18T09:30:00.000Z",
    "actor": {"id": "184467440737095001", "name": "Edda Editor"}, "note": "Names corrected",
    "headline": "Harbour bridge reopens after two years",
    "live": {"live_from": "2026-05-18T09:30:00.000Z", "live_until": null}
}))]
pub struct Revision {
    /// Its number, from 1 for each article.
    #[schema(minimum = 1)]
    pub number: i32,
    /// Why it was kept.
    pub kind: RevisionKind,
    /// The version of the draft that it holds.
    pub version: i64,
    /// When it was kept.
    pub at: Instant,
    /// Who did so.
    pub actor: Option<UserCard>,
    /// What they noted.
    pub note: Option<String>,
    /// The headline that it has.
    pub headline: String,
    /// When readers saw it; `null` if they never did.
    pub live: Option<Publication>,
}
