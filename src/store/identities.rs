//! Identities of users at the provider of single sign-on, and log-ins that are under way.

use diesel::prelude::*;

use super::{
    conn::{Db, on_either},
    schema::{identities, sign_on_attempts, sign_on_codes},
};
use crate::domain::{
    error::Error,
    id::UserId,
    identity::{Attempt, Identity},
    instant::Instant,
};

/// Whose identity this is.
pub fn find_user(db: &mut Db, identity: &Identity) -> Result<Option<UserId>, Error> {
    let id: Option<i64> = identities::table
        .find((identity.issuer.clone(), identity.subject.clone()))
        .select(identities::user_id)
        .first(db)
        .optional()?;
    Ok(id.map(UserId::new))
}

/// Whether a user has an identity at this provider.
pub fn has_any(db: &mut Db, user: UserId, issuer: &str) -> Result<bool, Error> {
    let any = identities::table
        .filter(identities::user_id.eq(user.get()))
        .filter(identities::issuer.eq(issuer.to_owned()));
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(db)?)
}

/// Gives an identity to a user.
///
/// # Errors
/// 409 if it is somebody's already.
pub fn insert(db: &mut Db, identity: &Identity, user: UserId, now: Instant) -> Result<(), Error> {
    let row = (
        identities::issuer.eq(identity.issuer.clone()),
        identities::subject.eq(identity.subject.clone()),
        identities::user_id.eq(user.get()),
        identities::created_at.eq(now.millis()),
        identities::used_at.eq(now.millis()),
    );
    diesel::insert_into(identities::table).values(row).execute(db)?;
    Ok(())
}

/// Notes that somebody has logged in with an identity.
pub fn touch(db: &mut Db, identity: &Identity, now: Instant) -> Result<(), Error> {
    let row = identities::table.find((identity.issuer.clone(), identity.subject.clone()));
    diesel::update(row).set(identities::used_at.eq(now.millis())).execute(db)?;
    Ok(())
}

/// Adds an attempt.
pub fn insert_attempt(db: &mut Db, attempt: &Attempt, expires_at: Instant) -> Result<(), Error> {
    let row = (
        sign_on_attempts::state_hash.eq(attempt.state_hash.clone()),
        sign_on_attempts::verifier_hash.eq(attempt.verifier_hash.clone()),
        sign_on_attempts::nonce.eq(attempt.nonce.clone()),
        sign_on_attempts::pkce_verifier.eq(attempt.pkce_verifier.clone()),
        sign_on_attempts::return_to.eq(attempt.return_to.clone()),
        sign_on_attempts::expires_at.eq(expires_at.millis()),
    );
    diesel::insert_into(sign_on_attempts::table).values(row).execute(db)?;
    Ok(())
}

/// Takes an attempt: it is there for one who asks, once, until it expires.
pub fn take_attempt(db: &mut Db, state_hash: &str, now: Instant) -> Result<Option<Attempt>, Error> {
    let found = sign_on_attempts::table.find(state_hash.to_owned());
    let live = found.clone().filter(sign_on_attempts::expires_at.gt(now.millis()));
    let columns = (
        sign_on_attempts::state_hash,
        sign_on_attempts::verifier_hash,
        sign_on_attempts::nonce,
        sign_on_attempts::pkce_verifier,
        sign_on_attempts::return_to,
    );
    let row: Option<(String, String, String, String, String)> = live.select(columns).first(db).optional()?;
    // Of two at once, the one who deletes it has it.
    if diesel::delete(found).execute(db)? != 1 {
        return Ok(None);
    }
    Ok(row.map(|(state_hash, verifier_hash, nonce, pkce_verifier, return_to)| Attempt {
        state_hash,
        verifier_hash,
        nonce,
        pkce_verifier,
        return_to,
    }))
}

/// Adds a login code by its hash, for who has the verifier with the other hash.
pub fn insert_code(
    db: &mut Db,
    code_hash: &str,
    verifier_hash: &str,
    user: UserId,
    expires_at: Instant,
) -> Result<(), Error> {
    let row = (
        sign_on_codes::code_hash.eq(code_hash.to_owned()),
        sign_on_codes::verifier_hash.eq(verifier_hash.to_owned()),
        sign_on_codes::user_id.eq(user.get()),
        sign_on_codes::expires_at.eq(expires_at.millis()),
    );
    diesel::insert_into(sign_on_codes::table).values(row).execute(db)?;
    Ok(())
}

/// Takes a login code, as [`take_attempt`] does: whose it is, and the hash of the verifier that goes with it.
pub fn take_code(db: &mut Db, code_hash: &str, now: Instant) -> Result<Option<(UserId, String)>, Error> {
    let found = sign_on_codes::table.find(code_hash.to_owned());
    let live = found.clone().filter(sign_on_codes::expires_at.gt(now.millis()));
    let row: Option<(i64, String)> =
        live.select((sign_on_codes::user_id, sign_on_codes::verifier_hash)).first(db).optional()?;
    if diesel::delete(found).execute(db)? != 1 {
        return Ok(None);
    }
    Ok(row.map(|(user, verifier_hash)| (UserId::new(user), verifier_hash)))
}

/// Ends the log-ins of a user that are under way.
pub fn delete_codes(db: &mut Db, user: UserId) -> Result<(), Error> {
    diesel::delete(sign_on_codes::table.filter(sign_on_codes::user_id.eq(user.get()))).execute(db)?;
    Ok(())
}

/// Removes what has expired.
pub fn delete_expired(db: &mut Db, now: Instant) -> Result<(), Error> {
    let attempts = sign_on_attempts::table.filter(sign_on_attempts::expires_at.le(now.millis()));
    on_either!(&mut *db, conn => diesel::delete(attempts).execute(conn))?;
    let codes = sign_on_codes::table.filter(sign_on_codes::expires_at.le(now.millis()));
    on_either!(&mut *db, conn => diesel::delete(codes).execute(conn))?;
    Ok(())
}
