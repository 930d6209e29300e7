//! HTTP: routes, extractors, DTOs, problem+json, caching headers, OpenAPI.

pub mod answer;
pub mod articles;
pub mod audit;
pub mod auth;
pub mod authors;
pub mod body;
pub mod cache;
pub mod caller;
pub mod changes;
pub mod contract;
pub mod corrections;
pub mod cors;
pub mod error;
pub mod feeds;
pub mod fields;
pub mod fronts;
pub mod input;
pub mod limits;
pub mod links;
pub mod middleware;
pub mod notes;
pub mod oidc;
pub mod openapi;
pub mod operations;
pub mod options;
pub mod origin;
mod paging;
pub mod path;
pub mod previews;
pub mod record;
pub mod redirects;
pub mod related;
pub mod releases;
pub mod resolve;
pub mod second_factor;
pub mod sections;
pub mod sessions;
pub mod setup;
pub mod site;
pub mod sitemaps;
pub mod slow;
pub mod structured_data;
pub mod tags;
pub mod tokens;
pub mod users;

use actix_web::{
    App, Error,
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest},
    web,
};
use utoipa::OpenApi as _;
use utoipa_actix_web::{AppExt as _, OpenApiFactory, service_config::ServiceConfig};

use self::articles::{actions, bulk, revisions};

/// Takes operations: an application that answers them, or the document that describes them.
trait Routes {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, operation: F) -> &mut Self;
}

impl Routes for web::ServiceConfig {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, operation: F) -> &mut Self {
        self.service(operation)
    }
}

impl Routes for ServiceConfig<'_> {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, operation: F) -> &mut Self {
        self.service(operation)
    }
}

/// Every route of the API on one screen. What a caller needs is in `domain/permission.rs`; services check it.
#[rustfmt::skip]
fn v1(routes: &mut impl Routes) {
    routes
        // What is read most stands first, since routes are tried in their order; no name hides what has its own path.
        .service(articles::list_articles)       // everybody; drafts: those who may read them
        .service(bulk::bulk_articles)           // everybody who can log in; each action as by itself
        .service(articles::get_article)         // everybody; a draft: those who may read it or have a preview
        // access                                  who may
        .service(auth::login)                   // everybody
        .service(auth::refresh)                 // who has a refresh token
        .service(auth::redeem_password_link)    // who has the link
        .service(oidc::get_single_sign_on)      // everybody
        .service(oidc::start_single_sign_on)    // everybody
        .service(oidc::receive_single_sign_on)  // browsers that come from the provider
        .service(oidc::complete_single_sign_on) // who has a login code and its verifier
        // one's own account: everybody who has logged in; with an API token only /v1/me
        .service(auth::log_out)
        .service(auth::log_out_everywhere)
        .service(auth::change_password)
        .service(auth::get_me)
        .service(second_factor::begin_second_factor)
        .service(second_factor::confirm_second_factor)
        .service(second_factor::renew_recovery_codes)
        .service(second_factor::disable_second_factor)
        // and of anybody: administrators
        .service(sessions::list_sessions)
        .service(sessions::delete_session)
        .service(tokens::list_tokens)
        .service(tokens::create_token)          // one's own only
        .service(tokens::get_token)
        .service(tokens::delete_token)
        // users: administrators
        .service(users::list_users)
        .service(users::create_user)
        .service(users::get_user)
        .service(users::update_user)
        .service(users::delete_user)
        .service(users::create_password_link)
        .service(users::reset_second_factor)
        .service(audit::list_audit)             // administrators
        .service(setup::complete_setup)         // who has the set-up link
        // articles
        .service(articles::create_article)      // everybody who can log in
        .service(articles::update_article)      // those who may edit it
        .service(actions::delete_article)       // editors; authors their own, never published
        // the workflow
        .service(actions::submit_article)       // editors; contributors and authors their own
        .service(actions::return_article)       // editors
        .service(actions::get_preflight)        // those who may read the draft
        .service(actions::publish_article)      // editors; authors their own
        .service(actions::unschedule_article)   // editors; authors their own
        .service(actions::unpublish_article)    // editors; authors their own
        .service(actions::discard_article)      // editors; authors their own
        .service(actions::retract_article)      // editors
        .service(actions::archive_article)      // editors
        .service(actions::reopen_article)       // editors
        .service(revisions::list_revisions)     // those who may read the draft
        .service(revisions::create_revision)    // those who may edit it
        .service(revisions::get_revision)       // those who may read the draft
        .service(revisions::diff_revisions)     // those who may read the draft
        .service(revisions::restore_revision)   // those who may edit it
        // working together: those who may read the draft; assigning and locking: those who may edit it
        .service(notes::list_notes)
        .service(notes::create_note)
        .service(notes::get_note)
        .service(notes::update_note)            // who wrote it; administrators
        .service(notes::delete_note)            // who wrote it; administrators
        .service(notes::assign_article)
        .service(notes::unassign_article)
        .service(notes::get_lock)
        .service(notes::acquire_lock)
        .service(notes::release_lock)           // who holds it; editors
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
        // what machines are told of an article: everybody, as readers see it
        .service(structured_data::get_article_schema)
        .service(structured_data::get_article_meta)
        .service(related::list_related)         // everybody
        // releases: editors
        .service(releases::list_releases)
        .service(releases::create_release)
        .service(releases::get_release)
        .service(releases::update_release)
        .service(releases::delete_release)
        .service(releases::get_release_preflight)
        .service(releases::schedule_release)
        .service(releases::publish_release)
        .service(releases::cancel_release)
        // what readers are told was put right: reading as the article
        .service(corrections::list_corrections)
        .service(corrections::create_correction)  // editors; authors their own
        .service(corrections::get_correction)
        .service(corrections::update_correction)  // editors; authors their own
        .service(corrections::delete_correction)  // editors; authors their own
        // links to drafts for those who cannot log in: editors; authors of their own
        .service(previews::list_previews)
        .service(previews::create_preview)
        .service(previews::get_preview)
        .service(previews::delete_preview)
        // sections
        .service(sections::list_sections)       // everybody
        .service(sections::create_section)      // editors
        .service(sections::get_section)         // everybody
        .service(fronts::get_section_front)     // everybody
        .service(sections::update_section)      // editors
        .service(sections::delete_section)      // editors
        // tags
        .service(tags::list_tags)               // everybody
        .service(tags::create_tag)              // authors
        .service(tags::get_tag)                 // everybody
        .service(tags::update_tag)              // editors
        .service(tags::merge_tag)               // editors
        .service(tags::delete_tag)              // editors
        // authors
        .service(authors::list_authors)         // everybody
        .service(authors::create_author)        // editors
        .service(authors::get_author)           // everybody
        .service(authors::update_author)        // editors
        .service(authors::delete_author)        // editors
        // addresses
        .service(resolve::resolve_path)         // everybody
        .service(redirects::list_redirects)     // editors
        .service(redirects::create_redirect)    // editors
        .service(redirects::get_redirect)       // editors
        .service(redirects::update_redirect)    // editors
        .service(redirects::delete_redirect)    // editors
        // site and changes
        .service(site::get_site)                // everybody
        .service(fronts::get_front)             // everybody
        .service(site::update_site)             // administrators
        .service(changes::list_changes)         // everybody
        .service(changes::stream_changes);      // everybody
}

