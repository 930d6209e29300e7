//! No header changes the method, the path or who is asking; broken framing is refused and breaks nothing.

use serde_json::json;

use crate::{app::TestApp, newsroom::path_of};

#[actix_web::test]
async fn headers_of_proxies_change_neither_method_nor_path() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let plain = app.anonymous().get("/v1/tags/port").await.expect(200);
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "PATCH"),
        ("x-original-url", "/v1/releases"),
        ("x-rewrite-url", "/v1/releases"),
        ("x-original-uri", "/v1/me"),
        ("x-forwarded-prefix", "/elsewhere"),
        ("x-forwarded-path", "/v1/me"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-forwarded-user", "abe.admin.admin@newsroom.example"),
        ("x-remote-user", "abe.admin.admin@newsroom.example"),
        ("x-user-role", "admin"),
        ("cookie", "session=1; role=admin"),
        ("x-middleware-subrequest", "middleware:middleware:middleware"),
    ] {
        let answer = app.anonymous().header(name, value).get("/v1/tags/port").await.expect(200);
        assert_eq!(
            (answer.text, answer.headers.get("etag")),
            (plain.text.clone(), plain.headers.get("etag")),
            "{name}"
        );
        app.anonymous().header(name, value).get("/v1/releases").await.problem(401, "unauthenticated");
        app.contributor().await.header(name, value).get("/v1/releases").await.problem(403, "forbidden");
        let created = editor.header(name, value).post("/v1/tags", json!({ "name": name })).await.expect(201);
        assert_eq!(created.json["name"], name);
    }
    editor.get("/v1/tags/port").await.expect(200);
    editor.get("/v1/tags/port?_method=DELETE").await.problem(400, "invalid_parameter");
    for method in ["TRACE", "CONNECT", "PROPFIND", "get", "Get", "DELETE\t"] {
        let reply = app.ask(method, "/v1/tags/port", &[]);
        assert!(reply.is_refusal(), "{method}: {}", reply.0);
    }
}

#[actix_web::test]
async fn credentials_are_given_once_and_are_not_long() {
    let app = TestApp::start().await;
    let admin = format!("Authorization: Bearer {}", app.admin().await.token());
    assert_eq!(app.ask("GET", "/v1/me", &[&admin]).status(), Some(200));
    let contributor = format!("authorization: Bearer {}", app.contributor().await.token());
    let long = format!("Authorization: Bearer {}", "x".repeat(1024 * 1024));
    for headers in [
        &[&*admin, &*admin][..],
        &[&*admin, &*contributor],
        &[&*contributor, &*admin],
        &["Authorization: ", &*admin],
        &[&*admin, "Authorization: Basic YTpi"],
        &[&*long],
        &[&*long, &*admin],
        &["Authorization: Bearer"],
        &["Authorization: Bearer \t"],
        &["Authorization: Bearer\u{a0}x"],
        &["Authorization: \u{ff}\u{fe}"],
        &["Authorization: Bearer null"],
        &["Proxy-Authorization: Bearer x"],
        &["X-Authorization: Bearer x"],
    ] {
        let reply = app.ask("GET", "/v1/me", headers);
        assert!(reply.is_refusal(), "{headers:.80?}: {}", reply.0);
    }
    let folded = format!("Authorization:\r\n Bearer {}", app.admin().await.token());
    assert!(app.ask("GET", "/v1/me", &[&folded]).is_refusal());
    assert_eq!(app.ask("GET", "/v1/me", &[&admin]).status(), Some(200), "it goes on serving");
}

