//! Logging in: passwords and access tokens.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm as Argon2Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    Version,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::Newsroom;
use crate::{
    domain::{
        error::{Error, ErrorCode},
        id::UserId,
        instant::Instant,
        user::{EmailAddress, Principal, User},
    },
    store::users,
};

/// `iss` and `aud` of every access token.
const SELF: &str = "masthead";
/// Seconds by which the clocks of two nodes may differ.
const LEEWAY: i64 = 5;
/// The longest token that is looked at; ours have some 400 bytes.
const MAX_TOKEN: usize = 2048;

/// What an access token says. A token with other types or without one of these is not ours.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Issues and checks access tokens: JWT, signed with Ed25519.
pub struct AccessTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    /// The header of every token. Whatever differs is refused, so `alg`, `kid`, `jku`, `jwk` and `crit` have no say.
    header: Header,
    validation: Validation,
    lifetime_seconds: i64,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Tokens that are signed with this key, an Ed25519 key in PKCS#8 PEM, and live this long.
    ///
    /// # Errors
    /// When the text is no such key. The error does not repeat it.
    pub fn from_pem(pem: &SecretString, lifetime_minutes: u32) -> Result<Self, Error> {
        let refused = |_| Error::Internal("the signing key is not an Ed25519 key in PKCS#8 PEM".to_owned());
        let key = SigningKey::from_pkcs8_pem(pem.expose_secret()).map_err(refused)?;
        let der = key.to_pkcs8_der().map_err(refused)?;
        let public = key.verifying_key().to_bytes();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(hex(&Sha256::digest(public)).chars().take(16).collect());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[SELF]);
        validation.set_audience(&[SELF]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        validation.leeway = LEEWAY.unsigned_abs();
        Ok(Self {
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: DecodingKey::from_ed_der(&public),
            header,
            validation,
            lifetime_seconds: i64::from(lifetime_minutes) * 60,
        })
    }

    /// Seconds that a token lives.
    pub fn lifetime_seconds(&self) -> i64 {
        self.lifetime_seconds
    }

    /// A token for a user.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn issue(&self, user: UserId, now: Instant) -> Result<SecretString, Error> {
        let iat = now.millis().div_euclid(1000);
        let claims = Claims {
            iss: SELF.to_owned(),
            aud: SELF.to_owned(),
            sub: user.to_string(),
            jti: URL_SAFE_NO_PAD.encode(random::<16>()?),
            iat,
            nbf: iat,
            exp: iat.saturating_add(self.lifetime_seconds),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.signing);
        token.map(SecretString::from).map_err(|error| Error::internal("signing a token", error))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// 401 whatever is wrong with it.
    pub fn verify(&self, token: &str, now: Instant) -> Result<UserId, Error> {
        self.checked(token, now).ok_or_else(Error::unauthenticated)
    }

    fn checked(&self, token: &str, now: Instant) -> Option<UserId> {
        if token.len() > MAX_TOKEN || jsonwebtoken::decode_header(token).ok()? != self.header {
            return None;
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation).ok()?.claims;
        // The library looks at the system's clock; the newsroom's is the one that counts.
        let now = now.millis().div_euclid(1000);
        let in_time = claims.nbf <= now.saturating_add(LEEWAY) && now < claims.exp;
        if in_time { claims.sub.parse().ok() } else { None }
    }
}

/// A new key for [`AccessTokens::from_pem`].
///
/// # Errors
/// When the system has no random numbers.
pub fn generate_key() -> Result<SecretString, Error> {
    let key = SigningKey::from_bytes(&random()?);
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| Error::internal("writing a key", error))?;
    Ok(pem.as_str().into())
}

/// Passwords that may wait to be hashed, for each that is being hashed, before more are turned away.
const QUEUE_PER_HASH: usize = 64;

/// Hashes passwords with Argon2id, a bounded number at a time.
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("idle", &self.running.available_permits())
            .finish_non_exhaustive()
    }
}

