//! What a request that writes leaves behind beside its effect, in the same transaction: an event of the audit log, and,
//! under an `Idempotency-Key`, its answer.
//!
//! Without such a key a transaction commits when its work is done. With one, it is held open until the answer is known:
//! the effect and the answer are kept together or not at all. Another request with the same key waits meanwhile, and is
//! given that answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use diesel::prelude::*;
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use super::{
    Lane, PooledDb, audit,
    conn::{Db, on_either},
    lane::Work,
    schema::idempotency_keys,
    search,
    signals::{self, Sent},
};
use crate::domain::{
    audit::{AuditEvent, Outcome},
    error::Error,
    id::IdGenerator,
    instant::Clock,
    origin::Origin,
    user::Actor,
};

tokio::task_local! {
    static OF_THIS_TASK: Arc<RequestScope>;
}

/// Who asks for a write, and for what.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who.
    pub actor: Arc<Actor>,
    /// The operation.
    pub action: String,
    /// The path.
    pub target: String,
    /// From where.
    pub origin: Origin,
    /// Makes the id of the event.
    pub ids: IdGenerator,
    /// Tells its time.
    pub clock: Clock,
}

/// An `Idempotency-Key` of somebody, by its hash.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The id of the user; 0 for those who have not logged in.
    pub principal: i64,
    /// The hash of the key.
    pub key_hash: String,
    /// When it is claimed, in milliseconds.
    pub at: i64,
}

/// A request that writes.
pub struct RequestScope {
    asked: Option<Asked>,
    is_recorded: AtomicBool,
    held: Option<(Claim, Mutex<Held>)>,
}

impl std::fmt::Debug for RequestScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestScope").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// The transaction that is held for an answer.
enum Held {
    /// Nothing was written yet.
    Idle,
    /// Written, not committed.
    Open(Box<OpenTransaction>),
    /// Something failed after something was written, so nothing is.
    RolledBack,
    /// An earlier request had this answer.
    Answered(Vec<u8>),
    /// Committed.
    Done,
}

pub(super) struct OpenTransaction {
    pub connection: PooledDb,
    pub lane: Arc<Lane>,
    /// Those to be heard when it is committed.
    pub signals: Vec<Sent>,
    /// Held as long as the connection.
    pub _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// What the middleware learns when the handler is through.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was written, or it is rolled back.
    Nothing,
    /// The answer is kept with the effect.
    Kept,
    /// An earlier request had this answer, sealed.
    Answered(Vec<u8>),
}

fn lost() -> Error {
    super::error::busy("a transaction was rolled back while its request went on")
}

impl RequestScope {
    /// A request of which the audit log is to tell if `asked` is there, and whose answer is to be kept if `claim` is.
    pub fn new(asked: Option<Asked>, claim: Option<Claim>) -> Arc<Self> {
        let held = claim.map(|claim| (claim, Mutex::new(Held::Idle)));
        Arc::new(Self { asked, is_recorded: AtomicBool::new(false), held })
    }

    /// Runs the handler.
    pub async fn run<F: Future>(self: &Arc<Self>, handler: F) -> F::Output {
        OF_THIS_TASK.scope(Arc::clone(self), handler).await
    }

    pub(super) fn current() -> Option<Arc<Self>> {
        OF_THIS_TASK.try_with(Arc::clone).ok()
    }

    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Called at the end of the work of each transaction that writes: leaves an event, once for each request.
    pub(super) fn record(&self, db: &mut Db) -> Result<(), Error> {
        let remarks = audit::take();
        let Some(asked) = &self.asked else { return Ok(()) };
        let new_event = || {
            let event = AuditEvent::new(asked.ids.next(), asked.clock.now(), &asked.action, Outcome::Done);
            AuditEvent { target: Some(asked.target.clone()), ..event.by(&asked.actor).from(&asked.origin) }
        };
        let is_one_of_several = !remarks.each.is_empty();
        for (entity, id, what) in remarks.each {
            audit::record(db, &new_event().about(&entity, id).detail(what))?;
        }
        if is_one_of_several || self.is_recorded.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let audit::Remarks { entity, before, after, .. } = remarks;
        audit::record(db, &AuditEvent { entity, before, after, ..new_event() })
    }

