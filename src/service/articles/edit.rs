//! Write drafts. Every edit is one function over the document: load, change, check, save, count the version up.

use super::{
    ArticleView, Command, Outcome, act::take_first, allowed_actions, changed_draft, load_draft, publish,
    readable_record,
};
use crate::{
    domain::{
        article::{
            ArticleRecord, Document, DocumentByline, DocumentChanges, MAX_BYLINES, MAX_SECONDARY_SECTIONS,
            MAX_TAGS, Stage,
        },
        body::{self, BodySectionDraft, Builder},
        change::Entity,
        error::{Error, Faults},
        id::{ArticleId, AuthorId, BlockId, LinkId, SectionId, TagId},
        instant::Instant,
        link::{Link, LinkTarget, MAX_LINKS, NewLink},
        merge,
        permission::{Action, allows, require, require_on_article},
        slug::Reference,
        surroundings::SectionTree,
        user::{Actor, Principal},
        workflow::State,
    },
    service::{Newsroom, claim_slug},
    store::{
        articles::{self, Dates, Over, Slot},
        audit,
        conn::Db,
        sections, slugs,
    },
};

/// What is to be edited, by whom, and on which version of it they build; none builds on whatever is there.
#[derive(Debug, Clone)]
pub struct EditRequest {
    /// Who.
    pub principal: Principal,
    /// Which article.
    pub reference: Reference,
    /// Which version of the draft.
    pub version: Option<i64>,
    /// An edit of an older version is merged with what has happened since.
    pub merge: bool,
}

impl EditRequest {
    /// The caller and the record of the article, which is locked, if the caller may do this to it and builds on its
    /// version. What became due is recorded first.
    ///
    /// # Errors
    /// 401, 403, 404; 409 for an edit or correction of a retracted or archived article; 412 with what changed since if the version is stale.
    pub(super) fn begin(
        &self,
        db: &mut Db,
        room: &Newsroom,
        action: Action,
    ) -> Result<(&Actor, ArticleRecord), Error> {
        let (user, record) = self.admit(db, room, action)?;
        match self.version {
            Some(version) if version != record.version => Err(stale(db, &record, version)?),
            _ => Ok((user, record)),
        }
    }

    /// As [`Self::begin`], whatever the version.
    fn admit(&self, db: &mut Db, room: &Newsroom, action: Action) -> Result<(&Actor, ArticleRecord), Error> {
        let user = self.principal.user()?;
        let record = readable_record(db, &self.principal, &self.reference, true)?;
        let record = publish::settle(db, room, record)?;
        require_on_article(user, action, record.standing(user.id))?;
        let now = room.clock.now();
        let is_edit = matches!(action, Action::EditDraft | Action::Correct);
        if is_edit && !record.position_at(now).is_editable() {
            return Err(Error::InvalidTransition {
                detail: format!("The article is {}: reopen it to edit it.", record.state),
                allowed_actions: allowed_actions(user, &record, now),
            });
        }
        Ok((user, record))
    }

    /// The document on which an edit builds, if that is not the present one: the caller's version, to be merged.
    ///
    /// # Errors
    /// 412 if the version is stale and cannot be merged.
    fn base(&self, db: &mut Db, record: &ArticleRecord) -> Result<Option<Document>, Error> {
        match self.version {
            Some(version) if version != record.version => {
                let base = if self.merge { articles::document_at(db, record.id, version)? } else { None };
                base.map_or_else(|| Err(stale(db, record, version)?), |base| Ok(Some(base)))
            }
            _ => Ok(None),
        }
    }
}

/// What a caller with a stale version is told.
fn stale(db: &mut Db, record: &ArticleRecord, version: i64) -> Result<Error, Error> {
    let changed = articles::changed_since(db, record.id, version)?;
    Ok(Error::Stale { current_version: record.version, changed })
}

/// An edit under way.
pub(super) struct Edit<'a> {
    pub db: &'a mut Db,
    pub newsroom: &'a Newsroom,
    pub principal: &'a Principal,
    pub record: &'a ArticleRecord,
    pub document: &'a mut Document,
    /// The slug may be a former one of another article.
    pub take_slug: bool,
}

