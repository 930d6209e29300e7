//! Writes documents.

use std::borrow::Cow;

use diesel::prelude::*;

use super::{
    super::{
        conn::{Db, on_either},
        prepared::change,
        schema::{
            article_contents as contents, content_bylines, content_facets, content_sections, content_tags,
            publication_facets, related_links,
        },
        search,
        signals::{self, Signal},
        to_json,
    },
    bodies::{self, SharedBody},
    facet,
    links::LinkRow,
    load::{BylineRef, Refs},
    stage_number,
};
use crate::domain::{
    article::{ArticleType, Document, Stage},
    body,
    error::Error,
    id::ArticleId,
    instant::Instant,
    search::sort_key,
    surroundings::SectionTree,
};

/// When a document is and was public.
#[derive(Debug, Clone, Copy)]
pub struct Dates {
    /// When the live document becomes visible; none for a draft.
    pub live_from: Option<Instant>,
    /// When it ceases to be.
    pub live_until: Option<Instant>,
    /// When it was asked to end.
    pub planned_until: Option<Instant>,
    /// When it was published, as readers see it.
    pub published_at: Option<Instant>,
    /// When this stage was changed.
    pub updated_at: Instant,
    /// The date by which lists show it: its publication, or for what was never public its making.
    pub listed_at: Instant,
}

/// As what a document is written.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// The stage.
    pub stage: Stage,
    /// The version of the draft that it is or comes from.
    pub version: i64,
    /// When it is and was public.
    pub dates: Dates,
    /// The tree of sections, held until the transaction ends: a document is listed under all sections above its own.
    pub tree: &'a SectionTree,
    /// The body that it shares with the stage of which it is a copy; none if it has one of its own.
    pub body: Option<SharedBody>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = contents, primary_key(article_id, stage))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
struct NewContentRow<'a> {
    article_id: i64,
    stage: i16,
    version: i64,
    slug: &'a str,
    kind: &'a str,
    language: &'a str,
    section_id: Option<i64>,
    live_from: Option<i64>,
    live_until: Option<i64>,
    published_at: Option<i64>,
    updated_at: i64,
    word_count: i32,
    headline: &'a str,
    standfirst: Option<&'a str>,
    kicker: Option<&'a str>,
    dateline: Option<&'a str>,
    lead_image: Option<String>,
    seo: String,
    planned_until: Option<i64>,
    revision: Option<i32>,
    refs: String,
    access: &'a str,
    body_version: i64,
    headline_key: String,
}

/// What is known of the document that another is written over.
#[derive(Debug, Clone, Copy)]
pub enum Over<'a> {
    /// There is none.
    Nothing,
    /// There may be one.
    Unknown,
    /// This one: parts that are the same are left alone.
    Known(&'a Document),
}

impl<'a> Over<'a> {
    /// Whether there was another thing, or may have been.
    pub(super) fn differs<T: PartialEq>(self, new: &Document, part: impl Fn(&Document) -> &T) -> bool {
        match self {
            Self::Nothing | Self::Unknown => true,
            Self::Known(old) => part(old) != part(new),
        }
    }
}

/// Adds rows to a table. SQLite is in the process: one prepared statement for each row costs less than to parse one for
/// all of them. To a server it is one journey.
macro_rules! insert_all {
    ($db:expr, $table:ident, $rows:expr) => {
        match &mut *$db {
            Db::Sqlite(conn) => {
                for row in &$rows {
                    change!(conn, diesel::insert_into($table::table).values(row))?;
                }
            }
            Db::Postgres(_) if $rows.is_empty() => {}
            Db::Postgres(conn) => drop(diesel::insert_into($table::table).values(&$rows).execute(conn)?),
        }
    };
}

/// Writes the document of one stage over what was there.
pub fn save(
    db: &mut Db,
    id: ArticleId,
    Slot { stage, version, dates, tree, body }: Slot<'_>,
    document: &Document,
    over: Over<'_>,
) -> Result<(), Error> {
    let number = stage_number(stage);
    let row = NewContentRow {
        article_id: id.get(),
        stage: number,
        version,
        slug: document.slug.as_str(),
        kind: document.kind.as_str(),
        language: &document.language,
        section_id: document.section.map(|section| section.get()),
        live_from: dates.live_from.map(Instant::millis),
        live_until: dates.live_until.map(Instant::millis),
        published_at: dates.published_at.map(Instant::millis),
        updated_at: dates.updated_at.millis(),
        word_count: i32::try_from(body::word_count(&document.body)).unwrap_or(i32::MAX),
        headline: &document.headline,
        standfirst: document.standfirst.as_deref(),
        kicker: document.kicker.as_deref(),
        dateline: document.dateline.as_deref(),
        lead_image: document.lead_image.as_ref().map(to_json).transpose()?,
        seo: to_json(&document.seo)?,
        planned_until: dates.planned_until.map(Instant::millis),
        revision: None,
        refs: to_json(&refs(document))?,
        access: document.access.as_str(),
        body_version: match body {
            Some(SharedBody(version)) => version,
            None => bodies::write(db, id, stage, version, document, over)?.0,
        },
        headline_key: sort_key(&document.headline),
    };
    on_either!(&mut *db, conn => {
        let update = diesel::update(contents::table.find((id.get(), number))).set(&row);
        let is_there = match over {
            Over::Nothing => false,
            Over::Unknown => update.execute(conn)? > 0,
            Over::Known(_) => change!(conn, update).map(|()| true)?,
        };
        if is_there { Ok(()) } else { change!(conn, diesel::insert_into(contents::table).values(&row)) }
    })?;
    // What changes by itself later is not told when it does.
    let begins = dates.live_from.filter(|_| stage == Stage::Scheduled);
    for instant in begins.into_iter().chain(dates.live_until) {
        signals::send(db, Signal::Schedule(instant))?;
    }
    if over.differs(document, |document| &document.links) {
        save_links(db, id, stage, document, over)?;
    }
    if !matches!(over, Over::Known(old) if listing(old) == listing(document)) {
        save_references(db, id, number, &facets(document, tree), dates.listed_at, document, over)?;
    }
    search::index(id, stage, dates.listed_at, document, over);
    Ok(())
}

