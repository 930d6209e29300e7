//! What documents refer to.

use std::collections::{HashMap, HashSet};

use diesel::{dsl::sql, expression::SqlLiteral, prelude::*, sql_types::Bool};

use super::{
    super::{
        conn::{Db, load_among},
        schema::{article_contents as contents, articles, authors, sections, slugs, tags},
    },
    stage_number,
};
use crate::domain::{
    article::{LiveDates, Stage},
    change::Entity,
    error::Error,
    id::ArticleId,
    instant::Instant,
    slug::Reference,
    workflow::State,
};

/// Which of these things exist.
pub fn existing(db: &mut Db, entity: Entity, ids: &[i64]) -> Result<HashSet<i64>, Error> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<i64> = match entity {
        Entity::Section => load_among!(db, sections::table.select(sections::id), sections::id, ids)?,
        Entity::Tag => load_among!(db, tags::table.select(tags::id), tags::id, ids)?,
        Entity::Author => load_among!(db, authors::table.select(authors::id), authors::id, ids)?,
        Entity::Article => load_among!(db, articles::table.select(articles::id), articles::id, ids)?,
        Entity::Site | Entity::Redirect => Vec::new(),
    };
    Ok(found.into_iter().collect())
}

/// The dates of documents by article and stage.
pub(super) type StageDates = HashMap<(i64, i16), LiveDates>;

/// The dates of the live and scheduled documents of these articles.
pub(super) fn stage_dates(db: &mut Db, ids: &[i64]) -> Result<StageDates, Error> {
    type Row = (i64, i16, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = load_among!(
        db,
        contents::table.filter(contents::stage.ge(stage_number(Stage::Live))).select((
            contents::article_id,
            contents::stage,
            contents::version,
            contents::live_from,
            contents::live_until,
            contents::planned_until,
            contents::published_at,
        )),
        contents::article_id,
        ids
    )?;
    let dates = rows.into_iter().filter_map(|(id, stage, version, from, until, planned, published_at)| {
        let dates = LiveDates {
            version,
            live_from: Instant::from_millis(from?),
            live_until: until.map(Instant::from_millis),
            planned_until: planned.map(Instant::from_millis),
            published_at: Instant::from_millis(published_at?),
        };
        Some(((id, stage), dates))
    });
    Ok(dates.collect())
}

/// That a document is a scheduled one, as the index of those says it: with a parameter it would not be found.
fn is_scheduled() -> SqlLiteral<Bool> {
    sql("article_contents.stage = 2")
}

/// Articles for which something is due by an instant: a scheduled version takes effect or a live one ends. The
/// earliest come first.
pub fn due(db: &mut Db, now: Instant, limit: i64) -> Result<Vec<ArticleId>, Error> {
    let begun: Vec<(i64, Option<i64>)> = contents::table
        .filter(is_scheduled())
        .filter(contents::live_from.le(now.millis()))
        .order(contents::live_from)
        .limit(limit)
        .select((contents::article_id, contents::live_from))
        .load(db)?;
    let ended: Vec<(i64, Option<i64>)> = contents::table
        .filter(contents::stage.eq(stage_number(Stage::Live)))
        .filter(contents::live_until.le(now.millis()))
        .order(contents::live_until)
        .limit(limit)
        .select((contents::article_id, contents::live_until))
        .load(db)?;
    let mut due: Vec<_> = begun.into_iter().chain(ended).map(|(id, at)| (at, id)).collect();
    due.sort_unstable();
    let mut ids: Vec<_> = due.into_iter().map(|(_, id)| ArticleId::new(id)).collect();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// The next instant at which readers will see something else by itself, if there is one.
pub fn next_due(db: &mut Db, now: Instant) -> Result<Option<Instant>, Error> {
    let begins: Option<Option<i64>> = contents::table
        .filter(is_scheduled())
        .filter(contents::live_from.gt(now.millis()))
        .order(contents::live_from)
        .select(contents::live_from)
        .first(db)
        .optional()?;
    let ends = |stage| {
        contents::table
            .filter(contents::stage.eq(stage_number(stage)))
            .filter(contents::live_until.gt(now.millis()))
            .order(contents::live_until)
            .select(contents::live_until)
    };
    let live: Option<Option<i64>> = ends(Stage::Live).first(db).optional()?;
    // One that took effect by itself a moment ago may not have been recorded yet.
    let scheduled: Option<Option<i64>> = ends(Stage::Scheduled).first(db).optional()?;
    let instants = [begins, live, scheduled].into_iter().flatten().flatten();
    Ok(instants.min().map(Instant::from_millis))
}

/// The slug of the live document.
pub fn public_slug(db: &mut Db, id: ArticleId) -> Result<Option<String>, Error> {
    slug_of(db, id, Stage::Live)
}

/// The slug of the document of a stage.
pub fn slug_of(db: &mut Db, id: ArticleId, stage: Stage) -> Result<Option<String>, Error> {
    let slug = contents::table.find((id.get(), stage_number(stage))).select(contents::slug);
    Ok(slug.first(db).optional()?)
}

/// The revision that the scheduled document is.
pub fn scheduled_revision(db: &mut Db, id: ArticleId) -> Result<Option<i32>, Error> {
    let revision =
        contents::table.find((id.get(), stage_number(Stage::Scheduled))).select(contents::revision);
    Ok(revision.first(db).optional()?.flatten())
}

/// What readers are told of a retracted article that they knew by this name.
pub fn retraction_reason(db: &mut Db, reference: &Reference) -> Result<Option<String>, Error> {
    let retracted = articles::state.eq(State::Retracted.as_str());
    let reason = match reference {
        Reference::Id(id) => articles::table
            .filter(articles::id.eq(*id).and(retracted))
            .select(articles::retraction_reason)
            .first(db),
        Reference::Slug(slug) => articles::table
            .inner_join(slugs::table.on(slugs::entity_id.eq(articles::id)))
            .filter(slugs::kind.eq(Entity::Article.as_str()).and(slugs::slug.eq(slug)))
            .filter(slugs::public.eq(true).and(retracted))
            .select(articles::retraction_reason)
            .first(db),
    };
    Ok(reason.optional()?.flatten())
}
