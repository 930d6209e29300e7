//! Sections in the database. There are few of them, so what looks at the shape of the tree reads all.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    Lock,
    conn::{Backend, Db},
    exclusive, from_json,
    schema::{article_contents, content_facets, content_sections, sections},
    shared,
    signals::{self, Signal},
    tags::bad_cursor,
    to_json,
};
use crate::{
    domain::{
        error::Error,
        id::SectionId,
        instant::Instant,
        page::{Page, PageRequest, SortValue},
        section::{Section, SectionCard},
        slug::Slug,
    },
    store::articles::{self, facet},
};

/// The only order of a list of sections: by path.
pub const ORDER: &str = "path";

/// The live stage, as it is stored.
const LIVE: i16 = 1;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sections, treat_none_as_null = true)]
struct SectionRow {
    id: i64,
    parent_id: Option<i64>,
    slug: String,
    path: String,
    name: String,
    description: Option<String>,
    seo: String,
    position: i32,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<SectionRow> for Section {
    type Error = Error;

    fn try_from(row: SectionRow) -> Result<Self, Error> {
        Ok(Self {
            id: SectionId::new(row.id),
            parent_id: row.parent_id.map(SectionId::new),
            slug: Slug::from_stored(row.slug),
            path: row.path,
            name: row.name,
            description: row.description,
            seo: from_json("sections.seo", &row.seo)?,
            position: row.position,
            version: row.version,
            created_at: Instant::from_millis(row.created_at),
            updated_at: Instant::from_millis(row.updated_at),
        })
    }
}

impl TryFrom<&Section> for SectionRow {
    type Error = Error;

    fn try_from(section: &Section) -> Result<Self, Error> {
        Ok(Self {
            id: section.id.get(),
            parent_id: section.parent_id.map(SectionId::get),
            slug: section.slug.to_string(),
            path: section.path.clone(),
            name: section.name.clone(),
            description: section.description.clone(),
            seo: to_json(&section.seo)?,
            position: section.position,
            version: section.version,
            created_at: section.created_at.millis(),
            updated_at: section.updated_at.millis(),
        })
    }
}

/// Columns of a card.
pub(super) type CardColumns = (sections::id, sections::slug, sections::path, sections::name);
/// Columns of a card.
pub(super) const CARD: CardColumns = (sections::id, sections::slug, sections::path, sections::name);

/// A card from its columns.
pub(super) fn card((id, slug, path, name): (i64, String, String, String)) -> SectionCard {
    SectionCard { id: SectionId::new(id), slug: Slug::from_stored(slug), path, name }
}

/// The cards of these sections, in no order; what does not exist is left out.
pub fn cards(db: &mut Db, ids: &[i64]) -> Result<Vec<SectionCard>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, String, String, String)> =
        sections::table.filter(sections::id.eq_any(ids)).select(CARD).load(db)?;
    Ok(rows.into_iter().map(card).collect())
}

/// Keeps the tree from changing to the end of the transaction, for one that is about to change it.
pub fn lock(db: &mut Db) -> Result<(), Error> {
    exclusive(db, Lock::SectionTree)
}

/// Keeps the tree from changing to the end of the transaction, for one that writes what follows from its shape. Many
/// can do so at once.
pub fn hold(db: &mut Db) -> Result<(), Error> {
    shared(db, Lock::SectionTree)
}

/// The section with this id, or 404.
///
/// # Errors
/// 404 if there is none.
pub fn get(db: &mut Db, id: i64) -> Result<Section, Error> {
    let row = sections::table.find(id).select(SectionRow::as_select()).first(db).optional()?;
    row.ok_or_else(|| Error::not_found("section"))?.try_into()
}

/// All sections, siblings in their order.
pub fn all(db: &mut Db) -> Result<Vec<Section>, Error> {
    let query = sections::table.order((sections::position, sections::id));
    let rows: Vec<SectionRow> = query.select(SectionRow::as_select()).load(db)?;
    rows.into_iter().map(Section::try_from).collect()
}

