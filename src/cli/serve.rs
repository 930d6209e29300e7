//! `masthead serve`

use std::net::TcpListener;

use clap::Args as ClapArgs;
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, blocking, demo, say};
use crate::{app, config::Config, http::options::HttpOptions, service::setup, worker};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Fill an empty newsroom with articles and users to try things out
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let newsroom = app::open_newsroom(config)?;
    // First of all: an address in use is told before anything is changed.
    let listener = TcpListener::bind(&config.listen)
        .map_err(|error| Failure(format!("cannot listen on {}: {error}", config.listen)))?;
    let address = listener.local_addr()?;
    let url = config.public_url.as_str();

    let store = newsroom.store.clone();
    for migration in blocking(move || store.migrate()).await? {
        tracing::info!(migration, "applied a migration");
    }
    let login = match args.demo {
        true if !newsroom.store.has_articles().await? => Some(demo::load_newsroom(&newsroom).await?),
        _ => None,
    };
    let setup = setup::create_link(&newsroom).await?;

    let mut signals = Signals::listen()?;
    let server = app::serve(&newsroom, listener, config.workers, &HttpOptions::from(config))?;
    say(format_args!("Masthead listens on http://{address}"))?;
    say(format_args!("  API    {url}/v1"))?;
    say(format_args!("  Docs   {url}/docs/"))?;
    say(format_args!("  Try    curl '{url}/v1/articles?limit=3'"))?;
    match login {
        Some(login) => say(format_args!("  Login  {} with the password {}", login.email, login.password))?,
        None if args.demo => say("  There are articles already: --demo has added nothing.")?,
        None => {}
    }
    if let Some(token) = setup {
        say("\nThere are no users yet. Make the first administrator with this link, which works once:")?;
        say(format_args!("  {url}/setup#{}", token.expose_secret()))?;
        say("or with: masthead user add --role admin --email EMAIL --name NAME")?;
    }

    let worker = actix_web::rt::spawn(worker::run(newsroom.clone()));
    let feed = newsroom.feed.clone();
    let config = config.clone();
    let key = actix_web::rt::spawn(async move { app::keep_key(&config, &newsroom).await });
    let handle = server.handle();
    let stop = actix_web::rt::spawn(async move {
        // Not inside the macro: what stands there is left out when the level is off.
        let signal = signals.next().await;
        tracing::info!(signal, "stopping");
        // Who waits for changes would keep the server from stopping.
        feed.close();
        tokio::select! {
            () = handle.stop(true) => {}
            // Who asks twice does not want to wait for requests that are under way.
            _ = signals.next() => handle.stop(false).await,
        }
    });
    server.await?;
    stop.abort();
    worker.abort();
    key.abort();
    tracing::info!("stopped");
    Ok(())
}

/// What asks the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
