//! Names under which things are found: slugs of articles, tags and authors, paths of sections. A name that a thing
//! once had redirects to it for as long as nothing else takes it.

use diesel::prelude::*;

use super::{
    conn::{Db, on_either},
    prepared::change,
    schema::{article_contents as contents, slugs},
};
use crate::domain::{
    change::Entity,
    error::Error,
    id::ArticleId,
    instant::Instant,
    slug::{Reference, Slug},
};

/// Takes a name for a thing. A name that the thing had before becomes its present one again.
///
/// # Errors
/// 409 `taken` if the name belongs, or once belonged, to something else.
pub fn claim(db: &mut Db, kind: Entity, name: &str, id: i64, public: bool) -> Result<(), Error> {
    match take_or_owner(db, kind, name, id, public)? {
        owner if owner == id => Ok(()),
        _ => {
            let way =
                if kind == Entity::Article { " If it did only once, `take_slug` takes it." } else { "" };
            let kind = kind.as_str();
            let detail = format!("The {kind} name {name:?} belongs, or once belonged, to another.{way}");
            Err(Error::taken(detail))
        }
    }
}

/// Takes a name that nothing has, and tells who has it then. The row is locked, so that nobody else can take the name from
/// its owner before the transaction ends.
fn take_or_owner(db: &mut Db, kind: Entity, name: &str, id: i64, public: bool) -> Result<i64, Error> {
    loop {
        if take(db, kind, name, id, public)? {
            return Ok(id);
        }
        let owner = slugs::table.find((kind.as_str(), name)).select(slugs::entity_id);
        let owner = match db {
            Db::Sqlite(conn) => owner.first::<i64>(conn).optional()?,
            Db::Postgres(conn) => owner.for_update().first::<i64>(conn).optional()?,
        };
        // If there is none, it has just let go of the name.
        if let Some(owner) = owner {
            return Ok(owner);
        }
    }
}

/// Takes a name for an article that another had before and has no more: its redirect ends. Tells which one that was.
///
/// # Errors
/// 409 `taken` if the name is the present one of another: of its draft, or of what readers see or will see.
pub fn claim_former(db: &mut Db, name: &str, id: i64) -> Result<Option<ArticleId>, Error> {
    let kind = Entity::Article.as_str();
    let owner = take_or_owner(db, Entity::Article, name, id, false)?;
    if owner == id {
        return Ok(None);
    }
    let present = contents::table.filter(contents::article_id.eq(owner)).filter(contents::slug.eq(name));
    if diesel::select(diesel::dsl::exists(present)).get_result(db)? {
        return Err(Error::taken(format!("The article name {name:?} belongs to another.")));
    }
    diesel::update(slugs::table.find((kind, name)))
        .set((slugs::entity_id.eq(id), slugs::public.eq(false), slugs::visible_from.eq(None::<i64>)))
        .execute(db)?;
    Ok(Some(ArticleId::new(owner)))
}

/// Takes the first of `wanted`, `wanted-2`, `wanted-3` … that nothing has.
pub fn claim_free(db: &mut Db, kind: Entity, wanted: &Slug, id: i64, public: bool) -> Result<Slug, Error> {
    let mut candidate = wanted.clone();
    for number in 2.. {
        if take(db, kind, candidate.as_str(), id, public)? {
            break;
        }
        candidate = wanted.numbered(number);
    }
    Ok(candidate)
}

/// Takes a name that nothing has. The conflict waits for another transaction that is about to take the same name, so two
/// cannot both have it.
fn take(db: &mut Db, kind: Entity, name: &str, id: i64, public: bool) -> Result<bool, Error> {
    let row = (
        slugs::kind.eq(kind.as_str()),
        slugs::slug.eq(name),
        slugs::entity_id.eq(id),
        slugs::public.eq(public),
    );
    let taken = on_either!(db, conn => {
        diesel::insert_into(slugs::table).values(row).on_conflict_do_nothing().execute(conn)
    })?;
    Ok(taken == 1)
}

