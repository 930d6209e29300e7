//! Surrogate keys: what an answer shows, so that caches can drop it when that changes.
//!
//! `article/ID` stands for whatever shows the article, `tag/ID` for whatever shows the tag. `tag/ID/articles` stands for
//! lists of the articles with the tag: one more article with it changes those, but not the pages of the others.
//! `articles`, `tags` … stand for lists of all.

use super::{
    article::Article,
    change::Entity,
    link::{LinkTarget, RelatedLink},
    section::SectionCard,
};

/// The keys of an answer or of a change.
#[derive(Debug, Clone, Default)]
pub struct SurrogateKeys(Vec<Key>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    All(Entity),
    One(Entity, i64),
    ArticlesOf(Entity, i64),
}

impl Key {
    /// Adds the key as it is written.
    fn write(self, text: &mut String) {
        let (entity, id, rest) = match self {
            Self::All(entity) => return text.push_str(plural(entity)),
            Self::One(entity, id) => (entity, id, ""),
            Self::ArticlesOf(entity, id) => (entity, id, "/articles"),
        };
        text.push_str(entity.as_str());
        text.push('/');
        text.push_str(itoa::Buffer::new().format(id));
        text.push_str(rest);
    }
}

/// The most bytes of keys that content delivery networks take in one header (Fastly and Cloudflare: 16 KB).
const MAX_BYTES: usize = 16_000;

impl SurrogateKeys {
    /// Shows one thing.
    #[must_use]
    pub fn one(mut self, entity: Entity, id: i64) -> Self {
        self.0.push(Key::One(entity, id));
        self
    }

    /// Lists the articles of a section, tag or author.
    #[must_use]
    pub fn articles_of(mut self, entity: Entity, id: i64) -> Self {
        self.0.push(Key::ArticlesOf(entity, id));
        self
    }

    /// Lists all things of a kind.
    #[must_use]
    pub fn all(mut self, entity: Entity) -> Self {
        self.0.push(Key::All(entity));
        self
    }

    /// Shows an article with what stands in it: cards of its sections, tags and authors, and of what it links to.
    #[must_use]
    pub fn article(mut self, article: &Article) -> Self {
        self = self.one(Entity::Article, article.id.get());
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
        link.card.section.iter().fold(keys, |keys, section| keys.section_card(section))
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

    /// Each key once.
    fn distinct(&self) -> Vec<Key> {
        let mut keys = self.0.clone();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Each key once, as it is written.
    pub fn texts(&self) -> Vec<String> {
        let text = |key: Key| {
            let mut text = String::new();
            key.write(&mut text);
            text
        };
        self.distinct().into_iter().map(text).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As in a header, with spaces between. What would be too long is told by the keys of lists of all, which every
    /// change has as well.
    pub fn header(&self) -> String {
        let text = joined(&self.distinct());
        if text.len() <= MAX_BYTES {
            return text;
        }
        let general = self.0.iter().map(|key| match *key {
            Key::All(entity) | Key::One(entity, _) => Key::All(entity),
            Key::ArticlesOf(..) => Key::All(Entity::Article),
        });
        joined(&Self(general.collect()).distinct())
    }
}

fn joined(keys: &[Key]) -> String {
    let mut text = String::with_capacity(keys.len() * 32);
    for key in keys {
        if !text.is_empty() {
            text.push(' ');
        }
        key.write(&mut text);
    }
    text
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
