//! Access tokens: JWT (RFC 7519), signed with Ed25519 (RFC 8037).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{hex, random};
use crate::domain::{
    error::Error,
    id::{SessionId, UserId},
    instant::Instant,
};

/// `iss` and `aud` of every access token.
const SELF: &str = "masthead";
/// Seconds by which the clocks of two nodes may differ.
const LEEWAY: i64 = 5;
/// The longest token that is looked at; ours have some 400 bytes.
const MAX_TOKEN: usize = 2048;
/// Tokens that are remembered to be good.
const REMEMBERED: usize = 2_000;

/// What an access token says. A token with other types or without one of these is not ours.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// The key with which this node signs.
struct OwnKey {
    signing: EncodingKey,
    /// The header of every token.
    header: Header,
    kid: String,
    public: [u8; 32],
}

impl OwnKey {
    fn from_pem(pem: &SecretString) -> Result<Self, Error> {
        let refused = |_| Error::Internal("the signing key is not an Ed25519 key in PKCS#8 PEM".to_owned());
        let key = SigningKey::from_pkcs8_pem(pem.expose_secret()).map_err(refused)?;
        let der = key.to_pkcs8_der().map_err(refused)?;
        let public = key.verifying_key().to_bytes();
        let kid: String = hex(&Sha256::digest(public)).chars().take(16).collect();
        Ok(Self { signing: EncodingKey::from_ed_der(der.as_bytes()), header: header(&kid), kid, public })
    }
}

/// The header of tokens that are signed with a key. Whatever differs is refused, so `alg`, `jku`, `jwk` and `crit` have
/// no say.
fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    header
}

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id, made of a hash of the key.
    pub kid: String,
    /// The key, 32 bytes in base64url: `x` of a JWK (RFC 8037, section 2).
    pub x: String,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadToken {
    /// It is signed with a key that this node does not know, or has not heard of yet.
    UnknownKey,
    /// Anything else.
    Invalid,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub user: UserId,
    /// Their session.
    pub session: SessionId,
}

/// What a token says that is signed by one of us.
#[derive(Debug, Clone, Copy)]
struct Said {
    bearer: Bearer,
    /// The seconds from and until which it is good.
    nbf: i64,
    exp: i64,
}

/// The keys of all nodes, this one among them, by `kid`.
struct KnownKeys {
    keys: HashMap<String, DecodingKey>,
    /// What they have signed, by its hash, so that a signature is checked once: that takes longer than many a read.
    signed: Cache<[u8; 32], Said>,
}

impl From<HashMap<String, DecodingKey>> for KnownKeys {
    fn from(keys: HashMap<String, DecodingKey>) -> Self {
        Self { keys, signed: Cache::new(REMEMBERED) }
    }
}

