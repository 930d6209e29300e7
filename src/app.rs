//! Builds the application once, for the binary and for tests alike.

use std::net::TcpListener;

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{Compress, from_fn},
    web::{Data, PayloadConfig},
};
use tracing_actix_web::TracingLogger;

use crate::{
    domain::error::Error,
    http::{self, contract::Contract},
    service::Newsroom,
};

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
    let newsroom = Data::new(newsroom.clone());
    let contract = Data::new(Contract::new(openapi()?));
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(newsroom.clone())
            .app_data(contract.clone())
            .app_data(PayloadConfig::new(http::input::MAX_BODY))
            .wrap(Compress::default())
            .wrap(from_fn(http::middleware::measure))
            .wrap(from_fn(http::error::problems))
            .wrap(TracingLogger::<http::middleware::RequestSpan>::new())
            .wrap(from_fn(http::middleware::head_as_get));
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
