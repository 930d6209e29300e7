//! Several at once on one article: whoever comes first, nothing breaks, and what is there in the end is one consistent
//! state that somebody asked for.

use std::{future::Future, pin::Pin};

use actix_web::rt::spawn;
use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// Rounds of each race.
const ROUNDS: usize = 25;

type Ask = Pin<Box<dyn Future<Output = Option<Answer>>>>;

/// A request of a race; without a body if that is `null`.
fn ask(client: &Client, method: Method, path: String, body: Value) -> Ask {
    let (client, body) = (client.clone(), (!body.is_null()).then(|| body.to_string().into_bytes()));
    Box::pin(async move {
        let body = body.map(|body| ("application/json", body));
        Some(client.send(method, &path, body).await)
    })
}

/// What the worker of a node does.
fn record(app: &TestApp) -> Ask {
    let newsroom = app.newsroom.clone();
    Box::pin(async move {
        settle_due(&newsroom).await.unwrap();
        None
    })
}

/// Sends them at once, in an order that differs from round to round, and answers in the order in which they are written.
async fn race<const N: usize>(round: usize, asks: [Ask; N]) -> [Option<Answer>; N] {
    let mut asks: Vec<_> = asks.into_iter().enumerate().collect();
    asks.rotate_left(round % N);
    if round / N % 2 == 1 {
        asks.reverse();
    }
    let running: Vec<_> = asks.into_iter().map(|(index, ask)| (index, spawn(ask))).collect();
    let mut answers = [const { None }; N];
    for (index, answer) in running {
        answers[index] = answer.await.unwrap();
        if let Some(answer) = &answers[index] {
            assert!(answer.status.as_u16() < 500, "round {round}: {}", answer.text);
        }
    }
    answers
}

fn status(answer: &Option<Answer>) -> u16 {
    answer.as_ref().unwrap().status.as_u16()
}

/// The instant so many seconds from now, by the clock of the test.
fn after(app: &TestApp, seconds: i64) -> String {
    Instant::from_millis(app.newsroom.clock.now().millis() + seconds * 1000).to_string()
}

/// A version of an article: what its headline says, its text says too.
fn version(name: &str) -> Value {
    json!({"headline": name, "body": [{"blocks": [paragraph(name)]}]})
}

/// The name of a version that is there whole.
fn name_of(article: &Value) -> String {
    let name = article["headline"].as_str().unwrap();
    assert_eq!(article["body"][0]["blocks"][0]["html"], name, "half of one version and half of another");
    name.to_owned()
}

/// Who takes part.
struct Race {
    app: TestApp,
    editor: Client,
    other: Client,
    reader: Client,
}

impl Race {
    async fn begin() -> Self {
        let app = TestApp::start_with_tokens_for(100_000).await;
        let (editor, other) = (app.editor().await, app.admin().await);
        let reader = app.anonymous();
        app.section("city").await;
        Self { app, editor, other, reader }
    }

    /// A draft in its first version.
    async fn draft(&self, name: &str) -> Answer {
        self.app.draft_of(&self.editor, name, version(name)).await
    }

    async fn publish(&self, path: &str, how: Value) {
        self.editor.post(&format!("{path}/publish"), how).await.expect(200);
    }

    async fn edit(&self, path: &str, name: &str) {
        self.editor.if_match("*").patch(path, version(name)).await.expect(200);
    }

    /// Checks what holds after any race on an article that is still there: `published` is how many publications were
    /// acknowledged, `names` which versions those were. Answers the state and the version that readers see.
    async fn check(&self, article: &Answer, published: usize, names: &[&str]) -> (String, Option<String>) {
        settle_due(&self.app.newsroom).await.unwrap();
        let (id, path) = (article.id(), path_of(article));
        let live = self.reader.get(&path).await;
        let live = (live.status == 200).then(|| name_of(&live.json));
        if let Some(live) = &live {
            assert!(names.contains(&live.as_str()), "{live:?} was not published: {names:?}");
        }
        let draft = self.editor.get(&format!("{path}?stage=draft")).await.expect(200);
        name_of(&draft.json);
        let state = draft.json["workflow"]["state"].as_str().unwrap().to_owned();
        assert_eq!(state == "published", live.is_some(), "{}", draft.text);
        let list = self.reader.get(&format!("/v1/articles?ids={id}&count=true")).await.expect(200);
        assert_eq!(list.each("headline").first().copied(), live.as_deref());
        assert_eq!(list.json["page"]["total"], i32::from(live.is_some()));

        let revisions = self.editor.get(&format!("{path}/revisions?limit=100")).await.expect(200);
        let kinds = revisions.each("kind");
        let kept = kinds.iter().filter(|kind| **kind == "publication").count();
        assert_eq!(kept, published, "publications kept and acknowledged: {}", revisions.text);
        let revisions = revisions.json["data"].as_array().unwrap().iter();
        let intervals = revisions.map(|revision| &revision["live"]).filter(|live| !live.is_null());
        let instant = |value: &Value| value.as_str().map(|text| text.parse::<Instant>().unwrap());
        let mut intervals: Vec<_> = intervals
            .map(|live| (instant(&live["live_from"]).unwrap(), instant(&live["live_until"])))
            .collect();
        intervals.sort_unstable_by_key(|(from, until)| (*from, until.is_none(), *until));
        for pair in intervals.windows(2) {
            assert!(pair[0].1.is_some_and(|until| until <= pair[1].0), "they overlap: {intervals:?}");
        }
        let is_open = intervals.last().is_some_and(|(_, until)| until.is_none());
        assert_eq!(is_open, live.is_some(), "{intervals:?}");
        self.check_log(&id, live.is_some()).await;
        (state, live)
    }

