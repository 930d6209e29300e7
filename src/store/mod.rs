//! The store: the only place that knows SQL.
//!
//! Functions take `&mut Db`, a connection and never a pool, and return domain types. Transactions are opened by
//! [`Store::read`] and [`Store::write`] alone: on SQLite a write begins with `BEGIN IMMEDIATE`, since a transaction that
//! first reads and then writes fails with "database is locked" under load, and no acknowledged row can depend on an
//! autocommit whose failure goes unnoticed.

pub mod api_tokens;
pub mod articles;
pub mod attempts;
pub mod audit;
pub mod authors;
pub mod changes;
pub mod conn;
mod error;
pub mod identities;
pub mod migrations;
pub mod redirects;
pub mod releases;
pub mod request;
mod schema;
pub mod search;
pub mod second_factors;
pub mod sections;
pub mod sessions;
pub mod signals;
pub mod signing_keys;
pub mod site;
pub mod slugs;
pub mod statements;
pub mod surroundings;
pub mod tags;
pub mod users;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    connection::{AnsiTransactionManager, TransactionManager as _},
    r2d2::{Pool, PooledConnection},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use self::{
    conn::{ConnectionManager, DatabaseUrl, Db, Synchronous},
    error::busy,
    request::{Begun, Claim, OpenTransaction, RequestScope},
    signals::{Listeners, Signal},
    statements::Usage,
};
use crate::domain::error::Error;

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the data is.
    pub url: DatabaseUrl,
    /// Connections that read; on PostgreSQL, all connections.
    pub connections: u32,
    /// For SQLite.
    pub synchronous: Synchronous,
}

/// Requests that may wait for a connection before more are turned away, for each connection.
const QUEUE_PER_CONNECTION: usize = 64;

/// The database of a newsroom.
#[derive(Clone)]
pub struct Store {
    reads: Arc<Lane>,
    writes: Arc<Lane>,
    listeners: Arc<Listeners>,
    manager: ConnectionManager,
}

/// A connection of a pool.
type PooledDb = PooledConnection<ConnectionManager>;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// A pool with a bounded queue in front. Waiting is asynchronous: no thread is held by it.
struct Lane {
    pool: Pool<ConnectionManager>,
    connections: Arc<Semaphore>,
    places: Arc<Semaphore>,
    listeners: Arc<Listeners>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
    /// A write that is rolled back in the end.
    Rehearse,
}

impl Lane {
    fn open(manager: ConnectionManager, size: u32, listeners: &Arc<Listeners>) -> Result<Self, Error> {
        let pool = Pool::builder()
            .max_size(size)
            // Connections are made when they are first needed: a server that is down does not keep us from starting.
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(5))
            .error_handler(Box::new(diesel::r2d2::NopErrorHandler))
            .build(manager)
            .map_err(|error| Error::internal("opening the database", error))?;
        let connections = size as usize;
        Ok(Self {
            pool,
            connections: Arc::new(Semaphore::new(connections)),
            places: Arc::new(Semaphore::new(connections * (QUEUE_PER_CONNECTION + 1))),
            listeners: Arc::clone(listeners),
        })
    }

    /// A place in the queue, and then a connection to take.
    async fn permits(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Error> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| busy("too many requests wait for the database"))?;
        let connection = Arc::clone(&self.connections).acquire_owned().await;
        Ok((place, connection.map_err(|error| busy(&error.to_string()))?))
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        mode: Mode,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let scope = RequestScope::current();
        if let Some(scope) = scope.as_ref().filter(|scope| scope.holds() && mode != Mode::Rehearse) {
            // The work is moved there; it comes back if there is no transaction to read in.
            let slot = Arc::new(std::sync::Mutex::new(Some(work)));
            let lent = Arc::clone(&slot);
            let lent = move |db: &mut Db| {
                let work = lent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
                work.ok_or_else(|| Error::Internal("work was done twice".to_owned()))?(db)
            };
            if let Some(result) = scope.run_held(self, mode == Mode::Write, lent).await {
                return result;
            }
            let work = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            let work = work.ok_or_else(|| Error::Internal("work was lost".to_owned()))?;
            return self.run_alone(mode, None, work).await;
        }
        self.run_alone(mode, scope, work).await
    }

    /// Runs work in a transaction of its own.
    async fn run_alone<T: Send + 'static>(
        self: &Arc<Self>,
        mode: Mode,
        scope: Option<Arc<RequestScope>>,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _permits = self.permits().await?;
        let lane = Arc::clone(self);
        on_blocking_pool(move || {
            let mut connection = lane.connection()?;
            let work = |db: &mut Db| {
                let done = work(db)?;
                if let (Some(scope), Mode::Write) = (scope, mode) {
                    scope.record(db)?;
                }
                if mode == Mode::Write {
                    signals::leave(db, &lane.listeners)?;
                }
                Ok(done)
            };
            signals::set_begun(Some(lane.listeners.heard()));
            let result = transaction(&mut connection, mode, work);
            signals::set_begun(None);
            let (signals, _) = (signals::take(), audit::take());
            if result.is_ok() && mode == Mode::Write {
                lane.hear(&signals);
            }
            result
        })
        .await?
    }

    /// Begins a transaction that stays open, and claims a key in it.
    async fn begin_held(self: &Arc<Self>, claim: Claim) -> Result<Begun, Error> {
        let permits = self.permits().await?;
        let lane = Arc::clone(self);
        on_blocking_pool(move || {
            let mut connection = lane.connection()?;
            begin(&mut connection, Mode::Write)?;
            match request::claim(&mut connection, &claim) {
                Ok(None) => {
                    let signals = Vec::new();
                    Ok(Begun::Open(Box::new(OpenTransaction {
                        connection,
                        lane,
                        signals,
                        _permits: permits,
                    })))
                }
                outcome => {
                    roll_back(&mut connection);
                    outcome.and_then(|answer| {
                        answer
                            .map(Begun::Answered)
                            .ok_or_else(|| Error::Internal("a key without an answer".to_owned()))
                    })
                }
            }
        })
        .await?
    }

    fn connection(&self) -> Result<PooledDb, Error> {
        self.pool.get().map_err(|error| busy(&error.to_string()))
    }

    fn hear(&self, signals: &[Signal]) {
        signals.iter().for_each(|signal| self.listeners.hear(signal));
    }
}

