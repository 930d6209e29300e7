//! Searches: the newest documents that fit the words, narrowed as every list, ranked, and one page of them loaded.
//!
//! What a search looks at is bounded, so that a word of every third article costs no more than one of few.

use std::collections::HashMap;

use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::{Bool, Text},
};

use super::{
    super::{
        conn::{Backend, Db, load_among},
        schema::{
            article_contents as contents, articles, content_facets as facets, search_documents as documents,
            sections as section_table, tags as tag_table,
        },
        search::{self, Among, Within},
        sections,
        tags::{self, bad_cursor},
    },
    LoadContext, facet,
    list::{Listed, conditions},
    load::{ContentRow, HeadRow, complete},
    narrow::narrowed,
    stage_number,
};
use crate::domain::{
    article::{Article, ArticleFilter, ArticleOrder, ArticleType, Stage},
    error::Error,
    id::UserId,
    instant::Instant,
    page::{Page, PageRequest, SortValue},
    search::{FacetKind, Facets, MAX_FACET_VALUES, SearchQuery, SectionCount, TagCount, TypeCount, score},
};

/// How many matches are looked at, the newest first, to find those that the other conditions let through.
const LOOKED_AT: i64 = 5_000;
/// As many if there are no other conditions: those that are not visible any more have to be made up for.
const LOOKED_AT_UNNARROWED: i64 = 2 * FOUND;
/// How many of them can be found, ranked and counted; as many again with the words in the headline.
const FOUND: i64 = 1_000;

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// These words.
    pub query: &'a SearchQuery,
    /// In documents of this stage.
    pub stage: Stage,
    /// Narrowed to these.
    pub filter: &'a ArticleFilter,
    /// To articles that this user made or is named in.
    pub only_own: Option<UserId>,
    /// In this order; whether it is turned round; and its name.
    pub order: (ArticleOrder, bool, &'a str),
    /// Which page.
    pub page: &'a PageRequest,
    /// What is counted.
    pub facets: &'a [FacetKind],
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The page.
    pub page: Page<Article>,
    /// What was counted, if anything.
    pub facets: Option<Facets>,
    /// Whether there may be older matches that were not looked at.
    pub is_partial: bool,
}

#[derive(Queryable)]
struct Candidate {
    doc: i64,
    article_id: i64,
    stage: i16,
    listed_at: i64,
    updated_at: i64,
    headline: String,
    headline_words: String,
    lead_words: String,
}

