//! Checks a draft before it is published.

use std::collections::HashSet;

use super::{load_draft, readable_record};
use crate::{
    domain::{
        article::{ArticleRecord, Document},
        error::Error,
        id::ArticleId,
        instant::Instant,
        preflight::{self, Circumstances, Finding},
        slug::Reference,
        user::Principal,
    },
    service::Newsroom,
    store::{articles, conn::Db},
};

/// A draft that was checked.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    /// What it holds.
    pub document: Document,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Lets a publication through unless something was found that keeps it back.
///
/// # Errors
/// 422 with all findings if there are blockers, or warnings that need to be confirmed and are not.
pub fn check_findings(findings: &[Finding], is_confirmed: bool) -> Result<(), Error> {
    let faults = || findings.iter().cloned().map(Into::into).collect();
    if !preflight::only_warnings(findings) {
        Err(Error::NotReady(faults()))
    } else if !is_confirmed && !findings.is_empty() {
        Err(Error::Unconfirmed(faults()))
    } else {
        Ok(())
    }
}

/// Checks a draft that is to become public at an instant, while other articles come and go.
pub(super) fn check(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    at: Instant,
    (coming, going): (&HashSet<ArticleId>, &HashSet<ArticleId>),
) -> Result<Checked, Error> {
    let draft = load_draft(db, room, principal, record.id)?;
    let document = Document::of(&draft)?;
    let public_slug = if record.live.is_some() { articles::public_slug(db, record.id)? } else { None };
    let circumstances = Circumstances { public_slug: public_slug.as_deref(), at, coming, going };
    let findings = preflight::check(draft.links.as_deref().unwrap_or_default(), &document, &circumstances);
    Ok(Checked { document, findings })
}

/// Checks a draft that is to become public at an instant by itself.
pub(super) fn check_alone(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    at: Instant,
) -> Result<Checked, Error> {
    let nothing = HashSet::new();
    check(db, room, principal, record, at, (&nothing, &nothing))
}

/// As [`check_alone`], for the draft of an article that this transaction has made.
pub(super) fn check_made(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    at: Instant,
    document: Document,
) -> Result<Checked, Error> {
    if !document.links.is_empty() {
        return check_alone(db, room, principal, record, at);
    }
    let nothing = HashSet::new();
    let circumstances = Circumstances { public_slug: None, at, coming: &nothing, going: &nothing };
    let findings = preflight::check(&[], &document, &circumstances);
    Ok(Checked { document, findings })
}

/// What would keep the draft from being published now, and what somebody should look at before.
///
/// # Errors
/// 401; 404 if there is no such article or the caller may not read its draft.
pub async fn preflight(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<Vec<Finding>, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let record = readable_record(db, &principal, &reference, false)?;
            let now = room.clock.now();
            Ok(check_alone(db, &room, &principal, &record, now)?.findings)
        })
        .await
}
