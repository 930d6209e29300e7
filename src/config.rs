//! The configuration: defaults, then `masthead.toml`, then the environment. All faults are told at once.
//!
//! `masthead.default.toml` documents every setting.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    num::NonZero,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use config::{Environment, FileFormat, Source, Value, ValueKind};
use ipnet::IpNet;
use secrecy::SecretString;

use crate::{
    domain::{
        id::IdGenerator,
        identity::{NotAReturnUrl, OidcSettings, ReturnUrl, RoleMap, RoleRules, parse_role},
        user::Role,
    },
    store::conn::{DatabaseUrl, Synchronous},
    telemetry::{self, LogFormat},
};

/// The file that is read if it is there.
pub const DEFAULT_FILE: &str = "masthead.toml";

/// What the names of settings in the environment begin with.
const PREFIX: &str = "MASTHEAD";

/// Names with the prefix that are no settings, in lower case and without it.
const NO_SETTINGS: [&str; 2] = [
    // What `masthead user add` reads.
    "password",
    // What the tests read.
    "test_database_url",
];

/// What Kubernetes adds to every container beside a service that is named "masthead".
const SERVICE_LINKS: [&str; 2] = ["service_", "port"];

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
        let database_url = reader.take("database_url", database_url);
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

/// The settings of one place.
struct Layer {
    place: Place,
    values: HashMap<String, Value>,
}

/// Where settings come from.
enum Place {
    File(String),
    Environment,
}

impl Place {
    /// Names a setting as its writer wrote it.
    fn name(&self, key: &str) -> String {
        match self {
            Self::File(file) => format!("{file}: `{key}`"),
            Self::Environment => format!("environment: `{PREFIX}_{}`", key.to_uppercase()),
        }
    }
}

impl Layer {
    fn toml(name: String, text: &str) -> Result<Self, String> {
        let collected = config::File::from_str(text, FileFormat::Toml).collect();
        let values = collected.map_err(|error| format!("{name}: is not TOML: {error}"))?;
        Ok(Self { place: Place::File(name), values: values.into_iter().collect() })
    }

    /// What is empty counts as not set. `variables` takes the place of the environment.
    fn environment(variables: Option<HashMap<String, String>>) -> Result<Self, String> {
        let source = Environment::with_prefix(PREFIX).ignore_empty(true).source(variables);
        let collected = source.collect().map_err(|error| format!("environment: {error}"))?;
        let mut values: HashMap<_, _> = collected.into_iter().collect();
        values.retain(|key, _| {
            !NO_SETTINGS.contains(&key.as_str()) && !SERVICE_LINKS.iter().any(|link| key.starts_with(link))
        });
        Ok(Self { place: Place::Environment, values })
    }
}

/// Takes settings out of the layers; what is left at the end is unknown.
struct Reader {
    layers: Vec<Layer>,
    faults: Vec<String>,
}

impl Reader {
    /// The value of the last layer that has one. `parse` tells what the value must be if it is not that.
    fn take<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Result<T, String>) -> Option<T> {
        let mut found = None;
        for layer in &mut self.layers {
            let Some(value) = layer.values.remove(key) else { continue };
            match parse(&value) {
                Ok(value) => found = Some(value),
                Err(must) => self.faults.push(format!("{} {must}", layer.place.name(key))),
            }
        }
        found
    }

    /// Whether any layer has a setting whose name begins so.
    fn has_any(&self, prefix: &str) -> bool {
        self.layers.iter().any(|layer| layer.values.keys().any(|key| key.starts_with(prefix)))
    }

    fn finish(mut self) -> Vec<String> {
        for layer in &self.layers {
            let mut unknown: Vec<_> = layer.values.keys().collect();
            unknown.sort();
            self.faults.extend(unknown.iter().map(|key| format!("{} is no setting", layer.place.name(key))));
        }
        self.faults
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match &value.kind {
        ValueKind::String(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => Err("must be a text that is not empty".to_owned()),
    }
}

/// A whole number; in the environment it is a text.
fn whole<T: TryFrom<i64> + PartialOrd + fmt::Display>(
    value: &Value,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = match &value.kind {
        ValueKind::I64(number) => Some(*number),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("must be a whole number from {} to {}, not {value}", range.start(), range.end())
    })
}

/// Seconds, a day at most.
fn seconds(value: &Value) -> Result<u64, String> {
    whole(value, 0..=86_400)
}

fn one_of<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = text(value).ok().and_then(|text| choices.iter().find(|(name, _)| *name == text));
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("must be {}, not {value}", names.join(" or "))
    })
}

fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

