//! The full-text index: what is in it, and how it is kept. All SQL of its own is in `sqlite.rs` and `postgres.rs`.
//!
//! Each document has a place in the index, a number that sorts by the date of lists, so that the newest matches of a word
//! are found without a look at the others, however frequent it is. The words are folded in `domain/search` before they
//! get here: both databases find the same.
//!
//! A draft that was made and published at once has the text of what is live for its own, until one of the two changes.

mod postgres;
mod sqlite;

use std::{cell::RefCell, ops::RangeInclusive};

use diesel::{
    dsl::{count_star, sql},
    prelude::*,
    sql_types::{Bool, Text},
};

use super::{
    Lock,
    articles::{self, Over},
    conn::{Db, on_either},
    exclusive,
    prepared::change,
    schema::{
        articles as article_table, content_facets as facets, search_documents as documents,
        search_progress as progress,
    },
    signals::{self, Signal},
    surroundings,
};
use crate::domain::{
    article::{Document, Stage},
    error::Error,
    id::ArticleId,
    instant::Instant,
    search::{IndexText, SearchQuery},
};

/// Articles that are indexed in one transaction.
pub const BATCH: i64 = 200;

/// Bits of a place that tell documents of one second apart.
const SEQUENCE_BITS: u32 = 25;
/// Bits of a place for the second.
const SECOND_BITS: u32 = 35;
/// Seconds before 1970 that a place can be, some 544 years.
const SECONDS_BEFORE: i64 = 1 << (SECOND_BITS - 1);

/// The first place for documents of a stage with this date. Scheduled documents, few of them, come after live ones:
/// readers are shown both together, the newest first.
fn place(stage: Stage, at: Instant) -> i64 {
    let stage = match stage {
        Stage::Draft => 0_i64,
        Stage::Live => 1,
        Stage::Scheduled => 2,
    };
    let second = at.millis().div_euclid(1_000).saturating_add(SECONDS_BEFORE);
    let second = second.clamp(0, (1 << SECOND_BITS) - 1);
    (stage << (SECOND_BITS + SEQUENCE_BITS)) | (second << SEQUENCE_BITS)
}

/// The last place for documents of a stage with this date.
fn last_place(stage: Stage, at: Instant) -> i64 {
    place(stage, at) | ((1 << SEQUENCE_BITS) - 1)
}

/// Seconds since 1970 that a place can be; what is dated beyond them has the first or the last.
pub(super) const SECONDS: RangeInclusive<i64> = -SECONDS_BEFORE..=SECONDS_BEFORE - 1;

/// The second, since 1970, for which a place stands.
pub(super) const fn second_of(place: i64) -> i64 {
    ((place >> SEQUENCE_BITS) & ((1 << SECOND_BITS) - 1)) - SECONDS_BEFORE
}

/// Which words are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// All.
    Document,
    /// What must occur has to be in the headline.
    Headline,
}

/// A way along the index.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Past these words.
    pub within: Within,
    /// Of documents of this stage.
    pub stage: Stage,
    /// Dated from the first until the second of these, the seconds of both included.
    pub dates: (Option<Instant>, Option<Instant>),
    /// From the oldest document on, not from the newest.
    pub oldest_first: bool,
    /// Past as many matches at most.
    pub limit: i64,
}

/// The places of the documents on the way that fit a query, in its order.
pub fn walk(db: &mut Db, query: &SearchQuery, way: Walk) -> Result<Vec<i64>, Error> {
    let (from, until) = way.dates;
    let first = place(way.stage, from.unwrap_or(Instant::from_millis(i64::MIN)));
    let last = last_place(way.stage, until.unwrap_or(Instant::from_millis(i64::MAX)));
    match db {
        Db::Sqlite(conn) => sqlite::walk(conn, query, way, (first, last)),
        Db::Postgres(conn) => postgres::walk(conn, query, way, (first, last)),
    }
}

/// The places of the documents of these articles that a list of a stage has and that fit a query.
pub fn of_articles(
    db: &mut Db,
    query: &SearchQuery,
    articles: &[i64],
    stage: Stage,
) -> Result<Vec<i64>, Error> {
    match db {
        Db::Sqlite(conn) => sqlite::of_articles(conn, query, articles, is_of(stage)),
        Db::Postgres(conn) => postgres::of_articles(conn, query, articles, is_of(stage)),
    }
}

/// Where the texts are that a list of a stage has. That of a draft may be shared with what is or was live, and a scheduled
/// document is live from its instant on, before anybody has recorded that.
pub const fn ranges(stage: Stage) -> &'static [Stage] {
    match stage {
        Stage::Draft => &[Stage::Draft, Stage::Live],
        Stage::Live => &[Stage::Scheduled, Stage::Live],
        Stage::Scheduled => &[Stage::Scheduled],
    }
}

