//! `/v1/changes`

use std::{sync::Arc, time::Duration};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    get,
    http::header::{CACHE_CONTROL, HeaderValue},
    web::{Bytes, Data},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};

use super::{
    answer::Answer,
    caller::Caller,
    fields::{FieldsQuery, Sparse},
    input::{Parse, QueryInput},
};
use crate::{
    domain::{
        change::{ChangeKind, Entity},
        error::{Error, ErrorCode, Faults},
        instant,
        page::DEFAULT_LIMIT,
    },
    service::{
        Newsroom,
        changes::{self, Follower, Since},
    },
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
    pub at: instant::Instant,
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
        let (cursor, entity_id, at) =
            (seq.to_string(), entity_id.to_string(), instant::Instant::from_millis(at));
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
    /// Only changes after this one: the `cursor` of a change or `page.next`. `0` is the beginning, `latest` the newest there
    /// is: the page is empty then, and `page.next` its cursor.
    #[param(pattern = "^(latest|[0-9]{1,19})$", example = "1042")]
    since: String,
    /// Most changes of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Seconds to wait if there is nothing after `since`: the answer comes as soon as there is, or empty when they are over.
    #[param(minimum = 0, maximum = 60)]
    wait: u32,
}

impl Default for ChangeQuery {
    fn default() -> Self {
        Self { since: BEGINNING.to_owned(), limit: DEFAULT_LIMIT, wait: 0 }
    }
}

/// The place before the first change.
const BEGINNING: &str = "0";
/// The place behind the newest change.
const LATEST: &str = "latest";

fn cursor(name: &str, text: &str, faults: &mut Faults) -> Option<Since> {
    let seq = text.parse().map_err(|_| "is not a cursor of this list");
    faults.take_parameter(name, "bad_format", seq).map(Since::Change)
}

fn since(text: &str, faults: &mut Faults) -> Option<Since> {
    if text == LATEST { Some(Since::Latest) } else { cursor("since", text, faults) }
}

/// Which page of the log is wanted.
#[derive(Debug)]
pub struct WantedChanges {
    since: Since,
    limit: u32,
    wait: u32,
}

impl Parse for ChangeQuery {
    type Command = WantedChanges;

    fn parse(self, faults: &mut Faults) -> Option<WantedChanges> {
        let Self { limit, wait, .. } = self;
        Some(WantedChanges { since: since(&self.since, faults)?, limit, wait })
    }
}

/// List changes
///
/// Every public change in the order in which it became visible, tombstones included: enough to keep a mirror, a cache or
/// a search index. No change is ever inserted before one that was listed. `wait` holds the answer back until there is
/// something to tell.
///
/// A mirror begins with `since=latest`, which tells where the log ends, then reads the lists, and follows the log from
/// there: what happens meanwhile is told. A cursor beyond the end of the log, as after the server was restored from an
/// older backup, is 410 `cursor_unknown`; a mirror begins anew then.
///
/// A mirror fetches what a change names, drops it for `removed`, and fetches again every copy that shows one of the
/// `surrogate_keys`: that a section, tag or author was renamed, or a section moved, which changes the paths of its
/// articles, is told once, under the key of the section, and not for each article. `site/1` stands for everything.
#[utoipa::path(tag = "changes", params(ChangeQuery, FieldsQuery), responses((status = 200, description = "A page of the log.", body = ChangeList)))]
#[get("/changes")]
pub async fn list_changes(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    followers: Data<Followers>,
    Caller(principal): Caller,
    QueryInput(WantedChanges { since, limit, wait }): QueryInput<ChangeQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let (since, mut found) = changes::list(&newsroom, since, limit).await?;
    let waits = wait > 0;
    if waits && found.is_empty() {
        let _place = followers.enter()?;
        let deadline = Instant::now() + Duration::from_secs(u64::from(wait));
        found = Follower::new(&newsroom, since).next(limit as usize, deadline).await?;
    }
    let next = found.last().map_or(since, |change| change.seq).to_string();
    let data = found.into_iter().map(Change::from).collect();
    let list = ChangeList { data, page: ChangePage { limit, next } };
    let mut response = Answer::ok(&request, &principal, list).fields(fields.0).send()?;
    if waits {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// How many may wait for changes at the same time, with `wait` and on streams together.
#[derive(Debug)]
pub(crate) struct Followers(Arc<Semaphore>);

/// Seconds after which it is worth another try when too many wait.
const CROWDED: u64 = 10;

impl Followers {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }

    /// A place, for as long as it is held.
    fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        let full = |_| Error::RetryAfter {
            code: ErrorCode::Busy,
            detail: "Too many are waiting for changes; ask again without wait, or later.".to_owned(),
            seconds: CROWDED,
        };
        Arc::clone(&self.0).try_acquire_owned().map_err(full)
    }
}

/// Where a stream begins, and whether it ends.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct StreamQuery {
    /// Only changes after this one: the `cursor` of a change or the `id` of an event. `0` is the beginning, `latest` the
    /// newest there is.
    #[param(pattern = "^(latest|[0-9]{1,19})$", example = "1042")]
    since: String,
    /// Whether the stream stays open for what comes next; with `false` it ends when it has told what there is.
    #[param(default = true, example = false)]
    follow: bool,
}

