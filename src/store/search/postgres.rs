//! The SQL of the full-text index on PostgreSQL: `tsvector` and GIN
//! (<https://www.postgresql.org/docs/current/datatype-textsearch.html>). Both vectors and queries are written in their
//! own notation: no parser or dictionary of the server has a say in what a word is.

use std::{collections::BTreeMap, fmt::Write as _};

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{Walk, Within, joined};
use crate::domain::{
    error::Error,
    search::{IndexText, SearchQuery, Term},
};

/// Before and after a list of places as an array.
pub(super) const AMONG: (&str, &str) = ("search_documents.doc = ANY(CAST(", " AS BIGINT[]))");

/// Numbers as an array.
pub(super) fn list(numbers: &[i64]) -> String {
    format!("{{{}}}", joined(numbers))
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    doc: i64,
}

/// A `tsquery`. Every word is quoted, so that none of them can mean anything.
fn text(query: &SearchQuery, within: Within) -> String {
    let term = |term: &Term, weight: &str| {
        let last = term.words.len().saturating_sub(1);
        let words = term.words.iter().enumerate().map(|(place, word)| {
            let star = if term.is_prefix && place == last { "*" } else { "" };
            let colon = if star.is_empty() && weight.is_empty() { "" } else { ":" };
            format!("'{word}'{colon}{star}{weight}")
        });
        format!("({})", words.collect::<Vec<_>>().join(" <-> "))
    };
    let weight = match within {
        Within::Document => "",
        Within::Headline => "A",
    };
    let required = query.required.iter().map(|required| term(required, weight));
    let excluded = query.excluded.iter().map(|excluded| format!("!{}", term(excluded, "")));
    required.chain(excluded).collect::<Vec<_>>().join(" & ")
}

/// The planner walks the places from the last one down, or from the first one up, if the statistics say that a word is
/// frequent, and the index of words if it is rare.
pub(super) fn walk(
    conn: &mut PgConnection,
    query: &SearchQuery,
    way: Walk,
    (first, last): (i64, i64),
) -> Result<Vec<i64>, Error> {
    let sql = if way.oldest_first {
        "SELECT doc FROM search_text WHERE terms @@ CAST($1 AS tsquery) AND doc BETWEEN $2 AND $3 \
         ORDER BY doc ASC LIMIT $4"
    } else {
        "SELECT doc FROM search_text WHERE terms @@ CAST($1 AS tsquery) AND doc BETWEEN $2 AND $3 \
         ORDER BY doc DESC LIMIT $4"
    };
    let rows: Vec<Place> = sql_query(sql)
        .bind::<Text, _>(text(query, way.within))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(way.limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|place| place.doc).collect())
}

/// The documents are read first, and then their words: what is asked for here are words so frequent that the index of
/// words would take longer, whatever the statistics say.
pub(super) fn of_articles(
    conn: &mut PgConnection,
    query: &SearchQuery,
    articles: &[i64],
    is_wanted: &str,
) -> Result<Vec<i64>, Error> {
    let rows: Vec<Place> = sql_query(format!(
        "WITH named AS MATERIALIZED (SELECT t.doc, t.terms FROM search_documents d \
         JOIN search_text t ON t.doc = d.doc \
         WHERE d.article_id = ANY(CAST($1 AS BIGINT[])) AND {is_wanted}) \
         SELECT doc FROM named WHERE terms @@ CAST($2 AS tsquery)",
    ))
    .bind::<Text, _>(list(articles))
    .bind::<Text, _>(text(query, Within::Document))
    .load(conn)?;
    Ok(rows.into_iter().map(|place| place.doc).collect())
}

/// The sequence comes around after more documents than a second can have.
pub(super) fn free_place(conn: &mut PgConnection, (first, last): (i64, i64)) -> Result<i64, Error> {
    let place: Place = sql_query("SELECT nextval('search_places') % $1 AS doc")
        .bind::<BigInt, _>(last - first + 1)
        .get_result(conn)?;
    Ok(first + place.doc)
}

/// A `tsvector`. Phrases do not reach from one part into the next: a position is left out between them.
fn vector(text: &IndexText) -> String {
    let mut places = BTreeMap::<&str, String>::new();
    let mut position = 0;
    for (part, weight) in [(&text.headline, 'A'), (&text.lead, 'B'), (&text.body, 'C')] {
        for word in part.split(' ').filter(|word| !word.is_empty()) {
            position += 1;
            let of_word = places.entry(word).or_default();
            let comma = if of_word.is_empty() { "" } else { "," };
            // A string takes everything.
            let _ = write!(of_word, "{comma}{position}{weight}");
        }
        position += 1;
    }
    places.iter().map(|(word, places)| format!("'{word}':{places}")).collect::<Vec<_>>().join(" ")
}

pub(super) fn put(conn: &mut PgConnection, doc: i64, text: &IndexText) -> Result<(), Error> {
    sql_query("INSERT INTO search_text (doc, terms) VALUES ($1, CAST($2 AS tsvector))")
        .bind::<BigInt, _>(doc)
        .bind::<Text, _>(vector(text))
        .execute(conn)?;
    Ok(())
}
