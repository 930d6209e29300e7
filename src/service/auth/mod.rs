//! Coming in: passwords, second factors, sessions with their access and refresh tokens, API tokens.

mod cache;
mod guard;
mod jwt;
mod passwords;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

pub(super) use self::guard::Attempt;
pub use self::{
    cache::AccessCache,
    jwt::{AccessTokens, Bearer, PublicKey, generate_key},
    passwords::{MAX_PASSWORD, MIN_PASSWORD, PasswordHasher, check_password},
};
use self::{
    cache::{Known, Shown},
    jwt::BadToken,
};
use super::{Newsroom, second_factor, sessions, signing_keys};
use crate::{
    domain::{
        api_token,
        audit::{AuditEvent, Outcome},
        error::{Error, ErrorCode, Faults},
        id::{SessionId, UserId},
        instant::Instant,
        origin::Origin,
        session::LoginMethod,
        user::{Actor, Credential, EmailAddress, Principal, User},
    },
    store::{self, api_tokens, audit, conn::Db, request, users},
};

/// Who shows this token, an access token or an API token. While nothing of that changes it costs no SQL; a suspension,
/// another role, a log-out or a revocation takes effect at once.
///
/// # Errors
/// 401 if the token is not valid, its session has ended, or its user is gone or suspended.
pub async fn authenticate(newsroom: &Newsroom, token: &str) -> Result<Principal, Error> {
    let now = newsroom.clock.now();
    let (shown, user) = if token.starts_with(api_token::PREFIX) {
        (Shown::Token(token_hash(&token.into())), None)
    } else {
        let bearer = verify(newsroom, token, now).await?;
        (Shown::Session(bearer.session), Some(bearer.user))
    };
    let known = known(newsroom, shown, now).await?;
    if known.expires_at.is_some_and(|end| end <= now) || user.is_some_and(|user| user != known.actor.id) {
        return Err(Error::unauthenticated());
    }
    if let Credential::Token(id, _) = known.actor.credential
        && known.is_to_be_noted(now)
    {
        let store = newsroom.store.clone();
        // Nobody waits for this, and if it fails, the next minute's note makes up for it.
        tokio::spawn(async move { store.write_apart(move |db| api_tokens::note_use(db, id, now)).await });
    }
    Ok(Principal::User(known.actor.clone()))
}

async fn verify(newsroom: &Newsroom, token: &str, now: Instant) -> Result<Bearer, Error> {
    let mut verified = newsroom.tokens.verify(token, now);
    if verified == Err(BadToken::UnknownKey) && signing_keys::reload(newsroom).await? {
        verified = newsroom.tokens.verify(token, now);
    }
    verified.map_err(|_| Error::unauthenticated())
}

async fn known(newsroom: &Newsroom, shown: Shown, now: Instant) -> Result<std::sync::Arc<Known>, Error> {
    let is_coherent = newsroom.store.is_coherent();
    let generation = match newsroom.access.get(&shown) {
        Ok(known) if is_coherent => return Ok(known),
        Ok(_) => None,
        Err(generation) => Some(generation),
    };
    let wanted = shown.clone();
    let found = newsroom.store.read(move |db| find(db, &wanted, now)).await?;
    let known = std::sync::Arc::new(found.ok_or_else(Error::unauthenticated)?);
    if let (Some(generation), true) = (generation, is_coherent) {
        newsroom.access.keep(shown, known.clone(), generation);
    }
    Ok(known)
}

fn find(db: &mut Db, shown: &Shown, now: Instant) -> Result<Option<Known>, Error> {
    let (user, credential, expires_at, used_at) = match shown {
        Shown::Session(id) => {
            let Some(session) = store::sessions::find(db, *id, now)? else { return Ok(None) };
            (session.user_id, Credential::Session(session.id), Some(session.expires_at), None)
        }
        Shown::Token(hash) => {
            let Some(token) = api_tokens::find_by_hash(db, hash)? else { return Ok(None) };
            (token.user_id, Credential::Token(token.id, token.scopes), token.expires_at, token.used_at)
        }
    };
    let Some(user) = users::find(db, user)?.filter(|user| !user.suspended) else { return Ok(None) };
    let must_enrol = second_factor::must_enrol(&user, &store::site::get(db)?);
    Ok(Some(Known::new(Actor { user, credential, must_enrol }, expires_at, used_at)))
}

