//! Sessions: begin, go on, end.

use secrecy::SecretString;

use super::{
    Newsroom,
    auth::{self, Bearer, LoggedIn, random_token, token_hash},
};
use crate::{
    domain::{
        audit::{AuditEvent, Outcome},
        error::{Error, ErrorCode},
        id::{SessionId, UserId},
        instant::Instant,
        origin::Origin,
        permission::{Action, require},
        session::{LoginMethod, Session},
        user::{Principal, User},
    },
    store::{
        audit,
        conn::Db,
        sessions::{self, ShownToken},
        users,
    },
};

/// What every refresh token begins with, so that scanners of leaked secrets know one when they see it.
const REFRESH_PREFIX: &str = "masthead_rt_";

/// When a session that is used now ends.
fn end_of(room: &Newsroom, now: Instant) -> Instant {
    let lifetime = i64::from(room.session_days) * 24 * 60 * 60 * 1000;
    Instant::from_millis(now.millis().saturating_add(lifetime))
}

/// Lets somebody in who has just shown who they are, and writes that to the audit log.
pub(super) fn open(
    db: &mut Db,
    room: &Newsroom,
    user: &User,
    method: LoginMethod,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    auth::record(db, room, user, "login", origin)?;
    open_again(db, room, user, method, origin)
}

/// As [`open`], for somebody who is in already.
pub(super) fn open_again(
    db: &mut Db,
    room: &Newsroom,
    user: &User,
    method: LoginMethod,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    let now = room.clock.now();
    let session = Session {
        id: SessionId::new(room.ids.next()),
        user_id: user.id,
        method,
        address: origin.address,
        user_agent: origin.user_agent.clone(),
        created_at: now,
        used_at: now,
        expires_at: end_of(room, now),
    };
    let refresh_token = random_token(REFRESH_PREFIX)?;
    sessions::insert(db, &session, &token_hash(&refresh_token))?;
    logged_in(room, user.id, session.id, refresh_token)
}

fn logged_in(
    room: &Newsroom,
    user: UserId,
    session: SessionId,
    refresh_token: SecretString,
) -> Result<LoggedIn, Error> {
    let access_token = room.tokens.issue(Bearer { user, session }, room.clock.now())?;
    Ok(LoggedIn { access_token, expires_in: room.tokens.lifetime_seconds(), refresh_token, session })
}

fn bad_token() -> Error {
    Error::Other(ErrorCode::BadRefreshToken, ErrorCode::BadRefreshToken.meaning().to_owned())
}

/// Goes on with a session: another access token, and another refresh token in the place of the one shown
/// (RFC 9700, section 4.14.2). A refresh token that was used before ends the session: somebody has a copy of it.
///
/// # Errors
/// 401 if the token is not good, its session has ended, or its user is suspended.
pub async fn refresh(newsroom: &Newsroom, token: SecretString, origin: Origin) -> Result<LoggedIn, Error> {
    let (room, hash, from) = (newsroom.clone(), token_hash(&token), origin.clone());
    let refreshed = newsroom.store.write(move |db| {
        let now = room.clock.now();
        let Some(ShownToken::Fresh(id)) = sessions::take_token(db, &hash, now)? else {
            return Err(bad_token());
        };
        let session = sessions::find(db, id, now)?.ok_or_else(bad_token)?;
        let user = users::get(db, session.user_id)?;
        let refresh_token = random_token(REFRESH_PREFIX)?;
        let next = token_hash(&refresh_token);
        if user.suspended || !sessions::extend(db, id, &next, &from, now, end_of(&room, now))? {
            return Err(bad_token());
        }
        logged_in(&room, user.id, id, refresh_token)
    });
    match refreshed.await {
        Err(error) if error.code() == ErrorCode::BadRefreshToken => {
            end_if_reused(newsroom, token_hash(&token), origin).await?;
            Err(error)
        }
        refreshed => refreshed,
    }
}

/// Ends the session of a refresh token that was used before.
async fn end_if_reused(newsroom: &Newsroom, hash: String, origin: Origin) -> Result<(), Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write_apart(move |db| {
            let now = room.clock.now();
            let Some(ShownToken::Reused(id)) = sessions::take_token(db, &hash, now)? else { return Ok(()) };
            let Some(session) = sessions::find(db, id, now)? else { return Ok(()) };
            sessions::delete(db, session.user_id, id)?;
            let event = AuditEvent::new(room.ids.next(), now, "refresh", Outcome::Refused);
            let name = users::find(db, session.user_id)?.map(|user| user.name);
            let event = AuditEvent { actor_id: Some(session.user_id), actor_name: name, ..event };
            let why = "a refresh token was used twice, so its session has ended";
            audit::record(db, &event.about("session", id.get()).from(&origin).detail(why))
        })
        .await
}

/// The sessions of the caller, or of a user for those who manage users; the one that was used last first.
///
/// # Errors
/// 401; 403 for somebody else's; 404 if there is no such user.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    of: Option<UserId>,
) -> Result<Vec<Session>, Error> {
    let user = whose(principal, of)?;
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            users::get(db, user)?;
            sessions::list(db, user, now)
        })
        .await
}

/// Whose account is meant: the caller's, who has to have logged in, or another's, for those who manage users.
pub(super) fn whose(principal: &Principal, of: Option<UserId>) -> Result<UserId, Error> {
    let actor = principal.user()?;
    match of {
        Some(user) if user != actor.id => require(principal, Action::ManageUsers).map(|_| user),
        _ => actor.session().map(|_| actor.id),
    }
}

/// Ends a session of the caller, or of anybody for those who manage users.
///
/// # Errors
/// 401; 404 if there is no such session, or none that is the caller's.
pub async fn end(newsroom: &Newsroom, principal: &Principal, id: SessionId) -> Result<(), Error> {
    let (principal, now) = (principal.clone(), newsroom.clock.now());
    principal.user()?;
    newsroom
        .store
        .write(move |db| {
            let gone = || Error::not_found("session");
            let session = sessions::find(db, id, now)?.ok_or_else(gone)?;
            let user = whose(&principal, Some(session.user_id)).map_err(|_| gone())?;
            audit::about("session", id.get());
            if sessions::delete(db, user, id)? { Ok(()) } else { Err(gone()) }
        })
        .await
}

/// Ends the caller's session, or all that they have.
///
/// # Errors
/// 401; 403 for an API token.
pub async fn log_out(newsroom: &Newsroom, principal: &Principal, everywhere: bool) -> Result<(), Error> {
    let actor = principal.user()?;
    let (user, session) = (actor.id, actor.session()?);
    newsroom
        .store
        .write(move |db| {
            audit::about("session", session.get());
            if everywhere {
                sessions::delete_all(db, user)
            } else {
                sessions::delete(db, user, session).map(drop)
            }
        })
        .await
}