/// Finds documents.
pub fn search(db: &mut Db, wanted: Search<'_>, context: LoadContext<'_>) -> Result<Found, Error> {
    let (order, descending, sort) = wanted.order;
    let reference = reference(&wanted, context.now)?;
    let (candidates, is_partial) = match conditions(db, wanted.filter)? {
        Some(conditions) => candidates(db, &wanted, &conditions, reference, context.now)?,
        None => (Vec::new(), false),
    };
    let facets = if wanted.facets.is_empty() {
        None
    } else {
        let places: Vec<i64> = candidates.iter().map(|candidate| candidate.doc).collect();
        Some(count(db, &places, wanted.facets)?)
    };

    let mut sorted: Vec<(SortValue, Candidate)> = candidates
        .into_iter()
        .map(|mut candidate| {
            let value = match order {
                ArticleOrder::PublishedAt => SortValue::Number(candidate.listed_at),
                ArticleOrder::UpdatedAt => SortValue::Number(candidate.updated_at),
                ArticleOrder::Headline => SortValue::Text(std::mem::take(&mut candidate.headline)),
                ArticleOrder::Relevance => SortValue::Number(score(
                    wanted.query,
                    &candidate.headline_words,
                    &candidate.lead_words,
                    Instant::from_millis(candidate.listed_at),
                    reference,
                )),
            };
            (value, candidate)
        })
        .collect();
    // As they are read: against the order of the list for the page before a cursor.
    let ascending = descending == wanted.page.backwards();
    sorted.sort_by(|(a, first), (b, second)| {
        let ordering = a.cmp(b).then(first.article_id.cmp(&second.article_id));
        if ascending { ordering } else { ordering.reverse() }
    });
    let total = wanted.page.count.then(|| i64::try_from(sorted.len()).unwrap_or(i64::MAX));
    if let Some(cursor) = wanted.page.cursor() {
        let at = match order {
            ArticleOrder::Relevance => SortValue::Number(relevance(&cursor.value)?.1),
            _ => cursor.value.clone(),
        };
        sorted.retain(|(value, candidate)| {
            let place = (value, candidate.article_id);
            if ascending { place > (&at, cursor.id) } else { place < (&at, cursor.id) }
        });
    }
    let skipped = usize::try_from(wanted.page.offset()).unwrap_or(usize::MAX);
    let fetched = usize::try_from(wanted.page.fetch()).unwrap_or_default();
    let rows: Vec<_> = sorted.into_iter().skip(skipped).take(fetched).collect();
    let page = Page::from_rows(rows, wanted.page, sort, total, |(value, candidate)| {
        let value = match (order, value) {
            (ArticleOrder::Relevance, SortValue::Number(score)) => {
                SortValue::Text(format!("{}:{score}", reference.millis()))
            }
            (_, value) => value.clone(),
        };
        (value, candidate.article_id)
    });
    let Page { items, limit, next, prev, total } = page;
    let places: Vec<_> = items.iter().map(|(_, candidate)| (candidate.article_id, candidate.stage)).collect();
    let items = load(db, &places, wanted.stage, context)?;
    Ok(Found { page: Page { items, limit, next, prev, total }, facets, is_partial })
}

/// The instant from which the age of articles is counted: that of the first page, which the cursor carries, so that
/// scores stay as they are from page to page.
fn reference(wanted: &Search<'_>, now: Instant) -> Result<Instant, Error> {
    match (wanted.order.0, wanted.page.cursor()) {
        (ArticleOrder::Relevance, Some(cursor)) => Ok(relevance(&cursor.value)?.0.min(now)),
        _ => Ok(now),
    }
}

/// The instant and the score of a cursor.
fn relevance(value: &SortValue) -> Result<(Instant, i64), Error> {
    let SortValue::Text(text) = value else { return Err(bad_cursor()) };
    let (at, score) = text.split_once(':').ok_or_else(bad_cursor)?;
    match (at.parse(), score.parse()) {
        (Ok(at), Ok(score)) => Ok((Instant::from_millis(at), score)),
        _ => Err(bad_cursor()),
    }
}

/// The newest documents that fit, and those with the words in the headline, which may be older. Tells whether there may
/// be more.
fn candidates(
    db: &mut Db,
    wanted: &Search<'_>,
    conditions: &[Listed],
    reference: Instant,
    now: Instant,
) -> Result<(Vec<Candidate>, bool), Error> {
    let (mut found, is_partial) = within(db, wanted, Within::Document, conditions, reference, now)?;
    if is_partial && wanted.order.0 == ArticleOrder::Relevance {
        let (in_headline, _) = within(db, wanted, Within::Headline, conditions, reference, now)?;
        found.extend(in_headline);
        found.sort_unstable_by_key(|candidate| candidate.doc);
        found.dedup_by_key(|candidate| candidate.doc);
    }
    Ok((found, is_partial))
}

