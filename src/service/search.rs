//! The search index as a whole.

use super::Newsroom;
use crate::{domain::error::Error, store::search};

/// Builds the search index anew while the newsroom works: batch by batch, each article from what it is at that moment.
/// `tell` hears after each batch how many articles are done. Tells how many there were.
///
/// # Errors
/// Those of the database; what was done until then is kept.
pub async fn rebuild(newsroom: &Newsroom, mut tell: impl FnMut(usize)) -> Result<usize, Error> {
    let (mut after, mut done) = (None, 0);
    loop {
        let batch = newsroom.store.write(move |db| search::index_batch(db, after, search::BATCH)).await?;
        let Some((last, indexed)) = batch else { break };
        after = Some(last);
        done += indexed;
        tell(done);
    }
    newsroom.store.write(search::set_built).await?;
    merge(newsroom).await?;
    Ok(done)
}

/// Merges the index into one piece, after much was written to it.
///
/// # Errors
/// Those of the database; what was done until then is kept.
pub async fn merge(newsroom: &Newsroom) -> Result<(), Error> {
    let mut is_first = true;
    while newsroom.store.write(move |db| search::merge(db, is_first)).await? {
        is_first = false;
    }
    Ok(())
}
