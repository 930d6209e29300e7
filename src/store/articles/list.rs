//! Lists of articles: one query for all of them, which walks the index of one facet in publication order.

use diesel::{dsl::exists, prelude::*};

use super::{
    super::{
        conn::Db,
        schema::{article_contents as contents, articles, content_facets as facets},
        slugs,
        tags::bad_cursor,
    },
    LoadContext, facet,
    load::{ContentRow, complete},
    narrow::narrowed,
    stage_number,
};
use crate::domain::{
    article::{Article, ArticleFilter, ArticleOrder, ArticleType, Stage},
    change::Entity,
    error::Error,
    id::{ArticleId, UserId},
    page::{Page, PageRequest, SortValue},
    slug::Reference,
    surrogate::SurrogateKeys,
    surroundings::Surroundings,
};

diesel::alias!(facets as also: AlsoFacets);

/// A condition on what an article is listed under: any of these facets of one kind.
pub(super) struct Listed {
    pub kind: i16,
    pub ids: Vec<i64>,
    /// Whether each name that was asked for belongs to something.
    is_whole: bool,
}

impl Listed {
    /// What everything is listed under.
    pub(super) fn everything() -> Self {
        Self { kind: facet::EVERYTHING, ids: vec![0], is_whole: true }
    }
}

/// The conditions of a filter as facets; `None` if one of its names belongs to nothing, so that nothing fits.
pub(super) fn conditions(
    db: &mut Db,
    filter: &ArticleFilter,
    site: &Surroundings,
) -> Result<Option<Vec<Listed>>, Error> {
    let mut conditions = Vec::new();
    let section_kind = if filter.section_exact { facet::SECTION_EXACT } else { facet::SECTION };
    let all_tags: Vec<_> = filter.all_tags.iter().map(std::slice::from_ref).collect();
    let groups = all_tags
        .into_iter()
        .chain([filter.any_tag.as_slice()])
        .map(|tags| (Entity::Tag, facet::TAG, tags))
        .chain([
            (Entity::Author, facet::AUTHOR, filter.author.as_slice()),
            (Entity::Section, section_kind, filter.section.as_slice()),
        ]);
    let groups: Vec<_> = groups.filter(|(_, _, references)| !references.is_empty()).collect();
    for entity in [Entity::Tag, Entity::Author, Entity::Section] {
        let of_entity: Vec<_> = groups.iter().filter(|(kind, _, _)| *kind == entity).collect();
        let references: Vec<Reference> =
            of_entity.iter().flat_map(|(_, _, references)| references.to_vec()).collect();
        let mut found = resolve(db, entity, &references, site)?.into_iter();
        for (_, kind, references) in of_entity {
            let ids: Vec<i64> = found.by_ref().take(references.len()).flatten().collect();
            if ids.is_empty() {
                return Ok(None);
            }
            let is_whole = ids.len() == references.len();
            conditions.push(Listed { kind: *kind, ids, is_whole });
        }
    }
    if !filter.kinds.is_empty() {
        let place = |kind| ArticleType::ALL.iter().position(|known| *known == kind);
        let ids = filter.kinds.iter().filter_map(|kind| i64::try_from(place(*kind)?).ok()).collect();
        conditions.push(Listed { kind: facet::TYPE, ids, is_whole: true });
    }
    Ok(Some(conditions))
}

/// As [`slugs::resolve`], without SQL if all names are present ones.
fn resolve(
    db: &mut Db,
    entity: Entity,
    references: &[Reference],
    site: &Surroundings,
) -> Result<Vec<Option<i64>>, Error> {
    let present = references.iter().map(|reference| match reference {
        Reference::Id(id) => Some(*id),
        Reference::Slug(name) => site.named(entity, name),
    });
    match present.collect::<Option<Vec<i64>>>() {
        Some(ids) => Ok(ids.into_iter().map(Some).collect()),
        None => slugs::resolve(db, entity, references),
    }
}

