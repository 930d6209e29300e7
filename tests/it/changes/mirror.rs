//! A mirror: whoever knows nothing but the public API and follows the log of changes has, after whatever editors do, a copy
//! of all that readers see.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::paragraph,
};

/// Sequences of a run; `PROPTEST_CASES` sets another number.
const CASES: u32 = 6;
/// Steps of a sequence.
const STEPS: std::ops::Range<usize> = 30..70;

/// Things of one kind by their id.
type Copies = BTreeMap<String, Value>;

/// The collections that a mirror keeps, by the entity of their changes.
const KEPT: [(&str, &str); 4] =
    [("article", "articles"), ("section", "sections"), ("tag", "tags"), ("author", "authors")];

struct Mirror {
    reader: Client,
    since: String,
    copies: BTreeMap<&'static str, Copies>,
    site: Value,
}

/// The surrogate keys of what a copy of an article shows.
fn shown(article: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::from([format!("article/{}", article["id"].as_str().unwrap())]);
    let mut add = |entity: &str, thing: &Value| {
        if let Some(id) = thing["id"].as_str() {
            keys.insert(format!("{entity}/{id}"));
        }
    };
    let each = |list: &Value| list.as_array().cloned().unwrap_or_default();
    add("section", &article["section"]);
    each(&article["sections"]).iter().for_each(|section| add("section", section));
    each(&article["tags"]).iter().for_each(|tag| add("tag", tag));
    each(&article["bylines"]).iter().for_each(|byline| add("author", &byline["author"]));
    for link in each(&article["related"]) {
        add("article", &json!({"id": link["target"]["article_id"]}));
        add("section", &link["card"]["section"]);
    }
    keys
}

impl Mirror {
    fn new(app: &TestApp) -> Self {
        let copies = KEPT.iter().map(|(entity, _)| (*entity, Copies::new())).collect();
        Self { reader: app.anonymous(), since: "0".to_owned(), copies, site: Value::Null }
    }

    /// Takes over all that was recorded since the last time.
    async fn follow(&mut self) {
        loop {
            let path = format!("/v1/changes?since={}&limit=7", self.since);
            let page = self.reader.get(&path).await.expect(200);
            page.json["page"]["next"].as_str().unwrap().clone_into(&mut self.since);
            let changes = page.json["data"].as_array().unwrap();
            if changes.is_empty() {
                return;
            }
            let mut stale = BTreeSet::new();
            for change in changes {
                self.note(change, &mut stale);
            }
            for key in stale {
                self.fetch(&key).await;
            }
        }
    }

    /// Drops what a change says is gone, and adds to `stale` what is to be fetched.
    fn note(&mut self, change: &Value, stale: &mut BTreeSet<String>) {
        let (entity, id) = (change["entity"].as_str().unwrap(), change["entity_id"].as_str().unwrap());
        let own = format!("{entity}/{id}");
        let keys: BTreeSet<String> = serde_json::from_value(change["surrogate_keys"].clone()).unwrap();
        assert!(keys.contains(&own), "{change}");
        let is_removed = change["kind"] == "removed";
        assert_eq!(
            is_removed && entity == "article",
            is_removed && change["path"].is_null() && entity == "article"
        );
        if is_removed {
            if let Some(copies) = self.copies.get_mut(entity) {
                copies.remove(id);
            }
            stale.remove(&own);
        } else {
            stale.insert(own);
        }
        for (entity, copies) in &self.copies {
            for (id, copy) in copies {
                let own = format!("{entity}/{id}");
                let is_shown =
                    if *entity == "article" { !shown(copy).is_disjoint(&keys) } else { keys.contains(&own) };
                if is_shown || keys.contains("site/1") {
                    stale.insert(own);
                }
            }
        }
    }

    async fn fetch(&mut self, key: &str) {
        let (entity, id) = key.split_once('/').unwrap();
        if entity == "site" {
            self.site = self.reader.get("/v1/site").await.expect(200).json;
        }
        let Some((_, collection)) = KEPT.iter().find(|(known, _)| *known == entity) else { return };
        let answer = self.reader.get(&format!("/v1/{collection}/{id}")).await;
        let copies = self.copies.get_mut(entity).unwrap();
        match answer.status.as_u16() {
            200 => drop(copies.insert(id.to_owned(), answer.json)),
            // It is gone again, which will be told.
            404 | 410 | 308 => drop(copies.remove(id)),
            status => panic!("{key}: {status} {}", answer.text),
        }
    }

