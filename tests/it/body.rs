//! The text of a draft, edited part by part.

use serde_json::{Value, json};

use crate::{
    app::TestApp,
    newsroom::{each, paragraph, path_of, read_more},
};

#[actix_web::test]
async fn sections_are_inserted_replaced_patched_ordered_and_deleted() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let path = format!("{}/body", path_of(&app.draft("Bridge").await));
    let section = |heading: &str| json!({"heading": heading, "blocks": [paragraph(heading)]});

    let made = editor.post(&path, json!({"section": section("What next")})).await.expect(201);
    let next = made.json["body"][1]["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json["body"][1]["anchor"], "what-next");
    assert_eq!(made.header("location"), format!("{path}/{next}"));
    let made = editor.post(&path, json!({"position": 0, "section": section("What next")})).await.expect(201);
    assert_eq!(each(&made.json["body"], "anchor")[..1], ["what-next-2"], "anchors are unique");
    assert_eq!(made.json["body"][2]["id"], *next);
    assert_eq!(made.json["body"][2]["anchor"], "what-next");

    let one = format!("{path}/{next}");
    let block = made.json["body"][2]["blocks"][0]["id"].clone();
    let patched = editor.patch(&one, json!({"heading": "Afterwards", "level": 3})).await.expect(200);
    let section = &patched.json["body"][2];
    assert_eq!((&section["heading"], &section["level"]), (&json!("Afterwards"), &json!(3)));
    assert_eq!(section["anchor"], "afterwards", "never published, so the anchor follows");
    assert_eq!(section["blocks"][0]["id"], block, "blocks stay");
    let replaced =
        editor.put(&one, json!({"blocks": [{"id": block, "type": "divider"}, paragraph("New")]})).await;
    let replaced = replaced.expect(200);
    let section = &replaced.json["body"][2];
    assert_eq!((&section["heading"], &section["level"]), (&Value::Null, &json!(2)));
    assert_eq!(section["blocks"][0], json!({"id": block, "type": "divider"}));
    assert_eq!(editor.get(&format!("{one}?stage=draft")).await.expect(200).json, *section);

    let ids: Vec<_> = each(&replaced.json["body"], "id").into_iter().rev().collect();
    let order = format!("{path}/order");
    let ordered = editor.put(&order, json!({ "order": ids })).await.expect(200);
    assert_eq!(each(&ordered.json["body"], "id"), ids);
    for bad in [json!([]), json!(ids[..2]), json!([ids[0], ids[0], ids[1]])] {
        let refused = editor.put(&order, json!({ "order": bad })).await.problem(422, "invalid");
        refused.fault("/order", "incomplete_order");
    }
    let deleted = editor.delete(&one).await.expect(200);
    assert_eq!(deleted.json["body"].as_array().unwrap().len(), 2);
    for gone in [one.as_str(), &format!("{path}/7")] {
        editor.delete(gone).await.problem(404, "not_found");
        editor.get(&format!("{gone}?stage=draft")).await.problem(404, "not_found");
    }
    let strict = app.editor().await;
    strict.delete(&one).await.problem(428, "precondition_required");
    strict.if_match(&made.etag()).delete(&one).await.problem(412, "stale");
}

#[actix_web::test]
async fn blocks_are_inserted_patched_and_deleted() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let draft = app.draft("Bridge").await;
    let path = path_of(&draft);
    let section = draft.json["body"][0]["id"].as_str().unwrap();
    let first = draft.json["body"][0]["blocks"][0]["id"].clone();
    let blocks = format!("{path}/body/{section}/blocks");

    let image =
        json!({"type": "image", "media": {"url": "https://images.example/a.jpg"}, "caption": "A bridge"});
    let made = editor.post(&blocks, json!({"position": 0, "block": image})).await.expect(201);
    let id = made.json["body"][0]["blocks"][0]["id"].as_str().unwrap().to_owned();
    let one = format!("{path}/blocks/{id}");
    assert_eq!(made.header("location"), one);
    assert_eq!(made.json["body"][0]["blocks"][1]["id"], first);

    let patched = editor.patch(&one, json!({"caption": null, "credit": "Ada"})).await.expect(200);
    let block = &patched.json["body"][0]["blocks"][0];
    assert_eq!((&block["caption"], &block["credit"]), (&Value::Null, &json!("Ada")));
    assert_eq!(block["media"]["url"], "https://images.example/a.jpg", "what is absent stays");
    assert_eq!(editor.get(&format!("{one}?stage=draft")).await.expect(200).json, *block);
    let other =
        editor.patch(&one, json!({"type": "quote", "html": "So it is.", "cite": "Ada"})).await.expect(200);
    let block = &other.json["body"][0]["blocks"][0];
    assert_eq!(*block, json!({"id": id, "type": "quote", "html": "So it is.", "cite": "Ada"}));

    let bad = editor.patch(&one, json!({"html": "<script>x</script>"})).await.problem(422, "invalid");
    assert_eq!(each(&bad.json["errors"], "pointer"), ["/html"], "{}", bad.text);
    editor
        .patch(&one, json!({"nonsense": 1}))
        .await
        .problem(422, "invalid")
        .fault("/nonsense", "unknown_field");
    editor.patch(&one, json!({"html": null})).await.problem(422, "invalid").fault("/html", "required");
    let bad = editor.post(&blocks, json!({"block": {"type": "divider", "html": "x"}})).await;
    bad.problem(422, "invalid").fault("/block/html", "unknown_field").faults(1);
    let bad = editor.post(&blocks, json!({"block": {"type": "hologram"}})).await.problem(422, "invalid");
    assert_eq!(each(&bad.json["errors"], "pointer"), ["/block/type"], "{}", bad.text);

    let deleted = editor.delete(&one).await.expect(200);
    assert_eq!(each(&deleted.json["body"][0]["blocks"], "id"), [first.as_str().unwrap()]);
    editor.delete(&one).await.problem(404, "not_found");
    editor
        .post(&format!("{path}/body/7/blocks"), json!({"block": paragraph("x")}))
        .await
        .problem(404, "not_found");
}

