//! Second factors.

use chrono::TimeDelta;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::app::{Answer, Client, PASSWORD, TestApp};

/// The code that an authenticator with this secret shows.
fn code(app: &TestApp, secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).with_account_name("a").build().unwrap();
    totp.generate(app.newsroom.clock.now().millis().unsigned_abs() / 1000).to_string()
}

/// Gives a user a second factor; the secret and the recovery codes.
async fn enrol(app: &TestApp, client: &Client) -> (String, Vec<String>) {
    let path = "/v1/me/second-factor";
    let begun = client.post(path, json!({"password": PASSWORD})).await.expect(201);
    let secret = begun.json["secret"].as_str().unwrap().to_owned();
    let confirmed =
        client.post(&format!("{path}/confirm"), json!({"code": code(app, &secret)})).await.expect(200);
    // The next code is another one.
    app.newsroom.clock.advance(TimeDelta::seconds(60));
    (secret, serde_json::from_value(confirmed.json["recovery_codes"].clone()).unwrap())
}

async fn log_in(app: &TestApp, client: &Client, code: Value) -> Answer {
    let wanted = json!({"email": client.user().email, "password": PASSWORD, "code": code});
    app.anonymous().post("/v1/auth/login", wanted).await
}

#[actix_web::test]
async fn who_has_a_second_factor_needs_it() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    let path = "/v1/me/second-factor";
    author.post(path, json!({"password": "not mine"})).await.fault("/password", "wrong_password");
    author.post(path, json!({})).await.fault("/password", "required");
    author.post(&format!("{path}/confirm"), json!({"code": "123456"})).await.problem(409, "conflict");
    let begun = author.post(path, json!({"password": PASSWORD})).await.expect(201);
    let url = begun.json["otpauth_url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/") && url.contains("ada.author"), "{url}");
    // Not yet confirmed: it does not count.
    log_in(&app, &author, Value::Null).await.expect(200);
    author.post(&format!("{path}/confirm"), json!({"code": "000000"})).await.fault("/code", "wrong_code");
    let (secret, recovery_codes) = enrol(&app, &author).await;
    assert_eq!(recovery_codes.len(), 10);
    assert_eq!(author.get("/v1/me").await.expect(200).json["has_second_factor"], true);
    author.post(path, json!({"password": PASSWORD})).await.problem(409, "conflict");

    log_in(&app, &author, Value::Null).await.problem(401, "second_factor_required");
    log_in(&app, &author, json!("000000")).await.problem(401, "bad_second_factor");
    let good = code(&app, &secret);
    log_in(&app, &author, json!(good)).await.expect(200);
    log_in(&app, &author, json!(good)).await.problem(401, "bad_second_factor");
    // A wrong password is told nothing of the second factor.
    let wrong = json!({"email": author.user().email, "password": "not mine at all", "code": good});
    app.anonymous().post("/v1/auth/login", wrong).await.problem(401, "bad_credentials");
    // No member of the body gets around it.
    for member in ["skip_second_factor", "second_factor", "otp", "trusted"] {
        let mut wanted = json!({"email": author.user().email, "password": PASSWORD});
        wanted[member] = json!(true);
        let refused = app.anonymous().post("/v1/auth/login", wanted).await.problem(422, "invalid");
        refused.fault(&format!("/{member}"), "unknown_field");
    }
    let clumsy = recovery_codes[0].to_uppercase().replace('-', " ");
    log_in(&app, &author, json!(clumsy)).await.expect(200);
    log_in(&app, &author, json!(recovery_codes[0])).await.problem(401, "bad_second_factor");
}

#[actix_web::test]
async fn recovery_codes_are_renewed_and_a_second_factor_disabled() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    let (secret, old) = enrol(&app, &author).await;
    let renew = "/v1/me/second-factor/recovery-codes";
    author.post(renew, json!({"code": "000000"})).await.fault("/code", "wrong_code");
    let renewed = author.post(renew, json!({"code": code(&app, &secret)})).await.expect(200);
    log_in(&app, &author, json!(old[0])).await.problem(401, "bad_second_factor");
    let disable = "/v1/me/second-factor/disable";
    author.post(disable, json!({"code": old[1]})).await.fault("/code", "wrong_code");
    let new = &renewed.json["recovery_codes"];
    author.post(disable, json!({"code": new[0]})).await.expect(204);
    log_in(&app, &author, Value::Null).await.expect(200);
}

#[actix_web::test]
async fn codes_cannot_be_guessed_with_a_stolen_token() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    enrol(&app, &author).await;
    for _ in 0..5 {
        let refused = author.post("/v1/me/second-factor/disable", json!({"code": "000000"})).await;
        refused.problem(422, "invalid");
    }
    let refused = author.post("/v1/me/second-factor/disable", json!({"code": "000000"})).await;
    refused.problem(429, "too_many_attempts");
}

#[actix_web::test]
async fn a_site_can_want_second_factors_of_a_role() {
    let app = TestApp::start_with_tokens_for(60).await;
    let (admin, author, editor) = (app.admin().await, app.author().await, app.editor().await);
    let token =
        author.post("/v1/tokens", json!({"name": "Export", "scopes": ["articles:write"]})).await.expect(201);
    let token = app.with_token(token.json["token"].as_str());
    token.get("/v1/me").await.expect(200);
    admin.patch("/v1/site", json!({"second_factor_roles": ["author"]})).await.expect(200);
    // At once, for sessions and API tokens alike; others are not concerned.
    for client in [&author, &token] {
        client.get("/v1/articles?stage=draft").await.problem(403, "enrolment_required");
        client.post("/v1/articles", json!({"headline": "Mine"})).await.problem(403, "enrolment_required");
        assert_eq!(client.get("/v1/me").await.expect(200).json["must_enrol"], true);
    }
    author
        .post(
            "/v1/auth/password",
            json!({"current_password": PASSWORD, "new_password": "lantern tidal staple"}),
        )
        .await
        .problem(403, "enrolment_required");
    editor.get("/v1/articles?stage=draft").await.expect(200);
    // Logging in anew does not help, getting one does.
    let again = log_in(&app, &author, Value::Null).await.expect(200);
    let again = app.with_token(again.json["access_token"].as_str());
    again.get("/v1/articles").await.problem(403, "enrolment_required");
    let (secret, _) = enrol(&app, &author).await;
    for client in [&author, &token] {
        client.get("/v1/articles?stage=draft").await.expect(200);
    }
    let refused = author.post("/v1/me/second-factor/disable", json!({"code": code(&app, &secret)})).await;
    refused.problem(403, "forbidden");
    // Who has lost it is helped by an administrator, and has to get another.
    let path = format!("/v1/users/{}/second-factor", author.user().id);
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.problem(404, "not_found");
    author.get("/v1/articles").await.problem(403, "enrolment_required");
}
