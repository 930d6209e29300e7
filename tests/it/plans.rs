//! How lists are read: along an index, whatever is asked for. On SQLite, whose planner looks at the schema and not at how
//! much there is.

use std::{collections::BTreeSet, sync::Mutex};

use masthead::{
    http::{cache::CacheOptions, options::HttpOptions},
    store::statements,
};
use rusqlite::Connection;
use serde_json::json;

use crate::{app::TestApp, search_many};

static TEXTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Those of searches.
static SEARCHES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn observe(text: &str) {
    let is_search =
        ["search_text MATCH", "\"search_documents\"", "`search_documents`", "condition_0", "AS made"];
    if text.starts_with("SELECT") && is_search.iter().any(|part| text.contains(part)) {
        SEARCHES.lock().unwrap().insert(text.replace('`', "\""));
    }
    if text.starts_with("SELECT") {
        TEXTS.lock().unwrap().insert(text.replace('`', "\""));
    }
}

/// The steps of the plan of a statement, each as SQLite tells it.
fn plan(db: &Connection, text: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    // The plan does not depend on the values.
    let values = vec![0_i64; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

/// Tables that grow with the archive.
const LARGE: [&str; 13] = [
    "articles",
    "article_contents",
    "article_bodies",
    "content_facets",
    "content_tags",
    "content_sections",
    "content_bylines",
    "related_links",
    "slugs",
    "corrections",
    "changes",
    "revisions",
    "search_documents",
];

/// Whether a step goes through all of a large table, by whatever name the statement calls it.
fn scans(text: &str, step: &str) -> bool {
    let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { return false };
    let alias = format!("\"{name}\"");
    LARGE.contains(&name)
        || LARGE.iter().any(|table| {
            text.contains(&format!("\"{table}\" AS {alias}"))
                || text.contains(&format!("\"{table}\" as {alias}"))
        })
}

#[actix_web::test]
async fn every_read_goes_along_an_index() {
    let cache = CacheOptions { bytes: 0, ..CacheOptions::default() };
    let app = TestApp::start_with(HttpOptions { cache, ..HttpOptions::default() }).await;
    let Some(path) = app.sqlite_path() else { return };
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/tags", json!({"name": "Harbour"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    app.section("world").await;
    for number in 0..3 {
        let members = json!({"tags": ["port"], "bylines": [{"author": "ada"}], "sections": ["world"]});
        app.published_with(&format!("Bridge {number}"), members).await;
    }
    statements::observe(observe);
    let reader = app.anonymous();
    let by_date = [
        "/v1/articles",
        "/v1/articles?section=city",
        "/v1/articles?section=world&section_scope=exact",
        "/v1/articles?tag=port",
        "/v1/articles?tag=port,harbour",
        "/v1/articles?all_tags=port&all_tags=harbour",
        "/v1/articles?author=ada",
        "/v1/articles?type=news",
        "/v1/articles?section=city&tag=port&author=ada&type=news&language=en",
        "/v1/articles?published_after=2020-01-01T00:00:00Z&tag=port",
        "/v1/articles?has=lead_image&section=city",
        "/v1/articles?page=2&limit=1",
        "/v1/articles?include=body,related,corrections",
        "/v1/articles?ids=1,2,3",
    ];
    let mut paths: Vec<String> = by_date.map(str::to_owned).to_vec();
    for list in by_date.iter().filter(|list| !list.contains("page=")) {
        let joint = if list.contains('?') { '&' } else { '?' };
        paths.push(format!("{list}{joint}sort=published_at"));
        let first = reader.get(&format!("{list}{joint}limit=1")).await.expect(200);
        if let Some(next) = first.json["page"]["next"].as_str() {
            paths.push(format!("{list}{joint}limit=1&cursor={next}"));
            let second = reader.get(&format!("{list}{joint}limit=1&cursor={next}")).await.expect(200);
            let back = second.json["page"]["prev"].as_str().unwrap();
            paths.push(format!("{list}{joint}limit=1&cursor={back}"));
        }
    }
    let one = reader.get("/v1/articles/bridge-1").await.expect(200);
    for rest in ["", "/body", "/links", "/inbound", "/corrections"] {
        paths.push(format!("/v1/articles/{}{rest}", one.id()));
        paths.push(format!("/v1/articles/bridge-1{rest}"));
    }
    paths.extend(
        ["/v1/changes?since=1", "/v1/resolve?path=/city/bridge-1", "/sitemap.xml"].map(str::to_owned),
    );
    TEXTS.lock().unwrap().clear();
    for path in &paths {
        reader.get(path).await.expect(200);
    }
    let texts = TEXTS.lock().unwrap().clone();
    assert!(texts.len() > 20, "{texts:#?}");
    let db = Connection::open(path).unwrap();
    let (mut lists, mut parts, mut changes) = (0, 0, 0);
    for text in &texts {
        // Other tests run at the same time, and some of what they ask may look at everything: what counts, and what nobody
        // asks often.
        let is_list = text.contains("FROM (\"content_facets\"")
            || text.contains("FROM ((\"content_facets\"")
            || text.contains("FROM (((\"content_facets\"");
        let is_ours = is_list && text.contains("ORDER BY \"content_facets\".\"published_at\"");
        let is_part = ["\"article_bodies\"", "\"related_links\"", "\"slugs\".\"slug\" ="]
            .iter()
            .any(|part| text.contains(part));
        // What was changed last, for the index of sitemaps.
        let is_change = text.starts_with("SELECT \"article_contents\".\"published_at\"");
        if text.to_lowercase().contains("count(*)") || !(is_ours || is_part || is_change) {
            continue;
        }
        changes += usize::from(is_change);
        lists += usize::from(is_ours);
        parts += usize::from(is_part);
        let steps = plan(&db, text);
        assert!(!steps.iter().any(|step| scans(text, step)), "{text}\n{steps:#?}");
        if is_ours || is_change {
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{text}\n{steps:#?}");
        }
    }
    assert!(lists >= 20 && parts >= 5 && changes >= 1, "{lists} lists, {parts} parts, {changes}: {texts:#?}");
}

#[actix_web::test]
async fn every_search_goes_along_an_index() {
    let cache = CacheOptions { bytes: 0, ..CacheOptions::default() };
    let app = TestApp::start_with(HttpOptions { cache, ..HttpOptions::default() }).await;
    let Some(path) = app.sqlite_path() else { return };
    let [many, ..] = search_many::archive(&app).await;
    search_many::drafts(&app).await;
    let (reader, contributor) = (app.anonymous(), app.contributor().await);
    statements::observe(observe);
    for words in ["the", "the+tide", "th*", "reope*"] {
        let conditions = [
            "",
            "&tag=port",
            "&tag=port&section=world&type=news,opinion",
            "&author=ada&published_after=2020-01-01T00:00:00Z",
            "&published_before=2020-01-01T00:00:00Z",
            &format!("&ids={}", many.id()),
        ];
        for condition in conditions {
            for sort in ["relevance", "published_at", "-published_at", "headline"] {
                let list = format!("/v1/articles?q={words}{condition}&limit=1&sort={sort}");
                let first = reader.get(&list).await.expect(200);
                if let Some(next) = first.json["page"]["next"].as_str() {
                    reader.get(&format!("{list}&cursor={next}")).await.expect(200);
                }
                reader.get(&format!("{list}&count=true&facets=tag")).await.expect(200);
            }
        }
    }
    let draft = contributor.get("/v1/articles?q=the&stage=draft").await.expect(200);
    assert!(draft.each("id").is_empty());
    let texts = SEARCHES.lock().unwrap().clone();
    let db = Connection::open(path).unwrap();
    let (mut walks, mut of_articles, mut conditions) = (0, 0, 0);
    for text in &texts {
        let steps = plan(&db, text);
        assert!(!steps.iter().any(|step| scans(text, step)), "{text}\n{steps:#?}");
        let of_words: Vec<_> = steps.iter().filter(|step| step.contains("VIRTUAL TABLE INDEX")).collect();
        if text.contains("t.rowid = d.doc") {
            // By its place and the words, both.
            assert!(of_words.iter().any(|step| step.contains(":=M")), "{steps:#?}");
            of_articles += 1;
        } else if text.contains("ORDER BY rowid") {
            assert!(
                of_words[0].contains("M") && !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                "{steps:#?}"
            );
            walks += 1;
        }
        conditions += usize::from(text.contains("condition_0"));
    }
    assert!(walks == 2 && of_articles == 2 && conditions > 3, "{texts:#?}");
    assert!(texts.iter().any(|text| text.contains("AS made")), "{texts:#?}");
}
