//! What nodes keep in memory, kept true: a transaction that changes such a thing sends a signal, which every node hears
//! once it has committed. In the process it is heard before the commit is acknowledged; other nodes hear it by
//! PostgreSQL's `LISTEN` and `NOTIFY`. This is the only file that knows those. On SQLite, where one process serves, commands
//! that write to the same file leave their signals in a table for it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{
    PgConnection,
    prelude::*,
    sql_types::{BigInt, Text},
};

use super::conn::{ConnectionManager, DatabaseUrl, Db};
use crate::domain::{error::Error, id::UserId, instant::Instant as Due};

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// A user, their sessions or their API tokens.
    User(UserId),
    /// An author, or which author profile is whose.
    Profiles,
    /// A section or a tag.
    Taxonomy,
    /// Something public: the surrogate keys of what shows it.
    Public {
        /// As of when. By the clock of a node that is behind it is still to come.
        at: Due,
        /// The keys.
        keys: Arc<[String]>,
    },
    /// Something is to become public, or to cease to be, at an instant by itself.
    Schedule(Due),
    /// The settings of the site.
    Site,
    /// The keys with which access tokens are checked.
    Keys,
    /// Nobody knows what: signals may have been missed.
    Everything,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Profiles => f.write_str("profiles"),
            Self::Taxonomy => f.write_str("taxonomy"),
            Self::Public { at, keys } => write!(f, "public {} {}", at.millis(), keys.join(" ")),
            Self::Schedule(at) => write!(f, "schedule {}", at.millis()),
            Self::Site => f.write_str("site"),
            Self::Keys => f.write_str("keys"),
            Self::Everything => f.write_str("everything"),
        }
    }
}

impl Signal {
    /// A signal of a newer program that this one does not know means everything.
    fn parse(text: &str) -> Self {
        let instant = |text: &str| text.parse().ok().map(Due::from_millis);
        match text.split_once(' ') {
            Some(("user", id)) => id.parse().map_or(Self::Everything, Self::User),
            Some(("schedule", at)) => instant(at).map_or(Self::Everything, Self::Schedule),
            Some(("public", rest)) => {
                let (at, keys) = rest.split_once(' ').unwrap_or((rest, ""));
                let keys = keys.split(' ').map(str::to_owned).collect();
                instant(at).map_or(Self::Everything, |at| Self::Public { at, keys })
            }
            None if text == "profiles" => Self::Profiles,
            None if text == "taxonomy" => Self::Taxonomy,
            None if text == "site" => Self::Site,
            None if text == "keys" => Self::Keys,
            _ => Self::Everything,
        }
    }
}

/// Signals that are left for a server that does not run, or is slow to look.
const KEPT: i64 = 1000;
const CHANNEL: &str = "masthead";
/// How often the connection is looked at for signals of other nodes.
const POLL: Duration = Duration::from_millis(10);
/// How often the file is looked at for what commands have left.
const POLL_COMMANDS: Duration = Duration::from_millis(100);
/// How often the server is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after a heartbeat signals of other nodes are sure to have been heard.
const TRUSTED_MILLIS: i64 = 1000;

/// The longest text that PostgreSQL takes in a notification, less one byte for its end.
const MAX_PAYLOAD: usize = 7999;

/// Signals of which a node knows that it has heard them.
const REMEMBERED: usize = 1024;

/// A signal that is sent, with a number by which a node knows it again: what a node sends itself comes to it twice, when
/// the transaction has committed and as a notification.
#[derive(Debug)]
pub(super) struct Sent {
    number: u64,
    signal: Signal,
}

impl Sent {
    fn new(signal: Signal) -> Self {
        /// Another beginning in each process, so that the numbers of two are not the same.
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(rand::random()));
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), signal }
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, signal) = text.split_once(' ')?;
        Some(Self { number: number.parse().ok()?, signal: Signal::parse(signal) })
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.signal)
    }
}

