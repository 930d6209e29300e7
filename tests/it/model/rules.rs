//! What the newsroom promises, as plainly as it can be said. No code of the crate is used here.

use std::collections::BTreeSet;

/// Who acts; each of them is one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Contributor,
    Author,
    Editor,
}

use Who::{Author, Contributor, Editor};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub headline: String,
    pub slug: String,
    pub text: Option<String>,
    pub section: Option<usize>,
}

/// A document that readers see, or will see. Instants are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub document: Document,
    pub version: i64,
    pub from: i64,
    pub until: Option<i64>,
    pub published_at: i64,
}

#[derive(Debug, Clone)]
pub struct Revision {
    pub kind: &'static str,
    pub document: Document,
}

#[derive(Debug, Clone)]
pub struct Article {
    pub id: String,
    pub owner: Who,
    pub state: &'static str,
    pub draft: Document,
    pub version: i64,
    pub live: Option<Shown>,
    pub next: Option<Shown>,
    /// The version at which the draft was what readers see.
    pub in_step: i64,
    pub first_published_at: Option<i64>,
    /// The slugs that readers know it by, the present one included.
    pub known_as: BTreeSet<String>,
    pub revisions: Vec<Revision>,
}

/// What can be done to an article, in the order in which it is told.
pub const ACTIONS: [&str; 11] = [
    "edit",
    "submit",
    "return",
    "publish",
    "unschedule",
    "unpublish",
    "discard",
    "retract",
    "archive",
    "reopen",
    "delete",
];

impl Article {
    pub fn new(id: String, owner: Who, draft: Document) -> Self {
        Self {
            id,
            owner,
            state: "draft",
            draft,
            version: 1,
            live: None,
            next: None,
            in_step: 0,
            first_published_at: None,
            known_as: BTreeSet::new(),
            revisions: Vec::new(),
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: i64) {
        let begins = self.next.as_ref().map(|next| next.from).filter(|from| *from <= now);
        let ends = self.live.as_ref().and_then(|live| live.until);
        if ends.is_some_and(|until| until <= begins.unwrap_or(now)) {
            self.live = None;
            self.state = if self.next.is_some() { "scheduled" } else { "unpublished" };
        }
        if begins.is_some()
            && let Some(next) = self.next.take()
        {
            self.show(next);
            self.tick(now);
        }
    }

    fn show(&mut self, shown: Shown) {
        self.known_as.insert(shown.document.slug.clone());
        self.first_published_at.get_or_insert(shown.published_at);
        self.in_step = shown.version;
        self.live = Some(shown);
        self.state = "published";
    }

    /// Until when readers see what they see now, as things stand.
    pub fn live_until(&self) -> Option<i64> {
        let next = self.next.as_ref().map(|next| next.from);
        self.live.as_ref().and_then(|live| live.until).into_iter().chain(next).min()
    }

    pub fn has_changes(&self) -> bool {
        self.live.is_some() && self.version != self.in_step
    }

    pub fn may_read(&self, who: Who) -> bool {
        self.owner == who || who != Contributor
    }

    pub fn may(&self, who: Who, action: &str) -> bool {
        let own = self.owner == who;
        let never_public = self.first_published_at.is_none();
        match (who, action) {
            (Editor, _) => true,
            (Contributor, "edit") => own && never_public,
            (Contributor, "submit") => own,
            (Author, "edit" | "submit" | "publish" | "unschedule" | "unpublish" | "discard") => own,
            (Author, "delete") => own && never_public,
            _ => false,
        }
    }

    pub fn is_open(&self, action: &str) -> bool {
        match action {
            "edit" => !matches!(self.state, "retracted" | "archived"),
            "submit" => matches!(self.state, "draft" | "unpublished"),
            "return" => self.state == "in_review",
            "publish" => !matches!(self.state, "retracted" | "archived"),
            "unschedule" => self.next.is_some(),
            "unpublish" => self.state == "published",
            "discard" => self.has_changes(),
            "retract" => matches!(self.state, "published" | "unpublished"),
            "archive" => matches!(self.state, "draft" | "in_review" | "published" | "unpublished"),
            "reopen" => matches!(self.state, "retracted" | "archived"),
            "delete" => !matches!(self.state, "published" | "scheduled"),
            _ => unreachable!("{action}"),
        }
    }

    pub fn allowed(&self, who: Who) -> Vec<&'static str> {
        ACTIONS.into_iter().filter(|action| self.may(who, action) && self.is_open(action)).collect()
    }

