//! Logs: `tracing` to standard error, for people or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Logging cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("logging cannot begin: {0}")]
pub struct TelemetryError(String);

/// Checks a filter such as `info,masthead=debug`.
///
/// # Errors
/// When a directive cannot be read.
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    self::filter(filter).map(drop)
}

fn filter(filter: &str) -> Result<Targets, TelemetryError> {
    filter.parse().map_err(|error: tracing_subscriber::filter::ParseError| TelemetryError(error.to_string()))
}

/// Begins to log to standard error, so that standard output stays free for what a command answers.
///
/// # Errors
/// When the filter cannot be read or something else logs already.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let (filtered, lines) =
        (registry().with(self::filter(filter)?), fmt::layer().with_writer(std::io::stderr));
    let begun = match format {
        LogFormat::Pretty => filtered.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).try_init(),
    };
    begun.map_err(|error| TelemetryError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_told() {
        assert!(check_filter("info,masthead::store=debug").is_ok());
        assert!(check_filter("masthead=loud").is_err());
    }

    #[test]
    fn beginning_twice_is_an_error_and_no_panic() {
        let first = init(LogFormat::Json, "info");
        let second = init(LogFormat::Pretty, "info");
        assert!(first.is_ok() && second.is_err());
    }
}
