//! API tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::path_of,
};

async fn token(app: &TestApp, owner: &Client, scopes: &[&str]) -> Client {
    let made = owner.post("/v1/tokens", json!({"name": "Robot", "scopes": scopes})).await.expect(201);
    app.with_token(made.json["token"].as_str())
}

#[actix_web::test]
async fn a_token_is_told_once_and_revoked() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let wanted = json!({"name": "Nightly export", "scopes": ["articles:write", "articles:write"]});
    let made = author.post("/v1/tokens", wanted).await.expect(201);
    let secret = made.json["token"].as_str().unwrap();
    assert!(secret.starts_with("masthead_pat_") && secret.len() > 50, "{secret}");
    assert!(secret.starts_with(made.json["prefix"].as_str().unwrap()));
    assert_eq!(made.json["scopes"], json!(["articles:write"]));
    let path = format!("/v1/tokens/{}", made.id());
    assert_eq!(made.header("location"), path);
    let robot = app.with_token(Some(secret));
    let me = robot.get("/v1/me").await.expect(200);
    assert_eq!((&me.json["id"], &me.json["scopes"]), (&json!(author.user().id), &json!(["articles:write"])));
    robot.post("/v1/articles", json!({"headline": "By a robot"})).await.expect(201);
    for answer in [author.get("/v1/tokens").await.expect(200), author.get(&path).await.expect(200)] {
        assert!(!answer.text.contains(secret), "told twice: {}", answer.text);
    }
    app.editor().await.get(&path).await.problem(404, "not_found");
    app.editor().await.delete(&path).await.problem(404, "not_found");
    app.admin().await.get(&path).await.expect(200);
    author.delete(&path).await.expect(204);
    robot.get("/v1/me").await.problem(401, "unauthenticated");
    author.get(&path).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_token_ends_with_its_day() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    let end = |minutes| {
        let end = app.newsroom.clock.now().to_utc() + TimeDelta::minutes(minutes);
        json!({"name": "Robot", "scopes": [], "expires_at": end.to_rfc3339()})
    };
    author.post("/v1/tokens", end(-1)).await.problem(422, "invalid").fault("/expires_at", "in_the_past");
    let made = author.post("/v1/tokens", end(5)).await.expect(201);
    let robot = app.with_token(made.json["token"].as_str());
    robot.get("/v1/tags").await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(6));
    robot.get("/v1/tags").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn a_token_never_does_more_than_its_owner_may_now() {
    let app = TestApp::start().await;
    let (admin, author) = (app.admin().await, app.author().await);
    let robot =
        token(&app, &author, &["articles:publish", "taxonomy:write", "users:manage", "site:write"]).await;
    let (own, others) = (app.draft_of(&author, "Own", json!({})).await, app.draft("Other").await);
    robot.act(&format!("{}/publish", path_of(&others))).await.problem(403, "forbidden");
    robot.act(&format!("{}/publish", path_of(&own))).await.expect(200);
    robot.get("/v1/users").await.problem(403, "forbidden");
    robot.patch("/v1/site", json!({"name": "Mine"})).await.problem(403, "forbidden");
    robot.post("/v1/tags", json!({"name": "Harbour"})).await.expect(201);
    robot.patch("/v1/tags/harbour", json!({"name": "Port"})).await.problem(403, "forbidden");
    let path = format!("/v1/users/{}", author.user().id);
    admin.patch(&path, json!({"role": "editor"})).await.expect(200);
    robot.patch("/v1/tags/harbour", json!({"name": "Port"})).await.expect(200);
    robot.act(&format!("{}/publish", path_of(&others))).await.expect(200);
    admin.patch(&path, json!({"role": "contributor"})).await.expect(200);
    robot.act(&format!("{}/unpublish", path_of(&own))).await.problem(403, "forbidden");
    robot.post("/v1/tags", json!({"name": "Sea"})).await.problem(403, "forbidden");
    admin.patch(&path, json!({"suspended": true})).await.expect(200);
    robot.get("/v1/tags").await.problem(401, "unauthenticated");
    admin.patch(&path, json!({"suspended": false})).await.expect(200);
    robot.get("/v1/tags").await.expect(200);
}

