//! The link with which the first administrator comes in.

use masthead::service::setup::create_link;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::app::{PASSWORD, TestApp};

fn request(token: &str) -> Value {
    json!({"token": token, "email": "first@newsroom.example", "name": "First", "password": PASSWORD})
}

#[actix_web::test]
async fn the_set_up_link_works_once() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    let first = create_link(&app.newsroom).await.unwrap().unwrap();
    let link = create_link(&app.newsroom).await.unwrap().unwrap();
    for dead in ["guessed", first.expose_secret()] {
        reader.post("/v1/setup", request(dead)).await.problem(410, "setup_done");
    }
    let mut weak = request(link.expose_secret());
    weak["password"] = "password1234".into();
    reader.post("/v1/setup", weak).await.problem(422, "invalid");
    let made = reader.post("/v1/setup", request(link.expose_secret())).await.expect(201);
    assert_eq!(made.json["role"], "admin");
    reader.post("/v1/setup", request(link.expose_secret())).await.problem(410, "setup_done");
    let credentials = json!({"email": "first@newsroom.example", "password": PASSWORD});
    let answer = reader.post("/v1/auth/login", credentials).await.expect(200);
    let admin = app.with_token(answer.json["access_token"].as_str());
    assert_eq!(admin.get("/v1/me").await.expect(200).json["id"], made.json["id"]);
    assert!(create_link(&app.newsroom).await.unwrap().is_none(), "there are users now");
}

#[actix_web::test]
async fn the_set_up_link_ends_after_a_day() {
    let app = TestApp::start().await;
    let link = create_link(&app.newsroom).await.unwrap().unwrap();
    app.newsroom.clock.advance(chrono::TimeDelta::hours(25));
    let late = app.anonymous().post("/v1/setup", request(link.expose_secret())).await;
    late.problem(410, "setup_done");
    let page = app.anonymous().raw().get("/setup").await.expect(200);
    assert_eq!(page.content_type(), "text/html");
}
