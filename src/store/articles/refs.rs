//! What documents refer to.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::{
    super::{
        conn::Db,
        schema::{article_contents as contents, articles, authors, sections, tags},
    },
    stage_number,
};
use crate::domain::{article::Stage, change::Entity, error::Error, id::ArticleId, instant::Instant};

/// Which of these things exist.
pub fn existing(db: &mut Db, entity: Entity, ids: &[i64]) -> Result<HashSet<i64>, Error> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<i64> = match entity {
        Entity::Section => sections::table.filter(sections::id.eq_any(ids)).select(sections::id).load(db)?,
        Entity::Tag => tags::table.filter(tags::id.eq_any(ids)).select(tags::id).load(db)?,
        Entity::Author => authors::table.filter(authors::id.eq_any(ids)).select(authors::id).load(db)?,
        Entity::Article => articles::table.filter(articles::id.eq_any(ids)).select(articles::id).load(db)?,
        Entity::Site => Vec::new(),
    };
    Ok(found.into_iter().collect())
}

/// When live documents are and were public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveDates {
    /// When it becomes visible.
    pub live_from: Instant,
    /// When it ceases to be.
    pub live_until: Option<Instant>,
    /// When it was published, as readers see it.
    pub published_at: Instant,
}

/// The dates of those articles that have a live document.
pub fn live_dates(db: &mut Db, ids: &[ArticleId]) -> Result<HashMap<ArticleId, LiveDates>, Error> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    type Row = (i64, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = contents::table
        .filter(contents::article_id.eq_any(numbers))
        .filter(contents::stage.eq(stage_number(Stage::Live)))
        .select((contents::article_id, contents::live_from, contents::live_until, contents::published_at))
        .load(db)?;
    let dates = rows.into_iter().filter_map(|(id, live_from, live_until, published_at)| {
        let dates = LiveDates {
            live_from: Instant::from_millis(live_from?),
            live_until: live_until.map(Instant::from_millis),
            published_at: Instant::from_millis(published_at?),
        };
        Some((ArticleId::new(id), dates))
    });
    Ok(dates.collect())
}
