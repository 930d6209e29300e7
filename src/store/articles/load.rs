//! Reads documents with cards of all that they refer to: the same code for one article and for a page of them, with
//! one statement for each kind of reference.

use std::{borrow::Cow, collections::HashMap};

use diesel::{dsl::exists, prelude::*};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        conn::{Db, load_among, on_either},
        from_json,
        prepared::Prepared,
        schema::{
            article_bodies as bodies, article_contents as contents, articles,
            corrections as correction_table, related_links, slugs,
        },
        surroundings,
    },
    corrections, links, stage_number,
};
use crate::domain::{
    article::{Article, Byline, Include, Stage},
    card::Card,
    change::Entity,
    correction::Correction,
    error::Error,
    id::{ArticleId, AuthorId, SectionId, TagId},
    instant::Instant,
    link::RelatedLink,
    permission::{Action, credential_allows},
    section::SectionCard,
    slug::Slug,
    surroundings::Surroundings,
    tag::TagCard,
    user::{Actor, Principal},
};

/// The condition that a body is that of a row of `article_contents`.
macro_rules! is_body {
    () => {
        bodies::article_id.eq(contents::article_id).and(bodies::version.eq(contents::body_version))
    };
}

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
    /// For addresses and cards.
    pub site: &'a Surroundings,
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
    section_id: Option<i64>,
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
    refs: String,
    access: String,
    pub headline_key: String,
}

/// A row of the page: the document without its body, and its first publication.
pub(super) type HeadRow = (ContentRow, Option<i64>);

/// A row with its body.
type WholeRow = (ContentRow, Option<i64>, String, bool, bool);

/// The columns of a [`WholeRow`]. It tells whether there are links and corrections, since most articles have none, and
/// what is not there need not be asked for.
macro_rules! whole_columns {
    () => {{
        let links = related_links::table
            .filter(related_links::article_id.eq(contents::article_id))
            .filter(related_links::stage.eq(contents::stage));
        let corrections =
            correction_table::table.filter(correction_table::article_id.eq(contents::article_id));
        (
            ContentRow::as_select(),
            articles::first_published_at,
            bodies::body,
            exists(links.select(related_links::id)),
            exists(corrections.select(correction_table::id)),
        )
    }};
}

/// Documents with their bodies. The query has a static type: Diesel finds its prepared statement by that.
macro_rules! whole {
    () => {
        contents::table
            .inner_join(articles::table)
            .inner_join(bodies::table.on(is_body!()))
            .select(whole_columns!())
    };
}

/// The first row of a query for [`WholeRow`]s, if there is one. The query is written for each of the two databases.
macro_rules! first_whole {
    ($db:expr, $query:expr) => {
        on_either!(&mut *$db, conn => Prepared($query.limit(1)).get_result::<WholeRow>(conn).optional())?
    };
}

/// What a document refers to, in order, as `article_contents.refs` has it. The tables `content_sections`, `content_tags` and
/// `content_bylines` have the same for those who look from the other side.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Refs<'a> {
    pub sections: Vec<i64>,
    pub tags: Vec<i64>,
    #[serde(borrow)]
    pub bylines: Vec<BylineRef<'a>>,
}

/// A byline in [`Refs`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BylineRef<'a> {
    pub author: Option<i64>,
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub role: Option<Cow<'a, str>>,
}

