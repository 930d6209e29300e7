//! `masthead search`

use clap::Subcommand;

use super::{Failure, say};
use crate::service::{Newsroom, search};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build the full-text index anew
    ///
    /// The server may run meanwhile: articles stay findable, and what is edited is indexed as it is. Needed after an
    /// older version of the program has written to the database.
    Rebuild,
}

pub(super) async fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Failure> {
    let Command::Rebuild = command;
    let mut told = 0;
    let done = search::rebuild(newsroom, |done| {
        if done / 10_000 > told {
            told = done / 10_000;
            tracing::info!(articles = done, "indexed");
        }
    });
    say(format_args!("{} articles are indexed", done.await?))
}
