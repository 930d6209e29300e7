//! Talking to the identity provider.

use std::{fmt, sync::Arc, time::Duration};

use openidconnect::{
    AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, IdTokenClaims, IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
        CoreTokenType,
    },
    http,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use crate::domain::{
    identity::{Identity, MAX_SUBJECT, OidcSettings, is_secure},
    instant::Instant,
    text::is_forbidden_character,
};

/// Milliseconds for which what the provider says of itself is believed.
const MAX_AGE: i64 = 60 * 60 * 1000;
/// Milliseconds for which it is believed even if a token does not fit: keys change, but not all the time.
const MIN_AGE: i64 = 60 * 1000;
/// Milliseconds after a failure in which the provider is left alone.
const PAUSE: i64 = 5 * 1000;
/// How long the provider may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer of the provider that is read, in bytes.
const MAX_ANSWER: usize = 512 * 1024;

/// How ID tokens may be signed: with a key that the provider alone has. `none` is not among them, nor are the symmetric
/// ones, whose key would be our own password.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Every claim that is not a standard one: where groups are depends on the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OtherClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

type TokenFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type OidcClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<TokenFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What went wrong with the provider, for the log: no code, token or password.
#[derive(Debug)]
pub(super) struct Fault(String);

impl Fault {
    fn new(what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// With what lies behind the error.
    fn of(what: &str, error: &dyn std::error::Error) -> Self {
        let mut text = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        Self(text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parts of it are the provider's: no line breaks in the log.
        let line: String =
            self.0.chars().filter(|&c| !is_forbidden_character(c) && c != '\n').take(500).collect();
        f.write_str(&line)
    }
}

impl std::error::Error for Fault {}

/// The provider, and what it has said of itself.
pub(super) struct Provider {
    settings: OidcSettings,
    callback: String,
    known: Mutex<Known>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer.as_str()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Known {
    http: Option<reqwest::Client>,
    client: Option<(Arc<OidcClient>, Instant)>,
    failed_at: Option<Instant>,
}

impl Provider {
    pub(super) fn new(settings: OidcSettings, callback: String) -> Self {
        Self { settings, callback, known: Mutex::default() }
    }

    /// Where the browser is to go to log in.
    pub(super) async fn authorization_url(
        &self,
        state: &SecretString,
        nonce: &SecretString,
        challenge: PkceCodeChallenge,
        now: Instant,
    ) -> Result<SecretString, Fault> {
        let (client, _) = self.client(now, MAX_AGE).await?;
        let (state, nonce) = (state.expose_secret().to_owned(), nonce.expose_secret().to_owned());
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (url, _, _) = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(String::from(url).into())
    }

    /// Who has logged in, by the ID token that the provider gives for a code.
    pub(super) async fn identity(
        &self,
        code: SecretString,
        pkce_verifier: String,
        nonce: String,
        now: Instant,
    ) -> Result<Identity, Fault> {
        let (client, http) = self.client(now, MAX_AGE).await?;
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let response = client
            .exchange_code(code)
            .map_err(|error| Fault::of("the provider has no token endpoint", &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier))
            .request_async(&|request| send(&http, request))
            .await
            .map_err(|error| match &error {
                // Its description may be anything; the code is one of RFC 6749, section 5.2.
                RequestTokenError::ServerResponse(told) => {
                    Fault::new("the code was refused", told.error().as_ref())
                }
                // The error may repeat what it cannot read: a token.
                RequestTokenError::Parse(error, _) => {
                    Fault::new("the tokens cannot be read at", error.path())
                }
                error => Fault::of("exchanging the code", error),
            })?;
        let token = response.id_token().ok_or_else(|| Fault::new("no ID token", "the answer has none"))?;
        let nonce = Nonce::new(nonce);
        let claims = match token.claims(&self.verifier(&client, now), &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                // The provider may have other keys by now.
                let (client, _) = self.client(now, MIN_AGE).await?;
                token.claims(&self.verifier(&client, now), &nonce).cloned()
            }
            other => other.cloned(),
        };
        self.read(&claims.map_err(|error| Fault::of("the ID token", &error))?)
    }

    fn verifier<'a>(&self, client: &'a OidcClient, now: Instant) -> IdTokenVerifier<'a, CoreJsonWebKey> {
        client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || now.to_utc())
    }

    fn read(&self, claims: &Claims) -> Result<Identity, Fault> {
        // OpenID Connect Core 1.0, section 3.1.3.7, number 5.
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.settings.client_id) {
            return Err(Fault::new("the ID token", "it was made for another party (azp)"));
        }
        let subject = claims.subject().as_str();
        let fits = !subject.is_empty()
            && subject.chars().count() <= MAX_SUBJECT
            && !subject.chars().any(is_forbidden_character);
        if !fits {
            return Err(Fault::new("the ID token", "its subject is not one"));
        }
        let email = claims.email().filter(|_| claims.email_verified() == Some(true));
        let name = claims.name().and_then(|name| name.get(None));
        Ok(Identity {
            issuer: self.settings.issuer.as_str().to_owned(),
            subject: subject.to_owned(),
            verified_email: email.and_then(|email| email.as_str().parse().ok()),
            name: name.map(|name| name.as_str().to_owned()),
            role: self.settings.roles.role(&claims.additional_claims().all),
        })
    }

    /// What the provider says of itself, not older than so many milliseconds, fetched if need be: by one who asks, while
    /// the others wait.
    async fn client(&self, now: Instant, max_age: i64) -> Result<(Arc<OidcClient>, reqwest::Client), Fault> {
        let mut known = self.known.lock().await;
        let since = |then: Instant| now.millis().saturating_sub(then.millis());
        let http = match &known.http {
            Some(http) => http.clone(),
            None => known.http.insert(self.http()?).clone(),
        };
        if let Some((client, fetched_at)) = &known.client
            && since(*fetched_at) < max_age
        {
            return Ok((Arc::clone(client), http));
        }
        if known.failed_at.is_some_and(|failed_at| since(failed_at) < PAUSE) {
            return Err(Fault::new("the provider is left alone", "it failed a moment ago"));
        }
        match self.discover(&http).await {
            Ok(client) => {
                let client = Arc::new(client);
                known.client = Some((Arc::clone(&client), now));
                known.failed_at = None;
                Ok((client, http))
            }
            Err(fault) => {
                known.failed_at = Some(now);
                Err(fault)
            }
        }
    }

    fn http(&self) -> Result<reqwest::Client, Fault> {
        reqwest::Client::builder()
            // A redirect could carry the code, or our password, to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!self.settings.issuer.is_local())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("masthead/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Fault::of("making an HTTP client", &error))
    }

    /// Reads the discovery document (OpenID Connect Discovery 1.0, section 4) and the keys.
    async fn discover(&self, http: &reqwest::Client) -> Result<OidcClient, Fault> {
        let issuer = IssuerUrl::new(self.settings.issuer.as_str().to_owned());
        let issuer = issuer.map_err(|error| Fault::of("the issuer", &error))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &|request| send(http, request)).await;
        let metadata = metadata.map_err(|error| Fault::of("discovery", &error))?;
        let token_endpoint = metadata.token_endpoint().map(|endpoint| endpoint.url());
        // Browsers are sent to one and our password to the other.
        let endpoints = [Some(metadata.authorization_endpoint().url()), token_endpoint];
        if !endpoints.into_iter().flatten().all(|url: &Url| is_secure(url)) {
            return Err(Fault::new("discovery", "an endpoint is not https"));
        }
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes_basic =
            methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = ClientSecret::new(self.settings.client_secret.expose_secret().to_owned());
        let callback = RedirectUrl::new(self.callback.clone());
        let callback = callback.map_err(|error| Fault::of("our own address", &error))?;
        Ok(OidcClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(callback)
            .set_auth_type(if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody }))
    }
}

/// Sends a request and reads the answer, if it is not too long.
async fn send(http: &reqwest::Client, request: HttpRequest) -> Result<http::Response<Vec<u8>>, Fault> {
    let failed = |error: reqwest::Error| Fault::of("asking the provider", &error);
    let request = request.try_into().map_err(failed)?;
    let mut response = http.execute(request).await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Fault::new("asking the provider", "the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = http::Response::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    Ok(answer)
}
