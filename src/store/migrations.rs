//! Migrations, embedded: the same names for both databases.

use diesel::{
    RunQueryDsl as _,
    migration::{Migration, MigrationSource, MigrationVersion},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::{Db, on_either};
use crate::domain::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal("migrating the database", error)
}

/// The versions that this program knows, oldest first.
fn known() -> Result<Vec<MigrationVersion<'static>>, Error> {
    let migrations = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(failed)?;
    let mut versions: Vec<_> =
        migrations.iter().map(|migration| migration.name().version().as_owned()).collect();
    versions.sort();
    Ok(versions)
}

/// Runs what is missing, each migration in a transaction, and tells their names.
///
/// # Errors
/// When the database has migrations that this program does not know, or one fails.
pub fn run(db: &mut Db) -> Result<Vec<String>, Error> {
    let known = known()?;
    let applied = on_either!(&mut *db, conn => conn.applied_migrations().map_err(failed))?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(failed(format!("the database is newer than this program: it has migration {newer}")));
    }
    let run = match db {
        Db::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map_err(failed)?,
        Db::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map_err(failed)?,
    };
    Ok(run.iter().map(ToString::to_string).collect())
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// Whether the database has exactly the migrations of this program. Only reads, which Diesel's own look does not: that
/// makes the table of migrations if it is missing.
pub(super) fn is_current(db: &mut Db) -> Result<bool, Error> {
    let query = diesel::sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    let applied = match query.load::<Applied>(db) {
        Ok(applied) => applied,
        Err(diesel::result::Error::DatabaseError(_, information))
            if is_missing_table(information.message()) =>
        {
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let applied = applied.into_iter().map(|applied| MigrationVersion::from(applied.version));
    Ok(applied.collect::<Vec<_>>() == known()?)
}

/// As SQLite and PostgreSQL say it.
fn is_missing_table(message: &str) -> bool {
    message.starts_with("no such table") || message.ends_with("does not exist")
}

/// Undoes every migration. For tests: the data is gone.
///
/// # Errors
/// When one cannot be undone.
pub fn revert_all(db: &mut Db) -> Result<(), Error> {
    match db {
        Db::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(drop).map_err(failed),
        Db::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(drop).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{
        Store, StoreOptions,
        conn::{DatabaseUrl, Synchronous},
    };

    #[test]
    fn a_new_database_is_not_current_until_it_is_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("masthead.db"));
        let store =
            Store::open(&StoreOptions { url, connections: 1, synchronous: Synchronous::Normal }).unwrap();
        assert!(!store.is_migrated().unwrap());
        assert!(!store.migrate().unwrap().is_empty());
        assert!(store.is_migrated().unwrap());
        assert!(store.migrate().unwrap().is_empty());
    }
}
