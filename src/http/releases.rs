//! `/v1/releases`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer, List},
    articles::{
        actions::{DryRun, Outcome, Preflight},
        id_segment,
    },
    caller::{Caller, OptionalIfMatch},
    input::{Input, NoQuery, OptionalInput, Parse, Query, QueryInput, present},
    paging::page_request,
    path::parameter,
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::ReleaseId,
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
        release::{self, ReleaseAction, ReleaseChanges, ReleaseItem, ReleaseState},
        slug::Reference,
        text::{line, optional_paragraphs},
        user::UserCard,
    },
    service::{
        Newsroom, articles,
        releases::{self, ReleaseCommand},
    },
    store::releases::ORDER,
};

/// A set of articles that become public, or cease to be, together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095701", "name": "Election night", "description": null, "state": "scheduled",
    "at": "2026-05-18T18:00:00.000Z",
    "items": [{"article_id": "184467440737095516", "headline": "Harbour bridge reopens after two years",
               "state": "scheduled", "action": "publish"}],
    "version": 2, "created_by": {"id": "184467440737095001", "name": "Edda Editor"},
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:45:00.000Z"
}))]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its name for editors.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it stands.
    pub state: ReleaseState,
    /// When it takes or took effect.
    pub at: Option<Instant>,
    /// Its articles, in order.
    pub items: Vec<ReleaseItem>,
    /// Counts its edits; also the beginning of its `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: UserCard,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
    /// After a step: what it did, or with `dry_run` would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub outcome: Option<Outcome>,
}

impl From<release::Release> for Release {
    fn from(release: release::Release) -> Self {
        Self {
            id: release.id,
            name: release.name,
            description: release.description,
            state: release.state,
            at: release.at,
            items: release.items,
            version: release.version,
            created_by: release.created_by,
            created_at: release.created_at,
            updated_at: release.updated_at,
            outcome: None,
        }
    }
}

/// An article to put into a release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseItemInput {
    /// The article, by id or slug.
    #[schema(min_length = 1, max_length = 200)]
    article: String,
    /// What happens to it; it is published if nothing is said.
    #[serde(default = "publish")]
    action: ReleaseAction,
}

const fn publish() -> ReleaseAction {
    ReleaseAction::Publish
}

fn items(items: Vec<ReleaseItemInput>) -> Vec<(Reference, ReleaseAction)> {
    items.into_iter().map(|item| (Reference::parse(&item.article), item.action)).collect()
}

/// A release to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Election night", "items": [{"article": "harbour-bridge-reopens", "action": "publish"}]}))]
pub struct ReleaseCreate {
    /// Its name for editors.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Its articles.
    #[serde(default)]
    #[schema(max_items = 200)]
    items: Vec<ReleaseItemInput>,
}

impl Parse for ReleaseCreate {
    type Command = ReleaseChanges;

    fn parse(self, faults: &mut Faults) -> Option<ReleaseChanges> {
        Some(ReleaseChanges {
            name: line(faults, "/name", &self.name, 200),
            description: Some(optional_paragraphs(faults, "/description", self.description.as_deref(), 2000)),
            items: Some(items(self.items)),
        })
    }
}

/// The members of a release to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": [{"article": "harbour-bridge-reopens"}, {"article": "ferry-strike", "action": "unpublish"}]}))]
pub struct ReleasePatch {
    /// A new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// A new description.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 2000)]
    description: Option<Option<String>>,
    /// New articles, in the place of all of the old ones.
    #[serde(default)]
    #[schema(max_items = 200, nullable = false)]
    items: Option<Vec<ReleaseItemInput>>,
}

impl Parse for ReleasePatch {
    type Command = ReleaseChanges;

    fn parse(self, faults: &mut Faults) -> Option<ReleaseChanges> {
        let description =
            self.description.map(|text| optional_paragraphs(faults, "/description", text.as_deref(), 2000));
        Some(ReleaseChanges {
            name: self.name.and_then(|name| line(faults, "/name", &name, 200)),
            description,
            items: self.items.map(items),
        })
    }
}

