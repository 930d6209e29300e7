//! Full-text search, without the database: what is searched for, which words a document has, in what order documents
//! are shown, and where in them the hits are.

mod highlight;
mod query;
mod rank;
mod text;
mod words;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    highlight::{Highlights, highlight, snippet},
    query::{MAX_QUERY, SearchQuery, Term},
    rank::score,
    text::{IndexText, body_text},
    words::sort_key,
};
use super::{article::ArticleType, section::SectionCard, tag::TagCard};

/// What can be counted in the result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FacetKind {
    /// Sections, each with those below it.
    Section,
    /// Tags.
    Tag,
    /// Types of articles.
    Type,
}

/// Most values of a facet.
pub const MAX_FACET_VALUES: usize = 20;

/// How many of the documents found are under what; the most frequent first, 20 of each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
#[schema(example = json!({
    "section": [{"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City", "count": 12}],
    "tag": [{"id": "184467440737095101", "slug": "harbour-authority", "name": "Harbour Authority",
             "type": "organisation", "count": 7}],
    "type": [{"type": "news", "count": 11}]
}))]
pub struct Facets {
    /// Sections; an article also counts for those above its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub section: Option<Vec<SectionCount>>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub tag: Option<Vec<TagCount>>,
    /// Types.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub kind: Option<Vec<TypeCount>>,
}

/// A section with the number of its articles among those found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SectionCount {
    /// The section.
    #[serde(flatten)]
    pub section: SectionCard,
    /// Its articles.
    #[schema(minimum = 1)]
    pub count: i64,
}

/// A tag with the number of its articles among those found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TagCount {
    /// The tag.
    #[serde(flatten)]
    pub tag: TagCard,
    /// Its articles.
    #[schema(minimum = 1)]
    pub count: i64,
}

/// A type with the number of its articles among those found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TypeCount {
    /// The type.
    #[serde(rename = "type")]
    pub kind: ArticleType,
    /// Its articles.
    #[schema(minimum = 1)]
    pub count: i64,
}
