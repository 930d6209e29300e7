//! Articles: read, write, publish.

mod act;
mod body;
mod bulk;
mod corrections;
mod edit;
mod history;
mod links;
mod member;
mod notes;
mod preflight;
mod previews;
mod publish;
mod related;
mod search;

use std::collections::HashMap;

pub use self::{
    act::{Command, Done, Outcome, Publication, act, delete},
    body::{
        BlockPlace, delete_block, delete_section, edit_body, insert_block, insert_section, order_sections,
        replace_block, replace_section,
    },
    bulk::{BulkAction, BulkItem, BulkResult, bulk},
    corrections::{
        create_correction, delete_correction, get_correction, list_corrections, update_correction,
    },
    edit::{EditRequest, create, update},
    history::{compare_revisions, get_as_of, get_revision, list_as_of, list_revisions, restore, save_point},
    links::{create_link, delete_link, inbound, order_links, update_link},
    member::{check_member, inbound_of, let_go, publish_member, unpublish_member},
    notes::{
        acquire_lock, assign, create_note, delete_note, get_lock, get_note, list_notes, release_lock,
        update_note,
    },
    preflight::{check_findings, preflight},
    previews::{PreviewLink, create_preview, delete_preview, get_preview, list_previews, open_preview},
    publish::{keep_live, lock_settled, next_due, record_change, settle_due},
    related::list_related,
    search::{FoundArticle, SearchRequest, SearchResult, search},
};
use super::Newsroom;
use crate::{
    domain::{
        article::{
            Article, ArticleFilter, ArticleOrder, ArticleRecord, AssigneeFilter, Include, LiveDates, Stage,
            Workflow,
        },
        change::Entity,
        error::{Error, ErrorCode},
        id::{ArticleId, UserId},
        instant::Instant,
        page::{Page, PageRequest},
        permission::{Action, Grant, Standing, allows, credential_allows, require_on_article},
        slug::Reference,
        surrogate::SurrogateKeys,
        user::{Actor, Principal, UserCard},
        workflow::Step,
    },
    store::{
        articles::{self, Audience, LoadContext},
        conn::Db,
        slugs, users,
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

/// The longest page that is looked up at once.
const QUICK: u32 = 25;

impl ArticleListRequest {
    /// Whether it takes no longer than to have it done elsewhere: a short page of the newest articles, of all or of one
    /// thing, which a walk along one index finds however many there are, with nothing beside the rows.
    fn is_quick(&self) -> bool {
        let ArticleFilter {
            section,
            any_tag,
            all_tags,
            author,
            kinds,
            published_after,
            published_before,
            ..
        } = &self.filter;
        let named = [any_tag.len(), all_tags.len(), kinds.len(), section.iter().len(), author.iter().len()];
        let is_one_walk = named.iter().sum::<usize>() <= 1
            && !self.filter.is_narrow()
            && published_after.or(*published_before).is_none()
            && self.order == ArticleOrder::PublishedAt;
        let Include { body, related, corrections } = self.include;
        let is_plain = !(body || related || corrections || self.page.count) && self.page.offset() == 0;
        self.stage == Stage::Live && self.page.limit <= QUICK && is_one_walk && is_plain
    }
}

/// What a user may do to an article now.
fn allowed_actions(user: &Actor, record: &ArticleRecord, now: Instant) -> Vec<&'static str> {
    let position = record.position_at(now);
    // What was due counts, whether or not it has been recorded yet.
    let standing = Standing { ever_published: position.ever_published, ..record.standing(user.id) };
    let may = |action| allows(user, action, standing);
    let mut actions = Vec::new();
    if may(Action::EditDraft) && position.is_editable() {
        actions.push("edit");
    }
    let steps = [
        (Step::Submit, Action::Submit),
        (Step::Return, Action::Return),
        (Step::Publish, Action::Publish),
        (Step::Unschedule, Action::Publish),
        (Step::Unpublish, Action::Unpublish),
        (Step::Discard, Action::Discard),
        (Step::Retract, Action::Retract),
        (Step::Archive, Action::Archive),
        (Step::Reopen, Action::Archive),
    ];
    // What a scheduled release holds changes with the release only.
    if record.release.is_none() {
        let open = steps.iter().filter(|(step, action)| may(*action) && position.after(*step).is_some());
        actions.extend(open.map(|(step, _)| step.as_str()));
        if may(Action::DeleteArticle) && position.is_deletable() {
            actions.push("delete");
        }
    }
    actions
}

/// Adds the workflow to articles whose draft the user may read. Four statements whatever their number.
fn with_workflow(
    db: &mut Db,
    user: &Actor,
    articles: Vec<Article>,
    now: Instant,
) -> Result<Vec<ArticleView>, Error> {
    let ids: Vec<ArticleId> = articles.iter().map(|article| article.id).collect();
    let records: HashMap<_, _> =
        articles::records(db, &ids)?.into_iter().map(|record| (record.id, record)).collect();
    let assignees = records.values().filter_map(|record| record.assignee).collect::<Vec<_>>();
    let assignees = users::cards(db, &assignees)?;
    let view = |article: Article| {
        let record = records.get(&article.id)?;
        Some(view(user, article, record, &assignees, now))
    };
    Ok(articles.into_iter().filter_map(view).collect())
}

/// An article of which the record is at hand, with its workflow if the user may read its draft.
fn view_with(
    db: &mut Db,
    user: &Actor,
    article: Article,
    record: &ArticleRecord,
    now: Instant,
) -> Result<ArticleView, Error> {
    let assignees = users::cards(db, record.assignee.as_slice())?;
    Ok(view(user, article, record, &assignees, now))
}
fn view(
    user: &Actor,
    mut article: Article,
    record: &ArticleRecord,
    assignees: &[UserCard],
    now: Instant,
) -> ArticleView {
    let (took_effect, to_come) = match record.scheduled {
        Some(dates) if dates.live_from <= now => (Some(dates), None),
        scheduled => (None, scheduled),
    };
    let live = took_effect.or(record.live).filter(|dates| dates.is_visible_at(now));
    if article.stage == Stage::Draft {
        article.published_at = live.or(to_come).map(|dates| dates.published_at);
    }
    let may_read = allows(user, Action::ReadDraft, record.standing(user.id));
    let assignee = record.assignee.and_then(|id| assignees.iter().find(|user| user.id == id).cloned());
    let workflow = may_read.then(|| workflow(user, record, live, assignee, now));
    ArticleView { article, workflow }
}

fn workflow(
    user: &Actor,
    record: &ArticleRecord,
    live: Option<LiveDates>,
    assignee: Option<UserCard>,
    now: Instant,
) -> Workflow {
    let position = record.position_at(now);
    Workflow {
        state: position.state,
        live_from: live.map(|dates| dates.live_from),
        live_until: live.and_then(|dates| dates.live_until),
        has_unpublished_changes: live.is_some() && position.has_changes,
        live_version: live.map(|dates| dates.version),
        draft_version: record.version,
        scheduled: record.scheduled.filter(|_| position.has_scheduled),
        release: record.release.filter(|_| position.has_scheduled || live.is_some()),
        retraction_reason: record.retraction_reason.clone(),
        allowed_actions: allowed_actions(user, record, now),
        created_by: record.created_by,
        assignee,
    }
}

/// As [`with_workflow`], for whoever is asking.
fn views(
    db: &mut Db,
    principal: &Principal,
    articles: Vec<Article>,
    now: Instant,
) -> Result<Vec<ArticleView>, Error> {
    match principal {
        Principal::User(user) => with_workflow(db, user, articles, now),
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

/// The id of an article that the principal may read, live or as a draft.
fn readable_id(
    db: &mut Db,
    room: &Newsroom,
    principal: &Principal,
    reference: &Reference,
) -> Result<ArticleId, Error> {
    if !principal.is_anonymous()
        && let Ok(record) = readable_record(db, principal, reference, false)
    {
        return Ok(record.id);
    }
    let site = room.site.get(db)?;
    let (now, audience) = (room.clock.now(), Audience::from(principal));
    let context = LoadContext { site: &site, now, audience, include: Include::default() };
    get_live(db, reference, context).map(|article| article.id)
}

/// A page of articles, and what it changes with. Drafts and scheduled versions are for those who may read drafts: a contributor's own,
/// everybody's for others.
///
/// # Errors
/// 401 for drafts without credentials.
pub async fn list(
    newsroom: &Newsroom,
    principal: Principal,
    request: ArticleListRequest,
) -> Result<(Page<ArticleView>, SurrogateKeys), Error> {
    let now = newsroom.clock.now();
    list_at(newsroom, principal, request, now).await
}

/// As [`list`], as things stand at an instant.
async fn list_at(
    newsroom: &Newsroom,
    principal: Principal,
    request: ArticleListRequest,
    now: Instant,
) -> Result<(Page<ArticleView>, SurrogateKeys), Error> {
    let only_own = only_own(&principal, request.stage)?;
    let mut request = request;
    request.filter = meaning(request.filter, &principal)?;
    let (site, is_quick) = (newsroom.site.clone(), request.is_quick() && newsroom.site.is_at_hand());
    // What else there is to tell to those who work here is in other tables.
    let is_one_statement = principal.is_anonymous();
    let read = move |db: &mut Db| {
        let site = site.get(db)?;
        let audience = Audience::from(&principal);
        let context = LoadContext { site: &site, now, audience, include: request.include };
        let order = (request.order, request.descending, request.sort.as_str());
        let (page, keys) =
            articles::list(db, request.stage, &request.filter, order, only_own, &request.page, context)?;
        let Page { items, limit, next, prev, total } = page;
        Ok((Page { items: views(db, &principal, items, now)?, limit, next, prev, total }, keys))
    };
    match is_quick {
        true if is_one_statement => newsroom.store.glance(read).await,
        true => newsroom.store.look_up(read).await,
        false => newsroom.store.read(read).await,
    }
}

/// Whose documents of a stage the principal may list: everybody's, or only those of this user.
fn only_own(principal: &Principal, stage: Stage) -> Result<Option<UserId>, Error> {
    match stage {
        Stage::Live => Ok(None),
        Stage::Draft | Stage::Scheduled => {
            let user = principal.user()?;
            if !credential_allows(&user.credential, Action::ReadDraft) {
                return Err(Error::insufficient_scope(Action::ReadDraft.scopes()));
            }
            Ok((Action::ReadDraft.grant(user.role) != Grant::All).then_some(user.id))
        }
    }
}

/// The filter as the principal means it.
fn meaning(mut filter: ArticleFilter, principal: &Principal) -> Result<ArticleFilter, Error> {
    if filter.assignee == Some(AssigneeFilter::Me) {
        filter.assignee = Some(AssigneeFilter::User(principal.user()?.id));
    }
    Ok(filter)
}

/// One article in one stage.
///
/// # Errors
/// 404 if there is none or the caller may not see it; 410 for a retracted one; [`Error::Moved`] for a former slug; 401 for
/// a draft without credentials.
pub async fn get(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    stage: Stage,
) -> Result<ArticleView, Error> {
    let now = newsroom.clock.now();
    get_at(newsroom, principal, reference, stage, now).await
}

/// As [`get`], as things stand at an instant.
async fn get_at(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    stage: Stage,
    now: Instant,
) -> Result<ArticleView, Error> {
    let site = newsroom.site.clone();
    let read = move |db: &mut Db| {
        let site = site.get(db)?;
        let audience = Audience::from(&principal);
        let context = LoadContext { site: &site, now, audience, include: Include::ALL };
        let article = match stage {
            Stage::Live => get_live(db, &reference, context)?,
            Stage::Draft | Stage::Scheduled => {
                let record = readable_record(db, &principal, &reference, false)?;
                articles::get(db, record.id, stage, context)?.ok_or_else(|| Error::not_found("article"))?
            }
        };
        views(db, &principal, vec![article], now)?.pop().ok_or_else(|| Error::not_found("article"))
    };
    match newsroom.site.is_at_hand() {
        true => newsroom.store.look_up(read).await,
        false => newsroom.store.read(read).await,
    }
}

fn get_live(db: &mut Db, reference: &Reference, context: LoadContext<'_>) -> Result<Article, Error> {
    let article = match reference {
        Reference::Id(id) => articles::get(db, ArticleId::new(*id), Stage::Live, context)?,
        Reference::Slug(slug) => articles::get_by_slug(db, slug, context)?,
    };
    let Some(article) = article else { return Err(absent(db, reference)?) };
    match reference {
        Reference::Slug(slug) if slug != article.slug.as_str() => {
            Err(Error::Moved { to: article.slug.into_string() })
        }
        _ => Ok(article),
    }
}

/// Why readers cannot see an article: it was taken back, or there is none that they may know of.
fn absent(db: &mut Db, reference: &Reference) -> Result<Error, Error> {
    let reason = articles::retraction_reason(db, reference)?;
    Ok(match reason {
        Some(reason) => Error::Other(ErrorCode::Retracted, reason),
        None => Error::not_found("article"),
    })
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
    let (audience, include) = (Audience::from(principal), Include::ALL);
    let context = LoadContext { site: &site, now: newsroom.clock.now(), audience, include };
    articles::get(db, id, stage, context)
}

/// The draft as it is after a change, for the answer.
fn changed_draft(
    db: &mut Db,
    newsroom: &Newsroom,
    principal: &Principal,
    id: ArticleId,
) -> Result<ArticleView, Error> {
    let (article, now) = (load_draft(db, newsroom, principal, id)?, newsroom.clock.now());
    views(db, principal, vec![article], now)?.pop().ok_or_else(|| Error::not_found("article"))
}
