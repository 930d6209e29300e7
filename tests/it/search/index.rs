//! The index follows what becomes of articles, and can be built anew.

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use proptest::{prelude::*, strategy::ValueTree as _};
use serde_json::json;

use super::{body, found, found_by, path};
use crate::{
    app::{Answer, TestApp},
    newsroom::{each, paragraph, path_of},
};

#[actix_web::test]
async fn the_index_follows_what_becomes_of_an_article() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let article = app.published("Lighthouse").await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Windmill"})).await.expect(200);
    assert_eq!(found(&app, "lighthouse", "").await, ["Lighthouse"]);
    assert_eq!(found_by(&editor, "lighthouse", "&stage=draft").await, [""; 0]);
    editor.act(&format!("{path}/publish")).await.expect(200);
    assert_eq!(found(&app, "lighthouse", "").await, [""; 0]);
    assert_eq!(found(&app, "windmill", "").await, ["Windmill"]);
    let moved = json!({"published_at": "2020-01-01T00:00:00Z"});
    editor.post(&format!("{path}/publish"), moved).await.expect(200);
    assert_eq!(found(&app, "windmill", "&published_before=2021-01-01T00:00:00Z").await, ["Windmill"]);
    editor.act(&format!("{path}/unpublish")).await.expect(200);
    assert_eq!(found(&app, "windmill", "").await, [""; 0]);
    assert_eq!(found_by(&editor, "windmill", "&stage=draft").await, ["Windmill"]);
    app.admin().await.if_match("*").delete(&path).await.expect(200);
    assert_eq!(found_by(&editor, "windmill", "&stage=draft").await, [""; 0]);
}

/// What can become of an article that was made and published in one request, so that its draft and what is live have one
/// text in the index.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Edit,
    Tag,
    Publish,
    PublishUnder(i64),
    Schedule,
    Unpublish,
    Discard,
    Rebuild,
}

#[actix_web::test]
async fn draft_and_live_are_each_found_by_their_own_words_after_any_history() {
    let app = TestApp::start_with_tokens_for(600).await;
    let editor = app.bold_editor().await;
    for name in ["Port", "Storm"] {
        app.admin().await.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
    let turn = prop_oneof![
        3 => Just(Turn::Edit),
        2 => Just(Turn::Tag),
        3 => Just(Turn::Publish),
        1 => (1..3_i64).prop_map(Turn::PublishUnder),
        1 => Just(Turn::Schedule),
        2 => Just(Turn::Unpublish),
        1 => Just(Turn::Discard),
        1 => Just(Turn::Rebuild),
    ];
    let histories = proptest::collection::vec(turn, 1..9);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for number in 0..12 {
        let history = histories.new_tree(&mut runner).unwrap().current();
        let mut words = vec![format!("w{number}x0")];
        let made = json!({"tags": ["port"], "publish": {}});
        let path = path_of(&app.draft_of(&editor, &words[0], made).await);
        // The headline and the tag of each; none if there is nothing live.
        let (mut draft, mut live) = ((words[0].clone(), "port"), Some((words[0].clone(), "port")));
        for (step, turn) in history.iter().enumerate() {
            match turn {
                Turn::Edit => {
                    draft.0 = format!("w{number}x{}", step + 1);
                    words.push(draft.0.clone());
                    editor.patch(&path, json!({"headline": &draft.0})).await.expect(200);
                }
                Turn::Tag => {
                    draft.1 = if draft.1 == "port" { "storm" } else { "port" };
                    editor.patch(&path, json!({"tags": [draft.1]})).await.expect(200);
                }
                Turn::Publish => {
                    editor.act(&format!("{path}/publish")).await.expect(200);
                    live = Some(draft.clone());
                }
                Turn::PublishUnder(days) => {
                    let at = app.newsroom.clock.now().millis() - days * 86_400_000;
                    let under = json!({"published_at": Instant::from_millis(at).to_string()});
                    editor.post(&format!("{path}/publish"), under).await.expect(200);
                    live = Some(draft.clone());
                }
                Turn::Schedule => {
                    let at = app.newsroom.clock.now().millis() + 60_000;
                    let at = json!({"at": Instant::from_millis(at).to_string()});
                    editor.post(&format!("{path}/publish"), at).await.expect(200);
                    app.newsroom.clock.advance(TimeDelta::minutes(2));
                    settle_due(&app.newsroom).await.unwrap();
                    live = Some(draft.clone());
                }
                Turn::Unpublish if live.is_some() => {
                    editor.act(&format!("{path}/unpublish")).await.expect(200);
                    live = None;
                }
                Turn::Discard if live.is_some() && live.as_ref() != Some(&draft) => {
                    editor.act(&format!("{path}/discard")).await.expect(200);
                    draft = live.clone().unwrap();
                }
                Turn::Rebuild => {
                    masthead::service::search::rebuild(&app.newsroom, |_| {}).await.unwrap();
                }
                Turn::Unpublish | Turn::Discard => {}
            }
            for word in &words {
                for (client, stage, shown) in [
                    (app.anonymous(), "", live.as_ref()),
                    (editor.clone(), "&stage=draft", Some(&draft)),
                    (editor.clone(), "&stage=draft&sort=-published_at", Some(&draft)),
                ] {
                    let shown = shown.filter(|(headline, _)| headline == word);
                    let expected: Vec<&str> = shown.iter().map(|(headline, _)| headline.as_str()).collect();
                    let question = super::path(word, &format!("{stage}&facets=tag"));
                    let answer = client.get(&question).await.expect(200);
                    assert_eq!(answer.each("headline"), expected, "{question} after {history:?}");
                    let tags = each(&answer.json["facets"]["tag"], "slug");
                    let expected: Vec<&str> = shown.iter().map(|(_, tag)| *tag).collect();
                    assert_eq!(tags, expected, "{question} after {history:?}");
                    for tag in ["port", "storm"] {
                        let narrowed = found_by(&client, word, &format!("{stage}&tag={tag}")).await;
                        let expected: Vec<&str> = shown
                            .iter()
                            .filter(|(_, own)| *own == tag)
                            .map(|(text, _)| text.as_str())
                            .collect();
                        assert_eq!(narrowed, expected, "{question}&tag={tag} after {history:?}");
                    }
                }
            }
        }
    }
}

#[actix_web::test]
async fn the_index_follows_all_that_one_request_does() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let gone = app.draft_of(&editor, "Lighthouse", body("A lantern.")).await;
    let shown = app.draft_of(&editor, "Harbour", body("A lantern.")).await;
    let deleted = app.draft_of(&editor, "Ferry", body("A lantern.")).await;
    let again = app.published_with("Tower", body("A lantern.")).await;
    let on = |action: &str, article: &Answer| json!({"action": action, "article": article.id()});
    let actions = [
        on("publish", &gone),
        on("publish", &shown),
        on("publish", &again),
        on("unpublish", &gone),
        on("unpublish", &again),
        on("publish", &again),
        on("publish", &deleted),
        on("unpublish", &deleted),
        on("archive", &deleted),
        on("delete", &deleted),
    ];
    editor.post("/v1/articles/bulk", json!({"atomic": true, "actions": actions})).await.expect(200);
    assert_eq!(found(&app, "lantern", "&sort=headline").await, ["Harbour", "Tower"]);
    let drafts = found_by(&editor, "lantern", "&sort=headline&stage=draft").await;
    assert_eq!(drafts, ["Harbour", "Lighthouse", "Tower"]);
    // The same under a key, where the transaction is held for the answer.
    let keyed = editor.header("idempotency-key", "once");
    let made = json!({"headline": "Beacon", "section": "city", "publish": {},
        "body": [{"blocks": [paragraph("A lantern.")]}]});
    keyed.post("/v1/articles", made).await.expect(201);
    assert_eq!(found(&app, "lantern", "&sort=headline").await, ["Beacon", "Harbour", "Tower"]);
}

