//! Articles for sitemaps: walks along the index of publications, never over what lies before.

use diesel::prelude::*;

use super::{
    super::{
        conn::Db,
        from_json,
        schema::{
            article_contents as contents, articles, authors, content_facets as facets,
            sections as section_table, tags,
        },
    },
    facet, stage_number,
};
use crate::domain::{
    article::{Seo, Stage},
    error::Error,
    id::ArticleId,
    instant::Instant,
    site::Site,
};

/// A place among articles: by publication, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the article was published, in milliseconds.
    pub published_at: i64,
    /// Its id.
    pub id: i64,
}

/// An article as sitemaps show it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: ArticleId,
    /// Its address.
    pub url: String,
    /// The headline.
    pub headline: String,
    /// Its language.
    pub language: String,
    /// When it was published, as readers see it.
    pub published_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Words for search engines.
    pub seo: Seo,
}

impl Entry {
    /// Whether it is for search engines: not if they are asked to leave it out, or if another address counts as the
    /// original.
    pub fn is_listed(&self) -> bool {
        !self.seo.noindex && self.seo.canonical_url.as_ref().is_none_or(|canonical| *canonical == self.url)
    }
}

/// The publication of the first article at or after an instant, if it is before another.
pub fn first_between(db: &mut Db, from: Instant, until: Instant) -> Result<Option<Instant>, Error> {
    let first = facets::table
        .filter(facets::listing.eq(facet::LIVE_LISTING))
        .filter(facets::kind.eq(facet::EVERYTHING).and(facets::facet_id.eq(0)))
        .filter(facets::published_at.ge(from.millis()).and(facets::published_at.lt(until.millis())))
        .order((facets::published_at, facets::article_id))
        .select(facets::published_at)
        .first::<i64>(db);
    Ok(first.optional()?.map(Instant::from_millis))
}

/// The place of the article that is this many behind a place, if there is one before an instant.
pub fn place_behind(
    db: &mut Db,
    after: Place,
    until: Instant,
    articles: i64,
) -> Result<Option<Place>, Error> {
    let place = facets::table
        .filter(facets::listing.eq(facet::LIVE_LISTING))
        .filter(facets::kind.eq(facet::EVERYTHING).and(facets::facet_id.eq(0)))
        .filter(facets::published_at.ge(after.published_at).and(facets::published_at.lt(until.millis())))
        .filter(
            facets::published_at
                .gt(after.published_at)
                .or(facets::published_at.eq(after.published_at).and(facets::article_id.gt(after.id))),
        )
        .order((facets::published_at, facets::article_id))
        .offset(articles - 1)
        .select((facets::published_at, facets::article_id))
        .first::<(i64, i64)>(db);
    Ok(place.optional()?.map(|(published_at, id)| Place { published_at, id }))
}

/// Articles that readers can see now, behind a place and published before an instant, in order, `limit` at most. The
/// second is the place to go on from, if there may be more.
pub fn entries(
    db: &mut Db,
    site: &Site,
    now: Instant,
    after: Place,
    until: Instant,
    limit: i64,
) -> Result<(Vec<Entry>, Option<Place>), Error> {
    type Row = (i64, i64, String, String, String, i64, String, Option<String>, Option<i64>);
    let rows: Vec<Row> = facets::table
        .inner_join(
            contents::table
                .on(contents::article_id.eq(facets::article_id).and(contents::stage.eq(facets::stage))),
        )
        .inner_join(articles::table.on(articles::id.eq(facets::article_id)))
        .left_join(section_table::table.on(section_table::id.nullable().eq(contents::section_id)))
        .filter(facets::listing.eq(facet::LIVE_LISTING))
        .filter(facets::kind.eq(facet::EVERYTHING).and(facets::facet_id.eq(0)))
        .filter(facets::published_at.ge(after.published_at).and(facets::published_at.lt(until.millis())))
        .filter(
            facets::published_at
                .gt(after.published_at)
                .or(facets::published_at.eq(after.published_at).and(facets::article_id.gt(after.id))),
        )
        .filter(facets::published_at.le(now.millis()))
        .filter(contents::live_from.le(now.millis()))
        .filter(contents::live_until.is_null().or(contents::live_until.gt(now.millis())))
        .order((facets::published_at, facets::article_id))
        .limit(limit)
        .select((
            facets::article_id,
            facets::published_at,
            contents::slug,
            contents::headline,
            contents::language,
            contents::updated_at,
            contents::seo,
            section_table::path.nullable(),
            articles::first_published_at,
        ))
        .load(db)?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|length| length >= limit);
    let last = rows.last().map(|row| Place { published_at: row.1, id: row.0 });
    let entry = |(id, published_at, slug, headline, language, updated_at, seo, section, first): Row| {
        let date = Instant::from_millis(first.unwrap_or(published_at));
        let path = site.permalink.path(ArticleId::new(id), &slug, section.as_deref(), date);
        Ok(Entry {
            id: ArticleId::new(id),
            url: format!("{}{path}", site.url),
            headline,
            language,
            published_at: Instant::from_millis(published_at),
            updated_at: Instant::from_millis(updated_at),
            seo: from_json("article_contents.seo", &seo)?,
        })
    };
    let entries = rows.into_iter().map(entry).collect::<Result<_, Error>>()?;
    Ok((entries, last.filter(|_| is_full)))
}

