//! Releases: articles that change together at one instant, all or none.

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{each, paragraph, path_of, read_more},
};

/// The instant so many seconds from now, by the clock of the test.
fn after(app: &TestApp, seconds: i64) -> Instant {
    Instant::from_millis(app.newsroom.clock.now().millis() + seconds * 1000)
}

/// Two drafts that link to each other, and an article that readers see; a release publishes the two and withdraws the
/// third, to which the first links.
async fn election_night(app: &TestApp) -> (Answer, Answer, Answer, String) {
    let editor = app.bold_editor().await;
    let old = app.published("Polls are open").await;
    let first = app.draft("Polls are closed").await;
    let second = app.draft("First results").await;
    for (source, target) in [(&first, &second), (&second, &first)] {
        let body = json!([{"blocks": [paragraph("Text."), read_more(target)]}]);
        editor.patch(&path_of(source), json!({ "body": body })).await.expect(200);
    }
    let items = json!([
        {"article": first.id()},
        {"article": "first-results", "action": "publish"},
        {"article": old.id(), "action": "unpublish"},
    ]);
    let release =
        editor.post("/v1/releases", json!({"name": "Election night", "items": items})).await.expect(201);
    let path = format!("/v1/releases/{}", release.id());
    assert_eq!(release.header("location"), path);
    (first, second, old, path)
}

/// The headlines that readers see.
async fn front(reader: &Client) -> Vec<String> {
    let list = reader.get("/v1/articles?sort=headline").await.expect(200);
    list.each("headline").into_iter().map(str::to_owned).collect()
}

async fn state(editor: &Client, article: &Answer) -> Value {
    let draft = editor.get(&format!("{}?stage=draft", path_of(article))).await.expect(200);
    draft.json["workflow"]["state"].clone()
}

#[actix_web::test]
async fn a_release_takes_effect_at_one_instant() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (first, second, old, release) = election_night(&app).await;
    let found = editor.get(&format!("{release}/preflight")).await.expect(200);
    assert_eq!(found.json, json!({"publishable": true, "findings": []}), "links between members count");
    let at = after(&app, 60);
    let schedule = format!("{release}/schedule");
    let tried = editor.post(&format!("{schedule}?dry_run=true"), json!({ "at": at })).await.expect(200);
    assert_eq!(
        (&tried.json["state"], &tried.json["outcome"]["dry_run"]),
        (&json!("scheduled"), &json!(true))
    );
    assert_eq!(editor.get(&release).await.expect(200).json["state"], "draft");

    let scheduled = editor.post(&schedule, json!({ "at": at })).await.expect(200);
    assert_eq!((&scheduled.json["state"], &scheduled.json["at"]), (&json!("scheduled"), &json!(at)));
    assert_eq!(each(&scheduled.json["items"], "state"), ["scheduled", "scheduled", "published"]);
    assert_eq!(front(&reader).await, ["Polls are open"]);
    let soon = editor.get(&format!("/v1/articles?sort=headline&as_of={at}")).await.expect(200);
    assert_eq!(soon.each("headline"), ["First results", "Polls are closed"], "the site as it will be");
    let soon = editor.get(&format!("{}?as_of={at}", path_of(&first))).await.expect(200);
    assert_eq!(soon.json["related"][0]["card"]["headline"], "First results");

    // Its articles are held: they can be edited, but what was scheduled stays as it was.
    for (article, step) in
        [(&first, "publish"), (&second, "unschedule"), (&old, "unpublish"), (&old, "publish")]
    {
        editor.act(&format!("{}/{step}", path_of(article))).await.problem(409, "in_release");
    }
    editor.delete(&path_of(&first)).await.problem(409, "in_release");
    editor.patch(&path_of(&first), json!({"headline": "Edited since"})).await.expect(200);
    editor.patch(&release, json!({"items": []})).await.problem(409, "conflict");
    editor.delete(&release).await.problem(409, "conflict");

    app.newsroom.clock.advance(TimeDelta::seconds(61));
    assert_eq!(front(&reader).await, ["First results", "Polls are closed"]);
    let seen = reader.get(&path_of(&first)).await.expect(200);
    assert_eq!(seen.json["related"][0]["card"]["headline"], "First results");
    reader.get(&path_of(&old)).await.problem(404, "not_found");
    assert_eq!(editor.get(&release).await.expect(200).json["state"], "released");
    settle_due(&app.newsroom).await.unwrap();
    assert_eq!(front(&reader).await, ["First results", "Polls are closed"]);
    assert_eq!(state(&editor, &first).await, "published");
    assert_eq!(state(&editor, &old).await, "unpublished");
    let done = editor.get("/v1/releases?state=released&count=true").await.expect(200);
    assert_eq!((done.each("name"), &done.json["page"]["total"]), (vec!["Election night"], &json!(1)));
    editor.act(&format!("{release}/cancel")).await.problem(409, "conflict");
    editor.act(&format!("{}/unpublish", path_of(&first))).await.expect(200);
    let kept = editor.get(&format!("{}/revisions", path_of(&second))).await.expect(200);
    assert_eq!(kept.json["data"][0]["live"], json!({"live_from": at, "live_until": null}));
}

