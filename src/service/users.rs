//! Users: invite, edit, suspend, delete.

use secrecy::SecretString;

use super::{
    Newsroom,
    audit::at_command_line,
    auth,
    auth::{check_password, random_token, token_hash},
    check_version,
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::UserId,
        instant::Instant,
        page::{Page, PageRequest},
        permission::{Action, require},
        text,
        user::{EmailAddress, Principal, Role, User, UserChanges, UserFilter},
    },
    store::{audit, conn::Db, sessions, users},
};

/// How long a one-time link can be used, in milliseconds: three days.
const LINK_LIFETIME: i64 = 3 * 24 * 60 * 60 * 1000;
/// What the token of a one-time link begins with.
const LINK_PREFIX: &str = "masthead_link_";

/// A one-time link with which a user sets a password.
#[derive(Debug)]
pub struct PasswordLink {
    /// Whoever has it can set the password.
    pub token: SecretString,
    /// Until when it can be used.
    pub expires_at: Instant,
}

/// A user who is not stored yet.
pub(super) fn new_user(
    newsroom: &Newsroom,
    email: &EmailAddress,
    name: String,
    role: Role,
    has_password: bool,
) -> User {
    let now = newsroom.clock.now();
    User {
        id: UserId::new(newsroom.ids.next()),
        email: email.as_str().to_owned(),
        name,
        role,
        suspended: false,
        has_password,
        has_second_factor: false,
        author_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// A user who may be made, and the hash of their password.
pub(super) async fn prepare(
    newsroom: &Newsroom,
    email: EmailAddress,
    name: &str,
    role: Role,
    password: SecretString,
) -> Result<(User, String), Error> {
    let mut faults = Faults::default();
    let line = text::line(&mut faults, "/name", name, 200);
    check_password(&mut faults, "/password", &password, &[email.as_str(), name]);
    faults.check()?;
    let password_hash = newsroom.passwords.hash(password).await?;
    Ok((new_user(newsroom, &email, line.unwrap_or_default(), role, true), password_hash))
}

/// Makes a user with a password, for whoever runs the server; no principal is asked.
///
/// # Errors
/// 409 if another has the address; 422 if the name or the password will not do.
pub async fn add(
    newsroom: &Newsroom,
    email: EmailAddress,
    name: String,
    role: Role,
    password: SecretString,
) -> Result<User, Error> {
    let (user, password_hash) = prepare(newsroom, email, &name, role, password).await?;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            users::insert(db, &user, Some(&password_hash))?;
            at_command_line(db, &room, "create_user", "user", user.id.get())?;
            Ok(user)
        })
        .await
}

/// Gives a user another password, for whoever runs the server; no principal is asked. Their sessions end.
///
/// # Errors
/// 404 if nobody has the address; 422 if the password will not do.
pub async fn set_password(
    newsroom: &Newsroom,
    email: EmailAddress,
    password: SecretString,
) -> Result<User, Error> {
    let found = newsroom.store.read(move |db| users::find_by_email(db, &email)).await?;
    let (user, _) = found.ok_or_else(|| Error::not_found("user"))?;
    let mut faults = Faults::default();
    check_password(&mut faults, "/password", &password, &[&user.email, &user.name]);
    faults.check()?;
    let hash = newsroom.passwords.hash(password).await?;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            auth::set_password(db, &room, user.id, &hash)?;
            at_command_line(db, &room, "set_password", "user", user.id.get())?;
            Ok(user)
        })
        .await
}

/// A page of users by address.
///
/// # Errors
/// 401, 403.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    filter: UserFilter,
    request: PageRequest,
) -> Result<Page<User>, Error> {
    require(principal, Action::ManageUsers)?;
    newsroom.store.read(move |db| users::list(db, &filter, &request)).await
}

/// One user.
///
/// # Errors
/// 401, 403, 404.
pub async fn get(newsroom: &Newsroom, principal: &Principal, id: UserId) -> Result<User, Error> {
    require(principal, Action::ManageUsers)?;
    newsroom.store.read(move |db| users::get(db, id)).await
}

/// What the audit log tells of a user.
fn told(user: &User) -> serde_json::Value {
    serde_json::json!({
        "email": user.email, "name": user.name, "role": user.role, "suspended": user.suspended
    })
}

