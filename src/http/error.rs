//! Errors as answers: RFC 9457 `application/problem+json`. The only place that maps an error to a status.

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};
use serde::Serialize;
use tracing_actix_web::RequestId;

use super::contract::Contract;
use crate::domain::{
    error::{Error, ErrorCode, Fault},
    merge::MergeConflict,
    note::EditLock,
};

/// An error as RFC 9457 describes it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "type": "/problems/invalid",
    "title": "Invalid input",
    "status": 422,
    "detail": "See `errors` for each fault.",
    "code": "invalid",
    "request_id": "0198c1a2-7c3e-7d55-9f0e-2b1f5a1c9e10",
    "errors": [{
        "pointer": "/body/0/blocks/3/html",
        "parameter": null,
        "code": "html_not_allowed",
        "message": "<script> is not allowed in inline text",
        "params": {"found": "<script>"}
    }]
}))]
pub struct Problem {
    /// A page of this server that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence of the code.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence, for people.
    pub detail: String,
    /// Stable, machine-readable.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// The request, as the server's log names it.
    pub request_id: Option<String>,
    /// Every fault of the input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
    /// With `stale` and `merge_conflict`: the version of the draft now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<i64>,
    /// With `stale`: fields, `body/{section}` and `blocks/{block}` that changed since the caller's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// With `locked`: who is editing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<EditLock>,
    /// With `merge_conflict`: the places that both sides changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<Vec<MergeConflict>>,
    /// With `invalid_transition`: what the caller may do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_actions: Option<Vec<&'static str>>,
}

impl Problem {
    /// The problem that an error is to the caller.
    pub(super) fn new(error: &Error, request_id: Option<String>) -> Self {
        let code = error.code();
        let mut problem = Self::of_code(code, error.detail().to_owned(), request_id);
        problem.errors = error.faults().to_vec();
        match error {
            Error::Stale { current_version, changed } => {
                problem.current_version = Some(*current_version);
                problem.changed = Some(changed.clone());
            }
            Error::Locked(lock) => problem.lock = Some(lock.clone()),
            Error::MergeConflict { current_version, conflicts } => {
                problem.current_version = Some(*current_version);
                problem.conflicts = Some(conflicts.clone());
            }
            Error::InvalidTransition { allowed_actions, .. } => {
                problem.allowed_actions = Some(allowed_actions.clone());
            }
            _ => {}
        }
        problem
    }

    fn of_code(code: ErrorCode, detail: String, request_id: Option<String>) -> Self {
        Self {
            kind: format!("/problems/{}", code.as_str()),
            title: code.title(),
            status: code.status(),
            detail,
            code: code.as_str(),
            request_id,
            errors: Vec::new(),
            current_version: None,
            changed: None,
            lock: None,
            conflicts: None,
            allowed_actions: None,
        }
    }
}

/// Seconds after which a busy server is worth another try.
const RETRY_AFTER: u64 = 1;

/// The header of an answer that stays when its body becomes a problem.
fn is_kept(name: &str) -> bool {
    name == header::ALLOW.as_str() || super::limits::HEADERS.contains(&name)
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Moved { .. } => StatusCode::PERMANENT_REDIRECT,
            _ => StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Only the status: the middleware `problems` writes the body, where it knows the request.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// Middleware: writes the body of every answer that is an error, whether it is ours or Actix's own.
pub(crate) async fn problems<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    if status.as_u16() < 400 && status != StatusCode::PERMANENT_REDIRECT {
        return Ok(response);
    }
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json") {
        return Ok(response);
    }
    let request = response.request().clone();
    let kept = response.headers().iter().filter(|(name, _)| is_kept(name.as_str()));
    let kept: Vec<_> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    let request_id = tracing_actix_web_request_id(&request);
    let mut answer = match response.response().error().map(|error| error.as_error::<Error>()) {
        Some(Some(Error::Moved { to })) => redirect(&request, to),
        Some(Some(error)) => {
            log(error);
            let mut answer = problem(&Problem::new(error, request_id));
            if let Error::RetryAfter { seconds, .. } = error {
                answer.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
            }
            answer
        }
        other => {
            let cause = other.and(response.response().error()).map(ToString::to_string);
            problem(&foreign(status, cause, request_id))
        }
    };
    for (name, value) in kept {
        answer.headers_mut().insert(name, value);
    }
    Ok(response.into_response(answer))
}

/// A problem with the headers that follow from its status.
fn problem(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponseBuilder::new(status);
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    if status == StatusCode::UNAUTHORIZED {
        builder.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="masthead""#));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        builder.insert_header((header::RETRY_AFTER, RETRY_AFTER));
    }
    let body = serde_json::to_string(problem).unwrap_or_default();
    builder.content_type("application/problem+json").body(body)
}

fn tracing_actix_web_request_id(request: &actix_web::HttpRequest) -> Option<String> {
    use actix_web::HttpMessage as _;
    request.extensions().get::<RequestId>().map(ToString::to_string)
}

/// Internals are logged once, here, with the span of the request.
fn log(error: &Error) {
    if let Error::Internal(cause) = error {
        tracing::error!(error = %cause, "internal error");
    }
}

/// An error that Actix made before a handler of ours was reached.
fn foreign(status: StatusCode, cause: Option<String>, request_id: Option<String>) -> Problem {
    let code = ErrorCode::ALL.iter().copied().find(|code| code.status() == status.as_u16());
    let code =
        code.unwrap_or(if status.is_server_error() { ErrorCode::Internal } else { ErrorCode::Malformed });
    if status.is_server_error() {
        tracing::error!(error = cause, "internal error");
        return Problem::of_code(code, code.meaning().to_owned(), request_id);
    }
    Problem::of_code(code, cause.unwrap_or_else(|| code.meaning().to_owned()), request_id)
}

/// 308 to the same path with its old name replaced by the present one; the query stays.
fn redirect(request: &actix_web::HttpRequest, to: &str) -> HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    let path = request.uri().path();
    let before = pattern.split('/').take_while(|template| !template.starts_with('{')).count();
    let after = pattern.split('/').count().saturating_sub(before + 1);
    let first: Vec<_> = path.split('/').take(before).collect();
    let last = path.split('/').count().saturating_sub(after);
    let last: Vec<_> = path.split('/').skip(last).collect();
    // A name that may have slashes in the path has them in the new one too.
    let takes_slashes = pattern.split('/').nth(before).is_some_and(|template| template.contains(':'));
    let to = if takes_slashes { to.replace("%2F", "/") } else { to.to_owned() };
    let mut location = [first, vec![to.as_str()], last].concat().join("/");
    if let Some(query) = request.uri().query() {
        location.push('?');
        location.push_str(query);
    }
    let mut builder = HttpResponse::PermanentRedirect();
    if let Ok(location) = HeaderValue::from_str(&location) {
        builder.insert_header((header::LOCATION, location));
    }
    builder.insert_header((header::CACHE_CONTROL, "no-cache")).finish()
}

/// The answer for a path that no route has: 405 with `Allow` if it has one under another method, else 404.
pub(crate) async fn no_route(request: actix_web::HttpRequest) -> HttpResponse {
    let allowed =
        request.app_data::<actix_web::web::Data<Contract>>().map(|contract| contract.methods(request.path()));
    match allowed {
        Some(methods) if !methods.is_empty() => {
            let mut response = HttpResponse::from_error(Error::Other(
                ErrorCode::MethodNotAllowed,
                format!("This path takes {}.", methods.join(", ")),
            ));
            if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
        _ => HttpResponse::from_error(Error::Other(
            ErrorCode::NotFound,
            "There is nothing at this path.".to_owned(),
        )),
    }
}
