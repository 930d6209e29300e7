//! What ends an answer that is kept: all that it shows, be it far from what was changed.

use serde_json::json;

use super::{fresh, warm};
use crate::{
    app::TestApp,
    newsroom::{paragraph, path_of, read_more},
};

#[actix_web::test]
async fn articles_come_and_go_with_the_sections_in_which_they_are() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    app.section("world").await;
    app.section("city/inner").await;
    app.section("europe/north").await;
    app.published_with("Fjord", json!({"section": "europe/north"})).await;
    app.published_with("Ocean", json!({"section": "world"})).await;
    let feed = |section: &str| format!("/feeds/sections/{section}/rss.xml");
    let count = |section: &str| format!("/v1/sections/{section}?include=article_count");
    for path in [feed("world"), count("world")] {
        assert!(!warm(&reader, &path).await.text.contains("Fjord"));
    }

    // What moves is a section above that of the article.
    editor.patch("/v1/sections/europe", json!({"parent": "world"})).await.expect(200);
    assert!(fresh(&reader, &feed("world")).await.text.contains("/world/europe/north/fjord"));
    assert_eq!(fresh(&reader, &count("world")).await.json["article_count"], 2);

    for path in [feed("world"), count("world"), feed("city"), count("city")] {
        warm(&reader, &path).await;
    }
    let north = "/v1/sections/world%2Feurope%2Fnorth?move_to=city/inner";
    editor.delete(north).await.expect(204);
    assert!(!fresh(&reader, &feed("world")).await.text.contains("Fjord"));
    assert_eq!(fresh(&reader, &count("world")).await.json["article_count"], 1);
    assert!(fresh(&reader, &feed("city")).await.text.contains("/city/inner/fjord"));
    assert_eq!(fresh(&reader, &count("city")).await.json["article_count"], 1);
}

#[actix_web::test]
async fn caches_in_between_are_told_whose_articles_move_with_a_section() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (city, world) = (app.section("city").await, app.section("world").await);
    let inner = app.section("city/inner").await;
    editor.patch(&format!("/v1/sections/{inner}"), json!({"parent": "world"})).await.expect(200);
    let changes = reader.get("/v1/changes?limit=100").await.expect(200);
    let last = changes.json["data"].as_array().unwrap().last().unwrap();
    assert_eq!(last["entity_id"], inner);
    let keys = last["surrogate_keys"].as_array().unwrap();
    for section in [city, world] {
        assert!(keys.contains(&json!(format!("section/{section}/articles"))), "{keys:?}");
    }
}

#[actix_web::test]
async fn a_section_that_is_renamed_changes_the_addresses_of_its_articles_everywhere() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.published("Target").await;
    let linking = json!({"body": [{"blocks": [paragraph("Text."), read_more(&target)]}]});
    app.published_with("Source", linking).await;
    let month = app.newsroom.clock.now().to_string()[..7].to_owned();
    let surfaces = [
        format!("{}/inbound", path_of(&target)),
        format!("/sitemaps/articles-{month}.xml"),
        "/news-sitemap.xml".to_owned(),
    ];
    for path in &surfaces {
        assert!(warm(&reader, path).await.text.contains("/city/source"), "{path}");
    }
    editor.patch("/v1/sections/city", json!({"slug": "town"})).await.expect(200);
    for path in &surfaces {
        assert!(fresh(&reader, path).await.text.contains("/town/source"), "{path}");
    }
}

#[actix_web::test]
async fn a_name_that_nothing_has_ends_a_list_when_something_gets_it() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let port = app.published_with("Port", json!({"tags": ["port"]})).await;
    let list = "/v1/articles?tag=port,ferries";
    assert_eq!(warm(&reader, list).await.each("id"), [port.id()]);
    editor.post("/v1/tags", json!({"name": "Ferries"})).await.expect(201);
    fresh(&reader, list).await;
    let ferry = app.published_with("Ferry", json!({"tags": ["ferries"]})).await;
    assert_eq!(fresh(&reader, list).await.each("id"), [ferry.id(), port.id()]);
}

#[actix_web::test]
async fn a_redirect_ends_when_another_article_takes_the_slug() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    let rename = async |slug: &str| {
        editor.patch(&path, json!({ "slug": slug })).await.expect(200);
        editor.act(&format!("{path}/publish")).await.expect(200);
    };
    let last = async || {
        let changes = reader.get("/v1/changes?limit=100").await.expect(200);
        let last = changes.json["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["kind"], &last["entity_id"]), (&json!("updated"), &json!(article.id())));
        (last["cursor"].clone(), last["path"].clone(), last["old_path"].clone())
    };
    rename("viaduct").await;
    let before = last().await;
    let resolved = "/v1/resolve?path=/city/bridge";
    assert_eq!(warm(&reader, resolved).await.json["redirect"]["location"], "/city/viaduct");
    // By one that is made.
    let taken = json!({"slug": "bridge", "take_slug": true});
    app.draft_of(&editor, "New bridge", taken).await;
    reader.get(resolved).await.problem(404, "not_found");
    let after = last().await;
    assert_ne!(after.0, before.0, "it is told");
    assert_eq!((&after.1, &after.2), (&json!("/city/viaduct"), &json!(null)));

    // By one that is edited.
    rename("crossing").await;
    let before = last().await;
    let resolved = "/v1/resolve?path=/city/viaduct";
    assert_eq!(warm(&reader, resolved).await.json["redirect"]["location"], "/city/crossing");
    let other = app.draft("Other").await;
    editor.patch(&path_of(&other), json!({"slug": "viaduct", "take_slug": true})).await.expect(200);
    reader.get(resolved).await.problem(404, "not_found");
    assert_ne!(last().await.0, before.0, "it is told");
}
