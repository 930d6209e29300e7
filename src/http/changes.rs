//! `/v1/changes`

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{answer::Answer, caller::Caller, input::Query};
use crate::{
    domain::{
        change::{ChangeKind, Entity},
        error::Error,
        instant::Instant,
        page::DEFAULT_LIMIT,
    },
    service::{Newsroom, changes},
    store::changes::RecordedChange,
};

/// Something that readers can notice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "cursor": "1042", "at": "2026-05-18T09:30:00.000Z", "kind": "updated", "entity": "section",
    "entity_id": "184467440737095516", "path": "/world/europe", "old_path": "/europe",
    "surrogate_keys": ["section/184467440737095516"]
}))]
pub struct Change {
    /// Its place in the order: `since` this, only later changes are listed.
    pub cursor: String,
    /// When it became visible.
    pub at: Instant,
    /// What happened; `removed` is a tombstone.
    #[schema(value_type = ChangeKind)]
    pub kind: String,
    /// To what kind of thing.
    #[schema(value_type = Entity)]
    pub entity: String,
    /// To which one.
    pub entity_id: String,
    /// Where on the site it is now, or what took the place of what was removed.
    pub path: Option<String>,
    /// Where it was, if it was elsewhere or is no more.
    pub old_path: Option<String>,
    /// The keys of everything that shows it: what caches must drop.
    pub surrogate_keys: Vec<String>,
}

impl From<RecordedChange> for Change {
    fn from(change: RecordedChange) -> Self {
        let RecordedChange { seq, at, kind, entity, entity_id, path, old_path, surrogate_keys } = change;
        let (cursor, entity_id, at) = (seq.to_string(), entity_id.to_string(), Instant::from_millis(at));
        Self { cursor, at, kind, entity, entity_id, path, old_path, surrogate_keys }
    }
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeList {
    /// The changes, oldest first.
    pub data: Vec<Change>,
    /// Where to go on.
    pub page: ChangePage,
}

/// Where to go on in the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"limit": 20, "next": "1042"}))]
pub struct ChangePage {
    /// Most changes of a page.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: u32,
    /// The next `since`. The log has no end: when `data` is empty this is where to ask again later.
    pub next: String,
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ChangeQuery {
    /// Only changes after this one: the `cursor` of a change or `page.next`; `0` is the beginning.
    #[param(pattern = "^[0-9]{1,19}$", example = "1042")]
    since: String,
    /// Most changes of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
}

impl Default for ChangeQuery {
    fn default() -> Self {
        Self { since: "0".to_owned(), limit: DEFAULT_LIMIT }
    }
}

/// List changes
///
/// Every public change in the order in which it became visible, tombstones included: enough to keep a mirror, a cache or
/// a search index. No change is ever inserted before one that was listed.
#[utoipa::path(tag = "changes", params(ChangeQuery), responses((status = 200, description = "A page of the log.", body = ChangeList)))]
#[get("/changes")]
pub async fn list_changes(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    Query(query): Query<ChangeQuery>,
) -> Result<HttpResponse, Error> {
    let bad = |_| Error::invalid_parameter("since", "bad_format", "is not a cursor of this list");
    let since = query.since.parse().map_err(bad)?;
    let found = changes::list(&newsroom, since, query.limit).await?;
    let next = found.last().map_or(since, |change| change.seq).to_string();
    let data = found.into_iter().map(Change::from).collect();
    Answer::ok(&request, &principal, ChangeList { data, page: ChangePage { limit: query.limit, next } })
        .send()
}
