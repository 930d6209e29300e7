//! Releases: put together, check, schedule, publish, cancel.

use std::collections::{HashMap, HashSet};

use super::{
    Newsroom,
    articles::{self as article_service, Outcome, Publication},
    check_version,
};
use crate::{
    domain::{
        article::ArticleRecord,
        change::Entity,
        error::{Error, Faults},
        id::{ArticleId, ReleaseId},
        instant::Instant,
        link::InboundLink,
        page::{Page, PageRequest},
        permission::{Action, require},
        preflight::Finding,
        release::{MAX_ITEMS, Release, ReleaseAction, ReleaseChanges, ReleaseState},
        slug::Reference,
        user::{Actor, Principal, UserCard},
    },
    store::{articles, conn::Db, releases, slugs},
};

/// What to do with a release.
#[derive(Debug, Clone, Copy)]
pub enum ReleaseCommand {
    /// Let it take effect, now or at an instant.
    Release {
        /// When; now if there is none or it has passed.
        at: Option<Instant>,
        /// The caller has seen the warnings.
        confirm_warnings: bool,
    },
    /// Take a schedule back.
    Cancel,
}

/// A page of releases, the newest first.
///
/// # Errors
/// 401, 403.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    state: Option<ReleaseState>,
    page: PageRequest,
) -> Result<Page<Release>, Error> {
    require(principal, Action::EditReleases)?;
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let mut page = releases::list(db, state, &page)?;
            page.items.iter_mut().for_each(|release| release.state = state_at(release, now));
            Ok(page)
        })
        .await
}

/// What was due counts, whether or not it has been recorded yet.
fn state_at(release: &Release, now: Instant) -> ReleaseState {
    match release.state {
        ReleaseState::Scheduled if release.at.is_some_and(|at| at <= now) => ReleaseState::Released,
        state => state,
    }
}

/// One release.
///
/// # Errors
/// 401, 403, 404.
pub async fn get(newsroom: &Newsroom, principal: &Principal, id: ReleaseId) -> Result<Release, Error> {
    require(principal, Action::EditReleases)?;
    let now = newsroom.clock.now();
    newsroom.store.read(move |db| found(releases::find(db, id)?, now)).await
}

fn found(release: Option<Release>, now: Instant) -> Result<Release, Error> {
    let release = release.ok_or_else(|| Error::not_found("release"))?;
    Ok(Release { state: state_at(&release, now), ..release })
}

/// The articles that references mean; each that means nothing, or is named twice, is a fault.
fn resolve(
    db: &mut Db,
    items: &[(Reference, ReleaseAction)],
) -> Result<Vec<(ArticleId, ReleaseAction)>, Error> {
    let mut faults = Faults::default();
    if items.len() > MAX_ITEMS {
        faults.add("/items", "too_many", format!("must have at most {MAX_ITEMS} items"));
        return faults.check().map(|()| Vec::new());
    }
    let references: Vec<Reference> = items.iter().map(|(reference, _)| reference.clone()).collect();
    let ids = slugs::resolve(db, Entity::Article, &references)?;
    let existing =
        articles::existing(db, Entity::Article, &ids.iter().copied().flatten().collect::<Vec<_>>())?;
    let mut found = Vec::<(ArticleId, ReleaseAction)>::new();
    for (index, (id, (_, action))) in ids.into_iter().zip(items).enumerate() {
        let pointer = format!("/items/{index}/article");
        match id.filter(|id| existing.contains(id)).map(ArticleId::new) {
            None => faults.add(pointer, "unknown_article", "there is no such article"),
            Some(id) if found.iter().any(|(known, _)| *known == id) => {
                faults.add(pointer, "repeated", "is in the release already");
            }
            Some(id) => found.push((id, *action)),
        }
    }
    faults.check().map(|()| found)
}

/// Makes a release: a draft, of which readers see nothing.
///
/// # Errors
/// 401, 403; 422 for articles that do not exist or are named twice.
pub async fn create(
    newsroom: &Newsroom,
    principal: &Principal,
    changes: ReleaseChanges,
) -> Result<Release, Error> {
    let user = require(principal, Action::EditReleases)?;
    let (now, id) = (newsroom.clock.now(), ReleaseId::new(newsroom.ids.next()));
    let release = Release {
        id,
        name: changes.name.unwrap_or_default(),
        description: changes.description.flatten(),
        state: ReleaseState::Draft,
        at: None,
        items: Vec::new(),
        version: 1,
        created_by: UserCard { id: user.id, name: user.name.clone() },
        created_at: now,
        updated_at: now,
    };
    newsroom
        .store
        .write(move |db| {
            let items = resolve(db, &changes.items.unwrap_or_default())?;
            releases::insert(db, &release)?;
            releases::set_items(db, id, &items)?;
            found(releases::find(db, id)?, now)
        })
        .await
}

