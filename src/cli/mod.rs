//! The command line: one file per subcommand.

pub mod demo;
mod healthcheck;
mod keys;
mod migrate;
mod openapi;
mod search;
mod serve;
mod token;
mod user;

use std::{
    fmt,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{app, config::Config, domain::error::Error, service::Newsroom, telemetry};

/// A headless CMS for newsrooms: one binary that serves a JSON API.
#[derive(Debug, Parser)]
#[command(name = "masthead", version, about, arg_required_else_help = true)]
struct Cli {
    /// The configuration file [default: masthead.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(serve::Args),
    /// Bring the database up to this program's version
    Migrate,
    /// Manage users
    #[command(subcommand)]
    User(user::Command),
    /// Make API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Manage the keys with which access tokens are signed
    #[command(subcommand)]
    Keys(keys::Command),
    /// Look after the full-text index
    #[command(subcommand)]
    Search(search::Command),
    /// Fill an empty newsroom with articles to try things out
    Demo(demo::Args),
    /// Write the OpenAPI document, or check that the written one is right
    Openapi(openapi::Args),
    /// Ask the server on this machine whether it lives
    #[command(hide = true)]
    Healthcheck,
}

/// Why a command failed, for the person at the terminal.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Internal(cause) => Self(cause),
            Error::Other(_, detail) => Self(detail),
            error => Self(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the process was started with. The exit code is 0 if it did what it should, 1 if it failed
/// and 2 if the command line is wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match actix_web::rt::System::new().block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing can be done about a standard error that cannot be written.
            let _ = writeln!(io::stderr(), "masthead: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    // Needs no configuration, so that it works in a bare checkout.
    if let Command::Openapi(args) = &cli.command {
        return openapi::run(args);
    }
    let config = Config::load(cli.config.as_deref()).map_err(|error| Failure(error.to_string()))?;
    telemetry::init(config.log_format, &config.log).map_err(|error| Failure(error.to_string()))?;
    match &cli.command {
        Command::Serve(args) => serve::run(&config, args).await,
        Command::Migrate => migrate::run(&app::open_newsroom(&config)?).await,
        Command::User(command) => user::run(&migrated(&config).await?, command).await,
        Command::Token(command) => token::run(&migrated(&config).await?, command).await,
        Command::Keys(command) => keys::run(&config, &migrated(&config).await?, command).await,
        Command::Search(command) => search::run(&migrated(&config).await?, command).await,
        Command::Demo(args) => Ok(demo::run(&migrated(&config).await?, args).await?),
        Command::Openapi(args) => openapi::run(args),
        Command::Healthcheck => healthcheck::run(&config),
    }
}

/// A newsroom whose database is at this program's version.
async fn migrated(config: &Config) -> Result<Newsroom, Failure> {
    let newsroom = app::open_newsroom(config)?;
    let store = newsroom.store.clone();
    if blocking(move || store.is_migrated()).await? {
        Ok(newsroom)
    } else {
        Err(Failure("the database is not at this program's version; run: masthead migrate".to_owned()))
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let joined = tokio::task::spawn_blocking(work).await;
    Ok(joined.map_err(|error| Error::internal("a blocking task", error))??)
}

/// Writes a line to standard output. That nobody reads it any more is no failure.
fn say(line: impl fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_command_line_exits_with_2() {
        for wrong in [vec!["masthead", "sevre"], vec!["masthead", "user", "add", "--role", "king"]] {
            assert_eq!(Cli::try_parse_from(wrong).unwrap_err().exit_code(), 2);
        }
    }
}
