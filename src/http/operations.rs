//! For those who run the server or try it out: health, the OpenAPI document, its pages, the explanation of errors.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderValue},
    web::{self, Bytes, Data, Path},
};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use xxhash_rust::xxh3::xxh3_128;

use super::{answer::Answer, input::NoQuery};
use crate::{
    domain::{
        error::{Error, ErrorCode},
        user::Principal,
    },
    service::{Newsroom, auth::PublicKey, signing_keys},
};

/// How long an answer of the database to "are you there?" holds, so that probes cannot load it.
const READINESS_HOLDS: Duration = Duration::from_secs(1);

/// What the pages need, made once.
pub struct State {
    document: Bytes,
    etag: String,
    swagger_ui: Arc<utoipa_swagger_ui::Config<'static>>,
    /// The last look at the database: when, and what is wrong there.
    readiness: Mutex<Option<(Instant, Option<&'static str>)>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl State {
    /// Makes it, for one application with this OpenAPI document.
    pub fn new(document: &'static str) -> Self {
        // Nothing is asked of other servers: the badge of a validator would be.
        let config = utoipa_swagger_ui::Config::from("/openapi.json").use_base_layout().validator_url("none");
        Self {
            etag: entity_tag(document.as_bytes()),
            document: Bytes::from_static(document.as_bytes()),
            swagger_ui: Arc::new(config),
            readiness: Mutex::new(None),
        }
    }

    /// What keeps the newsroom from working. One probe at a time looks; others wait for what it finds.
    async fn fault(&self, newsroom: &Newsroom) -> Result<Option<&'static str>, Error> {
        let mut last = self.readiness.lock().await;
        if let Some((at, fault)) = *last
            && at.elapsed() < READINESS_HOLDS
        {
            return Ok(fault);
        }
        let store = newsroom.store.clone();
        let looked = tokio::task::spawn_blocking(move || store.is_migrated()).await;
        let fault = match looked.map_err(|error| Error::internal("looking at the database", error))? {
            Ok(true) => None,
            Ok(false) => Some("The database is not at this program's version; run `masthead migrate`."),
            Err(error) => {
                tracing::warn!(%error, "the database cannot be reached");
                Some("The database cannot be reached.")
            }
        };
        *last = Some((Instant::now(), fault));
        Ok(fault)
    }
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub struct Health {
    /// `ok`; anything else is a problem with another status code.
    #[schema(value_type = String, examples("ok"))]
    status: &'static str,
}

/// Get health
///
/// The process lives and answers. The database is not asked: use `/readyz` for that.
#[utoipa::path(tag = "operations", responses((status = 200, description = "It lives.", body = Health)))]
#[get("/healthz")]
pub async fn get_health(request: HttpRequest, _: NoQuery) -> Result<HttpResponse, Error> {
    Answer::ok(&request, &Principal::Anonymous, Health { status: "ok" }).send()
}

/// A key with which access tokens can be checked (RFC 7517, RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "3f8a1c5e9b7d2046",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
}))]
pub struct Jwk {
    /// Always `OKP`.
    #[schema(value_type = String)]
    kty: &'static str,
    /// Always `Ed25519`.
    #[schema(value_type = String)]
    crv: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(value_type = String)]
    usage: &'static str,
    /// Always `EdDSA`.
    #[schema(value_type = String)]
    alg: &'static str,
    /// Its id, as it stands in the header of tokens.
    kid: String,
    /// The public key.
    x: String,
}

/// The keys of all nodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys.
    keys: Vec<Jwk>,
}

/// Get the signing keys
///
/// The public keys with which access tokens are signed, as a JWK set (RFC 7517). That a token is signed by one does not
/// tell whether its session still lasts: `/v1/me` does.
#[utoipa::path(tag = "operations", responses((status = 200, description = "The keys.", body = Jwks)))]
#[get("/.well-known/jwks.json")]
pub async fn get_signing_keys(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    let keys = signing_keys::list(&newsroom).await?.into_iter();
    let jwk = |key: PublicKey| Jwk {
        kty: "OKP",
        crv: "Ed25519",
        usage: "sig",
        alg: "EdDSA",
        kid: key.kid,
        x: key.x,
    };
    Answer::ok(&request, &Principal::Anonymous, Jwks { keys: keys.map(jwk).collect() }).send()
}

