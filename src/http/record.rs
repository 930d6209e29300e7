//! What a request that writes leaves behind beside its effect: an event of the audit log, and its answer under an
//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
//!
//! An answer may hold a secret that is told once, such as an API token. It is kept sealed with a key that is made of the
//! `Idempotency-Key` and the request, neither of which is kept; so it also opens for the same request only.

use actix_web::{
    HttpMessage as _, HttpResponse, HttpResponseBuilder,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, aead::Aead as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{caller::Authenticated, contract::Operation, origin::origin, slow::BodyTimeout};
use crate::{
    domain::{
        error::{Error, ErrorCode},
        user::{Actor, Principal},
    },
    service::{Newsroom, audit},
    store::request::{self, Asked, Claim, Ended, RequestScope},
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// Operations that say what somebody is doing at the moment and change nothing, so that the audit log is not full of them.
const NOT_AUDITED: [&str; 2] = ["acquire_lock", "release_lock"];

/// Middleware: leaves the traces of requests that write, and of those that were refused.
pub(crate) async fn record<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(newsroom) = request.app_data::<Data<Newsroom>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let authenticated = request.extensions().get::<Authenticated>().map(Authenticated::principal);
    let principal = authenticated.unwrap_or(Principal::Anonymous);
    let action = Operation::of(request.request()).map_or("", |operation| operation.id);
    let asked = match &principal {
        Principal::User(actor) if !request.method().is_safe() && !NOT_AUDITED.contains(&action) => {
            Some(Asked {
                actor: actor.clone(),
                action: action.to_owned(),
                target: request.path().to_owned(),
                origin: origin(request.request()),
                ids: newsroom.ids.clone(),
                clock: newsroom.clock.clone(),
            })
        }
        _ => None,
    };
    let keyed = match Keyed::read(&mut request, &principal).await {
        Ok(keyed) => keyed,
        Err(error) => return Ok(refuse(request, error)),
    };
    if request.method().is_safe() && keyed.is_none() {
        let response = next.call(request).await?.map_into_boxed_body();
        note_refusal(&newsroom, &principal, action, &response).await;
        return Ok(response);
    }
    let claim = keyed.as_ref().map(|keyed| keyed.claim(&newsroom));
    if let (Some(keyed), Some(claim)) = (&keyed, claim.clone()) {
        match newsroom.store.read(move |db| request::answer(db, &claim)).await {
            Ok(Some(sealed)) => return Ok(replay(request, keyed, &sealed)),
            Ok(None) => {}
            Err(error) => return Ok(refuse(request, error)),
        }
    }
    let scope = RequestScope::new(asked, claim);
    let response = scope.run(next.call(request)).await?.map_into_boxed_body();
    let response = match keyed {
        Some(keyed) => keyed.end(&scope, response).await?,
        None => response,
    };
    note_refusal(&newsroom, &principal, action, &response).await;
    Ok(response)
}

fn refuse(request: ServiceRequest, error: Error) -> ServiceResponse<BoxBody> {
    request.error_response(error)
}

/// Writes to the audit log that somebody who is known tried what they may not.
async fn note_refusal(
    newsroom: &Newsroom,
    principal: &Principal,
    action: &str,
    response: &ServiceResponse<BoxBody>,
) {
    let (Principal::User(actor), StatusCode::FORBIDDEN) = (principal, response.status()) else { return };
    let request = response.request();
    let why = response.response().error().and_then(|error| error.as_error::<Error>());
    let why = why.map_or_else(String::new, |error| error.detail().to_owned());
    let actor: &Actor = actor;
    let origin = origin(request);
    let noted = audit::refused(newsroom, actor, action, request.path(), why, &origin).await;
    if let Err(error) = noted {
        tracing::error!(%error, "a refusal could not be written to the audit log");
    }
}

/// A request with an `Idempotency-Key`.
struct Keyed {
    principal: i64,
    key_hash: String,
    seal: ChaCha20Poly1305,
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Keyed {
    /// Reads the key and the body, which is put back. Only `POST` takes a key; elsewhere it is not looked at.
    async fn read(request: &mut ServiceRequest, principal: &Principal) -> Result<Option<Self>, Error> {
        if request.method() != Method::POST {
            return Ok(None);
        }
        let fault = |message: &str| Error::invalid_parameter("Idempotency-Key", "bad_format", message);
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
        let Some(value) = values.next().cloned() else { return Ok(None) };
        if values.next().is_some() {
            return Err(fault("is given twice"));
        }
        let key = value.as_bytes();
        let is_good =
            !key.is_empty() && key.len() <= MAX_KEY && key.iter().all(|byte| (0x20..0x7f).contains(byte));
        if !is_good {
            return Err(fault("must be 1 to 255 printable ASCII characters"));
        }
        let body = read_body(request).await?;
        let principal = match principal {
            Principal::Anonymous => 0,
            Principal::User(actor) => actor.id.get(),
        };
        let digest = |purpose: &str, parts: &[&[u8]]| {
            let mut hash = Sha256::new();
            hash.update(purpose);
            for part in parts {
                hash.update(part.len().to_be_bytes());
                hash.update(part);
            }
            hash.finalize()
        };
        let target = request.uri().path_and_query().map_or("", |target| target.as_str()).as_bytes();
        let version = request.headers().get("if-match").map_or(&b""[..], HeaderValue::as_bytes);
        let seal = digest("seal", &[key, &principal.to_be_bytes(), target, version, &body]);
        Ok(Some(Self {
            principal,
            key_hash: digest("key", &[key]).iter().map(|byte| format!("{byte:02x}")).collect(),
            seal: ChaCha20Poly1305::new(&seal),
        }))
    }

    fn claim(&self, newsroom: &Newsroom) -> Claim {
        let at = newsroom.clock.now().millis();
        Claim { principal: self.principal, key_hash: self.key_hash.clone(), at }
    }

    /// The nonce is constant: each key seals one answer.
    fn seal(&self, kept: &Kept) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_vec(kept).map_err(|error| Error::internal("keeping an answer", error))?;
        self.seal
            .encrypt(&Default::default(), &*json)
            .map_err(|error| Error::internal("keeping an answer", error))
    }

    /// The answer, if it was to this very request.
    fn open(&self, sealed: &[u8]) -> Option<Kept> {
        let json = self.seal.decrypt(&Default::default(), sealed).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Commits what the handler has done, with its answer, or rolls it back if that is an error.
    async fn end(
        &self,
        scope: &RequestScope,
        response: ServiceResponse<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        let (request, response) = response.into_parts();
        let respond = |error| ServiceResponse::new(request.clone(), HttpResponse::from_error(error));
        if !response.status().is_success() {
            return Ok(match scope.end(None).await {
                Ok(Ended::Answered(sealed)) => ServiceResponse::new(request, self.replayed(&sealed)),
                Ok(_) => ServiceResponse::new(request, response),
                Err(error) => respond(error),
            });
        }
        let (head, body) = response.into_parts();
        let Ok(body) = to_bytes(body).await else {
            let error = Error::Internal("an answer could not be read".to_owned());
            return Ok(respond(error));
        };
        let kept = Kept {
            status: head.status().as_u16(),
            headers: text_headers(head.headers()),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let ended = match self.seal(&kept) {
            Ok(sealed) => scope.end(Some(sealed)).await,
            Err(error) => Err(error),
        };
        Ok(match ended {
            Ok(_) => ServiceResponse::new(request, head.set_body(BoxBody::new(body))),
            Err(error) => respond(error),
        })
    }

    /// The answer once more, or 422 if it was to another request.
    fn replayed(&self, sealed: &[u8]) -> HttpResponse {
        let Some(kept) = self.open(sealed) else {
            let detail =
                "The Idempotency-Key was used for another request. Take a new one for each.".to_owned();
            return HttpResponse::from_error(Error::Other(ErrorCode::IdempotencyKeyReused, detail));
        };
        let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
        let mut builder = HttpResponseBuilder::new(status);
        for (name, value) in &kept.headers {
            builder.insert_header((name.as_str(), value.as_str()));
        }
        builder.insert_header((REPLAYED, "true")).body(kept.body)
    }
}

fn replay(request: ServiceRequest, keyed: &Keyed, sealed: &[u8]) -> ServiceResponse<BoxBody> {
    // Not `into_response`, which forgets the error that a response was made of.
    ServiceResponse::new(request.into_parts().0, keyed.replayed(sealed))
}

/// All of our headers are text.
fn text_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    text.collect()
}

/// Takes the body out of a request and puts it back.
async fn read_body(request: &mut ServiceRequest) -> Result<Bytes, Error> {
    let timeout = BodyTimeout::of(request.request())?;
    let body = timeout.wait(request.extract::<Bytes>()).await?.map_err(super::input::unreadable)?;
    request.set_payload(Payload::from(body.clone()));
    Ok(body)
}

/// A parameter that every `POST` takes, for the OpenAPI document.
pub(super) fn parameter() -> serde_json::Value {
    serde_json::json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A random text, such as a UUID, that names this request. The same request under the same key is \
            done once: within 24 hours it gets the same answer again, with `Idempotency-Replayed: true`. Another request \
            under the key is 422.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$",
            "examples": ["5f0b9a52-8b44-4d0c-9a3e-0f6f2b6f7d11"]}
    })
}
