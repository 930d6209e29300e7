//! Public changes: what readers can notice, as events.

use super::{id::UserId, instant::Instant};

/// What kind of thing changed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// An article.
    Article,
    /// A section of the site.
    Section,
    /// A tag.
    Tag,
    /// An author.
    Author,
    /// The site itself.
    Site,
    /// A redirect that an editor made: `old_path` leads to `path`.
    Redirect,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It became public.
    Created,
    /// It is public and differs from before.
    Updated,
    /// It is public no more: a tombstone.
    Removed,
}

impl Entity {
    /// The entity as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Section => "section",
            Self::Tag => "tag",
            Self::Author => "author",
            Self::Site => "site",
            Self::Redirect => "redirect",
        }
    }
}

impl ChangeKind {
    /// The kind as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}

/// A public change that is about to be recorded.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To what kind of thing.
    pub entity: Entity,
    /// To which one.
    pub entity_id: i64,
    /// Where on the site it is now; none for a tombstone and for things without a page.
    pub path: Option<String>,
    /// Where it was before, if it was elsewhere.
    pub old_path: Option<String>,
    /// The surrogate keys of everything that shows it: what caches must drop.
    pub surrogate_keys: Vec<String>,
    /// When.
    pub at: Instant,
    /// By whom.
    pub actor: Option<UserId>,
}

/// The surrogate key of one thing, such as `article/184467440737095516`.
pub fn surrogate_key(entity: Entity, id: i64) -> String {
    format!("{}/{id}", entity.as_str())
}
