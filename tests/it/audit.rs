//! The audit log.

use serde_json::json;

use crate::{app::TestApp, newsroom::path_of};

#[actix_web::test]
async fn every_write_leaves_an_event() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let draft = app.draft("Bridge").await;
    editor.header("user-agent", "Desk/2").act(&format!("{}/publish", path_of(&draft))).await.expect(200);
    let log = admin.get(&format!("/v1/audit?entity=article&entity_id={}", draft.id())).await.expect(200);
    assert_eq!(log.each("action"), ["publish_article", "create_article"]);
    let event = &log.json["data"][0];
    assert_eq!(event["actor"], json!({"id": editor.user().id, "name": "Edda Editor"}));
    assert_eq!((&event["outcome"], &event["credential"]), (&json!("done"), &json!("session")));
    assert_eq!(event["target"], format!("{}/publish", path_of(&draft)));
    assert_eq!((&event["address"], &event["user_agent"]), (&json!("127.0.0.1"), &json!("Desk/2")));
    assert!(event["request_id"].is_string());
    // Of several in one request each has one.
    let actions = json!({"actions": [
        {"action": "unpublish", "article": draft.id()}, {"action": "archive", "article": draft.id()}
    ]});
    editor.post("/v1/articles/bulk", actions).await.expect(200);
    let log = admin.get("/v1/audit?action=bulk_articles").await.expect(200);
    assert_eq!(log.each("detail"), ["archive", "unpublish"]);
    assert!(log.json["data"].as_array().unwrap().iter().all(|event| event["entity_id"] == draft.id()));
}

#[actix_web::test]
async fn what_did_not_happen_leaves_none() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let draft = app.draft("Bridge").await;
    editor.act(&format!("{}/publish?dry_run=true", path_of(&draft))).await.expect(200);
    editor.act(&format!("{}/unpublish", path_of(&draft))).await.problem(409, "invalid_transition");
    editor.post("/v1/tags", json!({"name": ""})).await.problem(422, "invalid");
    let log = admin.get(&format!("/v1/audit?actor={}", editor.user().id)).await.expect(200);
    let mut actions = log.each("action");
    actions.retain(|action| *action != "login");
    assert_eq!(actions, ["create_article", "create_section"]);
}

#[actix_web::test]
async fn what_is_refused_leaves_an_event() {
    let app = TestApp::start().await;
    let (admin, author) = (app.admin().await, app.author().await);
    author.patch("/v1/site", json!({"name": "Mine"})).await.problem(403, "forbidden");
    author.get("/v1/users").await.problem(403, "forbidden");
    let log = admin.get("/v1/audit?outcome=refused").await.expect(200);
    assert_eq!(log.each("action"), ["list_users", "update_site"]);
    assert_eq!(log.json["data"][0]["actor"]["id"], json!(author.user().id));
    assert_eq!(log.json["data"][1]["detail"], "Your role does not let you change the site.");
}

#[actix_web::test]
async fn settings_are_told_before_and_after() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    admin.patch("/v1/site", json!({"name": "The Courier"})).await.expect(200);
    let log = admin.get("/v1/audit?action=update_site").await.expect(200);
    let event = &log.json["data"][0];
    assert_eq!(event["before"]["name"], "Untitled newsroom");
    assert_eq!(event["after"]["name"], "The Courier");
    assert_eq!((&event["entity"], &event["entity_id"]), (&json!("site"), &json!("1")));
}

#[actix_web::test]
async fn the_log_is_walked_and_filtered() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = app.newsroom.clock.now();
    for number in 0..5 {
        app.newsroom.clock.advance(chrono::TimeDelta::seconds(1));
        admin.post("/v1/tags", json!({"name": format!("Tag {number}")})).await.expect(201);
    }
    let mut path = "/v1/audit?action=create_tag&limit=2&count=true".to_owned();
    let mut found = Vec::new();
    loop {
        let page = admin.get(&path).await.expect(200);
        found.extend(page.each("id").into_iter().map(str::to_owned));
        assert_eq!(page.json["page"]["total"], 5);
        match page.json["page"]["next"].as_str() {
            Some(next) => path = format!("/v1/audit?action=create_tag&limit=2&count=true&cursor={next}"),
            None => break,
        }
    }
    let ids: Vec<i64> = found.iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]));
    let until = (before.to_utc() + chrono::TimeDelta::milliseconds(2500)).format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let early = admin.get(&format!("/v1/audit?action=create_tag&until={until}")).await.expect(200);
    let late = admin.get(&format!("/v1/audit?action=create_tag&since={until}")).await.expect(200);
    assert_eq!((early.each("id").len(), late.each("id").len()), (2, 3));
    let bad = admin.get("/v1/audit?since=yesterday&until=today&cursor=x").await;
    let bad = bad.problem(400, "invalid_parameter").fault("since", "bad_instant");
    bad.fault("until", "bad_instant").fault("cursor", "bad_format").faults(3);
    for wrong in ["outcome=perhaps", "entity_id=x", "cursor=x"] {
        admin.get(&format!("/v1/audit?{wrong}")).await.problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn nobody_changes_the_log() {
    use diesel::RunQueryDsl as _;
    use masthead::store::conn::Db;
    let app = TestApp::start().await;
    app.admin().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    for sql in ["DELETE FROM audit_events", "UPDATE audit_events SET outcome = 'done'"] {
        let refused = app.newsroom.store.write(move |db| match db {
            Db::Sqlite(conn) => Ok(diesel::sql_query(sql).execute(conn)?),
            Db::Postgres(conn) => Ok(diesel::sql_query(sql).execute(conn)?),
        });
        assert!(refused.await.unwrap_err().to_string().contains("append-only"), "{sql}");
    }
    assert!(!app.admin().await.get("/v1/audit").await.expect(200).each("id").is_empty());
}
