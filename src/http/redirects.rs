//! `/v1/redirects`

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer, List},
    articles::id_segment,
    caller::{Caller, OptionalIfMatch},
    input::{Input, NoQuery, Parse, QueryInput},
    paging::CursorQuery,
    path::parameter,
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::RedirectId,
        instant::Instant,
        redirect::{self, RedirectChanges, SitePath, Target},
        user::UserCard,
    },
    service::{Newsroom, redirects},
    store::redirects::ORDER,
};

/// A redirect that an editor made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095901", "from": "/bridge", "to": "/city/harbour-bridge-reopens", "version": 1,
    "created_by": {"id": "184467440737095001", "name": "Edda Editor"},
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct Redirect {
    /// Its id.
    pub id: RedirectId,
    /// The path that is redirected: lower case, without a slash at the end.
    pub from: String,
    /// The path on the site or the address elsewhere to which it leads.
    pub to: String,
    /// Counts its edits; also the beginning of its `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: UserCard,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

impl From<redirect::Redirect> for Redirect {
    fn from(redirect: redirect::Redirect) -> Self {
        let redirect::Redirect { id, from, to, version, created_by, created_at, updated_at } = redirect;
        Self { id, from, to, version, created_by, created_at, updated_at }
    }
}

fn parse_from(faults: &mut Faults, text: &str) -> Option<SitePath> {
    faults.take("/from", "bad_path", SitePath::parse(text))
}

/// A redirect to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "/bridge", "to": "/city/harbour-bridge-reopens"}))]
pub struct RedirectCreate {
    /// The path that is redirected.
    #[schema(min_length = 1, max_length = 2000)]
    from: String,
    /// The path on the site or the `http` or `https` address to which it leads.
    #[schema(min_length = 1, max_length = 2000)]
    to: String,
}

impl Parse for RedirectCreate {
    type Command = RedirectChanges;

    fn parse(self, faults: &mut Faults) -> Option<RedirectChanges> {
        let (from, to) = (parse_from(faults, &self.from), Target::parse(faults, &self.to));
        Some(RedirectChanges { from: Some(from?), to: Some(to?) })
    }
}

/// The members of a redirect to change (RFC 7396): what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "/city"}))]
pub struct RedirectPatch {
    /// Another path.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    from: Option<String>,
    /// Another target.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    to: Option<String>,
}

impl Parse for RedirectPatch {
    type Command = RedirectChanges;

    fn parse(self, faults: &mut Faults) -> Option<RedirectChanges> {
        Some(RedirectChanges {
            from: self.from.and_then(|from| parse_from(faults, &from)),
            to: self.to.and_then(|to| Target::parse(faults, &to)),
        })
    }
}

/// The segment `{redirect}`.
#[derive(Debug)]
pub struct RedirectSegment;

impl IntoParams for RedirectSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("redirect", "The id of a redirect.", "184467440737095901")]
    }
}

fn redirect_id(request: &HttpRequest) -> Result<RedirectId, Error> {
    id_segment(request, "redirect", "redirect")
}

fn answer(request: &HttpRequest, redirect: redirect::Redirect) -> Result<HttpResponse, Error> {
    let version = redirect.version;
    Answer::private(request, Redirect::from(redirect)).version(version).send()
}

/// List redirects
///
/// Editors and above. Those that editors made, by path. What was renamed or moved redirects by itself: `/v1/resolve`
/// knows of both.
#[utoipa::path(tag = "redirects", params(CursorQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of redirects.", body = List<Redirect>)))]
#[get("/redirects")]
pub async fn list_redirects(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput(page): QueryInput<CursorQuery>,
) -> Result<HttpResponse, Error> {
    let page = redirects::list(&newsroom, &principal, page.of(ORDER)?).await?;
    Answer::page(&request, &principal, page.map(Redirect::from)).send()
}

/// Create a redirect
///
/// Editors and above. From a path at which nothing lives. If the target is itself redirected, the redirect leads where
/// that one does, and redirects that lead here are led on: there are no chains. A loop is 422.
#[utoipa::path(tag = "redirects", request_body = RedirectCreate, security(("bearer" = [])),
    responses((status = 201, description = "The redirect.", body = Redirect)))]
#[post("/redirects")]
pub async fn create_redirect(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(changes): Input<RedirectCreate>,
) -> Result<HttpResponse, Error> {
    let redirect = redirects::create(&newsroom, &principal, changes).await?;
    let (location, version) = (format!("/v1/redirects/{}", redirect.id), redirect.version);
    Answer::private(&request, Redirect::from(redirect)).created(location).version(version).send()
}

/// Get a redirect
///
/// Editors and above.
#[utoipa::path(tag = "redirects", params(RedirectSegment), security(("bearer" = [])),
    responses((status = 200, description = "The redirect.", body = Redirect)))]
#[get("/redirects/{redirect}")]
pub async fn get_redirect(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let redirect = redirects::get(&newsroom, &principal, redirect_id(&request)?).await?;
    answer(&request, redirect)
}

/// Edit a redirect
///
/// Editors and above. A merge patch (RFC 7396), with the rules of making one.
#[utoipa::path(tag = "redirects", params(RedirectSegment, OptionalIfMatch), request_body = RedirectPatch,
    security(("bearer" = [])), responses((status = 200, description = "The redirect as it is now.", body = Redirect)))]
#[patch("/redirects/{redirect}")]
pub async fn update_redirect(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<RedirectPatch>,
) -> Result<HttpResponse, Error> {
    let id = redirect_id(&request)?;
    let redirect = redirects::update(&newsroom, &principal, id, if_match.version(), changes).await?;
    answer(&request, redirect)
}

/// Delete a redirect
///
/// Editors and above. Its path is 404 from now on.
#[utoipa::path(tag = "redirects", params(RedirectSegment, OptionalIfMatch), security(("bearer" = [])),
    responses((status = 204, description = "The redirect is gone.")))]
#[delete("/redirects/{redirect}")]
pub async fn delete_redirect(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
) -> Result<HttpResponse, Error> {
    redirects::delete(&newsroom, &principal, redirect_id(&request)?, if_match.version()).await?;
    Ok(answer::no_content())
}
