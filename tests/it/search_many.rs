//! Search for words that more articles have than a search looks at.

use chrono::TimeDelta;
use diesel::RunQueryDsl as _;
use masthead::{domain::instant::Instant, store::conn::Db};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of},
};

/// More than a search looks at, whatever else it is narrowed by.
const MANY: i64 = 5_300;

/// Of copies of an article.
struct Copies {
    /// 0 is the draft, 1 what is live.
    stage: i64,
    number: i64,
    /// How much older each is than the one before, in milliseconds.
    step: i64,
    /// What is found in them.
    headline: &'static str,
    body: &'static str,
}

/// Copies an article, straight in the database: over HTTP it would take minutes.
async fn copy(app: &TestApp, of: &Answer, copies: Copies) {
    let Copies { stage, number, step, headline, body } = copies;
    let id: i64 = of.id().parse().unwrap();
    let listing = stage.min(1);
    let numbers =
        format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT");
    let contents = "stage, version, slug, type, language, section_id, live_until, updated_at, word_count, headline, \
        standfirst, kicker, dateline, lead_image, seo, planned_until, revision, refs, body_version, headline_key, published_at";
    let here = format!("article_id = {id} AND stage = {stage}");
    // As `place` in `store/search`.
    let place = format!(
        "stage * 1152921504606846976 + ((listed_at - i * {step}) / 1000 + 17179869184) * 33554432 + 100000 + i"
    );
    let copied = format!("article_id < {id} AND article_id >= {id} - {number} AND stage = {stage}");
    let statements = [
        format!(
            "INSERT INTO articles (id, state, version, live_version, created_by, created_at, first_published_at) \
             {numbers} id - i, state, version, live_version, created_by, created_at, first_published_at \
             FROM articles, n WHERE id = {id}"
        ),
        format!(
            "INSERT INTO article_contents (article_id, live_from, {contents}) {numbers} article_id - i, \
             live_from - i * {step}, {contents} - i * {step} FROM article_contents, n WHERE {here}"
        ),
        format!(
            "INSERT INTO article_bodies (article_id, version, body) {numbers} article_id - i, version, body \
             FROM article_bodies, n WHERE article_id = {id}"
        ),
        format!(
            "INSERT INTO content_facets (listing, kind, facet_id, published_at, article_id, stage) {numbers} listing, \
             kind, facet_id, published_at - i * {step}, article_id - i, stage FROM content_facets, n \
             WHERE {here} AND listing = {listing}"
        ),
        format!(
            "INSERT INTO search_documents (doc, article_id, stage, listed_at, headline, lead) {numbers} {place}, \
             article_id - i, stage, listed_at - i * {step}, headline, lead FROM search_documents, n WHERE {here}"
        ),
    ];
    let write = move |db: &mut Db| {
        let (of_sqlite, of_postgres) = (
            format!(
                "INSERT INTO search_text (rowid, headline, lead, body) SELECT doc, '{headline}', '', '{body}' \
                 FROM search_documents WHERE {copied} ORDER BY doc"
            ),
            format!(
                "INSERT INTO search_text (doc, terms) SELECT d.doc, t.terms FROM search_documents d, search_text t \
                 WHERE {} AND t.doc = (SELECT doc FROM search_documents WHERE {here})",
                copied.replace("article_id", "d.article_id").replace("stage", "d.stage")
            ),
        );
        for sql in &statements {
            match db {
                Db::Sqlite(conn) => diesel::sql_query(sql).execute(conn)?,
                Db::Postgres(conn) => diesel::sql_query(sql).execute(conn)?,
            };
        }
        match db {
            Db::Sqlite(conn) => diesel::sql_query(of_sqlite).execute(conn)?,
            Db::Postgres(conn) => {
                diesel::sql_query(of_postgres).execute(conn)?;
                // As the server does by itself after a while; until then it takes the tables for empty.
                diesel::sql_query("ANALYZE").execute(conn)?
            }
        };
        Ok(())
    };
    app.newsroom.store.write(write).await.unwrap();
}

/// An article with this text that was published so many days ago.
async fn published_before(app: &TestApp, days: i64, headline: &str, text: &str, members: Value) -> Answer {
    let editor = app.editor().await;
    let mut all = json!({"body": [{"blocks": [paragraph(text)]}]});
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let draft = app.draft_of(&editor, headline, all).await;
    let at = Instant::from_millis(app.newsroom.clock.now().millis() - days * 86_400_000).to_string();
    let published_at = json!({ "published_at": at });
    editor.post(&format!("{}/publish", path_of(&draft)), published_at).await.expect(200)
}

fn path(q: &str, more: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    format!("/v1/articles?{query}&limit=100&fields=id,published_at{more}")
}

fn ids(page: &Answer) -> Vec<String> {
    page.each("id").into_iter().map(str::to_owned).collect()
}

