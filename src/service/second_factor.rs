//! Second factors: time-based one-time passwords (TOTP, RFC 6238) and recovery codes.

use secrecy::{ExposeSecret as _, SecretString};
use totp_rs::{Builder, Secret, Totp};

use super::{
    Newsroom,
    auth::{Attempt, check_own_password, random, token_hash},
};
use crate::{
    domain::{
        error::{Error, ErrorCode},
        id::UserId,
        origin::Origin,
        permission::{Action, require},
        site::Site,
        user::{Actor, Principal, User},
    },
    store::{conn::Db, second_factors, site, users},
};

/// Recovery codes that a user is given.
const RECOVERY_CODES: usize = 10;

/// A secret that is to be put into an authenticator.
#[derive(Debug)]
pub struct Enrolment {
    /// In base32, to be typed.
    pub secret: SecretString,
    /// The same as an `otpauth://` address, to be shown as a QR code.
    pub url: SecretString,
}

/// Whether the site wants a second factor of a user that they do not have. Of those without a password the provider of
/// single sign-on sees to that.
pub(super) fn must_enrol(user: &User, site: &Site) -> bool {
    user.has_password && !user.has_second_factor && site.second_factor_roles.contains(&user.role)
}

fn totp(secret: &SecretString, account: &str, issuer: &str) -> Result<Totp, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::internal("making a one-time password", error);
    let secret = Secret::try_from_base32(secret.expose_secret()).map_err(|error| failed(&error))?;
    // 30 seconds, six digits, SHA-1: what authenticators know. One step more on either side, for clocks that are off.
    let builder =
        Builder::new().with_secret(secret).with_skew(1).with_account_name(account.replace(':', " "));
    builder.with_issuer(Some(issuer.replace(':', " "))).build().map_err(|error| failed(&error))
}

/// Whether a code is of the user's authenticator, or one of their recovery codes. Either is taken once.
pub(super) fn check(db: &mut Db, room: &Newsroom, user: UserId, code: &SecretString) -> Result<bool, Error> {
    let Some(factor) = second_factors::find(db, user)?.filter(|factor| factor.is_confirmed) else {
        return Ok(false);
    };
    if take_code(db, room, user, &factor.secret, code)? {
        return Ok(true);
    }
    second_factors::take_recovery_code(db, user, &recovery_hash(code))
}

fn take_code(
    db: &mut Db,
    room: &Newsroom,
    user: UserId,
    secret: &SecretString,
    code: &SecretString,
) -> Result<bool, Error> {
    let seconds = room.clock.now().millis().div_euclid(1000);
    let code: String = code.expose_secret().split_whitespace().collect();
    let step = totp(secret, "account", "issuer")?.check(&code, seconds.unsigned_abs());
    match step.and_then(|step| i64::try_from(step).ok()) {
        Some(step) => second_factors::take_step(db, user, step),
        None => Ok(false),
    }
}

/// Recovery codes are compared without regard to case and hyphens.
fn recovery_hash(code: &SecretString) -> String {
    let code: String = code.expose_secret().chars().filter(char::is_ascii_alphanumeric).collect();
    token_hash(&code.to_lowercase().into())
}

/// A recovery code of 80 random bits.
fn recovery_code() -> Result<SecretString, Error> {
    let code = Secret::from(random::<10>()?.to_vec()).to_base32().to_lowercase();
    let parts: Vec<&str> =
        [0..4, 4..8, 8..12, 12..16].into_iter().filter_map(|part| code.get(part)).collect();
    Ok(parts.join("-").into())
}

fn new_recovery_codes(db: &mut Db, user: UserId) -> Result<Vec<SecretString>, Error> {
    let codes = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<_> = codes.iter().map(recovery_hash).collect();
    second_factors::set_recovery_codes(db, user, &hashes)?;
    Ok(codes)
}

/// The caller, who has to have logged in.
fn own(principal: &Principal) -> Result<&Actor, Error> {
    let actor = principal.user()?;
    actor.session()?;
    Ok(actor)
}

fn wrong_code() -> Error {
    Error::invalid("/code", "wrong_code", "is not a code of your second factor")
}

