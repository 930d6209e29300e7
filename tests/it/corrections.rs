//! Corrections: readers see them at once, nothing else becomes public by them, and what readers saw is kept.

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::{each, path_of},
};

fn now(app: &TestApp) -> Instant {
    app.newsroom.clock.now()
}

fn texts(article: &Answer) -> Vec<&str> {
    each(&article.json["corrections"], "text")
}

#[actix_web::test]
async fn readers_see_a_correction_and_nothing_else_of_the_draft() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Secret"})).await.expect(200);
    let before = reader.get(&path).await.expect(200);
    assert_eq!(before.json["corrections"], json!([]));
    app.newsroom.clock.advance(TimeDelta::minutes(1));

    let block = &article.json["body"][0]["blocks"][0]["id"];
    let wrong_year = json!({"kind": "correction", "text": " It was 1931.\nNot 1913. ", "block_id": block});
    let made = editor.post(&format!("{path}/corrections"), wrong_year).await.expect(201);
    assert_eq!(made.json["text"], "It was 1931.\nNot 1913.");
    assert_eq!(made.json["published_at"], made.json["created_at"]);
    assert_eq!(made.header("location"), format!("{path}/corrections/{}", made.id()));

    let after = reader.get(&path).await.expect(200);
    assert_eq!(after.json["corrections"], json!([made.json]));
    assert_ne!(after.etag(), before.etag());
    assert_eq!(after.json["updated_at"], made.json["created_at"], "readers are told that it was updated");
    for member in ["headline", "published_at", "first_published_at", "version", "body"] {
        assert_eq!(after.json[member], before.json[member], "{member}");
    }
    let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(
        (&draft.json["headline"], &draft.json["corrections"]),
        (&json!("Secret"), &json!([made.json]))
    );
    assert_eq!(draft.json["workflow"]["has_unpublished_changes"], true);

    let changes = reader.get("/v1/changes?limit=100").await.expect(200);
    let of_article: Vec<_> = changes.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["entity_id"] == article.json["id"])
        .collect();
    assert_eq!(each(&json!(of_article), "kind"), ["created", "updated"]);
    let keys = of_article[1]["surrogate_keys"].as_array().unwrap();
    assert!(keys.contains(&json!(format!("article/{}", article.id()))), "{keys:?}");
    assert!(keys.iter().any(|key| key.as_str().unwrap().starts_with("section/")), "{keys:?}");

    // In lists only where they are asked for.
    let plain = reader.get("/v1/articles").await.expect(200);
    assert!(plain.json["data"][0].get("corrections").is_none());
    let full = reader.get("/v1/articles?include=corrections").await.expect(200);
    assert_eq!(full.json["data"][0]["corrections"], json!([made.json]));
    let one = reader.get(&format!("{path}/corrections/{}", made.id())).await.expect(200);
    assert_eq!(one.json, made.json);
}

#[actix_web::test]
async fn corrections_are_ordered_by_their_dates() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let path = path_of(&app.published("Bridge").await);
    let corrections = format!("{path}/corrections");
    let post = async |kind: &str, text: &str, date: Option<&str>| {
        let correction = json!({"kind": kind, "text": text, "published_at": date});
        editor.post(&corrections, correction).await.expect(201)
    };
    post("update", "Third", None).await;
    post("correction", "Second", Some("2021-01-01T00:00:00Z")).await;
    let first = post("clarification", "First", Some("2020-01-01T00:00:00Z")).await;
    let listed = async || {
        let list = reader.get(&corrections).await.expect(200);
        assert_eq!(list.each("text"), texts(&reader.get(&path).await.expect(200)));
        list.each("text").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["First", "Second", "Third"]);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    let place = format!("{corrections}/{}", first.id());
    let changed = json!({"published_at": "2022-01-01T00:00:00Z", "kind": "retraction"});
    let changed = editor.patch(&place, changed).await.expect(200);
    assert_eq!((&changed.json["kind"], &changed.json["text"]), (&json!("retraction"), &json!("First")));
    assert_ne!(changed.json["updated_at"], changed.json["created_at"]);
    assert_eq!(listed().await, ["Second", "First", "Third"]);
    let number = async || editor.get(&format!("{path}/revisions")).await.expect(200).each("kind").len();
    let revisions = number().await;
    editor.patch(&place, json!({"text": "First"})).await.expect(200);
    assert_eq!(number().await, revisions, "nothing has changed");
    editor.delete(&place).await.expect(204);
    editor.delete(&place).await.problem(404, "not_found");
    reader.get(&place).await.problem(404, "not_found");
    assert_eq!(listed().await, ["Second", "Third"]);
}

