//! The steps of the workflow: one command each, with or without effect.

use super::{ArticleView, EditRequest, edit, load, load_draft, member, notes, preflight, publish, view_with};
use crate::{
    domain::{
        article::{ArticleRecord, Document, Stage},
        error::Error,
        instant::Instant,
        link::InboundLink,
        note::NoteKind,
        permission::{Action, require_on_article},
        preflight::Finding,
        revision::RevisionKind,
        user::{Actor, Principal},
        workflow::{State, Step},
    },
    service::Newsroom,
    store::{articles, conn::Db, slugs},
};

pub use super::publish::Publication;

/// A step to take.
#[derive(Debug, Clone)]
pub enum Command {
    /// Ask an editor to look at the draft.
    Submit {
        /// What to look at.
        note: Option<String>,
    },
    /// Give the draft back to its author.
    Return {
        /// Why.
        note: String,
    },
    /// Make the draft public, now or from an instant on.
    Publish(Publication),
    /// Take a scheduled publication back.
    Unschedule,
    /// Withdraw what readers see.
    Unpublish,
    /// Drop the changes of the draft.
    Discard,
    /// Withdraw what readers see and tell them why.
    Retract {
        /// What readers are told.
        reason: String,
    },
    /// Put the article away.
    Archive,
    /// Take it up again.
    Reopen,
}

impl Command {
    /// The step as it stands in the thread of the article, with what was said.
    fn entry(&self, now: Instant) -> (NoteKind, Option<String>) {
        let (step, _) = self.step();
        match self {
            Self::Submit { note } => (step.into(), note.clone()),
            Self::Return { note } => (step.into(), Some(note.clone())),
            Self::Retract { reason } => (step.into(), Some(reason.clone())),
            Self::Publish(Publication { at: Some(at), note, .. }) if *at > now => (
                NoteKind::Scheduled,
                Some(note.as_ref().map_or(format!("For {at}"), |note| format!("For {at}: {note}"))),
            ),
            Self::Publish(Publication { note, .. }) => (step.into(), note.clone()),
            _ => (step.into(), None),
        }
    }

    /// The step, and who may take it.
    pub(super) fn step(&self) -> (Step, Action) {
        match self {
            Self::Submit { .. } => (Step::Submit, Action::Submit),
            Self::Return { .. } => (Step::Return, Action::Return),
            Self::Publish(_) => (Step::Publish, Action::Publish),
            Self::Unschedule => (Step::Unschedule, Action::Publish),
            Self::Unpublish => (Step::Unpublish, Action::Unpublish),
            Self::Discard => (Step::Discard, Action::Discard),
            Self::Retract { .. } => (Step::Retract, Action::Retract),
            Self::Archive => (Step::Archive, Action::Archive),
            Self::Reopen => (Step::Reopen, Action::Archive),
        }
    }
}

/// What a step did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Nothing was changed.
    pub dry_run: bool,
    /// What the preflight found.
    pub findings: Vec<Finding>,
    /// Links of other articles that lead to this one and are withdrawn with it.
    pub affected_links: Vec<InboundLink>,
}

/// The article after a step, and what the step did.
#[derive(Debug, Clone)]
pub struct Done {
    /// The draft.
    pub view: ArticleView,
    /// What was done.
    pub outcome: Outcome,
}

/// Takes a step, or with `dry_run` tells what would come of it and changes nothing.
///
/// # Errors
/// 403, 404; 409 if the workflow has no such step now or a scheduled release holds the article; 412 if a version is given
/// and is not that of the draft; 422 with what keeps it from being published.
pub async fn act(
    newsroom: &Newsroom,
    on: EditRequest,
    command: Command,
    dry_run: bool,
) -> Result<Done, Error> {
    let room = newsroom.clone();
    let work = move |db: &mut Db| {
        let mut done = perform(db, &room, &on, &command)?;
        done.outcome.dry_run = dry_run;
        Ok(done)
    };
    if dry_run { newsroom.store.rehearse(work).await } else { newsroom.store.write(work).await }
}

/// Takes a step in a transaction.
pub(super) fn perform(
    db: &mut Db,
    room: &Newsroom,
    on: &EditRequest,
    command: &Command,
) -> Result<Done, Error> {
    let (_, action) = command.step();
    let (user, record) = on.begin(db, room, action)?;
    check_release(&record)?;
    // All that follows happens at one instant.
    take(db, &room.frozen(), &on.principal, user, record, None, command)
}

/// Takes a step with an article that this transaction has made of a document.
pub(super) fn take_first(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: ArticleRecord,
    document: Document,
    command: &Command,
) -> Result<Done, Error> {
    let user = principal.user()?;
    require_on_article(user, command.step().1, record.standing(user.id))?;
    take(db, room, principal, user, record, Some(document), command)
}

fn take(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    user: &Actor,
    mut record: ArticleRecord,
    made: Option<Document>,
    command: &Command,
) -> Result<Done, Error> {
    let outcome = apply(db, room, principal, user, &mut record, made, command)?;
    let (kind, text) = command.entry(room.clock.now());
    notes::tell(db, room, &record, user.id, kind, text)?;
    let draft = load_draft(db, room, principal, record.id)?;
    let view = view_with(db, user, draft, &record, room.clock.now())?;
    Ok(Done { view, outcome })
}