/// Issues and checks access tokens.
pub struct AccessTokens {
    own: RwLock<Arc<OwnKey>>,
    known: RwLock<KnownKeys>,
    validation: Validation,
    lifetime_seconds: i64,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("kid", &self.own().kid).finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Tokens that are signed with this key, an Ed25519 key in PKCS#8 PEM, and live this long.
    ///
    /// # Errors
    /// When the text is no such key. The error does not repeat it.
    pub fn from_pem(pem: &SecretString, lifetime_minutes: u32) -> Result<Self, Error> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[SELF]);
        validation.set_audience(&[SELF]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        validation.leeway = LEEWAY.unsigned_abs();
        // The newsroom's clock is the one that counts, not the system's, at which the library looks.
        validation.validate_exp = false;
        let own = OwnKey::from_pem(pem)?;
        let known = HashMap::from([(own.kid.clone(), DecodingKey::from_ed_der(&own.public))]);
        let lifetime_seconds = i64::from(lifetime_minutes) * 60;
        let (own, known) = (RwLock::new(Arc::new(own)), RwLock::new(known.into()));
        Ok(Self { own, known, validation, lifetime_seconds })
    }

    fn own(&self) -> Arc<OwnKey> {
        Arc::clone(&self.own.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs with another key from now on.
    ///
    /// # Errors
    /// As [`Self::from_pem`]; the key before stays in use then.
    pub fn replace_key(&self, pem: &SecretString) -> Result<(), Error> {
        let own = Arc::new(OwnKey::from_pem(pem)?);
        let key = DecodingKey::from_ed_der(&own.public);
        self.known.write().unwrap_or_else(PoisonError::into_inner).keys.insert(own.kid.clone(), key);
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
        Ok(())
    }

    /// The public half of the key with which this node signs.
    pub fn public_key(&self) -> PublicKey {
        let own = self.own();
        PublicKey { kid: own.kid.clone(), x: URL_SAFE_NO_PAD.encode(own.public) }
    }

    /// Takes these keys for good, beside the own one, and no others. What is no key is left out.
    pub fn know(&self, keys: &[PublicKey]) {
        let own = self.own();
        let decoded = |key: &PublicKey| {
            let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(&key.x).ok()?.try_into().ok()?;
            VerifyingKey::from_bytes(&bytes).ok()?;
            Some((key.kid.clone(), DecodingKey::from_ed_der(&bytes)))
        };
        let mut known: HashMap<_, _> = keys.iter().filter_map(decoded).collect();
        known.entry(own.kid.clone()).or_insert_with(|| DecodingKey::from_ed_der(&own.public));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.into();
    }

    /// Seconds that a token lives.
    pub fn lifetime_seconds(&self) -> i64 {
        self.lifetime_seconds
    }

    /// A token for a session of a user.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn issue(&self, bearer: Bearer, now: Instant) -> Result<SecretString, Error> {
        let iat = now.millis().div_euclid(1000);
        let claims = Claims {
            iss: SELF.to_owned(),
            aud: SELF.to_owned(),
            sub: bearer.user.to_string(),
            sid: bearer.session.to_string(),
            jti: URL_SAFE_NO_PAD.encode(random::<16>()?),
            iat,
            nbf: iat,
            exp: iat.saturating_add(self.lifetime_seconds),
        };
        let own = self.own();
        let token = jsonwebtoken::encode(&own.header, &claims, &own.signing);
        token.map(SecretString::from).map_err(|error| Error::internal("signing a token", error))
    }

    /// Whose token this is, if it is good. Whether the session still lasts is another question.
    ///
    /// # Errors
    /// When it is not ours, or not of this time.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Bearer, BadToken> {
        if token.len() > MAX_TOKEN {
            return Err(BadToken::Invalid);
        }
        // Held to the end: what is remembered is forgotten with the keys.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let hash = Sha256::digest(token).into();
        let said = match known.signed.get(&hash) {
            Some(said) => said,
            None => {
                let said = self.read(token, &known.keys)?;
                known.signed.insert(hash, said);
                said
            }
        };
        let now = now.millis().div_euclid(1000);
        let is_good = said.nbf <= now.saturating_add(LEEWAY) && now < said.exp;
        if is_good { Ok(said.bearer) } else { Err(BadToken::Invalid) }
    }

    /// What a token says, whether or not it is of this time.
    fn read(&self, token: &str, keys: &HashMap<String, DecodingKey>) -> Result<Said, BadToken> {
        let shown = jsonwebtoken::decode_header(token).map_err(|_| BadToken::Invalid)?;
        let kid = shown.kid.clone().ok_or(BadToken::Invalid)?;
        if shown != header(&kid) {
            return Err(BadToken::Invalid);
        }
        let key = keys.get(&kid).ok_or(BadToken::UnknownKey)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, key, &self.validation);
        let claims = decoded.map_err(|_| BadToken::Invalid)?.claims;
        match (claims.sub.parse(), claims.sid.parse()) {
            (Ok(user), Ok(session)) => {
                Ok(Said { bearer: Bearer { user, session }, nbf: claims.nbf, exp: claims.exp })
            }
            _ => Err(BadToken::Invalid),
        }
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::instant::Clock;

    fn tokens() -> AccessTokens {
        AccessTokens::from_pem(&generate_key().unwrap(), 10).unwrap()
    }

    fn bearer() -> Bearer {
        Bearer { user: UserId::new(184_467_440_737_095_516), session: SessionId::new(7) }
    }

    fn segment(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn claims(now: Instant) -> Value {
        let now = now.millis() / 1000;
        json!({"iss": SELF, "aud": SELF, "sub": bearer().user.to_string(), "sid": "7", "jti": "x", "iat": now, "nbf": now, "exp": now + 60})
    }

    /// A token with the right key and these claims.
    fn signed(tokens: &AccessTokens, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &tokens.own().signing).unwrap()
    }

    #[track_caller]
    fn refused(tokens: &AccessTokens, token: &str, now: Instant) {
        assert!(tokens.verify(token, now).is_err());
    }

    #[test]
    fn a_token_is_its_users_until_it_expires() {
        let (tokens, clock) = (tokens(), Clock::default());
        let token = tokens.issue(bearer(), clock.now()).unwrap();
        assert_eq!(tokens.verify(token.expose_secret(), clock.now()).unwrap(), bearer());
        clock.advance(TimeDelta::minutes(10));
        refused(&tokens, token.expose_secret(), clock.now());
        // One of tomorrow is as good, by tomorrow's clock, and not yet by today's.
        clock.advance(TimeDelta::days(1));
        let tomorrow = tokens.issue(bearer(), clock.now()).unwrap();
        assert_eq!(tokens.verify(tomorrow.expose_secret(), clock.now()).unwrap(), bearer());
        refused(&tokens, tomorrow.expose_secret(), Clock::default().now());
    }

    #[test]
    fn a_key_survives_being_written_and_no_key_shows() {
        let pem = generate_key().unwrap();
        let now = Clock::default().now();
        let (one, other) =
            (AccessTokens::from_pem(&pem, 10).unwrap(), AccessTokens::from_pem(&pem, 10).unwrap());
        let token = one.issue(bearer(), now).unwrap();
        assert_eq!(other.verify(token.expose_secret(), now).unwrap(), bearer());
        let error = AccessTokens::from_pem(&"hunter2".into(), 10).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(format!("{one:?}"), format!("AccessTokens {{ kid: {:?}, .. }}", one.own().kid));
    }

    #[test]
    fn headers_of_others_are_refused() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let good = signed(&tokens, &tokens.own().header, &claims(now));
        assert!(tokens.verify(&good, now).is_ok());

        let none = segment(&json!({"alg": "none", "typ": "JWT", "kid": tokens.own().header.kid}));
        refused(&tokens, &format!("{none}.{}.", segment(&claims(now))), now);

        let mut changed: Vec<Header> = std::iter::repeat_n(tokens.own().header.clone(), 5).collect();
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
        refused(&ours, theirs.issue(bearer(), now).unwrap().expose_secret(), now);
        refused(&ours, &signed(&theirs, &ours.own().header, &claims(now)), now);

        // The public key taken for the secret of a symmetric algorithm.
        let public = &ours.own().public;
        let mut header = Header::new(Algorithm::HS256);
        header.kid.clone_from(&ours.own().header.kid);
        let confused =
            jsonwebtoken::encode(&header, &claims(now), &EncodingKey::from_secret(public)).unwrap();
        refused(&ours, &confused, now);
    }

    #[test]
    fn keys_of_other_nodes_are_good_while_they_are_known() {
        let (ours, theirs, now) = (tokens(), tokens(), Clock::default().now());
        let token = theirs.issue(bearer(), now).unwrap();
        assert_eq!(ours.verify(token.expose_secret(), now), Err(BadToken::UnknownKey));
        ours.know(&[theirs.public_key(), PublicKey { kid: "broken".to_owned(), x: "AAAA".to_owned() }]);
        assert_eq!(ours.verify(token.expose_secret(), now), Ok(bearer()));
        let own = ours.issue(bearer(), now).unwrap();
        ours.know(&[]);
        assert_eq!(ours.verify(token.expose_secret(), now), Err(BadToken::UnknownKey));
        assert_eq!(ours.verify(own.expose_secret(), now), Ok(bearer()));
    }

    #[test]
    fn a_replaced_key_stays_good_until_it_is_forgotten() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let (old_key, old) = (tokens.public_key(), tokens.issue(bearer(), now).unwrap());
        tokens.replace_key(&generate_key().unwrap()).unwrap();
        assert_ne!(tokens.public_key(), old_key);
        assert_eq!(tokens.verify(old.expose_secret(), now), Ok(bearer()));
        tokens.know(&[tokens.public_key()]);
        assert_eq!(tokens.verify(old.expose_secret(), now), Err(BadToken::UnknownKey));
        assert!(tokens.replace_key(&"hunter2".into()).is_err());
    }

    #[test]
    fn edited_tokens_are_refused() {
        let (tokens, now) = (tokens(), Clock::default().now());
        let token = tokens.issue(bearer(), now).unwrap();
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
            ("sid", json!("0")),
            ("sid", json!(7)),
            ("exp", json!(seconds - 1)),
            ("exp", json!("9999999999")),
            ("exp", json!(-1)),
            ("nbf", json!(seconds + 60)),
            ("nbf", Value::Null),
        ] {
            let mut claims = claims(now);
            claims[name] = value;
            refused(&tokens, &signed(&tokens, &tokens.own().header, &claims), now);
            claims.as_object_mut().unwrap().remove(name);
            refused(&tokens, &signed(&tokens, &tokens.own().header, &claims), now);
        }
    }
}