#[actix_web::test]
async fn a_token_without_a_scope_sees_what_readers_see() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let (draft, live) = (app.draft("Hidden").await, app.published("Shown").await);
    let robot = token(&app, &editor, &[]).await;
    assert_eq!(robot.get("/v1/articles").await.expect(200).each("headline"), ["Shown"]);
    robot.get("/v1/articles?stage=draft").await.problem(403, "insufficient_scope");
    robot.get(&path_of(&draft)).await.problem(404, "not_found");
    let shown = robot.get(&path_of(&live)).await.expect(200);
    assert_eq!(shown.json["workflow"], Value::Null);
    robot.patch(&path_of(&live), json!({"kicker": "X"})).await.problem(428, "precondition_required");
    robot.if_match("*").patch(&path_of(&live), json!({"kicker": "X"})).await.problem(404, "not_found");
    robot.post("/v1/articles", json!({"headline": "X"})).await.problem(403, "insufficient_scope");
    let reader = token(&app, &editor, &["articles:read_drafts"]).await;
    reader.get(&format!("{}?stage=draft", path_of(&draft))).await.expect(200);
    let refused = reader.if_match("*").patch(&path_of(&draft), json!({"kicker": "X"})).await;
    refused.problem(403, "insufficient_scope");
    let allowed = reader.get(&format!("{}?stage=draft", path_of(&draft))).await.expect(200);
    assert_eq!(allowed.json["workflow"]["allowed_actions"], json!([]));
}

#[actix_web::test]
async fn a_token_does_not_touch_the_account() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let scopes = [
        "articles:read_drafts",
        "articles:write",
        "articles:publish",
        "taxonomy:write",
        "media:write",
        "site:write",
        "webhooks:manage",
        "users:manage",
        "audit:read",
    ];
    let robot = token(&app, &admin, &scopes).await;
    robot.post("/v1/tokens", json!({"name": "Child", "scopes": []})).await.problem(403, "forbidden");
    robot.get("/v1/tokens").await.problem(403, "forbidden");
    robot.get("/v1/sessions").await.problem(403, "forbidden");
    robot.act("/v1/auth/logout").await.problem(403, "forbidden");
    let change = json!({"current_password": "x", "new_password": "lantern tidal staple"});
    robot.post("/v1/auth/password", change).await.problem(403, "forbidden");
    robot.post("/v1/me/second-factor", json!({})).await.problem(403, "forbidden");
    robot.get(&format!("/v1/sessions?user={}", app.author().await.user().id)).await.expect(200);
    let bad = json!({"name": "Robot", "scopes": ["articles:*"]});
    admin.post("/v1/tokens", bad).await.problem(422, "invalid");
}

#[actix_web::test]
async fn the_use_of_a_token_is_noted() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let made = author.post("/v1/tokens", json!({"name": "Robot", "scopes": []})).await.expect(201);
    let path = format!("/v1/tokens/{}", made.id());
    assert_eq!(author.get(&path).await.expect(200).json["used_at"], Value::Null);
    let robot = app.with_token(made.json["token"].as_str());
    // It is noted beside the request, so that may take a moment.
    let mut noted = Value::Null;
    for _ in 0..1000 {
        robot.get("/v1/tags").await.expect(200);
        noted = author.get(&path).await.expect(200).json["used_at"].clone();
        if noted != Value::Null {
            break;
        }
    }
    assert_ne!(noted, Value::Null);
    for _ in 0..20 {
        robot.get("/v1/tags").await.expect(200);
    }
    assert_eq!(author.get(&path).await.expect(200).json["used_at"], noted, "once a minute at most");
}
