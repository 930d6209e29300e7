//! The log of public changes, as anybody may read it.

use super::Newsroom;
use crate::{
    domain::error::Error,
    store::changes::{self, RecordedChange},
};

/// The changes after `since`, oldest first, `limit` at most.
pub async fn list(newsroom: &Newsroom, since: i64, limit: u32) -> Result<Vec<RecordedChange>, Error> {
    newsroom.store.read(move |db| changes::list(db, since, i64::from(limit))).await
}
