//! Releases in the database.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    articles, audit,
    conn::{Backend, Db, on_either},
    schema::{article_contents as contents, articles as article_table, release_items, releases, users},
    tags::bad_cursor,
};
use crate::domain::{
    article::Stage,
    error::Error,
    id::{ArticleId, ReleaseId, UserId},
    instant::Instant,
    page::{Page, PageRequest, SortValue},
    release::{Release, ReleaseAction, ReleaseItem, ReleaseState},
    user::UserCard,
};

/// The only order of a list of releases: the newest first.
pub const ORDER: &str = "-created_at";

type Row = (i64, String, Option<String>, String, Option<i64>, i64, i64, i64, (i64, String));

/// Releases with who made them.
macro_rules! release_rows {
    () => {
        releases::table.inner_join(users::table.on(users::id.eq(releases::created_by))).select((
            releases::id,
            releases::name,
            releases::description,
            releases::state,
            releases::at,
            releases::version,
            releases::created_at,
            releases::updated_at,
            (users::id, users::name),
        ))
    };
}

fn read(row: Row, items: Vec<ReleaseItem>) -> Result<Release, Error> {
    let (id, name, description, state, at, version, created_at, updated_at, (user, user_name)) = row;
    Ok(Release {
        id: ReleaseId::new(id),
        name,
        description,
        state: state.parse()?,
        at: at.map(Instant::from_millis),
        items,
        version,
        created_by: UserCard { id: UserId::new(user), name: user_name },
        created_at: Instant::from_millis(created_at),
        updated_at: Instant::from_millis(updated_at),
    })
}

