//! The steps of the workflow: `POST /v1/articles/{name}/…`, the check before publication, and deletion.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    dto::Article,
    editing::OptionalEditing,
    input::{PublishRequest, RetractRequest, ReturnRequest, SubmitRequest},
};
use crate::{
    domain::{
        error::Error,
        preflight::{self, Finding},
    },
    http::{
        answer::Answer,
        caller::{Caller, OptionalIfMatch},
        input::{Input, NoQuery, OptionalInput, Query},
        links::InboundLink,
        path::Named,
    },
    service::{
        Newsroom,
        articles::{self, Command, EditRequest},
    },
};

/// Whether a step is only tried.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DryRun {
    /// Do everything but keep nothing of it: the answer tells what would happen.
    pub(in crate::http) dry_run: bool,
}

/// What a step did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": true, "findings": [], "affected_links": []}))]
pub struct Outcome {
    /// Nothing was changed.
    pub dry_run: bool,
    /// What the check before publication found.
    pub findings: Vec<Finding>,
    /// Links of other articles that lead to this one and are withdrawn from readers with it.
    pub affected_links: Vec<InboundLink>,
}

impl From<articles::Outcome> for Outcome {
    fn from(outcome: articles::Outcome) -> Self {
        Self {
            dry_run: outcome.dry_run,
            findings: outcome.findings,
            affected_links: outcome.affected_links.into_iter().map(InboundLink::from).collect(),
        }
    }
}

/// What was found before publication.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"publishable": true, "findings": [{
    "severity": "warning", "code": "no_alt_text", "pointer": "/body/0/blocks/2/alt",
    "message": "the picture has no text for those who cannot see it", "params": {}
}]}))]
pub struct Preflight {
    /// Whether there is no blocker.
    publishable: bool,
    /// Blockers first.
    findings: Vec<Finding>,
}

impl From<Vec<Finding>> for Preflight {
    fn from(findings: Vec<Finding>) -> Self {
        Self { publishable: preflight::only_warnings(&findings), findings }
    }
}

async fn act(
    request: &HttpRequest,
    newsroom: &Newsroom,
    on: EditRequest,
    dry_run: &DryRun,
    command: Command,
) -> Result<HttpResponse, Error> {
    let done = articles::act(newsroom, on, command, dry_run.dry_run).await?;
    let version = done.view.article.version;
    let article = Article { outcome: Some(done.outcome.into()), ..Article::try_from(done.view)? };
    Answer::private(request, article).version(version).send()
}

/// Submit an article for review
///
/// Contributors and authors their own, editors all. The draft waits for an editor; it can still be edited.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), request_body = Option<SubmitRequest>,
    security(("bearer" = [])), responses((status = 200, description = "The draft, now in review.", body = Article)))]
#[post("/articles/{name}/submit")]
pub async fn submit_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
    OptionalInput(command): OptionalInput<SubmitRequest>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, command).await
}

/// Return an article to its author
///
/// Editors and above. The note goes into the thread of the article.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), request_body = ReturnRequest,
    security(("bearer" = [])), responses((status = 200, description = "The draft, no longer in review.", body = Article)))]
#[post("/articles/{name}/return")]
pub async fn return_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
    Input(command): Input<ReturnRequest>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, command).await
}

/// Publish or schedule an article
///
/// Authors their own, editors all. What readers see becomes what the draft is now, in one step: at once, or from `at` on
/// without anybody having to do anything then. Readers of a published article keep what they see until then. Publishing
/// again replaces a version that was scheduled. With `If-Match` the draft must still have that version. A draft that the
/// preflight finds unfit is 422 `not_ready`.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), request_body = Option<PublishRequest>,
    security(("bearer" = [])), responses((status = 200, description = "The draft, now published or scheduled.", body = Article)))]
#[post("/articles/{name}/publish")]
pub async fn publish_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
    OptionalInput(command): OptionalInput<PublishRequest>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, command).await
}

/// Cancel a scheduled publication
///
/// Authors their own, editors all. What readers see stays.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft, no longer scheduled.", body = Article)))]
#[post("/articles/{name}/unschedule")]
pub async fn unschedule_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, Command::Unschedule).await
}

/// Unpublish an article
///
/// Authors their own, editors all. Readers get 404 from now on, and a version that was scheduled is cancelled; the draft
/// stays and can be published again. `outcome.affected_links` are the links of other articles that readers lose.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft, now withdrawn.", body = Article)))]
#[post("/articles/{name}/unpublish")]
pub async fn unpublish_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, Command::Unpublish).await
}

/// Discard the changes of a draft
///
/// Authors their own, editors all. The draft of a published article becomes what readers see. What it was is kept as a
/// revision.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft, as readers see it.", body = Article)))]
#[post("/articles/{name}/discard")]
pub async fn discard_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, Command::Discard).await
}

/// Retract an article
///
/// Editors and above. Readers get 410 with the reason from now on.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), request_body = RetractRequest,
    security(("bearer" = [])), responses((status = 200, description = "The draft, now retracted.", body = Article)))]
#[post("/articles/{name}/retract")]
pub async fn retract_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
    Input(command): Input<RetractRequest>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, command).await
}

/// Archive an article
///
/// Editors and above. It is put away: readers get 404, and nobody edits it until it is reopened.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft, now archived.", body = Article)))]
#[post("/articles/{name}/archive")]
pub async fn archive_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, Command::Archive).await
}

/// Reopen an article
///
/// Editors and above. An archived or retracted article can be edited and published again.
#[utoipa::path(tag = "workflow", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft.", body = Article)))]
#[post("/articles/{name}/reopen")]
pub async fn reopen_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    act(&request, &newsroom, on, &dry_run, Command::Reopen).await
}

/// Check an article before publication
///
/// Those who may read its draft. Blockers keep it from being published; warnings ask for a look.
#[utoipa::path(tag = "workflow", params(Named), security(("bearer" = [])),
    responses((status = 200, description = "What was found.", body = Preflight)))]
#[get("/articles/{name}/preflight")]
pub async fn get_preflight(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let findings = articles::preflight(&newsroom, principal, name.reference()).await?;
    Answer::private(&request, Preflight::from(findings)).send()
}

/// Delete an article
///
/// Editors and above; an author their own that was never public. An article that readers see or are to see is 409:
/// unpublish or unschedule it first. Links to it keep its headline and are withdrawn from readers; the answer tells which.
#[utoipa::path(tag = "articles", params(Named, DryRun, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The article is gone, or with `dry_run` would be.", body = Outcome)))]
#[delete("/articles/{name}")]
pub async fn delete_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Query(dry_run): Query<DryRun>,
) -> Result<HttpResponse, Error> {
    let outcome = articles::delete(&newsroom, on, dry_run.dry_run).await?;
    Answer::private(&request, Outcome::from(outcome)).send()
}
