//! The keys with which access tokens are signed: each node has its own, and knows the public halves of all.

use std::sync::Mutex;

use secrecy::SecretString;

use super::{
    Newsroom,
    auth::{AccessTokens, PublicKey},
};
use crate::{
    domain::{error::Error, instant::Instant},
    store::{conn::Db, signing_keys},
};

/// How long a key is known after its node last said that it uses it, in milliseconds: a day.
const LIFETIME: i64 = 24 * 60 * 60 * 1000;
/// Milliseconds between two looks at the keys of others because of a token with an unknown one.
const PATIENCE: i64 = 1000;

/// When the keys of others were last read, in milliseconds.
#[derive(Debug, Default)]
pub struct LastRead(Mutex<i64>);

fn known(db: &mut Db, now: Instant) -> Result<Vec<PublicKey>, Error> {
    let keys = signing_keys::list(db, now)?.into_iter();
    Ok(keys.map(|(kid, x)| PublicKey { kid, x }).collect())
}

/// Lets all nodes know the key of this one, for a day from now, and reads theirs.
///
/// # Errors
/// Those of the database.
pub async fn announce(newsroom: &Newsroom) -> Result<(), Error> {
    let (own, now) = (newsroom.tokens.public_key(), newsroom.clock.now());
    let expires_at = Instant::from_millis(now.millis().saturating_add(LIFETIME));
    let keys = newsroom
        .store
        .write(move |db| {
            signing_keys::put(db, &own.kid, &own.x, expires_at)?;
            known(db, now)
        })
        .await?;
    newsroom.tokens.know(&keys);
    Ok(())
}

/// Reads the keys of all nodes, at most once a second; whether it has.
///
/// # Errors
/// Those of the database.
pub async fn reload(newsroom: &Newsroom) -> Result<bool, Error> {
    let now = newsroom.clock.now();
    {
        let mut last = newsroom.keys_read.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if (now.millis() - *last).abs() < PATIENCE {
            return Ok(false);
        }
        *last = now.millis();
    }
    let keys = newsroom.store.read(move |db| known(db, now)).await?;
    newsroom.tokens.know(&keys);
    Ok(true)
}

/// The keys that access tokens of this newsroom can be checked with.
///
/// # Errors
/// Those of the database.
pub async fn list(newsroom: &Newsroom) -> Result<Vec<PublicKey>, Error> {
    let now = newsroom.clock.now();
    let mut keys = newsroom.store.read(move |db| known(db, now)).await?;
    let own = newsroom.tokens.public_key();
    if !keys.contains(&own) {
        keys.push(own);
    }
    Ok(keys)
}

/// Announces the key that is to take the place of this node's. What the present one has signed stays good until it
/// expires, or with `revoke` ends at once.
///
/// # Errors
/// When the text is no key; those of the database.
pub async fn succeed(newsroom: &Newsroom, next: &SecretString, revoke: bool) -> Result<PublicKey, Error> {
    let next = AccessTokens::from_pem(next, 1)?.public_key();
    let (old, now) = (newsroom.tokens.public_key(), newsroom.clock.now());
    // As long as a token lives, and a minute in which the server may still sign with it.
    let last = now.millis() + newsroom.tokens.lifetime_seconds() * 1000 + 60_000;
    let (expires_at, announced) = (Instant::from_millis(now.millis().saturating_add(LIFETIME)), next.clone());
    newsroom
        .store
        .write(move |db| {
            signing_keys::put(db, &announced.kid, &announced.x, expires_at)?;
            if revoke {
                signing_keys::delete(db, &old.kid)
            } else {
                signing_keys::put(db, &old.kid, &old.x, Instant::from_millis(last))
            }
        })
        .await?;
    Ok(next)
}