impl PasswordHasher {
    /// Hashes this many passwords at a time, each of which takes 19 MiB.
    pub fn new(concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, 1024);
        Self {
            // 19,456 KiB, two passes, one lane: what OWASP's password storage cheat sheet has for Argon2id.
            argon2: Argon2::new(Argon2Algorithm::Argon2id, Version::V0x13, Params::DEFAULT),
            running: Arc::new(Semaphore::new(concurrency)),
            places: Arc::new(Semaphore::new(concurrency * (QUEUE_PER_HASH + 1))),
        }
    }

    /// The hash of a password, as a PHC string with a salt of its own.
    ///
    /// # Errors
    /// 503 when too many passwords wait to be hashed.
    pub async fn hash(&self, password: SecretString) -> Result<String, Error> {
        self.run(move |argon2| {
            let hash: Result<PasswordHash, _> = argon2.hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal("hashing a password", error))
        })
        .await
    }

    /// Whether a password has this hash. Without a hash, for a user whom nobody knows, the answer is no after the same
    /// work.
    ///
    /// # Errors
    /// 503 when too many passwords wait to be hashed.
    pub async fn verify(&self, phc: Option<String>, password: SecretString) -> Result<bool, Error> {
        self.run(move |argon2| {
            // A user without a password has an empty hash.
            let phc = phc.filter(|phc| !phc.is_empty());
            let known = phc.is_some();
            let phc = phc.unwrap_or_else(decoy);
            let hash =
                PasswordHash::new(&phc).map_err(|error| Error::internal("reading a password hash", error))?;
            Ok(argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || {
            Error::Other(ErrorCode::Busy, "Too many people log in at this moment; try again soon.".to_owned())
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| busy())?;
        let argon2 = self.argon2.clone();
        let joined = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when the caller has gone away.
            let _held = (place, permit);
            work(&argon2)
        });
        joined.await.map_err(|error| Error::internal("hashing a password", error))?
    }
}

/// A hash that no password is known to have, and that takes as long to check as any other.
fn decoy() -> String {
    let params = Params::DEFAULT;
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
}

/// Who shows this token. The user is read anew each time, so that a suspension or another role takes effect at once.
///
/// # Errors
/// 401 if the token is not valid, or its user is gone or suspended.
pub async fn authenticate(newsroom: &Newsroom, token: &str) -> Result<Principal, Error> {
    let id = newsroom.tokens.verify(token, newsroom.clock.now())?;
    match newsroom.store.read(move |db| users::find(db, id)).await? {
        Some(user) if !user.suspended => Ok(Principal::system(user)),
        _ => Err(Error::unauthenticated()),
    }
}

/// Somebody who has just logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Their access token.
    pub token: SecretString,
    /// How long it lives.
    pub expires_in_seconds: i64,
    /// Who they are.
    pub user: User,
}

/// Logs in with e-mail address and password.
///
/// # Errors
/// 401 `bad_credentials`, the same and after the same time for an unknown address, a wrong password and a suspended
/// user; 503 when too many log in.
pub async fn login(
    newsroom: &Newsroom,
    email: EmailAddress,
    password: SecretString,
) -> Result<LoggedIn, Error> {
    let (user, phc) = newsroom.store.read(move |db| users::find_by_email(db, &email)).await?.unzip();
    let correct = newsroom.passwords.verify(phc, password).await?;
    match user {
        Some(user) if correct && !user.suspended => {
            let token = newsroom.tokens.issue(user.id, newsroom.clock.now())?;
            Ok(LoggedIn { token, expires_in_seconds: newsroom.tokens.lifetime_seconds(), user })
        }
        _ => Err(Error::Other(ErrorCode::BadCredentials, ErrorCode::BadCredentials.meaning().to_owned())),
    }
}

