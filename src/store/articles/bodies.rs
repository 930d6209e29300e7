//! Bodies. One is kept once, however many stages of its article and revisions show it.

use diesel::{dsl::exists, prelude::*};

use super::{
    super::{
        conn::{Db, on_either},
        prepared::{Prepared, change},
        schema::{article_bodies as bodies, article_contents as contents, revisions},
        to_json,
    },
    Over, stage_number,
};
use crate::domain::{
    article::{Document, Stage},
    error::Error,
    id::ArticleId,
};

/// A body that several stages of an article show, and revisions: the version of the draft with which it was written.
#[derive(Debug, Clone, Copy)]
pub struct SharedBody(pub(super) i64);

/// The body of a stage, for another that is made of it.
///
/// # Errors
/// Those of the database; an internal one if the article has no such stage.
pub fn body_of(db: &mut Db, id: ArticleId, stage: Stage) -> Result<SharedBody, Error> {
    let version = contents::table.find((id.get(), stage_number(stage))).select(contents::body_version);
    let version: Option<i64> = on_either!(db, conn => version.first(conn).optional())?;
    let missing = || Error::Internal(format!("article {id} has no {stage:?} document"));
    version.map(SharedBody).ok_or_else(missing)
}

/// Writes the body of a stage, if it is another than before. What another stage or a revision shows too is left as it is,
/// and a new one is written beside it.
pub(super) fn write(
    db: &mut Db,
    id: ArticleId,
    stage: Stage,
    version: i64,
    document: &Document,
    over: Over<'_>,
) -> Result<SharedBody, Error> {
    let own = match over {
        Over::Nothing => None,
        Over::Known(_) if !over.differs(document, |document| &document.body) => {
            return body_of(db, id, stage);
        }
        Over::Unknown | Over::Known(_) => own_body(db, id, stage)?,
    };
    let text = to_json(&document.body)?;
    if let Some(own) = own {
        let update = diesel::update(bodies::table.find((id.get(), own))).set(bodies::body.eq(text));
        on_either!(db, conn => change!(conn, update))?;
        return Ok(SharedBody(own));
    }
    let insert = diesel::insert_into(bodies::table).values((
        bodies::article_id.eq(id.get()),
        bodies::version.eq(version),
        bodies::body.eq(text),
    ));
    on_either!(db, conn => change!(conn, insert))?;
    Ok(SharedBody(version))
}

/// The body of a stage, if nothing else shows it.
fn own_body(db: &mut Db, id: ArticleId, stage: Stage) -> Result<Option<i64>, Error> {
    let (of_stage, others) = diesel::alias!(contents as of_stage, contents as others);
    let version = of_stage.field(contents::body_version);
    let in_stage = others
        .filter(others.field(contents::article_id).eq(id.get()))
        .filter(others.field(contents::stage).ne(stage_number(stage)))
        .filter(others.field(contents::body_version).eq(version));
    let in_revision = revisions::table
        .filter(revisions::article_id.eq(id.get()))
        .filter(revisions::body_version.eq(version));
    let own = of_stage
        .filter(of_stage.field(contents::article_id).eq(id.get()))
        .filter(of_stage.field(contents::stage).eq(stage_number(stage)))
        .filter(diesel::dsl::not(exists(in_stage)))
        .filter(diesel::dsl::not(exists(in_revision)))
        .select(version);
    Ok(on_either!(db, conn => Prepared(own).get_result(conn).optional())?)
}
