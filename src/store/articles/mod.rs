//! Articles in the database: the record that an edit does not change, and the document in its two stages.

mod among;
mod bodies;
pub mod corrections;
pub mod facet;
mod links;
mod list;
mod load;
mod narrow;
mod newest;
pub mod notes;
pub mod previews;
mod refs;
pub mod revisions;
mod save;
mod search;
pub mod sitemap;

use diesel::prelude::*;

use self::refs::StageDates;
pub use self::{
    among::{linking, live_among},
    bodies::{SharedBody, body_of},
    links::{delete_target, inbound, links_of, public_cards, refresh},
    list::list,
    load::{Audience, LoadContext, get, get_by_slug, get_snapshot, get_stage},
    newest::{Shelf, newest},
    refs::{due, existing, next_due, public_slug, retraction_reason, scheduled_revision, slug_of},
    save::{
        Dates, Over, Slot, copy_facets, remove, rewrite_refs, save, set_live_until, set_scheduled_revision,
        set_updated,
    },
    search::{Found, Search, search},
};
use super::{
    audit,
    conn::{Db, load_among, on_either},
    from_json,
    prepared::change,
    schema::{article_edits, articles, authors, content_bylines},
    sections, to_json,
};
use crate::domain::{
    article::{ArticleRecord, Document, Stage},
    error::Error,
    id::{ArticleId, ReleaseId, UserId},
    instant::Instant,
};

/// A stage as it is stored.
pub(super) const fn stage_number(stage: Stage) -> i16 {
    match stage {
        Stage::Draft => 0,
        Stage::Live => 1,
        Stage::Scheduled => 2,
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = articles, treat_none_as_null = true, treat_none_as_default_value = false)]
struct ArticleRow {
    id: i64,
    state: String,
    version: i64,
    live_version: Option<i64>,
    created_by: i64,
    created_at: i64,
    first_published_at: Option<i64>,
    assignee_id: Option<i64>,
    retraction_reason: Option<String>,
    release_id: Option<i64>,
}

impl From<&ArticleRecord> for ArticleRow {
    fn from(article: &ArticleRecord) -> Self {
        Self {
            id: article.id.get(),
            state: article.state.as_str().to_owned(),
            version: article.version,
            live_version: article.live_version,
            created_by: article.created_by.get(),
            created_at: article.created_at.millis(),
            first_published_at: article.first_published_at.map(Instant::millis),
            assignee_id: article.assignee.map(UserId::get),
            retraction_reason: article.retraction_reason.clone(),
            release_id: article.release.map(ReleaseId::get),
        }
    }
}

fn record(row: ArticleRow, byline_users: Vec<UserId>, dates: &StageDates) -> Result<ArticleRecord, Error> {
    let dates_of = |stage| dates.get(&(row.id, stage_number(stage))).copied();
    Ok(ArticleRecord {
        id: ArticleId::new(row.id),
        state: row.state.parse()?,
        version: row.version,
        live_version: row.live_version,
        created_by: UserId::new(row.created_by),
        created_at: Instant::from_millis(row.created_at),
        first_published_at: row.first_published_at.map(Instant::from_millis),
        assignee: row.assignee_id.map(UserId::new),
        retraction_reason: row.retraction_reason.clone(),
        release: row.release_id.map(ReleaseId::new),
        live: dates_of(Stage::Live),
        scheduled: dates_of(Stage::Scheduled),
        byline_users,
    })
}

/// The record of an article.
pub fn find_record(db: &mut Db, id: ArticleId) -> Result<Option<ArticleRecord>, Error> {
    let row = on_either!(&mut *db, conn => articles::table
        .find(id.get())
        .select(ArticleRow::as_select())
        .first(conn)
        .optional())?;
    let Some(row) = row else { return Ok(None) };
    let users = byline_users(db, &[id])?;
    let dates = refs::stage_dates(db, &[id.get()])?;
    record(row, users.into_iter().map(|(_, user)| user).collect(), &dates).map(Some)
}

/// The records of a page of articles; three statements whatever their number.
pub fn records(db: &mut Db, ids: &[ArticleId]) -> Result<Vec<ArticleRecord>, Error> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<ArticleRow> =
        load_among!(db, articles::table.select(ArticleRow::as_select()), articles::id, numbers)?;
    let users = byline_users(db, ids)?;
    let dates = refs::stage_dates(db, &numbers)?;
    rows.into_iter()
        .map(|row| {
            let of_article = users.iter().filter(|(article, _)| article.get() == row.id);
            let of_article = of_article.map(|(_, user)| *user).collect();
            record(row, of_article, &dates)
        })
        .collect()
}

