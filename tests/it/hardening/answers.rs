//! Nothing unkeyed changes an answer, every answer is guarded by its headers, and internals stay inside.

use serde_json::json;

use crate::{
    app::{Answer, TestApp},
    newsroom::path_of,
};

/// Every kind of answer.
async fn answers(app: &TestApp) -> Vec<Answer> {
    let (reader, editor) = (app.anonymous().raw(), app.editor().await.raw());
    let article = app.published("Bridge").await;
    let tag = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let etag = reader.get("/v1/tags/port").await.expect(200).etag();
    app.bold_editor().await.patch("/v1/tags/port", json!({"slug": "harbour"})).await.expect(200);
    vec![
        reader.get("/v1/articles").await.expect(200),
        reader.get(&path_of(&article)).await.expect(200),
        reader.get("/v1/tags/port").await.expect(308),
        reader.header("if-none-match", "*").get("/v1/tags/harbour").await.expect(304),
        reader.header("if-none-match", &etag).get("/v1/tags/harbour").await.expect(200),
        tag,
        editor.delete("/v1/tags/harbour").await.expect(204),
        reader.get("/v1/articles/nowhere").await.expect(404),
        reader.get("/nowhere").await.expect(404),
        reader.get("/v1/articles?nonsense=1").await.expect(400),
        reader.get("/v1/me").await.expect(401),
        app.contributor().await.raw().get("/v1/releases").await.expect(403),
        reader.delete("/v1/articles").await.expect(405),
        editor.patch(&path_of(&article), json!({})).await.expect(428),
        editor.if_match("\"99\"").patch(&path_of(&article), json!({})).await.expect(412),
        editor.post("/v1/tags", json!({})).await.expect(422),
        editor.act("/v1/tags").await.expect(415),
        editor.post("/v1/tags", json!({"name": "x".repeat(3_000_000)})).await.expect(413),
        reader.head("/v1/articles").await.expect(200),
        reader.get("/healthz").await.expect(200),
        reader.get("/readyz").await.expect(200),
        reader.get("/openapi.json").await.expect(200),
        reader.get("/docs").await.expect(301),
        reader.get("/docs/").await.expect(200),
        reader.get("/docs/nowhere").await.expect(404),
        reader.get("/problems/stale").await.expect(200),
        reader.get("/problems/nowhere").await.expect(404),
        reader.get("/setup").await.expect(200),
    ]
}

#[actix_web::test]
async fn every_answer_is_guarded_by_its_headers() {
    let app = TestApp::start().await;
    for answer in answers(&app).await {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(["cross-origin", "same-origin"].contains(&answer.header("cross-origin-resource-policy")));
        for leaky in ["server", "x-powered-by", "set-cookie"] {
            assert!(answer.headers.get(leaky).is_none(), "{leaky}: {:?}", answer.headers);
        }
        if answer.content_type() == "text/html" {
            let policy = answer.header("content-security-policy");
            for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(rule), "{policy}");
            }
            for lax in ["'unsafe-eval'", "script-src 'unsafe-inline'", "script-src *", "http:", "https:"] {
                assert!(!policy.contains(lax), "{policy}");
            }
        }
        let status = answer.status.as_u16();
        if status >= 400 {
            assert_eq!(answer.header("cache-control"), "no-store", "{status}");
        } else if status != 204 && status != 301 {
            assert!(!answer.header("cache-control").is_empty(), "{status}");
        }
    }
}

#[actix_web::test]
async fn what_no_cache_looks_at_changes_no_answer() {
    let app = TestApp::start().await;
    let reader = app.anonymous().raw();
    app.published("Bridge").await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    app.bold_editor().await.patch("/v1/tags/port", json!({"slug": "harbour"})).await.expect(200);
    let paths = [
        "/v1/articles",
        "/v1/articles?limit=1&count=true",
        "/v1/articles/bridge",
        "/v1/tags/port",
        "/v1/tags?limit=1",
        "/v1/resolve?path=/city/bridge",
        "/v1/site",
        "/v1/sections",
        "/v1/changes",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger-initializer.js",
        "/problems/stale",
        "/setup",
        "/healthz",
    ];
    for path in paths {
        let plain = reader.get(path).await;
        assert!(plain.status.is_success() || plain.status.is_redirection(), "{path}: {}", plain.text);
        for (name, value) in [
            ("host", "elsewhere.example"),
            ("x-forwarded-host", "elsewhere.example"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-port", "4444"),
            ("x-forwarded-prefix", "/elsewhere.example"),
            ("x-forwarded-server", "elsewhere.example"),
            ("forwarded", "host=elsewhere.example;proto=gopher;for=127.0.0.1"),
            ("x-host", "elsewhere.example"),
            ("x-original-url", "/elsewhere.example"),
            ("x-rewrite-url", "/elsewhere.example"),
            ("referer", "https://elsewhere.example/"),
            ("user-agent", "elsewhere.example"),
            ("accept", "text/elsewhere.example"),
            ("accept-language", "de"),
            ("cookie", "a=elsewhere.example"),
            ("via", "1.1 elsewhere.example"),
            ("x-request-id", "elsewhere.example"),
            ("content-type", "text/elsewhere.example"),
            ("range", "bytes=0-1"),
            ("pragma", "no-cache"),
            ("upgrade-insecure-requests", "1"),
        ] {
            let answer = reader.header(name, value).get(path).await;
            assert_eq!((answer.status, &answer.text), (plain.status, &plain.text), "{path} with {name}");
            for header in [
                "etag",
                "location",
                "link",
                "cache-control",
                "vary",
                "content-type",
                "content-security-policy",
            ] {
                assert_eq!(
                    answer.headers.get(header),
                    plain.headers.get(header),
                    "{path} with {name}: {header}"
                );
            }
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains("elsewhere.example"), "{path} with {name}: {headers}");
        }
    }
}

