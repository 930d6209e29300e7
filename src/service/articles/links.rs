//! Related-article links, listed and inline.

use super::{
    ArticleView, EditRequest,
    edit::{edit, reorder},
    readable_id,
};
use crate::{
    domain::{
        article::Include,
        body::{Block, BlockContent},
        error::{Error, Faults},
        id::{BlockId, LinkId},
        link::{InboundLink, InlinePlace, Link, LinkChanges, NewLink},
        slug::Reference,
        user::Principal,
    },
    service::Newsroom,
    store::articles::{self, Audience, LoadContext},
};

/// Adds a link to a draft: listed beside the article, or with a place also as a `read_more` block of its body.
///
/// # Errors
/// 403, 404, 412 for a stale version, 422 for a target that is not there or an unknown block.
pub async fn create_link(
    newsroom: &Newsroom,
    on: EditRequest,
    new: NewLink,
    place: Option<InlinePlace>,
) -> Result<(ArticleView, LinkId), Error> {
    edit(newsroom, on, move |edit| {
        let mut faults = Faults::default();
        edit.check_target(&mut faults, "/target/article_id", &new.target)?;
        let id = LinkId::new(edit.newsroom.ids.next());
        let mut block_id = None;
        if let Some(InlinePlace { after }) = place {
            let block = BlockId::new(edit.newsroom.ids.next());
            let sections = edit.document.body.iter_mut();
            let found = sections.filter_map(|section| {
                let place = section.blocks.iter().position(|known| known.id == after)?;
                Some((section, place))
            });
            match found.into_iter().next() {
                Some((section, place)) => {
                    let content = BlockContent::ReadMore { link: id };
                    section.blocks.insert(place + 1, Block { id: block, content });
                    block_id = Some(block);
                }
                None => faults.add("/after_block", "unknown_block", "the body has no such block"),
            }
        }
        faults.check()?;
        let NewLink { label, kind, target } = new;
        edit.document.links.push(Link { id, label, kind, target, block_id });
        Ok(id)
    })
    .await
}

/// Edits a link of a draft.
///
/// # Errors
/// As [`create_link`].
pub async fn update_link(
    newsroom: &Newsroom,
    on: EditRequest,
    id: LinkId,
    changes: LinkChanges,
) -> Result<ArticleView, Error> {
    let updated = edit(newsroom, on, move |edit| {
        if let Some(target) = &changes.target {
            let mut faults = Faults::default();
            edit.check_target(&mut faults, "/target/article_id", target)?;
            faults.check()?;
        }
        let link = edit.document.links.iter_mut().find(|link| link.id == id);
        let link = link.ok_or_else(|| Error::not_found("link"))?;
        link.label = changes.label.unwrap_or_else(|| link.label.clone());
        link.kind = changes.kind.unwrap_or(link.kind);
        link.target = changes.target.unwrap_or_else(|| link.target.clone());
        Ok(())
    });
    updated.await.map(|(view, ())| view)
}

/// Takes a link off a draft, and its block out of the body.
///
/// # Errors
/// As [`create_link`].
pub async fn delete_link(newsroom: &Newsroom, on: EditRequest, id: LinkId) -> Result<ArticleView, Error> {
    let deleted = edit(newsroom, on, move |edit| {
        let before = edit.document.links.len();
        edit.document.links.retain(|link| link.id != id);
        if edit.document.links.len() == before {
            return Err(Error::not_found("link"));
        }
        for section in &mut edit.document.body {
            section.blocks.retain(|block| block.content != BlockContent::ReadMore { link: id });
        }
        Ok(())
    });
    deleted.await.map(|(view, ())| view)
}

/// Puts the links of a draft into another order; all must be named once.
///
/// # Errors
/// As [`create_link`].
pub async fn order_links(
    newsroom: &Newsroom,
    on: EditRequest,
    order: Vec<LinkId>,
) -> Result<ArticleView, Error> {
    let ordered = edit(newsroom, on, move |edit| reorder(&mut edit.document.links, &order, |link| link.id));
    ordered.await.map(|(view, ())| view)
}

/// Who links to an article, the newest links first: live ones for readers, drafts too for editors.
///
/// # Errors
/// 404 if the caller may not see the article.
pub async fn inbound(
    newsroom: &Newsroom,
    principal: Principal,
    reference: Reference,
) -> Result<Vec<InboundLink>, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let id = readable_id(db, &room, &principal, &reference)?;
            let site = room.site.get(db)?;
            let (now, audience) = (room.clock.now(), Audience::from(&principal));
            let context = LoadContext { site: &site, now, audience, include: Include::default() };
            articles::inbound(db, id, context)
        })
        .await
}
