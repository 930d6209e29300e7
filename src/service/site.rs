//! The site: read and edit it.

use super::{Newsroom, check_version};
use crate::{
    domain::{
        change::{Change, ChangeKind, Entity, surrogate_key},
        error::Error,
        permission::{Action, require},
        site::{Site, SiteChanges},
        user::Principal,
    },
    store::{
        audit, changes,
        signals::{self, Signal},
        site,
    },
};

/// The site.
pub async fn get(newsroom: &Newsroom) -> Result<Site, Error> {
    newsroom.store.read(site::get).await
}

/// Edits the site.
///
/// # Errors
/// 412 if `version` is given and stale.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    version: Option<i64>,
    changes: SiteChanges,
) -> Result<Site, Error> {
    let user = require(principal, Action::EditSite)?.id;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            let old = site::get(db)?;
            check_version(version, old.version)?;
            let before = serde_json::to_value(&old).ok();
            let new = Site {
                name: changes.name.unwrap_or(old.name),
                tagline: changes.tagline.unwrap_or(old.tagline),
                url: changes.url.unwrap_or(old.url),
                language: changes.language.unwrap_or(old.language),
                time_zone: changes.time_zone.unwrap_or(old.time_zone),
                permalink: changes.permalink.unwrap_or(old.permalink),
                confirm_warnings: changes.confirm_warnings.unwrap_or(old.confirm_warnings),
                second_factor_roles: changes.second_factor_roles.unwrap_or(old.second_factor_roles),
                navigation: changes.navigation.unwrap_or(old.navigation),
                paywall_selector: changes.paywall_selector.unwrap_or(old.paywall_selector),
                version: old.version + 1,
                updated_at: now,
            };
            if !site::update(db, &new)? {
                return Err(Error::Stale { current_version: old.version + 1, changed: Vec::new() });
            }
            let change = Change {
                kind: ChangeKind::Updated,
                entity: Entity::Site,
                entity_id: 1,
                path: Some("/".to_owned()),
                old_path: None,
                surrogate_keys: vec![surrogate_key(Entity::Site, 1)],
                at: now,
                actor: Some(user),
            };
            changes::record(db, &change)?;
            audit::changed(before, serde_json::to_value(&new).ok());
            signals::send(db, Signal::Site)?;
            Ok(new)
        })
        .await
}