    /// The log tells that an article appeared before it tells that it changed or disappeared, each once.
    async fn check_log(&self, id: &str, is_public: bool) {
        let (mut since, mut was_public) = ("0".to_owned(), false);
        loop {
            let page = self.reader.get(&format!("/v1/changes?limit=100&since={since}")).await.expect(200);
            let changes = page.json["data"].as_array().unwrap();
            for change in changes.iter().filter(|change| change["entity_id"] == id) {
                assert_eq!(change["kind"] == "created", !was_public, "{change}");
                was_public = change["kind"] != "removed";
            }
            if changes.is_empty() {
                break;
            }
            since = page.json["page"]["next"].as_str().unwrap().to_owned();
        }
        assert_eq!(was_public, is_public, "the log and the readers");
    }
}

#[actix_web::test]
async fn two_publish_while_a_third_edits() {
    let race_of = Race::begin().await;
    let (editor, other) = (&race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let article = race_of.draft("One").await;
        let path = path_of(&article);
        let publish = || format!("{path}/publish");
        let first = editor.if_match("\"1\"");
        let [a, b, edit] = race(
            round,
            [
                ask(&first, Method::POST, publish(), json!({})),
                ask(other, Method::POST, publish(), json!({"note": "Mine"})),
                ask(&first, Method::PATCH, path.clone(), version("Two")),
            ],
        )
        .await;
        // The edit builds on the only version there was; who publishes that version may come too late.
        assert_eq!((status(&b), status(&edit)), (200, 200));
        assert!([200, 412].contains(&status(&a)));
        let published = 1 + usize::from(status(&a) == 200);
        let (_, live) = race_of.check(&article, published, &["One", "Two"]).await;
        assert!(live.is_some());
        let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
        assert_eq!(name_of(&draft.json), "Two");
    }
}

#[actix_web::test]
async fn publish_and_unpublish() {
    let race_of = Race::begin().await;
    let (editor, other) = (&race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let article = race_of.draft("One").await;
        let path = path_of(&article);
        race_of.publish(&path, json!({})).await;
        race_of.edit(&path, "Two").await;
        let [publish, unpublish, discard] = race(
            round,
            [
                ask(editor, Method::POST, format!("{path}/publish"), json!({})),
                ask(other, Method::POST, format!("{path}/unpublish"), Value::Null),
                ask(other, Method::POST, format!("{path}/discard"), Value::Null),
            ],
        )
        .await;
        assert_eq!((status(&publish), status(&unpublish)), (200, 200));
        assert!([200, 409].contains(&status(&discard)));
        let (state, live) = race_of.check(&article, 2, &["One", "Two"]).await;
        assert!(["published", "unpublished"].contains(&state.as_str()), "{state}");
        if let Some(live) = live {
            let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
            assert_eq!(live, name_of(&draft.json), "what was published last");
        }
    }
}

#[actix_web::test]
async fn publish_schedule_and_what_is_due() {
    let race_of = Race::begin().await;
    let (app, editor, other) = (&race_of.app, &race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let article = race_of.draft("One").await;
        let path = path_of(&article);
        // A version is live and ends, another is due at that instant or a little later.
        race_of.publish(&path, json!({"until": after(app, 20)})).await;
        race_of.edit(&path, "Two").await;
        let at = after(app, if round % 2 == 0 { 20 } else { 30 });
        race_of.publish(&path, json!({ "at": at })).await;
        race_of.edit(&path, "Three").await;
        app.newsroom.clock.advance(TimeDelta::seconds(40));
        let [publish, schedule, _, _] = race(
            round,
            [
                ask(editor, Method::POST, format!("{path}/publish"), json!({})),
                ask(other, Method::POST, format!("{path}/publish"), json!({"at": after(app, 20)})),
                record(app),
                record(app),
            ],
        )
        .await;
        assert_eq!((status(&publish), status(&schedule)), (200, 200));
        let (state, live) = race_of.check(&article, 4, &["Three"]).await;
        assert_eq!((state.as_str(), live.as_deref()), ("published", Some("Three")));
        app.newsroom.clock.advance(TimeDelta::seconds(40));
        race_of.check(&article, 4, &["Three"]).await;
    }
}

