//! Lists of articles: filters, orders, pages, and what they cost.

use serde_json::json;

use crate::{
    app::{Answer, TestApp},
    newsroom::{path_of, read_more},
};

/// Published in this year, so that the order is known.
async fn published_in(app: &TestApp, year: u32, headline: &str, members: serde_json::Value) -> Answer {
    let editor = app.editor().await;
    let draft = app.draft_of(&editor, headline, members).await;
    let published_at = json!({"published_at": format!("{year}-01-01T00:00:00Z")});
    editor.post(&format!("{}/publish", path_of(&draft)), published_at).await.expect(200)
}

async fn slugs(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.anonymous().get(&format!("/v1/articles?{query}")).await.expect(200);
    answer.each("slug").into_iter().map(str::to_owned).collect()
}

#[actix_web::test]
async fn filters_find_what_they_say() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.section("/world/europe").await;
    for name in ["Port", "Rail", "Air"] {
        editor.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    let image = json!({"media": {"url": "https://images.example/a.jpg"}});
    let a =
        published_in(&app, 2021, "A", json!({"section": "world", "tags": ["port"], "type": "opinion"})).await;
    published_in(
        &app,
        2022,
        "B",
        json!({"section": "world/europe", "tags": ["port", "rail"], "language": "de"}),
    )
    .await;
    let c =
        published_in(&app, 2023, "C", json!({"bylines": [{"author": "ada"}], "sections": ["world/europe"]}))
            .await;
    published_in(&app, 2024, "D", json!({"tags": ["air"], "lead_image": image, "type": "analysis"})).await;
    app.draft("E").await;

    let (a, c) = (a.id(), c.id());
    let cases: &[(&str, &[&str])] = &[
        ("", &["d", "c", "b", "a"]),
        ("section=/world", &["c", "b", "a"]),
        ("section=world&section_scope=exact", &["a"]),
        ("section=world/europe", &["c", "b"]),
        ("tag=port", &["b", "a"]),
        ("tag=rail,air", &["d", "b"]),
        ("all_tags=port,rail", &["b"]),
        ("all_tags=port&all_tags=air", &[]),
        ("tag=nowhere", &[]),
        ("author=ada", &["c"]),
        ("type=opinion,analysis", &["d", "a"]),
        ("language=de", &["b"]),
        ("published_after=2022-01-01T00:00:00Z&published_before=2024-01-01T00:00:00Z", &["c", "b"]),
        ("updated_before=2020-01-01T00:00:00Z", &[]),
        ("has=lead_image", &["d"]),
        (&format!("ids={a},{c}"), &["c", "a"]),
        (&format!("exclude={a},{c}"), &["d", "b"]),
        ("section=world&tag=port&language=de", &["b"]),
        ("sort=published_at", &["a", "b", "c", "d"]),
        ("sort=headline", &["a", "b", "c", "d"]),
        ("sort=-headline", &["d", "c", "b", "a"]),
    ];
    for (query, expected) in cases {
        assert_eq!(slugs(&app, query).await, *expected, "{query}");
    }
    let counted = app.anonymous().get("/v1/articles?section=world&count=true&limit=1").await.expect(200);
    assert_eq!(counted.json["page"]["total"], 3);
    app.newsroom.clock.advance(chrono::TimeDelta::minutes(5));
    editor.post(&format!("/v1/articles/{a}/publish"), json!({"updated": true})).await.expect(200);
    assert_eq!(slugs(&app, "sort=-updated_at&limit=1").await, ["a"]);
    let last = slugs(&app, "sort=updated_at").await.pop();
    assert_eq!(last.as_deref(), Some("a"));
    let bad = app.anonymous().get("/v1/articles?state=draft").await.problem(400, "invalid_parameter");
    bad.fault("state", "only_drafts");
    app.anonymous().get("/v1/articles?stage=draft").await.problem(401, "unauthenticated");
    let states = editor.get("/v1/articles?stage=draft&state=draft").await.expect(200);
    assert_eq!(states.each("slug"), ["e"]);
    let few = app.anonymous().get("/v1/articles?fields=headline&limit=1").await.expect(200);
    assert_eq!(few.json["data"], json!([{"headline": "D"}]));
}