    /// Runs work in the held transaction, which begins with the first that writes.
    pub(super) async fn run_held(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        writes: bool,
        work: Work,
    ) -> Option<Result<(), Error>> {
        let (claim, held) = self.held.as_ref()?;
        let mut held = held.lock().await;
        let is_first = matches!(*held, Held::Idle);
        let mut open = match std::mem::replace(&mut *held, Held::RolledBack) {
            Held::Open(open) => open,
            Held::Idle if writes => match lane.begin_held(claim.clone()).await {
                Ok(Begun::Open(open)) => open,
                Ok(Begun::Answered(answer)) => {
                    *held = Held::Answered(answer);
                    return Some(Err(lost()));
                }
                Err(error) => {
                    *held = Held::Idle;
                    return Some(Err(error));
                }
            },
            Held::Idle => {
                *held = Held::Idle;
                return None;
            }
            other => {
                *held = other;
                return Some(Err(lost()));
            }
        };
        let scope = Arc::clone(self);
        let worked = super::on_blocking_pool(move || {
            super::begin_notes(None);
            let result = super::in_savepoint(&mut open.connection, |db| {
                work(db)?;
                if writes {
                    search::settle(db)?;
                    scope.record(db)?;
                }
                Ok(())
            });
            // What failed has sent nothing and leaves nothing to say.
            let (mut sent, _) = (signals::take(), audit::take());
            if result.is_ok() {
                open.signals.append(&mut sent);
            }
            // Where nothing else was written, nobody has to wait for the end of the request.
            if result.is_err() && is_first {
                super::roll_back(&mut open.connection);
                return (result, Held::Idle);
            }
            (result, Held::Open(open))
        });
        let (result, now) = match worked.await {
            Ok(worked) => worked,
            Err(error) => (Err(error), Held::RolledBack),
        };
        *held = now;
        Some(result)
    }

    /// Ends the request: keeps the answer with the effect and commits, or rolls back if there is no answer to keep.
    ///
    /// # Errors
    /// When it cannot be committed; nothing has changed then.
    pub async fn end(&self, sealed_answer: Option<Vec<u8>>) -> Result<Ended, Error> {
        let Some((claim, held)) = &self.held else { return Ok(Ended::Nothing) };
        let mut held = held.lock().await;
        let mut open = match std::mem::replace(&mut *held, Held::Done) {
            Held::Open(open) => open,
            Held::Answered(answer) => return Ok(Ended::Answered(answer)),
            // It said that it was done, but it is not.
            Held::RolledBack if sealed_answer.is_some() => return Err(lost()),
            Held::Idle | Held::RolledBack | Held::Done => return Ok(Ended::Nothing),
        };
        let claim = claim.clone();
        super::on_blocking_pool(move || {
            let Some(answer) = sealed_answer else {
                super::roll_back(&mut open.connection);
                return Ok(Ended::Nothing);
            };
            let row = idempotency_keys::table.find((claim.principal, claim.key_hash));
            let kept = diesel::update(row)
                .set(idempotency_keys::sealed_answer.eq(answer))
                .execute(&mut *open.connection)
                .map_err(Error::from)
                .and_then(|_| super::commit(&mut open.connection));
            match kept {
                Ok(()) => {
                    open.lane.hear(&open.signals);
                    Ok(Ended::Kept)
                }
                Err(error) => {
                    super::roll_back(&mut open.connection);
                    Err(error)
                }
            }
        })
        .await?
    }
}

/// How a held transaction begins.
pub(super) enum Begun {
    /// The key is claimed.
    Open(Box<OpenTransaction>),
    /// The key was claimed before, for this answer.
    Answered(Vec<u8>),
}

/// Claims a key in the transaction that has begun. Of two who claim it at once, one waits here for the other.
/// `Some` is the answer that is kept under it.
pub(super) fn claim(db: &mut Db, claim: &Claim) -> Result<Option<Vec<u8>>, Error> {
    let row = (
        idempotency_keys::principal_id.eq(claim.principal),
        idempotency_keys::key_hash.eq(claim.key_hash.clone()),
        idempotency_keys::created_at.eq(claim.at),
    );
    let inserted = on_either!(&mut *db, conn => diesel::insert_into(idempotency_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(conn))?;
    if inserted == 1 { Ok(None) } else { answer(db, claim)?.ok_or_else(lost).map(Some) }
}

/// The answer that is kept under a key.
pub fn answer(db: &mut Db, claim: &Claim) -> Result<Option<Vec<u8>>, Error> {
    let row = idempotency_keys::table.find((claim.principal, claim.key_hash.clone()));
    let answer: Option<Option<Vec<u8>>> = row.select(idempotency_keys::sealed_answer).first(db).optional()?;
    Ok(answer.flatten())
}

/// Forgets keys that were claimed before an instant in milliseconds.
pub fn forget_before(db: &mut Db, at: i64) -> Result<(), Error> {
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(at))).execute(db)?;
    Ok(())
}
