//! `/v1/articles/{name}/notes`, `…/assignee`, `…/lock`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web::Data};
use serde::Deserialize;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer, List},
    articles::{
        dto::Article,
        editing::{OptionalEditing, changed},
        id_segment,
    },
    caller::{Caller, OptionalIfMatch},
    input::{Input, NoQuery, OptionalInput, Parse, QueryInput},
    paging::CursorQuery,
    path::{Named, parameter},
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::{BlockId, NoteId, UserId},
        note::{EditLock, Note},
        text::paragraphs,
    },
    service::{Newsroom, articles},
    store::articles::notes::ORDER,
};

/// A note to add to the thread of an article.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Is this figure from the annual report?", "block_id": "184467440737095302"}))]
pub struct NoteCreate {
    /// What is to be said.
    #[schema(min_length = 1, max_length = 5000)]
    text: String,
    /// The block of the draft that it is about.
    #[serde(default)]
    block_id: Option<BlockId>,
}

impl Parse for NoteCreate {
    type Command = (String, Option<BlockId>);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((paragraphs(faults, "/text", &self.text, 5000)?, self.block_id))
    }
}

/// Another text for a note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "The figure is from the annual report."}))]
pub struct NotePatch {
    /// What is to be said.
    #[schema(min_length = 1, max_length = 5000)]
    text: String,
}

impl Parse for NotePatch {
    type Command = String;

    fn parse(self, faults: &mut Faults) -> Option<String> {
        paragraphs(faults, "/text", &self.text, 5000)
    }
}

/// Who is to work on an article.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user_id": "184467440737095001"}))]
pub struct Assignment {
    /// A user who may read its draft.
    user_id: UserId,
}

impl Parse for Assignment {
    type Command = UserId;

    fn parse(self, _: &mut Faults) -> Option<UserId> {
        Some(self.user_id)
    }
}

/// How an article is locked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"take_over": true}))]
pub struct LockRequest {
    /// Take the place of whoever is editing; the thread of the article tells of it.
    #[serde(default)]
    take_over: bool,
}

impl Parse for LockRequest {
    type Command = bool;

    fn parse(self, _: &mut Faults) -> Option<bool> {
        Some(self.take_over)
    }
}

/// The segment `{note}`.
#[derive(Debug)]
pub struct NoteSegment;

impl IntoParams for NoteSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("note", "The id of a note.", "184467440737095801")]
    }
}

fn note_id(request: &HttpRequest) -> Result<NoteId, Error> {
    id_segment(request, "note", "note")
}

/// List the thread of an article
///
/// Those who may read its draft. The oldest entries first: notes, and the steps of the workflow between.
#[utoipa::path(tag = "collaboration", params(Named, CursorQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of the thread.", body = List<Note>)))]
#[get("/articles/{name}/notes")]
pub async fn list_notes(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    QueryInput(page): QueryInput<CursorQuery>,
) -> Result<HttpResponse, Error> {
    let page = page.of(ORDER)?;
    let page = articles::list_notes(&newsroom, principal.clone(), name.reference(), page).await?;
    Answer::page(&request, &principal, page).send()
}

/// Add a note to an article
///
/// Those who may read its draft. Readers see nothing of it.
#[utoipa::path(tag = "collaboration", params(Named), request_body = NoteCreate, security(("bearer" = [])),
    responses((status = 201, description = "The note.", body = Note)))]
#[post("/articles/{name}/notes")]
pub async fn create_note(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    Input((text, block)): Input<NoteCreate>,
) -> Result<HttpResponse, Error> {
    let note = articles::create_note(&newsroom, principal, name.reference(), text, block).await?;
    let location = format!("/v1/articles/{}/notes/{}", name.as_str(), note.id);
    Answer::private(&request, note).created(location).send()
}

/// Get a note
///
/// Those who may read the draft of the article.
#[utoipa::path(tag = "collaboration", params(Named, NoteSegment), security(("bearer" = [])),
    responses((status = 200, description = "The note.", body = Note)))]
