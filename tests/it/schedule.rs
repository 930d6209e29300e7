//! Publication at an instant: readers see it then without anybody doing anything, and it becomes one event.

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// The instant so many seconds from now, by the clock of the test.
fn after(app: &TestApp, seconds: i64) -> String {
    Instant::from_millis(app.newsroom.clock.now().millis() + seconds * 1000).to_string()
}

/// The kinds of the recorded changes of an article.
async fn events(client: &Client, id: &str) -> Vec<String> {
    let changes = client.get("/v1/changes?limit=100").await.expect(200);
    let of_article =
        changes.json["data"].as_array().unwrap().iter().filter(|change| change["entity_id"] == id);
    of_article.map(|change| change["kind"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_scheduled_article_appears_at_its_instant_and_not_before() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let draft = app.draft("Embargo").await;
    let (path, at) = (path_of(&draft), after(&app, 60));
    let linking = json!({"body": [{"blocks": [paragraph("Text."), read_more(&draft)]}]});
    let source = app.published_with("Source", linking).await;
    let scheduled = editor.post(&format!("{path}/publish"), json!({ "at": at })).await.expect(200);
    let workflow = &scheduled.json["workflow"];
    assert_eq!((&workflow["state"], &workflow["live_version"]), (&json!("scheduled"), &Value::Null));
    assert_eq!(workflow["scheduled"]["live_from"], at);
    assert!(workflow["allowed_actions"].as_array().unwrap().contains(&json!("unschedule")));

    let surfaces = [
        "/v1/articles".to_owned(),
        "/v1/articles?section=city&count=true".to_owned(),
        format!("/v1/articles?ids={}", draft.id()),
        format!("{}/links", path_of(&source)),
        format!("{}/inbound", path_of(&source)),
        "/v1/changes?limit=100".to_owned(),
        "/v1/sections/city?include=article_count".to_owned(),
    ];
    for name in [&path, "/v1/articles/embargo"] {
        reader.get(name).await.problem(404, "not_found");
    }
    for surface in &surfaces {
        let answer = reader.raw().get(surface).await;
        let told = answer.text.contains("mbargo") || answer.text.contains(&draft.id());
        assert!(!told, "{surface} tells of what is under embargo: {}", answer.text);
    }
    editor.patch(&path, json!({"headline": "Edited since"})).await.expect(200);
    let kept = editor.get(&format!("{path}?stage=scheduled")).await.expect(200);
    assert_eq!((&kept.json["headline"], &kept.json["stage"]), (&json!("Embargo"), &json!("scheduled")));
    reader.get(&format!("{path}?stage=scheduled")).await.problem(401, "unauthenticated");
    let card = editor.get(&path_of(&source)).await.expect(200).json["related"][0]["card"].clone();
    assert_eq!((&card["state"], &card["scheduled_for"]), (&json!("scheduled"), &json!(at)));

    app.newsroom.clock.advance(TimeDelta::seconds(61));
    let live = reader.get("/v1/articles/embargo").await.expect(200);
    assert_eq!((&live.json["headline"], &live.json["stage"]), (&json!("Embargo"), &json!("live")));
    assert_eq!((&live.json["published_at"], &live.json["first_published_at"]), (&json!(at), &json!(at)));
    let newest = reader.get("/v1/articles?section=city").await.expect(200);
    assert_eq!(newest.each("id"), [draft.id(), source.id()]);
    assert_eq!(reader.get(&path_of(&source)).await.expect(200).json["related"][0]["card"]["state"], "live");
    let seen = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(seen.json["workflow"]["state"], "published", "before anybody recorded it");
    assert_eq!(seen.json["workflow"]["has_unpublished_changes"], true);

    assert_eq!(events(&reader, &draft.id()).await, [""; 0]);
    settle_due(&app.newsroom).await.unwrap();
    settle_due(&app.newsroom).await.unwrap();
    assert_eq!(events(&reader, &draft.id()).await, ["created"]);
    let recorded = reader.get("/v1/articles/embargo").await.expect(200);
    assert_eq!(recorded.json, live.json, "recording changes nothing for readers");
    assert_eq!(recorded.etag(), live.etag());
}

#[actix_web::test]
async fn readers_keep_what_they_see_until_the_next_version_is_due() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("First").await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Second", "slug": "second"})).await.expect(200);
    let at = after(&app, 60);
    let scheduled = editor.post(&format!("{path}/publish"), json!({ "at": at })).await.expect(200);
    assert_eq!(scheduled.json["workflow"]["state"], "published");
    editor.patch(&path, json!({"headline": "Third"})).await.expect(200);
    let shown = async |expected: &str| {
        assert_eq!(reader.get(&path).await.expect(200).json["headline"], expected);
        let list = reader.get("/v1/articles?count=true").await.expect(200);
        assert_eq!((list.each("headline"), &list.json["page"]["total"]), (vec![expected], &json!(1)));
    };
    shown("First").await;
    reader.get("/v1/articles/second").await.problem(404, "not_found");
    let unseen = reader.raw().get("/v1/articles?limit=100").await;
    assert!(!unseen.text.contains("econd"));
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    shown("Second").await;
    reader.get("/v1/articles/first").await.expect(308);
    settle_due(&app.newsroom).await.unwrap();
    shown("Second").await;
    assert_eq!(events(&reader, &article.id()).await, ["created", "updated"]);
    let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(draft.json["headline"], "Third");
    assert_eq!(draft.json["workflow"]["has_unpublished_changes"], true);
}

#[actix_web::test]
async fn a_schedule_can_be_moved_and_cancelled() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let draft = app.draft("Later").await;
    let path = path_of(&draft);
    let publish =
        async |at: String| editor.post(&format!("{path}/publish"), json!({ "at": at })).await.expect(200);
    publish(after(&app, 60)).await;
    publish(after(&app, 120)).await;
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    reader.get(&path).await.problem(404, "not_found");
    let cancelled = editor.act(&format!("{path}/unschedule")).await.expect(200);
    assert_eq!(cancelled.json["workflow"]["state"], "draft");
    assert_eq!(cancelled.json["workflow"]["scheduled"], Value::Null);
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    reader.get(&path).await.problem(404, "not_found");
    assert_eq!(settle_due(&app.newsroom).await.unwrap(), 0);
    editor.act(&format!("{path}/unschedule")).await.problem(409, "invalid_transition");
    // Its slug was never public, so it is free again when the draft gives it up.
    editor.patch(&path, json!({"slug": "another"})).await.expect(200);
    app.draft_of(&editor, "Other", json!({"slug": "later"})).await;
    // And when the draft gives it up before the schedule does.
    publish(after(&app, 60)).await;
    editor.patch(&path, json!({"slug": "third"})).await.expect(200);
    let wanted = json!({"headline": "Other", "slug": "another"});
    editor.post("/v1/articles", wanted.clone()).await.problem(409, "taken");
    editor.act(&format!("{path}/unschedule")).await.expect(200);
    editor.post("/v1/articles", wanted).await.expect(201);

    publish(after(&app, 60)).await;
    editor.delete(&path).await.problem(409, "conflict");
    let now = editor.act(&format!("{path}/publish")).await.expect(200);
    assert_eq!(
        (&now.json["workflow"]["state"], &now.json["workflow"]["scheduled"]),
        (&json!("published"), &Value::Null)
    );
    app.newsroom.clock.advance(TimeDelta::seconds(120));
    settle_due(&app.newsroom).await.unwrap();
    assert_eq!(events(&reader, &draft.id()).await, ["created"]);
}

