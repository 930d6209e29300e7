//! How a client is told that it has an answer already, and that it is given as few bytes as it takes.

use std::io::Read as _;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of},
};

fn modified(answer: &Answer) -> Option<DateTime<Utc>> {
    let date = answer.headers.get("last-modified")?.to_str().unwrap();
    Some(DateTime::parse_from_rfc2822(date).unwrap().to_utc())
}

/// An answer with a date: it has none if it was made within the second of a change.
async fn dated(app: &TestApp, client: &Client, path: &str) -> Answer {
    for number in 20..60 {
        app.newsroom.clock.advance(TimeDelta::seconds(2));
        // One that was made before does not count.
        let answer = client.get(&format!("{path}?limit={number}")).await.expect(200);
        if modified(&answer).is_some() {
            return answer;
        }
    }
    panic!("{path} never has a date");
}

#[actix_web::test]
async fn an_answer_is_as_old_as_the_last_change_of_anything_in_it() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    app.published("First").await;
    let second = app.published_with("Second", json!({"tags": ["port"]})).await;
    let before = dated(&app, &reader, "/v1/articles").await;
    let path = before.asked_path();
    let date = before.header("last-modified");
    let earlier = (modified(&before).unwrap() - TimeDelta::hours(1)).to_rfc2822().replace("+0000", "GMT");

    let known = reader.header("if-modified-since", date).get(path).await.expect(304);
    assert_eq!(known.etag(), before.etag());
    reader.header("if-modified-since", &earlier).get(path).await.expect(200);
    reader.header("if-modified-since", "yesterday").get(path).await.expect(200);
    // The better validator is asked alone.
    let both = reader.header("if-modified-since", date);
    both.header("if-none-match", "\"x\"").get(path).await.expect(200);
    both.header("if-none-match", &before.etag()).get(path).await.expect(304);
    assert!(modified(&editor.get(path).await.expect(200)).is_none());

    // Neither what is renamed far away nor what goes leaves it as it was.
    app.newsroom.clock.advance(TimeDelta::seconds(2));
    editor.patch("/v1/tags/port", json!({"name": "Harbour"})).await.expect(200);
    reader.header("if-modified-since", date).get(path).await.expect(200);
    let renamed = dated(&app, &reader, "/v1/articles").await;
    assert!(modified(&renamed) > modified(&before));
    app.newsroom.clock.advance(TimeDelta::seconds(2));
    let path = format!("{}/unpublish", path_of(&second));
    editor.act(&path).await.expect(200);
    let withdrawn = dated(&app, &reader, "/v1/articles").await;
    assert!(modified(&withdrawn) > modified(&renamed));
    let known = reader.header("if-modified-since", renamed.header("last-modified"));
    known.get(renamed.asked_path()).await.expect(200);
}

fn unpacked(coding: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text).unwrap(),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap(),
        _ => zstd::Decoder::new(bytes).unwrap().read_to_string(&mut text).unwrap(),
    };
    text
}

#[actix_web::test]
async fn what_is_not_kept_is_compressed_too() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let blocks: Vec<_> = (0..50).map(|number| paragraph(&format!("Sentence number {number}."))).collect();
    let article = app.published_with("Long read", json!({"body": [{"blocks": blocks}]})).await;
    let path = format!("{}?stage=draft", path_of(&article));
    for number in 0..9 {
        app.published(&format!("Article {number}")).await;
    }
    let beside_the_api = reader.raw();
    for (client, path) in
        [(&editor, path.as_str()), (&reader, "/v1/changes?since=0"), (&beside_the_api, "/openapi.json")]
    {
        let plain = client.get(path).await.expect(200);
        assert!(!plain.headers.contains_key("content-encoding"));
        for coding in ["br", "gzip", "zstd"] {
            let client = client.header("accept-encoding", coding);
            let (answer, bytes) = client.bytes(path).await;
            assert_eq!(answer.header("content-encoding"), coding, "{path}");
            assert!(answer.header("vary").to_ascii_lowercase().contains("accept-encoding"));
            assert_eq!(answer.header("cache-control"), plain.header("cache-control"));
            assert_eq!(unpacked(coding, &bytes), plain.text, "{path} as {coding}");
            assert!(bytes.len() < plain.text.len() / 2, "{path} as {coding}: {} bytes", bytes.len());
            assert_ne!(answer.etag(), plain.etag());
            let known = client.header("if-none-match", &answer.etag()).get(path).await.expect(304);
            assert_eq!(known.etag(), answer.etag());
        }
    }
    // An editor's tool compares versions with the validator that it was given.
    let (draft, _) = editor.header("accept-encoding", "gzip").bytes(&path).await;
    editor.if_match(&draft.etag()).patch(&path_of(&article), json!({"kicker": "Harbour"})).await.expect(200);
    // Little is gained by compressing little.
    let (short, _) = reader.header("accept-encoding", "br").bytes("/healthz").await;
    assert!(!short.headers.contains_key("content-encoding"));
}