/// All pages of a search: the ids, and the last page.
async fn forwards(client: &Client, path: &str) -> (Vec<String>, Answer) {
    let mut page = client.get(path).await.expect(200);
    let (mut found, mut pages) = (ids(&page), 1);
    let total = page.json["page"]["total"].clone();
    while let Some(next) = page.json["page"]["next"].as_str() {
        page = client.get(&format!("{path}&cursor={next}")).await.expect(200);
        assert_eq!(page.json["page"]["total"], total, "counted the same on every page");
        found.extend(ids(&page));
        pages += 1;
        assert!(pages < 100, "{path} comes to no end");
    }
    (found, page)
}

/// As [`forwards`], and the same way back.
async fn both_ways(client: &Client, path: &str) -> Vec<String> {
    let (found, mut page) = forwards(client, path).await;
    let (mut back, mut pages) = (ids(&page), 1);
    while let Some(prev) = page.json["page"]["prev"].as_str() {
        page = client.get(&format!("{path}&cursor={prev}")).await.expect(200);
        back.splice(0..0, ids(&page));
        pages += 1;
        assert!(pages < 100, "{path} comes to no beginning");
    }
    assert_eq!(back, found, "{path}: the way back");
    found
}

/// Very many new articles, 600 older ones by Ada, and 31 still older ones with a tag, all with "the" and "reopened" in
/// them. Tells the last of each.
pub async fn archive(app: &TestApp) -> [Answer; 3] {
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    app.section("/world").await;
    let text = "The tide reopened the bridge.";
    let of_text = |number, headline| Copies {
        stage: 1,
        number,
        step: 500,
        headline,
        body: "the tide reopened the bridge",
    };
    let of_port =
        json!({"tags": ["port"], "section": "world", "type": "opinion", "bylines": [{"author": "ada"}]});
    let port = published_before(app, 300, "Port", "The ferry reopened the harbour.", of_port).await;
    let ferry = Copies { body: "the ferry reopened the harbour", ..of_text(30, "port") };
    copy(app, &port, ferry).await;
    let ada =
        published_before(app, 200, "Ada", text, json!({"section": "world", "bylines": [{"author": "ada"}]}))
            .await;
    copy(app, &ada, of_text(599, "ada")).await;
    let many = published_before(app, 100, "Many", text, json!({})).await;
    copy(app, &many, of_text(MANY - 1, "many")).await;
    [many, ada, port]
}

/// Very many drafts of the editor.
pub async fn drafts(app: &TestApp) {
    let draft = app.draft("The others").await;
    let words = ("the others", "the bridge reopened on monday");
    // All at once, after what was there.
    let copies = Copies { stage: 0, number: MANY, step: 0, headline: words.0, body: words.1 };
    copy(app, &draft, copies).await;
}

#[actix_web::test]
async fn conditions_that_few_articles_meet_leave_nothing_out() {
    let app = TestApp::start().await;
    let [_, ada, port] = archive(&app).await;
    let reader = app.anonymous();
    let before = |article: &Answer| article.json["published_at"].as_str().unwrap().to_owned();
    let oldest = (port.id().parse::<i64>().unwrap() - 30).to_string();
    let cases = [
        ("the", format!("&ids={oldest},{}", ada.id()), 2),
        ("the -harbour", format!("&ids={oldest},{}", ada.id()), 1),
        ("the", "&tag=port".to_owned(), 31),
        ("th*", "&tag=port".to_owned(), 31),
        ("reope*", "&tag=port".to_owned(), 31),
        ("\"reopened the har*\"", "&tag=port".to_owned(), 31),
        ("reope* -ferry", "&tag=port".to_owned(), 0),
        ("the", "&tag=port&author=ada&section=world&type=opinion,news".to_owned(), 31),
        ("the reopened", "&type=opinion,analysis".to_owned(), 31),
        ("the -ferry", "&type=opinion".to_owned(), 0),
        ("the", format!("&published_before={}", before(&port)), 30),
        ("the", "&published_before=2000-01-01T00:00:00Z".to_owned(), 0),
        ("the", format!("&tag=port&exclude={oldest}"), 30),
        ("the", "&tag=port&language=de".to_owned(), 0),
    ];
    for (q, more, expected) in &cases {
        for sort in ["relevance", "published_at", "-published_at", "headline", "updated_at"] {
            let asked = path(q, &format!("{more}&sort={sort}&count=true&facets=type"));
            let answer = reader.get(&asked).await.expect(200);
            assert_eq!(answer.each("id").len(), *expected, "{asked}");
            assert_eq!(answer.json["page"]["total"], *expected, "{asked}");
            assert_eq!(answer.json["is_partial"], false, "{asked}");
            let counts = answer.json["facets"]["type"].as_array().unwrap().iter();
            let counted: i64 = counts.map(|value| value["count"].as_i64().unwrap()).sum();
            assert_eq!(counted, *expected as i64, "{asked}");
        }
    }
    let open = reader.get(&path("the", "&count=true")).await.expect(200);
    assert_eq!((&open.json["is_partial"], &open.json["page"]["total"]), (&json!(true), &json!(1_000)));
    let many = reader.get(&path("the", "&author=ada")).await.expect(200);
    assert_eq!(many.json["is_partial"], true, "of an author with more than 500");
}

