//! `/v1/sessions`

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, delete, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer},
    articles::id_segment,
    caller::Caller,
    input::{NoQuery, Query},
    path::parameter,
};
use crate::{
    domain::{
        error::Error,
        id::{SessionId, UserId},
        instant::Instant,
        session::{self, LoginMethod},
        user::{Credential, Principal},
    },
    service::{Newsroom, sessions},
};

/// A log-in that has not ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095601", "user_id": "184467440737095516", "method": "password", "address": "192.0.2.7",
    "user_agent": "Mozilla/5.0", "created_at": "2026-05-18T09:30:00.000Z", "used_at": "2026-05-18T11:00:00.000Z",
    "expires_at": "2026-06-17T11:00:00.000Z", "is_current": true
}))]
pub struct Session {
    /// Its id.
    id: SessionId,
    /// Whose it is.
    user_id: UserId,
    /// How it began.
    method: LoginMethod,
    /// The address of the network from which it was used last.
    #[schema(value_type = String)]
    address: IpAddr,
    /// With what it was used last.
    user_agent: Option<String>,
    /// When it began.
    created_at: Instant,
    /// When it last got an access token.
    used_at: Instant,
    /// When it ends unless it is used before.
    expires_at: Instant,
    /// Whether it is the one with which this was asked.
    is_current: bool,
}

impl Session {
    fn seen_by(principal: &Principal, session: session::Session) -> Self {
        let session::Session { id, user_id, method, address, user_agent, created_at, used_at, expires_at } =
            session;
        let is_current =
            matches!(principal, Principal::User(actor) if actor.credential == Credential::Session(id));
        Self { id, user_id, method, address, user_agent, created_at, used_at, expires_at, is_current }
    }
}

/// Sessions, the one that was used last first; a user has at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The sessions.
    data: Vec<Session>,
}

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfUser {
    /// The id of a user, for those who manage users. Without it: the caller.
    #[serde(default)]
    pub(super) user: Option<UserId>,
}

/// The segment `{session}`.
#[derive(Debug)]
pub struct SessionSegment;

impl IntoParams for SessionSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("session", "The id of a session.", "184467440737095601")]
    }
}

/// List sessions
///
/// The log-ins of the caller that have not ended, or with `user` those of a user, for administrators.
#[utoipa::path(tag = "access", params(OfUser), security(("bearer" = [])),
    responses((status = 200, description = "The sessions.", body = Sessions)))]
#[get("/sessions")]
pub async fn list_sessions(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    Query(of): Query<OfUser>,
) -> Result<HttpResponse, Error> {
    let found = sessions::list(&newsroom, &principal, of.user).await?;
    let data = found.into_iter().map(|session| Session::seen_by(&principal, session)).collect();
    Answer::ok(&request, &principal, Sessions { data }).send()
}

/// End a session
///
/// One of the caller, or of anybody for administrators. Its tokens are void from now on.
#[utoipa::path(tag = "access", params(SessionSegment), security(("bearer" = [])),
    responses((status = 204, description = "The session has ended.")))]
#[delete("/sessions/{session}")]
pub async fn delete_session(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let id = id_segment(&request, "session", "session")?;
    sessions::end(&newsroom, &principal, id).await?;
    Ok(answer::no_content())
}
