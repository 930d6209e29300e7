//! The transactions of reads on SQLite: several statements see one state of the database.
//!
//! Diesel parses its `BEGIN` and `COMMIT` each time, which costs as much as a look-up by an index. These are prepared
//! once for each connection.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection as _,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

use super::statements;

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {$(
        #[derive(Debug, QueryId)]
        struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    )*};
}

statements! {
    Begin = "BEGIN";
    End = "COMMIT";
}

/// Begins to see one state.
pub(super) fn begin(conn: &mut SqliteConnection) -> QueryResult<()> {
    statements::uncounted(|| Begin.execute(conn)).map(drop)
}

/// Ceases to.
pub(super) fn end(conn: &mut SqliteConnection) {
    if let Err(error) = statements::uncounted(|| End.execute(conn)) {
        // An error may have ended it already.
        let rolled_back = statements::uncounted(|| conn.batch_execute("ROLLBACK"));
        tracing::warn!(%error, is_open = rolled_back.is_err(), "a read did not end");
    }
}
