//! The thread of an article: what editors say to each other, and the steps of the workflow between.

use utoipa::ToSchema;

use super::{
    id::{ArticleId, BlockId, NoteId, UserId},
    instant::Instant,
    text_enum::text_enum,
    user::UserCard,
    workflow::Step,
};

/// What an entry of a thread tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Somebody said something.
    Note,
    /// The draft was submitted for review.
    Submitted,
    /// It was given back.
    Returned,
    /// It was published.
    Published,
    /// It was scheduled.
    Scheduled,
    /// The schedule was cancelled.
    Unscheduled,
    /// The article was withdrawn.
    Unpublished,
    /// The changes of the draft were dropped.
    Discarded,
    /// The article was taken back.
    Retracted,
    /// It was put away.
    Archived,
    /// It was taken up again.
    Reopened,
    /// An old revision became the draft.
    Restored,
    /// Somebody was asked to work on it.
    Assigned,
    /// Somebody began to edit while another did.
    TakenOver,
}

text_enum!(NoteKind {
    Note "note",
    Submitted "submitted",
    Returned "returned",
    Published "published",
    Scheduled "scheduled",
    Unscheduled "unscheduled",
    Unpublished "unpublished",
    Discarded "discarded",
    Retracted "retracted",
    Archived "archived",
    Reopened "reopened",
    Restored "restored",
    Assigned "assigned",
    TakenOver "taken_over",
});

impl From<Step> for NoteKind {
    fn from(step: Step) -> Self {
        match step {
            Step::Submit => Self::Submitted,
            Step::Return => Self::Returned,
            Step::Publish => Self::Published,
            Step::Schedule => Self::Scheduled,
            Step::Unschedule => Self::Unscheduled,
            Step::Unpublish => Self::Unpublished,
            Step::Discard => Self::Discarded,
            Step::Retract => Self::Retracted,
            Step::Archive => Self::Archived,
            Step::Reopen => Self::Reopened,
        }
    }
}

/// An entry of the thread of an article.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095801", "kind": "note", "text": "Is this figure from the annual report?",
    "block_id": "184467440737095302", "author": {"id": "184467440737095001", "name": "Edda Editor"},
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// What it tells.
    pub kind: NoteKind,
    /// In words, if there are any.
    pub text: Option<String>,
    /// The block that it is about.
    pub block_id: Option<BlockId>,
    /// Who wrote it, or took the step.
    pub author: UserCard,
    /// When.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// An entry to add.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// To which article.
    pub article: ArticleId,
    /// By whom.
    pub author: UserId,
    /// What it tells.
    pub kind: NoteKind,
    /// In words.
    pub text: Option<String>,
    /// The block that it is about.
    pub block_id: Option<BlockId>,
}

/// Who says that they are editing an article.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ToSchema)]
#[schema(example = json!({
    "article_id": "184467440737095516", "holder": {"id": "184467440737095001", "name": "Edda Editor"},
    "acquired_at": "2026-05-18T09:30:00.000Z", "expires_at": "2026-05-18T09:32:00.000Z"
}))]
pub struct EditLock {
    /// Which article.
    pub article_id: ArticleId,
    /// Who.
    pub holder: UserCard,
    /// Since when.
    pub acquired_at: Instant,
    /// Until when, unless they say so again.
    pub expires_at: Instant,
}
