//! Counts SQL statements, so that a test and `Server-Timing` can tell how many a request took.

use std::{cell::Cell, fmt, future::Future, sync::OnceLock, time::Duration};

thread_local! {
    static ON_THIS_THREAD: Cell<u32> = const { Cell::new(0) };
}

tokio::task_local! {
    static OF_THIS_REQUEST: Cell<Usage>;
}

/// What a request asked of the database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// SQL statements; `BEGIN` and `COMMIT` are not counted.
    pub statements: u32,
    /// Time spent with a connection in hand.
    pub time: Duration,
}

static OBSERVER: OnceLock<fn(&str)> = OnceLock::new();

/// Tells `observer` the text of every statement from now on, without the values in it: for tests that look at plans. Only the
/// first one is told.
pub fn observe(observer: fn(&str)) {
    let _ = OBSERVER.set(observer);
}

/// Called by the instrumentation of each connection.
pub(super) fn count_one(query: &dyn fmt::Display) {
    ON_THIS_THREAD.with(|count| count.set(count.get() + 1));
    if let Some(observer) = OBSERVER.get() {
        let text = query.to_string();
        observer(text.split(" -- binds").next().unwrap_or_default());
    }
}

/// Runs database work on this thread and counts its statements.
pub(super) fn count<T>(work: impl FnOnce() -> T) -> (T, u32) {
    let before = ON_THIS_THREAD.with(Cell::get);
    let result = work();
    (result, ON_THIS_THREAD.with(Cell::get).wrapping_sub(before))
}

/// Runs what is not counted: the beginning and the end of transactions.
pub(super) fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let before = ON_THIS_THREAD.with(Cell::get);
    let result = work();
    ON_THIS_THREAD.with(|count| count.set(before));
    result
}

/// Adds to the usage of the request on whose task this is called, if there is one.
pub(super) fn record(usage: Usage) {
    let _ = OF_THIS_REQUEST.try_with(|total| {
        let Usage { statements, time } = total.get();
        total.set(Usage { statements: statements + usage.statements, time: time + usage.time });
    });
}

/// Runs a request and tells what it asked of the database.
pub async fn track<F: Future>(request: F) -> (F::Output, Usage) {
    OF_THIS_REQUEST
        .scope(Cell::new(Usage::default()), async {
            let output = request.await;
            (output, OF_THIS_REQUEST.with(Cell::get))
        })
        .await
}
