//! Conditions that few articles meet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use diesel::{
    QueryableByName, RunQueryDsl as _,
    sql_types::{BigInt, Integer},
};

use super::{
    super::{
        super::conn::{Db, on_either},
        facet,
        list::Listed,
        stage_number,
    },
    Search,
};
use crate::domain::{article::Stage, error::Error, instant::Instant};

/// Most articles that are looked at one by one.
const FEW: usize = 500;
/// Most words that are looked for in them altogether: each one of each article costs SQLite a way into its index.
const WORDS: usize = 2_000;

/// The number of what a user made or is named in.
const OWN: i32 = -1;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    condition: i32,
    #[diesel(sql_type = BigInt)]
    article_id: i64,
}

/// All articles that meet the condition that the fewest do, if they are few; `None` if each is met by many. The others
/// are still to be asked for. One statement, which walks the index of each condition no further than it has to. Nothing but
/// numbers goes into its text.
pub(super) fn few(
    db: &mut Db,
    wanted: &Search<'_>,
    conditions: &[Listed],
    until: Option<Instant>,
) -> Result<Option<Vec<i64>>, Error> {
    let few = FEW.min(WORDS / wanted.query.word_count().max(1));
    let filter = wanted.filter;
    if !filter.ids.is_empty() && filter.ids.len() <= few {
        return Ok(Some(filter.ids.iter().map(|id| id.get()).collect()));
    }
    let too_many = few + 1;
    let mut parts = Vec::new();
    let mut dates = String::new();
    // A write to a string does not fail. The least number has no form in SQL.
    if let Some(from) = filter.published_after {
        let _ = write!(dates, " AND published_at >= {}", from.millis().max(-i64::MAX));
    }
    if let Some(until) = until {
        let _ = write!(dates, " AND published_at <= {}", until.millis().max(-i64::MAX));
    }
    let listing = stage_number(wanted.stage).min(facet::LIVE_LISTING);
    let everything = Listed::everything();
    let is_dated = filter.published_after.or(filter.published_before).is_some();
    let listed = conditions.iter().chain(is_dated.then_some(&everything));
    for (number, Listed { kind, ids, .. }) in listed.enumerate() {
        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        parts.push(format!(
            "SELECT {number} AS condition, article_id FROM (SELECT article_id FROM content_facets \
             WHERE listing = {listing} AND kind = {kind} AND facet_id IN ({ids}){dates} LIMIT {too_many}) \
             AS condition_{number}"
        ));
    }
    if let Some(user) = wanted.only_own {
        let draft = stage_number(Stage::Draft);
        parts.push(format!(
            "SELECT {OWN} AS condition, article_id FROM (SELECT id AS article_id FROM articles \
             WHERE created_by = {user} LIMIT {too_many}) AS made"
        ));
        parts.push(format!(
            "SELECT {OWN} AS condition, article_id FROM (SELECT b.article_id FROM authors a \
             CROSS JOIN content_bylines b WHERE a.user_id = {user} AND b.author_id = a.id AND b.stage = {draft} \
             LIMIT {too_many}) AS named",
        ));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let sql = parts.join(" UNION ALL ");
    let rows: Vec<Row> = on_either!(db, conn => diesel::sql_query(sql).load(conn))?;
    let mut met = BTreeMap::<i32, Vec<i64>>::new();
    for Row { condition, article_id } in rows {
        met.entry(condition).or_default().push(article_id);
    }
    let mut numbers: Vec<i32> = (0..).take(conditions.len() + usize::from(is_dated)).collect();
    numbers.extend(wanted.only_own.map(|_| OWN));
    // What nothing meets has no rows.
    let narrowest = numbers.iter().map(|number| met.remove(number).unwrap_or_default()).min_by_key(Vec::len);
    Ok(narrowest.filter(|articles| articles.len() <= few).map(|articles| {
        // A document is under several of the ids, or both made and named.
        articles.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
    }))
}
