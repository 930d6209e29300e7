//! No spelling of a path evades the guard of a route.

use serde_json::json;

use crate::{
    app::{Client, TestApp},
    hardening::wire::Reply,
    newsroom::path_of,
};

/// Other spellings of a path under `/v1`.
fn spellings(path: &str) -> Vec<String> {
    let rest = path.strip_prefix("/v1/").unwrap();
    let (bare, query) =
        path.split_once('?').map_or((path, String::new()), |(bare, query)| (bare, format!("?{query}")));
    let mut spelled = vec![path.to_owned(), path.to_uppercase(), format!("http://elsewhere.example{path}")];
    for before in [
        "//v1/",
        "/v1//",
        "/./v1/",
        "/v1/./",
        "/v1/tags/../",
        "/v1/tags/%2e%2e/",
        "/v1/tags/%2E%2E%2F",
        "/v1/tags/..%2f",
        "/docs/../v1/",
        "/docs/%2e%2e/v1/",
        "/docs/..%2fv1%2f",
        "/problems/../v1/",
        "/v1%2F",
        "/v1%2f%2f",
        "/%76%31/",
        "/V1/",
        "/v1;a=b/",
        "/v1/tags/..;/",
        "/v1/%2e/",
        "/v1\\",
        "/v1/%5c",
        "/v1/..%c0%af/v1/",
        "/v1/%c0%ae%c0%ae/v1/",
        "/v1/%00/",
        "/%2Fv1/",
        "/v1/tags/%252e%252e/",
        "/healthz/../v1/",
        "/healthz;/v1/",
    ] {
        spelled.push(format!("{before}{rest}"));
    }
    for behind in [
        "/", "//", "/.", "/..", "/%2e", "/./", "%00", "%00.json", "%20", "%09", "%0a", "%0d%0a", ";", ";a=b",
        "/;a=b", ".json", "..;/", "%2F", "%2f..", "%c0%80", "%ff", "%", "%u002f", "%3f", "%23", "*",
    ] {
        spelled.push(format!("{bare}{behind}{query}"));
    }
    spelled
}

fn bearer(client: &Client) -> String {
    format!("Authorization: Bearer {}", client.token())
}

#[actix_web::test]
async fn no_spelling_of_a_path_reads_what_is_guarded() {
    let app = TestApp::start().await;
    let (editor, contributor) = (app.editor().await, app.contributor().await);
    let draft = app.draft_of(&editor, "Zanzibar secret", json!({})).await;
    editor.post(&format!("{}/notes", path_of(&draft)), json!({"text": "Zanzibar note"})).await.expect(201);
    editor
        .post(&format!("{}/revisions", path_of(&draft)), json!({"note": "Zanzibar point"}))
        .await
        .expect(201);
    editor.post("/v1/releases", json!({"name": "Zanzibar release"})).await.expect(201);
    editor.post("/v1/redirects", json!({"from": "/zanzibar", "to": "/city"})).await.expect(201);
    let guarded = [
        format!("{}?stage=draft", path_of(&draft)),
        "/v1/articles/zanzibar-secret?stage=draft".to_owned(),
        format!("{}/notes", path_of(&draft)),
        format!("{}/revisions", path_of(&draft)),
        "/v1/articles?stage=draft".to_owned(),
        "/v1/releases".to_owned(),
        "/v1/redirects".to_owned(),
    ];
    let is_told =
        |reply: &Reply| reply.0.to_lowercase().contains("zanzibar secret") || reply.0.contains("Zanzibar ");
    let (of_contributor, of_editor) = (bearer(&contributor), bearer(&editor));
    let accept = |target: &str, headers: &[&str], who: &str| {
        let reply = app.ask("GET", target, headers);
        assert!(!is_told(&reply), "{who} {target}: {}", reply.0);
        assert!(!reply.0.contains("/zanzibar"), "{who} {target}: {}", reply.0);
        reply.status()
    };
    for path in &guarded {
        let reply = app.ask("GET", path, &[&of_editor]);
        assert_eq!(reply.status(), Some(200), "{path}: {}", reply.0);
        assert!(is_told(&reply) || reply.0.contains("/zanzibar"), "{path} tells nothing: {}", reply.0);
        for target in spellings(path) {
            accept(&target, &[], "anonymous");
            // A contributor may list drafts: their own.
            accept(&target, &[&of_contributor], "contributor");
        }
        // Who may come in gets the same by another spelling or nothing, and no error of the server.
        for target in spellings(path) {
            let status = app.ask("GET", &target, &[&of_editor]).status();
            assert!(status.is_some_and(|status| status < 500), "{target}: {status:?}");
        }
    }
}

