//! `/v1/tags`

use serde_json::json;

use crate::app::TestApp;

#[actix_web::test]
async fn a_tag_is_made_read_edited_and_deleted() {
    let app = TestApp::start().await;
    let (author, editor, reader) = (app.author().await, app.editor().await, app.anonymous());

    let wanted =
        json!({"name": "Harbour Authority", "type": "organisation", "description": "Runs the port."});
    let made = author.post("/v1/tags", wanted).await.expect(201);
    assert_eq!(made.json["slug"], "harbour-authority");
    assert_eq!(made.header("location"), format!("/v1/tags/{}", made.id()));
    for name in [made.id().as_str(), "harbour-authority"] {
        assert_eq!(reader.get(&format!("/v1/tags/{name}")).await.expect(200).json, made.json);
    }

    let path = format!("/v1/tags/{}", made.id());
    let edited =
        editor.patch(&path, json!({"name": "Port Authority", "description": null})).await.expect(200);
    assert_eq!(edited.json["name"], "Port Authority");
    assert_eq!(edited.json["type"], "organisation", "what is absent stays");
    assert!(edited.json["description"].is_null(), "null clears");
    assert_eq!(edited.json["version"], 2);

    editor.delete(&path).await.expect(204);
    reader.get(&path).await.problem(404, "not_found");
    editor.delete(&path).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_new_slug_redirects_from_the_old_one() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.patch("/v1/tags/port", json!({"slug": "harbour"})).await.expect(200);
    let moved = app.anonymous().get("/v1/tags/port").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/tags/harbour");
    editor.post("/v1/tags", json!({"name": "Other", "slug": "port"})).await.problem(409, "taken");
    let numbered = editor.post("/v1/tags", json!({"name": "Harbour"})).await.expect(201);
    assert_eq!(numbered.json["slug"], "harbour-2", "a slug that is made is a free one");
}

#[actix_web::test]
async fn a_merged_tag_redirects_to_the_one_that_remains() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let port = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let harbour = editor.post("/v1/tags", json!({"name": "Harbour"})).await.expect(201);
    let merge = format!("/v1/tags/{}/merge", port.id());

    editor.post(&merge, json!({"into": "port"})).await.problem(422, "invalid").fault("/into", "same_tag");
    editor
        .post(&merge, json!({"into": "nowhere"}))
        .await
        .problem(422, "invalid")
        .fault("/into", "unknown_tag");
    let remaining = editor.post(&merge, json!({"into": "harbour"})).await.expect(200);
    assert_eq!(remaining.id(), harbour.id());

    let moved = app.anonymous().get("/v1/tags/port").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/tags/harbour");
    app.anonymous().get(&format!("/v1/tags/{}", port.id())).await.problem(404, "not_found");
    editor.post(&merge, json!({"into": "harbour"})).await.problem(404, "not_found");
}

#[actix_web::test]
async fn lists_are_walked_forwards_and_backwards_and_by_number() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.anonymous());
    let names = ["Alder", "Birch", "Cedar", "Dogwood", "Elm"];
    for name in names.iter().rev() {
        author.post("/v1/tags", json!({"name": name})).await.expect(201);
    }
    let with_cursor =
        |cursor: &serde_json::Value| format!("/v1/tags?limit=2&cursor={}", cursor.as_str().unwrap());

    let first = reader.get("/v1/tags?limit=2&count=true").await.expect(200);
    assert_eq!(first.each("name"), names[..2]);
    assert_eq!(first.json["page"]["total"], 5);
    assert!(first.json["page"]["prev"].is_null());
    let second = reader.get(&with_cursor(&first.json["page"]["next"])).await.expect(200);
    assert_eq!(second.each("name"), names[2..4]);
    assert!(second.json["page"].get("total").is_none(), "counted only when asked");
    let third = reader.get(&with_cursor(&second.json["page"]["next"])).await.expect(200);
    assert_eq!(third.each("name"), names[4..]);
    assert!(third.json["page"]["next"].is_null());
    let back = reader.get(&with_cursor(&third.json["page"]["prev"])).await.expect(200);
    assert_eq!(back.each("name"), names[2..4]);
    let start = reader.get(&with_cursor(&back.json["page"]["prev"])).await.expect(200);
    assert_eq!(start.each("name"), names[..2]);

    let link = second.header("link");
    let next = second.json["page"]["next"].as_str().unwrap();
    assert!(link.contains(&format!("cursor={next}>; rel=\"next\"")), "{link}");
    assert!(link.contains("</v1/tags?limit=2>; rel=\"first\""), "{link}");

    assert_eq!(reader.get("/v1/tags?limit=2&page=2").await.expect(200).each("name"), names[2..4]);
    assert!(reader.get("/v1/tags?limit=2&page=9").await.expect(200).each("name").is_empty());
    assert_eq!(reader.get("/v1/tags?prefix=Ce").await.expect(200).each("name"), ["Cedar"]);
    assert!(
        reader.get("/v1/tags?prefix=ce").await.expect(200).each("name").is_empty(),
        "case counts on both databases"
    );
    assert!(reader.get("/v1/tags?prefix=%25").await.expect(200).each("name").is_empty(), "no wildcards");
}

