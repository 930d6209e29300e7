//! Single sign-on with OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1;
//! RFC 7636), for tools that run in a browser elsewhere.
//!
//! ```text
//! tool ── start {return_to} ──▶ Masthead             tool keeps the verifier
//! browser ──▶ provider ── callback {code, state} ──▶ Masthead ──▶ return_to#login_code=…
//! tool ── complete {login_code, verifier} ──▶ Masthead ──▶ the log-in
//! ```
//!
//! Nothing is kept in cookies. What binds the three steps to one browser is the verifier, which only the tool that began
//! has: neither can somebody be logged in as another without noticing, nor can a code that was seen be used.

mod account;
mod provider;

use openidconnect::PkceCodeChallenge;
use secrecy::{ExposeSecret as _, SecretString};

use self::{
    account::{Admission, Arrival},
    provider::Provider,
};
use super::{
    Newsroom,
    auth::{self, LoggedIn},
    sessions,
};
use crate::{
    domain::{
        error::{Error, ErrorCode},
        identity::{Attempt, OidcSettings, Refusal},
        instant::Instant,
        origin::Origin,
        session::LoginMethod,
    },
    store::{identities, users},
};

/// Where the provider sends browsers back, below the address of the server.
pub const CALLBACK: &str = "/v1/auth/oidc/callback";
/// Seconds that somebody has to log in at the provider.
pub const ATTEMPT_SECONDS: i64 = 10 * 60;
/// Seconds in which a tool has to take the log-in.
const CODE_SECONDS: i64 = 60;

/// Single sign-on as it is configured.
#[derive(Debug)]
pub struct SingleSignOn {
    settings: OidcSettings,
    provider: Provider,
}

impl SingleSignOn {
    /// Single sign-on at a provider that sends browsers back to `callback`. Nothing is fetched yet.
    pub fn new(settings: OidcSettings, callback: String) -> Self {
        Self { provider: Provider::new(settings.clone(), callback), settings }
    }

    /// What tools write on their button.
    pub fn name(&self) -> &str {
        &self.settings.name
    }
}

fn configured(newsroom: &Newsroom) -> Result<&SingleSignOn, Error> {
    newsroom.oidc.as_deref().ok_or_else(|| {
        Error::Other(ErrorCode::NotFound, "Single sign-on is not configured on this server.".to_owned())
    })
}

fn later(now: Instant, seconds: i64) -> Instant {
    Instant::from_millis(now.millis().saturating_add(seconds.saturating_mul(1000)))
}

/// A log-in that has begun.
#[derive(Debug)]
pub struct Started {
    /// Where the browser is to go. It holds the state, so it is a secret until it has been used.
    pub authorization_url: SecretString,
    /// What the tool keeps to itself until the end.
    pub verifier: SecretString,
}

/// Begins a log-in that ends at `return_to`.
///
/// # Errors
/// 404 if single sign-on is off; 422 if `return_to` is not one of the addresses that are configured, to the letter; 503
/// if the provider cannot be reached.
pub async fn start(newsroom: &Newsroom, return_to: String) -> Result<Started, Error> {
    let sso = configured(newsroom)?;
    if !sso.settings.return_urls.iter().any(|url| url.as_str() == return_to) {
        let message = "is not one of the addresses to which this server sends browsers back";
        return Err(Error::invalid("/return_to", "not_allowed", message));
    }
    let now = newsroom.clock.now();
    let [state, nonce, verifier] =
        [auth::random_token("")?, auth::random_token("")?, auth::random_token("")?];
    let (challenge, pkce_verifier) = PkceCodeChallenge::new_random_sha256();
    let url = sso.provider.authorization_url(&state, &nonce, challenge, now).await;
    let authorization_url = url.map_err(|fault| {
        tracing::warn!(%fault, "the provider of single sign-on cannot be used");
        let detail = "The provider of single sign-on cannot be used at this moment; try again soon.";
        Error::Other(ErrorCode::Busy, detail.to_owned())
    })?;
    let attempt = Attempt {
        state_hash: auth::token_hash(&state),
        verifier_hash: auth::token_hash(&verifier),
        nonce: nonce.expose_secret().to_owned(),
        pkce_verifier: pkce_verifier.into_secret(),
        return_to,
    };
    newsroom
        .store
        .write(move |db| {
            identities::delete_expired(db, now)?;
            identities::insert_attempt(db, &attempt, later(now, ATTEMPT_SECONDS))
        })
        .await?;
    Ok(Started { authorization_url, verifier })
}

/// What the provider sends with the browser (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Debug, Default)]
pub struct Callback {
    /// What names the attempt.
    pub state: Option<SecretString>,
    /// What is exchanged for an ID token.
    pub code: Option<SecretString>,
    /// Why there is none.
    pub error: Option<String>,
    /// The provider that answers.
    pub iss: Option<String>,
}

