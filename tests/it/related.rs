//! What to read next to an article: what editors link to, then what has something in common with it.

use chrono::TimeDelta;
use masthead::domain::instant::Instant;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    lists::statements,
    newsroom::{paragraph, path_of, read_more},
};

async fn related(app: &TestApp, article: &Answer, query: &str) -> Answer {
    app.anonymous().get(&format!("{}/related{query}", path_of(article))).await.expect(200)
}

/// The headlines of the cards.
fn headlines(answer: &Answer) -> Vec<&str> {
    let items = answer.json["data"].as_array().unwrap();
    items.iter().map(|item| item["card"]["headline"].as_str().unwrap()).collect()
}

async fn tags(app: &TestApp, names: &[&str]) {
    for name in names {
        app.editor().await.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
}

#[actix_web::test]
async fn editors_go_first_and_the_rest_says_why() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    tags(&app, &["Port", "Rail", "Air"]).await;
    app.section("world").await;
    let chosen = app.published_with("Chosen", json!({"tags": ["port"]})).await;
    app.published_with("Both tags", json!({"tags": ["rail", "port"]})).await;
    app.published_with("Lead tag", json!({"tags": ["port"], "section": "world"})).await;
    app.published_with("Other tag", json!({"tags": ["rail"], "section": "world"})).await;
    app.published_with("Same section", json!({})).await;
    app.published_with("Nothing in common", json!({"tags": ["air"], "section": "world"})).await;
    app.draft_of(&editor, "Draft", json!({"tags": ["port"]})).await;
    let gone = app.published_with("Gone", json!({"tags": ["port"]})).await;
    editor.act(&format!("{}/unpublish", path_of(&gone))).await.expect(200);
    let external = json!({"type": "read_more", "link": {"label": "Source", "kind": "external",
        "target": {"url": "https://a.example/", "title": "Elsewhere"}}});
    let body = json!([{"blocks": [paragraph("Text."), read_more(&chosen), external]}]);
    let article = app.published_with("Article", json!({"tags": ["port", "rail"], "body": body})).await;
    let listed = json!({"target": {"article_id": chosen.id()}});
    editor.post(&format!("{}/links", path_of(&article)), listed).await.expect(201);
    editor.act(&format!("{}/publish", path_of(&article))).await.expect(200);

    let all = related(&app, &article, "").await;
    let expected = ["Chosen", "Elsewhere", "Both tags", "Lead tag", "Other tag", "Same section"];
    assert_eq!(headlines(&all), expected);
    assert_eq!(all.each("source"), ["editor", "editor", "auto", "auto", "auto", "auto"]);
    let items = &all.json["data"];
    assert_eq!((&items[1]["label"], &items[1]["kind"]), (&json!("Source"), &json!("external")));
    assert_eq!((&items[0]["score"], &items[0]["reasons"]), (&Value::Null, &json!([])));
    let kinds = |item: &Value| crate::newsroom::each(&item["reasons"], "kind").join(" ");
    assert_eq!(kinds(&items[2]), "lead_tag shared_tag same_section recent");
    assert_eq!(kinds(&items[3]), "lead_tag recent");
    assert_eq!(kinds(&items[5]), "same_section recent");
    assert_eq!(items[2]["reasons"][0]["tag"]["slug"], "port");
    assert_eq!(items[2]["reasons"][2]["section"]["slug"], "city");
    for item in items.as_array().unwrap().iter().filter(|item| item["source"] == "auto") {
        let points =
            item["reasons"].as_array().unwrap().iter().map(|reason| reason["points"].as_u64().unwrap());
        assert_eq!(item["score"], points.sum::<u64>(), "{item}");
    }

    assert_eq!(headlines(&related(&app, &article, "?source=editor").await), expected[..2]);
    assert_eq!(headlines(&related(&app, &article, "?source=auto").await), expected[2..]);
    assert_eq!(headlines(&related(&app, &article, "?limit=3").await), expected[..3]);
    assert_eq!(headlines(&related(&app, &article, "?limit=1").await), expected[..1]);
    let own = editor.get(&format!("{}/related", path_of(&article))).await.expect(200);
    assert_eq!(own.json, all.json, "with credentials it is the same");
    app.anonymous()
        .get(&format!("{}/related?limit=51", path_of(&article)))
        .await
        .problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn a_rare_tag_counts_more_and_a_newer_article_goes_first() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    tags(&app, &["Lead", "Common", "Rare"]).await;
    app.section("world").await;
    for number in 0..20 {
        app.published_with(&format!("C{number}"), json!({"tags": ["common"], "section": "world"})).await;
    }
    app.published_with("R", json!({"tags": ["rare"], "section": "world"})).await;
    let old = app.draft_of(&editor, "Old", json!({"tags": ["rare"], "section": "world"})).await;
    let long_ago = json!({"published_at": "2020-01-01T00:00:00Z"});
    editor.post(&format!("{}/publish", path_of(&old)), long_ago).await.expect(200);
    let article = app.published_with("Article", json!({"tags": ["lead", "common", "rare"]})).await;
    let found = related(&app, &article, "").await;
    assert_eq!(headlines(&found)[..4], ["R", "C19", "C18", "C17"]);
    let all = related(&app, &article, "?limit=50").await;
    assert_eq!((headlines(&all).len(), headlines(&all).last()), (22, Some(&"Old")));

    let few = related(&app, &article, "?limit=1").await;
    assert!(statements(&all).abs_diff(statements(&few)) <= 1, "{}", all.header("server-timing"));
    assert!(statements(&all) <= 12, "{}", all.header("server-timing"));
    assert_eq!(all.etag(), related(&app, &article, "?limit=50").await.etag());
}

#[actix_web::test]
async fn it_is_what_readers_see_at_the_instant() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let article = app.published("Article").await;
    let soon = app.draft("Soon").await;
    let now = app.newsroom.clock.now().millis();
    let at = |seconds: i64| Instant::from_millis(now + seconds * 1000).to_string();
    let how = json!({"at": at(60), "until": at(120)});
    editor.post(&format!("{}/publish", path_of(&soon)), how).await.expect(200);
    assert!(headlines(&related(&app, &article, "").await).is_empty());
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    assert_eq!(headlines(&related(&app, &article, "").await), ["Soon"]);
    app.newsroom.clock.advance(TimeDelta::seconds(60));
    assert!(headlines(&related(&app, &article, "").await).is_empty());

    let reader = app.anonymous();
    editor.patch(&path_of(&article), json!({"slug": "renamed"})).await.expect(200);
    editor.act(&format!("{}/publish", path_of(&article))).await.expect(200);
    let moved = reader.get("/v1/articles/article/related").await.expect(308);
    assert!(moved.header("location").contains("renamed"), "{}", moved.header("location"));
    editor.post(&format!("{}/retract", path_of(&article)), json!({"reason": "Wrong."})).await.expect(200);
    reader.get(&format!("{}/related", path_of(&article))).await.problem(410, "retracted");
    reader.get(&format!("{}/related", path_of(&soon))).await.problem(404, "not_found");
}
