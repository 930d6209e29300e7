//! Who comes in.

use serde_json::json;

use crate::app::{PASSWORD, TestApp};

const LOGIN: &str = "/v1/auth/login";

#[actix_web::test]
async fn a_user_logs_in_and_learns_who_they_are() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let credentials = json!({"email": "ADA.AUTHOR.author@newsroom.example", "password": PASSWORD});
    let answer = app.anonymous().post(LOGIN, credentials).await.expect(200);
    assert_eq!(answer.json["token_type"], "Bearer");
    assert!(answer.json["expires_in"].as_i64().is_some_and(|seconds| seconds > 0));
    assert!(answer.header("cache-control").contains("no-store"));
    let client = app.with_token(answer.json["access_token"].as_str());
    let me = client.get("/v1/me").await.expect(200);
    assert_eq!(me.json["id"], json!(author.user().id));
    assert_eq!((&me.json["name"], &me.json["role"]), (&json!("Ada Author"), &json!("author")));
    let permissions = me.json["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!({"action": "publish", "grant": "own"})));
    assert!(permissions.contains(&json!({"action": "edit_site", "grant": "no"})));
    app.anonymous().get("/v1/me").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn nobody_learns_who_has_an_account() {
    let app = TestApp::start().await;
    app.author().await;
    let reader = app.anonymous();
    let wrong = json!({"email": "ada.author.author@newsroom.example", "password": "not the password"});
    let unknown = json!({"email": "nobody@newsroom.example", "password": PASSWORD});
    let mut answers = Vec::new();
    for credentials in [wrong, unknown] {
        let mut json = reader.post(LOGIN, credentials).await.problem(401, "bad_credentials").json;
        json["request_id"] = json!(null);
        answers.push(json);
    }
    assert_eq!(answers[0], answers[1]);
}

#[actix_web::test]
async fn a_token_that_was_tampered_with_or_is_old_is_refused() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let parts: Vec<_> = author.token().split('.').collect();
    let other = app.editor().await;
    let payload = other.token().split('.').nth(1).unwrap();
    let tampered = [parts[0], payload, parts[2]].join(".");
    app.with_token(Some(&tampered)).get("/v1/me").await.problem(401, "unauthenticated");
    let unsigned = format!("{}.{}.", "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0", parts[1]);
    app.with_token(Some(&unsigned)).get("/v1/me").await.problem(401, "unauthenticated");
    author.get("/v1/me").await.expect(200);
    app.newsroom.clock.advance(chrono::TimeDelta::hours(1));
    author.get("/v1/me").await.problem(401, "unauthenticated");
}
