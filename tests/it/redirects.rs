//! Redirects that editors make: neither chains nor loops.

use serde_json::{Value, json};

use crate::app::{Client, TestApp};

async fn redirect(editor: &Client, from: &str, to: &str) -> crate::app::Answer {
    editor.post("/v1/redirects", json!({"from": from, "to": to})).await
}

/// Where a path leads.
async fn location(reader: &Client, path: &str) -> Value {
    let resolved = reader.get(&format!("/v1/resolve?path={path}")).await.expect(200);
    resolved.json["redirect"]["location"].clone()
}

#[actix_web::test]
async fn chains_are_collapsed_and_loops_refused() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let first = redirect(&editor, "/B/", "/c").await.expect(201);
    assert_eq!((&first.json["from"], &first.json["to"]), (&json!("/b"), &json!("/c")));
    assert_eq!(first.header("location"), format!("/v1/redirects/{}", first.id()));
    let into = redirect(&editor, "/a", "/b").await.expect(201);
    assert_eq!(into.json["to"], "/c", "it leads where the other does");
    redirect(&editor, "/c", "https://elsewhere.example/d").await.expect(201);
    for path in ["/a", "/b", "/c", "/A/?x=1"] {
        assert_eq!(location(&reader, path).await, "https://elsewhere.example/d", "{path}");
    }
    let list = editor.get("/v1/redirects?limit=2").await.expect(200);
    assert_eq!(list.each("from"), ["/a", "/b"]);
    let next = list.json["page"]["next"].as_str().unwrap();
    let rest = editor.get(&format!("/v1/redirects?limit=2&cursor={next}")).await.expect(200);
    assert_eq!(rest.each("from"), ["/c"]);

    redirect(&editor, "/a", "/x").await.problem(409, "taken");
    redirect(&editor, "/x", "/X/").await.problem(422, "invalid").fault("/to", "loop");
    redirect(&editor, "/y", "/z").await.expect(201);
    redirect(&editor, "/z", "/y").await.problem(422, "invalid").fault("/to", "loop");
    let bad = redirect(&editor, "//evil.example", "javascript:alert(1)").await.problem(422, "invalid");
    bad.fault("/from", "bad_path").fault("/to", "bad_target");
    let site = reader.get("/v1/site").await.expect(200).json["url"].as_str().unwrap().to_owned();
    redirect(&editor, "/own", &format!("{site}/own")).await.problem(422, "invalid").fault("/to", "loop");

    let path = format!("/v1/redirects/{}", first.id());
    editor.if_match("\"1\"").patch(&path, json!({"to": "/q"})).await.problem(412, "stale");
    let edited = editor.patch(&path, json!({"to": "/a"})).await.expect(200);
    assert_eq!(edited.json["to"], "https://elsewhere.example/d");
    editor.delete(&path).await.expect(204);
    editor.get(&path).await.problem(404, "not_found");
    reader.get("/v1/resolve?path=/b").await.problem(404, "not_found");
    app.author().await.get("/v1/redirects").await.problem(403, "forbidden");
}

#[actix_web::test]
async fn each_redirect_that_is_led_on_is_told() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let one = redirect(&editor, "/a", "/b").await.expect(201).id();
    let two = redirect(&editor, "/b", "/c").await.expect(201);
    redirect(&editor, "/e", "/f").await.expect(201);
    let path = format!("/v1/redirects/{}", two.id());
    let two = two.id();
    editor.patch(&path, json!({"from": "/f", "to": "/g"})).await.expect(200);
    let changes = reader.get("/v1/changes?limit=100").await.expect(200);
    let told: Vec<_> = changes.json["data"].as_array().unwrap().iter().collect();
    let told = |id: &str| -> Vec<_> {
        let own = told.iter().filter(|change| change["entity_id"] == id);
        own.map(|change| ["kind", "old_path", "path"].map(|name| change[name].as_str().unwrap())).collect()
    };
    assert_eq!(told(&one), [["created", "/a", "/b"], ["updated", "/a", "/c"]]);
    assert_eq!(told(&two), [["created", "/b", "/c"], ["updated", "/f", "/g"]]);
    let three = editor.get("/v1/redirects").await.expect(200).json["data"][1].clone();
    assert_eq!((&three["from"], &three["to"], &three["version"]), (&json!("/e"), &json!("/g"), &json!(2)));
    assert_eq!(told(three["id"].as_str().unwrap()), [["created", "/e", "/f"], ["updated", "/e", "/g"]]);
}

#[actix_web::test]
async fn a_page_wins_over_a_redirect() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    redirect(&editor, "/city/bridge", "/x").await.problem(409, "in_use");
    redirect(&editor, "/city", "/x").await.problem(409, "in_use");
    redirect(&editor, "/short", "/city/bridge").await.expect(201);
    assert_eq!(location(&reader, "/short").await, "/city/bridge");
    editor.patch(&format!("/v1/articles/{}", article.id()), json!({"slug": "viaduct"})).await.expect(200);
    editor.act(&format!("/v1/articles/{}/publish", article.id())).await.expect(200);
    assert_eq!(location(&reader, "/short").await, "/city/viaduct", "it follows its target in one step");
    redirect(&editor, "/city/opening", "/elsewhere").await.expect(201);
    app.published("Opening").await;
    let opening = reader.get("/v1/resolve?path=/city/opening").await.expect(200);
    assert_eq!((&opening.json["kind"], &opening.json["redirect"]), (&json!("article"), &Value::Null));
}

#[actix_web::test]
async fn two_redirects_cannot_make_a_loop_between_them() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for round in 0..20 {
        let ends = [
            (format!("/one-{round}"), format!("/two-{round}")),
            (format!("/two-{round}"), format!("/one-{round}")),
        ];
        let tries = ends.map(|(from, to)| {
            let editor = editor.clone();
            actix_web::rt::spawn(async move { redirect(&editor, &from, &to).await.status.as_u16() })
        });
        let mut statuses = Vec::new();
        for one in tries {
            statuses.push(one.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422], "round {round}");
    }
}