/// The release, locked, if it is still a draft of this version.
fn lock_draft(db: &mut Db, id: ReleaseId, version: Option<i64>, now: Instant) -> Result<Release, Error> {
    let release = found(releases::lock(db, id)?, now)?;
    check_version(version, release.version)?;
    match release.state {
        ReleaseState::Draft => Ok(release),
        ReleaseState::Scheduled => Err(Error::conflict("The release is scheduled. Cancel it first.")),
        ReleaseState::Released => Err(Error::conflict("The release has taken effect.")),
    }
}

/// Edits a release that is not scheduled.
///
/// # Errors
/// 401, 403, 404; 409 if it is scheduled or has taken effect; 412 if `version` is given and stale; 422 as for
/// [`create`].
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    id: ReleaseId,
    version: Option<i64>,
    changes: ReleaseChanges,
) -> Result<Release, Error> {
    require(principal, Action::EditReleases)?;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let old = lock_draft(db, id, version, now)?;
            if let Some(items) = &changes.items {
                let items = resolve(db, items)?;
                releases::set_items(db, id, &items)?;
            }
            let new = Release {
                name: changes.name.unwrap_or(old.name),
                description: changes.description.unwrap_or(old.description),
                version: old.version + 1,
                updated_at: now,
                ..old
            };
            releases::update(db, &new)?;
            found(releases::find(db, id)?, now)
        })
        .await
}

/// Deletes a release that is not scheduled. Its articles stay as they are.
///
/// # Errors
/// 401, 403, 404; 409 while it is scheduled; 412 if `version` is given and stale.
pub async fn delete(
    newsroom: &Newsroom,
    principal: &Principal,
    id: ReleaseId,
    version: Option<i64>,
) -> Result<(), Error> {
    require(principal, Action::EditReleases)?;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let release = found(releases::lock(db, id)?, now)?;
            check_version(version, release.version)?;
            if release.state == ReleaseState::Scheduled {
                return Err(Error::conflict("The release is scheduled. Cancel it first."));
            }
            releases::delete(db, id)
        })
        .await
}

/// What would keep a release from taking effect now, and what somebody should look at before. Pointers begin with the
/// place of the article in the release.
///
/// # Errors
/// 401, 403, 404.
pub async fn preflight(
    newsroom: &Newsroom,
    principal: Principal,
    id: ReleaseId,
) -> Result<Vec<Finding>, Error> {
    require(&principal, Action::EditReleases)?;
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let release = found(releases::find(db, id)?, room.clock.now())?;
            let user = principal.user()?;
            let records = articles::records(db, &article_ids(&release))?;
            let plan = Plan::new(&room, user, &release, records, room.clock.now());
            plan.findings(db)
        })
        .await
}

fn article_ids(release: &Release) -> Vec<ArticleId> {
    release.items.iter().map(|item| item.article_id).collect()
}

/// Lets a release take effect, now or at an instant, or takes its schedule back; with `dry_run` tells what would come of
/// it and changes nothing. All of its articles change, or none.
///
/// # Errors
/// 401, 403, 404; 409 if the release does not stand where the command fits; 412 if `version` is given and stale; 422
/// with everything that keeps any of its articles from it.
pub async fn act(
    newsroom: &Newsroom,
    principal: Principal,
    id: ReleaseId,
    version: Option<i64>,
    command: ReleaseCommand,
    dry_run: bool,
) -> Result<(Release, Outcome), Error> {
    require(&principal, Action::EditReleases)?;
    let room = newsroom.clone();
    let work = move |db: &mut Db| {
        let user = principal.user()?;
        let (release, outcome) = match command {
            ReleaseCommand::Release { at, confirm_warnings } => {
                take_effect(db, &room, user, id, version, at, confirm_warnings)?
            }
            ReleaseCommand::Cancel => (cancel(db, &room, id, version)?, Outcome::default()),
        };
        Ok((release, Outcome { dry_run, ..outcome }))
    };
    if dry_run { newsroom.store.rehearse(work).await } else { newsroom.store.write(work).await }
}

