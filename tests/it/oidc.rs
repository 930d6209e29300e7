//! Single sign-on, at a provider of its own.

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

#[actix_web::test]
async fn it_is_off_until_it_is_configured() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    let answer = reader.get("/v1/auth/oidc").await.expect(200);
    assert_eq!(answer.json, json!({"enabled": false, "name": null}));
    let bodies =
        [("start", json!({"return_to": TOOL})), ("complete", json!({"login_code": "x", "verifier": "x"}))];
    for (step, body) in bodies {
        reader.post(&format!("/v1/auth/oidc/{step}"), body).await.problem(404, "not_found");
    }
    reader.get("/v1/auth/oidc/callback?code=x&state=x").await.problem(404, "not_found");
}

#[actix_web::test]
async fn somebody_new_becomes_a_user_with_the_role_of_their_groups() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    let answer = app.anonymous().get("/v1/auth/oidc").await.expect(200);
    assert_eq!(answer.json, json!({"enabled": true, "name": "Courier account"}));

    provider.tells(person("ada", "Ada@Newsroom.example", &["others", "desk", "writers"]));
    let (client, me) = log_in(&app).await;
    assert_eq!(
        (&me["email"], &me["name"], &me["role"]),
        (&json!(ADA), &json!("Ada Lovelace"), &json!("editor"))
    );
    client.post("/v1/sections", json!({"name": "City"})).await.expect(201);

    // It is the subject that counts from now on.
    provider.tells(person("ada", "ada.lovelace@newsroom.example", &["desk"]));
    let (_, again) = log_in(&app).await;
    assert_eq!((&again["id"], &again["email"]), (&me["id"], &me["email"]));
    provider.tells(person("other", "other@newsroom.example", &["desk"]));
    let (_, other) = log_in(&app).await;
    assert_ne!(other["id"], me["id"]);
    // Nobody can log in with a password that was never set.
    password_login(&app).await.problem(401, "bad_credentials");
}

#[actix_web::test]
async fn a_new_user_may_have_no_name() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({"name": null})));
    assert_eq!(log_in(&app).await.1["name"], ADA);
}

#[actix_web::test]
async fn the_role_follows_the_groups_at_every_log_in() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    app.admin().await;
    for (groups, role) in
        [(&["writers"][..], "author"), (&["desk"], "editor"), (&["writers", "chiefs"], "admin")]
    {
        provider.tells(person("ada", ADA, groups));
        assert_eq!(log_in(&app).await.1["role"], role);
    }
    provider.tells(person("ada", ADA, &["writers"]));
    assert_eq!(log_in(&app).await.1["role"], "author", "there is another administrator");
    for groups in
        [json!({"roles": ["others"]}), json!({"roles": []}), json!({}), json!(["desk"]), Value::Null]
    {
        provider.tells(ada(json!({ "realm_access": groups })));
        assert_eq!(refusal(&app).await, "not_permitted", "{groups}");
    }
}

#[actix_web::test]
async fn the_last_administrator_is_not_demoted() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(person("ada", ADA, &["chiefs"]));
    assert_eq!(log_in(&app).await.1["role"], "admin");
    provider.tells(person("ada", ADA, &["writers"]));
    assert_eq!(log_in(&app).await.1["role"], "admin");
    app.admin().await;
    assert_eq!(log_in(&app).await.1["role"], "author");
}

#[actix_web::test]
async fn without_a_claim_roles_are_given_here() {
    let provider = Provider::start();
    let roles = RoleRules { default: Some(Role::Contributor), ..RoleRules::default() };
    let both = OidcSettings { roles, link_by_email: true, ..creating(&provider) };
    let app = TestApp::start_with_oidc(both).await;
    let user = add_user(&app, Role::Editor).await;
    provider.tells(person("ada", ADA, &["chiefs"]));
    let (_, me) = log_in(&app).await;
    assert_eq!((&me["id"], &me["role"]), (&json!(user.id), &json!("editor")));
    provider.tells(person("new", "new@newsroom.example", &["chiefs"]));
    assert_eq!(log_in(&app).await.1["role"], "contributor");
}

