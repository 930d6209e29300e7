//! Articles: read, write, publish.

mod body;
mod edit;
mod links;
mod publish;

use std::collections::HashMap;

pub use self::{
    body::{
        BlockPlace, delete_block, delete_section, edit_body, insert_block, insert_section, order_sections,
        replace_block, replace_section,
    },
    edit::{EditRequest, create, delete, update},
    links::{create_link, delete_link, inbound, order_links, update_link},
    publish::{publish, unpublish},
};
use super::Newsroom;
use crate::{
    domain::{
        article::{Article, ArticleFilter, ArticleOrder, ArticleRecord, Include, Stage, Workflow},
        change::Entity,
        error::Error,
        id::ArticleId,
        page::{Page, PageRequest},
        permission::{Action, Grant, allows, require_on_article},
        slug::Reference,
        user::{Principal, User},
        workflow::{State, Transition},
    },
    store::{
        articles::{self, LoadContext},
        conn::Db,
        slugs,
    },
};

/// An article, with its workflow for those who may read its draft.
#[derive(Debug, Clone)]
pub struct ArticleView {
    /// The document.
    pub article: Article,
    /// Where it stands.
    pub workflow: Option<Workflow>,
}

/// Which articles, in which order.
#[derive(Debug, Clone, Default)]
pub struct ArticleListRequest {
    /// Draft or live.
    pub stage: Stage,
    /// Narrowed to these.
    pub filter: ArticleFilter,
    /// In this order.
    pub order: ArticleOrder,
    /// The other way round.
    pub descending: bool,
    /// The name of the order, for cursors.
    pub sort: String,
    /// With these parts.
    pub include: Include,
    /// Which page.
    pub page: PageRequest,
}

/// What a user may do to an article now.
fn allowed_actions(user: &User, record: &ArticleRecord) -> Vec<&'static str> {
    let standing = record.standing(user.id);
    let may = |action| allows(user, action, standing);
    let mut actions = Vec::new();
    if may(Action::EditDraft) {
        actions.push("edit");
    }
    for (transition, action) in
        [(Transition::Publish, Action::Publish), (Transition::Unpublish, Action::Unpublish)]
    {
        if may(action) && record.state.after(transition).is_some() {
            actions.push(transition.as_str());
        }
    }
    if may(Action::DeleteArticle) && record.state != State::Published {
        actions.push("delete");
    }
    actions
}

/// Adds the workflow to articles whose draft the user may read. Three statements whatever their number.
fn with_workflow(db: &mut Db, user: &User, articles: Vec<Article>) -> Result<Vec<ArticleView>, Error> {
    let ids: Vec<ArticleId> = articles.iter().map(|article| article.id).collect();
    let records: HashMap<_, _> =
        articles::records(db, &ids)?.into_iter().map(|record| (record.id, record)).collect();
    let dates = articles::live_dates(db, &ids)?;
    let view = |mut article: Article| {
        let record = records.get(&article.id)?;
        let dates = dates.get(&article.id);
        if article.stage == Stage::Draft {
            article.published_at = dates.map(|dates| dates.published_at);
        }
        let may_read = allows(user, Action::ReadDraft, record.standing(user.id));
        let workflow = may_read.then(|| Workflow {
            state: record.state,
            live_from: dates.map(|dates| dates.live_from),
            live_until: dates.and_then(|dates| dates.live_until),
            has_unpublished_changes: record.live_version.is_some_and(|live| live != record.version),
            live_version: record.live_version,
            draft_version: record.version,
            allowed_actions: allowed_actions(user, record),
            created_by: record.created_by,
        });
        Some(ArticleView { article, workflow })
    };
    Ok(articles.into_iter().filter_map(view).collect())
}

/// As [`with_workflow`], for whoever is asking.
fn views(db: &mut Db, principal: &Principal, articles: Vec<Article>) -> Result<Vec<ArticleView>, Error> {
    match principal {
        Principal::User(user) => with_workflow(db, user, articles),
        Principal::Anonymous => {
            Ok(articles.into_iter().map(|article| ArticleView { article, workflow: None }).collect())
        }
    }
}

/// The id that a reference to an article means.
fn resolve(db: &mut Db, reference: &Reference) -> Result<ArticleId, Error> {
    slugs::resolve_one(db, Entity::Article, reference).map(ArticleId::new)
}

