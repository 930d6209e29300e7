//! What makes an article public and takes it away: now, at a set instant, and when that instant has passed.

use super::{act, corrections::add_update, load};
use crate::{
    domain::{
        article::{Article, ArticleRecord, Document, LiveDates, Stage},
        change::{Change, ChangeKind, Entity},
        error::Error,
        id::{ArticleId, UserId},
        instant::Instant,
        revision::RevisionKind,
        surrogate::SurrogateKeys,
        surroundings::SectionTree,
        user::{Actor, Principal},
        workflow::{State, Step},
    },
    service::Newsroom,
    store::{
        articles::{self, Dates, Over, Slot, corrections, revisions},
        changes,
        conn::Db,
        releases, slugs,
    },
};

/// How an article is to be published.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// From when on readers see it; now if nothing is said or the instant has passed.
    pub at: Option<Instant>,
    /// Until when.
    pub until: Option<Instant>,
    /// The date that readers are shown, for what was published elsewhere before.
    pub published_at: Option<Instant>,
    /// Readers are told that it was updated.
    pub updated: bool,
    /// What they are told of it: a correction of the kind `update`.
    pub update_note: Option<String>,
    /// For the revision.
    pub note: Option<String>,
    /// The caller has seen the warnings.
    pub confirm_warnings: bool,
}

/// Keeps a document as a revision.
pub(super) fn keep(
    db: &mut Db,
    snapshot: &Article,
    kind: RevisionKind,
    actor: UserId,
    at: Instant,
    note: Option<&str>,
) -> Result<i32, Error> {
    revisions::insert(db, revisions::NewRevision { snapshot, kind, at, actor, note })
}

/// The keys of all that shows an article, and of the lists in which it is or was.
fn surrogate_keys<'a>(tree: &SectionTree, articles: impl IntoIterator<Item = &'a Article>) -> SurrogateKeys {
    let mut keys = SurrogateKeys::default();
    for article in articles {
        keys = keys.one(Entity::Article, article.id.get());
        for section in article.section.iter().chain(&article.sections) {
            for id in tree.ancestors(section.id) {
                keys = keys.articles_of(Entity::Section, id.get());
            }
        }
        for tag in &article.tags {
            keys = keys.articles_of(Entity::Tag, tag.id.get());
        }
        for author in article.bylines.iter().filter_map(|byline| byline.author.as_ref()) {
            keys = keys.articles_of(Entity::Author, author.id.get());
        }
    }
    keys
}

/// Records what readers notice: `before` and `after` are what they saw and see.
///
/// # Errors
/// Those of the database.
pub fn record_change(
    db: &mut Db,
    room: &Newsroom,
    id: ArticleId,
    before: Option<&Article>,
    after: Option<&Article>,
    at: Instant,
    actor: Option<UserId>,
) -> Result<(), Error> {
    let kind = match (before, after) {
        (_, None) => ChangeKind::Removed,
        (None, Some(_)) => ChangeKind::Created,
        (Some(_), Some(_)) => ChangeKind::Updated,
    };
    // What was loaded may show a tree that has changed since.
    let (site, tree) = (room.site.get(db)?, room.site.held_tree(db)?);
    let path_of = |article: &Article| {
        let section = article.section.as_ref().and_then(|section| tree.card(section.id));
        let date = article.first_published_at.unwrap_or(at);
        site.permalink.path(article.id, article.slug.as_str(), section.map(|card| card.path.as_str()), date)
    };
    let path = after.map(path_of);
    let old_path = before.map(path_of).filter(|old| Some(old) != path.as_ref());
    let mut surrogate_keys = surrogate_keys(&tree, before.into_iter().chain(after));
    if before.is_none() {
        // Links to it, which readers did not see, appear.
        let linking = articles::linking(db, id)?.into_iter().filter(|source| *source != id);
        surrogate_keys = linking.fold(surrogate_keys, |keys, source| keys.one(Entity::Article, source.get()));
    }
    let surrogate_keys = surrogate_keys.texts();
    let (entity, entity_id) = (Entity::Article, id.get());
    changes::record(db, &Change { kind, entity, entity_id, path, old_path, surrogate_keys, at, actor })
}

/// Records that a path leads no more to an article which has lost a former slug to another, if readers see it. It comes last
/// in a transaction, since whoever records a change waits for nobody.
///
/// # Errors
/// Those of the database.
pub(super) fn record_lost_slug(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    id: ArticleId,
) -> Result<(), Error> {
    let Some(article) = load(db, room, principal, id, Stage::Live)? else { return Ok(()) };
    let (at, actor) = (room.clock.now(), principal.user()?.id);
    record_change(db, room, id, Some(&article), Some(&article), at, Some(actor))
}