#[actix_web::test]
async fn strangers_are_refused_unless_the_rules_let_them_in() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    let user = add_user(&app, Role::Editor).await;
    provider.tells(ada(json!({})));
    assert_eq!(refusal(&app).await, "not_permitted", "linking is off");
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted", "creating is off");
    password_login(&app).await.expect(200);

    let app = TestApp::start_with_oidc(OidcSettings { link_by_email: true, ..creating(&provider) }).await;
    let there = add_user(&app, Role::Editor).await;
    assert_ne!(user.id, there.id);
    for (change, why) in [
        (json!({"email_verified": false}), "not verified"),
        (json!({"email_verified": null}), "not said to be verified"),
        (json!({"email": null}), "no address"),
        (json!({"email": "ada"}), "no e-mail address"),
        (json!({"realm_access": {"roles": ["others"]}}), "no role"),
        (
            json!({"sub": "new", "email": "new@newsroom.example", "email_verified": false}),
            "new and not verified",
        ),
        (
            json!({"sub": "new", "email": "new@newsroom.example", "realm_access": {}}),
            "new and without a role",
        ),
    ] {
        provider.tells(ada(change));
        assert_eq!(refusal(&app).await, "not_permitted", "{why}");
    }
    // What is not a boolean is not believed to be one.
    provider.tells(ada(json!({"email_verified": "true"})));
    assert_ne!(refusal(&app).await, "");
    password_login(&app).await.expect(200);
}

#[actix_web::test]
async fn linking_ends_what_was_set_before() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(linking(&provider)).await;
    let user = add_user(&app, Role::Author).await;
    // Somebody was here first: password, session, refresh token, API token, one-time link.
    let before = password_login(&app).await.expect(200);
    let squatter = app.with_token(before.json["access_token"].as_str());
    let wanted = json!({"name": "Mine", "scopes": ["articles:read_drafts"]});
    let token = squatter.post("/v1/tokens", wanted).await.expect(201);
    let token = app.with_token(token.json["token"].as_str());
    let link = app.admin().await.act(&format!("/v1/users/{}/password-link", user.id)).await.expect(201);
    let link = link.json["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    for client in [&squatter, &token] {
        client.get("/v1/me").await.expect(200);
    }

    provider.tells(person("ada", "ADA@newsroom.EXAMPLE", &["desk"]));
    let (_, me) = log_in(&app).await;
    assert_eq!((&me["id"], &me["role"]), (&json!(user.id), &json!("editor")));
    password_login(&app).await.problem(401, "bad_credentials");
    for client in [&squatter, &token] {
        client.get("/v1/me").await.problem(401, "unauthenticated");
    }
    let reader = app.anonymous();
    let refresh = json!({"refresh_token": before.json["refresh_token"]});
    reader.post("/v1/auth/refresh", refresh).await.problem(401, "bad_refresh_token");
    let redeem = json!({"token": link, "password": PASSWORD});
    reader.post("/v1/auth/password-link", redeem).await.problem(410, "dead_link");

    // Later log-ins end nothing.
    let (first, _) = log_in(&app).await;
    log_in(&app).await;
    first.get("/v1/me").await.expect(200);

    // The address was given to somebody else there.
    provider.tells(person("successor", ADA, &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted");
}

#[actix_web::test]
async fn linking_ends_a_second_factor() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(linking(&provider)).await;
    let user = add_user(&app, Role::Editor).await;
    let (id, now) = (user.id, app.newsroom.clock.now());
    let enrol = move |db: &mut Db| {
        second_factors::begin(db, id, &"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into())?;
        second_factors::confirm(db, id, now)
    };
    app.newsroom.store.write(enrol).await.unwrap();
    password_login(&app).await.problem(401, "second_factor_required");
    provider.tells(ada(json!({})));
    assert_eq!(log_in(&app).await.1["has_second_factor"], false);
}

#[actix_web::test]
async fn a_session_is_as_good_as_one_with_a_password() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (attempt, code) = login_code(&app).await;
    let answer = attempt.complete(&app, &code).await.expect(200);
    let next = json!({"refresh_token": answer.json["refresh_token"]});
    let next = app.anonymous().post("/v1/auth/refresh", next).await.expect(200);
    let client = app.with_token(next.json["access_token"].as_str());
    let sessions = client.get("/v1/sessions").await.expect(200);
    assert_eq!(sessions.each("method"), ["oidc"]);
    client.act("/v1/auth/logout").await.expect(204);
    client.get("/v1/me").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn the_audit_log_tells_what_single_sign_on_did() {
    let provider = Provider::start();
    let both = OidcSettings { create_users: true, ..linking(&provider) };
    let app = TestApp::start_with_oidc(both).await;
    let user = add_user(&app, Role::Author).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    log_in(&app).await;
    provider.tells(person("nobody", "nobody@newsroom.example", &["others"]));
    assert_eq!(refusal(&app).await, "not_permitted");
    let admin = app.admin().await;
    let of =
        async |query: &str| admin.get(&format!("/v1/audit?{query}")).await.expect(200).json["data"].clone();
    for action in ["link_identity", "update_user", "login"] {
        let events = of(&format!("action={action}&actor={}", user.id)).await;
        assert_eq!(events[0]["entity_id"], json!(user.id.to_string()), "{action}: {events}");
        assert!(events[0]["address"].is_string(), "{action}: {events}");
    }
    let changed = of(&format!("action=update_user&actor={}", user.id)).await;
    assert_eq!(
        (&changed[0]["before"], &changed[0]["after"]),
        (&json!({"role": "author"}), &json!({"role": "editor"}))
    );
    let made = of("action=create_user").await;
    let by_provider = made.as_array().unwrap().iter().find(|event| event["detail"] == "single sign-on");
    assert_eq!(by_provider.unwrap()["after"]["email"], "new@newsroom.example");
    let refused = of("action=login&outcome=failed").await;
    assert_eq!(refused[0]["actor"]["name"], "nobody@newsroom.example");
}

#[actix_web::test]
async fn a_user_who_is_deleted_takes_their_identity_along() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (_, me) = log_in(&app).await;
    // A login code is on its way.
    let (attempt, code) = login_code(&app).await;
    let path = format!("/v1/users/{}", me["id"].as_str().unwrap());
    app.admin().await.if_match("*").delete(&path).await.expect(204);
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    let (_, again) = log_in(&app).await;
    assert_ne!(again["id"], me["id"]);
}

