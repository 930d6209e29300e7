//! The small newsroom, made through the services so that every rule holds for it.

use std::collections::HashMap;

use serde::Deserialize;

use super::{DemoLogin, random_password, unknown_password};
use crate::{
    domain::{
        article::{Access, ArticleType, BylineDraft, DocumentChanges, Image, Seo},
        author::{AuthorChanges, LabelledLink},
        body::{BlockContent, BlockDraft, BodySectionDraft, ImageFile, LinkDraft},
        error::{Error, Faults},
        id::ArticleId,
        instant::Instant,
        link::{LinkKind, LinkTarget, NewLink},
        section::SectionChanges,
        site::SiteChanges,
        slug::{Reference, Slug},
        tag::{TagChanges, TagType},
        user::{EmailAddress, Principal, Role, User},
        workflow::State,
    },
    service::{
        Newsroom,
        articles::{self, ArticleView, Command, EditRequest, Publication},
        authors, sections, site, tags, users,
    },
};

const NEWSROOM: &str = include_str!("newsroom.json");

/// The one user of the demo who can log in.
const EDITOR: &str = "editor@demo.example";

/// Users whose passwords nobody knows: they show how the roles differ.
const OTHERS: [(&str, &str, Role); 2] = [
    ("author@demo.example", "Demo author", Role::Author),
    ("contributor@demo.example", "Demo contributor", Role::Contributor),
];

