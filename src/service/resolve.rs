//! What lives at a path of the site, or where the path leads now.

use super::Newsroom;
use crate::{
    domain::{
        article::{Include, Stage},
        change::Entity,
        error::{Error, ErrorCode},
        id::ArticleId,
        instant::Instant,
        redirect::SitePath,
        slug::Reference,
        surroundings::Surroundings,
    },
    store::{
        articles::{self, Audience, LoadContext},
        authors,
        conn::Db,
        redirects, sections, slugs, tags,
    },
};

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What it is; none for a redirect that an editor made to a page that is not ours.
    pub thing: Option<Thing>,
    /// Where it is: its present path, or another site.
    pub location: String,
    /// Whether the path that was asked for is another.
    pub is_redirect: bool,
}

/// Something that has a page on the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub entity: Entity,
    /// Which one.
    pub id: i64,
    /// Its name in addresses.
    pub slug: String,
    /// Its path.
    pub path: String,
}

/// Finds what lives at a path, or once did. The number of statements does not depend on the path.
///
/// # Errors
/// 404 if nothing does that readers can see; 410 for a retracted article.
pub async fn resolve(newsroom: &Newsroom, asked: String, path: SitePath) -> Result<Resolved, Error> {
    let (site, now) = (newsroom.site.clone(), newsroom.clock.now());
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let things = things(db, &site, &path, now)?;
            // A page that is there wins over a redirect.
            if let Some(thing) = things.iter().find(|thing| is_at(thing, &path)) {
                return Ok(found(&asked, thing.clone()));
            }
            if let Some(redirect) = redirects::find_from(db, path.as_str())? {
                return lead(db, &site, &redirect.to, now);
            }
            match things.into_iter().next() {
                Some(thing) => Ok(found(&asked, thing)),
                None => Err(absent(db, &path)?),
            }
        })
        .await
}

/// Whether something lives at a path now.
pub(super) fn is_live(db: &mut Db, newsroom: &Newsroom, path: &SitePath) -> Result<bool, Error> {
    let site = newsroom.site.get(db)?;
    let things = things(db, &site, path, newsroom.clock.now())?;
    Ok(things.iter().any(|thing| is_at(thing, path)))
}

/// Whether this is the present path of a thing, in whatever spelling.
fn is_at(thing: &Thing, path: &SitePath) -> bool {
    SitePath::parse(&thing.path).as_ref() == Ok(path)
}

fn found(asked: &str, thing: Thing) -> Resolved {
    let is_redirect = asked.split(['?', '#']).next() != Some(thing.path.as_str());
    Resolved { location: thing.path.clone(), thing: Some(thing), is_redirect }
}

/// Where a redirect leads in the end: its target may have been renamed since.
fn lead(db: &mut Db, site: &Surroundings, to: &str, now: Instant) -> Result<Resolved, Error> {
    let thing = match SitePath::parse(to) {
        Ok(path) => things(db, site, &path, now)?.into_iter().next(),
        Err(_) => None,
    };
    let location = thing.as_ref().map_or(to, |thing| &thing.path).to_owned();
    Ok(Resolved { thing, location, is_redirect: true })
}

/// Why there is nothing: an article was retracted, or there is nothing that readers may know of.
fn absent(db: &mut Db, path: &SitePath) -> Result<Error, Error> {
    if is_of_taxonomy(path) {
        return Ok(Error::not_found("page"));
    }
    let last = path.segments_from_end().next().unwrap_or_default();
    Ok(match articles::retraction_reason(db, &Reference::parse(last))? {
        Some(reason) => Error::Other(ErrorCode::Retracted, reason),
        None => Error::not_found("page"),
    })
}

/// What has, or had, this path: present pages first. The slug of an article tells which it is, whatever stands before.
fn things(db: &mut Db, site: &Surroundings, path: &SitePath, now: Instant) -> Result<Vec<Thing>, Error> {
    let mut things = Vec::new();
    let whole = path.as_str().trim_start_matches('/');
    if let Some(id) = by_name(db, Entity::Section, whole)? {
        let section = sections::get(db, id)?;
        let (slug, path) = (section.slug.into_string(), section.path);
        things.push(Thing { entity: Entity::Section, id, slug, path });
    }
    if let Some(name) = whole.strip_prefix("tags/")
        && let Some(id) = by_name(db, Entity::Tag, name)?
    {
        let slug = tags::get(db, id)?.slug.into_string();
        let path = format!("/tags/{slug}");
        things.push(Thing { entity: Entity::Tag, id, slug, path });
    }
    if let Some(name) = whole.strip_prefix("authors/")
        && let Some(id) = by_name(db, Entity::Author, name)?
    {
        let slug = authors::get(db, id)?.slug.into_string();
        let path = format!("/authors/{slug}");
        things.push(Thing { entity: Entity::Author, id, slug, path });
    }
    if is_of_taxonomy(path) {
        return Ok(things);
    }
    let audience = Audience::Readers;
    let context = LoadContext { site, now, audience, include: Include::default() };
    for reference in site.permalink.references(path) {
        let article = match &reference {
            Reference::Id(id) => articles::get(db, ArticleId::new(*id), Stage::Live, context)?,
            Reference::Slug(slug) => articles::get_by_slug(db, slug, context)?,
        };
        things.extend(article.map(|article| Thing {
            entity: Entity::Article,
            id: article.id.get(),
            slug: article.slug.into_string(),
            path: article.path,
        }));
    }
    Ok(things)
}

/// Whether a path is that of a tag or author, which no article has.
fn is_of_taxonomy(path: &SitePath) -> bool {
    ["/tags/", "/authors/"].iter().any(|prefix| path.as_str().starts_with(prefix))
}

fn by_name(db: &mut Db, entity: Entity, name: &str) -> Result<Option<i64>, Error> {
    let found = slugs::resolve(db, entity, &[Reference::Slug(name.to_owned())])?;
    Ok(found.into_iter().flatten().next())
}
