//! The front of a section, or of the site: its newest articles, and those of each section below it, none of them twice.

use std::collections::HashSet;

use super::{Newsroom, sections};
use crate::{
    domain::{
        article::{Article, Include},
        error::Error,
        id::ArticleId,
        section::Section,
        slug::Reference,
    },
    store::{
        articles::{self, Audience, LoadContext, Shelf},
        sections as stored,
    },
};

/// Sections below that a front shows at most, the first in their order.
pub const MAX_PARTS: usize = 20;

/// The front of a section or of the site.
#[derive(Debug)]
pub struct Front {
    /// The section; none for the site.
    pub section: Option<Section>,
    /// The newest articles in it and below it.
    pub articles: Vec<Article>,
    /// The sections directly below it, in their order, each with its newest articles.
    pub parts: Vec<(Section, Vec<Article>)>,
}

/// The front of a section, or of the site if none is named. Two statements tell what is on it, as many as for a page of a
/// list what that looks like.
///
/// # Errors
/// 404 if there is no such section; [`Error::Moved`] for a former path.
pub async fn get(
    newsroom: &Newsroom,
    reference: Option<Reference>,
    limit: usize,
    per_section: usize,
) -> Result<Front, Error> {
    let room = newsroom.clone();
    newsroom
        .store
        .read(move |db| {
            let site = room.site.get(db)?;
            let section = reference.map(|reference| sections::find(db, &reference)).transpose()?;
            let id = section.as_ref().map(|section| section.id);
            let below = stored::all(db)?.into_iter().filter(|below| below.parent_id == id);
            let below: Vec<_> = below.take(MAX_PARTS).collect();

            let whole = match id {
                Some(id) => Shelf::section(id.get(), limit),
                None => Shelf::everything(limit),
            };
            // So many that enough are left when those are taken away that stand further up.
            let parts = below
                .iter()
                .zip(1..)
                .map(|(section, number)| Shelf::section(section.id.get(), limit + per_section * number));
            let shelves: Vec<_> = [whole].into_iter().chain(parts).collect();
            let now = room.clock.now();
            let mut seen = HashSet::new();
            let mut pick = |shelf: Vec<(ArticleId, _)>, most| {
                let new = shelf.into_iter().map(|(id, _)| id).filter(|id| !seen.contains(id));
                let picked: Vec<_> = new.take(most).collect();
                seen.extend(picked.iter().copied());
                picked
            };
            let mut picked = Vec::with_capacity(shelves.len());
            for (index, shelf) in articles::newest(db, &shelves, now)?.into_iter().enumerate() {
                picked.push(pick(shelf, if index == 0 { limit } else { per_section }));
            }
            let ids = picked.concat();
            let (audience, include) = (Audience::Readers, Include::default());
            let context = LoadContext { site: &site, now, audience, include };
            let mut found = articles::live_among(db, &ids, context)?;
            let mut lists = picked
                .into_iter()
                .map(|ids| ids.into_iter().filter_map(|id| found.remove(&id)).collect::<Vec<_>>());
            let articles = lists.next().unwrap_or_default();
            let parts = below.into_iter().zip(lists).collect();
            Ok(Front { section, articles, parts })
        })
        .await
}