fn within(
    db: &mut Db,
    wanted: &Search<'_>,
    within: Within,
    conditions: &[Listed],
    reference: Instant,
    now: Instant,
) -> Result<(Vec<Candidate>, bool), Error> {
    let filter = wanted.filter;
    // What came after the first page is not for the pages after it.
    let until = filter.published_before.map_or(reference, |before| before.min(reference));
    let stages: &[Stage] = match wanted.stage {
        Stage::Draft => &[Stage::Draft],
        Stage::Scheduled => &[Stage::Scheduled],
        // A scheduled document is live from its instant on, before anybody has recorded that.
        Stage::Live => &[Stage::Scheduled, Stage::Live],
    };
    let is_open = conditions.is_empty() && wanted.only_own.is_none() && !filter.is_narrow();
    let limit = if is_open { LOOKED_AT_UNNARROWED } else { LOOKED_AT };
    let (mut places, mut is_partial) = (Vec::new(), false);
    for stage in stages {
        let until = (wanted.stage != Stage::Scheduled).then_some(until).or(filter.published_before);
        let dates = (filter.published_after, until);
        let newest = search::newest(db, wanted.query, within, *stage, dates, limit)?;
        is_partial |= newest.len() as i64 == limit;
        places.extend(newest);
    }
    let Among { before, list, after } = search::among(db, &places);
    let mut query = documents::table
        .inner_join(
            contents::table
                .on(contents::article_id.eq(documents::article_id).and(contents::stage.eq(documents::stage))),
        )
        .inner_join(articles::table.on(articles::id.eq(documents::article_id)))
        .filter(sql::<Bool>(before).bind::<Text, _>(list).sql(after))
        .into_boxed::<Backend>();
    let listing = stage_number(wanted.stage).min(facet::LIVE_LISTING);
    for condition in conditions {
        query = query.filter(exists(
            facets::table
                .filter(facets::listing.eq(listing))
                .filter(facets::kind.eq(condition.kind))
                .filter(facets::facet_id.eq_any(condition.ids.clone()))
                .filter(facets::published_at.eq(documents::listed_at))
                .filter(facets::article_id.eq(documents::article_id))
                .filter(facets::stage.eq(documents::stage)),
        ));
    }
    if wanted.stage == Stage::Live {
        let now = now.millis();
        query = query
            .filter(documents::listed_at.le(now))
            .filter(contents::live_from.le(now))
            .filter(contents::live_until.is_null().or(contents::live_until.gt(now)));
    }
    if wanted.stage != Stage::Scheduled {
        query = query.filter(documents::listed_at.le(reference.millis()));
    }
    let query =
        narrowed!(query, filter, wanted.only_own, id = documents::article_id, date = documents::listed_at);
    let candidates: Vec<Candidate> = query
        .order(documents::doc.desc())
        .limit(FOUND)
        .select((
            documents::doc,
            documents::article_id,
            documents::stage,
            documents::listed_at,
            contents::updated_at,
            contents::headline,
            documents::headline,
            documents::lead,
        ))
        .load(db)?;
    is_partial |= candidates.len() as i64 == FOUND;
    Ok((candidates, is_partial))
}

/// The documents of one page in its order. The number of statements does not depend on theirs.
fn load(
    db: &mut Db,
    places: &[(i64, i16)],
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Vec<Article>, Error> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = places.iter().map(|(id, _)| *id).collect();
    let rows: Vec<(i16, HeadRow)> = load_among!(
        db,
        contents::table
            .inner_join(articles::table)
            .select((contents::stage, (ContentRow::as_select(), articles::first_published_at))),
        contents::article_id,
        ids
    )?;
    let mut rows: HashMap<_, _> =
        rows.into_iter().map(|(stage, row)| ((row.0.article_id, stage), row)).collect();
    let rows = places.iter().filter_map(|place| rows.remove(place)).collect();
    complete(db, rows, stage, context)
}

/// Counts what the documents at these places are under.
fn count(db: &mut Db, places: &[i64], wanted: &[FacetKind]) -> Result<Facets, Error> {
    let number = |kind: &FacetKind| match kind {
        FacetKind::Section => facet::SECTION,
        FacetKind::Tag => facet::TAG,
        FacetKind::Type => facet::TYPE,
    };
    let rows = search::count_facets(db, places, &wanted.iter().map(number).collect::<Vec<_>>())?;
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