const MILLISECONDS_OF_DAY: f64 = 86_400_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoNewsroom {
    site: DemoSite,
    sections: Vec<DemoSection>,
    tags: Vec<DemoTag>,
    authors: Vec<DemoAuthor>,
    articles: Vec<DemoArticle>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoSite {
    name: String,
    tagline: String,
    language: String,
    time_zone: String,
    navigation: Vec<LabelledLink>,
    paywall_selector: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoSection {
    path: String,
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoTag {
    slug: String,
    name: String,
    #[serde(rename = "type")]
    kind: TagType,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoAuthor {
    slug: String,
    name: String,
    role: Option<String>,
    bio: Option<String>,
    #[serde(default)]
    links: Vec<LabelledLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoArticle {
    slug: String,
    #[serde(rename = "type")]
    kind: ArticleType,
    headline: String,
    standfirst: Option<String>,
    kicker: Option<String>,
    section: String,
    #[serde(default)]
    sections: Vec<String>,
    tags: Vec<String>,
    bylines: Vec<DemoByline>,
    dateline: Option<String>,
    #[serde(default)]
    access: Access,
    lead_image: Option<DemoImage>,
    seo: Option<Seo>,
    state: State,
    days_ago: f64,
    body: Vec<DemoBodySection>,
    #[serde(default)]
    links: Vec<DemoLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoByline {
    author: Option<String>,
    name: Option<String>,
    role: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoImage {
    url: String,
    width: Option<u32>,
    height: Option<u32>,
    alt: Option<String>,
    caption: Option<String>,
    credit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoBodySection {
    heading: Option<String>,
    level: Option<u8>,
    blocks: Vec<BlockContent<DemoLink>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoLink {
    label: String,
    #[serde(default)]
    kind: LinkKind,
    target: DemoTarget,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DemoTarget {
    Article { article: String },
    External { url: String, title: String },
}

/// The articles that there are so far, by slug.
type Known = HashMap<String, ArticleId>;

fn slug(text: &str) -> Result<Slug, Error> {
    text.parse().map_err(|error| Error::internal("the demo", format!("{text:?} {error}")))
}

impl DemoLink {
    fn new_link(self, known: &Known) -> Result<NewLink, Error> {
        let target = match self.target {
            DemoTarget::Article { article } => {
                LinkTarget::Article(*known.get(&article).ok_or_else(|| {
                    Error::internal("the demo", format!("{article:?} is linked to before it is made"))
                })?)
            }
            DemoTarget::External { url, title } => LinkTarget::External { url, title },
        };
        Ok(NewLink { label: self.label, kind: self.kind, target })
    }
}

impl DemoImage {
    fn image(self) -> Image {
        let media = ImageFile { url: self.url, width: self.width, height: self.height };
        Image { media, alt: self.alt, caption: self.caption, credit: self.credit }
    }
}

impl DemoBodySection {
    fn draft(self, known: &Known) -> Result<BodySectionDraft, Error> {
        let mut faults = Faults::default();
        let mut blocks = Vec::new();
        for content in self.blocks {
            let content = content
                .canonical(&mut faults, "/body")
                .try_map_link(|link| Ok::<_, Error>(LinkDraft::New(link.new_link(known)?)))?;
            blocks.push(BlockDraft { id: None, content });
        }
        faults.check()?;
        Ok(BodySectionDraft { id: None, heading: self.heading, level: self.level, anchor: None, blocks })
    }
}

fn references(names: &[String]) -> Vec<Reference> {
    names.iter().map(|name| Reference::parse(name)).collect()
}

/// Loads the small newsroom and tells who can log in to it. Its articles are as old as they look: dates count back from
/// now.
///
/// # Errors
/// When its users are there already, or something in it cannot be made.
pub async fn load_newsroom(newsroom: &Newsroom) -> Result<DemoLogin, Error> {
    let demo: DemoNewsroom =
        serde_json::from_str(NEWSROOM).map_err(|error| Error::internal("reading the demo", error))?;
    let password = random_password();
    add_user(newsroom, EDITOR, "Demo editor", Role::Editor, password.as_str().into()).await?;
    for (email, name, role) in OTHERS {
        add_user(newsroom, email, name, role, unknown_password()).await?;
    }
    let admin =
        add_user(newsroom, "admin@demo.example", "Demo admin", Role::Admin, unknown_password()).await?;
    let admin = Principal::system(admin);

    add_site(newsroom, &admin, demo.site).await?;
    add_taxonomy(newsroom, &admin, demo.sections, demo.tags, demo.authors).await?;
    let now = newsroom.clock.now();
    let mut known = Known::new();
    for article in demo.articles {
        add_article(newsroom, &admin, article, now, &mut known).await?;
    }
    Ok(DemoLogin { email: EDITOR.to_owned(), password })
}

async fn add_user(
    newsroom: &Newsroom,
    email: &str,
    name: &str,
    role: Role,
    password: secrecy::SecretString,
) -> Result<User, Error> {
    let email: EmailAddress = email.parse().map_err(|error| Error::internal("the demo", error))?;
    users::add(newsroom, email, name.to_owned(), role, password).await
}

async fn add_site(newsroom: &Newsroom, admin: &Principal, demo: DemoSite) -> Result<(), Error> {
    let changes = SiteChanges {
        name: Some(demo.name),
        tagline: Some(Some(demo.tagline)),
        language: Some(demo.language),
        time_zone: Some(demo.time_zone),
        navigation: Some(demo.navigation),
        paywall_selector: Some(Some(demo.paywall_selector)),
        ..SiteChanges::default()
    };
    site::update(newsroom, admin, None, changes).await.map(drop)
}

async fn add_taxonomy(
    newsroom: &Newsroom,
    admin: &Principal,
    sections: Vec<DemoSection>,
    tags: Vec<DemoTag>,
    authors: Vec<DemoAuthor>,
) -> Result<(), Error> {
    for section in sections {
        let (parent, name) = section.path.rsplit_once('/').unwrap_or(("", &section.path));
        let changes = SectionChanges {
            parent: (!parent.is_empty()).then(|| Some(Reference::parse(parent))),
            slug: Some(slug(name)?),
            name: Some(section.name),
            description: Some(section.description),
            ..SectionChanges::default()
        };
        sections::create(newsroom, admin, changes).await?;
    }
    for tag in tags {
        let changes = TagChanges {
            slug: Some(slug(&tag.slug)?),
            name: Some(tag.name),
            kind: Some(tag.kind),
            description: Some(tag.description),
        };
        tags::create(newsroom, admin, changes).await?;
    }
    for author in authors {
        let changes = AuthorChanges {
            slug: Some(slug(&author.slug)?),
            name: Some(author.name),
            role: Some(author.role),
            bio: Some(author.bio),
            links: Some(author.links),
            ..AuthorChanges::default()
        };
        authors::create(newsroom, admin, changes).await?;
    }
    Ok(())
}

async fn add_article(
    newsroom: &Newsroom,
    admin: &Principal,
    demo: DemoArticle,
    now: Instant,
    known: &mut Known,
) -> Result<(), Error> {
    let (state, days_ago, links) = (demo.state, demo.days_ago, demo.links);
    let body: Result<Vec<_>, Error> = demo.body.into_iter().map(|section| section.draft(known)).collect();
    let byline = |byline: DemoByline| BylineDraft {
        author: byline.author.as_deref().map(Reference::parse),
        name: byline.name,
        role: byline.role,
    };
    let changes = DocumentChanges {
        take_slug: false,
        slug: Some(slug(&demo.slug)?),
        kind: Some(demo.kind),
        headline: Some(demo.headline),
        standfirst: Some(demo.standfirst),
        kicker: Some(demo.kicker),
        section: Some(Some(Reference::parse(&demo.section))),
        sections: Some(references(&demo.sections)),
        tags: Some(references(&demo.tags)),
        bylines: Some(demo.bylines.into_iter().map(byline).collect()),
        lead_image: Some(demo.lead_image.map(DemoImage::image)),
        language: None,
        dateline: Some(demo.dateline),
        access: Some(demo.access),
        seo: demo.seo,
        body: Some(body?),
    };
    let (mut view, _) = articles::create(newsroom, admin.clone(), changes, None).await?;
    let id = view.article.id;
    let on = |view: &ArticleView| EditRequest {
        principal: admin.clone(),
        reference: Reference::Id(id.get()),
        version: Some(view.article.version),
        merge: false,
    };
    for link in links {
        let link = link.new_link(known)?;
        (view, _) = articles::create_link(newsroom, on(&view), link, None).await?;
    }
    known.insert(demo.slug, id);
    if state == State::Draft {
        return Ok(());
    }
    let published_at = Some(before(now, days_ago));
    let publish = Command::Publish(Publication { published_at, ..Default::default() });
    let done = articles::act(newsroom, on(&view), publish, false).await?;
    if state == State::Unpublished {
        articles::act(newsroom, on(&done.view), Command::Unpublish, false).await?;
    }
    Ok(())
}

/// The instant so many days earlier.
fn before(now: Instant, days: f64) -> Instant {
    // A float outside the range becomes its nearest end.
    let milliseconds = (days.max(0.0) * MILLISECONDS_OF_DAY) as i64;
    Instant::from_millis(now.millis().saturating_sub(milliseconds))
}