#[actix_web::test]
async fn pages_are_walked_both_ways_without_gaps() {
    let app = TestApp::start().await;
    for (number, headline) in ["a", "b", "c", "d", "e", "f", "g"].iter().enumerate() {
        // Two of each year, so that the id decides.
        published_in(&app, 2020 + u32::try_from(number).unwrap() / 2, headline, json!({})).await;
    }
    let reader = app.anonymous();
    for sort in ["-published_at", "published_at", "headline", "-headline", "updated_at", "-updated_at"] {
        let whole = slugs(&app, &format!("sort={sort}")).await;
        assert_eq!(whole.len(), 7);
        let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
        let mut page = reader.get(&format!("/v1/articles?limit=3&sort={sort}")).await.expect(200);
        loop {
            forwards.extend(page.each("slug").into_iter().map(str::to_owned));
            let Some(next) = page.json["page"]["next"].as_str() else { break };
            page = reader.get(&format!("/v1/articles?limit=3&sort={sort}&cursor={next}")).await.expect(200);
        }
        assert_eq!(forwards, whole, "{sort}");
        loop {
            let slugs = page.each("slug").into_iter().map(str::to_owned).collect::<Vec<_>>();
            backwards.splice(0..0, slugs);
            let Some(prev) = page.json["page"]["prev"].as_str() else { break };
            page = reader.get(&format!("/v1/articles?limit=3&sort={sort}&cursor={prev}")).await.expect(200);
        }
        assert_eq!(backwards, whole, "{sort}");
    }
    assert_eq!(slugs(&app, "limit=3&page=3").await.len(), 1);
    let deep = reader.get("/v1/articles?limit=100&page=200").await.problem(400, "invalid_parameter");
    assert!(deep.text.contains("cursor"), "{}", deep.text);
    let first = reader.get("/v1/articles?limit=1").await.expect(200);
    let cursor = first.json["page"]["next"].as_str().unwrap();
    let other = reader.get(&format!("/v1/articles?sort=headline&cursor={cursor}")).await;
    other.problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn lists_hold_the_body_and_the_links_when_asked() {
    let app = TestApp::start().await;
    let target = app.published("Target").await;
    app.published_with("Source", json!({"body": [{"blocks": [read_more(&target)]}]})).await;
    let reader = app.anonymous();
    let plain = reader.get("/v1/articles").await.expect(200);
    assert!(plain.json["data"][0].get("body").is_none() && plain.json["data"][0].get("related").is_none());
    let full = reader.get("/v1/articles?include=body,related&sort=headline").await.expect(200);
    let source = &full.json["data"][0];
    assert_eq!(source["related"][0]["card"]["headline"], "Target");
    assert_eq!(source["body"][0]["blocks"][0]["link"]["card"]["path"], "/city/target");
    let body_only = reader.get("/v1/articles?include=body&sort=headline").await.expect(200);
    assert_eq!(body_only.json["data"][0]["body"][0]["blocks"][0]["link"]["card"]["path"], "/city/target");
}

/// The number in `Server-Timing: db;desc="N statements"`.
pub fn statements(answer: &Answer) -> usize {
    let timing = answer.header("server-timing");
    let number = timing.split("desc=\"").nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{timing}"))
}

#[actix_web::test]
async fn a_list_costs_as_few_statements_whatever_its_length() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    app.section("world").await;
    for number in 0..25 {
        let members = json!({"tags": ["port"], "bylines": [{"author": "ada"}], "sections": ["world"]});
        app.published_with(&format!("Article {number}"), members).await;
    }
    let reader = app.anonymous();
    let (one, twenty, hundred) = (
        reader.get("/v1/articles?limit=1").await.expect(200),
        reader.get("/v1/articles?limit=20").await.expect(200),
        reader.get("/v1/articles?limit=100").await.expect(200),
    );
    assert_eq!((twenty.each("id").len(), hundred.each("id").len()), (20, 25));
    assert!(statements(&twenty) <= 5, "{}", twenty.header("server-timing"));
    // The site is read again once a second; so the first of these may count one more.
    assert_eq!(statements(&twenty), statements(&hundred));
    assert!(statements(&one).abs_diff(statements(&hundred)) <= 1);
}

#[actix_web::test]
async fn headlines_are_sorted_by_their_words() {
    let app = TestApp::start().await;
    let made = [
        "10 bridges",
        "\u{c9}clair of the year",
        "\u{201c}Never again\u{201d}",
        "ship\u{2019}s bell",
        "Zebra",
        "\u{f8}re",
    ];
    let mut order = [
        "10 bridges",
        "\u{c9}clair of the year",
        "\u{201c}Never again\u{201d}",
        "\u{f8}re",
        "ship\u{2019}s bell",
        "Zebra",
    ];
    for headline in made {
        app.published(headline).await;
    }
    let (reader, editor) = (app.anonymous(), app.bold_editor().await);
    for (sort, reversed) in [("headline", false), ("-headline", true)] {
        for stage in ["", "&stage=draft"] {
            let mut walked = Vec::new();
            let mut path = format!("/v1/articles?limit=2&sort={sort}{stage}");
            loop {
                let client = if stage.is_empty() { &reader } else { &editor };
                let page = client.get(&path).await.expect(200);
                walked.extend(page.each("headline").into_iter().map(str::to_owned));
                let Some(next) = page.json["page"]["next"].as_str() else { break };
                path = format!("/v1/articles?limit=2&sort={sort}{stage}&cursor={next}");
            }
            assert_eq!(walked, order, "{sort}{stage}");
        }
        if !reversed {
            order.reverse();
        }
    }
    // An edit moves it.
    let list = editor.get("/v1/articles?stage=draft&sort=headline&limit=1").await.expect(200);
    let first = list.json["data"][0]["id"].as_str().unwrap();
    editor.patch(&format!("/v1/articles/{first}"), json!({"headline": "\u{ab}Zoo\u{bb}"})).await.expect(200);
    let last = editor.get("/v1/articles?stage=draft&sort=-headline&limit=1").await.expect(200);
    assert_eq!(last.each("headline"), ["\u{ab}Zoo\u{bb}"]);
}
