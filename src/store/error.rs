//! Database errors, turned into the errors of the domain. Their texts are logged, never shown.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::domain::error::{Error, ErrorCode};

/// Unique constraints and what it means to violate them: PostgreSQL names the constraint, SQLite the columns.
const UNIQUE: [(&str, &str, &str); 10] = [
    ("users_email_key", "users.email", "A user with this e-mail address exists."),
    ("authors_user_id_key", "authors.user_id", "This user has an author profile already."),
    ("authors_slug_key", "authors.slug", "An author with this slug exists."),
    ("sections_path_key", "sections.path", "A section with this slug exists beside it."),
    ("tags_slug_key", "tags.slug", "A tag with this slug exists."),
    ("slugs_pkey", "slugs.kind, slugs.slug", "The slug belongs, or once belonged, to something else."),
    ("article_edits_pkey", "article_edits.article_id", "Somebody else has just edited the article."),
    (
        "identities_user_id_issuer_key",
        "identities.user_id, identities.issuer",
        "Somebody else has just logged in as this user.",
    ),
    (
        "identities_pkey",
        "identities.issuer, identities.subject",
        "Somebody has just logged in as the same person.",
    ),
    ("site_pkey", "site.id", "The site exists."),
];

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            return Self::internal("database", error);
        };
        let message = info.message();
        match kind {
            DatabaseErrorKind::UniqueViolation => {
                let constraint = info.constraint_name();
                let known = UNIQUE.iter().find(|(postgres, sqlite, _)| {
                    constraint == Some(postgres) || message.contains(&format!("failed: {sqlite}"))
                });
                match known {
                    Some((_, _, meaning)) => Self::taken(*meaning),
                    None => Self::internal("unique constraint", message),
                }
            }
            DatabaseErrorKind::ForeignKeyViolation => Self::conflict(
                "Something that this refers to was deleted meanwhile, or something still refers to it.",
            ),
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ClosedConnection => busy(message),
            _ if is_busy(message) => busy(message),
            _ if is_full(message) => {
                tracing::error!(error = message, "the database cannot be written");
                Self::Other(ErrorCode::StorageFull, ErrorCode::StorageFull.meaning().to_owned())
            }
            _ => Self::internal("database", message),
        }
    }
}

fn is_busy(message: &str) -> bool {
    [
        "database is locked",
        "database table is locked",
        "deadlock detected",
        "server closed the connection",
        "terminating connection",
        "no connection to the server",
    ]
    .iter()
    .any(|text| message.contains(text))
}

fn is_full(message: &str) -> bool {
    ["disk is full", "readonly database", "disk I/O error", "No space left"]
        .iter()
        .any(|text| message.contains(text))
}

/// 503: the caller may try again.
pub(super) fn busy(cause: &str) -> Error {
    tracing::warn!(error = cause, "the database is busy or out of reach");
    Error::Other(
        ErrorCode::Busy,
        "The database is busy; nothing was changed. Try again in a moment.".to_owned(),
    )
}