/// A page of sections by path.
pub fn list(db: &mut Db, request: &PageRequest) -> Result<Page<Section>, Error> {
    let total = if request.count { Some(sections::table.count().get_result(db)?) } else { None };
    let mut query = sections::table.into_boxed::<Backend>().limit(request.fetch()).offset(request.offset());
    if let Some(cursor) = request.cursor() {
        // No two sections have the same path.
        let SortValue::Text(path) = cursor.value.clone() else { return Err(bad_cursor()) };
        query = if cursor.before {
            query.filter(sections::path.lt(path))
        } else {
            query.filter(sections::path.gt(path))
        };
    }
    query =
        if request.backwards() { query.order(sections::path.desc()) } else { query.order(sections::path) };
    let rows: Vec<SectionRow> = query.select(SectionRow::as_select()).load(db)?;
    let rows = rows.into_iter().map(Section::try_from).collect::<Result<_, _>>()?;
    let key = |section: &Section| (SortValue::Text(section.path.clone()), section.id.get());
    Ok(Page::from_rows(rows, request, ORDER, total, key))
}

/// How many articles readers see now in each of these sections and below it. What has none is left out.
pub fn article_counts(db: &mut Db, ids: &[i64], now: Instant) -> Result<HashMap<i64, i64>, Error> {
    let now = now.millis();
    let content = content_facets::article_id.eq(article_contents::article_id);
    let content = content.and(content_facets::stage.eq(article_contents::stage));
    let counts: Vec<(i64, i64)> = content_facets::table
        .inner_join(article_contents::table.on(content))
        .filter(content_facets::listing.eq(LIVE))
        .filter(content_facets::kind.eq(facet::SECTION))
        .filter(content_facets::facet_id.eq_any(ids))
        .filter(article_contents::live_from.le(now))
        .filter(article_contents::live_until.is_null().or(article_contents::live_until.gt(now)))
        .group_by(content_facets::facet_id)
        .select((content_facets::facet_id, diesel::dsl::count_star()))
        .load(db)?;
    Ok(counts.into_iter().collect())
}

/// Adds a section.
pub fn insert(db: &mut Db, section: &Section) -> Result<(), Error> {
    diesel::insert_into(sections::table).values(SectionRow::try_from(section)?).execute(db)?;
    signals::send(db, Signal::Taxonomy)
}

/// Writes a section over the one that had the version before; false if that has been changed by somebody else.
pub fn update(db: &mut Db, section: &Section) -> Result<bool, Error> {
    let target = sections::table.find(section.id.get()).filter(sections::version.eq(section.version - 1));
    let updated = diesel::update(target).set(SectionRow::try_from(section)?).execute(db)?;
    signals::send(db, Signal::Taxonomy)?;
    Ok(updated == 1)
}

/// Gives a section its place among its siblings.
pub fn set_position(db: &mut Db, id: SectionId, position: i32) -> Result<(), Error> {
    diesel::update(sections::table.find(id.get())).set(sections::position.eq(position)).execute(db)?;
    Ok(())
}

/// Whether any article, in whatever stage, lies in the section or is shown in it.
pub fn has_articles(db: &mut Db, id: SectionId) -> Result<bool, Error> {
    let own = article_contents::table.filter(article_contents::section_id.eq(id.get()));
    let secondary = content_sections::table.filter(content_sections::section_id.eq(id.get()));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result::<bool>(db)?
        || diesel::select(diesel::dsl::exists(secondary)).get_result::<bool>(db)?)
}

