//! What an article was: revisions, restoring them, and what readers saw at an instant.

use chrono::TimeDelta;
use masthead::domain::instant::Instant;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    newsroom::{each, paragraph, path_of, read_more},
};

fn now(app: &TestApp) -> Instant {
    app.newsroom.clock.now()
}

#[actix_web::test]
async fn every_publication_is_kept() {
    let app = TestApp::start().await;
    let (editor, author) = (app.bold_editor().await, app.author().await);
    let article = app.published("First").await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Second"})).await.expect(200);
    let noted = json!({"note": "Before the lawyers"});
    let kept = editor.post(&format!("{path}/revisions"), noted).await.expect(201);
    assert_eq!((&kept.json["number"], &kept.json["kind"]), (&json!(2), &json!("save_point")));
    assert_eq!(kept.header("location"), format!("{path}/revisions/2"));
    editor.patch(&path, json!({"headline": "Third"})).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.post(&format!("{path}/publish"), json!({"note": "Names corrected"})).await.expect(200);

    let list = author.get(&format!("{path}/revisions?count=true")).await.expect(200);
    assert_eq!(list.each("headline"), ["Third", "Second", "First"]);
    assert_eq!(list.each("kind"), ["publication", "save_point", "publication"]);
    assert_eq!(list.each("note"), ["Names corrected", "Before the lawyers", ""]);
    assert_eq!(list.json["page"]["total"], 3);
    let newest = &list.json["data"][0];
    assert_eq!(newest["actor"], json!({"id": editor.user().id, "name": editor.user().name}));
    let (first, last) = (&list.json["data"][2]["live"], &newest["live"]);
    assert_eq!((&first["live_until"], &last["live_until"]), (&last["live_from"], &Value::Null));
    assert_eq!(list.json["data"][1]["live"], Value::Null);
    let page = author.get(&format!("{path}/revisions?limit=2")).await.expect(200);
    let next = page.json["page"]["next"].as_str().unwrap();
    let rest = author.get(&format!("{path}/revisions?limit=2&cursor={next}")).await.expect(200);
    assert_eq!((rest.each("headline"), &rest.json["page"]["next"]), (vec!["First"], &Value::Null));
    app.anonymous().get(&format!("{path}/revisions")).await.problem(401, "unauthenticated");
    app.contributor().await.get(&format!("{path}/revisions/1")).await.problem(404, "not_found");
    author.get(&format!("{path}/revisions/9")).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_revision_keeps_the_names_of_its_time() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    editor.post("/v1/tags", json!({"name": "Harbour"})).await.expect(201);
    let article = app.published_with("Bridge", json!({"tags": ["harbour"]})).await;
    editor.patch("/v1/tags/harbour", json!({"name": "Port", "slug": "port"})).await.expect(200);
    editor.patch("/v1/sections/city", json!({"name": "Town"})).await.expect(200);
    let kept = editor.get(&format!("{}/revisions/1", path_of(&article))).await.expect(200);
    assert_eq!(kept.json["article"]["tags"][0]["name"], "Harbour");
    assert_eq!(kept.json["article"]["section"]["name"], "city");
    let live = app.anonymous().get(&path_of(&article)).await.expect(200);
    assert_eq!(
        (&live.json["tags"][0]["name"], &live.json["section"]["name"]),
        (&json!("Port"), &json!("Town"))
    );
}

#[actix_web::test]
async fn restoring_touches_the_draft_only_and_loses_nothing() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    editor.post("/v1/tags", json!({"name": "Gone"})).await.expect(201);
    let target = app.published("Target").await;
    let body = json!([{"heading": "One", "blocks": [paragraph("First."), read_more(&target)]}]);
    let members = json!({"tags": ["gone"], "body": body, "kicker": "Old"});
    let article = app.published_with("First", members).await;
    let path = path_of(&article);
    let body = json!([{"blocks": [paragraph("Second.")]}]);
    let second = json!({"headline": "Second", "slug": "second", "kicker": null, "body": body, "tags": []});
    editor.patch(&path, second).await.expect(200);
    editor.act(&format!("{path}/publish")).await.expect(200);
    editor.delete("/v1/tags/gone").await.expect(204);
    let live = reader.get(&path).await.expect(200);
    editor.patch(&path, json!({"headline": "Unsaved"})).await.expect(200);

    let restore = format!("{path}/revisions/1/restore");
    app.editor().await.act(&restore).await.problem(428, "precondition_required");
    app.editor().await.if_match("\"1\"").act(&restore).await.problem(412, "stale");
    let restored = editor.act(&restore).await.expect(200);
    assert_eq!((&restored.json["headline"], &restored.json["kicker"]), (&json!("First"), &json!("Old")));
    assert_eq!(restored.json["slug"], "first");
    assert_eq!(restored.json["tags"], json!([]), "the tag is no more");
    let blocks = &restored.json["body"][0]["blocks"];
    assert_eq!(each(blocks, "type"), ["paragraph", "read_more"]);
    assert_eq!(blocks[0], article.json["body"][0]["blocks"][0], "blocks keep their ids");
    assert_eq!(blocks[1]["link"]["card"]["headline"], "Target");
    assert_eq!(reader.get(&path).await.expect(200).json, live.json, "readers see nothing of it");
    let kept = editor.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(kept.each("headline"), ["Unsaved", "Second", "First"], "what was replaced is kept");
}

