//! The paging parameters of lists.

use serde::Deserialize;
use utoipa::IntoParams;

use super::input::Parse;
use crate::domain::{
    error::{Error, Fault, Faults},
    page::{Cursor, DEFAULT_LIMIT, MAX_NUMBERED_ROWS, PageRequest, Position},
};

/// Which page of a list that is walked by cursor.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CursorQuery {
    /// Most items of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another page.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// Also count all.
    count: bool,
}

impl Default for CursorQuery {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, cursor: None, count: false }
    }
}

/// A page of a list whose order is not known yet.
#[derive(Debug)]
pub struct AnyPage(PageRequest);

impl Parse for CursorQuery {
    type Command = AnyPage;

    fn parse(self, faults: &mut Faults) -> Option<AnyPage> {
        let Self { limit, cursor, count } = self;
        Some(AnyPage(page_request(limit, cursor.as_deref(), None, count, None, faults)))
    }
}

impl AnyPage {
    /// The page of a list in this order.
    ///
    /// # Errors
    /// 400 for a cursor of another order.
    pub fn of(self, sort: &str) -> Result<PageRequest, Error> {
        match self.0.cursor() {
            Some(cursor) if cursor.sort != sort => Err(Error::InvalidParameters(vec![other_order()])),
            _ => Ok(self.0),
        }
    }
}

fn other_order() -> Fault {
    Fault::parameter("cursor", "other_order", "was made in another sort order")
}

/// Reads `limit`, `cursor`, `page` and `count`. `sort` is the order of the list, if that is known: a cursor of another
/// order is refused.
///
/// A fault is a cursor that was not made here or in another order, `cursor` together with `page`, and a page past the
/// limit of numbered pages.
pub fn page_request(
    limit: u32,
    cursor: Option<&str>,
    page: Option<u32>,
    count: bool,
    sort: Option<&str>,
    faults: &mut Faults,
) -> PageRequest {
    let number = page.unwrap_or(1);
    let is_too_deep = u64::from(number) * u64::from(limit) > u64::from(MAX_NUMBERED_ROWS);
    if cursor.is_some() && page.is_some() {
        faults.push(Fault::parameter("page", "excluded", "cannot be combined with cursor"));
    } else if is_too_deep && !faults.is_about("limit") {
        let message =
            format!("numbered pages go {MAX_NUMBERED_ROWS} rows deep; walk on with cursor (page.next)");
        faults.push(Fault::parameter("page", "too_deep", message));
    }
    let position = match cursor.map(Cursor::decode) {
        None => Position::Number(number),
        Some(Some(cursor)) => {
            if sort.is_some_and(|sort| cursor.sort != sort) {
                faults.push(other_order());
            }
            Position::Cursor(cursor)
        }
        Some(None) => {
            faults.push(Fault::parameter("cursor", "bad_format", "is not a cursor of this list"));
            Position::Number(number)
        }
    };
    PageRequest { limit, position, count }
}
