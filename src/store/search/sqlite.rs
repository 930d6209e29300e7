//! The SQL of the full-text index on SQLite: FTS5 (<https://sqlite.org/fts5.html>).

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use super::{
    super::prepared::{Prepared, change},
    Within,
};
use crate::domain::{
    error::Error,
    search::{IndexText, SearchQuery, Term},
};

/// Before and after a list of places in JSON.
pub(super) const AMONG: (&str, &str) = ("search_documents.doc IN (SELECT value FROM json_each(", "))");

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Nullable<BigInt>)]
    doc: Option<i64>,
}

/// In the query language of FTS5. Every word is quoted, so that none of them can mean anything.
fn text(query: &SearchQuery, within: Within) -> String {
    let term =
        |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.is_prefix { " *" } else { "" });
    let all = |terms: &[Term], between: &str| terms.iter().map(term).collect::<Vec<_>>().join(between);
    let required = all(&query.required, " AND ");
    let required = match within {
        Within::Document => format!("({required})"),
        Within::Headline => format!("({{headline}} : ({required}))"),
    };
    match query.excluded.is_empty() {
        true => required,
        false => format!("{required} NOT ({})", all(&query.excluded, " OR ")),
    }
}

/// FTS5 walks the matches from the last rowid down and stops at the limit.
pub(super) fn newest(
    conn: &mut SqliteConnection,
    query: &SearchQuery,
    within: Within,
    (first, last): (i64, i64),
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let newest = sql_query(
        "SELECT rowid AS doc FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? \
         ORDER BY rowid DESC LIMIT ?",
    )
    .bind::<Text, _>(text(query, within))
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(last)
    .bind::<BigInt, _>(limit);
    let rows: Vec<Place> = Prepared(newest).load(conn)?;
    Ok(rows.into_iter().filter_map(|place| place.doc).collect())
}

/// There is one writer, so the place after the last one that is taken is free.
pub(super) fn free_place(conn: &mut SqliteConnection, (first, last): (i64, i64)) -> Result<i64, Error> {
    let last_taken = sql_query("SELECT max(doc) AS doc FROM search_documents WHERE doc BETWEEN ? AND ?")
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last);
    let taken: Place = Prepared(last_taken).get_result(conn)?;
    Ok(taken.doc.map_or(first, |taken| taken + 1))
}

pub(super) fn put(conn: &mut SqliteConnection, doc: i64, text: &IndexText) -> Result<(), Error> {
    let row = sql_query("INSERT INTO search_text (rowid, headline, lead, body) VALUES (?, ?, ?, ?)")
        .bind::<BigInt, _>(doc)
        .bind::<Text, _>(&text.headline)
        .bind::<Text, _>(&text.lead)
        .bind::<Text, _>(&text.body);
    change!(conn, row)?;
    Ok(())
}