fn listen(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let is_address =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_address { Ok(text.to_owned()) } else { Err(format!("must be HOST:PORT, not {text:?}")) }
}

/// The value is not told: it may hold a password.
fn database_url(value: &Value) -> Result<DatabaseUrl, String> {
    text(value)?.parse().map_err(|error: crate::store::conn::UnknownDatabase| error.to_string())
}

fn public_url(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let fits = url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if fits {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(format!("must be an address such as https://cms.example.org, not {text:?}"))
    }
}

fn log_filter(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    telemetry::check_filter(text)
        .map_err(|_| format!("must be a filter such as info,masthead=debug, not {text:?}"))?;
    Ok(text.to_owned())
}

/// Requests a minute.
fn rate(value: &Value) -> Result<u32, String> {
    whole(value, 0..=1_000_000_000)
}

/// In the environment it is a text.
fn truth(value: &Value) -> Result<bool, String> {
    match &value.kind {
        ValueKind::Boolean(truth) => Ok(*truth),
        ValueKind::String(text) => text.trim().parse().map_err(|_| "must be true or false".to_owned()),
        _ => Err("must be true or false".to_owned()),
    }
}

/// Items of a list or, in the environment, of a text with commas.
fn list<T>(value: &Value, item: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    match &value.kind {
        ValueKind::Array(items) => items.iter().map(|value| item(text(value)?)).collect(),
        ValueKind::String(text) => {
            text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(item).collect()
        }
        _ => Err("must be a list of texts".to_owned()),
    }
}

fn networks(value: &Value) -> Result<Vec<IpNet>, String> {
    list(value, |text| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network
            .map_err(|_| format!("must be addresses and networks such as 10.0.0.0/8, not {text:?}"))?;
        // The addresses of clients are never written like this, so it would trust nobody.
        match network.addr().to_canonical() {
            IpAddr::V4(_) if network.addr().is_ipv6() => {
                Err(format!("must have IPv4 networks as such, not as IPv6 like {text:?}"))
            }
            _ => Ok(network),
        }
    })
}

fn origins(value: &Value) -> Result<Vec<String>, String> {
    list(value, |text| {
        let fits = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        });
        let must =
            || format!("must be origins such as https://desk.example.org, in lower case, not {text:?}");
        if fits { Ok(text.to_owned()) } else { Err(must()) }
    })
}

/// Takes the settings of single sign-on. It is on if any of them is set, and then some are needed.
fn oidc(reader: &mut Reader) -> Option<OidcSettings> {
    if !reader.has_any("oidc_") {
        return None;
    }
    let before = reader.faults.len();
    let issuer = reader.take("oidc_issuer", parsed);
    let client_id = reader.take("oidc_client_id", |value| text(value).map(str::to_owned));
    let client_secret = reader.take("oidc_client_secret", secret);
    let name = reader.take("oidc_name", |value| text(value).map(str::to_owned));
    let scopes = reader.take("oidc_scopes", words);
    let return_urls = reader.take("oidc_return_urls", return_urls);
    let claim = reader.take("oidc_role_claim", |value| text(value).map(str::to_owned));
    let map: Option<RoleMap> = reader.take("oidc_roles", parsed);
    let default = reader.take("oidc_default_role", role);
    let create_users = reader.take("oidc_create_users", truth).unwrap_or_default();
    let link_by_email = reader.take("oidc_link_by_email", truth).unwrap_or_default();
    if reader.faults.len() == before {
        let needed = [
            ("oidc_issuer", issuer.is_some()),
            ("oidc_client_id", client_id.is_some()),
            ("oidc_client_secret", client_secret.is_some()),
            ("oidc_return_urls", return_urls.is_some()),
        ];
        let missing = needed.iter().filter(|(_, is_there)| !is_there);
        reader.faults.extend(missing.map(|(key, _)| format!("single sign-on needs `{key}`")));
        if claim.is_some() != map.is_some() {
            reader.faults.push("`oidc_role_claim` and `oidc_roles` need each other".to_owned());
        }
        if create_users && claim.is_none() && default.is_none() {
            let fault =
                "`oidc_create_users` needs `oidc_default_role`, or `oidc_role_claim` with `oidc_roles`";
            reader.faults.push(fault.to_owned());
        }
    }
    Some(OidcSettings {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        name: name.unwrap_or_else(|| "Single sign-on".to_owned()),
        scopes: scopes.unwrap_or_else(|| ["openid", "email", "profile"].map(str::to_owned).to_vec()),
        return_urls: return_urls?,
        roles: RoleRules { claim, map: map.unwrap_or_default(), default },
        create_users,
        link_by_email,
    })
}

