//! `masthead token`

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use secrecy::ExposeSecret as _;

use super::{Failure, say};
use crate::{
    domain::{
        error::{Error, Faults},
        instant::Instant,
        permission::Scope,
        text,
        user::EmailAddress,
    },
    service::{
        Newsroom,
        api_tokens::{self, NewApiToken},
    },
    store::users,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an API token and print it, which is the only time that it is told
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The address of the user in whose name it acts
    #[arg(long)]
    email: EmailAddress,
    /// What it is for
    #[arg(long)]
    name: String,
    /// What it may be used for; may be given several times
    #[arg(long = "scope", value_parser = PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str())).try_map(|scope| scope.parse::<Scope>()))]
    scopes: Vec<Scope>,
    /// When it ends, such as 2027-01-01T00:00:00Z [default: only by being revoked]
    #[arg(long)]
    expires_at: Option<Instant>,
}

pub(super) async fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Failure> {
    let Command::Create(create) = command;
    let mut faults = Faults::default();
    let name = text::line(&mut faults, "/name", &create.name, 200);
    faults.check()?;
    let email = create.email.clone();
    let found = newsroom.store.read(move |db| users::find_by_email(db, &email)).await?;
    let (user, _) = found.ok_or_else(|| Error::not_found("user"))?;
    let new = NewApiToken {
        name: name.unwrap_or_default(),
        scopes: create.scopes.clone(),
        expires_at: create.expires_at,
    };
    let (_, secret) = api_tokens::add(newsroom, user, new).await?;
    say(secret.expose_secret())
}
