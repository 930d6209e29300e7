//! Failed log-ins in the database, by the hash of what they have in common.

use diesel::prelude::*;

use super::{
    Lock,
    conn::{Db, on_either},
    exclusive,
    schema::login_attempts,
};
use crate::domain::{error::Error, instant::Instant};

/// How often something failed, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How often.
    pub count: i64,
    /// When last.
    pub last_at: Instant,
}

/// Holds what is counted to the end of the transaction, so that those who try at once are counted one after the other.
pub fn hold(db: &mut Db) -> Result<(), Error> {
    exclusive(db, Lock::Attempts)
}

/// The failures under a key.
pub fn find(db: &mut Db, key_hash: &str) -> Result<Option<Failures>, Error> {
    let row: Option<(i64, i64)> = login_attempts::table
        .find(key_hash.to_owned())
        .select((login_attempts::failures, login_attempts::last_at))
        .first(db)
        .optional()?;
    Ok(row.map(|(count, last_at)| Failures { count, last_at: Instant::from_millis(last_at) }))
}

/// Counts one more, from `restart` on if that many are forgotten.
pub fn add(db: &mut Db, key_hash: &str, now: Instant, is_forgotten: bool) -> Result<(), Error> {
    let row = (
        login_attempts::key_hash.eq(key_hash.to_owned()),
        login_attempts::failures.eq(1),
        login_attempts::last_at.eq(now.millis()),
    );
    if is_forgotten {
        clear(db, key_hash)?;
    }
    on_either!(&mut *db, conn => diesel::insert_into(login_attempts::table)
        .values(row)
        .on_conflict(login_attempts::key_hash)
        .do_update()
        .set((
            login_attempts::failures.eq(login_attempts::failures + 1),
            login_attempts::last_at.eq(now.millis()),
        ))
        .execute(conn))?;
    Ok(())
}

/// Takes one back: it was no failure.
pub fn take_back(db: &mut Db, key_hash: &str) -> Result<(), Error> {
    diesel::update(login_attempts::table.find(key_hash.to_owned()))
        .set(login_attempts::failures.eq(login_attempts::failures - 1))
        .execute(db)?;
    Ok(())
}

/// Forgets the failures under a key.
pub fn clear(db: &mut Db, key_hash: &str) -> Result<(), Error> {
    diesel::delete(login_attempts::table.find(key_hash.to_owned())).execute(db)?;
    Ok(())
}

/// Forgets failures before an instant.
pub fn clear_before(db: &mut Db, at: Instant) -> Result<(), Error> {
    diesel::delete(login_attempts::table.filter(login_attempts::last_at.lt(at.millis()))).execute(db)?;
    Ok(())
}
