//! Tags: make, edit, merge, delete.

use super::{Newsroom, check_version, taxonomy_change};
use crate::{
    domain::{
        change::{ChangeKind, Entity},
        error::{Error, ErrorCode},
        id::TagId,
        page::{Page, PageRequest},
        permission::{Action, require},
        slug::{Reference, Slug},
        surrogate::SurrogateKeys,
        tag::{Tag, TagChanges, TagType},
        user::Principal,
    },
    store::{changes, conn::Db, slugs, tags},
};

/// The public path of a tag.
fn path(slug: &Slug) -> String {
    format!("/tags/{slug}")
}

/// A page of tags by name.
pub async fn list(
    newsroom: &Newsroom,
    kind: Option<TagType>,
    prefix: Option<String>,
    request: PageRequest,
) -> Result<Page<Tag>, Error> {
    newsroom.store.read(move |db| tags::list(db, kind, prefix.as_deref(), &request)).await
}

/// One tag.
///
/// # Errors
/// 404 if there is none; [`Error::Moved`] for a former slug.
pub async fn get(newsroom: &Newsroom, reference: Reference) -> Result<Tag, Error> {
    newsroom.store.read(move |db| find(db, &reference)).await
}

/// As [`get`], inside a transaction.
pub(super) fn find(db: &mut Db, reference: &Reference) -> Result<Tag, Error> {
    let id = slugs::resolve_one(db, Entity::Tag, reference)?;
    let tag = tags::get(db, id)?;
    match reference {
        Reference::Slug(slug) if *slug != tag.slug.as_str() => {
            Err(Error::Moved { to: tag.slug.into_string() })
        }
        _ => Ok(tag),
    }
}

/// Makes a tag.
///
/// # Errors
/// 409 if the slug belongs to another; 422 if no slug can be made of the name.
pub async fn create(newsroom: &Newsroom, principal: &Principal, changes: TagChanges) -> Result<Tag, Error> {
    let user = require(principal, Action::CreateTag)?.id;
    let (now, id) = (newsroom.clock.now(), newsroom.ids.next());
    newsroom
        .store
        .write(move |db| {
            let name = changes.name.unwrap_or_default();
            let slug = super::claim_slug(db, Entity::Tag, changes.slug, &name, id, true)?;
            let tag = Tag {
                id: TagId::new(id),
                slug,
                name,
                kind: changes.kind.unwrap_or(TagType::Topic),
                description: changes.description.flatten(),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            tags::insert(db, &tag)?;
            changes::record(
                db,
                &taxonomy_change(
                    ChangeKind::Created,
                    Entity::Tag,
                    id,
                    Some(path(&tag.slug)),
                    None,
                    now,
                    user,
                ),
            )?;
            Ok(tag)
        })
        .await
}

/// Edits a tag. A new slug keeps the old one as a redirect.
///
/// # Errors
/// 404, 409 if the new slug belongs to another, 412 if `version` is given and stale.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    reference: Reference,
    version: Option<i64>,
    changes: TagChanges,
) -> Result<Tag, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let old = find(db, &reference)?;
            check_version(version, old.version)?;
            let tag = Tag {
                slug: changes.slug.unwrap_or_else(|| old.slug.clone()),
                name: changes.name.unwrap_or(old.name),
                kind: changes.kind.unwrap_or(old.kind),
                description: changes.description.unwrap_or(old.description),
                version: old.version + 1,
                updated_at: now,
                ..old
            };
            slugs::claim(db, Entity::Tag, tag.slug.as_str(), tag.id.get(), true)?;
            if !tags::update(db, &tag)? {
                return Err(Error::Stale { current_version: old.version + 1, changed: Vec::new() });
            }
            let old_path = (old.slug != tag.slug).then(|| path(&old.slug));
            let id = tag.id.get();
            changes::record(
                db,
                &taxonomy_change(
                    ChangeKind::Updated,
                    Entity::Tag,
                    id,
                    Some(path(&tag.slug)),
                    old_path,
                    now,
                    user,
                ),
            )?;
            Ok(tag)
        })
        .await
}

/// Merges a tag into another: articles get that one, and the old slug redirects to it.
///
/// # Errors
/// 404 if either is unknown, 422 if both are the same.
pub async fn merge(
    newsroom: &Newsroom,
    principal: &Principal,
    from: Reference,
    into: Reference,
) -> Result<Tag, Error> {
    let user = require(principal, Action::EditTaxonomy)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let from = find(db, &from)?;
            let unknown = |_| Error::invalid("/into", "unknown_tag", "there is no such tag");
            let into = find(db, &into).map_err(unknown)?;
            if from.id == into.id {
                return Err(Error::invalid("/into", "same_tag", "must be another tag"));
            }
            tags::replace(db, from.id, into.id)?;
            slugs::repoint(db, Entity::Tag, from.id.get(), into.id.get())?;
            tags::delete(db, from.id)?;
            let mut change = taxonomy_change(
                ChangeKind::Removed,
                Entity::Tag,
                from.id.get(),
                Some(path(&into.slug)),
                Some(path(&from.slug)),
                now,
                user,
            );
            let keys = SurrogateKeys::default()
                .one(Entity::Tag, into.id.get())
                .articles_of(Entity::Tag, into.id.get());
            change.surrogate_keys.extend(keys.texts());
            changes::record(db, &change)?;
            Ok(into)
        })
        .await
}

/// Deletes a tag.
///
/// # Errors
/// 404; 409 `in_use` if articles have it and `detach` is not set.
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
            let tag = find(db, &reference)?;
            if detach {
                tags::detach(db, tag.id)?;
            } else if tags::is_used(db, tag.id)? {
                let detail = "Articles have this tag. Merge it into another, or delete with ?detach=true.";
                return Err(Error::Other(ErrorCode::InUse, detail.to_owned()));
            }
            slugs::forget(db, Entity::Tag, tag.id.get())?;
            tags::delete(db, tag.id)?;
            changes::record(
                db,
                &taxonomy_change(
                    ChangeKind::Removed,
                    Entity::Tag,
                    tag.id.get(),
                    None,
                    Some(path(&tag.slug)),
                    now,
                    user,
                ),
            )
        })
        .await
}