impl Default for StreamQuery {
    fn default() -> Self {
        Self { since: BEGINNING.to_owned(), follow: true }
    }
}

impl Parse for StreamQuery {
    type Command = (Since, bool);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((since(&self.since, faults)?, self.follow))
    }
}

const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Extractor: the `id` of the last event that a client has seen, which it sends when it connects anew.
#[derive(Debug)]
pub struct LastEventId(Option<Since>);

impl FromRequest for LastEventId {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let sent = request.headers().get(LAST_EVENT_ID).filter(|value| !value.is_empty());
        let mut faults = Faults::default();
        let seen =
            sent.and_then(|value| cursor(LAST_EVENT_ID, value.to_str().unwrap_or_default(), &mut faults));
        std::future::ready(match faults.is_empty() {
            true => Ok(Self(seen)),
            false => Err(Error::InvalidParameters(faults.into_vec())),
        })
    }
}

impl IntoParams for LastEventId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([0-9]{1,19})?$"))
            .examples([serde_json::json!("1042")])
            .build();
        let parameter = ParameterBuilder::new()
            .name(LAST_EVENT_ID)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "The `id` of the last event that was seen; it goes before `since`. Browsers send it by themselves.",
            ))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

/// Most changes that a stream holds in memory.
const STREAM_PAGE: usize = 100;
/// How often a stream on which nothing happens says that it is still there (HTML standard, "Server-sent events", 9.2.7).
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client whose connection was lost waits before the next, in milliseconds.
const RETRY: u32 = 3000;

/// Follow changes
///
/// The changes of `GET /v1/changes` as server-sent events (HTML standard, section 9.2), each as it is recorded: `event:
/// change`, `id` is its cursor, `data` the change as JSON. A client that comes back with `Last-Event-ID`, as browsers do,
/// goes on where it was. What comes first is the `id` of the place where the stream begins, so that nothing is missed when
/// the connection is lost before the first event. Every 15 seconds without a change there is a comment. The stream ends
/// when the server stops. A place beyond the end of the log is 410, as in the list.
#[utoipa::path(tag = "changes", params(StreamQuery, LastEventId), responses(
    (status = 200, description = "Events without end.", body = String, content_type = EVENT_STREAM,
        example = "retry: 3000\nid: 1041\n\nid: 1042\nevent: change\ndata: {\"cursor\":\"1042\",\"at\":\"2026-05-18T09:30:00.000Z\",\
            \"kind\":\"updated\",\"entity\":\"section\",\"entity_id\":\"184467440737095516\",\"path\":\"/world/europe\",\
            \"old_path\":\"/europe\",\"surrogate_keys\":[\"section/184467440737095516\"]}\n\n")))]
#[get("/changes/stream")]
pub async fn stream_changes(
    newsroom: Data<Newsroom>,
    followers: Data<Followers>,
    _caller: Caller,
    QueryInput((since, follows)): QueryInput<StreamQuery>,
    last: LastEventId,
) -> Result<HttpResponse, Error> {
    let place = followers.enter()?;
    let since = changes::find(&newsroom, last.0.unwrap_or(since)).await?;
    let events = Events {
        follower: Follower::new(&newsroom, since),
        newsroom,
        begin: Some(since),
        is_at_end: false,
        follows,
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .content_type(EVENT_STREAM)
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies of the nginx kind would hold events back.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(stream::unfold(events, Events::next))))
}

const EVENT_STREAM: &str = "text/event-stream";

/// A stream under way. A page of changes is read when the connection has taken the one before.
struct Events {
    follower: Follower,
    newsroom: Data<Newsroom>,
    /// Where it begins, until that is told.
    begin: Option<i64>,
    is_at_end: bool,
    follows: bool,
    _place: OwnedSemaphorePermit,
}

impl Events {
    async fn next(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        if let Some(since) = self.begin.take() {
            // An id without data is no event, but clients keep it.
            return Some((Ok(Bytes::from(format!("retry: {RETRY}\nid: {since}\n\n"))), self));
        }
        if self.newsroom.feed.is_closed() || self.is_at_end {
            return None;
        }
        let deadline = if self.follows { Instant::now() + HEARTBEAT } else { Instant::now() };
        let found = match self.follower.next(STREAM_PAGE, deadline).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "a stream of changes ends");
                return None;
            }
        };
        self.is_at_end = !self.follows && found.len() < STREAM_PAGE;
        let text = if found.is_empty() { ":\n\n".to_owned() } else { found.into_iter().map(event).collect() };
        Some((Ok(Bytes::from(text)), self))
    }
}

/// One event. JSON without line breaks is one line of data.
fn event(change: RecordedChange) -> String {
    let change = Change::from(change);
    let data = serde_json::to_string(&change).unwrap_or_default();
    format!("id: {}\nevent: change\ndata: {data}\n\n", change.cursor)
}
