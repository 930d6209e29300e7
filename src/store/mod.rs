//! The store: the only place that knows SQL.
//!
//! Functions take `&mut Db`, a connection and never a pool, and return domain types. Transactions are opened by
//! [`Store::read`] and [`Store::write`] alone: on SQLite a write begins with `BEGIN IMMEDIATE`, since a transaction that
//! first reads and then writes fails with "database is locked" under load, and no acknowledged row can depend on an
//! autocommit whose failure goes unnoticed.

pub mod articles;
pub mod authors;
pub mod changes;
pub mod conn;
mod error;
pub mod identities;
pub mod migrations;
pub mod redirects;
pub mod releases;
mod schema;
pub mod sections;
pub mod site;
pub mod slugs;
pub mod statements;
pub mod tags;
pub mod users;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    connection::{AnsiTransactionManager, TransactionManager},
    r2d2::{Pool, PooledConnection},
};
use tokio::sync::Semaphore;
use tracing::Span;

use self::{
    conn::{ConnectionManager, DatabaseUrl, Db, Synchronous},
    error::busy,
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
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// A pool with a bounded queue in front. Waiting is asynchronous: no thread is held by it.
struct Lane {
    pool: Pool<ConnectionManager>,
    connections: Semaphore,
    places: Semaphore,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
    /// A write that is rolled back in the end.
    Rehearse,
}

impl Lane {
    fn open(manager: ConnectionManager, size: u32) -> Result<Self, Error> {
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
            connections: Semaphore::new(connections),
            places: Semaphore::new(connections * (QUEUE_PER_CONNECTION + 1)),
        })
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        mode: Mode,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _place =
            self.places.try_acquire().map_err(|_| busy("too many requests wait for the database"))?;
        let _connection = self.connections.acquire().await.map_err(|error| busy(&error.to_string()))?;
        let (lane, span) = (Arc::clone(self), Span::current());
        let work = move || {
            let _entered = span.enter();
            let begun = Instant::now();
            let (result, statements) = match lane.connection() {
                Ok(mut connection) => transaction(&mut connection, mode, work),
                Err(error) => (Err(error), 0),
            };
            (result, Usage { statements, time: begun.elapsed() })
        };
        let joined = tokio::task::spawn_blocking(work).await;
        let (result, usage) = joined.map_err(|error| Error::internal("database work", error))?;
        statements::record(usage);
        result
    }

    fn connection(&self) -> Result<PooledConnection<ConnectionManager>, Error> {
        self.pool.get().map_err(|error| busy(&error.to_string()))
    }
}

/// Runs `work` in one transaction, which ends with a rollback if it fails; also tells how many statements it took.
fn transaction<T>(
    db: &mut Db,
    mode: Mode,
    work: impl FnOnce(&mut Db) -> Result<T, Error>,
) -> (Result<T, Error>, u32) {
    if let Err(error) = begin(db, mode) {
        return (Err(error), 0);
    }
    let (result, statements) = statements::count(|| work(db));
    if result.is_ok() && mode != Mode::Rehearse {
        let committed = conn::on_either!(db, conn => AnsiTransactionManager::commit_transaction(conn));
        return (committed.map_err(Error::from).and(result), statements);
    }
    if let Err(error) = conn::on_either!(db, conn => AnsiTransactionManager::rollback_transaction(conn)) {
        // The connection is broken now and the pool drops it, which rolls back as well.
        tracing::warn!(error = %error, "rollback failed");
    }
    (result, statements)
}

fn begin(db: &mut Db, mode: Mode) -> Result<(), Error> {
    match (&mut *db, mode) {
        (Db::Sqlite(conn), Mode::Read) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN")?,
        (Db::Sqlite(conn), Mode::Write | Mode::Rehearse) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?
        }
        // Several statements of a read see one state of the database.
        (Db::Postgres(conn), Mode::Read) => {
            AnsiTransactionManager::begin_transaction_sql(
                conn,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )?;
        }
        (Db::Postgres(conn), Mode::Write | Mode::Rehearse) => {
            AnsiTransactionManager::begin_transaction(conn)?
        }
    }
    Ok(())
}

impl Store {
    /// Opens the store. No connection is made yet.
    pub fn open(options: &StoreOptions) -> Result<Self, Error> {
        let manager = |read_only| ConnectionManager {
            url: options.url.clone(),
            synchronous: options.synchronous,
            read_only,
        };
        match options.url {
            DatabaseUrl::Sqlite(_) => Ok(Self {
                reads: Arc::new(Lane::open(manager(true), options.connections)?),
                writes: Arc::new(Lane::open(manager(false), 1)?),
            }),
            DatabaseUrl::Postgres(_) => {
                let lane = Arc::new(Lane::open(manager(false), options.connections)?);
                Ok(Self { reads: Arc::clone(&lane), writes: lane })
            }
        }
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

    /// Brings the database up to this program's version. Blocks.
    ///
    /// # Errors
    /// When a migration fails, which leaves the database as it was before that migration, or when the database is newer
    /// than the program.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        migrations::run(&mut *self.writes.connection()?)
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
}

/// Reads a JSON column.
fn from_json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::internal(column, error))
}

/// Writes a JSON column.
fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::internal("writing JSON", error))
}
