//! API tokens: what programs show in place of a user's log-in.

use super::{
    id::{ApiTokenId, UserId},
    instant::Instant,
    permission::Scope,
};

/// What every API token begins with, so that scanners of leaked secrets know one when they see it.
pub const PREFIX: &str = "masthead_pat_";

/// An API token, without the secret, which is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// In whose name it acts.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// The beginning of the token, to tell it from others.
    pub prefix: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends; `None` if only by being revoked.
    pub expires_at: Option<Instant>,
    /// When it was last used, to the minute.
    pub used_at: Option<Instant>,
}