#[actix_web::test]
async fn delete_and_publish() {
    let race_of = Race::begin().await;
    let (editor, other) = (&race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let slug = format!("wanted-{round}");
        let mut members = version("One");
        members["slug"] = json!(slug);
        let article = race_of.app.draft_of(editor, "One", members.clone()).await;
        let path = path_of(&article);
        members["section"] = json!("city");
        let [delete, publish, create] = race(
            round,
            [
                ask(other, Method::DELETE, path.clone(), Value::Null),
                ask(editor, Method::POST, format!("{path}/publish"), json!({})),
                ask(other, Method::POST, "/v1/articles".to_owned(), members),
            ],
        )
        .await;
        if status(&delete) == 200 {
            assert_eq!(status(&publish), 404);
            assert!([201, 409].contains(&status(&create)), "{:?}", create.unwrap().text);
            editor.get(&format!("{path}?stage=draft")).await.problem(404, "not_found");
            race_of.reader.get(&path).await.problem(404, "not_found");
            race_of.check_log(&article.id(), false).await;
        } else {
            delete.unwrap().problem(409, "conflict");
            assert_eq!((status(&publish), status(&create)), (200, 409));
            let (_, live) = race_of.check(&article, 1, &["One"]).await;
            assert_eq!(live.as_deref(), Some("One"));
        }
    }
}

#[actix_web::test]
async fn two_create_with_one_slug() {
    let race_of = Race::begin().await;
    let (editor, other) = (&race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let slug = format!("wanted-{round}");
        let named = json!({"headline": "One", "slug": slug});
        let unnamed = json!({"headline": slug});
        let create = |client: &Client, article: &Value| {
            ask(client, Method::POST, "/v1/articles".to_owned(), article.clone())
        };
        let answers = race(
            round,
            [
                create(editor, &named),
                create(other, &named),
                create(editor, &unnamed),
                create(other, &unnamed),
            ],
        )
        .await;
        let [a, b, c, d] = answers.each_ref().map(status);
        assert_eq!((c, d), (201, 201), "a free slug is found for those who do not ask for one");
        let mut named = [a, b];
        named.sort_unstable();
        assert!(named == [201, 409] || named == [409, 409], "{named:?}");
        let made = answers.iter().flatten().filter(|answer| answer.status == 201);
        let mut slugs: Vec<_> = made.map(|made| made.json["slug"].as_str().unwrap()).collect();
        let count = slugs.len();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!((slugs.len(), slugs[0]), (count, slug.as_str()));
    }
}

#[actix_web::test]
async fn retract_and_edit() {
    let race_of = Race::begin().await;
    let (editor, other) = (&race_of.editor, &race_of.other);
    for round in 0..ROUNDS {
        let article = race_of.draft("One").await;
        let path = path_of(&article);
        race_of.publish(&path, json!({})).await;
        let first = editor.if_match("\"1\"");
        let [retract, edit, publish] = race(
            round,
            [
                ask(other, Method::POST, format!("{path}/retract"), json!({"reason": "Forged."})),
                ask(&first, Method::PATCH, path.clone(), version("Two")),
                ask(&first, Method::POST, format!("{path}/publish"), json!({})),
            ],
        )
        .await;
        assert_eq!(status(&retract), 200);
        assert!([200, 409].contains(&status(&edit)));
        assert!([200, 409, 412].contains(&status(&publish)));
        let published = 1 + usize::from(status(&publish) == 200);
        let (state, _) = race_of.check(&article, published, &[]).await;
        assert_eq!(state, "retracted");
        race_of.reader.get(&path).await.problem(410, "retracted");
        let draft = editor.get(&format!("{path}?stage=draft")).await.expect(200);
        assert_eq!(name_of(&draft.json), if status(&edit) == 200 { "Two" } else { "One" });
    }
}

