//! What nodes keep in memory, kept true: a transaction that changes such a thing sends a signal, which every node hears
//! once it has committed. In the process it is heard before the commit is acknowledged; other nodes hear it by
//! PostgreSQL's `LISTEN` and `NOTIFY`. This is the only file that knows those.

use std::{
    cell::RefCell,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{PgConnection, RunQueryDsl as _, sql_types::Text};

use super::conn::{ConnectionManager, DatabaseUrl, Db};
use crate::domain::{error::Error, id::UserId};

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A user, their sessions or their API tokens.
    User(UserId),
    /// Which author profile is whose.
    Profiles,
    /// The settings of the site.
    Site,
    /// The keys with which access tokens are checked.
    Keys,
    /// A public change was recorded.
    Changes,
    /// Nobody knows what: signals may have been missed.
    Everything,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Profiles => f.write_str("profiles"),
            Self::Site => f.write_str("site"),
            Self::Keys => f.write_str("keys"),
            Self::Changes => f.write_str("changes"),
            Self::Everything => f.write_str("everything"),
        }
    }
}

impl Signal {
    /// A signal of a newer program that this one does not know means everything.
    fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("user", id)) => id.parse().map_or(Self::Everything, Self::User),
            None if text == "profiles" => Self::Profiles,
            None if text == "site" => Self::Site,
            None if text == "keys" => Self::Keys,
            None if text == "changes" => Self::Changes,
            _ => Self::Everything,
        }
    }
}

const CHANNEL: &str = "masthead";
/// How often the connection is looked at for signals of other nodes.
const POLL: Duration = Duration::from_millis(10);
/// How often the server is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after a heartbeat signals of other nodes are sure to have been heard.
const TRUSTED_MILLIS: i64 = 1000;

thread_local! {
    static OF_THIS_TRANSACTION: RefCell<Vec<Signal>> = const { RefCell::new(Vec::new()) };
}

/// Sends a signal when the transaction commits.
pub fn send(db: &mut Db, signal: Signal) -> Result<(), Error> {
    OF_THIS_TRANSACTION.with_borrow_mut(|pending| pending.push(signal));
    if let Db::Postgres(conn) = db {
        diesel::sql_query("SELECT pg_notify($1, $2)")
            .bind::<Text, _>(CHANNEL)
            .bind::<Text, _>(signal.to_string())
            .execute(conn)?;
    }
    Ok(())
}

/// The signals of the transaction on this thread, which are forgotten.
pub(super) fn take() -> Vec<Signal> {
    OF_THIS_TRANSACTION.take()
}

type Listener = Box<dyn Fn(Signal) + Send + Sync>;

/// Who hears signals in this process.
pub(super) struct Listeners {
    listeners: RwLock<Vec<Listener>>,
    begun: Instant,
    /// Milliseconds from `begun` to the last heartbeat; negative if there was none.
    last_heartbeat: AtomicI64,
    /// Whether another process can change the database.
    is_shared: bool,
}

impl Listeners {
    pub(super) fn new(is_shared: bool) -> Self {
        let last_heartbeat = AtomicI64::new(-TRUSTED_MILLIS);
        Self { listeners: RwLock::default(), begun: Instant::now(), last_heartbeat, is_shared }
    }

    pub(super) fn add(&self, listener: Listener) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(super) fn hear(&self, signal: Signal) {
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(signal);
        }
    }

    /// Whether signals of other nodes are sure to arrive; else nothing that was kept in memory can be relied on.
    pub(super) fn is_coherent(&self) -> bool {
        let now = self.now();
        !self.is_shared || now - self.last_heartbeat.load(Ordering::Acquire) < TRUSTED_MILLIS
    }

    fn now(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Hears signals of other nodes on a thread of its own, until the store is dropped. Does nothing on SQLite, where the
/// process that serves is the only one that keeps things in memory.
pub(super) fn watch(manager: ConnectionManager, listeners: &Arc<Listeners>) -> Result<(), Error> {
    if let DatabaseUrl::Sqlite(_) = manager.url {
        return Ok(());
    }
    let listeners = Arc::downgrade(listeners);
    let spawned = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while listeners.strong_count() > 0 {
            if let Err(error) = hear_others(&manager, &listeners) {
                tracing::warn!(%error, "signals of other nodes cannot be heard; nothing is kept in memory");
                thread::sleep(HEARTBEAT);
            }
        }
    });
    spawned.map(drop).map_err(|error| Error::internal("starting a thread", error))
}

/// Returns when the store is dropped, or with an error when the connection is lost.
fn hear_others(manager: &ConnectionManager, listeners: &Weak<Listeners>) -> Result<(), Error> {
    use diesel::r2d2::ManageConnection as _;
    let lost = |error: &dyn fmt::Display| Error::internal("listening to the database", error);
    let mut db = manager.connect().map_err(|error| lost(&error))?;
    let Db::Postgres(conn) = &mut db else { return Ok(()) };
    diesel::sql_query(format!("LISTEN {CHANNEL}")).execute(conn)?;
    // Whatever was sent before is missed.
    let mut next_heartbeat = Instant::now();
    let mut is_new = true;
    while let Some(listeners) = listeners.upgrade() {
        if is_new {
            listeners.hear(Signal::Everything);
            is_new = false;
        }
        let asked_at = listeners.now();
        let is_due = Instant::now() >= next_heartbeat;
        if is_due {
            diesel::sql_query("SELECT 1").execute(conn)?;
            next_heartbeat = Instant::now() + HEARTBEAT;
        }
        hear_pending(conn, &listeners)?;
        if is_due {
            // What was committed before the question came with the answer.
            listeners.last_heartbeat.store(asked_at, Ordering::Release);
        }
        drop(listeners);
        thread::sleep(POLL);
    }
    Ok(())
}

fn hear_pending(conn: &mut PgConnection, listeners: &Listeners) -> Result<(), Error> {
    for notification in conn.notifications_iter() {
        listeners.hear(Signal::parse(&notification?.payload));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_survive_the_wire() {
        for signal in [
            Signal::User(UserId::new(7)),
            Signal::Profiles,
            Signal::Site,
            Signal::Keys,
            Signal::Changes,
            Signal::Everything,
        ] {
            assert_eq!(Signal::parse(&signal.to_string()), signal);
        }
        assert_eq!(Signal::parse("tomorrow 7"), Signal::Everything);
        assert_eq!(Signal::parse("user x"), Signal::Everything);
    }
}
