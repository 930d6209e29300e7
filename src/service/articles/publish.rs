//! Publish and withdraw.

use std::collections::BTreeSet;

use super::{ArticleView, EditRequest, allowed_actions, changed_draft, load, load_draft};
use crate::{
    domain::{
        article::{Article, ArticleRecord, Document, Stage},
        change::{Change, ChangeKind, Entity, surrogate_key},
        error::{Error, Faults},
        instant::Instant,
        permission::Action,
        user::User,
        workflow::{State, Transition},
    },
    service::Newsroom,
    store::{
        articles::{self, Dates},
        changes, slugs,
    },
};

/// The state after a step, or 409 with the steps that are open.
fn step(user: &User, record: &ArticleRecord, transition: Transition) -> Result<State, Error> {
    record.state.after(transition).ok_or_else(|| Error::InvalidTransition {
        detail: format!("The article is {}: there is nothing to {}.", record.state, transition.as_str()),
        allowed_actions: allowed_actions(user, record),
    })
}

/// What keeps a draft from being published.
fn blockers(article: &Article, document: &Document) -> Faults {
    let mut faults = Faults::default();
    if article.section.is_none() {
        faults.add(
            "/section",
            "no_section",
            "the article has no section, so it would have no place on the site",
        );
    }
    if document.body.iter().all(|section| section.blocks.is_empty()) {
        faults.add("/body", "no_body", "the article has no text");
    }
    faults
}

/// The keys of all that shows an article.
fn surrogate_keys(articles: &[&Article]) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for article in articles {
        keys.insert(surrogate_key(Entity::Article, article.id.get()));
        let sections = article.section.iter().chain(&article.sections);
        keys.extend(sections.map(|section| surrogate_key(Entity::Section, section.id.get())));
        keys.extend(article.tags.iter().map(|tag| surrogate_key(Entity::Tag, tag.id.get())));
        let authors = article.bylines.iter().filter_map(|byline| byline.author.as_ref());
        keys.extend(authors.map(|author| surrogate_key(Entity::Author, author.id.get())));
    }
    keys.into_iter().collect()
}

/// Makes the draft what readers see.
///
/// # Errors
/// 403, 404; 412 if `version` is given and is not that of the draft; 422 `not_ready` with what is missing; 422 if
/// `published_at` lies in the future.
pub async fn publish(
    newsroom: &Newsroom,
    on: EditRequest,
    published_at: Option<Instant>,
) -> Result<ArticleView, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, Action::Publish)?;
            let (principal, now) = (&on.principal, room.clock.now());
            let state = step(user, &record, Transition::Publish)?;
            if published_at.is_some_and(|instant| instant > now) {
                return Err(Error::invalid("/published_at", "in_future", "must not be in the future"));
            }
            let draft = load_draft(db, &room, principal, record.id)?;
            let document = Document::of(&draft)?;
            let faults = blockers(&draft, &document);
            if !faults.is_empty() {
                return Err(Error::NotReady(faults.into_vec()));
            }

            let live = load(db, &room, principal, record.id, Stage::Live)?;
            let kept = live.as_ref().and_then(|live| live.published_at);
            let published_at = published_at.or(kept).unwrap_or(now);
            let dates = Dates {
                live_from: live.as_ref().and_then(|live| live.live_from).or(Some(now)),
                live_until: None,
                published_at: Some(published_at),
                updated_at: now,
                listed_at: published_at,
            };
            // Lists are sorted by publication: another date moves the article in all of them.
            let old = live.as_ref().filter(|_| kept == Some(published_at)).map(Document::of).transpose()?;
            let first_published_at = record.first_published_at.unwrap_or(published_at);
            slugs::publish(db, Entity::Article, document.slug.as_str())?;
            articles::save(db, record.id, Stage::Live, record.version, dates, &document, old.as_ref())?;
            articles::set_state(db, record.id, state, Some(record.version), Some(first_published_at))?;

            let published = load(db, &room, principal, record.id, Stage::Live)?;
            let published =
                published.ok_or_else(|| Error::Internal("a published article cannot be read".to_owned()))?;
            let shown: Vec<&Article> = live.iter().chain([&published]).collect();
            let change = Change {
                kind: if live.is_some() { ChangeKind::Updated } else { ChangeKind::Created },
                entity: Entity::Article,
                entity_id: record.id.get(),
                old_path: live.as_ref().map(|live| live.path.clone()).filter(|path| *path != published.path),
                surrogate_keys: surrogate_keys(&shown),
                path: Some(published.path),
                at: now,
                actor: Some(user.id),
            };
            changes::record(db, &change)?;
            changed_draft(db, &room, principal, record.id)
        })
        .await
}

/// Takes an article away from readers. The draft stays.
///
/// # Errors
/// 403, 404; 409 if readers do not see it; 412 if `version` is given and is not that of the draft.
pub async fn unpublish(newsroom: &Newsroom, on: EditRequest) -> Result<ArticleView, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, Action::Unpublish)?;
            let principal = &on.principal;
            let state = step(user, &record, Transition::Unpublish)?;
            let live = load(db, &room, principal, record.id, Stage::Live)?;
            articles::remove_live(db, record.id)?;
            articles::set_state(db, record.id, state, None, record.first_published_at)?;
            let change = Change {
                kind: ChangeKind::Removed,
                entity: Entity::Article,
                entity_id: record.id.get(),
                path: None,
                surrogate_keys: surrogate_keys(&live.iter().collect::<Vec<_>>()),
                old_path: live.map(|live| live.path),
                at: room.clock.now(),
                actor: Some(user.id),
            };
            changes::record(db, &change)?;
            changed_draft(db, &room, principal, record.id)
        })
        .await
}
