//! `Idempotency-Key`.

use serde_json::{Value, json};

use crate::{
    app::{Answer, PASSWORD, TestApp},
    newsroom::path_of,
};

#[track_caller]
fn same(first: &Answer, second: &Answer) {
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    for name in ["location", "etag", "content-type", "cache-control"] {
        assert_eq!(first.headers.get(name), second.headers.get(name), "{name}");
    }
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(second.header("idempotency-replayed"), "true");
}

#[actix_web::test]
async fn the_same_request_under_a_key_is_done_once() {
    let app = TestApp::start().await;
    let author = app.author().await.header("idempotency-key", "5f0b9a52-8b44-4d0c-9a3e-0f6f2b6f7d11");
    let wanted = json!({"name": "Port"});
    let first = author.post("/v1/tags", wanted.clone()).await.expect(201);
    same(&first, &author.post("/v1/tags", wanted.clone()).await);
    let other = author.post("/v1/tags", json!({"name": "Sea"})).await;
    other.problem(422, "idempotency_key_reused");
    author.post("/v1/articles", json!({"headline": "Sea"})).await.problem(422, "idempotency_key_reused");
    // Somebody else's key is another one.
    let editor = app.editor().await.header("idempotency-key", "5f0b9a52-8b44-4d0c-9a3e-0f6f2b6f7d11");
    editor.post("/v1/tags", json!({"name": "Sea"})).await.expect(201);
    assert_eq!(app.anonymous().get("/v1/tags").await.each("name"), ["Port", "Sea"]);
    let log = app.admin().await.get("/v1/audit?action=create_tag").await.expect(200);
    assert_eq!(log.each("id").len(), 2);
}

#[actix_web::test]
async fn what_failed_can_be_tried_again() {
    let app = TestApp::start().await;
    let author = app.author().await.header("idempotency-key", "k");
    author.post("/v1/tags", json!({"name": ""})).await.problem(422, "invalid");
    let first = author.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    same(&first, &author.post("/v1/tags", json!({"name": "Port"})).await);
    let taken = app.author().await.header("idempotency-key", "other");
    for _ in 0..2 {
        taken.post("/v1/tags", json!({"name": "Port", "slug": "port"})).await.problem(409, "taken");
    }
}

#[actix_web::test]
async fn steps_and_answers_without_a_body_are_kept_too() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let draft = app.draft("Bridge").await;
    let keyed = editor.header("idempotency-key", "publish");
    let path = format!("{}/publish", path_of(&draft));
    let first = keyed.act(&path).await.expect(200);
    same(&first, &keyed.act(&path).await);
    keyed.post(&path, json!({"note": "x"})).await.problem(422, "idempotency_key_reused");
    let keyed = editor.header("idempotency-key", "logout");
    keyed.act("/v1/auth/logout").await.expect(204);
    keyed.act("/v1/auth/logout").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn of_many_at_once_one_is_done() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for round in 0..10 {
        let keyed = author.header("idempotency-key", &format!("round {round}"));
        let requests: Vec<_> = (0..6)
            .map(|_| {
                let keyed = keyed.clone();
                actix_web::rt::spawn(async move {
                    keyed.post("/v1/articles", json!({"headline": format!("Round {round}")})).await
                })
            })
            .collect();
        let mut ids = std::collections::BTreeSet::new();
        for request in requests {
            ids.insert(request.await.unwrap().expect(201).id());
        }
        assert_eq!(ids.len(), 1);
    }
    let drafts = author.get("/v1/articles?stage=draft&count=true").await.expect(200);
    assert_eq!(drafts.json["page"]["total"], 10);
}

#[actix_web::test]
async fn each_action_of_many_is_for_itself_under_a_key() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let (one, other) = (app.draft("One").await, app.draft("Other").await);
    let keyed = editor.header("idempotency-key", "bulk");
    let actions = json!({"actions": [
        {"action": "publish", "article": one.id()}, {"action": "unpublish", "article": other.id()},
        {"action": "publish", "article": "nowhere"}, {"action": "publish", "article": other.id()}
    ]});
    let first = keyed.post("/v1/articles/bulk", actions.clone()).await.expect(200);
    same(&first, &keyed.post("/v1/articles/bulk", actions).await);
    let mut live = app.anonymous().get("/v1/articles").await.expect(200).each("headline").join(" ");
    live.make_ascii_lowercase();
    assert!(live.contains("one") && live.contains("other"), "{live}");
}

#[actix_web::test]
async fn secrets_are_told_again_to_those_who_ask_the_same() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let keyed = author.header("idempotency-key", "token");
    let wanted = json!({"name": "Robot", "scopes": []});
    let first = keyed.post("/v1/tokens", wanted.clone()).await.expect(201);
    same(&first, &keyed.post("/v1/tokens", wanted).await);
    let (_, token) = app.another_session(&author).await;
    let reader = app.anonymous().header("idempotency-key", "refresh");
    let refresh = json!({"refresh_token": token});
    let first = reader.post("/v1/auth/refresh", refresh.clone()).await.expect(200);
    // A lost answer does not end the session.
    same(&first, &reader.post("/v1/auth/refresh", refresh).await);
    app.with_token(first.json["access_token"].as_str()).get("/v1/me").await.expect(200);
    let login = json!({"email": author.user().email, "password": PASSWORD});
    let reader = app.anonymous().header("idempotency-key", "login");
    let first = reader.post("/v1/auth/login", login.clone()).await.expect(200);
    same(&first, &reader.post("/v1/auth/login", login).await);
    let other = json!({"email": author.user().email, "password": "guessed"});
    reader.post("/v1/auth/login", other).await.problem(422, "idempotency_key_reused");
    // What is kept of it tells nothing.
    if let Some(path) = app.sqlite_path() {
        let db = rusqlite::Connection::open(path).unwrap();
        let mut rows = db.prepare("SELECT key_hash, sealed_answer FROM idempotency_keys").unwrap();
        let kept: Vec<(String, Vec<u8>)> =
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert_eq!(kept.len(), 3);
        for (_, sealed) in kept {
            let text = String::from_utf8_lossy(&sealed);
            assert!(!text.contains("masthead_") && !text.contains("access_token"));
        }
    }
}

#[actix_web::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    let robot =
        author.post("/v1/tokens", json!({"name": "Robot", "scopes": ["articles:write"]})).await.expect(201);
    let robot = app.with_token(robot.json["token"].as_str()).header("idempotency-key", "daily");
    let wanted = json!({"headline": "Weather"});
    let first = robot.post("/v1/articles", wanted.clone()).await.expect(201).id();
    masthead::service::auth::clean_up(&app.newsroom).await.unwrap();
    assert_eq!(robot.post("/v1/articles", wanted.clone()).await.expect(201).id(), first);
    app.newsroom.clock.advance(chrono::TimeDelta::hours(25));
    masthead::service::auth::clean_up(&app.newsroom).await.unwrap();
    assert_ne!(robot.post("/v1/articles", wanted).await.expect(201).id(), first);
}

#[actix_web::test]
async fn a_bad_key_is_told() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for key in ["", "x\ty", &"x".repeat(256)] {
        let answer = author.header("idempotency-key", key).post("/v1/tags", json!({"name": "Port"})).await;
        answer.problem(400, "invalid_parameter").fault("Idempotency-Key", "bad_format");
    }
    // It has no say where nothing is made.
    author.header("idempotency-key", "k").get("/v1/tags").await.expect(200);
    assert_eq!(app.anonymous().get("/v1/tags").await.json["data"], Value::Array(Vec::new()));
}