fn parsed<T: std::str::FromStr<Err: fmt::Display>>(value: &Value) -> Result<T, String> {
    text(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// The value is not told.
fn secret(value: &Value) -> Result<SecretString, String> {
    text(value).map(SecretString::from)
}

/// A list, or its items with spaces or commas between them.
fn words(value: &Value) -> Result<Vec<String>, String> {
    let words: Vec<_> = match &value.kind {
        ValueKind::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        _ => text(value)?.split([' ', ',']).filter(|word| !word.is_empty()).collect(),
    };
    if words.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

fn return_urls(value: &Value) -> Result<Vec<ReturnUrl>, String> {
    let urls = words(value)?.iter().map(|url| url.parse()).collect::<Result<_, _>>();
    urls.map_err(|error: NotAReturnUrl| error.to_string())
}

fn role(value: &Value) -> Result<Role, String> {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let found = text(value).ok().and_then(parse_role);
    found.ok_or_else(|| format!("must be {}, not {value}", names.join(" or ")))
}

/// How this machine reaches what listens there.
fn own_url(listen: &str) -> String {
    let (host, port) = listen.rsplit_once(':').unwrap_or((listen, "80"));
    let host = match host {
        "0.0.0.0" | "[::]" => "127.0.0.1",
        host => host,
    };
    format!("http://{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../masthead.default.toml");

    const KEYS: [&str; 38] = [
        "listen",
        "data",
        "database_url",
        "public_url",
        "workers",
        "database_connections",
        "sqlite_synchronous",
        "node",
        "access_token_minutes",
        "session_days",
        "log_format",
        "log",
        "password_hashing_concurrency",
        "trusted_proxies",
        "proxy_header",
        "rate_limit_logins",
        "rate_limit_anonymous_reads",
        "rate_limit_reads",
        "rate_limit_writes",
        "cache_megabytes",
        "cache_max_age_seconds",
        "cache_shared_max_age_seconds",
        "cache_stale_seconds",
        "cache_keys_header",
        "cors_public_reads",
        "cors_origins",
        "client_timeout_seconds",
        "oidc_issuer",
        "oidc_client_id",
        "oidc_client_secret",
        "oidc_name",
        "oidc_scopes",
        "oidc_return_urls",
        "oidc_role_claim",
        "oidc_roles",
        "oidc_default_role",
        "oidc_create_users",
        "oidc_link_by_email",
    ];

    fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let layers = vec![
            Layer::toml("masthead.toml".to_owned(), toml).unwrap(),
            Layer::environment(Some(variables.collect())).unwrap(),
        ];
        Config::from_layers(layers, Vec::new()).map_err(|error| error.0)
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let documented = load(DOCUMENTED, &[]).unwrap();
        let defaults = load("", &[]).unwrap();
        assert_eq!(format!("{documented:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn every_setting_is_documented() {
        for key in KEYS {
            let documents = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(DOCUMENTED.lines().any(documents), "{key} is not in masthead.default.toml");
        }
        // What is commented out there, since it depends on the machine, is right too.
        let all: Vec<_> = DOCUMENTED
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| KEYS.iter().any(|key| rest.starts_with(&format!("{key} = "))))
                    .unwrap_or(line)
            })
            .collect();
        assert!(load(&all.join("\n"), &[]).is_ok());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load(
            "listen = \"0.0.0.0:9000\"\nnode = 1\ndata = \"/srv\"",
            &[("MASTHEAD_NODE", "7"), ("MASTHEAD_WORKERS", "3"), ("MASTHEAD_LOG", ""), ("OTHER", "x")],
        )
        .unwrap();
        assert_eq!((config.node, config.workers, config.log.as_str()), (7, 3, "info"));
        assert_eq!(config.public_url, "http://127.0.0.1:9000");
        assert_eq!(format!("{:?}", config.database_url), "sqlite:/srv/masthead.db");
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_places() {
        let faults = load(
            "listen = 8080\nworkers = \"many\"\nwoekers = 2\nlog_format = \"xml\"\n[database]\nurl = \"x\"",
            &[
                ("MASTHEAD_NODE", "1024"),
                ("MASTHEAD_LISTN", "x"),
                ("MASTHEAD_DATABASE_URL", "mysql://root:secret@db/x"),
                ("MASTHEAD_PUBLIC_URL", "cms.example.org"),
                ("MASTHEAD_LOG", "masthead=loud"),
                ("MASTHEAD_PASSWORD", "no setting, and no fault"),
                ("MASTHEAD_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ],
        )
        .unwrap_err();
        let expected = [
            "masthead.toml: `listen` must be",
            "masthead.toml: `workers` must be a whole number from 1 to 1024, not many",
            "masthead.toml: `woekers` is no setting",
            "masthead.toml: `log_format` must be pretty or json, not xml",
            "masthead.toml: `database` is no setting",
            "environment: `MASTHEAD_NODE` must be a whole number from 0 to 1023, not 1024",
            "environment: `MASTHEAD_LISTN` is no setting",
            "environment: `MASTHEAD_DATABASE_URL` must begin with sqlite:",
            "environment: `MASTHEAD_PUBLIC_URL` must be an address",
            "environment: `MASTHEAD_LOG` must be a filter",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for part in expected {
            assert!(faults.iter().any(|fault| fault.starts_with(part)), "no {part:?} in {faults:#?}");
        }
        assert!(!faults.concat().contains("secret"));
    }

    #[test]
    fn lists_are_lists_or_texts() {
        let config = load(
            "trusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]\ncors_origins = \"https://a.example\"",
            &[
                ("MASTHEAD_CORS_ORIGINS", "https://b.example, http://localhost:5173"),
                ("MASTHEAD_CORS_PUBLIC_READS", "false"),
            ],
        )
        .unwrap();
        let proxies: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(proxies, ["10.0.0.0/8", "2001:db8::1/128"]);
        assert_eq!(config.cors_origins, ["https://b.example", "http://localhost:5173"]);
        assert!(!config.cors_public_reads);
        for wrong in [
            "trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
            "trusted_proxies = \"10.0.0.1/33\"",
            "trusted_proxies = \"::ffff:10.0.0.0/104\"",
            "trusted_proxies = 10",
            "cors_origins = \"*\"",
            "cors_origins = \"null\"",
            "cors_origins = [\"https://a.example/\"]",
            "cors_origins = [\"https://A.example\"]",
            "cors_origins = [\"https://a.example:443\"]",
            "cors_origins = [1]",
            "cors_public_reads = 1",
            "rate_limit_writes = -1",
        ] {
            assert_eq!(load(wrong, &[]).unwrap_err().len(), 1, "{wrong}");
        }
    }

    #[test]
    fn numbers_have_their_type_in_the_file() {
        for wrong in ["node = true", "node = 1.5", "node = [1]", "node = -1"] {
            assert_eq!(load(wrong, &[]).unwrap_err().len(), 1, "{wrong}");
        }
    }

    #[test]
    fn single_sign_on_is_off_until_it_is_whole() {
        assert!(load("", &[]).unwrap().oidc.is_none());
        let least = "oidc_issuer = \"https://id.example/\"\noidc_client_id = \"masthead\"\n\
                     oidc_return_urls = [\"https://tool.example/login\", \"https://other.example/?a=b\"]";
        let faults = load(least, &[]).unwrap_err();
        assert_eq!(faults, ["single sign-on needs `oidc_client_secret`"]);
        let secret = ("MASTHEAD_OIDC_CLIENT_SECRET", "hunter2");
        let config = load(least, &[secret]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let oidc = config.oidc.unwrap();
        assert_eq!(oidc.issuer.as_str(), "https://id.example/");
        assert_eq!(oidc.scopes, ["openid", "email", "profile"]);
        assert_eq!(oidc.return_urls.len(), 2);
        assert!(!oidc.create_users && !oidc.link_by_email);

        let environment =
            [secret, ("MASTHEAD_OIDC_ROLES", "desk=editor"), ("MASTHEAD_OIDC_CREATE_USERS", "true")];
        let faults = load(least, &environment).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(load("oidc_create_users = false", &[]).unwrap_err().len(), 4);
        assert_eq!(load("oidc_return_urls = []", &[]).unwrap_err().len(), 1);
    }

    #[test]
    fn all_faults_of_single_sign_on_are_told() {
        let faults = load(
            "oidc_issuer = \"http://id.example\"\noidc_client_secret = 7\noidc_return_urls = \"https://a.example/#b\"",
            &[
                ("MASTHEAD_OIDC_ROLES", "desk=chief"),
                ("MASTHEAD_OIDC_DEFAULT_ROLE", "reader"),
                ("MASTHEAD_OIDC_LINK_BY_EMAIL", "yes"),
                ("MASTHEAD_OIDC_ISSUR", "https://id.example"),
            ],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 7, "{faults:#?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.starts_with("masthead.toml: `oidc_issuer` must be an https address"))
        );
    }

    #[test]
    fn a_file_that_is_asked_for_must_be_there() {
        assert!(Config::load(Some(Path::new("/nowhere/masthead.toml"))).is_err());
    }
}
