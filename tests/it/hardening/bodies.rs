//! Nobody assigns what the server decides, and hostile JSON and text are refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::path_of,
    spec::{DOCUMENT, Operation, operations},
};

/// What the server decides, under the names that it and others have for it.
const DECIDED: [&str; 24] = [
    "id",
    "state",
    "role",
    "roles",
    "created_by",
    "created_at",
    "updated_at",
    "version",
    "stage",
    "live_from",
    "live_until",
    "published_by",
    "password_hash",
    "is_admin",
    "permissions",
    "workflow",
    "author_id",
    "owner",
    "article_id",
    "token",
    "path",
    "word_count",
    "__proto__",
    "$set",
];

/// The schema of a body, looked up.
fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolve(DOCUMENT.pointer(&reference[1..]).unwrap()),
        None => schema,
    }
}

/// Whether a body may have a member of this name at its top.
fn has(schema: &'static Value, name: &str) -> bool {
    let schema = resolve(schema);
    let variants = ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    schema["properties"].get(name).is_some() || variants.into_iter().any(|variant| has(variant, name))
}

/// The place of every object in a body, from the top.
fn objects(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(pointer.to_owned());
            members.iter().for_each(|(name, member)| objects(member, &format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| objects(item, &format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}

#[actix_web::test]
async fn nobody_assigns_what_the_server_decides() {
    let app = TestApp::start().await;
    let admin = app.admin().await.if_match("*");
    let draft = app.draft("Bridge").await;
    let block = draft.json["body"][0]["blocks"][0]["id"].as_str().unwrap();
    let mut asked = 0;
    for operation in operations() {
        let Some(example) = operation.example_body() else { continue };
        let schema = &operation.document["requestBody"]["content"]["application/json"]["schema"];
        // Which members a block has depends on its type, so a real block is needed.
        let is_block = operation.id() == "update_block";
        let path =
            if is_block { format!("{}/blocks/{block}", path_of(&draft)) } else { operation.example_path() };
        let send = async |body: &Value| {
            let bytes = body.to_string().into_bytes();
            admin.send(operation.method(), &path, Some(("application/json", bytes))).await
        };
        for name in DECIDED {
            if has(schema, name) || (is_block && name == "id") {
                continue;
            }
            let mut body = example.clone();
            body[name] = json!("admin");
            send(&body).await.problem(422, "invalid").fault(&format!("/{name}"), "unknown_field");
            asked += 1;
        }
        let mut places = Vec::new();
        objects(example, "", &mut places);
        for place in places {
            let mut body = example.clone();
            body.pointer_mut(&place).unwrap()["created_by"] = json!("7");
            send(&body).await.problem(422, "invalid").fault(&format!("{place}/created_by"), "unknown_field");
        }
    }
    assert!(asked > 500, "only {asked} requests");
    let after = app.editor().await.get(&format!("{}?stage=draft", path_of(&draft))).await.expect(200);
    assert_eq!(after.json, draft.json);
}

#[actix_web::test]
async fn who_may_not_write_has_no_body_read() {
    let app = TestApp::start().await;
    let reader = app.anonymous().header("if-match", "nonsense");
    let is_closed = |operation: &Operation| {
        operation.document["security"].as_array().is_some_and(|ways| !ways.contains(&json!({})))
    };
    let closed: Vec<_> = operations().into_iter().filter(is_closed).collect();
    assert!(closed.len() > 60);
    for operation in closed {
        let path = format!("{}?nonsense=1", operation.example_path());
        for body in [None, Some(("text/plain", b"{".to_vec())), Some(("application/json", b"[[[".to_vec()))] {
            reader.send(operation.method(), &path, body).await.problem(401, "unauthenticated");
        }
        if operation.method == "get" {
            assert_eq!(reader.head(&path).await.status, 401, "HEAD {path}");
        }
    }
    // The headers alone are enough to be refused.
    let unsent = app.tell("POST", "/v1/articles", &["Content-Length: 2000000"], "");
    assert_eq!(unsent.status(), Some(401), "{}", unsent.0);
}

#[actix_web::test]
async fn numbers_are_as_large_as_their_field() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let draft = app.draft("Bridge").await;
    let blocks = format!("{}/body/{}/blocks", path_of(&draft), draft.json["body"][0]["id"].as_str().unwrap());
    let numbers = [
        "1e999",
        "-1e999",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "-0.1",
        "1.5",
        "1e-400",
        "1E400",
        "0.1e1",
        "10001",
        "2147483648",
        "4294967296",
        &"9".repeat(400),
        &format!("0.{}1", "0".repeat(400)),
    ];
    for number in numbers {
        for (path, body) in [
            ("/v1/sections", format!(r#"{{"name": "World", "position": {number}}}"#)),
            (&*blocks, format!(r#"{{"block": {{"type": "divider"}}, "position": {number}}}"#)),
            ("/v1/articles", format!(r#"{{"headline": {number}}}"#)),
            ("/v1/articles", format!(r#"{{"headline": "A", "take_slug": {number}}}"#)),
        ] {
            let answer =
                editor.send(Method::POST, path, Some(("application/json", body.clone().into_bytes()))).await;
            assert!([400, 422].contains(&answer.status.as_u16()), "{body}: {}", answer.text);
        }
    }
    for number in ["01", "+1", ".5", "1.", "0x1", "NaN", "Infinity", "-", "1_000"] {
        let body = format!(r#"{{"name": "World", "position": {number}}}"#).into_bytes();
        editor
            .send(Method::POST, "/v1/sections", Some(("application/json", body)))
            .await
            .problem(400, "malformed");
    }
}

#[actix_web::test]
async fn json_that_readers_differ_about_is_refused() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let send =
        async |body: Vec<u8>| editor.send(Method::POST, "/v1/tags", Some(("application/json", body))).await;
    for (body, place) in [
        (r#"{"name": "A", "name": "B"}"#, "/name"),
        (r#"{"name": "A", "n\u0061me": "B"}"#, "/name"),
        (r#"{"name": "A", "name": "A"}"#, "/name"),
    ] {
        send(body.into()).await.problem(422, "invalid").fault(place, "duplicate_key");
    }
    for body in [
        &br#"{"name": "\ud800"}"#[..],
        br#"{"name": "\udc00\ud800"}"#,
        br#"{"\ud800": "A"}"#,
        b"{\"name\": \"\xc0\x80\"}",
        b"{\"name\": \"\xe0\x80\xaf\"}",
        b"{\"name\": \"\xed\xa0\x80\"}",
        b"{\"name\": \"\xf4\x90\x80\x80\"}",
        b"{\"name\": \"\xff\"}",
        b"\xef\xbb\xbf{\"name\": \"A\"}",
        b"\xff\xfe{\0}\0",
        b"{\"name\": \"A\0\"}",
        b"{\"name\": \"A\nB\"}",
        b"{\"name\": \"A\"}\0",
        b"{\"name\": \"A\"} // comment",
        b"{name: \"A\"}",
        b"{'name': 'A'}",
        b"{\"name\": \"A\",}",
        b"{\"name\": \"\\x41\"}",
        b"{\"name\": \"A\"}{\"name\": \"B\"}",
    ] {
        send(body.to_vec()).await.problem(400, "malformed");
    }
    for deep in [
        "[".repeat(100_000),
        r#"{"name":"#.repeat(100_000),
        format!("{}{}", "[".repeat(1000), "]".repeat(1000)),
    ] {
        send(deep.into_bytes()).await.problem(400, "malformed");
    }
    assert_eq!(editor.get("/v1/tags").await.expect(200).json["data"], json!([]));
}

/// Whether the headline of an article was refused.
fn is_at_fault(answer: &Answer) -> bool {
    let faults = answer.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
    answer.status == 422 && faults.iter().any(|fault| fault["pointer"] == "/headline")
}

#[actix_web::test]
async fn a_headline_is_readable_text() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for headline in [
        "",
        " ",
        "\t",
        "\u{a0}",
        "\u{3000}",
        "a\0b",
        "a\u{202e}b",
        "a\u{2066}b",
        "\u{202d}",
        "a\u{7}b",
        "a\u{9b}31mb",
        "a\r\nb",
        "a\nb",
        "\u{ffff}",
        &"a".repeat(301),
        &"💥".repeat(301),
        &"a".repeat(1_000_000),
    ] {
        let answer = editor.post("/v1/articles", json!({ "headline": headline })).await;
        assert!(is_at_fault(&answer), "{headline:.40?}: {}", answer.text);
    }
    // What has no letters to make a slug of asks for one; what is taken has a slug that is one.
    for headline in [
        "💥",
        "👩‍👩‍👧‍👦",
        "🇩🇪🇫🇷",
        "!!!",
        "2024",
        "...",
        "\u{200b}",
        "\u{feff}",
        "\u{ad}",
        "\u{301}",
        "世界",
        "Ελλάδα",
        "ﷺ",
        "🎉 Party",
        "a\u{301}",
        "<script>alert(1)</script>",
        "'; DROP TABLE articles; --",
        "%2e%2e%2f",
        "../../etc/passwd",
        "{{7*7}}",
        "null",
        "__proto__",
        "\u{1d54f}",
        "ｆｕｌｌ",
        &"ß".repeat(300),
        &"💥".repeat(300),
    ] {
        let answer = editor.post("/v1/articles", json!({ "headline": headline })).await;
        if answer.status == 201 {
            let slug = answer.json["slug"].as_str().unwrap();
            assert!(slug.parse::<masthead::domain::slug::Slug>().is_ok(), "{headline:?}: {slug:?}");
            assert_eq!(answer.json["headline"], headline, "it is kept as it is");
            editor.get(&format!("/v1/articles/{slug}?stage=draft")).await.expect(200);
        } else {
            answer.problem(422, "invalid").fault("/slug", "required");
        }
    }
}

#[actix_web::test]
async fn a_body_that_is_too_long_is_refused_however_it_comes() {
    let app = TestApp::start().await;
    let token = format!("Authorization: Bearer {}", app.editor().await.token());
    let head = format!(
        "POST /v1/tags HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{token}\r\nContent-Type: application/json\r\n"
    );
    let text = "x".repeat(3 * 1024 * 1024);
    let with_length = format!("{head}Content-Length: {}\r\n\r\n{text}", text.len());
    let in_chunks =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let announced = format!("{head}Content-Length: 99999999999\r\n\r\n");
    let many =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", "1\r\nx\r\n".repeat(3 * 1024 * 1024));
    for request in [with_length, in_chunks, announced, many] {
        let reply = app.exchange(request.as_bytes());
        // Whoever still sends may see the connection cut instead of the answer.
        assert!(reply.status().is_none_or(|status| status == 413), "{}", reply.0);
    }
    // A small body that unpacks to a large one is not unpacked.
    let packed =
        format!("{head}Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n\u{1f}{}", "x".repeat(19));
    let reply = app.exchange(packed.as_bytes());
    assert!(matches!(reply.status(), Some(400 | 415)), "{}", reply.0);
    assert_eq!(app.ask("GET", "/v1/tags", &[]).json()["data"], json!([]));
}
