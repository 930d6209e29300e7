//! Corrections in the database. One whose date is to come belongs to the scheduled version of its article.

use std::collections::HashMap;

use diesel::prelude::*;

use super::super::{
    conn::{Db, load_among},
    schema::corrections,
};
use crate::domain::{
    correction::Correction,
    error::Error,
    id::{ArticleId, BlockId, CorrectionId, UserId},
    instant::Instant,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = corrections)]
struct CorrectionRow {
    id: i64,
    article_id: i64,
    kind: String,
    text: String,
    block_id: Option<i64>,
    published_at: i64,
    created_at: i64,
    updated_at: i64,
}

impl CorrectionRow {
    fn correction(self) -> Result<Correction, Error> {
        Ok(Correction {
            id: CorrectionId::new(self.id),
            kind: self.kind.parse()?,
            text: self.text,
            block_id: self.block_id.map(BlockId::new),
            published_at: Instant::from_millis(self.published_at),
            created_at: Instant::from_millis(self.created_at),
            updated_at: Instant::from_millis(self.updated_at),
        })
    }
}

/// The corrections of a page of articles, in order, by article; also those to come. One statement.
pub fn of_articles(db: &mut Db, ids: &[i64]) -> Result<HashMap<i64, Vec<Correction>>, Error> {
    let rows: Vec<CorrectionRow> = load_among!(
        db,
        corrections::table
            .order((corrections::article_id, corrections::published_at, corrections::id))
            .select(CorrectionRow::as_select()),
        corrections::article_id,
        ids
    )?;
    let mut by_article = HashMap::<i64, Vec<_>>::new();
    for row in rows {
        by_article.entry(row.article_id).or_default().push(row.correction()?);
    }
    Ok(by_article)
}

/// The corrections of one article up to an instant, in order.
pub fn until(db: &mut Db, article: ArticleId, at: Instant) -> Result<Vec<Correction>, Error> {
    let mut all = of_articles(db, &[article.get()])?.remove(&article.get()).unwrap_or_default();
    all.retain(|correction| correction.published_at <= at);
    Ok(all)
}

/// Adds a correction.
pub fn insert(db: &mut Db, article: ArticleId, correction: &Correction, author: UserId) -> Result<(), Error> {
    diesel::insert_into(corrections::table)
        .values((
            corrections::id.eq(correction.id.get()),
            corrections::article_id.eq(article.get()),
            corrections::kind.eq(correction.kind.as_str()),
            corrections::text.eq(&correction.text),
            corrections::block_id.eq(correction.block_id.map(BlockId::get)),
            corrections::published_at.eq(correction.published_at.millis()),
            corrections::created_by.eq(author.get()),
            corrections::created_at.eq(correction.created_at.millis()),
            corrections::updated_at.eq(correction.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Writes what was changed of a correction.
pub fn update(db: &mut Db, correction: &Correction) -> Result<(), Error> {
    diesel::update(corrections::table.find(correction.id.get()))
        .set((
            corrections::kind.eq(correction.kind.as_str()),
            corrections::text.eq(&correction.text),
            corrections::block_id.eq(correction.block_id.map(BlockId::get)),
            corrections::published_at.eq(correction.published_at.millis()),
            corrections::updated_at.eq(correction.updated_at.millis()),
        ))
        .execute(db)?;
    Ok(())
}

/// Deletes a correction.
pub fn delete(db: &mut Db, id: CorrectionId) -> Result<(), Error> {
    diesel::delete(corrections::table.find(id.get())).execute(db)?;
    Ok(())
}

/// Deletes the corrections of an article that are dated at an instant or later.
pub fn delete_from(db: &mut Db, article: ArticleId, at: Instant) -> Result<(), Error> {
    let of_article = corrections::table.filter(corrections::article_id.eq(article.get()));
    diesel::delete(of_article.filter(corrections::published_at.ge(at.millis()))).execute(db)?;
    Ok(())
}
