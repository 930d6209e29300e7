//! Against guessing: failed log-ins make the next one wait, longer each time.
//!
//! What is counted: an account from one address of the network, an address whatever the account, and an account whatever
//! the address. The last of these holds up nobody who comes from an address that the account has a session from, so that
//! strangers cannot shut somebody out. Whether there is such an account makes no difference.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::{Newsroom, hex};
use crate::{
    domain::{
        audit::{AuditEvent, Outcome},
        error::{Error, ErrorCode},
        id::UserId,
        instant::Instant,
        origin::Origin,
    },
    store::{attempts, audit, conn::Db, sessions},
};

/// Failures of one account from one address before the next waits.
const FREE_OF_PAIR: i64 = 5;
/// Failures from one address, whatever the account, before the next waits.
const FREE_OF_ADDRESS: i64 = 30;
/// Failures of one account, whatever the address, before the next from an unknown address waits.
const FREE_OF_ACCOUNT: i64 = 50;
/// The longest wait, in milliseconds: a quarter of an hour.
const LONGEST: i64 = 15 * 60 * 1000;
/// Milliseconds after which failures are forgotten: a day.
const FORGOTTEN: i64 = 24 * 60 * 60 * 1000;

/// Milliseconds to wait after so many failures of which some are free: one second, two, four, and so on.
fn wait(failures: i64, free: i64) -> i64 {
    let over = failures - free;
    if over < 0 {
        0
    } else {
        1000_i64.checked_shl(over.min(20).unsigned_abs() as u32).map_or(LONGEST, |wait| wait.min(LONGEST))
    }
}

/// Milliseconds since an instant.
fn age(of: Instant, now: Instant) -> i64 {
    now.millis().saturating_sub(of.millis())
}

/// An attempt to log in, which counts as failed until [`Attempt::succeed`].
#[derive(Debug, Clone)]
pub(in crate::service) struct Attempt {
    pair: String,
    address: String,
    account: String,
}

/// The part of an address that one subscriber of a network has: of IPv6, the first 64 bits (RFC 6177).
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl Attempt {
    fn new(account: &str, origin: &Origin) -> Self {
        let network = network(origin.address);
        let key = |parts: &[&str]| hex(&Sha256::digest(parts.join("\0")));
        Self {
            pair: key(&["pair", account, &network]),
            address: key(&["address", &network]),
            account: key(&["account", account]),
        }
    }

    /// Counts an attempt, before it is known how it ends, so that many at once get no further than one after the other.
    /// `account` is an e-mail address, `user` whose that is, if anybody's.
    ///
    /// # Errors
    /// 429 with the seconds to wait; nothing is counted then.
    pub async fn begin(
        newsroom: &Newsroom,
        account: &str,
        user: Option<UserId>,
        origin: &Origin,
    ) -> Result<Self, Error> {
        let (attempt, now) = (Self::new(account, origin), newsroom.clock.now());
        let address = origin.address.to_string();
        // Only looked at first, so that those who have to wait do not keep others from writing meanwhile.
        let (looked, from) = (attempt.clone(), address.clone());
        newsroom.store.read(move |db| looked.check(db, user, &from, now)).await?;
        newsroom
            .store
            .write_apart(move |db| {
                attempts::hold(db)?;
                attempt.check(db, user, &address, now)?;
                for key in [&attempt.pair, &attempt.address, &attempt.account] {
                    let old = attempts::find(db, key)?;
                    let is_forgotten = old.is_some_and(|old| age(old.last_at, now) >= FORGOTTEN);
                    attempts::add(db, key, now, is_forgotten)?;
                }
                Ok(attempt)
            })
            .await
    }

    /// Whether the next attempt may be made now.
    fn check(&self, db: &mut Db, user: Option<UserId>, address: &str, now: Instant) -> Result<(), Error> {
        let is_known = match user {
            Some(user) => sessions::knows_address(db, user, address)?,
            None => false,
        };
        let free_of_account = if is_known { i64::MAX } else { FREE_OF_ACCOUNT };
        let counted =
            [(&self.pair, FREE_OF_PAIR), (&self.address, FREE_OF_ADDRESS), (&self.account, free_of_account)];
        let mut longest = 0;
        for (key, free) in counted {
            let Some(failures) = attempts::find(db, key)? else { continue };
            let age = age(failures.last_at, now);
            if age < FORGOTTEN {
                longest = longest.max(wait(failures.count, free) - age);
            }
        }
        if longest > 0 { Err(too_many(longest)) } else { Ok(()) }
    }

    /// It was no failure: what was counted of the account is forgotten.
    pub fn succeed(&self, db: &mut Db) -> Result<(), Error> {
        attempts::clear(db, &self.pair)?;
        attempts::clear(db, &self.account)?;
        attempts::take_back(db, &self.address)
    }

    /// Writes a failure to the audit log.
    pub async fn fail(
        newsroom: &Newsroom,
        action: &str,
        account: &str,
        user: Option<UserId>,
        origin: &Origin,
        why: &str,
    ) -> Result<(), Error> {
        let event = AuditEvent::new(newsroom.ids.next(), newsroom.clock.now(), action, Outcome::Failed);
        let event = AuditEvent { actor_id: user, actor_name: Some(account.to_owned()), ..event };
        let event = event.from(origin).detail(why);
        newsroom.store.write_apart(move |db| audit::record(db, &event)).await
    }
}

fn too_many(millis: i64) -> Error {
    let seconds = (millis + 999) / 1000;
    let detail = format!("Too many attempts have failed. Try again in {seconds} seconds.");
    Error::RetryAfter { code: ErrorCode::TooManyAttempts, detail, seconds: seconds.unsigned_abs() }
}

/// Forgets what no longer counts.
pub(super) fn forget(db: &mut Db, now: Instant) -> Result<(), Error> {
    attempts::clear_before(db, Instant::from_millis(now.millis().saturating_sub(FORGOTTEN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<_> = (4..9).map(|failures| wait(failures, 5)).collect();
        assert_eq!(waits, [0, 1000, 2000, 4000, 8000]);
        assert_eq!(wait(1000, 5), LONGEST);
        assert_eq!(wait(i64::MAX, i64::MAX), 1000);
        assert_eq!(wait(1_000_000, i64::MAX), 0);
    }

    #[test]
    fn one_subscriber_has_one_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