thread_local! {
    static OF_THIS_TRANSACTION: RefCell<Vec<Sent>> = const { RefCell::new(Vec::new()) };
    static BEGUN: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Sends a signal when the transaction commits.
pub fn send(db: &mut Db, signal: Signal) -> Result<(), Error> {
    let sent = Sent::new(signal);
    if let Db::Postgres(conn) = db {
        let text = sent.to_string();
        let text = match text.len() <= MAX_PAYLOAD {
            true => text,
            false => Sent { number: sent.number, signal: Signal::Everything }.to_string(),
        };
        diesel::sql_query("SELECT pg_notify($1, $2)")
            .bind::<Text, _>(CHANNEL)
            .bind::<Text, _>(text)
            .execute(conn)?;
    }
    OF_THIS_TRANSACTION.with_borrow_mut(|pending| pending.push(sent));
    Ok(())
}

/// Whether the transaction on this thread will send such a signal.
pub fn is_pending(matches: impl Fn(&Signal) -> bool) -> bool {
    OF_THIS_TRANSACTION.with_borrow(|pending| pending.iter().any(|sent| matches(&sent.signal)))
}

/// How many signals had been heard when the transaction on this thread began; `None` if it began on another.
pub fn begun() -> Option<u64> {
    BEGUN.get()
}

/// Notes that a transaction begins on this thread when so many signals have been heard, or that it has ended.
pub(super) fn set_begun(heard: Option<u64>) {
    BEGUN.set(heard);
}

/// On SQLite, leaves the signals of this transaction for the process that serves, if that is another one.
pub(super) fn leave(db: &mut Db, listeners: &Listeners) -> Result<(), Error> {
    use super::schema::signals;
    let Db::Sqlite(conn) = db else { return Ok(()) };
    if listeners.watches.load(Ordering::Acquire) {
        return Ok(());
    }
    let left: Vec<String> = OF_THIS_TRANSACTION
        .with_borrow(|pending| pending.iter().map(|sent| sent.signal.to_string()).collect());
    for text in &left {
        diesel::insert_into(signals::table).values(signals::text.eq(text)).execute(conn)?;
    }
    if !left.is_empty() {
        let newest: Option<i64> = signals::table.select(diesel::dsl::max(signals::seq)).first(conn)?;
        let old = signals::table.filter(signals::seq.le(newest.unwrap_or_default() - KEPT));
        diesel::delete(old).execute(conn)?;
    }
    Ok(())
}

/// The signals of the transaction on this thread, which are forgotten.
pub(super) fn take() -> Vec<Sent> {
    OF_THIS_TRANSACTION.take()
}

type Listener = Box<dyn Fn(&Signal) + Send + Sync>;

/// Who hears signals in this process.
pub(super) struct Listeners {
    listeners: RwLock<Vec<Listener>>,
    heard: AtomicU64,
    /// The numbers of the last signals that were heard, where they come from more than one side.
    remembered: Mutex<VecDeque<u64>>,
    /// Whether this process hears those of others.
    watches: AtomicBool,
    begun: Instant,
    /// Milliseconds from `begun` to the last heartbeat; negative if there was none.
    last_heartbeat: AtomicI64,
    /// Whether another process can change the database.
    is_shared: bool,
}

impl Listeners {
    pub(super) fn new(is_shared: bool) -> Self {
        let last_heartbeat = AtomicI64::new(-TRUSTED_MILLIS);
        let (listeners, heard, begun) = (RwLock::default(), AtomicU64::new(0), Instant::now());
        let watches = AtomicBool::new(false);
        let remembered = Mutex::new(VecDeque::with_capacity(if is_shared { REMEMBERED } else { 0 }));
        Self { listeners, heard, remembered, watches, begun, last_heartbeat, is_shared }
    }

    pub(super) fn add(&self, listener: Listener) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Lets all listeners know. What it is about has been committed: a transaction that begins when this many signals have
    /// been heard sees it.
    pub(super) fn hear(&self, signal: &Signal) {
        self.heard.fetch_add(1, Ordering::AcqRel);
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(signal);
        }
    }

    /// As [`Self::hear`], for a signal that was sent, unless it has been heard: answers that were made since it was heard first
    /// would be dropped for nothing. It has been heard by all when this returns.
    pub(super) fn hear_once(&self, sent: &Sent) {
        if !self.is_shared {
            return self.hear(&sent.signal);
        }
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.contains(&sent.number) {
            return;
        }
        if remembered.len() == REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back(sent.number);
        self.hear(&sent.signal);
    }

    /// How many signals have been heard.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    /// Whether signals of other nodes are sure to arrive; else nothing that was kept in memory can be relied on.
    pub(super) fn is_coherent(&self) -> bool {
        !self.is_shared || self.now() - self.last_heartbeat.load(Ordering::Acquire) < TRUSTED_MILLIS
    }

    fn now(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Hears signals of other processes on a thread of its own, until the store is dropped.
pub(super) fn watch(manager: ConnectionManager, listeners: &Arc<Listeners>) -> Result<(), Error> {
    listeners.watches.store(true, Ordering::Release);
    let listeners = Arc::downgrade(listeners);
    let spawned = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while listeners.strong_count() > 0 {
            let heard = match manager.url {
                DatabaseUrl::Sqlite(_) => hear_commands(&manager, &listeners),
                DatabaseUrl::Postgres(_) => hear_others(&manager, &listeners),
            };
            if let Err(error) = heard {
                tracing::warn!(%error, "signals of other processes cannot be heard");
                thread::sleep(HEARTBEAT);
            }
        }
    });
    spawned.map(drop).map_err(|error| Error::internal("starting a thread", error))
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// Hears what commands leave, on SQLite. Returns when the store is dropped, or with an error.
fn hear_commands(manager: &ConnectionManager, listeners: &Weak<Listeners>) -> Result<(), Error> {
    use super::schema::signals;
    use diesel::r2d2::ManageConnection as _;
    let mut db = manager.connect().map_err(|error| Error::internal("listening to the database", error))?;
    let Db::Sqlite(conn) = &mut db else { return Ok(()) };
    let mut last: Option<i64> = None;
    let mut seen = None;
    while let Some(listeners) = listeners.upgrade() {
        // It changes with every commit of another connection, those of this process included.
        let version: DataVersion = diesel::sql_query("PRAGMA data_version").get_result(conn)?;
        if seen != Some(version.data_version) {
            seen = Some(version.data_version);
            let query = signals::table.order(signals::seq).select((signals::seq, signals::text));
            let left: Vec<(i64, String)> =
                query.filter(signals::seq.gt(last.unwrap_or_default())).load(conn)?;
            // Which of those that were there at the first look have been heard is not known, nor what was in a gap.
            let is_whole = last.is_some_and(|last| left.first().is_none_or(|(seq, _)| *seq == last + 1));
            match is_whole {
                true => left.iter().for_each(|(_, text)| listeners.hear(&Signal::parse(text))),
                false => listeners.hear(&Signal::Everything),
            }
            last = left.last().map(|(seq, _)| *seq).or(last).or(Some(0));
        }
        drop(listeners);
        thread::sleep(POLL_COMMANDS);
    }
    Ok(())
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
            listeners.hear(&Signal::Everything);
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
        match Sent::parse(&notification?.payload) {
            Some(sent) => listeners.hear_once(&sent),
            // Of another version of the program.
            None => listeners.hear(&Signal::Everything),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_sends_itself_is_heard_once() {
        let heard = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&heard);
        let listeners = Listeners::new(true);
        listeners.add(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let sent: Vec<_> = (0..2 * REMEMBERED).map(|_| Sent::new(Signal::Keys)).collect();
        for one in &sent {
            listeners.hear_once(one);
            listeners.hear_once(&Sent::parse(&one.to_string()).unwrap());
        }
        assert_eq!(heard.load(Ordering::Relaxed), 2 * REMEMBERED as u64);
        assert_eq!(listeners.remembered.lock().unwrap().len(), REMEMBERED);
    }

    #[test]
    fn signals_survive_the_wire() {
        let keys = ["articles".to_owned(), "tag/7".to_owned()].into();
        let public = Signal::Public { at: Due::from_millis(1_779_096_600_000), keys };
        for signal in [
            Signal::User(UserId::new(7)),
            Signal::Profiles,
            Signal::Taxonomy,
            public,
            Signal::Schedule(Due::from_millis(1_779_096_600_000)),
            Signal::Site,
            Signal::Keys,
            Signal::Everything,
        ] {
            assert_eq!(Signal::parse(&signal.to_string()), signal);
        }
        let sent = Sent { number: 7, signal: Signal::Keys };
        let parsed = Sent::parse(&sent.to_string()).unwrap();
        assert_eq!((parsed.number, parsed.signal), (7, Signal::Keys));
        assert!(Sent::parse("keys").is_none());
        assert_eq!(Signal::parse("tomorrow 7"), Signal::Everything);
        assert_eq!(Signal::parse("user x"), Signal::Everything);
        assert_eq!(Signal::parse("public articles tag/7"), Signal::Everything);
    }
}
