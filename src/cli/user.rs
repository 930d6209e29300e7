//! `masthead user`

use std::io::{self, IsTerminal as _};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Failure, say};
use crate::{
    domain::user::{EmailAddress, Role},
    service::{Newsroom, users},
    store,
};

/// Where a password may be for programs that cannot type.
const PASSWORD_VARIABLE: &str = "MASTHEAD_PASSWORD";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a user
    ///
    /// The password is asked for, unless it comes from standard input or from MASTHEAD_PASSWORD.
    Add(Add),
    /// List users
    List,
    /// Give a user another password, and end their sessions
    ///
    /// The password is asked for, unless it comes from standard input or from MASTHEAD_PASSWORD.
    Passwd(Passwd),
}

#[derive(Debug, Args)]
pub(super) struct Passwd {
    /// The address of the user
    #[arg(long)]
    email: EmailAddress,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The address to log in with
    #[arg(long)]
    email: EmailAddress,
    /// The name that colleagues see
    #[arg(long)]
    name: String,
    /// What the user may do
    #[arg(long, value_parser = PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str())).try_map(|role| role.parse::<Role>()))]
    role: Role,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

pub(super) async fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => {
            let password = password(add.password_stdin)?;
            let user = users::add(newsroom, add.email.clone(), add.name.clone(), add.role, password).await?;
            say(format_args!("added {} ({}) as {} with id {}", user.name, user.email, user.role, user.id))
        }
        Command::List => {
            for user in newsroom.store.read(store::users::all).await? {
                let state = if user.suspended { "suspended" } else { "active" };
                say(format_args!("{}\t{}\t{}\t{state}\t{}", user.id, user.email, user.role, user.name))?;
            }
            Ok(())
        }
        Command::Passwd(passwd) => {
            let password = password(passwd.password_stdin)?;
            let user = users::set_password(newsroom, passwd.email.clone(), password).await?;
            say(format_args!("{} has another password; all sessions have ended", user.email))
        }
    }
}

fn password(from_stdin: bool) -> Result<SecretString, Failure> {
    if from_stdin {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).into());
    }
    match std::env::var(PASSWORD_VARIABLE) {
        Ok(password) => return Ok(password.into()),
        Err(std::env::VarError::NotPresent) => {}
        Err(error) => return Err(Failure(format!("{PASSWORD_VARIABLE}: {error}"))),
    }
    if !io::stdin().is_terminal() {
        return Err(Failure(format!("no password: use --password-stdin or {PASSWORD_VARIABLE}")));
    }
    let password = SecretString::from(rpassword::prompt_password("Password: ")?);
    let again = SecretString::from(rpassword::prompt_password("Once more: ")?);
    if password.expose_secret() == again.expose_secret() {
        Ok(password)
    } else {
        Err(Failure("the passwords differ".to_owned()))
    }
}
