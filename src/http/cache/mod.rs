//! The response cache: finished answers to anonymous reads, kept until something that they show changes.
//!
//! An answer is kept if its handler gave it surrogate keys. It is dropped by the signals of changes, in this process
//! before a change is acknowledged, and all are dropped at each instant at which something becomes public by itself.
//! Requests with credentials bypass it in both directions. Requests for the same thing at the same time are answered
//! by one of them, as long as nothing has changed since that one began.
//!
//! It stands before everything else: a hit costs a look-up, the rate limit and the headers.

mod coding;
mod entry;
mod freshness;
mod policy;

use std::{
    borrow::Cow,
    collections::HashMap,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody, to_bytes},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate, TryIntoHeaderValue as _},
    },
    web::Bytes,
};
use quick_cache::{Weighter, sync::Cache};
use tokio::sync::watch;

pub(super) use self::policy::SURROGATE_KEY;
pub use self::policy::{CacheOptions, KeysHeader};
use self::{
    coding::{Coding, coded},
    entry::{Entry, Form},
    freshness::Freshness,
};
use super::{answer, cors::CorsOptions, limits::Limiter, middleware::SERVER_TIMING};
use crate::{
    domain::{error::Error, instant::Instant},
    service::{Newsroom, articles},
    store::signals::Signal,
};

/// The longest that an answer is kept though nothing changes: what it shows may depend on the time of day.
const MAX_LIFE: i64 = 600_000;

/// Larger answers are not kept.
const MAX_BODY: u64 = 4 << 20;

/// Headers that each answer gets for itself. The policy of the rate limit is the same for all who read without credentials.
const OF_REQUEST: [HeaderName; 4] = [
    HeaderName::from_static("ratelimit"),
    SERVER_TIMING,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
];

/// Answers that are made at this moment, with the state of things that they are made in.
type Flights = HashMap<String, (u64, watch::Receiver<Option<Arc<Entry>>>)>;

/// The cache of a server.
pub(crate) struct ResponseCache {
    options: CacheOptions,
    entries: Option<Cache<String, Arc<Entry>, Weigh>>,
    freshness: Freshness,
    flights: Mutex<Flights>,
    asking: tokio::sync::Mutex<()>,
    /// How often nobody could tell when something becomes public.
    unanswered: AtomicU64,
    /// When something last changed, or became public by itself, in milliseconds.
    changed_at: AtomicI64,
    newsroom: Newsroom,
    limiter: Arc<Limiter>,
    cors: CorsOptions,
    plain_policy: Option<HeaderValue>,
}

impl std::fmt::Debug for ResponseCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseCache").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Tells how much an entry takes.
#[derive(Debug, Clone)]
struct Weigh;

impl Weighter<String, Arc<Entry>> for Weigh {
    fn weight(&self, key: &String, entry: &Arc<Entry>) -> u64 {
        entry.weight() + u64::try_from(key.len()).unwrap_or_default()
    }
}

impl ResponseCache {
    /// A cache that hears of the changes of a newsroom from now on.
    pub(crate) fn new(
        options: CacheOptions,
        cors: CorsOptions,
        limiter: Arc<Limiter>,
        newsroom: &Newsroom,
    ) -> Arc<Self> {
        const USUAL_ENTRY: u64 = 16 << 10;
        let items = usize::try_from(options.bytes / USUAL_ENTRY).unwrap_or(usize::MAX);
        let entries = (options.bytes > 0).then(|| Cache::with_weighter(items, options.bytes, Weigh));
        let cache = Arc::new(Self {
            plain_policy: options.policy(None),
            entries,
            options,
            freshness: Freshness::default(),
            flights: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            unanswered: AtomicU64::new(0),
            changed_at: AtomicI64::new(newsroom.clock.now().millis()),
            newsroom: newsroom.clone(),
            limiter,
            cors,
        });
        let hearing = Arc::downgrade(&cache);
        newsroom.store.listen(move |signal| {
            if let Some(cache) = hearing.upgrade() {
                cache.hear(signal);
            }
        });
        cache
    }

