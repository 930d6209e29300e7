//! Those who wait for changes: the order under many writers, long polls, streams of events.

use actix_web::rt::{spawn, task::JoinHandle};
use masthead::http::options::HttpOptions;
use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::path_of,
};

/// The cursor behind the last change.
async fn end(app: &TestApp) -> String {
    let mut cursor = "0".to_owned();
    loop {
        let page = app.anonymous().get(&format!("/v1/changes?since={cursor}&limit=100")).await.expect(200);
        page.json["page"]["next"].as_str().unwrap().clone_into(&mut cursor);
        if page.each("cursor").is_empty() {
            return cursor;
        }
    }
}

/// A request that waits, once it does.
async fn waiting(app: &TestApp, since: &str, others: usize) -> JoinHandle<Answer> {
    let (reader, path) = (app.anonymous(), format!("/v1/changes?since={since}&wait=60"));
    let poll = spawn(async move { reader.get(&path).await });
    until(|| app.newsroom.feed.followers() == others + 1).await;
    poll
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn nothing_is_inserted_before_what_was_listed() {
    const WRITERS: usize = 8;
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let mut cursor = end(&app).await;
    let start = cursor.clone();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let editor = editor.clone();
            spawn(async move {
                let mut made = Vec::new();
                for number in 0..4 {
                    let name = format!("Thing {writer} {number}");
                    made.push(editor.post("/v1/tags", json!({ "name": name })).await.expect(201).id());
                    let section = editor.post("/v1/sections", json!({ "name": name })).await.expect(201).id();
                    let body = json!([{"blocks": [{"type": "paragraph", "html": "Text."}]}]);
                    let draft = json!({"headline": name, "section": section, "body": body});
                    let draft = editor.post("/v1/articles", draft).await.expect(201);
                    editor.act(&format!("{}/publish", path_of(&draft))).await.expect(200);
                    editor.act(&format!("{}/unpublish", path_of(&draft))).await.expect(200);
                    made.extend([section, draft.id(), draft.id()]);
                }
                made
            })
        })
        .collect();
    let mut followed = Vec::new();
    let mut is_done = false;
    loop {
        let page = reader.get(&format!("/v1/changes?since={cursor}&limit=10")).await.expect(200);
        page.json["page"]["next"].as_str().unwrap().clone_into(&mut cursor);
        let changes = page.json["data"].as_array().unwrap();
        if is_done && changes.is_empty() {
            break;
        }
        followed.extend(changes.iter().cloned());
        is_done = writers.iter().all(JoinHandle::is_finished);
    }
    let mut made = Vec::new();
    for writer in writers {
        made.extend(writer.await.unwrap());
    }
    let (mut whole, mut cursor) = (Vec::new(), start);
    loop {
        let page = reader.get(&format!("/v1/changes?since={cursor}&limit=100")).await.expect(200);
        page.json["page"]["next"].as_str().unwrap().clone_into(&mut cursor);
        whole.extend(page.json["data"].as_array().unwrap().iter().cloned());
        if page.each("cursor").is_empty() {
            break;
        }
    }
    assert!(followed == whole, "{} of {} changes were followed", followed.len(), whole.len());
    let mut told: Vec<_> =
        whole.iter().map(|change| change["entity_id"].as_str().unwrap().to_owned()).collect();
    told.sort();
    made.sort();
    assert_eq!(told, made, "each change is told, once");
}

#[actix_web::test]
async fn whoever_waits_is_told_at_once() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.section("city").await;
    let since = end(&app).await;
    let mut polls = Vec::new();
    for others in 0..5 {
        polls.push(waiting(&app, &since, others).await);
    }
    // What is no public change wakes nobody.
    app.draft("Draft").await;
    assert_eq!(app.newsroom.feed.followers(), 5);
    let tag = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    for poll in polls {
        let answer = poll.await.unwrap().expect(200);
        assert_eq!(
            (answer.each("entity_id"), answer.header("cache-control")),
            (vec![&*tag.id()], "no-store")
        );
        assert!(answer.headers.get("surrogate-key").is_none());
    }
    // Without anything to wait for there is no waiting.
    let again = app.anonymous().get(&format!("/v1/changes?since={since}&wait=60")).await.expect(200);
    assert_eq!(again.each("entity_id"), [tag.id()]);
    until(|| app.newsroom.feed.followers() == 0).await;
}