/// Get readiness
///
/// The database can be reached and is at this program's version. Else 503: send no requests here until it is.
#[utoipa::path(tag = "operations", responses((status = 200, description = "It can serve requests.", body = Health)))]
#[get("/readyz")]
pub async fn get_readiness(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    state: Data<State>,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    match state.fault(&newsroom).await? {
        None => Answer::ok(&request, &Principal::Anonymous, Health { status: "ok" }).send(),
        Some(fault) => Err(Error::Other(ErrorCode::Busy, fault.to_owned())),
    }
}

/// What is served beside the API, and is not in its document.
pub fn pages(cfg: &mut web::ServiceConfig) {
    let page = |path: &str| web::resource(path.to_owned()).default_service(web::to(only_get));
    cfg.service(page("/openapi.json").route(web::get().to(openapi_document)))
        .service(page("/docs").route(web::get().to(docs_folder)))
        .service(page("/docs/{file:.*}").route(web::get().to(docs_file)))
        .service(page("/problems/{code}").route(web::get().to(problem_page)));
}

/// 405: pages are read only. `HEAD` comes in as `GET`.
async fn only_get() -> HttpResponse {
    let detail = "This path takes GET, HEAD.".to_owned();
    let mut response = HttpResponse::from_error(Error::Other(ErrorCode::MethodNotAllowed, detail));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

async fn openapi_document(request: HttpRequest, state: Data<State>) -> HttpResponse {
    page(&request, "application/json", &state.etag, None, || state.document.clone())
}

/// The pages of Swagger UI name their files relative to their folder.
async fn docs_folder() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((header::LOCATION, "/docs/")).finish()
}

/// Swagger UI sets styles from scripts and holds its icons in `data:` URLs; everything else comes from this server.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

async fn docs_file(
    request: HttpRequest,
    state: Data<State>,
    file: Path<String>,
) -> Result<HttpResponse, Error> {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&state.swagger_ui));
    let found = found.map_err(|error| Error::internal("reading Swagger UI", error))?;
    let file = found.ok_or_else(|| Error::not_found("page of the documentation"))?;
    let etag = entity_tag(&file.bytes);
    let mut response =
        page(&request, &file.content_type, &etag, Some(DOCS_POLICY), || Bytes::copy_from_slice(&file.bytes));
    if file.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Nothing but its own text.
const TEXT_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn problem_page(request: HttpRequest, code: Path<String>) -> Result<HttpResponse, Error> {
    let code = ErrorCode::ALL.iter().find(|known| known.as_str() == *code);
    let html = explain(*code.ok_or_else(|| Error::not_found("error code"))?);
    let etag = entity_tag(html.as_bytes());
    Ok(page(&request, "text/html; charset=utf-8", &etag, Some(TEXT_POLICY), || html.into()))
}

/// The page about an error code.
fn explain(code: ErrorCode) -> String {
    let (title, name, status) = (as_html(code.title()), code.as_str(), code.status());
    let meaning = as_html(code.meaning());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p>{meaning}</p>\n\
         <p>Code <code>{name}</code>, HTTP status {status}. See <a href=\"/docs/\">the documentation</a>.</p>\n\
         </body>\n</html>\n"
    )
}

/// Text with `code` in backticks as HTML.
fn as_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        let part = part.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = if index % 2 == 0 { html.write_str(&part) } else { write!(html, "<code>{part}</code>") };
    }
    html
}

fn entity_tag(bytes: &[u8]) -> String {
    format!("\"{:032x}\"", xxh3_128(bytes))
}

/// 200 with these bytes, or 304 if the caller has them.
fn page(
    request: &HttpRequest,
    content_type: &str,
    etag: &str,
    policy: Option<&'static str>,
    body: impl FnOnce() -> Bytes,
) -> HttpResponse {
    let tags = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|tags| tags.split(',')).map(str::trim);
    // The comparison of If-None-Match is weak (RFC 9110, section 13.1.2).
    let is_known = tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag);
    let mut builder = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    builder
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .insert_header((header::VARY, "Accept-Encoding"));
    if let Some(policy) = policy {
        builder.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    if is_known { builder.finish() } else { builder.content_type(content_type).body(body()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_in_well_formed_html() {
        for code in ErrorCode::ALL {
            let html = explain(*code);
            assert!(html.contains(code.as_str()) && !html.contains('`'), "{html}");
            assert_eq!(html.matches("<code>").count(), html.matches("</code>").count());
        }
        assert_eq!(as_html("a < b & `<c>`"), "a &lt; b &amp; <code>&lt;c&gt;</code>");
    }
}
