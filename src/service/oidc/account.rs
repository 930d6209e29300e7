//! Which user somebody is who has logged in at the provider.

use serde_json::json;

use crate::{
    domain::{
        audit::{AuditEvent, Outcome},
        error::Error,
        id::UserId,
        identity::{Identity, OidcSettings},
        origin::Origin,
        text::is_forbidden_character,
        user::{EmailAddress, Role, User},
    },
    service::{Newsroom, users::new_user},
    store::{api_tokens, audit, conn::Db, identities, second_factors, sessions, users},
};

/// The longest name of a user, in characters.
const MAX_NAME: usize = 200;

/// Whether somebody may come in.
pub(super) enum Admission {
    /// As this user.
    Granted(Box<User>),
    /// Not, for this reason, which the audit log is told.
    Refused(&'static str),
}

use Admission::{Granted, Refused};

/// A log-in that has succeeded at the provider.
pub(super) struct Arrival<'a> {
    pub room: &'a Newsroom,
    pub settings: &'a OidcSettings,
    pub identity: &'a Identity,
    pub origin: &'a Origin,
}

impl Arrival<'_> {
    /// Lets the user in whose identity this is, or, by the rules, one who is linked to it or made for it now.
    pub(super) fn admit(&self, db: &mut Db) -> Result<Admission, Error> {
        let follows_claim = self.settings.roles.claim.is_some();
        if follows_claim && self.identity.role.is_none() {
            return Ok(Refused("no role for the groups at the provider"));
        }
        let admission = match identities::find_user(db, self.identity)? {
            Some(id) => self.known(db, id)?,
            None => self.stranger(db)?,
        };
        match (admission, self.identity.role) {
            (Granted(user), Some(role)) if follows_claim && role != user.role => {
                self.change_role(db, user.id, role).map(|user| Granted(Box::new(user)))
            }
            (admission, _) => Ok(admission),
        }
    }

    /// Writes to the audit log that somebody was not let in.
    pub(super) fn note_refusal(&self, db: &mut Db, why: &str) -> Result<(), Error> {
        let event = self.event("login", Outcome::Failed).detail(format!("single sign-on: {why}"));
        let actor_name = self.identity.verified_email.as_ref().map(|email| email.as_str().to_owned());
        audit::record(db, &AuditEvent { actor_name, ..event })
    }

    fn known(&self, db: &mut Db, id: UserId) -> Result<Admission, Error> {
        identities::touch(db, self.identity, self.room.clock.now())?;
        let user = users::get(db, id)?;
        Ok(if user.suspended { Refused("suspended") } else { Granted(Box::new(user)) })
    }

    /// Somebody who has not been here before. An address counts only if the provider has verified it.
    fn stranger(&self, db: &mut Db) -> Result<Admission, Error> {
        let Some(email) = &self.identity.verified_email else {
            return Ok(Refused("no account, and no verified e-mail address"));
        };
        match users::find_by_email(db, email)? {
            Some((user, _)) if self.settings.link_by_email => self.link(db, &user),
            None if self.settings.create_users => self.make(db, email),
            Some(_) => Ok(Refused("not linked to the account with the e-mail address")),
            None => Ok(Refused("no account")),
        }
    }

    /// Gives a user to whoever has proved to the provider that the address is theirs. What was set before ends, for it
    /// may have been set by somebody who was not: an account made with the address of another waits for them otherwise.
    fn link(&self, db: &mut Db, user: &User) -> Result<Admission, Error> {
        if user.suspended {
            return Ok(Refused("suspended"));
        }
        if identities::has_any(db, user.id, &self.identity.issuer)? {
            // The provider has given the address to somebody else, who is not the user.
            return Ok(Refused("the account belongs to somebody else at the provider"));
        }
        let now = self.room.clock.now();
        users::set_password(db, user.id, None, now)?;
        users::delete_password_links(db, user.id)?;
        sessions::delete_all(db, user.id)?;
        api_tokens::delete_all(db, user.id)?;
        second_factors::delete(db, user.id)?;
        identities::delete_codes(db, user.id)?;
        identities::insert(db, self.identity, user.id, now)?;
        self.record(db, "link_identity", user, |event| event)?;
        users::get(db, user.id).map(|user| Granted(Box::new(user)))
    }

    fn make(&self, db: &mut Db, email: &EmailAddress) -> Result<Admission, Error> {
        let Some(role) = self.identity.role else { return Ok(Refused("no role for a new user")) };
        let name = clean_name(self.identity.name.as_deref()).unwrap_or_else(|| email.as_str().to_owned());
        let user = new_user(self.room, email, name, role, false);
        users::insert(db, &user, None)?;
        identities::insert(db, self.identity, user.id, self.room.clock.now())?;
        let after = json!({"email": user.email, "name": user.name, "role": role});
        self.record(db, "create_user", &user, |event| AuditEvent { after: Some(after), ..event })?;
        Ok(Granted(Box::new(user)))
    }

    /// Gives a user another role; the last administrator keeps theirs, or nobody could give it back.
    fn change_role(&self, db: &mut Db, id: UserId, role: Role) -> Result<User, Error> {
        // Asked first: it also holds the set of administrators still.
        let has_other_admin = users::has_other_admin(db, id)?;
        let old = users::get(db, id)?;
        if old.role == Role::Admin && !has_other_admin {
            tracing::warn!(user = %id, %role, "the last administrator stays one, whatever single sign-on says");
            return Ok(old);
        }
        let (before, after) = (json!({"role": old.role}), json!({ "role": role }));
        let new = User { role, version: old.version + 1, updated_at: self.room.clock.now(), ..old };
        if !users::update(db, &new)? {
            return Err(Error::conflict("The user has just been changed."));
        }
        self.record(db, "update_user", &new, |event| AuditEvent {
            before: Some(before),
            after: Some(after),
            ..event
        })?;
        Ok(new)
    }

    fn event(&self, action: &str, outcome: Outcome) -> AuditEvent {
        AuditEvent::new(self.room.ids.next(), self.room.clock.now(), action, outcome).from(self.origin)
    }

    /// Writes to the audit log what single sign-on has done to a user.
    fn record(
        &self,
        db: &mut Db,
        action: &str,
        user: &User,
        more: impl FnOnce(AuditEvent) -> AuditEvent,
    ) -> Result<(), Error> {
        let event = self.event(action, Outcome::Done).about("user", user.id.get()).detail("single sign-on");
        let event = AuditEvent { actor_id: Some(user.id), actor_name: Some(user.name.clone()), ..event };
        audit::record(db, &more(event))
    }
}

/// A name of the provider, fit for ours.
fn clean_name(name: Option<&str>) -> Option<String> {
    let name: String =
        name?.chars().filter(|&c| !is_forbidden_character(c) && c != '\n').take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
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