#[actix_web::test]
async fn waiting_ends_empty_when_the_time_is_over() {
    let app = TestApp::start().await;
    let since = end(&app).await;
    let answer = app.anonymous().get(&format!("/v1/changes?since={since}&wait=1")).await.expect(200);
    assert_eq!((answer.each("cursor").len(), &answer.json["page"]["next"]), (0, &json!(since)));
    let far = app.anonymous().get("/v1/changes?wait=61").await.problem(400, "invalid_parameter");
    far.fault("wait", "too_large");
    app.anonymous()
        .get("/v1/changes?wait=-1")
        .await
        .problem(400, "invalid_parameter")
        .fault("wait", "too_small");
}

#[actix_web::test]
async fn only_so_many_wait_at_a_time() {
    let app = TestApp::start_with(HttpOptions { followers: 1, ..HttpOptions::default() }).await;
    let since = end(&app).await;
    let poll = waiting(&app, &since, 0).await;
    let path = format!("/v1/changes?since={since}");
    app.anonymous().get(&format!("{path}&wait=60")).await.problem(503, "busy");
    app.anonymous().get(&format!("/v1/changes/stream?since={since}")).await.problem(503, "busy");
    app.anonymous().get(&path).await.expect(200);
    app.editor().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    assert_eq!(poll.await.unwrap().expect(200).each("entity"), ["tag"]);
    app.anonymous().get(&format!("/v1/changes/stream?since={since}&follow=false")).await.expect(200);
}

#[actix_web::test]
async fn a_server_that_stops_keeps_nobody_waiting() {
    let app = TestApp::start().await;
    let since = end(&app).await;
    let poll = waiting(&app, &since, 0).await;
    let mut events = Events::open(&app, &format!("?since={since}"), None).await;
    until(|| app.newsroom.feed.followers() == 2).await;
    app.newsroom.feed.close();
    assert!(poll.await.unwrap().expect(200).each("cursor").is_empty());
    assert_eq!(events.next().await, None, "the stream has an end");
    let answer = app.anonymous().get(&format!("/v1/changes?since={since}&wait=60")).await.expect(200);
    assert!(answer.each("cursor").is_empty());
}

/// A stream of events.
struct Events {
    response: Response,
    read: String,
}

impl Events {
    async fn open(app: &TestApp, query: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(format!("{}/v1/changes/stream{query}", app.origin()));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!((&*header("cache-control"), &*header("x-accel-buffering")), ("no-store", "no"));
        Self { response, read: String::new() }
    }

    /// The id and the data of the next event; none at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let fields: Vec<_> = block.lines().filter_map(|line| line.split_once(": ")).collect();
                let field =
                    |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                let event = field("data").map(|data| {
                    assert_eq!(field("event"), Some("change"));
                    (field("id").unwrap().to_owned(), serde_json::from_str(data).unwrap())
                });
                self.read = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[actix_web::test]
async fn events_are_streamed_as_they_come_and_resumed() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let make = async |name: &str| editor.post("/v1/tags", json!({ "name": name })).await.expect(201).id();
    let (one, two) = (make("One").await, make("Two").await);
    let mut events = Events::open(&app, "", None).await;
    assert_eq!(events.next().await.unwrap().1["entity_id"], one);
    let (seen, change) = events.next().await.unwrap();
    let listed = app.anonymous().get("/v1/changes").await.expect(200);
    assert_eq!((&change, &json!(seen)), (&listed.json["data"][1], &change["cursor"]));
    let three = make("Three").await;
    assert_eq!(events.next().await.unwrap().1["entity_id"], three);
    drop(events);

    // As browsers come back: with the address that they had.
    let four = make("Four").await;
    let mut events = Events::open(&app, "?since=0", Some(&seen)).await;
    assert_eq!(events.next().await.unwrap().1["entity_id"], three);
    let (last, change) = events.next().await.unwrap();
    assert_eq!(change["entity_id"], four);
    let mut events = Events::open(&app, &format!("?since={last}"), Some("")).await;
    let five = make("Five").await;
    assert_eq!(events.next().await.unwrap().1["entity_id"], five);

