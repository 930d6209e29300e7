//! Preview links in the database, by the hash of their token. One that has expired counts as gone.

use diesel::{dsl::exists, prelude::*};

use super::super::{
    conn::Db,
    from_json,
    schema::{previews, users},
    to_json,
};
use crate::domain::{
    article::Article,
    error::Error,
    id::{ArticleId, PreviewId, UserId},
    instant::Instant,
    preview::Preview,
    user::UserCard,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = previews)]
struct PreviewRow {
    id: i64,
    note: Option<String>,
    version: Option<i64>,
    created_at: i64,
    expires_at: i64,
    opened_count: i64,
    last_opened_at: Option<i64>,
}

fn preview((row, (user, name)): (PreviewRow, (i64, String))) -> Preview {
    Preview {
        id: PreviewId::new(row.id),
        note: row.note,
        version: row.version,
        created_by: UserCard { id: UserId::new(user), name },
        created_at: Instant::from_millis(row.created_at),
        expires_at: Instant::from_millis(row.expires_at),
        opened_count: row.opened_count,
        last_opened_at: row.last_opened_at.map(Instant::from_millis),
    }
}

/// The previews of an article that have not ended, the newest first.
pub fn list(db: &mut Db, article: ArticleId, now: Instant) -> Result<Vec<Preview>, Error> {
    let rows: Vec<(PreviewRow, (i64, String))> = previews::table
        .inner_join(users::table)
        .filter(previews::article_id.eq(article.get()))
        .filter(previews::expires_at.gt(now.millis()))
        .order(previews::id.desc())
        .select((PreviewRow::as_select(), (users::id, users::name)))
        .load(db)?;
    Ok(rows.into_iter().map(preview).collect())
}

/// Adds a preview; with a snapshot it shows that.
pub fn insert(
    db: &mut Db,
    article: ArticleId,
    preview: &Preview,
    token_hash: &str,
    snapshot: Option<&Article>,
) -> Result<(), Error> {
    diesel::insert_into(previews::table)
        .values((
            previews::id.eq(preview.id.get()),
            previews::article_id.eq(article.get()),
            previews::token_hash.eq(token_hash),
            previews::note.eq(preview.note.as_deref()),
            previews::version.eq(preview.version),
            previews::snapshot.eq(snapshot.map(to_json).transpose()?),
            previews::created_by.eq(preview.created_by.id.get()),
            previews::created_at.eq(preview.created_at.millis()),
            previews::expires_at.eq(preview.expires_at.millis()),
            previews::opened_count.eq(preview.opened_count),
            previews::last_opened_at.eq(preview.last_opened_at.map(Instant::millis)),
        ))
        .execute(db)?;
    Ok(())
}

/// Whether there is a preview with this token.
pub fn is_valid(db: &mut Db, token_hash: &str, now: Instant) -> Result<bool, Error> {
    let valid = previews::table
        .filter(previews::token_hash.eq(token_hash.to_owned()))
        .filter(previews::expires_at.gt(now.millis()));
    Ok(diesel::select(exists(valid)).get_result(db)?)
}

/// Counts an opening of the preview with this token, and tells its article and what it is pinned to.
pub fn open(
    db: &mut Db,
    token_hash: &str,
    now: Instant,
) -> Result<Option<(ArticleId, Option<Article>)>, Error> {
    let valid = previews::table
        .filter(previews::token_hash.eq(token_hash))
        .filter(previews::expires_at.gt(now.millis()));
    let opened = diesel::update(valid)
        .set((
            previews::opened_count.eq(previews::opened_count + 1),
            previews::last_opened_at.eq(now.millis()),
        ))
        .execute(db)?;
    if opened == 0 {
        return Ok(None);
    }
    let (article, snapshot): (i64, Option<String>) = previews::table
        .filter(previews::token_hash.eq(token_hash))
        .select((previews::article_id, previews::snapshot))
        .first(db)?;
    let snapshot = snapshot.map(|snapshot| from_json("previews.snapshot", &snapshot)).transpose()?;
    Ok(Some((ArticleId::new(article), snapshot)))
}

/// Ends a preview; false if the article has none of that id.
pub fn delete(db: &mut Db, article: ArticleId, id: PreviewId) -> Result<bool, Error> {
    let preview = previews::table.find(id.get()).filter(previews::article_id.eq(article.get()));
    Ok(diesel::delete(preview).execute(db)? == 1)
}

/// Deletes the previews of an article that have expired.
pub fn delete_expired(db: &mut Db, article: ArticleId, now: Instant) -> Result<(), Error> {
    let of_article = previews::table.filter(previews::article_id.eq(article.get()));
    diesel::delete(of_article.filter(previews::expires_at.le(now.millis()))).execute(db)?;
    Ok(())
}