/// Runs database work where it may block, and counts what it takes.
async fn on_blocking_pool<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let span = Span::current();
    let work = move || {
        let _entered = span.enter();
        let begun = Instant::now();
        let (result, statements) = statements::count(work);
        (result, Usage { statements, time: begun.elapsed() })
    };
    let joined = tokio::task::spawn_blocking(work).await;
    let (result, usage) = joined.map_err(|error| Error::internal("database work", error))?;
    statements::record(usage);
    Ok(result)
}

/// Runs `work` in one transaction, which ends with a rollback if it fails.
fn transaction<T>(
    db: &mut Db,
    mode: Mode,
    work: impl FnOnce(&mut Db) -> Result<T, Error>,
) -> Result<T, Error> {
    begin(db, mode)?;
    let result = work(db);
    if result.is_ok() && mode != Mode::Rehearse {
        return commit(db).and(result);
    }
    roll_back(db);
    result
}

/// Runs `work` inside the transaction that is open; if it fails, the transaction is as it was before.
fn in_savepoint<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, Error>) -> Result<T, Error> {
    statements::uncounted(
        || conn::on_either!(&mut *db, conn => AnsiTransactionManager::begin_transaction(conn)),
    )?;
    let result = work(db);
    match &result {
        Ok(_) => commit(db)?,
        Err(_) => roll_back(db),
    }
    result
}

fn commit(db: &mut Db) -> Result<(), Error> {
    let committed = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::commit_transaction(conn)),
    );
    Ok(committed?)
}

fn roll_back(db: &mut Db) {
    let rolled_back = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::rollback_transaction(conn)),
    );
    if let Err(error) = rolled_back {
        // The connection is broken now and the pool drops it, which rolls back as well.
        tracing::warn!(error = %error, "rollback failed");
    }
}

fn begin(db: &mut Db, mode: Mode) -> Result<(), Error> {
    // Several statements of a read see one state of the database.
    let sql = match (&*db, mode) {
        (Db::Sqlite(_), Mode::Read) => "BEGIN",
        (Db::Sqlite(_), Mode::Write | Mode::Rehearse) => "BEGIN IMMEDIATE",
        (Db::Postgres(_), Mode::Read) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (Db::Postgres(_), Mode::Write | Mode::Rehearse) => "BEGIN",
    };
    let begun = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::begin_transaction_sql(conn, sql)),
    );
    Ok(begun?)
}

impl Store {
    /// Opens the store. No connection is made yet.
    pub fn open(options: &StoreOptions) -> Result<Self, Error> {
        let manager = |read_only| ConnectionManager {
            url: options.url.clone(),
            synchronous: options.synchronous,
            read_only,
        };
        let listeners = Arc::new(Listeners::new(matches!(options.url, DatabaseUrl::Postgres(_))));
        let (reads, writes) = match options.url {
            DatabaseUrl::Sqlite(_) => (
                Arc::new(Lane::open(manager(true), options.connections, &listeners)?),
                Arc::new(Lane::open(manager(false), 1, &listeners)?),
            ),
            DatabaseUrl::Postgres(_) => {
                let lane = Arc::new(Lane::open(manager(false), options.connections, &listeners)?);
                (Arc::clone(&lane), lane)
            }
        };
        Ok(Self { reads, writes, listeners, manager: manager(false) })
    }

