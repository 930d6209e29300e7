//! The audit log. A transaction in which somebody changes something leaves an event of itself: see [`super::request`].

use std::cell::RefCell;

use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use serde_json::Value;

use super::{
    conn::{Backend, Db, on_either},
    from_json,
    prepared::change,
    schema::audit_events,
    to_json,
};
use crate::domain::{
    audit::{AuditEvent, AuditFilter, Outcome},
    error::Error,
    id::{AuditEventId, UserId},
    instant::Instant,
    origin::Origin,
    page::{Page, PageRequest, SortValue},
};

/// The only order: the newest first.
pub const ORDER: &str = "-id";

/// What a transaction tells of itself.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub entity: Option<(String, i64)>,
    /// Of several things that are done in one request: to what, and what.
    pub each: Vec<(String, i64, String)>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

thread_local! {
    static OF_THIS_TRANSACTION: RefCell<Remarks> = RefCell::default();
}

/// Tells what this transaction is about. The first who tells is right: what follows are consequences.
pub fn about(entity: &str, id: i64) {
    OF_THIS_TRANSACTION.with_borrow_mut(|remarks| {
        remarks.entity.get_or_insert_with(|| (entity.to_owned(), id));
    });
}

/// Tells one of several things that are done in this request. Each is an event of its own.
pub fn each(entity: &str, id: i64, what: &str) {
    OF_THIS_TRANSACTION
        .with_borrow_mut(|remarks| remarks.each.push((entity.to_owned(), id, what.to_owned())));
}

/// Tells what was and what is now, of settings and users. Never with a secret in it.
pub fn changed(before: Option<Value>, after: Option<Value>) {
    OF_THIS_TRANSACTION.with_borrow_mut(|remarks| (remarks.before, remarks.after) = (before, after));
}

/// The remarks of the transaction on this thread, which are forgotten.
pub(super) fn take() -> Remarks {
    OF_THIS_TRANSACTION.take()
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
struct Row {
    id: i64,
    at: i64,
    actor_id: Option<i64>,
    actor_name: Option<String>,
    credential: String,
    credential_id: Option<i64>,
    action: String,
    outcome: String,
    entity: Option<String>,
    entity_id: Option<i64>,
    target: Option<String>,
    detail: Option<String>,
    before_change: Option<String>,
    after_change: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl TryFrom<&AuditEvent> for Row {
    type Error = Error;

    fn try_from(event: &AuditEvent) -> Result<Self, Error> {
        let origin = event.origin.as_ref();
        Ok(Self {
            id: event.id.get(),
            at: event.at.millis(),
            actor_id: event.actor_id.map(UserId::get),
            actor_name: event.actor_name.clone(),
            credential: event.credential.as_str().to_owned(),
            credential_id: event.credential_id,
            action: event.action.clone(),
            outcome: event.outcome.as_str().to_owned(),
            entity: event.entity.as_ref().map(|(entity, _)| entity.clone()),
            entity_id: event.entity.as_ref().map(|(_, id)| *id),
            target: event.target.clone(),
            detail: event.detail.clone(),
            before_change: event.before.as_ref().map(to_json).transpose()?,
            after_change: event.after.as_ref().map(to_json).transpose()?,
            address: origin.map(|origin| origin.address.to_string()),
            user_agent: origin.and_then(|origin| origin.user_agent.clone()),
            request_id: origin.and_then(|origin| origin.request_id.clone()),
        })
    }
}

impl TryFrom<Row> for AuditEvent {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let address = row.address.map(|address| address.parse());
        let address = address.transpose().map_err(|error| Error::internal("audit_events.address", error))?;
        let (user_agent, request_id) = (row.user_agent, row.request_id);
        Ok(Self {
            id: AuditEventId::new(row.id),
            at: Instant::from_millis(row.at),
            actor_id: row.actor_id.map(UserId::new),
            actor_name: row.actor_name,
            credential: row.credential.parse()?,
            credential_id: row.credential_id,
            action: row.action,
            outcome: row.outcome.parse()?,
            entity: row.entity.zip(row.entity_id),
            target: row.target,
            detail: row.detail,
            before: row
                .before_change
                .map(|json| from_json("audit_events.before_change", &json))
                .transpose()?,
            after: row.after_change.map(|json| from_json("audit_events.after_change", &json)).transpose()?,
            origin: address.map(|address| Origin { address, user_agent, request_id }),
        })
    }
}

/// Adds an event. There is no way to change or remove one.
pub fn record(db: &mut Db, event: &AuditEvent) -> Result<(), Error> {
    let insert = diesel::insert_into(audit_events::table).values(Row::try_from(event)?);
    on_either!(db, conn => change!(conn, insert))?;
    Ok(())
}

/// A page of events, the newest first.
pub fn list(db: &mut Db, filter: &AuditFilter, request: &PageRequest) -> Result<Page<AuditEvent>, Error> {
    let filtered = || {
        let mut query = audit_events::table.into_boxed::<Backend>();
        if let Some(actor) = filter.actor {
            query = query.filter(audit_events::actor_id.eq(actor.get()));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_events::action.eq(action.clone()));
        }
        if let Some(outcome) = filter.outcome {
            query = query.filter(audit_events::outcome.eq(outcome.as_str()));
            if outcome != Outcome::Done {
                // As the index of these says it.
                query = query.filter(sql::<Bool>("audit_events.outcome <> 'done'"));
            }
        }
        if let Some(entity) = &filter.entity {
            query = query.filter(audit_events::entity.eq(entity.clone()));
        }
        if let Some(id) = filter.entity_id {
            query = query.filter(audit_events::entity_id.eq(id));
        }
        if let Some(since) = filter.since {
            query = query.filter(audit_events::at.ge(since.millis()));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit_events::at.lt(until.millis()));
        }
        query
    };
    let total = if request.count { Some(filtered().count().get_result(db)?) } else { None };
    let mut query = filtered().limit(request.fetch()).select(Row::as_select());
    if let Some(cursor) = request.cursor() {
        query = if request.backwards() {
            query.filter(audit_events::id.gt(cursor.id))
        } else {
            query.filter(audit_events::id.lt(cursor.id))
        };
    }
    query = if request.backwards() {
        query.order(audit_events::id.asc())
    } else {
        query.order(audit_events::id.desc())
    };
    let rows: Vec<Row> = query.load(db)?;
    let events = rows.into_iter().map(AuditEvent::try_from).collect::<Result<Vec<_>, _>>()?;
    let key = |event: &AuditEvent| (SortValue::Number(event.id.get()), event.id.get());
    Ok(Page::from_rows(events, request, ORDER, total, key))
}
