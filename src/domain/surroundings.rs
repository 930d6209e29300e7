//! What articles are shown with: the site, and the cards of its sections, tags and authors. They are few and change
//! seldom, so they are kept in the process and no page of a list has to read them.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use super::{
    author::AuthorCard,
    card::Card,
    change::Entity,
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
    /// What has which name.
    names: Names,
}

/// The paths of sections, without the leading slash, and the slugs of tags and authors.
#[derive(Debug)]
struct Names {
    sections: HashMap<String, i64>,
    tags: HashMap<String, i64>,
    authors: HashMap<String, i64>,
}

impl Surroundings {
    /// A site with all its sections, tags and authors.
    pub fn new(
        site: Site,
        sections: Arc<SectionTree>,
        tags: HashMap<TagId, Card<TagCard>>,
        authors: HashMap<AuthorId, Card<AuthorCard>>,
    ) -> Self {
        let path = |card: &Card<SectionCard>| (card.path.trim_start_matches('/').to_owned(), card.id.get());
        let names = Names {
            sections: sections.0.values().map(|(card, _)| path(card)).collect(),
            tags: tags.values().map(|card| (card.slug.to_string(), card.id.get())).collect(),
            authors: authors.values().map(|card| (card.slug.to_string(), card.id.get())).collect(),
        };
        Self { site, sections, tags, authors, names }
    }

    /// The section, tag or author that has a name now. That it once had another is for the database to know, and so are the
    /// names of articles.
    pub fn named(&self, entity: Entity, name: &str) -> Option<i64> {
        let names = match entity {
            Entity::Section => &self.names.sections,
            Entity::Tag => &self.names.tags,
            Entity::Author => &self.names.authors,
            _ => return None,
        };
        names.get(name).copied()
    }
}

impl Deref for Surroundings {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}