/// When a release takes effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "2026-05-18T18:00:00Z"}))]
pub struct ReleaseSchedule {
    /// The instant; one that has passed is now.
    #[schema(format = DateTime)]
    at: String,
    /// The warnings of the preflight have been seen; needed if the site wants them confirmed.
    #[serde(default)]
    confirm_warnings: bool,
}

impl Parse for ReleaseSchedule {
    type Command = ReleaseCommand;

    fn parse(self, faults: &mut Faults) -> Option<ReleaseCommand> {
        let at = faults.take("/at", "bad_instant", self.at.parse());
        Some(ReleaseCommand::Release { at, confirm_warnings: self.confirm_warnings })
    }
}

/// How a release takes effect now.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"confirm_warnings": true}))]
pub struct ReleasePublish {
    /// The warnings of the preflight have been seen; needed if the site wants them confirmed.
    #[serde(default)]
    confirm_warnings: bool,
}

impl Parse for ReleasePublish {
    type Command = ReleaseCommand;

    fn parse(self, _: &mut Faults) -> Option<ReleaseCommand> {
        Some(ReleaseCommand::Release { at: None, confirm_warnings: self.confirm_warnings })
    }
}

/// Which releases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ReleaseListQuery {
    /// Only those that stand here.
    state: Option<ReleaseState>,
    /// Most items of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another page.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// Also count all.
    count: bool,
}

impl Default for ReleaseListQuery {
    fn default() -> Self {
        Self { state: None, limit: DEFAULT_LIMIT, cursor: None, count: false }
    }
}

impl Parse for ReleaseListQuery {
    type Command = (Option<ReleaseState>, PageRequest);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let Self { state, limit, cursor, count } = self;
        Some((state, page_request(limit, cursor.as_deref(), None, count, Some(ORDER), faults)))
    }
}

/// The segment `{release}`.
#[derive(Debug)]
pub struct ReleaseSegment;

impl IntoParams for ReleaseSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("release", "The id of a release.", "184467440737095701")]
    }
}

fn release_id(request: &HttpRequest) -> Result<ReleaseId, Error> {
    id_segment(request, "release", "release")
}

fn answer(request: &HttpRequest, release: release::Release) -> Result<HttpResponse, Error> {
    let version = release.version;
    Answer::private(request, Release::from(release)).version(version).send()
}

/// List releases
///
/// Editors and above. The newest first.
#[utoipa::path(tag = "releases", params(ReleaseListQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of releases.", body = List<Release>)))]
#[get("/releases")]
pub async fn list_releases(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((state, page)): QueryInput<ReleaseListQuery>,
) -> Result<HttpResponse, Error> {
    let page = releases::list(&newsroom, &principal, state, page).await?;
    Answer::page(&request, &principal, page.map(Release::from)).send()
}

/// Create a release
///
/// Editors and above. Readers see nothing of it until it takes effect.
#[utoipa::path(tag = "releases", request_body = ReleaseCreate, security(("bearer" = [])),
    responses((status = 201, description = "The release.", body = Release)))]
#[post("/releases")]
pub async fn create_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<ReleaseCreate>,
) -> Result<HttpResponse, Error> {
    let release = releases::create(&newsroom, &principal, changes).await?;
    let (location, version) = (format!("/v1/releases/{}", release.id), release.version);
    Answer::private(&request, Release::from(release)).created(location).version(version).send()
}

/// Get a release
///
/// Editors and above. Its articles are shown as they are now.
#[utoipa::path(tag = "releases", params(ReleaseSegment), security(("bearer" = [])),
    responses((status = 200, description = "The release.", body = Release)))]
#[get("/releases/{release}")]
pub async fn get_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let release = releases::get(&newsroom, &principal, release_id(&request)?).await?;
    answer(&request, release)
}

/// Edit a release
///
/// Editors and above. A merge patch (RFC 7396). A scheduled release is 409: cancel it first.
#[utoipa::path(tag = "releases", params(ReleaseSegment, OptionalIfMatch), request_body = ReleasePatch,
    security(("bearer" = [])), responses((status = 200, description = "The release as it is now.", body = Release)))]
