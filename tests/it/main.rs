//! Integration tests, over HTTP against a server of their own. `app` is the harness: start there.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails panics")]

mod access;
mod app;
mod articles;
mod auth;
mod authors;
mod body;
mod body_properties;
mod bulk;
mod changes;
mod concurrency;
mod corrections;
mod hardening;
mod http_conventions;
mod layers;
mod links;
mod lists;
mod merge;
mod migrations;
mod model;
mod newsroom;
mod notes;
mod postgres;
mod previews;
mod races;
mod redirects;
mod releases;
mod resolve;
mod revisions;
mod schedule;
mod sections;
mod serve;
mod setup;
mod site;
mod spec;
mod tags;
mod workflow;
