//! Does the steps of a sequence, over HTTP and in the model.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, SecondsFormat, TimeDelta};
use masthead::service::articles::settle_due;
use serde_json::{Value, json};

use super::rules::{Article, Document, Newsroom, Section, Shown, Who};
use crate::{
    app::{Answer, Client, TestApp},
    newsroom::paragraph,
};

/// What is done; numbers choose among what is there.
#[derive(Debug, Clone)]
pub enum Act {
    Create { slug: Option<usize>, whole: bool },
    Edit { slug: Option<usize>, headline: bool, text: Option<bool>, section: Option<usize> },
    Publish { at: Option<i64>, until: Option<i64> },
    Take(&'static str),
    SavePoint,
    Restore { number: usize },
    Delete,
    Rename { section: usize },
    Move { under: Option<usize> },
    Wait { units: i64 },
    Record,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub who: Who,
    pub on: usize,
    pub stale: bool,
    pub act: Act,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, on, stale, act } = self;
        match act {
            Act::Wait { .. } | Act::Record => write!(f, "{act:?}"),
            Act::Create { .. } | Act::Rename { .. } | Act::Move { .. } => write!(f, "{who:?}: {act:?}"),
            _ => {
                write!(f, "{who:?}, article {on}: {act:?}{}", if *stale { " on a stale version" } else { "" })
            }
        }
    }
}

/// A scheduled instant is always at least half of this away, so that it does not matter how fast the test runs.
const UNIT: i64 = 600_000;
/// Slugs that articles contend for.
const SLUGS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
/// Articles at one time.
const MOST_ARTICLES: usize = 4;

/// What readers saw at an instant: ids, headlines and slugs, the newest first.
pub struct Seen {
    pub at: i64,
    pub articles: Vec<(String, String, String)>,
    /// The ids by section.
    pub by_section: Vec<Vec<String>>,
}

/// A sequence under way.
pub struct Play<'a> {
    pub app: &'a TestApp,
    clients: BTreeMap<Who, Client>,
    pub reader: Client,
    pub model: Newsroom,
    /// What a worker would do is done after each step.
    records: bool,
    begun: i64,
    /// Numbers what is written, so that no two texts are the same.
    number: usize,
    /// Where the log of changes was at the beginning.
    pub changes_from: String,
    pub seen: Vec<Seen>,
    /// A section was moved. History does not tell under what an article was listed before that.
    pub is_moved: bool,
    /// The documents of revisions as they were when they were kept, by article and number.
    pub kept: BTreeMap<(String, usize), Value>,
    /// Every slug that an article ever had.
    pub slugs: Vec<String>,
}

