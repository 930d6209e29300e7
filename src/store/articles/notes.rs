//! The thread of an article, and who is editing it.

use diesel::prelude::*;

use super::super::{
    conn::{Backend, Db, on_either},
    prepared::change,
    schema::{article_locks, article_notes, users},
    tags::bad_cursor,
};
use crate::domain::{
    error::Error,
    id::{ArticleId, BlockId, NoteId, UserId},
    instant::Instant,
    note::{EditLock, NewNote, Note},
    page::{Page, PageRequest, SortValue},
    user::UserCard,
};

/// The only order of a thread: the oldest first.
pub const ORDER: &str = "created_at";

type Row = (i64, String, Option<String>, Option<i64>, i64, i64, (i64, String));

/// Entries with who wrote them.
macro_rules! note_rows {
    () => {
        article_notes::table.inner_join(users::table).select((
            article_notes::id,
            article_notes::kind,
            article_notes::text,
            article_notes::block_id,
            article_notes::created_at,
            article_notes::updated_at,
            (users::id, users::name),
        ))
    };
}

fn read(row: Row) -> Result<Note, Error> {
    let (id, kind, text, block, created_at, updated_at, (author, name)) = row;
    Ok(Note {
        id: NoteId::new(id),
        kind: kind.parse()?,
        text,
        block_id: block.map(BlockId::new),
        author: UserCard { id: UserId::new(author), name },
        created_at: Instant::from_millis(created_at),
        updated_at: Instant::from_millis(updated_at),
    })
}

/// Adds an entry.
pub fn add(db: &mut Db, id: NoteId, note: &NewNote, at: Instant) -> Result<(), Error> {
    let insert = diesel::insert_into(article_notes::table).values((
        article_notes::id.eq(id.get()),
        article_notes::article_id.eq(note.article.get()),
        article_notes::author_id.eq(note.author.get()),
        article_notes::kind.eq(note.kind.as_str()),
        article_notes::text.eq(&note.text),
        article_notes::block_id.eq(note.block_id.map(BlockId::get)),
        article_notes::created_at.eq(at.millis()),
        article_notes::updated_at.eq(at.millis()),
    ));
    on_either!(db, conn => change!(conn, insert))?;
    Ok(())
}

/// A page of a thread, the oldest entries first.
pub fn list(db: &mut Db, article: ArticleId, request: &PageRequest) -> Result<Page<Note>, Error> {
    let of_article = article_notes::article_id.eq(article.get());
    let total = match request.count {
        true => Some(article_notes::table.filter(of_article).count().get_result(db)?),
        false => None,
    };
    let mut query = note_rows!().filter(of_article).limit(request.fetch()).into_boxed::<Backend>();
    if let Some(cursor) = request.cursor() {
        let SortValue::Number(_) = cursor.value else { return Err(bad_cursor()) };
        query = if request.backwards() {
            query.filter(article_notes::id.lt(cursor.id))
        } else {
            query.filter(article_notes::id.gt(cursor.id))
        };
    }
    query = if request.backwards() {
        query.order(article_notes::id.desc())
    } else {
        query.order(article_notes::id.asc())
    };
    let rows: Vec<Row> = query.load(db)?;
    let notes = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    let key = |note: &Note| (SortValue::Number(note.created_at.millis()), note.id.get());
    Ok(Page::from_rows(notes, request, ORDER, total, key))
}

/// One entry of a thread.
pub fn find(db: &mut Db, article: ArticleId, id: NoteId) -> Result<Option<Note>, Error> {
    let row = note_rows!()
        .filter(article_notes::article_id.eq(article.get()))
        .filter(article_notes::id.eq(id.get()))
        .first(db)
        .optional()?;
    row.map(read).transpose()
}

/// Writes another text into an entry.
pub fn set_text(db: &mut Db, article: ArticleId, id: NoteId, text: &str, at: Instant) -> Result<(), Error> {
    diesel::update(article_notes::table.find((article.get(), id.get())))
        .set((article_notes::text.eq(text), article_notes::updated_at.eq(at.millis())))
        .execute(db)?;
    Ok(())
}

/// Deletes an entry.
pub fn delete(db: &mut Db, article: ArticleId, id: NoteId) -> Result<(), Error> {
    diesel::delete(article_notes::table.find((article.get(), id.get()))).execute(db)?;
    Ok(())
}

/// Who says that they are editing an article now.
pub fn find_lock(db: &mut Db, article: ArticleId, now: Instant) -> Result<Option<EditLock>, Error> {
    let row: Option<(i64, String, i64, i64)> = article_locks::table
        .inner_join(users::table)
        .filter(article_locks::article_id.eq(article.get()))
        .filter(article_locks::expires_at.gt(now.millis()))
        .select((users::id, users::name, article_locks::acquired_at, article_locks::expires_at))
        .first(db)
        .optional()?;
    Ok(row.map(|(holder, name, acquired_at, expires_at)| EditLock {
        article_id: article,
        holder: UserCard { id: UserId::new(holder), name },
        acquired_at: Instant::from_millis(acquired_at),
        expires_at: Instant::from_millis(expires_at),
    }))
}

/// Notes who is editing an article, in the place of whoever did so before.
pub fn set_lock(db: &mut Db, lock: &EditLock) -> Result<(), Error> {
    let row = (
        article_locks::article_id.eq(lock.article_id.get()),
        article_locks::holder_id.eq(lock.holder.id.get()),
        article_locks::acquired_at.eq(lock.acquired_at.millis()),
        article_locks::expires_at.eq(lock.expires_at.millis()),
    );
    on_either!(db, conn => diesel::insert_into(article_locks::table)
        .values(row)
        .on_conflict(article_locks::article_id)
        .do_update()
        .set(row)
        .execute(conn))?;
    Ok(())
}

/// Forgets who is editing an article.
pub fn remove_lock(db: &mut Db, article: ArticleId) -> Result<(), Error> {
    diesel::delete(article_locks::table.find(article.get())).execute(db)?;
    Ok(())
}