    fn hear(&self, signal: &Signal) {
        self.changed_at.store(self.newsroom.clock.now().millis(), Ordering::Release);
        match signal {
            Signal::Public { at, keys } => {
                self.freshness.change(keys.iter().map(String::as_str));
                // By our clock it is still to come if that of the node which did it is ahead.
                if *at > self.newsroom.clock.now() {
                    self.freshness.expect(*at);
                }
            }
            Signal::Schedule(at) => self.freshness.expect(*at),
            Signal::Site => self.freshness.change_everything(),
            Signal::Everything => {
                self.freshness.change_everything();
                self.freshness.forget_due();
            }
            Signal::User(_) | Signal::Profiles | Signal::Taxonomy | Signal::Keys => {}
        }
    }

    /// What is kept for a request, if it is true at this moment.
    fn look_up(&self, key: &str, now: Instant) -> Option<Arc<Entry>> {
        let entry = self.entries.as_ref()?.get(key)?;
        (entry.expires_at > now.millis() && self.freshness.is_true(&entry.stamp)).then_some(entry)
    }

    /// Finds out when the next thing becomes public by itself, if the last such instant has come. One asks for all who come
    /// meanwhile, also in vain: it may take long to learn that the database is away.
    async fn settle_due(&self) {
        let unanswered = self.unanswered.load(Ordering::Acquire);
        let _one_at_a_time = self.asking.lock().await;
        let is_due = self.freshness.is_due(self.newsroom.clock.now());
        if !is_due || self.unanswered.load(Ordering::Acquire) != unanswered {
            return;
        }
        self.freshness.begin_due();
        self.changed_at.store(self.newsroom.clock.now().millis(), Ordering::Release);
        match articles::next_due(&self.newsroom).await {
            Ok(next) => self.freshness.found_due(next),
            Err(error) => {
                // Answers are made all the same, and not kept.
                tracing::warn!(%error, "cannot tell when something becomes public");
                self.unanswered.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever is making this answer at this moment, if it reads what is so now; else the caller is to make it.
    fn join(&self, key: &str, now: u64) -> Flight<'_> {
        let mut flights = self.flights();
        if let Some((made_at, answer)) = flights.get(key)
            && *made_at == now
        {
            return Flight::Follow(answer.clone());
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.to_owned(), (now, receiver));
        Flight::Lead(Lead { cache: self, key: key.to_owned(), made_at: now, sender })
    }
}

enum Flight<'a> {
    Lead(Lead<'a>),
    Follow(watch::Receiver<Option<Arc<Entry>>>),
}

/// One who makes an answer for all who ask for it meanwhile. Others no longer wait when it is dropped.
struct Lead<'a> {
    cache: &'a ResponseCache,
    key: String,
    made_at: u64,
    sender: watch::Sender<Option<Arc<Entry>>>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut flights = self.cache.flights();
        if flights.get(&self.key).is_some_and(|(made_at, _)| *made_at == self.made_at) {
            flights.remove(&self.key);
        }
    }
}

/// The name under which the answer to a request is kept: its path and its parameters in one order. `None` for what is not
/// answered from the cache.
fn key_of(request: &ServiceRequest) -> Option<Cow<'_, str>> {
    let headers = request.headers();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    // A body, which reads do not have, would have to be read.
    let is_plain = !headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING);
    let (path, query) = (request.path(), request.query_string());
    // Who waits for changes does not wait for others who ask for the same, and whether the server lives or can serve is
    // told without knowing what is due.
    let is_apart = path.starts_with("/v1/changes") || ["/healthz", "/readyz"].contains(&path);
    if !is_read || !is_plain || is_apart {
        return None;
    }
    if query.is_empty() {
        return Some(Cow::Borrowed(path));
    }
    // The order of values of one parameter may mean something.
    fn name(pair: &str) -> &str {
        pair.split_once('=').map_or(pair, |(name, _)| name)
    }
    if query.split('&').is_sorted_by_key(name) {
        return request.uri().path_and_query().map(|whole| Cow::Borrowed(whole.as_str()));
    }
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_by_key(|pair| name(pair));
    Some(Cow::Owned(format!("{path}?{}", pairs.join("&"))))
}

