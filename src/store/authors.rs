//! Authors in the database.

use diesel::prelude::*;

use super::{
    conn::{Backend, Db},
    from_json,
    schema::{authors, content_bylines, content_facets, users},
    signals::{self, Signal},
    tags::bad_cursor,
    to_json,
};
use crate::{
    domain::{
        author::{Author, AuthorCard},
        error::Error,
        id::{AuthorId, UserId},
        instant::Instant,
        page::{Page, PageRequest, SortValue},
        slug::Slug,
    },
    store::articles::{self, facet},
};

/// The only order of a list of authors: by name.
pub const ORDER: &str = "name";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = authors, treat_none_as_null = true)]
struct AuthorRow {
    id: i64,
    slug: String,
    name: String,
    role: Option<String>,
    bio: Option<String>,
    avatar: Option<String>,
    links: String,
    user_id: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<AuthorRow> for Author {
    type Error = Error;

    fn try_from(row: AuthorRow) -> Result<Self, Error> {
        Ok(Self {
            id: AuthorId::new(row.id),
            slug: Slug::from_stored(row.slug),
            name: row.name,
            role: row.role,
            bio: row.bio,
            avatar: row.avatar.map(|avatar| from_json("authors.avatar", &avatar)).transpose()?,
            links: from_json("authors.links", &row.links)?,
            user_id: row.user_id.map(UserId::new),
            version: row.version,
            created_at: Instant::from_millis(row.created_at),
            updated_at: Instant::from_millis(row.updated_at),
        })
    }
}

impl TryFrom<&Author> for AuthorRow {
    type Error = Error;

    fn try_from(author: &Author) -> Result<Self, Error> {
        Ok(Self {
            id: author.id.get(),
            slug: author.slug.to_string(),
            name: author.name.clone(),
            role: author.role.clone(),
            bio: author.bio.clone(),
            avatar: author.avatar.as_ref().map(to_json).transpose()?,
            links: to_json(&author.links)?,
            user_id: author.user_id.map(UserId::get),
            version: author.version,
            created_at: author.created_at.millis(),
            updated_at: author.updated_at.millis(),
        })
    }
}

/// Columns of a card.
pub(super) type CardColumns = (authors::id, authors::slug, authors::name, authors::role);
/// Columns of a card.
pub(super) const CARD: CardColumns = (authors::id, authors::slug, authors::name, authors::role);

/// A card from its columns.
pub(super) fn card((id, slug, name, role): (i64, String, String, Option<String>)) -> AuthorCard {
    AuthorCard { id: AuthorId::new(id), slug: Slug::from_stored(slug), name, role }
}

/// The author with this id, or 404.
///
/// # Errors
/// 404 if there is none.
pub fn get(db: &mut Db, id: i64) -> Result<Author, Error> {
    let row = authors::table.find(id).select(AuthorRow::as_select()).first(db).optional()?;
    row.ok_or_else(|| Error::not_found("author"))?.try_into()
}

/// A page of authors by name, or of those whose name begins so.
pub fn list(db: &mut Db, prefix: Option<&str>, request: &PageRequest) -> Result<Page<Author>, Error> {
    let filtered = || {
        let mut query = authors::table.into_boxed::<Backend>();
        if let Some(prefix) = prefix {
            // A half-open range and not LIKE, which ignores case in one of the databases only.
            query = query.filter(authors::name.ge(prefix.to_owned()));
            query = query.filter(authors::name.lt(format!("{prefix}\u{10ffff}")));
        }
        query
    };
    let total = if request.count { Some(filtered().count().get_result(db)?) } else { None };
    let mut query = filtered().limit(request.fetch()).offset(request.offset());
    if let Some(cursor) = request.cursor() {
        let SortValue::Text(name) = cursor.value.clone() else { return Err(bad_cursor()) };
        query = if cursor.before {
            query.filter(
                authors::name.lt(name.clone()).or(authors::name.eq(name).and(authors::id.lt(cursor.id))),
            )
        } else {
            query.filter(
                authors::name.gt(name.clone()).or(authors::name.eq(name).and(authors::id.gt(cursor.id))),
            )
        };
    }
    query = if request.backwards() {
        query.order((authors::name.desc(), authors::id.desc()))
    } else {
        query.order((authors::name, authors::id))
    };
    let rows: Vec<AuthorRow> = query.select(AuthorRow::as_select()).load(db)?;
    let rows = rows.into_iter().map(Author::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_rows(rows, request, ORDER, total, |author| {
        (SortValue::Text(author.name.clone()), author.id.get())
    }))
}

/// Adds an author.
pub fn insert(db: &mut Db, author: &Author) -> Result<(), Error> {
    diesel::insert_into(authors::table).values(AuthorRow::try_from(author)?).execute(db)?;
    signals::send(db, Signal::Profiles)
}

/// Writes an author over the one that had the version before; false if that has been changed by somebody else.
pub fn update(db: &mut Db, author: &Author) -> Result<bool, Error> {
    let target = authors::table.find(author.id.get()).filter(authors::version.eq(author.version - 1));
    let updated = diesel::update(target).set(AuthorRow::try_from(author)?).execute(db)?;
    signals::send(db, Signal::Profiles)?;
    Ok(updated == 1)
}

/// Whether there is a user with this id.
pub fn is_user(db: &mut Db, id: UserId) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(users::table.filter(users::id.eq(id.get())))).get_result(db)?)
}

/// Whether the author stands in the bylines of any article, in either stage.
pub fn is_used(db: &mut Db, id: AuthorId) -> Result<bool, Error> {
    let uses = content_bylines::table.filter(content_bylines::author_id.eq(id.get()));
    Ok(diesel::select(diesel::dsl::exists(uses)).get_result(db)?)
}

/// Leaves only the printed name of an author in all bylines.
pub fn detach(db: &mut Db, author: &Author) -> Result<(), Error> {
    let id = author.id.get();
    let bylines = content_bylines::table.filter(content_bylines::author_id.eq(id));
    diesel::update(bylines.filter(content_bylines::name.is_null()))
        .set(content_bylines::name.eq(&author.name))
        .execute(db)?;
    let bylines = content_bylines::table.filter(content_bylines::author_id.eq(id));
    let documents = bylines.select((content_bylines::article_id, content_bylines::stage)).load(db)?;
    diesel::update(bylines).set(content_bylines::author_id.eq(None::<i64>)).execute(db)?;
    articles::rewrite_refs(db, &documents)?;
    let facets = content_facets::table.filter(content_facets::kind.eq(facet::AUTHOR));
    diesel::delete(facets.filter(content_facets::facet_id.eq(id))).execute(db)?;
    Ok(())
}

/// Deletes an author whom no article names.
pub fn delete(db: &mut Db, id: AuthorId) -> Result<(), Error> {
    diesel::delete(authors::table.find(id.get())).execute(db)?;
    signals::send(db, Signal::Profiles)
}
