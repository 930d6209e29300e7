//! HTTP: routes, extractors, DTOs, problem+json, caching headers, OpenAPI.

pub mod answer;
pub mod auth;
pub mod caller;
pub mod contract;
pub mod error;
pub mod input;
pub mod middleware;
pub mod openapi;
mod paging;
pub mod path;
pub mod setup;
pub mod tags;

use actix_web::{
    App, Error,
    dev::{ServiceFactory, ServiceRequest},
};
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt, UtoipaApp, scope, service_config::ServiceConfig};

/// Every route of the API on one screen. What a caller needs is in `domain/permission.rs`; services check it.
fn v1(routes: &mut ServiceConfig<'_>) {
    routes
        // tags                            who may
        .service(tags::list_tags)       // everybody
        .service(tags::create_tag)      // authors
        .service(tags::get_tag)         // everybody
        .service(tags::update_tag)      // editors
        .service(tags::merge_tag)       // editors
        .service(tags::delete_tag)      // editors
        // access
        .service(auth::login)           // everybody
        .service(auth::get_me)          // contributors
        .service(setup::complete_setup); // everybody with the set-up link
}

/// Adds the routes to an application and collects their documentation on the way.
pub fn routes<T>(app: App<T>) -> UtoipaApp<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.into_utoipa_app()
        .openapi(openapi::Document::openapi())
        .service(scope("/v1").configure(v1))
        .map(|app| app.configure(setup::pages).default_service(actix_web::web::to(error::no_route)))
}
