//! Previews: whoever has the token reads the draft, and nobody else learns that there is one.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// A preview of an article.
async fn preview(client: &Client, article: &Answer, wanted: Value) -> Answer {
    client.post(&format!("{}/previews", path_of(article)), wanted).await.expect(201)
}

/// The path under which the API answers what a preview shows.
fn api(preview: &Answer) -> String {
    preview.json["api"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn the_holder_of_a_link_reads_the_draft_and_sees_what_it_links_to() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.draft("Unpublished target").await;
    let live = app.published("Live target").await;
    let blocks = json!({"body": [{"blocks": [paragraph("Text."), read_more(&target), read_more(&live)]}]});
    let draft = app.draft_of(&editor, "Secret", blocks).await;
    let made = preview(&editor, &draft, json!({"note": "For the lawyers"})).await;
    let token = made.json["token"].as_str().unwrap();
    assert!(token.starts_with("mhp_") && token.len() == 47, "{token}");
    let site = reader.get("/v1/site").await.expect(200);
    let page = format!("{}/city/secret?preview={token}", site.json["url"].as_str().unwrap());
    assert_eq!(made.json["url"], page);
    assert_eq!(api(&made), format!("{}?preview={token}", path_of(&draft)));
    assert_eq!((&made.json["version"], &made.json["opened_count"]), (&Value::Null, &json!(0)));
    assert_eq!(made.json["created_by"], json!({"id": editor.user().id, "name": editor.user().name}));

    let seen = reader.get(&api(&made)).await.expect(200);
    assert_eq!((&seen.json["headline"], &seen.json["stage"]), (&json!("Secret"), &json!("draft")));
    assert_eq!(seen.header("cache-control"), "private, no-store");
    assert!(seen.json.get("workflow").is_none());
    let cards: Vec<_> = seen.json["related"].as_array().unwrap().iter().map(|link| &link["card"]).collect();
    assert_eq!((&cards[0]["headline"], &cards[0]["state"]), (&json!("Unpublished target"), &json!("draft")));
    assert_eq!((&cards[1]["headline"], &cards[1]["state"]), (&json!("Live target"), &json!("live")));
    let blocks = &seen.json["body"][0]["blocks"];
    assert_eq!(blocks[1]["link"]["card"]["headline"], "Unpublished target");

    // It follows the draft, by slug too, and after that has changed.
    editor.patch(&path_of(&draft), json!({"headline": "Edited", "slug": "renamed"})).await.expect(200);
    for name in ["secret", "renamed"] {
        let seen =
            reader.get(&format!("/v1/articles/{name}?preview={token}&fields=headline")).await.expect(200);
        assert_eq!(seen.json, json!({"headline": "Edited"}), "{name}");
    }
    let as_editor = editor.get(&api(&made)).await.expect(200);
    assert!(as_editor.json.get("workflow").is_none(), "the token decides, not who sends it");

    let place = made.header("location").to_owned();
    let told = editor.get(&place).await.expect(200);
    assert_eq!((&told.json["opened_count"], &told.json["note"]), (&json!(4), &json!("For the lawyers")));
    assert!(told.json["last_opened_at"].is_string());
    let list = editor.get(&format!("{}/previews", path_of(&draft))).await.expect(200);
    assert_eq!(list.json["data"], json!([told.json]));
    assert!(!list.text.contains("mhp_"), "the token is told once");
}

#[actix_web::test]
async fn a_pinned_preview_keeps_the_draft_but_not_the_cards() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.draft("Target").await;
    let gone = app.draft("Gone").await;
    let blocks = json!({"body": [{"blocks": [paragraph("Text."), read_more(&target), read_more(&gone)]}]});
    let article = app.published_with("First", blocks).await;
    let path = path_of(&article);
    let edited = editor.patch(&path, json!({"headline": "Second"})).await.expect(200);
    let pinned = preview(&editor, &article, json!({"pinned": true})).await;
    assert_eq!(pinned.json["version"], edited.json["version"]);
    editor.patch(&path, json!({"headline": "Third", "body": []})).await.expect(200);
    editor.patch(&path_of(&target), json!({"headline": "New target"})).await.expect(200);
    editor.act(&format!("{}/publish", path_of(&target))).await.expect(200);
    editor.delete(&path_of(&gone)).await.expect(200);

    let seen = reader.get(&api(&pinned)).await.expect(200);
    assert_eq!((&seen.json["headline"], &seen.json["version"]), (&json!("Second"), &pinned.json["version"]));
    assert_eq!(seen.json["stage"], "draft");
    assert_eq!(seen.json["body"][0]["blocks"][0]["html"], "Text.");
    let links = &seen.json["related"];
    assert_eq!(links[0]["card"]["headline"], "New target");
    assert_eq!(links[0]["card"]["state"], "live");
    assert_eq!(links[1]["target"], json!({"article_id": null, "url": null, "title": "Gone"}));
    assert_eq!(links[1]["card"]["state"], "withdrawn");
    let live = reader.get(&path).await.expect(200);
    assert_eq!(live.json["headline"], "First", "readers see nothing of it");
    assert_eq!(seen.json["published_at"], live.json["published_at"]);
}

