//! `/v1/tokens`

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Data};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer},
    articles::id_segment,
    auth::exposed,
    caller::Caller,
    input::{Input, NoQuery, Parse, Query},
    path::parameter,
    sessions::OfUser,
};
use crate::{
    domain::{
        api_token,
        error::{Error, Faults},
        id::{ApiTokenId, UserId},
        instant::Instant,
        permission::Scope,
        text,
    },
    service::{
        Newsroom,
        api_tokens::{self, NewApiToken},
    },
};

/// An API token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095801", "user_id": "184467440737095516", "name": "Nightly export",
    "prefix": "masthead_pat_pHYzJ1", "scopes": ["articles:read_drafts"], "created_at": "2026-05-18T09:30:00.000Z",
    "expires_at": "2027-05-18T09:30:00.000Z", "used_at": null
}))]
pub struct ApiToken {
    /// Its id.
    id: ApiTokenId,
    /// In whose name it acts.
    user_id: UserId,
    /// What it is for.
    name: String,
    /// How it begins, to tell it from others.
    prefix: String,
    /// What it may be used for. It never permits more than the role of its user does at that moment.
    scopes: Vec<Scope>,
    /// When it was made.
    created_at: Instant,
    /// When it ends; `null` if only by being revoked.
    expires_at: Option<Instant>,
    /// When it was last used, to the minute; `null` if never.
    used_at: Option<Instant>,
}

impl From<api_token::ApiToken> for ApiToken {
    fn from(token: api_token::ApiToken) -> Self {
        let api_token::ApiToken { id, user_id, name, prefix, scopes, created_at, expires_at, used_at } =
            token;
        Self { id, user_id, name, prefix, scopes, created_at, expires_at, used_at }
    }
}

/// API tokens, the newest first; a user has at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiTokens {
    /// The tokens.
    data: Vec<ApiToken>,
}

/// An API token that has just been made. The token is told this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "token": "masthead_pat_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE", "id": "184467440737095801",
    "user_id": "184467440737095516", "name": "Nightly export", "prefix": "masthead_pat_pHYzJ1",
    "scopes": ["articles:read_drafts"], "created_at": "2026-05-18T09:30:00.000Z",
    "expires_at": "2027-05-18T09:30:00.000Z", "used_at": null
}))]
pub struct ApiTokenCreated {
    /// What to send as `Authorization: Bearer …`.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    token: SecretString,
    /// The rest.
    #[serde(flatten)]
    about: ApiToken,
}

impl fmt::Debug for ApiTokenCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTokenCreated").field("about", &self.about).finish_non_exhaustive()
    }
}

/// An API token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Nightly export", "scopes": ["articles:read_drafts"], "expires_at": "2999-05-18T09:30:00Z"
}))]
pub struct ApiTokenCreate {
    /// What it is for.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may be used for; with none it reads what the public reads.
    #[schema(max_items = 20)]
    scopes: Vec<Scope>,
    /// When it ends. Without it the token ends only by being revoked.
    #[serde(default)]
    expires_at: Option<Instant>,
}

impl Parse for ApiTokenCreate {
    type Command = NewApiToken;

    fn parse(mut self, faults: &mut Faults) -> Option<NewApiToken> {
        self.scopes.sort_unstable();
        self.scopes.dedup();
        let name = text::line(faults, "/name", &self.name, 200)?;
        Some(NewApiToken { name, scopes: self.scopes, expires_at: self.expires_at })
    }
}

/// The segment `{token}`.
#[derive(Debug)]
pub struct TokenSegment;

impl IntoParams for TokenSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("token", "The id of an API token.", "184467440737095801")]
    }
}

/// List API tokens
///
/// Those of the caller, or with `user` those of a user, for administrators.
#[utoipa::path(tag = "access", params(OfUser), security(("bearer" = [])),
    responses((status = 200, description = "The API tokens.", body = ApiTokens)))]
#[get("/tokens")]
pub async fn list_tokens(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    Query(of): Query<OfUser>,
) -> Result<HttpResponse, Error> {
    let tokens = api_tokens::list(&newsroom, &principal, of.user).await?;
    let data = tokens.into_iter().map(ApiToken::from).collect();
    Answer::ok(&request, &principal, ApiTokens { data }).send()
}

/// Create an API token
///
/// It acts in the name of the caller, who has to have logged in. Keep the answer: the token is not told again.
#[utoipa::path(tag = "access", request_body = ApiTokenCreate, security(("bearer" = [])),
    responses((status = 201, description = "The API token.", body = ApiTokenCreated)))]
#[post("/tokens")]
pub async fn create_token(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(new): Input<ApiTokenCreate>,
) -> Result<HttpResponse, Error> {
    let (about, token) = api_tokens::create(&newsroom, &principal, new).await?;
    let location = format!("/v1/tokens/{}", about.id);
    let created = ApiTokenCreated { token, about: about.into() };
    Answer::private(&request, created).created(location).send()
}

/// Get an API token
///
/// One of the caller, or of anybody for administrators. Its secret is not told.
#[utoipa::path(tag = "access", params(TokenSegment), security(("bearer" = [])),
    responses((status = 200, description = "The API token.", body = ApiToken)))]
#[get("/tokens/{token}")]
pub async fn get_token(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let id = id_segment(&request, "token", "API token")?;
    let token = api_tokens::get(&newsroom, &principal, id).await?;
    Answer::ok(&request, &principal, ApiToken::from(token)).send()
}

/// Revoke an API token
///
/// One of the caller, or of anybody for administrators. It is void from now on.
#[utoipa::path(tag = "access", params(TokenSegment), security(("bearer" = [])),
    responses((status = 204, description = "The API token is revoked.")))]
#[delete("/tokens/{token}")]
pub async fn delete_token(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let id = id_segment(&request, "token", "API token")?;
    api_tokens::revoke(&newsroom, &principal, id).await?;
    Ok(answer::no_content())
}