#[patch("/releases/{release}")]
pub async fn update_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<ReleasePatch>,
) -> Result<HttpResponse, Error> {
    let id = release_id(&request)?;
    let release = releases::update(&newsroom, &principal, id, if_match.version(), changes).await?;
    answer(&request, release)
}

/// Delete a release
///
/// Editors and above. Its articles stay as they are. A scheduled release is 409: cancel it first.
#[utoipa::path(tag = "releases", params(ReleaseSegment, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 204, description = "The release is gone.")))]
#[delete("/releases/{release}")]
pub async fn delete_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
) -> Result<HttpResponse, Error> {
    releases::delete(&newsroom, &principal, release_id(&request)?, if_match.version()).await?;
    Ok(answer::no_content())
}

/// Check a release
///
/// Editors and above. What would keep any of its articles from changing with it now; links between its members count as
/// they will be. Pointers begin with the place of the article in the release.
#[utoipa::path(tag = "releases", params(ReleaseSegment), security(("bearer" = [])),
    responses((status = 200, description = "What was found.", body = Preflight)))]
#[get("/releases/{release}/preflight")]
pub async fn get_release_preflight(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let findings = releases::preflight(&newsroom, principal, release_id(&request)?).await?;
    Answer::private(&request, Preflight::from(findings)).send()
}

async fn act(
    request: &HttpRequest,
    newsroom: &Newsroom,
    Caller(principal): Caller,
    if_match: OptionalIfMatch,
    dry_run: &DryRun,
    command: ReleaseCommand,
) -> Result<HttpResponse, Error> {
    let (id, version, dry_run) = (release_id(request)?, if_match.version(), dry_run.dry_run);
    let (release, outcome): (_, articles::Outcome) =
        releases::act(newsroom, principal, id, version, command, dry_run).await?;
    let version = release.version;
    let release = Release { outcome: Some(outcome.into()), ..Release::from(release) };
    Answer::private(request, release).version(version).send()
}

/// Schedule a release
///
/// Editors and above. From the instant on readers see what the drafts of its articles are now, all together and without
/// anybody having to do anything then. Until then its articles are held: their drafts can be edited, but no other step
/// be taken. `as_of` shows the site as it will be. If one article cannot change, none does (422).
#[utoipa::path(tag = "releases", params(ReleaseSegment, DryRun, OptionalIfMatch), request_body = ReleaseSchedule,
    security(("bearer" = [])), responses((status = 200, description = "The release, now scheduled.", body = Release)))]
#[post("/releases/{release}/schedule")]
pub async fn schedule_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    Query(dry_run): Query<DryRun>,
    if_match: OptionalIfMatch,
    Input(command): Input<ReleaseSchedule>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, caller, if_match, &dry_run, command).await
}

/// Publish a release
///
/// Editors and above. All of its articles change now, in one step, or none does (422).
#[utoipa::path(tag = "releases", params(ReleaseSegment, DryRun, OptionalIfMatch), request_body = Option<ReleasePublish>,
    security(("bearer" = [])), responses((status = 200, description = "The release, which has taken effect.", body = Release)))]
#[post("/releases/{release}/publish")]
pub async fn publish_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    Query(dry_run): Query<DryRun>,
    if_match: OptionalIfMatch,
    OptionalInput(command): OptionalInput<ReleasePublish>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, caller, if_match, &dry_run, command).await
}

/// Cancel a scheduled release
///
/// Editors and above. Its articles are let go, and it can be edited and scheduled again.
#[utoipa::path(tag = "releases", params(ReleaseSegment, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The release, no longer scheduled.", body = Release)))]
#[post("/releases/{release}/cancel")]
pub async fn cancel_release(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    caller: Caller,
    Query(dry_run): Query<DryRun>,
    if_match: OptionalIfMatch,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, caller, if_match, &dry_run, ReleaseCommand::Cancel).await
}