/// Makes a user who sets a password with the one-time link that comes with them.
///
/// # Errors
/// 401, 403; 409 if another has the address.
pub async fn invite(
    newsroom: &Newsroom,
    principal: &Principal,
    email: EmailAddress,
    name: String,
    role: Role,
) -> Result<(User, PasswordLink), Error> {
    require(principal, Action::ManageUsers)?;
    let (room, user) = (newsroom.clone(), new_user(newsroom, &email, name, role, false));
    newsroom
        .store
        .write(move |db| {
            users::insert(db, &user, None)?;
            audit::changed(None, Some(told(&user)));
            let link = make_link(db, &room, user.id)?;
            Ok((user, link))
        })
        .await
}

fn make_link(db: &mut Db, room: &Newsroom, id: UserId) -> Result<PasswordLink, Error> {
    let token = random_token(LINK_PREFIX)?;
    let expires_at = Instant::from_millis(room.clock.now().millis().saturating_add(LINK_LIFETIME));
    users::insert_password_link(db, id, &token_hash(&token), expires_at)?;
    Ok(PasswordLink { token, expires_at })
}

/// Makes a one-time link with which a user sets a password: an invitation once more, or for those who have forgotten
/// theirs. Links made before end; what the user has now stays until the link is used.
///
/// # Errors
/// 401, 403, 404; 409 if the user is suspended.
pub async fn create_password_link(
    newsroom: &Newsroom,
    principal: &Principal,
    id: UserId,
) -> Result<PasswordLink, Error> {
    require(principal, Action::ManageUsers)?;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            if users::get(db, id)?.suspended {
                return Err(Error::conflict("The user is suspended. Lift that first."));
            }
            make_link(db, &room, id)
        })
        .await
}

fn last_admin() -> Error {
    Error::conflict("This is the last administrator who can work. Make another one first.")
}

/// Edits a user. One who is suspended loses their sessions at once, and cannot come in; their API tokens rest.
///
/// # Errors
/// 401, 403, 404; 409 if another has the address, or if it would leave nobody to administrate; 412 if `version` is given
/// and stale.
pub async fn update(
    newsroom: &Newsroom,
    principal: &Principal,
    id: UserId,
    version: Option<i64>,
    changes: UserChanges,
) -> Result<User, Error> {
    require(principal, Action::ManageUsers)?;
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            // Asked first: it also holds the set of administrators still.
            let has_other_admin = users::has_other_admin(db, id)?;
            let old = users::get(db, id)?;
            check_version(version, old.version)?;
            let before = told(&old);
            let new = User {
                email: changes.email.map_or(old.email, |email| email.as_str().to_owned()),
                name: changes.name.unwrap_or(old.name),
                role: changes.role.unwrap_or(old.role),
                suspended: changes.suspended.unwrap_or(old.suspended),
                version: old.version + 1,
                updated_at: now,
                ..old
            };
            let works = |role, suspended: bool| role == Role::Admin && !suspended;
            if works(old.role, old.suspended) && !works(new.role, new.suspended) && !has_other_admin {
                return Err(last_admin());
            }
            if !users::update(db, &new)? {
                return Err(Error::Stale { current_version: old.version + 1, changed: Vec::new() });
            }
            if new.suspended && !old.suspended {
                sessions::delete_all(db, id)?;
                users::delete_password_links(db, id)?;
            }
            audit::changed(Some(before), Some(told(&new)));
            Ok(new)
        })
        .await
}

/// Deletes a user, with their sessions and API tokens.
///
/// # Errors
/// 401, 403, 404; 409 if it is the last administrator; 409 `in_use` if articles or other things of theirs are still there.
pub async fn delete(newsroom: &Newsroom, principal: &Principal, id: UserId) -> Result<(), Error> {
    require(principal, Action::ManageUsers)?;
    newsroom
        .store
        .write(move |db| {
            let has_other_admin = users::has_other_admin(db, id)?;
            let user = users::get(db, id)?;
            if user.role == Role::Admin && !user.suspended && !has_other_admin {
                return Err(last_admin());
            }
            audit::changed(Some(told(&user)), None);
            users::delete(db, id)
        })
        .await
}
