//! HTTP: routes, extractors, DTOs, problem+json, caching headers, OpenAPI.

pub mod answer;
pub mod authors;
pub mod caller;
pub mod changes;
pub mod contract;
pub mod error;
pub mod input;
pub mod middleware;
pub mod openapi;
mod paging;
pub mod path;
pub mod sections;
pub mod site;
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
        // sections                        who may
        .service(sections::list_sections)  // everybody
        .service(sections::create_section) // editors
        .service(sections::get_section)    // everybody
        .service(sections::update_section) // editors
        .service(sections::delete_section) // editors
        // tags
        .service(tags::list_tags)       // everybody
        .service(tags::create_tag)      // authors
        .service(tags::get_tag)         // everybody
        .service(tags::update_tag)      // editors
        .service(tags::merge_tag)       // editors
        .service(tags::delete_tag)      // editors
        // authors
        .service(authors::list_authors)  // everybody
        .service(authors::create_author) // editors
        .service(authors::get_author)    // everybody
        .service(authors::update_author) // editors
        .service(authors::delete_author) // editors
        // site and changes
        .service(site::get_site)         // everybody
        .service(site::update_site)      // admins
        .service(changes::list_changes); // everybody
}

/// Adds the routes to an application and collects their documentation on the way.
pub fn routes<T>(app: App<T>) -> UtoipaApp<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.into_utoipa_app()
        .openapi(openapi::Document::openapi())
        .service(scope("/v1").configure(v1))
        .map(|app| app.default_service(actix_web::web::to(error::no_route)))
}
