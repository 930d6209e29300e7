//! Many actions in one request, each with the permissions and versions of a single call.

use super::{
    ArticleView, EditRequest,
    act::{Command, perform, remove},
    edit::edit_in,
    publish::lock_all,
    resolve,
};
use crate::{
    domain::{
        article::{DocumentChanges, MAX_TAGS},
        change::Entity,
        error::{Error, Fault, Faults},
        id::TagId,
        slug::Reference,
    },
    service::Newsroom,
    store::{audit, conn::Db},
};

/// What to do with an article.
#[derive(Debug, Clone)]
pub enum BulkAction {
    /// A step of the workflow.
    Step(Command),
    /// Delete it.
    Delete,
    /// Put tags behind those that its draft has.
    AddTags(Vec<Reference>),
    /// Take tags from its draft.
    RemoveTags(Vec<Reference>),
    /// Put its draft into another section.
    Move(Reference),
}

impl BulkAction {
    /// The action, as the audit log tells it.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Step(command) => command.step().0.as_str(),
            Self::Delete => "delete",
            Self::AddTags(_) => "add_tags",
            Self::RemoveTags(_) => "remove_tags",
            Self::Move(_) => "move",
        }
    }

    /// Whether it changes the draft, so that it needs the version that it builds on.
    const fn is_edit(&self) -> bool {
        matches!(self, Self::AddTags(_) | Self::RemoveTags(_) | Self::Move(_))
    }
}

/// One action.
#[derive(Debug, Clone)]
pub struct BulkItem {
    /// On which article, by whom, on which version.
    pub on: EditRequest,
    /// Whether the caller names a version, be it "whatever is there".
    pub has_version: bool,
    /// What to do.
    pub action: BulkAction,
}

/// What came of one action: the draft as it is now, or none if it was deleted.
pub type BulkResult = Result<Option<ArticleView>, Error>;

/// Takes actions one after the other: each for itself, or with `atomic` all or none. With `dry_run` tells what would come
/// of them and changes nothing.
///
/// # Errors
/// With `atomic` 422 `bulk_failed` with every action that cannot be taken; those of the database.
pub async fn bulk(
    newsroom: &Newsroom,
    items: Vec<BulkItem>,
    atomic: bool,
    dry_run: bool,
) -> Result<Vec<BulkResult>, Error> {
    if atomic {
        let room = newsroom.clone();
        let work = move |db: &mut Db| all(db, &room, &items);
        let views = match dry_run {
            true => newsroom.store.rehearse(work).await?,
            false => newsroom.store.write(work).await?,
        };
        return Ok(views.into_iter().map(Ok).collect());
    }
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let room = newsroom.clone();
        let work = move |db: &mut Db| one(db, &room, &item);
        results.push(match dry_run {
            true => newsroom.store.rehearse(work).await,
            false => newsroom.store.write(work).await,
        });
    }
    Ok(results)
}

fn all(db: &mut Db, room: &Newsroom, items: &[BulkItem]) -> Result<Vec<Option<ArticleView>>, Error> {
    // One that means nothing is told when its turn comes.
    let ids = items.iter().filter_map(|item| resolve(db, &item.on.reference).ok()).collect();
    lock_all(db, ids)?;
    let (mut views, mut faults) = (Vec::new(), Faults::default());
    for (index, item) in items.iter().enumerate() {
        match one(db, room, item) {
            Ok(view) => views.push(view),
            Err(error) if error.code().status() >= 500 => return Err(error),
            Err(error) => faults.extend(told(index, &error)),
        }
    }
    if faults.is_empty() { Ok(views) } else { Err(Error::BulkFailed(faults.into_vec())) }
}

/// An error of one action as faults of the whole: what it is, and each fault that it tells.
fn told(index: usize, error: &Error) -> Vec<Fault> {
    let pointer = format!("/actions/{index}");
    let mut faults = vec![Fault::body(&pointer, error.code().as_str(), error.detail())];
    faults.extend(error.faults().iter().cloned().map(|fault| Fault {
        pointer: Some(format!("{pointer}/article{}", fault.pointer.unwrap_or_default())),
        ..fault
    }));
    faults
}

fn one(db: &mut Db, room: &Newsroom, item: &BulkItem) -> Result<Option<ArticleView>, Error> {
    if item.action.is_edit() && !item.has_version {
        return Err(Error::PreconditionRequired);
    }
    let id = resolve(db, &item.on.reference).ok();
    let done = act(db, room, item)?;
    if let Some(id) = id {
        audit::each("article", id.get(), item.action.as_str());
    }
    Ok(done)
}

fn act(db: &mut Db, room: &Newsroom, item: &BulkItem) -> Result<Option<ArticleView>, Error> {
    match &item.action {
        BulkAction::Step(command) => Ok(Some(perform(db, room, &item.on, command)?.view)),
        BulkAction::Delete => remove(db, room, &item.on).map(|_| None),
        BulkAction::AddTags(tags) => retag(db, room, &item.on, tags, |document, tags| {
            let new: Vec<_> = tags.into_iter().filter(|tag| !document.contains(tag)).collect();
            document.extend(new);
        }),
        BulkAction::RemoveTags(tags) => {
            retag(db, room, &item.on, tags, |document, tags| document.retain(|tag| !tags.contains(tag)))
        }
        BulkAction::Move(section) => {
            let section = Some(Some(section.clone()));
            let changes = DocumentChanges { section, ..Default::default() };
            edit_in(db, room, &item.on, |edit| edit.apply(changes)).map(|(view, ())| Some(view))
        }
    }
}

fn retag(
    db: &mut Db,
    room: &Newsroom,
    on: &EditRequest,
    tags: &[Reference],
    change: impl FnOnce(&mut Vec<TagId>, Vec<TagId>),
) -> Result<Option<ArticleView>, Error> {
    let edited = edit_in(db, room, on, |edit| {
        let mut faults = Faults::default();
        let found = edit.references(&mut faults, Entity::Tag, tags, |index| format!("/tags/{index}"))?;
        faults.check()?;
        change(&mut edit.document.tags, found.into_iter().map(TagId::new).collect());
        if edit.document.tags.len() > MAX_TAGS {
            return Err(Error::invalid("/tags", "too_many", format!("must have at most {MAX_TAGS} items")));
        }
        Ok(())
    });
    edited.map(|(view, ())| Some(view))
}
