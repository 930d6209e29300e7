//! The response cache: what is kept, for whom, and that it is never stale.

mod ends;
mod validators;

use std::{io::Read as _, sync::mpsc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::join_all;
use masthead::{
    domain::instant::Instant,
    http::{
        cache::{CacheOptions, KeysHeader},
        limits::RateLimits,
        options::HttpOptions,
    },
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// Whether the answer came from the cache.
fn is_hit(answer: &Answer) -> bool {
    answer.header("server-timing").starts_with("cache;desc=hit")
}

/// Asks twice: the second time nothing has to be made.
async fn warm(client: &Client, path: &str) -> Answer {
    let first = client.get(path).await.expect(200);
    let mut second = client.get(path).await.expect(200);
    // A node on PostgreSQL keeps nothing until it is sure to hear the others, which it may not be for a moment.
    for _ in 0..100 {
        if is_hit(&second) {
            break;
        }
        second = client.get(path).await.expect(200);
    }
    assert!(is_hit(&second), "{path}: {:?}", second.headers);
    assert_eq!(first.text, second.text, "{path}");
    second
}

/// Asks once: it is made anew.
async fn fresh(client: &Client, path: &str) -> Answer {
    let answer = client.get(path).await.expect(200);
    assert!(!is_hit(&answer), "{path} is kept: {}", answer.text);
    answer
}

#[actix_web::test]
async fn reads_without_credentials_are_kept() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let article = app.published("Bridge reopens").await;
    let path = path_of(&article);
    for path in [
        path.as_str(),
        "/v1/articles/bridge-reopens",
        "/v1/articles?section=city&limit=5",
        "/v1/sections?tree=true",
        "/v1/tags",
        "/v1/authors",
        "/v1/site",
        "/v1/resolve?path=/city/bridge-reopens",
        &format!("{path}/body"),
        &format!("{path}/inbound"),
    ] {
        let kept = warm(&reader, path).await;
        assert_eq!(
            kept.header("cache-control"),
            "public, max-age=10, s-maxage=60, stale-while-revalidate=30",
            "{path}"
        );
        assert!(kept.header("surrogate-key").split(' ').any(|key| key == "site/1"), "{path}");
        assert_eq!(kept.header("vary"), "Authorization, Accept-Encoding");
        for name in ["content-type", "etag", "x-content-type-options", "access-control-allow-origin"] {
            kept.header(name);
        }
        let known = reader.header("if-none-match", &kept.etag()).get(path).await.expect(304);
        assert!(is_hit(&known) && known.text.is_empty(), "{path}");
        assert_eq!(known.etag(), kept.etag());
        let head = reader.head(path).await.expect(200);
        assert_eq!((is_hit(&head), head.text.as_str()), (true, ""), "{path}");
        assert_eq!(head.header("content-length"), kept.text.len().to_string(), "{path}");

        // Not for those who say who they are, not from them, and not for those who say it wrongly.
        let own = editor.get(path).await.expect(200);
        assert_eq!(own.header("cache-control"), "private, no-store", "{path}");
        assert!(!own.headers.contains_key("surrogate-key"));
        assert!(!is_hit(&own), "{path}");
        app.with_token(Some("nobody")).get(path).await.problem(401, "unauthenticated");
        assert!(is_hit(&reader.get(path).await.expect(200)), "{path}");
    }
    // Neither what there is not nor what is wrong.
    for _ in 0..2 {
        reader.get("/v1/articles/missing").await.problem(404, "not_found");
        reader.raw().get("/v1/articles?color=red").await.problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn the_order_of_parameters_does_not_matter() {
    let app = TestApp::start().await;
    app.published("Bridge reopens").await;
    let reader = app.anonymous();
    warm(&reader, "/v1/articles?section=city&limit=5&type=news&type=opinion").await;
    assert!(is_hit(&reader.get("/v1/articles?limit=5&type=news&type=opinion&section=city").await));
    assert!(!is_hit(&reader.get("/v1/articles?limit=6&type=news&type=opinion&section=city").await));
}

/// Changes one thing after the other. What does not show it and was dropped all the same: after which change, and which
/// answer.
async fn dropped_needlessly() -> Vec<(String, usize)> {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let tag = editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    let author = editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    app.section("city/harbour").await;
    let world = app.section("world").await;
    let target = app.published_with("Target", json!({"section": "world"})).await;
    let members = json!({"section": "city/harbour", "tags": ["port"], "bylines": [{"author": "ada"}],
        "body": [{"blocks": [paragraph("Text."), read_more(&target)]}]});
    let article = app.published_with("Source", members).await;
    let one = path_of(&article);
    let (all, city, ports, of_world, by_ada) = (
        "/v1/articles",
        "/v1/articles?section=city",
        "/v1/articles?tag=port",
        "/v1/articles?section=world",
        "/v1/articles?author=ada&include=body",
    );
    let everything = [one.as_str(), all, city, ports, of_world, by_ada];
    let needless = std::cell::RefCell::new(Vec::new());
    let check = async |changed: &[&str], what: &str| {
        for (number, path) in everything.into_iter().enumerate() {
            let answer = reader.get(path).await.expect(200);
            match (is_hit(&answer), changed.contains(&path)) {
                (true, changed) => assert!(!changed, "{what}: {path}"),
                (false, true) => {}
                (false, false) => needless.borrow_mut().push((what.to_owned(), number)),
            }
            // What is not kept, or not any more, and what is are the same.
            let unseen = app.editor().await.get(path).await.expect(200);
            let of_readers = |mut body: Value| {
                let items = match body.get_mut("data").and_then(Value::as_array_mut) {
                    Some(items) => items.iter_mut().collect(),
                    None => vec![&mut body],
                };
                items.into_iter().for_each(|item| drop(item.as_object_mut().unwrap().remove("workflow")));
                body
            };
            assert_eq!(answer.json, of_readers(unseen.json), "{what}: {path}");
        }
    };
    for path in everything {
        warm(&reader, path).await;
    }
    check(&[], "nothing").await;
    editor.patch(&one, json!({"headline": "Edited"})).await.expect(200);
    editor.post("/v1/tags", json!({"name": "Another"})).await.expect(201);
    check(&[], "an edit and a tag that nothing has").await;
    editor.act(&format!("{one}/publish")).await.expect(200);
    check(&[&one, all, city, ports, by_ada], "published").await;
    app.published_with("Elsewhere", json!({"section": "world"})).await;
    check(&[all, of_world], "another one").await;
    editor.patch(&format!("/v1/tags/{}", tag.id()), json!({"name": "Harbour"})).await.expect(200);
    check(&[&one, all, city, ports, by_ada], "tag").await;
    editor.patch(&format!("/v1/authors/{}", author.id()), json!({"name": "Ada O."})).await.expect(200);
    check(&[&one, all, city, ports, by_ada], "author").await;
    editor.patch(&format!("/v1/sections/{world}"), json!({"slug": "globe"})).await.expect(200);
    for path in everything {
        reader.get(path).await;
    }
    let of_target = path_of(&target);
    editor.patch(&of_target, json!({"headline": "New target", "slug": "new-target"})).await.expect(200);
    editor.act(&format!("{of_target}/publish")).await.expect(200);
    let page = fresh(&reader, &one).await;
    assert_eq!(page.json["related"][0]["card"]["path"], "/globe/new-target");
    warm(&reader, &one).await;
    editor.act(&format!("{of_target}/unpublish")).await.expect(200);
    assert_eq!(fresh(&reader, &one).await.json["related"], json!([]));
    warm(&reader, &one).await;
    // The page does not show the target, and yet depends on it.
    editor.act(&format!("{of_target}/publish")).await.expect(200);
    assert_eq!(fresh(&reader, &one).await.json["related"][0]["card"]["headline"], "New target");
    warm(&reader, &one).await;
    app.admin()
        .await
        .if_match("*")
        .patch("/v1/site", json!({"url": "https://new.example"}))
        .await
        .expect(200);
    let url = fresh(&reader, &one).await.json["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://new.example/"), "{url}");
    needless.into_inner()
}

#[actix_web::test]
async fn a_change_ends_what_shows_it_and_nothing_else() {
    let first = dropped_needlessly().await;
    if first.is_empty() {
        return;
    }
    // Keys may share a place, others in each newsroom, and a node that has not heard of the others for a moment gives
    // nothing that it keeps. Neither happens to the same answer twice.
    let again = dropped_needlessly().await;
    let both: Vec<_> = first.iter().filter(|dropped| again.contains(dropped)).collect();
    assert!(both.is_empty(), "{both:?}");
}

#[actix_web::test]
async fn merged_tags_moved_sections_and_withdrawn_articles_are_seen_at_once() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    for name in ["Port", "Harbour"] {
        editor.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
    app.section("world").await;
    let inner = app.section("city/inner").await;
    let article = app.published_with("Bridge", json!({"tags": ["port"], "section": "city/inner"})).await;
    let one = path_of(&article);
    warm(&reader, "/v1/articles?tag=harbour").await;
    warm(&reader, &one).await;
    editor.post("/v1/tags/port/merge", json!({"into": "harbour"})).await.expect(200);
    assert_eq!(fresh(&reader, "/v1/articles?tag=harbour").await.each("id"), [article.id()]);
    assert_eq!(fresh(&reader, &one).await.json["tags"][0]["slug"], "harbour");

    for list in ["/v1/articles?section=world", "/v1/articles?section=city"] {
        warm(&reader, list).await;
    }
    editor.patch(&format!("/v1/sections/{inner}"), json!({"parent": "world"})).await.expect(200);
    assert_eq!(fresh(&reader, "/v1/articles?section=world").await.each("path"), ["/world/inner/bridge"]);
    assert_eq!(fresh(&reader, "/v1/articles?section=city").await.each("id").len(), 0);
    assert_eq!(fresh(&reader, &one).await.json["path"], "/world/inner/bridge");

    // A name that nothing has, until something has it.
    warm(&reader, "/v1/articles?tag=ferries").await;
    editor.post("/v1/tags", json!({"name": "Ferries"})).await.expect(201);
    let ferry = app.published_with("Ferry", json!({"tags": ["ferries"]})).await;
    assert_eq!(fresh(&reader, "/v1/articles?tag=ferries").await.each("id"), [ferry.id()]);

    warm(&reader, &one).await;
    editor.post(&format!("{one}/retract"), json!({"reason": "Forged."})).await.expect(200);
    reader.get(&one).await.problem(410, "retracted");
    editor.act(&format!("{}/unpublish", path_of(&ferry))).await.expect(200);
    assert_eq!(fresh(&reader, "/v1/articles?tag=ferries").await.each("id").len(), 0);
}

#[actix_web::test]
async fn what_becomes_public_by_itself_is_seen_at_its_instant() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    warm(&reader, "/v1/articles").await;
    let draft = app.draft("Embargo").await;
    let after =
        |seconds: i64| Instant::from_millis(app.newsroom.clock.now().millis() + seconds * 1000).to_string();
    let times = json!({"at": after(3600), "until": after(7200)});
    editor.post(&format!("{}/publish", path_of(&draft)), times).await.expect(200);
    // Readers are told nothing of it: neither that something is to come nor when.
    let kept = warm(&reader, "/v1/articles").await;
    assert_eq!(kept.each("id").len(), 0);
    assert_eq!(kept.header("cache-control"), "public, max-age=10, s-maxage=60, stale-while-revalidate=30");
    let seconds = |answer: &Answer, name: &str| -> i64 {
        let policy = answer.header("cache-control").to_owned();
        let value = policy.split(", ").find_map(|part| part.strip_prefix(&format!("{name}=")));
        value.unwrap().parse().unwrap()
    };
    app.newsroom.clock.advance(TimeDelta::seconds(3580));
    let kept = warm(&reader, "/v1/articles").await;
    assert!(seconds(&kept, "s-maxage") <= 20 && seconds(&kept, "max-age") == 10, "{:?}", kept.headers);
    assert_eq!(seconds(&kept, "stale-while-revalidate"), 0);
    app.newsroom.clock.advance(TimeDelta::seconds(20));
    assert_eq!(fresh(&reader, "/v1/articles").await.each("id"), [draft.id()]);
    warm(&reader, &path_of(&draft)).await;
    app.newsroom.clock.advance(TimeDelta::seconds(3600));
    assert_eq!(fresh(&reader, "/v1/articles").await.each("id").len(), 0);
    reader.get(&path_of(&draft)).await.problem(404, "not_found");
}

#[actix_web::test]
async fn answers_are_kept_compressed() {
    let app = TestApp::start().await;
    let blocks: Vec<_> = (0..50).map(|number| paragraph(&format!("Sentence number {number}."))).collect();
    let article = app.published_with("Long read", json!({"body": [{"blocks": blocks}]})).await;
    let path = path_of(&article);
    let reader = app.anonymous();
    let plain = warm(&reader, &path).await;
    let mut tags = vec![plain.etag()];
    for coding in ["br", "gzip", "zstd"] {
        let client = reader.header("accept-encoding", coding);
        client.bytes(&path).await;
        let (answer, bytes) = client.bytes(&path).await;
        assert!(is_hit(&answer), "{coding}");
        assert_eq!(answer.header("content-encoding"), coding);
        let mut text = String::new();
        match coding {
            "br" => brotli::Decompressor::new(&*bytes, 4096).read_to_string(&mut text).unwrap(),
            "gzip" => flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap(),
            _ => zstd::Decoder::new(&*bytes).unwrap().read_to_string(&mut text).unwrap(),
        };
        assert_eq!(text, plain.text, "{coding}");
        assert!(bytes.len() < plain.text.len() / 2, "{coding}: {} bytes", bytes.len());
        assert!(!tags.contains(&answer.etag()), "{coding}: each form has a validator of its own");
        let known = client.header("if-none-match", &answer.etag()).get(&path).await.expect(304);
        assert_eq!(known.etag(), answer.etag());
        tags.push(answer.etag());
    }
    // What an editor may compare a version with.
    let editor = app.editor().await;
    editor.if_match(&tags[1]).patch(&path, json!({"kicker": "Harbour"})).await.expect(200);
}

#[actix_web::test]
async fn one_makes_what_many_ask_for_at_once() {
    let app = TestApp::start().await;
    for number in 0..5 {
        app.published(&format!("Article {number}")).await;
    }
    let reader = app.anonymous();
    let answers = join_all((0..40).map(|_| reader.get("/v1/articles?include=body"))).await;
    let made = answers.iter().filter(|answer| !is_hit(answer)).count();
    assert_eq!(made, 1);
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
}

#[actix_web::test]
async fn hits_count_against_the_rate_limit() {
    let limits = RateLimits { anonymous_reads: 3, ..RateLimits::default() };
    let app = TestApp::start_with(HttpOptions { limits, ..HttpOptions::default() }).await;
    let reader = app.anonymous();
    for left in [2, 1, 0] {
        let answer = reader.get("/v1/site").await.expect(200);
        assert!(answer.header("ratelimit").contains(&format!("r={left};")), "{:?}", answer.headers);
        answer.header("ratelimit-policy");
    }
    reader.get("/v1/site").await.problem(429, "rate_limited");
}

#[actix_web::test]
async fn it_can_be_turned_off_and_caches_in_between_be_told_otherwise() {
    let cache = CacheOptions {
        bytes: 0,
        max_age: Duration::ZERO,
        keys_header: KeysHeader::CacheTag,
        ..CacheOptions::default()
    };
    let app = TestApp::start_with(HttpOptions { cache, ..HttpOptions::default() }).await;
    let article = app.published("Bridge").await;
    let reader = app.anonymous();
    for _ in 0..2 {
        let answer = reader.get(&path_of(&article)).await.expect(200);
        assert!(!answer.header("server-timing").contains("cache"), "{:?}", answer.headers);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=0, s-maxage=60, stale-while-revalidate=30"
        );
        let tags = answer.header("cache-tag");
        assert!(tags.split(',').any(|tag| tag == format!("article/{}", article.id())), "{tags}");
        assert!(!answer.headers.contains_key("surrogate-key"));
        // Nor are those told who ask in a way for which nothing is kept.
        let other = reader.header("content-length", "0").get(&path_of(&article)).await.expect(200);
        for name in ["cache-control", "cache-tag"] {
            assert_eq!(other.header(name), answer.header(name));
        }
        assert!(!other.headers.contains_key("surrogate-key"));
    }
    let editor = app.editor().await.header("content-length", "0");
    let own = editor.get(&path_of(&article)).await.expect(200);
    assert_eq!(own.header("cache-control"), "private, no-store");
    assert!(!own.headers.contains_key("cache-tag"));
}

