//! Compares what the newsroom answers with what the rules say.

use std::collections::BTreeMap;

use masthead::service::articles::settle_due;
use serde_json::{Value, json};

use super::{
    play::{Play, millis, text},
    rules::{Article, Document, Shown, Who},
};
use crate::app::{Answer, Client};

/// All that readers see.
const LIST: &str = "/v1/articles?include=body&count=true&limit=100";

/// Asks all at once.
async fn get_all(client: &Client, paths: impl IntoIterator<Item = String>) -> Vec<Answer> {
    let ask = |path: String| {
        let client = client.raw();
        actix_web::rt::spawn(async move { client.get(&path).await })
    };
    let asked: Vec<_> = paths.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

fn text_of(article: &Value) -> &Value {
    &article["body"][0]["blocks"][0]["html"]
}

impl Play<'_> {
    fn document(&self, document: &Document) -> Value {
        let section = document.section.map(|section| &self.model.sections[section].id);
        json!({
            "headline": document.headline, "slug": document.slug, "text": document.text, "section": section,
            "path": self.model.path(document),
        })
    }

    fn told(article: &Value) -> Value {
        json!({
            "headline": article["headline"], "slug": article["slug"], "text": text_of(article),
            "section": article["section"]["id"], "path": article["path"],
        })
    }

    /// A live document as readers are to see it.
    fn live(&self, article: &Article, shown: &Shown) -> Value {
        let first = article.first_published_at.map(text);
        let dates = json!([first, text(shown.published_at), shown.version]);
        json!([article.id, self.document(&shown.document), dates])
    }

    fn told_live(article: &Value) -> Value {
        assert_eq!(article["stage"], "live");
        let dates = json!([article["first_published_at"], article["published_at"], article["version"]]);
        json!([article["id"], Self::told(article), dates])
    }

    /// What is there now: everything, or the lists of all alone, which take less time.
    pub async fn check(&mut self, everything: bool) {
        if everything {
            self.check_readers().await;
            self.check_drafts(Who::Contributor).await;
            self.check_drafts(Who::Author).await;
            self.check_later().await;
        } else {
            self.check_list(&self.reader.raw().get(LIST).await.expect(200));
        }
        self.check_drafts(Who::Editor).await;
        self.note_seen(self.now());
    }

    fn check_list(&self, list: &Answer) {
        let told: Vec<_> = list.json["data"].as_array().unwrap().iter().map(Self::told_live).collect();
        let expected: Vec<_> =
            self.model.public(None).into_iter().map(|(article, shown)| self.live(article, shown)).collect();
        assert_eq!(told, expected, "the list of all");
        assert_eq!(list.json["page"]["total"], expected.len());
    }

    async fn check_readers(&self) {
        let model = &self.model;
        let lists = model.sections.iter().map(|section| format!("?section={}&", section.id));
        let lists = lists.map(|query| format!("/v1/articles{query}count=true&limit=100"));
        let lists = std::iter::once(LIST.to_owned()).chain(lists);
        let ids = model.articles.iter().map(|article| format!("/v1/articles/{}", article.id));
        let names = self.slugs.iter().map(|slug| format!("/v1/articles/{slug}"));
        let mut answers = get_all(&self.reader, lists.chain(ids).chain(names)).await.into_iter();

        self.check_list(&answers.next().unwrap().expect(200));
        for section in 0..model.sections.len() {
            let list = answers.next().unwrap().expect(200);
            let expected: Vec<_> =
                model.public(Some(section)).into_iter().map(|(article, _)| article.id.as_str()).collect();
            assert_eq!(list.each("id"), expected, "the list of section {section}");
            assert_eq!(list.json["page"]["total"], expected.len(), "of section {section}");
        }
        for article in &model.articles {
            let answer = answers.next().unwrap();
            match &article.live {
                Some(shown) => {
                    assert_eq!(Self::told_live(&answer.expect(200).json), self.live(article, shown))
                }
                None if article.state == "retracted" => {
                    assert_eq!(answer.problem(410, "retracted").json["detail"], "It was wrong.");
                }
                None => drop(answer.problem(404, "not_found")),
            }
        }
        for slug in &self.slugs {
            let answer = answers.next().unwrap();
            let Some(article) = model.articles.iter().find(|article| article.known_as.contains(slug)) else {
                answer.problem(404, "not_found");
                continue;
            };
            match &article.live {
                Some(shown) if shown.document.slug == *slug => {
                    assert_eq!(Self::told_live(&answer.expect(200).json), self.live(article, shown));
                }
                // One hop: that slug is asked for as well.
                Some(shown) => {
                    let target = format!("/v1/articles/{}", shown.document.slug);
                    assert_eq!(answer.expect(308).header("location"), target);
                    assert!(self.slugs.contains(&shown.document.slug));
                }
                None if article.state == "retracted" => drop(answer.problem(410, "retracted")),
                None => drop(answer.problem(404, "not_found")),
            }
        }
    }

    /// The drafts, as one of the users is to see them.
    async fn check_drafts(&self, who: Who) {
        let list = "/v1/articles?stage=draft&include=body&limit=100";
        let list = self.client(who).raw().get(list).await.expect(200);
        let drafts = list.json["data"].as_array().unwrap().iter();
        let told: BTreeMap<_, _> = drafts.map(|article| (article["id"].as_str().unwrap(), article)).collect();
        let expected = self.model.articles.iter().filter(|article| article.may_read(who));
        let expected: Vec<_> = expected.collect();
        assert_eq!(told.len(), expected.len(), "drafts that {who:?} may read: {}", list.text);
        for article in expected {
            self.check_article(told[article.id.as_str()], article, who);
        }
    }

    /// What readers are to see later, as things stand.
    async fn check_later(&self) {
        let later = self.now() + 900_000;
        let mut model = self.model.clone();
        model.tick(later);
        let list = format!("/v1/articles?as_of={}&limit=100", text(later));
        let list = self.client(Who::Author).raw().get(&list).await.expect(200);
        let expected: Vec<_> =
            model.public(None).into_iter().map(|(_, shown)| shown.document.headline.clone()).collect();
        assert_eq!(list.each("headline"), expected, "in fifteen minutes");
    }

    /// A draft as one who may read it sees it.
    pub fn check_article(&self, told: &Value, article: &Article, who: Who) {
        assert_eq!(Self::told(told), self.document(&article.draft));
        let scheduled = |next: &Shown| json!([next.version, text(next.from)]);
        let workflow = &told["workflow"];
        let told_next = &workflow["scheduled"];
        let told_next = (!told_next.is_null()).then(|| json!([told_next["version"], told_next["live_from"]]));
        assert_eq!(
            json!({
                "state": workflow["state"],
                "allowed": workflow["allowed_actions"],
                "changes": workflow["has_unpublished_changes"],
                "versions": [told["version"], workflow["draft_version"], workflow["live_version"]],
                "live": [workflow["live_from"], workflow["live_until"]],
                "scheduled": told_next,
                "published_at": told["published_at"],
            }),
            json!({
                "state": article.state,
                "allowed": article.allowed(who),
                "changes": article.has_changes(),
                "versions": [article.version, article.version, article.live.as_ref().map(|live| live.version)],
                "live": [
                    article.live.as_ref().map(|live| text(live.from)),
                    article.live_until().filter(|_| article.live.is_some()).map(text),
                ],
                "scheduled": article.next.as_ref().map(scheduled),
                "published_at": article.live.as_ref().or(article.next.as_ref()).map(|shown| text(shown.published_at)),
            }),
            "{who:?}, {}",
            article.draft.headline
        );
    }

    /// What must hold in the end.
    pub async fn end(&mut self) {
        settle_due(&self.app.newsroom).await.unwrap();
        self.model.tick(self.now());
        self.check(true).await;
        self.check_revisions().await;
        self.check_history().await;
        self.check_changes().await;
    }

    async fn check_revisions(&self) {
        let editor = self.client(Who::Editor);
        for article in &self.model.articles {
            let list = format!("/v1/articles/{}/revisions?limit=100&count=true", article.id);
            let list = editor.get(&list).await.expect(200);
            let kinds: Vec<_> = article.revisions.iter().rev().map(|revision| revision.kind).collect();
            assert_eq!(list.each("kind"), kinds);
            let mut shown: Vec<_> = list.json["data"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|revision| !revision["live"].is_null())
                .map(|revision| {
                    (millis(&revision["live"]["live_from"]).unwrap(), millis(&revision["live"]["live_until"]))
                })
                .collect();
            shown.sort_unstable();
            for pair in shown.windows(2) {
                assert!(pair[0].1.is_some_and(|until| until <= pair[1].0), "intervals overlap: {shown:?}");
            }
            let is_open = shown.last().is_some_and(|(_, until)| until.is_none());
            assert_eq!(is_open, article.live.is_some(), "{shown:?}");
        }
        let paths = self.kept.keys().map(|(id, number)| format!("/v1/articles/{id}/revisions/{number}"));
        for (answer, kept) in get_all(&editor, paths).await.into_iter().zip(self.kept.values()) {
            assert_eq!(answer.expect(200).json["article"], *kept);
        }
    }

    /// What readers saw at each instant.
    async fn check_history(&self) {
        let author = self.client(Who::Author);
        for seen in self.seen.iter().step_by(4) {
            let at = text(seen.at);
            let all = format!("/v1/articles?as_of={at}&limit=100&count=true");
            let one =
                self.model.articles.iter().map(|article| format!("/v1/articles/{}?as_of={at}", article.id));
            let sections = self.model.sections.iter().filter(|_| !self.is_moved);
            let sections =
                sections.map(|section| format!("/v1/articles?as_of={at}&limit=100&section={}", section.id));
            let mut answers =
                get_all(&author, std::iter::once(all).chain(one).chain(sections)).await.into_iter();
            let list = answers.next().unwrap().expect(200);
            let told = list.json["data"].as_array().unwrap().iter();
            let member = |article: &Value, name: &str| article[name].as_str().unwrap().to_owned();
            let entry = |article: &Value| {
                (member(article, "id"), member(article, "headline"), member(article, "slug"))
            };
            assert_eq!(told.map(entry).collect::<Vec<_>>(), seen.articles, "as of {at}");
            assert_eq!(list.json["page"]["total"], seen.articles.len(), "as of {at}");
            for article in &self.model.articles {
                let answer = answers.next().unwrap();
                match seen.articles.iter().find(|(id, _, _)| *id == article.id) {
                    None => drop(answer.problem(404, "not_found")),
                    Some(seen) => assert_eq!(entry(&answer.expect(200).json), *seen, "as of {at}"),
                }
            }
            for (section, ids) in seen.by_section.iter().enumerate().filter(|_| !self.is_moved) {
                assert_eq!(
                    answers.next().unwrap().expect(200).each("id"),
                    *ids,
                    "section {section} as of {at}"
                );
            }
        }
    }

    /// A mirror that follows the log has what readers see.
    async fn check_changes(&self) {
        let mut mirror = BTreeMap::<String, String>::new();
        let mut since = self.changes_from.clone();
        loop {
            let page = self.reader.get(&format!("/v1/changes?limit=100&since={since}")).await.expect(200);
            let changes = page.json["data"].as_array().unwrap();
            if changes.is_empty() {
                break;
            }
            since = page.json["page"]["next"].as_str().unwrap().to_owned();
            for change in changes {
                let id = change["entity_id"].as_str().unwrap();
                let (path, old_path) = (change["path"].as_str(), change["old_path"].as_str());
                if change["entity"] == "section" {
                    if let (Some(path), Some(old_path)) = (path, old_path) {
                        let old_path = format!("{old_path}/");
                        for known in mirror.values_mut() {
                            if let Some(rest) = known.strip_prefix(&old_path) {
                                *known = format!("{path}/{rest}");
                            }
                        }
                    }
                    continue;
                }
                let was = match change["kind"].as_str().unwrap() {
                    "removed" => mirror.remove(id),
                    _ => mirror.insert(id.to_owned(), path.unwrap().to_owned()),
                };
                assert_eq!(was.is_none(), change["kind"] == "created", "{change} after {was:?}");
                if let (Some(was), Some(old_path)) = (&was, old_path) {
                    assert_eq!(was, old_path, "{change}");
                }
            }
        }
        let public = self.model.public(None);
        let expected: BTreeMap<_, _> = public
            .into_iter()
            .map(|(article, shown)| (article.id.clone(), self.model.path(&shown.document)))
            .collect();
        assert_eq!(mirror, expected);
    }
}
