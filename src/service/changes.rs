//! The log of public changes, as anybody may read it, and those who wait for what comes next.
//!
//! A waiting caller holds no thread and no connection. When a change is recorded, here or by another node, a signal wakes
//! all who wait; the first of them reads what is new and keeps it for the others, so that a change costs one statement
//! however many wait for it.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout_at},
};

use super::Newsroom;
use crate::{
    domain::error::{Error, ErrorCode},
    store::{
        changes::{self, RecordedChange},
        conn::Db,
        signals::Signal,
    },
};

/// How often the log is read for those who wait while signals of other nodes are not sure to arrive.
const UNSURE: Duration = Duration::from_secs(1);
/// Recorded changes that are kept for those who wait; who is further behind reads them by itself.
const KEPT: usize = 500;

/// Wakes those who wait for public changes, and keeps the newest for them.
#[derive(Debug)]
pub struct Feed {
    /// Counts what was heard.
    heard: watch::Sender<u64>,
    tail: Mutex<Tail>,
    is_closed: AtomicBool,
}

/// The newest changes: all after `from`, as of when so many signals were heard.
#[derive(Debug, Default)]
struct Tail {
    from: i64,
    changes: VecDeque<RecordedChange>,
    heard: Option<u64>,
    read_at: Option<Instant>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { heard: watch::Sender::new(0), tail: Mutex::default(), is_closed: AtomicBool::new(false) }
    }
}

impl Feed {
    pub(super) fn hear(&self, signal: &Signal) {
        if matches!(signal, Signal::Public { .. } | Signal::Everything) {
            self.heard.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Ends all waiting, now and later, because the server stops: whoever waits is answered with what there is.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.heard.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// How many wait at this moment, or have just been woken.
    pub fn followers(&self) -> usize {
        self.heard.receiver_count()
    }

    /// Whether waiting has ended for good.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

/// One who follows the log.
#[derive(Debug)]
pub struct Follower {
    newsroom: Newsroom,
    heard: watch::Receiver<u64>,
    since: i64,
    /// There was nothing more when it last looked.
    is_at_end: bool,
}

impl Follower {
    /// One who has seen the changes up to `since`.
    pub fn new(newsroom: &Newsroom, since: i64) -> Self {
        // From now on nothing is missed, also what is recorded before the first look at the log.
        Self { newsroom: newsroom.clone(), heard: newsroom.feed.heard.subscribe(), since, is_at_end: false }
    }

    /// The next changes, oldest first, `limit` at most: at once if there are any, else as soon as there are. Empty when
    /// `deadline` has passed or the server stops.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self, limit: usize, deadline: Instant) -> Result<Vec<RecordedChange>, Error> {
        let mut found = if self.is_at_end { Vec::new() } else { self.read(limit).await? };
        while found.is_empty() && !self.newsroom.feed.is_closed() {
            let is_over = !self.wait(deadline).await;
            // At the end of the time too: a program beside this one may have recorded something.
            found = self.read_tail(limit, is_over).await?;
            if is_over {
                break;
            }
        }
        self.is_at_end = found.len() < limit;
        if let Some(last) = found.last() {
            self.since = last.seq;
        }
        Ok(found)
    }

    /// Waits for a signal; false when the deadline has passed.
    async fn wait(&mut self, deadline: Instant) -> bool {
        loop {
            let look = Instant::now() + UNSURE;
            match timeout_at(deadline.min(look), self.heard.changed()).await {
                // The sender lives as long as the newsroom does.
                Ok(heard) => return heard.is_ok(),
                Err(_) if Instant::now() >= deadline => return false,
                Err(_) if !self.newsroom.store.is_coherent() => return true,
                Err(_) => {}
            }
        }
    }

    async fn read(&mut self, limit: usize) -> Result<Vec<RecordedChange>, Error> {
        self.heard.mark_unchanged();
        let (since, limit) = (self.since, i64::try_from(limit).unwrap_or(i64::MAX));
        self.newsroom.store.read(move |db| changes::list(db, since, limit)).await
    }

    /// As [`Self::read`], with what another follower may just have read.
    /// That is not older than a second if `is_unsure`, or if signals may not have arrived.
    async fn read_tail(&mut self, limit: usize, is_unsure: bool) -> Result<Vec<RecordedChange>, Error> {
        let heard = *self.heard.borrow_and_update();
        let mut tail = self.newsroom.feed.tail.lock().await;
        let is_sure = !is_unsure && self.newsroom.store.is_coherent();
        let is_old = tail.read_at.is_none_or(|at| at.elapsed() >= UNSURE);
        if tail.heard.is_none_or(|known| known < heard) || !is_sure && is_old {
            tail.refresh(&self.newsroom).await?;
        }
        if self.since < tail.from {
            drop(tail);
            return self.read(limit).await;
        }
        let first = tail.changes.partition_point(|change| change.seq <= self.since);
        Ok(tail.changes.range(first..).take(limit).cloned().collect())
    }
}

impl Tail {
    async fn refresh(&mut self, newsroom: &Newsroom) -> Result<(), Error> {
        let heard = *newsroom.feed.heard.borrow();
        let known = self.changes.back().map_or(self.from, |last| last.seq);
        let limit = i64::try_from(KEPT).unwrap_or(i64::MAX);
        let new = newsroom.store.read(move |db| changes::newest(db, known, limit)).await?;
        if new.len() == KEPT {
            // There may be some between what was known and these.
            self.changes.clear();
            self.from = new.first().map_or(known, |first| first.seq - 1);
        }
        self.changes.extend(new);
        while self.changes.len() > KEPT {
            self.from = self.changes.pop_front().map_or(self.from, |oldest| oldest.seq);
        }
        self.heard = Some(heard);
        self.read_at = Some(Instant::now());
        Ok(())
    }
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Behind this change; 0 is before the first.
    Change(i64),
    /// Behind the newest change there is.
    Latest,
}

impl Since {
    /// The number of the change behind which it is.
    fn place(self, db: &mut Db) -> Result<i64, Error> {
        let latest = changes::latest(db)?;
        match self {
            // Only what was committed is ever told, and who sees a change sees those before it. So what was told is not
            // beyond the newest, whatever numbers are taken by what is not committed yet or never will be.
            Self::Change(seq) if seq > latest => {
                let code = ErrorCode::CursorUnknown;
                Err(Error::Other(code, code.meaning().to_owned()))
            }
            Self::Change(seq) => Ok(seq),
            Self::Latest => Ok(latest),
        }
    }
}

/// Finds a place in the log: the number of the change behind which it is.
///
/// # Errors
/// [`ErrorCode::CursorUnknown`] for a place beyond the end of the log.
pub async fn find(newsroom: &Newsroom, since: Since) -> Result<i64, Error> {
    newsroom.store.read(move |db| since.place(db)).await
}

/// The changes after `since`, oldest first, `limit` at most, and where that is.
///
/// # Errors
/// Those of [`find`].
pub async fn list(
    newsroom: &Newsroom,
    since: Since,
    limit: u32,
) -> Result<(i64, Vec<RecordedChange>), Error> {
    let read = move |db: &mut Db| {
        let Since::Change(seq) = since else { return Ok((since.place(db)?, Vec::new())) };
        let found = changes::list(db, seq, i64::from(limit))?;
        // What has something behind it is not beyond the end.
        let seq = if found.is_empty() { since.place(db)? } else { seq };
        Ok((seq, found))
    };
    newsroom.store.read(read).await
}