/// The condition that a row `d` of `search_documents` is of a document that a list of a stage has.
const fn is_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Draft => "(d.stage = 0 OR d.serves_draft)",
        Stage::Live => "d.stage IN (1, 2)",
        Stage::Scheduled => "d.stage = 2",
    }
}

/// The condition that a document has one of some places: SQL before and after the parameter that lists them.
#[derive(Debug)]
pub(super) struct Among {
    pub before: &'static str,
    pub list: String,
    pub after: &'static str,
}

/// See [`Among`].
pub(super) fn among(db: &Db, places: &[i64]) -> Among {
    let ((before, after), list) = match db {
        Db::Sqlite(_) => (sqlite::AMONG, sqlite::list(places)),
        Db::Postgres(_) => (postgres::AMONG, postgres::list(places)),
    };
    Among { before, list, after }
}

/// Numbers with commas between.
fn joined(numbers: &[i64]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// How many of the documents at these places, in a list of a stage, are under what: kind of facet, its id, the number. Kinds
/// are those of [`articles::facet`].
pub fn count_facets(
    db: &mut Db,
    places: &[i64],
    stage: Stage,
    kinds: &[i16],
) -> Result<Vec<(i16, i64, i64)>, Error> {
    let Among { before, list, after } = among(db, places);
    macro_rules! count {
        ($stage:expr) => {
            documents::table
                .inner_join(
                    facets::table
                        .on(facets::article_id.eq(documents::article_id).and(facets::stage.eq($stage))),
                )
                .filter(sql::<Bool>(before).bind::<Text, _>(list).sql(after))
                .filter(facets::kind.eq_any(kinds.to_vec()))
                .group_by((facets::kind, facets::facet_id))
                .select((facets::kind, facets::facet_id, count_star()))
                .load(db)
        };
    }
    let rows = match stage {
        Stage::Draft => count!(articles::stage_number(Stage::Draft))?,
        Stage::Live | Stage::Scheduled => count!(documents::stage)?,
    };
    Ok(rows)
}

thread_local! {
    /// What the transaction on this thread has changed, and the index is to be told at its end.
    static CHANGED: RefCell<Vec<Changed>> = const { RefCell::new(Vec::new()) };
}

/// A document that the index does not have as it is now.
#[derive(Debug)]
struct Changed {
    document: Indexed,
    /// The index may have another in its place.
    replaces: bool,
}

/// Puts a document into the index when the transaction ends, in place of what is there of its stage: what reads the same
/// is left alone.
pub fn index(id: ArticleId, stage: Stage, listed_at: Instant, document: &Document, over: Over<'_>) {
    if matches!(over, Over::Known(old) if texts(old) == texts(document)) {
        return;
    }
    let replaces = !matches!(over, Over::Nothing);
    CHANGED.with_borrow_mut(|changed| {
        let earlier =
            changed.iter().position(|known| (known.document.id, known.document.stage) == (id, stage));
        let replaces = earlier.map_or(replaces, |place| changed.swap_remove(place).replaces);
        let document = Indexed { id, stage, listed_at, document: document.clone(), serves_draft: false };
        changed.push(Changed { document, replaces });
    });
}

/// What of a document is found.
fn texts(document: &Document) -> impl PartialEq + '_ {
    (&document.headline, &document.kicker, &document.standfirst, &document.body)
}

/// An article is about to go with all its documents: nothing has to be told of it.
pub(super) fn forget(id: ArticleId) {
    CHANGED.with_borrow_mut(|changed| changed.retain(|known| known.document.id != id));
}

/// A document is about to go, and what the index has of it goes with its row. The draft keeps a text that it shares.
pub(super) fn forget_stage(db: &mut Db, id: ArticleId, stage: Stage) -> Result<(), Error> {
    CHANGED.with_borrow_mut(|changed| {
        changed.retain(|known| (known.document.id, known.document.stage) != (id, stage));
    });
    if stage == Stage::Live { leave_to_draft(db, id).map(drop) } else { Ok(()) }
}

/// A transaction begins on this thread: what one that failed has left is forgotten.
pub(super) fn begin() {
    CHANGED.take();
}

/// Tells the index what the transaction has changed.
pub(super) fn settle(db: &mut Db) -> Result<(), Error> {
    let mut changed = CHANGED.take();
    changed.sort_unstable_by_key(|known| known.document.order());
    // The draft last: what was live may leave it a text that it needs no more.
    for Changed { document, .. } in changed.iter().rev().filter(|known| known.replaces) {
        remove(db, document.id, document.stage)?;
    }
    index_all(db, changed.into_iter().map(|known| known.document).collect())
}

