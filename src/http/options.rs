//! What those who run the server decide about its HTTP.

use std::time::Duration;

use ipnet::IpNet;

use super::{cache::CacheOptions, cors::CorsOptions, limits::RateLimits};

/// The header in which proxies tell who the client is. The other one is not looked at: a proxy that does not set it lets
/// it through as the client has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which nearly all set.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Most who wait for changes at the same time, unless another number is set. Each holds a connection to a client and a
/// few kilobytes.
pub const MAX_FOLLOWERS: usize = 1000;

/// How requests are let in.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The proxies that are believed when they tell who the client is.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub proxy_header: ProxyHeader,
    /// How many requests a client may send.
    pub limits: RateLimits,
    /// How answers are kept.
    pub cache: CacheOptions,
    /// Which pages of other origins may call.
    pub cors: CorsOptions,
    /// How long those who try to log in too often wait to be told so.
    pub refusal_delay: Duration,
    /// How many may wait for changes at the same time.
    pub followers: usize,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long it may take after that to send the body.
    pub body_timeout: Duration,
}

impl Default for HttpOptions {
    /// No proxies and no limits.
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            limits: RateLimits::default(),
            cache: CacheOptions::default(),
            cors: CorsOptions::default(),
            refusal_delay: Duration::ZERO,
            followers: MAX_FOLLOWERS,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
        }
    }
}
