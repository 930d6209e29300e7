//! Settings as those who run the server write them.

use super::*;

const DOCUMENTED: &str = include_str!("../../masthead.default.toml");

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
        faults.iter().any(|fault| fault.starts_with("masthead.toml: `oidc_issuer` must be an https address"))
    );
}

#[test]
fn a_file_that_is_asked_for_must_be_there() {
    assert!(Config::load(Some(Path::new("/nowhere/masthead.toml"))).is_err());
}
