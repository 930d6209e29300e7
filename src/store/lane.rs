//! Connections, and who may have one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::r2d2::{Pool, PooledConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use super::{
    audit,
    conn::{ConnectionManager, Db},
    error::busy,
    request::{self, Begun, Claim, OpenTransaction, RequestScope},
    search,
    signals::{self, Listeners, Sent},
    statements::{self, Usage},
    transaction::{Mode, begin, roll_back, transaction},
};
use crate::domain::error::Error;

/// Requests that may wait for a connection before more are turned away, for each connection.
const QUEUE_PER_CONNECTION: usize = 64;

/// A connection of a pool.
pub(super) type PooledDb = PooledConnection<ConnectionManager>;

/// What a transaction does. Its result goes to an [`Outcome`], so that the machinery that runs it is compiled once and not
/// for each of the some hundred use cases.
pub(super) type Work = Box<dyn FnOnce(&mut Db) -> Result<(), Error> + Send>;

/// Where the result of work is put.
struct Outcome<T>(Arc<Mutex<Option<T>>>);

impl<T> Outcome<T> {
    fn take(self) -> Result<T, Error> {
        let result = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.ok_or_else(|| Error::Internal("work left no result".to_owned()))
    }
}

fn erase<T: Send + 'static>(
    work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
) -> (Work, Outcome<T>) {
    let result = Arc::new(Mutex::new(None));
    let outcome = Outcome(Arc::clone(&result));
    let work = move |db: &mut Db| {
        let done = work(db)?;
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        Ok(())
    };
    (Box::new(work), outcome)
}

/// A pool with a bounded queue in front. Waiting is asynchronous: no thread is held by it.
pub(super) struct Lane {
    pool: Pool<ConnectionManager>,
    connections: Arc<Semaphore>,
    places: Arc<Semaphore>,
    listeners: Arc<Listeners>,
}

