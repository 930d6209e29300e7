//! The thread of an article, who is to work on it, and who is editing it.

use std::time::Duration;

use super::{ArticleView, EditRequest, changed_draft, load_draft, readable_record};
use crate::{
    domain::{
        article::{ArticleRecord, Document},
        error::Error,
        id::{ArticleId, BlockId, NoteId, UserId},
        instant::Instant,
        note::{EditLock, NewNote, Note, NoteKind},
        page::{Page, PageRequest},
        permission::{Action, require_on_article, role_allows},
        slug::Reference,
        user::{Principal, Role, User, UserCard},
    },
    service::Newsroom,
    store::{
        articles::{self, notes},
        conn::Db,
        users,
    },
};

/// How long somebody counts as editing after they last said so.
const PRESENCE: Duration = Duration::from_secs(120);

/// Adds a step of the workflow to the thread of an article.
pub(super) fn tell(
    db: &mut Db,
    room: &Newsroom,
    article: &ArticleRecord,
    author: UserId,
    kind: NoteKind,
    text: Option<String>,
) -> Result<(), Error> {
    let note = NewNote { article: article.id, author, kind, text, block_id: None };
    notes::add(db, NoteId::new(room.ids.next()), &note, room.clock.now())
}

/// A page of the thread of an article, the oldest entries first.
///
/// # Errors
/// 401; 404 if there is no such article or the caller may not read its draft.
pub async fn list_notes(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    page: PageRequest,
) -> Result<Page<Note>, Error> {
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            notes::list(db, record.id, &page)
        })
        .await
}

/// One entry of the thread of an article.
///
/// # Errors
/// As [`list_notes`]; 404 if there is no such entry.
pub async fn get_note(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: NoteId,
) -> Result<Note, Error> {
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            notes::find(db, record.id, id)?.ok_or_else(|| Error::not_found("note"))
        })
        .await
}

/// Says something about an article, or one block of its draft. Whoever may read the draft may.
///
/// # Errors
/// As [`list_notes`]; 422 for an unknown block.
pub async fn create_note(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    text: String,
    block_id: Option<BlockId>,
) -> Result<Note, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let author = principal.user()?.id;
            let record = readable_record(db, &principal, &reference, true)?;
            if let Some(block) = block_id {
                let draft = Document::of(&load_draft(db, &room, &principal, record.id)?)?;
                let mut blocks = draft.body.iter().flat_map(|section| &section.blocks);
                if blocks.all(|known| known.id != block) {
                    let message = "the draft has no such block";
                    return Err(Error::invalid("/block_id", "unknown_block", message));
                }
            }
            let (id, kind) = (NoteId::new(room.ids.next()), NoteKind::Note);
            let note = NewNote { article: record.id, author, kind, text: Some(text), block_id };
            notes::add(db, id, &note, room.clock.now())?;
            notes::find(db, record.id, id)?.ok_or_else(|| Error::not_found("note"))
        })
        .await
}

/// A note that the caller may change, their own or any for an administrator, and its article.
fn own_note(
    db: &mut Db,
    principal: &Principal,
    reference: &Reference,
    id: NoteId,
) -> Result<(ArticleId, Note), Error> {
    let user = principal.user()?;
    let record = readable_record(db, principal, reference, true)?;
    let note = notes::find(db, record.id, id)?.ok_or_else(|| Error::not_found("note"))?;
    if note.kind != NoteKind::Note {
        return Err(Error::conflict("A step of the workflow stays in the thread as it is."));
    }
    if note.author.id != user.id && user.role != Role::Admin {
        return Err(Error::forbidden("change this note"));
    }
    Ok((record.id, note))
}

/// Changes a note.
///
/// # Errors
/// As [`get_note`]; 403 for somebody else's; 409 for a step of the workflow.
pub async fn update_note(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: NoteId,
    text: String,
) -> Result<Note, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let (article, note) = own_note(db, &principal, &reference, id)?;
            notes::set_text(db, article, id, &text, now)?;
            Ok(Note { text: Some(text), updated_at: now, ..note })
        })
        .await
}

