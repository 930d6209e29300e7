//! Sessions: log-ins, from the first access token to the last refresh token.

/// How somebody logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginMethod {
    /// With a password.
    Password,
    /// Through the provider of single sign-on.
    Oidc,
}