#[actix_web::test]
async fn a_redirect_stays_on_this_server() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.patch("/v1/tags/port", json!({"slug": "harbour"})).await.expect(200);
    for target in [
        "/v1/tags/port",
        "//v1/tags/port",
        "//elsewhere.example/v1/tags/port",
        "/v1/tags/port?next=//elsewhere.example",
        "http://elsewhere.example/v1/tags/port",
        "/v1/tags/port%0d%0aLocation:%20//elsewhere.example",
        "/docs",
        "//docs",
        "/docs//elsewhere.example",
        "/docs?//elsewhere.example",
        "/v1/tags/port/..//elsewhere.example",
        "/\\elsewhere.example/v1/tags/port",
    ] {
        let reply = app.ask("GET", target, &[]);
        if let Some(location) = reply.header("location") {
            let is_here = location.starts_with("/v1/tags/harbour") || location == "/docs/";
            assert!(is_here, "{target} leads to {location}");
        }
    }
    assert_eq!(app.ask("GET", "/v1/tags/port", &[]).header("location"), Some("/v1/tags/harbour"));
}

#[actix_web::test]
async fn what_a_preview_shows_is_kept_by_nobody() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let draft = app.draft("Secret").await;
    let made = editor.post(&format!("{}/previews", path_of(&draft)), json!({})).await.expect(201);
    let api = made.json["api"].as_str().unwrap();
    let seen = reader.get(api).await.expect(200);
    let etag = seen.etag();
    for (asked, answer) in [
        ("plain", seen),
        ("fields", reader.get(&format!("{api}&fields=headline")).await.expect(200)),
        ("HEAD", reader.head(api).await.expect(200)),
        ("304", reader.header("if-none-match", &etag).get(api).await.expect(304)),
        ("as an editor", editor.get(api).await.expect(200)),
        ("made", made.clone()),
    ] {
        assert_eq!(answer.header("cache-control"), "private, no-store", "{asked}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{asked}");
        assert!(answer.headers.get("link").is_none(), "{asked}");
        assert!(!format!("{:?}", answer.headers).contains("mhp_"), "{asked}: the token is in a header");
    }
    // The token means nothing anywhere else.
    let token = made.json["token"].as_str().unwrap();
    for header in [
        format!("Authorization: Bearer {token}"),
        format!("Cookie: preview={token}"),
        format!("X-Preview: {token}"),
    ] {
        let reply = app.ask("GET", &path_of(&draft), &[&header]);
        assert!(reply.is_refusal() && !reply.0.contains("Secret"), "{header}: {}", reply.0);
    }
    for path in ["/v1/articles", "/v1/resolve", "/v1/changes"] {
        reader.get(&format!("{path}?preview={token}")).await.problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn internals_stay_inside() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let mut told: Vec<_> =
        answers(&app).await.into_iter().filter(|answer| answer.status.as_u16() >= 400).collect();
    app.section("city").await;
    editor.post("/v1/tags", json!({"name": "Same", "slug": "same"})).await.expect(201);
    for (path, body) in [
        ("/v1/tags", json!({"name": "Same", "slug": "same"})),
        ("/v1/sections", json!({"name": "City", "slug": "city"})),
        (
            "/v1/articles",
            json!({"headline": "A", "section": "nowhere", "tags": ["nowhere"], "bylines": [{"author": "nowhere"}]}),
        ),
        ("/v1/articles", json!({"headline": 7, "body": {"a": []}, "slug": "'"})),
        ("/v1/redirects", json!({"from": "/a", "to": "javascript:alert(1)"})),
        ("/v1/authors", json!({"name": "A", "user_id": "7"})),
        ("/v1/auth/login", json!({"email": "nobody@newsroom.example", "password": "x".repeat(128)})),
        ("/v1/setup", json!({"token": "x", "email": "a@b.example", "name": "A", "password": "x".repeat(20)})),
    ] {
        let answer = editor.post(path, body.clone()).await;
        assert!(answer.status.is_client_error(), "{path} {body}: {}", answer.text);
        told.push(answer);
    }
    assert!(told.len() > 20);
    let folder = app.sqlite_path().map(|path| path.parent().unwrap().display().to_string());
    for answer in told {
        let text = answer.text.to_lowercase();
        for inside in [
            "sqlite",
            "postgres",
            "diesel",
            "select ",
            "insert ",
            "unique constraint",
            "foreign key",
            "panick",
            "unwrap",
            "src/",
            ".rs:",
            "serde",
            "actix",
            "/root",
            "/tmp",
            "stack backtrace",
            "argon2",
            "jsonwebtoken",
            "eddsa",
            "newsroom.db",
            "struct ",
        ] {
            assert!(!text.contains(inside), "{inside:?}: {}", answer.text);
        }
        assert!(folder.as_ref().is_none_or(|folder| !text.contains(folder)));
    }
}