/// The articles of a page of releases, in order; one statement whatever their number.
fn items(db: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<ReleaseItem>>, Error> {
    let rows: Vec<(i64, i64, String, String, String)> = release_items::table
        .inner_join(article_table::table.on(article_table::id.eq(release_items::article_id)))
        .inner_join(
            contents::table.on(contents::article_id
                .eq(release_items::article_id)
                .and(contents::stage.eq(articles::stage_number(Stage::Draft)))),
        )
        .filter(release_items::release_id.eq_any(ids))
        .order((release_items::release_id, release_items::position))
        .select((
            release_items::release_id,
            release_items::article_id,
            contents::headline,
            article_table::state,
            release_items::action,
        ))
        .load(db)?;
    let mut items = HashMap::<i64, Vec<_>>::new();
    for (release, article, headline, state, action) in rows {
        items.entry(release).or_default().push(ReleaseItem {
            article_id: ArticleId::new(article),
            headline,
            state: state.parse()?,
            action: action.parse()?,
        });
    }
    Ok(items)
}

/// A page of releases, the newest first.
pub fn list(db: &mut Db, state: Option<ReleaseState>, request: &PageRequest) -> Result<Page<Release>, Error> {
    let filtered = || {
        let query = release_rows!().into_boxed::<Backend>();
        match state {
            Some(state) => query.filter(releases::state.eq(state.as_str())),
            None => query,
        }
    };
    let total = match (request.count, state) {
        (false, _) => None,
        (true, None) => Some(releases::table.count().get_result(db)?),
        (true, Some(state)) => {
            Some(releases::table.filter(releases::state.eq(state.as_str())).count().get_result(db)?)
        }
    };
    let mut query = filtered().limit(request.fetch()).offset(request.offset());
    if let Some(cursor) = request.cursor() {
        let SortValue::Number(_) = cursor.value else { return Err(bad_cursor()) };
        query = if request.backwards() {
            query.filter(releases::id.gt(cursor.id))
        } else {
            query.filter(releases::id.lt(cursor.id))
        };
    }
    query =
        if request.backwards() { query.order(releases::id.asc()) } else { query.order(releases::id.desc()) };
    let rows: Vec<Row> = query.load(db)?;
    let key = |row: &Row| (SortValue::Number(row.6), row.0);
    let Page { items: rows, limit, next, prev, total } = Page::from_rows(rows, request, ORDER, total, key);
    let mut of_releases = items(db, &rows.iter().map(|row| row.0).collect::<Vec<_>>())?;
    let read = |row: Row| {
        let items = of_releases.remove(&row.0).unwrap_or_default();
        read(row, items)
    };
    Ok(Page { items: rows.into_iter().map(read).collect::<Result<_, _>>()?, limit, next, prev, total })
}

/// One release.
pub fn find(db: &mut Db, id: ReleaseId) -> Result<Option<Release>, Error> {
    let row: Option<Row> = release_rows!().filter(releases::id.eq(id.get())).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    let items = items(db, &[id.get()])?.remove(&id.get()).unwrap_or_default();
    read(row, items).map(Some)
}

/// One release, held to the end of the transaction.
pub fn lock(db: &mut Db, id: ReleaseId) -> Result<Option<Release>, Error> {
    audit::about("release", id.get());
    if let Db::Postgres(conn) = db {
        releases::table.find(id.get()).select(releases::id).for_update().first::<i64>(conn).optional()?;
    }
    find(db, id)
}

/// Adds a release; its articles are for [`set_items`].
pub fn insert(db: &mut Db, release: &Release) -> Result<(), Error> {
    audit::about("release", release.id.get());
    diesel::insert_into(releases::table)
        .values((
            releases::id.eq(release.id.get()),
            releases::name.eq(&release.name),
            releases::description.eq(&release.description),
            releases::state.eq(release.state.as_str()),
            releases::at.eq(release.at.map(Instant::millis)),
            releases::version.eq(release.version),
            releases::created_by.eq(release.created_by.id.get()),
            releases::created_at.eq(release.created_at.millis()),
            releases::updated_at.eq(release.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Writes a release, which is locked; its articles are for [`set_items`].
pub fn update(db: &mut Db, release: &Release) -> Result<(), Error> {
    diesel::update(releases::table.find(release.id.get()))
        .set((
            releases::name.eq(&release.name),
            releases::description.eq(&release.description),
            releases::state.eq(release.state.as_str()),
            releases::at.eq(release.at.map(Instant::millis)),
            releases::version.eq(release.version),
            releases::updated_at.eq(release.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Puts articles in the place of those that a release had.
pub fn set_items(db: &mut Db, id: ReleaseId, items: &[(ArticleId, ReleaseAction)]) -> Result<(), Error> {
    diesel::delete(release_items::table.filter(release_items::release_id.eq(id.get()))).execute(db)?;
    let row = |((article, action), position): (&(ArticleId, ReleaseAction), i32)| {
        (
            release_items::release_id.eq(id.get()),
            release_items::article_id.eq(article.get()),
            release_items::position.eq(position),
            release_items::action.eq(action.as_str()),
        )
    };
    let rows: Vec<_> = items.iter().zip(0..).map(row).collect();
    if !rows.is_empty() {
        on_either!(db, conn => diesel::insert_into(release_items::table).values(&rows).execute(conn))?;
    }
    Ok(())
}

/// Deletes a release.
pub fn delete(db: &mut Db, id: ReleaseId) -> Result<(), Error> {
    diesel::delete(releases::table.find(id.get())).execute(db)?;
    Ok(())
}

/// The condition that a release was due by an instant.
#[diesel::dsl::auto_type]
fn is_due_by(now: Instant) -> _ {
    let (now, scheduled): (i64, &'static str) = (now.millis(), ReleaseState::Scheduled.as_str());
    releases::state.eq(scheduled).and(releases::at.le(now))
}

/// Whether any release that took effect by an instant is not noted as such.
pub fn is_due(db: &mut Db, now: Instant) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(releases::table.filter(is_due_by(now)))).get_result(db)?)
}

/// Notes of the releases that took effect by an instant that they did.
pub fn settle(db: &mut Db, now: Instant) -> Result<(), Error> {
    let due = releases::table.filter(is_due_by(now));
    diesel::update(due).set(releases::state.eq(ReleaseState::Released.as_str())).execute(db)?;
    Ok(())
}
