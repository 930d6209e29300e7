//! Redirects that editors made. Those of renamed things follow from the names in [`super::slugs`].

use diesel::prelude::*;

use super::{
    Lock, audit,
    conn::{Backend, Db},
    exclusive,
    schema::{redirects, users},
    tags::bad_cursor,
};
use crate::domain::{
    error::Error,
    id::{RedirectId, UserId},
    instant::Instant,
    page::{Page, PageRequest, SortValue},
    redirect::Redirect,
    user::UserCard,
};

/// The only order of a list of redirects: by path.
pub const ORDER: &str = "from";

type Row = (i64, String, String, i64, i64, i64, (i64, String));

/// Redirects with who made them.
macro_rules! redirect_rows {
    () => {
        redirects::table.inner_join(users::table.on(users::id.eq(redirects::created_by))).select((
            redirects::id,
            redirects::from_path,
            redirects::target,
            redirects::version,
            redirects::created_at,
            redirects::updated_at,
            (users::id, users::name),
        ))
    };
}

fn read((id, from, to, version, created_at, updated_at, (user, name)): Row) -> Redirect {
    Redirect {
        id: RedirectId::new(id),
        from,
        to,
        version,
        created_by: UserCard { id: UserId::new(user), name },
        created_at: Instant::from_millis(created_at),
        updated_at: Instant::from_millis(updated_at),
    }
}

/// Keeps others from changing redirects until the transaction ends, so that two cannot make a loop between them.
pub fn hold(db: &mut Db) -> Result<(), Error> {
    exclusive(db, Lock::Redirects)
}

/// A page of redirects by path.
pub fn list(db: &mut Db, request: &PageRequest) -> Result<Page<Redirect>, Error> {
    let total = if request.count { Some(redirects::table.count().get_result(db)?) } else { None };
    let mut query = redirect_rows!().limit(request.fetch()).into_boxed::<Backend>();
    if let Some(cursor) = request.cursor() {
        let SortValue::Text(path) = cursor.value.clone() else { return Err(bad_cursor()) };
        query = if request.backwards() {
            query.filter(redirects::from_path.lt(path))
        } else {
            query.filter(redirects::from_path.gt(path))
        };
    }
    query = if request.backwards() {
        query.order(redirects::from_path.desc())
    } else {
        query.order(redirects::from_path.asc())
    };
    let rows: Vec<Row> = query.load(db)?;
    let rows = rows.into_iter().map(read).collect();
    let key = |redirect: &Redirect| (SortValue::Text(redirect.from.clone()), redirect.id.get());
    Ok(Page::from_rows(rows, request, ORDER, total, key))
}

/// One redirect.
pub fn find(db: &mut Db, id: RedirectId) -> Result<Option<Redirect>, Error> {
    let row: Option<Row> = redirect_rows!().filter(redirects::id.eq(id.get())).first(db).optional()?;
    Ok(row.map(read))
}

/// The redirect of a path.
pub fn find_from(db: &mut Db, from: &str) -> Result<Option<Redirect>, Error> {
    let row: Option<Row> = redirect_rows!().filter(redirects::from_path.eq(from)).first(db).optional()?;
    Ok(row.map(read))
}

/// Adds a redirect.
pub fn insert(db: &mut Db, redirect: &Redirect) -> Result<(), Error> {
    audit::about("redirect", redirect.id.get());
    diesel::insert_into(redirects::table)
        .values((
            redirects::id.eq(redirect.id.get()),
            redirects::from_path.eq(&redirect.from),
            redirects::target.eq(&redirect.to),
            redirects::version.eq(redirect.version),
            redirects::created_by.eq(redirect.created_by.id.get()),
            redirects::created_at.eq(redirect.created_at.millis()),
            redirects::updated_at.eq(redirect.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Writes a redirect.
pub fn update(db: &mut Db, redirect: &Redirect) -> Result<(), Error> {
    audit::about("redirect", redirect.id.get());
    diesel::update(redirects::table.find(redirect.id.get()))
        .set((
            redirects::from_path.eq(&redirect.from),
            redirects::target.eq(&redirect.to),
            redirects::version.eq(redirect.version),
            redirects::updated_at.eq(redirect.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Makes redirects that lead to a path lead where it is redirected to, and tells them as they are now. Redirects are held.
pub fn point_on(db: &mut Db, path: &str, to: &str, at: Instant) -> Result<Vec<Redirect>, Error> {
    let rows: Vec<Row> = redirect_rows!().filter(redirects::target.eq(path)).order(redirects::id).load(db)?;
    diesel::update(redirects::table.filter(redirects::target.eq(path)))
        .set((
            redirects::target.eq(to),
            redirects::version.eq(redirects::version + 1),
            redirects::updated_at.eq(at.millis()),
        ))
        .execute(db)?;
    let led_on =
        |old: Redirect| Redirect { to: to.to_owned(), version: old.version + 1, updated_at: at, ..old };
    Ok(rows.into_iter().map(read).map(led_on).collect())
}

/// Deletes a redirect.
pub fn delete(db: &mut Db, id: RedirectId) -> Result<(), Error> {
    audit::about("redirect", id.get());
    diesel::delete(redirects::table.find(id.get())).execute(db)?;
    Ok(())
}