#[actix_web::test]
async fn two_that_link_to_each_other() {
    let race_of = Race::begin().await;
    let (editor, other) = (race_of.editor.if_match("*"), race_of.other.if_match("*"));
    for round in 0..ROUNDS {
        let (one, two) = (race_of.draft("One").await, race_of.draft("Two").await);
        let link = |target: &Answer| json!({"body": [{"blocks": [paragraph("Text."), read_more(target)]}]});
        for step in ["", "/publish"] {
            let (method, bodies) = match step {
                "" => (Method::PATCH, [link(&two), link(&one)]),
                _ => (Method::POST, [json!({}), json!({})]),
            };
            let [first, second] = bodies;
            let answers = race(
                round,
                [
                    ask(&editor, method.clone(), format!("{}{step}", path_of(&one)), first),
                    ask(&other, method, format!("{}{step}", path_of(&two)), second),
                ],
            )
            .await;
            assert_eq!(answers.each_ref().map(status), [200, 200]);
        }
        for (source, target) in [(&one, &two), (&two, &one)] {
            let live = race_of.reader.get(&path_of(source)).await.expect(200);
            assert_eq!(live.json["related"][0]["target"]["article_id"], target.id());
        }
    }
}

#[actix_web::test]
async fn publish_while_a_section_is_emptied() {
    let race_of = Race::begin().await;
    let (editor, other, reader) = (&race_of.editor, &race_of.other, &race_of.reader);
    let city = race_of.app.section("city").await;
    for round in 0..ROUNDS {
        let section = race_of.app.section(&format!("old-{round}")).await;
        let mut members = version("One");
        members["section"] = json!(section);
        let [one, two] = [
            race_of.app.draft_of(editor, "One", members.clone()).await,
            race_of.app.draft_of(editor, "One", members.clone()).await,
        ];
        race_of.publish(&path_of(&two), json!({})).await;
        let answers = race(
            round,
            [
                ask(other, Method::DELETE, format!("/v1/sections/{section}?move_to={city}"), Value::Null),
                ask(editor, Method::POST, format!("{}/publish", path_of(&one)), json!({})),
                ask(editor, Method::POST, format!("{}/unpublish", path_of(&two)), Value::Null),
                ask(editor, Method::POST, "/v1/articles".to_owned(), members),
            ],
        )
        .await;
        let [moved, published, unpublished, created] = answers.each_ref().map(status);
        assert_eq!([moved, published, unpublished], [204, 200, 200]);
        // Whoever still wants the section when it is gone is told so.
        assert!([201, 409, 422].contains(&created), "{:?}", answers[3]);
        race_of.check(&one, 1, &["One"]).await;
        race_of.check(&two, 1, &[]).await;
        assert_eq!(reader.get(&path_of(&one)).await.expect(200).json["section"]["id"], city);
        let list = reader.get(&format!("/v1/articles?section=city&ids={}", one.id())).await.expect(200);
        assert_eq!(list.each("id"), [one.id()]);
    }
}

#[actix_web::test]
async fn what_is_due_while_sections_move() {
    let race_of = Race::begin().await;
    let (app, editor, other) = (&race_of.app, &race_of.editor, &race_of.other);
    app.section("world").await;
    app.section("country").await;
    for round in 0..ROUNDS {
        // One ends, one begins, and one ends that is about to be published again.
        let [ends, begins, again] =
            [race_of.draft("One").await, race_of.draft("One").await, race_of.draft("One").await];
        race_of.publish(&path_of(&ends), json!({"until": after(app, 10)})).await;
        race_of.publish(&path_of(&begins), json!({"at": after(app, 20)})).await;
        race_of.publish(&path_of(&again), json!({"until": after(app, 10)})).await;
        app.newsroom.clock.advance(TimeDelta::seconds(30));
        let parent = if round % 2 == 0 { json!("country") } else { Value::Null };
        let city = editor.get("/v1/articles?stage=draft&limit=1").await.expect(200);
        let city = city.json["data"][0]["section"]["id"].as_str().unwrap().to_owned();
        let [moved, renamed, publish, _, _] = race(
            round,
            [
                ask(editor, Method::PATCH, format!("/v1/sections/{city}"), json!({ "parent": parent })),
                ask(editor, Method::PATCH, "/v1/sections/world".to_owned(), json!({"name": "World"})),
                ask(other, Method::POST, format!("{}/publish", path_of(&again)), json!({})),
                record(app),
                record(app),
            ],
        )
        .await;
        assert_eq!([status(&moved), status(&renamed), status(&publish)], [200; 3]);
        race_of.check(&ends, 1, &[]).await;
        race_of.check(&begins, 1, &["One"]).await;
        race_of.check(&again, 2, &["One"]).await;
        let list = race_of.reader.get(&format!("/v1/articles?section=country&ids={}", begins.id())).await;
        assert_eq!(
            list.expect(200).each("id").len(),
            usize::from(round % 2 == 0),
            "listed where it lies now"
        );
        let gone = format!("/v1/sections/{city}");
        editor.patch(&gone, json!({"parent": null})).await.expect(200);
    }
}
