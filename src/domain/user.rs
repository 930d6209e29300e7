//! Users, their roles, and who is asking.

use std::{ops::Deref, str::FromStr, sync::Arc};

use super::{
    error::{Error, ErrorCode},
    id::{ApiTokenId, AuthorId, SessionId, UserId},
    instant::Instant,
    permission::Scope,
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
    /// Whether they can log in with a password.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// The author profile that is theirs.
    pub author_id: Option<AuthorId>,
    /// Counts the edits.
    pub version: i64,
    /// When they were made.
    pub created_at: Instant,
    /// When they were last edited.
    pub updated_at: Instant,
}

/// The members of a user to change.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// Another address.
    pub email: Option<EmailAddress>,
    /// Another name.
    pub name: Option<String>,
    /// Another role.
    pub role: Option<Role>,
    /// Whether they are shut out from now on.
    pub suspended: Option<bool>,
}

/// Which users are wanted.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Of this role.
    pub role: Option<Role>,
    /// Shut out, or not.
    pub suspended: Option<bool>,
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

/// By what somebody has shown who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// By running the program: the command line, the demo, the worker.
    System,
    /// By logging in.
    Session(SessionId),
    /// By an API token, which permits what its scopes name and nothing else.
    Token(ApiTokenId, Vec<Scope>),
}

/// A user at work, with the credential that they have shown. It dereferences to the user; what they may do is asked of
/// [`super::permission`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who it is.
    pub user: User,
    /// How that is known.
    pub credential: Credential,
    /// Whether the site wants a second factor of them that they do not have. Until they do, they may do nothing else.
    pub must_enrol: bool,
}

impl Actor {
    /// A user in whose name the program itself acts.
    pub fn system(user: User) -> Self {
        Self { user, credential: Credential::System, must_enrol: false }
    }

    /// The session, or 403 for an API token: what concerns the account itself is not done by programs.
    ///
    /// # Errors
    /// 403.
    pub fn session(&self) -> Result<SessionId, Error> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            _ => Err(Error::Other(
                ErrorCode::Forbidden,
                "This needs somebody who has logged in, not an API token.".to_owned(),
            )),
        }
    }
}

impl Deref for Actor {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A reader without credentials.
    Anonymous,
    /// A user who has shown a valid credential.
    User(Arc<Actor>),
}

impl Principal {
    /// A user in whose name the program itself acts.
    pub fn system(user: User) -> Self {
        Self::User(Arc::new(Actor::system(user)))
    }

    /// The same user, as whoever is asking.
    pub fn of(actor: &Actor) -> Self {
        Self::User(Arc::new(actor.clone()))
    }

    /// The user, or 401 for the anonymous.
    pub fn user(&self) -> Result<&Actor, Error> {
        match self {
            Self::Anonymous => Err(Error::unauthenticated()),
            Self::User(actor) => Ok(actor),
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
