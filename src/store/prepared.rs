//! Statements that are prepared once for each connection.

use std::marker::PhantomData;

use diesel::{
    QueryResult, RunQueryDsl,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Integer,
};

/// A query or change whose prepared statement is kept: found by its type if that tells its text, else by the text, of
/// which there must not be many. Diesel by itself walks over every query each time to see whether it may be kept, which
/// for one with many columns takes as long as SQLite needs to answer it; and it never keeps an `UPDATE`, an upsert or SQL
/// of ours, so that SQLite parses them again each time. For changes see [`change`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Prepared<Q>(pub Q);

impl<Q: QueryId> QueryId for Prepared<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q, Conn> RunQueryDsl<Conn> for Prepared<Q> {}

/// A change whose text is the same whenever the program comes to one place, `K`, by which its prepared statement is found:
/// Diesel by itself puts most texts together each time to look for them. It has to be loaded, as if it answered rows, of
/// which there are none: `execute` passes on a reference, which does not say that the statement is to be kept. See
/// [`change`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<K, Q>(Q, PhantomData<K>);

impl<K, Q> Change<K, Q> {
    pub(super) fn new(query: Q) -> Self {
        Self(query, PhantomData)
    }
}

impl<K: 'static, Q> QueryId for Change<K, Q> {
    type QueryId = K;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<K, Q> Query for Change<K, Q> {
    type SqlType = Integer;
}

impl<K, Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Change<K, Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<K, Q, Conn> RunQueryDsl<Conn> for Change<K, Q> {}

/// Makes a change with a prepared statement that is kept, where it does not matter how many rows it finds. Its text must
/// not depend on the values: columns, rows and lists are as many each time.
macro_rules! change {
    ($conn:expr, $change:expr) => {{
        struct Here;
        let change = $crate::store::prepared::Change::<Here, _>::new($change);
        diesel::RunQueryDsl::load::<i32>(change, $conn).map(|_: Vec<i32>| ())
    }};
}
pub(super) use change;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use diesel::{
        Connection as _, SqliteConnection,
        connection::{InstrumentationEvent, SimpleConnection as _},
        prelude::*,
        sql_query,
        sql_types::BigInt,
    };

    use super::{super::schema::search_progress as progress, *};

    #[test]
    fn a_statement_is_prepared_once() {
        static PREPARED: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let table = "CREATE TABLE search_progress (id INTEGER PRIMARY KEY, built_through BIGINT);
            INSERT INTO search_progress VALUES (1, 7)";
        conn.batch_execute(table).unwrap();
        conn.set_instrumentation(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                PREPARED.lock().unwrap().push(sql.to_owned());
            }
        });
        for number in 0..3 {
            let update = diesel::update(progress::table.find(1)).set(progress::built_through.eq(number));
            change!(&mut conn, update).unwrap();
            let own = sql_query("UPDATE search_progress SET built_through = ?").bind::<BigInt, _>(number);
            change!(&mut conn, own).unwrap();
        }
        let found = Prepared(progress::table.select(progress::built_through)).load::<i64>(&mut conn).unwrap();
        assert_eq!(found, [2]);
        let prepared = PREPARED.lock().unwrap();
        assert_eq!(prepared.len(), 3, "{prepared:#?}");
    }
}
