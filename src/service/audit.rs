//! The audit log: read it, and write what was refused.

use super::Newsroom;
use crate::{
    domain::{
        audit::{AuditEvent, AuditFilter, CredentialKind, Outcome},
        error::Error,
        origin::Origin,
        page::{Page, PageRequest},
        permission::{Action, require},
        user::{Actor, Principal},
    },
    store::{audit, conn::Db},
};

/// A page of events, the newest first.
///
/// # Errors
/// 401, 403.
pub async fn list(
    newsroom: &Newsroom,
    principal: &Principal,
    filter: AuditFilter,
    request: PageRequest,
) -> Result<Page<AuditEvent>, Error> {
    require(principal, Action::ReadAudit)?;
    newsroom.store.read(move |db| audit::list(db, &filter, &request)).await
}

/// Writes what whoever runs the server did at its command line.
pub(super) fn at_command_line(
    db: &mut Db,
    room: &Newsroom,
    action: &str,
    entity: &str,
    id: i64,
) -> Result<(), Error> {
    let event = AuditEvent::new(room.ids.next(), room.clock.now(), action, Outcome::Done);
    let event = AuditEvent { credential: CredentialKind::System, ..event.about(entity, id) };
    audit::record(db, &event)
}

/// Writes that somebody tried what they may not.
///
/// # Errors
/// Those of the database.
pub async fn refused(
    newsroom: &Newsroom,
    actor: &Actor,
    action: &str,
    target: &str,
    why: String,
    origin: &Origin,
) -> Result<(), Error> {
    let event = AuditEvent::new(newsroom.ids.next(), newsroom.clock.now(), action, Outcome::Refused);
    let event = event.by(actor).from(origin).detail(why);
    let event = AuditEvent { target: Some(target.to_owned()), ..event };
    newsroom.store.write_apart(move |db| audit::record(db, &event)).await
}
