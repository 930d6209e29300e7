//! Sitemaps: every page that search engines may list, in files of bounded size.
//!
//! Articles are in files by the month (UTC) of their publication. A month with more than a file holds goes on in files that
//! begin behind a named article, so a file costs the same wherever it lies: it is read along the index of publications
//! from its beginning to its end. Which files there are is found by stepping over that index from month to month; months
//! that are over are looked at again after a while only, so that the index of a large archive is cheap too.
//!
//! The index tells of a file when it was last changed if that costs no more than a step or two along an index of the database:
//! of sections, and of the months to which the articles belong that were changed last. To know it of each month would take a
//! walk over all articles, and of tags and authors one over all of them; search engines look at those files by themselves.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant as Moment},
};

use chrono::{Datelike as _, Months, NaiveDate, TimeDelta};

use super::Newsroom;
use crate::{
    domain::{
        change::Entity, error::Error, instant::Instant, section::Section, site::Site,
        surrogate::SurrogateKeys,
    },
    render::sitemap::{self, MAX_NEWS, News, UrlSet},
    store::{
        articles::sitemap::{self as store, Entry, FrontEntry, Place},
        conn::Db,
        sections,
    },
};

/// How long it may take until the index has the first article of a month that is over, or a file more for one.
const HOLDS: Duration = Duration::from_secs(600);

/// Pages in a file, as many as the protocol allows.
const LENGTH: i64 = 50_000;

/// Rows that are read at a time.
const BATCH: i64 = 2_000;

/// Articles that are looked at for when files were last changed.
const CHANGES: i64 = 1_000;

/// How long an article is news.
const NEWS_HOURS: i64 = 48;

/// A month in UTC, by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

impl Month {
    fn of(instant: Instant) -> Self {
        let date = instant.to_utc().date_naive();
        Self(date.with_day(1).unwrap_or(date))
    }

    fn start(self) -> Instant {
        Instant::from_millis(self.0.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    }

    /// The month after; `None` at the end of the calendar.
    fn next(self) -> Option<Self> {
        self.0.checked_add_months(Months::new(1)).map(Self)
    }
}

/// A file of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The front page and the sections.
    Sections,
    /// Tags behind an id.
    Tags(i64),
    /// Authors behind an id.
    Authors(i64),
    /// Articles of a month, from its beginning or behind one of them.
    Articles(Month, Option<Place>),
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sections => f.write_str("sections.xml"),
            Self::Tags(0) => f.write_str("tags.xml"),
            Self::Tags(after) => write!(f, "tags-after-{after}.xml"),
            Self::Authors(0) => f.write_str("authors.xml"),
            Self::Authors(after) => write!(f, "authors-after-{after}.xml"),
            Self::Articles(Month(first), after) => {
                write!(f, "articles-{}", first.format("%Y-%m"))?;
                if let Some(Place { published_at, id }) = after {
                    write!(f, "-after-{published_at}-{id}")?;
                }
                f.write_str(".xml")
            }
        }
    }
}

/// There is no file of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such sitemap")]
pub struct NoSuchFile;

impl FromStr for File {
    type Err = NoSuchFile;

    fn from_str(text: &str) -> Result<Self, NoSuchFile> {
        let name = text.strip_suffix(".xml").ok_or(NoSuchFile)?;
        let id = |text: &str| text.parse::<i64>().ok().filter(|id| *id > 0).ok_or(NoSuchFile);
        let file = match name.split_once("-after-") {
            None if name == "sections" => Self::Sections,
            None if name == "tags" => Self::Tags(0),
            None if name == "authors" => Self::Authors(0),
            Some(("tags", after)) => Self::Tags(id(after)?),
            Some(("authors", after)) => Self::Authors(id(after)?),
            split => {
                let (month, place) = split.unzip();
                let month = month.unwrap_or(name).strip_prefix("articles-").ok_or(NoSuchFile)?;
                let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d");
                let place = place.map(|place| {
                    let (published_at, after) = place.rsplit_once('-').ok_or(NoSuchFile)?;
                    let published_at = published_at.parse().map_err(|_| NoSuchFile)?;
                    Ok(Place { published_at, id: id(after)? })
                });
                Self::Articles(Month(first.map_err(|_| NoSuchFile)?), place.transpose()?)
            }
        };
        // Each file has one name, so that caches hold it once.
        if file.to_string() == text { Ok(file) } else { Err(NoSuchFile) }
    }
}

/// When files were found, up to which month, and which.
type Found = (Moment, Month, Arc<Vec<File>>);

/// How long files are, and those of months that are over as they were last found.
#[derive(Debug)]
pub struct Files {
    length: AtomicI64,
    found: Mutex<Option<Found>>,
}

impl Default for Files {
    fn default() -> Self {
        Self { length: AtomicI64::new(LENGTH), found: Mutex::default() }
    }
}

impl Files {
    /// Makes files hold another number of pages, so that tests need not make 50,000.
    pub fn set_length(&self, length: u16) {
        self.length.store(i64::from(length.max(1)), Ordering::Relaxed);
        *self.lock() = None;
    }

    fn length(&self) -> i64 {
        self.length.load(Ordering::Relaxed)
    }