#[actix_web::test]
async fn whether_it_lives_does_not_wait_for_the_database() {
    let app = TestApp::start().await;
    let (held, holding) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    // As many as there are connections.
    let reads: Vec<_> = (0..4)
        .map(|_| {
            let (store, held, released) = (app.newsroom.store.clone(), held.clone(), released.clone());
            actix_web::rt::spawn(async move {
                let read = store.read(move |_| {
                    held.send(()).unwrap();
                    // Until there is nobody who could send something.
                    released.lock().unwrap().recv().unwrap_err();
                    Ok(())
                });
                read.await.unwrap();
            })
        })
        .collect();
    let holding = actix_web::rt::task::spawn_blocking(move || holding.iter().take(4).count());
    assert_eq!(holding.await.unwrap(), 4);
    // What is kept is not sure before the database was asked when something becomes public.
    let reader = app.anonymous();
    let health = tokio::time::timeout(Duration::from_secs(20), reader.get("/healthz")).await;
    drop(release);
    health.expect("it waits").expect(200);
    for read in reads {
        read.await.unwrap();
    }
}

#[actix_web::test]
async fn it_stays_within_its_bound() {
    let cache = CacheOptions { bytes: 100_000, ..CacheOptions::default() };
    let app = TestApp::start_with(HttpOptions { cache, ..HttpOptions::default() }).await;
    for number in 0..20 {
        app.published(&format!("Article {number}")).await;
    }
    let reader = app.anonymous();
    let paths: Vec<_> = (1..=100).map(|limit| format!("/v1/articles?limit={limit}")).collect();
    for path in &paths {
        reader.get(path).await.expect(200);
    }
    let mut hits = 0;
    for path in &paths {
        hits += usize::from(is_hit(&reader.get(path).await));
    }
    assert!(hits < 20, "{hits} lists of up to 20 articles in 100 kB");
}