/// What somebody shows to log in.
#[derive(Debug)]
pub struct Credentials {
    /// Their address.
    pub email: EmailAddress,
    /// Their password.
    pub password: SecretString,
    /// A code of their second factor, or a recovery code.
    pub code: Option<SecretString>,
}

/// Somebody who has just come in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Their access token.
    pub access_token: SecretString,
    /// Seconds that it lives.
    pub expires_in: i64,
    /// The token with which they get the next one.
    pub refresh_token: SecretString,
    /// Their session.
    pub session: SessionId,
}

fn bad_credentials() -> Error {
    Error::Other(ErrorCode::BadCredentials, ErrorCode::BadCredentials.meaning().to_owned())
}

fn bad_second_factor() -> Error {
    Error::Other(ErrorCode::BadSecondFactor, ErrorCode::BadSecondFactor.meaning().to_owned())
}

/// Logs in with e-mail address and password, and the second factor of those who have one.
///
/// # Errors
/// 401 `bad_credentials`, the same and after the same time for an unknown address, a wrong password and a suspended
/// user; 401 `second_factor_required` and `bad_second_factor` once the password is right; 429 after too many failures;
/// 503 when too many log in.
pub async fn login(newsroom: &Newsroom, credentials: Credentials, origin: Origin) -> Result<LoggedIn, Error> {
    let Credentials { email, password, code } = credentials;
    let (account, wanted) = (email.as_str().to_owned(), email.clone());
    let found = newsroom.store.read(move |db| users::find_by_email(db, &wanted)).await?;
    let (user, phc) = found.unzip();
    let phc = phc.flatten();
    let id = user.as_ref().map(|user| user.id);
    let attempt = Attempt::begin(newsroom, &account, id, &origin).await?;
    let correct = newsroom.passwords.verify(phc.clone(), password).await?;
    let user = match user {
        Some(user) if correct && !user.suspended => user,
        _ => {
            let why = if correct { "suspended" } else { "wrong address or password" };
            Attempt::fail(newsroom, "login", &account, id, &origin, why).await?;
            return Err(bad_credentials());
        }
    };
    if user.has_second_factor && code.is_none() {
        return Err(Error::Other(
            ErrorCode::SecondFactorRequired,
            ErrorCode::SecondFactorRequired.meaning().to_owned(),
        ));
    }
    let (room, from) = (newsroom.clone(), origin.clone());
    let logged_in = newsroom.store.write(move |db| {
        // As it is now: it may have been suspended, or got another password, while this one was being hashed.
        let user = users::get(db, user.id)?;
        if user.suspended || users::password_hash(db, user.id)? != phc {
            return Err(bad_credentials());
        }
        let passes = match &code {
            _ if !user.has_second_factor => true,
            Some(code) => second_factor::check(db, &room, user.id, code)?,
            None => false,
        };
        if !passes {
            return Err(bad_second_factor());
        }
        attempt.succeed(db)?;
        sessions::open(db, &room, &user, LoginMethod::Password, &from)
    });
    match logged_in.await {
        Err(error) if error.code() == ErrorCode::BadSecondFactor => {
            Attempt::fail(newsroom, "login", &account, id, &origin, "wrong second factor").await?;
            Err(error)
        }
        logged_in => logged_in,
    }
}

/// Checks the password of somebody who has logged in already, before what concerns their account itself. Who has none,
/// since they come in through single sign-on, needs to show none.
///
/// # Errors
/// 422 at `pointer` if it is wrong; 429 after too many failures.
pub(super) async fn check_own_password(
    newsroom: &Newsroom,
    actor: &Actor,
    password: Option<SecretString>,
    pointer: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let id = actor.id;
    let Some(phc) = newsroom.store.read(move |db| users::password_hash(db, id)).await? else {
        return Ok(());
    };
    let Some(password) = password else {
        return Err(Error::invalid(pointer, "required", "is required"));
    };
    let attempt = Attempt::begin(newsroom, &actor.email, Some(id), origin).await?;
    if newsroom.passwords.verify(Some(phc), password).await? {
        return newsroom.store.write_apart(move |db| attempt.succeed(db)).await;
    }
    Attempt::fail(newsroom, "check_password", &actor.email, Some(id), origin, "wrong password").await?;
    Err(Error::invalid(pointer, "wrong_password", "is not your password"))
}

