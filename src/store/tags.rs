//! Tags in the database.

use diesel::prelude::*;

use super::{
    conn::{Backend, Db, on_either},
    schema::{content_facets, content_tags, tags},
    signals::{self, Signal},
};
use crate::{
    domain::{
        error::Error,
        id::TagId,
        instant::Instant,
        page::{Page, PageRequest, SortValue},
        slug::Slug,
        tag::{Tag, TagCard, TagType},
    },
    store::articles::{self, facet},
};

/// The only order of a list of tags: by name.
pub const ORDER: &str = "name";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tags, treat_none_as_null = true)]
struct TagRow {
    id: i64,
    slug: String,
    name: String,
    kind: String,
    description: Option<String>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<TagRow> for Tag {
    type Error = Error;

    fn try_from(row: TagRow) -> Result<Self, Error> {
        Ok(Self {
            id: TagId::new(row.id),
            slug: Slug::from_stored(row.slug),
            name: row.name,
            kind: row.kind.parse()?,
            description: row.description,
            version: row.version,
            created_at: Instant::from_millis(row.created_at),
            updated_at: Instant::from_millis(row.updated_at),
        })
    }
}

impl From<&Tag> for TagRow {
    fn from(tag: &Tag) -> Self {
        Self {
            id: tag.id.get(),
            slug: tag.slug.to_string(),
            name: tag.name.clone(),
            kind: tag.kind.as_str().to_owned(),
            description: tag.description.clone(),
            version: tag.version,
            created_at: tag.created_at.millis(),
            updated_at: tag.updated_at.millis(),
        }
    }
}

/// Columns of a card.
pub(super) type CardColumns = (tags::id, tags::slug, tags::name, tags::kind);
/// Columns of a card.
pub(super) const CARD: CardColumns = (tags::id, tags::slug, tags::name, tags::kind);

/// A card from its columns.
pub(super) fn card((id, slug, name, kind): (i64, String, String, String)) -> Result<TagCard, Error> {
    Ok(TagCard { id: TagId::new(id), slug: Slug::from_stored(slug), name, kind: kind.parse()? })
}

/// The tag with this id.
pub fn find(db: &mut Db, id: TagId) -> Result<Option<Tag>, Error> {
    let row = tags::table.find(id.get()).select(TagRow::as_select()).first(db).optional()?;
    row.map(Tag::try_from).transpose()
}

/// The tag with this id, or 404.
///
/// # Errors
/// 404 if there is none.
pub fn get(db: &mut Db, id: i64) -> Result<Tag, Error> {
    find(db, TagId::new(id))?.ok_or_else(|| Error::not_found("tag"))
}

/// A page of tags by name, of one type or whose name begins so.
pub fn list(
    db: &mut Db,
    kind: Option<TagType>,
    prefix: Option<&str>,
    request: &PageRequest,
) -> Result<Page<Tag>, Error> {
    let filtered = || {
        let mut query = tags::table.into_boxed::<Backend>();
        if let Some(kind) = kind {
            query = query.filter(tags::kind.eq(kind.as_str()));
        }
        if let Some(prefix) = prefix {
            // A half-open range and not LIKE, which ignores case in one of the databases only.
            query = query.filter(tags::name.ge(prefix.to_owned()));
            query = query.filter(tags::name.lt(format!("{prefix}\u{10ffff}")));
        }
        query
    };
    let total = if request.count { Some(filtered().count().get_result(db)?) } else { None };
    let mut query = filtered().limit(request.fetch()).offset(request.offset());
    if let Some(cursor) = request.cursor() {
        let SortValue::Text(name) = cursor.value.clone() else { return Err(bad_cursor()) };
        query = if cursor.before {
            query.filter(tags::name.lt(name.clone()).or(tags::name.eq(name).and(tags::id.lt(cursor.id))))
        } else {
            query.filter(tags::name.gt(name.clone()).or(tags::name.eq(name).and(tags::id.gt(cursor.id))))
        };
    }
    query = if request.backwards() {
        query.order((tags::name.desc(), tags::id.desc()))
    } else {
        query.order((tags::name, tags::id))
    };
    let rows: Vec<TagRow> = query.select(TagRow::as_select()).load(db)?;
    let rows = rows.into_iter().map(Tag::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_rows(rows, request, ORDER, total, |tag| (SortValue::Text(tag.name.clone()), tag.id.get())))
}

/// A cursor whose value is of the wrong kind: it was tampered with.
pub(super) fn bad_cursor() -> Error {
    Error::invalid_parameter("cursor", "bad_format", "is not a cursor of this list")
}

/// Adds a tag.
pub fn insert(db: &mut Db, tag: &Tag) -> Result<(), Error> {
    diesel::insert_into(tags::table).values(TagRow::from(tag)).execute(db)?;
    signals::send(db, Signal::Taxonomy)
}

/// Writes a tag over the one that had the version before; false if that has been changed by somebody else.
pub fn update(db: &mut Db, tag: &Tag) -> Result<bool, Error> {
    let target = tags::table.find(tag.id.get()).filter(tags::version.eq(tag.version - 1));
    let updated = diesel::update(target).set(TagRow::from(tag)).execute(db)?;
    signals::send(db, Signal::Taxonomy)?;
    Ok(updated == 1)
}

/// Whether any article, in either stage, has the tag.
pub fn is_used(db: &mut Db, id: TagId) -> Result<bool, Error> {
    let uses = content_tags::table.filter(content_tags::tag_id.eq(id.get()));
    Ok(diesel::select(diesel::dsl::exists(uses)).get_result(db)?)
}

/// Takes a tag off all articles.
pub fn detach(db: &mut Db, id: TagId) -> Result<(), Error> {
    let tagged = content_tags::table.filter(content_tags::tag_id.eq(id.get()));
    let documents = tagged.select((content_tags::article_id, content_tags::stage)).load(db)?;
    diesel::delete(tagged).execute(db)?;
    articles::rewrite_refs(db, &documents)?;
    let facets = content_facets::table.filter(content_facets::kind.eq(facet::TAG));
    diesel::delete(facets.filter(content_facets::facet_id.eq(id.get()))).execute(db)?;
    Ok(())
}

/// Puts another tag in the place of one on all articles, once on each.
pub fn replace(db: &mut Db, from: TagId, into: TagId) -> Result<(), Error> {
    let (from_id, into_id) = (from.get(), into.get());
    on_either!(&mut *db, conn => {
        let tagged = content_tags::table.filter(content_tags::tag_id.eq(from_id)).select((
            content_tags::article_id,
            content_tags::stage,
            content_tags::position,
            into_id.into_sql::<diesel::sql_types::BigInt>(),
        ));
        diesel::insert_into(content_tags::table)
            .values(tagged)
            .into_columns((content_tags::article_id, content_tags::stage, content_tags::position, content_tags::tag_id))
            .on_conflict_do_nothing()
            .execute(conn)
    })?;
    on_either!(&mut *db, conn => {
        let listed = content_facets::table
            .filter(content_facets::kind.eq(facet::TAG))
            .filter(content_facets::facet_id.eq(from_id))
            .select((
                content_facets::listing,
                content_facets::kind,
                into_id.into_sql::<diesel::sql_types::BigInt>(),
                content_facets::published_at,
                content_facets::article_id,
                content_facets::stage,
            ));
        diesel::insert_into(content_facets::table)
            .values(listed)
            .into_columns((
                content_facets::listing,
                content_facets::kind,
                content_facets::facet_id,
                content_facets::published_at,
                content_facets::article_id,
                content_facets::stage,
            ))
            .on_conflict_do_nothing()
            .execute(conn)
    })?;
    detach(db, from)
}

/// Deletes a tag that no article has.
pub fn delete(db: &mut Db, id: TagId) -> Result<(), Error> {
    diesel::delete(tags::table.find(id.get())).execute(db)?;
    signals::send(db, Signal::Taxonomy)
}