/// Begins to give the caller a second factor. It counts once it is confirmed.
///
/// # Errors
/// 401; 403 for an API token; 409 if they have one; 422 if the password is wrong; 429 after too many failures.
pub async fn begin(
    newsroom: &Newsroom,
    principal: &Principal,
    password: Option<SecretString>,
    origin: Origin,
) -> Result<Enrolment, Error> {
    let actor = own(principal)?;
    check_own_password(newsroom, actor, password, "/password", &origin).await?;
    let secret = SecretString::from(Secret::from(random::<20>()?).to_base32());
    let (room, id) = (newsroom.clone(), actor.id);
    newsroom
        .store
        .write(move |db| {
            if second_factors::find(db, id)?.is_some_and(|factor| factor.is_confirmed) {
                return Err(Error::conflict("You have a second factor. Disable that first."));
            }
            second_factors::begin(db, id, &secret)?;
            let (user, site) = (users::get(db, id)?, room.site.get(db)?);
            let url = totp(&secret, &user.email, &site.name)?.to_url();
            let url = url.map_err(|error| Error::internal("writing an otpauth address", error))?;
            Ok(Enrolment { secret, url: url.into() })
        })
        .await
}

/// Runs what takes a code of the caller, as an attempt: it fails if the code is wrong.
async fn with_code<T: Send + 'static>(
    newsroom: &Newsroom,
    actor: &Actor,
    action: &str,
    origin: &Origin,
    work: impl FnOnce(&mut Db) -> Result<Option<T>, Error> + Send + 'static,
) -> Result<T, Error> {
    let attempt = Attempt::begin(newsroom, &actor.email, Some(actor.id), origin).await?;
    let done = newsroom.store.write(move |db| {
        let done = work(db)?.ok_or_else(wrong_code)?;
        attempt.succeed(db)?;
        Ok(done)
    });
    match done.await {
        Err(Error::Invalid(faults)) => {
            Attempt::fail(newsroom, action, &actor.email, Some(actor.id), origin, "wrong second factor")
                .await?;
            Err(Error::Invalid(faults))
        }
        done => done,
    }
}

/// Confirms a second factor with a code of it: from now on logging in needs one. Answers recovery codes.
///
/// # Errors
/// 401; 403 for an API token; 409 if there is none to confirm; 422 if the code is wrong; 429 after too many failures.
pub async fn confirm(
    newsroom: &Newsroom,
    principal: &Principal,
    code: SecretString,
    origin: Origin,
) -> Result<Vec<SecretString>, Error> {
    let actor = own(principal)?;
    let (room, id) = (newsroom.clone(), actor.id);
    with_code(newsroom, actor, "confirm_second_factor", &origin, move |db| {
        let factor = second_factors::find(db, id)?.filter(|factor| !factor.is_confirmed);
        let factor = factor.ok_or_else(|| Error::conflict("There is no second factor to confirm."))?;
        if !take_code(db, &room, id, &factor.secret, &code)? {
            return Ok(None);
        }
        second_factors::confirm(db, id, room.clock.now())?;
        new_recovery_codes(db, id).map(Some)
    })
    .await
}

/// Gives the caller other recovery codes; those before end.
///
/// # Errors
/// 401; 403 for an API token; 422 if the code is wrong; 429 after too many failures.
pub async fn renew_recovery_codes(
    newsroom: &Newsroom,
    principal: &Principal,
    code: SecretString,
    origin: Origin,
) -> Result<Vec<SecretString>, Error> {
    let actor = own(principal)?;
    let (room, id) = (newsroom.clone(), actor.id);
    with_code(newsroom, actor, "renew_recovery_codes", &origin, move |db| {
        if check(db, &room, id, &code)? { new_recovery_codes(db, id).map(Some) } else { Ok(None) }
    })
    .await
}

/// Takes the second factor off the caller.
///
/// # Errors
/// 401; 403 for an API token, or if the site wants a second factor of their role; 422 if the code is wrong; 429 after too
/// many failures.
pub async fn disable(
    newsroom: &Newsroom,
    principal: &Principal,
    code: SecretString,
    origin: Origin,
) -> Result<(), Error> {
    let actor = own(principal)?;
    let (room, id, role) = (newsroom.clone(), actor.id, actor.role);
    with_code(newsroom, actor, "disable_second_factor", &origin, move |db| {
        if site::get(db)?.second_factor_roles.contains(&role) {
            let detail = "This site wants a second factor of your role.".to_owned();
            return Err(Error::Other(ErrorCode::Forbidden, detail));
        }
        if check(db, &room, id, &code)? { second_factors::delete(db, id).map(Some) } else { Ok(None) }
    })
    .await
}

/// Takes the second factor off a user who has lost it.
///
/// # Errors
/// 401, 403; 404 if there is no such user, or they have none.
pub async fn reset(newsroom: &Newsroom, principal: &Principal, id: UserId) -> Result<(), Error> {
    require(principal, Action::ManageUsers)?;
    newsroom
        .store
        .write(move |db| {
            users::get(db, id)?;
            second_factors::find(db, id)?.ok_or_else(|| Error::not_found("second factor"))?;
            second_factors::delete(db, id)
        })
        .await
}