/// Middleware: answers from the cache, and keeps what may be kept.
pub(crate) struct Caching(pub Arc<ResponseCache>);

impl std::fmt::Debug for Caching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caching")
    }
}

impl<S, B> Transform<S, ServiceRequest> for Caching
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform = CachingService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(CachingService { cache: Arc::clone(&self.0), service: Rc::new(service) }))
    }
}

/// [`Caching`] before a service.
pub(crate) struct CachingService<S> {
    cache: Arc<ResponseCache>,
    service: Rc<S>,
}

impl<S> std::fmt::Debug for CachingService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CachingService")
    }
}

type Answered = Result<ServiceResponse<BoxBody>, actix_web::Error>;

/// An answer that is there, or one that is being made.
pub(crate) enum Answering {
    Now(Option<Answered>),
    Later(Pin<Box<dyn Future<Output = Answered>>>),
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answering")
    }
}

impl Future for Answering {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        match &mut *self {
            // A future is not asked again after it is ready.
            Self::Now(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Later(making) => making.as_mut().poll(context),
        }
    }
}

impl<S, B> Service<ServiceRequest> for CachingService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Future = Answering;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Answering {
        let Some(key) = key_of(&request) else {
            let (cache, making) = (Arc::clone(&self.cache), self.service.call(request));
            return Answering::Later(Box::pin(async move { pass(&cache, making.await?, None).await }));
        };
        let now = self.cache.newsroom.clock.now();
        let is_sure = self.cache.newsroom.store.is_coherent() && !self.cache.freshness.is_due(now);
        let coding = Coding::wanted(request.headers().get(header::ACCEPT_ENCODING));
        if is_sure
            && let Some(entry) = self.cache.look_up(&key, now)
            && let Some(form) = entry.form(coding)
            && let Some(answer) = self.cache.hit(&request, &entry, form, now)
        {
            return Answering::Now(Some(Ok(request.into_response(answer))));
        }
        let key = key.into_owned();
        Answering::Later(Box::pin(miss(Arc::clone(&self.cache), Rc::clone(&self.service), request, key)))
    }
}

/// `Server-Timing` of an answer that was there.
const HIT: HeaderValue = HeaderValue::from_static("cache;desc=hit");

/// Answers what is not there: makes it, or waits for whoever is making it.
async fn miss<S, B>(
    cache: Arc<ResponseCache>,
    service: Rc<S>,
    request: ServiceRequest,
    key: String,
) -> Answered
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let now = || cache.newsroom.clock.now();
    if cache.freshness.is_due(now()) {
        cache.settle_due().await;
    }
    let is_sure = cache.newsroom.store.is_coherent() && !cache.freshness.is_due(now());
    if cache.entries.is_none() || !is_sure {
        return pass(&cache, service.call(request).await?, None).await;
    }
    let made_at = cache.freshness.now();
    let found = match cache.look_up(&key, now()) {
        Some(entry) => Some(entry),
        None => match cache.join(&key, made_at) {
            Flight::Lead(lead) => return make(&cache, &service, request, lead).await,
            // What has changed since this request came is no concern of it.
            Flight::Follow(mut made) => {
                made.wait_for(Option::is_some).await.ok().and_then(|made| made.clone())
            }
        },
    };
    if let Some(entry) = found {
        let form = form_for(&entry, request.headers().get(header::ACCEPT_ENCODING)).await?;
        if let Some(answer) = cache.hit(&request, &entry, form, now()) {
            return Ok(request.into_response(answer));
        }
    }
    pass(&cache, service.call(request).await?, None).await
}

/// An answer that is not kept. `validators` are those of the request, if they have been taken out of it.
async fn pass<B: MessageBody + 'static>(
    cache: &ResponseCache,
    response: ServiceResponse<B>,
    validators: Option<&[HeaderValue]>,
) -> Answered {
    let mut response = response.map_into_boxed_body();
    if response.headers().contains_key(SURROGATE_KEY) {
        let now = cache.newsroom.clock.now();
        let headers = response.headers_mut();
        cache.options.tell_keys(headers);
        cache.tell_policy(headers, now);
    }
    Ok(coded(response, validators).await?)
}