/// For aggregators and search engines: what readers see, for everybody.
#[rustfmt::skip]
fn discovery_routes(routes: &mut impl Routes) {
    routes
        .service(feeds::get_site_feed)          // everybody
        .service(feeds::get_section_feed)       // everybody
        .service(feeds::get_tag_feed)           // everybody
        .service(feeds::get_author_feed)        // everybody
        .service(sitemaps::get_sitemap_index)   // everybody
        .service(sitemaps::get_sitemap)         // everybody
        .service(sitemaps::get_news_sitemap);   // everybody
}

/// For those who run the server.
#[rustfmt::skip]
fn operation_routes(routes: &mut impl Routes) {
    routes
        .service(operations::get_signing_keys)  // everybody
        .service(operations::get_health)        // everybody
        .service(operations::get_readiness);    // everybody
}

/// Adds the routes to an application.
pub fn routes<T>(app: App<T>) -> App<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.service(web::scope("/v1").configure(v1))
        .configure(discovery_routes)
        .configure(operation_routes)
        .configure(operations::pages)
        .configure(setup::pages)
        .default_service(web::to(error::no_route))
}

/// What the code says of the operations, before [`openapi::complete`].
pub fn document() -> utoipa::openapi::OpenApi {
    App::new()
        .into_utoipa_app()
        .openapi(openapi::Document::openapi())
        .service(utoipa_actix_web::scope("/v1").configure(|routes: &mut ServiceConfig<'_>| v1(routes)))
        .configure(|routes: &mut ServiceConfig<'_>| discovery_routes(routes))
        .configure(|routes: &mut ServiceConfig<'_>| operation_routes(routes))
        .split_for_parts()
        .1
}