    let mut all = Events::open(&app, &format!("?follow=false&since={seen}"), None).await;
    let mut ids = Vec::new();
    while let Some((_, change)) = all.next().await {
        ids.push(change["entity_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids, [three, four, five]);
    assert_ne!(two, one);
    let reader = app.anonymous();
    let bad = reader.header("last-event-id", "x").get("/v1/changes/stream").await;
    bad.problem(400, "invalid_parameter").fault("Last-Event-ID", "bad_format");
}

#[actix_web::test]
async fn more_than_a_page_comes_in_one_stream() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for number in 0..205 {
        editor.post("/v1/tags", json!({"name": format!("Tag {number}")})).await.expect(201);
    }
    let mut events = Events::open(&app, "?follow=false", None).await;
    let mut cursors = Vec::new();
    while let Some((cursor, _)) = events.next().await {
        cursors.push(cursor.parse::<i64>().unwrap());
    }
    assert_eq!(cursors.len(), 205);
    assert!(cursors.is_sorted());
}

#[actix_web::test]
async fn what_another_node_records_is_told_too() {
    let one = TestApp::start().await;
    // SQLite has one server; what several of them need is PostgreSQL.
    if one.sqlite_path().is_some() {
        return;
    }
    let other = one.another_node().await;
    let since = end(&one).await;
    let poll = waiting(&other, &since, 0).await;
    let mut events = Events::open(&other, &format!("?since={since}"), None).await;
    let tag = one.editor().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    assert_eq!(poll.await.unwrap().expect(200).each("entity_id"), [tag.id()]);
    assert_eq!(events.next().await.unwrap().1["entity_id"], tag.id());
}

#[actix_web::test]
async fn a_mirror_begins_where_the_log_ends() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let make = async |name: &str| editor.post("/v1/tags", json!({ "name": name })).await.expect(201).id();
    let next = |page: &Answer| page.json["page"]["next"].as_str().unwrap().to_owned();
    let latest = reader.get("/v1/changes?since=latest").await.expect(200);
    assert_eq!((latest.each("cursor").len(), next(&latest)), (0, "0".to_owned()), "nothing has happened");
    make("One").await;
    let draft = app.draft("Bridge").await;
    let known = end(&app).await;
    // On PostgreSQL this takes a number and gives it back to nobody.
    editor.act(&format!("{}/publish?dry_run=true", path_of(&draft))).await.expect(200);
    let latest = reader.get("/v1/changes?since=latest&limit=1").await.expect(200);
    assert_eq!((latest.each("cursor").len(), next(&latest)), (0, known.clone()));
    assert_eq!(next(&reader.get(&format!("/v1/changes?since={known}")).await.expect(200)), known);

    // What happens while the lists are read is told.
    let two = make("Two").await;
    let listed = reader.get("/v1/tags").await.expect(200);
    assert_eq!(listed.each("name"), ["One", "Two"]);
    let told = reader.get(&format!("/v1/changes?since={known}")).await.expect(200);
    assert_eq!(told.each("entity_id"), [two]);

    let poll = waiting(&app, "latest", 0).await;
    let three = make("Three").await;
    assert_eq!(poll.await.unwrap().expect(200).each("entity_id"), [&*three]);
    let mut events = Events::open(&app, "?since=latest", None).await;
    let four = make("Four").await;
    assert_eq!(events.next().await.unwrap().1["entity_id"], four);
    // A client that was told of nothing yet comes back to the same place.
    let known = end(&app).await;
    let stream = reader.get("/v1/changes/stream?since=latest&follow=false").await.expect(200);
    assert!(stream.text.starts_with(&format!("retry: 3000\nid: {known}\n\n")), "{}", stream.text);
}

#[actix_web::test]
async fn a_cursor_of_another_log_is_told() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    app.section("city").await;
    // The server was restored from a backup in which this change is not yet.
    let lost = end(&app).await.parse::<i64>().unwrap() + 1;
    for query in ["", "&wait=60", "&limit=100&fields=kind"] {
        let answer = reader.get(&format!("/v1/changes?since={lost}{query}")).await;
        answer.problem(410, "cursor_unknown");
    }
    for query in
        [format!("since={lost}"), format!("since={lost}&follow=false"), format!("since={}", i64::MAX)]
    {
        reader.get(&format!("/v1/changes/stream?{query}")).await.problem(410, "cursor_unknown");
    }
    let back = reader.header("last-event-id", &lost.to_string());
    back.get("/v1/changes/stream?since=0").await.problem(410, "cursor_unknown");
    assert_eq!(app.newsroom.feed.followers(), 0);
}
