//! Links that heal: every path that once was leads to where the thing is now, in one step.

use std::collections::BTreeSet;

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::path_of,
};

/// What lives at a path: its kind, its present path, and whether the path asked for is another.
async fn resolve(reader: &Client, path: &str) -> (String, String, bool) {
    let found = reader.get(&format!("/v1/resolve?path={path}")).await.expect(200);
    let text = |member: &str| found.json[member].as_str().unwrap_or_default().to_owned();
    let redirect = &found.json["redirect"];
    assert!(redirect.is_null() || redirect["location"] == found.json["path"], "{}", found.text);
    (text("kind"), text("path"), !redirect.is_null())
}

fn is(kind: &str, path: &str) -> (String, String, bool) {
    (kind.to_owned(), path.to_owned(), false)
}

fn leads_to(kind: &str, path: &str) -> (String, String, bool) {
    (kind.to_owned(), path.to_owned(), true)
}

#[actix_web::test]
async fn every_page_of_the_site_is_found() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    app.section("city/harbour").await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    let article = app.published_with("Bridge", json!({"section": "city/harbour"})).await;
    for (kind, path) in [
        ("article", "/city/harbour/bridge"),
        ("section", "/city/harbour"),
        ("tag", "/tags/port"),
        ("author", "/authors/ada"),
    ] {
        assert_eq!(resolve(&reader, path).await, is(kind, path));
        for spelling in [format!("{path}/"), path.to_uppercase(), format!("{path}/%3Fa=1")] {
            let other = reader.get(&format!("/v1/resolve?path={spelling}")).await;
            assert!(other.status == 200 || spelling.contains("%3F"), "{spelling}: {}", other.text);
        }
        assert_eq!(resolve(&reader, &format!("{path}/")).await, leads_to(kind, path));
        assert_eq!(resolve(&reader, &path.to_uppercase()).await, leads_to(kind, path));
        assert_eq!(resolve(&reader, &format!("{path}?page=2")).await, is(kind, path));
    }
    let found = reader.get("/v1/resolve?path=/city/harbour/bridge").await.expect(200);
    assert_eq!(found.json["api"], path_of(&article));
    reader.get(found.json["api"].as_str().unwrap()).await.expect(200);
    for path in ["/nowhere", "/", "/tags/none", "/tags/bridge", "/city/harbour/nothing", "/%F0%9F%8C%89"] {
        reader.get(&format!("/v1/resolve?path={path}")).await.problem(404, "not_found");
    }
    let long = format!("/{}", "a".repeat(2100));
    for path in ["city", "//evil.example", "https://evil.example/", long.as_str(), "/%25ff"] {
        let bad = reader.get(&format!("/v1/resolve?path={path}")).await.problem(400, "invalid_parameter");
        assert_eq!(bad.json["errors"][0]["parameter"], "path");
    }
}

#[actix_web::test]
async fn what_was_renamed_or_moved_is_found_at_its_old_paths() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    app.section("city/harbour").await;
    app.section("world").await;
    let article = app.published_with("Bridge", json!({"section": "city/harbour"})).await;
    let path = path_of(&article);
    editor.patch("/v1/sections/city", json!({"slug": "town"})).await.expect(200);
    assert_eq!(resolve(&reader, "/city").await, leads_to("section", "/town"));
    assert_eq!(resolve(&reader, "/city/harbour").await, leads_to("section", "/town/harbour"));
    assert_eq!(resolve(&reader, "/city/harbour/bridge").await, leads_to("article", "/town/harbour/bridge"));
    editor.patch(&path, json!({"slug": "viaduct", "section": "world"})).await.expect(200);
    assert_eq!(resolve(&reader, "/city/harbour/bridge").await, leads_to("article", "/town/harbour/bridge"));
    reader.get("/v1/resolve?path=/world/viaduct").await.problem(404, "not_found");
    editor.act(&format!("{path}/publish")).await.expect(200);
    for old in ["/city/harbour/bridge", "/town/harbour/bridge", "/world/bridge", "/town/viaduct"] {
        assert_eq!(resolve(&reader, old).await, leads_to("article", "/world/viaduct"), "{old}");
    }
    app.admin().await.patch("/v1/site", json!({"permalink": "/{year}/{slug}"})).await.expect(200);
    let now = reader.get(&path).await.expect(200).json["path"].as_str().unwrap().to_owned();
    assert_eq!(resolve(&reader, "/world/viaduct").await, leads_to("article", &now));

    editor.act(&format!("{path}/unpublish")).await.expect(200);
    reader.get(&format!("/v1/resolve?path={now}")).await.problem(404, "not_found");
    editor.act(&format!("{path}/publish")).await.expect(200);
    editor.post(&format!("{path}/retract"), json!({"reason": "Forged."})).await.expect(200);
    let gone = reader.get("/v1/resolve?path=/city/harbour/bridge").await.problem(410, "retracted");
    assert_eq!(gone.json["detail"], "Forged.");
}

