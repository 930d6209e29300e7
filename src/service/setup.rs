//! The set-up link: how the first administrator of a new newsroom comes in.

use secrecy::SecretString;

use super::{Newsroom, auth};
use crate::{
    domain::{
        error::{Error, ErrorCode},
        instant::Instant,
        origin::Origin,
        user::{EmailAddress, Role, User},
    },
    store::users,
};

/// How long a link can be used.
const LIFETIME_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn done() -> Error {
    Error::Other(ErrorCode::SetupDone, ErrorCode::SetupDone.meaning().to_owned())
}

/// Makes the token of a set-up link, good for one use within 24 hours; links made earlier end. `None` if the newsroom
/// has users.
pub async fn create_link(newsroom: &Newsroom) -> Result<Option<SecretString>, Error> {
    let token = auth::random_token("")?;
    let expires_at = Instant::from_millis(newsroom.clock.now().millis().saturating_add(LIFETIME_MILLIS));
    newsroom
        .store
        .write(move |db| {
            if !users::begin_setup(db)? {
                return Ok(None);
            }
            users::delete_setup_links(db)?;
            users::insert_setup_link(db, &auth::token_hash(&token), expires_at)?;
            Ok(Some(token))
        })
        .await
}

/// Makes the first administrator and uses up the link.
///
/// # Errors
/// 410 if the link was used or has expired, or there are users; 422 if the name or the password will not do, and the
/// link remains then.
pub async fn complete(
    newsroom: &Newsroom,
    token: SecretString,
    email: EmailAddress,
    name: String,
    password: SecretString,
    origin: Origin,
) -> Result<User, Error> {
    let room = newsroom.clone();
    let (token_hash, now) = (auth::token_hash(&token), newsroom.clock.now());
    // Looked at before the password is hashed, so that nobody without a link can make the server work.
    let link = token_hash.clone();
    if !newsroom
        .store
        .read(move |db| Ok(users::count(db)? == 0 && users::has_setup_link(db, &link, now)?))
        .await?
    {
        return Err(done());
    }
    let (user, password_hash) = super::users::prepare(newsroom, email, &name, Role::Admin, password).await?;
    newsroom
        .store
        .write(move |db| {
            if !users::begin_setup(db)? || !users::consume_setup_link(db, &token_hash, now)? {
                return Err(done());
            }
            users::delete_setup_links(db)?;
            users::insert(db, &user, Some(&password_hash))?;
            auth::record(db, &room, &user, "complete_setup", &origin)?;
            Ok(user)
        })
        .await
}
