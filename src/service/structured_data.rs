//! What search engines and social networks are told of an article: what readers see of it, whoever asks.

use std::sync::Arc;

use super::{Newsroom, articles};
use crate::domain::{
    article::{Article, Stage},
    error::Error,
    slug::Reference,
    surroundings::Surroundings,
    user::Principal,
};

/// An article as readers see it, with the site.
///
/// # Errors
/// 404 if readers see none; 410 for a retracted one; [`Error::Moved`] for a former slug.
pub async fn live_article(
    newsroom: &Newsroom,
    reference: Reference,
) -> Result<(Article, Arc<Surroundings>), Error> {
    let view = articles::get(newsroom, Principal::Anonymous, reference, Stage::Live).await?;
    let site = newsroom.site.clone();
    // It has just been read, so that this is no statement.
    let site = newsroom.store.read(move |db| site.get(db)).await?;
    Ok((view.article, site))
}