fn byline_users(db: &mut Db, ids: &[ArticleId]) -> Result<Vec<(ArticleId, UserId)>, Error> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<(i64, Option<i64>)> = load_among!(
        db,
        content_bylines::table
            .inner_join(authors::table)
            .filter(content_bylines::stage.eq(stage_number(Stage::Draft)))
            .filter(authors::user_id.is_not_null())
            .select((content_bylines::article_id, authors::user_id)),
        content_bylines::article_id,
        numbers
    )?;
    let users =
        rows.into_iter().filter_map(|(article, user)| Some((ArticleId::new(article), UserId::new(user?))));
    Ok(users.collect())
}

/// The record of an article, held to the end of the transaction so that two writers of one article go one after the
/// other. (SQLite has one writer anyway.)
///
/// The tree of sections is held before: one that changes the tree holds it too, and then waits for documents and for the
/// order of changes. The lock is not one against links from other articles, which look at the id alone.
pub fn lock_record(db: &mut Db, id: ArticleId) -> Result<Option<ArticleRecord>, Error> {
    sections::hold(db)?;
    audit::about("article", id.get());
    if let Db::Postgres(conn) = db {
        let record = articles::table.find(id.get()).select(articles::id);
        record.for_no_key_update().first::<i64>(conn).optional()?;
    }
    find_record(db, id)
}

/// Adds an article.
pub fn insert_record(db: &mut Db, article: &ArticleRecord) -> Result<(), Error> {
    let row = ArticleRow::from(article);
    on_either!(db, conn => change!(conn, diesel::insert_into(articles::table).values(row)))?;
    audit::about("article", article.id.get());
    Ok(())
}

/// Counts the draft one version up.
///
/// # Errors
/// [`Error::Stale`] if somebody else has done so since `from` was read.
pub fn advance_version(db: &mut Db, id: ArticleId, from: i64) -> Result<i64, Error> {
    let target = articles::table.find(id.get()).filter(articles::version.eq(from));
    match diesel::update(target).set(articles::version.eq(from + 1)).execute(db)? {
        1 => Ok(from + 1),
        _ => Err(Error::Stale { current_version: from + 1, changed: Vec::new() }),
    }
}

/// Writes what a step of the workflow changed; the record is locked.
pub fn update_record(db: &mut Db, article: &ArticleRecord) -> Result<(), Error> {
    let update = diesel::update(articles::table.find(article.id.get())).set(ArticleRow::from(article));
    on_either!(db, conn => change!(conn, update))?;
    Ok(())
}

/// Deletes an article with its documents; its names are for [`super::slugs::forget`].
pub fn delete(db: &mut Db, id: ArticleId) -> Result<(), Error> {
    super::search::forget(id);
    diesel::delete(articles::table.find(id.get())).execute(db)?;
    Ok(())
}

/// Versions of a draft whose documents are kept, the present one included, so that edits of them can be merged.
const KEPT_VERSIONS: i64 = 100;

/// Notes which fields and parts an edit touched, and the document that the draft was before. The making of an article is
/// no edit.
pub fn record_edit(
    db: &mut Db,
    id: ArticleId,
    version: i64,
    at: Instant,
    actor: UserId,
    changed: &[String],
    before: &Document,
) -> Result<(), Error> {
    let insert = diesel::insert_into(article_edits::table).values((
        article_edits::article_id.eq(id.get()),
        article_edits::version.eq(version),
        article_edits::at.eq(at.millis()),
        article_edits::actor_id.eq(actor.get()),
        article_edits::changed.eq(to_json(&changed)?),
        article_edits::document_before.eq(to_json(before)?),
    ));
    on_either!(&mut *db, conn => change!(conn, insert))?;
    // That edit keeps the version before it.
    let outdated = version - KEPT_VERSIONS + 1;
    if outdated > 1 {
        diesel::update(article_edits::table.find((id.get(), outdated)))
            .set(article_edits::document_before.eq(None::<String>))
            .execute(db)?;
    }
    Ok(())
}

/// The document that a draft was at a version that is not its present one, if it is still kept.
pub fn document_at(db: &mut Db, id: ArticleId, version: i64) -> Result<Option<Document>, Error> {
    let next = article_edits::table.find((id.get(), version.saturating_add(1)));
    let document = next.select(article_edits::document_before).first::<Option<String>>(db).optional()?;
    let document = document.flatten();
    document.map(|document| from_json("article_edits.document_before", &document)).transpose()
}

/// What was touched after a version, each once, in the order of the edits.
pub fn changed_since(db: &mut Db, id: ArticleId, version: i64) -> Result<Vec<String>, Error> {
    let rows: Vec<String> = article_edits::table
        .filter(article_edits::article_id.eq(id.get()))
        .filter(article_edits::version.gt(version))
        .order(article_edits::version)
        .select(article_edits::changed)
        .load(db)?;
    let mut changed = Vec::new();
    for row in rows {
        for name in from_json::<Vec<String>>("article_edits.changed", &row)? {
            if !changed.contains(&name) {
                changed.push(name);
            }
        }
    }
    Ok(changed)
}
