//! How many requests a client may send.

use masthead::{
    domain::user::Role,
    http::{limits::RateLimits, options::HttpOptions},
};
use serde_json::json;

use crate::app::{Answer, PASSWORD, TestApp};

/// What tests can spend; at these rates nothing comes back while they run.
const LIMITS: RateLimits = RateLimits { logins: 3, anonymous_reads: 2, reads: 2, writes: 2 };

async fn start(limits: RateLimits) -> TestApp {
    TestApp::start_with(HttpOptions { limits, ..HttpOptions::default() }).await
}

fn state(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

#[actix_web::test]
async fn answers_tell_what_is_left_until_nothing_is() {
    let app = start(LIMITS).await;
    let reader = app.anonymous();
    let policy = "\"anonymous-reads\";q=2;w=60";
    let first = reader.get("/v1/tags").await.expect(200);
    assert_eq!(state(&first), (policy, "\"anonymous-reads\";r=1;t=30"));
    // What is not there, cannot be read or is known to the caller costs the same.
    let second = reader.get("/v1/tags/nowhere").await.problem(404, "not_found");
    assert_eq!(state(&second), (policy, "\"anonymous-reads\";r=0;t=60"));
    for path in ["/v1/tags", "/v1/tags?nonsense=1", "/v1/articles"] {
        let refused = reader.get(path).await.problem(429, "rate_limited");
        assert_eq!(state(&refused), (policy, "\"anonymous-reads\";r=0;t=60"));
        let seconds: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=31).contains(&seconds), "{seconds}");
        assert_eq!(refused.header("cache-control"), "no-store");
    }
    assert_eq!(reader.head("/v1/tags").await.expect(429).header("ratelimit-policy"), policy);
    reader.raw().get("/nothing").await.problem(429, "rate_limited");
    reader.header("authorization", "Bearer x").get("/v1/tags").await.problem(429, "rate_limited");
}

#[actix_web::test]
async fn a_whole_budget_may_be_spent_at_once() {
    let app = start(RateLimits { anonymous_reads: 6000, ..RateLimits::default() }).await;
    let answer = app.anonymous().get("/v1/tags").await.expect(200);
    assert_eq!(state(&answer), ("\"anonymous-reads\";q=6000;w=60", "\"anonymous-reads\";r=5999;t=1"));
    let etag = answer.etag();
    let known = app.anonymous().header("if-none-match", &etag).get("/v1/tags").await.expect(304);
    assert!(known.header("ratelimit").starts_with("\"anonymous-reads\";r=5"));
}

#[actix_web::test]
async fn each_kind_of_request_has_its_own_budget() {
    let app = start(LIMITS).await;
    let (author, reader) = (app.author().await, app.anonymous());
    for _ in 0..2 {
        reader.get("/v1/tags").await.expect(200);
        author.get("/v1/tags").await.expect(200);
        author.post("/v1/tags", json!({})).await.problem(422, "invalid");
        reader.post("/v1/tags", json!({"name": "Port"})).await.problem(401, "unauthenticated");
        let wrong = json!({"email": "nobody@newsroom.example", "password": PASSWORD});
        reader.post("/v1/auth/login", wrong).await.problem(401, "bad_credentials");
    }
    let refused = reader.get("/v1/tags").await.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"anonymous-reads\";q=2;w=60");
    let refused = author.get("/v1/tags").await.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"reads\";q=2;w=60");
    for client in [&author, &reader] {
        let refused = client.post("/v1/tags", json!({})).await.problem(429, "rate_limited");
        assert_eq!(refused.header("ratelimit-policy"), "\"writes\";q=2;w=60");
    }
    // The harness has logged in once.
    let right = json!({"email": author.user().email.as_str(), "password": PASSWORD});
    let refused = reader.post("/v1/auth/login", right).await.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"logins\";q=3;w=60");
}

#[actix_web::test]
async fn nothing_that_a_client_chooses_makes_it_another() {
    let app = start(RateLimits { logins: 3, ..RateLimits::default() }).await;
    let login = |email: &str| json!({"email": email, "password": PASSWORD});
    for number in 0..3 {
        let answer =
            app.anonymous().post("/v1/auth/login", login(&format!("{number}@newsroom.example"))).await;
        answer.problem(401, "bad_credentials");
    }
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
        ("x-real-ip", "192.0.2.1"),
        ("host", "other.example"),
        ("user-agent", "other"),
        ("authorization", "Bearer other"),
        ("x-http-method-override", "GET"),
    ] {
        let client = app.anonymous().header(name, value);
        let answer = client.post("/v1/auth/login", login("other@newsroom.example")).await;
        answer.problem(429, "rate_limited");
    }
    let raw = app.anonymous().raw();
    // Routes see these as the same path.
    for path in ["/v1/%61uth/login", "/v1/auth/logi%6E", "/v1/auth/login?x=1", "/v1/setup", "/v1/%73etup"] {
        raw.post(path, login("other@newsroom.example")).await.problem(429, "rate_limited");
    }
    // No other path leads there.
    for path in ["/v1//auth/login", "/v1/auth%2Flogin", "/V1/auth/login"] {
        raw.post(path, login("other@newsroom.example")).await.problem(404, "not_found");
    }
}

#[actix_web::test]
async fn users_behind_one_address_do_not_share() {
    let app = start(RateLimits { reads: 2, ..RateLimits::default() }).await;
    let (ada, bob) = (app.author().await, app.user(Role::Author, "Bob Author").await);
    for _ in 0..2 {
        ada.get("/v1/tags").await.expect(200);
    }
    ada.get("/v1/tags").await.problem(429, "rate_limited");
    assert_eq!(bob.get("/v1/tags").await.expect(200).header("ratelimit"), "\"reads\";r=1;t=30");
    let anonymous = app.anonymous().get("/v1/tags").await.expect(200);
    assert!(anonymous.headers.get("ratelimit").is_none(), "0 is without limit");
}

#[actix_web::test]
async fn probes_and_preflights_are_free() {
    let app = start(RateLimits { anonymous_reads: 1, writes: 1, ..RateLimits::default() }).await;
    let raw = app.anonymous().raw();
    raw.get("/v1/tags").await.expect(200);
    raw.get("/v1/tags").await.problem(429, "rate_limited");
    for _ in 0..3 {
        for path in ["/healthz", "/readyz"] {
            let answer = app.anonymous().get(path).await.expect(200);
            assert!(answer.headers.get("ratelimit").is_none());
        }
        raw.send(reqwest::Method::OPTIONS, "/v1/tags", None).await.expect(204);
    }
    for path in ["/docs/", "/openapi.json"] {
        raw.get(path).await.problem(429, "rate_limited");
    }
}
