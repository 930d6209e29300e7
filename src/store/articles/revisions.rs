//! Revisions, and the intervals in which readers saw them.

use diesel::{dsl::max, prelude::*};

use super::{
    super::{
        conn::{Backend, Db, on_either},
        from_json,
        prepared::change,
        schema::{
            article_bodies as bodies, article_contents as contents, publication_facets, publications,
            revisions, users,
        },
        tags::bad_cursor,
        to_json,
    },
    facet, stage_number,
};
use crate::domain::{
    article::Article,
    error::Error,
    id::{ArticleId, UserId},
    instant::Instant,
    page::{Page, PageRequest, SortValue},
    revision::{Publication, Revision, RevisionKind},
    user::UserCard,
};

/// A revision to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewRevision<'a> {
    /// The document as it is, with cards of all that it refers to: they keep the names of this time.
    pub snapshot: &'a Article,
    /// Why.
    pub kind: RevisionKind,
    /// When.
    pub at: Instant,
    /// By whom.
    pub actor: UserId,
    /// What they noted.
    pub note: Option<&'a str>,
}

/// The only order of lists of revisions.
pub const ORDER: &str = "-number";

/// Keeps a revision of a stage, whose body it shares, and tells its number. The article is locked.
pub fn insert(db: &mut Db, new: NewRevision<'_>) -> Result<i32, Error> {
    let id = new.snapshot.id.get();
    let last = revisions::table.filter(revisions::article_id.eq(id)).select(max(revisions::number));
    let stage = contents::table
        .find((id, stage_number(new.snapshot.stage)))
        .select((contents::body_version, last.single_value()));
    let (body_version, last): (i64, Option<i32>) = on_either!(&mut *db, conn => stage.first(conn))?;
    let number = last.unwrap_or_default() + 1;
    let snapshot = Article { body: None, ..new.snapshot.clone() };
    let insert = diesel::insert_into(revisions::table).values((
        revisions::article_id.eq(id),
        revisions::number.eq(number),
        revisions::version.eq(new.snapshot.version),
        revisions::kind.eq(new.kind.as_str()),
        revisions::at.eq(new.at.millis()),
        revisions::actor_id.eq(new.actor.get()),
        revisions::note.eq(new.note),
        revisions::snapshot.eq(to_json(&snapshot)?),
        revisions::body_version.eq(body_version),
    ));
    on_either!(db, conn => change!(conn, insert))?;
    Ok(number)
}

/// Notes that readers see a revision from an instant on.
pub fn open(db: &mut Db, id: ArticleId, revision: i32, from: Instant) -> Result<(), Error> {
    let insert = diesel::insert_into(publications::table).values((
        publications::article_id.eq(id.get()),
        publications::revision.eq(revision),
        publications::live_from.eq(from.millis()),
        publications::live_until.eq(None::<i64>),
    ));
    on_either!(db, conn => change!(conn, insert))?;
    Ok(())
}

/// Notes that readers ceased to see whatever they saw of an article. Looked up first, since mostly there is nothing: SQLite
/// keeps what an `UPDATE` of several rows finds in a table of its own, which takes longer than all the rest.
pub fn close(db: &mut Db, id: ArticleId, at: Instant) -> Result<(), Error> {
    let open = publications::table
        .filter(publications::article_id.eq(id.get()))
        .filter(publications::live_until.is_null())
        .select(publications::revision);
    let open: Vec<i32> = on_either!(&mut *db, conn => open.load(conn))?;
    for revision in open {
        let one = publications::table.find((id.get(), revision));
        let update = diesel::update(one).set(publications::live_until.eq(at.millis()));
        on_either!(&mut *db, conn => change!(conn, update))?;
    }
    Ok(())
}

type Row = (
    (i32, i64, String, i64, Option<String>, String, String),
    Option<(i64, String)>,
    Option<(i64, Option<i64>)>,
);

/// The document of a revision.
fn document(snapshot: &str, body: String) -> Result<Article, Error> {
    let article: Article = from_json("revisions.snapshot", snapshot)?;
    Ok(Article { body: Some(body), ..article })
}

fn read((columns, actor, live): Row) -> Result<(Revision, Article), Error> {
    let (number, version, kind, at, note, snapshot, body) = columns;
    let article = document(&snapshot, body)?;
    let revision = Revision {
        number,
        kind: kind.parse()?,
        version,
        at: Instant::from_millis(at),
        actor: actor.map(|(id, name)| UserCard { id: UserId::new(id), name }),
        note,
        headline: article.headline.clone(),
        live: live.map(|(from, until)| Publication {
            live_from: Instant::from_millis(from),
            live_until: until.map(Instant::from_millis),
        }),
    };
    Ok((revision, article))
}

/// The condition that a body is that of a revision.
macro_rules! is_body {
    () => {
        bodies::article_id.eq(revisions::article_id).and(bodies::version.eq(revisions::body_version))
    };
}

/// Revisions with who kept them and when readers saw them.
macro_rules! revision_rows {
    () => {
        revisions::table
            .inner_join(bodies::table.on(is_body!()))
            .left_join(users::table)
            .left_join(
                publications::table.on(publications::article_id
                    .eq(revisions::article_id)
                    .and(publications::revision.eq(revisions::number))),
            )
            .select((
                (
                    revisions::number,
                    revisions::version,
                    revisions::kind,
                    revisions::at,
                    revisions::note,
                    revisions::snapshot,
                    bodies::body,
                ),
                (users::id, users::name).nullable(),
                (publications::live_from, publications::live_until).nullable(),
            ))
    };
}