/// Makes a draft that has passed its check public, now or from an instant on, and says so in its record.
pub(super) fn publish(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    record: &mut ArticleRecord,
    how: &Publication,
    document: &Document,
) -> Result<(), Error> {
    let (state, later) = admit(room, user, record, how)?;
    record.state = state;
    match later {
        Some(at) => schedule(db, room, user, record, how, document, at),
        None => go_live(db, room, user, record, how, document),
    }
}

/// The state to which a publication leads, and its instant if that is to come.
///
/// # Errors
/// 409 if the workflow has no such step now; 422 for dates that do not fit each other.
pub(super) fn admit(
    room: &Newsroom,
    user: &Actor,
    record: &ArticleRecord,
    how: &Publication,
) -> Result<(State, Option<Instant>), Error> {
    let now = room.clock.now();
    let later = how.at.filter(|at| *at > now);
    let step = if later.is_some() { Step::Schedule } else { Step::Publish };
    let state = act::next_state(room, user, record, step)?;
    check_dates(how, later.unwrap_or(now))?;
    Ok((state, later))
}

fn check_dates(how: &Publication, from: Instant) -> Result<(), Error> {
    if how.until.is_some_and(|until| until <= from) {
        return Err(Error::invalid("/until", "before_start", "must be later than the publication"));
    }
    if how.published_at.is_some_and(|instant| instant > from) {
        return Err(Error::invalid("/published_at", "in_future", "must not be later than the publication"));
    }
    Ok(())
}

/// The stamps of a document that becomes public. An edit alone does not change what readers are told: the date of
/// publication stays, and that of the last update unless the editor says so.
fn stamps(how: &Publication, live: Option<&Article>, from: Instant) -> (Instant, Instant) {
    let published_at = how.published_at.or_else(|| live.and_then(|live| live.published_at)).unwrap_or(from);
    let updated_at = match live {
        Some(live) if !how.updated && how.update_note.is_none() => live.updated_at,
        _ => from,
    };
    (published_at, updated_at)
}

/// What readers see now of an article of which nothing is to come.
fn seen(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
) -> Result<Option<Article>, Error> {
    match record.live {
        Some(_) => load(db, room, principal, record.id, Stage::Live),
        None => Ok(None),
    }
}

/// The dates of a version that is or becomes public.
fn dates_of(version: i64, live_from: Instant, published_at: Instant, how: &Publication) -> LiveDates {
    LiveDates { version, live_from, live_until: how.until, planned_until: how.until, published_at }
}

fn go_live(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    record: &mut ArticleRecord,
    how: &Publication,
    document: &Document,
) -> Result<(), Error> {
    let (now, principal) = (room.clock.now(), Principal::of(user));
    // What is published now takes the place of what was to come.
    remove_scheduled(db, record)?;
    let live = seen(db, room, &principal, record)?;
    let (published_at, updated_at) = stamps(how, live.as_ref(), now);
    let dates = Dates {
        live_from: live.as_ref().and_then(|live| live.live_from).or(Some(now)),
        live_until: how.until,
        planned_until: how.until,
        published_at: Some(published_at),
        updated_at,
        listed_at: published_at,
    };
    // Lists are sorted by publication: another date moves the article in all of them.
    let kept = live.as_ref().filter(|live| live.published_at == Some(published_at));
    let old = kept.map(Document::of).transpose()?;
    let over = match &old {
        Some(old) => Over::Known(old),
        None if record.live.is_some() => Over::Unknown,
        None => Over::Nothing,
    };
    slugs::publish(db, Entity::Article, document.slug.as_str())?;
    let tree = room.site.held_tree(db)?;
    let body = Some(articles::body_of(db, record.id, Stage::Draft)?);
    let slot = Slot { stage: Stage::Live, version: record.version, dates, tree: &tree, body };
    articles::save(db, record.id, slot, document, over)?;
    record.live_version = Some(record.version);
    record.live = dates.live_from.map(|from| dates_of(record.version, from, published_at, how));
    record.first_published_at = record.first_published_at.or(Some(published_at));
    articles::update_record(db, record)?;

    if let Some(text) = &how.update_note {
        add_update(db, room, record.id, user.id, text, now)?;
    }
    let published =
        keep_live(db, room, record.id, RevisionKind::Publication, user.id, now, how.note.as_deref())?;
    record_change(db, room, record.id, live.as_ref(), Some(&published), now, Some(user.id))
}

/// Keeps the live document as a revision that readers see from an instant on.
///
/// # Errors
/// Those of the database.
pub fn keep_live(
    db: &mut Db,
    room: &Newsroom,
    id: ArticleId,
    kind: RevisionKind,
    actor: UserId,
    from: Instant,
    note: Option<&str>,
) -> Result<Article, Error> {
    let live = stored(db, room, id, Stage::Live)?;
    let revision = keep(db, &live, kind, actor, from, note)?;
    begin_publication(db, id, revision, from)?;
    Ok(live)
}

