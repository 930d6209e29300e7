//! Users: invite, edit, suspend, delete.

use serde_json::{Value, json};

use crate::app::{PASSWORD, TestApp};

const NEW: &str = "lantern tidal staple 17";

#[actix_web::test]
async fn an_invited_user_sets_a_password_and_comes_in() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let wanted = json!({"email": "Nell@Newsroom.example", "name": "Nell", "role": "author"});
    let invited = admin.post("/v1/users", wanted.clone()).await.expect(201);
    assert_eq!(
        (&invited.json["email"], &invited.json["has_password"]),
        (&json!("nell@newsroom.example"), &json!(false))
    );
    let token = invited.json["invitation"]["token"].as_str().unwrap();
    let url = invited.json["invitation"]["url"].as_str().unwrap();
    assert_eq!(url, format!("https://cms.newsroom.example/password#{token}"));
    app.anonymous().raw().get("/password").await.expect(200);
    admin.post("/v1/users", wanted).await.problem(409, "taken");
    for nobody in ["", "x", NEW, PASSWORD] {
        app.log_in("nell@newsroom.example", &format!("{nobody}x")).await.problem(401, "bad_credentials");
    }
    let redeem = |token: &str, password: &str| {
        let (client, body) = (app.anonymous(), json!({"token": token, "password": password}));
        async move { client.post("/v1/auth/password-link", body).await }
    };
    redeem("masthead_link_guess", NEW).await.problem(410, "dead_link");
    redeem(token, "passwordpassword").await.problem(422, "invalid").fault("/password", "too_weak");
    redeem(token, NEW).await.expect(204);
    redeem(token, NEW).await.problem(410, "dead_link");
    app.newsroom.clock.advance(chrono::TimeDelta::hours(1));
    app.log_in("nell@newsroom.example", NEW).await.expect(200);
}

#[actix_web::test]
async fn an_administrator_helps_who_has_forgotten_the_password() {
    let app = TestApp::start_with_tokens_for(60).await;
    let (admin, author) = (app.admin().await, app.author().await);
    let path = format!("/v1/users/{}/password-link", author.user().id);
    let first = admin.act(&path).await.expect(201).json["token"].clone();
    let second = admin.act(&path).await.expect(201).json["token"].clone();
    // Until the link is used nothing has changed.
    author.get("/v1/me").await.expect(200);
    let redeem = |token: &Value| {
        let (client, body) = (app.anonymous(), json!({"token": token, "password": NEW}));
        async move { client.post("/v1/auth/password-link", body).await }
    };
    redeem(&first).await.problem(410, "dead_link");
    redeem(&second).await.expect(204);
    author.get("/v1/me").await.problem(401, "unauthenticated");
    app.log_in(&author.user().email, PASSWORD).await.problem(401, "bad_credentials");
    app.log_in(&author.user().email, NEW).await.expect(200);
    let late = admin.act(&path).await.expect(201).json["token"].clone();
    app.newsroom.clock.advance(chrono::TimeDelta::days(4));
    redeem(&late).await.problem(410, "dead_link");
}

#[actix_web::test]
async fn a_link_is_used_once_by_those_who_try_at_once() {
    let app = TestApp::start().await;
    let (admin, author) = (app.admin().await, app.author().await);
    for round in 0..5 {
        let path = format!("/v1/users/{}/password-link", author.user().id);
        let token = admin.act(&path).await.expect(201).json["token"].clone();
        let redeem = |which: &str| {
            let body = json!({"token": token, "password": format!("{NEW} {which} {round}")});
            let client = app.anonymous();
            async move { client.post("/v1/auth/password-link", body).await.status.as_u16() }
        };
        let (one, other) = tokio::join!(redeem("one"), redeem("other"));
        let mut statuses = [one, other];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 410]);
    }
}

#[actix_web::test]
async fn another_role_and_a_suspension_take_effect_at_once() {
    let app = TestApp::start_with_tokens_for(60).await;
    let (admin, author) = (app.admin().await, app.author().await);
    let path = format!("/v1/users/{}", author.user().id);
    let found = admin.get(&path).await.expect(200);
    author.post("/v1/sections", json!({"name": "City"})).await.problem(403, "forbidden");
    let edited = admin.if_match(&found.etag()).patch(&path, json!({"role": "editor"})).await.expect(200);
    assert_eq!((&edited.json["role"], &edited.json["version"]), (&json!("editor"), &json!(2)));
    admin.if_match(&found.etag()).patch(&path, json!({"role": "admin"})).await.problem(412, "stale");
    author.post("/v1/sections", json!({"name": "City"})).await.expect(201);
    let (client, refresh_token) = app.another_session(&author).await;
    admin.patch(&path, json!({"suspended": true})).await.expect(200);
    for client in [&client, &author] {
        client.get("/v1/tags").await.problem(401, "unauthenticated");
    }
    let refresh = json!({"refresh_token": refresh_token});
    app.anonymous().post("/v1/auth/refresh", refresh.clone()).await.problem(401, "bad_refresh_token");
    app.log_in(&author.user().email, PASSWORD).await.problem(401, "bad_credentials");
    admin.act(&format!("{path}/password-link")).await.problem(409, "conflict");
    // Who is let in again logs in again.
    admin
        .patch(&path, json!({"suspended": false, "email": "ada@newsroom.example", "name": "Ada"}))
        .await
        .expect(200);
    author.get("/v1/tags").await.problem(401, "unauthenticated");
    app.anonymous().post("/v1/auth/refresh", refresh).await.problem(401, "bad_refresh_token");
    app.log_in("ada@newsroom.example", PASSWORD).await.expect(200);
    admin.patch(&path, json!({"email": admin.user().email})).await.problem(409, "taken");
    let log =
        admin.get(&format!("/v1/audit?entity=user&entity_id={}&action=update_user", author.user().id)).await;
    let event = &log.expect(200).json["data"][2];
    assert_eq!((&event["before"]["role"], &event["after"]["role"]), (&json!("author"), &json!("editor")));
}