#[actix_web::test]
async fn an_anchor_that_readers_know_stays() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let body = json!({"body": [{"heading": "What next", "blocks": [paragraph("Text.")]}]});
    let article = app.published_with("Bridge", body).await;
    let section = article.json["body"][0]["id"].as_str().unwrap();
    let one = format!("{}/body/{section}", path_of(&article));
    let patched = editor.patch(&one, json!({"heading": "Afterwards"})).await.expect(200);
    assert_eq!(patched.json["body"][0]["anchor"], "what-next");
    let chosen = editor.patch(&one, json!({"anchor": "later"})).await.expect(200);
    assert_eq!(chosen.json["body"][0]["anchor"], "later", "unless an editor chooses another");
    let live = app.anonymous().get(&one).await.expect(200);
    assert_eq!((&live.json["heading"], &live.json["anchor"]), (&json!("What next"), &json!("what-next")));
    let bad = editor.patch(&one, json!({"anchor": "No Anchor"})).await.problem(422, "invalid");
    bad.fault("/anchor", "bad_anchor");
}

#[actix_web::test]
async fn what_is_read_can_be_written_back() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let target = app.published("Target").await;
    let blocks = json!([
        paragraph("A <em>small</em> &amp; <a href=\"https://a.example/\">linked</a> text."),
        {"type": "image", "media": {"url": "https://images.example/a.jpg", "width": 3}, "alt": "A"},
        {"type": "quote", "html": "So.", "cite": "Ada"}, {"type": "pull_quote", "html": "So."},
        {"type": "list", "ordered": true, "items": ["One", "Two"]},
        {"type": "table", "header": ["A", ""], "rows": [["1", "2"]]},
        {"type": "embed", "url": "https://video.example/1"}, {"type": "code", "code": "a < b\n\tc"},
        {"type": "divider"}, {"type": "key_point", "html": "Point."}, read_more(&target),
    ]);
    let members = json!({"body": [{"blocks": blocks}, {"heading": "More", "level": 4, "blocks": []}]});
    let draft = app.draft_of(&app.editor().await, "Bridge", members).await;
    let path = format!("{}/body", path_of(&draft));
    let read = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    let written = editor.put(&path, json!({"body": read.json["body"]})).await.expect(200);
    assert_eq!(written.json["version"], read.json["version"], "nothing has changed");
    assert_eq!(written.json["body"], read.json["body"]);
    assert_eq!(written.json["related"], draft.json["related"]);
    let whole = editor.patch(&path_of(&draft), json!({"body": written.json["body"]})).await.expect(200);
    assert_eq!(whole.json["version"], read.json["version"]);
    for section in read.json["body"].as_array().unwrap() {
        let one = format!("{path}/{}", section["id"].as_str().unwrap());
        assert_eq!(editor.put(&one, section.clone()).await.expect(200).json["version"], read.json["version"]);
    }
}

#[actix_web::test]
async fn ids_of_other_articles_are_refused() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let (one, other) = (app.draft("One").await, app.draft("Other").await);
    let body = format!("{}/body", path_of(&one));
    let foreign = editor.put(&body, json!({"body": other.json["body"]})).await.problem(422, "invalid");
    foreign.fault("/body/0/id", "unknown_id").fault("/body/0/blocks/0/id", "unknown_id").faults(2);
    let section = one.json["body"][0].clone();
    let twice = editor.put(&body, json!({"body": [section, section]})).await.problem(422, "invalid");
    twice.fault("/body/1/id", "repeated_id").fault("/body/1/blocks/0/id", "repeated_id");
    let kept = editor.get(&format!("{body}?stage=draft")).await.expect(200);
    assert_eq!(kept.json["version"], 1);
}

#[actix_web::test]
async fn the_outline_tells_headings_and_words() {
    let app = TestApp::start().await;
    let text = "word ".repeat(231);
    let members = json!({"body": [
        {"blocks": [paragraph("Three short words")]},
        {"heading": "What next", "level": 3, "blocks": [paragraph(text.trim())]},
    ]});
    let article = app.published_with("Bridge", members).await;
    let body = app.anonymous().get(&format!("{}/body", path_of(&article))).await.expect(200);
    let outline = &body.json["outline"];
    assert_eq!(outline[0]["heading"], Value::Null);
    assert_eq!((&outline[0]["word_count"], &outline[0]["reading_minutes"]), (&json!(3), &json!(1)));
    assert_eq!((&outline[1]["anchor"], &outline[1]["level"]), (&json!("what-next"), &json!(3)));
    assert_eq!((&outline[1]["word_count"], &outline[1]["reading_minutes"]), (&json!(233), &json!(2)));
    assert_eq!((&body.json["word_count"], &body.json["reading_minutes"]), (&json!(236), &json!(2)));
    assert_eq!(body.json["version"], article.json["version"]);
}
