//! Sessions: refresh, log out, list, and what ends them.

use chrono::TimeDelta;
use masthead::{
    domain::{
        id::SessionId,
        instant::Instant,
        session::{LoginMethod, Session},
    },
    store::sessions,
};
use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp};

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/v1/auth/refresh", json!({"refresh_token": token})).await
}

fn text<'a>(answer: &'a Answer, member: &str) -> &'a str {
    answer.json[member].as_str().unwrap()
}

#[actix_web::test]
async fn a_session_goes_on_with_one_refresh_token_after_the_other() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (first, mut token) = app.another_session(&author).await;
    for _ in 0..3 {
        let next = refresh(&app, &token).await.expect(200);
        assert_eq!(next.header("cache-control"), "private, no-store");
        assert_ne!(text(&next, "refresh_token"), token);
        app.with_token(Some(text(&next, "access_token"))).get("/v1/me").await.expect(200);
        token = text(&next, "refresh_token").to_owned();
    }
    // Those before are still good until they expire.
    first.get("/v1/me").await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(11));
    first.get("/v1/me").await.problem(401, "unauthenticated");
    refresh(&app, &token).await.expect(200);
    for nonsense in ["x", "masthead_rt_guess", &token[..token.len() - 1]] {
        refresh(&app, nonsense).await.problem(401, "bad_refresh_token");
    }
}

#[actix_web::test]
async fn a_refresh_token_that_is_used_twice_ends_the_session() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (client, stolen) = app.another_session(&author).await;
    let next = refresh(&app, &stolen).await.expect(200);
    refresh(&app, &stolen).await.problem(401, "bad_refresh_token");
    // Neither the thief nor the victim goes on.
    refresh(&app, text(&next, "refresh_token")).await.problem(401, "bad_refresh_token");
    client.get("/v1/me").await.problem(401, "unauthenticated");
    app.with_token(Some(text(&next, "access_token"))).get("/v1/me").await.problem(401, "unauthenticated");
    // Other sessions do.
    author.get("/v1/me").await.expect(200);
    let events = app.admin().await.get("/v1/audit?action=refresh").await.expect(200);
    assert_eq!(events.each("outcome"), ["refused"]);
    assert_eq!(events.json["data"][0]["actor"]["id"], json!(author.user().id));
}

#[actix_web::test]
async fn of_two_who_refresh_at_once_one_goes_on_at_most() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for _ in 0..10 {
        let (_, token) = app.another_session(&author).await;
        let (one, other) = tokio::join!(refresh(&app, &token), refresh(&app, &token));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
}

#[actix_web::test]
async fn logging_out_ends_the_session_at_once() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (one, one_token) = app.another_session(&author).await;
    let (other, other_token) = app.another_session(&author).await;
    one.get("/v1/me").await.expect(200);
    one.act("/v1/auth/logout").await.expect(204);
    one.get("/v1/me").await.problem(401, "unauthenticated");
    one.act("/v1/auth/logout").await.problem(401, "unauthenticated");
    refresh(&app, &one_token).await.problem(401, "bad_refresh_token");
    other.get("/v1/me").await.expect(200);
    other.act("/v1/auth/logout-everywhere").await.expect(204);
    for client in [&other, &author] {
        client.get("/v1/me").await.problem(401, "unauthenticated");
    }
    refresh(&app, &other_token).await.problem(401, "bad_refresh_token");
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let app = TestApp::start().await;
    let (author, admin) = (app.author().await, app.admin().await);
    let phone = app.with_token(None).header("user-agent", "Phone/1");
    let credentials = json!({"email": author.user().email, "password": PASSWORD});
    let answer = phone.post("/v1/auth/login", credentials).await.expect(200);
    let phone_session = text(&answer, "session_id").to_owned();
    let list = author.get("/v1/sessions").await.expect(200);
    let data = list.json["data"].as_array().unwrap();
    assert_eq!(data.len(), 2);
    let (phones, others): (Vec<_>, Vec<_>) = data.iter().partition(|session| session["id"] == *phone_session);
    assert_eq!((&phones[0]["user_agent"], &phones[0]["is_current"]), (&json!("Phone/1"), &json!(false)));
    assert_eq!((&phones[0]["address"], &phones[0]["method"]), (&json!("127.0.0.1"), &json!("password")));
    assert_eq!(others[0]["is_current"], true);

    let path = format!("/v1/sessions/{phone_session}");
    app.editor().await.delete(&path).await.problem(404, "not_found");
    author.delete(&path).await.expect(204);
    author.delete(&path).await.problem(404, "not_found");
    let gone = app.with_token(Some(text(&answer, "access_token")));
    gone.get("/v1/me").await.problem(401, "unauthenticated");

    let of_author = format!("/v1/sessions?user={}", author.user().id);
    app.editor().await.get(&of_author).await.problem(403, "forbidden");
    let left = admin.get(&of_author).await.expect(200).each("id").join("");
    admin.delete(&format!("/v1/sessions/{left}")).await.expect(204);
    author.get("/v1/me").await.problem(401, "unauthenticated");
    admin.get("/v1/sessions?user=7").await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_session_that_nobody_uses_ends() {
    let app = TestApp::start_with_tokens_for(60).await;
    let author = app.author().await;
    let (_, unused) = app.another_session(&author).await;
    let (_, used) = app.another_session(&author).await;
    app.newsroom.clock.advance(TimeDelta::days(29));
    let next = refresh(&app, &used).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::days(2));
    refresh(&app, &unused).await.problem(401, "bad_refresh_token");
    let next = refresh(&app, text(&next, "refresh_token")).await.expect(200);
    let client = app.with_token(Some(text(&next, "access_token")));
    masthead::service::auth::clean_up(&app.newsroom).await.unwrap();
    assert_eq!(client.get("/v1/sessions").await.expect(200).each("method").len(), 1);
}

