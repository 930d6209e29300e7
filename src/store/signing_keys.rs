//! The public halves of the nodes' signing keys in the database.

use diesel::prelude::*;

use super::{
    conn::{Db, on_either},
    schema::signing_keys,
    signals::{self, Signal},
};
use crate::domain::{error::Error, instant::Instant};

/// The keys that have not expired: id and public key.
pub fn list(db: &mut Db, now: Instant) -> Result<Vec<(String, String)>, Error> {
    let keys = signing_keys::table.filter(signing_keys::expires_at.gt(now.millis()));
    Ok(keys.order(signing_keys::kid).select((signing_keys::kid, signing_keys::public_key)).load(db)?)
}

/// Adds a key, or lets one that is there expire later, or earlier.
pub fn put(db: &mut Db, kid: &str, public_key: &str, expires_at: Instant) -> Result<(), Error> {
    let row = (
        signing_keys::kid.eq(kid.to_owned()),
        signing_keys::public_key.eq(public_key.to_owned()),
        signing_keys::expires_at.eq(expires_at.millis()),
    );
    on_either!(&mut *db, conn => diesel::insert_into(signing_keys::table)
        .values(row)
        .on_conflict(signing_keys::kid)
        .do_update()
        .set(signing_keys::expires_at.eq(expires_at.millis()))
        .execute(conn))?;
    signals::send(db, Signal::Keys)
}

/// Removes a key: what it has signed is void.
pub fn delete(db: &mut Db, kid: &str) -> Result<(), Error> {
    diesel::delete(signing_keys::table.find(kid.to_owned())).execute(db)?;
    signals::send(db, Signal::Keys)
}

/// Removes what has expired.
pub fn delete_expired(db: &mut Db, now: Instant) -> Result<(), Error> {
    diesel::delete(signing_keys::table.filter(signing_keys::expires_at.le(now.millis()))).execute(db)?;
    Ok(())
}
