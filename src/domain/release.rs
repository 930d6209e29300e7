//! Releases: articles that become public, or cease to be, together at one instant.

use utoipa::ToSchema;

use super::{
    id::{ArticleId, ReleaseId},
    instant::Instant,
    slug::Reference,
    text_enum::text_enum,
    user::UserCard,
    workflow::State,
};

/// Most articles of a release.
pub const MAX_ITEMS: usize = 200;

/// Where a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Being put together.
    Draft,
    /// Takes effect at a set instant; its articles are held until then.
    Scheduled,
    /// Took effect.
    Released,
}

text_enum!(ReleaseState {
    Draft "draft",
    Scheduled "scheduled",
    Released "released",
});

/// What a release does with an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseAction {
    /// Makes its draft public.
    Publish,
    /// Takes it away from readers.
    Unpublish,
}

text_enum!(ReleaseAction {
    Publish "publish",
    Unpublish "unpublish",
});

/// An article of a release, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ToSchema)]
pub struct ReleaseItem {
    /// The article.
    pub article_id: ArticleId,
    /// The headline of its draft.
    pub headline: String,
    /// Where it stands.
    pub state: State,
    /// What happens to it.
    pub action: ReleaseAction,
}

/// A set of articles that change together.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its name for editors.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it stands.
    pub state: ReleaseState,
    /// When it takes or took effect.
    pub at: Option<Instant>,
    /// Its articles, in order.
    pub items: Vec<ReleaseItem>,
    /// Counts its edits.
    pub version: i64,
    /// Who made it.
    pub created_by: UserCard,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A release to make or, in an edit, the members to change.
#[derive(Debug, Clone, Default)]
pub struct ReleaseChanges {
    /// A new name.
    pub name: Option<String>,
    /// A new description, or none.
    pub description: Option<Option<String>>,
    /// New articles, in the place of all of the old ones.
    pub items: Option<Vec<(Reference, ReleaseAction)>>,
}
