//! Feeds: the newest articles of the site, a section, a tag or an author.
//!
//! Everybody gets what readers see, whoever asks. Articles that search engines are asked to leave out (`noindex`) are in:
//! whoever subscribes has asked for all.

use std::sync::Arc;

use super::{Newsroom, authors, sections, tags};
use crate::{
    domain::{
        article::{Article, ArticleFilter, ArticleOrder, Include, Stage},
        change::Entity,
        error::Error,
        instant::Instant,
        page::{PageRequest, Position},
        site::Site,
        slug::Reference,
        surrogate::SurrogateKeys,
        surroundings::Surroundings,
    },
    render::feed::{self, Feed},
    store::{
        articles::{self, Audience, LoadContext},
        conn::Db,
    },
};

/// Articles in a feed.
pub const LENGTH: u32 = 50;

/// Of what a feed is asked for.
#[derive(Debug, Clone)]
pub enum FeedOf {
    /// All articles.
    Site,
    /// Those of a section and the sections below it, by id or path.
    Section(Reference),
    /// Those with a tag, by id or slug.
    Tag(Reference),
    /// Those of an author, by id or slug.
    Author(Reference),
}

/// The newest articles of something.
#[derive(Debug)]
pub struct Newest {
    site: Arc<Surroundings>,
    subject: Subject,
    articles: Vec<Article>,
    public_url: Arc<str>,
}

/// What a feed is of.
#[derive(Debug)]
struct Subject {
    /// None is the whole site.
    thing: Option<(Entity, i64)>,
    name: Option<String>,
    description: Option<String>,
    /// The path of its page on the site.
    page: String,
    /// The folder of its feeds on this server.
    folder: String,
    updated_at: Instant,
}

/// The newest articles, with bodies, links and corrections.
///
/// # Errors
/// 404 if there is no such thing; [`Error::Moved`] for a former name.
pub async fn newest(newsroom: &Newsroom, of: FeedOf) -> Result<Newest, Error> {
    let (site, now, public_url) =
        (newsroom.site.clone(), newsroom.clock.now(), Arc::clone(&newsroom.public_url));
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let subject = subject(db, &site, of)?;
            let include = Include { body: true, related: false, corrections: true };
            let context = LoadContext { site: &site, now, audience: Audience::Readers, include };
            let mut filter = ArticleFilter::default();
            match subject.thing {
                Some((Entity::Section, id)) => filter.section = Some(Reference::Id(id)),
                Some((Entity::Tag, id)) => filter.any_tag = vec![Reference::Id(id)],
                Some((Entity::Author, id)) => filter.author = Some(Reference::Id(id)),
                _ => {}
            }
            let page = PageRequest { limit: LENGTH, position: Position::Number(1), count: false };
            let order = (ArticleOrder::PublishedAt, true, "-published_at");
            let (page, _) = articles::list(db, Stage::Live, &filter, order, None, &page, context)?;
            Ok(Newest { site, subject, articles: page.items, public_url })
        })
        .await
}

fn subject(db: &mut Db, site: &Site, of: FeedOf) -> Result<Subject, Error> {
    Ok(match of {
        FeedOf::Site => Subject {
            thing: None,
            name: None,
            description: site.tagline.clone(),
            page: "/".to_owned(),
            folder: String::new(),
            updated_at: site.updated_at,
        },
        FeedOf::Section(reference) => {
            let section = sections::find(db, &reference)?;
            Subject {
                thing: Some((Entity::Section, section.id.get())),
                name: Some(section.name),
                description: section.description,
                folder: format!("/sections{}", section.path),
                page: section.path,
                updated_at: section.updated_at,
            }
        }
        FeedOf::Tag(reference) => {
            let tag = tags::find(db, &reference)?;
            let page = format!("/tags/{}", tag.slug);
            Subject {
                thing: Some((Entity::Tag, tag.id.get())),
                name: Some(tag.name),
                description: tag.description,
                folder: page.clone(),
                page,
                updated_at: tag.updated_at,
            }
        }
        FeedOf::Author(reference) => {
            let author = authors::find(db, &reference)?;
            let page = format!("/authors/{}", author.slug);
            Subject {
                thing: Some((Entity::Author, author.id.get())),
                name: Some(author.name),
                description: author.bio,
                folder: page.clone(),
                page,
                updated_at: author.updated_at,
            }
        }
    })
}

impl Newest {
    /// The feed, in the file of this name.
    pub fn feed(&self, file: &str) -> Feed<'_> {
        let Subject { thing, name, description, page, folder, .. } = &self.subject;
        let title = match name {
            Some(name) => format!("{name} – {}", self.site.name),
            None => self.site.name.clone(),
        };
        Feed {
            // Nothing tells one newsroom from another for ever; where its server is comes closest.
            id: thing.map_or_else(
                || feed::name(&format!("{}/feeds", self.public_url)),
                |(entity, id)| feed::urn(entity, id),
            ),
            site: &self.site,
            description: description.clone().unwrap_or_else(|| title.clone()),
            title,
            page: format!("{}{page}", self.site.url),
            self_url: format!("{}/feeds{folder}/{file}", self.public_url),
            updated: self.updated(),
            articles: &self.articles,
        }
    }

    /// When something in it was last changed.
    fn updated(&self) -> Instant {
        let articles = self.articles.iter().map(feed::updated).max();
        articles.unwrap_or(self.subject.updated_at).max(self.subject.updated_at)
    }

    /// What it shows.
    pub fn keys(&self) -> SurrogateKeys {
        let keys = match self.subject.thing {
            None => SurrogateKeys::default().all(Entity::Article),
            Some((entity, id)) => SurrogateKeys::default().one(entity, id).articles_of(entity, id),
        };
        self.articles.iter().fold(keys, SurrogateKeys::article)
    }
}
