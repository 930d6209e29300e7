//! The tree of sections.

use serde_json::{Value, json};

use crate::{
    app::TestApp,
    newsroom::{each, path_of},
};

#[actix_web::test]
async fn sections_form_a_tree() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let world = editor.post("/v1/sections", json!({"name": "World"})).await.expect(201);
    assert_eq!((&world.json["slug"], &world.json["path"]), (&json!("world"), &json!("/world")));
    assert_eq!(world.header("location"), format!("/v1/sections/{}", world.id()));
    let europe = json!({"name": "Europe", "parent": "world"});
    let europe = editor.post("/v1/sections", europe).await.expect(201);
    assert_eq!(europe.json["path"], "/world/europe");
    assert_eq!(europe.json["parent_id"], world.json["id"]);
    let first = json!({"name": "Africa", "parent": world.id(), "position": 0});
    editor.post("/v1/sections", first).await.expect(201);
    editor.post("/v1/sections", json!({"name": "City"})).await.expect(201);

    let tree = reader.get("/v1/sections?tree=true").await.expect(200);
    assert_eq!(tree.each("slug"), ["world", "city"]);
    assert_eq!(each(&tree.json["data"][0]["children"], "slug"), ["africa", "europe"]);
    let flat = reader.get("/v1/sections").await.expect(200);
    assert_eq!(flat.each("path"), ["/city", "/world", "/world/africa", "/world/europe"]);
    for name in [europe.id().as_str(), "world%2Feurope"] {
        assert_eq!(reader.get(&format!("/v1/sections/{name}")).await.expect(200).json["name"], "Europe");
    }
    app.published_with("A", json!({"section": "world/europe"})).await;
    let counted = reader.get("/v1/sections/world?include=article_count").await.expect(200);
    assert_eq!(counted.json["article_count"], 1);
    let bad = editor.post("/v1/sections", json!({"name": "X", "parent": "nowhere"})).await;
    bad.problem(422, "invalid").fault("/parent", "unknown_section");
    let again = json!({"name": "Europe", "slug": "europe", "parent": "world"});
    editor.post("/v1/sections", again).await.problem(409, "taken");
}

#[actix_web::test]
async fn a_moved_section_takes_its_paths_along() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    app.section("world/europe").await;
    app.section("abroad").await;
    let article = path_of(&app.published_with("Bridge", json!({"section": "world/europe"})).await);
    assert_eq!(reader.get(&article).await.expect(200).json["path"], "/world/europe/bridge");

    editor.patch("/v1/sections/world", json!({"slug": "globe", "name": "Globe"})).await.expect(200);
    for (old, new) in [("world", "globe"), ("world%2Feurope", "globe%2Feurope")] {
        let moved = reader.get(&format!("/v1/sections/{old}")).await.expect(308);
        assert_eq!(moved.header("location").to_lowercase(), format!("/v1/sections/{new}").to_lowercase());
    }
    assert_eq!(reader.get(&article).await.expect(200).json["path"], "/globe/europe/bridge");

    assert!(reader.get("/v1/articles?section=abroad").await.expect(200).each("slug").is_empty());
    let moved = editor.patch("/v1/sections/globe%2Feurope", json!({"parent": "abroad"})).await.expect(200);
    assert_eq!(moved.json["path"], "/abroad/europe");
    assert_eq!(reader.get(&article).await.expect(200).json["path"], "/abroad/europe/bridge");
    assert_eq!(reader.get("/v1/articles?section=abroad").await.expect(200).each("slug"), ["bridge"]);
    assert!(reader.get("/v1/articles?section=globe").await.expect(200).each("slug").is_empty());
    let root = editor.patch("/v1/sections/abroad%2Feurope", json!({"parent": null})).await.expect(200);
    assert_eq!((&root.json["path"], &root.json["parent_id"]), (&json!("/europe"), &Value::Null));

    app.section("europe/north").await;
    for parent in ["europe", "europe/north"] {
        let cycle = editor.patch("/v1/sections/europe", json!({ "parent": parent })).await;
        cycle.problem(422, "invalid").fault("/parent", "cycle");
    }
}

#[actix_web::test]
async fn a_section_in_use_is_deleted_only_with_a_place_for_what_is_in_it() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    app.section("world/europe").await;
    app.section("abroad").await;
    let article = path_of(&app.published_with("Bridge", json!({"section": "world"})).await);
    editor.delete("/v1/sections/world").await.problem(409, "in_use");
    let bad = editor.delete("/v1/sections/world?move_to=world/europe").await;
    bad.problem(400, "invalid_parameter").fault("move_to", "cycle");
    let bad = editor.delete("/v1/sections/world?move_to=nowhere").await;
    bad.problem(400, "invalid_parameter").fault("move_to", "unknown_section");
    editor.delete("/v1/sections/world?move_to=abroad").await.expect(204);
    assert_eq!(reader.get("/v1/sections/world").await.expect(308).header("location"), "/v1/sections/abroad");
    assert_eq!(
        reader.get("/v1/sections").await.expect(200).each("path"),
        ["/abroad", "/abroad/europe", "/city"]
    );
    assert_eq!(reader.get(&article).await.expect(200).json["path"], "/abroad/bridge");
    assert_eq!(reader.get("/v1/articles?section=abroad").await.expect(200).each("slug"), ["bridge"]);
    editor.delete("/v1/sections/abroad%2Feurope").await.expect(204);
    reader.get("/v1/sections/abroad%2Feurope").await.problem(404, "not_found");
}
