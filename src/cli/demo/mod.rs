//! `masthead demo`: a newsroom to try things out.

mod generator;
mod newsroom;
mod words;

use std::io::{self, Write as _};

use rand::RngExt as _;
use secrecy::SecretString;

pub use self::newsroom::load_newsroom;
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
pub struct DemoLogin {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

impl std::fmt::Debug for DemoLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoLogin").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Runs `masthead demo`.
///
/// # Errors
/// When the newsroom has articles already (without `--articles`), when the articles of the seed were made before, or
/// when the database cannot be written.
pub async fn run(newsroom: &Newsroom, args: &Args) -> Result<(), Error> {
    if let Some(articles) = args.articles {
        return generator::run(newsroom, articles, args.seed).await;
    }
    if newsroom.store.has_articles().await? {
        return Err(Error::conflict("there are articles already, so the demo has added nothing"));
    }
    let login = load_newsroom(newsroom).await?;
    // The password is told here and nowhere else.
    writeln!(io::stdout(), "Log in as {} with the password {}", login.email, login.password)
        .map_err(|error| Error::internal("telling the password", error))
}

/// A password that cannot be guessed, without characters that look like each other.
fn random_password() -> String {
    const CHARACTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut rng = rand::rng();
    (0..20).map(|_| char::from(CHARACTERS[rng.random_range(0..CHARACTERS.len())])).collect()
}

/// A password that nobody knows.
fn unknown_password() -> SecretString {
    random_password().into()
}
