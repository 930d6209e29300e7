//! Sessions: open and end.

use super::{Newsroom, auth::LoggedIn};
use crate::{
    domain::{error::Error, id::UserId, origin::Origin, session::LoginMethod, user::User},
    store::conn::Db,
};

/// Opens a session.
///
/// # Errors
/// When the system has no random numbers.
pub fn open(
    _db: &mut Db,
    newsroom: &Newsroom,
    user: &User,
    _method: LoginMethod,
    _origin: &Origin,
) -> Result<LoggedIn, Error> {
    let token = newsroom.tokens.issue(user.id, newsroom.clock.now())?;
    Ok(LoggedIn { token, expires_in_seconds: newsroom.tokens.lifetime_seconds(), user: user.clone() })
}

/// Ends all that a user has.
pub fn end_all(_db: &mut Db, _user: UserId) -> Result<(), Error> {
    Ok(())
}
