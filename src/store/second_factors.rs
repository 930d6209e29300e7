//! Second factors (TOTP, RFC 6238) and recovery codes in the database.

use diesel::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    audit,
    conn::{Db, on_either},
    schema::{recovery_codes, second_factors},
    signals::{self, Signal},
};
use crate::domain::{error::Error, id::UserId, instant::Instant};

/// A shared secret, in base32.
#[derive(Debug)]
pub struct SecondFactor {
    /// The secret.
    pub secret: SecretString,
    /// Whether its user has shown that they have it.
    pub is_confirmed: bool,
    /// The time step of the last code that was taken: none is taken twice.
    pub last_step: i64,
}

/// The second factor of a user.
pub fn find(db: &mut Db, user: UserId) -> Result<Option<SecondFactor>, Error> {
    let row: Option<(String, Option<i64>, i64)> = second_factors::table
        .find(user.get())
        .select((second_factors::secret, second_factors::confirmed_at, second_factors::last_step))
        .first(db)
        .optional()?;
    Ok(row.map(|(secret, confirmed_at, last_step)| SecondFactor {
        secret: secret.into(),
        is_confirmed: confirmed_at.is_some(),
        last_step,
    }))
}

/// Gives a user a secret that they are to confirm, in the place of one that they have not confirmed.
pub fn begin(db: &mut Db, user: UserId, secret: &SecretString) -> Result<(), Error> {
    diesel::delete(second_factors::table.find(user.get())).execute(db)?;
    let row = (
        second_factors::user_id.eq(user.get()),
        second_factors::secret.eq(secret.expose_secret().to_owned()),
        second_factors::last_step.eq(0),
    );
    diesel::insert_into(second_factors::table).values(row).execute(db)?;
    audit::about("user", user.get());
    Ok(())
}

/// Takes the code of a time step; false if that or a later one was taken before.
pub fn take_step(db: &mut Db, user: UserId, step: i64) -> Result<bool, Error> {
    let target = second_factors::table.find(user.get()).filter(second_factors::last_step.lt(step));
    Ok(diesel::update(target).set(second_factors::last_step.eq(step)).execute(db)? == 1)
}

/// From now on the second factor counts.
pub fn confirm(db: &mut Db, user: UserId, now: Instant) -> Result<(), Error> {
    diesel::update(second_factors::table.find(user.get()))
        .set(second_factors::confirmed_at.eq(now.millis()))
        .execute(db)?;
    audit::about("user", user.get());
    signals::send(db, Signal::User(user))
}

/// Takes the second factor and the recovery codes off a user.
pub fn delete(db: &mut Db, user: UserId) -> Result<(), Error> {
    diesel::delete(second_factors::table.find(user.get())).execute(db)?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user.get()))).execute(db)?;
    audit::about("user", user.get());
    signals::send(db, Signal::User(user))
}

/// Gives a user other recovery codes, by their hashes.
pub fn set_recovery_codes(db: &mut Db, user: UserId, hashes: &[String]) -> Result<(), Error> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user.get()))).execute(db)?;
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| (recovery_codes::user_id.eq(user.get()), recovery_codes::code_hash.eq(hash)))
        .collect();
    on_either!(&mut *db, conn => diesel::insert_into(recovery_codes::table).values(rows).execute(conn))?;
    audit::about("user", user.get());
    Ok(())
}

/// Uses up a recovery code; false if it is not one.
pub fn take_recovery_code(db: &mut Db, user: UserId, hash: &str) -> Result<bool, Error> {
    Ok(diesel::delete(recovery_codes::table.find((user.get(), hash.to_owned()))).execute(db)? == 1)
}

/// The number of recovery codes that are left.
pub fn count_recovery_codes(db: &mut Db, user: UserId) -> Result<i64, Error> {
    let codes = recovery_codes::table.filter(recovery_codes::user_id.eq(user.get()));
    Ok(codes.count().get_result(db)?)
}
