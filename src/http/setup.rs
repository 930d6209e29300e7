//! `/setup` and `/v1/setup`: the first administrator.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    post,
    web::{self, Data},
};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    answer::Answer,
    auth::Me,
    error::Problem,
    input::{Input, NoQuery, Parse},
    origin::From,
};
use crate::{
    domain::{
        error::{Error, ErrorCode, Faults},
        text,
        user::{EmailAddress, Principal},
    },
    service::{Newsroom, setup},
};

/// The first administrator, and the token of the set-up link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE", "email": "ada@example.org", "name": "Ada Lovelace",
    "password": "correct horse battery"
}))]
pub struct SetupRequest {
    /// What follows `#` in the set-up link.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    token: SecretString,
    /// The address to log in with.
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// A password that is not easy to guess.
    #[schema(value_type = String, min_length = 12, max_length = 128)]
    password: SecretString,
}

/// The first administrator.
#[derive(Debug)]
pub struct FirstAdmin {
    token: SecretString,
    email: EmailAddress,
    name: String,
    password: SecretString,
}

impl Parse for SetupRequest {
    type Command = FirstAdmin;

    fn parse(self, faults: &mut Faults) -> Option<FirstAdmin> {
        let email = faults.take("/email", "bad_email", self.email.parse());
        let name = text::line(faults, "/name", &self.name, 200);
        Some(FirstAdmin { token: self.token, email: email?, name: name?, password: self.password })
    }
}

/// Make the first administrator
///
/// With the token of the set-up link that the server prints when it has no users. The link works once, within 24 hours;
/// `/setup` is a page that does this.
#[utoipa::path(tag = "access", request_body = SetupRequest, responses(
    (status = 201, description = "The administrator, who can log in now.", body = Me),
    (status = 410, description = "`setup_done`: The set-up link was used, has expired, or there are users already.",
        body = Problem, content_type = "application/problem+json")))]
#[post("/setup")]
pub async fn complete_setup(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    From(origin): From,
    _: NoQuery,
    Input(FirstAdmin { token, email, name, password }): Input<SetupRequest>,
) -> Result<HttpResponse, Error> {
    let user = setup::complete(&newsroom, token, email, name, password, origin).await?;
    Answer::ok(&request, &Principal::Anonymous, Me::of(user)).created("/v1/me".to_owned()).send()
}

/// Adds the pages of one-time links, which are for people and no part of the API.
pub fn pages(routes: &mut web::ServiceConfig) {
    let resource = |path| web::resource(path).default_service(web::to(wrong_method));
    routes
        .service(resource("/setup").route(web::get().to(setup_page)))
        .service(resource("/password").route(web::get().to(password_page)))
        .service(resource("/one-time-link.js").route(web::get().to(script)));
}

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

async fn setup_page() -> HttpResponse {
    asset("text/html; charset=utf-8", include_str!("setup.html"))
}

async fn password_page() -> HttpResponse {
    asset("text/html; charset=utf-8", include_str!("password.html"))
}

async fn script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", include_str!("one_time_link.js"))
}

fn asset(kind: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(text)
}

async fn wrong_method() -> HttpResponse {
    let error = Error::Other(ErrorCode::MethodNotAllowed, "This path takes GET, HEAD.".to_owned());
    let mut response = HttpResponse::from_error(error);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