#[actix_web::test]
async fn a_suspended_user_is_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(OidcSettings { create_users: true, ..linking(&provider) }).await;
    let admin = app.admin().await.if_match("*");
    let suspend = async |id: &str| {
        admin.patch(&format!("/v1/users/{id}"), json!({"suspended": true})).await.expect(200);
    };
    provider.tells(ada(json!({})));
    let (_, me) = log_in(&app).await;
    // Between the provider and the tool, and before.
    let (attempt, code) = login_code(&app).await;
    suspend(me["id"].as_str().unwrap()).await;
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    assert_eq!(refusal(&app).await, "not_permitted");

    let other = "eva@newsroom.example";
    let email = other.parse().unwrap();
    let eva =
        users::add(&app.newsroom, email, "Eva".to_owned(), Role::Editor, PASSWORD.into()).await.unwrap();
    suspend(&eva.id.to_string()).await;
    provider.tells(person("eva", other, &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted", "not linked either");
}

#[actix_web::test]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let unknown = async |path: &str| {
        let answer = app.anonymous().get(path).await.problem(400, "invalid_parameter");
        assert!(!answer.headers.contains_key("location"));
        answer.fault("state", "unknown_state");
    };
    for query in
        ["", "?code=x", "?code=x&state=", "?code=x&state=guessed", "?error=access_denied&state=guessed"]
    {
        unknown(&format!("/v1/auth/oidc/callback{query}")).await;
    }
    let path = start(&app).await.visit_provider().await;
    come_back(&app, &path).await;
    unknown(&path).await;

    let path = start(&app).await.visit_provider().await;
    unknown(&format!("{path}&state=x")).await;
    app.newsroom.clock.advance(TimeDelta::minutes(9));
    assert!(come_back(&app, &path).await.starts_with("login_code="));
    let path = start(&app).await.visit_provider().await;
    app.newsroom.clock.advance(TimeDelta::minutes(10));
    unknown(&path).await;

    // One that failed is used up too.
    let path = start(&app).await.visit_provider().await;
    let state = path.split(['?', '&']).find(|part| part.starts_with("state=")).unwrap();
    let forged = format!("/v1/auth/oidc/callback?code=guessed&{state}");
    assert_eq!(come_back(&app, &forged).await, "error=provider");
    unknown(&path).await;
}

