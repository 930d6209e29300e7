//! Sessions: log-ins, from the first access token to the last refresh token.

use std::net::IpAddr;

use super::{
    id::{SessionId, UserId},
    instant::Instant,
    text_enum::text_enum,
};

/// How somebody logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoginMethod {
    /// With a password, and a second factor if they have one.
    Password,
    /// Through the provider of single sign-on.
    Oidc,
}

text_enum!(LoginMethod {
    Password "password",
    Oidc "oidc",
});

/// A log-in that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id; `sid` of the access tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// How it began.
    pub method: LoginMethod,
    /// The address from which it was used last.
    pub address: IpAddr,
    /// With what it was used last.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Instant,
    /// When it last got a new access token.
    pub used_at: Instant,
    /// When it ends unless it is used before.
    pub expires_at: Instant,
}