/// A page of documents in one stage. `only_own` narrows it to articles that this user made or is named in.
pub fn list(
    db: &mut Db,
    stage: Stage,
    filter: &ArticleFilter,
    order: (ArticleOrder, bool, &str),
    only_own: Option<UserId>,
    request: &PageRequest,
    context: LoadContext<'_>,
) -> Result<(Page<Article>, SurrogateKeys), Error> {
    let (order, descending, sort) = order;
    let empty = Page {
        items: Vec::new(),
        limit: request.limit,
        next: None,
        prev: None,
        total: request.count.then_some(0),
    };
    let Some(mut conditions) = conditions(db, filter, context.site)? else {
        // Something may get the name that nothing has.
        let entities = [Entity::Tag, Entity::Section, Entity::Author];
        return Ok((empty, entities.into_iter().fold(SurrogateKeys::default(), SurrogateKeys::all)));
    };
    let keys = surrogate_keys(&conditions);
    // The walk goes along one facet, a single one if there is such a condition; the others are looked up on the way.
    let first = conditions.iter().position(|condition| condition.ids.len() == 1);
    let driver = first.map_or_else(Listed::everything, |first| conditions.remove(first));
    let (number, now) = (stage_number(stage).min(facet::LIVE_LISTING), context.now.millis());
    let driver_id = driver.ids.first().copied().unwrap_or_default();

    // Rows that are named are found by their dates, not on a walk over all.
    let dates = if filter.ids.is_empty() { None } else { Some(dates_of(db, number, &filter.ids)?) };
    let ascending = descending == request.backwards();
    // One bound from above: of two, SQLite begins the walk at the first that stands there, and goes through all that lies
    // before the page.
    let by_date = matches!(order, ArticleOrder::PublishedAt | ArticleOrder::Relevance);
    let newest = match request.cursor().map(|cursor| &cursor.value) {
        Some(SortValue::Number(value)) if by_date && !ascending => now.min(*value),
        _ => now,
    };
    macro_rules! ordered {
        ($query:expr, $column:expr, $variant:ident) => {{
            let mut query = $query;
            if let Some(cursor) = request.cursor() {
                let SortValue::$variant(value) = cursor.value.clone() else { return Err(bad_cursor()) };
                let tie = $column.eq(value.clone());
                query = if ascending {
                    query.filter(
                        $column
                            .ge(value.clone())
                            .and($column.gt(value).or(tie.and(facets::article_id.gt(cursor.id)))),
                    )
                } else {
                    let beyond = $column.lt(value.clone()).or(tie.and(facets::article_id.lt(cursor.id)));
                    // That of the date is there already.
                    if by_date && stage == Stage::Live {
                        query.filter(beyond)
                    } else {
                        query.filter($column.le(value).and(beyond))
                    }
                };
            }
            if ascending {
                query.order(($column.asc(), facets::article_id.asc()))
            } else {
                query.order(($column.desc(), facets::article_id.desc()))
            }
        }};
    }
    // On the concrete connection: on `Db`, Diesel writes the text of the query twice.
    macro_rules! read {
        ($conn:ident, $backend:ty) => {{
            type B = $backend;
            let filtered = |newest: i64| {
                let mut query = facets::table
                    .inner_join(contents::table.on(
                        contents::article_id.eq(facets::article_id).and(contents::stage.eq(facets::stage)),
                    ))
                    .inner_join(articles::table.on(articles::id.eq(facets::article_id)))
                    .filter(facets::listing.eq(number))
                    .filter(facets::kind.eq(driver.kind))
                    .filter(facets::facet_id.eq(driver_id))
                    .into_boxed::<B>();
                for condition in &conditions {
                    query = query.filter(exists(
                        also.filter(also.field(facets::listing).eq(number))
                            .filter(also.field(facets::kind).eq(condition.kind))
                            .filter(also.field(facets::facet_id).eq_any(condition.ids.clone()))
                            .filter(also.field(facets::published_at).eq(facets::published_at))
                            .filter(also.field(facets::article_id).eq(facets::article_id)),
                    ));
                }
                if let Some(dates) = &dates {
                    query = query.filter(facets::published_at.eq_any(dates.clone()));
                }
                if stage == Stage::Live {
                    query = query.filter(facets::published_at.le(newest));
                    query = query.filter(contents::live_from.le(now));
                    query = query.filter(contents::live_until.is_null().or(contents::live_until.gt(now)));
                }
                if stage == Stage::Scheduled {
                    // They share their listing with live ones.
                    query = query.filter(facets::stage.eq(stage_number(stage)));
                }
                narrowed!(query, filter, only_own, id = facets::article_id, date = facets::published_at)
            };

            let total = if request.count { Some(filtered(now).count().get_result($conn)?) } else { None };
            let query = filtered(newest).limit(request.fetch()).offset(request.offset());
            let query = match order {
                // Relevance is that of a search; here is none.
                ArticleOrder::PublishedAt | ArticleOrder::Relevance => {
                    ordered!(query, facets::published_at, Number)
                }
                ArticleOrder::UpdatedAt => ordered!(query, contents::updated_at, Number),
                ArticleOrder::Headline => ordered!(query, contents::headline_key, Text),
            };
            let rows: Vec<(ContentRow, Option<i64>, i64)> = query
                .select((ContentRow::as_select(), articles::first_published_at, facets::published_at))
                .load($conn)?;
            (total, rows)
        }};
    }
    let (total, rows) = match &mut *db {
        Db::Sqlite(conn) => read!(conn, diesel::sqlite::Sqlite),
        Db::Postgres(conn) => read!(conn, diesel::pg::Pg),
    };
    let page = Page::from_rows(rows, request, sort, total, |(row, _, published_at)| {
        let value = match order {
            ArticleOrder::PublishedAt | ArticleOrder::Relevance => SortValue::Number(*published_at),
            ArticleOrder::UpdatedAt => SortValue::Number(row.updated_at),
            ArticleOrder::Headline => SortValue::Text(row.headline_key.clone()),
        };
        (value, row.article_id)
    });
    let Page { items, limit, next, prev, total } = page;
    let rows = items.into_iter().map(|(row, first, _)| (row, first)).collect();
    let items = complete(db, rows, stage, context)?;
    let keys = items.iter().fold(keys, SurrogateKeys::article);
    Ok((Page { items, limit, next, prev, total }, keys))
}

