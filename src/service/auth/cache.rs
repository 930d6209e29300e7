//! Who has which credential, kept in memory so that a request costs no SQL for it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::{
    domain::{id::SessionId, instant::Instant, user::Actor},
    store::signals::Signal,
};

/// Credentials that are kept; when there are more, all are read anew.
const CAPACITY: usize = 20_000;
/// Milliseconds after which the use of an API token is noted again.
const NOTED_EVERY: i64 = 60_000;

/// What somebody shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    /// An access token of a session.
    Session(SessionId),
    /// An API token, by its hash.
    Token(String),
}

/// Who that is.
#[derive(Debug)]
pub(super) struct Known {
    pub actor: Arc<Actor>,
    pub expires_at: Option<Instant>,
    /// When the use of the API token was last noted, in milliseconds.
    noted_at: AtomicI64,
}

impl Known {
    pub fn new(actor: Actor, expires_at: Option<Instant>, used_at: Option<Instant>) -> Self {
        let noted_at = AtomicI64::new(used_at.map_or(0, Instant::millis));
        Self { actor: Arc::new(actor), expires_at, noted_at }
    }

    /// Whether the use of the API token is to be noted now; true for one of those who ask at once.
    pub fn is_to_be_noted(&self, now: Instant) -> bool {
        let (noted, now) = (self.noted_at.load(Ordering::Relaxed), now.millis());
        now.saturating_sub(noted) >= NOTED_EVERY
            && self.noted_at.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[derive(Debug, Default)]
struct Entries {
    /// Counts what was forgotten: what was read before that is not kept after it.
    generation: u64,
    known: HashMap<Shown, Arc<Known>>,
}

/// Who has which credential, as it was last read.
#[derive(Debug, Default)]
pub struct AccessCache(RwLock<Entries>);

impl AccessCache {
    /// What is known, and the generation with which to [`Self::keep`] what is read if nothing is.
    pub(super) fn get(&self, shown: &Shown) -> Result<Arc<Known>, u64> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.known.get(shown).cloned().ok_or(entries.generation)
    }

    /// Keeps what was read, unless something was forgotten since.
    pub(super) fn keep(&self, shown: Shown, known: Arc<Known>, generation: u64) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.generation != generation {
            return;
        }
        if entries.known.len() >= CAPACITY {
            entries.known.clear();
        }
        entries.known.insert(shown, known);
    }

    /// Forgets what may no longer be so.
    pub fn hear(&self, signal: &Signal) {
        if matches!(signal, Signal::Keys | Signal::Taxonomy | Signal::Public { .. } | Signal::Schedule(_)) {
            return;
        }
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.generation += 1;
        match signal {
            Signal::User(id) => entries.known.retain(|_, known| known.actor.id != *id),
            // Whether a second factor is wanted is a setting of the site.
            _ => entries.known.clear(),
        }
    }
}
