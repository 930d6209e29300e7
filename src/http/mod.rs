//! HTTP: routes, extractors, DTOs, problem+json, caching headers, OpenAPI.

pub mod answer;
pub mod articles;
pub mod body;
pub mod caller;
pub mod contract;
pub mod error;
pub mod input;
pub mod links;
pub mod middleware;
pub mod openapi;
mod paging;
pub mod path;
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
        // articles                                who may
        .service(articles::list_articles)       // everybody; drafts: those who may read them
        .service(articles::create_article)      // everybody who can log in
        .service(articles::get_article)         // everybody; a draft: those who may read it
        .service(articles::update_article)      // those who may edit it
        .service(articles::delete_article)      // editors; authors their own, never published
        .service(articles::publish_article)     // editors; authors their own
        .service(articles::unpublish_article)   // editors; authors their own
        // the parts of an article: reading as the article, writing as editing it
        .service(body::get_body)
        .service(body::replace_body)
        .service(body::create_body_section)
        .service(body::order_body)
        .service(body::get_body_section)
        .service(body::replace_body_section)
        .service(body::update_body_section)
        .service(body::delete_body_section)
        .service(body::create_block)
        .service(body::get_block)
        .service(body::update_block)
        .service(body::delete_block)
        .service(links::list_links)
        .service(links::create_link)
        .service(links::order_links)
        .service(links::get_link)
        .service(links::update_link)
        .service(links::delete_link)
        .service(links::list_inbound_links)
        // tags                            who may
        .service(tags::list_tags)       // everybody
        .service(tags::create_tag)      // authors
        .service(tags::get_tag)         // everybody
        .service(tags::update_tag)      // editors
        .service(tags::merge_tag)       // editors
        .service(tags::delete_tag); //     editors
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