/// Notes that readers see a revision from now on, and nothing else of the article.
fn begin_publication(db: &mut Db, id: ArticleId, revision: i32, from: Instant) -> Result<(), Error> {
    // The first takes no other's place.
    if revision > 1 {
        revisions::close(db, id, from)?;
    }
    revisions::open(db, id, revision, from)?;
    articles::copy_facets(db, id, Stage::Live, revision)
}

/// The document of a stage, which is there, with the corrections that readers see with it.
pub(super) fn stored(db: &mut Db, room: &Newsroom, id: ArticleId, stage: Stage) -> Result<Article, Error> {
    let site = room.site.get(db)?;
    let article = articles::get_snapshot(db, &site, id, stage, room.clock.now())?;
    article.ok_or_else(|| Error::Internal(format!("article {id} has no {stage:?} document")))
}

/// Keeps the draft, as it is now, as the version that takes effect at an instant. Readers keep what they see until then.
fn schedule(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    record: &mut ArticleRecord,
    how: &Publication,
    document: &Document,
    at: Instant,
) -> Result<(), Error> {
    let principal = Principal::of(user);
    remove_scheduled(db, record)?;
    let live = seen(db, room, &principal, record)?;
    let (published_at, updated_at) = stamps(how, live.as_ref(), at);
    let dates = Dates {
        live_from: Some(at),
        live_until: how.until,
        planned_until: how.until,
        published_at: Some(published_at),
        updated_at,
        listed_at: published_at,
    };
    slugs::publish_from(db, Entity::Article, document.slug.as_str(), at)?;
    let tree = room.site.held_tree(db)?;
    let body = Some(articles::body_of(db, record.id, Stage::Draft)?);
    let slot = Slot { stage: Stage::Scheduled, version: record.version, dates, tree: &tree, body };
    articles::save(db, record.id, slot, document, Over::Nothing)?;
    record.scheduled = Some(dates_of(record.version, at, published_at, how));
    if let Some(live) = &mut record.live {
        live.live_until = Some(live.planned_until.map_or(at, |until| until.min(at)));
        articles::set_live_until(db, record.id, live.live_until)?;
    }
    articles::update_record(db, record)?;
    if let Some(text) = &how.update_note {
        add_update(db, room, record.id, user.id, text, at)?;
    }
    let scheduled = stored(db, room, record.id, Stage::Scheduled)?;
    let now = room.clock.now();
    let revision = keep(db, &scheduled, RevisionKind::Publication, user.id, now, how.note.as_deref())?;
    articles::set_scheduled_revision(db, record.id, revision)
}

/// Takes a scheduled publication back.
pub(super) fn remove_scheduled(db: &mut Db, record: &mut ArticleRecord) -> Result<(), Error> {
    let Some(next) = record.scheduled.take() else { return Ok(()) };
    // What readers were to be told with it. No other correction is dated ahead.
    corrections::delete_from(db, record.id, next.live_from)?;
    let slug = articles::slug_of(db, record.id, Stage::Scheduled)?;
    articles::remove(db, record.id, Stage::Scheduled)?;
    slugs::unpublish_future(db, Entity::Article, record.id.get())?;
    // The draft may have given up its slug since.
    if let Some(slug) = slug
        && articles::slug_of(db, record.id, Stage::Draft)?.as_ref() != Some(&slug)
    {
        slugs::release(db, Entity::Article, &slug)?;
    }
    match &mut record.live {
        Some(live) => {
            live.live_until = live.planned_until;
            articles::set_live_until(db, record.id, live.planned_until)
        }
        None => Ok(()),
    }
}

/// Takes an article away from readers, with what was to come. The draft stays.
pub(super) fn withdraw(
    db: &mut Db,
    room: &Newsroom,
    record: &mut ArticleRecord,
    at: Instant,
    actor: Option<UserId>,
) -> Result<(), Error> {
    remove_scheduled(db, record)?;
    if record.live.take().is_none() {
        return Ok(());
    }
    let site = room.site.get(db)?;
    let live = articles::get_stage(db, &site, record.id, Stage::Live)?;
    articles::remove(db, record.id, Stage::Live)?;
    revisions::close(db, record.id, at)?;
    record.live_version = None;
    record_change(db, room, record.id, live.as_ref(), None, at, actor)
}