#[actix_web::test]
async fn a_token_that_does_not_fit_is_as_if_nothing_were_there() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (draft, other) = (app.draft("Secret").await, app.published("Other").await);
    let made = preview(&editor, &draft, json!({"expires_in": 60})).await;
    let token = made.json["token"].as_str().unwrap();
    let nothing = |answer: Answer| {
        let mut problem = answer.problem(404, "not_found").json;
        problem["request_id"].take();
        problem
    };
    let absent = nothing(reader.get("/v1/articles/7").await);
    let refused = async |path: String| {
        let answer = reader.get(&path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(nothing(answer), absent, "{path}");
    };
    refused(format!("{}?preview={token}", path_of(&other))).await;
    refused(format!("/v1/articles/other?preview={token}")).await;
    refused(format!("/v1/articles/7?preview={token}")).await;
    refused(format!("{}?preview=mhp_wrong", path_of(&draft))).await;
    refused(format!("{}x", api(&made))).await;
    assert_eq!(editor.get(made.header("location")).await.expect(200).json["opened_count"], 0);

    for (query, parameter) in
        [("stage=draft", "stage"), ("stage=live", "stage"), ("as_of=2020-01-01T00:00:00Z", "as_of")]
    {
        let both = reader.get(&format!("{}&{query}", api(&made))).await.problem(400, "invalid_parameter");
        both.fault(parameter, "excluded");
    }
    let empty = reader.get(&format!("{}?preview=", path_of(&draft))).await;
    empty.problem(400, "invalid_parameter").fault("preview", "blank");
    let parts = format!("{}/links?preview={token}", path_of(&draft));
    reader.get(&parts).await.problem(400, "invalid_parameter");

    reader.get(&api(&made)).await.expect(200);
    editor.act(&format!("{}/archive", path_of(&draft))).await.expect(200);
    refused(api(&made)).await;
    let more = editor.post(&format!("{}/previews", path_of(&draft)), json!({})).await;
    more.problem(409, "conflict");
    editor.act(&format!("{}/reopen", path_of(&draft))).await.expect(200);
    reader.get(&api(&made)).await.expect(200);
    app.newsroom.clock.advance(TimeDelta::seconds(60));
    refused(api(&made)).await;
    editor.get(made.header("location")).await.problem(404, "not_found");

    let revoked = preview(&editor, &draft, json!({})).await;
    editor.delete(&format!("{}/previews/{}", path_of(&other), revoked.id())).await.problem(404, "not_found");
    reader.get(&api(&revoked)).await.expect(200);
    editor.delete(revoked.header("location")).await.expect(204);
    refused(api(&revoked)).await;
    editor.delete(revoked.header("location")).await.problem(404, "not_found");

    let deleted = preview(&editor, &draft, json!({"pinned": true})).await;
    editor.delete(&path_of(&draft)).await.expect(200);
    refused(api(&deleted)).await;
}

#[actix_web::test]
async fn authors_preview_their_own_and_contributors_nothing() {
    let app = TestApp::start().await;
    let (author, contributor) = (app.author().await, app.contributor().await);
    let own = app.draft_of(&author, "Own", json!({})).await;
    let theirs = app.draft_of(&contributor, "Theirs", json!({})).await;
    let made = preview(&author, &own, json!({"expires_in": 2_592_000})).await;
    assert_eq!(app.editor().await.get(made.header("location")).await.expect(200).json["id"], made.json["id"]);
    for client in [&author, &contributor] {
        let previews = format!("{}/previews", path_of(&theirs));
        client.act(&previews).await.problem(403, "forbidden");
        client.get(&previews).await.problem(403, "forbidden");
    }
    let previews = format!("{}/previews", path_of(&own));
    contributor.get(&previews).await.problem(404, "not_found");
    contributor.delete(made.header("location")).await.problem(404, "not_found");
    for (seconds, code) in [(59, "too_small"), (2_592_001, "too_large")] {
        let told = author.post(&previews, json!({ "expires_in": seconds })).await.problem(422, "invalid");
        told.fault("/expires_in", code);
    }
}
