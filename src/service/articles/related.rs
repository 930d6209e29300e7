//! What readers may want to read next to an article.

use std::collections::BTreeSet;

use super::get_live;
use crate::{
    domain::{
        article::{Article, Include},
        error::Error,
        link::LinkTarget,
        related::{LOOKED_AT, MAX_TAGS, Related, RelatedSource, Shelves, rank},
        slug::Reference,
    },
    service::Newsroom,
    store::articles::{self, Audience, LoadContext, Shelf},
};

/// What is related to an article as readers see it: what editors link to, in their order, then what has most in common with
/// it. `source` keeps one of the two. The number of statements does not depend on what there is.
///
/// # Errors
/// 404, 410 and [`Error::Moved`] as for the article.
pub async fn list_related(
    newsroom: &Newsroom,
    reference: Reference,
    source: Option<RelatedSource>,
    limit: usize,
) -> Result<(Article, Vec<Related>), Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let site = room.site.get(db)?;
            let (now, audience) = (room.clock.now(), Audience::Readers);
            let include = Include { related: true, ..Include::default() };
            let context = LoadContext { site: &site, now, audience, include };
            let article = get_live(db, &reference, context)?;

            let mut linked = BTreeSet::new();
            let mut related = Vec::new();
            for link in article.links.iter().flatten() {
                // An inline link may stand beside a listed one to the same article.
                let is_new = match link.link.target {
                    LinkTarget::Article(id) => id != article.id && linked.insert(id),
                    LinkTarget::External { .. } | LinkTarget::Deleted { .. } => true,
                };
                if is_new && source != Some(RelatedSource::Auto) {
                    related.push(Related::Linked(Box::new(link.clone())));
                }
            }
            related.truncate(limit);
            if source == Some(RelatedSource::Editor) || related.len() == limit {
                return Ok((article, related));
            }

            let tags = article.tags.iter().take(MAX_TAGS).map(|tag| Shelf::tag(tag.id.get(), LOOKED_AT));
            let section = article.section.iter();
            let section = section.map(|section| Shelf::section_exact(section.id.get(), LOOKED_AT));
            let shelves: Vec<_> = tags.chain(section).collect();
            let mut by_tag = articles::newest(db, &shelves, now)?;
            let by_section = by_tag.split_off(article.tags.len().min(MAX_TAGS)).pop().unwrap_or_default();
            let mut found = rank(&article, &Shelves { by_tag, by_section }, &linked);
            found.truncate(limit - related.len());
            let ids: Vec<_> = found.iter().map(|found| found.id).collect();
            let mut cards = articles::public_cards(db, &ids, context)?;
            related.extend(found.into_iter().filter_map(|found| {
                let card = cards.remove(&found.id)?;
                Some(Related::Found(found, Box::new(card)))
            }));
            Ok((article, related))
        })
        .await
}
