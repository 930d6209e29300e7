//! Pages of lists: numbered, or walked by a cursor that stays right while rows come and go.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::text::is_forbidden_character;

/// Rows in a page unless the caller asks for another number.
pub const DEFAULT_LIMIT: u32 = 20;
/// Most rows in a page.
pub const MAX_LIMIT: u32 = 100;
/// How many rows deep numbered pages go; a cursor goes on from there at the same cost as the first page.
pub const MAX_NUMBERED_ROWS: u32 = 10_000;

/// The value by which a list is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// An instant in milliseconds, or a position.
    Number(i64),
    /// A name or headline.
    Text(String),
}

/// A place between two rows of a list in one sort order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort order in which the cursor was made; it means nothing in another.
    #[serde(rename = "s")]
    pub sort: String,
    /// Whether it asks for the rows before the place, not for those after it.
    #[serde(rename = "b")]
    pub before: bool,
    /// The sort value of the row at the place.
    #[serde(rename = "v")]
    pub value: SortValue,
    /// The id of the row at the place.
    #[serde(rename = "i")]
    pub id: i64,
}

impl Cursor {
    /// The opaque form for callers.
    pub fn encode(&self) -> String {
        // A struct of strings and numbers always serialises.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the opaque form; `None` if it was not made here.
    pub fn decode(text: &str) -> Option<Self> {
        let cursor: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // No text that is sorted by has such characters, and PostgreSQL takes no NUL.
        let is_possible = match &cursor.value {
            SortValue::Text(text) => !text.chars().any(is_forbidden_character),
            SortValue::Number(_) => true,
        };
        is_possible.then_some(cursor)
    }
}

/// Where in the list a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// A numbered page, from 1.
    Number(u32),
    /// From a cursor on.
    Cursor(Cursor),
}

/// What a caller asks of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows in the page, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Where it begins.
    pub position: Position,
    /// Whether to count all rows, which costs a walk over them.
    pub count: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, position: Position::Number(1), count: false }
    }
}

impl PageRequest {
    /// Whether rows are to be read against the sort order, to find those before a cursor.
    pub fn backwards(&self) -> bool {
        matches!(&self.position, Position::Cursor(cursor) if cursor.before)
    }

    /// The cursor, if the page begins at one.
    pub fn cursor(&self) -> Option<&Cursor> {
        match &self.position {
            Position::Cursor(cursor) => Some(cursor),
            Position::Number(_) => None,
        }
    }

    /// How many rows to skip.
    pub fn offset(&self) -> i64 {
        match self.position {
            Position::Number(number) => i64::from(number.saturating_sub(1)) * i64::from(self.limit),
            Position::Cursor(_) => 0,
        }
    }

    /// How many rows to read: one more than the page holds, which tells whether there are more.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows in sort order.
    pub items: Vec<T>,
    /// What was asked for.
    pub limit: u32,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
    /// Where the page before begins; `None` at the start.
    pub prev: Option<Cursor>,
    /// The number of all rows, if asked for.
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Makes a page of the rows that were read, [`PageRequest::fetch`] at most, in the order in which they were read.
    pub fn from_rows(
        mut rows: Vec<T>,
        request: &PageRequest,
        sort: &str,
        total: Option<i64>,
        key: impl Fn(&T) -> (SortValue, i64),
    ) -> Self {
        let limit = request.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let backwards = request.backwards();
        if backwards {
            rows.reverse();
        }
        let at = |row: Option<&T>, before| {
            row.map(|row| {
                let (value, id) = key(row);
                Cursor { sort: sort.to_owned(), before, value, id }
            })
        };
        let started_inside = request.cursor().is_some() || request.offset() > 0;
        let next = if backwards || more { at(rows.last(), false) } else { None };
        let prev = if if backwards { more } else { started_inside } { at(rows.first(), true) } else { None };
        Self { items: rows, limit: request.limit, next, prev, total }
    }

    /// As [`Self::map`], where a row can fail.
    ///
    /// # Errors
    /// The first one of `f`.
    pub fn try_map<U, E>(self, f: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let Self { items, limit, next, prev, total } = self;
        let items = items.into_iter().map(f).collect::<Result<_, E>>()?;
        Ok(Page { items, limit, next, prev, total })
    }

    /// The same page of something made from its rows.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, limit, next, prev, total } = self;
        Page { items: items.into_iter().map(f).collect(), limit, next, prev, total }
    }
}
