//! Middleware: what every request gets.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue, InvalidHeaderValue},
    },
    middleware::Next,
};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use crate::store::statements::{self, Usage};

/// What a read has cost (W3C Server Timing).
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// One span a request: what was asked, what was answered, how long it took. Never a header, a query or a body.
#[derive(Debug)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        use actix_web::HttpMessage as _;
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        tracing::info_span!(
            "request",
            request.id = id,
            http.method = request.method().as_str(),
            http.path = request.path(),
            http.status = tracing::field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        let status = outcome
            .as_ref()
            .map_or_else(|error| error.as_response_error().status_code(), ServiceResponse::status);
        span.record("http.status", status.as_u16());
        span.in_scope(|| tracing::info!("answered"));
    }
}

/// `HEAD` is `GET`; Actix leaves the body out when it writes the answer, since it remembers what was asked.
pub(crate) async fn head_as_get<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

fn timing(Usage { statements, time }: Usage) -> Result<HeaderValue, InvalidHeaderValue> {
    let (millis, hundredths) = (time.as_micros() / 1000, time.as_micros() % 1000 / 10);
    HeaderValue::try_from(format!("db;dur={millis}.{hundredths:02};desc=\"{statements} statements\""))
}

/// Adds the headers that every answer has, and tells in `Server-Timing` how many SQL statements a read took and how long.
/// Refusals and writes do not tell: by the number one could tell a draft that one may not see from nothing at all.
pub(crate) async fn measure<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let is_read = request.method().is_safe();
    let (outcome, usage) = statements::track(next.call(request)).await;
    let mut response = outcome?;
    let tells = is_read && response.status().is_success();
    let headers = response.headers_mut();
    if tells && let Ok(timing) = timing(usage) {
        headers.insert(SERVER_TIMING, timing);
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    Ok(response)
}