#[actix_web::test]
async fn no_spelling_of_a_path_writes_what_is_guarded() {
    let app = TestApp::start().await;
    let (admin, author) = (app.admin().await, app.author().await);
    let draft = app.draft("Bridge").await;
    let site = || app.ask("GET", "/v1/site", &[]).json();
    let before = site();
    let (of_author, of_admin) = (bearer(&author), bearer(&admin));
    let defacement = json!({"tagline": "Defaced"}).to_string();
    for target in spellings("/v1/site") {
        for headers in [&[][..], &[&*of_author]] {
            let reply = app.tell("PATCH", &target, headers, &defacement);
            assert!(reply.is_refusal(), "{target}: {}", reply.0);
        }
    }
    for target in spellings(&path_of(&draft)) {
        for headers in [&["If-Match: *"][..], &["If-Match: *", &of_author]] {
            let patched = app.tell("PATCH", &target, headers, &json!({"headline": "Defaced"}).to_string());
            assert!(patched.is_refusal(), "{target}: {}", patched.0);
            let deleted = app.ask("DELETE", &target, headers);
            assert!(deleted.is_refusal(), "{target}: {}", deleted.0);
        }
    }
    assert_eq!(site(), before);
    let after = app.ask("GET", &format!("{}?stage=draft", path_of(&draft)), &[&of_author]);
    assert_eq!(after.json()["headline"], "Bridge");
    assert_eq!(app.tell("PATCH", "/v1/site", &[&of_admin], &defacement).status(), Some(200));
}

#[actix_web::test]
async fn names_in_paths_are_one_segment_and_never_a_file() {
    let app = TestApp::start().await;
    let reader = app.anonymous().raw();
    for name in [
        "..%2F..%2Fetc%2Fpasswd",
        "%2e%2e%2f%2e%2e%2fmasthead.toml",
        "%00",
        "a%00b",
        "%2F",
        "%5c..%5c",
        "%25%32%65",
        "%0d%0aSet-Cookie:%20a=b",
        &"a".repeat(5000),
        "%e2%80%ae",
        "💥",
        "%f0%9f%92%a5",
        "9223372036854775808",
        "-1",
        "0",
        "00",
        "1e9",
        "0x10",
        "１２",
        "null",
        "*",
    ] {
        for collection in ["tags", "authors", "sections", "articles"] {
            let answer = reader.get(&format!("/v1/{collection}/{name}")).await;
            assert!(
                [400, 404, 308].contains(&answer.status.as_u16()),
                "{collection}/{name}: {}",
                answer.text
            );
        }
        for folder in ["docs", "problems"] {
            // Swagger UI takes a slash for its first page.
            if (folder, name) != ("docs", "%2F") {
                reader.get(&format!("/{folder}/{name}")).await.problem(404, "not_found");
            }
        }
    }
    // Not UTF-8, which no client library sends.
    for name in ["%ff", "%c0%ae%c0%ae", "%c0%80", "%ed%a0%80"] {
        for collection in ["tags", "authors", "sections", "articles", "releases"] {
            let reply = app.ask("GET", &format!("/v1/{collection}/{name}"), &[]);
            assert!(reply.is_refusal() && reply.status().is_some(), "{collection}/{name}: {}", reply.0);
        }
    }
}
