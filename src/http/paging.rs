//! The paging parameters of lists.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::domain::{
    error::{Error, Fault},
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

impl CursorQuery {
    /// What the service is asked for.
    pub(super) fn request(&self, sort: &str) -> Result<PageRequest, Error> {
        page_request(self.limit, self.cursor.as_deref(), None, self.count, sort)
    }
}

/// Reads `limit`, `cursor`, `page` and `count`. `sort` is the order of the list: a cursor of another order is refused.
///
/// # Errors
/// 400 for a cursor that was not made here or in another order, for `cursor` together with `page`, and for a page past
/// the limit of numbered pages.
pub fn page_request(
    limit: u32,
    cursor: Option<&str>,
    page: Option<u32>,
    count: bool,
    sort: &str,
) -> Result<PageRequest, Error> {
    let fault = |name: &str, code, message: String| {
        Err(Error::InvalidParameters(vec![Fault::parameter(name, code, message)]))
    };
    let position = match (cursor, page) {
        (Some(_), Some(_)) => return fault("page", "excluded", "cannot be combined with cursor".to_owned()),
        (Some(text), None) => match Cursor::decode(text) {
            Some(cursor) if cursor.sort == sort => Position::Cursor(cursor),
            Some(_) => return fault("cursor", "other_order", "was made in another sort order".to_owned()),
            None => return fault("cursor", "bad_format", "is not a cursor of this list".to_owned()),
        },
        (None, page) => {
            let number = page.unwrap_or(1);
            if u64::from(number) * u64::from(limit) > u64::from(MAX_NUMBERED_ROWS) {
                let message = format!(
                    "numbered pages go {MAX_NUMBERED_ROWS} rows deep; walk on with cursor (page.next)"
                );
                return fault("page", "too_deep", message);
            }
            Position::Number(number)
        }
    };
    Ok(PageRequest { limit, position, count })
}
