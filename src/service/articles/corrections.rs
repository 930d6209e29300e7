//! Corrections: public notes on what was put right. Readers see them at once, without the changes of the draft.

use super::{EditRequest, load, publish, readable_id};
use crate::{
    domain::{
        article::{ArticleRecord, Document, Stage},
        body::Body,
        correction::{Correction, CorrectionChanges, CorrectionKind, MAX_CORRECTIONS, NewCorrection},
        error::{Error, Faults},
        id::{ArticleId, BlockId, CorrectionId, UserId},
        instant::Instant,
        permission::Action,
        revision::RevisionKind,
        slug::Reference,
        user::Principal,
    },
    service::Newsroom,
    store::{
        articles::{self, corrections},
        conn::Db,
    },
};

/// The corrections of an article by their dates, for those who may read it live or its draft.
///
/// # Errors
/// 404 if the caller may see neither; 410 for a retracted article.
pub async fn list_corrections(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<Vec<Correction>, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let id = readable_id(db, &room, &principal, &reference)?;
            corrections::until(db, id, room.clock.now())
        })
        .await
}

/// One correction of an article.
///
/// # Errors
/// As [`list_corrections`]; 404 if there is no such correction.
pub async fn get_correction(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: CorrectionId,
) -> Result<Correction, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let article = readable_id(db, &room, &principal, &reference)?;
            find(db, article, id, room.clock.now())
        })
        .await
}

/// A correction of an article that is not one of its scheduled version.
fn find(db: &mut Db, article: ArticleId, id: CorrectionId, now: Instant) -> Result<Correction, Error> {
    let all = corrections::until(db, article, now)?;
    all.into_iter().find(|correction| correction.id == id).ok_or_else(|| Error::not_found("correction"))
}

/// Adds a correction. Of a live article readers see it at once.
///
/// # Errors
/// 403, 404; 409 for a retracted or archived article and one that has too many; 422 for an unknown block or a date to
/// come.
pub async fn create_correction(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    new: NewCorrection,
) -> Result<Correction, Error> {
    let on = EditRequest { principal, reference, version: None, merge: false };
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::Correct)?;
            check(db, &room, &on.principal, &record, new.block_id, new.published_at)?;
            let correction = add(db, &room, record.id, user.id, new)?;
            tell(db, &room, &record, user.id, correction.created_at)?;
            Ok(correction)
        })
        .await
}

/// Adds a correction in a transaction that tells readers of it.
fn add(
    db: &mut Db,
    room: &Newsroom,
    article: ArticleId,
    author: UserId,
    new: NewCorrection,
) -> Result<Correction, Error> {
    let of_article = corrections::of_articles(db, &[article.get()])?;
    if of_article.get(&article.get()).is_some_and(|all| all.len() >= MAX_CORRECTIONS) {
        return Err(Error::conflict(format!("The article has {MAX_CORRECTIONS} corrections already.")));
    }
    let now = room.clock.now();
    let NewCorrection { kind, text, block_id, published_at } = new;
    let id = CorrectionId::new(room.ids.next());
    let published_at = published_at.unwrap_or(now);
    let correction = Correction { id, kind, text, block_id, published_at, created_at: now, updated_at: now };
    corrections::insert(db, article, &correction, author)?;
    Ok(correction)
}

/// Adds what readers are told of an update that becomes public at an instant, together with the document.
pub(super) fn add_update(
    db: &mut Db,
    room: &Newsroom,
    article: ArticleId,
    author: UserId,
    text: &str,
    at: Instant,
) -> Result<(), Error> {
    let (kind, text) = (CorrectionKind::Update, text.to_owned());
    let new = NewCorrection { kind, text, block_id: None, published_at: Some(at) };
    add(db, room, article, author, new).map(drop)
}

/// Edits a correction.
///
/// # Errors
/// As [`create_correction`].
pub async fn update_correction(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: CorrectionId,
    changes: CorrectionChanges,
) -> Result<Correction, Error> {
    let on = EditRequest { principal, reference, version: None, merge: false };
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::Correct)?;
            let now = room.clock.now();
            let old = find(db, record.id, id, now)?;
            let block_id = changes.block_id.flatten();
            check(db, &room, &on.principal, &record, block_id, changes.published_at)?;
            let mut new = Correction {
                kind: changes.kind.unwrap_or(old.kind),
                text: changes.text.unwrap_or_else(|| old.text.clone()),
                block_id: changes.block_id.unwrap_or(old.block_id),
                published_at: changes.published_at.unwrap_or(old.published_at),
                ..old
            };
            if new != old {
                new.updated_at = now;
                corrections::update(db, &new)?;
                tell(db, &room, &record, user.id, now)?;
            }
            Ok(new)
        })
        .await
}

/// Deletes a correction. What readers saw of it is kept in the revisions.
///
/// # Errors
/// 403, 404; 409 for a retracted or archived article.
pub async fn delete_correction(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: CorrectionId,
) -> Result<(), Error> {
    let on = EditRequest { principal, reference, version: None, merge: false };
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::Correct)?;
            let now = room.clock.now();
            find(db, record.id, id, now)?;
            corrections::delete(db, id)?;
            tell(db, &room, &record, user.id, now)
        })
        .await
}

/// A correction is about a block that readers have, or the draft of what they do not see, and is not dated ahead.
fn check(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    block: Option<BlockId>,
    published_at: Option<Instant>,
) -> Result<(), Error> {
    let mut faults = Faults::default();
    if published_at.is_some_and(|at| at > room.clock.now()) {
        faults.add("/published_at", "in_future", "must not be in the future");
    }
    if let Some(block) = block {
        let stage = if record.live.is_some() { Stage::Live } else { Stage::Draft };
        let article = load(db, room, principal, record.id, stage)?;
        let body = article.as_ref().map(Document::of).transpose()?.map(|document| document.body);
        if !has_block(&body.unwrap_or_default(), block) {
            faults.add("/block_id", "unknown_block", "the body has no such block");
        }
    }
    faults.check()
}

fn has_block(body: &Body, id: BlockId) -> bool {
    body.iter().flat_map(|section| &section.blocks).any(|block| block.id == id)
}

/// Tells readers of a live article that its corrections changed, and keeps what they see as a revision. The version that
/// is to come keeps its instant and gets the corrections too.
fn tell(
    db: &mut Db,
    room: &Newsroom,
    record: &ArticleRecord,
    actor: UserId,
    now: Instant,
) -> Result<(), Error> {
    let id = record.id;
    articles::set_updated(db, id, now)?;
    if record.live.is_some() {
        let live = publish::keep_live(db, room, id, RevisionKind::Correction, actor, now, None)?;
        publish::record_change(db, room, id, Some(&live), Some(&live), now, Some(actor))?;
    }
    if record.scheduled.is_some() {
        let scheduled = publish::stored(db, room, id, Stage::Scheduled)?;
        let revision = publish::keep(db, &scheduled, RevisionKind::Correction, actor, now, None)?;
        articles::set_scheduled_revision(db, id, revision)?;
    }
    Ok(())
}