    /// The copies of the articles that are listed under something, as a list has them.
    fn list(&self, is_listed: impl Fn(&Value) -> bool) -> Vec<&str> {
        let articles = self.copies["article"].values().filter(|article| is_listed(article));
        let mut keys: Vec<_> = articles
            .map(|article| {
                let (id, at) = (article["id"].as_str().unwrap(), article["published_at"].as_str().unwrap());
                (at, id.parse::<i64>().unwrap(), id)
            })
            .collect();
        keys.sort_unstable_by(|a, b| b.cmp(a));
        keys.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Panics unless the copies are what readers see.
    async fn check(&self) {
        for (entity, collection) in KEPT {
            let copies = &self.copies[entity];
            let query = if entity == "article" { "&include=body,related,corrections" } else { "" };
            let public = self.reader.get(&format!("/v1/{collection}?limit=100{query}")).await.expect(200);
            let listed: BTreeMap<_, _> = public.json["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|thing| (thing["id"].as_str().unwrap(), thing))
                .collect();
            let kept: BTreeMap<_, _> = copies.iter().map(|(id, copy)| (id.as_str(), copy)).collect();
            assert_eq!(kept, listed, "{collection}");
        }
        let site = self.reader.get("/v1/site").await.expect(200);
        assert!(self.site.is_null() || self.site == site.json, "{} {}", self.site, site.json);

        let ids = async |query: &str| {
            let list = self.reader.get(&format!("/v1/articles?limit=100&{query}")).await.expect(200);
            list.each("id").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(self.list(|_| true), ids("").await);
        for section in self.copies["section"].values() {
            let path = section["path"].as_str().unwrap();
            let below = format!("{path}/");
            let is_in = |card: &Value| {
                card["path"].as_str().is_some_and(|place| place == path || place.starts_with(&below))
            };
            let kept = self.list(|article| {
                is_in(&article["section"]) || article["sections"].as_array().unwrap().iter().any(is_in)
            });
            assert_eq!(kept, ids(&format!("section={path}")).await, "{path}");
        }
        for id in self.copies["tag"].keys() {
            let kept =
                self.list(|article| article["tags"].as_array().unwrap().iter().any(|tag| tag["id"] == **id));
            assert_eq!(kept, ids(&format!("tag={id}")).await, "tag {id}");
        }
        for id in self.copies["author"].keys() {
            let kept = self.list(|article| {
                article["bylines"].as_array().unwrap().iter().any(|byline| byline["author"]["id"] == **id)
            });
            assert_eq!(kept, ids(&format!("author={id}")).await, "author {id}");
        }
    }
}

/// What editors do; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Act {
    Create {
        section: usize,
        tag: usize,
        link: usize,
    },
    Edit {
        on: usize,
        section: usize,
        second: usize,
        tags: Vec<usize>,
        author: Option<usize>,
        link: Option<usize>,
    },
    Slug {
        on: usize,
        number: usize,
    },
    Publish {
        on: usize,
        at: Option<i64>,
        until: Option<i64>,
        updated: bool,
    },
    Take {
        on: usize,
        verb: &'static str,
    },
    Retract {
        on: usize,
    },
    Delete {
        on: usize,
    },
    Correct {
        on: usize,
    },
    Release {
        of: Vec<usize>,
    },
    Make {
        collection: &'static str,
    },
    Rename {
        collection: &'static str,
        on: usize,
        number: usize,
    },
    Merge {
        from: usize,
        into: usize,
    },
    Detach {
        collection: &'static str,
        on: usize,
    },
    Move {
        on: usize,
        under: Option<usize>,
    },
    Place {
        on: usize,
        position: usize,
    },
    Close {
        on: usize,
        into: usize,
    },
    Site {
        number: usize,
    },
    Wait {
        units: i64,
    },
    Record,
    Follow,
}

fn act() -> impl Strategy<Value = Act> {
    let on = || 0..6usize;
    let few = || 0..4usize;
    let collection = || prop_oneof![Just("sections"), Just("tags"), Just("authors")];
    let verb =
        prop_oneof![Just("unpublish"), Just("unschedule"), Just("discard"), Just("archive"), Just("reopen")];
    prop_oneof![
        4 => (few(), few(), on()).prop_map(|(section, tag, link)| Act::Create { section, tag, link }),
        6 => (on(), few(), few(), prop::collection::vec(few(), 0..3), prop::option::of(few()), prop::option::of(on()))
            .prop_map(|(on, section, second, tags, author, link)| Act::Edit { on, section, second, tags, author, link }),
        2 => (on(), 0..6usize).prop_map(|(on, number)| Act::Slug { on, number }),
        9 => (on(), prop::option::weighted(0.3, 1..4i64), prop::option::weighted(0.3, 1..6i64), any::<bool>())
            .prop_map(|(on, at, until, updated)| Act::Publish { on, at, until, updated }),
        3 => (on(), verb).prop_map(|(on, verb)| Act::Take { on, verb }),
        1 => on().prop_map(|on| Act::Retract { on }),
        1 => on().prop_map(|on| Act::Delete { on }),
        1 => on().prop_map(|on| Act::Correct { on }),
        1 => prop::collection::vec(on(), 1..3).prop_map(|of| Act::Release { of }),
        3 => collection().prop_map(|collection| Act::Make { collection }),
        3 => (collection(), few(), 0..6usize).prop_map(|(collection, on, number)| Act::Rename { collection, on, number }),
        1 => (few(), few()).prop_map(|(from, into)| Act::Merge { from, into }),
        1 => (prop_oneof![Just("tags"), Just("authors")], few()).prop_map(|(collection, on)| Act::Detach { collection, on }),
        2 => (few(), prop::option::of(few())).prop_map(|(on, under)| Act::Move { on, under }),
        1 => (few(), few()).prop_map(|(on, position)| Act::Place { on, position }),
        1 => (few(), few()).prop_map(|(on, into)| Act::Close { on, into }),
        1 => (0..9usize).prop_map(|number| Act::Site { number }),
        3 => (1..4i64).prop_map(|units| Act::Wait { units }),
        2 => Just(Act::Record),
        4 => Just(Act::Follow),
    ]
}

/// So long are the units of time, in milliseconds.
const UNIT: i64 = 600_000;

/// A newsroom at work. What the workflow does not allow is refused, and changes nothing.
struct Play<'a> {
    app: &'a TestApp,
    editor: Client,
    admin: Client,
    ids: BTreeMap<&'static str, Vec<String>>,
    number: usize,
}

impl Play<'_> {
    fn id(&self, collection: &str, number: usize) -> Option<&str> {
        let ids = &self.ids[collection];
        ids.get(number % ids.len().max(1)).map(String::as_str)
    }

