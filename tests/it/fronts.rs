//! Fronts of sections and of the site.

use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    lists::statements,
    newsroom::each,
};

/// The headlines on top, and those of each section by its path.
fn shown(front: &Answer) -> (Vec<&str>, Vec<(&str, Vec<&str>)>) {
    let parts = front.json["sections"].as_array().unwrap().iter();
    let parts = parts
        .map(|part| (part["section"]["path"].as_str().unwrap(), each(&part["articles"], "headline")))
        .collect();
    (each(&front.json["articles"], "headline"), parts)
}

#[actix_web::test]
async fn a_front_shows_each_article_once() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    for path in ["/world/europe", "/world/asia", "/world/europe/north", "/empty"] {
        app.section(path).await;
    }
    editor.patch("/v1/sections/world%2Fasia", json!({"position": 0})).await.expect(200);
    for (headline, section, second) in [
        ("E1", "world/europe", Value::Null),
        ("E2", "world/europe", Value::Null),
        ("N1", "world/europe/north", Value::Null),
        ("A1", "world/asia", Value::Null),
        ("A2", "world/asia", json!("world/europe")),
        ("W1", "world", Value::Null),
        ("C1", "city", Value::Null),
        ("W2", "world", Value::Null),
    ] {
        let second: Vec<_> = second.as_str().into_iter().collect();
        app.published_with(headline, json!({"section": section, "sections": second})).await;
    }
    app.draft("Draft").await;

    let world = reader.get("/v1/sections/world/front?limit=3&per_section=2").await.expect(200);
    assert_eq!(world.json["section"]["path"], "/world");
    let (asia, europe) = (("/world/asia", vec!["A1"]), ("/world/europe", vec!["N1", "E2"]));
    assert_eq!(shown(&world), (vec!["W2", "W1", "A2"], vec![asia, europe]));
    let site = reader.get("/v1/front?limit=2&per_section=3").await.expect(200);
    assert_eq!(site.json["section"], Value::Null);
    let (top, parts) = shown(&site);
    assert_eq!(top, ["W2", "C1"]);
    let mut parts = parts;
    parts.sort_unstable();
    let world = ("/world", vec!["W1", "A2", "A1"]);
    assert_eq!(parts, [("/city", vec![]), ("/empty", vec![]), world]);
    let leaf = reader.get("/v1/sections/world%2Feurope%2Fnorth/front").await.expect(200);
    assert_eq!(shown(&leaf), (vec!["N1"], vec![]));
    let small = reader.get("/v1/front?fields=articles.headline&limit=1").await.expect(200);
    assert_eq!(small.json, json!({"articles": [{"headline": "W2"}]}));

    let keys: Vec<_> = site.header("surrogate-key").split(' ').collect();
    assert!(keys.contains(&"articles") && keys.contains(&"sections"), "{keys:?}");
    editor.patch("/v1/sections/world", json!({"slug": "globe"})).await.expect(200);
    let moved = reader.get("/v1/sections/world/front").await.expect(308);
    assert!(moved.header("location").ends_with("/v1/sections/globe/front"), "{}", moved.header("location"));
    reader.get("/v1/sections/nowhere/front").await.problem(404, "not_found");
    reader.get("/v1/front?limit=51").await.problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn a_front_costs_as_few_statements_whatever_is_on_it() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    app.published("First").await;
    let one = reader.get("/v1/front").await.expect(200);
    for number in 0..25 {
        let name = format!("Section {number}");
        let section = editor.post("/v1/sections", json!({ "name": name })).await.expect(201).id();
        app.published_with(&name, json!({"section": section})).await;
    }
    let many = reader.get("/v1/front?limit=5&per_section=20").await.expect(200);
    assert_eq!(many.json["sections"].as_array().map(Vec::len), Some(20));
    assert!(statements(&many) <= statements(&one) + 1, "{}", many.header("server-timing"));
}
