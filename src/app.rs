//! Builds the application once, for the binary and for tests alike.

mod data_folder;

use std::{net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{Data, PayloadConfig},
};
use tokio::time::interval;
use tracing_actix_web::TracingLogger;

use crate::{
    config::{self, Config, ProxyHeader},
    domain::error::Error,
    http::{
        self,
        cache::{CacheOptions, Caching, KeysHeader, ResponseCache},
        changes::Followers,
        contract::Contract,
        cors::CorsOptions,
        limits::{Limiter, RateLimits},
        operations,
        options::{self, HttpOptions},
        origin::TrustedProxies,
        slow::BodyTimeout,
    },
    service::{
        Newsroom, NewsroomOptions,
        auth::{self, AccessTokens, PublicKey},
        signing_keys,
    },
    store::{Store, StoreOptions, conn::DatabaseUrl},
};

/// Opens a newsroom: makes the data folder and the key of its access tokens if they are not there, and opens the
/// store. No connection is made yet.
///
/// # Errors
/// When a folder cannot be made or written, or others than the owner can reach the key; the text says what to do.
pub fn open_newsroom(config: &Config) -> Result<Newsroom, Error> {
    data_folder::make(&config.data)?;
    if let DatabaseUrl::Sqlite(database) = &config.database_url {
        data_folder::prepare_sqlite(database)?;
    }
    let key = data_folder::load_or_make_key(&key_path(config), auth::generate_key)?;
    let store = Store::open(&StoreOptions {
        url: config.database_url.clone(),
        connections: config.database_connections,
        synchronous: config.sqlite_synchronous,
    })?;
    let options = NewsroomOptions {
        node: config.node,
        tokens: AccessTokens::from_pem(&key, config.access_token_minutes)?,
        password_hashing_concurrency: config.password_hashing_concurrency,
        session_days: config.session_days,
        public_url: config.public_url.clone(),
        oidc: config.oidc.clone(),
    };
    Newsroom::open(store, options)
}

fn key_path(config: &Config) -> PathBuf {
    config.data.join("keys/access-token.pem")
}

/// Puts a new key in the place of that with which this node signs access tokens. A server that runs on the folder takes
/// it within a second. What the old one has signed stays good until it expires, or with `revoke` ends at once.
///
/// # Errors
/// When the database or the file cannot be written; the old key stays in use then.
pub async fn rotate_key(config: &Config, newsroom: &Newsroom, revoke: bool) -> Result<PublicKey, Error> {
    let key = auth::generate_key()?;
    let public = signing_keys::succeed(newsroom, &key, revoke).await?;
    data_folder::replace_key(&key_path(config), &key)?;
    Ok(public)
}

/// How often the key file is looked at.
const KEY_WATCH: Duration = Duration::from_secs(1);
/// How often other nodes are told that the key is still in use, in looks: each hour.
const ANNOUNCED_EVERY: u32 = 3600;

/// Lets all nodes know the key of this one, for as long as the process lives, and takes a new one when it is rotated.
pub async fn keep_key(config: &Config, newsroom: &Newsroom) {
    let path = key_path(config);
    let mut taken = data_folder::stamp(&path);
    let mut looks = 0;
    let mut ticks = interval(KEY_WATCH);
    loop {
        ticks.tick().await;
        let found = data_folder::stamp(&path);
        let is_new = found.is_some() && found != taken;
        let kept = async {
            if is_new && let Some(key) = data_folder::read_key(&path)? {
                newsroom.tokens.replace_key(&key)?;
                taken = found;
                tracing::info!(kid = newsroom.tokens.public_key().kid, "signing with another key");
            }
            if is_new || looks % ANNOUNCED_EVERY == 0 {
                signing_keys::announce(newsroom).await?;
            }
            Ok::<_, Error>(())
        };
        match kept.await {
            Ok(()) => looks += 1,
            // It is tried again at the next look.
            Err(error) => tracing::warn!(%error, "cannot keep the signing key"),
        }
    }
}

