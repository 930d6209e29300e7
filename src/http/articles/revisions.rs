//! `/v1/articles/{name}/revisions`

use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use serde::Serialize;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    dto::Article,
    editing::{Editing, OptionalEditing, changed},
    id_segment,
    input::SavePointRequest,
};
use crate::{
    domain::{diff::DocumentDiff, error::Error, revision::Revision},
    http::{
        answer::{Answer, List},
        caller::{Caller, IfMatch, OptionalIfMatch},
        input::{NoQuery, OptionalInput, QueryInput},
        paging::CursorQuery,
        path::{Named, parameter},
    },
    service::{
        Newsroom,
        articles::{self, ArticleView},
    },
    store::articles::revisions::ORDER,
};

/// The segment `{revision}`.
#[derive(Debug)]
pub struct RevisionSegment;

impl IntoParams for RevisionSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("revision", "The number of a revision.", "2")]
    }
}

/// A revision with its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevisionWithArticle {
    /// The revision.
    pub revision: Revision,
    /// The article as it was, with the names that its section, tags and authors had then.
    pub article: Article,
}

/// List the revisions of an article
///
/// Those who may read its draft. The newest first: every publication, every point that an editor kept, and what a draft
/// was before it was replaced.
#[utoipa::path(tag = "revisions", params(Named, CursorQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of revisions.", body = List<Revision>)))]
#[get("/articles/{name}/revisions")]
pub async fn list_revisions(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    QueryInput(page): QueryInput<CursorQuery>,
) -> Result<HttpResponse, Error> {
    let page = page.of(ORDER)?;
    let page = articles::list_revisions(&newsroom, principal.clone(), name.reference(), page).await?;
    Answer::page(&request, &principal, page).send()
}

/// Keep a revision of a draft
///
/// Those who may edit it. The draft as it is now, for ever.
#[utoipa::path(tag = "revisions", params(Named, OptionalIfMatch), request_body = Option<SavePointRequest>,
    security(("bearer" = [])), responses((status = 201, description = "The revision.", body = Revision)))]
#[post("/articles/{name}/revisions")]
pub async fn create_revision(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    name: Named,
    OptionalEditing(on): OptionalEditing,
    OptionalInput(note): OptionalInput<SavePointRequest>,
) -> Result<HttpResponse, Error> {
    let revision = articles::save_point(&newsroom, on, note).await?;
    let location = format!("/v1/articles/{}/revisions/{}", name.as_str(), revision.number);
    Answer::private(&request, revision).created(location).send()
}

/// Get a revision
///
/// Those who may read the draft of the article.
#[utoipa::path(tag = "revisions", params(Named, RevisionSegment), security(("bearer" = [])),
    responses((status = 200, description = "The revision with its document.", body = RevisionWithArticle)))]
#[get("/articles/{name}/revisions/{revision}")]
pub async fn get_revision(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let number = id_segment(&request, "revision", "revision")?;
    let (revision, article) = articles::get_revision(&newsroom, principal, name.reference(), number).await?;
    let article = Article::try_from(ArticleView { article, workflow: None })?;
    Answer::private(&request, RevisionWithArticle { revision, article }).send()
}

/// The segment `{other}`.
#[derive(Debug)]
pub struct OtherSegment;

impl IntoParams for OtherSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("other", "The number of the revision to compare with.", "3")]
    }
}

/// Compare two revisions
///
/// Those who may read the draft of the article. What has to be done to `revision` to make it `other`: fields, sections and
/// blocks, and inside texts the words.
#[utoipa::path(tag = "revisions", params(Named, RevisionSegment, OtherSegment), security(("bearer" = [])),
    responses((status = 200, description = "What is different.", body = DocumentDiff)))]
#[get("/articles/{name}/revisions/{revision}/diff/{other}")]
pub async fn diff_revisions(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let numbers = (id_segment(&request, "revision", "revision")?, id_segment(&request, "other", "revision")?);
    let diff = articles::compare_revisions(&newsroom, principal, name.reference(), numbers).await?;
    Answer::private(&request, diff).send()
}

/// Restore a revision
///
/// Those who may edit the draft, under its version. The draft becomes what the revision was; what readers see stays until
/// it is published. The draft that it replaces is kept as a revision.
#[utoipa::path(tag = "revisions", params(Named, RevisionSegment, IfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[post("/articles/{name}/revisions/{revision}/restore")]
pub async fn restore_revision(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
) -> Result<HttpResponse, Error> {
    let number = id_segment(&request, "revision", "revision")?;
    let view = articles::restore(&newsroom, on, number).await?;
    changed(&request, view)
}