/// Ends the provider's part of a log-in: where the browser is to go, with a login code or the reason why there is none.
///
/// # Errors
/// 404 if single sign-on is off; 400 if there is no such attempt, or it has ended: then nobody knows where the browser
/// came from.
pub async fn receive(newsroom: &Newsroom, callback: Callback, origin: Origin) -> Result<SecretString, Error> {
    let sso = configured(newsroom)?;
    let unknown =
        || Error::invalid_parameter("state", "unknown_state", "is not that of a log-in that is under way");
    let state_hash = callback.state.as_ref().map(auth::token_hash).ok_or_else(unknown)?;
    let now = newsroom.clock.now();
    let taken = newsroom.store.write(move |db| identities::take_attempt(db, &state_hash, now)).await?;
    let attempt = taken.ok_or_else(unknown)?;
    let return_to = attempt.return_to.clone();
    let fragment = match log_in(newsroom, sso, attempt, callback, origin).await {
        Ok(code) => format!("login_code={}", code.expose_secret()),
        Err(refusal) => format!("error={}", refusal.as_str()),
    };
    Ok(format!("{return_to}#{fragment}").into())
}

/// The login code of whoever has logged in at the provider.
async fn log_in(
    newsroom: &Newsroom,
    sso: &SingleSignOn,
    attempt: Attempt,
    callback: Callback,
    origin: Origin,
) -> Result<SecretString, Refusal> {
    if callback.iss.is_some_and(|iss| iss != sso.settings.issuer.as_str()) {
        tracing::warn!("the answer of single sign-on names another provider");
        return Err(Refusal::Provider);
    }
    let code = match (callback.error.as_deref(), callback.code) {
        (None, Some(code)) => code,
        (Some("access_denied"), _) => return Err(Refusal::AccessDenied),
        (error, _) => {
            let error = error.map(|error| error.chars().take(100).collect::<String>());
            tracing::warn!(?error, "the provider of single sign-on answers with an error");
            return Err(Refusal::Provider);
        }
    };
    let Attempt { verifier_hash, nonce, pkce_verifier, .. } = attempt;
    let identity = sso.provider.identity(code, pkce_verifier, nonce, newsroom.clock.now()).await;
    let identity = identity.map_err(|fault| {
        tracing::warn!(%fault, "single sign-on failed at the provider");
        Refusal::Provider
    })?;
    let failed = |error: Error| {
        tracing::error!(%error, "single sign-on failed");
        Refusal::Failed
    };
    let login_code = auth::random_token("").map_err(failed)?;
    let code_hash = auth::token_hash(&login_code);
    let (room, settings) = (newsroom.frozen(), sso.settings.clone());
    let permitted = newsroom
        .store
        .write(move |db| {
            let arrival = Arrival { room: &room, settings: &settings, identity: &identity, origin: &origin };
            match arrival.admit(db)? {
                Admission::Granted(user) => {
                    let expires_at = later(room.clock.now(), CODE_SECONDS);
                    identities::insert_code(db, &code_hash, &verifier_hash, user.id, expires_at)?;
                    Ok(true)
                }
                Admission::Refused(why) => arrival.note_refusal(db, why).map(|()| false),
            }
        })
        .await
        .map_err(failed)?;
    if permitted { Ok(login_code) } else { Err(Refusal::NotPermitted) }
}

/// Exchanges a login code for the log-in. Whatever comes of it, the code is used up.
///
/// # Errors
/// 404 if single sign-on is off; 401 `bad_login_code` if the code was used, has expired or does not belong to the
/// verifier, or its user is suspended.
pub async fn complete(
    newsroom: &Newsroom,
    login_code: &SecretString,
    verifier: &SecretString,
    origin: Origin,
) -> Result<LoggedIn, Error> {
    configured(newsroom)?;
    let (code_hash, shown, room) =
        (auth::token_hash(login_code), auth::token_hash(verifier), newsroom.frozen());
    let now = room.clock.now();
    let bad = || Error::Other(ErrorCode::BadLoginCode, ErrorCode::BadLoginCode.meaning().to_owned());
    let taken = code_hash.clone();
    let logged_in = newsroom.store.write(move |db| {
        let taken = identities::take_code(db, &taken, now)?;
        let (id, _) = taken.filter(|(_, verifier_hash)| *verifier_hash == shown).ok_or_else(bad)?;
        let user = users::find(db, id)?.filter(|user| !user.suspended).ok_or_else(bad)?;
        sessions::open(db, &room, &user, LoginMethod::Oidc, &origin)
    });
    match logged_in.await {
        Err(error) if error.code() == ErrorCode::BadLoginCode => {
            // The error has rolled back that the code was taken.
            newsroom
                .store
                .write_apart(move |db| identities::take_code(db, &code_hash, now).map(drop))
                .await?;
            Err(error)
        }
        logged_in => logged_in,
    }
}
