//! Integration tests, over HTTP against a server of their own. `app` is the harness: start there.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails panics")]

mod access;
mod api_tokens;
mod app;
mod articles;
mod audit;
mod auth;
mod authors;
mod body;
mod body_properties;
mod bulk;
mod changes;
mod concurrency;
mod corrections;
mod http_conventions;
mod idempotency;
mod layers;
mod links;
mod lists;
mod merge;
mod migrations;
mod model;
mod newsroom;
mod nodes;
mod notes;
mod postgres;
mod previews;
mod races;
mod redirects;
mod releases;
mod resolve;
mod revisions;
mod schedule;
mod second_factor;
mod sections;
mod serve;
mod sessions;
mod setup;
mod site;
mod spec;
mod tags;
mod users;
mod workflow;