#[actix_web::test]
async fn a_rebuilt_index_answers_the_same() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    for number in 0..5 {
        app.published_with(&format!("Harbour {number}"), body(&format!("Text <em>{number}</em>"))).await;
    }
    let draft = app.draft("Harbour draft").await;
    let at = Instant::from_millis(app.newsroom.clock.now().millis() + 60_000).to_string();
    editor.post(&format!("{}/publish", path_of(&draft)), json!({ "at": at })).await.expect(200);
    let questions = [path("harbour", ""), path("text", "&stage=draft"), path("harb*", "&stage=scheduled")];
    let mut before = Vec::new();
    for question in &questions {
        before.push(editor.get(question).await.expect(200).json);
    }
    let done = masthead::service::search::rebuild(&app.newsroom, |_| {}).await.unwrap();
    assert_eq!(done, 6);
    for (question, before) in questions.iter().zip(&before) {
        assert_eq!(editor.get(question).await.expect(200).json["data"], before["data"], "{question}");
    }
}

#[actix_web::test]
async fn the_index_of_an_older_database_is_built_when_it_is_migrated() {
    let app = TestApp::start().await;
    let Some(file) = app.sqlite_path() else { return };
    for number in 0..3 {
        app.published(&format!("Harbour {number}")).await;
    }
    // As it is right after the migration.
    let db = rusqlite::Connection::open(file).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    db.execute_batch("DELETE FROM search_documents; DELETE FROM search_progress").unwrap();
    assert_eq!(found(&app, "harbour", "").await, [""; 0], "the words go with the documents");
    let store = app.newsroom.store.clone();
    let applied = tokio::task::spawn_blocking(move || store.migrate()).await.unwrap().unwrap();
    assert_eq!(applied, [""; 0]);
    assert_eq!(found(&app, "harbour", "").await.len(), 3);
    assert_eq!(found_by(&app.editor().await, "harbour", "&stage=draft").await.len(), 3);
}
