//! Reads documents with cards of all that they refer to: the same code for one article and for a page of them, with
//! one statement for each kind of reference.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    super::{
        authors,
        conn::{Db, load_among, on_either},
        from_json,
        schema::{
            article_contents as contents, articles, authors as author_table, content_bylines,
            content_sections, content_tags, sections as section_table, slugs, tags as tag_table,
        },
        sections, tags,
    },
    corrections, links, stage_number,
};
use crate::domain::{
    article::{Article, Byline, Include, Stage},
    change::Entity,
    error::Error,
    id::ArticleId,
    instant::Instant,
    permission::{Action, credential_allows},
    site::Site,
    slug::Slug,
    user::{Actor, Principal},
};

/// For whom an article is read.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// Readers, who see what is public.
    Readers,
    /// Somebody who works here, and sees what they may.
    Staff(&'a Actor),
    /// Nobody in particular: a snapshot, or the holder of a preview link. Everything is shown.
    Everybody,
}

impl<'a> From<&'a Principal> for Audience<'a> {
    fn from(principal: &'a Principal) -> Self {
        match principal {
            Principal::User(actor) if credential_allows(&actor.credential, Action::ReadDraft) => {
                Self::Staff(actor)
            }
            Principal::User(_) | Principal::Anonymous => Self::Readers,
        }
    }
}

/// What a loader must know beside the ids.
#[derive(Debug, Clone, Copy)]
pub struct LoadContext<'a> {
    /// For addresses.
    pub site: &'a Site,
    /// For what is visible.
    pub now: Instant,
    /// For whom the cards of links are.
    pub audience: Audience<'a>,
    /// What to load beside the cards.
    pub include: Include,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = contents)]
pub(super) struct ContentRow {
    pub article_id: i64,
    stage: i16,
    version: i64,
    slug: String,
    kind: String,
    language: String,
    live_from: Option<i64>,
    live_until: Option<i64>,
    pub published_at: Option<i64>,
    pub updated_at: i64,
    word_count: i32,
    pub headline: String,
    standfirst: Option<String>,
    kicker: Option<String>,
    dateline: Option<String>,
    lead_image: Option<String>,
    seo: String,
}

pub(super) type SectionColumns = Option<(i64, String, String, String)>;

/// A row of the page: the document without its body, its section and its first publication.
pub(super) type HeadRow = (ContentRow, SectionColumns, Option<i64>);

