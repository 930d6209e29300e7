//! Sessions and their refresh tokens in the database.

use diesel::prelude::*;

use super::{
    conn::{Db, on_either},
    schema::{refresh_tokens, sessions},
    signals::{self, Signal},
};
use crate::domain::{
    error::Error,
    id::{SessionId, UserId},
    instant::Instant,
    origin::Origin,
    session::Session,
};

/// Sessions that a user has at most; the one that was used least recently makes room for another.
const MAX_SESSIONS: i64 = 100;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
struct Row {
    id: i64,
    user_id: i64,
    method: String,
    address: String,
    user_agent: Option<String>,
    created_at: i64,
    used_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for Session {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: SessionId::new(row.id),
            user_id: UserId::new(row.user_id),
            method: row.method.parse()?,
            address: row.address.parse().map_err(|error| Error::internal("sessions.address", error))?,
            user_agent: row.user_agent,
            created_at: Instant::from_millis(row.created_at),
            used_at: Instant::from_millis(row.used_at),
            expires_at: Instant::from_millis(row.expires_at),
        })
    }
}

/// Adds a session with its first refresh token.
pub fn insert(db: &mut Db, session: &Session, token_hash: &str) -> Result<(), Error> {
    let row = Row {
        id: session.id.get(),
        user_id: session.user_id.get(),
        method: session.method.as_str().to_owned(),
        address: session.address.to_string(),
        user_agent: session.user_agent.clone(),
        created_at: session.created_at.millis(),
        used_at: session.used_at.millis(),
        expires_at: session.expires_at.millis(),
    };
    diesel::insert_into(sessions::table).values(row).execute(db)?;
    insert_token(db, session.id, token_hash)?;
    let spare: Vec<i64> = sessions::table
        .filter(sessions::user_id.eq(session.user_id.get()))
        .order((sessions::used_at.desc(), sessions::id.desc()))
        .offset(MAX_SESSIONS)
        .limit(MAX_SESSIONS)
        .select(sessions::id)
        .load(db)?;
    if !spare.is_empty() {
        diesel::delete(sessions::table.filter(sessions::id.eq_any(spare))).execute(db)?;
        signals::send(db, Signal::User(session.user_id))?;
    }
    Ok(())
}

fn insert_token(db: &mut Db, id: SessionId, token_hash: &str) -> Result<(), Error> {
    let row = (refresh_tokens::token_hash.eq(token_hash.to_owned()), refresh_tokens::session_id.eq(id.get()));
    diesel::insert_into(refresh_tokens::table).values(row).execute(db)?;
    Ok(())
}

/// The session with this id, unless it has ended.
pub fn find(db: &mut Db, id: SessionId, now: Instant) -> Result<Option<Session>, Error> {
    let live = sessions::table.find(id.get()).filter(sessions::expires_at.gt(now.millis()));
    let row: Option<Row> = live.select(Row::as_select()).first(db).optional()?;
    row.map(Session::try_from).transpose()
}

/// The sessions of a user that have not ended, the one that was used last first.
pub fn list(db: &mut Db, user: UserId, now: Instant) -> Result<Vec<Session>, Error> {
    let rows: Vec<Row> = sessions::table
        .filter(sessions::user_id.eq(user.get()))
        .filter(sessions::expires_at.gt(now.millis()))
        .order((sessions::used_at.desc(), sessions::id.desc()))
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Whether a user has lately used this address of the network.
pub fn knows_address(db: &mut Db, user: UserId, address: &str) -> Result<bool, Error> {
    let there = sessions::table
        .filter(sessions::user_id.eq(user.get()))
        .filter(sessions::address.eq(address.to_owned()));
    Ok(diesel::select(diesel::dsl::exists(there)).get_result(db)?)
}

/// A refresh token that somebody shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownToken {
    /// It is good, and used up by now.
    Fresh(SessionId),
    /// It was used before: somebody has a copy.
    Reused(SessionId),
}

/// Takes a refresh token. Of two who show the same one at once, one is told that it was used.
pub fn take_token(db: &mut Db, token_hash: &str, now: Instant) -> Result<Option<ShownToken>, Error> {
    let token = || refresh_tokens::table.find(token_hash.to_owned());
    let id: Option<i64> = token().select(refresh_tokens::session_id).first(db).optional()?;
    let Some(id) = id.map(SessionId::new) else { return Ok(None) };
    let fresh = token().filter(refresh_tokens::used_at.is_null());
    let taken = diesel::update(fresh).set(refresh_tokens::used_at.eq(now.millis())).execute(db)?;
    Ok(Some(if taken == 1 { ShownToken::Fresh(id) } else { ShownToken::Reused(id) }))
}

/// Goes on with a session under another refresh token; false if it has ended meanwhile.
pub fn extend(
    db: &mut Db,
    id: SessionId,
    token_hash: &str,
    origin: &Origin,
    now: Instant,
    expires_at: Instant,
) -> Result<bool, Error> {
    let extended = diesel::update(sessions::table.find(id.get()))
        .set((
            sessions::used_at.eq(now.millis()),
            sessions::expires_at.eq(expires_at.millis()),
            sessions::address.eq(origin.address.to_string()),
            sessions::user_agent.eq(&origin.user_agent),
        ))
        .execute(db)?;
    if extended == 0 {
        return Ok(false);
    }
    insert_token(db, id, token_hash)?;
    Ok(true)
}

/// Ends a session of a user; false if there is none.
pub fn delete(db: &mut Db, user: UserId, id: SessionId) -> Result<bool, Error> {
    let target = sessions::table.find(id.get()).filter(sessions::user_id.eq(user.get()));
    let deleted = diesel::delete(target).execute(db)? == 1;
    signals::send(db, Signal::User(user))?;
    Ok(deleted)
}

/// Ends all sessions of a user.
pub fn delete_all(db: &mut Db, user: UserId) -> Result<(), Error> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user.get()))).execute(db)?;
    signals::send(db, Signal::User(user))
}

/// Removes what has expired.
pub fn delete_expired(db: &mut Db, now: Instant) -> Result<(), Error> {
    let expired = sessions::table.filter(sessions::expires_at.le(now.millis()));
    on_either!(&mut *db, conn => diesel::delete(expired).execute(conn))?;
    Ok(())
}
