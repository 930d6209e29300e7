//! The log of public changes, in the order in which they became visible.

use diesel::{dsl::max, prelude::*};

use super::{
    Lock, audit,
    conn::{Db, on_either},
    exclusive, from_json,
    prepared::change,
    schema::changes,
    signals::{self, Signal},
    to_json,
};
use crate::domain::{change::Change, error::Error, instant::Instant, surrogate::plural};

/// A recorded change.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedChange {
    /// Its place in the order, from 1, with gaps.
    pub seq: i64,
    /// When it became visible, in milliseconds.
    pub at: i64,
    /// What happened, as in [`crate::domain::change::ChangeKind::as_str`].
    pub kind: String,
    /// To what kind of thing.
    pub entity: String,
    /// To which one.
    pub entity_id: i64,
    /// Where it is now.
    pub path: Option<String>,
    /// Where it was.
    pub old_path: Option<String>,
    /// What caches must drop.
    pub surrogate_keys: Vec<String>,
}

/// Records a change in the transaction that makes it. Transactions that record changes commit one after the other, so
/// that a reader of the log never sees a later one before an earlier one. The key of lists of all such things is added.
pub fn record(db: &mut Db, change: &Change) -> Result<(), Error> {
    exclusive(db, Lock::Changes)?;
    audit::about(change.entity.as_str(), change.entity_id);
    let mut keys = change.surrogate_keys.clone();
    keys.push(plural(change.entity).to_owned());
    let insert = diesel::insert_into(changes::table).values((
        changes::at.eq(change.at.millis()),
        changes::kind.eq(change.kind.as_str()),
        changes::entity.eq(change.entity.as_str()),
        changes::entity_id.eq(change.entity_id),
        changes::path.eq(&change.path),
        changes::old_path.eq(&change.old_path),
        changes::surrogate_keys.eq(to_json(&keys)?),
        changes::actor_id.eq(change.actor.map(|user| user.get())),
    ));
    on_either!(&mut *db, conn => change!(conn, insert))?;
    // After the signals of what is kept in memory to make answers of: who makes one when this is heard makes it of those.
    signals::send(db, Signal::Public { at: change.at, keys: keys.into() })
}

/// Changes that are looked at for those of a node whose clock is ahead.
const NEWEST: i64 = 500;

/// The first instant after `now` as of which something was recorded: by a node whose clock is ahead of ours. Such a change
/// is among the newest.
pub fn next_ahead(db: &mut Db, now: Instant) -> Result<Option<Instant>, Error> {
    let newest = changes::table.order(changes::seq.desc()).select(changes::at).limit(NEWEST);
    let newest: Vec<i64> = newest.load(db)?;
    Ok(newest.into_iter().map(Instant::from_millis).filter(|at| *at > now).min())
}

type Row = (i64, i64, String, String, i64, Option<String>, Option<String>, String);

type Columns = (
    changes::seq,
    changes::at,
    changes::kind,
    changes::entity,
    changes::entity_id,
    changes::path,
    changes::old_path,
    changes::surrogate_keys,
);
const COLUMNS: Columns = (
    changes::seq,
    changes::at,
    changes::kind,
    changes::entity,
    changes::entity_id,
    changes::path,
    changes::old_path,
    changes::surrogate_keys,
);

/// The changes after `since`, oldest first.
pub fn list(db: &mut Db, since: i64, limit: i64) -> Result<Vec<RecordedChange>, Error> {
    let rows: Vec<Row> = changes::table
        .filter(changes::seq.gt(since))
        .order(changes::seq)
        .limit(limit)
        .select(COLUMNS)
        .load(db)?;
    rows.into_iter().map(recorded).collect()
}

/// The place of the newest change; 0 before the first.
pub fn latest(db: &mut Db) -> Result<i64, Error> {
    let latest: Option<i64> = changes::table.select(max(changes::seq)).first(db)?;
    Ok(latest.unwrap_or_default())
}

/// The newest changes after `since`, oldest first: if there are more than `limit`, the oldest of them are left out.
pub fn newest(db: &mut Db, since: i64, limit: i64) -> Result<Vec<RecordedChange>, Error> {
    let rows: Vec<Row> = changes::table
        .filter(changes::seq.gt(since))
        .order(changes::seq.desc())
        .limit(limit)
        .select(COLUMNS)
        .load(db)?;
    rows.into_iter().rev().map(recorded).collect()
}

fn recorded(row: Row) -> Result<RecordedChange, Error> {
    let (seq, at, kind, entity, entity_id, path, old_path, keys) = row;
    let surrogate_keys = from_json("changes.surrogate_keys", &keys)?;
    Ok(RecordedChange { seq, at, kind, entity, entity_id, path, old_path, surrogate_keys })
}