#[actix_web::test]
async fn a_login_code_is_good_once_for_a_minute_and_with_its_verifier() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (attempt, code) = login_code(&app).await;
    attempt.complete(&app, &code).await.expect(200);
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    attempt.complete(&app, "guessed").await.problem(401, "bad_login_code");

    let (attempt, code) = login_code(&app).await;
    app.newsroom.clock.advance(TimeDelta::seconds(60));
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");

    // Somebody else began: the log-in is not for this browser. The code is gone then, for whoever has it.
    let (attempt, code) = login_code(&app).await;
    start(&app).await.complete(&app, &code).await.problem(401, "bad_login_code");
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");

    // An Idempotency-Key does not save it.
    let (attempt, code) = login_code(&app).await;
    let keyed = app.anonymous().header("idempotency-key", "one");
    let guess = json!({"login_code": code, "verifier": "guessed"});
    keyed.post("/v1/auth/oidc/complete", guess).await.problem(401, "bad_login_code");
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
}

#[actix_web::test]
async fn of_several_at_once_one_has_it() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let attempt = start(&app).await;
    let path = attempt.visit_provider().await;
    let visits: Vec<_> = (0..8)
        .map(|_| {
            let (browser, path) = (app.anonymous(), path.clone());
            spawn(async move { browser.get(&path).await })
        })
        .collect();
    let mut fragments = Vec::new();
    for visit in visits {
        let answer = visit.await.unwrap();
        match answer.status.as_u16() {
            303 => fragments.push(answer.header("location").split_once('#').unwrap().1.to_owned()),
            _ => drop(answer.problem(400, "invalid_parameter")),
        }
    }
    assert_eq!(fragments.len(), 1, "{fragments:?}");
    let body = json!({"login_code": fragments[0].strip_prefix("login_code="), "verifier": attempt.verifier});
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (tool, body) = (app.anonymous(), body.clone());
            spawn(async move { tool.post("/v1/auth/oidc/complete", body).await })
        })
        .collect();
    let mut successes = 0;
    for answer in tries {
        let answer = answer.await.unwrap();
        match answer.status.as_u16() {
            200 => successes += 1,
            _ => drop(answer.problem(401, "bad_login_code")),
        }
    }
    assert_eq!(successes, 1);
}

#[actix_web::test]
async fn a_code_of_the_provider_cannot_be_replayed() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let path = start(&app).await.visit_provider().await;
    come_back(&app, &path).await;
    // The code in a log-in of somebody else: used, and if it were not, made for another challenge.
    for used in [true, false] {
        let stolen = start(&app).await.visit_provider().await;
        if used {
            come_back(&app, &stolen).await;
        }
        let own = start(&app).await.visit_provider().await;
        let mixed = format!(
            "/v1/auth/oidc/callback?code={}&state={}",
            parameter_of_path(&stolen, "code"),
            parameter_of_path(&own, "state")
        );
        assert_eq!(come_back(&app, &mixed).await, "error=provider", "used: {used}");
    }
}

#[actix_web::test]
async fn id_tokens_that_are_not_for_this_log_in_are_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    let now = chrono::Utc::now().timestamp();
    for (change, why) in [
        (json!({"nonce": "another"}), "wrong nonce"),
        (json!({"nonce": null}), "no nonce"),
        (json!({"aud": "another"}), "wrong audience"),
        (json!({"aud": []}), "no audience"),
        (json!({"aud": [CLIENT_ID, "another"]}), "another audience too"),
        (json!({"azp": "another"}), "another party"),
        (json!({"iss": "https://id.example"}), "wrong issuer"),
        (json!({"iss": format!("{}/", provider.issuer())}), "almost the issuer"),
        (json!({"exp": now - 1}), "expired"),
        (json!({"exp": null}), "never expires"),
        (json!({"sub": null}), "no subject"),
        (json!({"sub": ""}), "empty subject"),
        (json!({"sub": "a\u{0}"}), "NUL in the subject"),
        (json!({"sub": "x".repeat(256)}), "long subject"),
    ] {
        provider.tells(ada(change));
        assert_eq!(refusal(&app).await, "provider", "{why}");
    }
    provider.tells(ada(json!({"aud": [CLIENT_ID], "azp": CLIENT_ID})));
    log_in(&app).await;
    // The newsroom's clock is the one that counts.
    app.newsroom.clock.advance(TimeDelta::hours(2));
    assert_eq!(refusal(&app).await, "provider");
}

