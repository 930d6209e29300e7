//! What holds for every operation.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    spec::{self, operations},
};

#[actix_web::test]
async fn a_path_that_is_not_there_is_a_problem() {
    let app = TestApp::start().await;
    let raw = app.anonymous().raw();
    for path in
        ["/nothing", "/v1", "/v1/", "/v1/nothing", "/v1//tags", "/v1/tags/", "/v2/tags", "/v1/tags/a/b/c"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            raw.send(method, path, None).await.problem(404, "not_found");
        }
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_have_is_405_with_allow() {
    let app = TestApp::start().await;
    let raw = app.anonymous().raw();
    assert_eq!(raw.put("/v1/tags", json!({})).await.expect(405).header("allow"), "GET, HEAD, POST");
    let mut paths: Vec<_> = operations().iter().map(|operation| operation.example_path()).collect();
    paths.dedup();
    for path in paths {
        for method in [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE] {
            if spec::operation(&method, &path).is_none() {
                let answer = raw.send(method.clone(), &path, None).await.problem(405, "method_not_allowed");
                for allowed in answer.header("allow").split(", ") {
                    let allowed = allowed.parse().unwrap();
                    assert!(
                        spec::operation(&allowed, &path).is_some(),
                        "{method} {path}: {allowed} is not there"
                    );
                }
            }
        }
    }
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    app.author().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    for path in ["/v1/tags", "/v1/tags?limit=1", "/v1/tags/port", "/v1/tags/nowhere"] {
        let (get, head) = (app.anonymous().get(path).await, app.anonymous().head(path).await);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        for name in ["content-type", "etag", "cache-control", "vary", "link"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path}: {name}");
        }
        if get.status == 200 {
            assert_eq!(head.header("content-length"), get.text.len().to_string(), "{path}");
        }
    }
}

#[actix_web::test]
async fn etags_are_strong_and_answer_304() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    for path in ["/v1/tags", "/v1/tags/port"] {
        let etag = app.anonymous().get(path).await.expect(200).etag();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let answer = app.anonymous().header("if-none-match", &tags).get(path).await.expect(304);
            assert_eq!(answer.etag(), etag);
        }
        app.anonymous().header("if-none-match", "\"x\"").get(path).await.expect(200);
    }
    let etag = app.anonymous().get("/v1/tags/port").await.etag();
    editor.patch("/v1/tags/port", json!({"name": "Harbour"})).await.expect(200);
    app.anonymous().header("if-none-match", &etag).get("/v1/tags/port").await.expect(200);
}

#[actix_web::test]
async fn answers_with_credentials_are_private() {
    let app = TestApp::start().await;
    let author = app.author().await;
    assert_eq!(author.get("/v1/tags").await.expect(200).header("cache-control"), "private, no-store");
    let public = app.anonymous().get("/v1/tags").await.expect(200);
    assert!(public.header("cache-control").starts_with("public"));
    assert!(public.header("vary").to_lowercase().contains("authorization"));
    assert_eq!(public.header("x-content-type-options"), "nosniff");
    let missing = app.anonymous().get("/v1/tags/nowhere").await.problem(404, "not_found");
    assert_eq!(missing.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_are_refused_by_every_operation() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    admin.act("/v1/tags").await.problem(415, "unsupported_media_type");
    let too_large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 * 1024 * 1024 + 1));
    for operation in operations() {
        let Some(example) = operation.example_body() else { continue };
        let client = admin.header("if-match", "\"1\"");
        let send = |kind: &'static str, body: &str| {
            let (client, path, body) = (&client, operation.example_path(), body.as_bytes().to_vec());
            async move { client.send(operation.method(), &path, Some((kind, body))).await }
        };
        let example = example.to_string();
        send("text/plain", &example).await.problem(415, "unsupported_media_type");
        send("application/x-www-form-urlencoded", "name=x").await.problem(415, "unsupported_media_type");
        for broken in ["", "{", "{} {}", "nul", "{\"name\": NaN}", "\u{feff}{}"] {
            if broken.is_empty() && operation.document["requestBody"]["required"] == false {
                continue;
            }
            send("application/json", broken).await.problem(400, "malformed");
        }
        send("application/json", &"[".repeat(100_000)).await.problem(400, "malformed");
        send("application/json", &too_large).await.problem(413, "too_large");
        for other in ["null", "[]", "\"text\"", "7"] {
            send("application/json", other).await.problem(422, "invalid").fault("", "wrong_type");
        }
        let twice = "{\"nonsense\": 1, \"nonsense\": 2}";
        send("application/json", twice).await.problem(422, "invalid").fault("/nonsense", "duplicate_key");
        // Which members a block has depends on its type, so that is looked at only with the block at hand.
        if operation.id() == "update_block" {
            continue;
        }
        let unknown = "{\"nonsense\": 1}";
        send("application/json", unknown).await.problem(422, "invalid").fault("/nonsense", "unknown_field");
    }
}