/// Moves all articles of a section, in every stage, to another; [`rebuild_facets`] is to follow.
pub fn move_articles(db: &mut Db, from: SectionId, to: SectionId) -> Result<(), Error> {
    diesel::update(article_contents::table.filter(article_contents::section_id.eq(from.get())))
        .set(article_contents::section_id.eq(to.get()))
        .execute(db)?;
    run(
        db,
        format!(
            "INSERT INTO content_sections (article_id, stage, position, section_id) \
             SELECT article_id, stage, position, {to} FROM content_sections WHERE section_id = {from} \
             ON CONFLICT DO NOTHING"
        ),
    )?;
    let shown = content_sections::table.filter(content_sections::section_id.eq(from.get()));
    let mut documents: Vec<(i64, i16)> =
        shown.select((content_sections::article_id, content_sections::stage)).load(db)?;
    diesel::delete(shown).execute(db)?;
    // An article's own section is not a secondary one as well.
    let same = article_contents::article_id.eq(content_sections::article_id);
    let twice: Vec<(i64, i16)> = content_sections::table
        .inner_join(article_contents::table.on(same.and(article_contents::stage.eq(content_sections::stage))))
        .filter(content_sections::section_id.eq(to.get()))
        .filter(article_contents::section_id.eq(to.get()))
        .select((content_sections::article_id, content_sections::stage))
        .load(db)?;
    documents.extend(twice);
    run(
        db,
        format!(
            "DELETE FROM content_sections WHERE section_id = {to} AND EXISTS (SELECT 1 FROM article_contents AS c \
             WHERE c.article_id = content_sections.article_id AND c.stage = content_sections.stage \
             AND c.section_id = {to})"
        ),
    )?;
    articles::rewrite_refs(db, &documents)?;
    run(
        db,
        format!(
            "INSERT INTO content_facets (listing, kind, facet_id, published_at, article_id, stage) \
             SELECT listing, kind, {to}, published_at, article_id, stage FROM content_facets \
             WHERE listing IN (0, 1) AND kind = {exact} AND facet_id = {from} ON CONFLICT DO NOTHING",
            exact = facet::SECTION_EXACT
        ),
    )?;
    let of_section = content_facets::kind.eq_any([facet::SECTION, facet::SECTION_EXACT]);
    let facets = content_facets::table.filter(of_section).filter(content_facets::facet_id.eq(from.get()));
    diesel::delete(facets.filter(content_facets::listing.eq_any([0_i16, 1]))).execute(db)?;
    Ok(())
}

/// Makes the facets with descendants anew, in every stage, for every article that these sections list as their own.
/// They follow from the exact ones and from the tree as it is now.
pub fn rebuild_facets(db: &mut Db, section_ids: &[i64]) -> Result<(), Error> {
    if section_ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = section_ids.iter().map(i64::to_string).collect();
    let affected = format!(
        "(SELECT stage, article_id FROM content_facets WHERE listing IN (0, 1) AND kind = {exact} AND facet_id IN ({ids}))",
        exact = facet::SECTION_EXACT,
        ids = ids.join(", ")
    );
    run(
        db,
        format!(
            "DELETE FROM content_facets WHERE kind = {section} AND (stage, article_id) IN {affected}",
            section = facet::SECTION
        ),
    )?;
    run(
        db,
        format!(
            "INSERT INTO content_facets (listing, kind, facet_id, published_at, article_id, stage) \
             WITH RECURSIVE line (section_id, above_id) AS (SELECT id, id FROM sections UNION ALL \
             SELECT line.section_id, s.parent_id FROM line JOIN sections AS s ON s.id = line.above_id \
             WHERE s.parent_id IS NOT NULL) \
             SELECT DISTINCT f.listing, {section}, line.above_id, f.published_at, f.article_id, f.stage \
             FROM content_facets AS f JOIN line ON line.section_id = f.facet_id \
             WHERE f.kind = {exact} AND (f.stage, f.article_id) IN {affected}",
            section = facet::SECTION,
            exact = facet::SECTION_EXACT
        ),
    )
}

/// Runs a statement that has no user's text in it.
fn run(db: &mut Db, sql: String) -> Result<(), Error> {
    diesel::sql_query(sql).execute(db)?;
    Ok(())
}

/// Deletes a section that has neither children nor articles.
pub fn delete(db: &mut Db, id: SectionId) -> Result<(), Error> {
    diesel::delete(sections::table.find(id.get())).execute(db)?;
    signals::send(db, Signal::Taxonomy)
}
