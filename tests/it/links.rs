//! Links between articles, listed and inline.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{each, paragraph, path_of, read_more},
};

/// A published article "Source" whose body is a paragraph and a `read_more` block to the target.
async fn source(app: &TestApp, target: &Answer) -> Answer {
    let body = json!([{"blocks": [paragraph("Text."), read_more(target)]}]);
    app.published_with("Source", json!({ "body": body })).await
}

/// The types of the blocks of the first section, and the headlines of the links, as this client reads them.
async fn seen(client: &Client, path: &str) -> (Vec<String>, Vec<String>) {
    let article = client.get(path).await.expect(200);
    let types = each(&article.json["body"][0]["blocks"], "type").into_iter().map(str::to_owned).collect();
    let links = article.json["related"].as_array().unwrap();
    let headline = |link: &Value| link["card"]["headline"].as_str().unwrap().to_owned();
    (types, links.iter().map(headline).collect())
}

#[actix_web::test]
async fn a_read_more_block_and_its_link_are_one() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let target = app.published("Target").await;
    let draft = app.draft("Source").await;
    let path = path_of(&draft);
    let section = draft.json["body"][0]["id"].as_str().unwrap();
    let first = draft.json["body"][0]["blocks"][0]["id"].as_str().unwrap();

    let made =
        editor.post(&format!("{path}/body/{section}/blocks"), json!({"block": read_more(&target)})).await;
    let made = made.expect(201);
    let (block, link) = (&made.json["body"][0]["blocks"][1], &made.json["related"][0]);
    assert_eq!((&block["link"]["id"], &link["block_id"]), (&link["id"], &block["id"]));
    assert_eq!((&link["label"], &link["kind"]), (&json!("Read More"), &json!("related")));
    assert_eq!(block["link"]["card"], link["card"]);
    assert_eq!(link["card"]["path"], "/city/target");

    let wanted = json!({"label": "Background", "target": {"article_id": target.id()}, "after_block": first});
    let made = editor.post(&format!("{path}/links"), wanted).await.expect(201);
    let blocks = &made.json["body"][0]["blocks"];
    assert_eq!(each(blocks, "type"), ["paragraph", "read_more", "read_more"]);
    assert_eq!(blocks[1]["link"]["label"], "Background");
    let links: Vec<_> = each(&made.json["related"], "id").into_iter().map(str::to_owned).collect();
    assert_eq!(made.header("location"), format!("{path}/links/{}", links[1]));
    assert_eq!(blocks[1]["link"]["id"], *links[1]);

    let patched =
        editor.patch(&format!("{path}/links/{}", links[1]), json!({"label": "See also"})).await.expect(200);
    assert_eq!(patched.json["body"][0]["blocks"][1]["link"]["label"], "See also");
    let without_link = editor.delete(&format!("{path}/links/{}", links[1])).await.expect(200);
    assert_eq!(each(&without_link.json["body"][0]["blocks"], "type"), ["paragraph", "read_more"]);
    let block = without_link.json["body"][0]["blocks"][1]["id"].as_str().unwrap();
    let without_block = editor.delete(&format!("{path}/blocks/{block}")).await.expect(200);
    assert_eq!(without_block.json["related"], json!([]));
    editor.get(&format!("{path}/links/{}?stage=draft", links[0])).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_card_shows_its_target_as_it_is_now() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.published("Target").await;
    let source = path_of(&source(&app, &target).await);
    let renamed = json!({"headline": "New name", "slug": "new-name", "standfirst": "So it is."});
    editor.patch(&path_of(&target), renamed).await.expect(200);
    editor.act(&format!("{}/publish", path_of(&target))).await.expect(200);
    let read = reader.get(&source).await.expect(200);
    for card in [&read.json["related"][0]["card"], &read.json["body"][0]["blocks"][1]["link"]["card"]] {
        assert_eq!(card["headline"], "New name");
        assert_eq!(card["path"], "/city/new-name");
        assert_eq!(card["standfirst"], "So it is.");
        assert_eq!(card["state"], "live");
    }
    let links = reader.get(&format!("{source}/links")).await.expect(200);
    assert_eq!(links.json["data"], read.json["related"]);
    let one = format!("{source}/links/{}", read.json["related"][0]["id"].as_str().unwrap());
    assert_eq!(reader.get(&one).await.expect(200).json, read.json["related"][0]);
    let block = &read.json["body"][0]["blocks"][1];
    let one = format!("{source}/blocks/{}", block["id"].as_str().unwrap());
    assert_eq!(reader.get(&one).await.expect(200).json, *block);
}

