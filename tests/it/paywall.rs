//! Articles that not everybody may read in full: what is told of them, and what is not given away.

use diesel::RunQueryDsl as _;
use masthead::store::conn::Db;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::{each, paragraph, path_of},
};

#[actix_web::test]
async fn access_is_a_part_of_the_document() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let free = app.published("Free").await;
    assert_eq!(free.json["access"], "free", "if nothing is said");
    let article = app.published_with("Bridge", json!({"access": "metered"})).await;
    let path = path_of(&article);
    assert_eq!(article.json["access"], "metered");

    let edited = editor.patch(&path, json!({"access": "subscription"})).await.expect(200);
    assert_eq!(edited.json["access"], "subscription");
    assert_eq!(reader.get(&path).await.expect(200).json["access"], "metered", "readers see what is live");
    let same = editor.patch(&path, json!({"kicker": "Harbour"})).await.expect(200);
    assert_eq!(same.json["access"], "subscription", "what is absent stays");
    editor.act(&format!("{path}/publish")).await.expect(200);
    let list = reader.get("/v1/articles?fields=headline,access").await.expect(200);
    assert_eq!(list.json["data"][0], json!({"headline": "Bridge", "access": "subscription"}));
    assert_eq!(list.each("access"), ["subscription", "free"]);

    let diff = editor.get(&format!("{path}/revisions/1/diff/2")).await.expect(200);
    assert_eq!(each(&diff.json["fields"], "field"), ["kicker", "access"]);
    let change = &diff.json["fields"][1];
    assert_eq!((&change["old"], &change["new"]), (&json!("metered"), &json!("subscription")));
    for bad in [json!("locked"), json!(""), json!(1)] {
        editor.patch(&path, json!({ "access": bad })).await.expect(422);
    }
}

#[actix_web::test]
async fn two_who_change_it_are_told() {
    let app = TestApp::start().await;
    let first = app.editor().await.if_match("\"1\"");
    let path = path_of(&app.draft("Bridge").await);
    first.patch(&path, json!({"access": "metered"})).await.expect(200);
    let merging = format!("{path}?merge=true");
    let merged = first.patch(&merging, json!({"kicker": "Harbour"})).await.expect(200);
    assert_eq!((&merged.json["access"], &merged.json["kicker"]), (&json!("metered"), &json!("Harbour")));
    let stale = first.patch(&path, json!({"access": "subscription"})).await.problem(412, "stale");
    assert!(stale.text.contains("\"access\""), "{}", stale.text);
    first.patch(&merging, json!({"access": "subscription"})).await.problem(409, "merge_conflict");
}

/// Takes the access out of everything that is kept as JSON, as it was before articles had one.
async fn forget_access(app: &TestApp) {
    let statements = [
        r#"UPDATE revisions SET snapshot = replace(snapshot, '"access":"metered",', '')"#,
        r#"UPDATE article_edits SET document_before = replace(document_before, '"access":"metered",', '')"#,
    ];
    for sql in statements {
        let changed = app.newsroom.store.write(move |db| match db {
            Db::Sqlite(conn) => Ok(diesel::sql_query(sql).execute(conn)?),
            Db::Postgres(conn) => Ok(diesel::sql_query(sql).execute(conn)?),
        });
        assert!(changed.await.unwrap() > 0);
    }
}

#[actix_web::test]
async fn what_was_kept_without_it_was_free() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let article = app.published_with("Bridge", json!({"access": "metered"})).await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Tunnel"})).await.expect(200);
    forget_access(&app).await;
    let kept = editor.get(&format!("{path}/revisions/1")).await.expect(200);
    assert_eq!(kept.json["article"]["access"], "free");
    let as_of = article.json["published_at"].as_str().unwrap();
    let seen = editor.get(&format!("{path}?as_of={as_of}")).await.expect(200);
    assert_eq!(seen.json["access"], "free");
    // The document before the edit is read for the merge.
    let merging = format!("{path}?merge=true");
    let first = app.editor().await.if_match("\"1\"");
    first.patch(&merging, json!({"kicker": "Harbour"})).await.expect(200);
    let restored = editor.act(&format!("{path}/revisions/1/restore")).await.expect(200);
    assert_eq!((&restored.json["headline"], &restored.json["access"]), (&json!("Bridge"), &json!("free")));
}

async fn schema(app: &TestApp, article: &Answer) -> Value {
    app.anonymous().get(&format!("{}/schema.org", path_of(article))).await.expect(200).json
}

