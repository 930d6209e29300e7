//! Users, their roles, and who is asking.

use std::str::FromStr;

use super::{
    error::Error,
    id::{AuthorId, UserId},
    instant::Instant,
    text_enum::text_enum,
};

/// What a user may do, from least to most; [`super::permission`] has the table.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Writes drafts of their own.
    Contributor,
    /// Writes and publishes articles of their own.
    Author,
    /// Writes and publishes everything, keeps sections, tags and authors.
    Editor,
    /// Everything, and users and the site.
    Admin,
}

text_enum!(Role {
    Contributor "contributor",
    Author "author",
    Editor "editor",
    Admin "admin",
});

/// A user as others may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, lower case, with which they log in.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they are shut out.
    pub suspended: bool,
    /// The author profile that is theirs.
    pub author_id: Option<AuthorId>,
    /// When they were made.
    pub created_at: Instant,
}

/// A user as others see them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct UserCard {
    /// Their id.
    pub id: UserId,
    /// Their name.
    #[schema(examples("Edda Editor"))]
    pub name: String,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A reader without credentials.
    Anonymous,
    /// A user who has shown a valid token.
    User(User),
}

impl Principal {
    /// The user, or 401 for the anonymous.
    pub fn user(&self) -> Result<&User, Error> {
        match self {
            Self::Anonymous => Err(Error::unauthenticated()),
            Self::User(user) => Ok(user),
        }
    }

    /// Whether this is a reader without credentials.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

/// An e-mail address to log in with, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnEmailAddress;

    fn from_str(text: &str) -> Result<Self, NotAnEmailAddress> {
        let text = text.trim().to_lowercase();
        let (local, host) = text.rsplit_once('@').ok_or(NotAnEmailAddress)?;
        let plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@' || c.is_control())
        };
        if plain(local) && plain(host) && text.len() <= 254 { Ok(Self(text)) } else { Err(NotAnEmailAddress) }
    }
}
