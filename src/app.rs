//! Builds the application once, for the binary and for tests alike.

mod data_folder;

use std::net::TcpListener;

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{Data, PayloadConfig},
};
use tracing_actix_web::TracingLogger;

use crate::{
    config::Config,
    domain::error::Error,
    http::{self, contract::Contract, operations},
    service::{
        Newsroom, NewsroomOptions,
        auth::{self, AccessTokens},
    },
    store::{Store, StoreOptions, conn::DatabaseUrl},
};

/// Opens a newsroom: makes the data folder and the key of its access tokens if they are not there, and opens the
/// store. No connection is made yet.
///
/// # Errors
/// When a folder cannot be made or written, or others than the owner can reach the key; the text says what to do.
pub fn open_newsroom(config: &Config) -> Result<Newsroom, Error> {
    data_folder::make(&config.data)?;
    if let DatabaseUrl::Sqlite(database) = &config.database_url {
        data_folder::prepare_sqlite(database)?;
    }
    let key = data_folder::load_or_make_key(&config.data.join("keys/access-token.pem"), auth::generate_key)?;
    let store = Store::open(&StoreOptions {
        url: config.database_url.clone(),
        connections: config.database_connections,
        synchronous: config.sqlite_synchronous,
    })?;
    let options = NewsroomOptions {
        node: config.node,
        tokens: AccessTokens::from_pem(&key, config.access_token_minutes)?,
        password_hashing_concurrency: config.password_hashing_concurrency,
        session_days: config.session_days,
        public_url: config.public_url.clone(),
        oidc: config.oidc.clone(),
    };
    Newsroom::open(store, options)
}

/// The OpenAPI document that the code generates.
///
/// # Errors
/// When it does not serialise.
pub fn openapi() -> Result<serde_json::Value, Error> {
    let (_, document) = http::routes(App::new()).split_for_parts();
    http::openapi::complete(&document).map_err(|error| Error::internal("writing the OpenAPI document", error))
}

/// Starts serving a newsroom on a listener. The caller awaits the server, and stops it through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(newsroom: &Newsroom, listener: TcpListener, workers: usize) -> Result<Server, Error> {
    newsroom.store.watch()?;
    let newsroom = Data::new(newsroom.clone());
    let document = openapi()?;
    let operations = Data::new(operations::State::new(&document)?);
    let contract = Data::new(Contract::new(document));
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(newsroom.clone())
            .app_data(contract.clone())
            .app_data(operations.clone())
            .app_data(PayloadConfig::new(http::input::MAX_BODY))
            .wrap(from_fn(http::record::record))
            .wrap(from_fn(http::caller::authenticate))
            .wrap(from_fn(http::middleware::head_as_get))
            .wrap(from_fn(http::error::problems))
            .wrap(from_fn(http::middleware::measure))
            .wrap(TracingLogger::<http::middleware::RequestSpan>::new());
        http::routes(app).into_app()
    });
    let server = server
        .workers(workers)
        .shutdown_timeout(20)
        .disable_signals()
        .listen(listener)
        .map_err(|error| Error::internal("listening", error))?;
    Ok(server.run())
}
