//! The SQL of the full-text index on SQLite: FTS5 (<https://sqlite.org/fts5.html>).

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use super::{
    super::prepared::{Prepared, change},
    Walk, Within, joined,
};
use crate::domain::{
    error::Error,
    search::{IndexText, SearchQuery, Term},
};

/// Before and after a list of places in JSON.
pub(super) const AMONG: (&str, &str) = ("search_documents.doc IN (SELECT value FROM json_each(", "))");

/// Numbers in JSON.
pub(super) fn list(numbers: &[i64]) -> String {
    format!("[{}]", joined(numbers))
}

/// The longest beginnings of words that FTS5 has an index of: `prefix` in the migration.
const INDEXED_PREFIX: usize = 3;

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

/// FTS5 walks the matches from the last rowid down, or from the first one up, and stops at the limit.
pub(super) fn walk(
    conn: &mut SqliteConnection,
    query: &SearchQuery,
    way: Walk,
    (first, last): (i64, i64),
) -> Result<Vec<i64>, Error> {
    let sql = if way.oldest_first {
        "SELECT rowid AS doc FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? \
         ORDER BY rowid ASC LIMIT ?"
    } else {
        "SELECT rowid AS doc FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? \
         ORDER BY rowid DESC LIMIT ?"
    };
    let places = sql_query(sql)
        .bind::<Text, _>(text(query, way.within))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(way.limit);
    let rows: Vec<Place> = Prepared(places).load(conn)?;
    Ok(rows.into_iter().filter_map(|place| place.doc).collect())
}

/// FTS5 goes to the place of each document, however many matches there are. With the beginning of a word of which it has
/// no index it would put together all words with that beginning at every place: they are put together once then, and all
/// matches walked, which takes no longer than that.
pub(super) fn of_articles(
    conn: &mut SqliteConnection,
    query: &SearchQuery,
    articles: &[i64],
    is_wanted: &str,
) -> Result<Vec<i64>, Error> {
    let is_long = |term: &Term| {
        term.is_prefix && term.words.last().is_some_and(|word| word.chars().count() > INDEXED_PREFIX)
    };
    let sql = if query.required.iter().chain(&query.excluded).any(is_long) {
        format!(
            "SELECT rowid AS doc FROM search_text WHERE search_text MATCH ?2 AND +rowid IN \
             (SELECT d.doc FROM json_each(?1) AS a CROSS JOIN search_documents AS d \
             WHERE d.article_id = a.value AND {is_wanted})"
        )
    } else {
        format!(
            "SELECT d.doc AS doc FROM json_each(?1) AS a CROSS JOIN search_documents AS d CROSS JOIN search_text AS t \
             WHERE d.article_id = a.value AND {is_wanted} AND t.rowid = d.doc AND t.search_text MATCH ?2"
        )
    };
    let places =
        sql_query(sql).bind::<Text, _>(list(articles)).bind::<Text, _>(text(query, Within::Document));
    let rows: Vec<Place> = Prepared(places).load(conn)?;
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

/// Pages of FTS5, of 4 KB, that one call to [`merge`] writes.
const MERGED_PAGES: i64 = 1_000;

/// <https://sqlite.org/fts5.html#the_merge_command>: a negative number begins a merge of everything, a positive one goes on
/// with it; it has done something if it counts two changes or more.
pub(super) fn merge(conn: &mut SqliteConnection, is_first: bool) -> Result<bool, Error> {
    #[derive(QueryableByName)]
    struct Changes {
        #[diesel(sql_type = BigInt)]
        total: i64,
    }
    let changes = |conn: &mut SqliteConnection| -> Result<i64, Error> {
        let changes: Changes = sql_query("SELECT total_changes() AS total").get_result(conn)?;
        Ok(changes.total)
    };
    let before = changes(conn)?;
    sql_query("INSERT INTO search_text (search_text, rank) VALUES ('merge', ?)")
        .bind::<BigInt, _>(if is_first { -MERGED_PAGES } else { MERGED_PAGES })
        .execute(conn)?;
    Ok(changes(conn)? - before >= 2)
}