/// Records what became due by now: the end of a live version, a scheduled one that took effect. Readers saw it from the
/// instant itself; this makes it an event, once. The record is locked.
///
/// # Errors
/// Those of the database.
pub(super) fn settle(
    db: &mut Db,
    room: &Newsroom,
    mut record: ArticleRecord,
) -> Result<ArticleRecord, Error> {
    let now = room.clock.now();
    loop {
        let begins = record.scheduled.filter(|next| next.live_from <= now);
        let ends = record.live.and_then(|live| live.live_until).filter(|until| *until <= now);
        match (begins, ends) {
            // A version that ends where the next begins is replaced, not removed.
            (Some(next), ends) if ends.is_none_or(|until| until >= next.live_from) => {
                take_effect(db, room, &mut record, next)?;
            }
            (_, Some(until)) => {
                let scheduled = record.scheduled;
                end(db, room, &mut record, until)?;
                record.state = if scheduled.is_some() { State::Scheduled } else { State::Unpublished };
                articles::update_record(db, &record)?;
            }
            _ => return Ok(record),
        }
    }
}

fn end(db: &mut Db, room: &Newsroom, record: &mut ArticleRecord, at: Instant) -> Result<(), Error> {
    let site = room.site.get(db)?;
    let live = articles::get_stage(db, &site, record.id, Stage::Live)?;
    articles::remove(db, record.id, Stage::Live)?;
    revisions::close(db, record.id, at)?;
    record.live = None;
    record.live_version = None;
    record.release = None;
    record_change(db, room, record.id, live.as_ref(), None, at, None)
}

/// Puts the scheduled version in the place of the live one, as of the instant at which it was due.
fn take_effect(
    db: &mut Db,
    room: &Newsroom,
    record: &mut ArticleRecord,
    next: LiveDates,
) -> Result<(), Error> {
    let site = room.site.get(db)?;
    let (id, at) = (record.id, next.live_from);
    let before = articles::get_stage(db, &site, id, Stage::Live)?;
    let scheduled = stored(db, room, id, Stage::Scheduled)?;
    let revision = articles::scheduled_revision(db, id)?;
    let document = Document::of(&scheduled)?;
    let dates = Dates {
        live_from: Some(at),
        live_until: next.planned_until,
        planned_until: next.planned_until,
        published_at: Some(next.published_at),
        updated_at: scheduled.updated_at,
        listed_at: next.published_at,
    };
    let body = Some(articles::body_of(db, id, Stage::Scheduled)?);
    articles::remove(db, id, Stage::Scheduled)?;
    let over = if record.live.is_some() { Over::Unknown } else { Over::Nothing };
    let tree = room.site.held_tree(db)?;
    let slot = Slot { stage: Stage::Live, version: next.version, dates, tree: &tree, body };
    articles::save(db, id, slot, &document, over)?;
    slugs::publish(db, Entity::Article, document.slug.as_str())?;
    record.state = State::Published;
    record.live_version = Some(next.version);
    record.first_published_at = record.first_published_at.or(Some(next.published_at));
    record.live = Some(LiveDates { live_until: next.planned_until, ..next });
    record.scheduled = None;
    record.release = None;
    articles::update_record(db, record)?;
    if let Some(revision) = revision {
        begin_publication(db, id, revision, at)?;
    }
    let after = articles::get_stage(db, &site, id, Stage::Live)?;
    record_change(db, room, id, before.as_ref(), after.as_ref(), at, None)
}

/// Locks the records of articles. All are locked, in the order of their ids, before any change is recorded: whoever
/// holds the lock on the order of changes waits for nobody.
pub(super) fn lock_all(db: &mut Db, mut ids: Vec<ArticleId>) -> Result<Vec<ArticleRecord>, Error> {
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().filter_map(|id| articles::lock_record(db, id).transpose()).collect()
}

/// The records of articles, locked, with what became due recorded.
pub fn lock_settled(db: &mut Db, room: &Newsroom, ids: Vec<ArticleId>) -> Result<Vec<ArticleRecord>, Error> {
    lock_all(db, ids)?.into_iter().map(|record| settle(db, room, record)).collect()
}

/// The next instant at which readers will see something else by itself, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn next_due(newsroom: &Newsroom) -> Result<Option<Instant>, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let instants = [articles::next_due(db, now)?, changes::next_ahead(db, now)?];
            Ok(instants.into_iter().flatten().min())
        })
        .await
}

/// Records what became due, for as many articles as are due, and tells how many there were. Two nodes that do so at once
/// record each event once.
///
/// # Errors
/// Those of the database.
pub async fn settle_due(newsroom: &Newsroom) -> Result<usize, Error> {
    const BATCH: i64 = 100;
    let mut settled = 0;
    loop {
        let now = newsroom.clock.now();
        let (due, has_releases) = newsroom
            .store
            .read(move |db| Ok((articles::due(db, now, BATCH)?, releases::is_due(db, now)?)))
            .await?;
        if has_releases {
            // By itself: whoever schedules a release locks it before its articles.
            newsroom.store.write(move |db| releases::settle(db, now)).await?;
        }
        if due.is_empty() {
            return Ok(settled);
        }
        settled += due.len();
        let room = newsroom.clone();
        newsroom.store.write(move |db| lock_settled(db, &room, due).map(drop)).await?;
    }
}
