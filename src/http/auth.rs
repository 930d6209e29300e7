//! `/v1/auth` and `/v1/me`

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    answer::Answer,
    caller::Caller,
    error::Problem,
    input::{Input, NoQuery, Parse},
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::{AuthorId, UserId},
        permission::{Action, Grant},
        user::{EmailAddress, Principal, Role, User},
    },
    service::{
        Newsroom,
        auth::{self, LoggedIn},
    },
};

/// E-mail address and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
pub struct LoginRequest {
    /// The address of the user, in whatever case.
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// Their password.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    password: SecretString,
}

/// Whom somebody says they are.
#[derive(Debug)]
pub struct Credentials {
    email: EmailAddress,
    password: SecretString,
}

impl Parse for LoginRequest {
    type Command = Credentials;

    fn parse(self, faults: &mut Faults) -> Option<Credentials> {
        let email = faults.take("/email", "bad_email", self.email.parse())?;
        Some(Credentials { email, password: self.password })
    }
}

/// An access token (RFC 6750).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.e30.c2ln", "token_type": "Bearer", "expires_in": 600}))]
pub struct LoginResponse {
    /// What to send as `Authorization: Bearer …`.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    pub access_token: SecretString,
    /// Always `Bearer`.
    #[schema(value_type = String)]
    pub token_type: &'static str,
    /// Seconds that the token lives.
    #[schema(minimum = 0)]
    pub expires_in: i64,
}

impl fmt::Debug for LoginResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginResponse").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl From<LoggedIn> for LoginResponse {
    fn from(logged_in: LoggedIn) -> Self {
        let LoggedIn { token, expires_in_seconds, user: _ } = logged_in;
        Self { access_token: token, token_type: "Bearer", expires_in: expires_in_seconds }
    }
}

/// The one secret that is meant for its reader.
pub(super) fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A user, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "email": "ada@example.org", "name": "Ada Lovelace", "role": "author",
    "author_id": "184467440737095520",
    "permissions": [{"action": "create_article", "grant": "all"}, {"action": "publish", "grant": "own"}]
}))]
pub struct Me {
    /// Their id.
    pub id: UserId,
    /// The address with which they log in.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The author profile that is theirs.
    pub author_id: Option<AuthorId>,
    /// What they may do, each action once.
    pub permissions: Vec<Permission>,
}

/// What a user may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"action": "publish", "grant": "own"}))]
pub struct Permission {
    /// What is done.
    pub action: Action,
    /// To which articles; `all` or `no` for what is not done to articles.
    pub grant: Grant,
}

impl From<User> for Me {
    fn from(user: User) -> Self {
        let User { id, email, name, role, author_id, suspended: _, created_at: _ } = user;
        let permissions = Action::ALL.iter().map(|&action| Permission { action, grant: action.grant(role) });
        Self { id, email, name, role, author_id, permissions: permissions.collect() }
    }
}

/// Log in
///
/// Send the token as `Authorization: Bearer …`. It ends after `expires_in` seconds; a user who is suspended meanwhile is
/// shut out at once.
#[utoipa::path(tag = "access", request_body = LoginRequest, responses(
    (status = 200, description = "An access token.", body = LoginResponse),
    (status = 401, description = "`bad_credentials`: E-mail address or password are wrong.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/login")]
pub async fn login(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    _: NoQuery,
    Input(Credentials { email, password }): Input<LoginRequest>,
) -> Result<HttpResponse, Error> {
    let logged_in = auth::login(&newsroom, email, password).await?;
    let principal = Principal::system(logged_in.user.clone());
    Answer::ok(&request, &principal, LoginResponse::from(logged_in)).send()
}

/// Who am I
///
/// The user whose token is sent, and what they may do.
#[utoipa::path(tag = "access", security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = Me)))]
#[get("/me")]
pub async fn get_me(
    request: HttpRequest,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let me = Me::from(principal.user()?.user.clone());
    Answer::ok(&request, &principal, me).send()
}