/// Makes an answer for all who ask for it meanwhile, and keeps it if it may be kept.
async fn make<S, B>(
    cache: &ResponseCache,
    service: &S,
    mut request: ServiceRequest,
    lead: Lead<'_>,
) -> Answered
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    // Whether the client has the answer already is asked when it is made: others may not have it.
    let began = cache.newsroom.clock.now();
    let accepted = request.headers().get(header::ACCEPT_ENCODING).cloned();
    let validators: Vec<_> = request.headers_mut().remove(header::IF_NONE_MATCH).collect();
    let has = |etag: &HeaderValue| answer::fits(validators.iter(), etag);
    let response = service.call(request).await?.map_into_boxed_body();
    let (request, response) = response.into_parts();
    let size = response.body().size();
    let is_small = matches!(size, BodySize::Sized(size) if size <= MAX_BODY);
    let (status, keys) = (response.status(), response.headers().get(SURROGATE_KEY).cloned());
    let (Some(keys), true) = (keys, status == StatusCode::OK && is_small) else {
        let is_known = status == StatusCode::OK && response.headers().get(header::ETAG).is_some_and(has);
        let response = if is_known { not_modified(response) } else { response };
        return pass(cache, ServiceResponse::new(request, response), Some(&validators)).await;
    };
    let (mut response, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| Error::Internal(error.to_string()))?;
    // It was written with room to grow.
    let body = Bytes::copy_from_slice(&body);
    let mut head = std::mem::replace(response.headers_mut(), HeaderMap::new());
    let own: Vec<_> = OF_REQUEST
        .iter()
        .flat_map(|name| head.remove(name).map(|value| (name.clone(), value)).collect::<Vec<_>>())
        .collect();
    cache.options.tell_keys(&mut head);
    cache.tell_usual(&mut head);
    let etag = head.remove(header::ETAG).next();
    let etag = etag.ok_or_else(|| Error::Internal("an answer without a validator is kept".to_owned()))?;
    let stamp = cache.freshness.stamp(lead.made_at, keys.to_str().unwrap_or_default().split(' '));
    let now = cache.newsroom.clock.now();
    let modified = cache.modified(began);
    if let Some(at) = modified.and_then(|at| HttpDate::from(at).try_into_value().ok()) {
        head.insert(header::LAST_MODIFIED, at);
    }
    let entry = Arc::new(Entry::new(head, etag, body, stamp, now.millis() + MAX_LIFE, modified));
    if let Some(entries) = &cache.entries {
        entries.insert(lead.key.clone(), Arc::clone(&entry));
    }
    lead.sender.send_replace(Some(Arc::clone(&entry)));
    drop(lead);
    let form = form_for(&entry, accepted.as_ref()).await?;
    let mut answer = cache.answer(form, has(form.etag()), now);
    for (name, value) in own {
        let value = if name == SERVER_TIMING { with_miss(value) } else { value };
        answer.headers_mut().insert(name, value);
    }
    Ok(ServiceResponse::new(request, answer))
}

/// Whether a client has what was last modified then and has this validator, by which it goes if the client names any (RFC
/// 9110, section 13.2.2).
fn has(headers: &HeaderMap, modified: Option<SystemTime>, etag: &HeaderValue) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return answer::fits(headers.get_all(header::IF_NONE_MATCH), etag);
    }
    let Some(known) = headers.get(header::IF_MODIFIED_SINCE) else { return false };
    let known = known.to_str().ok().and_then(|text| text.parse::<HttpDate>().ok());
    known.zip(modified).is_some_and(|(known, modified)| SystemTime::from(known) >= modified)
}

/// The same answer for one who has it.
fn not_modified(response: HttpResponse) -> HttpResponse {
    let mut same = HttpResponse::NotModified().finish();
    *same.headers_mut() = response.headers().clone();
    same
}

