//! `/v1/articles/{name}/previews`

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Data};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer},
    articles::id_segment,
    caller::Caller,
    input::{NoQuery, OptionalInput, Parse},
    path::{Named, parameter},
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::PreviewId,
        preview::{NewPreview, Preview},
        text::optional_line,
    },
    service::{
        Newsroom,
        articles::{self, PreviewLink},
    },
};

/// Seconds of seven days.
const DEFAULT_LIFETIME: i64 = 7 * 24 * 60 * 60;

/// The previews of an article, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Previews {
    /// The previews.
    data: Vec<Preview>,
}

/// A preview that has just been made. Its token is told this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "token": "mhp_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
    "url": "https://courier.example/city/harbour-bridge-reopens?preview=mhp_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
    "api": "/v1/articles/184467440737095516?preview=mhp_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
    "id": "184467440737095701", "note": "For the lawyers", "version": 5,
    "created_by": {"id": "184467440737095001", "name": "Edda Editor"}, "created_at": "2026-05-18T09:30:00.000Z",
    "expires_at": "2026-05-25T09:30:00.000Z", "opened_count": 0, "last_opened_at": null
}))]
pub struct PreviewCreated {
    /// The token: who has it can read the draft.
    token: String,
    /// The page of the article on the site, with the token in the parameter `preview`, which the frontend is to pass on.
    url: String,
    /// The path in this API that answers the draft.
    api: String,
    /// The preview.
    #[serde(flatten)]
    preview: Preview,
}

impl From<PreviewLink> for PreviewCreated {
    fn from(link: PreviewLink) -> Self {
        let PreviewLink { preview, article, url, token } = link;
        let token = token.expose_secret();
        Self {
            url: format!("{url}?preview={token}"),
            api: format!("/v1/articles/{article}?preview={token}"),
            token: token.to_owned(),
            preview,
        }
    }
}

impl std::fmt::Debug for PreviewCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreviewCreated").field("preview", &self.preview).finish_non_exhaustive()
    }
}

/// A preview to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "For the lawyers", "expires_in": 86400, "pinned": true}))]
pub struct PreviewCreate {
    /// Whom or what it is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// Seconds until it ends, from a minute to 30 days; 7 days if nothing is said.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2592000)]
    expires_in: Option<i64>,
    /// Whether it shows the draft as it is now, whatever becomes of that. Else it shows the draft as it is when it is read.
    #[serde(default)]
    pinned: bool,
}

impl Parse for PreviewCreate {
    type Command = NewPreview;

    fn parse(self, faults: &mut Faults) -> Option<NewPreview> {
        let note = optional_line(faults, "/note", self.note.as_deref(), 1000);
        let expires_in = self.expires_in.unwrap_or(DEFAULT_LIFETIME);
        Some(NewPreview { note, expires_in, pinned: self.pinned })
    }
}

/// The segment `{preview}` of a path.
#[derive(Debug)]
pub struct PreviewSegment;

impl IntoParams for PreviewSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("preview", "The id of a preview.", "184467440737095701")]
    }
}

fn preview_id(request: &HttpRequest) -> Result<PreviewId, Error> {
    id_segment(request, "preview", "preview")
}

/// List the previews of an article
///
/// Authors of their own, editors of all. Those that have not ended, the newest first, without their tokens.
#[utoipa::path(tag = "previews", params(Named), security(("bearer" = [])),
    responses((status = 200, description = "The previews.", body = Previews)))]
#[get("/articles/{name}/previews")]
pub async fn list_previews(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let data = articles::list_previews(&newsroom, principal, name.reference()).await?;
    Answer::private(&request, Previews { data }).send()
}

/// Create a preview of a draft
///
/// Authors of their own, editors of all. A link under which anybody can read the draft without logging in, until it ends
/// or is revoked. `url` is the page of the article on the site, whose frontend passes `preview` on to `GET
/// /v1/articles/{name}`; `api` is that path with the id of the article, which no edit changes. The token is told this once.
#[utoipa::path(tag = "previews", params(Named), request_body = Option<PreviewCreate>, security(("bearer" = [])),
    responses((status = 201, description = "The preview with its token.", body = PreviewCreated)))]
#[post("/articles/{name}/previews")]
pub async fn create_preview(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
    OptionalInput(new): OptionalInput<PreviewCreate>,
) -> Result<HttpResponse, Error> {
    let link = articles::create_preview(&newsroom, principal, name.reference(), new).await?;
    let location = format!("/v1/articles/{}/previews/{}", link.article, link.preview.id);
    Answer::private(&request, PreviewCreated::from(link)).created(location).send()
}

/// Get a preview
///
/// As the list of them: when and how often it was opened.
#[utoipa::path(tag = "previews", params(Named, PreviewSegment), security(("bearer" = [])),
    responses((status = 200, description = "The preview.", body = Preview)))]
#[get("/articles/{name}/previews/{preview}")]
pub async fn get_preview(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let id = preview_id(&request)?;
    let preview = articles::get_preview(&newsroom, principal, name.reference(), id).await?;
    Answer::private(&request, preview).send()
}

/// Revoke a preview
///
/// Its link leads nowhere from now on.
#[utoipa::path(tag = "previews", params(Named, PreviewSegment), security(("bearer" = [])),
    responses((status = 204, description = "The preview is gone.")))]
#[delete("/articles/{name}/previews/{preview}")]
pub async fn delete_preview(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let id = preview_id(&request)?;
    articles::delete_preview(&newsroom, principal, name.reference(), id).await?;
    Ok(answer::no_content())
}
