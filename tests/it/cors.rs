//! `OPTIONS`, and pages of other origins.

use masthead::http::{cors::CorsOptions, options::HttpOptions};
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use crate::app::{Answer, Client, TestApp};

const DESK: &str = "https://desk.example.org";
const OTHER: &str = "https://other.example";

async fn start(public_reads: bool) -> TestApp {
    let cors =
        CorsOptions { public_reads, origins: vec![DESK.to_owned(), "http://localhost:5173".to_owned()] };
    TestApp::start_with(HttpOptions { cors, ..HttpOptions::default() }).await
}

async fn preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> Answer {
    let client = app.anonymous().raw().header("origin", origin);
    let client = client.header("access-control-request-method", method);
    options(&client.header("access-control-request-headers", headers), "/v1/tags").await
}

async fn options(client: &Client, path: &str) -> Answer {
    client.send(Method::OPTIONS, path, None).await
}

fn cors(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("access-control")).collect()
}

fn words<'a>(answer: &'a Answer, header: &str) -> Vec<&'a str> {
    answer.header(header).split(", ").collect()
}

#[actix_web::test]
async fn anybody_may_read_without_credentials() {
    let app = TestApp::start().await;
    for client in [app.anonymous(), app.anonymous().header("origin", OTHER)] {
        for (path, status) in [("/v1/tags", 200), ("/v1/tags/nowhere", 404), ("/v1/tags?x=1", 400)] {
            for answer in [client.get(path).await.expect(status), client.head(path).await.expect(status)] {
                assert_eq!(answer.header("access-control-allow-origin"), "*");
                let exposed = words(&answer, "access-control-expose-headers");
                assert!(exposed.contains(&"ETag") && exposed.contains(&"Link"), "{exposed:?}");
                assert!(exposed.contains(&"RateLimit") && exposed.contains(&"Retry-After"), "{exposed:?}");
                // The same for everybody, so caches need not tell origins apart.
                let vary = answer.headers.get("vary").map_or("", |vary| vary.to_str().unwrap());
                assert!(!vary.to_lowercase().contains("origin"), "{vary}");
            }
        }
        let etag = client.get("/v1/tags").await.etag();
        let known = client.header("if-none-match", &etag).get("/v1/tags").await.expect(304);
        assert_eq!(known.header("access-control-allow-origin"), "*");
        let refused = client.post("/v1/tags", json!({"name": "Port"})).await.expect(401);
        assert!(cors(&refused.headers).is_empty());
    }
    for page in ["/openapi.json", "/problems/stale"] {
        let answer = app.anonymous().raw().get(page).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[actix_web::test]
async fn origins_that_are_not_listed_get_no_credentials_through() {
    for app in [TestApp::start().await, start(true).await] {
        for origin in [
            OTHER,
            "null",
            "https://desk.example.org.evil.example",
            "http://desk.example.org",
            "https://desk.example.org:8443",
            "https://sub.desk.example.org",
        ] {
            let answer = preflight(&app, origin, "PATCH", "authorization, if-match").await.expect(204);
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{origin}");
            assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD");
            let headers = words(&answer, "access-control-allow-headers");
            assert!(headers.contains(&"If-None-Match") && headers.contains(&"Accept"), "{headers:?}");
            for denied in ["*", "Authorization", "Content-Type", "If-Match"] {
                assert!(!headers.contains(&denied), "{headers:?}");
            }
            assert!(answer.headers.get("access-control-allow-credentials").is_none());
        }
    }
}

#[actix_web::test]
async fn listed_origins_may_do_everything() {
    let app = start(true).await;
    for origin in [DESK, "http://localhost:5173"] {
        let answer = preflight(&app, origin, "PATCH", "authorization").await.expect(204);
        assert_eq!(answer.text, "");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-max-age"), "7200");
        assert_eq!(words(&answer, "vary"), ["Origin"]);
        let methods = words(&answer, "access-control-allow-methods");
        assert_eq!(methods, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
        let headers = words(&answer, "access-control-allow-headers");
        for allowed in ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"] {
            assert!(headers.contains(&allowed), "{headers:?}");
        }
        let author = app.author().await.header("origin", origin);
        let name = format!("Port {}", origin.len());
        let made = author.post("/v1/tags", json!({"name": name})).await.expect(201);
        let anonymous = app.anonymous().header("origin", origin);
        let refused = anonymous.post("/v1/tags", json!({"name": "Quay"})).await.expect(401);
        for answer in [answer, made, refused, author.get("/v1/tags").await] {
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert!(answer.headers.get("access-control-allow-credentials").is_none());
            assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
        }
    }
    // What is kept for one origin is not given to another.
    let public = app.anonymous().get("/v1/tags").await.expect(200);
    assert_eq!(public.header("access-control-allow-origin"), "*");
    assert!(public.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
}

#[actix_web::test]
async fn reading_can_be_closed_to_other_origins() {
    let app = start(false).await;
    for client in [app.anonymous(), app.anonymous().header("origin", OTHER)] {
        let answer = client.get("/v1/tags").await.expect(200);
        assert!(cors(&answer.headers).is_empty());
        assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
    }
    let answer = preflight(&app, OTHER, "GET", "if-none-match").await.expect(204);
    assert!(cors(&answer.headers).is_empty());
    let desk = app.anonymous().header("origin", DESK).get("/v1/tags").await.expect(200);
    assert_eq!(desk.header("access-control-allow-origin"), DESK);
}

#[actix_web::test]
async fn options_tells_the_methods_of_a_path() {
    let app = TestApp::start().await;
    let raw = app.anonymous().raw();
    for (path, methods) in [
        ("/v1/tags", "GET, HEAD, POST, OPTIONS"),
        ("/v1/tags/any", "DELETE, GET, HEAD, PATCH, OPTIONS"),
        ("/v1/auth/login", "POST, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/setup", "GET, HEAD, OPTIONS"),
    ] {
        let answer = options(&raw, path).await.expect(204);
        assert_eq!((answer.header("allow"), answer.text.as_str()), (methods, ""), "{path}");
        assert!(answer.headers.get("access-control-allow-methods").is_none(), "{path}");
    }
    for path in ["/nothing", "/v1/nothing", "/v1/tags/"] {
        options(&raw, path).await.problem(404, "not_found");
    }
}
