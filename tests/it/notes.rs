//! Working together: the thread of an article, who is to work on it, and who is editing it.

use chrono::TimeDelta;
use masthead::domain::user::Role;
use serde_json::{Value, json};

use crate::{app::TestApp, newsroom::path_of};

#[actix_web::test]
async fn the_thread_tells_what_was_said_and_done() {
    let app = TestApp::start().await;
    let (contributor, editor, author) = (app.contributor().await, app.editor().await, app.author().await);
    let draft = app.draft_of(&contributor, "Bridge", json!({})).await;
    let path = path_of(&draft);
    let block = &draft.json["body"][0]["blocks"][0]["id"];
    let wanted = json!({"text": "Which bridge?", "block_id": block});
    let note = editor.post(&format!("{path}/notes"), wanted).await.expect(201);
    assert_eq!(note.json["author"], json!({"id": editor.user().id, "name": editor.user().name}));
    let place = note.header("location").to_owned();
    assert_eq!(contributor.get(&place).await.expect(200).json, note.json);
    contributor.post(&format!("{path}/submit"), json!({"note": "Ready"})).await.expect(200);
    editor.post(&format!("{path}/return"), json!({"note": "A source, please"})).await.expect(200);
    editor.act(&format!("{path}/publish?dry_run=true")).await.expect(200);
    editor.post(&format!("{path}/publish"), json!({"note": "With a source"})).await.expect(200);
    editor.act(&format!("{path}/unpublish")).await.expect(200);

    let thread = author.get(&format!("{path}/notes?count=true")).await.expect(200);
    assert_eq!(thread.each("kind"), ["note", "submitted", "returned", "published", "unpublished"]);
    assert_eq!(thread.each("text"), ["Which bridge?", "Ready", "A source, please", "With a source", ""]);
    assert_eq!(thread.json["page"]["total"], 5);
    let page = author.get(&format!("{path}/notes?limit=3")).await.expect(200);
    let next = page.json["page"]["next"].as_str().unwrap();
    let rest = author.get(&format!("{path}/notes?limit=3&cursor={next}")).await.expect(200);
    assert_eq!(rest.each("kind"), ["published", "unpublished"]);

    author.patch(&place, json!({"text": "No"})).await.problem(403, "forbidden");
    let edited = editor.patch(&place, json!({"text": "Which one?"})).await.expect(200);
    assert_eq!(edited.json["text"], "Which one?");
    let step = format!("{path}/notes/{}", thread.json["data"][1]["id"].as_str().unwrap());
    app.admin().await.delete(&step).await.problem(409, "conflict");
    app.admin().await.delete(&place).await.expect(204);
    editor.get(&place).await.problem(404, "not_found");
    let nowhere = json!({"text": "Where?", "block_id": "7"});
    let bad = editor.post(&format!("{path}/notes"), nowhere).await.problem(422, "invalid");
    bad.fault("/block_id", "unknown_block");

    let other = app.draft("Secret").await;
    contributor.get(&format!("{}/notes", path_of(&other))).await.problem(404, "not_found");
    app.anonymous().get(&format!("{path}/notes")).await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn an_article_is_assigned_to_somebody_who_can_read_it() {
    let app = TestApp::start().await;
    let (contributor, editor, author) = (app.contributor().await, app.editor().await, app.author().await);
    let article = app.draft("Bridge").await;
    app.draft("Other").await;
    let path = path_of(&article);
    let assign = async |id: Value| editor.put(&format!("{path}/assignee"), json!({ "user_id": id })).await;
    let assigned = assign(json!(author.user().id)).await.expect(200);
    let card = json!({"id": author.user().id, "name": author.user().name});
    assert_eq!(assigned.json["workflow"]["assignee"], card);
    assert_eq!(assigned.json["version"], article.json["version"], "the document has not changed");
    let mine = author.get("/v1/articles?stage=draft&assignee=me").await.expect(200);
    assert_eq!(mine.each("headline"), ["Bridge"]);
    assert_eq!(mine.json["data"][0]["workflow"]["assignee"], card);
    let theirs = editor.get(&format!("/v1/articles?stage=draft&assignee={}", author.user().id)).await;
    assert_eq!(theirs.expect(200).each("headline"), ["Bridge"]);
    assert!(editor.get("/v1/articles?stage=draft&assignee=me").await.expect(200).each("id").is_empty());
    let live = editor.get("/v1/articles?assignee=me").await.problem(400, "invalid_parameter");
    live.fault("assignee", "only_drafts");
    editor.get("/v1/articles?stage=draft&assignee=you").await.problem(400, "invalid_parameter");

    assign(json!("7")).await.problem(422, "invalid").fault("/user_id", "unknown_user");
    assign(json!(contributor.user().id)).await.problem(422, "invalid").fault("/user_id", "cannot_read");
    let nobody = editor.delete(&format!("{path}/assignee")).await.expect(200);
    assert_eq!(nobody.json["workflow"]["assignee"], Value::Null);
    let thread = editor.get(&format!("{path}/notes")).await.expect(200);
    assert_eq!(thread.each("kind"), ["assigned", "assigned"]);
    assert_eq!(thread.each("text"), [author.user().name.as_str(), ""]);
}

#[actix_web::test]
async fn editors_see_each_other() {
    let app = TestApp::start().await;
    let (editor, author) = (app.editor().await, app.author().await);
    let draft = app.draft_of(&author, "Bridge", json!({})).await;
    let (path, lock) = (path_of(&draft), format!("{}/lock", path_of(&draft)));
    author.get(&lock).await.problem(404, "not_found");
    let held = author.act(&lock).await.expect(200);
    assert_eq!(held.json["holder"], json!({"id": author.user().id, "name": author.user().name}));
    let refused = editor.act(&lock).await.problem(409, "locked");
    assert_eq!(refused.json["lock"], held.json);
    app.newsroom.clock.advance(TimeDelta::seconds(100));
    let renewed = author.act(&lock).await.expect(200);
    assert_eq!(renewed.json["acquired_at"], held.json["acquired_at"]);
    app.newsroom.clock.advance(TimeDelta::seconds(100));
    assert_eq!(editor.get(&lock).await.expect(200).json, renewed.json, "renewed, so it still holds");
    editor.if_match("*").patch(&path, json!({"kicker": "A"})).await.expect(200);

    let taken = editor.post(&lock, json!({"take_over": true})).await.expect(200);
    assert_eq!(taken.json["holder"]["name"], editor.user().name.as_str());
    let thread = editor.get(&format!("{path}/notes")).await.expect(200);
    assert_eq!((thread.each("kind"), thread.each("text")), (vec!["taken_over"], vec!["From Ada Author"]));
    author.delete(&lock).await.problem(403, "forbidden");
    editor.delete(&lock).await.expect(204);
    author.act(&lock).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::seconds(121));
    author.get(&lock).await.problem(404, "not_found");
    editor.act(&lock).await.expect(200);
}

#[actix_web::test]
async fn one_of_many_gets_the_lock() {
    let app = TestApp::start().await;
    let draft = app.draft("Bridge").await;
    let mut users = Vec::new();
    for name in ["Eve", "Eli", "Emma", "Ezra"] {
        users.push(app.user(Role::Editor, name).await);
    }
    for round in 0..10 {
        let lock = format!("{}/lock", path_of(&draft));
        let tries: Vec<_> = users
            .iter()
            .map(|user| {
                let (user, lock) = (user.clone(), lock.clone());
                actix_web::rt::spawn(async move { user.act(&lock).await.status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for one in tries {
            statuses.push(one.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409], "round {round}");
        users[0].delete(&lock).await.expect(204);
    }
}
