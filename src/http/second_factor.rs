//! `/v1/me/second-factor`

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, post, web::Data};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::{self, Answer},
    auth::exposed,
    caller::{AnyCaller, Caller},
    error::Problem,
    input::{Input, NoQuery, Parse},
    origin::From,
};
use crate::{
    domain::error::{Error, Faults},
    service::{Newsroom, second_factor},
};

/// The password of those who have one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery"}))]
pub struct SecondFactorBegin {
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    password: Option<SecretString>,
}

impl Parse for SecondFactorBegin {
    type Command = Option<SecretString>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.password)
    }
}

/// What goes into an authenticator.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth_url": "otpauth://totp/The%20Courier:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=The%20Courier"
}))]
pub struct Enrolment {
    /// In base32, to be typed.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    secret: SecretString,
    /// The same as an address, to be shown as a QR code.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    otpauth_url: SecretString,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment")
    }
}

/// A code of the second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub struct SecondFactorCode {
    /// Six digits of the authenticator; where the second factor counts already, a recovery code will do.
    #[schema(value_type = String, min_length = 6, max_length = 40)]
    code: SecretString,
}

impl Parse for SecondFactorCode {
    type Command = SecretString;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.code)
    }
}

/// Codes for the day on which the authenticator is lost. Each works once; they are told this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"recovery_codes": ["gezd-gnbv-gy3t-qojq", "mfrg-gzdf-mztw-q2lk"]}))]
pub struct RecoveryCodes {
    /// The codes.
    recovery_codes: Vec<String>,
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes")
    }
}

fn answer(request: &HttpRequest, codes: &[SecretString]) -> Result<HttpResponse, Error> {
    let recovery_codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    Answer::private(request, RecoveryCodes { recovery_codes }).send()
}

/// Begin a second factor
///
/// Answers a secret for an authenticator (TOTP, RFC 6238). Nothing changes until it is confirmed.
#[utoipa::path(tag = "access", request_body = SecondFactorBegin, security(("bearer" = [])), responses(
    (status = 201, description = "The secret.", body = Enrolment),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/me/second-factor")]
pub async fn begin_second_factor(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    AnyCaller(principal): AnyCaller,
    From(origin): From,
    _: NoQuery,
    Input(password): Input<SecondFactorBegin>,
) -> Result<HttpResponse, Error> {
    let enrolment = second_factor::begin(&newsroom, &principal, password, origin).await?;
    let answer = Enrolment { secret: enrolment.secret, otpauth_url: enrolment.url };
    Answer::private(&request, answer).created("/v1/me".to_owned()).send()
}

/// Confirm a second factor
///
/// With a code of the authenticator. From now on logging in needs one. Keep the recovery codes: they are not told again.
#[utoipa::path(tag = "access", request_body = SecondFactorCode, security(("bearer" = [])),
 responses(
    (status = 200, description = "Recovery codes.", body = RecoveryCodes),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/me/second-factor/confirm")]
pub async fn confirm_second_factor(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    AnyCaller(principal): AnyCaller,
    From(origin): From,
    _: NoQuery,
    Input(code): Input<SecondFactorCode>,
) -> Result<HttpResponse, Error> {
    answer(&request, &second_factor::confirm(&newsroom, &principal, code, origin).await?)
}

/// Renew recovery codes
///
/// Those before are void.
#[utoipa::path(tag = "access", request_body = SecondFactorCode, security(("bearer" = [])),
 responses(
    (status = 200, description = "Recovery codes.", body = RecoveryCodes),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/me/second-factor/recovery-codes")]
pub async fn renew_recovery_codes(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    From(origin): From,
    _: NoQuery,
    Input(code): Input<SecondFactorCode>,
) -> Result<HttpResponse, Error> {
    answer(&request, &second_factor::renew_recovery_codes(&newsroom, &principal, code, origin).await?)
}

/// Disable the second factor
///
/// With a code of it. Not where the site wants one of the caller's role.
#[utoipa::path(tag = "access", request_body = SecondFactorCode, security(("bearer" = [])),
 responses(
    (status = 204, description = "The password alone will do."),
    (status = 429, description = "`too_many_attempts`: Wait for `Retry-After` seconds.", body = Problem,
        content_type = "application/problem+json")))]
#[post("/me/second-factor/disable")]
pub async fn disable_second_factor(
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    From(origin): From,
    _: NoQuery,
    Input(code): Input<SecondFactorCode>,
) -> Result<HttpResponse, Error> {
    second_factor::disable(&newsroom, &principal, code, origin).await?;
    Ok(answer::no_content())
}
