//! `masthead migrate`

use super::{Failure, blocking, say};
use crate::service::Newsroom;

pub(super) async fn run(newsroom: &Newsroom) -> Result<(), Failure> {
    let store = newsroom.store.clone();
    let applied = blocking(move || store.migrate()).await?;
    for name in &applied {
        say(format_args!("applied {name}"))?;
    }
    say(if applied.is_empty() { "the database was up to date" } else { "the database is up to date" })
}
