//! Which documents a search looks at.
//!
//! The newest matches of the words, a bounded number, if these are all or if it is the best that can be had. If there are
//! more of them, but one of the other conditions is met by few articles, these are looked at and no others. A list by date
//! is walked along the index from where its page begins.

use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::{Bool, Text},
};

use super::{
    super::{
        super::{
            conn::{Backend, Db},
            schema::{
                article_contents as contents, articles, content_facets as facets,
                search_documents as documents,
            },
            search::{self, Among, Walk, Within},
            tags::bad_cursor,
        },
        facet,
        list::Listed,
        narrow::narrowed,
        stage_number,
    },
    Search,
    few::few,
};
use crate::domain::{
    article::{ArticleOrder, Stage},
    error::Error,
    instant::Instant,
    page::SortValue,
};

/// How many matches are looked at, to find those that the other conditions let through.
const LOOKED_AT: i64 = 5_000;
/// As many if there are no other conditions: those that are not visible any more have to be made up for.
const LOOKED_AT_UNNARROWED: i64 = 2 * FOUND;
/// How many of them can be found, ranked and counted; as many again with the words in the headline.
const FOUND: i64 = 1_000;

/// A document that fits.
#[derive(Debug, Queryable)]
pub(super) struct Candidate {
    pub doc: i64,
    pub article_id: i64,
    pub stage: i16,
    pub listed_at: i64,
    pub updated_at: i64,
    pub headline: String,
    pub headline_words: String,
    pub lead_words: String,
}

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// What a page is taken from.
    pub found: Vec<Candidate>,
    /// The places of what is counted, if that is not what was found.
    pub counted: Option<Vec<i64>>,
    /// Whether there may be matches that are neither listed nor counted.
    pub is_partial: bool,
    /// If what was found does not fill the page, and yet is not the end of the list: the second, since 1970, that was not
    /// looked at any more.
    pub goes_on: Option<i64>,
}

/// What every look has to do with.
struct Scope<'a> {
    wanted: &'a Search<'a>,
    conditions: &'a [Listed],
    /// Documents that came later are not for this list.
    reference: Instant,
    now: Instant,
    /// Documents published until this instant fit, if there is a last one.
    until: Option<Instant>,
    /// How many matches are looked at.
    limit: i64,
}

/// Finds what fits. The number of statements does not depend on how much that is.
pub(super) fn look(
    db: &mut Db,
    wanted: &Search<'_>,
    conditions: &[Listed],
    (reference, now): (Instant, Instant),
) -> Result<Looked, Error> {
    let filter = wanted.filter;
    let is_open = conditions.is_empty() && wanted.only_own.is_none() && !filter.is_narrow();
    // What came after the first page is not for the pages after it.
    let until = filter.published_before.map_or(reference, |before| before.min(reference));
    let scope = Scope {
        wanted,
        conditions,
        reference,
        now,
        until: (wanted.stage != Stage::Scheduled).then_some(until).or(filter.published_before),
        limit: if is_open { LOOKED_AT_UNNARROWED } else { LOOKED_AT },
    };
    let (mut places, mut is_cut) = newest(db, &scope, Within::Document)?;
    if is_cut && let Some(articles) = few(db, wanted, conditions, scope.until)? {
        places = search::of_articles(db, wanted.query, &articles, wanted.stage)?;
        is_cut = false;
    }
    if wanted.order.0 == ArticleOrder::PublishedAt && (is_cut || places.len() as i64 > FOUND) {
        let mut looked = by_date(db, &scope)?;
        if wanted.page.count || !wanted.facets.is_empty() {
            // The same on every page.
            let counted = narrow(db, &scope, &places, Part::Newest)?;
            looked.is_partial |= is_cut || counted.len() as i64 == FOUND;
            looked.counted = Some(counted.into_iter().map(|candidate| candidate.doc).collect());
        }
        return Ok(looked);
    }
    let mut found = narrow(db, &scope, &places, Part::Newest)?;
    let is_partial = is_cut || found.len() as i64 == FOUND;
    if is_partial && wanted.order.0 == ArticleOrder::Relevance {
        // Those with the words in the headline are worth most, and may be older.
        let (places, _) = newest(db, &scope, Within::Headline)?;
        found.extend(narrow(db, &scope, &places, Part::Newest)?);
        found.sort_unstable_by_key(|candidate| candidate.doc);
        found.dedup_by_key(|candidate| candidate.doc);
    }
    Ok(Looked { found, is_partial, ..Looked::default() })
}

/// The places of the newest matches, and whether there may be more.
fn newest(db: &mut Db, scope: &Scope<'_>, within: Within) -> Result<(Vec<i64>, bool), Error> {
    let (mut places, mut is_cut) = (Vec::new(), false);
    let dates = (scope.wanted.filter.published_after, scope.until);
    for stage in search::ranges(scope.wanted.stage) {
        let way = Walk { within, stage: *stage, dates, oldest_first: false, limit: scope.limit };
        let newest = search::walk(db, scope.wanted.query, way)?;
        is_cut |= newest.len() as i64 == scope.limit;
        places.extend(newest);
    }
    Ok((places, is_cut))
}

