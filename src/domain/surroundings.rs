//! What articles are shown with: the site, and the cards of its sections, tags and authors. They are few and change
//! seldom, so they are kept in the process and no page of a list has to read them.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use super::{
    author::AuthorCard,
    card::Card,
    id::{AuthorId, SectionId, TagId},
    section::SectionCard,
    site::Site,
    tag::TagCard,
};

/// Cards of all sections, with the section above each.
#[derive(Debug)]
pub struct SectionTree(HashMap<SectionId, (Card<SectionCard>, Option<SectionId>)>);

impl SectionTree {
    /// The tree of these cards and of what lies above each.
    pub fn new(sections: impl IntoIterator<Item = (SectionCard, Option<SectionId>)>) -> Self {
        Self(sections.into_iter().map(|(card, parent)| (card.id, (card.into(), parent))).collect())
    }

    /// The card of a section.
    pub fn card(&self, id: SectionId) -> Option<&Card<SectionCard>> {
        self.0.get(&id).map(|(card, _)| card)
    }

    /// A section and those above it, from the bottom up. Nothing for one that does not exist.
    pub fn ancestors(&self, id: SectionId) -> impl Iterator<Item = SectionId> + '_ {
        let known = self.0.contains_key(&id).then_some(id);
        std::iter::successors(known, |id| self.0.get(id).and_then(|(_, parent)| *parent))
    }
}

/// The site with its sections, tags and authors as they were at one moment.
#[derive(Debug)]
pub struct Surroundings {
    /// The site.
    pub site: Site,
    /// All sections.
    pub sections: Arc<SectionTree>,
    /// Cards of all tags.
    pub tags: HashMap<TagId, Card<TagCard>>,
    /// Cards of all authors.
    pub authors: HashMap<AuthorId, Card<AuthorCard>>,
}

impl Deref for Surroundings {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}