    /// Tells `listener` of every [`Signal`] from now on; of those of other nodes, once [`Self::watch`] runs.
    pub fn listen(&self, listener: impl Fn(&Signal) + Send + Sync + 'static) {
        self.listeners.add(Box::new(listener));
    }

    /// Begins to hear the signals of other nodes.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn watch(&self) -> Result<(), Error> {
        signals::watch(self.manager.clone(), &self.listeners)
    }

    /// How many signals have been heard: what was read in a transaction that began before a signal may be stale after it.
    pub fn signals_heard(&self) -> u64 {
        self.listeners.heard()
    }

    /// Whether what is kept in memory until a signal comes can be relied on at this moment.
    pub fn is_coherent(&self) -> bool {
        self.listeners.is_coherent()
    }

    /// Reads in one transaction on the blocking pool; what is read is one state of the database.
    ///
    /// # Errors
    /// Those of `work`, and 503 when too many wait or the database cannot be reached.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.reads.run(Mode::Read, work).await
    }

    /// Writes in one transaction on the blocking pool: all or nothing, and durable when this returns.
    ///
    /// # Errors
    /// Those of `work`, and 503 when too many wait or the database cannot be reached; nothing has changed then.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writes.run(Mode::Write, work).await
    }

    /// As [`Self::write`], but commits by itself and leaves no event, whatever becomes of the request: for what has to be
    /// kept also when the request fails. Comes before the writes of the request itself, or after one that failed.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub async fn write_apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writes.run_alone(Mode::Write, None, work).await
    }

    /// As [`Self::write`], but nothing is kept: tells what would happen.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub async fn rehearse<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writes.run(Mode::Rehearse, work).await
    }

    /// Brings the database up to this program's version, and builds the search index if it has never been built to its
    /// end, which takes some minutes for a hundred thousand articles. Blocks.
    ///
    /// # Errors
    /// When a migration fails, which leaves the database as it was before that migration, or when the database is newer
    /// than the program.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        let mut db = self.writes.connection()?;
        let applied = migrations::run(&mut db)?;
        while let Some(indexed) = transaction(&mut db, Mode::Write, search::build_on)? {
            tracing::info!(articles = indexed, "building the search index");
        }
        let (signals, _) = (signals::take(), audit::take());
        self.writes.hear(&signals);
        Ok(applied)
    }

    /// Whether there is any article, in whatever state.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn has_articles(&self) -> Result<bool, Error> {
        use diesel::{QueryDsl as _, RunQueryDsl as _};
        let any = diesel::dsl::exists(schema::articles::table.select(schema::articles::id));
        self.read(move |db| Ok(diesel::select(any).get_result(db)?)).await
    }

    /// Whether the database is at this program's version. Blocks.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn is_migrated(&self) -> Result<bool, Error> {
        migrations::is_current(&mut *self.reads.connection()?)
    }
}

/// Takes a lock that is held to the end of the transaction, so that what is done under it is done by one node at a
/// time. SQLite has one writer anyway.
fn exclusive(db: &mut Db, lock: Lock) -> Result<(), Error> {
    use diesel::RunQueryDsl as _;
    if let Db::Postgres(conn) = db {
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({}, {})", 0x6d61_7374, lock as i32))
            .execute(conn)?;
    }
    Ok(())
}

/// As [`exclusive`], but many may hold it at once, while nobody holds it exclusively.
fn shared(db: &mut Db, lock: Lock) -> Result<(), Error> {
    use diesel::RunQueryDsl as _;
    if let Db::Postgres(conn) = db {
        let sql = format!("SELECT pg_advisory_xact_lock_shared({}, {})", 0x6d61_7374, lock as i32);
        diesel::sql_query(sql).execute(conn)?;
    }
    Ok(())
}

/// What [`exclusive`] locks.
#[derive(Debug, Clone, Copy)]
enum Lock {
    /// The order of public changes.
    Changes = 1,
    /// The making of the first administrator.
    Setup = 2,
    /// The shape of the section tree.
    SectionTree = 3,
    /// Where redirects lead.
    Redirects = 4,
    /// Who the administrators are.
    Administrators = 5,
    /// How often logging in has failed.
    Attempts = 6,
    /// How far the search index has been built.
    SearchProgress = 7,
}

/// Reads a JSON column.
fn from_json<'a, T: serde::Deserialize<'a>>(column: &str, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::internal(column, error))
}

/// Writes a JSON column.
fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::internal("writing JSON", error))
}
