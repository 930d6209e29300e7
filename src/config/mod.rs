//! The configuration: defaults, then `masthead.toml`, then the environment. All faults are told at once.
//!
//! `masthead.default.toml` documents every setting.

mod layers;
mod oidc;
#[cfg(test)]
mod tests;
mod values;

use std::{
    fmt,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ipnet::IpNet;

use self::{
    layers::{Layer, Reader},
    oidc::oidc,
    values::{
        listen, log_filter, networks, one_of, origins, own_url, path, public_url, rate, seconds, truth, whole,
    },
};
use crate::{
    domain::{id::IdGenerator, identity::OidcSettings},
    store::conn::{DatabaseUrl, Synchronous},
    telemetry::LogFormat,
};

/// The file that is read if it is there.
pub const DEFAULT_FILE: &str = "masthead.toml";

/// The header in which caches in between are told the surrogate keys of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysHeader {
    /// `Surrogate-Key`.
    SurrogateKey,
    /// `Cache-Tag`.
    CacheTag,
    /// They are not told.
    None,
}

/// The header in which proxies tell who the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Every setting, with its value.
#[derive(Debug, Clone)]
pub struct Config {
    /// Host and port that the server listens on.
    pub listen: String,
    /// The folder of everything that the server keeps in files.
    pub data: PathBuf,
    /// Where the database is.
    pub database_url: DatabaseUrl,
    /// Where others reach the server, without a slash at the end.
    pub public_url: String,
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections that read from SQLite, or all connections to PostgreSQL.
    pub database_connections: u32,
    /// How hard SQLite tries to keep a write.
    pub sqlite_synchronous: Synchronous,
    /// The number of this node in the ids that it makes.
    pub node: u16,
    /// How long an access token is good for, in minutes.
    pub access_token_minutes: u32,
    /// Days after which a session that is not used ends.
    pub session_days: u32,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: a filter as `tracing-subscriber` reads it.
    pub log: String,
    /// Passwords that are hashed at the same time.
    pub password_hashing_concurrency: usize,
    /// Proxies that are believed when they tell who the client is.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub proxy_header: ProxyHeader,
    /// Attempts to log in a minute from one client; 0 is without limit, here and below.
    pub rate_limit_logins: u32,
    /// Requests a minute that read without credentials, from one client.
    pub rate_limit_anonymous_reads: u32,
    /// Requests a minute that read with credentials, from one user.
    pub rate_limit_reads: u32,
    /// Requests a minute that change something, from one client.
    pub rate_limit_writes: u32,
    /// Most megabytes of answers that are kept in memory; 0 keeps none.
    pub cache_megabytes: u64,
    /// Seconds that browsers may keep a public answer.
    pub cache_max_age_seconds: u64,
    /// Seconds that caches in between may.
    pub cache_shared_max_age_seconds: u64,
    /// Seconds after that in which they may still give it while they fetch a new one.
    pub cache_stale_seconds: u64,
    /// In which header they are told what an answer shows.
    pub cache_keys_header: KeysHeader,
    /// Whether pages of any origin may read what needs no credentials.
    pub cors_public_reads: bool,
    /// Origins whose pages may do everything.
    pub cors_origins: Vec<String>,
    /// How long a client may take to send the head of a request, and then for its body.
    pub client_timeout: Duration,
    /// Single sign-on, if it is on.
    pub oidc: Option<OidcSettings>,
}

