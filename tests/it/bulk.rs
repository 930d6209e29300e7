//! Many actions in one request: each for itself, or all or none.

use serde_json::{Value, json};

use crate::{
    app::TestApp,
    newsroom::{each, path_of},
};

/// The statuses of the results.
fn statuses(answer: &Value) -> Vec<u64> {
    answer["results"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[actix_web::test]
async fn each_action_is_taken_for_itself() {
    let app = TestApp::start().await;
    let (editor, author, reader) = (app.bold_editor().await, app.author().await, app.anonymous());
    app.section("sport").await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/tags", json!({"name": "Air"})).await.expect(201);
    let own = app.draft_of(&author, "Own", json!({"tags": ["air"]})).await;
    let others = app.published("Others").await;
    let actions = json!([
        {"action": "add_tags", "article": "own", "version": "1", "tags": ["port", "air"]},
        {"action": "remove_tags", "article": own.id(), "version": "1", "tags": ["air"]},
        {"action": "remove_tags", "article": own.id(), "version": "2", "tags": ["air"]},
        {"action": "move", "article": own.id(), "version": "*", "section": "sport"},
        {"action": "move", "article": own.id(), "section": "sport"},
        {"action": "publish", "article": own.id(), "version": "4"},
        {"action": "unpublish", "article": others.id()},
        {"action": "delete", "article": "nowhere"},
        {"action": "discard", "article": own.id()},
    ]);
    let done = author.post("/v1/articles/bulk", json!({ "actions": actions })).await.expect(200);
    assert_eq!(statuses(&done.json), [200, 412, 200, 200, 428, 200, 403, 404, 409], "{}", done.text);
    let results = &done.json["results"];
    assert_eq!(results[1]["problem"]["current_version"], 2);
    assert_eq!((&results[5]["state"], &results[5]["version"]), (&json!("published"), &json!(4)));
    assert_eq!(each(results, "article")[0], "own");
    let read = reader.get(&path_of(&own)).await.expect(200);
    assert_eq!(each(&read.json["tags"], "slug"), ["port"]);
    assert_eq!(read.json["path"], "/sport/own");
    reader.get(&path_of(&others)).await.expect(200);
}

#[actix_web::test]
async fn all_actions_are_taken_or_none() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let first = app.draft("First").await;
    let second = app.draft_of(&editor, "Second", json!({"section": null})).await;
    let publish = |articles: [&str; 2]| {
        let actions: Vec<_> =
            articles.iter().map(|article| json!({"action": "publish", "article": article})).collect();
        json!({"atomic": true, "actions": actions})
    };
    let both = publish([&first.id(), &second.id()]);
    let refused = editor.post("/v1/articles/bulk", both.clone()).await.problem(422, "bulk_failed");
    refused.fault("/actions/1", "not_ready").fault("/actions/1/article/section", "no_section").faults(2);
    reader.get(&path_of(&first)).await.problem(404, "not_found");
    assert_eq!(
        reader.get("/v1/changes").await.expect(200).json["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|change| change["entity"] == "article")
            .count(),
        0
    );

    editor.patch(&path_of(&second), json!({"section": "city"})).await.expect(200);
    let tried = editor.post("/v1/articles/bulk?dry_run=true", both.clone()).await.expect(200);
    assert_eq!((&tried.json["dry_run"], statuses(&tried.json)), (&json!(true), vec![200, 200]));
    reader.get(&path_of(&first)).await.problem(404, "not_found");
    let done = editor.post("/v1/articles/bulk", both).await.expect(200);
    assert_eq!(each(&done.json["results"], "state"), ["published", "published"]);
    for article in [&first, &second] {
        reader.get(&path_of(article)).await.expect(200);
    }
}

#[actix_web::test]
async fn actions_are_checked_before_any_is_taken() {
    let app = TestApp::start().await;
    let (editor, article) = (app.editor().await, app.published("First").await);
    let actions = json!([
        {"action": "unpublish", "article": article.id()},
        {"action": "return", "article": "a"},
        {"action": "publish", "article": "a", "publish": {"at": "2026-02-30T00:00:00Z"}, "reason": "No"},
        {"action": "retract", "article": "a", "reason": "  "},
        {"action": "explode", "article": "a"},
        {"action": "move", "article": "a", "version": "x"},
    ]);
    let bad = editor.post("/v1/articles/bulk", json!({ "actions": actions })).await.problem(422, "invalid");
    bad.fault("/actions/4/action", "not_allowed").fault("/actions/5/version", "bad_format");
    let actions = json!([
        {"action": "unpublish", "article": article.id()},
        {"action": "return", "article": "a"},
        {"action": "publish", "article": "a", "publish": {"at": "2026-02-30T00:00:00Z"}, "reason": "No"},
        {"action": "retract", "article": "a", "reason": "  "},
        {"action": "move", "article": "a"},
    ]);
    let bad = editor.post("/v1/articles/bulk", json!({ "actions": actions })).await.problem(422, "invalid");
    let bad = bad.fault("/actions/1/note", "required").fault("/actions/2/publish/at", "bad_instant");
    let bad = bad.fault("/actions/2/reason", "not_taken").fault("/actions/3/reason", "blank");
    bad.fault("/actions/4/section", "required").faults(5);
    app.anonymous().get(&path_of(&article)).await.expect(200);
    let many = vec![json!({"action": "submit", "article": "a"}); 101];
    let many = editor.post("/v1/articles/bulk", json!({ "actions": many })).await.problem(422, "invalid");
    many.fault("/actions", "too_many");
}
