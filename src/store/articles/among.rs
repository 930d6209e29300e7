//! Articles by their ids, as lists show them.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    super::{
        conn::Db,
        schema::{article_contents as contents, articles, related_links},
    },
    LoadContext,
    load::{ContentRow, HeadRow, complete},
    stage_number,
};
use crate::domain::{
    article::{Article, Stage},
    error::Error,
    id::ArticleId,
};

/// The live articles among these that readers can see, by their ids. As many statements as for a page of a list.
pub fn live_among(
    db: &mut Db,
    ids: &[ArticleId],
    context: LoadContext<'_>,
) -> Result<HashMap<ArticleId, Article>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let now = context.now.millis();
    let rows: Vec<HeadRow> = contents::table
        .inner_join(articles::table)
        .filter(contents::article_id.eq_any(ids.iter().map(|id| id.get()).collect::<Vec<_>>()))
        .filter(contents::stage.ge(stage_number(Stage::Live)))
        .filter(contents::live_from.le(now))
        .filter(contents::live_until.is_null().or(contents::live_until.gt(now)))
        .select((ContentRow::as_select(), articles::first_published_at))
        .load(db)?;
    let found = complete(db, rows, Stage::Live, context)?;
    Ok(found.into_iter().map(|article| (article.id, article)).collect())
}

/// The articles whose live or scheduled version links to this one, whether or not readers see the link.
pub fn linking(db: &mut Db, id: ArticleId) -> Result<Vec<ArticleId>, Error> {
    let ids: Vec<i64> = related_links::table
        .filter(related_links::target_article_id.eq(id.get()))
        .filter(related_links::stage.ge(stage_number(Stage::Live)))
        .select(related_links::article_id)
        .distinct()
        .load(db)?;
    Ok(ids.into_iter().map(ArticleId::new).collect())
}