#[actix_web::test]
async fn faults_are_told() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let article = app.published("Bridge").await;
    let other = app.published("Other").await;
    let corrections = format!("{}/corrections", path_of(&article));
    let tomorrow = Instant::from_millis(now(&app).millis() + 86_400_000);
    let block = &other.json["body"][0]["blocks"][0]["id"];
    let bad = json!({"kind": "correction", "text": "Wrong.", "block_id": block, "published_at": tomorrow});
    let told = editor.post(&corrections, bad).await.problem(422, "invalid");
    told.fault("/block_id", "unknown_block").fault("/published_at", "in_future").faults(2);
    let told = editor.post(&corrections, json!({"kind": "mistake", "text": " "})).await;
    told.problem(422, "invalid").fault("/kind", "not_allowed");
    let told = editor.post(&corrections, json!({"kind": "update", "text": " "})).await;
    told.problem(422, "invalid").fault("/text", "blank");
    let long = json!({"kind": "update", "text": "x".repeat(2001), "published_at": "soon"});
    let told = editor.post(&corrections, long).await.problem(422, "invalid");
    told.fault("/text", "too_long").fault("/published_at", "bad_instant");
    let made = editor.post(&corrections, json!({"kind": "update", "text": "A"})).await.expect(201);
    let place = format!("{corrections}/{}", made.id());
    editor.patch(&place, json!({"text": null})).await.problem(422, "invalid").fault("/text", "wrong_type");
    editor.patch(&place, json!({"created_at": tomorrow})).await.problem(422, "invalid");
    let elsewhere = format!("{}/corrections/{}", path_of(&other), made.id());
    app.anonymous().get(&elsewhere).await.problem(404, "not_found");
    editor.delete(&elsewhere).await.problem(404, "not_found");
    // The block of a draft is none that readers have.
    let path = path_of(&article);
    let body = json!({"body": [{"blocks": [{"type": "paragraph", "html": "New."}]}]});
    let draft = editor.patch(&path, body).await.expect(200);
    let new = &draft.json["body"][0]["blocks"][0]["id"];
    let told = editor.patch(&place, json!({"block_id": new})).await.problem(422, "invalid");
    told.fault("/block_id", "unknown_block");
    editor.act(&format!("{path}/archive")).await.expect(200);
    editor
        .post(&corrections, json!({"kind": "update", "text": "A"}))
        .await
        .problem(409, "invalid_transition");
}

#[actix_web::test]
async fn corrections_of_what_readers_do_not_see_are_not_public() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let draft = app.draft("Bridge").await;
    let corrections = format!("{}/corrections", path_of(&draft));
    let block = &draft.json["body"][0]["blocks"][0]["id"];
    let text = json!({"kind": "clarification", "text": "As printed.", "block_id": block});
    let made = editor.post(&corrections, text).await.expect(201);
    reader.get(&corrections).await.problem(404, "not_found");
    reader.get(&format!("{corrections}/{}", made.id())).await.problem(404, "not_found");
    app.contributor().await.get(&corrections).await.problem(404, "not_found");
    assert_eq!(app.author().await.get(&corrections).await.expect(200).each("text"), ["As printed."]);
    assert_eq!(reader.get("/v1/changes?limit=100").await.expect(200).each("entity"), ["section"]);
    editor.act(&format!("{}/publish", path_of(&draft))).await.expect(200);
    assert_eq!(reader.get(&corrections).await.expect(200).each("text"), ["As printed."]);
    let retract = json!({"reason": "All wrong."});
    editor.post(&format!("{}/retract", path_of(&draft)), retract).await.expect(200);
    reader.get(&corrections).await.problem(410, "retracted");
}

#[actix_web::test]
async fn as_of_tells_the_corrections_that_readers_saw() {
    let app = TestApp::start().await;
    let (editor, author) = (app.bold_editor().await, app.author().await);
    let path = path_of(&app.published("Bridge").await);
    let mut instants = vec![now(&app)];
    let step = async || {
        app.newsroom.clock.advance(TimeDelta::minutes(1));
        now(&app)
    };
    step().await;
    let backdated = json!({"kind": "correction", "text": "One", "published_at": "2020-01-01T00:00:00Z"});
    let made = editor.post(&format!("{path}/corrections"), backdated).await.expect(201);
    instants.push(step().await);
    let place = format!("{path}/corrections/{}", made.id());
    editor.patch(&place, json!({"text": "Two"})).await.expect(200);
    instants.push(step().await);
    editor.delete(&place).await.expect(204);
    instants.push(step().await);
    let mut seen = Vec::new();
    for at in instants {
        let article = author.get(&format!("{path}?as_of={at}")).await.expect(200);
        let list = author.get(&format!("/v1/articles?as_of={at}&include=corrections")).await.expect(200);
        assert_eq!(list.json["data"][0]["corrections"], article.json["corrections"]);
        seen.push(texts(&article).join(" "));
    }
    assert_eq!(seen, ["", "One", "Two", ""]);
    let revisions = author.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(revisions.each("kind"), ["correction", "correction", "correction", "publication"]);
    assert_eq!(revisions.json["data"][0]["live"]["live_until"], Value::Null);
    assert_eq!(revisions.each("headline"), ["Bridge"; 4]);
}

