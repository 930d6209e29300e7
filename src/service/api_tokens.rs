//! API tokens: make, list, revoke.

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Newsroom,
    audit::at_command_line,
    auth::{random_token, token_hash},
    sessions::whose,
};
use crate::{
    domain::{
        api_token::{ApiToken, PREFIX},
        error::Error,
        id::{ApiTokenId, UserId},
        instant::Instant,
        permission::Scope,
        user::{Principal, User},
    },
    store::{api_tokens, conn::Db, users},
};

/// Tokens that a user has at most.
const MAX_TOKENS: i64 = 100;
/// Characters of a token by which it is told from others.
const SHOWN: usize = PREFIX.len() + 6;

/// An API token to make.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it ends; `None` if only by being revoked.
    pub expires_at: Option<Instant>,
}

/// Makes an API token that acts in the caller's name. The secret is told this once.
///
/// # Errors
/// 401; 403 for an API token; 409 if the caller has too many; 422 if it would have ended already.
pub async fn create(
    newsroom: &Newsroom,
    principal: &Principal,
    new: NewApiToken,
) -> Result<(ApiToken, SecretString), Error> {
    let actor = principal.user()?;
    actor.session()?;
    let (room, user) = (newsroom.clone(), actor.user.clone());
    newsroom.store.write(move |db| insert(db, &room, &user, new)).await
}

/// Makes an API token for whoever runs the server; no principal is asked.
///
/// # Errors
/// As [`create`].
pub async fn add(
    newsroom: &Newsroom,
    user: User,
    new: NewApiToken,
) -> Result<(ApiToken, SecretString), Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let made = insert(db, &room, &user, new)?;
            at_command_line(db, &room, "create_token", "api_token", made.0.id.get())?;
            Ok(made)
        })
        .await
}

fn insert(
    db: &mut Db,
    room: &Newsroom,
    user: &User,
    new: NewApiToken,
) -> Result<(ApiToken, SecretString), Error> {
    let now = room.clock.now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("/expires_at", "in_the_past", "must lie in the future"));
    }
    if api_tokens::count(db, user.id)? >= MAX_TOKENS {
        let detail = format!("You have {MAX_TOKENS} API tokens. Revoke those that are not used.");
        return Err(Error::conflict(detail));
    }
    let secret = random_token(PREFIX)?;
    let token = ApiToken {
        id: ApiTokenId::new(room.ids.next()),
        user_id: user.id,
        name: new.name,
        prefix: secret.expose_secret().chars().take(SHOWN).collect(),
        scopes: new.scopes,
        created_at: now,
        expires_at: new.expires_at,
        used_at: None,
    };
    api_tokens::insert(db, &token, &token_hash(&secret))?;
    Ok((token, secret))
}

/// The API tokens of the caller, or of a user for those who manage users; the newest first.
///
/// # Errors
/// 401; 403 for somebody else's; 404 if there is no such user.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    of: Option<UserId>,
) -> Result<Vec<ApiToken>, Error> {
    let user = whose(principal, of)?;
    newsroom
        .store
        .read(move |db| {
            users::get(db, user)?;
            api_tokens::list(db, user)
        })
        .await
}

fn own(db: &mut Db, principal: &Principal, id: ApiTokenId) -> Result<ApiToken, Error> {
    let gone = || Error::not_found("API token");
    let token = api_tokens::find(db, id)?.ok_or_else(gone)?;
    whose(principal, Some(token.user_id)).map_err(|_| gone())?;
    Ok(token)
}

/// One API token.
///
/// # Errors
/// 401; 404 if there is none, or none that is the caller's.
pub async fn get(newsroom: &Newsroom, principal: &Principal, id: ApiTokenId) -> Result<ApiToken, Error> {
    principal.user()?;
    let principal = principal.clone();
    newsroom.store.read(move |db| own(db, &principal, id)).await
}

/// Revokes an API token.
///
/// # Errors
/// As [`get`].
pub async fn revoke(newsroom: &Newsroom, principal: &Principal, id: ApiTokenId) -> Result<(), Error> {
    principal.user()?;
    let principal = principal.clone();
    newsroom
        .store
        .write(move |db| {
            let token = own(db, &principal, id)?;
            api_tokens::delete(db, &token)
        })
        .await
}
