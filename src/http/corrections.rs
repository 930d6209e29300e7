//! `/v1/articles/{name}/corrections`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer},
    articles::id_segment,
    caller::Caller,
    input::{Input, NoQuery, Parse, present},
    path::{Named, parameter},
};
use crate::{
    domain::{
        change::Entity,
        correction::{Correction, CorrectionChanges, CorrectionKind, MAX_TEXT, NewCorrection},
        error::{Error, Faults},
        id::{BlockId, CorrectionId},
        instant::Instant,
        surrogate::SurrogateKeys,
        text::paragraphs,
    },
    service::{Newsroom, articles},
};

/// The corrections of an article, by their dates.
#[derive(Debug, Serialize, ToSchema)]
pub struct Corrections {
    /// The corrections.
    data: Vec<Correction>,
}

/// A correction to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "correction", "text": "An earlier version of this article gave the wrong year of the bridge's opening."
}))]
pub struct CorrectionCreate {
    /// What it is.
    kind: CorrectionKind,
    /// What readers are told: plain text, which may have several lines.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
    /// The block that it is about: one that readers see, or of the draft of an article that they do not see.
    #[serde(default)]
    block_id: Option<BlockId>,
    /// Its date; now if nothing is said. Not in the future.
    #[serde(default)]
    #[schema(format = DateTime)]
    published_at: Option<String>,
}

fn instant(faults: &mut Faults, text: Option<String>) -> Option<Instant> {
    text.and_then(|text| faults.take("/published_at", "bad_instant", text.parse::<Instant>()))
}

impl Parse for CorrectionCreate {
    type Command = NewCorrection;

    fn parse(self, faults: &mut Faults) -> Option<NewCorrection> {
        let published_at = instant(faults, self.published_at);
        let text = paragraphs(faults, "/text", &self.text, MAX_TEXT)?;
        Some(NewCorrection { kind: self.kind, text, block_id: self.block_id, published_at })
    }
}

/// The members of a correction to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "An earlier version of this article gave the wrong year: it was 1931."}))]
pub struct CorrectionPatch {
    /// A new kind.
    #[serde(default)]
    #[schema(nullable = false)]
    kind: Option<CorrectionKind>,
    /// A new text.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    text: Option<String>,
    /// A new block.
    #[serde(default, deserialize_with = "present")]
    block_id: Option<Option<BlockId>>,
    /// A new date. Not in the future.
    #[serde(default)]
    #[schema(format = DateTime, nullable = false)]
    published_at: Option<String>,
}

impl Parse for CorrectionPatch {
    type Command = CorrectionChanges;

    fn parse(self, faults: &mut Faults) -> Option<CorrectionChanges> {
        let published_at = instant(faults, self.published_at);
        let text = self.text.and_then(|text| paragraphs(faults, "/text", &text, MAX_TEXT));
        Some(CorrectionChanges { kind: self.kind, text, block_id: self.block_id, published_at })
    }
}

/// The segment `{correction}` of a path.
#[derive(Debug)]
pub struct CorrectionSegment;

impl IntoParams for CorrectionSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("correction", "The id of a correction.", "184467440737095601")]
    }
}

fn correction_id(request: &HttpRequest) -> Result<CorrectionId, Error> {
    id_segment(request, "correction", "correction")
}

/// List the corrections of an article
///
/// By their dates, the oldest first. Everybody who can read the article; those of one that is not public: those who may
/// read its draft. Single articles have them too, and lists with `include=corrections`.
#[utoipa::path(tag = "corrections", params(Named), security((), ("bearer" = [])),
    responses((status = 200, description = "The corrections.", body = Corrections)))]
#[get("/articles/{name}/corrections")]
pub async fn list_corrections(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let data = articles::list_corrections(&newsroom, principal.clone(), name.reference()).await?;
    let keys = SurrogateKeys::default().all(Entity::Article);
    Answer::ok(&request, &principal, Corrections { data }).keys(keys).send()
}

/// Correct an article
///
/// Authors their own, editors all. Readers of a live article see it at once and `updated_at` is set; unpublished changes of
/// the draft stay unpublished, and a scheduled version stays scheduled. What readers see is kept as a revision.
#[utoipa::path(tag = "corrections", params(Named), request_body = CorrectionCreate, security(("bearer" = [])),
    responses((status = 201, description = "The correction.", body = Correction)))]
#[post("/articles/{name}/corrections")]
pub async fn create_correction(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    Input(new): Input<CorrectionCreate>,
) -> Result<HttpResponse, Error> {
    let correction = articles::create_correction(&newsroom, principal, name.reference(), new).await?;
    let location = format!("/v1/articles/{}/corrections/{}", name.as_str(), correction.id);
    Answer::private(&request, correction).created(location).send()
}

/// Get a correction
///
/// As the list of them.
#[utoipa::path(tag = "corrections", params(Named, CorrectionSegment), security((), ("bearer" = [])),
    responses((status = 200, description = "The correction.", body = Correction)))]
#[get("/articles/{name}/corrections/{correction}")]
pub async fn get_correction(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let id = correction_id(&request)?;
    let correction = articles::get_correction(&newsroom, principal.clone(), name.reference(), id).await?;
    Answer::ok(&request, &principal, correction).send()
}

/// Edit a correction
///
/// A merge patch (RFC 7396). Readers of a live article see it at once, as a new correction.
#[utoipa::path(tag = "corrections", params(Named, CorrectionSegment), request_body = CorrectionPatch,
    security(("bearer" = [])), responses((status = 200, description = "The correction as it is now.", body = Correction)))]
#[patch("/articles/{name}/corrections/{correction}")]
pub async fn update_correction(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    Input(changes): Input<CorrectionPatch>,
) -> Result<HttpResponse, Error> {
    let id = correction_id(&request)?;
    let correction = articles::update_correction(&newsroom, principal, name.reference(), id, changes).await?;
    Answer::private(&request, correction).send()
}

/// Delete a correction
///
/// Readers see it no more. The revisions of the article keep what they saw.
#[utoipa::path(tag = "corrections", params(Named, CorrectionSegment), security(("bearer" = [])),
    responses((status = 204, description = "The correction is gone.")))]
#[delete("/articles/{name}/corrections/{correction}")]
pub async fn delete_correction(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let id = correction_id(&request)?;
    articles::delete_correction(&newsroom, principal, name.reference(), id).await?;
    Ok(answer::no_content())
}
