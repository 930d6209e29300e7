//! Several at once: no update is lost, nothing is made twice, nothing answers 5xx but a database that is locked.

use actix_web::rt::spawn;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use masthead::store::{
    Store, StoreOptions,
    signals::{self, Signal},
};
use serde_json::json;

use crate::{app::TestApp, newsroom::path_of};

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
    let mut slugs = Vec::new();
    for wish in wishes {
        slugs.push(wish.await.unwrap().expect(201).json["slug"].as_str().unwrap().to_owned());
    }
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 20);
}

#[actix_web::test]
async fn no_edit_of_an_article_is_lost() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let article = path_of(&app.draft("Bridge").await);
    for version in 1..=10 {
        let fields = ["headline", "standfirst", "kicker", "dateline"];
        let edits =
            fields.map(|field| {
                let (editor, path) = (editor.if_match(&format!("\"{version}\"")), article.clone());
                spawn(async move {
                    (field, editor.patch(&path, json!({ field: format!("Edit {version}") })).await)
                })
            });
        let (mut won, mut told) = (Vec::new(), Vec::new());
        for edit in edits {
            let (field, answer) = edit.await.unwrap();
            match answer.status.as_u16() {
                200 => won.push(field),
                _ => told.push(answer.problem(412, "stale").json["changed"].clone()),
            }
        }
        assert_eq!((won.len(), told.len()), (1, 3));
        // Whoever lost is told what the winner changed.
        assert!(told.iter().all(|changed| *changed == json!([won[0]])), "{told:?}");
        let draft = editor.get(&format!("{article}?stage=draft")).await.expect(200);
        assert_eq!(draft.json[won[0]], format!("Edit {version}"));
    }
}

#[actix_web::test]
async fn what_goes_live_is_what_was_read() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let article = path_of(&app.draft("Edit 1").await);
    for version in 1..=20 {
        let if_match = editor.if_match(&format!("\"{version}\""));
        let edit = {
            let (editor, path, headline) =
                (if_match.clone(), article.clone(), format!("Edit {}", version + 1));
            spawn(async move { editor.patch(&path, json!({ "headline": headline })).await })
        };
        let publish = {
            let (editor, path) = (if_match, format!("{article}/publish"));
            spawn(async move { editor.post(&path, json!({})).await })
        };
        edit.await.unwrap().expect(200);
        if publish.await.unwrap().status == 200 {
            let live = app.anonymous().get(&article).await.expect(200);
            assert_eq!(live.json["headline"], format!("Edit {version}"));
        }
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

#[actix_web::test]
async fn what_a_transaction_that_broke_off_had_to_say_is_not_said_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/newsroom.db", folder.path().display()).parse().unwrap();
    let store = Store::open(&StoreOptions { url, connections: 1, synchronous: Default::default() }).unwrap();
    store.migrate().unwrap();
    let (heard, hearing) = std::sync::mpsc::channel();
    store.listen(move |signal| heard.send(signal.clone()).unwrap());
    let broken = store.write(|db| {
        signals::send(db, Signal::Keys)?;
        if true {
            panic!("on purpose");
        }
        Ok(())
    });
    broken.await.unwrap_err();
    // On the same thread, since there is no other that is idle.
    store.write(|db| signals::send(db, Signal::Site)).await.unwrap();
    assert_eq!(hearing.try_iter().collect::<Vec<_>>(), [Signal::Site]);
}