/// Edits the draft of an article under its version.
pub(super) async fn edit<T: Send + 'static>(
    newsroom: &Newsroom,
    on: EditRequest,
    change: impl FnOnce(&mut Edit<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<(ArticleView, T), Error> {
    let room = newsroom.clone();
    newsroom.store.write(move |db| edit_in(db, &room, &on, change)).await
}

/// Edits the draft of an article in a transaction.
pub(super) fn edit_in<T>(
    db: &mut Db,
    newsroom: &Newsroom,
    on: &EditRequest,
    change: impl FnOnce(&mut Edit<'_>) -> Result<T, Error>,
) -> Result<(ArticleView, T), Error> {
    let (user, record) = on.admit(db, newsroom, Action::EditDraft)?;
    let base = on.base(db, &record)?;
    let principal = &on.principal;
    let draft = load_draft(db, newsroom, principal, record.id)?;
    let old = Document::of(&draft)?;
    let mut new = base.clone().unwrap_or_else(|| old.clone());
    let (result, take_slug) = {
        let (record, document) = (&record, &mut new);
        let mut edit = Edit { db, newsroom, principal, record, document, take_slug: false };
        (change(&mut edit)?, edit.take_slug)
    };
    if let Some(base) = base {
        settle_links(&mut new, &base)?;
        body::finish(&mut new.body, &base.body)?;
        let current_version = record.version;
        new = merge::merge(&base, &old, &new)
            .map_err(|conflicts| Error::MergeConflict { current_version, conflicts })?;
        // Each side kept the limits; both together may not.
        let mut faults = Faults::default();
        check_count(&mut faults, "/tags", new.tags.len(), MAX_TAGS);
        check_count(&mut faults, "/sections", new.sections.len(), MAX_SECONDARY_SECTIONS);
        faults.check()?;
    }
    settle_links(&mut new, &old)?;
    body::finish(&mut new.body, &old.body)?;
    let changed = old.differences(&new);
    let mut loser = None;
    if take_slug && old.slug != new.slug {
        // Readers lose a redirect by it.
        require_on_article(user, Action::Publish, record.standing(user.id))?;
        loser = slugs::claim_former(db, new.slug.as_str(), record.id.get())?;
    }
    if !changed.is_empty() {
        save_edit(db, newsroom, &record, user.id, &old, &new, &changed)?;
    }
    let view = changed_draft(db, newsroom, principal, record.id)?;
    if let Some(loser) = loser {
        publish::record_lost_slug(db, newsroom, principal, loser)?;
    }
    Ok((view, result))
}

pub(super) fn save_edit(
    db: &mut Db,
    newsroom: &Newsroom,
    record: &ArticleRecord,
    user: crate::domain::id::UserId,
    old: &Document,
    new: &Document,
    changed: &[String],
) -> Result<(), Error> {
    let now = newsroom.clock.now();
    let version = articles::advance_version(db, record.id, record.version)?;
    if old.slug != new.slug {
        slugs::claim(db, Entity::Article, new.slug.as_str(), record.id.get(), false)?;
        slugs::release(db, Entity::Article, old.slug.as_str())?;
    }
    let tree = newsroom.site.held_tree(db)?;
    articles::save(db, record.id, draft_slot(record, version, now, &tree), new, Over::Known(old))?;
    articles::record_edit(db, record.id, version, now, user, changed, old)
}

fn draft_slot<'a>(record: &ArticleRecord, version: i64, now: Instant, tree: &'a SectionTree) -> Slot<'a> {
    let dates = Dates {
        live_from: None,
        live_until: None,
        planned_until: None,
        published_at: None,
        updated_at: now,
        listed_at: record.created_at,
    };
    Slot { stage: Stage::Draft, version, dates, tree, body: None }
}

/// Makes links and `read_more` blocks one truth: a link whose block is gone goes too, and each block has its link.
fn settle_links(document: &mut Document, old: &Document) -> Result<(), Error> {
    if document.body == old.body && document.links == old.links {
        return Ok(());
    }
    let inline: Vec<(LinkId, BlockId)> = body::inline_links(&document.body).collect();
    let mut faults = Faults::default();
    for (link, block) in &inline {
        match document.links.iter_mut().find(|known| known.id == *link) {
            Some(known) => known.block_id = Some(*block),
            None => {
                faults.add("/body", "unknown_link", format!("the article has no link {link} (block {block})"))
            }
        }
    }
    document.links.retain(|link| link.block_id.is_none_or(|block| inline.contains(&(link.id, block))));
    if document.links.len() > MAX_LINKS {
        faults.add("/body", "too_many", format!("must have at most {MAX_LINKS} links"));
    }
    faults.check()
}