#[actix_web::test]
async fn a_publication_ends_when_it_was_told_to() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let draft = app.draft("Offer").await;
    let path = path_of(&draft);
    let publish = async |body: Value| editor.post(&format!("{path}/publish"), body).await;
    publish(json!({"until": after(&app, -1)})).await.problem(422, "invalid").fault("/until", "before_start");
    let bad =
        publish(json!({"at": "tomorrow", "until": "2026-13-01T00:00:00Z"})).await.problem(422, "invalid");
    bad.fault("/at", "bad_instant").fault("/until", "bad_instant");
    publish(json!({"until": after(&app, 60)})).await.expect(200);
    reader.get(&path).await.expect(200);
    // A next version that begins before the end takes its place; cancelled, the end is as it was.
    editor.patch(&path, json!({"headline": "Better offer"})).await.expect(200);
    publish(json!({"at": after(&app, 30)})).await.expect(200);
    editor.act(&format!("{path}/unschedule")).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::seconds(45));
    assert_eq!(reader.get(&path).await.expect(200).json["headline"], "Offer");
    app.newsroom.clock.advance(TimeDelta::seconds(16));
    reader.get(&path).await.problem(404, "not_found");
    assert!(reader.get("/v1/articles").await.expect(200).each("id").is_empty());
    let ended = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(ended.json["workflow"]["state"], "unpublished");
    // An editor who comes before the worker finds it recorded.
    editor.patch(&path, json!({"kicker": "Again"})).await.expect(200);
    assert_eq!(events(&reader, &draft.id()).await, ["created", "removed"]);
    assert_eq!(settle_due(&app.newsroom).await.unwrap(), 0);
    publish(json!({})).await.expect(200);
    assert_eq!(reader.get(&path).await.expect(200).json["headline"], "Better offer");
}

#[actix_web::test]
async fn two_nodes_record_an_event_once() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let draft = app.draft(&format!("Article {number}")).await;
        let (path, at) = (path_of(&draft), after(&app, 5));
        editor
            .post(&format!("{path}/publish"), json!({"at": at, "until": after(&app, 50)}))
            .await
            .expect(200);
        ids.push(draft.id());
    }
    for _ in 0..2 {
        app.newsroom.clock.advance(TimeDelta::seconds(30));
        let node = |_| {
            let newsroom = app.newsroom.clone();
            actix_web::rt::spawn(async move { settle_due(&newsroom).await })
        };
        let nodes: Vec<_> = (0..4).map(node).collect();
        for node in nodes {
            node.await.unwrap().unwrap();
        }
    }
    for id in ids {
        assert_eq!(events(&editor, &id).await, ["created", "removed"]);
    }
}