#[get("/articles/{name}/notes/{note}")]
pub async fn get_note(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let id = note_id(&request)?;
    Answer::private(&request, articles::get_note(&newsroom, principal, name.reference(), id).await?).send()
}

/// Edit a note
///
/// Who wrote it, and admins. A step of the workflow is 409.
#[utoipa::path(tag = "collaboration", params(Named, NoteSegment), request_body = NotePatch, security(("bearer" = [])),
    responses((status = 200, description = "The note as it is now.", body = Note)))]
#[patch("/articles/{name}/notes/{note}")]
pub async fn update_note(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    Input(text): Input<NotePatch>,
) -> Result<HttpResponse, Error> {
    let id = note_id(&request)?;
    let note = articles::update_note(&newsroom, principal, name.reference(), id, text).await?;
    Answer::private(&request, note).send()
}

/// Delete a note
///
/// Who wrote it, and admins. A step of the workflow is 409.
#[utoipa::path(tag = "collaboration", params(Named, NoteSegment), security(("bearer" = [])),
    responses((status = 204, description = "The note is gone.")))]
#[delete("/articles/{name}/notes/{note}")]
pub async fn delete_note(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    articles::delete_note(&newsroom, principal, name.reference(), note_id(&request)?).await?;
    Ok(answer::no_content())
}

/// Assign an article
///
/// Those who may edit its draft, to somebody who may read it. The thread tells of it; `?assignee=me` lists one's own.
#[utoipa::path(tag = "collaboration", params(Named, OptionalIfMatch), request_body = Assignment,
    security(("bearer" = [])), responses((status = 200, description = "The draft.", body = Article)))]
#[put("/articles/{name}/assignee")]
pub async fn assign_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    Input(assignee): Input<Assignment>,
) -> Result<HttpResponse, Error> {
    changed(&request, articles::assign(&newsroom, on, Some(assignee)).await?)
}

/// Take an article from its assignee
///
/// Those who may edit its draft.
#[utoipa::path(tag = "collaboration", params(Named, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft.", body = Article)))]
#[delete("/articles/{name}/assignee")]
pub async fn unassign_article(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
) -> Result<HttpResponse, Error> {
    changed(&request, articles::assign(&newsroom, on, None).await?)
}

/// Get who is editing an article
///
/// Those who may read its draft. 404 if nobody says so now.
#[utoipa::path(tag = "collaboration", params(Named), security(("bearer" = [])),
    responses((status = 200, description = "Who is editing.", body = EditLock)))]
#[get("/articles/{name}/lock")]
pub async fn get_lock(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    Answer::private(&request, articles::get_lock(&newsroom, principal, name.reference()).await?).send()
}

/// Say that one is editing an article
///
/// Those who may edit its draft. It holds for two minutes; say it again to renew it. If somebody else is editing it is 409
/// `locked` with who, unless `take_over` takes their place. It is a courtesy: everybody who may edit still can, and
/// `If-Match` guards what they write.
#[utoipa::path(tag = "collaboration", params(Named), request_body = Option<LockRequest>, security(("bearer" = [])),
    responses((status = 200, description = "The caller is editing.", body = EditLock)))]
#[post("/articles/{name}/lock")]
pub async fn acquire_lock(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    OptionalEditing(on): OptionalEditing,
    OptionalInput(take_over): OptionalInput<LockRequest>,
) -> Result<HttpResponse, Error> {
    Answer::private(&request, articles::acquire_lock(&newsroom, on, take_over).await?).send()
}

/// Say that editing an article has ended
///
/// Who holds the lock, and editors and above for others.
#[utoipa::path(tag = "collaboration", params(Named), security(("bearer" = [])),
    responses((status = 204, description = "Nobody is editing.")))]
#[delete("/articles/{name}/lock")]
pub async fn release_lock(
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    articles::release_lock(&newsroom, principal, name.reference()).await?;
    Ok(answer::no_content())
}
