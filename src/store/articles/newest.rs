//! The newest articles under several things at once, in one statement.

use std::fmt::Write as _;

use diesel::{
    QueryableByName, RunQueryDsl as _,
    sql_types::{BigInt, Integer},
};

use super::{
    super::conn::{Db, on_either},
    facet,
};
use crate::domain::{error::Error, id::ArticleId, instant::Instant};

/// Something under which articles are listed, and how many of them are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Shelf {
    kind: i16,
    id: i64,
    limit: usize,
}

impl Shelf {
    /// All articles.
    pub const fn everything(limit: usize) -> Self {
        Self { kind: facet::EVERYTHING, id: 0, limit }
    }

    /// Those of a section and of the sections below it.
    pub const fn section(id: i64, limit: usize) -> Self {
        Self { kind: facet::SECTION, id, limit }
    }

    /// Those of a section only.
    pub const fn section_exact(id: i64, limit: usize) -> Self {
        Self { kind: facet::SECTION_EXACT, id, limit }
    }

    /// Those with a tag.
    pub const fn tag(id: i64, limit: usize) -> Self {
        Self { kind: facet::TAG, id, limit }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    shelf: i32,
    #[diesel(sql_type = BigInt)]
    article_id: i64,
    #[diesel(sql_type = BigInt)]
    published_at: i64,
}

/// The newest articles on each shelf that readers can see, with their publication, the newest first. One statement, which
/// walks the index of each facet no further than it has to. Diesel's combined backend has no `UNION`; nothing but numbers
/// goes into the text.
pub fn newest(db: &mut Db, shelves: &[Shelf], now: Instant) -> Result<Vec<Vec<(ArticleId, Instant)>>, Error> {
    let mut found = vec![Vec::new(); shelves.len()];
    let (listing, now) = (facet::LIVE_LISTING, now.millis());
    let mut sql = String::new();
    for (index, Shelf { kind, id, limit }) in shelves.iter().enumerate() {
        let union = if index == 0 { "" } else { " UNION ALL " };
        // A write to a string does not fail.
        let _ = write!(
            sql,
            "{union}SELECT * FROM (SELECT {index} AS shelf, f.article_id, f.published_at FROM content_facets f \
             JOIN article_contents c ON c.article_id = f.article_id AND c.stage = f.stage \
             WHERE f.listing = {listing} AND f.kind = {kind} AND f.facet_id = {id} AND f.published_at <= {now} \
             AND c.live_from <= {now} AND (c.live_until IS NULL OR c.live_until > {now}) \
             ORDER BY f.published_at DESC, f.article_id DESC LIMIT {limit}) AS shelf_{index}"
        );
    }
    if sql.is_empty() {
        return Ok(found);
    }
    let rows: Vec<Row> = on_either!(db, conn => diesel::sql_query(sql).load(conn))?;
    for Row { shelf, article_id, published_at } in rows {
        if let Some(shelf) = usize::try_from(shelf).ok().and_then(|shelf| found.get_mut(shelf)) {
            shelf.push((ArticleId::new(article_id), Instant::from_millis(published_at)));
        }
    }
    for shelf in &mut found {
        shelf.sort_unstable_by_key(|(id, at)| std::cmp::Reverse((*at, *id)));
    }
    Ok(found)
}
