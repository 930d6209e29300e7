//! `/v1/auth` and `/v1/me`

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    answer::{self, Answer},
    caller::{AnyCaller, Caller},
    error::Problem,
    input::{Input, NoQuery, Parse},
    origin::From,
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::{AuthorId, SessionId, UserId},
        permission::{Action, Grant, Scope, credential_allows},
        user::{Actor, Credential, EmailAddress, Role, User},
    },
    service::{
        Newsroom,
        auth::{self, Credentials, LoggedIn},
        sessions,
    },
};

/// What somebody shows to log in.
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
    /// A code of their second factor, or a recovery code; for those who have one.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 40)]
    code: Option<SecretString>,
}

impl Parse for LoginRequest {
    type Command = Credentials;

    fn parse(self, faults: &mut Faults) -> Option<Credentials> {
        let email = faults.take("/email", "bad_email", self.email.parse::<EmailAddress>())?;
        Some(Credentials { email, password: self.password, code: self.code })
    }
}

/// An access token (RFC 6750), and the token with which to get the next one (RFC 6749, section 1.5).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.e30.c2ln", "token_type": "Bearer", "expires_in": 600,
    "refresh_token": "masthead_rt_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE", "session_id": "184467440737095601"
}))]
pub struct LoginResponse {
    /// What to send as `Authorization: Bearer …`.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    pub access_token: SecretString,
    /// Always `Bearer`.
    #[schema(value_type = String)]
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    #[schema(minimum = 0)]
    pub expires_in: i64,
    /// What to send to `/v1/auth/refresh`, once.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    pub refresh_token: SecretString,
    /// The session.
    pub session_id: SessionId,
}

impl fmt::Debug for LoginResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginResponse").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

impl std::convert::From<LoggedIn> for LoginResponse {
    fn from(logged_in: LoggedIn) -> Self {
        let LoggedIn { access_token, expires_in, refresh_token, session } = logged_in;
        Self { access_token, token_type: "Bearer", expires_in, refresh_token, session_id: session }
    }
}

/// A secret that is meant for its reader.
pub(super) fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "masthead_rt_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE"}))]
pub struct RefreshRequest {
    /// The last one that was answered.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    refresh_token: SecretString,
}

impl Parse for RefreshRequest {
    type Command = SecretString;

    fn parse(self, _: &mut Faults) -> Option<SecretString> {
        Some(self.refresh_token)
    }
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery", "new_password": "staple tidal lantern"}))]
pub struct PasswordChange {
    /// The present one; not needed by those who have none.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    current_password: Option<SecretString>,
    /// One that is not easy to guess.
    #[schema(value_type = String, min_length = 12, max_length = 128)]
    new_password: SecretString,
}

impl Parse for PasswordChange {
    type Command = (Option<SecretString>, SecretString);

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some((self.current_password, self.new_password))
    }
}

/// The token of a one-time link, and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "masthead_link_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE", "password": "staple tidal lantern"
}))]
pub struct PasswordLinkRedeem {
    /// What follows `#` in the link.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    token: SecretString,
    /// One that is not easy to guess.
    #[schema(value_type = String, min_length = 12, max_length = 128)]
    password: SecretString,
}

impl Parse for PasswordLinkRedeem {
    type Command = (SecretString, SecretString);

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some((self.token, self.password))
    }
}

/// A user, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "email": "ada@example.org", "name": "Ada Lovelace", "role": "author",
    "author_id": "184467440737095520", "has_second_factor": false, "must_enrol": false, "scopes": null,
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
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Whether the site wants a second factor of them that they do not have: until then nothing else is open to them.
    pub must_enrol: bool,
    /// With an API token: what it may be used for.
    pub scopes: Option<Vec<Scope>>,
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

impl Me {
    /// A user who has shown nothing.
    pub(super) fn of(user: User) -> Self {
        Self::from(&Actor::system(user))
    }
}

impl std::convert::From<&Actor> for Me {
    fn from(actor: &Actor) -> Self {
        let permits = |action| credential_allows(&actor.credential, action);
        let permissions = Action::ALL.iter().map(|&action| {
            let grant = if permits(action) { action.grant(actor.role) } else { Grant::No };
            Permission { action, grant }
        });
        Self {
            id: actor.id,
            email: actor.email.clone(),
            name: actor.name.clone(),
            role: actor.role,
            author_id: actor.author_id,
            has_second_factor: actor.has_second_factor,
            must_enrol: actor.must_enrol,
            scopes: match &actor.credential {
                Credential::Token(_, scopes) => Some(scopes.clone()),
                _ => None,
            },
            permissions: permissions.collect(),
        }
    }
}

