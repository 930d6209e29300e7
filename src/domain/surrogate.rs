//! Surrogate keys: what an answer shows, so that caches can drop it when that changes.
//!
//! `article/ID` stands for whatever shows the article, `tag/ID` for whatever shows the tag. `tag/ID/articles` stands for
//! lists of the articles with the tag: one more article with it changes those, but not the pages of the others.
//! `articles`, `tags` … stand for lists of all.

use std::collections::BTreeSet;

use super::{
    article::Article,
    change::{Entity, surrogate_key},
    link::{LinkTarget, RelatedLink},
    section::SectionCard,
};

/// The keys of an answer or of a change, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurrogateKeys(BTreeSet<String>);

/// The most bytes of keys that content delivery networks take in one header (Fastly and Cloudflare: 16 KB).
const MAX_BYTES: usize = 16_000;

impl SurrogateKeys {
    /// Shows one thing.
    #[must_use]
    pub fn one(mut self, entity: Entity, id: i64) -> Self {
        self.0.insert(surrogate_key(entity, id));
        self
    }

    /// Lists the articles of a section, tag or author.
    #[must_use]
    pub fn articles_of(mut self, entity: Entity, id: i64) -> Self {
        self.0.insert(format!("{}/articles", surrogate_key(entity, id)));
        self
    }

    /// Lists all things of a kind.
    #[must_use]
    pub fn all(mut self, entity: Entity) -> Self {
        self.0.insert(plural(entity).to_owned());
        self
    }

    /// Shows an article with what stands in it: cards of its sections, tags and authors, and of what it links to.
    #[must_use]
    pub fn article(mut self, article: &Article) -> Self {
        self.0.insert(surrogate_key(Entity::Article, article.id.get()));
        for section in article.section.iter().chain(&article.sections) {
            self = self.section_card(section);
        }
        for tag in &article.tags {
            self = self.one(Entity::Tag, tag.id.get());
        }
        for author in article.bylines.iter().filter_map(|byline| byline.author.as_ref()) {
            self = self.one(Entity::Author, author.id.get());
        }
        for id in &article.hidden_links {
            self = self.one(Entity::Article, id.get());
        }
        article.links.iter().flatten().fold(self, Self::link)
    }

    fn link(self, link: &RelatedLink) -> Self {
        let keys = match link.link.target {
            LinkTarget::Article(id) => self.one(Entity::Article, id.get()),
            LinkTarget::External { .. } | LinkTarget::Deleted { .. } => self,
        };
        link.card.section.iter().fold(keys, Self::section_card)
    }

    fn section_card(self, section: &SectionCard) -> Self {
        self.one(Entity::Section, section.id.get())
    }

    /// Shows all that `other` shows.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Each key, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As in a header, with spaces between. What would be too long is told by the keys of lists of all, which every
    /// change has as well.
    pub fn header(&self) -> String {
        let text = self.iter().collect::<Vec<_>>().join(" ");
        if text.len() <= MAX_BYTES {
            return text;
        }
        let general: BTreeSet<_> = self.iter().map(general).collect();
        general.into_iter().collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<String> for SurrogateKeys {
    fn from_iter<T: IntoIterator<Item = String>>(keys: T) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// The key of lists of all things of a kind.
pub const fn plural(entity: Entity) -> &'static str {
    match entity {
        Entity::Article => "articles",
        Entity::Section => "sections",
        Entity::Tag => "tags",
        Entity::Author => "authors",
        Entity::Site => "site",
        Entity::Redirect => "redirects",
    }
}

/// The key of the list of all that a change with this key also has.
fn general(key: &str) -> &str {
    if key.ends_with("/articles") {
        return plural(Entity::Article);
    }
    let entities = [Entity::Article, Entity::Section, Entity::Tag, Entity::Author, Entity::Redirect];
    let of = entities
        .into_iter()
        .find(|entity| key.strip_prefix(entity.as_str()).is_some_and(|rest| rest.starts_with('/')));
    of.map_or(key, |entity| plural(entity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_keys_become_general_ones() {
        let few =
            SurrogateKeys::default().one(Entity::Tag, 7).articles_of(Entity::Tag, 7).all(Entity::Article);
        assert_eq!(few.header(), "articles tag/7 tag/7/articles");
        let many = (0..1000).fold(few, |keys, id| keys.one(Entity::Article, i64::MAX - id));
        assert_eq!(many.header(), "articles tags");
    }
}
