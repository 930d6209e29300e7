//! Authors and the bylines that name them.

use serde_json::{Value, json};

use crate::{
    app::TestApp,
    newsroom::{each, path_of},
};

#[actix_web::test]
async fn an_author_is_made_renamed_and_shown_in_bylines() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let ada = json!({"name": "Ada Okafor", "role": "Reporter", "bio": "Covers the council.",
        "links": [{"label": "Home", "url": "https://ada.example"}]});
    let made = editor.post("/v1/authors", ada).await.expect(201);
    assert_eq!(made.json["slug"], "ada-okafor");
    assert_eq!(made.header("location"), format!("/v1/authors/{}", made.id()));
    let bylines = json!({"bylines": [{"author": "ada-okafor"}, {"author": made.id(), "name": "A. O."}]});
    let article = path_of(&app.published_with("Bridge", bylines).await);
    let renamed = editor.patch("/v1/authors/ada-okafor", json!({"name": "Ada Obi", "slug": "ada-obi"})).await;
    assert_eq!(renamed.expect(200).json["role"], "Reporter");
    let moved = reader.get("/v1/authors/ada-okafor").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/authors/ada-obi");
    let read = reader.get(&article).await.expect(200);
    assert_eq!(each(&read.json["bylines"], "name"), ["Ada Obi", "A. O."], "a printed name of its own stays");
}

#[actix_web::test]
async fn an_author_whom_bylines_name_is_only_detached() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    editor.post("/v1/authors", json!({"name": "Ada Okafor"})).await.expect(201);
    let article =
        path_of(&app.published_with("Bridge", json!({"bylines": [{"author": "ada-okafor"}]})).await);
    editor.delete("/v1/authors/ada-okafor").await.problem(409, "in_use");
    editor.delete("/v1/authors/ada-okafor?detach=true").await.expect(204);
    reader.get("/v1/authors/ada-okafor").await.problem(404, "not_found");
    let read = reader.get(&article).await.expect(200);
    assert_eq!(read.json["bylines"][0], json!({"author": null, "name": "Ada Okafor", "role": null}));
}

#[actix_web::test]
async fn a_user_has_one_profile_that_readers_do_not_hear_of() {
    let app = TestApp::start().await;
    let (editor, author) = (app.editor().await, app.author().await);
    let profile = json!({"name": "Ada", "user_id": author.user().id});
    let made = editor.post("/v1/authors", profile.clone()).await.expect(201);
    assert_eq!(made.json["user_id"], json!(author.user().id));
    assert_eq!(app.anonymous().get("/v1/authors/ada").await.expect(200).json["user_id"], Value::Null);
    assert_eq!(author.get("/v1/me").await.expect(200).json["author_id"], made.json["id"]);
    assert_eq!(editor.post("/v1/authors", profile).await.status, 409);
    let unknown = editor.post("/v1/authors", json!({"name": "B", "user_id": "7"})).await;
    assert_eq!(unknown.problem(422, "invalid").json["errors"][0]["pointer"], "/user_id");
    let list = app.anonymous().get("/v1/authors?prefix=Ad&count=true").await.expect(200);
    assert_eq!((list.each("slug"), &list.json["page"]["total"]), (vec!["ada"], &json!(1)));
}