    fn until(&self, until: Month) -> Option<Arc<Vec<File>>> {
        let found = self.lock();
        let (at, month, files) = found.as_ref()?;
        (at.elapsed() < HOLDS && *month == until).then(|| Arc::clone(files))
    }

    fn keep(&self, until: Month, files: &Arc<Vec<File>>) {
        *self.lock() = Some((Moment::now(), until, Arc::clone(files)));
    }

    /// A poisoned lock holds a whole value all the same.
    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A sitemap as it goes out.
#[derive(Debug)]
pub struct Sitemap {
    /// The XML.
    pub text: String,
    /// What it shows.
    pub keys: SurrogateKeys,
}

/// The index of all files.
pub async fn index(newsroom: &Newsroom) -> Result<Sitemap, Error> {
    let now = newsroom.clock.now();
    let (known, length) = (Arc::clone(&newsroom.sitemaps), newsroom.sitemaps.length());
    let site = newsroom.site.clone();
    let files = newsroom
        .store
        .read(move |db| {
            let mut files = vec![File::Sections, File::Tags(0)];
            files.extend(store::tag_places(db, length)?.into_iter().map(File::Tags));
            files.push(File::Authors(0));
            files.extend(store::author_places(db, length)?.into_iter().map(File::Authors));
            let current = Month::of(now);
            let past = match known.until(current) {
                Some(past) => past,
                None => {
                    let past = Arc::new(months(db, Instant::from_millis(i64::MIN), current.start(), length)?);
                    known.keep(current, &past);
                    past
                }
            };
            files.extend(past.iter());
            let end = Instant::from_millis(now.millis().saturating_add(1));
            files.extend(months(db, current.start(), end, length)?);
            let site = site.get(db)?;
            last_changed(db, &site, now, files)
        })
        .await?;
    let address = |(file, changed)| (format!("{}/sitemaps/{file}", newsroom.public_url), changed);
    let files: Vec<(String, Option<Instant>)> = files.into_iter().map(address).collect();
    let keys = [Entity::Article, Entity::Section, Entity::Tag, Entity::Author];
    let keys = keys.into_iter().fold(SurrogateKeys::default(), SurrogateKeys::all);
    Ok(Sitemap { text: sitemap::index(&files)?, keys })
}

/// Adds to the files, in their order, when something in them was last changed, where that is cheap to know.
fn last_changed(
    db: &mut Db,
    site: &Site,
    now: Instant,
    files: Vec<File>,
) -> Result<Vec<(File, Option<Instant>)>, Error> {
    let sections = listed_sections(db, site)?.into_iter().map(|(_, section)| section.updated_at).max();
    let sections = store::newest_of_all(db, now)?.max(sections);
    let changes = store::last_changed(db, now, CHANGES)?;
    let mut files: Vec<_> = files.into_iter().map(|file| (file, None)).collect();
    for (file, changed) in &mut files {
        if *file == File::Sections {
            *changed = sections;
        }
    }
    for (place, changed) in changes {
        let begins_before = |(file, _): &(File, Option<Instant>)| match file {
            File::Articles(month, after) => after.unwrap_or(before(month.start())) < place,
            _ => true,
        };
        let index = files.partition_point(begins_before).checked_sub(1);
        let month = Month::of(Instant::from_millis(place.published_at));
        // The first that is found in a file is the last that was changed there. The index may not have its file yet.
        if let Some((File::Articles(of, _), known @ None)) = index.and_then(|index| files.get_mut(index))
            && *of == month
        {
            *known = Some(changed);
        }
    }
    Ok(files)
}

/// The files of articles that were published between two instants.
fn months(db: &mut Db, from: Instant, until: Instant, length: i64) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    let mut from = from;
    while let Some(first) = store::first_between(db, from, until)? {
        let month = Month::of(first);
        files.push(File::Articles(month, None));
        let Some(next) = month.next().map(Month::start) else { break };
        let mut after = before(month.start());
        while let Some(place) = store::place_behind(db, after, next.min(until), length)? {
            // A full file with which the month ends is not followed by an empty one.
            if store::place_behind(db, place, next.min(until), 1)?.is_none() {
                break;
            }
            after = place;
            files.push(File::Articles(month, Some(place)));
        }
        from = next;
    }
    Ok(files)
}

/// The place before everything that was published at an instant or later.
const fn before(instant: Instant) -> Place {
    Place { published_at: instant.millis(), id: 0 }
}

