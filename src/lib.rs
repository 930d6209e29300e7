//! Masthead: a headless CMS for newsrooms.
//!
//! # The map
//!
//! Each layer imports only layers below it; `tests/it/layers.rs` keeps it so.
//!
//! | layer | what it is |
//! | --- | --- |
//! | [`cli`] | one file per subcommand: serve, migrate, user, token, keys, search, demo, openapi |
//! | [`app`] | builds the application once, for the binary and for tests alike |
//! | [`http`] | Actix: routes, extractors, DTOs, problem+json, caching headers, OpenAPI |
//! | [`worker`] | background loops: what happens by itself when its time has come |
//! | [`service`] | use cases, one function each: check the permission, open the transaction, record the change |
//! | [`store`] | Diesel: connections, schema, rows and queries; the only place that knows SQL |
//! | [`render`] | domain → text: bodies as HTML, text and Markdown, feeds, sitemaps, structured data |
//! | [`domain`] | types and rules without I/O |
//! | [`config`], [`telemetry`] | leaves, used by `cli` and `app` only |
//!
//! One resource keeps one name all the way down. Read articles first: `http/articles` → `service/articles` →
//! `store/articles` → `domain/article/` → `tests/it/articles.rs`.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
pub mod render;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod worker;