fn answer(request: &HttpRequest, logged_in: LoggedIn) -> Result<HttpResponse, Error> {
    Answer::private(request, LoginResponse::from(logged_in)).send()
}

/// Log in
///
/// Send the access token as `Authorization: Bearer …`. It ends after `expires_in` seconds, and at once when the session
/// does: by logging out, by another password, or because the user is suspended. Who has a second factor sends a `code` of
/// it. After several failures the next attempt has to wait, longer each time.
#[utoipa::path(tag = "access", request_body = LoginRequest, responses(
    (status = 200, description = "A session.", body = LoginResponse),
    (status = 401, description = "`bad_credentials`: E-mail address or password are wrong.\n\n\
        `second_factor_required`: The password is right; send a `code` with it.\n\n\
        `bad_second_factor`: The `code` is wrong, or was used before.", body = Problem,
        content_type = "application/problem+json"),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/login")]
pub async fn login(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    From(origin): From,
    _: NoQuery,
    Input(credentials): Input<LoginRequest>,
) -> Result<HttpResponse, Error> {
    answer(&request, auth::login(&newsroom, credentials, origin).await?)
}

/// Get the next access token
///
/// Each refresh token works once and is answered with the next one. One that is used twice ends the whole session, since
/// somebody has a copy of it; send an `Idempotency-Key` to be able to ask again after a lost answer.
#[utoipa::path(tag = "access", request_body = RefreshRequest, responses(
    (status = 200, description = "The session goes on.", body = LoginResponse),
    (status = 401, description = "`bad_refresh_token`: Log in again.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/refresh")]
pub async fn refresh(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    From(origin): From,
    _: NoQuery,
    Input(token): Input<RefreshRequest>,
) -> Result<HttpResponse, Error> {
    answer(&request, sessions::refresh(&newsroom, token, origin).await?)
}

/// Log out
///
/// Ends the session: its access and refresh tokens are void from now on.
#[utoipa::path(tag = "access", security(("bearer" = [])),
    responses((status = 204, description = "The session has ended.")))]
#[post("/auth/logout")]
pub async fn log_out(
    newsroom: Data<Newsroom>,
    AnyCaller(principal): AnyCaller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    sessions::log_out(&newsroom, &principal, false).await?;
    Ok(answer::no_content())
}

/// Log out everywhere
///
/// Ends all sessions of the caller, this one among them. API tokens stay.
#[utoipa::path(tag = "access", security(("bearer" = [])),
    responses((status = 204, description = "All sessions have ended.")))]
#[post("/auth/logout-everywhere")]
pub async fn log_out_everywhere(
    newsroom: Data<Newsroom>,
    AnyCaller(principal): AnyCaller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    sessions::log_out(&newsroom, &principal, true).await?;
    Ok(answer::no_content())
}

/// Change the password
///
/// All sessions of the caller end; the answer is a new one. API tokens stay.
#[utoipa::path(tag = "access", request_body = PasswordChange, security(("bearer" = [])), responses(
    (status = 200, description = "A new session.", body = LoginResponse),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/auth/password")]
pub async fn change_password(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    From(origin): From,
    _: NoQuery,
    Input((current, new)): Input<PasswordChange>,
) -> Result<HttpResponse, Error> {
    answer(&request, auth::change_password(&newsroom, &principal, current, new, origin).await?)
}

/// Set a password with a one-time link
///
/// With the token of an invitation or of a link that an administrator made because the password was forgotten. All
/// sessions of the user end. `/password` is a page that does this.
#[utoipa::path(tag = "access", request_body = PasswordLinkRedeem, responses(
    (status = 204, description = "The password is set; log in with it."),
    (status = 410, description = "`dead_link`: The link was used, has expired, or was replaced by another.",
        body = Problem, content_type = "application/problem+json")))]
#[post("/auth/password-link")]
pub async fn redeem_password_link(
    newsroom: Data<Newsroom>,
    From(origin): From,
    _: NoQuery,
    Input((token, password)): Input<PasswordLinkRedeem>,
) -> Result<HttpResponse, Error> {
    auth::redeem_password_link(&newsroom, token, password, origin).await?;
    Ok(answer::no_content())
}

/// Who am I
///
/// The user whose token is sent, and what they may do with it.
#[utoipa::path(tag = "access", security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = Me)))]
#[get("/me")]
pub async fn get_me(
    request: HttpRequest,
    AnyCaller(principal): AnyCaller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let me = Me::from(principal.user()?);
    Answer::ok(&request, &principal, me).send()
}