#[actix_web::test]
async fn id_tokens_that_the_provider_has_not_signed_are_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    let own = provider.behaviour().signs_with.clone();
    provider.behaviour().signs_with = Key::generate(&own.kid);
    assert_eq!(refusal(&app).await, "provider", "another key of the same name");
    provider.behaviour().signs_with = Key::generate("unknown");
    assert_eq!(refusal(&app).await, "provider", "another key");

    let encode = |value: Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let now = chrono::Utc::now().timestamp();
    let attempt = start(&app).await;
    let nonce = parameter(&attempt.authorization_url, "nonce");
    let path = attempt.visit_provider().await;
    let claims = encode(ada(json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": nonce,
    })));
    let unsigned = format!("{}.{claims}.", encode(json!({"alg": "none"})));
    provider.behaviour().id_token = Some(unsigned);
    assert_eq!(come_back(&app, &path).await, "error=provider", "no signature");

    // Signed with the password that we share with the provider: whoever reads our configuration could do that.
    let attempt = start(&app).await;
    let nonce = parameter(&attempt.authorization_url, "nonce");
    let path = attempt.visit_provider().await;
    let claims = ada(json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": nonce,
    }));
    let key = jsonwebtoken::EncodingKey::from_secret(CLIENT_SECRET.as_bytes());
    let symmetric = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    provider.behaviour().id_token = Some(symmetric);
    assert_eq!(come_back(&app, &path).await, "error=provider", "symmetric");

    for broken in ["", "x", "a.b.c", "...."] {
        provider.behaviour().id_token = Some(broken.to_owned());
        assert_eq!(refusal(&app).await, "provider", "{broken:?}");
    }
}

#[actix_web::test]
async fn new_keys_are_found_but_not_sought_all_the_time() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    log_in(&app).await;
    assert_eq!(provider.discoveries(), 1);
    let new = Key::generate("two");
    provider.behaviour().keys.push(new.clone());
    provider.behaviour().signs_with = new;
    assert_eq!(refusal(&app).await, "provider", "the keys were fetched a moment ago");
    assert_eq!(provider.discoveries(), 1);
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    log_in(&app).await;
    assert_eq!(provider.discoveries(), 2);
    app.newsroom.clock.advance(TimeDelta::minutes(59));
    start(&app).await;
    assert_eq!(provider.discoveries(), 2);
    app.newsroom.clock.advance(TimeDelta::minutes(2));
    start(&app).await;
    assert_eq!(provider.discoveries(), 3);
}

#[actix_web::test]
async fn rsa_will_do_as_well() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let key = Key::rsa("rsa");
    provider.behaviour().keys.push(key.clone());
    provider.behaviour().signs_with = key;
    log_in(&app).await;
}

