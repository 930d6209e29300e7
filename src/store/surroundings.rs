//! Reads what articles are shown with, and keeps it until it changes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use diesel::prelude::*;

use super::{
    Store, authors,
    conn::Db,
    schema::{authors as author_table, sections as section_table, tags as tag_table},
    sections,
    signals::{self, Signal},
    site, tags,
};
use crate::domain::{
    error::Error,
    id::SectionId,
    surroundings::{SectionTree, Surroundings},
};

/// Reads the site and the cards of all its sections, tags and authors.
pub fn load(db: &mut Db) -> Result<Surroundings, Error> {
    let site = site::get(db)?;
    let sections = Arc::new(load_tree(db)?);
    let rows: Vec<(i64, String, String, String)> = tag_table::table.select(tags::CARD).load(db)?;
    let tags = rows.into_iter().map(|columns| tags::card(columns).map(|card| (card.id, card.into())));
    let tags = tags.collect::<Result<HashMap<_, _>, _>>()?;
    let rows: Vec<(i64, String, String, Option<String>)> =
        author_table::table.select(authors::CARD).load(db)?;
    let authors = rows.into_iter().map(authors::card).map(|card| (card.id, card.into())).collect();
    Ok(Surroundings::new(site, sections, tags, authors))
}

fn load_tree(db: &mut Db) -> Result<SectionTree, Error> {
    type SectionRow = ((i64, String, String, String), Option<i64>);
    let rows: Vec<SectionRow> =
        section_table::table.select((sections::CARD, section_table::parent_id)).load(db)?;
    let sections =
        rows.into_iter().map(|(columns, parent)| (sections::card(columns), parent.map(SectionId::new)));
    Ok(SectionTree::new(sections))
}

/// The surroundings as they are now, without SQL as long as nothing of them changes.
#[derive(Debug)]
pub struct SurroundingsCache {
    store: Store,
    /// What was read, and the number of signals that had been heard when the reading transaction began.
    last: Mutex<Option<(u64, Arc<Surroundings>)>>,
    /// What was read before so many signals is stale.
    stale_before: AtomicU64,
}

impl SurroundingsCache {
    /// Keeps nothing yet.
    pub fn new(store: Store) -> Self {
        Self { store, last: Mutex::default(), stale_before: AtomicU64::new(0) }
    }

    /// The surroundings as a transaction sees them; what has been committed since it began may show as well.
    ///
    /// # Errors
    /// Those of the database.
    pub fn get(&self, db: &mut Db) -> Result<Arc<Surroundings>, Error> {
        // A transaction that changes them sees its own changes, and nobody else does yet.
        if signals::is_pending(concerns) || !self.store.is_coherent() {
            return load(db).map(Arc::new);
        }
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        // Not under the lock: a slow read holds up nobody, and two reads at once do no harm.
        let read = Arc::new(load(db)?);
        if let Some(begun) = signals::begun() {
            let mut last = self.lock();
            if last.as_ref().is_none_or(|(newest, _)| *newest < begun) {
                *last = Some((begun, Arc::clone(&read)));
            }
        }
        Ok(read)
    }

    /// The tree of sections for a transaction that holds it ([`sections::hold`]) and writes down what follows from its shape.
    ///
    /// On PostgreSQL it is read: whoever changed it may have let go of it a moment ago without having been heard. On SQLite
    /// what was written before is heard before the next write begins.
    ///
    /// # Errors
    /// Those of the database.
    pub fn held_tree(&self, db: &mut Db) -> Result<Arc<SectionTree>, Error> {
        match db {
            Db::Sqlite(_) => self.get(db).map(|site| Arc::clone(&site.sections)),
            Db::Postgres(_) => load_tree(db).map(Arc::new),
        }
    }

    /// What was read, if nothing of it has changed since.
    fn kept(&self) -> Option<Arc<Surroundings>> {
        let last = self.lock();
        let kept = last.as_ref().filter(|(begun, _)| *begun >= self.stale_before.load(Ordering::Acquire));
        kept.map(|(_, kept)| Arc::clone(kept))
    }

    /// Whether [`Self::get`] will most likely find what was read before.
    pub fn is_at_hand(&self) -> bool {
        self.store.is_coherent() && self.kept().is_some()
    }

    /// Hears a signal: what was read before is forgotten if it concerns the surroundings.
    pub fn hear(&self, signal: &Signal) {
        if concerns(signal) {
            self.stale_before.fetch_max(self.store.signals_heard(), Ordering::AcqRel);
        }
    }

    /// A poisoned lock holds a whole value all the same.
    fn lock(&self) -> MutexGuard<'_, Option<(u64, Arc<Surroundings>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn concerns(signal: &Signal) -> bool {
    matches!(signal, Signal::Site | Signal::Taxonomy | Signal::Profiles | Signal::Everything)
}