#[actix_web::test]
async fn as_of_tells_what_readers_saw() {
    let app = TestApp::start().await;
    let (editor, author, reader) = (app.bold_editor().await, app.author().await, app.anonymous());
    let before = now(&app);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    let target = app.published("Target").await;
    let body = json!([{"blocks": [paragraph("Text."), read_more(&target)]}]);
    let article = app.published_with("First", json!({ "body": body })).await;
    let path = path_of(&article);
    let first = now(&app);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.patch(&path, json!({"headline": "Second", "slug": "second"})).await.expect(200);
    editor.act(&format!("{path}/publish")).await.expect(200);
    editor.patch(&path_of(&target), json!({"headline": "New target"})).await.expect(200);
    editor.act(&format!("{}/publish", path_of(&target))).await.expect(200);
    let second = now(&app);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.act(&format!("{path}/unpublish")).await.expect(200);
    let third = now(&app);
    app.newsroom.clock.advance(TimeDelta::minutes(1));

    let seen = async |at: Instant| author.get(&format!("{path}?as_of={at}")).await;
    seen(before).await.problem(404, "not_found");
    let answer = seen(first).await.expect(200);
    assert_eq!((&answer.json["headline"], &answer.json["slug"]), (&json!("First"), &json!("first")));
    assert_eq!(answer.json["related"][0]["card"]["headline"], "Target");
    let answer = seen(second).await.expect(200);
    assert_eq!(answer.json["headline"], "Second");
    assert_eq!(answer.json["body"][0]["blocks"][1]["link"]["card"]["headline"], "New target");
    seen(third).await.problem(404, "not_found");
    let front = async |at: Instant| {
        let list = author.get(&format!("/v1/articles?section=city&as_of={at}&count=true")).await.expect(200);
        assert_eq!(list.json["page"]["total"], list.json["data"].as_array().unwrap().len());
        list.each("headline").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(front(before).await, [""; 0]);
    assert_eq!(front(first).await, ["First", "Target"]);
    assert_eq!(front(second).await, ["Second", "New target"]);
    assert_eq!(front(third).await, ["New target"]);
    let whole = author.get(&format!("/v1/articles?as_of={first}&limit=1")).await.expect(200);
    assert_eq!(whole.each("headline"), ["First"]);
    let next = whole.json["page"]["next"].as_str().unwrap();
    let next = author.get(&format!("/v1/articles?as_of={first}&limit=1&cursor={next}")).await.expect(200);
    assert_eq!(next.each("headline"), ["Target"]);

    // What is to come.
    let at = Instant::from_millis(now(&app).millis() + 3_600_000);
    editor.post(&format!("{path}/publish"), json!({ "at": at })).await.expect(200);
    assert_eq!(seen(at).await.expect(200).json["headline"], "Second");
    assert_eq!(front(at).await, ["Second", "New target"]);

    reader.get(&format!("{path}?as_of={first}")).await.problem(401, "unauthenticated");
    app.contributor().await.get(&format!("{path}?as_of={first}")).await.problem(403, "forbidden");
    author.get(&format!("{path}?as_of=yesterday")).await.problem(400, "invalid_parameter");
    let both = author.get(&format!("{path}?as_of={first}&stage=draft")).await;
    both.problem(400, "invalid_parameter").fault("stage", "excluded");
    let filtered = author.get(&format!("/v1/articles?as_of={first}&tag=port")).await;
    filtered.problem(400, "invalid_parameter").fault("tag", "excluded");
}

#[actix_web::test]
async fn two_revisions_are_compared_word_by_word() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let body = json!([{"blocks": [paragraph("The bridge <em>opens</em> today."), paragraph("Gone.")]},
        {"heading": "Next", "blocks": [paragraph("Later.")]}]);
    let article = app.published_with("Bridge opens", json!({ "body": body })).await;
    let path = path_of(&article);
    let mut body = article.json["body"].clone();
    let later = body[1]["blocks"].as_array_mut().unwrap().remove(0);
    let blocks = body[0]["blocks"].as_array_mut().unwrap();
    blocks.remove(1);
    blocks[0]["html"] = "The bridge <em>reopens</em> today.".into();
    blocks.extend([later, paragraph("New.")]);
    body[1]["heading"] = "What next".into();
    editor.patch(&path, json!({"headline": "Bridge reopens", "body": body})).await.expect(200);
    editor.post(&format!("{path}/revisions"), json!({})).await.expect(201);
    let diff = editor.get(&format!("{path}/revisions/1/diff/2")).await.expect(200);
    assert_eq!(each(&diff.json["fields"], "field"), ["headline"]);
    let text = json!([
        {"operation": "equal", "text": "Bridge "},
        {"operation": "delete", "text": "opens"},
        {"operation": "insert", "text": "reopens"},
    ]);
    assert_eq!(diff.json["fields"][0]["text"], text);
    let section = &diff.json["sections"][0];
    assert_eq!((&section["old_heading"], &section["new_heading"]), (&json!("Next"), &json!("What next")));
    let blocks = diff.json["blocks"].as_array().unwrap();
    let changes: Vec<_> = blocks.iter().map(|block| block["changes"][0].as_str().unwrap()).collect();
    assert_eq!(changes, ["changed", "moved", "added", "removed"]);
    assert_eq!(each(&blocks[0]["text"], "text"), ["The bridge <em>", "opens", "reopens", "</em> today."]);
    let same = editor.get(&format!("{path}/revisions/2/diff/2")).await.expect(200);
    assert_eq!(same.json, json!({"fields": [], "sections": [], "blocks": []}));
    editor.get(&format!("{path}/revisions/1/diff/9")).await.problem(404, "not_found");
}
