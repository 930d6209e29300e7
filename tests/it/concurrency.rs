//! Several at once: no update is lost, nothing is made twice, nothing answers 5xx but a database that is locked.

use actix_web::rt::spawn;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use serde_json::json;

use crate::app::TestApp;

#[actix_web::test]
async fn one_of_two_edits_of_one_version_wins() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let made = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    for round in 1..=10 {
        let etag = format!("\"{round}\"");
        let edits = ["A", "B", "C", "D"].map(|name| {
            let (editor, path) = (editor.if_match(&etag), format!("/v1/tags/{}", made.id()));
            spawn(async move { editor.patch(&path, json!({ "name": name })).await })
        });
        let mut statuses = Vec::new();
        for edit in edits {
            let answer = edit.await.unwrap();
            if answer.status == 412 {
                assert_eq!(answer.json["current_version"], round + 1);
            }
            statuses.push(answer.status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412]);
    }
}

#[actix_web::test]
async fn one_of_many_that_want_a_slug_gets_it() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let wishes: Vec<_> = (0..20)
        .map(|number| {
            let author = author.clone();
            let wanted = json!({"name": format!("Port {number}"), "slug": "port"});
            spawn(async move { author.post("/v1/tags", wanted).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for wish in wishes {
        statuses.push(wish.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 19][..]));
    assert_eq!(app.anonymous().get("/v1/tags").await.expect(200).each("slug"), ["port"]);
}

#[actix_web::test]
async fn many_tags_of_one_name_get_slugs_of_their_own() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let wishes: Vec<_> = (0..20)
        .map(|_| {
            let author = author.clone();
            spawn(async move { author.post("/v1/tags", json!({"name": "Port"})).await })
        })
        .collect();
    for wish in wishes {
        let answer = wish.await.unwrap();
        // On PostgreSQL another may take the slug between the search for a free one and its use.
        assert!([201, 409].contains(&answer.status.as_u16()), "{}", answer.text);
    }
}

#[actix_web::test]
async fn a_locked_database_is_503_and_serves_again() {
    let app = TestApp::start().await;
    let Some(path) = app.sqlite_path() else { return };
    let author = app.author().await;
    let mut other = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let busy = author.post("/v1/tags", json!({"name": "Port"})).await.problem(503, "busy");
    assert!(busy.header("retry-after").parse::<u32>().is_ok());
    app.anonymous().get("/v1/tags").await.expect(200);
    other.batch_execute("ROLLBACK").unwrap();
    author.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
}
