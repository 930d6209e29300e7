//! A set of articles of any size, to try the program under load. Everything but ids follows from the seed and the number
//! of articles.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    ops::Range,
    time::Instant as Stopwatch,
};

use rand::{
    RngExt as _, SeedableRng as _,
    distr::{Distribution as _, weighted::WeightedIndex},
    rngs::Xoshiro256PlusPlus,
};

use super::{unknown_password, words};
use crate::{
    domain::{
        article::{Access, ArticleRecord, ArticleType, Document, DocumentByline, Seo, Stage},
        author::Author,
        body::{self, Block, BlockContent, Body, BodySection},
        change::Entity,
        error::Error,
        id::{ArticleId, AuthorId, BlockId, BodySectionId, LinkId, SectionId, TagId},
        instant::Instant,
        link::{Link, LinkKind, LinkTarget},
        revision::RevisionKind,
        section::SectionChanges,
        slug::{Reference, Slug},
        tag::{Tag, TagType},
        user::{EmailAddress, Principal, Role, User},
        workflow::State,
    },
    service::{
        Newsroom,
        articles::{keep_live, record_change},
        search, sections, users,
    },
    store::{
        articles::{self, Dates, Over, Slot},
        authors,
        conn::Db,
        slugs, tags,
    },
};

/// Articles that are written in one transaction.
const BATCH: usize = 500;

/// 2026-01-01T00:00:00Z, before which all articles lie.
const END: i64 = 1_767_225_600_000;
/// Five years of milliseconds, over which they are spread.
const SPAN: i64 = 5 * 365 * 86_400_000;

const OWNER: &str = "generator@demo.example";

/// Paths of sections, parents first.
const SECTIONS: [&str; 30] = [
    "politics",
    "politics/parliament",
    "politics/elections",
    "politics/local-government",
    "world",
    "world/europe",
    "world/europe/nordics",
    "world/africa",
    "world/asia",
    "world/americas",
    "business",
    "business/markets",
    "business/energy",
    "business/work",
    "business/technology",
    "culture",
    "culture/books",
    "culture/film",
    "culture/music",
    "culture/stage",
    "sport",
    "sport/football",
    "sport/football/womens-football",
    "sport/cycling",
    "sport/athletics",
    "science",
    "science/health",
    "science/climate",
    "opinion",
    "opinion/letters",
];

/// Types of articles and how many of a hundred are of each.
const KINDS: [(ArticleType, u32); 6] = [
    (ArticleType::News, 70),
    (ArticleType::Analysis, 9),
    (ArticleType::Feature, 8),
    (ArticleType::Opinion, 6),
    (ArticleType::Explainer, 4),
    (ArticleType::Interview, 3),
];

/// Makes articles. Whoever interrupts this finds the batches that were done; the rest then needs another seed.
pub(super) async fn run(newsroom: &Newsroom, count: u32, seed: u64) -> Result<(), Error> {
    let count = count as usize;
    let started = Stopwatch::now();
    let mut generator = Generator::prepare(newsroom, count, seed).await?;
    let mut done = 0;
    while done < count {
        let batch = done..(done + BATCH).min(count);
        done = batch.end;
        generator = newsroom.store.write(move |db| generator.write(db, batch)).await?;
        if done.is_multiple_of(10 * BATCH) || done == count {
            let seconds = started.elapsed().as_secs_f64();
            progress(&format!("{done} of {count} articles, {:.0} per second", done as f64 / seconds));
        }
    }
    search::merge(newsroom).await
}

fn progress(line: &str) {
    // That nobody reads it is no failure.
    let _ = writeln!(io::stderr(), "{line}");
}

fn weights(weights: impl IntoIterator<Item = u32>) -> Result<WeightedIndex<u32>, Error> {
    WeightedIndex::new(weights).map_err(|error| Error::internal("the generator", error))
}

/// Zipf's law with whole numbers, which are the same on every machine: the thing at rank `n` is taken `1/n` as often as
/// the first.
fn zipf(count: usize) -> Result<WeightedIndex<u32>, Error> {
    weights((1..).take(count).map(|rank: u32| 100_000 / rank))
}

struct Generator {
    newsroom: Newsroom,
    rng: Xoshiro256PlusPlus,
    seed: u64,
    count: usize,
    owner: User,
    sections: Vec<SectionId>,
    tags: Vec<TagId>,
    tag_ranks: WeightedIndex<u32>,
    authors: Vec<AuthorId>,
    kinds: WeightedIndex<u32>,
    /// The articles so far, oldest first.
    articles: Vec<ArticleId>,
}