pub fn text(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap().to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn millis(instant: &Value) -> Option<i64> {
    instant.as_str().map(|text| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

/// Deletes every article.
async fn clear(editor: &Client) {
    let all = editor.get("/v1/articles?stage=draft&limit=100").await.expect(200);
    for article in all.json["data"].as_array().unwrap() {
        let path = format!("/v1/articles/{}", article["id"].as_str().unwrap());
        match article["workflow"]["state"].as_str() {
            Some("published") => drop(editor.act(&format!("{path}/unpublish")).await.expect(200)),
            Some("scheduled") => drop(editor.act(&format!("{path}/unschedule")).await.expect(200)),
            _ => {}
        }
        editor.delete(&path).await.expect(200);
    }
}

impl<'a> Play<'a> {
    /// Three sections, the last in the first, and an article of each user.
    pub async fn begin(app: &'a TestApp, records: bool) -> Self {
        let editor = app.editor().await;
        clear(&editor).await;
        let log = editor.raw().get("/v1/changes?limit=100").await.expect(200);
        let mut changes_from = log.json["page"]["next"].as_str().unwrap().to_owned();
        loop {
            let page = editor.get(&format!("/v1/changes?limit=100&since={changes_from}")).await.expect(200);
            if page.json["data"].as_array().unwrap().is_empty() {
                break;
            }
            changes_from = page.json["page"]["next"].as_str().unwrap().to_owned();
        }
        let clients = [
            (Who::Contributor, app.contributor().await),
            (Who::Author, app.author().await),
            (Who::Editor, editor),
        ];
        let mut play = Play {
            app,
            clients: clients.into(),
            reader: app.anonymous(),
            model: Newsroom::default(),
            records,
            begun: 0,
            number: 0,
            changes_from,
            seen: Vec::new(),
            is_moved: false,
            kept: BTreeMap::new(),
            slugs: SLUGS.iter().map(|slug| (*slug).to_owned()).collect(),
        };
        play.begun = play.now();
        for parent in [None, None, Some(0)] {
            let slug = play.section_slug();
            let parent_id = parent.map(|parent: usize| play.model.sections[parent].id.clone());
            let made = json!({"name": slug, "slug": slug, "parent": parent_id});
            let id = play.client(Who::Editor).post("/v1/sections", made).await.expect(201).id();
            play.model.sections.push(Section { id, slug, parent });
        }
        for who in [Who::Contributor, Who::Author, Who::Editor] {
            play.create(who, None, true).await;
        }
        play
    }

    pub fn client(&self, who: Who) -> Client {
        self.clients[&who].clone()
    }

    pub fn now(&self) -> i64 {
        self.app.newsroom.clock.now().millis()
    }

    fn next_number(&mut self) -> usize {
        self.number += 1;
        self.number
    }

    /// One that no section ever had.
    fn section_slug(&mut self) -> String {
        let number = self.next_number();
        format!("section-{}-{number}", self.begun)
    }

    /// The instant that lies so many units after this one, on the grid of scheduled instants.
    fn instant(&self, units: i64) -> i64 {
        self.begun + ((self.now() - self.begun) / UNIT + units) * UNIT + UNIT / 2
    }

    /// Does one step and checks everything.
    pub async fn step(&mut self, index: usize, step: &Step) {
        self.model.tick(self.now());
        let known = self.names();
        if !self.model.articles.is_empty() || matches!(step.act, Act::Create { .. }) {
            self.act(step).await;
        }
        if self.records {
            settle_due(&self.app.newsroom).await.unwrap();
        }
        self.pass(10);
        self.model.tick(self.now());
        // What an edit did to a name or to what readers see shows in some way of asking only.
        self.check(index.is_multiple_of(4) || known != self.names()).await;
        self.pass(10);
    }

    /// What readers may ask for, and what they get: decides how much there is to check.
    fn names(&self) -> Vec<(Option<Shown>, String, &'static str)> {
        let name = |article: &Article| (article.live.clone(), article.draft.slug.clone(), article.state);
        self.model.articles.iter().map(name).collect()
    }

    fn pass(&self, millis: i64) {
        self.app.newsroom.clock.advance(TimeDelta::milliseconds(millis));
    }

    async fn act(&mut self, step: &Step) {
        let who = step.who;
        match &step.act {
            Act::Wait { units } => return self.pass(units * UNIT),
            Act::Record => {
                settle_due(&self.app.newsroom).await.unwrap();
                return;
            }
            Act::Create { slug, whole } => {
                return self.create(who, slug.map(|slug| SLUGS[slug]), *whole).await;
            }
            Act::Rename { section } => {
                let slug = self.section_slug();
                if self.change_section(who, *section, json!({ "slug": slug })).await {
                    self.model.sections[*section].slug = slug;
                }
                return;
            }
            Act::Move { under } => {
                let parent = under.map(|under| self.model.sections[under].id.clone());
                if self.change_section(who, 2, json!({ "parent": parent })).await {
                    self.is_moved |= self.model.sections[2].parent != *under;
                    self.model.sections[2].parent = *under;
                }
                return;
            }
            _ => {}
        }
        let on = step.on % self.model.articles.len();
        let article = self.model.articles[on].clone();
        let path = format!("/v1/articles/{}", article.id);
        let version = if step.stale { article.version + 7 } else { article.version };
        let client = self.client(who).if_match(&format!("\"{version}\""));
        let before = self.now();
        match &step.act {
            Act::Edit { slug, headline, text, section } => {
                let mut draft = article.draft.clone();
                let mut patch = json!({});
                if let Some(slug) = slug {
                    draft.slug = SLUGS[*slug].to_owned();
                    patch["slug"] = json!(draft.slug);
                }
                if *headline {
                    draft.headline = format!("Story {}", self.next_number());
                    patch["headline"] = json!(draft.headline);
                }
                if let Some(is_there) = text {
                    draft.text = is_there.then(|| format!("Text {}", self.next_number()));
                    patch["body"] =
                        draft.text.iter().map(|text| json!({"blocks": [paragraph(text)]})).collect();
                }
                if let Some(section) = section {
                    draft.section = Some(*section);
                    patch["section"] = json!(self.model.sections[*section].id);
                }
                let answer = client.patch(&path, patch).await;
                let taken = self.model.is_taken(&draft.slug, Some(on)).then_some("taken");
                if self.is_done(&answer, on, step, "edit", taken) {
                    self.model.articles[on].edit(draft);
                    self.check_draft(&answer, on, who);
                }
            }
            Act::Publish { at, until } => {
                let (at, until) = (at.map(|at| self.instant(at)), until.map(|until| self.instant(until)));
                let mut how = json!({});
                for (name, instant) in [("at", at), ("until", until)] {
                    if let Some(instant) = instant {
                        how[name] = json!(text(instant));
                    }
                }
                let answer = client.post(&format!("{path}/publish"), how).await;
                let stamp = millis(&answer.json["published_at"]);
                let now = stamp.filter(|stamp| (before..=self.now()).contains(stamp)).unwrap_or(before);
                let from = at.filter(|at| *at > now).unwrap_or(now);
                let fault = if until.is_some_and(|until| until <= from) {
                    Some("invalid")
                } else {
                    (!article.is_ready()).then_some("not_ready")
                };
                if self.is_done(&answer, on, step, "publish", fault) {
                    self.model.articles[on].publish(now, from, until);
                    self.check_draft(&answer, on, who);
                    self.remember(on).await;
                }
            }
            Act::Take(name) => {
                let url = format!("{path}/{name}");
                let answer = match *name {
                    "return" => client.post(&url, json!({"note": "A source, please."})).await,
                    "retract" => client.post(&url, json!({"reason": "It was wrong."})).await,
                    _ => client.act(&url).await,
                };
                if self.is_done(&answer, on, step, name, None) {
                    self.model.articles[on].take(name);
                    self.check_draft(&answer, on, who);
                    self.remember(on).await;
                }
            }
            Act::SavePoint => {
                let answer = client.act(&format!("{path}/revisions")).await;
                if self.is_done(&answer, on, step, "edit", None) {
                    self.model.articles[on].keep("save_point", article.draft);
                    assert_eq!(answer.json["number"], self.model.articles[on].revisions.len());
                    self.remember(on).await;
                }
            }
            Act::Restore { number } => {
                let answer = client.act(&format!("{path}/revisions/{number}/restore")).await;
                let revision = number.checked_sub(1).and_then(|index| article.revisions.get(index));
                let fault = match revision {
                    None => Some("not_found"),
                    Some(old) => self.model.is_taken(&old.document.slug, Some(on)).then_some("taken"),
                };
                if self.is_done(&answer, on, step, "edit", fault)
                    && let Some(old) = revision
                {
                    self.model.articles[on].restore(old.document.clone());
                    self.check_draft(&answer, on, who);
                    self.remember(on).await;
                }
            }
            Act::Delete => {
                let answer = client.delete(&path).await;
                if self.is_done(&answer, on, step, "delete", None) {
                    self.model.articles.remove(on);
                    for seen in &mut self.seen {
                        seen.articles.retain(|(id, _, _)| *id != article.id);
                        seen.by_section.iter_mut().for_each(|ids| ids.retain(|id| *id != article.id));
                    }
                    self.kept.retain(|(id, _), _| *id != article.id);
                }
            }
            other => unreachable!("{other:?}"),
        }
    }

    async fn create(&mut self, who: Who, slug: Option<&str>, whole: bool) {
        if self.model.articles.len() == MOST_ARTICLES {
            return;
        }
        let number = self.next_number();
        let draft = Document {
            headline: format!("Story {number}"),
            slug: slug.map_or_else(|| format!("story-{number}"), str::to_owned),
            text: whole.then(|| format!("Text {number}")),
            section: whole.then_some(number % 3),
        };
        let body: Value = draft.text.iter().map(|text| json!({"blocks": [paragraph(text)]})).collect();
        let section = draft.section.map(|section| self.model.sections[section].id.clone());
        let article = json!({"headline": draft.headline, "slug": slug, "section": section, "body": body});
        let answer = self.client(who).post("/v1/articles", article).await;
        if self.model.is_taken(&draft.slug, None) {
            answer.problem(409, "taken");
            return;
        }
        if !self.slugs.contains(&draft.slug) {
            self.slugs.push(draft.slug.clone());
        }
        let article = Article::new(answer.clone().expect(201).id(), who, draft);
        self.model.articles.push(article);
        self.check_draft(&answer, self.model.articles.len() - 1, who);
    }

    /// Edits a section; true if that was allowed.
    async fn change_section(&mut self, who: Who, section: usize, change: Value) -> bool {
        let answer = self
            .client(who)
            .patch(&format!("/v1/sections/{}", self.model.sections[section].id), change)
            .await;
        if who != Who::Editor {
            answer.problem(403, "forbidden");
            return false;
        }
        answer.expect(200);
        true
    }

    /// Whether the step was done; if not, that it was refused for the right reason. `fault` is what is wrong with the
    /// request in itself.
    fn is_done(&self, answer: &Answer, on: usize, step: &Step, action: &str, fault: Option<&str>) -> bool {
        let (article, who) = (&self.model.articles[on], step.who);
        let refused = |status: u16, code: &str| {
            answer.clone().problem(status, code);
            false
        };
        if !article.may_read(who) {
            refused(404, "not_found")
        } else if !article.may(who, action) {
            refused(403, "forbidden")
        } else if step.stale && (action != "edit" || article.is_open("edit")) {
            refused(412, "stale")
        } else if !article.is_open(action) {
            if action == "delete" {
                return refused(409, "conflict");
            }
            assert_eq!(answer.json["allowed_actions"], json!(article.allowed(who)), "{}", answer.text);
            refused(409, "invalid_transition")
        } else if let Some(code) = fault {
            refused(
                if code == "not_found" {
                    404
                } else if code == "taken" {
                    409
                } else {
                    422
                },
                code,
            )
        } else {
            let status = if matches!(step.act, Act::SavePoint) { 201 } else { 200 };
            answer.clone().expect(status);
            true
        }
    }

    fn check_draft(&self, answer: &Answer, on: usize, who: Who) {
        self.check_article(&answer.json, &self.model.articles[on], who);
    }

    /// Fetches the revision that was just kept, to see at the end that it has not changed.
    async fn remember(&mut self, on: usize) {
        let article = &self.model.articles[on];
        let key = (article.id.clone(), article.revisions.len());
        if key.1 > 0 && !self.kept.contains_key(&key) {
            let path = format!("/v1/articles/{}/revisions/{}", key.0, key.1);
            let kept = self.client(Who::Editor).get(&path).await.expect(200);
            let last = &article.revisions[key.1 - 1];
            assert_eq!(kept.json["revision"]["kind"], last.kind);
            assert_eq!(kept.json["article"]["headline"], last.document.headline);
            assert_eq!(kept.json["article"]["slug"], last.document.slug);
            self.kept.insert(key, kept.json["article"].clone());
        }
    }

    /// Notes what readers see now.
    pub fn note_seen(&mut self, at: i64) {
        let entry = |(article, shown): (&Article, &Shown)| {
            (article.id.clone(), shown.document.headline.clone(), shown.document.slug.clone())
        };
        let articles = self.model.public(None).into_iter().map(entry).collect();
        let ids = |section| {
            self.model.public(Some(section)).into_iter().map(|(article, _)| article.id.clone()).collect()
        };
        let by_section = (0..self.model.sections.len()).map(ids).collect();
        self.seen.push(Seen { at, articles, by_section });
    }
}
