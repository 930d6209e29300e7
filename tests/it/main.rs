//! Integration tests, over HTTP against a server of their own. `app` is the harness: start there.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails panics")]

mod access;
mod app;
mod concurrency;
mod http_conventions;
mod layers;
mod migrations;
mod postgres;
mod spec;
mod tags;