#[actix_web::test]
async fn the_last_administrator_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let path = format!("/v1/users/{}", admin.user().id);
    for change in [json!({"role": "editor"}), json!({"suspended": true})] {
        admin.patch(&path, change).await.problem(409, "conflict");
    }
    admin.delete(&path).await.problem(409, "conflict");
    admin.patch(&path, json!({"name": "Abe"})).await.expect(200);
    // One who is suspended does not count.
    let wanted = json!({"email": "second@newsroom.example", "name": "Second", "role": "admin"});
    let second = admin.post("/v1/users", wanted).await.expect(201);
    let second = format!("/v1/users/{}", second.id());
    admin.patch(&second, json!({"suspended": true})).await.expect(200);
    admin.patch(&path, json!({"role": "editor"})).await.problem(409, "conflict");
    admin.patch(&second, json!({"suspended": false})).await.expect(200);
    admin.patch(&path, json!({"role": "editor"})).await.expect(200);
    admin.get("/v1/users").await.problem(403, "forbidden");
}

#[actix_web::test]
async fn two_administrators_do_not_demote_each_other() {
    let app = TestApp::start().await;
    let (abe, zoe) = (app.admin().await, app.user(masthead::domain::user::Role::Admin, "Zoe Admin").await);
    let demote = |by: &crate::app::Client, whom: &crate::app::Client| {
        let (by, path) = (by.clone(), format!("/v1/users/{}", whom.user().id));
        async move { by.patch(&path, json!({"role": "editor"})).await.status.as_u16() }
    };
    let (one, other) = tokio::join!(demote(&abe, &zoe), demote(&zoe, &abe));
    let done = [one, other].iter().filter(|status| **status == 200).count();
    assert_eq!(done, 1, "{one} {other}");
}

#[actix_web::test]
async fn who_has_made_something_is_not_deleted() {
    let app = TestApp::start().await;
    let (admin, author) = (app.admin().await, app.author().await);
    app.draft_of(&author, "Mine", json!({})).await;
    let path = format!("/v1/users/{}", author.user().id);
    admin.delete(&path).await.problem(409, "in_use");
    let contributor = app.contributor().await;
    contributor.post("/v1/tokens", json!({"name": "Robot", "scopes": []})).await.expect(201);
    admin.delete(&format!("/v1/users/{}", contributor.user().id)).await.expect(204);
    contributor.get("/v1/tags").await.problem(401, "unauthenticated");
    app.log_in(&contributor.user().email, PASSWORD).await.problem(401, "bad_credentials");
    admin.get(&format!("/v1/users/{}", contributor.user().id)).await.problem(404, "not_found");
}

#[actix_web::test]
async fn users_are_listed_by_address_with_their_author_profiles() {
    let app = TestApp::start().await;
    let (admin, author, editor) = (app.admin().await, app.author().await, app.editor().await);
    let profile =
        editor.post("/v1/authors", json!({"name": "Ada", "user_id": author.user().id})).await.expect(201);
    let found = admin.get(&format!("/v1/users/{}", author.user().id)).await.expect(200);
    assert_eq!(found.json["author_id"], profile.json["id"]);
    assert_eq!(author.get("/v1/me").await.expect(200).json["author_id"], profile.json["id"]);
    let first = admin.get("/v1/users?limit=2&count=true").await.expect(200);
    assert_eq!(first.each("name"), ["Abe Admin", "Ada Author"]);
    assert_eq!(first.json["page"]["total"], 3);
    let next = first.json["page"]["next"].as_str().unwrap();
    assert_eq!(
        admin.get(&format!("/v1/users?limit=2&cursor={next}")).await.expect(200).each("name"),
        ["Edda Editor"]
    );
    assert_eq!(admin.get("/v1/users?role=editor").await.expect(200).each("name"), ["Edda Editor"]);
    assert!(admin.get("/v1/users?suspended=true").await.expect(200).each("name").is_empty());
    let hidden = ["password_hash", "$argon2", "totp"];
    assert!(hidden.iter().all(|text| !first.text.contains(text)));
}