/// One document, or none if there is none in that stage; a live one only if readers can see it now.
pub fn get(
    db: &mut Db,
    id: ArticleId,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Option<Article>, Error> {
    let now = context.now.millis();
    let row = match stage {
        Stage::Draft | Stage::Scheduled => find(db, id, stage)?,
        // A scheduled document is live from its instant on, before anybody has recorded that.
        Stage::Live => first_whole!(
            db,
            whole!()
                .filter(contents::article_id.eq(id.get()))
                .filter(contents::stage.ge(stage_number(stage)))
                .filter(contents::live_from.le(now))
                .filter(contents::live_until.is_null().or(contents::live_until.gt(now)))
        ),
    };
    row.map(|row| complete_one(db, row, stage, context)).transpose().map(Option::flatten)
}

fn find(db: &mut Db, id: ArticleId, stage: Stage) -> Result<Option<WholeRow>, Error> {
    Ok(first_whole!(
        db,
        whole!().filter(contents::article_id.eq(id.get())).filter(contents::stage.eq(stage_number(stage)))
    ))
}

/// The document of a stage with all its links, without its corrections, whether or not readers can see it now.
pub fn get_stage(
    db: &mut Db,
    site: &Surroundings,
    id: ArticleId,
    stage: Stage,
) -> Result<Option<Article>, Error> {
    let row = find(db, id, stage)?;
    let include = Include { corrections: false, ..Include::ALL };
    // What is public has its dates; only drafts would need the present instant.
    let context = LoadContext { site, now: Instant::from_millis(0), audience: Audience::Everybody, include };
    row.map(|row| complete_one(db, row, stage, context)).transpose().map(Option::flatten)
}

/// As [`get_stage`], with the corrections that readers see with it now, or from its instant on.
pub fn get_snapshot(
    db: &mut Db,
    site: &Surroundings,
    id: ArticleId,
    stage: Stage,
    now: Instant,
) -> Result<Option<Article>, Error> {
    let row = find(db, id, stage)?;
    let context = LoadContext { site, now, audience: Audience::Everybody, include: Include::ALL };
    row.map(|row| complete_one(db, row, stage, context)).transpose().map(Option::flatten)
}

/// The live document that readers can see and that has, or once had, this slug in public.
pub fn get_by_slug(db: &mut Db, slug: &str, context: LoadContext<'_>) -> Result<Option<Article>, Error> {
    let now = context.now.millis();
    let row = first_whole!(
        db,
        slugs::table
            .inner_join(contents::table.on(contents::article_id.eq(slugs::entity_id)))
            .inner_join(articles::table.on(articles::id.eq(slugs::entity_id)))
            .inner_join(bodies::table.on(is_body!()))
            .filter(slugs::kind.eq(Entity::Article.as_str()))
            .filter(slugs::slug.eq(slug))
            // A slug that only the draft has, or a version that is not live yet, is no one's business.
            .filter(slugs::public.eq(true))
            .filter(slugs::visible_from.is_null().or(slugs::visible_from.le(now)))
            .filter(contents::stage.ge(stage_number(Stage::Live)))
            .filter(contents::live_from.le(now))
            .filter(contents::live_until.is_null().or(contents::live_until.gt(now)))
            .select(whole_columns!())
    );
    row.map(|row| complete_one(db, row, Stage::Live, context)).transpose().map(Option::flatten)
}

fn complete_one(
    db: &mut Db,
    (row, first_published_at, body, has_links, has_corrections): WholeRow,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Option<Article>, Error> {
    let asked = context.include;
    let include = Include {
        body: false,
        related: (asked.body || asked.related) && has_links,
        corrections: asked.corrections && has_corrections,
    };
    let rows = vec![(row, first_published_at)];
    let article = complete(db, rows, stage, LoadContext { include, ..context })?.pop();
    Ok(article.map(|article| Article {
        body: Some(body),
        links: article.links.or_else(|| (asked.body || asked.related).then(Vec::new)),
        corrections: article.corrections.or_else(|| asked.corrections.then(Vec::new)),
        ..article
    }))
}

/// Adds to rows of documents what they refer to: the cards from what is kept in the process, what is asked for beside them
/// with a statement for each kind, whatever the number of rows. A page of live documents may hold scheduled ones that have
/// just taken effect; these statements are then made for both.
pub(super) fn complete(
    db: &mut Db,
    rows: Vec<HeadRow>,
    stage: Stage,
    context: LoadContext<'_>,
) -> Result<Vec<Article>, Error> {
    let mut parts = Parts::default();
    let mut numbers: Vec<i16> = rows.iter().map(|(row, _)| row.stage).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let of_stage = rows.iter().filter(|(row, _)| row.stage == number).map(|(row, _)| row.article_id);
        parts.load(db, &of_stage.collect::<Vec<_>>(), number, context)?;
    }
    let refs: Vec<Refs<'_>> = rows
        .iter()
        .map(|(row, _)| from_json("article_contents.refs", &row.refs))
        .collect::<Result<_, _>>()?;
    // What is kept may be newer or older than this transaction.
    let is_known = rows.iter().zip(&refs).all(|((row, _), refs)| knows(context.site, row, refs));
    let read;
    let site = if is_known {
        context.site
    } else {
        read = surroundings::load(db)?;
        &read
    };
    let mut cards = Vec::with_capacity(rows.len());
    for refs in refs {
        cards.push(Cards::new(site, refs));
    }
    rows.into_iter()
        .zip(cards)
        .map(|((row, first_published_at), cards)| {
            let id = row.article_id;
            let section = row.section_id.and_then(|id| section_card(site, id));
            // What is due may not have been recorded yet.
            let published_at = row.published_at.map(Instant::from_millis);
            let first_published_at = first_published_at.map(Instant::from_millis).or(published_at);
            let date = first_published_at.unwrap_or(context.now);
            // A version that is to come has the corrections that come with it.
            let seen_at = row.live_from.unwrap_or_default().max(context.now.millis());
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
                sections: cards.sections,
                tags: cards.tags,
                bylines: cards.bylines,
                lead_image: row
                    .lead_image
                    .as_deref()
                    .map(|image| from_json("lead_image", image))
                    .transpose()?,
                language: row.language,
                dateline: row.dateline,
                access: row.access.parse()?,
                seo: from_json("article_contents.seo", &row.seo)?,
                word_count: u32::try_from(row.word_count).unwrap_or_default(),
                body: parts.bodies.remove(&id),
                links: parts.links.as_mut().map(|links| links.remove(&id).unwrap_or_default()),
                hidden_links: parts.hidden_links.remove(&id).unwrap_or_default(),
                corrections: parts.corrections.as_mut().map(|all| {
                    let mut of_article = all.remove(&id).unwrap_or_default();
                    of_article.retain(|correction| correction.published_at.millis() <= seen_at);
                    of_article
                }),
                first_published_at,
                published_at,
                updated_at: Instant::from_millis(row.updated_at),
                live_from: row.live_from.map(Instant::from_millis),
                live_until: row.live_until.map(Instant::from_millis),
            })
        })
        .collect()
}

