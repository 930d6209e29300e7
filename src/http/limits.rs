//! How many requests a client may send: four budgets a minute, each user and each address for itself.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

use super::{caller::Authenticated, origin::client_address};
use crate::domain::{
    error::{Error, ErrorCode},
    id::UserId,
    user::Principal,
};

/// What a budget is, and how much of it is left (draft-ietf-httpapi-ratelimit-headers).
pub(super) const HEADERS: [&str; 2] = ["ratelimit-policy", "ratelimit"];

/// The seconds in which a budget comes back; a client that has asked for nothing may spend it at once.
const WINDOW: u32 = 60;

/// Clients that a budget knows apart. If there are more who are not known to be idle, whole networks share one.
const MAX_CLIENTS: usize = 100_000;

/// Requests after which the idle clients of a budget are forgotten.
const SWEEP_EVERY: u32 = 8_192;

/// Requests a minute; 0 is without limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct RateLimits {
    /// Attempts to log in, to set up or to set a password, be they right or wrong.
    pub logins: u32,
    /// Reading without credentials.
    pub anonymous_reads: u32,
    /// Reading with credentials.
    pub reads: u32,
    /// Everything else.
    pub writes: u32,
}

/// The budgets of every client.
#[derive(Debug)]
pub(crate) struct Limiter {
    logins: Option<Arc<Budget>>,
    anonymous_reads: Option<Arc<Budget>>,
    reads: Option<Arc<Budget>>,
    writes: Option<Arc<Budget>>,
    refusal_delay: Duration,
}

impl Limiter {
    /// `refusal_delay` is how long those who try to log in too often wait to be told so, which is how fast they can ask.
    pub(crate) fn new(limits: &RateLimits, refusal_delay: Duration) -> Self {
        Self {
            refusal_delay,
            logins: Budget::new("logins", limits.logins),
            anonymous_reads: Budget::new("anonymous-reads", limits.anonymous_reads),
            reads: Budget::new("reads", limits.reads),
            writes: Budget::new("writes", limits.writes),
        }
    }

    /// Pays for a read without credentials: the header that tells what is left, if there is a limit.
    ///
    /// # Errors
    /// When nothing is left.
    pub(super) fn spend_read(
        &self,
        request: &HttpRequest,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Duration> {
        let Some(budget) = &self.anonymous_reads else { return Ok(None) };
        let client = Client::at(client_address(request), budget.is_crowded.load(Ordering::Relaxed));
        budget.spend(client).map(|left| Some(budget.state(left)))
    }

    /// The budget that a request is paid from. `path` is as routes see it, without escapes.
    fn budget(&self, method: &Method, path: &str, is_anonymous: bool) -> Option<&Arc<Budget>> {
        match *method {
            Method::OPTIONS => None,
            Method::GET | Method::HEAD if ["/healthz", "/readyz"].contains(&path) => None,
            Method::GET | Method::HEAD if is_anonymous => self.anonymous_reads.as_ref(),
            Method::GET | Method::HEAD => self.reads.as_ref(),
            Method::POST if is_login(method, path) => self.logins.as_ref(),
            _ => self.writes.as_ref(),
        }
    }
}

/// Whether something is tried here that can be guessed. Neither a refresh token nor the login code of single sign-on can,
/// and all of an office send theirs.
fn is_login(method: &Method, path: &str) -> bool {
    let harmless =
        ["/v1/auth/refresh", "/v1/auth/oidc/complete", "/v1/auth/logout", "/v1/auth/logout-everywhere"];
    let is_tried = path == "/v1/setup" || path.starts_with("/v1/auth/") && !harmless.contains(&path);
    *method == Method::POST && is_tried
}

/// Who spends: known without asking anything that the client may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    User(UserId),
    Network(IpAddr),
}

impl Client {
    /// An address, or the network that one client is likely to have as a whole. In a crowd it is a larger one.
    fn at(address: IpAddr, in_crowd: bool) -> Self {
        Self::Network(match address {
            IpAddr::V4(address) if in_crowd => Ipv4Addr::from_bits(address.to_bits() & !0 << 16).into(),
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let prefix = if in_crowd { 32 } else { 64 };
                Ipv6Addr::from_bits(address.to_bits() & !0 << (128 - prefix)).into()
            }
        })
    }
}

#[derive(Debug)]
struct Budget {
    name: &'static str,
    size: u32,
    policy: HeaderValue,
    spent: RateLimiter<Client, DashMapStateStore<Client>, MonotonicClock, StateInformationMiddleware>,
    requests: AtomicU32,
    is_crowded: AtomicBool,
}

impl Budget {
    fn new(name: &'static str, size: u32) -> Option<Arc<Self>> {
        let quota = Quota::per_minute(NonZero::new(size)?);
        let policy = HeaderValue::from_str(&format!("\"{name}\";q={size};w={WINDOW}")).ok()?;
        Some(Arc::new(Self {
            name,
            size,
            policy,
            spent: RateLimiter::dashmap(quota).with_middleware(),
            requests: AtomicU32::new(1),
            is_crowded: AtomicBool::new(false),
        }))
    }

