//! What kept answers are still true. It is found out when one is asked for, not when something changes: a change only
//! notes its surrogate keys, and an answer is looked at again when anything was noted since it was last looked at.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use crate::domain::instant::Instant;

/// Places in which keys are noted. Keys that share one are noted together, which costs a needless miss and no truth.
const PLACES: usize = 1 << 16;

/// It is not known when something becomes public by itself.
const UNKNOWN: i64 = i64::MIN;

/// What has changed, in the order in which it was heard.
#[derive(Debug)]
pub struct Freshness {
    /// The number of the last change.
    changes: AtomicU64,
    /// For each place the number of the last change with a key there.
    places: Box<[AtomicU64]>,
    /// The number of the last change that may have touched everything.
    everything: AtomicU64,
    /// Makes changes one after the other.
    noting: Mutex<()>,
    /// The next instant at which something becomes public, or ceases to be, in milliseconds; [`UNKNOWN`] until it is asked for.
    next_due: AtomicI64,
    /// The earliest instant that was heard of since the question after the next one was put.
    heard_due: AtomicI64,
    hasher: RandomState,
}

/// The state of things that an answer was made in, and the places of the keys that it shows.
#[derive(Debug)]
pub struct Stamp {
    made_at: u64,
    looked_at: AtomicU64,
    places: Box<[u16]>,
}

impl Stamp {
    /// How many places it has.
    pub fn len(&self) -> usize {
        self.places.len()
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            changes: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            everything: AtomicU64::new(0),
            noting: Mutex::default(),
            next_due: AtomicI64::new(UNKNOWN),
            heard_due: AtomicI64::new(i64::MAX),
            hasher: RandomState::new(),
        }
    }
}

impl Freshness {
    /// The number of the last change: to be taken before what an answer is made of is read.
    pub fn now(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Notes that what has these keys has changed.
    pub fn change<'a>(&self, keys: impl IntoIterator<Item = &'a str>) {
        self.note(|number| {
            for key in keys {
                if let Some(place) = self.places.get(usize::from(self.place(key))) {
                    place.store(number, Ordering::Release);
                }
            }
        });
    }

    /// Notes that everything may have changed.
    pub fn change_everything(&self) {
        self.note(|number| self.everything.store(number, Ordering::Release));
    }

    /// The number is made known when its keys are in place: whoever has seen it sees them.
    fn note(&self, note: impl FnOnce(u64)) {
        let _one_at_a_time = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.changes.load(Ordering::Acquire) + 1;
        note(number);
        self.changes.store(number, Ordering::Release);
    }

    fn place(&self, key: &str) -> u16 {
        // The lowest sixteen bits.
        (self.hasher.hash_one(key) & 0xffff) as u16
    }

    /// The stamp of an answer with these keys, made of what was read after `made_at` was taken.
    pub fn stamp<'a>(&self, made_at: u64, keys: impl IntoIterator<Item = &'a str>) -> Stamp {
        let mut places: Vec<u16> = keys.into_iter().map(|key| self.place(key)).collect();
        places.sort_unstable();
        places.dedup();
        Stamp { made_at, looked_at: AtomicU64::new(made_at), places: places.into() }
    }

    /// Whether nothing that an answer shows has changed since it was made.
    pub fn is_true(&self, stamp: &Stamp) -> bool {
        let now = self.now();
        if stamp.looked_at.load(Ordering::Relaxed) == now {
            return true;
        }
        let changed = |place: &u16| {
            let place = self.places.get(usize::from(*place));
            place.is_none_or(|last| last.load(Ordering::Acquire) > stamp.made_at)
        };
        if self.everything.load(Ordering::Acquire) > stamp.made_at || stamp.places.iter().any(changed) {
            return false;
        }
        stamp.looked_at.store(now, Ordering::Relaxed);
        true
    }

    /// Notes that something will become public, or cease to be, at an instant; what was to come at others may still do so.
    pub fn expect(&self, at: Instant) {
        self.heard_due.fetch_min(at.millis(), Ordering::AcqRel);
        self.next_due.fetch_min(at.millis(), Ordering::AcqRel);
    }

    /// Whether an instant has come, or may have come, at which something became public or ceased to be.
    pub fn is_due(&self, now: Instant) -> bool {
        now.millis() >= self.next_due.load(Ordering::Acquire)
    }

    /// How many milliseconds nothing becomes public by itself; `None` if nothing is to come.
    pub fn quiet_for(&self, now: Instant) -> Option<i64> {
        let next = self.next_due.load(Ordering::Acquire);
        (next != i64::MAX).then(|| next.saturating_sub(now.millis()).max(0))
    }

    /// The instant has come: what was made before is no longer sure. The next one has to be asked for, and told to
    /// [`Self::found_due`]; what is heard in the meantime counts.
    pub fn begin_due(&self) {
        self.heard_due.store(i64::MAX, Ordering::Release);
        self.next_due.store(UNKNOWN, Ordering::Release);
        self.change_everything();
    }

    /// The next instant, as read after [`Self::begin_due`]; `None` if nothing is to come.
    pub fn found_due(&self, next: Option<Instant>) {
        let next = next.map_or(i64::MAX, Instant::millis);
        self.next_due.store(next.min(self.heard_due.load(Ordering::Acquire)), Ordering::Release);
        // What was heard between the two lines above.
        self.next_due.fetch_min(self.heard_due.load(Ordering::Acquire), Ordering::AcqRel);
    }

    /// It is no longer known when something becomes public: notices may have been missed.
    pub fn forget_due(&self) {
        self.next_due.store(UNKNOWN, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_true_until_one_of_its_keys_changes() {
        let freshness = Freshness::default();
        let stamp = |keys: &[&'static str]| freshness.stamp(freshness.now(), keys.iter().copied());
        let (one, other) = (stamp(&["article/1", "tag/2"]), stamp(&["article/3"]));
        assert!(freshness.is_true(&one) && freshness.is_true(&other));
        freshness.change(["tag/2", "tag/4"]);
        assert!(!freshness.is_true(&one));
        assert!(freshness.is_true(&other) && freshness.is_true(&other));
        freshness.change_everything();
        assert!(!freshness.is_true(&other));
        assert!(freshness.is_true(&stamp(&["tag/2"])));
    }

    #[test]
    fn what_was_read_before_a_change_and_is_kept_after_it_is_not_true() {
        let freshness = Freshness::default();
        let before = freshness.now();
        freshness.change(["tag/2"]);
        assert!(!freshness.is_true(&freshness.stamp(before, ["tag/2"])));
        assert!(freshness.is_true(&freshness.stamp(before, ["tag/3"])));
    }

    #[test]
    fn what_is_to_come_ends_everything_when_it_comes() {
        let freshness = Freshness::default();
        let at = Instant::from_millis;
        assert!(freshness.is_due(at(0)), "nothing is known at first");
        freshness.begin_due();
        freshness.expect(at(500));
        freshness.found_due(Some(at(1000)));
        assert_eq!(freshness.quiet_for(at(100)), Some(400));
        let stamp = freshness.stamp(freshness.now(), ["article/1"]);
        assert!(!freshness.is_due(at(499)) && freshness.is_due(at(500)));
        freshness.begin_due();
        assert!(!freshness.is_true(&stamp));
        freshness.found_due(None);
        assert_eq!(freshness.quiet_for(at(600)), None);
        freshness.expect(at(700));
        assert!(!freshness.is_due(at(699)) && freshness.is_due(at(700)));
    }
}
