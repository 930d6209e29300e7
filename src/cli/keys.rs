//! `masthead keys`

use clap::Subcommand;

use super::{Failure, say};
use crate::{app, config::Config, service::Newsroom};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign access tokens with a new key
    ///
    /// A server that runs on the same data folder takes it within a second. Nobody has to log in again.
    Rotate {
        /// End what the old key has signed at once, since somebody may have read it
        #[arg(long)]
        revoke: bool,
    },
}

pub(super) async fn run(config: &Config, newsroom: &Newsroom, command: &Command) -> Result<(), Failure> {
    let Command::Rotate { revoke } = command;
    let key = app::rotate_key(config, newsroom, *revoke).await?;
    say(format_args!("access tokens are signed with the key {} from now on", key.kid))
}