#[actix_web::test]
async fn readers_get_only_links_that_they_can_follow() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.published("Target").await;
    let source = path_of(&source(&app, &target).await);
    let draft = format!("{source}?stage=draft");
    editor.act(&format!("{}/unpublish", path_of(&target))).await.expect(200);
    assert_eq!(seen(&reader, &source).await, (vec!["paragraph".to_owned()], vec![]));
    let read = editor.get(&draft).await.expect(200);
    assert_eq!(read.json["related"][0]["card"]["state"], "withdrawn");
    assert_eq!(read.json["body"][0]["blocks"][1]["link"]["card"]["headline"], "Target");
    editor.act(&format!("{}/publish", path_of(&target))).await.expect(200);
    assert_eq!(seen(&reader, &source).await.1, ["Target"], "it is back");

    editor.act(&format!("{}/unpublish", path_of(&target))).await.expect(200);
    editor.delete(&path_of(&target)).await.expect(200);
    assert_eq!(seen(&reader, &source).await, (vec!["paragraph".to_owned()], vec![]));
    let read = editor.get(&draft).await.expect(200);
    let link = &read.json["related"][0];
    assert_eq!(link["target"], json!({"article_id": null, "url": null, "title": "Target"}));
    assert_eq!((&link["card"]["headline"], &link["card"]["state"]), (&json!("Target"), &json!("withdrawn")));
    let kept = editor.patch(&source, json!({"kicker": "A"})).await.expect(200);
    assert_eq!(kept.json["related"].as_array().unwrap().len(), 1, "an edit keeps it");
    let refused = editor.act(&format!("{source}/publish")).await.problem(422, "not_ready");
    refused.fault("/related/0/target", "unknown_article");
    let link = format!("{source}/links/{}", link["id"].as_str().unwrap());
    editor.delete(&link).await.expect(200);
    editor.act(&format!("{source}/publish")).await.expect(200);

    let unborn = app.draft("Unborn").await;
    let wanted = json!({"target": {"article_id": unborn.id()}});
    let made = editor.post(&format!("{source}/links"), wanted).await.expect(201);
    assert_eq!(made.json["related"][0]["card"]["state"], "draft");
    editor.act(&format!("{source}/publish")).await.expect(200);
    assert!(seen(&reader, &source).await.1.is_empty());
    editor.act(&format!("{}/publish", path_of(&unborn))).await.expect(200);
    assert_eq!(seen(&reader, &source).await.1, ["Unborn"]);
}

#[actix_web::test]
async fn links_are_ordered_and_may_lead_elsewhere() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let path = path_of(&app.draft("Source").await);
    for title in ["One", "Two"] {
        let target = json!({"url": "https://elsewhere.example/a?b=c", "title": title});
        editor
            .post(&format!("{path}/links"), json!({"kind": "external", "target": target}))
            .await
            .expect(201);
    }
    let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    let card = &draft.json["related"][0]["card"];
    assert_eq!((&card["headline"], &card["url"]), (&json!("One"), &json!("https://elsewhere.example/a?b=c")));
    assert_eq!((&card["path"], &card["state"]), (&Value::Null, &json!("live")));
    let ids: Vec<_> = each(&draft.json["related"], "id").into_iter().rev().collect();
    let ordered = editor.put(&format!("{path}/links/order"), json!({ "order": ids })).await.expect(200);
    assert_eq!(each(&ordered.json["related"], "id"), ids);
    assert_eq!(ordered.json["related"][1]["position"], 1);
    let bad = editor.put(&format!("{path}/links/order"), json!({"order": ids[..1]})).await;
    bad.problem(422, "invalid").fault("/order", "incomplete_order");
    editor.act(&format!("{path}/publish")).await.expect(200);
    assert_eq!(seen(&app.anonymous(), &path).await.1, ["Two", "One"]);
}

#[actix_web::test]
async fn a_link_needs_a_target_that_can_be_linked_to() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let draft = app.draft("Source").await;
    let links = format!("{}/links", path_of(&draft));
    let refused = async |target: Value, place: &'static str, code: &'static str| {
        editor.post(&links, json!({ "target": target })).await.problem(422, "invalid").fault(place, code);
    };
    refused(json!({"article_id": draft.id()}), "/target/article_id", "links_itself").await;
    refused(json!({"article_id": "7"}), "/target/article_id", "unknown_article").await;
    refused(json!({"url": "javascript:alert(1)", "title": "A"}), "/target/url", "not_a_url").await;
    refused(json!({}), "/target", "bad_target").await;
    let secret = app.draft("Secret").await;
    let contributor = app.contributor().await;
    let own = app.draft_of(&contributor, "Own", json!({})).await;
    let wanted = json!({"target": {"article_id": secret.id()}});
    let hidden = contributor.if_match("*").post(&format!("{}/links", path_of(&own)), wanted).await;
    hidden.problem(422, "invalid").fault("/target/article_id", "unknown_article");
    let nowhere = json!({"target": {"url": "https://a.example", "title": "A"}, "after_block": "7"});
    editor.post(&links, nowhere).await.problem(422, "invalid").fault("/after_block", "unknown_block");
    let blocks =
        json!({"body": [{"blocks": [{"type": "read_more", "link": {"target": {"article_id": "7"}}}]}]});
    let bad = editor.put(&format!("{}/body", path_of(&draft)), blocks).await.problem(422, "invalid");
    assert_eq!(each(&bad.json["errors"], "code"), ["unknown_article"], "{}", bad.text);
}

#[actix_web::test]
async fn inbound_links_are_told_to_those_who_may_know() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.published("Target").await;
    let live = source(&app, &target).await;
    let blocks = json!({"body": [{"blocks": [read_more(&target)]}]});
    let draft = app.draft_of(&editor, "Draft", blocks).await;
    let inbound = format!("{}/inbound", path_of(&target));
    let for_readers = reader.get(&inbound).await.expect(200);
    assert_eq!(for_readers.each("article_id"), [live.id()]);
    assert_eq!(for_readers.json["data"][0]["card"]["headline"], "Source");
    let mut for_editors: Vec<_> =
        editor.get(&inbound).await.expect(200).each("article_id").into_iter().map(str::to_owned).collect();
    for_editors.sort_unstable();
    for_editors.dedup();
    assert_eq!(for_editors, [live.id(), draft.id()]);
    editor.act(&format!("{}/unpublish", path_of(&live))).await.expect(200);
    assert!(reader.get(&inbound).await.expect(200).each("id").is_empty());
    reader.get(&format!("{}/inbound", path_of(&draft))).await.problem(404, "not_found");
}