/// What decides under what an article is listed.
fn listing(document: &Document) -> impl PartialEq + '_ {
    (document.kind, document.section, &document.sections, &document.tags, &document.bylines)
}

fn refs(document: &Document) -> Refs<'_> {
    Refs {
        sections: document.sections.iter().map(|section| section.get()).collect(),
        tags: document.tags.iter().map(|tag| tag.get()).collect(),
        bylines: document
            .bylines
            .iter()
            .map(|byline| BylineRef {
                author: byline.author.map(|author| author.get()),
                name: byline.name.as_deref().map(Cow::Borrowed),
                role: byline.role.as_deref().map(Cow::Borrowed),
            })
            .collect(),
    }
}

/// Writes anew, into the rows of these documents, what they refer to: something has taken a reference off them or put
/// another in its place.
pub fn rewrite_refs(db: &mut Db, documents: &[(i64, i16)]) -> Result<(), Error> {
    for (article, stage) in documents.iter().copied() {
        macro_rules! of_document {
            ($table:ident, $columns:expr) => {
                on_either!(&mut *db, conn => $table::table
                    .filter($table::article_id.eq(article))
                    .filter($table::stage.eq(stage))
                    .order($table::position)
                    .select($columns)
                    .load(conn))?
            };
        }
        type BylineRow = (Option<i64>, Option<String>, Option<String>);
        let bylines: Vec<BylineRow> = of_document!(
            content_bylines,
            (content_bylines::author_id, content_bylines::name, content_bylines::role)
        );
        let refs = Refs {
            sections: of_document!(content_sections, content_sections::section_id),
            tags: of_document!(content_tags, content_tags::tag_id),
            bylines: bylines
                .into_iter()
                .map(|(author, name, role)| BylineRef {
                    author,
                    name: name.map(Cow::Owned),
                    role: role.map(Cow::Owned),
                })
                .collect(),
        };
        diesel::update(contents::table.find((article, stage)))
            .set(contents::refs.eq(to_json(&refs)?))
            .execute(db)?;
    }
    Ok(())
}

fn save_links(
    db: &mut Db,
    id: ArticleId,
    stage: Stage,
    document: &Document,
    over: Over<'_>,
) -> Result<(), Error> {
    if !matches!(over, Over::Nothing) {
        let old = related_links::table.filter(related_links::article_id.eq(id.get()));
        let old = diesel::delete(old.filter(related_links::stage.eq(stage_number(stage))));
        on_either!(&mut *db, conn => old.execute(conn))?;
    }
    let rows: Vec<LinkRow> = document
        .links
        .iter()
        .zip(0..)
        .map(|(link, position)| LinkRow::new(link, id, stage, position))
        .collect();
    insert_all!(db, related_links, rows);
    Ok(())
}