impl Generator {
    /// Makes the user, the sections, the tags and the authors.
    async fn prepare(newsroom: &Newsroom, count: usize, seed: u64) -> Result<Self, Error> {
        // The first name that a seed takes tells whether it was there before.
        let first = Reference::Slug(format!("generated-{seed}-author-0"));
        let found = newsroom.store.read(move |db| slugs::resolve(db, Entity::Author, &[first])).await?;
        if found.into_iter().flatten().next().is_some() {
            return Err(Error::taken(format!(
                "articles were made with the seed {seed} before; name another with --seed"
            )));
        }
        let owner = owner(newsroom).await?;
        let sections = sections(newsroom, &owner).await?;
        let tags = (count / 50).clamp(200, 5_000);
        let generator = Self {
            newsroom: newsroom.clone(),
            // By name and not `StdRng`, whose algorithm may change.
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            seed,
            count,
            owner,
            sections,
            tags: Vec::new(),
            tag_ranks: zipf(tags)?,
            authors: Vec::new(),
            kinds: weights(KINDS.map(|(_, weight)| weight))?,
            articles: Vec::new(),
        };
        let authors = (count / 100).clamp(50, 500);
        let write = move |db: &mut Db| generator.write_names(db, tags, authors);
        let generator = newsroom.store.write(write).await?;
        progress(&format!("{} sections, {tags} tags, {authors} authors", generator.sections.len()));
        Ok(generator)
    }