/// Deletes a note.
///
/// # Errors
/// As [`update_note`].
pub async fn delete_note(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: NoteId,
) -> Result<(), Error> {
    newsroom
        .store
        .write(move |db| {
            let (article, _) = own_note(db, &principal, &reference, id)?;
            notes::delete(db, article, id)
        })
        .await
}

/// Says who is to work on an article, or that nobody is.
///
/// # Errors
/// 403, 404; 422 for somebody who cannot.
pub async fn assign(
    newsroom: &Newsroom,
    on: EditRequest,
    assignee: Option<UserId>,
) -> Result<ArticleView, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, mut record) = on.begin(db, &room, Action::EditDraft)?;
            if record.assignee != assignee {
                let name = assignee.map(|id| find_assignee(db, &record, id)).transpose()?;
                record.assignee = assignee;
                articles::update_record(db, &record)?;
                tell(db, &room, &record, user.id, NoteKind::Assigned, name.map(|user| user.name))?;
            }
            changed_draft(db, &room, &on.principal, record.id)
        })
        .await
}

fn find_assignee(db: &mut Db, record: &ArticleRecord, id: UserId) -> Result<User, Error> {
    let fault = |code, message: &str| Err(Error::invalid("/user_id", code, message));
    match users::find(db, id)?.filter(|user| !user.suspended) {
        None => fault("unknown_user", "there is no such user"),
        Some(user) if !role_allows(&user, Action::ReadDraft, record.standing(id)) => {
            fault("cannot_read", "may not read this draft")
        }
        Some(user) => Ok(user),
    }
}

/// Says that the caller is editing an article, for the next two minutes. A courtesy to others: it keeps nobody out.
///
/// # Errors
/// 403, 404; 409 with who does, if somebody else is editing it and it is not to be taken over.
pub async fn acquire_lock(newsroom: &Newsroom, on: EditRequest, take_over: bool) -> Result<EditLock, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::EditDraft)?;
            let now = room.clock.now();
            let held = notes::find_lock(db, record.id, now)?;
            let acquired_at = match held {
                Some(held) if held.holder.id == user.id => held.acquired_at,
                Some(held) if !take_over => return Err(Error::Locked(held)),
                Some(held) => {
                    let text = Some(format!("From {}", held.holder.name));
                    tell(db, &room, &record, user.id, NoteKind::TakenOver, text)?;
                    now
                }
                None => now,
            };
            let lifetime = i64::try_from(PRESENCE.as_millis()).unwrap_or(i64::MAX);
            let lock = EditLock {
                article_id: record.id,
                holder: UserCard { id: user.id, name: user.name.clone() },
                acquired_at,
                expires_at: Instant::from_millis(now.millis().saturating_add(lifetime)),
            };
            notes::set_lock(db, &lock)?;
            Ok(lock)
        })
        .await
}

/// Who is editing an article.
///
/// # Errors
/// 401; 404 if there is no such article, the caller may not read its draft, or nobody is.
pub async fn get_lock(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<EditLock, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            notes::find_lock(db, record.id, now)?.ok_or_else(|| Error::not_found("lock"))
        })
        .await
}

/// Says that somebody has ceased to edit an article: they themselves, or an editor for them.
///
/// # Errors
/// As [`get_lock`]; 403 for somebody else's.
pub async fn release_lock(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<(), Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let user = principal.user()?;
            let record = readable_record(db, &principal, &reference, true)?;
            require_on_article(user, Action::EditDraft, record.standing(user.id))?;
            let lock = notes::find_lock(db, record.id, now)?.ok_or_else(|| Error::not_found("lock"))?;
            if lock.holder.id != user.id && !matches!(user.role, Role::Editor | Role::Admin) {
                return Err(Error::forbidden("end somebody else's edit"));
            }
            notes::remove_lock(db, record.id)
        })
        .await
}
