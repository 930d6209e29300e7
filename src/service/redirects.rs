//! Redirects that editors make.

use super::{Newsroom, check_version, resolve};
use crate::{
    domain::{
        change::{Change, ChangeKind, Entity, surrogate_key},
        error::{Error, ErrorCode},
        id::{RedirectId, UserId},
        instant::Instant,
        page::{Page, PageRequest},
        permission::{Action, require},
        redirect::{Redirect, RedirectChanges, SitePath, Target},
        user::{Principal, UserCard},
    },
    store::{changes, conn::Db, redirects},
};

/// A page of redirects by path.
///
/// # Errors
/// 401, 403.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    page: PageRequest,
) -> Result<Page<Redirect>, Error> {
    require(principal, Action::EditRedirects)?;
    newsroom.store.read(move |db| redirects::list(db, &page)).await
}

/// One redirect.
///
/// # Errors
/// 401, 403, 404.
pub async fn get(newsroom: &Newsroom, principal: &Principal, id: RedirectId) -> Result<Redirect, Error> {
    require(principal, Action::EditRedirects)?;
    newsroom.store.read(move |db| find(db, id)).await
}

fn find(db: &mut Db, id: RedirectId) -> Result<Redirect, Error> {
    redirects::find(db, id)?.ok_or_else(|| Error::not_found("redirect"))
}

/// Where a redirect of `from` leads in one step, so that there are neither chains nor loops.
fn collapsed(db: &mut Db, site_url: &str, from: &SitePath, to: &Target) -> Result<String, Error> {
    let loops = || Error::invalid("/to", "loop", "would lead back to where it comes from");
    // An address of our own site is a path.
    let own = to.as_str().strip_prefix(site_url).and_then(|path| SitePath::parse(path).ok());
    let path = match (to, &own) {
        (Target::Path(path), _) | (Target::Url(_), Some(path)) => path,
        (Target::Url(url), None) => return Ok(url.clone()),
    };
    if path == from {
        return Err(loops());
    }
    match redirects::find_from(db, path.as_str())? {
        Some(next) if next.to == from.as_str() => Err(loops()),
        Some(next) => Ok(next.to),
        None => Ok(path.as_str().to_owned()),
    }
}

/// A path is redirected only where nothing lives, and once.
fn check_from(
    db: &mut Db,
    newsroom: &Newsroom,
    from: &SitePath,
    own: Option<RedirectId>,
) -> Result<(), Error> {
    if resolve::is_live(db, newsroom, from)? {
        let detail = format!("There is a page at {}, which would win over the redirect.", from.as_str());
        return Err(Error::Other(ErrorCode::InUse, detail));
    }
    match redirects::find_from(db, from.as_str())? {
        Some(known) if Some(known.id) != own => {
            Err(Error::taken(format!("{} is redirected already, to {}.", known.from, known.to)))
        }
        _ => Ok(()),
    }
}

fn change(redirect: &Redirect, kind: ChangeKind, at: Instant, actor: UserId) -> Change {
    Change {
        kind,
        entity: Entity::Redirect,
        entity_id: redirect.id.get(),
        path: (kind != ChangeKind::Removed).then(|| redirect.to.clone()),
        old_path: Some(redirect.from.clone()),
        surrogate_keys: vec![surrogate_key(Entity::Redirect, redirect.id.get())],
        at,
        actor: Some(actor),
    }
}

/// Records that redirects lead further than they did.
fn record_led_on(db: &mut Db, led_on: &[Redirect], at: Instant, actor: UserId) -> Result<(), Error> {
    let mut changes = led_on.iter().map(|redirect| change(redirect, ChangeKind::Updated, at, actor));
    changes.try_for_each(|change| changes::record(db, &change))
}

/// Makes a redirect. One that would lead to another leads where that one does, and others that lead here are led on.
///
/// # Errors
/// 401, 403; 409 if something lives at the path or it is redirected already; 422 for a loop.
pub async fn create(
    newsroom: &Newsroom,
    principal: &Principal,
    changes: RedirectChanges,
) -> Result<Redirect, Error> {
    let user = require(principal, Action::EditRedirects)?;
    let (Some(from), Some(to)) = (changes.from, changes.to) else {
        return Err(Error::Internal("a redirect without ends".to_owned()));
    };
    let created_by = UserCard { id: user.id, name: user.name.clone() };
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            redirects::hold(db)?;
            let (now, actor) = (room.clock.now(), created_by.id);
            check_from(db, &room, &from, None)?;
            let site = room.site.get(db)?;
            let to = collapsed(db, &site.url, &from, &to)?;
            let led_on = redirects::point_on(db, from.as_str(), &to, now)?;
            let redirect = Redirect {
                id: RedirectId::new(room.ids.next()),
                from: from.as_str().to_owned(),
                to,
                version: 1,
                created_by,
                created_at: now,
                updated_at: now,
            };
            redirects::insert(db, &redirect)?;
            changes::record(db, &change(&redirect, ChangeKind::Created, now, actor))?;
            record_led_on(db, &led_on, now, actor)?;
            Ok(redirect)
        })
        .await
}

/// Edits a redirect.
///
/// # Errors
/// As [`create`]; 404; 412 if `version` is given and stale.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    id: RedirectId,
    version: Option<i64>,
    changes: RedirectChanges,
) -> Result<Redirect, Error> {
    let actor = require(principal, Action::EditRedirects)?.id;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            redirects::hold(db)?;
            let (now, old, site) = (room.clock.now(), find(db, id)?, room.site.get(db)?);
            check_version(version, old.version)?;
            let stored = |path: &str| {
                SitePath::parse(path).map_err(|error| Error::internal("reading a stored redirect", error))
            };
            let from = changes.from.map_or_else(|| stored(&old.from), Ok)?;
            check_from(db, &room, &from, Some(id))?;
            let to = match changes.to {
                Some(to) => collapsed(db, &site.url, &from, &to)?,
                None if old.to == from.as_str() => {
                    collapsed(db, &site.url, &from, &Target::Path(from.clone()))?
                }
                None => old.to,
            };
            let mut led_on = redirects::point_on(db, from.as_str(), &to, now)?;
            // It may have led to where it begins now.
            led_on.retain(|redirect| redirect.id != id);
            let from = from.as_str().to_owned();
            let new = Redirect { from, to, version: old.version + 1, updated_at: now, ..old };
            redirects::update(db, &new)?;
            changes::record(db, &change(&new, ChangeKind::Updated, now, actor))?;
            record_led_on(db, &led_on, now, actor)?;
            Ok(new)
        })
        .await
}

/// Deletes a redirect.
///
/// # Errors
/// 401, 403, 404; 412 if `version` is given and stale.
pub async fn delete(
    newsroom: &Newsroom,
    principal: &Principal,
    id: RedirectId,
    version: Option<i64>,
) -> Result<(), Error> {
    let actor = require(principal, Action::EditRedirects)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            redirects::hold(db)?;
            let redirect = find(db, id)?;
            check_version(version, redirect.version)?;
            redirects::delete(db, id)?;
            changes::record(db, &change(&redirect, ChangeKind::Removed, now, actor))
        })
        .await
}
