//! What articles are shown with: the site, and the cards of its sections, tags and authors. They are few and change
//! seldom, so they are kept in the process and no page of a list has to read them.

use std::{collections::HashMap, ops::Deref};

use super::{
    author::AuthorCard,
    card::Card,
    id::{AuthorId, SectionId, TagId},
    section::SectionCard,
    site::Site,
    tag::TagCard,
};

/// The site with its sections, tags and authors as they were at one moment.
#[derive(Debug)]
pub struct Surroundings {
    /// The site.
    pub site: Site,
    /// Cards of all sections, with the section above each.
    pub sections: HashMap<SectionId, (Card<SectionCard>, Option<SectionId>)>,
    /// Cards of all tags.
    pub tags: HashMap<TagId, Card<TagCard>>,
    /// Cards of all authors.
    pub authors: HashMap<AuthorId, Card<AuthorCard>>,
}

impl Surroundings {
    /// A section and those above it, from the bottom up. Nothing for one that does not exist.
    pub fn ancestors(&self, id: SectionId) -> impl Iterator<Item = SectionId> + '_ {
        let known = self.sections.contains_key(&id).then_some(id);
        std::iter::successors(known, |id| self.sections.get(id).and_then(|(_, parent)| *parent))
    }
}

impl Deref for Surroundings {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}
