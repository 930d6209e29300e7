//! `masthead demo`: a newsroom to try things out.

use crate::{domain::error::Error, service::Newsroom};

/// What to make.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Articles to make; without it, the small newsroom of `serve --demo`
    #[arg(long, value_name = "N")]
    pub articles: Option<u32>,
    /// The same seed makes the same articles
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
}

/// Who can log in to the demo.
#[derive(Debug)]
pub struct DemoLogin {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

/// Runs `masthead demo`.
///
/// # Errors
/// When the newsroom cannot be filled.
pub async fn run(newsroom: &Newsroom, _args: &Args) -> Result<(), Error> {
    load_newsroom(newsroom).await.map(drop)
}

/// Loads the small newsroom.
///
/// # Errors
/// When it cannot be loaded.
#[expect(clippy::unused_async, reason = "loading awaits the store")]
pub async fn load_newsroom(_newsroom: &Newsroom) -> Result<DemoLogin, Error> {
    Err(Error::Internal("the demo is not there yet".to_owned()))
}
