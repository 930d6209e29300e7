//! `OPTIONS`, and what scripts of pages of other origins may do (the Fetch standard, "CORS protocol").
//!
//! There are no cookies: a page acts as a user only with a token in `Authorization`, which only the origins that are
//! listed may send. Everybody else may read what everybody may read.

use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

/// Which pages of other origins may call.
#[derive(Debug, Clone)]
pub struct CorsOptions {
    /// Pages of any origin may read what needs no credentials.
    pub public_reads: bool,
    /// Pages of these may do everything, such as `https://desk.example.org`.
    pub origins: Vec<String>,
}

impl Default for CorsOptions {
    fn default() -> Self {
        Self { public_reads: true, origins: Vec::new() }
    }
}

/// Headers of answers that scripts may see, beside those that they always may.
const EXPOSED: &str =
    "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Server-Timing";

/// What a preflight grants.
struct Grant {
    methods: &'static str,
    headers: &'static str,
}

/// To everybody.
const READ: Grant =
    Grant { methods: "GET, HEAD", headers: "Accept, Accept-Language, Cache-Control, If-None-Match" };

/// To the origins that are listed.
const ALL: Grant = Grant {
    methods: "GET, HEAD, POST, PUT, PATCH, DELETE",
    headers: "Accept, Accept-Language, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
              If-None-Match",
};

/// How long a browser may remember a preflight: two hours, the longest that any does.
const MAX_AGE: &str = "7200";

impl CorsOptions {
    /// Tells a browser that the scripts of a page may see the answer to a read.
    pub(super) fn tell_reader(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        match origin.filter(|origin| self.is_listed(origin)) {
            Some(origin) => headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
            None if self.public_reads => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
            }
            None => return,
        };
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }

    fn is_listed(&self, origin: &HeaderValue) -> bool {
        self.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
    }
}

/// Middleware: answers `OPTIONS`, and tells browsers which answers scripts may see.
pub(crate) async fn cors<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let options = request.app_data::<Data<CorsOptions>>().cloned();
    let method = request.method().clone();
    let listed = options.as_ref().and_then(|options| {
        request.headers().get(header::ORIGIN).filter(|origin| options.is_listed(origin)).cloned()
    });
    let is_preflight = request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);

    let mut response = next.call(request).await?.map_into_boxed_body();
    let is_options = method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if is_options {
        response = describe(response);
    }
    let Some(options) = options else { return Ok(response) };
    let headers = response.headers_mut();
    // Not only to those who sent one: the answer may be kept for somebody else.
    if !options.origins.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    let grant = match listed {
        Some(origin) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            ALL
        }
        None if options.public_reads && (is_options || method.is_safe()) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            READ
        }
        None => return Ok(response),
    };
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    if is_options && is_preflight {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, grant.methods);
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, grant.headers);
        set(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    } else {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response)
}

/// 204 with the methods of a path, from the 405 that tells that `OPTIONS` is not among them.
fn describe(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let methods = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok());
    let allow = methods.map_or_else(|| "OPTIONS".to_owned(), |methods| format!("{methods}, OPTIONS"));
    let answer = HttpResponse::NoContent()
        .insert_header((header::ALLOW, allow))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish();
    response.into_response(answer)
}
