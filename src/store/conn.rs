//! One connection type over both databases, and how connections are made.

use std::{fmt, path::PathBuf, str::FromStr};

use diesel::{
    Connection, ConnectionError, ConnectionResult, MultiConnection, PgConnection, RunQueryDsl,
    SqliteConnection,
    connection::{InstrumentationEvent, SimpleConnection},
    r2d2::{ManageConnection, R2D2Connection},
};
use secrecy::{ExposeSecret, SecretString};

use super::statements;

/// A connection to whichever database the newsroom runs on. Queries are written once, against this type.
#[derive(MultiConnection)]
#[expect(missing_debug_implementations, reason = "connections have no Debug")]
pub enum Db {
    /// The embedded database.
    Sqlite(SqliteConnection),
    /// A PostgreSQL server.
    Postgres(PgConnection),
}

/// The backend of [`Db`], for boxed queries.
pub type Backend = <Db as Connection>::Backend;

/// Runs one query text on whichever concrete connection there is, for what the combined backend lacks: batch inserts,
/// `on_conflict`, `returning`.
macro_rules! on_either {
    ($db:expr, $conn:ident => $query:expr) => {
        match $db {
            $crate::store::conn::Db::Sqlite($conn) => $query,
            $crate::store::conn::Db::Postgres($conn) => $query,
        }
    };
}
pub(super) use on_either;

/// The condition that a column is one of some ids, as `a = ? OR a = ? …`, which both databases read as `IN`. Unlike
/// `eq_any`, whose statement Diesel prepares anew each time, this keeps one prepared statement for each number of ids:
/// parsing them again was most of the cost of reading an article.
macro_rules! among {
    ($column:expr, $ids:expr) => {{
        type Condition<QS> = Box<
            dyn diesel::BoxableExpression<QS, $crate::store::conn::Backend, SqlType = diesel::sql_types::Bool>,
        >;
        let mut ids = $ids.iter().copied();
        let first: Condition<_> = Box::new($column.eq(ids.next().unwrap_or_default()));
        ids.fold(first, |all, id| -> Condition<_> { Box::new(all.or($column.eq(id))) })
    }};
}
pub(super) use among;

/// Loads the rows of a query whose column is one of some ids. For one id the query has a static type and runs on the
/// concrete connection, where Diesel finds its prepared statement by the type; on [`Db`] it would write the SQL first, and
/// twice.
macro_rules! load_among {
    ($db:expr, $query:expr, $column:expr, $ids:expr) => {
        match $ids[..] {
            [id] => $crate::store::conn::on_either!(&mut *$db, conn => $query.filter($column.eq(id)).load(conn)),
            _ => $query.filter($crate::store::conn::among!($column, $ids)).load(&mut *$db),
        }
    };
}
pub(super) use load_among;

/// Where the data is.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file; made if it is not there.
    Sqlite(PathBuf),
    /// A server, with the password that may be in the URL.
    Postgres(SecretString),
}

/// The text is no database URL.
#[derive(Debug, Clone, thiserror::Error)]
#[error("must begin with sqlite:, postgres:// or postgresql://")]
pub struct UnknownDatabase;

impl FromStr for DatabaseUrl {
    type Err = UnknownDatabase;

    fn from_str(url: &str) -> Result<Self, UnknownDatabase> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() { Err(UnknownDatabase) } else { Ok(Self::Sqlite(path.into())) }
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(url.into()))
        } else {
            Err(UnknownDatabase)
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// How hard SQLite tries to keep a write that it acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// It survives a power cut: one `fsync` a transaction.
    #[default]
    Full,
    /// It survives the end of the process, but perhaps not a power cut.
    Normal,
}

/// Makes connections for a pool.
#[derive(Debug, Clone)]
pub struct ConnectionManager {
    /// Where to.
    pub url: DatabaseUrl,
    /// For SQLite.
    pub synchronous: Synchronous,
    /// Refuse writes on this connection.
    pub read_only: bool,
}

impl ConnectionManager {
    fn establish(&self) -> ConnectionResult<Db> {
        let mut db = match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                self.set_pragmas(&mut conn).map_err(ConnectionError::CouldntSetupConfiguration)?;
                Db::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => Db::Postgres(PgConnection::establish(url.expose_secret())?),
        };
        db.set_instrumentation(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                statements::count_one(&query);
            }
        });
        Ok(db)
    }

    /// One at a time, so that a failure names its pragma. `busy_timeout` comes first: the others may have to wait.
    fn set_pragmas(&self, conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
        let synchronous = match self.synchronous {
            Synchronous::Full => "PRAGMA synchronous = FULL",
            Synchronous::Normal => "PRAGMA synchronous = NORMAL",
        };
        conn.batch_execute("PRAGMA busy_timeout = 5000")?;
        conn.batch_execute("PRAGMA journal_mode = WAL")?;
        conn.batch_execute(synchronous)?;
        conn.batch_execute("PRAGMA foreign_keys = ON")?;
        conn.batch_execute("PRAGMA cache_size = -8000")?;
        conn.batch_execute("PRAGMA temp_store = MEMORY")?;
        // Pages that every write changes, such as the last of each index, go from the log to the file once for many of
        // them. The log, which is read after a crash, grows to 64 MB before that.
        conn.batch_execute("PRAGMA wal_autocheckpoint = 16000")?;
        if self.read_only {
            conn.batch_execute("PRAGMA query_only = ON")?;
        }
        Ok(())
    }
}

impl ManageConnection for ConnectionManager {
    type Connection = Db;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Db, Self::Error> {
        self.establish().map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, db: &mut Db) -> Result<(), Self::Error> {
        diesel::sql_query("SELECT 1").execute(db).map(drop).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        std::thread::panicking() || db.is_broken()
    }
}