#[actix_web::test]
async fn an_old_slug_is_taken_only_on_purpose() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let old = path_of(&app.published("Bridge").await);
    editor.patch(&old, json!({"slug": "old-bridge"})).await.expect(200);
    let still = json!({"headline": "New", "slug": "bridge", "take_slug": true});
    editor.post("/v1/articles", still.clone()).await.problem(409, "taken");
    editor.act(&format!("{old}/publish")).await.expect(200);
    let refused = editor.post("/v1/articles", json!({"headline": "New", "slug": "bridge"})).await;
    assert!(refused.problem(409, "taken").json["detail"].as_str().unwrap().contains("take_slug"));
    reader.get("/v1/articles/bridge").await.expect(308);

    let members = json!({"slug": "bridge", "take_slug": true});
    let new = app.draft_of(&editor, "New", members).await;
    reader.get("/v1/articles/bridge").await.problem(404, "not_found");
    editor.act(&format!("{}/publish", path_of(&new))).await.expect(200);
    assert_eq!(reader.get("/v1/articles/bridge").await.expect(200).json["headline"], "New");
    reader.get("/v1/articles/old-bridge").await.expect(200);
    let restored = editor.act(&format!("{old}/revisions/1/restore")).await.expect(200);
    assert_eq!(restored.json["slug"], "old-bridge", "the slug of then belongs to another now");
    let contributor = app.contributor().await;
    let theirs = json!({"headline": "Theirs", "slug": "old", "take_slug": true});
    contributor.post("/v1/articles", theirs).await.problem(403, "forbidden");
    let other = path_of(&app.draft("Other").await);
    let wanted = json!({"slug": "old-bridge", "take_slug": true});
    editor.patch(&other, wanted).await.problem(409, "taken");
    editor.patch(&path_of(&new), json!({"slug": "newest"})).await.expect(200);
    editor.act(&format!("{}/publish", path_of(&new))).await.expect(200);
    let taken = editor.patch(&other, json!({"slug": "bridge", "take_slug": true})).await.expect(200);
    assert_eq!(taken.json["slug"], "bridge");
}

/// Random renames, moves and takes: every path that ever was leads to one page in one step, or to nothing.
#[actix_web::test]
async fn no_path_ever_leads_in_a_circle() {
    const SLUGS: [&str; 6] = ["red", "green", "blue", "black", "white", "pink"];
    const SECTIONS: [&str; 4] = ["north", "east", "south", "west"];
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut sections = Vec::new();
    for name in &SECTIONS[..2] {
        sections.push(app.section(name).await);
    }
    let mut articles = Vec::new();
    for slug in &SLUGS[..3] {
        let section = &sections[rng.random_range(0..2)];
        let members = json!({"slug": slug, "section": section});
        articles.push(path_of(&app.published_with("Article", members).await));
    }
    let mut paths = BTreeSet::new();
    for _ in 0..60 {
        match rng.random_range(0..6) {
            0 => {
                let section = &sections[rng.random_range(0..2)];
                let parent = &sections[rng.random_range(0..2)];
                let parent = if rng.random_bool(0.5) { Value::Null } else { json!(parent) };
                let slug = SECTIONS[rng.random_range(0..4)];
                let wanted = json!({"slug": slug, "parent": parent});
                let moved = editor.patch(&format!("/v1/sections/{section}"), wanted).await;
                assert!([200, 409, 422].contains(&moved.status.as_u16()), "{}", moved.text);
            }
            1 => {
                let article = &articles[rng.random_range(0..3)];
                let answer = editor.act(&format!("{article}/unpublish")).await;
                assert!([200, 409].contains(&answer.status.as_u16()), "{}", answer.text);
            }
            _ => {
                let article = &articles[rng.random_range(0..3)];
                let section = &sections[rng.random_range(0..2)];
                let slug = SLUGS[rng.random_range(0..6)];
                let wanted = json!({"slug": slug, "take_slug": rng.random_bool(0.7), "section": section});
                let edited = editor.patch(article, wanted).await;
                assert!([200, 409].contains(&edited.status.as_u16()), "{}", edited.text);
                editor.act(&format!("{article}/publish")).await.expect(200);
            }
        }
        let live = reader.get("/v1/articles").await.expect(200);
        let present: Vec<String> = live.each("path").into_iter().map(str::to_owned).collect();
        for path in &present {
            assert_eq!(resolve(&reader, path).await, is("article", path));
        }
        paths.extend(present);
        let tree = reader.get("/v1/sections").await.expect(200);
        paths.extend(tree.each("path").into_iter().map(str::to_owned));
        for path in &paths {
            let found = reader.get(&format!("/v1/resolve?path={path}")).await;
            if found.status == 404 {
                continue;
            }
            let present = found.expect(200).json["path"].as_str().unwrap().to_owned();
            let (_, again, is_redirect) = resolve(&reader, &present).await;
            assert_eq!((again, is_redirect), (present, false), "{path} leads on");
        }
    }
}
