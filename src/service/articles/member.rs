//! An article as a member of a release: checked, changed and let go with the others.

use std::collections::HashSet;

use super::{act, load_draft, notes, preflight, publish};
use crate::{
    domain::{
        article::{ArticleRecord, Document},
        error::Error,
        id::ArticleId,
        instant::Instant,
        link::InboundLink,
        note::NoteKind,
        preflight::{Finding, Severity},
        release::ReleaseAction,
        user::{Actor, Principal},
        workflow::{State, Step},
    },
    service::{Newsroom, articles::Publication},
    store::{
        articles::{self, Audience, LoadContext},
        conn::Db,
    },
};

/// What keeps an article from changing with a release at an instant, and what somebody should look at before. `coming` and
/// `going` are the articles that the release publishes and withdraws.
pub fn check_member(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    record: &ArticleRecord,
    action: ReleaseAction,
    at: Instant,
    (coming, going): (&HashSet<ArticleId>, &HashSet<ArticleId>),
) -> Result<Vec<Finding>, Error> {
    let now = room.clock.now();
    let position = record.position_at(now);
    let step = match action {
        ReleaseAction::Unpublish => Step::Unpublish,
        ReleaseAction::Publish if at > now => Step::Schedule,
        ReleaseAction::Publish => Step::Publish,
    };
    let blocked = if record.release.is_some() {
        Some(("in_release", "another scheduled release holds the article".to_owned()))
    } else if position.has_scheduled {
        Some(("already_scheduled", "the article is scheduled by itself; unschedule it first".to_owned()))
    } else if position.after(step).is_none() {
        let message = format!("the article is {}: there is nothing to {action}", position.state);
        Some(("invalid_transition", message))
    } else {
        None
    };
    let mut findings = match action {
        ReleaseAction::Unpublish => Vec::new(),
        ReleaseAction::Publish => {
            let principal = Principal::of(user);
            preflight::check(db, room, &principal, record, at, (coming, going))?.findings
        }
    };
    if let Some((code, message)) = blocked {
        findings.push(Finding::new(Severity::Blocker, code, "", message));
    }
    Ok(findings)
}

/// Publishes an article with its release: now, or held until the instant that `how` names.
pub fn publish_member(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    mut record: ArticleRecord,
    how: &Publication,
) -> Result<(), Error> {
    let draft = load_draft(db, room, &Principal::of(user), record.id)?;
    let kind = if how.at.is_some() { NoteKind::Scheduled } else { NoteKind::Published };
    notes::tell(db, room, &record, user.id, kind, how.note.clone())?;
    publish::publish(db, room, user, &mut record, how, &Document::of(&draft)?)
}

/// Withdraws an article with its release: now, or at an instant until which it is held.
pub fn unpublish_member(
    db: &mut Db,
    room: &Newsroom,
    user: &Actor,
    mut record: ArticleRecord,
    later: Option<Instant>,
) -> Result<(), Error> {
    let text = later.map(|at| format!("At {at}"));
    notes::tell(db, room, &record, user.id, NoteKind::Unpublished, text)?;
    match (later, record.live) {
        (Some(at), Some(live)) => {
            let until = live.planned_until.map_or(at, |until| until.min(at));
            articles::set_live_until(db, record.id, Some(until))?;
        }
        _ => {
            record.state = act::next_state(room, user, &record, Step::Unpublish)?;
            let now = room.clock.now();
            publish::withdraw(db, room, &mut record, now, Some(user.id))?;
        }
    }
    articles::update_record(db, &record)
}

/// Lets go of an article whose release was cancelled: everything is as it would be without it.
pub fn let_go(db: &mut Db, mut record: ArticleRecord) -> Result<(), Error> {
    match (record.scheduled, record.live) {
        (None, Some(live)) => articles::set_live_until(db, record.id, live.planned_until)?,
        _ => publish::remove_scheduled(db, &mut record)?,
    }
    record.release = None;
    if record.state == State::Scheduled {
        let ever_published = record.first_published_at.is_some();
        record.state = if ever_published { State::Unpublished } else { State::Draft };
    }
    articles::update_record(db, &record)
}

/// Links of other articles that lead to this one.
pub fn inbound_of(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    id: ArticleId,
) -> Result<Vec<InboundLink>, Error> {
    let site = room.site.get(db)?;
    let (now, audience) = (room.clock.now(), Audience::from(principal));
    articles::inbound(db, id, LoadContext { site: &site, now, audience, include: Default::default() })
}