/// The dates by which these articles are listed.
fn dates_of(db: &mut Db, listing: i16, ids: &[ArticleId]) -> Result<Vec<i64>, Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let listed = facets::table.filter(facets::article_id.eq_any(ids)).filter(facets::listing.eq(listing));
    Ok(listed.filter(facets::kind.eq(facet::EVERYTHING)).select(facets::published_at).load(db)?)
}

/// What a list with these conditions changes with, beside the articles in it: those of the narrowest condition.
fn surrogate_keys(conditions: &[Listed]) -> SurrogateKeys {
    let entity = |kind| match kind {
        facet::TAG => Some(Entity::Tag),
        facet::AUTHOR => Some(Entity::Author),
        facet::SECTION | facet::SECTION_EXACT => Some(Entity::Section),
        _ => None,
    };
    let mut keys = SurrogateKeys::default();
    let mut named = conditions.iter().filter_map(|condition| Some((entity(condition.kind)?, condition)));
    let narrowest = named.clone().min_by_key(|(_, condition)| condition.ids.len());
    match narrowest {
        None => keys = keys.all(Entity::Article),
        Some((entity, condition)) => {
            for id in &condition.ids {
                keys = keys.articles_of(entity, *id);
            }
        }
    }
    for (entity, condition) in named.by_ref() {
        keys = condition.ids.iter().fold(keys, |keys, id| keys.one(entity, *id));
        // Sections move, and their articles with them; and something may get a name that nothing has.
        let is_open = entity == Entity::Section || !condition.is_whole;
        keys = if is_open { keys.all(entity) } else { keys };
    }
    keys
}