/// What a page of a list by date begins with. The walk begins with the second of the cursor.
fn by_date(db: &mut Db, scope: &Scope<'_>) -> Result<Looked, Error> {
    let page = scope.wanted.page;
    let oldest_first = scope.wanted.reads_upwards();
    let (mut from, mut until) = (scope.wanted.filter.published_after, scope.until);
    if let Some(cursor) = page.cursor() {
        let SortValue::Number(at) = cursor.value else { return Err(bad_cursor()) };
        let at = Instant::from_millis(at);
        if oldest_first {
            from = from.max(Some(at));
        } else {
            until = Some(until.map_or(at, |until| until.min(at)));
        }
    }
    let limit = scope.limit + page.offset();
    // The second that the first of the walks to be cut short has come to.
    let mut end: Option<i64> = None;
    let mut places = Vec::new();
    for stage in search::ranges(scope.wanted.stage) {
        let dates = (from, until);
        let way = Walk { within: Within::Document, stage: *stage, dates, oldest_first, limit };
        let walked = search::walk(db, scope.wanted.query, way)?;
        if let (Some(last), true) = (walked.last(), walked.len() as i64 == limit) {
            let second = search::second_of(*last);
            end =
                Some(end.map_or(second, |end| if oldest_first { end.min(second) } else { end.max(second) }));
        }
        places.extend(walked);
    }
    let (mut is_partial, mut goes_on) = (false, None);
    if let Some(end) = end {
        // Places of one second are in no order, so of the last one those may be missing that come first.
        let is_whole = |place: &i64| {
            let second = search::second_of(*place);
            if oldest_first { second < end } else { second > end }
        };
        if places.iter().any(is_whole) {
            places.retain(is_whole);
            goes_on = Some(end);
        } else {
            // One second has more matches than are looked at: those are all that is shown of it.
            places.retain(|place| search::second_of(*place) == end);
            is_partial = true;
            goes_on = Some(if oldest_first { end + 1 } else { end - 1 });
        }
    }
    let wanted = page.offset() + page.fetch();
    let found = narrow(db, scope, &places, Part::Page { oldest_first, limit: wanted })?;
    let number = found.len() as i64;
    if goes_on.is_some() && number < page.offset() {
        // A numbered page somewhere behind what was looked at.
        is_partial = true;
    }
    let goes_on = goes_on
        .filter(|second| number < wanted && number >= page.offset() && search::SECONDS.contains(second));
    Ok(Looked { found, counted: None, is_partial, goes_on })
}

/// What is taken of the documents that fit.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// The newest, as many as can be found.
    Newest,
    /// As many from where the page begins, in the order of their dates.
    Page { oldest_first: bool, limit: i64 },
}

/// The documents at these places that fit all other conditions.
fn narrow(db: &mut Db, scope: &Scope<'_>, places: &[i64], part: Part) -> Result<Vec<Candidate>, Error> {
    let Scope { wanted, conditions, reference, now, .. } = scope;
    let Among { before, list, after } = search::among(db, places);
    let mut query = documents::table
        .inner_join(contents::table.on(contents::article_id.eq(documents::article_id)))
        .inner_join(articles::table.on(articles::id.eq(documents::article_id)))
        .filter(sql::<Bool>(before).bind::<Text, _>(list).sql(after))
        .into_boxed::<Backend>();
    query = if wanted.stage == Stage::Draft {
        let draft = stage_number(Stage::Draft);
        let is_its_text = documents::stage.eq(draft).or(documents::serves_draft);
        query.filter(contents::stage.eq(draft)).filter(is_its_text)
    } else {
        query.filter(contents::stage.eq(documents::stage))
    };
    let listing = stage_number(wanted.stage).min(facet::LIVE_LISTING);
    for condition in *conditions {
        query = query.filter(exists(
            facets::table
                .filter(facets::listing.eq(listing))
                .filter(facets::kind.eq(condition.kind))
                .filter(facets::facet_id.eq_any(condition.ids.clone()))
                .filter(facets::published_at.eq(documents::listed_at))
                .filter(facets::article_id.eq(documents::article_id))
                .filter(facets::stage.eq(contents::stage)),
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
    let filter = wanted.filter;
    let query =
        narrowed!(query, filter, wanted.only_own, id = documents::article_id, date = documents::listed_at);
    let query = match part {
        Part::Newest => query.order(documents::doc.desc()).limit(FOUND),
        Part::Page { oldest_first, limit } => {
            let mut query = query.limit(limit);
            if let Some(cursor) = wanted.page.cursor() {
                let SortValue::Number(at) = cursor.value else { return Err(bad_cursor()) };
                let tie = documents::listed_at.eq(at);
                query = if oldest_first {
                    query.filter(documents::listed_at.gt(at).or(tie.and(documents::article_id.gt(cursor.id))))
                } else {
                    query.filter(documents::listed_at.lt(at).or(tie.and(documents::article_id.lt(cursor.id))))
                };
            }
            if oldest_first {
                query.order((documents::listed_at.asc(), documents::article_id.asc()))
            } else {
                query.order((documents::listed_at.desc(), documents::article_id.desc()))
            }
        }
    };
    let columns = (
        documents::doc,
        documents::article_id,
        contents::stage,
        documents::listed_at,
        contents::updated_at,
        contents::headline_key,
        documents::headline,
        documents::lead,
    );
    Ok(query.select(columns).load(db)?)
}
