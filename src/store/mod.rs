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
mod lane;
pub mod migrations;
mod prepared;
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
mod snapshot;
pub mod statements;
pub mod surroundings;
pub mod tags;
mod transaction;
pub mod users;

use std::sync::Arc;

use self::{
    conn::{ConnectionManager, DatabaseUrl, Db, Synchronous},
    lane::{Lane, PooledDb, on_blocking_pool},
    request::RequestScope,
    signals::{Listeners, Signal},
    transaction::{Mode, commit, in_savepoint, roll_back, transaction},
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

/// The database of a newsroom.
#[derive(Clone)]
pub struct Store {
    reads: Arc<Lane>,
    writes: Arc<Lane>,
    listeners: Arc<Listeners>,
    manager: ConnectionManager,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
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

    /// As [`Self::read`], for what takes no longer than to hand it to another thread: a few rows that are found by an index.
    /// On SQLite it is done here and now, if a connection is free.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub async fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let is_near = matches!(self.manager.url, DatabaseUrl::Sqlite(_));
        if !is_near || RequestScope::current().is_some_and(|scope| scope.holds()) {
            return self.read(work).await;
        }
        match self.reads.look_up(work) {
            Ok(result) => result,
            Err(work) => self.read(work).await,
        }
    }

    /// As [`Self::look_up`], for what one statement answers most of the time. On PostgreSQL that needs no transaction then;
    /// `work` is done once more if it took several.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub async fn glance<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let is_far = matches!(self.manager.url, DatabaseUrl::Postgres(_));
        if is_far && !RequestScope::current().is_some_and(|scope| scope.holds()) {
            return self.reads.glance(work).await;
        }
        self.look_up(work).await
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
        self.writes.run_apart(Mode::Write, work).await
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
        let mut is_new = false;
        while let Some(indexed) = transaction(&mut db, Mode::Write, search::build_on)? {
            tracing::info!(articles = indexed, "building the search index");
            is_new = true;
        }
        let mut is_first = true;
        while is_new && transaction(&mut db, Mode::Write, |db| search::merge(db, is_first))? {
            is_first = false;
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

/// Begins what a transaction on this thread notes of itself, when so many signals have been heard (see [`signals::begun`]).
/// One that broke off may have left its own.
fn begin_notes(heard: Option<u64>) {
    search::begin();
    drop((signals::take(), audit::take()));
    signals::set_begun(heard);
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