#[actix_web::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let bad = json!({"name": "x".repeat(201), "slug": "Not A Slug!", "version": 7});
    let answer = author.post("/v1/tags", bad).await.problem(422, "invalid");
    answer.fault("/name", "too_long").fault("/slug", "bad_slug").fault("/version", "unknown_field").faults(3);
    author.post("/v1/tags", json!({})).await.problem(422, "invalid").fault("/name", "required").faults(1);
    let answer = author.post("/v1/tags", json!({"name": 5, "type": "colour"})).await.problem(422, "invalid");
    answer.fault("/name", "wrong_type").fault("/type", "not_allowed").faults(2);
    // No slug can be made of it.
    author.post("/v1/tags", json!({"name": "!!!"})).await.problem(422, "invalid").fault("/slug", "required");
    assert!(app.anonymous().get("/v1/tags").await.expect(200).each("id").is_empty(), "nothing was made");
}

#[actix_web::test]
async fn a_parameter_that_is_wrong_is_named() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    let bad =
        reader.get("/v1/tags?limt=5&limit=0&type=colour&page=x").await.problem(400, "invalid_parameter");
    bad.fault("limt", "unknown_parameter")
        .fault("limit", "too_small")
        .fault("type", "not_allowed")
        .fault("page", "wrong_type")
        .faults(4);
    reader.get("/v1/tags?limit=101").await.problem(400, "invalid_parameter").fault("limit", "too_large");
    reader
        .get("/v1/tags?limit=5&limit=6")
        .await
        .problem(400, "invalid_parameter")
        .fault("limit", "repeated_parameter");
    reader.get("/v1/tags?cursor=abc").await.problem(400, "invalid_parameter").fault("cursor", "bad_format");
    reader
        .get("/v1/tags?prefix=%00")
        .await
        .problem(400, "invalid_parameter")
        .fault("prefix", "control_character");
}

#[actix_web::test]
async fn an_edit_of_a_stale_version_is_refused() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let made = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let edited = editor.if_match(&made.etag()).patch("/v1/tags/port", json!({"name": "A"})).await.expect(200);
    let stale = editor
        .if_match(&made.etag())
        .patch("/v1/tags/port", json!({"name": "B"}))
        .await
        .problem(412, "stale");
    assert_eq!(stale.json["current_version"], 2);
    editor.if_match("\"2\"").patch("/v1/tags/port", json!({"name": "C"})).await.expect(200);
    editor.if_match("*").patch("/v1/tags/port", json!({"name": "D"})).await.expect(200);
    let bad = editor.if_match("seven").patch("/v1/tags/port", json!({"name": "E"})).await;
    bad.problem(400, "invalid_parameter").fault("If-Match", "bad_format");
    assert_ne!(edited.etag(), made.etag());
    assert_eq!(app.anonymous().get("/v1/tags/port").await.expect(200).json["name"], "D");
}