    fn write_names(mut self, db: &mut Db, tags: usize, authors: usize) -> Result<Self, Error> {
        let now = self.newsroom.clock.now();
        for number in 0..authors {
            let id = self.newsroom.ids.next();
            let author = Author {
                id: AuthorId::new(id),
                slug: self.slug(&format!("author-{number}"))?,
                name: words::person(&mut self.rng),
                role: Some("Correspondent".to_owned()),
                bio: None,
                avatar: None,
                links: Vec::new(),
                user_id: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            slugs::claim(db, Entity::Author, author.slug.as_str(), id, true)?;
            authors::insert(db, &author)?;
            self.authors.push(author.id);
        }
        for number in 0..tags {
            let id = self.newsroom.ids.next();
            let kind = TagType::ALL[self.rng.random_range(0..TagType::ALL.len())];
            let name = match kind {
                TagType::Person => words::person(&mut self.rng),
                _ => words::subject(&mut self.rng),
            };
            let tag = Tag {
                id: TagId::new(id),
                slug: self.slug(&format!("tag-{number}"))?,
                name,
                kind,
                description: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            slugs::claim(db, Entity::Tag, tag.slug.as_str(), id, true)?;
            tags::insert(db, &tag)?;
            self.tags.push(tag.id);
        }
        Ok(self)
    }

    /// A slug that no other seed makes.
    fn slug(&self, rest: &str) -> Result<Slug, Error> {
        Slug::from_text(&format!("generated-{}-{rest}", self.seed))
            .ok_or_else(|| Error::Internal("a generated slug is none".to_owned()))
    }

    fn write(mut self, db: &mut Db, batch: Range<usize>) -> Result<Self, Error> {
        // Articles are listed under all sections above theirs, so the tree must stay as it is.
        crate::store::sections::hold(db)?;
        for number in batch {
            self.write_article(db, number)?;
        }
        Ok(self)
    }

    fn write_article(&mut self, db: &mut Db, number: usize) -> Result<(), Error> {
        let at = self.date(number);
        let id = ArticleId::new(self.newsroom.ids.next());
        let document = self.document(number)?;
        let record = ArticleRecord {
            id,
            state: State::Published,
            version: 1,
            live_version: Some(1),
            created_by: self.owner.id,
            created_at: at,
            first_published_at: Some(at),
            assignee: None,
            retraction_reason: None,
            release: None,
            live: None,
            scheduled: None,
            byline_users: Vec::new(),
        };
        slugs::claim(db, Entity::Article, document.slug.as_str(), id.get(), true)?;
        articles::insert_record(db, &record)?;
        let draft = Dates {
            live_from: None,
            live_until: None,
            planned_until: None,
            published_at: None,
            updated_at: at,
            listed_at: at,
        };
        let live = Dates { live_from: Some(at), published_at: Some(at), ..draft };
        let tree = self.newsroom.site.held_tree(db)?;
        let slot = Slot { stage: Stage::Draft, version: 1, dates: draft, tree: &tree, body: None };
        articles::save(db, id, slot, &document, Over::Nothing)?;
        let body = Some(articles::body_of(db, id, Stage::Draft)?);
        let slot = Slot { stage: Stage::Live, dates: live, body, ..slot };
        articles::save(db, id, slot, &document, Over::Nothing)?;
        let live = keep_live(db, &self.newsroom, id, RevisionKind::Publication, self.owner.id, at, None)?;
        let (now, owner) = (self.newsroom.clock.now(), Some(self.owner.id));
        record_change(db, &self.newsroom, id, None, Some(&live), now, owner)?;
        self.articles.push(id);
        Ok(())
    }

    /// When an article was published: each has its own part of the five years.
    fn date(&mut self, number: usize) -> Instant {
        let part = |number: usize| {
            let share = SPAN as i128 * number as i128 / self.count.max(1) as i128;
            END - SPAN + i64::try_from(share).unwrap_or(SPAN)
        };
        let (from, to) = (part(number), part(number + 1));
        Instant::from_millis(self.rng.random_range(from..to.max(from + 1)))
    }

    /// A document.
    fn document(&mut self, number: usize) -> Result<Document, Error> {
        let headline = words::headline(&mut self.rng);
        let section = self.sections[self.rng.random_range(0..self.sections.len())];
        let wanted = self.rng.random_range(4..=8);
        let mut tags = Vec::new();
        while tags.len() < wanted {
            let tag = self.tags[self.tag_ranks.sample(&mut self.rng)];
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let mut authors = BTreeSet::new();
        for _ in 0..self.rng.random_range(1..=2) {
            authors.insert(self.authors[self.rng.random_range(0..self.authors.len())]);
        }
        let bylines = authors
            .into_iter()
            .map(|author| DocumentByline { author: Some(author), name: None, role: None })
            .collect();
        let mut document = Document {
            slug: self.slug(&format!("{number}-{headline}"))?,
            kind: KINDS[self.kinds.sample(&mut self.rng)].0,
            headline,
            standfirst: Some(words::plain_sentence(&mut self.rng)),
            kicker: None,
            section: Some(section),
            sections: Vec::new(),
            tags,
            bylines,
            lead_image: None,
            language: "en".to_owned(),
            dateline: None,
            access: Access::Free,
            seo: Seo::default(),
            body: self.body(),
            links: Vec::new(),
        };
        document.links = self.links(&mut document.body);
        body::finish(&mut document.body, &Vec::new())?;
        Ok(document)
    }

    fn body(&mut self) -> Body {
        let mut body = Body::new();
        for number in 0..self.rng.random_range(3..=6) {
            let heading = (number > 0).then(|| words::heading(&mut self.rng).to_owned());
            let mut blocks = Vec::new();
            for _ in 0..self.rng.random_range(2..=4) {
                blocks.push(BlockContent::Paragraph { html: words::paragraph(&mut self.rng) });
            }
            if self.rng.random_bool(0.25) {
                let (html, cite) = words::remark(&mut self.rng);
                blocks.push(BlockContent::Quote { html, cite: Some(cite) });
            }
            if self.rng.random_bool(0.15) {
                let items = (0..self.rng.random_range(2..=5)).map(|_| words::sentence(&mut self.rng));
                blocks.push(BlockContent::List { ordered: false, items: items.collect() });
            }
            let id = BodySectionId::new(self.newsroom.ids.next());
            let anchor = heading.as_deref().and_then(Slug::from_text);
            let anchor = anchor.map_or_else(|| format!("section-{id}"), Slug::into_string);
            let blocks = blocks.into_iter().map(|content| self.block(content)).collect();
            body.push(BodySection { id, heading, level: 2, anchor, blocks });
        }
        body
    }

    fn block(&self, content: BlockContent<LinkId>) -> Block<LinkId> {
        Block { id: BlockId::new(self.newsroom.ids.next()), content }
    }

    /// Links to earlier articles; every other first one stands in the body.
    fn links(&mut self, body: &mut Body) -> Vec<Link> {
        let wanted = self.rng.random_range(0..=3).min(self.articles.len());
        let mut targets = BTreeSet::new();
        for _ in 0..wanted {
            targets.insert(self.articles[self.rng.random_range(0..self.articles.len())]);
        }
        let mut links = Vec::new();
        for (index, target) in targets.into_iter().enumerate() {
            let id = LinkId::new(self.newsroom.ids.next());
            let mut block_id = None;
            if index == 0 && self.rng.random_bool(0.5) {
                let block = self.block(BlockContent::ReadMore { link: id });
                if let Some(section) = body.first_mut() {
                    block_id = Some(block.id);
                    section.blocks.push(block);
                }
            }
            let (label, kind) = ("Read More".to_owned(), LinkKind::Related);
            links.push(Link { id, label, kind, target: LinkTarget::Article(target), block_id });
        }
        links
    }
}

/// The user whose articles they are; nobody can log in as them.
async fn owner(newsroom: &Newsroom) -> Result<User, Error> {
    let email: EmailAddress = OWNER.parse().map_err(|error| Error::internal("the generator", error))?;
    let wanted = email.clone();
    let found = newsroom.store.read(move |db| crate::store::users::find_by_email(db, &wanted)).await?;
    match found {
        Some((user, _)) => Ok(user),
        None => users::add(newsroom, email, "Generator".to_owned(), Role::Editor, unknown_password()).await,
    }
}

/// The sections. Those that are there already are taken as they are.
async fn sections(newsroom: &Newsroom, owner: &User) -> Result<Vec<SectionId>, Error> {
    let there = newsroom.store.read(crate::store::sections::all).await?;
    let principal = Principal::system(owner.clone());
    let mut made = Vec::new();
    for name in SECTIONS {
        let path = format!("/{name}");
        if let Some(section) = there.iter().find(|section| section.path == path) {
            made.push(section.id);
            continue;
        }
        let (parent, last) =
            name.rsplit_once('/').map_or((None, name), |(parent, last)| (Some(parent), last));
        let changes = SectionChanges {
            parent: parent.map(|parent| Some(Reference::parse(parent))),
            slug: Slug::from_text(last),
            name: Some(words::capital(&last.replace('-', " "))),
            ..SectionChanges::default()
        };
        let section = sections::create(newsroom, &principal, changes).await?;
        made.push(section.id);
    }
    Ok(made)
}
