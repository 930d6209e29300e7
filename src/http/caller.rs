//! Who is calling, and on which version they build.

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web,
};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};

use super::contract::Operation;
use crate::{
    domain::{
        error::{Error, ErrorCode, Fault},
        user::Principal,
    },
    service::{Newsroom, auth},
};

/// Extractor: who is calling. No `Authorization` is an anonymous reader; a bad one is 401, never a reader.
#[derive(Debug)]
pub struct Caller(pub Principal);

impl FromRequest for Caller {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(authenticated(request).and_then(|principal| match principal {
            Principal::User(actor) if actor.must_enrol => Err(Error::Other(
                ErrorCode::EnrolmentRequired,
                ErrorCode::EnrolmentRequired.meaning().to_owned(),
            )),
            principal => Ok(Self(principal)),
        }))
    }
}

/// Extractor: [`Caller`] for what is open also to those of whom the site wants a second factor that they do not have.
#[derive(Debug)]
pub struct AnyCaller(pub Principal);

impl FromRequest for AnyCaller {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(authenticated(request).map(Self))
    }
}

fn authenticated(request: &HttpRequest) -> Result<Principal, Error> {
    let found = request.extensions().get::<Authenticated>().map(|found| found.0.clone());
    found.unwrap_or_else(|| Err(Error::Internal("the application does not authenticate".to_owned())))
}

/// Who is calling, or why that cannot be told: found out once for each request, before anything else looks at it.
#[derive(Debug, Clone)]
pub struct Authenticated(Result<Principal, Error>);

impl Authenticated {
    /// Who is calling; a reader if the credentials are bad.
    pub fn principal(&self) -> Principal {
        self.0.clone().unwrap_or(Principal::Anonymous)
    }
}

/// Middleware: leaves [`Authenticated`] with the request. A handler that takes no [`Caller`] does not care whether the
/// credentials are good.
pub(crate) async fn authenticate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let found = match (bearer_token(request.request()), request.app_data::<web::Data<Newsroom>>()) {
        (Err(error), _) => Err(error),
        (Ok(None), _) => Ok(Principal::Anonymous),
        (Ok(Some(_)), None) => Err(Error::Internal("the application has no newsroom".to_owned())),
        (Ok(Some(token)), Some(newsroom)) => auth::authenticate(newsroom, &token).await,
    };
    request.extensions_mut().insert(Authenticated(found));
    next.call(request).await
}

/// Middleware: refuses a request that the document says needs credentials before anything else of it is looked at: who may
/// not come in is not told what is wrong with a parameter, and has no body read. It runs after [`super::limits::limit`],
/// so that the attempt counts.
pub(crate) async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if Operation::of(request.request()).is_some_and(|operation| operation.needs_credentials) {
        match authenticated(request.request()) {
            Err(error) => return Ok(request.error_response(error)),
            Ok(Principal::Anonymous) => return Ok(request.error_response(Error::unauthenticated())),
            Ok(Principal::User(_)) => {}
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1).
fn bearer_token(request: &HttpRequest) -> Result<Option<String>, Error> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Error::unauthenticated())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") && values.next().is_none() => {
            Ok(Some(token.trim().to_owned()))
        }
        _ => Err(Error::unauthenticated()),
    }
}

/// Extractor: the version in `If-Match`, which an edit builds on (RFC 9110, section 13.1.1). Each tag that this server
/// sends begins with the version; what follows is a hash of the bytes and does not count here.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    /// The version, or `None` for `*`.
    pub fn version(self) -> Option<i64> {
        self.0
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(match request.headers().get(header::IF_MATCH) {
            None => Err(Error::PreconditionRequired),
            Some(value) => parse_if_match(value.to_str().unwrap_or_default()).map(Self),
        })
    }
}

/// Extractor: [`IfMatch`] where it is welcome but not needed.
#[derive(Debug, Clone, Copy)]
pub struct OptionalIfMatch(Option<i64>);

impl OptionalIfMatch {
    /// The version, if one was named.
    pub fn version(self) -> Option<i64> {
        self.0
    }
}

impl FromRequest for OptionalIfMatch {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(match request.headers().get(header::IF_MATCH) {
            None => Ok(Self(None)),
            Some(value) => parse_if_match(value.to_str().unwrap_or_default()).map(Self),
        })
    }
}

fn parse_if_match(text: &str) -> Result<Option<i64>, Error> {
    let text = text.trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = tag.map(|tag| tag.split_once('-').map_or(tag, |(version, _)| version));
    let version = version.filter(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
    version.and_then(|version| version.parse().ok()).map(Some).ok_or_else(|| {
        let message = "must be an ETag of this resource, or its version in quotes, such as \"7\"";
        Error::InvalidParameters(vec![Fault::parameter("If-Match", "bad_format", message)])
    })
}

/// The form of `If-Match`: what `parse_if_match` takes.
const IF_MATCH: &str = r#"^(\*|(W/)?"[0-9]{1,18}(-[!#-~]*)?")$"#;

fn if_match_parameter(required: Required) -> Vec<Parameter> {
    let description = "The version that the change builds on: the `ETag` of the resource, or its `version` in quotes. \
                       `*` takes whatever is there.";
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .pattern(Some(IF_MATCH))
        .examples(["\"7\"", "*"])
        .build();
    let parameter = ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema));
    vec![parameter.build()]
}

/// What an edit takes: the version that it builds on, and whether it is merged if that is not the present one.
impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Merge the edit with what has happened to the draft since the version in `If-Match`, if both \
                           touch different fields, blocks and links; else 409 `merge_conflict` tells the places. \
                           The documents of the newest 100 versions are kept for this; an older version is 412.";
        let merge = ParameterBuilder::new()
            .name("merge")
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean).build()))
            .build();
        if_match_parameter(Required::True).into_iter().chain([merge]).collect()
    }
}

impl IntoParams for OptionalIfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        if_match_parameter(Required::False)
    }
}
