//! Related-article links with cards of their targets as they are now.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    super::{
        conn::{Db, among, load_among},
        from_json,
        schema::{article_contents as contents, articles, related_links},
    },
    LoadContext,
    load::{Audience, section_card},
    stage_number,
};
use crate::domain::{
    article::Stage,
    error::Error,
    id::{ArticleId, BlockId, LinkId},
    instant::Instant,
    link::{CardState, InboundLink, Link, LinkCard, LinkTarget, RelatedLink},
    user::Role,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = related_links, treat_none_as_default_value = false)]
pub(super) struct LinkRow {
    pub id: i64,
    pub stage: i16,
    pub article_id: i64,
    pub position: i32,
    pub label: String,
    pub kind: String,
    pub target_article_id: Option<i64>,
    pub url: Option<String>,
    pub title: Option<String>,
    pub block_id: Option<i64>,
}

impl LinkRow {
    pub(super) fn new(link: &Link, article: ArticleId, stage: Stage, position: i32) -> Self {
        let (target_article_id, url, title) = match &link.target {
            LinkTarget::Article(id) => (Some(id.get()), None, None),
            LinkTarget::External { url, title } => (None, Some(url.clone()), Some(title.clone())),
            LinkTarget::Deleted { title } => (None, None, Some(title.clone())),
        };
        Self {
            id: link.id.get(),
            stage: stage_number(stage),
            article_id: article.get(),
            position,
            label: link.label.clone(),
            kind: link.kind.as_str().to_owned(),
            target_article_id,
            url,
            title,
            block_id: link.block_id.map(BlockId::get),
        }
    }

