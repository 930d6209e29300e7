//! Previews: a draft for somebody without an account. Whoever has the token reads; only its hash is kept.

use secrecy::SecretString;

use super::{ArticleView, EditRequest, readable_record};
use crate::{
    domain::{
        article::{Article, ArticleRecord, Include, Stage},
        change::Entity,
        error::Error,
        id::{ArticleId, PreviewId},
        instant::Instant,
        permission::{Action, require_on_article},
        preview::{MAX_PREVIEWS, NewPreview, Preview},
        slug::Reference,
        user::{Principal, UserCard},
    },
    service::{Newsroom, auth},
    store::{
        articles::{self, Audience, LoadContext, previews},
        conn::Db,
        slugs,
    },
};

/// What tokens of previews begin with, so that people and scanners of secrets know them.
const PREFIX: &str = "mhp_";

/// A preview that has just been made, with its token, which nobody can read again.
#[derive(Debug)]
pub struct PreviewLink {
    /// The preview.
    pub preview: Preview,
    /// Its article.
    pub article: ArticleId,
    /// The address of the article on the site.
    pub url: String,
    /// The token.
    pub token: SecretString,
}

/// Makes a link under which anybody can read a draft, as it is now or as it is when they read it.
///
/// # Errors
/// 403, 404; 409 for a retracted or archived article and one that has too many.
pub async fn create_preview(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    new: NewPreview,
) -> Result<PreviewLink, Error> {
    let token = auth::random_token(PREFIX)?;
    let on = EditRequest { principal, reference, version: None, merge: false };
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (user, record) = on.begin(db, &room, Action::Preview)?;
            let (now, id) = (room.clock.now(), PreviewId::new(room.ids.next()));
            if !record.position_at(now).is_editable() {
                return Err(Error::conflict(format!(
                    "The article is {}: reopen it to show it to others.",
                    record.state
                )));
            }
            previews::delete_expired(db, record.id, now)?;
            if previews::list(db, record.id, now)?.len() >= MAX_PREVIEWS {
                return Err(Error::conflict(format!(
                    "The article has {MAX_PREVIEWS} previews already: revoke one."
                )));
            }
            let draft = draft(db, &room, record.id)?;
            let preview = Preview {
                id,
                note: new.note,
                version: new.pinned.then_some(draft.version),
                created_by: UserCard { id: user.id, name: user.name.clone() },
                created_at: now,
                expires_at: Instant::from_millis(now.millis().saturating_add(new.expires_in * 1000)),
                opened_count: 0,
                last_opened_at: None,
            };
            let snapshot = new.pinned.then_some(&draft);
            previews::insert(db, record.id, &preview, &auth::token_hash(&token), snapshot)?;
            Ok(PreviewLink { preview, article: record.id, url: draft.url, token })
        })
        .await
}

/// The draft as the holder of a link sees it: with everything that it links to.
fn draft(db: &mut Db, room: &Newsroom, id: ArticleId) -> Result<Article, Error> {
    let (site, now) = (room.site.get(db)?, room.clock.now());
    let context = LoadContext { site: &site, now, audience: Audience::Everybody, include: Include::ALL };
    articles::get(db, id, Stage::Draft, context)?.ok_or_else(|| Error::not_found("article"))
}

/// The record of an article to which the caller may make previews.
fn previewable(db: &mut Db, principal: &Principal, reference: &Reference) -> Result<ArticleRecord, Error> {
    let user = principal.user()?;
    let record = readable_record(db, principal, reference, false)?;
    require_on_article(user, Action::Preview, record.standing(user.id))?;
    Ok(record)
}

/// The previews of an article that have not ended, the newest first.
///
/// # Errors
/// 401, 403, 404.
pub async fn list_previews(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<Vec<Preview>, Error> {
    let now = newsroom.clock.now();
    newsroom
        .store
        .read(move |db| {
            let record = previewable(db, &principal, &reference)?;
            previews::list(db, record.id, now)
        })
        .await
}

/// One preview of an article.
///
/// # Errors
/// As [`list_previews`]; 404 if there is no such preview or it has ended.
pub async fn get_preview(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: PreviewId,
) -> Result<Preview, Error> {
    let previews = list_previews(newsroom, principal, reference).await?;
    previews.into_iter().find(|preview| preview.id == id).ok_or_else(|| Error::not_found("preview"))
}

/// Revokes a preview: its link leads nowhere from now on.
///
/// # Errors
/// As [`get_preview`].
pub async fn delete_preview(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
    id: PreviewId,
) -> Result<(), Error> {
    newsroom
        .store
        .write(move |db| {
            let record = previewable(db, &principal, &reference)?;
            if previews::delete(db, record.id, id)? { Ok(()) } else { Err(Error::not_found("preview")) }
        })
        .await
}

/// The draft that the holder of a token may read, and counts that they did. Links are shown as they are now, also those
/// to articles that readers do not see.
///
/// A name that no article has is taken for a former slug of the draft, which readers never saw.
///
/// # Errors
/// 404, the same whether there is no such article, no such token, one of another article, or one that has ended; also
/// while the article is retracted or archived.
pub async fn open_preview(
    newsroom: &Newsroom,
    reference: Reference,
    token: SecretString,
) -> Result<ArticleView, Error> {
    let absent = || Error::not_found("article");
    let (now, token_hash) = (newsroom.clock.now(), auth::token_hash(&token));
    // Looked at before anything is written, so that nobody without a token can hold up those who write.
    let hash = token_hash.clone();
    if !newsroom.store.read(move |db| previews::is_valid(db, &hash, now)).await? {
        return Err(absent());
    }
    let room = newsroom.clone();
    newsroom
        .store
        .write(move |db| {
            let (id, pinned) = previews::open(db, &token_hash, now)?.ok_or_else(absent)?;
            let named = slugs::resolve(db, Entity::Article, std::slice::from_ref(&reference))?;
            if named.into_iter().flatten().any(|named| named != id.get()) {
                return Err(absent());
            }
            let record = articles::find_record(db, id)?.ok_or_else(absent)?;
            if !record.position_at(now).is_editable() {
                return Err(absent());
            }
            let mut article = match pinned {
                Some(pinned) => refreshed(db, &room, pinned)?,
                None => draft(db, &room, id)?,
            };
            let live = record.live.filter(|dates| dates.is_visible_at(now));
            article.published_at = live.map(|dates| dates.published_at);
            Ok(ArticleView { article, workflow: None })
        })
        .await
}

/// A pinned document with cards of what it links to as that is now.
fn refreshed(db: &mut Db, room: &Newsroom, pinned: Article) -> Result<Article, Error> {
    let (site, now) = (room.site.get(db)?, room.clock.now());
    let context =
        LoadContext { site: &site, now, audience: Audience::Everybody, include: Include::default() };
    let links = pinned.links.map(|links| articles::refresh(db, links, context)).transpose()?;
    Ok(Article { links, ..pinned })
}