/// The live articles that were changed last, the last first: where each stands among all, and when it was changed. `limit`
/// are looked at, and those left out that readers cannot see now. A scheduled article is among them once it is live on record.
pub fn last_changed(db: &mut Db, now: Instant, limit: i64) -> Result<Vec<(Place, Instant)>, Error> {
    type Row = (Option<i64>, i64, i64, Option<i64>, Option<i64>);
    // No more conditions: what they left out would make the walk along the index longer.
    let rows: Vec<Row> = contents::table
        .filter(contents::stage.eq(stage_number(Stage::Live)))
        .order((contents::updated_at.desc(), contents::article_id.desc()))
        .limit(limit)
        .select((
            contents::published_at,
            contents::article_id,
            contents::updated_at,
            contents::live_from,
            contents::live_until,
        ))
        .load(db)?;
    let now = now.millis();
    let changed = |(published_at, id, updated_at, from, until): Row| {
        let place = Place { published_at: published_at.filter(|at| *at <= now)?, id };
        let is_visible = from? <= now && until.is_none_or(|until| until > now);
        is_visible.then(|| (place, Instant::from_millis(updated_at)))
    };
    Ok(rows.into_iter().filter_map(changed).collect())
}

/// A page of a tag or author: its id, its slug, and when it or the newest article on it was last changed.
#[derive(Debug, Clone)]
pub struct FrontEntry {
    /// The id of the tag or author.
    pub id: i64,
    /// Its slug.
    pub slug: String,
    /// When it or what it lists last changed.
    pub updated_at: Instant,
}

macro_rules! fronts {
    ($db:expr, $table:ident, $kind:expr, $after:expr, $now:expr, $limit:expr) => {{
        let newest = facets::table
            .filter(facets::listing.eq(facet::LIVE_LISTING))
            .filter(facets::kind.eq($kind).and(facets::facet_id.eq($table::id)))
            .filter(facets::published_at.le($now.millis()))
            .select(diesel::dsl::max(facets::published_at))
            .single_value();
        $table::table
            .filter($table::id.gt($after))
            .order($table::id)
            .limit($limit)
            .select(($table::id, $table::slug, $table::updated_at, newest))
            .load::<(i64, String, i64, Option<i64>)>($db)?
    }};
}

/// The pages of tags behind an id, in the order of their ids. A tag under which readers see nothing has none.
pub fn tag_fronts(db: &mut Db, after: i64, now: Instant, limit: i64) -> Result<Vec<FrontEntry>, Error> {
    Ok(front_entries(fronts!(db, tags, facet::TAG, after, now, limit)))
}

/// As [`tag_fronts`], of authors.
pub fn author_fronts(db: &mut Db, after: i64, now: Instant, limit: i64) -> Result<Vec<FrontEntry>, Error> {
    Ok(front_entries(fronts!(db, authors, facet::AUTHOR, after, now, limit)))
}

fn front_entries(rows: Vec<(i64, String, i64, Option<i64>)>) -> Vec<FrontEntry> {
    let entry = |(id, slug, updated_at, newest): (i64, String, i64, Option<i64>)| {
        let updated_at = Instant::from_millis(updated_at.max(newest?));
        Some(FrontEntry { id, slug, updated_at })
    };
    rows.into_iter().filter_map(entry).collect()
}

/// When an article in a section, or below it, was last published.
pub fn newest_of_section(db: &mut Db, id: i64, now: Instant) -> Result<Option<Instant>, Error> {
    newest(db, (facet::SECTION, id), now)
}

/// When an article was last published.
pub fn newest_of_all(db: &mut Db, now: Instant) -> Result<Option<Instant>, Error> {
    newest(db, (facet::EVERYTHING, 0), now)
}

fn newest(db: &mut Db, (kind, id): (i16, i64), now: Instant) -> Result<Option<Instant>, Error> {
    let newest = facets::table
        .filter(facets::listing.eq(facet::LIVE_LISTING))
        .filter(facets::kind.eq(kind).and(facets::facet_id.eq(id)))
        .filter(facets::published_at.le(now.millis()))
        .select(diesel::dsl::max(facets::published_at))
        .first::<Option<i64>>(db)?;
    Ok(newest.map(Instant::from_millis))
}

/// The ids after which a new file of this many rows of a table begins.
macro_rules! places {
    ($db:expr, $table:ident, $length:expr) => {{
        let mut places = Vec::new();
        let mut after = 0;
        while let Some(place) = $table::table
            .filter($table::id.gt(after))
            .order($table::id)
            .offset($length - 1)
            .select($table::id)
            .first::<i64>($db)
            .optional()?
        {
            places.push(place);
            after = place;
        }
        Ok(places)
    }};
}

/// The ids after which a new file of this many tags begins.
pub fn tag_places(db: &mut Db, length: i64) -> Result<Vec<i64>, Error> {
    places!(db, tags, length)
}

/// The ids after which a new file of this many authors begins.
pub fn author_places(db: &mut Db, length: i64) -> Result<Vec<i64>, Error> {
    places!(db, authors, length)
}
