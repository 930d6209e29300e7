//! Which user somebody is who has logged in at the provider.

use super::super::{Newsroom, sessions};
use crate::{
    domain::{
        error::Error,
        id::UserId,
        identity::{Identity, OidcSettings},
        text::is_forbidden_character,
        user::{EmailAddress, Role, User},
    },
    store::{conn::Db, identities, users},
};

/// The longest name of a user, in characters.
const MAX_NAME: usize = 200;

/// The user whose identity this is; by the rules, one who is linked to it or made for it now. `None` if they may not come
/// in: they are suspended, nobody's, or their groups give them no role.
pub(super) fn find_or_make(
    db: &mut Db,
    newsroom: &Newsroom,
    settings: &OidcSettings,
    identity: &Identity,
) -> Result<Option<User>, Error> {
    let follows_claim = settings.roles.claim.is_some();
    if follows_claim && identity.role.is_none() {
        tracing::info!("refused single sign-on: the groups give no role");
        return Ok(None);
    }
    let user = match identities::find_user(db, identity)? {
        Some(id) => known(db, newsroom, identity, id)?,
        None => stranger(db, newsroom, settings, identity)?,
    };
    let Some(user) = user else { return Ok(None) };
    match identity.role {
        Some(role) if follows_claim && role != user.role => change_role(db, newsroom, user, role).map(Some),
        _ => Ok(Some(user)),
    }
}

fn known(db: &mut Db, newsroom: &Newsroom, identity: &Identity, id: UserId) -> Result<Option<User>, Error> {
    identities::touch(db, identity, newsroom.clock.now())?;
    let user = users::find(db, id)?.filter(|user| !user.suspended);
    if user.is_none() {
        tracing::info!(user = %id, "refused single sign-on: the user is suspended");
    }
    Ok(user)
}

/// Somebody who has not been here before. An address counts only if the provider has verified it.
fn stranger(
    db: &mut Db,
    newsroom: &Newsroom,
    settings: &OidcSettings,
    identity: &Identity,
) -> Result<Option<User>, Error> {
    let Some(email) = &identity.verified_email else {
        tracing::info!("refused single sign-on: nobody knows them, and they have no verified e-mail address");
        return Ok(None);
    };
    let user = match users::find_by_email(db, email)? {
        Some((user, _)) if settings.link_by_email => link(db, identity, user)?,
        None if settings.create_users => make(db, newsroom, identity, email)?,
        _ => {
            tracing::info!("refused single sign-on: nobody knows them");
            None
        }
    };
    if let Some(user) = &user {
        identities::insert(db, identity, user.id, newsroom.clock.now())?;
    }
    Ok(user)
}

/// Gives a user to whoever has proved to the provider that the address is theirs. What was set before ends, for it may
/// have been set by somebody who was not: an account made with the address of another waits for them otherwise.
fn link(db: &mut Db, identity: &Identity, user: User) -> Result<Option<User>, Error> {
    if user.suspended || identities::has_any(db, user.id, &identity.issuer)? {
        // The provider has given the address to somebody else, who is not the user.
        tracing::warn!(user = %user.id, "refused single sign-on: the user is suspended or somebody else there");
        return Ok(None);
    }
    users::set_password_hash(db, user.id, "")?;
    sessions::end_all(db, user.id)?;
    identities::delete_codes(db, user.id)?;
    tracing::info!(user = %user.id, "linked a user to single sign-on");
    Ok(Some(user))
}

fn make(
    db: &mut Db,
    newsroom: &Newsroom,
    identity: &Identity,
    email: &EmailAddress,
) -> Result<Option<User>, Error> {
    let Some(role) = identity.role else { return Ok(None) };
    let user = User {
        id: UserId::new(newsroom.ids.next()),
        email: email.as_str().to_owned(),
        name: clean_name(identity.name.as_deref()).unwrap_or_else(|| email.as_str().to_owned()),
        role,
        suspended: false,
        author_id: None,
        created_at: newsroom.clock.now(),
    };
    users::insert(db, &user, "")?;
    tracing::info!(user = %user.id, %role, "made a user for single sign-on");
    Ok(Some(user))
}

/// A name of the provider, fit for ours.
fn clean_name(name: Option<&str>) -> Option<String> {
    let name: String =
        name?.chars().filter(|&c| !is_forbidden_character(c) && c != '\n').take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The user with another role; with the old one if nobody else could give them another again.
fn change_role(db: &mut Db, newsroom: &Newsroom, user: User, role: Role) -> Result<User, Error> {
    if user.role == Role::Admin && users::is_last_admin(db, user.id)? {
        tracing::warn!(user = %user.id, %role, "the last administrator stays one, whatever single sign-on says");
        return Ok(user);
    }
    tracing::info!(user = %user.id, from = %user.role, to = %role, "single sign-on changes a role");
    users::set_role(db, user.id, role, newsroom.clock.now())?;
    Ok(User { role, ..user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        assert_eq!(clean_name(Some(" Ada\u{202e}\n Lovelace ")).as_deref(), Some("Ada Lovelace"));
        assert_eq!(clean_name(Some(&"x".repeat(300))).map(|name| name.len()), Some(MAX_NAME));
        assert_eq!(clean_name(Some(" \0 ")), None);
        assert_eq!(clean_name(None), None);
    }
}