#[actix_web::test]
async fn a_list_by_date_is_paged_to_its_end() {
    let app = TestApp::start().await;
    let [many, ada, port] = archive(&app).await;
    let copies_of = |article: &Answer, number: i64| -> Vec<String> {
        let id: i64 = article.id().parse().unwrap();
        (0..number).map(|i| (id - i).to_string()).collect()
    };
    let editor = app.bold_editor().await;
    let draft = app.draft("The bridge to come").await;
    let at = Instant::from_millis(app.newsroom.clock.now().millis() + 60_000).to_string();
    editor.post(&format!("{}/publish", path_of(&draft)), json!({ "at": at })).await.expect(200);
    let plan = app.draft("The bridge of tomorrow").await;
    let at = Instant::from_millis(app.newsroom.clock.now().millis() + 90_000_000).to_string();
    editor.post(&format!("{}/publish", path_of(&plan)), json!({ "at": at })).await.expect(200);
    // Nobody has recorded that it is live.
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    let newest = [vec![draft.id()], copies_of(&many, MANY), copies_of(&ada, 600)].concat();
    let all = [newest.clone(), copies_of(&port, 31)].concat();
    let of_ada = [copies_of(&ada, 600), copies_of(&port, 31)].concat();
    let reader = app.anonymous();
    for (q, more, expected) in [
        ("the", "", &all),
        ("the bridge", "&count=true", &newest),
        ("the", "&author=ada&count=true", &of_ada),
        ("th* reope*", "&author=ada&facets=section", &of_ada),
    ] {
        let reversed: Vec<_> = expected.iter().rev().cloned().collect();
        let newest_first = path(q, &format!("{more}&sort=-published_at"));
        assert_eq!(both_ways(&reader, &newest_first).await, *expected, "{newest_first}");
        let oldest_first = path(q, &format!("{more}&sort=published_at"));
        assert_eq!(both_ways(&reader, &oldest_first).await, reversed, "{oldest_first}");
    }
    let deep = reader.get(&path("the", "&sort=published_at&page=40")).await.expect(200);
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(ids(&deep), reversed[3_900..4_000]);
    let nothing = reader.get(&path("the", "&sort=-published_at&author=ada&page=2")).await.expect(200);
    assert!(nothing.each("id").is_empty() && nothing.json["page"]["next"].is_null());
    assert_eq!(nothing.json["is_partial"], true, "what is on numbered pages was not come to");
    let counted = reader.get(&path("the", "&sort=published_at&count=true&facets=section")).await.expect(200);
    assert_eq!((&counted.json["is_partial"], &counted.json["page"]["total"]), (&json!(true), &json!(1_000)));
    let plain = reader.get(&path("the", "&sort=published_at")).await.expect(200);
    assert_eq!(plain.json["is_partial"], false, "nothing is counted, and the pages go on");
}

#[actix_web::test]
async fn more_in_one_second_than_is_looked_at_is_told_and_passed() {
    let app = TestApp::start().await;
    let text = "The tide reopened the bridge.";
    let old = published_before(&app, 300, "Old", text, json!({})).await;
    let many = published_before(&app, 200, "Many", text, json!({})).await;
    // As a program imports what it has no date for.
    let words = ("many", "the tide reopened the bridge");
    let copies = Copies { stage: 1, number: 2_100, step: 0, headline: words.0, body: words.1 };
    copy(&app, &many, copies).await;
    let new = published_before(&app, 100, "New", text, json!({})).await;
    let reader = app.anonymous();
    for (sort, first, last) in [("published_at", &old, &new), ("-published_at", &new, &old)] {
        let path = path("the", &format!("&sort={sort}"));
        let (ids, _) = forwards(&reader, &path).await;
        assert!(ids.len() > 1_900, "{}", ids.len());
        assert_eq!((ids.first(), ids.last()), (Some(&first.id()), Some(&last.id())), "{sort}");
    }
}

#[actix_web::test]
async fn contributors_find_all_of_their_few_drafts() {
    let app = TestApp::start().await;
    let contributor = app.contributor().await;
    let own = app.draft_of(&contributor, "The own one", json!({})).await;
    drafts(&app).await;
    for sort in ["relevance", "published_at", "-updated_at"] {
        let asked = path("the", &format!("&stage=draft&count=true&sort={sort}"));
        let answer = contributor.get(&asked).await.expect(200);
        assert_eq!((ids(&answer), &answer.json["is_partial"]), (vec![own.id()], &json!(false)), "{sort}");
    }
}