/// An article that a scheduled release holds changes with the release only.
pub(super) fn check_release(record: &ArticleRecord) -> Result<(), Error> {
    match record.release {
        None => Ok(()),
        Some(release) => Err(Error::in_release(release)),
    }
}

/// The state after a step, or 409 with the steps that are open.
pub(super) fn next_state(
    room: &Newsroom,
    user: &Actor,
    record: &ArticleRecord,
    step: Step,
) -> Result<State, Error> {
    let now = room.clock.now();
    record.position_at(now).after(step).ok_or_else(|| Error::InvalidTransition {
        detail: format!("The article is {}: there is nothing to {step}.", record.state),
        allowed_actions: super::allowed_actions(user, record, now),
    })
}

fn apply(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    user: &Actor,
    record: &mut ArticleRecord,
    made: Option<Document>,
    command: &Command,
) -> Result<Outcome, Error> {
    let (step, _) = command.step();
    let now = room.clock.now();
    let mut outcome = Outcome::default();
    match command {
        Command::Publish(publication) => {
            let (_, later) = publish::admit(room, user, record, publication)?;
            let at = later.unwrap_or(now);
            let checked = match made {
                Some(document) => preflight::check_made(db, room, principal, record, at, document)?,
                None => preflight::check_alone(db, room, principal, record, at)?,
            };
            let confirmed = publication.confirm_warnings || !room.site.get(db)?.confirm_warnings;
            preflight::check_findings(&checked.findings, confirmed)?;
            publish::publish(db, room, user, record, publication, &checked.document)?;
            return Ok(Outcome { findings: checked.findings, ..outcome });
        }
        Command::Discard => {
            next_state(room, user, record, step)?;
            discard(db, room, principal, user, record)?;
            return Ok(outcome);
        }
        Command::Unschedule => {
            record.state = next_state(room, user, record, step)?;
            publish::remove_scheduled(db, record)?;
        }
        Command::Unpublish | Command::Retract { .. } | Command::Archive => {
            record.state = next_state(room, user, record, step)?;
            outcome.affected_links = member::inbound_of(db, room, principal, record.id)?;
            publish::withdraw(db, room, record, now, Some(user.id))?;
            if let Command::Retract { reason } = command {
                record.retraction_reason = Some(reason.clone());
            }
        }
        Command::Reopen => {
            record.state = next_state(room, user, record, step)?;
            record.retraction_reason = None;
        }
        Command::Submit { .. } | Command::Return { .. } => {
            record.state = next_state(room, user, record, step)?;
        }
    }
    articles::update_record(db, record)?;
    Ok(outcome)
}

/// Makes the draft what readers see. What it was is kept as a revision.
fn discard(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    user: &Actor,
    record: &mut ArticleRecord,
) -> Result<(), Error> {
    let draft = load_draft(db, room, principal, record.id)?;
    let live = load(db, room, principal, record.id, Stage::Live)?;
    let live = live.ok_or_else(|| Error::conflict("Readers do not see this article."))?;
    publish::keep(
        db,
        &draft,
        RevisionKind::Backup,
        user.id,
        room.clock.now(),
        Some("Before the changes were discarded"),
    )?;
    let (old, new) = (Document::of(&draft)?, Document::of(&live)?);
    let changed = old.differences(&new);
    if !changed.is_empty() {
        edit::save_edit(db, room, record, user.id, &old, &new, &changed)?;
    }
    // The draft is what readers see, whatever the numbers were.
    *record = articles::find_record(db, record.id)?.ok_or_else(|| Error::not_found("article"))?;
    record.live_version = Some(record.version);
    articles::update_record(db, record)
}

/// Deletes an article that readers do not see, or with `dry_run` tells what would come of it. Links to it keep its
/// headline and are withdrawn.
///
/// # Errors
/// 403, 404; 409 while readers see it or are to see it; 412 if `version` is given and stale.
pub async fn delete(newsroom: &Newsroom, on: EditRequest, dry_run: bool) -> Result<Outcome, Error> {
    let room = newsroom.clone();
    let work = move |db: &mut Db| Ok(Outcome { dry_run, ..remove(db, &room, &on)? });
    if dry_run { newsroom.store.rehearse(work).await } else { newsroom.store.write(work).await }
}

/// Deletes an article in a transaction.
pub(super) fn remove(db: &mut Db, room: &Newsroom, on: &EditRequest) -> Result<Outcome, Error> {
    use crate::domain::change::Entity;
    let (_, record) = on.begin(db, room, Action::DeleteArticle)?;
    check_release(&record)?;
    if !record.position_at(room.clock.now()).is_deletable() {
        return Err(Error::conflict(match record.state {
            State::Scheduled => "The article is scheduled. Unschedule it first.",
            _ => "Readers see this article. Unpublish it first.",
        }));
    }
    let affected_links = member::inbound_of(db, room, &on.principal, record.id)?;
    let draft = load_draft(db, room, &on.principal, record.id)?;
    articles::delete_target(db, record.id, &draft.headline)?;
    slugs::forget(db, Entity::Article, record.id.get())?;
    articles::delete(db, record.id)?;
    Ok(Outcome { affected_links, ..Default::default() })
}
