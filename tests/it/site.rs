//! The site and how it makes addresses.

use serde_json::json;

use crate::{app::TestApp, newsroom::path_of};

#[actix_web::test]
async fn the_site_is_edited_by_administrators() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin().await, app.anonymous());
    let before = reader.get("/v1/site").await.expect(200);
    let wanted = json!({"name": "The Courier", "tagline": "News", "time_zone": "Europe/London",
        "url": "https://courier.example/", "navigation": [{"label": "World", "url": "/world"}]});
    let edited = admin.if_match(&before.etag()).patch("/v1/site", wanted).await.expect(200);
    assert_eq!(edited.json["url"], "https://courier.example");
    let read = reader.get("/v1/site").await.expect(200);
    // Who has to have a second factor is nobody else's business.
    let mut told = edited.json.clone();
    assert_eq!(told.as_object_mut().unwrap().remove("second_factor_roles"), Some(json!([])));
    assert_eq!(read.json, told);
    assert_eq!(read.json["language"], before.json["language"], "what is absent stays");
    let bad = json!({"time_zone": "Mars/Phobos", "url": "ftp://a", "language": "?", "name": ""});
    let bad = admin.patch("/v1/site", bad).await.problem(422, "invalid");
    bad.fault("/time_zone", "unknown_time_zone")
        .fault("/url", "not_a_url")
        .fault("/language", "bad_language");
    admin.if_match(&before.etag()).patch("/v1/site", json!({"name": "B"})).await.problem(412, "stale");
}

#[actix_web::test]
async fn a_permalink_changes_the_path_of_articles() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    for (permalink, expected) in [
        ("/news/{slug}", "/news/bridge".to_owned()),
        ("/{section}/{id}", format!("/city/{}", article.id())),
        ("/{year}/{slug}", format!("/{}/bridge", &article.json["first_published_at"].as_str().unwrap()[..4])),
    ] {
        admin
            .patch("/v1/site", json!({"permalink": permalink, "url": "https://a.example"}))
            .await
            .expect(200);
        let read = reader.get(&path).await.expect(200);
        assert_eq!(read.json["path"], expected, "{permalink}");
        assert_eq!(read.json["url"], format!("https://a.example{expected}"));
    }
    for bad in ["/{section}", "{slug}", "/{slug}/{nonsense}", "/{slug", "/a b/{slug}"] {
        let refused = admin.patch("/v1/site", json!({ "permalink": bad })).await.problem(422, "invalid");
        refused.fault("/permalink", "bad_permalink");
    }
}