/// Lets go of a name that a thing had: kept as a redirect if readers have seen it, free for others if not.
pub fn release(db: &mut Db, kind: Entity, name: &str) -> Result<(), Error> {
    diesel::delete(slugs::table.find((kind.as_str(), name)).filter(slugs::public.eq(false))).execute(db)?;
    Ok(())
}

/// Notes that readers have seen a name.
pub fn publish(db: &mut Db, kind: Entity, name: &str) -> Result<(), Error> {
    let update = diesel::update(slugs::table.find((kind.as_str(), name)))
        .set((slugs::public.eq(true), slugs::visible_from.eq(None::<i64>)));
    on_either!(db, conn => change!(conn, update))?;
    Ok(())
}

/// Notes that readers will see a name from an instant on. One that they know already is left as it is.
pub fn publish_from(db: &mut Db, kind: Entity, name: &str, from: Instant) -> Result<(), Error> {
    let unknown = slugs::public.eq(false).or(slugs::visible_from.is_not_null());
    diesel::update(slugs::table.find((kind.as_str(), name)).filter(unknown))
        .set((slugs::public.eq(true), slugs::visible_from.eq(from.millis())))
        .execute(db)?;
    Ok(())
}

/// Takes back [`publish_from`] for the names of a thing.
pub fn unpublish_future(db: &mut Db, kind: Entity, id: i64) -> Result<(), Error> {
    let names = slugs::table.filter(slugs::entity_id.eq(id)).filter(slugs::kind.eq(kind.as_str()));
    diesel::update(names.filter(slugs::visible_from.is_not_null()))
        .set((slugs::public.eq(false), slugs::visible_from.eq(None::<i64>)))
        .execute(db)?;
    Ok(())
}

/// Makes every name of one thing lead to another.
pub fn repoint(db: &mut Db, kind: Entity, from: i64, to: i64) -> Result<(), Error> {
    let names = slugs::table.filter(slugs::entity_id.eq(from)).filter(slugs::kind.eq(kind.as_str()));
    diesel::update(names).set(slugs::entity_id.eq(to)).execute(db)?;
    Ok(())
}

/// Frees every name of a thing that is no more.
pub fn forget(db: &mut Db, kind: Entity, id: i64) -> Result<(), Error> {
    let names = slugs::table.filter(slugs::entity_id.eq(id)).filter(slugs::kind.eq(kind.as_str()));
    diesel::delete(names).execute(db)?;
    Ok(())
}

/// The ids of things of one kind, in the order of the references; `None` for a name that nothing has. An id is
/// passed through: whether it exists shows when the thing is read. One statement, none if all are ids.
pub fn resolve(db: &mut Db, kind: Entity, references: &[Reference]) -> Result<Vec<Option<i64>>, Error> {
    let names: Vec<&str> = references
        .iter()
        .filter_map(|reference| match reference {
            Reference::Slug(slug) => Some(slug.as_str()),
            Reference::Id(_) => None,
        })
        .collect();
    let mut found = std::collections::HashMap::new();
    if !names.is_empty() {
        let of_kind =
            || slugs::table.filter(slugs::kind.eq(kind.as_str())).select((slugs::slug, slugs::entity_id));
        let rows: Vec<(String, i64)> = match names[..] {
            [name] => on_either!(db, conn => of_kind().filter(slugs::slug.eq(name)).load(conn))?,
            _ => of_kind().filter(slugs::slug.eq_any(&names)).load(db)?,
        };
        found.extend(rows);
    }
    Ok(references
        .iter()
        .map(|reference| match reference {
            Reference::Id(id) => Some(*id),
            Reference::Slug(slug) => found.get(slug).copied(),
        })
        .collect())
}

/// The id of one thing, or 404.
///
/// # Errors
/// 404 if no thing of this kind has, or ever had, the name.
pub fn resolve_one(db: &mut Db, kind: Entity, reference: &Reference) -> Result<i64, Error> {
    let found = resolve(db, kind, std::slice::from_ref(reference))?;
    found.first().copied().flatten().ok_or_else(|| Error::not_found(kind.as_str()))
}