fn with_miss(timing: HeaderValue) -> HeaderValue {
    let text = format!("cache;desc=miss, {}", timing.to_str().unwrap_or_default());
    HeaderValue::from_str(&text).unwrap_or(timing)
}

/// The form of an answer that a client wants; it is compressed where that holds up nobody.
async fn form_for<'a>(entry: &'a Arc<Entry>, accepted: Option<&HeaderValue>) -> Result<Form<'a>, Error> {
    let coding = Coding::wanted(accepted);
    if entry.form(coding).is_none() {
        let entry = Arc::clone(entry);
        let making = tokio::task::spawn_blocking(move || entry.make(coding)).await;
        making.map_err(|error| Error::internal("compressing an answer", error))?;
    }
    Ok(entry.form(coding).unwrap_or_else(|| entry.identity()))
}

impl ResponseCache {
    /// The answer to a request from what is kept; `None` if the client has spent its budget.
    fn hit(
        &self,
        request: &ServiceRequest,
        entry: &Entry,
        form: Form<'_>,
        now: Instant,
    ) -> Option<HttpResponse> {
        let limit = self.limiter.spend_read(request.request()).ok()?;
        let has_it = has(request.headers(), entry.modified, form.etag());
        let mut answer = self.answer(form, has_it, now);
        let headers = answer.headers_mut();
        if let Some((name, value)) = limit {
            headers.insert(name, value);
        }
        if let Some(origin) = request.headers().get(header::ORIGIN) {
            self.cors.tell_reader(Some(origin), headers);
        }
        tracing::debug!(http.path = request.path(), "answered from the cache");
        Some(answer)
    }

    /// Since when nothing has changed that an answer shows which began to be made at an instant, to the second. Nothing if
    /// something changed within that second: another answer may have been given in it.
    fn modified(&self, began: Instant) -> Option<SystemTime> {
        // Actix takes `Date` from a clock that it reads twice a second; nothing may be modified later than that (RFC 9110,
        // section 8.8.2.1).
        const DATE_LAGS: i64 = 500;
        let second = (began.millis() - DATE_LAGS).div_euclid(1_000) * 1_000;
        (self.changed_at.load(Ordering::Acquire) < second)
            .then(|| Instant::from_millis(second).to_system_time())
    }

    /// Adds to the head of an answer what most readers of it will be told.
    fn tell_usual(&self, head: &mut HeaderMap) {
        head.insert(SERVER_TIMING, HIT);
        self.cors.tell_reader(None, head);
        if let Some(policy) = &self.plain_policy {
            head.insert(header::CACHE_CONTROL, policy.clone());
        }
    }

    /// The policy for caches in between, if what is to become public by itself cuts the usual one short. While others are
    /// not sure to be heard, nobody knows what they have changed by now.
    fn cut_policy(&self, now: Instant) -> Option<HeaderValue> {
        let quiet = match self.newsroom.store.is_coherent() {
            true => self.freshness.quiet_for(now)?.unsigned_abs(),
            false => 0,
        };
        self.options.cut_policy(Duration::from_millis(quiet))
    }

    /// Says how long others may keep an answer.
    fn tell_policy(&self, headers: &mut HeaderMap, now: Instant) {
        if let Some(policy) = self.cut_policy(now).or_else(|| self.plain_policy.clone()) {
            headers.insert(header::CACHE_CONTROL, policy);
        }
    }

    /// What every client is told: 304 to one that has it.
    fn answer(&self, form: Form<'_>, has_it: bool, now: Instant) -> HttpResponse {
        let (status, body) = match has_it {
            true => (StatusCode::NOT_MODIFIED, Bytes::new()),
            false => (StatusCode::OK, form.body()),
        };
        let mut answer = HttpResponse::with_body(status, BoxBody::new(body));
        *answer.headers_mut() = form.head();
        if let Some(policy) = self.cut_policy(now) {
            answer.headers_mut().insert(header::CACHE_CONTROL, policy);
        }
        answer
    }
}