/// One file.
///
/// # Errors
/// 404 for a month in which nothing was published yet.
pub async fn file(newsroom: &Newsroom, file: File) -> Result<Sitemap, Error> {
    let (site, now, length) = (newsroom.site.clone(), newsroom.clock.now(), newsroom.sitemaps.length());
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let mut urls = UrlSet::begin()?;
            let all = |entity| SurrogateKeys::default().all(entity).all(Entity::Article);
            let keys = match file {
                File::Sections => {
                    section_urls(db, &site, now, &mut urls)?;
                    all(Entity::Section)
                }
                File::Tags(after) => {
                    front_urls(&mut urls, &site, "tags", store::tag_fronts(db, after, now, length)?)?;
                    all(Entity::Tag)
                }
                File::Authors(after) => {
                    front_urls(&mut urls, &site, "authors", store::author_fronts(db, after, now, length)?)?;
                    all(Entity::Author)
                }
                File::Articles(month, after) => {
                    let start = before(month.start());
                    let until = month.next().map(Month::start).ok_or_else(|| Error::not_found("sitemap"))?;
                    let is_outside =
                        after.is_some_and(|after| after < start || after.published_at >= until.millis());
                    if month.start() > now || is_outside {
                        return Err(Error::not_found("sitemap"));
                    }
                    article_urls(db, &site, now, (after.unwrap_or(start), until), length, &mut urls)?;
                    // The addresses of articles follow from their sections.
                    all(Entity::Section)
                }
            };
            Ok(Sitemap { text: urls.end()?, keys })
        })
        .await
}

fn front_urls(urls: &mut UrlSet, site: &Site, folder: &str, entries: Vec<FrontEntry>) -> Result<(), Error> {
    entries.into_iter().try_for_each(|entry| {
        urls.url(&format!("{}/{folder}/{}", site.url, entry.slug), Some(entry.updated_at))
    })
}

fn section_urls(db: &mut Db, site: &Site, now: Instant, urls: &mut UrlSet) -> Result<(), Error> {
    urls.url(&format!("{}/", site.url), store::newest_of_all(db, now)?)?;
    for (url, section) in listed_sections(db, site)? {
        let published = store::newest_of_section(db, section.id.get(), now)?;
        urls.url(&url, published.max(Some(section.updated_at)))?;
    }
    Ok(())
}

/// The sections that are for search engines, with their addresses.
fn listed_sections(db: &mut Db, site: &Site) -> Result<Vec<(String, Section)>, Error> {
    let pages =
        sections::all(db)?.into_iter().map(|section| (format!("{}{}", site.url, section.path), section));
    let is_listed = |(url, section): &(String, Section)| {
        let seo = &section.seo;
        !seo.noindex && seo.canonical_url.as_ref().is_none_or(|canonical| canonical == url)
    };
    Ok(pages.filter(is_listed).collect())
}

fn article_urls(
    db: &mut Db,
    site: &Site,
    now: Instant,
    (after, until): (Place, Instant),
    length: i64,
    urls: &mut UrlSet,
) -> Result<(), Error> {
    // The file goes to where the next one begins, whatever of it readers can see.
    let end = store::place_behind(db, after, until, length)?;
    let mut from = Some(after);
    while let Some(place) = from {
        let (entries, next) = store::entries(db, site, now, place, until, BATCH)?;
        let is_inside = |entry: &&Entry| {
            let place = Place { published_at: entry.published_at.millis(), id: entry.id.get() };
            end.is_none_or(|end| place <= end)
        };
        for entry in entries.iter().take_while(is_inside).filter(|entry| entry.is_listed()) {
            urls.url(&entry.url, Some(entry.updated_at))?;
        }
        from = next.filter(|next| end.is_none_or(|end| *next < end));
    }
    Ok(())
}

/// The articles of the last 48 hours for Google News, the newest first, 1,000 at most.
pub async fn news(newsroom: &Newsroom) -> Result<Sitemap, Error> {
    let (site, now) = (newsroom.site.clone(), newsroom.clock.now());
    let since = Instant::from_millis(now.millis() - TimeDelta::hours(NEWS_HOURS).num_milliseconds());
    let (site, entries) = newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            let mut newest: VecDeque<Entry> = VecDeque::new();
            let until = Instant::from_millis(now.millis().saturating_add(1));
            let mut from = Some(before(since));
            while let Some(place) = from {
                let (entries, next) = store::entries(db, &site, now, place, until, BATCH)?;
                newest.extend(entries.into_iter().filter(Entry::is_listed));
                let surplus = newest.len().saturating_sub(MAX_NEWS);
                newest.drain(..surplus);
                from = next;
            }
            Ok((site, newest))
        })
        .await?;
    let news: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| News {
            url: &entry.url,
            title: &entry.headline,
            language: &entry.language,
            published_at: entry.published_at,
        })
        .collect();
    let text = sitemap::news(&site.name, &news)?;
    let keys = SurrogateKeys::default().all(Entity::Article).all(Entity::Section);
    Ok(Sitemap { text, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name() {
        for name in [
            "sections.xml",
            "tags.xml",
            "tags-after-7.xml",
            "authors.xml",
            "articles-2026-05.xml",
            "articles-2026-05-after-1778000000000-42.xml",
            "articles-1969-05-after--20000000000-42.xml",
        ] {
            assert_eq!(name.parse::<File>().map(|file| file.to_string()), Ok(name.to_owned()));
        }
        for name in [
            "",
            "tags",
            "tags-after-0.xml",
            "tags-after-07.xml",
            "tags-after-x.xml",
            "articles-2026-13.xml",
            "articles-2026-5.xml",
            "articles-2026-05-after-1.xml",
            "articles-2026-05-after-1--2.xml",
        ] {
            assert_eq!(name.parse::<File>(), Err(NoSuchFile), "{name}");
        }
    }
}
