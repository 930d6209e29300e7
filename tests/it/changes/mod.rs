//! The log of public changes.

mod follow;
mod mirror;

use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::path_of,
};

/// `(kind, path, old_path)` of each change.
fn rows(answer: &Answer) -> Vec<(String, Value, Value)> {
    let change = |change: &Value| {
        (change["kind"].as_str().unwrap().to_owned(), change["path"].clone(), change["old_path"].clone())
    };
    answer.json["data"].as_array().unwrap().iter().map(change).collect()
}

#[actix_web::test]
async fn every_public_change_of_an_article_is_logged_in_order() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let tag = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let (city, world) = (app.section("city").await, app.section("world").await);
    let start = reader.get("/v1/changes?limit=100").await.expect(200).json["page"]["next"].clone();
    let since = |cursor: &Value| format!("/v1/changes?since={}", cursor.as_str().unwrap());

    let draft = app.draft_of(&editor, "Bridge", json!({"tags": ["port"]})).await;
    let path = path_of(&draft);
    assert!(reader.get(&since(&start)).await.expect(200).each("kind").is_empty(), "drafts are not public");
    editor.act(&format!("{path}/publish")).await.expect(200);
    editor.patch(&path, json!({"section": "world", "slug": "new-bridge"})).await.expect(200);
    editor.act(&format!("{path}/publish")).await.expect(200);
    editor.act(&format!("{path}/unpublish")).await.expect(200);

    let log = reader.get(&since(&start)).await.expect(200);
    let (old, new) = (json!("/city/bridge"), json!("/world/new-bridge"));
    let expected = [
        ("created".to_owned(), old.clone(), Value::Null),
        ("updated".to_owned(), new.clone(), old),
        ("removed".to_owned(), Value::Null, new),
    ];
    assert_eq!(rows(&log), expected);
    assert_eq!(log.each("entity_id"), [&*draft.id(); 3]);
    let keys = |number: usize| log.json["data"][number]["surrogate_keys"].as_array().unwrap().clone();
    for wanted in [
        format!("article/{}", draft.id()),
        format!("section/{city}/articles"),
        format!("section/{world}/articles"),
        format!("tag/{}/articles", tag.id()),
    ] {
        assert!(keys(1).contains(&json!(wanted)), "{wanted}: {:?}", keys(1));
    }
    assert!(!keys(0).contains(&json!(format!("section/{world}/articles"))));

    let page = reader.get(&format!("{}&limit=2", since(&start))).await.expect(200);
    assert_eq!(page.each("kind"), ["created", "updated"]);
    let rest = reader.get(&since(&page.json["page"]["next"])).await.expect(200);
    assert_eq!(rest.each("kind"), ["removed"]);
    let end = reader.get(&since(&rest.json["page"]["next"])).await.expect(200);
    assert_eq!((rows(&end).len(), &end.json["page"]["next"]), (0, &rest.json["page"]["next"]));
}

#[actix_web::test]
async fn sections_tags_and_the_site_are_logged_too() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin().await, app.anonymous());
    app.section("world").await;
    admin.patch("/v1/sections/world", json!({"slug": "globe"})).await.expect(200);
    admin.delete("/v1/sections/globe").await.expect(204);
    admin.patch("/v1/site", json!({"name": "A"})).await.expect(200);
    let log = reader.get("/v1/changes").await.expect(200);
    assert_eq!(log.each("entity"), ["section", "section", "section", "site"]);
    assert_eq!(log.each("kind"), ["created", "updated", "removed", "updated"]);
    assert_eq!(rows(&log)[1], ("updated".to_owned(), json!("/globe"), json!("/world")));
    reader.get("/v1/changes?since=x").await.problem(400, "invalid_parameter");
    let far = reader.get("/v1/changes?since=9999999999999999999").await;
    far.problem(400, "invalid_parameter").fault("since", "bad_format");
}
