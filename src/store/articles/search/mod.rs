//! Searches: the documents that fit the words, narrowed as every list, ranked, and one page of them loaded.
//!
//! What a search looks at is bounded (`look.rs`), so that a word of every third article costs no more than one of few.

mod count;
mod few;
mod look;

use std::collections::HashMap;

use diesel::prelude::*;

use self::{
    count::count,
    look::{Candidate, Looked, look},
};
use super::{
    super::{
        conn::{Db, load_among},
        schema::{article_contents as contents, articles},
        tags::bad_cursor,
    },
    LoadContext,
    list::conditions,
    load::{ContentRow, HeadRow, complete},
};
use crate::domain::{
    article::{Article, ArticleFilter, ArticleOrder, Stage},
    error::Error,
    id::UserId,
    instant::Instant,
    page::{Cursor, Page, PageRequest, SortValue},
    search::{FacetKind, Facets, SearchQuery, score},
};

/// Ids in a cursor that no article has: before and after all those of its instant.
const BEFORE_ALL: i64 = 0;
const AFTER_ALL: i64 = i64::MAX;

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

impl Search<'_> {
    /// Whether documents are read from the lowest to the highest: against the order of the list for the page before a
    /// cursor.
    fn reads_upwards(&self) -> bool {
        self.order.1 == self.page.backwards()
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The page.
    pub page: Page<Article>,
    /// What was counted, if anything.
    pub facets: Option<Facets>,
    /// Whether there may be matches that were not looked at: they are neither listed nor counted.
    pub is_partial: bool,
}

/// Finds documents.
pub fn search(db: &mut Db, wanted: Search<'_>, context: LoadContext<'_>) -> Result<Found, Error> {
    let (order, _, sort) = wanted.order;
    let reference = reference(&wanted, context.now)?;
    let conditions =
        if wanted.query.is_empty() { None } else { conditions(db, wanted.filter, context.site)? };
    let Looked { found, counted, is_partial, goes_on } = match conditions {
        Some(conditions) => look(db, &wanted, &conditions, (reference, context.now))?,
        None => Looked::default(),
    };
    let counted = counted.unwrap_or_else(|| found.iter().map(|candidate| candidate.doc).collect());
    let facets =
        if wanted.facets.is_empty() { None } else { Some(count(db, &counted, wanted.stage, wanted.facets)?) };

    let mut sorted: Vec<(SortValue, Candidate)> = found
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
    let ascending = wanted.reads_upwards();
    sorted.sort_by(|(a, first), (b, second)| {
        let ordering = a.cmp(b).then(first.article_id.cmp(&second.article_id));
        if ascending { ordering } else { ordering.reverse() }
    });
    let total = wanted.page.count.then(|| i64::try_from(counted.len()).unwrap_or(i64::MAX));
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
    let Page { items, limit, mut next, mut prev, total } = page;
    // A place between articles: all before it in the order in which they are read is there. What was not looked at begins
    // with the first instant of its second, and a page without articles leads back from where it begins.
    let between = match goes_on {
        Some(second) if ascending => Some((SortValue::Number(second * 1_000), BEFORE_ALL)),
        Some(second) => Some((SortValue::Number(second * 1_000 + 999), AFTER_ALL)),
        None => {
            let cursor = wanted.page.cursor().filter(|cursor| [BEFORE_ALL, AFTER_ALL].contains(&cursor.id));
            cursor.map(|cursor| (cursor.value.clone(), cursor.id))
        }
    };
    if let Some((value, id)) = between {
        let backwards = wanted.page.backwards();
        let at = |before| Cursor { sort: sort.to_owned(), before, value: value.clone(), id };
        let onward = goes_on.map(|_| at(backwards));
        let back = (items.is_empty() && wanted.page.cursor().is_some()).then(|| at(!backwards));
        let (of_next, of_prev) = if backwards { (back, onward) } else { (onward, back) };
        (next, prev) = (next.or(of_next), prev.or(of_prev));
    }
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