/// What documents have beside their row and the cards, by article; `None` is not asked for.
#[derive(Default)]
struct Parts {
    bodies: HashMap<i64, String>,
    links: Option<HashMap<i64, Vec<RelatedLink>>>,
    hidden_links: HashMap<i64, Vec<ArticleId>>,
    corrections: Option<HashMap<i64, Vec<Correction>>>,
}

impl Parts {
    fn load(&mut self, db: &mut Db, ids: &[i64], number: i16, context: LoadContext<'_>) -> Result<(), Error> {
        let include = context.include;
        if include.body {
            let rows: Vec<(i64, String)> = load_among!(
                db,
                contents::table
                    .inner_join(bodies::table.on(is_body!()))
                    .filter(contents::stage.eq(number))
                    .select((contents::article_id, bodies::body)),
                contents::article_id,
                ids
            )?;
            self.bodies.extend(rows);
        }
        if include.body || include.related {
            let found = links::links_of(db, ids, number, context)?;
            self.links.get_or_insert_default().extend(found.shown);
            self.hidden_links.extend(found.hidden);
        }
        if include.corrections {
            self.corrections.get_or_insert_default().extend(corrections::of_articles(db, ids)?);
        }
        Ok(())
    }
}

/// The cards of one document.
struct Cards {
    sections: Vec<Card<SectionCard>>,
    tags: Vec<Card<TagCard>>,
    bylines: Vec<Byline>,
}

impl Cards {
    fn new(site: &Surroundings, refs: Refs<'_>) -> Self {
        let byline = |byline: BylineRef<'_>| {
            let author = byline.author.and_then(|id| site.authors.get(&AuthorId::new(id))).cloned();
            let name = match (byline.name, &author) {
                (Some(name), _) => name.into_owned(),
                (None, author) => author.as_ref().map(|author| author.name.clone()).unwrap_or_default(),
            };
            Byline { author, name, role: byline.role.map(Cow::into_owned) }
        };
        Self {
            sections: refs.sections.iter().filter_map(|id| section_card(site, *id)).collect(),
            tags: refs.tags.iter().filter_map(|id| site.tags.get(&TagId::new(*id)).cloned()).collect(),
            bylines: refs.bylines.into_iter().map(byline).collect(),
        }
    }
}

/// The card of a section.
pub(super) fn section_card(site: &Surroundings, id: i64) -> Option<Card<SectionCard>> {
    site.sections.card(SectionId::new(id)).cloned()
}

/// Whether all that a document refers to is known.
fn knows(site: &Surroundings, row: &ContentRow, refs: &Refs<'_>) -> bool {
    let mut sections = refs.sections.iter().copied().chain(row.section_id);
    let mut authors = refs.bylines.iter().filter_map(|byline| byline.author);
    sections.all(|id| site.sections.card(SectionId::new(id)).is_some())
        && refs.tags.iter().all(|id| site.tags.contains_key(&TagId::new(*id)))
        && authors.all(|id| site.authors.contains_key(&AuthorId::new(id)))
}
