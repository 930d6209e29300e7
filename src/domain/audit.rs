//! The audit log: who did what to what, from where.

use serde_json::Value;

use super::{
    id::{AuditEventId, UserId},
    instant::Instant,
    origin::Origin,
    text_enum::text_enum,
    user::{Actor, Credential},
};

/// How what was tried ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not permitted.
    Refused,
    /// Somebody could not show who they are.
    Failed,
}

text_enum!(Outcome {
    Done "done",
    Refused "refused",
    Failed "failed",
});

/// By what an actor had shown who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// Nothing.
    None,
    /// The program itself, or whoever runs it at the command line.
    System,
    /// A log-in.
    Session,
    /// An API token.
    Token,
}

text_enum!(CredentialKind {
    None "none",
    System "system",
    Session "session",
    Token "token",
});

/// Something that was done, or tried.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its id; later events have larger ones, but for a moment on other nodes.
    pub id: AuditEventId,
    /// When.
    pub at: Instant,
    /// Who, if that is known.
    pub actor_id: Option<UserId>,
    /// Their name then; of a failed log-in, the address that was tried.
    pub actor_name: Option<String>,
    /// By what they had shown who they are.
    pub credential: CredentialKind,
    /// Which session or API token that was.
    pub credential_id: Option<i64>,
    /// What: the operation of the API, such as `publish_article`, or `login`.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The kind of thing to which it was done, and its id.
    pub entity: Option<(String, i64)>,
    /// The path of the request.
    pub target: Option<String>,
    /// More, for people.
    pub detail: Option<String>,
    /// What was, for settings and users.
    pub before: Option<Value>,
    /// What is now, for settings and users.
    pub after: Option<Value>,
    /// From where.
    pub origin: Option<Origin>,
}

impl AuditEvent {
    /// Something that was done by somebody.
    pub fn new(id: i64, at: Instant, action: &str, outcome: Outcome) -> Self {
        Self {
            id: AuditEventId::new(id),
            at,
            actor_id: None,
            actor_name: None,
            credential: CredentialKind::None,
            credential_id: None,
            action: action.to_owned(),
            outcome,
            entity: None,
            target: None,
            detail: None,
            before: None,
            after: None,
            origin: None,
        }
    }

    /// Tells who did it.
    #[must_use]
    pub fn by(mut self, actor: &Actor) -> Self {
        (self.credential, self.credential_id) = match &actor.credential {
            Credential::System => (CredentialKind::System, None),
            Credential::Session(id) => (CredentialKind::Session, Some(id.get())),
            Credential::Token(id, _) => (CredentialKind::Token, Some(id.get())),
        };
        (self.actor_id, self.actor_name) = (Some(actor.id), Some(actor.name.clone()));
        self
    }

    /// Tells to what it was done.
    #[must_use]
    pub fn about(mut self, entity: &str, id: i64) -> Self {
        self.entity = Some((entity.to_owned(), id));
        self
    }

    /// Tells from where.
    #[must_use]
    pub fn from(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }

    /// Tells more.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of whom.
    pub actor: Option<UserId>,
    /// What was done.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// To what kind of thing.
    pub entity: Option<String>,
    /// To which one.
    pub entity_id: Option<i64>,
    /// At this instant or later.
    pub since: Option<Instant>,
    /// Before this instant.
    pub until: Option<Instant>,
}
