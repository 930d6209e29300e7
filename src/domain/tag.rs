//! Tags: what articles are about.

use super::{id::TagId, instant::Instant, slug::Slug, text_enum::text_enum};

/// What a tag names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagType {
    /// A subject.
    Topic,
    /// A person.
    Person,
    /// A place.
    Place,
    /// An organisation.
    Organisation,
    /// An event.
    Event,
    /// A series of articles.
    Series,
    /// A tone, such as "comment" or "obituary".
    Tone,
}

text_enum!(TagType {
    Topic "topic",
    Person "person",
    Place "place",
    Organisation "organisation",
    Event "event",
    Series "series",
    Tone "tone",
});

/// A tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for readers.
    pub name: String,
    /// What it names.
    pub kind: TagType,
    /// A text for its page.
    pub description: Option<String>,
    /// Counts its edits.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A tag to make or, in an edit, the members to change.
#[derive(Debug, Clone, Default)]
pub struct TagChanges {
    /// A new slug; made from the name when a new tag has none.
    pub slug: Option<Slug>,
    /// A new name.
    pub name: Option<String>,
    /// A new type.
    pub kind: Option<TagType>,
    /// A new description, or none.
    pub description: Option<Option<String>>,
}

/// A tag as it stands beside an article.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct TagCard {
    /// Its id.
    pub id: TagId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for readers.
    #[schema(examples("Harbour Authority"))]
    pub name: String,
    /// What it names.
    #[serde(rename = "type")]
    pub kind: TagType,
}
