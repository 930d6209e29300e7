//! Authors: make, edit, delete.

use super::{Newsroom, check_version, taxonomy_change};
use crate::{
    domain::{
        author::{Author, AuthorChanges},
        change::{ChangeKind, Entity},
        error::{Error, ErrorCode},
        id::{AuthorId, UserId},
        page::{Page, PageRequest},
        permission::{Action, require},
        slug::{Reference, Slug},
        user::Principal,
    },
    store::{authors, changes, conn::Db, slugs},
};

/// The public path of an author.
fn path(slug: &Slug) -> String {
    format!("/authors/{slug}")
}

/// A page of authors by name.
pub async fn list(
    newsroom: &Newsroom,
    prefix: Option<String>,
    request: PageRequest,
) -> Result<Page<Author>, Error> {
    newsroom.store.read(move |db| authors::list(db, prefix.as_deref(), &request)).await
}

/// One author.
///
/// # Errors
/// 404 if there is none; [`Error::Moved`] for a former slug.
pub async fn get(newsroom: &Newsroom, reference: Reference) -> Result<Author, Error> {
    newsroom.store.read(move |db| find(db, &reference)).await
}

/// As [`get`], inside a transaction.
pub(super) fn find(db: &mut Db, reference: &Reference) -> Result<Author, Error> {
    let id = slugs::resolve_one(db, Entity::Author, reference)?;
    let author = authors::get(db, id)?;
    match reference {
        Reference::Slug(slug) if *slug != author.slug.as_str() => {
            Err(Error::Moved { to: author.slug.into_string() })
        }
        _ => Ok(author),
    }
}

fn check_user(db: &mut Db, user: Option<UserId>) -> Result<(), Error> {
    match user {
        Some(user) if !authors::is_user(db, user)? => {
            Err(Error::invalid("/user_id", "unknown_user", "there is no such user"))
        }
        _ => Ok(()),
    }
}

/// Makes an author.
///
/// # Errors
/// 409 if the slug belongs to another or the user has a profile; 422 if no slug can be made of the name or there is no
/// such user.
pub async fn create(
    newsroom: &Newsroom,
    principal: &Principal,
    changes: AuthorChanges,
) -> Result<Author, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let (now, id) = (newsroom.clock.now(), newsroom.ids.next());
    newsroom
        .store
        .write(move |db| {
            let name = changes.name.unwrap_or_default();
            let slug = super::claim_slug(db, Entity::Author, changes.slug, &name, id, true)?;
            let author = Author {
                id: AuthorId::new(id),
                slug,
                name,
                role: changes.role.flatten(),
                bio: changes.bio.flatten(),
                avatar: changes.avatar.flatten(),
                links: changes.links.unwrap_or_default(),
                user_id: changes.user_id.flatten(),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            check_user(db, author.user_id)?;
            authors::insert(db, &author)?;
            let path = Some(path(&author.slug));
            changes::record(
                db,
                &taxonomy_change(ChangeKind::Created, Entity::Author, id, path, None, now, user),
            )?;
            Ok(author)
        })
        .await
}

/// Edits an author. A new slug keeps the old one as a redirect.
///
/// # Errors
/// 404, 409 if the new slug belongs to another or the user has a profile, 412 if `version` is given and stale.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    reference: Reference,
    version: Option<i64>,
    changes: AuthorChanges,
) -> Result<Author, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let old = find(db, &reference)?;
            check_version(version, old.version)?;
            let author = Author {
                slug: changes.slug.unwrap_or_else(|| old.slug.clone()),
                name: changes.name.unwrap_or(old.name),
                role: changes.role.unwrap_or(old.role),
                bio: changes.bio.unwrap_or(old.bio),
                avatar: changes.avatar.unwrap_or(old.avatar),
                links: changes.links.unwrap_or(old.links),
                user_id: changes.user_id.unwrap_or(old.user_id),
                version: old.version + 1,
                updated_at: now,
                ..old
            };
            check_user(db, author.user_id)?;
            slugs::claim(db, Entity::Author, author.slug.as_str(), author.id.get(), true)?;
            if !authors::update(db, &author)? {
                return Err(Error::Stale { current_version: old.version + 1, changed: Vec::new() });
            }
            let old_path = (old.slug != author.slug).then(|| path(&old.slug));
            let (id, path) = (author.id.get(), Some(path(&author.slug)));
            changes::record(
                db,
                &taxonomy_change(ChangeKind::Updated, Entity::Author, id, path, old_path, now, user),
            )?;
            Ok(author)
        })
        .await
}

/// Deletes an author.
///
/// # Errors
/// 404; 409 `in_use` if bylines name them and `detach` is not set.
pub async fn delete(
    newsroom: &Newsroom,
    principal: &Principal,
    reference: Reference,
    detach: bool,
) -> Result<(), Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let author = find(db, &reference)?;
            if detach {
                authors::detach(db, &author)?;
            } else if authors::is_used(db, author.id)? {
                let detail =
                    "Bylines name this author. Delete with ?detach=true to leave only the name in them.";
                return Err(Error::Other(ErrorCode::InUse, detail.to_owned()));
            }
            let (id, old_path) = (author.id.get(), Some(path(&author.slug)));
            slugs::forget(db, Entity::Author, id)?;
            authors::delete(db, author.id)?;
            changes::record(
                db,
                &taxonomy_change(ChangeKind::Removed, Entity::Author, id, None, old_path, now, user),
            )
        })
        .await
}