#[actix_web::test]
async fn broken_framing_is_refused_and_smuggles_nothing() {
    let app = TestApp::start().await;
    let token = format!("Authorization: Bearer {}", app.editor().await.token());
    let body = r#"{"name": "Smuggled"}"#;
    let hidden = format!("DELETE /v1/tags/port HTTP/1.1\r\nHost: a\r\n{token}\r\nConnection: close\r\n\r\n");
    let tag = app.editor().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let request = |framing: &str, body: &str| {
        let head = format!(
            "POST /v1/tags HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{token}\r\nContent-Type: application/json\r\n"
        );
        app.exchange(format!("{head}{framing}\r\n\r\n{body}").as_bytes())
    };
    let length = body.len();
    let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    assert_eq!(request("Transfer-Encoding: chunked", &chunk).status(), Some(201), "a good one is taken");
    for framing in [
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}", chunk.len()),
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked", chunk.len()),
        "Transfer-Encoding: chunked\r\nContent-Length: 4".to_owned(),
        "Transfer-Encoding: identity, chunked, identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding:\u{b}chunked".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        format!("Content-Length: {length}\r\nContent-Length: {}", length + 1),
        format!("Content-Length: {length}, {length}"),
        format!("Content-Length: +{length}"),
        format!("Content-Length: -{length}"),
        "Content-Length: 0x10".to_owned(),
        "Content-Length: 18446744073709551616".to_owned(),
        "Content-Length: ".to_owned(),
    ] {
        let reply = request(&framing, &format!("{chunk}{hidden}"));
        assert!(reply.is_refusal() && reply.answers() <= 1, "{framing:?}: {}", reply.0);
    }
    for size in ["Z", "-1", "+5", "0x5", "FFFFFFFFFFFFFFFFF", "", " ", "5;\u{0}"] {
        let reply = request("Transfer-Encoding: chunked", &format!("{size}\r\n{body}\r\n0\r\n\r\n{hidden}"));
        assert!(reply.is_refusal() && reply.answers() <= 1, "chunk size {size:?}: {}", reply.0);
    }
    for bytes in [
        &b"\r\n\r\n\r\n\r\n"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/tags\r\n\r\n",
        b"GET /v1/tags HTTP/9.9\r\n\r\n",
        b"GET /v1/tags HTTP/1.1\r\nA\0: b\r\nConnection: close\r\n\r\n",
        b"GET /v1/tags HTTP/1.1\r\n: b\r\nConnection: close\r\n\r\n",
        b"GET /v1/tags HTTP/1.1\nHost: a\nBad Header: b\nConnection: close\n\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut closed = bytes.to_vec();
        // A request that is never complete ends with the connection.
        closed.extend_from_slice(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: x\r\n\r\n",
        );
        let reply = app.exchange(&closed);
        assert!(reply.is_refusal(), "{bytes:?}: {}", reply.0);
    }
    app.editor().await.get(&format!("/v1/tags/{}", tag.id())).await.expect(200);
    let tags = app.editor().await.get("/v1/tags").await.expect(200);
    assert_eq!(tags.each("name"), ["Port", "Smuggled"]);
}

#[actix_web::test]
async fn whom_a_request_names_as_host_does_not_matter() {
    let app = TestApp::start().await;
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    let plain = app.ask("GET", &path, &[]);
    assert_eq!(plain.status(), Some(200));
    for head in [
        format!("GET {path} HTTP/1.1\r\nHost: elsewhere.example"),
        format!("GET {path} HTTP/1.1\r\nHost: elsewhere.example:99999"),
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nHost: elsewhere.example"),
        format!("GET {path} HTTP/1.1"),
        format!("GET {path} HTTP/1.0"),
        format!("GET http://elsewhere.example{path} HTTP/1.1\r\nHost: a"),
        format!("GET https://elsewhere.example:1{path} HTTP/1.1\r\nHost: a"),
        format!("GET {path} HTTP/1.1\r\nHost: a\"><script>"),
        format!("GET {path} HTTP/1.1\r\nHost: a/b?c#d@e"),
    ] {
        let reply = app.exchange(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(!reply.0.contains("elsewhere.example"), "{head}: {}", reply.0);
        if !reply.is_refusal() {
            assert_eq!((reply.body(), reply.header("etag")), (plain.body(), plain.header("etag")), "{head}");
        }
    }
    // A former slug is sent on, to this server wherever it is.
    app.bold_editor().await.patch(&path, json!({"slug": "new-bridge"})).await.expect(200);
    app.bold_editor().await.act(&format!("{path}/publish")).await.expect(200);
    for target in [
        "/v1/articles/bridge",
        "http://elsewhere.example/v1/articles/bridge",
        "//elsewhere.example/v1/articles/bridge",
    ] {
        let reply =
            app.ask("GET", target, &["X-Forwarded-Host: elsewhere.example", "X-Forwarded-Proto: gopher"]);
        if let Some(location) = reply.header("location") {
            assert_eq!(location, "/v1/articles/new-bridge", "{target}");
        } else {
            assert!(reply.is_refusal(), "{target}: {}", reply.0);
        }
    }
}

#[actix_web::test]
async fn a_body_is_json_by_its_only_content_type() {
    let app = TestApp::start().await;
    let token = format!("Authorization: Bearer {}", app.editor().await.token());
    let body = r#"{"name": "Port"}"#;
    let length = format!("Content-Length: {}", body.len());
    for kinds in [
        &[][..],
        &["Content-Type: text/plain", "Content-Type: application/json"],
        &["Content-Type: application/json", "Content-Type: text/plain"],
        &["Content-Type: text/plain, application/json"],
        &["Content-Type: application/json, text/plain"],
        &["Content-Type: application/x-www-form-urlencoded; application/json"],
        &["Content-Type: multipart/form-data; boundary=application/json"],
        &["Content-Type: application/jsonp"],
        &["Content-Type: application/json+x"],
        &["Content-Type: text/json"],
        &["Content-Type: "],
        &["Content-Type: application/xml"],
    ] {
        let mut head =
            format!("POST /v1/tags HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{token}\r\n{length}\r\n");
        for kind in kinds {
            head.push_str(kind);
            head.push_str("\r\n");
        }
        let reply = app.exchange(format!("{head}\r\n{body}").as_bytes());
        assert_eq!(reply.status(), Some(415), "{kinds:?}: {}", reply.0);
    }
}
