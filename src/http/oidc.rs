//! `/v1/auth/oidc`: single sign-on.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderValue},
    post,
    web::Data,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::Answer,
    auth::{LoginResponse, exposed},
    error::Problem,
    input::{Input, NoQuery, Parse},
    origin::From,
};
use crate::{
    domain::{
        error::{Error, Faults},
        user::Principal,
    },
    service::{
        Newsroom,
        oidc::{self, Callback, Started},
    },
};

/// Whether there is single sign-on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": true, "name": "Courier account"}))]
pub struct SingleSignOn {
    /// Whether it is on.
    enabled: bool,
    /// What a button may say; `null` if it is off.
    name: Option<String>,
}

/// Where the log-in is to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"return_to": "https://tool.courier.example/login"}))]
pub struct SingleSignOnStart {
    /// The address of the tool, to the letter one of those in the setting `oidc_return_urls`.
    #[schema(min_length = 1, max_length = 2000)]
    return_to: String,
}

impl Parse for SingleSignOnStart {
    type Command = String;

    fn parse(self, _: &mut Faults) -> Option<String> {
        Some(self.return_to)
    }
}

/// A log-in that has begun.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "authorization_url": "https://id.courier.example/authorize?response_type=code&client_id=masthead&state=…",
    "verifier": "pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE", "expires_in": 600
}))]
pub struct SingleSignOnStarted {
    /// Where the tool sends the browser.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    authorization_url: SecretString,
    /// A secret that the tool keeps, such as in `sessionStorage`, and sends in the end.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    verifier: SecretString,
    /// Seconds that the user has to log in at the provider.
    #[schema(minimum = 0)]
    expires_in: i64,
}

impl fmt::Debug for SingleSignOnStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleSignOnStarted").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// What the tool has in the end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "login_code": "0Qm1kV6rW9w2Yp3cZxYt5dV0b7LhJqTq8n4sKfRr1aU", "verifier": "pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE"
}))]
pub struct SingleSignOnComplete {
    /// What follows `#login_code=` in the address to which the browser came back.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    login_code: SecretString,
    /// The verifier from the start.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    verifier: SecretString,
}

impl Parse for SingleSignOnComplete {
    type Command = (SecretString, SecretString);

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some((self.login_code, self.verifier))
    }
}

/// What the provider sends with the browser. Parameters of other names are ignored (RFC 6749, section 4.1.2).
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `callback` reads them, and ignores others")]
pub struct CallbackQuery {
    /// What `start` gave the browser to take along.
    state: Option<String>,
    /// The provider's code, which is exchanged for an ID token.
    code: Option<String>,
    /// Why the provider gives no code.
    error: Option<String>,
    /// The provider (RFC 9207); must be the one that is configured.
    iss: Option<String>,
}

/// Reads the query of the callback. A parameter that is given twice counts as not given (RFC 6749, section 3.1).
fn callback(query: &str) -> Callback {
    let value = |name: &str| {
        let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value): (Cow<'_, str>, _)| value.into_owned());
        first.filter(|value| !value.is_empty() && values.next().is_none())
    };
    Callback {
        state: value("state").map(SecretString::from),
        code: value("code").map(SecretString::from),
        error: value("error"),
        iss: value("iss"),
    }
}

/// Whether there is single sign-on
///
/// So that a tool knows whether to show a button, and what to write on it.
#[utoipa::path(tag = "access", responses((status = 200, description = "Whether it is on.", body = SingleSignOn)))]
#[get("/auth/oidc")]
pub async fn get_single_sign_on(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let name = newsroom.oidc.as_ref().map(|oidc| oidc.name().to_owned());
    Answer::ok(&request, &Principal::Anonymous, SingleSignOn { enabled: name.is_some(), name }).send()
}

/// Begin single sign-on
///
/// The tool keeps the verifier and sends the browser to `authorization_url`. The browser comes back to `return_to` with
/// `#login_code=…`, which `complete` exchanges for a log-in together with the verifier, or with `#error=…`:
/// `access_denied` (the user has said no), `not_permitted` (no account here, or no role), `provider` (the provider fails)
/// or `failed` (this server does).
#[utoipa::path(tag = "access", request_body = SingleSignOnStart, responses(
    (status = 200, description = "Where to send the browser.", body = SingleSignOnStarted),
    (status = 404, description = "`not_found`: Single sign-on is not configured.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/oidc/start")]
pub async fn start_single_sign_on(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    _: NoQuery,
    Input(return_to): Input<SingleSignOnStart>,
) -> Result<HttpResponse, Error> {
    let Started { authorization_url, verifier } = oidc::start(&newsroom, return_to).await?;
    let started = SingleSignOnStarted { authorization_url, verifier, expires_in: oidc::ATTEMPT_SECONDS };
    Answer::private(&request, started).send()
}

/// Come back from the provider
///
/// The provider sends the browser here, and it is sent on to the tool; tools do not call this. A state can be used once.
#[utoipa::path(tag = "access", params(CallbackQuery), responses(
    (status = 303, description = "To the `return_to` of the start, with `#login_code=…` or `#error=…`."),
    (status = 404, description = "`not_found`: Single sign-on is not configured.", body = Problem,
        content_type = "application/problem+json")))]
#[get("/auth/oidc/callback")]
pub async fn receive_single_sign_on(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    From(origin): From,
) -> Result<HttpResponse, Error> {
    let location = oidc::receive(&newsroom, callback(request.query_string()), origin).await?;
    let mut location = HeaderValue::from_str(location.expose_secret())
        .map_err(|error| Error::internal("the address of a tool", error))?;
    location.set_sensitive(true);
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish())
}

/// Complete single sign-on
///
/// Within a minute after the browser came back. The code is used up, whatever comes of it.
#[utoipa::path(tag = "access", request_body = SingleSignOnComplete, responses(
    (status = 200, description = "The log-in, as with a password.", body = LoginResponse),
    (status = 401, description = "`bad_login_code`: The login code was used, has expired or belongs to another verifier.",
        body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "`not_found`: Single sign-on is not configured.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/oidc/complete")]
pub async fn complete_single_sign_on(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    From(origin): From,
    _: NoQuery,
    Input((login_code, verifier)): Input<SingleSignOnComplete>,
) -> Result<HttpResponse, Error> {
    let logged_in = oidc::complete(&newsroom, &login_code, &verifier, origin).await?;
    Answer::private(&request, LoginResponse::from(logged_in)).send()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callback_reads_what_it_knows_and_once() {
        let read = callback("code=a%2Bb&state=s&session_state=x&scope=openid+email");
        assert_eq!(read.code.as_ref().map(|code| code.expose_secret()), Some("a+b"));
        assert!(read.state.is_some() && read.error.is_none() && read.iss.is_none());
        let twice = callback("code=a&state=s&state=t&code=b&error=");
        assert!(twice.code.is_none() && twice.state.is_none() && twice.error.is_none());
    }
}
