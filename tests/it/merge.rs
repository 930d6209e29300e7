//! Two editors of one draft: their edits are merged where they touch different things.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::{each, paragraph, path_of, read_more},
};

/// The texts of the paragraphs of a draft.
async fn paragraphs(client: &Client, path: &str) -> Vec<String> {
    let draft = client.get(&format!("{path}?stage=draft")).await.expect(200);
    let sections = draft.json["body"].as_array().unwrap().iter();
    let blocks = sections.flat_map(|section| section["blocks"].as_array().unwrap().clone());
    blocks.map(|block| block["html"].as_str().unwrap_or_default().to_owned()).collect()
}

#[actix_web::test]
async fn edits_of_different_things_are_merged() {
    let app = TestApp::start().await;
    let (one, other) = (app.editor().await.if_match("\"1\""), app.author().await.if_match("\"1\""));
    let target = app.published("Target").await;
    one.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    one.post("/v1/tags", json!({"name": "Air"})).await.expect(201);
    let body = json!([{"blocks": [paragraph("One."), paragraph("Two.")]}, {"heading": "End", "blocks": [paragraph("Three.")]}]);
    let draft = app.draft_of(&app.author().await, "Bridge", json!({ "body": body })).await;
    let path = path_of(&draft);
    let block = |section: usize, block: usize| {
        format!("{path}/blocks/{}", draft.json["body"][section]["blocks"][block]["id"].as_str().unwrap())
    };
    let merging = |path: &str| format!("{path}?merge=true");

    one.patch(&block(0, 0), json!({"html": "First."})).await.expect(200);
    other.patch(&block(0, 1), json!({"html": "Second."})).await.problem(412, "stale");
    let merged = other.patch(&merging(&block(0, 1)), json!({"html": "Second."})).await.expect(200);
    assert_eq!(merged.json["version"], 3);
    assert_eq!(paragraphs(&one, &path).await, ["First.", "Second.", "Three."]);

    // From the first version again: a field, tags of both, a whole body with a new block, a link.
    one.patch(&merging(&path), json!({"kicker": "Harbour", "tags": ["port"]})).await.expect(200);
    other.patch(&merging(&path), json!({"headline": "Bridge opens", "tags": ["air"]})).await.expect(200);
    let mut whole = draft.json["body"].clone();
    whole[1]["blocks"].as_array_mut().unwrap().push(paragraph("Four."));
    whole[1]["heading"] = "The end".into();
    one.put(&merging(&format!("{path}/body")), json!({ "body": whole })).await.expect(200);
    let link = json!({"target": {"article_id": target.id()}});
    let merged = other.post(&merging(&format!("{path}/links")), link).await.expect(201);
    assert_eq!(
        (&merged.json["kicker"], &merged.json["headline"]),
        (&json!("Harbour"), &json!("Bridge opens"))
    );
    assert_eq!(each(&merged.json["tags"], "slug"), ["port", "air"]);
    assert_eq!(merged.json["body"][1]["heading"], "The end");
    assert_eq!(merged.json["related"][0]["card"]["headline"], "Target");
    assert_eq!(paragraphs(&one, &path).await, ["First.", "Second.", "Three.", "Four."]);
}

#[actix_web::test]
async fn a_true_conflict_shows_both_sides() {
    let app = TestApp::start().await;
    let editor = app.editor().await.if_match("\"1\"");
    let target = app.published("Target").await;
    let body = json!([{"blocks": [paragraph("One."), paragraph("Two."), read_more(&target)]}]);
    let draft = app.draft_of(&app.editor().await, "Bridge", json!({ "body": body })).await;
    let path = path_of(&draft);
    let ids = each(&draft.json["body"][0]["blocks"], "id");
    let block = |number: usize| format!("{path}/blocks/{}", ids[number]);
    editor.patch(&block(0), json!({"html": "First."})).await.expect(200);
    let conflict = editor.patch(&format!("{}?merge=true", block(0)), json!({"html": "1."})).await;
    let conflict = conflict.problem(409, "merge_conflict");
    assert_eq!(conflict.json["current_version"], 2);
    let paragraph = |html: &str| json!({"type": "paragraph", "html": html});
    let expected = json!([{"place": format!("blocks/{}", ids[0]),
        "base": paragraph("One."), "current": paragraph("First."), "mine": paragraph("1.")}]);
    assert_eq!(conflict.json["conflicts"], expected);
    let removed = editor.delete(&format!("{}?merge=true", block(0))).await.problem(409, "merge_conflict");
    assert_eq!(removed.json["conflicts"][0]["mine"], Value::Null);

    let removed = editor.delete(&format!("{}?merge=true", block(2))).await.expect(200);
    assert_eq!((&removed.json["related"], &removed.json["version"]), (&json!([]), &json!(3)));
    let changes = json!({"headline": "A", "kicker": "B"});
    editor.patch(&format!("{path}?merge=true"), json!({"headline": "Other"})).await.expect(200);
    let conflict = editor.patch(&format!("{path}?merge=true"), changes).await.problem(409, "merge_conflict");
    assert_eq!(each(&conflict.json["conflicts"], "place"), ["headline"]);
    let untouched = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(untouched.json["kicker"], Value::Null, "nothing is half done");
    let future = app.editor().await.if_match("\"99\"");
    future.patch(&format!("{path}?merge=true"), json!({"kicker": "B"})).await.problem(412, "stale");
}

#[actix_web::test]
async fn nobodys_paragraph_is_lost() {
    let app = TestApp::start().await;
    let draft = app.draft_of(&app.author().await, "Bridge", json!({})).await;
    let (path, section) = (path_of(&draft), draft.json["body"][0]["id"].as_str().unwrap().to_owned());
    let clients = [app.editor().await, app.author().await, app.admin().await];
    let writers = clients.map(|client| {
        let url = format!("{path}/body/{section}/blocks?merge=true");
        actix_web::rt::spawn(async move {
            let client = client.if_match("\"1\"");
            let mut written = Vec::new();
            for number in 0..15 {
                let text = format!("{} {number}.", client.user().name);
                client.post(&url, json!({"block": paragraph(&text)})).await.expect(201);
                written.push(text);
            }
            written
        })
    });
    let mut written = vec!["The bridge reopened on Monday.".to_owned()];
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    let mut found = paragraphs(&app.editor().await, &path).await;
    found.sort_unstable();
    written.sort_unstable();
    assert_eq!(found, written);
}