/// Gives somebody who has logged in another password. All their sessions end; the answer is a new one.
///
/// # Errors
/// 422 if the present password is wrong or the new one will not do; 403 for an API token; 429 after too many failures.
pub async fn change_password(
    newsroom: &Newsroom,
    principal: &Principal,
    current: Option<SecretString>,
    new: SecretString,
    origin: Origin,
) -> Result<LoggedIn, Error> {
    let actor = principal.user()?;
    actor.session()?;
    let mut faults = Faults::default();
    check_password(&mut faults, "/new_password", &new, &[&actor.email, &actor.name]);
    faults.check()?;
    check_own_password(newsroom, actor, current, "/current_password", &origin).await?;
    let hash = newsroom.passwords.hash(new).await?;
    let (room, id) = (newsroom.clone(), actor.id);
    newsroom
        .store
        .write(move |db| {
            set_password(db, &room, id, &hash)?;
            let user = users::get(db, id)?;
            sessions::open_again(db, &room, &user, LoginMethod::Password, &origin)
        })
        .await
}

/// Sets a password, after which nothing that came before lets anybody in.
pub(super) fn set_password(db: &mut Db, room: &Newsroom, id: UserId, hash: &str) -> Result<(), Error> {
    users::set_password(db, id, Some(hash), room.clock.now())?;
    store::sessions::delete_all(db, id)?;
    users::delete_password_links(db, id)
}

fn dead_link() -> Error {
    Error::Other(ErrorCode::DeadLink, ErrorCode::DeadLink.meaning().to_owned())
}

/// Sets a password with a one-time link. Sessions end, and the link is used up.
///
/// # Errors
/// 410 if the link was used or has expired, or its user is suspended; 422 if the password will not do, and the link
/// remains then.
pub async fn redeem_password_link(
    newsroom: &Newsroom,
    token: SecretString,
    password: SecretString,
    origin: Origin,
) -> Result<(), Error> {
    let (hash, now) = (token_hash(&token), newsroom.clock.now());
    let wanted = hash.clone();
    // Looked at before the password is hashed, so that nobody without a link can make the server work.
    let find = move |db: &mut Db| match users::find_password_link(db, &wanted, now)? {
        Some(id) => users::find(db, id),
        None => Ok(None),
    };
    let user = newsroom.store.read(find).await?.filter(|user| !user.suspended).ok_or_else(dead_link)?;
    let mut faults = Faults::default();
    check_password(&mut faults, "/password", &password, &[&user.email, &user.name]);
    faults.check()?;
    let phc = newsroom.passwords.hash(password).await?;
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let still = users::find_password_link(db, &hash, now)? == Some(user.id);
            if !still || !users::consume_password_link(db, &hash)? {
                return Err(dead_link());
            }
            set_password(db, &room, user.id, &phc)?;
            record(db, &room, &user, "set_password", &origin)
        })
        .await
}

/// Writes to the audit log what somebody did who has shown no credential yet.
pub(super) fn record(
    db: &mut Db,
    room: &Newsroom,
    user: &User,
    action: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let event = AuditEvent::new(room.ids.next(), room.clock.now(), action, Outcome::Done);
    let event = AuditEvent { actor_id: Some(user.id), actor_name: Some(user.name.clone()), ..event };
    audit::record(db, &event.about("user", user.id.get()).from(origin))
}

/// Removes what has ended: sessions, failed log-ins, answers under idempotency keys, signing keys.
///
/// # Errors
/// Those of the database.
pub async fn clean_up(newsroom: &Newsroom) -> Result<(), Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .write(move |db| {
            store::sessions::delete_expired(db, now)?;
            guard::forget(db, now)?;
            request::forget_before(db, now.millis().saturating_sub(IDEMPOTENCY_LIFETIME))?;
            store::identities::delete_expired(db, now)?;
            store::signing_keys::delete_expired(db, now)
        })
        .await
}

/// How long an answer is kept under its `Idempotency-Key`, in milliseconds: a day.
pub const IDEMPOTENCY_LIFETIME: i64 = 24 * 60 * 60 * 1000;

/// Random bytes for secrets.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("random numbers", error))?;
    Ok(bytes)
}

/// A new token with 256 random bits.
pub(super) fn random_token(prefix: &str) -> Result<SecretString, Error> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?)).into())
}

/// How such a token is stored. It is as random as a key, so that a fast hash will do.
pub(super) fn token_hash(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret().as_bytes()))
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