#[actix_web::test]
async fn publishing_can_tell_of_the_update() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let path = path_of(&app.published("Bridge").await);
    let before = reader.get(&path).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.patch(&path, json!({"headline": "Bridge, updated"})).await.expect(200);
    let note = json!({"update_note": "Figures of the second quarter were added."});
    editor.post(&format!("{path}/publish?dry_run=true"), note.clone()).await.expect(200);
    assert_eq!(reader.get(&path).await.expect(200).json, before.json);
    let published = editor.post(&format!("{path}/publish"), note).await.expect(200);
    let after = reader.get(&path).await.expect(200);
    assert_eq!(after.json["corrections"], published.json["corrections"]);
    let correction = &after.json["corrections"][0];
    assert_eq!((&correction["kind"], &correction["block_id"]), (&json!("update"), &Value::Null));
    assert_eq!(correction["text"], "Figures of the second quarter were added.");
    assert_eq!(after.json["updated_at"], correction["published_at"]);
    assert_eq!(after.json["published_at"], before.json["published_at"]);
    let kept = editor.get(&format!("{path}/revisions/2")).await.expect(200);
    assert_eq!(kept.json["revision"]["kind"], "publication");
    assert_eq!(kept.json["article"]["corrections"], after.json["corrections"]);
}

#[actix_web::test]
async fn what_is_scheduled_brings_its_note_and_keeps_what_was_corrected_meanwhile() {
    let app = TestApp::start().await;
    let (editor, author, reader) = (app.bold_editor().await, app.author().await, app.anonymous());
    let path = path_of(&app.published("First").await);
    let corrections = format!("{path}/corrections");
    editor.patch(&path, json!({"headline": "Second"})).await.expect(200);
    let at = Instant::from_millis(now(&app).millis() + 180_000);
    let publish = |note: &str| json!({"at": at, "update_note": note});
    editor.post(&format!("{path}/publish"), publish("Dropped")).await.expect(200);
    editor.post(&format!("{path}/publish"), publish("Embargoed")).await.expect(200);
    let hidden = async || {
        for surface in [&path, &corrections, "/v1/articles?include=corrections"] {
            assert!(!reader.get(surface).await.expect(200).text.contains("Embargoed"), "{surface}");
        }
    };
    hidden().await;
    let to_come = editor.get(&format!("{path}?stage=scheduled")).await.expect(200);
    assert_eq!(texts(&to_come), ["Embargoed"]);

    app.newsroom.clock.advance(TimeDelta::minutes(1));
    editor.post(&corrections, json!({"kind": "correction", "text": "Meanwhile"})).await.expect(201);
    hidden().await;
    let live = reader.get(&path).await.expect(200);
    assert_eq!((&live.json["headline"], texts(&live)), (&json!("First"), vec!["Meanwhile"]));
    let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(draft.json["workflow"]["scheduled"]["live_from"], json!(at), "it stays scheduled");
    let meanwhile = now(&app);

    app.newsroom.clock.advance(TimeDelta::minutes(3));
    let due = reader.get(&path).await.expect(200);
    assert_eq!((&due.json["headline"], texts(&due)), (&json!("Second"), vec!["Meanwhile", "Embargoed"]));
    assert_eq!(due.json["updated_at"], json!(at));
    settle_due(&app.newsroom).await.unwrap();
    assert_eq!(reader.get(&path).await.expect(200).json, due.json);
    let seen = async |at: Instant| author.get(&format!("{path}?as_of={at}")).await.expect(200);
    assert_eq!(texts(&seen(meanwhile).await), ["Meanwhile"]);
    assert_eq!(texts(&seen(at).await), ["Meanwhile", "Embargoed"]);

    // A plain update that was scheduled does not take back that readers were told of a correction since.
    let later = Instant::from_millis(now(&app).millis() + 180_000);
    editor.post(&format!("{path}/publish"), json!({"at": later})).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    let made = editor.post(&corrections, json!({"kind": "update", "text": "Last"})).await.expect(201);
    app.newsroom.clock.advance(TimeDelta::minutes(3));
    settle_due(&app.newsroom).await.unwrap();
    let last = reader.get(&path).await.expect(200);
    assert_eq!(last.json["updated_at"], made.json["created_at"]);
    assert_eq!(texts(&last), ["Meanwhile", "Embargoed", "Last"]);
    assert_eq!(texts(&seen(now(&app)).await), texts(&last));
}

#[actix_web::test]
async fn a_note_goes_with_the_version_that_it_was_for() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let path = path_of(&app.published("First").await);
    let at = Instant::from_millis(now(&app).millis() + 60_000);
    editor.post(&format!("{path}/publish"), json!({"at": at, "update_note": "Never"})).await.expect(200);
    editor.act(&format!("{path}/unschedule")).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::minutes(2));
    assert_eq!(app.anonymous().get(&path).await.expect(200).json["corrections"], json!([]));
}
