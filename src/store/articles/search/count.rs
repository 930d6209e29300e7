//! What the documents that were found are under.

use std::collections::HashMap;

use diesel::prelude::*;

use super::super::{
    super::{
        conn::Db,
        schema::{sections as section_table, tags as tag_table},
        search, sections, tags,
    },
    facet,
};
use crate::domain::{
    article::{ArticleType, Stage},
    error::Error,
    search::{FacetKind, Facets, MAX_FACET_VALUES, SectionCount, TagCount, TypeCount},
};

/// Counts what the documents at these places, in a list of a stage, are under.
pub(super) fn count(
    db: &mut Db,
    places: &[i64],
    stage: Stage,
    wanted: &[FacetKind],
) -> Result<Facets, Error> {
    let number = |kind: &FacetKind| match kind {
        FacetKind::Section => facet::SECTION,
        FacetKind::Tag => facet::TAG,
        FacetKind::Type => facet::TYPE,
    };
    let rows = search::count_facets(db, places, stage, &wanted.iter().map(number).collect::<Vec<_>>())?;
    let of_kind = |kind| -> HashMap<i64, i64> {
        rows.iter().filter(|row| row.0 == kind).map(|(_, id, count)| (*id, *count)).collect()
    };
    let mut facets = Facets::default();
    if wanted.contains(&FacetKind::Section) {
        let counts = most_frequent(of_kind(facet::SECTION));
        let cards: Vec<_> = section_table::table
            .filter(section_table::id.eq_any(counts.keys().copied().collect::<Vec<_>>()))
            .select(sections::CARD)
            .load(db)?;
        let cards = cards.into_iter().map(sections::card).map(|section| {
            let count = counts.get(&section.id.get()).copied().unwrap_or_default();
            SectionCount { section, count }
        });
        let name = |counted: &SectionCount| (counted.section.name.clone(), counted.section.id.get());
        facets.section = Some(first(cards.collect(), |counted| counted.count, name));
    }
    if wanted.contains(&FacetKind::Tag) {
        let counts = most_frequent(of_kind(facet::TAG));
        let cards: Vec<_> = tag_table::table
            .filter(tag_table::id.eq_any(counts.keys().copied().collect::<Vec<_>>()))
            .select(tags::CARD)
            .load(db)?;
        let cards = cards.into_iter().map(|columns| {
            let tag = tags::card(columns)?;
            let count = counts.get(&tag.id.get()).copied().unwrap_or_default();
            Ok(TagCount { tag, count })
        });
        let name = |counted: &TagCount| (counted.tag.name.clone(), counted.tag.id.get());
        let cards = cards.collect::<Result<_, Error>>()?;
        facets.tag = Some(first(cards, |counted| counted.count, name));
    }
    if wanted.contains(&FacetKind::Type) {
        let counts = of_kind(facet::TYPE).into_iter().filter_map(|(place, count)| {
            Some(TypeCount { kind: *ArticleType::ALL.get(usize::try_from(place).ok()?)?, count })
        });
        let name = |counted: &TypeCount| (counted.kind.as_str().to_owned(), 0);
        facets.kind = Some(first(counts.collect(), |counted| counted.count, name));
    }
    Ok(facets)
}

/// Those that can be among the first, ties included: names decide between them.
fn most_frequent(mut counts: HashMap<i64, i64>) -> HashMap<i64, i64> {
    let mut sorted: Vec<i64> = counts.values().copied().collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let least = sorted.get(MAX_FACET_VALUES - 1).copied().unwrap_or_default();
    counts.retain(|_, count| *count >= least);
    counts
}

/// The most frequent, by name among the equally frequent.
fn first<T>(mut counts: Vec<T>, count: impl Fn(&T) -> i64, name: impl Fn(&T) -> (String, i64)) -> Vec<T> {
    counts.sort_by_cached_key(|counted| (std::cmp::Reverse(count(counted)), name(counted)));
    counts.truncate(MAX_FACET_VALUES);
    counts
}