fn save_references(
    db: &mut Db,
    id: ArticleId,
    stage: i16,
    facets: &[(i16, i64)],
    listed_at: Instant,
    document: &Document,
    over: Over<'_>,
) -> Result<(), Error> {
    let article = id.get();
    macro_rules! replace {
        ($table:ident, $rows:expr) => {{
            if !matches!(over, Over::Nothing) {
                let old = $table::table.filter($table::article_id.eq(article));
                let old = diesel::delete(old.filter($table::stage.eq(stage)));
                on_either!(&mut *db, conn => old.execute(conn))?;
            }
            let rows: Vec<_> = $rows.collect();
            insert_all!(db, $table, rows);
        }};
    }
    replace!(
        content_tags,
        document.tags.iter().zip(0..).map(|(tag, position)| (
            content_tags::article_id.eq(article),
            content_tags::stage.eq(stage),
            content_tags::position.eq(position),
            content_tags::tag_id.eq(tag.get()),
        ))
    );
    replace!(
        content_sections,
        document.sections.iter().zip(0..).map(|(section, position)| (
            content_sections::article_id.eq(article),
            content_sections::stage.eq(stage),
            content_sections::position.eq(position),
            content_sections::section_id.eq(section.get()),
        ))
    );
    replace!(
        content_bylines,
        document.bylines.iter().zip(0..).map(|(byline, position)| (
            content_bylines::article_id.eq(article),
            content_bylines::stage.eq(stage),
            content_bylines::position.eq(position),
            content_bylines::author_id.eq(byline.author.map(|author| author.get())),
            content_bylines::name.eq(byline.name.as_deref()),
            content_bylines::role.eq(byline.role.as_deref()),
        ))
    );
    // Live and scheduled documents are listed together: which of the two counts is a matter of time.
    let listing_number = stage.min(facet::LIVE_LISTING);
    replace!(
        content_facets,
        facets.iter().map(|(kind, facet)| (
            content_facets::listing.eq(listing_number),
            content_facets::stage.eq(stage),
            content_facets::kind.eq(*kind),
            content_facets::facet_id.eq(*facet),
            content_facets::published_at.eq(listed_at.millis()),
            content_facets::article_id.eq(article),
        ))
    );
    Ok(())
}

/// Everything under which a document is listed, each once.
fn facets(document: &Document, tree: &SectionTree) -> Vec<(i16, i64)> {
    let own = || document.section.iter().chain(&document.sections).copied();
    let kind = ArticleType::ALL.iter().position(|kind| *kind == document.kind).unwrap_or_default();
    let mut facets = vec![(facet::EVERYTHING, 0), (facet::TYPE, i64::try_from(kind).unwrap_or_default())];
    facets.extend(own().flat_map(|id| tree.ancestors(id)).map(|id| (facet::SECTION, id.get())));
    facets.extend(own().map(|id| (facet::SECTION_EXACT, id.get())));
    facets.extend(document.tags.iter().map(|tag| (facet::TAG, tag.get())));
    facets.extend(
        document
            .bylines
            .iter()
            .filter_map(|byline| byline.author)
            .map(|author| (facet::AUTHOR, author.get())),
    );
    facets.sort_unstable();
    facets.dedup();
    facets
}

/// Takes the document of a stage away.
pub fn remove(db: &mut Db, id: ArticleId, stage: Stage) -> Result<(), Error> {
    search::forget_stage(db, id, stage)?;
    diesel::delete(contents::table.find((id.get(), stage_number(stage)))).execute(db)?;
    Ok(())
}

/// Says when the live document ends.
pub fn set_live_until(db: &mut Db, id: ArticleId, until: Option<Instant>) -> Result<(), Error> {
    diesel::update(contents::table.find((id.get(), stage_number(Stage::Live))))
        .set(contents::live_until.eq(until.map(Instant::millis)))
        .execute(db)?;
    until.map_or(Ok(()), |until| signals::send(db, Signal::Schedule(until)))
}

/// Says that readers were, or are to be, told of something new at an instant, unless they are told of a later one.
pub fn set_updated(db: &mut Db, id: ArticleId, at: Instant) -> Result<(), Error> {
    let public = contents::table
        .filter(contents::article_id.eq(id.get()))
        .filter(contents::stage.ge(stage_number(Stage::Live)))
        .filter(contents::updated_at.lt(at.millis()));
    diesel::update(public).set(contents::updated_at.eq(at.millis())).execute(db)?;
    Ok(())
}

/// Notes which revision the scheduled document is: it is what readers see from its instant on.
pub fn set_scheduled_revision(db: &mut Db, id: ArticleId, revision: i32) -> Result<(), Error> {
    let document = contents::table.find((id.get(), stage_number(Stage::Scheduled)));
    let update = diesel::update(document).set(contents::revision.eq(revision));
    on_either!(db, conn => change!(conn, update))?;
    Ok(())
}

/// Notes under what a revision is listed while it is live, as the document of the stage that it comes from: on the front of
/// the site and those of sections, which can be read as they were.
pub fn copy_facets(db: &mut Db, id: ArticleId, stage: Stage, revision: i32) -> Result<(), Error> {
    on_either!(db, conn => {
        let listed = content_facets::table
            .filter(content_facets::article_id.eq(id.get()))
            .filter(content_facets::stage.eq(stage_number(stage)))
            .filter(content_facets::kind.eq(facet::EVERYTHING).or(content_facets::kind.eq(facet::SECTION)))
            .select((
                content_facets::kind,
                content_facets::facet_id,
                content_facets::published_at,
                content_facets::article_id,
                revision.into_sql::<diesel::sql_types::Integer>(),
            ));
        let copy = diesel::insert_into(publication_facets::table)
            .values(listed)
            .into_columns((
                publication_facets::kind,
                publication_facets::facet_id,
                publication_facets::published_at,
                publication_facets::article_id,
                publication_facets::revision,
            ));
        change!(conn, copy)
    })?;
    Ok(())
}