#[actix_web::test]
async fn another_password_ends_every_session() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (client, token) = app.another_session(&author).await;
    let new = "lantern tidal staple 17";
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let path = "/v1/auth/password";
    let weak = client.post(path, change(PASSWORD, "passwordpassword")).await.problem(422, "invalid");
    weak.fault("/new_password", "too_weak");
    let wrong = client.post(path, change("something else", new)).await.problem(422, "invalid");
    wrong.fault("/current_password", "wrong_password");
    client.post(path, json!({"new_password": new})).await.fault("/current_password", "required");
    let changed = client.post(path, change(PASSWORD, new)).await.expect(200);
    for old in [&client, &author] {
        old.get("/v1/me").await.problem(401, "unauthenticated");
    }
    refresh(&app, &token).await.problem(401, "bad_refresh_token");
    app.with_token(Some(text(&changed, "access_token"))).get("/v1/me").await.expect(200);
    refresh(&app, text(&changed, "refresh_token")).await.expect(200);
    app.log_in(&author.user().email, PASSWORD).await.problem(401, "bad_credentials");
    app.log_in(&author.user().email, new).await.expect(200);
}

#[actix_web::test]
async fn a_user_has_a_bounded_number_of_sessions() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (oldest, _) = app.another_session(&author).await;
    // Without a hundred password hashes.
    let user = author.user();
    let later = Instant::from_millis(app.newsroom.clock.now().millis() + 60_000);
    for number in 0..100 {
        let session = Session {
            id: SessionId::new(app.newsroom.ids.next()),
            user_id: user.id,
            method: LoginMethod::Password,
            address: "192.0.2.1".parse().unwrap(),
            user_agent: None,
            created_at: later,
            used_at: later,
            expires_at: Instant::from_millis(later.millis() + 60_000),
        };
        let insert = move |db: &mut _| sessions::insert(db, &session, &number.to_string());
        app.newsroom.store.write(insert).await.unwrap();
    }
    oldest.get("/v1/me").await.problem(401, "unauthenticated");
    let sessions = app.admin().await.get(&format!("/v1/sessions?user={}", user.id)).await.expect(200);
    assert_eq!(sessions.json["data"].as_array().map(Vec::len), Some(100));
}

#[actix_web::test]
async fn failures_make_the_next_attempt_wait() {
    let app = TestApp::start_with_tokens_for(60).await;
    let (author, editor) = (app.author().await, app.editor().await);
    let emails = [author.user().email.as_str(), "nobody@newsroom.example"];
    let mut waits = Vec::new();
    for email in emails {
        for _ in 0..5 {
            app.log_in(email, "a wrong password").await.problem(401, "bad_credentials");
        }
        // Not even with the right password, and the same for an address that nobody has.
        let mut refused = app.log_in(email, PASSWORD).await.problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), "1");
        refused.json["request_id"] = Value::Null;
        waits.push(refused.json);
    }
    assert_eq!(waits[0], waits[1]);
    // Colleagues behind the same address come in.
    app.log_in(&editor.user().email, PASSWORD).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::seconds(2));
    app.log_in(emails[0], "a wrong password").await.problem(401, "bad_credentials");
    let refused = app.log_in(emails[0], PASSWORD).await.problem(429, "too_many_attempts");
    assert_eq!(refused.header("retry-after"), "2", "longer each time");
    app.newsroom.clock.advance(TimeDelta::seconds(3));
    app.log_in(emails[0], PASSWORD).await.expect(200);
    // That is forgotten now.
    for _ in 0..5 {
        app.log_in(emails[0], "a wrong password").await.problem(401, "bad_credentials");
    }
    let log = app.admin().await.get("/v1/audit?action=login&outcome=failed&limit=100").await.expect(200);
    assert_eq!(log.json["data"].as_array().map(Vec::len), Some(16));
    assert!(!log.text.contains("a wrong password"));
}

#[actix_web::test]
async fn attempts_at_once_get_no_further_than_one_after_the_other() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let wrong = json!({"email": author.user().email, "password": "a wrong password"});
    let attempts: Vec<_> = (0..40)
        .map(|_| {
            let (client, wrong) = (app.anonymous(), wrong.clone());
            actix_web::rt::spawn(async move { client.post("/v1/auth/login", wrong).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for attempt in attempts {
        statuses.push(attempt.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
}

#[actix_web::test]
async fn an_idempotency_key_does_not_hide_failures() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for key in 0..5 {
        let client = app.anonymous().header("idempotency-key", &format!("key-{key}"));
        let wrong = json!({"email": author.user().email, "password": "a wrong password"});
        client.post("/v1/auth/login", wrong).await.problem(401, "bad_credentials");
    }
    app.log_in(&author.user().email, PASSWORD).await.problem(429, "too_many_attempts");
    // Nor the reuse of a refresh token.
    let (client, token) = app.another_session(&app.editor().await).await;
    refresh(&app, &token).await.expect(200);
    let thief = app.anonymous().header("idempotency-key", "thief");
    thief.post("/v1/auth/refresh", json!({"refresh_token": token})).await.problem(401, "bad_refresh_token");
    client.get("/v1/me").await.problem(401, "unauthenticated");
}