#[actix_web::test]
async fn the_browser_is_sent_to_configured_addresses_only() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    let reader = app.anonymous();
    for return_to in [
        "https://tool.courier.example/login?from=sso#x",
        "https://tool.courier.example/login?from=sso&next=https://evil.example",
        "https://tool.courier.example/login",
        "https://tool.courier.example/login?from=sso/",
        "https://tool.courier.example/login?from=sso ",
        " https://tool.courier.example/login?from=sso",
        "HTTPS://tool.courier.example/login?from=sso",
        "https://TOOL.courier.example/login?from=sso",
        "http://tool.courier.example/login?from=sso",
        "https://tool.courier.example:443/login?from=sso",
        "https://tool.courier.example@evil.example/login?from=sso",
        "https://evil.example@tool.courier.example/login?from=sso",
        "https://tool.courier.example.evil.example/login?from=sso",
        "https://evil.example\\@tool.courier.example/login?from=sso",
        "https:\\\\tool.courier.example/login?from=sso",
        "//tool.courier.example/login?from=sso",
        "/login?from=sso",
        "javascript:alert(1)//https://tool.courier.example/login?from=sso",
        "https://other.courier.example",
        "https://other.courier.example//evil.example",
        "https://other.courier.example/,https://tool.courier.example/login?from=sso",
    ] {
        let answer = reader.post("/v1/auth/oidc/start", json!({ "return_to": return_to })).await;
        answer.problem(422, "invalid").fault("/return_to", "not_allowed");
    }
    for (return_to, code) in [(json!(""), "blank"), (json!(["x"]), "wrong_type"), (json!(null), "wrong_type")]
    {
        let answer = reader.post("/v1/auth/oidc/start", json!({ "return_to": return_to })).await;
        answer.problem(422, "invalid").fault("/return_to", code);
    }
    assert_eq!(provider.discoveries(), 0);
}

#[actix_web::test]
async fn what_the_provider_says_in_place_of_a_code_is_not_passed_on() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    for (told, word) in [
        ("access_denied", "access_denied"),
        ("server_error", "provider"),
        ("login_required", "provider"),
        ("<script>alert(1)</script>\r\nLocation: https://evil.example", "provider"),
    ] {
        provider.behaviour().authorization_error = Some(told.to_owned());
        assert_eq!(refusal(&app).await, word, "{told}");
    }
    provider.behaviour().authorization_error = None;
    // An answer that names another provider (RFC 9207).
    let path = start(&app).await.visit_provider().await;
    assert_eq!(come_back(&app, &format!("{path}&iss=https%3A%2F%2Fevil.example")).await, "error=provider");
    let path = start(&app).await.visit_provider().await;
    let own = url::form_urlencoded::byte_serialize(provider.issuer().as_bytes()).collect::<String>();
    assert!(come_back(&app, &format!("{path}&iss={own}")).await.starts_with("login_code="));
    // Neither a code nor an error.
    let path = start(&app).await.visit_provider().await;
    assert_eq!(come_back(&app, &path.replace("code=", "cod=")).await, "error=provider");
}

#[actix_web::test]
async fn a_provider_that_is_down_keeps_nobody_else_out() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    add_user(&app, Role::Editor).await;
    let begin = async || app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await;
    provider.behaviour().is_broken = true;
    begin().await.problem(503, "busy");
    assert_eq!(provider.discoveries(), 1);
    // It is left alone for a moment.
    provider.behaviour().is_broken = false;
    begin().await.problem(503, "busy");
    assert_eq!(provider.discoveries(), 1);
    password_login(&app).await.expect(200);
    app.anonymous().get("/v1/auth/oidc").await.expect(200);

    app.newsroom.clock.advance(TimeDelta::seconds(6));
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    let path = start(&app).await.visit_provider().await;
    provider.behaviour().is_broken = true;
    assert_eq!(come_back(&app, &path).await, "error=provider");
    provider.behaviour().is_broken = false;
    log_in(&app).await;

    let path = start(&app).await.visit_provider().await;
    drop(provider);
    assert_eq!(come_back(&app, &path).await, "error=provider");
    password_login(&app).await.expect(200);
}

#[actix_web::test]
async fn a_provider_that_says_strange_things_of_itself_is_not_used() {
    for (metadata, why) in [
        (json!({"issuer": "https://id.example"}), "another issuer"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "a script"),
        (json!({"authorization_endpoint": "http://id.example/authorize"}), "browsers without TLS"),
        (json!({"token_endpoint": "http://id.example/token"}), "our password without TLS"),
        (json!({"jwks_uri": "nowhere"}), "no keys"),
    ] {
        let provider = Provider::start();
        provider.behaviour().metadata = metadata;
        let app = TestApp::start_with_oidc(settings(&provider)).await;
        let answer = app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await;
        let answer = answer.problem(503, "busy");
        assert!(!answer.text.contains("id.example"), "{why}: {}", answer.text);
    }
    let provider = Provider::start();
    provider.behaviour().is_verbose = true;
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await.problem(503, "busy");
}
