//! A small OpenID Connect provider, which logs everybody in as whom the test says.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header,
    web::{self, Data, Form, Query},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const CLIENT_ID: &str = "masthead";
/// With characters that must be escaped on the way.
pub const CLIENT_SECRET: &str = "hunter2: +%&";

/// A key of the provider.
#[derive(Clone)]
pub struct Key {
    pub kid: String,
    signing: SigningKey,
}

impl Key {
    pub fn generate(kid: &str) -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        Self { kid: kid.to_owned(), signing: SigningKey::from_bytes(&seed) }
    }

    fn public(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.signing.verifying_key().to_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x})
    }

    fn sign(&self, claims: &Value) -> String {
        let der = self.signing.to_pkcs8_der().unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
    }
}

/// What the provider does next.
pub struct Behaviour {
    /// Claims of the ID token, beside the usual ones or in their place; `null` leaves one out.
    pub claims: Value,
    /// The keys that it shows.
    pub keys: Vec<Key>,
    /// The key with which it signs.
    pub signs_with: Key,
    /// Sends the browser back with this instead of a code.
    pub authorization_error: Option<String>,
    /// Answers this in place of the ID token.
    pub id_token: Option<String>,
    /// Members of the discovery document, in the place of the usual ones.
    pub metadata: Value,
    /// Answers 500 to all but browsers.
    pub is_broken: bool,
    /// Answers more than anybody needs.
    pub is_verbose: bool,
    codes: HashMap<String, Code>,
}

/// What a code was made for.
struct Code {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct State {
    issuer: String,
    behaviour: Mutex<Behaviour>,
    discoveries: AtomicU32,
}

/// A provider that runs until it is dropped.
pub struct Provider {
    state: Arc<State>,
    server: Option<(ServerHandle, thread::JoinHandle<()>)>,
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let key = Key::generate("one");
        let state = Arc::new(State {
            issuer: format!("http://{address}"),
            behaviour: Mutex::new(Behaviour {
                claims: json!({}),
                keys: vec![key.clone()],
                signs_with: key,
                authorization_error: None,
                id_token: None,
                metadata: json!({}),
                is_broken: false,
                is_verbose: false,
                codes: HashMap::new(),
            }),
            discoveries: AtomicU32::new(0),
        });
        let (started, starting) = mpsc::channel();
        let served = Data::from(Arc::clone(&state));
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(served.clone())
                        .route("/.well-known/openid-configuration", web::get().to(discovery))
                        .route("/jwks", web::get().to(jwks))
                        .route("/authorize", web::get().to(authorize))
                        .route("/token", web::post().to(token))
                });
                let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = starting.recv().expect("the provider starts");
        Self { state, server: Some((handle, thread)) }
    }

    pub fn issuer(&self) -> &str {
        &self.state.issuer
    }

    /// What it does next.
    pub fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.state.behaviour.lock().unwrap()
    }

    /// Logs everybody in with these claims.
    pub fn tells(&self, claims: Value) {
        self.behaviour().claims = claims;
    }

    /// How often it was asked what it is.
    pub fn discoveries(&self) -> u32 {
        self.state.discoveries.load(Ordering::Relaxed)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let Some((handle, thread)) = self.server.take() else { return };
        drop(handle.stop(false));
        if thread.join().is_err() && !thread::panicking() {
            panic!("the provider panicked");
        }
    }
}

fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Puts the members of `changes` in the place of those of `object`.
fn change(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
}

async fn discovery(state: Data<State>) -> HttpResponse {
    state.discoveries.fetch_add(1, Ordering::Relaxed);
    let behaviour = state.behaviour.lock().unwrap();
    if behaviour.is_broken {
        return HttpResponse::InternalServerError().finish();
    }
    let issuer = &state.issuer;
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    change(&mut metadata, &behaviour.metadata);
    if behaviour.is_verbose {
        metadata["service_documentation"] = format!("{issuer}/{}", "x".repeat(1024 * 1024)).into();
    }
    HttpResponse::Ok().json(metadata)
}

async fn jwks(state: Data<State>) -> HttpResponse {
    let keys: Vec<_> = state.behaviour.lock().unwrap().keys.iter().map(Key::public).collect();
    HttpResponse::Ok().json(json!({ "keys": keys }))
}

async fn authorize(state: Data<State>, query: Query<HashMap<String, String>>) -> HttpResponse {
    let mut behaviour = state.behaviour.lock().unwrap();
    let asked = |name: &str| query.get(name).cloned().unwrap_or_default();
    assert_eq!(asked("response_type"), "code");
    assert_eq!(asked("client_id"), CLIENT_ID);
    assert_eq!(asked("code_challenge_method"), "S256");
    assert_eq!(asked("scope"), "openid email profile");
    let (redirect_uri, challenge, nonce) = (asked("redirect_uri"), asked("code_challenge"), asked("nonce"));
    let mut location: url::Url = redirect_uri.parse().unwrap();
    let mut answer = location.query_pairs_mut();
    answer.append_pair("state", &asked("state"));
    // As many providers do, it sends more than was asked for.
    answer.append_pair("session_state", "x");
    match &behaviour.authorization_error {
        Some(error) => {
            answer.append_pair("error", error).append_pair("error_description", "<script>alert(1)</script>");
        }
        None => {
            let code = random();
            answer.append_pair("code", &code);
            behaviour.codes.insert(code, Code { nonce, challenge, redirect_uri });
        }
    }
    drop(answer);
    HttpResponse::Found().insert_header((header::LOCATION, location.as_str())).finish()
}

async fn token(
    request: HttpRequest,
    state: Data<State>,
    form: Form<HashMap<String, String>>,
) -> HttpResponse {
    let mut behaviour = state.behaviour.lock().unwrap();
    if behaviour.is_broken {
        return HttpResponse::InternalServerError().finish();
    }
    let refused = |error: &str| HttpResponse::BadRequest().json(json!({ "error": error }));
    // RFC 6749, section 2.3.1: both are encoded before they are joined.
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let expected = format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET));
    let expected = format!("Basic {}", STANDARD.encode(expected));
    if request
        .headers()
        .get(header::AUTHORIZATION)
        .is_none_or(|shown| shown.as_bytes() != expected.as_bytes())
    {
        return refused("invalid_client");
    }
    let shown = |name: &str| form.get(name).cloned().unwrap_or_default();
    let Some(code) = behaviour.codes.remove(&shown("code")) else { return refused("invalid_grant") };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(shown("code_verifier").as_bytes()));
    if shown("grant_type") != "authorization_code"
        || challenge != code.challenge
        || shown("redirect_uri") != code.redirect_uri
    {
        return refused("invalid_grant");
    }
    let now = chrono::Utc::now().timestamp();
    let mut claims = json!({
        "iss": state.issuer, "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 3600, "nonce": code.nonce,
    });
    change(&mut claims, &behaviour.claims);
    let id_token = behaviour.id_token.clone().unwrap_or_else(|| behaviour.signs_with.sign(&claims));
    HttpResponse::Ok().json(
        json!({"access_token": random(), "token_type": "Bearer", "expires_in": 3600, "id_token": id_token}),
    )
}