/// Random bytes for secrets.
fn random<const N: usize>() -> Result<[u8; N], Error> {
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::instant::Clock;

    fn tokens() -> AccessTokens {
        AccessTokens::from_pem(&generate_key().unwrap(), 10).unwrap()
    }

    fn user() -> UserId {
        UserId::new(184_467_440_737_095_516)
    }

    fn segment(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn claims(now: Instant) -> Value {
        let now = now.millis() / 1000;
        json!({"iss": SELF, "aud": SELF, "sub": user().to_string(), "jti": "x", "iat": now, "nbf": now, "exp": now + 60})
    }

    /// A token with the right key and these claims.
    fn signed(tokens: &AccessTokens, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &tokens.signing).unwrap()
    }

    #[track_caller]
    fn refused(tokens: &AccessTokens, token: &str, now: Instant) {
        let error = tokens.verify(token, now).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unauthenticated);
    }

    #[test]
    fn a_token_is_its_users_until_it_expires() {
        let (tokens, clock) = (tokens(), Clock::default());
        let token = tokens.issue(user(), clock.now()).unwrap();
        assert_eq!(tokens.verify(token.expose_secret(), clock.now()).unwrap(), user());
        clock.advance(TimeDelta::minutes(10));
        refused(&tokens, token.expose_secret(), clock.now());
        // One of tomorrow is as good, by tomorrow's clock, and not yet by today's.
        clock.advance(TimeDelta::days(1));
        let tomorrow = tokens.issue(user(), clock.now()).unwrap();
        assert_eq!(tokens.verify(tomorrow.expose_secret(), clock.now()).unwrap(), user());
        refused(&tokens, tomorrow.expose_secret(), Clock::default().now());
    }

    #[test]
    fn a_key_survives_being_written_and_no_key_shows() {
        let pem = generate_key().unwrap();
        let now = Clock::default().now();
        let (one, other) =
            (AccessTokens::from_pem(&pem, 10).unwrap(), AccessTokens::from_pem(&pem, 10).unwrap());
        let token = one.issue(user(), now).unwrap();
        assert_eq!(other.verify(token.expose_secret(), now).unwrap(), user());
        let error = AccessTokens::from_pem(&"hunter2".into(), 10).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(format!("{one:?}"), format!("AccessTokens {{ kid: {:?}, .. }}", one.header.kid));
    }

    #[test]
    fn headers_of_others_are_refused() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let good = signed(&tokens, &tokens.header, &claims(now));
        assert!(tokens.verify(&good, now).is_ok());

        let none = segment(&json!({"alg": "none", "typ": "JWT", "kid": tokens.header.kid}));
        refused(&tokens, &format!("{none}.{}.", segment(&claims(now))), now);

        let mut changed: Vec<Header> = std::iter::repeat_n(tokens.header.clone(), 5).collect();
        changed[0].kid = Some("../../dev/null".to_owned());
        changed[1].kid = None;
        changed[2].crit = Some(vec!["exp".to_owned()]);
        changed[3].jku = Some("https://attacker.example/jwks.json".to_owned());
        changed[4].extras.insert("b64", false);
        for header in &changed {
            refused(&tokens, &signed(&tokens, header, &claims(now)), now);
        }
    }

    #[test]
    fn keys_of_others_are_refused() {
        let (ours, theirs, now) = (tokens(), tokens(), Clock::default().now());
        refused(&ours, theirs.issue(user(), now).unwrap().expose_secret(), now);
        refused(&ours, &signed(&theirs, &ours.header, &claims(now)), now);

        // The public key taken for the secret of a symmetric algorithm.
        let public = ours.verifying.try_get_as_bytes().unwrap();
        let mut header = Header::new(Algorithm::HS256);
        header.kid.clone_from(&ours.header.kid);
        let confused =
            jsonwebtoken::encode(&header, &claims(now), &EncodingKey::from_secret(public)).unwrap();
        refused(&ours, &confused, now);
    }

    #[test]
    fn edited_tokens_are_refused() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let token = tokens.issue(user(), now).unwrap();
        let parts: Vec<_> = token.expose_secret().split('.').collect();
        let mut edited = claims(now);
        edited["sub"] = json!("1");
        refused(&tokens, &format!("{}.{}.{}", parts[0], segment(&edited), parts[2]), now);
        refused(&tokens, &format!("{}.{}.", parts[0], parts[1]), now);
        refused(&tokens, &format!("{}.{}", parts[0], parts[1]), now);
        refused(&tokens, &"a".repeat(1_000_000), now);
        refused(&tokens, "", now);
    }

    #[test]
    fn claims_of_other_forms_are_refused() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let seconds = now.millis() / 1000;
        for (name, value) in [
            ("iss", json!("other")),
            ("iss", json!([SELF])),
            ("aud", json!("other")),
            ("aud", json!([SELF])),
            ("sub", json!("9223372036854775808")),
            ("sub", json!("007")),
            ("sub", json!(7)),
            ("sub", json!("")),
            ("exp", json!(seconds - 1)),
            ("exp", json!("9999999999")),
            ("exp", json!(-1)),
            ("nbf", json!(seconds + 60)),
            ("nbf", Value::Null),
        ] {
            let mut claims = claims(now);
            claims[name] = value;
            refused(&tokens, &signed(&tokens, &tokens.header, &claims), now);
            claims.as_object_mut().unwrap().remove(name);
            refused(&tokens, &signed(&tokens, &tokens.header, &claims), now);
        }
    }

    #[tokio::test]
    async fn a_password_has_its_own_hash_only() {
        let passwords = PasswordHasher::new(2);
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Some(hash.clone()), "correct horse battery".into()).await.unwrap());
        assert!(!passwords.verify(Some(hash), "wrong horse battery".into()).await.unwrap());
        assert!(!passwords.verify(None, "correct horse battery".into()).await.unwrap());
        assert!(PasswordHash::new(&decoy()).is_ok());
    }
}
