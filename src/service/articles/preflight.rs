//! Checks a draft before it is published.

use std::collections::HashSet;

use super::{load_draft, publish::Publication, readable_record};
use crate::{
    domain::{
        article::{ArticleRecord, Document},
        error::Error,
        id::ArticleId,
        instant::Instant,
        preflight::{self, Circumstances, Finding, Severity},
        slug::Reference,
        user::Principal,
    },
    service::Newsroom,
    store::{articles, conn::Db},
};

/// A draft that was checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it holds.
    pub document: Document,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The site wants warnings to be confirmed.
    confirm_warnings: bool,
}

impl Checked {
    /// The findings of a draft that may be published.
    ///
    /// # Errors
    /// 422 with all findings if there are blockers, or warnings that need to be confirmed and are not.
    pub(super) fn passed(&self, is_confirmed: bool) -> Result<Vec<Finding>, Error> {
        let faults = || self.findings.iter().cloned().map(Into::into).collect();
        if self.findings.iter().any(|finding| finding.severity == Severity::Blocker) {
            return Err(Error::NotReady(faults()));
        }
        if self.confirm_warnings && !is_confirmed && !self.findings.is_empty() {
            return Err(Error::Unconfirmed(faults()));
        }
        Ok(self.findings.clone())
    }
}

/// Checks a draft that is to become public at an instant, together with other articles.
pub(super) fn check(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    at: Instant,
    together_with: &HashSet<ArticleId>,
) -> Result<Checked, Error> {
    let draft = load_draft(db, room, principal, record.id)?;
    let document = Document::of(&draft)?;
    let public_slug = articles::public_slug(db, record.id)?;
    let circumstances = Circumstances { public_slug: public_slug.as_deref(), at, together_with };
    let findings = preflight::check(&draft, &document, &circumstances);
    Ok(Checked { document, findings, confirm_warnings: room.site.get(db)?.confirm_warnings })
}

/// Checks a draft that is to be published on its own.
pub(super) fn of_publication(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    record: &ArticleRecord,
    how: &Publication,
) -> Result<Checked, Error> {
    let at = how.at.unwrap_or_else(|| room.clock.now());
    check(db, room, principal, record, at, &HashSet::new())
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
            Ok(check(db, &room, &principal, &record, now, &HashSet::new())?.findings)
        })
        .await
}