#[actix_web::test]
async fn faults_of_an_idempotency_key_are_told() {
    let app = TestApp::start().await;
    let author = app.author().await.header("idempotency-key", "one");
    author.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    author.post("/v1/tags", json!({"name": "Quay"})).await.problem(422, "idempotency_key_reused");
    let long = author.header("idempotency-key", &"x".repeat(256));
    let answer = long.post("/v1/tags", json!({"name": "Quay"})).await.problem(400, "invalid_parameter");
    answer.fault("Idempotency-Key", "bad_format");
}

#[actix_web::test]
async fn control_characters_are_refused() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for text in ["a\0b", "a\u{1b}b", "a\u{202e}b", "a\u{7f}b"] {
        let answer = author.post("/v1/tags", json!({"name": text})).await.problem(422, "invalid");
        answer.fault("/name", "control_character");
    }
    let lone_surrogate = br#"{"name": "\ud800"}"#.to_vec();
    author
        .send(Method::POST, "/v1/tags", Some(("application/json", lone_surrogate)))
        .await
        .problem(400, "malformed");
    let not_utf8 = b"{\"name\": \"\xc0\x80\"}".to_vec();
    author
        .send(Method::POST, "/v1/tags", Some(("application/json", not_utf8)))
        .await
        .problem(400, "malformed");
}

#[actix_web::test]
async fn every_operation_refuses_an_unknown_parameter() {
    let app = TestApp::start().await;
    let client = app.admin().await.header("if-match", "\"1\"");
    for operation in operations() {
        // Whatever a provider sends along must be ignored (RFC 6749, section 4.1.2).
        if operation.id() == "receive_single_sign_on" {
            continue;
        }
        let path = format!("{}?nonsense=1", operation.example_path());
        let body = operation.example_body().map(|body| ("application/json", body.to_string().into_bytes()));
        let answer = client.send(operation.method(), &path, body).await;
        answer.problem(400, "invalid_parameter").fault("nonsense", "unknown_parameter");
    }
}

#[actix_web::test]
async fn bad_credentials_are_never_an_anonymous_reader() {
    let app = TestApp::start().await;
    for token in ["x", "a.b.c", "", &"x".repeat(10_000)] {
        let answer = app.with_token(Some(token)).get("/v1/tags").await.problem(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let edited = format!("{}x", app.author().await.token());
    app.with_token(Some(&edited)).get("/v1/tags").await.problem(401, "unauthenticated");
    for value in ["Basic YTpi", "Bearer", "bearer"] {
        let client = app.anonymous().header("authorization", value);
        client.get("/v1/tags").await.problem(401, "unauthenticated");
    }
}

#[test]
fn every_operation_is_described() {
    let mut faults = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for operation in operations() {
        let name = format!("{} {}", operation.method(), operation.template);
        for member in ["operationId", "summary", "description"] {
            if operation.document[member].as_str().is_none_or(|text| text.trim().is_empty()) {
                faults.push(format!("{name} has no {member}"));
            }
        }
        if !ids.insert(operation.id()) {
            faults.push(format!("{name}: the operationId {} is given twice", operation.id()));
        }
        let tags = operation.document["tags"].as_array().map_or(&[][..], Vec::as_slice);
        let known = spec::DOCUMENT["tags"].as_array().unwrap();
        if tags.len() != 1
            || !known.iter().any(|known| known["name"] == tags[0] && known["description"].is_string())
        {
            faults.push(format!("{name} needs one tag of those that the document describes, has {tags:?}"));
        }
        let responses = operation.document["responses"].as_object().unwrap();
        let bodies = responses.iter().map(|(status, response)| (status.as_str(), response));
        for (place, media) in bodies.chain([("request", &operation.document["requestBody"])]) {
            let media = &media["content"]["application/json"];
            if media.is_object() && media["example"].is_null() {
                faults.push(format!("{name} has no example of its JSON body ({place})"));
            }
        }
        for parameter in operation.document["parameters"].as_array().into_iter().flatten() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{name}: the parameter {} has no description", parameter["name"]));
            }
            if parameter["in"] == "path" && parameter["schema"]["examples"][0] == Value::Null {
                faults.push(format!("{name}: the parameter {} has no example", parameter["name"]));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn an_id_past_63_bits_is_refused() {
    let app = TestApp::start().await;
    let (editor, draft) = (app.bold_editor().await, app.draft("Bridge").await);
    let huge = "9999999999999999999";
    let wanted = json!({"target": {"article_id": huge}});
    editor.post(&format!("/v1/articles/{}/links", draft.id()), wanted).await.problem(422, "invalid");
    let answer = editor.get(&format!("/v1/articles?ids={huge}")).await;
    answer.problem(400, "invalid_parameter").fault("ids", "bad_value");
    editor.get(&format!("/v1/articles/{huge}")).await.problem(404, "not_found");
}
