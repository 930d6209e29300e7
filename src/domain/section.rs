//! Sections of the site: a tree, each with a path that its articles' addresses begin with.

use super::{
    article::Seo,
    id::SectionId,
    instant::Instant,
    slug::{Reference, Slug},
};

/// How deep the tree may be.
pub const MAX_DEPTH: usize = 8;

/// A section of the site.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its id.
    pub id: SectionId,
    /// The section above it.
    pub parent_id: Option<SectionId>,
    /// Its name in addresses, unique among its siblings.
    pub slug: Slug,
    /// The slugs from the root down to it: `/world/europe`.
    pub path: String,
    /// Its name for readers.
    pub name: String,
    /// A text for its front.
    pub description: Option<String>,
    /// For search engines.
    pub seo: Seo,
    /// Its place among its siblings, from 0.
    pub position: i32,
    /// Counts its edits.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A section to make or, in an edit, the members to change.
#[derive(Debug, Clone, Default)]
pub struct SectionChanges {
    /// A new parent, by id or path, or none for the root.
    pub parent: Option<Option<Reference>>,
    /// A new slug; made from the name when a new section has none.
    pub slug: Option<Slug>,
    /// A new name.
    pub name: Option<String>,
    /// A new description, or none.
    pub description: Option<Option<String>>,
    /// New words for search engines.
    pub seo: Option<Seo>,
    /// A new place among its siblings, from 0; the others make room.
    pub position: Option<i32>,
}

/// A section as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionNode {
    /// The section.
    pub section: Section,
    /// The articles that readers see in it and below it, if they were counted.
    pub article_count: Option<i64>,
    /// The sections directly below it, if the whole tree is shown.
    pub children: Option<Vec<Self>>,
}

/// A section as it stands beside an article.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct SectionCard {
    /// Its id.
    pub id: SectionId,
    /// Its name in addresses.
    pub slug: Slug,
    /// The slugs from the root down to it.
    #[schema(examples("/world/europe"))]
    pub path: String,
    /// Its name for readers.
    #[schema(examples("Europe"))]
    pub name: String,
}