/// The record of an article whose draft the principal may read, locked for a change if `lock`.
fn readable_record(
    db: &mut Db,
    principal: &Principal,
    reference: &Reference,
    lock: bool,
) -> Result<ArticleRecord, Error> {
    let user = principal.user()?;
    let id = resolve(db, reference)?;
    let record = if lock { articles::lock_record(db, id)? } else { articles::find_record(db, id)? };
    let record = record.ok_or_else(|| Error::not_found("article"))?;
    require_on_article(user, Action::ReadDraft, record.standing(user.id))?;
    Ok(record)
}

/// A page of articles. Drafts are for those who may read them: a contributor's own, everybody's for others.
///
/// # Errors
/// 401 for drafts without credentials.
pub async fn list(
    newsroom: &Newsroom,
    principal: Principal,
    request: ArticleListRequest,
) -> Result<Page<ArticleView>, Error> {
    let only_own = match request.stage {
        Stage::Live => None,
        Stage::Draft => {
            let user = principal.user()?;
            (Action::ReadDraft.grant(user.role) != Grant::All).then_some(user.id)
        }
    };
    let (site, now) = (newsroom.site.clone(), newsroom.clock.now());
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let context = LoadContext { site: &site, now, principal: &principal, include: request.include };
            let order = (request.order, request.descending, request.sort.as_str());
            let page =
                articles::list(db, request.stage, &request.filter, order, only_own, &request.page, context)?;
            let Page { items, limit, next, prev, total } = page;
            Ok(Page { items: views(db, &principal, items)?, limit, next, prev, total })
        })
        .await
}

/// One article in one stage.
///
/// # Errors
/// 404 if there is none or the caller may not see it; [`Error::Moved`] for a former slug; 401 for a draft without
/// credentials.
pub async fn get(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    stage: Stage,
) -> Result<ArticleView, Error> {
    let (site, now) = (newsroom.site.clone(), newsroom.clock.now());
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let include = Include { body: true, related: true };
            let context = LoadContext { site: &site, now, principal: &principal, include };
            let article = match stage {
                Stage::Live => get_live(db, &reference, context)?,
                Stage::Draft => {
                    let record = readable_record(db, &principal, &reference, false)?;
                    articles::get(db, record.id, Stage::Draft, context)?
                        .ok_or_else(|| Error::not_found("article"))?
                }
            };
            views(db, &principal, vec![article])?.pop().ok_or_else(|| Error::not_found("article"))
        })
        .await
}

fn get_live(db: &mut Db, reference: &Reference, context: LoadContext<'_>) -> Result<Article, Error> {
    let article = match reference {
        Reference::Id(id) => articles::get(db, ArticleId::new(*id), Stage::Live, context)?,
        Reference::Slug(slug) => articles::get_by_slug(db, slug, context)?,
    };
    let article = article.ok_or_else(|| Error::not_found("article"))?;
    match reference {
        Reference::Slug(slug) if slug != article.slug.as_str() => {
            Err(Error::Moved { to: article.slug.into_string() })
        }
        _ => Ok(article),
    }
}

/// The draft of an article with everything, inside a transaction that changes it.
fn load_draft(
    db: &mut Db,
    newsroom: &Newsroom,
    principal: &Principal,
    id: ArticleId,
) -> Result<Article, Error> {
    load(db, newsroom, principal, id, Stage::Draft)?.ok_or_else(|| Error::not_found("article"))
}

fn load(
    db: &mut Db,
    newsroom: &Newsroom,
    principal: &Principal,
    id: ArticleId,
    stage: Stage,
) -> Result<Option<Article>, Error> {
    let site = newsroom.site.get(db)?;
    let include = Include { body: true, related: true };
    let context = LoadContext { site: &site, now: newsroom.clock.now(), principal, include };
    articles::get(db, id, stage, context)
}

/// The draft as it is after a change, for the answer.
fn changed_draft(
    db: &mut Db,
    newsroom: &Newsroom,
    principal: &Principal,
    id: ArticleId,
) -> Result<ArticleView, Error> {
    let article = load_draft(db, newsroom, principal, id)?;
    views(db, principal, vec![article])?.pop().ok_or_else(|| Error::not_found("article"))
}