impl Edit<'_> {
    pub(super) fn builder(&self) -> Builder<'_> {
        Builder::new(&self.newsroom.ids, &self.document.body, self.record.first_published_at.is_some())
    }

    /// A target that the caller may link to: one that exists and that they may read.
    pub(super) fn check_target(
        &mut self,
        faults: &mut Faults,
        pointer: &str,
        target: &LinkTarget,
    ) -> Result<(), Error> {
        let LinkTarget::Article(id) = target else { return Ok(()) };
        if *id == self.record.id {
            faults.add(pointer, "links_itself", "an article cannot link to itself");
            return Ok(());
        }
        let user = self.principal.user()?;
        let found = articles::find_record(self.db, *id)?;
        let may_see = found.is_some_and(|target| {
            target.live.is_some() || allows(user, Action::ReadDraft, target.standing(user.id))
        });
        if !may_see {
            faults.add(pointer, "unknown_article", "there is no such article");
        }
        Ok(())
    }

    /// Adds links of new `read_more` blocks.
    pub(super) fn add_links(
        &mut self,
        faults: &mut Faults,
        links: Vec<(LinkId, NewLink)>,
    ) -> Result<(), Error> {
        for (id, new) in links {
            let known = faults.is_empty();
            self.check_target(faults, "/body", &new.target)?;
            if known || faults.is_empty() {
                let NewLink { label, kind, target } = new;
                self.document.links.push(Link { id, label, kind, target, block_id: None });
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, changes: DocumentChanges) -> Result<(), Error> {
        let mut faults = Faults::default();
        self.take_slug = changes.take_slug;
        macro_rules! set {
            ($($field:ident),*) => {$( if let Some(value) = changes.$field { self.document.$field = value; } )*};
        }
        set!(slug, kind, headline, standfirst, kicker, lead_image, language, dateline, access, seo);

        if let Some(section) = changes.section {
            let found =
                self.references(&mut faults, Entity::Section, section.as_slice(), |_| "/section".to_owned())?;
            self.document.section = found.first().copied().map(SectionId::new);
            let main = self.document.section;
            self.document.sections.retain(|section| Some(*section) != main);
        }
        if let Some(sections) = changes.sections {
            check_count(&mut faults, "/sections", sections.len(), MAX_SECONDARY_SECTIONS);
            let found = self
                .references(&mut faults, Entity::Section, &sections, |index| format!("/sections/{index}"))?;
            let main = self.document.section;
            self.document.sections =
                found.into_iter().map(SectionId::new).filter(|id| Some(*id) != main).collect();
        }
        if let Some(tags) = changes.tags {
            check_count(&mut faults, "/tags", tags.len(), MAX_TAGS);
            let found = self.references(&mut faults, Entity::Tag, &tags, |index| format!("/tags/{index}"))?;
            self.document.tags = found.into_iter().map(TagId::new).collect();
        }
        if let Some(bylines) = changes.bylines {
            check_count(&mut faults, "/bylines", bylines.len(), MAX_BYLINES);
            let mut written = Vec::new();
            for (index, byline) in bylines.into_iter().enumerate() {
                let pointer = |_| format!("/bylines/{index}/author");
                let author =
                    self.references(&mut faults, Entity::Author, byline.author.as_slice(), pointer)?;
                let author = author.first().copied().map(AuthorId::new);
                written.push(DocumentByline { author, name: byline.name, role: byline.role });
            }
            self.document.bylines = written;
        }
        if let Some(sections) = changes.body {
            self.set_body(&mut faults, sections)?;
        }
        faults.check()
    }

    fn set_body(&mut self, faults: &mut Faults, sections: Vec<BodySectionDraft>) -> Result<(), Error> {
        let mut builder = self.builder();
        let sections = sections.into_iter().enumerate();
        let body =
            sections.map(|(index, section)| builder.section(&format!("/body/{index}"), section)).collect();
        let Builder { new_links, faults: found, .. } = builder;
        faults.extend(found.into_vec());
        self.document.body = body;
        self.add_links(faults, new_links)
    }

    /// The ids that references mean; each that means nothing is a fault.
    pub(super) fn references(
        &mut self,
        faults: &mut Faults,
        entity: Entity,
        references: &[Reference],
        pointer: impl Fn(usize) -> String,
    ) -> Result<Vec<i64>, Error> {
        let ids = slugs::resolve(self.db, entity, references)?;
        let existing =
            articles::existing(self.db, entity, &ids.iter().copied().flatten().collect::<Vec<_>>())?;
        let mut found = Vec::new();
        for (index, id) in ids.into_iter().enumerate() {
            match id {
                Some(id) if existing.contains(&id) => {
                    if !found.contains(&id) {
                        found.push(id);
                    }
                }
                _ => {
                    let name = entity.as_str();
                    let code = match entity {
                        Entity::Section => "unknown_section",
                        Entity::Tag => "unknown_tag",
                        _ => "unknown_author",
                    };
                    faults.add(pointer(index), code, format!("there is no such {name}"));
                }
            }
        }
        Ok(found)
    }
}

fn check_count(faults: &mut Faults, pointer: &str, count: usize, max: usize) {
    if count > max {
        faults.add(pointer, "too_many", format!("must have at most {max} items"));
    }
}

/// Makes an article: a draft, on which a step is taken at once if one is given. Then the draft is there with what the step
/// did, or not at all.
///
/// # Errors
/// 409 if the slug belongs to another; 422 with every fault; those of [`super::act`].
pub async fn create(
    newsroom: &Newsroom,
    principal: Principal,
    changes: DocumentChanges,
    then: Option<Command>,
) -> Result<(ArticleView, Option<Outcome>), Error> {
    let user = require(&principal, Action::CreateArticle)?.id;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            // As for an article that is there already, before anything else is locked.
            sections::hold(db)?;
            // All that follows happens at one instant.
            let room = room.frozen();
            let now = room.clock.now();
            let record = ArticleRecord {
                id: ArticleId::new(room.ids.next()),
                state: State::Draft,
                version: 1,
                live_version: None,
                created_by: user,
                created_at: now,
                first_published_at: None,
                assignee: None,
                retraction_reason: None,
                release: None,
                live: None,
                scheduled: None,
                byline_users: Vec::new(),
            };
            let headline = changes.headline.clone().unwrap_or_default();
            let id = record.id.get();
            let mut loser = None;
            let slug = match &changes.slug {
                Some(slug) if changes.take_slug => {
                    require_on_article(principal.user()?, Action::Publish, record.standing(user))?;
                    loser = slugs::claim_former(db, slug.as_str(), id)?;
                    slug.clone()
                }
                slug => claim_slug(db, Entity::Article, slug.clone(), &headline, id, false)?,
            };
            let empty = Document {
                slug,
                kind: Default::default(),
                headline,
                standfirst: None,
                kicker: None,
                section: None,
                sections: Vec::new(),
                tags: Vec::new(),
                bylines: Vec::new(),
                lead_image: None,
                language: room.site.get(db)?.language.clone(),
                dateline: None,
                access: Default::default(),
                seo: Default::default(),
                body: Vec::new(),
                links: Vec::new(),
            };
            let mut document = empty.clone();
            let (newsroom, principal) = (&room, &principal);
            let mut edit =
                Edit { db, newsroom, principal, record: &record, document: &mut document, take_slug: false };
            edit.apply(changes)?;
            settle_links(&mut document, &empty)?;
            body::finish(&mut document.body, &empty.body)?;
            articles::insert_record(db, &record)?;
            let tree = room.site.held_tree(db)?;
            articles::save(db, record.id, draft_slot(&record, 1, now, &tree), &document, Over::Nothing)?;
            let made = match then {
                None => (changed_draft(db, &room, principal, record.id)?, None),
                Some(command) => {
                    // Two things are done in one request, and the audit log tells both.
                    audit::each("article", id, "create");
                    audit::each("article", id, command.step().0.as_str());
                    let done = take_first(db, &room, principal, record, document, &command);
                    let done = done.map_err(|error| error.under("/publish"))?;
                    (done.view, Some(done.outcome))
                }
            };
            if let Some(loser) = loser {
                publish::record_lost_slug(db, &room, principal, loser)?;
            }
            Ok(made)
        })
        .await
}

/// Edits the fields of a draft.
///
/// # Errors
/// 403, 404, 409 for a slug that belongs to another, 412 for a stale version, 422 with every fault.
pub async fn update(
    newsroom: &Newsroom,
    on: EditRequest,
    changes: DocumentChanges,
) -> Result<ArticleView, Error> {
    edit(newsroom, on, |edit| edit.apply(changes)).await.map(|(view, ())| view)
}

/// Sorts items into an order of their ids.
pub(super) fn reorder<T, I: PartialEq>(
    items: &mut [T],
    order: &[I],
    id: impl Fn(&T) -> I,
) -> Result<(), Error> {
    let is_complete = order.len() == items.len() && items.iter().all(|item| order.contains(&id(item)));
    if !is_complete {
        return Err(Error::invalid("/order", "incomplete_order", "must name every one exactly once"));
    }
    items.sort_by_key(|item| order.iter().position(|wanted| *wanted == id(item)));
    Ok(())
}