/// A document that is not in the index yet.
#[derive(Debug)]
struct Indexed {
    /// Of which article.
    id: ArticleId,
    /// Which of its documents.
    stage: Stage,
    /// The date by which lists show it.
    listed_at: Instant,
    /// Itself.
    document: Document,
    /// It is live, and the draft reads the same and has the same date: nobody can tell which of the two is found.
    serves_draft: bool,
}

impl Indexed {
    /// Articles by id, and of each the draft first.
    fn order(&self) -> (ArticleId, i16) {
        (self.id, articles::stage_number(self.stage))
    }

    fn is_draft_of(&self, live: &Self) -> bool {
        (self.stage, live.stage) == (Stage::Draft, Stage::Live)
            && (self.id, self.listed_at) == (live.id, live.listed_at)
            && texts(&self.document) == texts(&live.document)
    }
}

/// Puts documents into the index, in the order of [`Indexed::order`]. Their words are written in one go and in the order of
/// their places: FTS5 writes out what it has gathered whenever another table is written in between or a place is lower than
/// the last one, and so many small pieces would have to be merged again.
fn index_all(db: &mut Db, mut documents: Vec<Indexed>) -> Result<(), Error> {
    // What was made and published at once is one text.
    documents.dedup_by(|live, draft| {
        let is_shared = draft.is_draft_of(live);
        if is_shared {
            std::mem::swap(draft, live);
            draft.serves_draft = true;
        }
        is_shared
    });
    let mut placed = Vec::with_capacity(documents.len());
    for document in &documents {
        let text = IndexText::from(&document.document);
        placed.push((put(db, document, &text)?, text));
    }
    placed.sort_unstable_by_key(|(doc, _)| *doc);
    for (doc, text) in &placed {
        match db {
            Db::Sqlite(conn) => sqlite::put(conn, *doc, text)?,
            Db::Postgres(conn) => postgres::put(conn, *doc, text)?,
        }
    }
    Ok(())
}

/// Takes a document out of the index.
fn remove(db: &mut Db, id: ArticleId, stage: Stage) -> Result<(), Error> {
    if stage == Stage::Live && leave_to_draft(db, id)? {
        return Ok(());
    }
    // What the database has of the words goes with the row.
    let old = documents::table.filter(documents::article_id.eq(id.get()));
    let old = diesel::delete(old.filter(documents::stage.eq(articles::stage_number(stage))));
    let removed = on_either!(&mut *db, conn => old.execute(conn))?;
    if stage == Stage::Draft && removed == 0 {
        let shared = documents::table.filter(documents::article_id.eq(id.get()));
        let shared = shared.filter(documents::serves_draft);
        diesel::update(shared).set(documents::serves_draft.eq(false)).execute(db)?;
    }
    Ok(())
}

/// Makes a text that the live document shares with the draft the draft's alone, where it is. Tells whether there is one.
fn leave_to_draft(db: &mut Db, id: ArticleId) -> Result<bool, Error> {
    let shared = documents::table.filter(documents::article_id.eq(id.get())).filter(documents::serves_draft);
    let draft = articles::stage_number(Stage::Draft);
    let left = diesel::update(shared).set((documents::stage.eq(draft), documents::serves_draft.eq(false)));
    Ok(left.execute(db)? > 0)
}

/// Gives a document a place.
fn put(db: &mut Db, document: &Indexed, text: &IndexText) -> Result<i64, Error> {
    let Indexed { id, stage, listed_at, serves_draft, .. } = document;
    let places = (place(*stage, *listed_at), last_place(*stage, *listed_at));
    let doc = match db {
        Db::Sqlite(conn) => sqlite::free_place(conn, places)?,
        Db::Postgres(conn) => postgres::free_place(conn, places)?,
    };
    let row = (
        documents::doc.eq(doc),
        documents::article_id.eq(id.get()),
        documents::stage.eq(articles::stage_number(*stage)),
        documents::listed_at.eq(listed_at.millis()),
        documents::headline.eq(&text.headline),
        documents::lead.eq(&text.lead),
        documents::serves_draft.eq(serves_draft),
    );
    let insert = diesel::insert_into(documents::table).values(row);
    on_either!(&mut *db, conn => change!(conn, insert))?;
    Ok(doc)
}