/// A page of the revisions of an article, the newest first.
pub fn list(db: &mut Db, id: ArticleId, request: &PageRequest) -> Result<Page<Revision>, Error> {
    let of_article = revisions::article_id.eq(id.get());
    let total = match request.count {
        true => Some(revisions::table.filter(of_article).count().get_result(db)?),
        false => None,
    };
    let mut query = revision_rows!()
        .filter(of_article)
        .limit(request.fetch())
        .offset(request.offset())
        .into_boxed::<Backend>();
    if let Some(cursor) = request.cursor() {
        let number = i32::try_from(cursor.id).map_err(|_| bad_cursor())?;
        query = if request.backwards() {
            query.filter(revisions::number.gt(number))
        } else {
            query.filter(revisions::number.lt(number))
        };
    }
    query = if request.backwards() {
        query.order(revisions::number.asc())
    } else {
        query.order(revisions::number.desc())
    };
    let rows: Vec<Row> = query.load(db)?;
    let rows = rows.into_iter().map(|row| Ok(read(row)?.0)).collect::<Result<_, Error>>()?;
    let key = |revision: &Revision| (SortValue::Number(revision.number.into()), revision.number.into());
    Ok(Page::from_rows(rows, request, ORDER, total, key))
}

/// One revision with its document.
pub fn get(db: &mut Db, id: ArticleId, number: i32) -> Result<Option<(Revision, Article)>, Error> {
    let one =
        revision_rows!().filter(revisions::article_id.eq(id.get())).filter(revisions::number.eq(number));
    one.first::<Row>(db).optional()?.map(read).transpose()
}

/// What readers saw of an article at an instant.
pub fn at(db: &mut Db, id: ArticleId, at: Instant) -> Result<Option<(Revision, Article)>, Error> {
    let one = revision_rows!()
        .filter(publications::article_id.eq(id.get()))
        .filter(publications::live_from.le(at.millis()))
        .filter(publications::live_until.is_null().or(publications::live_until.gt(at.millis())))
        .order(publications::live_from.desc());
    one.first::<Row>(db).optional()?.map(read).transpose()
}

/// What readers saw of these articles at an instant; those that they did not see are left out.
pub fn all_at(db: &mut Db, ids: &[i64], at: Instant) -> Result<Vec<Article>, Error> {
    let rows: Vec<Row> = revision_rows!()
        .filter(publications::article_id.eq_any(ids))
        .filter(publications::live_from.le(at.millis()))
        .filter(publications::live_until.is_null().or(publications::live_until.gt(at.millis())))
        .load(db)?;
    rows.into_iter().map(|row| Ok(read(row)?.1)).collect()
}

/// A page of what readers saw in a section at an instant, or on the whole site, the newest first.
pub fn list_at(
    db: &mut Db,
    (kind, id): (i16, i64),
    at: Instant,
    request: &PageRequest,
    sort: &str,
) -> Result<Page<Article>, Error> {
    use publication_facets as facets;
    let seen =
        || {
            facets::table
                .inner_join(
                    publications::table.on(publications::article_id
                        .eq(facets::article_id)
                        .and(publications::revision.eq(facets::revision))),
                )
                .inner_join(revisions::table.on(
                    revisions::article_id.eq(facets::article_id).and(revisions::number.eq(facets::revision)),
                ))
                .inner_join(bodies::table.on(is_body!()))
                .filter(facets::kind.eq(kind))
                .filter(facets::facet_id.eq(id))
                .filter(publications::live_from.le(at.millis()))
                .filter(publications::live_until.is_null().or(publications::live_until.gt(at.millis())))
                .into_boxed::<Backend>()
        };
    let total = if request.count { Some(seen().count().get_result(db)?) } else { None };
    let mut query = seen().limit(request.fetch()).offset(request.offset());
    let ascending = request.backwards();
    if let Some(cursor) = request.cursor() {
        let SortValue::Number(value) = cursor.value else { return Err(bad_cursor()) };
        let tie = facets::published_at.eq(value);
        query = if ascending {
            query.filter(facets::published_at.gt(value).or(tie.and(facets::article_id.gt(cursor.id))))
        } else {
            query.filter(facets::published_at.lt(value).or(tie.and(facets::article_id.lt(cursor.id))))
        };
    }
    query = if ascending {
        query.order((facets::published_at.asc(), facets::article_id.asc()))
    } else {
        query.order((facets::published_at.desc(), facets::article_id.desc()))
    };
    type Row = (i64, i64, String, String);
    let columns = (facets::published_at, facets::article_id, revisions::snapshot, bodies::body);
    let rows: Vec<Row> = query.select(columns).load(db)?;
    let key = |(published_at, id, ..): &Row| (SortValue::Number(*published_at), *id);
    let page = Page::from_rows(rows, request, sort, total, key);
    let Page { items, limit, next, prev, total } = page;
    let items = items
        .into_iter()
        .map(|(_, _, snapshot, body)| document(&snapshot, body))
        .collect::<Result<_, _>>()?;
    Ok(Page { items, limit, next, prev, total })
}

/// The facet of everything, for [`list_at`].
pub const EVERYTHING: (i16, i64) = (facet::EVERYTHING, 0);
/// The kind of facet of a section with those below it, for [`list_at`].
pub const SECTION: i16 = facet::SECTION;