#[actix_web::test]
async fn search_engines_and_social_networks_are_told() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (access, is_free, tier) in
        [("free", true, "free"), ("metered", false, "metered"), ("subscription", false, "locked")]
    {
        let article = app.published_with(access, json!({ "access": access })).await;
        admin.patch("/v1/site", json!({"paywall_selector": null})).await.expect(200);
        let data = schema(&app, &article).await;
        assert_eq!((&data["isAccessibleForFree"], &data["hasPart"]), (&json!(is_free), &Value::Null));
        admin.patch("/v1/site", json!({"paywall_selector": ".paywall"})).await.expect(200);
        let data = schema(&app, &article).await;
        let part =
            json!({"@type": "WebPageElement", "isAccessibleForFree": false, "cssSelector": ".paywall"});
        assert_eq!(data["isAccessibleForFree"], is_free);
        assert_eq!(data["hasPart"], if is_free { Value::Null } else { part });
        let head = app.anonymous().get(&format!("{}/meta", path_of(&article))).await.expect(200);
        let wanted = json!({"property": "article:content_tier", "content": tier});
        assert!(head.json["meta"].as_array().unwrap().contains(&wanted), "{}", head.text);
    }
}

#[actix_web::test]
async fn the_selector_is_that_of_one_class() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin().await, app.anonymous());
    assert_eq!(reader.get("/v1/site").await.expect(200).json["paywall_selector"], Value::Null);
    let longest = format!(".{}", "x".repeat(199));
    for good in [".paywall", "._a-B9", ".-x", &longest] {
        let site = admin.patch("/v1/site", json!({ "paywall_selector": good })).await.expect(200);
        assert_eq!(site.json["paywall_selector"], good);
    }
    assert_eq!(reader.get("/v1/site").await.expect(200).json["paywall_selector"], longest);
    let too_long = format!("{longest}x");
    for bad in ["", ".", "paywall", "#paywall", ".a .b", ".a,.b", ".9", ".a{}", ".</script>", ".ä"] {
        let refused = admin.patch("/v1/site", json!({ "paywall_selector": bad })).await;
        refused.problem(422, "invalid").fault("/paywall_selector", "bad_selector");
    }
    let refused = admin.patch("/v1/site", json!({ "paywall_selector": too_long })).await;
    refused.problem(422, "invalid").fault("/paywall_selector", "too_long");
    let other = admin.patch("/v1/site", json!({"name": "The Courier"})).await.expect(200);
    assert_eq!(other.json["paywall_selector"], longest, "what is absent stays");
}

#[actix_web::test]
async fn feeds_do_not_give_the_text_away() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let body = json!([{"blocks": [paragraph("Everything that it says.")]}]);
    let standfirst = "What it is about & <why>";
    for access in ["free", "metered", "subscription"] {
        let members = json!({"access": access, "standfirst": standfirst, "body": body});
        let article = app.published_with(access, members).await;
        let correction = json!({"kind": "correction", "text": "It was red."});
        editor.post(&format!("{}/corrections", path_of(&article)), correction).await.expect(201);
    }
    app.published_with("Bare", json!({"access": "subscription", "body": body})).await;

    let reader = app.anonymous();
    let short = "<p>What it is about &amp; &lt;why&gt;</p>";
    let feed = reader.get("/feeds/feed.json").await.expect(200);
    let items = feed.json["items"].as_array().unwrap();
    let html: Vec<_> = items.iter().map(|item| item["content_html"].as_str().unwrap()).collect();
    assert_eq!(html[..3], ["", short, short]);
    assert!(html[3].contains("Everything that it says.") && html[3].contains("It was red."), "{}", html[3]);
    assert_eq!(items[1]["summary"], standfirst);

    let rss = reader.get("/feeds/rss.xml").await.expect(200);
    let rss = rss::Channel::read_from(rss.text.as_bytes()).unwrap();
    let atom = reader.get("/feeds/atom.xml").await.expect(200);
    let atom = atom_syndication::Feed::read_from(atom.text.as_bytes()).unwrap();
    for (index, html) in html.iter().enumerate() {
        // The reader takes off the last line feed.
        let wanted = Some(html.trim_end()).filter(|html| !html.is_empty());
        let (of_rss, of_atom) = (rss.items()[index].content(), atom.entries()[index].content());
        assert_eq!(of_rss.map(str::trim_end), wanted);
        assert_eq!(of_atom.and_then(|content| content.value()).map(str::trim_end), wanted);
    }
}
