//! Statements that are prepared once for each connection.

use diesel::{
    QueryResult, RunQueryDsl,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

/// A query or change whose prepared statement is kept: found by its type if that tells its text, else by the text, of
/// which there must not be many. Diesel by itself walks over every query each time to see whether it may be kept, which
/// for one with many columns takes as long as SQLite needs to answer it; and it never keeps an `UPDATE`, an upsert or SQL
/// of ours, so that SQLite parses them again each time.
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
