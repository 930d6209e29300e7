//! Previews: links under which somebody without an account can read a draft.

use utoipa::ToSchema;

use super::{id::PreviewId, instant::Instant, user::UserCard};

/// Most previews of an article that have not ended.
pub const MAX_PREVIEWS: usize = 100;

/// A preview link, without its token.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095701", "note": "For the lawyers", "version": 5,
    "created_by": {"id": "184467440737095001", "name": "Edda Editor"}, "created_at": "2026-05-18T09:30:00.000Z",
    "expires_at": "2026-05-25T09:30:00.000Z", "opened_count": 2, "last_opened_at": "2026-05-18T10:12:00.000Z"
}))]
pub struct Preview {
    /// Its id.
    pub id: PreviewId,
    /// Whom or what it is for.
    pub note: Option<String>,
    /// The version of the draft that it shows; `null` for one that follows the draft.
    pub version: Option<i64>,
    /// Who made it.
    pub created_by: UserCard,
    /// When.
    pub created_at: Instant,
    /// When it ends.
    pub expires_at: Instant,
    /// How often it was opened.
    #[schema(minimum = 0)]
    pub opened_count: i64,
    /// When it was last opened.
    pub last_opened_at: Option<Instant>,
}

/// A preview link to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreview {
    /// Whom or what it is for.
    pub note: Option<String>,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// It shows the draft as it is now, whatever becomes of that.
    pub pinned: bool,
}
