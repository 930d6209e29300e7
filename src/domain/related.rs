//! Related articles: those that editors link to, and others that are found by what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    article::Article,
    card::Card,
    id::ArticleId,
    instant::Instant,
    link::{LinkCard, RelatedLink},
    section::SectionCard,
    tag::TagCard,
};

/// How many of the newest articles of each tag, and of the section, are looked at.
pub const LOOKED_AT: usize = 200;
/// How many tags of an article are looked at, the first ones.
pub const MAX_TAGS: usize = 10;

/// Most points for a tag that hardly any other article has.
const RARE_TAG: u32 = 40;
/// Points for a tag that more articles have than are looked at.
const COMMON_TAG: u32 = 10;
/// Points on top of that for the lead tag.
const LEAD_TAG: u32 = 10;
/// Points for the same section.
const SAME_SECTION: u32 = 15;
/// Points for the newest of all that come into question; each week before that costs one.
const NEWEST: u32 = 10;
const WEEK_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Who says that an article is related.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelatedSource {
    /// An editor, by a link.
    Editor,
    /// It was found by what the two have in common.
    Auto,
}

/// What two articles have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The lead tag of the article, the first of its tags.
    LeadTag,
    /// Another tag.
    SharedTag,
    /// The section.
    SameSection,
    /// It is as new as the newest that come into question, or nearly.
    Recent,
}

/// Why an article is related, and how much that counts.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// What it is.
    pub kind: ReasonKind,
    /// The tag that both have.
    #[schema(value_type = Option<TagCard>)]
    pub tag: Option<Card<TagCard>>,
    /// The section that both are in.
    #[schema(value_type = Option<SectionCard>)]
    pub section: Option<Card<SectionCard>>,
    /// The points that it adds to the score.
    pub points: u32,
}

/// An article that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Which one.
    pub id: ArticleId,
    /// The sum of the points of its reasons.
    pub score: u32,
    /// Why, what counts most first.
    pub reasons: Vec<Reason>,
}

/// Something that is shown beside an article.
#[derive(Debug, Clone)]
pub enum Related {
    /// What an editor links to.
    Linked(Box<RelatedLink>),
    /// What was found, with its card.
    Found(Found, Box<LinkCard>),
}

/// What articles are found by: the newest that have a tag, or are in the section, each with its publication.
#[derive(Debug)]
pub struct Shelves {
    /// For each tag of the article, from the first on, [`MAX_TAGS`] at most.
    pub by_tag: Vec<Vec<(ArticleId, Instant)>>,
    /// For its section.
    pub by_section: Vec<(ArticleId, Instant)>,
}

/// The articles of the shelves that have most in common with an article, the best first; of two that have as much, the
/// newer. It depends on nothing but the shelves, so that it stays the same until one of them changes.
pub fn rank(article: &Article, shelves: &Shelves, without: &BTreeSet<ArticleId>) -> Vec<Found> {
    let all = shelves.by_tag.iter().chain([&shelves.by_section]).flatten();
    let newest = all.map(|(_, at)| at.millis()).max().unwrap_or_default();
    let mut found = BTreeMap::<ArticleId, (Instant, Vec<Reason>)>::new();
    let mut note = |shelf: &[(ArticleId, Instant)], reason: &Reason| {
        for (id, at) in shelf.iter().filter(|(id, _)| *id != article.id && !without.contains(id)) {
            found.entry(*id).or_insert_with(|| (*at, Vec::new())).1.push(reason.clone());
        }
    };
    for (index, (tag, shelf)) in article.tags.iter().zip(&shelves.by_tag).enumerate() {
        let kind = if index == 0 { ReasonKind::LeadTag } else { ReasonKind::SharedTag };
        let points = rarity(shelf.len()) + if index == 0 { LEAD_TAG } else { 0 };
        note(shelf, &Reason { kind, tag: Some(tag.clone()), section: None, points });
    }
    let kind = ReasonKind::SameSection;
    note(
        &shelves.by_section,
        &Reason { kind, tag: None, section: article.section.clone(), points: SAME_SECTION },
    );

    let mut ranked: Vec<_> = found
        .into_iter()
        .map(|(id, (at, mut reasons))| {
            let weeks = u32::try_from((newest - at.millis()) / WEEK_MILLIS).unwrap_or(u32::MAX);
            if let points @ 1.. = NEWEST.saturating_sub(weeks) {
                reasons.push(Reason { kind: ReasonKind::Recent, tag: None, section: None, points });
            }
            reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
            let score = reasons.iter().map(|reason| reason.points).sum();
            (at, Found { id, score, reasons })
        })
        .collect();
    ranked.sort_by_key(|(at, found)| std::cmp::Reverse((found.score, *at, found.id)));
    ranked.into_iter().map(|(_, found)| found).collect()
}

/// The points for a tag that so many of the articles that are looked at have.
fn rarity(articles: usize) -> u32 {
    let articles = articles.min(LOOKED_AT);
    let share = (LOOKED_AT - articles) * (RARE_TAG - COMMON_TAG) as usize / LOOKED_AT;
    COMMON_TAG + u32::try_from(share).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_tag_counts_more_than_a_common_one() {
        assert_eq!((rarity(0), rarity(100), rarity(LOOKED_AT), rarity(10_000)), (40, 25, 10, 10));
        assert!((1..LOOKED_AT).all(|number| rarity(number) <= rarity(number - 1)));
    }
}