#[actix_web::test]
async fn a_release_can_be_published_at_once() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (first, second, old, release) = election_night(&app).await;
    let linking = json!({"body": [{"blocks": [paragraph("Text."), read_more(&old)]}]});
    let source = app.published_with("Analysis", linking).await;
    let done = editor.act(&format!("{release}/publish")).await.expect(200);
    assert_eq!(done.json["state"], "released");
    assert_eq!(each(&done.json["outcome"]["affected_links"], "article_id"), [source.id()]);
    assert_eq!(front(&reader).await, ["Analysis", "First results", "Polls are closed"]);
    let dates: Vec<_> = [&first, &second].iter().map(|article| path_of(article)).collect();
    let mut published = Vec::new();
    for path in dates {
        published.push(reader.get(&path).await.expect(200).json["published_at"].clone());
    }
    assert_eq!(published[0], published[1], "at one instant");
    editor.act(&format!("{release}/publish")).await.problem(409, "conflict");
}

#[actix_web::test]
async fn one_article_that_cannot_change_keeps_all_back() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (first, second, old, release) = election_night(&app).await;
    editor.patch(&path_of(&second), json!({"section": null})).await.expect(200);
    editor.act(&format!("{}/unpublish", path_of(&old))).await.expect(200);
    let later = json!({"at": after(&app, 60)});
    editor.post(&format!("{}/publish", path_of(&first)), later.clone()).await.expect(200);
    let refused = editor.act(&format!("{release}/publish")).await.problem(422, "not_ready");
    let refused = refused
        .fault("/items/0/article", "already_scheduled")
        .fault("/items/2/article", "invalid_transition");
    refused.fault("/items/1/article/section", "no_section").faults(3);
    assert!(front(&reader).await.is_empty(), "none has changed");

    editor.act(&format!("{}/unschedule", path_of(&first))).await.expect(200);
    editor.patch(&path_of(&second), json!({"section": "city"})).await.expect(200);
    let items = json!([{"article": first.id()}, {"article": second.id()}]);
    editor.patch(&release, json!({ "items": items })).await.expect(200);
    editor.post(&format!("{release}/schedule"), later).await.expect(200);
    // An article belongs to one scheduled release.
    let other = json!({"name": "Other", "items": [{"article": first.id()}]});
    let other = editor.post("/v1/releases", other).await.expect(201).id();
    let refused = editor.act(&format!("/v1/releases/{other}/publish")).await.problem(422, "not_ready");
    refused.fault("/items/0/article", "in_release");

    let bad = json!({"name": "Bad", "items": [{"article": "nowhere"}, {"article": first.id()}, {"article": "polls-are-closed"}]});
    let bad = editor.post("/v1/releases", bad).await.problem(422, "invalid");
    bad.fault("/items/0/article", "unknown_article").fault("/items/2/article", "repeated").faults(2);
    let empty = editor.post("/v1/releases", json!({"name": "Empty"})).await.expect(201).id();
    editor.act(&format!("/v1/releases/{empty}/publish")).await.problem(409, "conflict");
    editor.delete(&format!("/v1/releases/{empty}")).await.expect(204);
    app.author().await.get(&release).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn a_cancelled_release_leaves_everything_as_it_was() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (first, second, old, release) = election_night(&app).await;
    editor.post(&format!("{}/publish", path_of(&old)), json!({"until": after(&app, 300)})).await.expect(200);
    editor.act(&format!("{}/submit", path_of(&second))).await.expect(200);
    let stale = app.editor().await.if_match("\"9\"");
    let at = json!({"at": after(&app, 60)});
    stale.post(&format!("{release}/schedule"), at.clone()).await.problem(412, "stale");
    editor.post(&format!("{release}/schedule"), at).await.expect(200);
    let cancelled = editor.act(&format!("{release}/cancel")).await.expect(200);
    assert_eq!((&cancelled.json["state"], &cancelled.json["at"]), (&json!("draft"), &Value::Null));
    assert_eq!(state(&editor, &first).await, "draft");
    assert_eq!(state(&editor, &old).await, "published");
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    assert_eq!(front(&reader).await, ["Polls are open"]);
    assert_eq!(settle_due(&app.newsroom).await.unwrap(), 0);
    app.newsroom.clock.advance(TimeDelta::seconds(240));
    assert!(front(&reader).await.is_empty(), "its own end is as it was");
    editor.act(&format!("{}/publish", path_of(&first))).await.expect(200);
}

#[actix_web::test]
async fn a_release_and_an_editor_never_meet_halfway() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    for round in 0..20 {
        let (first, second) =
            (app.draft(&format!("First {round}")).await, app.published(&format!("Second {round}")).await);
        let items = json!([{"article": first.id()}, {"article": second.id(), "action": "unpublish"}]);
        let release =
            editor.post("/v1/releases", json!({"name": "Race", "items": items})).await.expect(201).id();
        let publish = {
            let (editor, path) = (editor.clone(), format!("/v1/releases/{release}/publish"));
            actix_web::rt::spawn(async move { editor.act(&path).await.status.as_u16() })
        };
        let unpublish = {
            let (editor, path) = (editor.clone(), format!("{}/unpublish", path_of(&second)));
            actix_web::rt::spawn(async move { editor.act(&path).await.status.as_u16() })
        };
        let statuses = (publish.await.unwrap(), unpublish.await.unwrap());
        let states = (state(&editor, &first).await, state(&editor, &second).await);
        match statuses {
            (200, 409) => assert_eq!(states, (json!("published"), json!("unpublished"))),
            (422, 200) => assert_eq!(states, (json!("draft"), json!("unpublished"))),
            other => panic!("{other:?} {states:?}"),
        }
    }
}