    /// What is left after one more request of this client, or how long there is nothing.
    fn spend(&self, client: Client) -> Result<u32, Duration> {
        if self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            self.sweep();
        }
        match self.spent.check_key(&client) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(until) => Err(until.wait_time_from(MonotonicClock.now())),
        }
    }

    /// Forgets who has their whole budget again.
    fn sweep(&self) {
        self.spent.retain_recent();
        self.spent.shrink_to_fit();
        self.is_crowded.store(self.spent.len() > MAX_CLIENTS, Ordering::Relaxed);
    }

    /// The headers that tell what the budget is and what is left.
    fn headers(&self, left: u32) -> [(HeaderName, HeaderValue); 2] {
        let [policy, _] = HEADERS.map(HeaderName::from_static);
        [(policy, self.policy.clone()), self.state(left)]
    }

    /// The header that tells what is left. It is written without the machinery of `format!`, which took a quarter of what an
    /// answer from the cache costs beside Actix and the kernel.
    fn state(&self, left: u32) -> (HeaderName, HeaderValue) {
        let spent = u64::from(self.size.saturating_sub(left));
        let seconds = (spent * u64::from(WINDOW)).div_ceil(u64::from(self.size));
        let mut text = String::with_capacity(self.name.len() + 32);
        let (mut first, mut second) = (itoa::Buffer::new(), itoa::Buffer::new());
        for part in ["\"", self.name, "\";r=", first.format(left), ";t=", second.format(seconds)] {
            text.push_str(part);
        }
        let state = HeaderValue::from_maybe_shared(Bytes::from(text));
        let [_, limit] = HEADERS.map(HeaderName::from_static);
        (limit, state.unwrap_or_else(|_| HeaderValue::from_static("")))
    }
}

/// Middleware: refuses a request whose budget is spent, and tells every other what is left. It runs after
/// [`super::caller::authenticate`]. Those who try to log in too often wait for their answer.
pub(crate) async fn limit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_login = is_login(request.method(), request.match_info().as_str());
    let delay = request.app_data::<Data<Limiter>>().map(|limiter| limiter.refusal_delay);
    let response = spend(request, next).await?;
    if let (true, StatusCode::TOO_MANY_REQUESTS, Some(delay)) = (is_login, response.status(), delay) {
        tokio::time::sleep(delay).await;
    }
    Ok(response)
}

async fn spend<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let caller = request.extensions().get::<Authenticated>().map(Authenticated::principal);
    let user = match &caller {
        Some(Principal::User(actor)) => Some(actor.user.id),
        Some(Principal::Anonymous) | None => None,
    };
    let budget = request.app_data::<Data<Limiter>>().and_then(|limiter| {
        limiter.budget(request.method(), request.match_info().as_str(), user.is_none()).cloned()
    });
    let Some(budget) = budget else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let client = user.map_or_else(
        || Client::at(client_address(request.request()), budget.is_crowded.load(Ordering::Relaxed)),
        Client::User,
    );
    let (mut response, left) = match budget.spend(client) {
        Ok(left) => (next.call(request).await?.map_into_boxed_body(), left),
        Err(wait) => {
            let code = ErrorCode::RateLimited;
            let detail = code.meaning().to_owned();
            let error = Error::RetryAfter { code, detail, seconds: wait.as_secs() + 1 };
            (request.error_response(error), 0)
        }
    };
    for (name, value) in budget.headers(left) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_users_addresses_and_networks() {
        let at = |text: &str, in_crowd| Client::at(text.parse().unwrap(), in_crowd);
        assert_ne!(at("192.0.2.1", false), at("192.0.2.2", false));
        assert_eq!(at("2001:db8:1:2::3", false), at("2001:db8:1:2:4:5:6:7", false));
        assert_ne!(at("2001:db8:1:2::3", false), at("2001:db8:1:3::3", false));
        assert_eq!(at("192.0.2.1", true), at("192.0.99.2", true));
        assert_eq!(at("2001:db8:1:2::3", true), at("2001:db8:9:9::3", true));
        assert_ne!(at("192.0.2.1", true), at("192.1.2.1", true));
    }

    #[test]
    fn a_crowd_is_told_apart_by_networks_and_takes_no_more_memory() {
        let budget = Budget::new("logins", 1).unwrap();
        let mut first = Vec::new();
        for number in 0..3 * u32::try_from(MAX_CLIENTS).unwrap() {
            let address = Ipv4Addr::from_bits(number);
            let in_crowd = budget.is_crowded.load(Ordering::Relaxed);
            if budget.spend(Client::at(address.into(), in_crowd)).is_ok() && number < 10 {
                first.push(address);
            }
        }
        assert!(budget.is_crowded.load(Ordering::Relaxed));
        let most = MAX_CLIENTS + usize::try_from(SWEEP_EVERY).unwrap() + (1 << 16);
        assert!(budget.spent.len() < most, "{}", budget.spent.len());
        assert_eq!(first.len(), 10);
        assert!(budget.spend(Client::at(first[0].into(), false)).is_err());
    }

    #[test]
    fn the_idle_are_forgotten() {
        // They have their whole budget again after a millisecond at most.
        let budget = Budget::new("reads", u32::MAX).unwrap();
        for number in 0..100_000 {
            let _ = budget.spend(Client::User(UserId::new(number)));
        }
        assert!(budget.spent.len() <= usize::try_from(SWEEP_EVERY).unwrap());
    }
}
