//! Tags: what articles are about.

use std::str::FromStr;

use super::{error::Error, id::TagId, instant::Instant, slug::Slug};

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

impl TagType {
    /// Every type.
    pub const ALL: [Self; 7] =
        [Self::Topic, Self::Person, Self::Place, Self::Organisation, Self::Event, Self::Series, Self::Tone];

    /// The type as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Person => "person",
            Self::Place => "place",
            Self::Organisation => "organisation",
            Self::Event => "event",
            Self::Series => "series",
            Self::Tone => "tone",
        }
    }
}

impl FromStr for TagType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::internal("reading a tag type", format!("unknown type {text:?}")))
    }
}

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
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
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
