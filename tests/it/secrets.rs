//! No secret gets into the log. Whatever the tests of the whole run make the server log is captured, and searched for
//! every secret that went over the wire, when each test ends.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, Once, PoisonError},
};

use serde_json::Value;
use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

/// What the log is searched for; it tells much more than a server does by default.
const FILTER: &str = "debug,masthead=trace,hyper_util=info,reqwest=info";
/// Members of bodies and answers that are secrets, or hold some.
const SECRET: [&str; 11] = [
    "password",
    "current_password",
    "new_password",
    "token",
    "access_token",
    "refresh_token",
    "secret",
    "otpauth_url",
    "recovery_codes",
    "login_code",
    "verifier",
];
/// What is shorter may stand in the log for another reason.
const SHORTEST: usize = 12;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn capture() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let lines = fmt::layer().with_ansi(false).with_writer(|| Capture);
        registry().with(FILTER.parse::<Targets>().unwrap()).with(lines).init();
    });
}

fn length() -> usize {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// The secrets of one server.
#[derive(Clone)]
pub struct Secrets {
    known: Arc<Mutex<BTreeSet<String>>>,
    /// Where the log was when the server began.
    begun: usize,
}

impl Secrets {
    pub fn new() -> Self {
        capture();
        Self { known: Arc::default(), begun: length() }
    }

    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.known.lock().unwrap().insert(secret.to_owned());
        }
    }

    /// Adds the secrets of a body or an answer.
    pub fn add_of(&self, json: &Value) {
        match json {
            Value::Object(members) => {
                for (name, value) in members {
                    if SECRET.contains(&name.as_str()) {
                        self.add_all(value);
                    }
                    self.add_of(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_of(item)),
            _ => {}
        }
    }

    fn add_all(&self, value: &Value) {
        match value {
            Value::String(secret) => self.add(secret),
            Value::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            _ => {}
        }
    }

    /// The lines of the log since the server began that hold one of its secrets.
    pub fn leaked(&self) -> Vec<String> {
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&log[self.begun..]);
        let known = self.known.lock().unwrap();
        let mut leaked: Vec<String> = Vec::new();
        for secret in known.iter() {
            let places = text.match_indices(secret.as_str()).map(|(place, _)| {
                let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
                text[start..].lines().next().unwrap_or_default().to_owned()
            });
            leaked.extend(places);
        }
        leaked
    }
}

#[actix_web::test]
async fn a_secret_in_the_log_is_found() {
    use serde_json::json;
    let secrets = Secrets::new();
    secrets.add_of(
        &json!({"user": {"password": "correct horse battery"}, "recovery_codes": ["gezd-gnbv-gy3t-qojq"]}),
    );
    secrets.add_of(&json!({"name": "not a secret at all", "token": "123456"}));
    assert!(secrets.leaked().is_empty());
    tracing::debug!(name = "not a secret at all", code = "123456", "harmless");
    assert!(secrets.leaked().is_empty());
    tracing::debug!(body = "the code gezd-gnbv-gy3t-qojq", "leaking");
    let leaked = secrets.leaked();
    assert!(leaked.len() == 1 && leaked[0].contains("leaking"), "{leaked:?}");
}

#[actix_web::test]
async fn the_log_tells_of_requests() {
    let app = crate::app::TestApp::start().await;
    let begun = length();
    app.anonymous().get("/v1/tags?prefix=captured").await.expect(200);
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&log[begun..]);
    assert!(text.contains("http.path=\"/v1/tags\"") && text.contains("answered"), "{text}");
    assert!(!text.contains("captured"), "queries are not logged");
}
