//! Which articles a list has, and in which order.

use super::ArticleType;
use crate::domain::{
    id::{ArticleId, UserId},
    instant::Instant,
    slug::Reference,
    workflow::State,
};

/// The order of a list of articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArticleOrder {
    /// By publication.
    #[default]
    PublishedAt,
    /// By the last change.
    UpdatedAt,
    /// By headline.
    Headline,
    /// By relevance; of a search only.
    Relevance,
}

/// Whose work is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// That of whoever asks.
    Me,
    /// That of somebody.
    User(UserId),
}

/// What a list of articles is narrowed to; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct ArticleFilter {
    /// In this section or below it, by id or path.
    pub section: Option<Reference>,
    /// Only in the section itself.
    pub section_exact: bool,
    /// With any of these tags.
    pub any_tag: Vec<Reference>,
    /// With all of these tags.
    pub all_tags: Vec<Reference>,
    /// By this author.
    pub author: Option<Reference>,
    /// Of any of these types.
    pub kinds: Vec<ArticleType>,
    /// In this language.
    pub language: Option<String>,
    /// Published at or after.
    pub published_after: Option<Instant>,
    /// Published before.
    pub published_before: Option<Instant>,
    /// Changed at or after.
    pub updated_after: Option<Instant>,
    /// Changed before.
    pub updated_before: Option<Instant>,
    /// Only these.
    pub ids: Vec<ArticleId>,
    /// Not these.
    pub exclude: Vec<ArticleId>,
    /// With a lead image.
    pub has_lead_image: bool,
    /// In this state of the workflow; drafts only.
    pub state: Option<State>,
    /// That somebody is to work on; drafts only.
    pub assignee: Option<AssigneeFilter>,
}

impl ArticleFilter {
    /// Whether there is any condition beside the dates of publication and those on what an article is listed under.
    pub fn is_narrow(&self) -> bool {
        let Self {
            section: _,
            section_exact: _,
            any_tag: _,
            all_tags: _,
            author: _,
            kinds: _,
            language,
            published_after: _,
            published_before: _,
            updated_after,
            updated_before,
            ids,
            exclude,
            has_lead_image,
            state,
            assignee,
        } = self;
        language.is_some()
            || updated_after.or(*updated_before).is_some()
            || !(ids.is_empty() && exclude.is_empty())
            || *has_lead_image
            || state.is_some()
            || assignee.is_some()
    }
}