/// Indexes the documents of the next articles after one, by id: how many at most is for the caller to say, so that nobody
/// has to wait long for the transaction. Tells the last article; `None` when there are no more.
pub fn index_batch(db: &mut Db, after: Option<i64>, limit: i64) -> Result<Option<(i64, usize)>, Error> {
    let mut batch =
        article_table::table.select(article_table::id).order(article_table::id).limit(limit).into_boxed();
    if let Some(after) = after {
        batch = batch.filter(article_table::id.gt(after));
    }
    let ids: Vec<i64> = batch.load(db)?;
    let Some(last) = ids.last().copied() else { return Ok(None) };
    let site = surroundings::load(db)?;
    let mut found = Vec::new();
    for id in &ids {
        let id = ArticleId::new(*id);
        // Held, so that no edit comes between reading and writing; gone, if somebody has just deleted it.
        if articles::lock_record(db, id)?.is_none() {
            continue;
        }
        let dates: Vec<(i16, i64)> = facets::table
            .filter(facets::article_id.eq(id.get()))
            .filter(facets::kind.eq(articles::facet::EVERYTHING))
            .select((facets::stage, facets::published_at))
            .load(db)?;
        for stage in [Stage::Draft, Stage::Live, Stage::Scheduled] {
            let date = dates.iter().find(|(number, _)| *number == articles::stage_number(stage));
            let Some((_, listed_at)) = date else { continue };
            if let Some(article) = articles::get_stage(db, &site, id, stage)? {
                let (listed_at, document) = (Instant::from_millis(*listed_at), Document::of(&article)?);
                found.push(Indexed { id, stage, listed_at, document, serves_draft: false });
            }
        }
        diesel::delete(documents::table.filter(documents::article_id.eq(id.get()))).execute(db)?;
    }
    index_all(db, found)?;
    Ok(Some((last, ids.len())))
}

/// The id of the only row of the progress.
const PROGRESS: i64 = 1;
/// Stands for an index that is complete: documents are indexed as they are written.
const BUILT: i64 = i64::MAX;

/// Goes on to merge the pieces in which the index was written into one, which is read and written to with less effort: a
/// bounded part of the work, so that nobody has to wait long for the transaction. Tells whether there is more to do. The
/// first call for an index takes all pieces that there are; those that are written meanwhile are left for later.
pub fn merge(db: &mut Db, is_first: bool) -> Result<bool, Error> {
    match db {
        Db::Sqlite(conn) => sqlite::merge(conn, is_first),
        // GIN keeps itself in order.
        Db::Postgres(_) => Ok(false),
    }
}

/// Goes on with the building of an index that is not complete. Tells how many articles it indexed; `None` once there is
/// nothing to do.
pub(super) fn build_on(db: &mut Db) -> Result<Option<usize>, Error> {
    let built_through = || progress::table.find(PROGRESS).select(progress::built_through);
    if built_through().first(db).optional()? == Some(BUILT) {
        return Ok(None);
    }
    // Another node may be at it, too.
    exclusive(db, Lock::SearchProgress)?;
    let through: Option<i64> = built_through().first(db).optional()?;
    if through == Some(BUILT) {
        return Ok(None);
    }
    let batch = index_batch(db, through, BATCH)?;
    set_built_through(db, batch.map_or(BUILT, |(last, _)| last))?;
    Ok(batch.map(|(_, indexed)| indexed))
}

/// Notes that the index is complete.
pub fn set_built(db: &mut Db) -> Result<(), Error> {
    exclusive(db, Lock::SearchProgress)?;
    set_built_through(db, BUILT)
}

fn set_built_through(db: &mut Db, last: i64) -> Result<(), Error> {
    let known = progress::table.find(PROGRESS);
    if diesel::update(known).set(progress::built_through.eq(last)).execute(db)? == 0 {
        let row = (progress::id.eq(PROGRESS), progress::built_through.eq(last));
        diesel::insert_into(progress::table).values(row).execute(db)?;
    }
    // Searches that were answered before may have missed what is found now.
    if last == BUILT { signals::send(db, Signal::Everything) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_by_date() {
        let at = |millis| Instant::from_millis(millis);
        let instants = [i64::MIN, -1_000, 0, 1_000, 1_800_000_000_000, i64::MAX];
        for stage in [Stage::Draft, Stage::Live, Stage::Scheduled] {
            for pair in instants.windows(2) {
                assert!(last_place(stage, at(pair[0])) < place(stage, at(pair[1])), "{pair:?}");
            }
        }
        assert!(last_place(Stage::Draft, at(i64::MAX)) < place(Stage::Live, at(i64::MIN)));
        assert!(last_place(Stage::Live, at(i64::MAX)) < place(Stage::Scheduled, at(i64::MIN)));
        for second in [*SECONDS.start(), -1, 0, 1_800_000_000, *SECONDS.end()] {
            let at = at(second * 1_000 + 999);
            assert_eq!(second_of(place(Stage::Scheduled, at)), second);
            assert_eq!(second_of(last_place(Stage::Draft, at)), second);
        }
        assert!(place(Stage::Draft, at(i64::MIN)) >= 0 && last_place(Stage::Scheduled, at(i64::MAX)) > 0);
    }
}