impl Lane {
    pub(super) fn open(
        manager: ConnectionManager,
        size: u32,
        listeners: &Arc<Listeners>,
    ) -> Result<Self, Error> {
        let pool = Pool::builder()
            .max_size(size)
            // Connections are made when they are first needed: a server that is down does not keep us from starting.
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(5))
            .error_handler(Box::new(diesel::r2d2::NopErrorHandler))
            .build(manager)
            .map_err(|error| Error::internal("opening the database", error))?;
        let connections = size as usize;
        Ok(Self {
            pool,
            connections: Arc::new(Semaphore::new(connections)),
            places: Arc::new(Semaphore::new(connections * (QUEUE_PER_CONNECTION + 1))),
            listeners: Arc::clone(listeners),
        })
    }

    /// A place in the queue, and then a connection to take.
    async fn permits(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Error> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| busy("too many requests wait for the database"))?;
        let connection = Arc::clone(&self.connections).acquire_owned().await;
        Ok((place, connection.map_err(|error| busy(&error.to_string()))?))
    }

    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        mode: Mode,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (work, outcome) = erase(work);
        self.run_work(mode, work).await?;
        outcome.take()
    }

    /// As [`Self::run`], whatever request asks for it.
    pub(super) async fn run_apart<T: Send + 'static>(
        self: &Arc<Self>,
        mode: Mode,
        work: impl FnOnce(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (work, outcome) = erase(work);
        self.run_alone(mode, None, work).await?;
        outcome.take()
    }

    async fn run_work(self: &Arc<Self>, mode: Mode, work: Work) -> Result<(), Error> {
        let scope = RequestScope::current();
        if let Some(scope) = scope.as_ref().filter(|scope| scope.holds() && mode != Mode::Rehearse) {
            // The work is moved there; it comes back if there is no transaction to read in.
            let slot = Arc::new(Mutex::new(Some(work)));
            let lent = Arc::clone(&slot);
            let lent = move |db: &mut Db| {
                let work = lent.lock().unwrap_or_else(PoisonError::into_inner).take();
                work.ok_or_else(|| Error::Internal("work was done twice".to_owned()))?(db)
            };
            if let Some(result) = scope.run_held(self, mode == Mode::Write, Box::new(lent)).await {
                return result;
            }
            let work = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            let work = work.ok_or_else(|| Error::Internal("work was lost".to_owned()))?;
            return self.run_alone(mode, None, work).await;
        }
        self.run_alone(mode, scope, work).await
    }

    /// Reads at once, on this thread, if there is a connection that nobody uses; else the work comes back.
    pub(super) fn look_up<T, W>(&self, work: W) -> Result<Result<T, Error>, W>
    where
        W: FnOnce(&mut Db) -> Result<T, Error>,
    {
        let Ok(_place) = self.connections.try_acquire() else { return Err(work) };
        let Some(mut connection) = self.pool.try_get() else { return Err(work) };
        let begun = Instant::now();
        let reading = || self.transact(&mut connection, Mode::Read, work);
        let (result, statements) = statements::count(reading);
        statements::record(Usage { statements, time: begun.elapsed() });
        Ok(result)
    }

    /// Reads on the blocking pool, without a transaction as long as one statement is enough: that sees one state of the
    /// database by itself, and a server is spared the journeys to begin and to end. More of them may have seen several
    /// states; then all is read again, in a transaction.
    pub(super) async fn glance<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _permits = self.permits().await?;
        let lane = Arc::clone(self);
        on_blocking_pool(move || {
            let mut connection = lane.connection()?;
            super::begin_notes(Some(lane.listeners.heard()));
            let (result, statements) = statements::count(|| work(&mut connection));
            signals::set_begun(None);
            // A connection that is broken shows it when a transaction is to begin, and does not come back to the pool.
            match result {
                Ok(read) if statements <= 1 => Ok(read),
                _ => lane.transact(&mut connection, Mode::Read, work),
            }
        })
        .await?
    }

    /// Runs work in a transaction, and tells what it has changed when it is committed.
    fn transact<T>(
        &self,
        db: &mut Db,
        mode: Mode,
        work: impl FnOnce(&mut Db) -> Result<T, Error>,
    ) -> Result<T, Error> {
        super::begin_notes(Some(self.listeners.heard()));
        let result = transaction(db, mode, work);
        signals::set_begun(None);
        let (signals, _) = (signals::take(), audit::take());
        if result.is_ok() && mode == Mode::Write {
            self.hear(&signals);
        }
        result
    }

    /// Runs work in a transaction of its own.
    async fn run_alone(
        self: &Arc<Self>,
        mode: Mode,
        scope: Option<Arc<RequestScope>>,
        work: Work,
    ) -> Result<(), Error> {
        let _permits = self.permits().await?;
        let lane = Arc::clone(self);
        on_blocking_pool(move || {
            let mut connection = lane.connection()?;
            let work = |db: &mut Db| {
                work(db)?;
                if mode == Mode::Write {
                    search::settle(db)?;
                    if let Some(scope) = scope {
                        scope.record(db)?;
                    }
                    signals::leave(db, &lane.listeners)?;
                }
                Ok(())
            };
            lane.transact(&mut connection, mode, work)
        })
        .await?
    }

    /// Begins a transaction that stays open, and claims a key in it.
    pub(super) async fn begin_held(self: &Arc<Self>, claim: Claim) -> Result<Begun, Error> {
        let permits = self.permits().await?;
        let lane = Arc::clone(self);
        on_blocking_pool(move || {
            let mut connection = lane.connection()?;
            begin(&mut connection, Mode::Write)?;
            match request::claim(&mut connection, &claim) {
                Ok(None) => {
                    let signals = Vec::new();
                    Ok(Begun::Open(Box::new(OpenTransaction {
                        connection,
                        lane,
                        signals,
                        _permits: permits,
                    })))
                }
                outcome => {
                    roll_back(&mut connection);
                    outcome.and_then(|answer| {
                        answer
                            .map(Begun::Answered)
                            .ok_or_else(|| Error::Internal("a key without an answer".to_owned()))
                    })
                }
            }
        })
        .await?
    }

    pub(super) fn connection(&self) -> Result<PooledDb, Error> {
        self.pool.get().map_err(|error| busy(&error.to_string()))
    }

    pub(super) fn hear(&self, signals: &[Sent]) {
        signals.iter().for_each(|sent| self.listeners.hear_once(sent));
    }
}

/// Runs database work where it may block, and counts what it takes.
pub(super) async fn on_blocking_pool<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let span = Span::current();
    let work = move || {
        let _entered = span.enter();
        let begun = Instant::now();
        let (result, statements) = statements::count(work);
        (result, Usage { statements, time: begun.elapsed() })
    };
    let joined = tokio::task::spawn_blocking(work).await;
    let (result, usage) = joined.map_err(|error| Error::internal("database work", error))?;
    statements::record(usage);
    Ok(result)
}
