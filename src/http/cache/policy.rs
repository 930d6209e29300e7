//! What browsers and caches in between are told: how long they may keep an answer, and with what it changes.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The surrogate keys of an answer, as handlers give them.
pub(in crate::http) const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// How answers are kept, here and by others.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Most bytes of kept answers; 0 keeps none.
    pub bytes: u64,
    /// How long browsers may keep a public answer.
    pub max_age: Duration,
    /// How long caches in between may.
    pub shared_max_age: Duration,
    /// How long after that they may still give it while they fetch a new one.
    pub stale_while_revalidate: Duration,
    /// In which header caches in between are told the surrogate keys.
    pub keys_header: KeysHeader,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            max_age: Duration::from_secs(10),
            shared_max_age: Duration::from_secs(60),
            stale_while_revalidate: Duration::from_secs(30),
            keys_header: KeysHeader::default(),
        }
    }
}

/// The header with the surrogate keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeysHeader {
    /// `Surrogate-Key`, with spaces between: Fastly, Varnish.
    #[default]
    SurrogateKey,
    /// `Cache-Tag`, with commas between: Cloudflare, Akamai.
    CacheTag,
    /// They are not told.
    None,
}

impl CacheOptions {
    /// `Cache-Control` (RFC 9111, section 5.2.2, and RFC 5861), for an answer that surely holds for `quiet`.
    pub(super) fn policy(&self, quiet: Option<Duration>) -> Option<HeaderValue> {
        let seconds = |wanted: Duration| quiet.map_or(wanted, |quiet| quiet.min(wanted)).as_secs();
        let (own, shared) = (seconds(self.max_age), seconds(self.shared_max_age));
        let left = quiet.map(|quiet| quiet.saturating_sub(self.shared_max_age));
        let stale = self.stale_while_revalidate;
        let stale = left.map_or(stale, |left| left.min(stale)).as_secs();
        let text = format!("public, max-age={own}, s-maxage={shared}, stale-while-revalidate={stale}");
        HeaderValue::from_str(&text).ok()
    }

    /// The policy for an answer that surely holds for `quiet`, if that cuts the usual one short.
    pub(super) fn cut_policy(&self, quiet: Duration) -> Option<HeaderValue> {
        let longest = self.shared_max_age + self.stale_while_revalidate;
        (quiet < longest.max(self.max_age)).then(|| self.policy(Some(quiet))).flatten()
    }

    /// Tells the surrogate keys in the header that the caches in between know.
    pub(super) fn tell_keys(&self, headers: &mut HeaderMap) {
        match self.keys_header {
            KeysHeader::SurrogateKey => {}
            KeysHeader::None => drop(headers.remove(SURROGATE_KEY)),
            KeysHeader::CacheTag => {
                let keys = headers.remove(SURROGATE_KEY).next();
                let tags = keys.and_then(|keys| keys.to_str().ok().map(|keys| keys.replace(' ', ",")));
                if let Some(tags) = tags.and_then(|tags| HeaderValue::from_str(&tags).ok()) {
                    headers.insert(CACHE_TAG, tags);
                }
            }
        }
    }
}