    fn link(self) -> Result<Link, Error> {
        let title = self.title.unwrap_or_default();
        Ok(Link {
            id: LinkId::new(self.id),
            label: self.label,
            kind: self.kind.parse()?,
            target: match (self.target_article_id, self.url) {
                (Some(id), _) => LinkTarget::Article(ArticleId::new(id)),
                (None, Some(url)) => LinkTarget::External { url, title },
                (None, None) => LinkTarget::Deleted { title },
            },
            block_id: self.block_id.map(BlockId::new),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = contents)]
struct CardRow {
    article_id: i64,
    stage: i16,
    slug: String,
    headline: String,
    standfirst: Option<String>,
    lead_image: Option<String>,
    section_id: Option<i64>,
    published_at: Option<i64>,
    live_from: Option<i64>,
    live_until: Option<i64>,
}

type CardColumns = (CardRow, i64, Option<i64>);

/// Cards of articles as they are now, with the stage that they show. Readers get those that they can see; editors get the others too, marked as such,
/// but a contributor sees no headline of somebody else's draft.
fn cards(db: &mut Db, ids: &[i64], context: LoadContext<'_>) -> Result<HashMap<i64, (i16, LinkCard)>, Error> {
    let mut cards = HashMap::new();
    if ids.is_empty() {
        return Ok(cards);
    }
    let mut query =
        contents::table.inner_join(articles::table).filter(among!(contents::article_id, ids)).into_boxed();
    if matches!(context.audience, Audience::Readers) {
        query = query.filter(contents::stage.ge(stage_number(Stage::Live)));
    }
    // Drafts come first, so that what readers see, or will see, takes their place in the map.
    let rows: Vec<CardColumns> = query
        .order(contents::stage)
        .select((CardRow::as_select(), articles::created_by, articles::first_published_at))
        .load(db)?;
    for row in rows {
        add_card(&mut cards, row, context)?;
    }
    Ok(cards)
}

/// Adds the card that a document of an article makes, unless another of its documents is what the reader sees.
fn add_card(
    cards: &mut HashMap<i64, (i16, LinkCard)>,
    (row, created_by, first_published_at): CardColumns,
    context: LoadContext<'_>,
) -> Result<(), Error> {
    let (live, scheduled) = (stage_number(Stage::Live), stage_number(Stage::Scheduled));
    let now = context.now.millis();
    let begun = row.live_from.is_some_and(|from| from <= now);
    let ended = row.live_until.is_some_and(|until| until <= now);
    let card_state = match (row.stage, begun, ended) {
        (stage, true, false) if stage >= live => CardState::Live,
        (stage, false, _) if stage == scheduled => CardState::Scheduled,
        (stage, _, _) if stage >= live || first_published_at.is_some() => CardState::Withdrawn,
        _ => CardState::Draft,
    };
    // The next version of what readers see now is not shown in its place.
    if card_state != CardState::Live
        && cards.get(&row.article_id).is_some_and(|(_, card): &(i16, LinkCard)| card.state == CardState::Live)
    {
        return Ok(());
    }
    let is_hidden = match context.audience {
        Audience::Readers => card_state != CardState::Live,
        Audience::Everybody => false,
        Audience::Staff(user) => {
            matches!(card_state, CardState::Draft | CardState::Scheduled)
                && user.role == Role::Contributor
                && created_by != user.id.get()
        }
    };
    if is_hidden {
        return Ok(());
    }
    let section = row.section_id.and_then(|id| section_card(context.site, id));
    let date = first_published_at.map_or(context.now, Instant::from_millis);
    let section_path = section.as_ref().map(|section| section.path.as_str());
    let path = context.site.permalink.path(ArticleId::new(row.article_id), &row.slug, section_path, date);
    let card = LinkCard {
        headline: row.headline,
        url: Some(format!("{}{path}", context.site.url)),
        path: Some(path),
        standfirst: row.standfirst,
        lead_image: row.lead_image.as_deref().map(|image| from_json("lead_image", image)).transpose()?,
        section,
        published_at: row.published_at.map(Instant::from_millis),
        scheduled_for: match card_state {
            CardState::Scheduled => row.live_from.map(Instant::from_millis),
            _ => None,
        },
        state: card_state,
    };
    cards.insert(row.article_id, (row.stage, card));
    Ok(())
}

/// The cards of those of these articles that readers can see.
pub fn public_cards(
    db: &mut Db,
    ids: &[ArticleId],
    context: LoadContext<'_>,
) -> Result<HashMap<ArticleId, LinkCard>, Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let cards = cards(db, &ids, LoadContext { audience: Audience::Readers, ..context })?;
    Ok(cards.into_iter().map(|(id, (_, card))| (ArticleId::new(id), card)).collect())
}

/// The links of a page of documents, by article.
#[derive(Debug, Default)]
pub struct Links {
    /// In order; for readers without those whose target they cannot see.
    pub shown: HashMap<i64, Vec<RelatedLink>>,
    /// The targets that readers cannot see now.
    pub hidden: HashMap<i64, Vec<ArticleId>>,
}

/// The links of a page of documents, in one statement with the cards of their targets.
pub fn links_of(db: &mut Db, ids: &[i64], stage: i16, context: LoadContext<'_>) -> Result<Links, Error> {
    let shown_from = match context.audience {
        Audience::Readers => stage_number(Stage::Live),
        Audience::Staff(_) | Audience::Everybody => stage_number(Stage::Draft),
    };
    type Columns = (LinkRow, Option<CardRow>, Option<i64>, Option<i64>);
    // Each link comes with each document of its target, as in `cards`.
    let columns: Vec<Columns> = load_among!(
        db,
        related_links::table
            .left_join(
                contents::table.on(contents::article_id
                    .nullable()
                    .eq(related_links::target_article_id)
                    .and(contents::stage.ge(shown_from)))
            )
            .left_join(articles::table.on(articles::id.eq(contents::article_id)))
            .filter(related_links::stage.eq(stage))
            .order((related_links::article_id, related_links::position, contents::stage))
            .select((
                LinkRow::as_select(),
                Option::<CardRow>::as_select(),
                articles::created_by.nullable(),
                articles::first_published_at.nullable(),
            )),
        related_links::article_id,
        ids
    )?;
    let (mut rows, mut cards) = (Vec::<LinkRow>::new(), HashMap::new());
    for (link, document, created_by, first_published_at) in columns {
        if let (Some(document), Some(created_by)) = (document, created_by) {
            add_card(&mut cards, (document, created_by, first_published_at), context)?;
        }
        if rows.last().is_none_or(|last| last.id != link.id) {
            rows.push(link);
        }
    }
    let mut links = Links::default();
    for row in rows {
        let (article, position) = (row.article_id, row.position);
        let link = row.link()?;
        let card = match &link.target {
            LinkTarget::External { url, title } => bare_card(title, Some(url.clone()), CardState::Live),
            LinkTarget::Article(id) => match cards.get(&id.get()) {
                Some((_, card)) => card.clone(),
                None => bare_card("", None, CardState::Draft),
            },
            LinkTarget::Deleted { title } => bare_card(title, None, CardState::Withdrawn),
        };
        if card.state == CardState::Live || !matches!(context.audience, Audience::Readers) {
            links.shown.entry(article).or_default().push(RelatedLink { link, position, card });
        } else if let LinkTarget::Article(id) = link.target {
            links.hidden.entry(article).or_default().push(id);
        }
    }
    Ok(links)
}

/// The card of something of which nothing but this is known.
fn bare_card(headline: &str, url: Option<String>, state: CardState) -> LinkCard {
    LinkCard {
        headline: headline.to_owned(),
        url,
        path: None,
        standfirst: None,
        lead_image: None,
        section: None,
        published_at: None,
        scheduled_for: None,
        state,
    }
}

/// Gives links of an old document cards of their targets as those are now. A target that is no more keeps its headline.
pub fn refresh(
    db: &mut Db,
    mut links: Vec<RelatedLink>,
    context: LoadContext<'_>,
) -> Result<Vec<RelatedLink>, Error> {
    let targets = links.iter().filter_map(|related| match related.link.target {
        LinkTarget::Article(id) => Some(id.get()),
        _ => None,
    });
    let targets: Vec<i64> = targets.collect();
    let cards = cards(db, &targets, context)?;
    for related in &mut links {
        let LinkTarget::Article(id) = related.link.target else { continue };
        related.card = match cards.get(&id.get()) {
            Some((_, card)) => card.clone(),
            None => {
                let title = std::mem::take(&mut related.card.headline);
                let card = bare_card(&title, None, CardState::Withdrawn);
                related.link.target = LinkTarget::Deleted { title };
                card
            }
        };
    }
    Ok(links)
}

/// Who links to an article: for readers the live documents that they can see, for editors the drafts too.
pub fn inbound(db: &mut Db, id: ArticleId, context: LoadContext<'_>) -> Result<Vec<InboundLink>, Error> {
    let mut query = related_links::table.filter(related_links::target_article_id.eq(id.get())).into_boxed();
    if matches!(context.audience, Audience::Readers) {
        query = query.filter(related_links::stage.ge(stage_number(Stage::Live)));
    }
    // A link that stands in several stages is told once, as readers see it or will see it.
    let rows: Vec<LinkRow> = query
        .order((related_links::id.desc(), related_links::stage.desc()))
        .limit(3 * 500)
        .select(LinkRow::as_select())
        .load(db)?;
    let mut sources: Vec<i64> = rows.iter().map(|row| row.article_id).collect();
    sources.sort_unstable();
    sources.dedup();
    let cards = cards(db, &sources, context)?;
    let mut inbound = Vec::<InboundLink>::new();
    for row in rows {
        if inbound.last().is_some_and(|last| last.id.get() == row.id) {
            continue;
        }
        let Some((stage, card)) = cards.get(&row.article_id) else { continue };
        // A link of a version that readers do not see yet, or no more, is not theirs.
        if matches!(context.audience, Audience::Readers) && *stage != row.stage {
            continue;
        }
        let article_id = ArticleId::new(row.article_id);
        let link = row.link()?;
        inbound.push(InboundLink {
            id: link.id,
            label: link.label,
            kind: link.kind,
            block_id: link.block_id,
            article_id,
            card: card.clone(),
        });
    }
    Ok(inbound)
}

/// Keeps the headline of an article that is about to be deleted in the links that lead to it.
pub fn delete_target(db: &mut Db, id: ArticleId, headline: &str) -> Result<(), Error> {
    let links = related_links::table.filter(related_links::target_article_id.eq(id.get()));
    diesel::update(links)
        .set((related_links::target_article_id.eq(None::<i64>), related_links::title.eq(headline)))
        .execute(db)?;
    Ok(())
}
