//! `/v1/resolve`

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::Answer,
    caller::Caller,
    input::{Parse, QueryInput},
};
use crate::{
    domain::{
        change::Entity,
        error::{Error, Faults},
        redirect::SitePath,
        surrogate::SurrogateKeys,
    },
    service::{Newsroom, resolve},
};

/// What kind of thing lives at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedKind {
    /// An article.
    Article,
    /// A section of the site.
    Section,
    /// A tag.
    Tag,
    /// An author.
    Author,
    /// A redirect that an editor made, to a page that is not in this API.
    Redirect,
}

/// Where a path leads.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": 308, "location": "/city/harbour-bridge-reopens"}))]
pub struct RedirectTo {
    /// The status that the website should answer with.
    #[schema(minimum = 308, maximum = 308)]
    status: u16,
    /// A path on the site or an address elsewhere. It leads on to nothing else.
    location: String,
}

/// What lives at a path of the site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "article", "id": "184467440737095516", "slug": "harbour-bridge-reopens",
    "path": "/city/harbour-bridge-reopens", "api": "/v1/articles/184467440737095516", "redirect": null
}))]
pub struct Resolved {
    /// What it is.
    kind: ResolvedKind,
    /// Its id; `null` for a redirect to a page that is not in this API.
    #[schema(value_type = Option<String>)]
    id: Option<String>,
    /// Its name in addresses.
    slug: Option<String>,
    /// Its present path on the site.
    path: Option<String>,
    /// The path under which this API answers it.
    api: Option<String>,
    /// Where the website should send readers, if the path that was asked for is not the present one.
    #[schema(nullable = true)]
    redirect: Option<RedirectTo>,
}

impl From<resolve::Resolved> for Resolved {
    fn from(resolved: resolve::Resolved) -> Self {
        let resolve::Resolved { thing, location, is_redirect } = resolved;
        let redirect = is_redirect.then_some(RedirectTo { status: 308, location });
        let Some(resolve::Thing { entity, id, slug, path }) = thing else {
            let (id, slug, path, api) = (None, None, None, None);
            return Self { kind: ResolvedKind::Redirect, id, slug, path, api, redirect };
        };
        let (kind, collection) = match entity {
            Entity::Article => (ResolvedKind::Article, "articles"),
            Entity::Section => (ResolvedKind::Section, "sections"),
            Entity::Tag => (ResolvedKind::Tag, "tags"),
            Entity::Author => (ResolvedKind::Author, "authors"),
            // These have no page.
            Entity::Site | Entity::Redirect => (ResolvedKind::Redirect, "redirects"),
        };
        let api = Some(format!("/v1/{collection}/{id}"));
        Self { kind, id: Some(id.to_string()), slug: Some(slug), path: Some(path), api, redirect }
    }
}

/// Which path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResolveQuery {
    /// A path on the site; a query or fragment is not looked at.
    #[param(max_length = 2000, pattern = "^/([^/]|$)", example = "/city/harbour-bridge-reopens")]
    path: String,
}

impl Parse for ResolveQuery {
    type Command = (String, SitePath);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let path = faults.take_parameter("path", "bad_path", SitePath::parse(&self.path))?;
        Some((self.path, path))
    }
}

/// Resolve a path of the site
///
/// What a website needs to answer a request: what lives at the path, or where readers are to be sent. A former slug, a
/// former path of a section or of what lies below it, another spelling (upper case, a slash at the end) and the redirects
/// of editors all lead to the present path in one step. The slug tells which article it is, so the section or date before
/// it may be any that it ever had. What readers cannot see is 404, a retracted article 410 with the reason.
#[utoipa::path(tag = "site", params(ResolveQuery),
    responses((status = 200, description = "What lives there.", body = Resolved)))]
#[get("/resolve")]
pub async fn resolve_path(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((text, path)): QueryInput<ResolveQuery>,
) -> Result<HttpResponse, Error> {
    let resolved = resolve::resolve(&newsroom, text, path).await?;
    // Anything may come to live at a path.
    let entities = [Entity::Article, Entity::Section, Entity::Tag, Entity::Author, Entity::Redirect];
    let keys = entities.into_iter().fold(SurrogateKeys::default(), SurrogateKeys::all);
    Answer::ok(&request, &principal, Resolved::from(resolved)).keys(keys).send()
}