    fn path(&self, collection: &str, number: usize) -> String {
        format!("/v1/{collection}/{}", self.id(collection, number).unwrap_or("7"))
    }

    fn text(&mut self) -> String {
        self.number += 1;
        format!("Text {}", self.number)
    }

    async fn make(&mut self, collection: &'static str, body: Value) {
        let made = self.editor.post(&format!("/v1/{collection}"), body).await;
        if made.status == 201 {
            self.ids.get_mut(collection).unwrap().push(made.id());
        }
    }

    fn list(&self, collection: &str, number: usize) -> Vec<&str> {
        self.id(collection, number).into_iter().collect()
    }

    fn body(&self, link: Option<usize>, text: &str) -> Value {
        let mut blocks = vec![paragraph(text)];
        if let Some(id) = link.and_then(|number| self.id("articles", number)) {
            blocks.push(json!({"type": "read_more", "link": {"target": {"article_id": id}}}));
        }
        json!([{ "blocks": blocks }])
    }

    async fn act(&mut self, act: &Act, mirror: &mut Mirror) {
        let text = self.text();
        let editor = self.editor.clone();
        match *act {
            Act::Create { section, tag, link } => {
                let body = self.body(Some(link), &text);
                let new = json!({"headline": text, "section": self.id("sections", section),
                    "tags": self.list("tags", tag), "body": body});
                self.make("articles", new).await;
                let path = self.path("articles", self.ids["articles"].len().saturating_sub(1));
                editor.act(&format!("{path}/publish")).await;
            }
            Act::Edit { on, section, second, ref tags, author, link } => {
                let tags: BTreeSet<_> = tags.iter().filter_map(|tag| self.id("tags", *tag)).collect();
                let author = author.and_then(|author| self.id("authors", author));
                let bylines: Vec<_> = author.into_iter().map(|author| json!({"author": author})).collect();
                let (section, second) = (self.id("sections", section), self.id("sections", second));
                let second: Vec<_> = second.into_iter().filter(|second| Some(*second) != section).collect();
                let body = self.body(link, &text);
                let edit = json!({"headline": text, "section": section, "sections": second, "tags": tags,
                    "bylines": bylines, "body": body});
                editor.patch(&self.path("articles", on), edit).await;
            }
            Act::Slug { on, number } => {
                editor.patch(&self.path("articles", on), json!({"slug": format!("slug-{number}")})).await;
            }
            Act::Publish { on, at, until, updated } => {
                let later = |units: Option<i64>| {
                    let now = self.app.newsroom.clock.now().millis();
                    units.map(|units| Instant::from_millis(now + units * UNIT).to_string())
                };
                let how = json!({"at": later(at), "until": later(until), "updated": updated});
                editor.post(&format!("{}/publish", self.path("articles", on)), how).await;
            }
            Act::Take { on, verb } => {
                editor.act(&format!("{}/{verb}", self.path("articles", on))).await;
            }
            Act::Retract { on } => {
                editor.post(&format!("{}/retract", self.path("articles", on)), json!({"reason": text})).await;
            }
            Act::Delete { on } => {
                editor.delete(&self.path("articles", on)).await;
            }
            Act::Correct { on } => {
                let correction = json!({"kind": "correction", "text": text});
                editor.post(&format!("{}/corrections", self.path("articles", on)), correction).await;
            }
            Act::Release { ref of } => {
                let of: BTreeSet<_> = of.iter().filter_map(|on| self.id("articles", *on)).collect();
                let items: Vec<_> = of.into_iter().map(|id| json!({"article": id})).collect();
                let release = editor.post("/v1/releases", json!({"name": text, "items": items})).await;
                if release.status == 201 {
                    editor.act(&format!("/v1/releases/{}/publish", release.id())).await;
                }
            }
            Act::Make { collection } => self.make(collection, json!({ "name": text })).await,
            Act::Rename { collection, on, number } => {
                let slug = format!("slug-{number}");
                editor.patch(&self.path(collection, on), json!({"name": text, "slug": slug})).await;
            }
            Act::Merge { from, into } => {
                let into = self.id("tags", into).unwrap_or("7").to_owned();
                editor.post(&format!("{}/merge", self.path("tags", from)), json!({ "into": into })).await;
            }
            Act::Detach { collection, on } => {
                editor.delete(&format!("{}?detach=true", self.path(collection, on))).await;
            }
            Act::Move { on, under } => {
                let under = under.and_then(|under| self.id("sections", under));
                editor.patch(&self.path("sections", on), json!({ "parent": under })).await;
            }
            Act::Place { on, position } => {
                editor.patch(&self.path("sections", on), json!({ "position": position })).await;
            }
            Act::Close { on, into } => {
                let into = self.id("sections", into).unwrap_or("7").to_owned();
                editor.delete(&format!("{}?move_to={into}", self.path("sections", on))).await;
            }
            Act::Site { number } => {
                let permalink = ["/{section}/{slug}", "/{slug}"][number % 2];
                let change = json!({"tagline": text, "permalink": permalink});
                self.admin.patch("/v1/site", change).await;
            }
            Act::Wait { units } => {
                self.app.newsroom.clock.advance(TimeDelta::milliseconds(units * UNIT));
            }
            Act::Record => drop(settle_due(&self.app.newsroom).await.unwrap()),
            Act::Follow => mirror.follow().await,
        }
    }
}