/// Everything that is wrong with the configuration, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration has faults")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl Config {
    /// Loads the configuration: from `file`, which must be there then, or from `masthead.toml` if that is there, and
    /// from the environment.
    ///
    /// # Errors
    /// Every fault, with its setting and where it comes from.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut layers = Vec::new();
        let path = file.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => match Layer::toml(path.display().to_string(), &text) {
                Ok(layer) => layers.push(layer),
                Err(fault) => faults.push(fault),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {}
            Err(error) => faults.push(format!("{}: cannot be read: {error}", path.display())),
        }
        match Layer::environment(None) {
            Ok(layer) => layers.push(layer),
            Err(fault) => faults.push(fault),
        }
        Self::from_layers(layers, faults)
    }

    /// Later layers win; what earlier ones say is checked all the same.
    fn from_layers(layers: Vec<Layer>, faults: Vec<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { layers, faults };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);

        let listen = reader.take("listen", listen).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let data = reader.take("data", path).unwrap_or_else(|| PathBuf::from("./data"));
        let database_url = reader.take("database_url", values::database_url);
        let database_url = database_url.unwrap_or_else(|| DatabaseUrl::Sqlite(data.join("masthead.db")));
        let connections = match database_url {
            DatabaseUrl::Sqlite(_) => u32::try_from(2 * cores).unwrap_or(u32::MAX).max(4),
            DatabaseUrl::Postgres(_) => 16,
        };
        let public_url = reader.take("public_url", public_url).unwrap_or_else(|| own_url(&listen));
        let config = Self {
            public_url,
            workers: reader.take("workers", |value| whole(value, 1..=1024)).unwrap_or(cores),
            database_connections: reader
                .take("database_connections", |value| whole(value, 1..=1000))
                .unwrap_or(connections),
            sqlite_synchronous: reader
                .take("sqlite_synchronous", |value| {
                    one_of(value, &[("full", Synchronous::Full), ("normal", Synchronous::Normal)])
                })
                .unwrap_or_default(),
            node: reader.take("node", |value| whole(value, 0..=IdGenerator::MAX_NODE)).unwrap_or(0),
            access_token_minutes: reader
                .take("access_token_minutes", |value| whole(value, 1..=60))
                .unwrap_or(10),
            session_days: reader.take("session_days", |value| whole(value, 1..=365)).unwrap_or(30),
            log_format: reader
                .take("log_format", |value| {
                    one_of(value, &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)])
                })
                .unwrap_or_default(),
            log: reader.take("log", log_filter).unwrap_or_else(|| "info".to_owned()),
            password_hashing_concurrency: reader
                .take("password_hashing_concurrency", |value| whole(value, 1..=1024))
                .unwrap_or_else(|| (cores / 2).max(1)),
            trusted_proxies: reader.take("trusted_proxies", networks).unwrap_or_default(),
            proxy_header: reader
                .take("proxy_header", |value| {
                    let choices = [
                        ("x-forwarded-for", ProxyHeader::XForwardedFor),
                        ("forwarded", ProxyHeader::Forwarded),
                    ];
                    one_of(value, &choices)
                })
                .unwrap_or(ProxyHeader::XForwardedFor),
            rate_limit_logins: reader.take("rate_limit_logins", rate).unwrap_or(20),
            rate_limit_anonymous_reads: reader.take("rate_limit_anonymous_reads", rate).unwrap_or(6000),
            rate_limit_reads: reader.take("rate_limit_reads", rate).unwrap_or(6000),
            rate_limit_writes: reader.take("rate_limit_writes", rate).unwrap_or(600),
            cache_megabytes: reader.take("cache_megabytes", |value| whole(value, 0..=65_536)).unwrap_or(64),
            cache_max_age_seconds: reader.take("cache_max_age_seconds", seconds).unwrap_or(10),
            cache_shared_max_age_seconds: reader.take("cache_shared_max_age_seconds", seconds).unwrap_or(60),
            cache_stale_seconds: reader.take("cache_stale_seconds", seconds).unwrap_or(30),
            cache_keys_header: reader
                .take("cache_keys_header", |value| {
                    let choices = [
                        ("surrogate-key", KeysHeader::SurrogateKey),
                        ("cache-tag", KeysHeader::CacheTag),
                        ("none", KeysHeader::None),
                    ];
                    one_of(value, &choices)
                })
                .unwrap_or(KeysHeader::SurrogateKey),
            cors_public_reads: reader.take("cors_public_reads", truth).unwrap_or(true),
            cors_origins: reader.take("cors_origins", origins).unwrap_or_default(),
            client_timeout: Duration::from_secs(
                reader.take("client_timeout_seconds", |value| whole(value, 1..=600)).unwrap_or(30),
            ),
            oidc: oidc(&mut reader),
            listen,
            data,
            database_url,
        };
        let faults = reader.finish();
        if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
    }
}
