//! The one error of the crate and the one table of its codes.
//!
//! An error has an outer half, which the caller sees, and for internal faults an inner half, which is logged once and
//! never sent.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{merge::MergeConflict, note::EditLock, permission::Scope};

macro_rules! error_codes {
    ($($variant:ident $code:literal $status:literal $title:literal $meaning:literal)*) => {
        /// Stable, machine-readable codes of errors: `(code, status, title, meaning)`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode { $(#[doc = $meaning] $variant,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands in an answer.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// A short title, the same for every occurrence (RFC 9457, section 3.1.3).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it means and what to do about it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

error_codes! {
    Malformed            "malformed"             400 "Malformed request"      "The request cannot be read: broken JSON, a bad header or a bad escape."
    InvalidParameter     "invalid_parameter"     400 "Invalid parameter"      "A query or path parameter is unknown, repeated or has a value that it cannot take; `errors` names each."
    Unauthenticated      "unauthenticated"       401 "Not authenticated"      "The operation needs an access token, or the one sent is not valid. Log in at `/v1/auth/login`."
    BadCredentials       "bad_credentials"       401 "Wrong credentials"      "E-mail address or password are wrong."
    SecondFactorRequired "second_factor_required" 401 "Second factor required" "The password is right; send a `code` of your second factor, or a recovery code, with it."
    BadSecondFactor      "bad_second_factor"     401 "Wrong second factor"    "The `code` is not of your second factor, or it was used before."
    BadRefreshToken      "bad_refresh_token"     401 "Bad refresh token"      "The refresh token is not valid, was used before, or its session has ended. Log in again."
    EnrolmentRequired    "enrolment_required"    403 "Second factor wanted"   "This site wants a second factor of your role. Until you have one, only `/v1/me/second-factor` is open to you."
    BadLoginCode         "bad_login_code"        401 "Wrong login code"       "The login code was used, has expired or belongs to another verifier. Begin again at `/v1/auth/oidc/start`."
    Forbidden            "forbidden"             403 "Not allowed"            "The role of the caller does not permit this action on this thing."
    InsufficientScope    "insufficient_scope"    403 "Insufficient scope"     "The API token lacks the scope that this needs; `detail` names it."
    NotFound             "not_found"             404 "Not found"              "There is nothing here, or nothing that the caller may see."
    MethodNotAllowed     "method_not_allowed"    405 "Method not allowed"     "The path exists but not with this method; `Allow` lists those that it has."
    NotAcceptable        "not_acceptable"        406 "Not acceptable"         "The resource has no representation of the kinds in `Accept`."
    Conflict             "conflict"              409 "Conflict"               "The action does not fit the present state of the thing."
    Taken                "taken"                 409 "Already taken"          "A name that must be unique, such as a slug or an e-mail address, belongs to something else."
    InUse                "in_use"                409 "In use"                 "The thing cannot be deleted while others refer to it."
    Locked               "locked"                409 "Somebody else is editing" "`lock` tells who says that they are editing the article; `take_over` takes their place."
    MergeConflict        "merge_conflict"        409 "Edits conflict"         "The edit and what has happened since change the same places; `conflicts` lists them with both sides."
    InRelease            "in_release"            409 "In a scheduled release" "The article belongs to a release that is about to take effect; cancel the release first."
    InvalidTransition    "invalid_transition"    409 "Invalid transition"     "The workflow has no such step from the present state; `allowed_actions` lists the steps that it has."
    Retracted            "retracted"             410 "Retracted"              "The article was taken back; `detail` has the reason that was published."
    DeadLink             "dead_link"             410 "The link is dead"       "The one-time link was used, has expired, or was replaced by another. Ask an administrator for a new one."
    CursorUnknown        "cursor_unknown"        410 "Cursor is unknown"      "The log of changes ends before this cursor: the server may have been restored from a backup. Begin anew: take `since=latest`, then read the lists again."
    SetupDone            "setup_done"            410 "Set-up is done"         "The set-up link was used, has expired, or there are users already."
    Stale                "stale"                 412 "Version is stale"       "`If-Match` names a version that is no longer the present one; `current_version` tells that, `changed` what is different since."
    TooSlow              "too_slow"              408 "Too slow"               "The body did not arrive in time."
    TooLarge             "too_large"             413 "Too large"              "The body is larger than the server takes."
    UnsupportedMediaType "unsupported_media_type" 415 "Unsupported media type" "The body must be `application/json`."
    Invalid              "invalid"               422 "Invalid input"          "The body can be read but breaks rules; `errors` lists every fault with its place."
    NotReady             "not_ready"             422 "Not ready to publish"   "The draft has faults that block publication; `errors` lists them."
    Unconfirmed          "unconfirmed_warnings"  422 "Warnings are not confirmed" "The draft has warnings, and this site wants them confirmed: send `confirm_warnings`. `errors` lists them."
    IdempotencyKeyReused "idempotency_key_reused" 422 "Idempotency-Key was used" "The `Idempotency-Key` was used for another request; take a new one for each."
    BulkFailed           "bulk_failed"           422 "Nothing was done"       "One of the actions cannot be taken, so none was; `errors` tells which and why."
    PreconditionRequired "precondition_required" 428 "If-Match is required"   "Editing needs `If-Match` with the version that was read, so that nobody's work is overwritten."
    TooManyAttempts      "too_many_attempts"     429 "Too many attempts"      "Logging in has failed too often; wait for `Retry-After` seconds."
    RateLimited          "rate_limited"          429 "Too many requests"      "The caller has sent more than its share; `RateLimit-Policy` tells how much that is. Try again after `Retry-After` seconds."
    Internal             "internal"              500 "Internal error"         "Something went wrong in the server; the log has it under the `request_id`."
    Busy                 "busy"                  503 "Busy"                   "The server or its database has too much to do or cannot be reached; try again after `Retry-After` seconds."
    StorageFull          "storage_full"          507 "Storage is full"        "The database cannot grow or cannot be written; nothing was changed."
}

/// One fault of the input: where it is and what is wrong there.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The place in the body, a JSON pointer (RFC 6901); `null` for a fault of a parameter.
    #[schema(examples("/body/0/blocks/3/html"))]
    pub pointer: Option<String>,
    /// The name of the query, path or header parameter; `null` for a fault of the body.
    pub parameter: Option<String>,
    /// Stable, machine-readable.
    #[schema(value_type = String, examples("too_long"))]
    pub code: &'static str,
    /// For people.
    #[schema(examples("must be at most 4000 characters"))]
    pub message: String,
    /// The limits and values that the message speaks of.
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
}

impl Fault {
    /// A fault of the body at a JSON pointer.
    pub fn body(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let (pointer, message) = (Some(pointer.into()), message.into());
        Self { pointer, parameter: None, code, message, params: Map::new() }
    }

    /// A fault of a query, path or header parameter.
    pub fn parameter(name: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let (parameter, message) = (Some(name.into()), message.into());
        Self { pointer: None, parameter, code, message, params: Map::new() }
    }

    /// Adds a value that the message speaks of.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

/// Faults of the input, collected so that all are told at once.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds a fault of the body.
    pub fn add(&mut self, pointer: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.push(Fault::body(pointer, code, message));
    }

    /// The value, or a fault of the body and `None`.
    pub fn take<T, E: fmt::Display>(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(pointer, code, error.to_string())).ok()
    }

    /// The value, or a fault of a parameter and `None`.
    pub fn take_parameter<T, E: fmt::Display>(
        &mut self,
        name: &str,
        code: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.push(Fault::parameter(name, code, error.to_string()))).ok()
    }

    /// Whether there is one of this parameter.
    pub fn is_about(&self, parameter: &str) -> bool {
        self.0.iter().any(|fault| fault.parameter.as_deref() == Some(parameter))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err(Error::Invalid)` if there is any.
    pub fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// The faults.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }

    /// The faults of the part at a JSON pointer, told of the whole.
    #[must_use]
    pub fn under(self, pointer: &str) -> Self {
        let told =
            |fault: Fault| Fault { pointer: fault.pointer.map(|inner| format!("{pointer}{inner}")), ..fault };
        Self(self.0.into_iter().map(told).collect())
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        self.0.extend(faults);
    }
}

/// Why an operation did not happen. Nothing of it has happened then.
#[derive(Debug, Clone)]
pub enum Error {
    /// The request cannot be read.
    Malformed(String),
    /// Parameters are wrong.
    InvalidParameters(Vec<Fault>),
    /// The body breaks rules.
    Invalid(Vec<Fault>),
    /// The draft is not fit to be published.
    NotReady(Vec<Fault>),
    /// The draft has warnings that nobody has confirmed.
    Unconfirmed(Vec<Fault>),
    /// One of several actions cannot be taken, so none was.
    BulkFailed(Vec<Fault>),
    /// Editing without `If-Match`.
    PreconditionRequired,
    /// `If-Match` names an old version.
    Stale {
        /// The version now.
        current_version: i64,
        /// JSON pointers, fields and ids of what changed since the caller's version, where that is known.
        changed: Vec<String>,
    },
    /// Somebody else says that they are editing the article.
    Locked(EditLock),
    /// The edit cannot be merged with what has happened since.
    MergeConflict {
        /// The version now.
        current_version: i64,
        /// The places that both changed.
        conflicts: Vec<MergeConflict>,
    },
    /// The workflow has no such step now.
    InvalidTransition {
        /// What was tried, in a sentence.
        detail: String,
        /// The steps that are open to the caller.
        allowed_actions: Vec<&'static str>,
    },
    /// A resource moved: its name is another one now.
    Moved {
        /// The present name, which takes the place of the old one in the request's path.
        to: String,
    },
    /// An error of the table that passes with time.
    RetryAfter {
        /// Which.
        code: ErrorCode,
        /// A sentence on this occurrence.
        detail: String,
        /// Seconds until another try is worth it.
        seconds: u64,
    },
    /// Any other error of the table, with a sentence on this occurrence.
    Other(ErrorCode, String),
    /// A fault of the server. The text is logged, never sent.
    Internal(String),
}

impl Error {
    /// Nothing that the caller may see: `what` is a noun such as "article".
    pub fn not_found(what: &str) -> Self {
        Self::Other(ErrorCode::NotFound, format!("There is no such {what}, or none that you may see."))
    }

    /// The role does not permit it.
    pub fn forbidden(what: &str) -> Self {
        Self::Other(ErrorCode::Forbidden, format!("Your role does not let you {what}."))
    }

    /// The API token was not made for this.
    pub fn insufficient_scope(scopes: &[Scope]) -> Self {
        let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let detail = format!("This needs an API token with the scope {}.", names.join(" or "));
        Self::Other(ErrorCode::InsufficientScope, detail)
    }

    /// No valid token.
    pub fn unauthenticated() -> Self {
        Self::Other(
            ErrorCode::Unauthenticated,
            "Send a valid access token in the Authorization header.".to_owned(),
        )
    }

    /// The state of things forbids it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Other(ErrorCode::Conflict, detail.into())
    }

    /// A scheduled release holds the article.
    pub fn in_release(release: super::id::ReleaseId) -> Self {
        let detail =
            format!("The article belongs to the scheduled release {release}. Cancel the release first.");
        Self::Other(ErrorCode::InRelease, detail)
    }

    /// A unique name belongs to something else. `field` is the member of the body that holds it.
    pub fn taken(detail: impl Into<String>) -> Self {
        Self::Other(ErrorCode::Taken, detail.into())
    }

    /// One fault of the body.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::body(pointer, code, message)])
    }

    /// One fault of a parameter.
    pub fn invalid_parameter(name: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::InvalidParameters(vec![Fault::parameter(name, code, message)])
    }

    /// A fault of the server, with what it was doing.
    pub fn internal(context: &str, cause: impl fmt::Display) -> Self {
        Self::Internal(format!("{context}: {cause}"))
    }

    /// What is wrong with the part of the body at a JSON pointer, told of the whole.
    #[must_use]
    pub fn under(self, pointer: &str) -> Self {
        match self {
            Self::Invalid(faults) => Self::Invalid(Faults(faults).under(pointer).0),
            other => other,
        }
    }

    /// The row of the table; `None` for [`Error::Moved`], which is a redirect and no error to a reader.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::Malformed,
            Self::InvalidParameters(_) => ErrorCode::InvalidParameter,
            Self::Invalid(_) => ErrorCode::Invalid,
            Self::NotReady(_) => ErrorCode::NotReady,
            Self::Unconfirmed(_) => ErrorCode::Unconfirmed,
            Self::BulkFailed(_) => ErrorCode::BulkFailed,
            Self::PreconditionRequired => ErrorCode::PreconditionRequired,
            Self::Stale { .. } => ErrorCode::Stale,
            Self::Locked(_) => ErrorCode::Locked,
            Self::MergeConflict { .. } => ErrorCode::MergeConflict,
            Self::InvalidTransition { .. } => ErrorCode::InvalidTransition,
            Self::Moved { .. } => ErrorCode::NotFound,
            Self::Other(code, _) | Self::RetryAfter { code, .. } => *code,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// Every fault that the caller is told of.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::InvalidParameters(faults)
            | Self::Invalid(faults)
            | Self::NotReady(faults)
            | Self::Unconfirmed(faults)
            | Self::BulkFailed(faults) => faults,
            _ => &[],
        }
    }

    /// The outer half: one sentence for the caller.
    pub fn detail(&self) -> &str {
        match self {
            Self::Malformed(detail)
            | Self::Other(_, detail)
            | Self::RetryAfter { detail, .. }
            | Self::InvalidTransition { detail, .. } => detail,
            Self::InvalidParameters(_)
            | Self::Invalid(_)
            | Self::NotReady(_)
            | Self::Unconfirmed(_)
            | Self::BulkFailed(_) => "See `errors` for each fault.",
            Self::PreconditionRequired
            | Self::Stale { .. }
            | Self::Locked(_)
            | Self::MergeConflict { .. }
            | Self::Moved { .. }
            | Self::Internal(_) => self.code().meaning(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code().title())?;
        match self {
            Self::Internal(cause) => f.write_str(cause),
            _ if !self.faults().is_empty() => {
                for (index, fault) in self.faults().iter().enumerate() {
                    let place = fault.pointer.as_ref().or(fault.parameter.as_ref());
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{} {}", place.map_or("", String::as_str), fault.message)?;
                }
                Ok(())
            }
            _ => f.write_str(self.detail()),
        }
    }
}

impl std::error::Error for Error {}