#[test]
fn whoever_follows_the_log_has_a_copy_of_what_readers_see() {
    let system = actix_web::rt::System::new();
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |number| number.parse().unwrap());
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&prop::collection::vec(act(), STEPS), |acts| {
        system.block_on(async {
            // Days pass within a sequence.
            let app = TestApp::start_with_tokens_for(1_000_000).await;
            let (editor, admin) = (app.bold_editor().await, app.admin().await.if_match("*"));
            let collections = ["articles", "sections", "tags", "authors"];
            let ids = collections.map(|collection| (collection, Vec::new())).into();
            let mut play = Play { app: &app, editor, admin, ids, number: 0 };
            for collection in ["sections", "sections", "sections", "tags", "tags", "authors"] {
                let name = play.text();
                play.make(collection, json!({ "name": name })).await;
            }
            let mut mirror = Mirror::new(&app);
            for act in &acts {
                play.act(act, &mut mirror).await;
            }
            settle_due(&app.newsroom).await.unwrap();
            mirror.follow().await;
            mirror.check().await;
        });
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, acts)) => {
            let acts: String = acts.iter().map(|act| format!("    {act:?}\n")).collect();
            panic!("after\n{acts}{reason}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[actix_web::test]
async fn a_link_appears_with_its_target() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let target = app.published("Target").await;
    let body = json!([{"blocks": [paragraph("Text."), crate::newsroom::read_more(&target)]}]);
    app.published_with("Source", json!({ "body": body })).await;
    let mut mirror = Mirror::new(&app);
    for verb in ["unpublish", "publish"] {
        mirror.follow().await;
        mirror.check().await;
        editor.act(&format!("{}/{verb}", crate::newsroom::path_of(&target))).await.expect(200);
    }
    mirror.follow().await;
    mirror.check().await;
}
