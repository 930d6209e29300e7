//! Two servers on one database, and the keys with which each signs.

use std::{io::Write as _, process::Stdio};

use chrono::TimeDelta;
use masthead::{
    service::{auth::generate_key, signing_keys},
    store::{Store, StoreOptions, signals::Signal},
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, PASSWORD, TestApp},
    newsroom::path_of,
    serve::command,
};

/// Asks until somebody is shut out, for a second at most, which is what nodes are allowed.
async fn is_soon_shut_out(client: &Client) -> bool {
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_secs(1) {
        if client.get("/v1/me").await.status == 401 {
            return true;
        }
    }
    false
}

/// Asks until the answer is like this, for two seconds at most.
async fn soon(client: &Client, path: &str, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
    let begun = std::time::Instant::now();
    loop {
        let answer = client.get(path).await.expect(200);
        if is_wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed().as_secs() < 2, "{path}: {:?} {}", answer.headers, answer.text);
    }
}

fn is_hit(answer: &Answer) -> bool {
    answer.header("server-timing").starts_with("cache;desc=hit")
}

#[actix_web::test]
async fn each_node_takes_the_tokens_of_the_others_and_hears_what_ends_them() {
    let one = TestApp::start().await;
    // SQLite has one server; what several of them need is PostgreSQL.
    if one.sqlite_path().is_some() {
        return;
    }
    let other = one.another_node().await;
    let author = one.author().await;
    let there = |client: &Client| other.with_token(Some(client.token()));
    there(&author).get("/v1/me").await.expect(200);
    let (session, _) = one.another_session(&author).await;
    there(&session).get("/v1/me").await.expect(200);
    session.act("/v1/auth/logout").await.expect(204);
    assert!(is_soon_shut_out(&there(&session)).await, "logging out is heard");
    there(&author).get("/v1/me").await.expect(200);

    let credentials = json!({"email": author.user().email, "password": PASSWORD});
    let login = other.anonymous().post("/v1/auth/login", credentials).await.expect(200);
    let back = one.with_token(login.json["access_token"].as_str());
    back.get("/v1/me").await.expect(200);
    let token = author.post("/v1/tokens", json!({"name": "Robot", "scopes": []})).await.expect(201);
    let robot = other.with_token(token.json["token"].as_str());
    robot.get("/v1/me").await.expect(200);
    let path = format!("/v1/users/{}", author.user().id);
    one.admin().await.patch(&path, json!({"suspended": true})).await.expect(200);
    for client in [&there(&author), &robot] {
        assert!(is_soon_shut_out(client).await, "a suspension is heard");
    }
    back.get("/v1/me").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn a_password_that_a_command_sets_ends_the_sessions_of_a_running_server() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let database = match app.sqlite_path() {
        Some(path) => format!("sqlite:{}", path.display()),
        // Over PostgreSQL nodes hear commands as they hear each other.
        None => return,
    };
    author.get("/v1/me").await.expect(200);
    let data = tempfile::tempdir().unwrap();
    app.keep_secret("another long password 42");
    let mut child = command(data.path())
        .env("MASTHEAD_DATABASE_URL", database)
        .args(["user", "passwd", "--email", &author.user().email, "--password-stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"another long password 42\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(is_soon_shut_out(&author).await, "the server hears what the command did");
}

#[test]
fn what_was_left_before_a_server_listens_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/newsroom.db", folder.path().display()).parse().unwrap();
    let store = Store::open(&StoreOptions { url, connections: 1, synchronous: Default::default() }).unwrap();
    store.migrate().unwrap();
    let (heard, hearing) = std::sync::mpsc::channel();
    store.listen(move |signal| drop(heard.send(signal.clone())));
    store.watch().unwrap();
    // Whether a command has written before the first look or in a time without looks cannot be told.
    let first = hearing.recv_timeout(std::time::Duration::from_secs(20));
    assert_eq!(first, Ok(Signal::Everything));
}

#[actix_web::test]
async fn what_a_node_publishes_is_seen_on_another_whose_clock_is_behind() {
    let one = TestApp::start().await;
    if one.sqlite_path().is_some() {
        return;
    }
    let other = one.another_node().await;
    let reader = other.anonymous();
    let list = "/v1/articles";
    one.newsroom.clock.advance(TimeDelta::seconds(60));
    for (number, headline) in ["Bridge", "Ferry"].into_iter().enumerate() {
        soon(&reader, list, is_hit).await;
        let article = one.published(headline).await;
        // It has heard of it, and by its clock it is not published yet.
        soon(&reader, list, |answer| !is_hit(answer)).await;
        assert_eq!(soon(&reader, list, is_hit).await.each("id").len(), number);
        reader.get(&path_of(&article)).await.problem(404, "not_found");
        other.newsroom.clock.advance(TimeDelta::seconds(60));
        let seen = reader.get(list).await.expect(200);
        assert_eq!((is_hit(&seen), seen.each("id")[0]), (false, article.id().as_str()));
        one.newsroom.clock.advance(TimeDelta::seconds(60));
    }

    // One that begins later has heard nothing of it.
    let article = one.published("Harbour").await;
    let third = one.another_node().await;
    third.newsroom.clock.advance(TimeDelta::seconds(150));
    let reader = third.anonymous();
    assert_eq!(soon(&reader, list, is_hit).await.each("id").len(), 2);
    third.newsroom.clock.advance(TimeDelta::seconds(40));
    let seen = reader.get(list).await.expect(200);
    assert_eq!((is_hit(&seen), seen.each("id")[0]), (false, article.id().as_str()));
}

#[actix_web::test]
async fn a_change_tells_of_the_tree_as_it_is() {
    let app = TestApp::start().await;
    let (city, world) = (app.section("city").await, app.section("world").await);
    let inner = app.section("city/inner").await;
    let draft = app.draft_of(&app.editor().await, "Bridge", json!({"section": "city/inner"})).await;
    app.anonymous().get("/v1/articles?section=world").await.expect(200);
    // Another node has moved the section, and this one has not heard of it.
    let moved = format!("UPDATE sections SET parent_id = {world}, path = '/world/inner' WHERE id = {inner}");
    if !app.on_postgres(&moved) {
        return;
    }
    app.editor().await.act(&format!("{}/publish", path_of(&draft))).await.expect(200);
    let changes = app.anonymous().get("/v1/changes?limit=100").await.expect(200);
    let last = changes.json["data"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["path"], &last["old_path"]), (&json!("/world/inner/bridge"), &Value::Null));
    let lists = |section| last["surrogate_keys"].to_string().contains(&format!("section/{section}/articles"));
    assert_eq!((lists(&inner), lists(&world), lists(&city)), (true, true, false));
}

