//! Single sign-on, at a provider of its own.

mod accounts;
mod protocol;

use actix_web::rt::spawn;
use chrono::TimeDelta;
use masthead::{
    domain::{
        identity::{OidcSettings, RoleRules},
        user::Role,
    },
    service::users,
    store::{conn::Db, second_factors},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    app::{Answer, Client, PASSWORD, PUBLIC_URL, TestApp},
    oidc_provider::{CLIENT_ID, CLIENT_SECRET, Key, Provider},
};

const TOOL: &str = "https://tool.courier.example/login?from=sso";

const ADA: &str = "ada@newsroom.example";

/// Single sign-on with roles from groups, for those who are users already.
fn settings(provider: &Provider) -> OidcSettings {
    OidcSettings {
        issuer: provider.issuer().parse().unwrap(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.into(),
        name: "Courier account".to_owned(),
        scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        return_urls: vec!["https://other.courier.example/".parse().unwrap(), TOOL.parse().unwrap()],
        roles: RoleRules {
            claim: Some("realm_access.roles".to_owned()),
            map: "chiefs=admin, desk=editor, writers=author".parse().unwrap(),
            default: None,
        },
        create_users: false,
        link_by_email: false,
    }
}

fn creating(provider: &Provider) -> OidcSettings {
    OidcSettings { create_users: true, ..settings(provider) }
}

fn linking(provider: &Provider) -> OidcSettings {
    OidcSettings { link_by_email: true, ..settings(provider) }
}

/// Somebody with a verified address and these groups.
fn person(subject: &str, email: &str, groups: &[&str]) -> Value {
    json!({
        "sub": subject, "email": email, "email_verified": true, "name": "Ada Lovelace", "realm_access": {"roles": groups},
    })
}

/// What `change` makes of somebody who would be let in.
fn ada(change: Value) -> Value {
    let mut claims = person("ada", ADA, &["desk"]);
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

async fn add_user(app: &TestApp, role: Role) -> masthead::domain::user::User {
    let (email, name) = (ADA.parse().unwrap(), "Ada".to_owned());
    users::add(&app.newsroom, email, name, role, PASSWORD.into()).await.unwrap()
}

async fn password_login(app: &TestApp) -> Answer {
    app.anonymous().post("/v1/auth/login", json!({"email": ADA, "password": PASSWORD})).await
}

/// A log-in under way.
struct Attempt {
    authorization_url: Url,
    verifier: String,
}

async fn start(app: &TestApp) -> Attempt {
    let answer = app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await.expect(200);
    assert_eq!(answer.json["expires_in"], 600);
    assert!(answer.header("cache-control").contains("no-store"));
    app.keep_secret(CLIENT_SECRET);
    let attempt = Attempt {
        authorization_url: answer.json["authorization_url"].as_str().unwrap().parse().unwrap(),
        verifier: answer.json["verifier"].as_str().unwrap().to_owned(),
    };
    for name in ["state", "nonce"] {
        app.keep_secret(&parameter(&attempt.authorization_url, name));
    }
    attempt
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// A parameter of a path with a query.
fn parameter_of_path(path: &str, name: &str) -> String {
    parameter(&Url::parse("http://x").unwrap().join(path).unwrap(), name)
}

impl Attempt {
    /// Logs in at the provider: path and query with which the browser comes back.
    async fn visit_provider(&self) -> String {
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.get(self.authorization_url.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str().unwrap();
        let path = location.strip_prefix(PUBLIC_URL).expect("back to where it came from");
        assert!(path.starts_with("/v1/auth/oidc/callback?"), "{path}");
        path.to_owned()
    }

    async fn complete(&self, app: &TestApp, login_code: &str) -> Answer {
        let body = json!({"login_code": login_code, "verifier": self.verifier});
        app.anonymous().post("/v1/auth/oidc/complete", body).await
    }
}

/// Comes back from the provider: what follows `#` in the address of the tool.
async fn come_back(app: &TestApp, path: &str) -> String {
    let answer = app.anonymous().get(path).await.expect(303);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(!answer.headers.contains_key("set-cookie"));
    let (tool, fragment) = answer.header("location").split_once('#').unwrap();
    assert_eq!(tool, TOOL);
    if path.contains("code=") && !path.contains("guessed") {
        app.keep_secret(&parameter_of_path(path, "code"));
    }
    if let Some(login_code) = fragment.strip_prefix("login_code=") {
        app.keep_secret(login_code);
    }
    fragment.to_owned()
}

/// The login code of a log-in that succeeds at the provider.
async fn login_code(app: &TestApp) -> (Attempt, String) {
    let attempt = start(app).await;
    let path = attempt.visit_provider().await;
    let fragment = come_back(app, &path).await;
    let code = fragment.strip_prefix("login_code=").unwrap_or_else(|| panic!("{fragment}")).to_owned();
    (attempt, code)
}

/// Logs in, all the way: who it is.
async fn log_in(app: &TestApp) -> (Client, Value) {
    let (attempt, code) = login_code(app).await;
    let answer = attempt.complete(app, &code).await.expect(200);
    assert_eq!(answer.json["token_type"], "Bearer");
    assert!(answer.header("cache-control").contains("no-store"));
    let client = app.with_token(answer.json["access_token"].as_str());
    let me = client.get("/v1/me").await.expect(200).json;
    (client, me)
}

/// Tries to log in: the word with which the browser comes back.
async fn refusal(app: &TestApp) -> String {
    let attempt = start(app).await;
    let path = attempt.visit_provider().await;
    let fragment = come_back(app, &path).await;
    fragment.strip_prefix("error=").unwrap_or_else(|| panic!("{fragment}")).to_owned()
}