fn take_effect(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    id: ReleaseId,
    version: Option<i64>,
    at: Option<Instant>,
    confirm_warnings: bool,
) -> Result<(Release, Outcome), Error> {
    let release = lock_draft(db, id, version, room.clock.now())?;
    if release.items.is_empty() {
        return Err(Error::conflict("The release has no articles."));
    }
    let records = article_service::lock_settled(db, room, article_ids(&release))?;
    // From here on, all happens at one instant.
    let room = room.frozen();
    let now = room.clock.now();
    let at = at.filter(|at| *at > now);
    let plan = Plan::new(&room, user, &release, records, at.unwrap_or(now));
    let findings = plan.findings(db)?;
    let confirmed = confirm_warnings || !room.site.get(db)?.confirm_warnings;
    article_service::check_findings(&findings, confirmed)?;
    let affected_links = plan.affected_links(db)?;
    plan.carry_out(db, at)?;
    let state = if at.is_some() { ReleaseState::Scheduled } else { ReleaseState::Released };
    let at = Some(at.unwrap_or(now));
    let release = Release { state, at, version: release.version + 1, updated_at: now, ..release };
    releases::update(db, &release)?;
    let release = found(releases::find(db, id)?, now)?;
    Ok((release, Outcome { dry_run: false, findings, affected_links }))
}

fn cancel(db: &mut Db, room: &Newsroom, id: ReleaseId, version: Option<i64>) -> Result<Release, Error> {
    let release = found(releases::lock(db, id)?, room.clock.now())?;
    check_version(version, release.version)?;
    let records = article_service::lock_settled(db, room, article_ids(&release))?;
    // It may have become due while we waited for its articles.
    let now = room.clock.now();
    if state_at(&release, now) != ReleaseState::Scheduled {
        return Err(Error::conflict("The release is not scheduled."));
    }
    for record in records.into_iter().filter(|record| record.release == Some(id)) {
        article_service::let_go(db, record)?;
    }
    let (state, version) = (ReleaseState::Draft, release.version + 1);
    releases::update(db, &Release { state, at: None, version, updated_at: now, ..release })?;
    found(releases::find(db, id)?, now)
}

/// What a release will do to its articles.
struct Plan<'a> {
    room: &'a Newsroom,
    user: &'a Actor,
    release: &'a Release,
    records: HashMap<ArticleId, ArticleRecord>,
    at: Instant,
    coming: HashSet<ArticleId>,
    going: HashSet<ArticleId>,
}

impl<'a> Plan<'a> {
    fn new(
        room: &'a Newsroom,
        user: &'a Actor,
        release: &'a Release,
        records: Vec<ArticleRecord>,
        at: Instant,
    ) -> Self {
        let with = |action| {
            let items = release.items.iter().filter(move |item| item.action == action);
            items.map(|item| item.article_id).collect()
        };
        let records = records.into_iter().map(|record| (record.id, record)).collect();
        let (coming, going) = (with(ReleaseAction::Publish), with(ReleaseAction::Unpublish));
        Self { room, user, release, records, at, coming, going }
    }

    /// What the check finds in all articles of the release.
    fn findings(&self, db: &mut Db) -> Result<Vec<Finding>, Error> {
        let mut all = Vec::new();
        for (index, item) in self.release.items.iter().enumerate() {
            let Some(record) = self.records.get(&item.article_id) else { continue };
            let found = article_service::check_member(
                db,
                self.room,
                self.user,
                record,
                item.action,
                self.at,
                (&self.coming, &self.going),
            )?;
            all.extend(found.into_iter().map(|finding| {
                let pointer = format!("/items/{index}/article{}", finding.pointer);
                let mut params = finding.params;
                params.insert("article_id".to_owned(), item.article_id.to_string().into());
                Finding { pointer, params, ..finding }
            }));
        }
        all.sort_by_key(|finding| finding.severity);
        Ok(all)
    }

    /// Links of articles outside the release that readers lose.
    fn affected_links(&self, db: &mut Db) -> Result<Vec<InboundLink>, Error> {
        let mut affected = Vec::new();
        let principal = Principal::of(self.user);
        for id in &self.going {
            let inbound = article_service::inbound_of(db, self.room, &principal, *id)?;
            affected.extend(inbound.into_iter().filter(|link| !self.going.contains(&link.article_id)));
        }
        Ok(affected)
    }

    fn carry_out(&self, db: &mut Db, later: Option<Instant>) -> Result<(), Error> {
        for item in &self.release.items {
            let Some(record) = self.records.get(&item.article_id) else { continue };
            let mut record = record.clone();
            record.release = later.map(|_| self.release.id);
            match item.action {
                ReleaseAction::Publish => {
                    let note = Some(format!("Release {:?}", self.release.name));
                    let how = Publication { at: later, note, ..Default::default() };
                    article_service::publish_member(db, self.room, self.user, record, &how)?;
                }
                ReleaseAction::Unpublish => {
                    article_service::unpublish_member(db, self.room, self.user, record, later)?;
                }
            }
        }
        Ok(())
    }
}