    pub fn is_ready(&self) -> bool {
        self.draft.text.is_some() && self.draft.section.is_some()
    }

    /// Names that no other article can have.
    pub fn holds(&self, slug: &str) -> bool {
        let next = self.next.as_ref().map(|next| &next.document.slug);
        self.draft.slug == slug || next.is_some_and(|next| next == slug) || self.known_as.contains(slug)
    }

    pub fn edit(&mut self, document: Document) {
        if self.draft != document {
            self.draft = document;
            self.version += 1;
        }
    }

    pub fn keep(&mut self, kind: &'static str, document: Document) {
        self.revisions.push(Revision { kind, document });
    }

    /// Publishes the draft at `from`, which may be now.
    pub fn publish(&mut self, now: i64, from: i64, until: Option<i64>) {
        let live = self.live.as_ref();
        let published_at = live.map_or(from, |live| live.published_at);
        let since = live.map_or(from, |live| live.from);
        let from = if from > now { from } else { since };
        let shown = Shown { document: self.draft.clone(), version: self.version, from, until, published_at };
        self.keep("publication", self.draft.clone());
        if from > now {
            self.next = Some(shown);
            if self.state != "published" {
                self.state = "scheduled";
            }
        } else {
            self.next = None;
            self.show(shown);
        }
    }

    /// Takes a step that needs no more than its name.
    pub fn take(&mut self, step: &str) {
        let at_rest = if self.first_published_at.is_some() { "unpublished" } else { "draft" };
        match step {
            "submit" => self.state = "in_review",
            "return" | "reopen" => self.state = at_rest,
            "unschedule" => {
                self.next = None;
                if self.state == "scheduled" {
                    self.state = at_rest;
                }
            }
            "unpublish" | "retract" | "archive" => {
                (self.live, self.next) = (None, None);
                self.state = match step {
                    "unpublish" => "unpublished",
                    "retract" => "retracted",
                    _ => "archived",
                };
            }
            "discard" => {
                self.keep("backup", self.draft.clone());
                if let Some(live) = self.live.clone() {
                    self.edit(live.document);
                }
                self.in_step = self.version;
            }
            _ => unreachable!("{step}"),
        }
    }

    pub fn restore(&mut self, document: Document) {
        self.keep("backup", self.draft.clone());
        self.edit(document);
    }
}

#[derive(Debug, Clone)]
pub struct Section {
    pub id: String,
    pub slug: String,
    pub parent: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub struct Newsroom {
    pub articles: Vec<Article>,
    pub sections: Vec<Section>,
}

impl Newsroom {
    pub fn tick(&mut self, now: i64) {
        self.articles.iter_mut().for_each(|article| article.tick(now));
    }

    pub fn section_path(&self, section: usize) -> String {
        let Section { slug, parent, .. } = &self.sections[section];
        format!("{}/{slug}", parent.map(|parent| self.section_path(parent)).unwrap_or_default())
    }

    pub fn path(&self, document: &Document) -> String {
        format!(
            "{}/{}",
            document.section.map(|section| self.section_path(section)).unwrap_or_default(),
            document.slug
        )
    }

    fn lies_in(&self, section: usize, above: usize) -> bool {
        section == above || self.sections[section].parent.is_some_and(|parent| self.lies_in(parent, above))
    }

    /// What readers see, in a section or everywhere, the newest first.
    pub fn public(&self, section: Option<usize>) -> Vec<(&Article, &Shown)> {
        let shown = self.articles.iter().filter_map(|article| Some((article, article.live.as_ref()?)));
        let is_listed = |shown: &Shown| match (section, shown.document.section) {
            (Some(above), Some(section)) => self.lies_in(section, above),
            (wanted, _) => wanted.is_none(),
        };
        let mut shown: Vec<_> = shown.filter(|(_, shown)| is_listed(shown)).collect();
        let order =
            |(article, shown): &(&Article, &Shown)| (shown.published_at, article.id.parse::<i64>().unwrap());
        shown.sort_by_key(|entry| std::cmp::Reverse(order(entry)));
        shown
    }

    pub fn is_taken(&self, slug: &str, by_other_than: Option<usize>) -> bool {
        let mut articles = self.articles.iter().enumerate();
        articles.any(|(index, article)| Some(index) != by_other_than && article.holds(slug))
    }
}