/// Writers publish one version after the other; readers must never see one that is older than what was acknowledged
/// before they asked.
async fn watch(writer: &TestApp, there: &TestApp, may_be_late: bool) {
    let editor = writer.bold_editor().await;
    let article = writer.published("Version 0").await;
    let path = path_of(&article);
    let acknowledged = std::cell::Cell::new(0_u32);
    let writing = async {
        for version in 1..=40 {
            editor.patch(&path, json!({"headline": format!("Version {version}")})).await.expect(200);
            editor.act(&format!("{path}/publish")).await.expect(200);
            acknowledged.set(version);
        }
    };
    let number = |headline: &Value| -> u32 {
        headline.as_str().unwrap().strip_prefix("Version ").unwrap().parse().unwrap()
    };
    let read = async |path: &str| {
        let reader = there.anonymous();
        while acknowledged.get() < 40 {
            let known = acknowledged.get();
            let begun = std::time::Instant::now();
            loop {
                let answer = reader.get(path).await.expect(200);
                let headline = &answer.json["headline"];
                let headline =
                    if headline.is_null() { &answer.json["data"][0]["headline"] } else { headline };
                if number(headline) >= known {
                    break;
                }
                assert!(may_be_late, "{path}: {headline} after {known} was acknowledged");
                assert!(begun.elapsed() < Duration::from_secs(1), "{path}: {headline} is stale");
            }
        }
    };
    let list = format!("/v1/articles?ids={}", article.id());
    tokio::join!(writing, read(&path), read(&list), read("/v1/articles/version-0"));
}

#[actix_web::test]
async fn nothing_stale_is_read_on_the_node_that_writes() {
    let app = TestApp::start().await;
    watch(&app, &app, false).await;
}

#[actix_web::test]
async fn nothing_older_than_a_second_is_read_on_another_node() {
    let one = TestApp::start().await;
    // SQLite has one server.
    if one.sqlite_path().is_some() {
        return;
    }
    let other = one.another_node().await;
    watch(&one, &other, true).await;
}
