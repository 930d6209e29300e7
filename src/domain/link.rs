//! Related-article links: listed beside an article, or standing in its body as a `read_more` block.

use super::{
    article::Image,
    card::Card,
    id::{ArticleId, BlockId, LinkId},
    instant::Instant,
    section::SectionCard,
    text_enum::text_enum,
};

/// Links to one article at most, inline ones included.
pub const MAX_LINKS: usize = 100;

/// What a link is to the article.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// More on the subject.
    #[default]
    Related,
    /// What led to it.
    Background,
    /// What came of it.
    FollowUp,
    /// Another part of the series.
    Series,
    /// The article that this one corrects.
    CorrectionOf,
    /// Something elsewhere.
    External,
}

text_enum!(LinkKind {
    Related "related",
    Background "background",
    FollowUp "follow_up",
    Series "series",
    CorrectionOf "correction_of",
    External "external",
});

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTarget {
    /// An article of this newsroom.
    Article(ArticleId),
    /// Another site.
    External {
        /// An `http` or `https` address.
        url: String,
        /// What readers see.
        title: String,
    },
    /// An article that was deleted since; its last headline remains.
    Deleted {
        /// The headline that it had.
        title: String,
    },
}

/// A link to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The words before the headline, such as "Read More".
    pub label: String,
    /// What it is to the article.
    pub kind: LinkKind,
    /// Where it leads.
    pub target: LinkTarget,
}

/// The members of a link to change.
#[derive(Debug, Clone, Default)]
pub struct LinkChanges {
    /// A new label.
    pub label: Option<String>,
    /// A new kind.
    pub kind: Option<LinkKind>,
    /// A new target.
    pub target: Option<LinkTarget>,
}

/// Where a `read_more` block for a link is to stand in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlinePlace {
    /// Directly behind this block.
    pub after: BlockId,
}

/// A link as the document holds it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The words before the headline.
    pub label: String,
    /// What it is to the article.
    pub kind: LinkKind,
    /// Where it leads.
    pub target: LinkTarget,
    /// The block of the body in which it stands; none for a listed one.
    pub block_id: Option<BlockId>,
}

/// What of a link's target is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// Readers can follow it.
    Live,
    /// It becomes public at a set instant. Shown to editors only.
    Scheduled,
    /// It was never public. Shown to editors only.
    Draft,
    /// It was public and is no more. Shown to editors only.
    Withdrawn,
}

/// The target of a link as it is now, so that a renamed or moved article never leaves a dead link.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct LinkCard {
    /// The present headline, or the title of an external target.
    #[schema(examples("Harbour bridge reopens after two years"))]
    pub headline: String,
    /// The present address; `null` while the target has none.
    #[schema(examples("https://courier.example/city/harbour-bridge-reopens"))]
    pub url: Option<String>,
    /// The present path on the site; `null` for an external target.
    pub path: Option<String>,
    /// The present standfirst.
    pub standfirst: Option<String>,
    /// The present lead image.
    pub lead_image: Option<Image>,
    /// The present section.
    #[schema(value_type = Option<SectionCard>)]
    pub section: Option<Card<SectionCard>>,
    /// When it was published.
    pub published_at: Option<Instant>,
    /// When a scheduled target becomes public. Shown to editors only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<Instant>,
    /// Whether readers can follow it.
    pub state: CardState,
}

/// A link with the card of its target.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RelatedLink {
    /// The link.
    pub link: Link,
    /// Its place in the list of the article's links, from 0.
    pub position: i32,
    /// Its target now.
    pub card: LinkCard,
}

/// An article that links to another.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundLink {
    /// The link.
    pub id: LinkId,
    /// The words before the headline.
    pub label: String,
    /// What it is to the article that it stands in.
    pub kind: LinkKind,
    /// The block in which it stands.
    pub block_id: Option<BlockId>,
    /// The article in which it stands.
    pub article_id: ArticleId,
    /// That article as it is now.
    pub card: LinkCard,
}