/// The OpenAPI document that the code generates.
///
/// # Errors
/// When it does not serialise.
pub fn openapi() -> Result<serde_json::Value, Error> {
    http::openapi::complete(&http::document())
        .map_err(|error| Error::internal("writing the OpenAPI document", error))
}

/// How long those who try to log in too often wait to be told so.
const REFUSAL_DELAY: Duration = Duration::from_millis(250);

/// What the configuration says about HTTP.
impl From<&Config> for HttpOptions {
    fn from(config: &Config) -> Self {
        Self {
            trusted_proxies: config.trusted_proxies.clone(),
            proxy_header: match config.proxy_header {
                ProxyHeader::XForwardedFor => options::ProxyHeader::XForwardedFor,
                ProxyHeader::Forwarded => options::ProxyHeader::Forwarded,
            },
            limits: RateLimits {
                logins: config.rate_limit_logins,
                anonymous_reads: config.rate_limit_anonymous_reads,
                reads: config.rate_limit_reads,
                writes: config.rate_limit_writes,
            },
            cache: CacheOptions {
                bytes: config.cache_megabytes << 20,
                max_age: Duration::from_secs(config.cache_max_age_seconds),
                shared_max_age: Duration::from_secs(config.cache_shared_max_age_seconds),
                stale_while_revalidate: Duration::from_secs(config.cache_stale_seconds),
                keys_header: match config.cache_keys_header {
                    config::KeysHeader::SurrogateKey => KeysHeader::SurrogateKey,
                    config::KeysHeader::CacheTag => KeysHeader::CacheTag,
                    config::KeysHeader::None => KeysHeader::None,
                },
            },
            cors: CorsOptions {
                public_reads: config.cors_public_reads,
                origins: config.cors_origins.clone(),
            },
            refusal_delay: REFUSAL_DELAY,
            followers: options::MAX_FOLLOWERS,
            head_timeout: config.client_timeout,
            body_timeout: config.client_timeout,
        }
    }
}

/// Starts serving a newsroom on a listener. The caller awaits the server, and stops it through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    newsroom: &Newsroom,
    listener: TcpListener,
    workers: usize,
    options: &HttpOptions,
) -> Result<Server, Error> {
    newsroom.store.watch()?;
    let newsroom = Data::new(newsroom.clone());
    let operations = Data::new(operations::State::new(http::openapi::TEXT));
    let contract = Data::new(Contract::new(http::openapi::TEXT)?);
    let proxies =
        Data::new(TrustedProxies { networks: options.trusted_proxies.clone(), header: options.proxy_header });
    let limiter = Data::new(Limiter::new(&options.limits, options.refusal_delay));
    let (cache_options, cors) = (options.cache.clone(), options.cors.clone());
    let cache = ResponseCache::new(cache_options, cors, limiter.clone().into_inner(), &newsroom);
    let cors = Data::new(options.cors.clone());
    let followers = Data::new(Followers::new(options.followers));
    let body_timeout = Data::new(BodyTimeout(options.body_timeout));
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(newsroom.clone())
            .app_data(contract.clone())
            .app_data(operations.clone())
            .app_data(PayloadConfig::new(http::input::MAX_BODY))
            .app_data(proxies.clone())
            .app_data(limiter.clone())
            .app_data(cors.clone())
            .app_data(body_timeout.clone())
            .app_data(followers.clone())
            .wrap(from_fn(http::record::record))
            .wrap(from_fn(http::caller::admit))
            .wrap(from_fn(http::limits::limit))
            .wrap(from_fn(http::caller::authenticate))
            .wrap(from_fn(http::middleware::head_as_get))
            .wrap(from_fn(http::error::problems))
            .wrap(from_fn(http::cors::cors))
            .wrap(from_fn(http::middleware::measure))
            .wrap(from_fn(http::slow::hang_up))
            .wrap(TracingLogger::<http::middleware::RequestSpan>::new())
            .wrap(Caching(Arc::clone(&cache)));
        http::routes(app)
    });
    let server = server
        .workers(workers)
        .shutdown_timeout(20)
        .client_request_timeout(options.head_timeout)
        .disable_signals()
        .listen(listener)
        .map_err(|error| Error::internal("listening", error))?;
    Ok(server.run())
}
