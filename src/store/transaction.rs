//! Transactions.

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};

use super::{
    conn::{self, Db},
    snapshot, statements,
};
use crate::domain::error::Error;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
    /// A write that is rolled back in the end.
    Rehearse,
}

/// Runs `work` in one transaction, which ends with a rollback if it fails.
pub(super) fn transaction<T>(
    db: &mut Db,
    mode: Mode,
    work: impl FnOnce(&mut Db) -> Result<T, Error>,
) -> Result<T, Error> {
    if let (Db::Sqlite(conn), Mode::Read) = (&mut *db, mode) {
        snapshot::begin(conn)?;
        let result = work(db);
        if let Db::Sqlite(conn) = db {
            snapshot::end(conn);
        }
        return result;
    }
    begin(db, mode)?;
    let result = work(db);
    if result.is_ok() && mode != Mode::Rehearse {
        return commit(db).and(result);
    }
    roll_back(db);
    result
}

/// Runs `work` inside the transaction that is open; if it fails, the transaction is as it was before.
pub(super) fn in_savepoint<T>(
    db: &mut Db,
    work: impl FnOnce(&mut Db) -> Result<T, Error>,
) -> Result<T, Error> {
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

pub(super) fn commit(db: &mut Db) -> Result<(), Error> {
    let committed = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::commit_transaction(conn)),
    );
    Ok(committed?)
}

pub(super) fn roll_back(db: &mut Db) {
    let rolled_back = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::rollback_transaction(conn)),
    );
    if let Err(error) = rolled_back {
        // The connection is broken now and the pool drops it, which rolls back as well.
        tracing::warn!(error = %error, "rollback failed");
    }
}

pub(super) fn begin(db: &mut Db, mode: Mode) -> Result<(), Error> {
    let sql = match (&*db, mode) {
        (Db::Sqlite(_), _) => "BEGIN IMMEDIATE",
        (Db::Postgres(_), Mode::Read) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (Db::Postgres(_), Mode::Write | Mode::Rehearse) => "BEGIN",
    };
    let begun = statements::uncounted(
        || conn::on_either!(db, conn => AnsiTransactionManager::begin_transaction_sql(conn, sql)),
    );
    Ok(begun?)
}