/// One document, or none if there is none in that stage; a live one only if readers can see it now.
pub fn get(
    db: &mut Db,
    id: ArticleId,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Option<Article>, Error> {
    let mut query = contents::table
        .inner_join(articles::table)
        .left_join(section_table::table.on(section_table::id.nullable().eq(contents::section_id)))
        .filter(contents::article_id.eq(id.get()))
        .into_boxed();
    query = match stage {
        Stage::Draft | Stage::Scheduled => query.filter(contents::stage.eq(stage_number(stage))),
        // A scheduled document is live from its instant on, before anybody has recorded that.
        Stage::Live => query
            .filter(contents::stage.ge(stage_number(stage)))
            .filter(contents::live_from.le(context.now.millis()))
            .filter(contents::live_until.is_null().or(contents::live_until.gt(context.now.millis()))),
    };
    let row = query
        .select((
            ContentRow::as_select(),
            sections::CARD.nullable(),
            articles::first_published_at,
            contents::body,
        ))
        .first(db)
        .optional()?;
    row.map(|row| complete_one(db, row, stage, context)).transpose().map(Option::flatten)
}

/// The document of a stage with all its links, without its corrections, whether or not readers can see it now.
pub fn get_stage(db: &mut Db, site: &Site, id: ArticleId, stage: Stage) -> Result<Option<Article>, Error> {
    let row: Option<WholeRow> = contents::table
        .inner_join(articles::table)
        .left_join(section_table::table.on(section_table::id.nullable().eq(contents::section_id)))
        .filter(contents::article_id.eq(id.get()))
        .filter(contents::stage.eq(stage_number(stage)))
        .select((
            ContentRow::as_select(),
            sections::CARD.nullable(),
            articles::first_published_at,
            contents::body,
        ))
        .first(db)
        .optional()?;
    let include = Include { corrections: false, ..Include::ALL };
    // What is public has its dates; only drafts would need the present instant.
    let context = LoadContext { site, now: Instant::from_millis(0), audience: Audience::Everybody, include };
    row.map(|row| complete_one(db, row, stage, context)).transpose().map(Option::flatten)
}

/// The live document that readers can see and that has, or once had, this slug in public.
pub fn get_by_slug(db: &mut Db, slug: &str, context: LoadContext<'_>) -> Result<Option<Article>, Error> {
    let now = context.now.millis();
    let row = on_either!(&mut *db, conn => slugs::table
        .inner_join(contents::table.on(contents::article_id.eq(slugs::entity_id)))
        .inner_join(articles::table.on(articles::id.eq(slugs::entity_id)))
        .left_join(section_table::table.on(section_table::id.nullable().eq(contents::section_id)))
        .filter(slugs::kind.eq(Entity::Article.as_str()))
        .filter(slugs::slug.eq(slug))
        // A slug that only the draft has, or a version that is not live yet, is no one's business.
        .filter(slugs::public.eq(true))
        .filter(slugs::visible_from.is_null().or(slugs::visible_from.le(now)))
        .filter(contents::stage.ge(stage_number(Stage::Live)))
        .filter(contents::live_from.le(now))
        .filter(contents::live_until.is_null().or(contents::live_until.gt(now)))
        .select((
            ContentRow::as_select(),
            sections::CARD.nullable(),
            articles::first_published_at,
            contents::body,
        ))
        .first::<WholeRow>(conn)
        .optional())?;
    row.map(|row| complete_one(db, row, Stage::Live, context)).transpose().map(Option::flatten)
}

/// A row with its body.
type WholeRow = (ContentRow, SectionColumns, Option<i64>, String);

fn complete_one(
    db: &mut Db,
    (row, section, first_published_at, body): WholeRow,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Option<Article>, Error> {
    let include = Include { body: false, ..context.include };
    let rows = vec![(row, section, first_published_at)];
    let article = complete(db, rows, stage, LoadContext { include, ..context })?.pop();
    Ok(article.map(|article| Article { body: Some(body), ..article }))
}

/// Adds to rows of documents what they refer to. The number of statements does not depend on the number of rows. A page of
/// live documents may hold scheduled ones that have just taken effect; they are completed together, which costs the
/// statements once more.
pub(super) fn complete(
    db: &mut Db,
    rows: Vec<HeadRow>,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Vec<Article>, Error> {
    let Some((first, _, _)) = rows.first() else { return Ok(Vec::new()) };
    let number = first.stage;
    if rows.iter().all(|(row, _, _)| row.stage == number) {
        return complete_stage(db, rows, number, stage, context);
    }
    let order: Vec<_> = rows.iter().map(|(row, _, _)| row.article_id).collect();
    let (same, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(row, _, _)| row.stage == number);
    let mut articles = complete_stage(db, same, number, stage, context)?;
    articles.extend(complete(db, others, stage, context)?);
    articles.sort_by_key(|article| order.iter().position(|id| *id == article.id.get()));
    Ok(articles)
}

fn complete_stage(
    db: &mut Db,
    rows: Vec<HeadRow>,
    number: i16,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Vec<Article>, Error> {
    let ids: Vec<i64> = rows.iter().map(|(row, _, _)| row.article_id).collect();
    let mut tag_cards = HashMap::<i64, Vec<_>>::new();
    let tag_rows: Vec<(i64, (i64, String, String, String))> = load_among!(
        db,
        content_tags::table
            .inner_join(tag_table::table)
            .filter(content_tags::stage.eq(number))
            .order((content_tags::article_id, content_tags::position))
            .select((content_tags::article_id, tags::CARD)),
        content_tags::article_id,
        ids
    )?;
    for (article, columns) in tag_rows {
        tag_cards.entry(article).or_default().push(tags::card(columns)?);
    }

    type BylineRow = (i64, Option<String>, Option<String>, Option<(i64, String, String, Option<String>)>);
    let mut bylines = HashMap::<i64, Vec<Byline>>::new();
    let byline_rows: Vec<BylineRow> = load_among!(
        db,
        content_bylines::table
            .left_join(author_table::table)
            .filter(content_bylines::stage.eq(number))
            .order((content_bylines::article_id, content_bylines::position))
            .select((
                content_bylines::article_id,
                content_bylines::name,
                content_bylines::role,
                authors::CARD.nullable(),
            )),
        content_bylines::article_id,
        ids
    )?;
    for (article, name, role, author) in byline_rows {
        let author = author.map(authors::card);
        let name = name.or_else(|| author.as_ref().map(|author| author.name.clone())).unwrap_or_default();
        bylines.entry(article).or_default().push(Byline { author, name, role });
    }

    let mut secondary = HashMap::<i64, Vec<_>>::new();
    let section_rows: Vec<(i64, (i64, String, String, String))> = load_among!(
        db,
        content_sections::table
            .inner_join(section_table::table)
            .filter(content_sections::stage.eq(number))
            .order((content_sections::article_id, content_sections::position))
            .select((content_sections::article_id, sections::CARD)),
        content_sections::article_id,
        ids
    )?;
    for (article, columns) in section_rows {
        secondary.entry(article).or_default().push(sections::card(columns));
    }

    let mut bodies = HashMap::new();
    if context.include.body {
        let rows: Vec<(i64, String)> = load_among!(
            db,
            contents::table.filter(contents::stage.eq(number)).select((contents::article_id, contents::body)),
            contents::article_id,
            ids
        )?;
        bodies.extend(rows);
    }
    let mut all_links = if context.include.body || context.include.related {
        Some(links::links_of(db, &ids, number, context)?)
    } else {
        None
    };
    let mut all_corrections =
        if context.include.corrections { Some(corrections::of_articles(db, &ids)?) } else { None };

    rows.into_iter()
        .map(|(row, section, first_published_at)| {
            let id = row.article_id;
            let section = section.map(sections::card);
            // What is due may not have been recorded yet.
            let published_at = row.published_at.map(Instant::from_millis);
            let first_published_at = first_published_at.map(Instant::from_millis).or(published_at);
            let date = first_published_at.unwrap_or(context.now);
            // A version that is to come has the corrections that come with it.
            let seen_at = row.live_from.unwrap_or_default().max(context.now.millis());
            let corrections = all_corrections.as_mut().map(|all| {
                let mut of_article = all.remove(&id).unwrap_or_default();
                of_article.retain(|correction| correction.published_at.millis() <= seen_at);
                of_article
            });
            let section_path = section.as_ref().map(|section| section.path.as_str());
            let path = context.site.permalink.path(ArticleId::new(id), &row.slug, section_path, date);
            Ok(Article {
                id: ArticleId::new(id),
                stage,
                version: row.version,
                kind: row.kind.parse()?,
                url: format!("{}{path}", context.site.url),
                slug: Slug::from_stored(row.slug),
                path,
                headline: row.headline,
                standfirst: row.standfirst,
                kicker: row.kicker,
                section,
                sections: secondary.remove(&id).unwrap_or_default(),
                tags: tag_cards.remove(&id).unwrap_or_default(),
                bylines: bylines.remove(&id).unwrap_or_default(),
                lead_image: row
                    .lead_image
                    .as_deref()
                    .map(|image| from_json("lead_image", image))
                    .transpose()?,
                language: row.language,
                dateline: row.dateline,
                seo: from_json("article_contents.seo", &row.seo)?,
                word_count: u32::try_from(row.word_count).unwrap_or_default(),
                body: bodies.remove(&id),
                links: all_links.as_mut().map(|links| links.remove(&id).unwrap_or_default()),
                corrections,
                first_published_at,
                published_at,
                updated_at: Instant::from_millis(row.updated_at),
                live_from: row.live_from.map(Instant::from_millis),
                live_until: row.live_until.map(Instant::from_millis),
            })
        })
        .collect()
}