#[actix_web::test]
async fn caches_in_between_keep_nothing_from_a_node_that_does_not_hear_the_others() {
    let app = TestApp::start().await;
    let path = path_of(&app.published("Bridge").await);
    let reader = app.anonymous();
    let policy = |wanted: &'static str| move |answer: &Answer| answer.header("cache-control") == wanted;
    if !app.deafen() {
        return;
    }
    soon(&reader, &path, policy("public, max-age=0, s-maxage=0, stale-while-revalidate=0")).await;
}

#[actix_web::test]
async fn keys_are_published_and_rotated() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let jwks = app.anonymous().get("/.well-known/jwks.json").await.expect(200);
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let old = kid(author.token());
    assert_eq!(jwks.json["keys"][0]["kid"], *old);
    assert_eq!(
        (&jwks.json["keys"][0]["crv"], &jwks.json["keys"][0]["alg"]),
        (&json!("Ed25519"), &json!("EdDSA"))
    );
    assert!(!jwks.text.contains("\"d\""), "the private half stays here");
    // Anybody can check a token with what is published.
    let key =
        jsonwebtoken::DecodingKey::from_ed_components(jwks.json["keys"][0]["x"].as_str().unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["masthead"]);
    jsonwebtoken::decode::<serde_json::Value>(author.token(), &key, &validation).unwrap();

    let next = generate_key().unwrap();
    signing_keys::succeed(&app.newsroom, &next, false).await.unwrap();
    app.newsroom.tokens.replace_key(&next).unwrap();
    signing_keys::announce(&app.newsroom).await.unwrap();
    let (session, _) = app.another_session(&author).await;
    assert_ne!(kid(session.token()), old);
    for client in [&session, &author] {
        client.get("/v1/me").await.expect(200);
    }
    let jwks = app.anonymous().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(jwks.json["keys"].as_array().map(Vec::len), Some(2));

    let last = generate_key().unwrap();
    signing_keys::succeed(&app.newsroom, &last, true).await.unwrap();
    app.newsroom.tokens.replace_key(&last).unwrap();
    signing_keys::announce(&app.newsroom).await.unwrap();
    session.get("/v1/me").await.problem(401, "unauthenticated");
    app.another_session(&author).await.0.get("/v1/me").await.expect(200);
}

#[actix_web::test]
async fn a_connection_that_the_server_has_cut_is_not_used_again() {
    let app = TestApp::start().await;
    app.published("Bridge").await;
    let reader = app.anonymous();
    reader.get("/v1/articles/bridge").await.expect(200);
    // Not the one on which signals are heard: without it every read would begin a transaction, and find out by that.
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT IN ('LISTEN masthead', 'SELECT 1')";
    if !app.on_postgres(cut) {
        return;
    }
    let mut statuses = Vec::new();
    while statuses.last() != Some(&200) {
        statuses.push(reader.get("/v1/articles").await.status.as_u16());
        assert!(statuses.len() < 20, "{statuses:?}");
    }
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
}
