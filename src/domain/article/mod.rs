//! Articles: one document in two stages, the draft that editors work on and the live one that readers see.

mod filter;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::filter::{ArticleFilter, ArticleOrder, AssigneeFilter};
use super::{
    author::AuthorCard,
    body::{Body, BodySectionDraft, ImageFile},
    card::Card,
    correction::Correction,
    error::Error,
    id::{ArticleId, AuthorId, ReleaseId, SectionId, TagId, UserId},
    instant::Instant,
    link::{CardState, Link, LinkCard, RelatedLink},
    permission::Standing,
    section::SectionCard,
    slug::{Reference, Slug},
    tag::TagCard,
    text_enum::text_enum,
    user::UserCard,
    workflow::{Position, State},
};

/// Most tags of an article.
pub const MAX_TAGS: usize = 50;
/// Most bylines of an article.
pub const MAX_BYLINES: usize = 30;
/// Most secondary sections of an article.
pub const MAX_SECONDARY_SECTIONS: usize = 10;

/// One of the two forms of an article's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// What editors work on.
    Draft,
    /// What readers see.
    #[default]
    Live,
    /// What readers will see from a set instant on.
    Scheduled,
}

/// What kind of article it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArticleType {
    /// A report.
    #[default]
    News,
    /// What it means.
    Analysis,
    /// What somebody thinks.
    Opinion,
    /// A long read.
    Feature,
    /// Questions and answers.
    Interview,
    /// The background.
    Explainer,
    /// A live blog.
    Live,
}

text_enum!(ArticleType {
    News "news",
    Analysis "analysis",
    Opinion "opinion",
    Feature "feature",
    Interview "interview",
    Explainer "explainer",
    Live "live",
});

/// Who may read the whole of an article on the site. It is the site that lets them: what Masthead answers is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everybody.
    #[default]
    Free,
    /// Everybody, so many articles in a while.
    Metered,
    /// Subscribers.
    Subscription,
}

text_enum!(Access {
    Free "free",
    Metered "metered",
    Subscription "subscription",
});

/// A picture with its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The picture.
    pub media: ImageFile,
    /// What it shows, for those who cannot see it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub alt: Option<String>,
    /// What readers see under it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub caption: Option<String>,
    /// Who made it.
    #[serde(default)]
    #[schema(max_length = 300)]
    pub credit: Option<String>,
}

/// Words for search engines and social networks; what is `null` is taken from the thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Seo {
    /// The title of the page.
    #[schema(max_length = 200)]
    pub title: Option<String>,
    /// The description of the page.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// The address that counts as the original, if that is elsewhere.
    #[schema(max_length = 2000)]
    pub canonical_url: Option<String>,
    /// Whether search engines are asked to leave the page out.
    pub noindex: bool,
    /// A picture for social networks.
    #[schema(max_length = 2000)]
    pub og_image: Option<String>,
}

/// Who wrote an article, with the author's profile if there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Byline {
    /// The author's profile; `null` for a byline that is only a name, such as an agency's.
    #[schema(value_type = Option<AuthorCard>)]
    pub author: Option<Card<AuthorCard>>,
    /// The name as printed.
    #[schema(examples("Ada Okafor"))]
    pub name: String,
    /// What they did, such as "Words" or "Pictures".
    pub role: Option<String>,
}

/// A byline as the document holds it: an author, a name, or an author under another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentByline {
    /// The author.
    pub author: Option<AuthorId>,
    /// The printed name; the author's own if there is none.
    pub name: Option<String>,
    /// What they did.
    pub role: Option<String>,
}

/// A byline to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BylineDraft {
    /// The author, by id or slug.
    pub author: Option<Reference>,
    /// The printed name.
    pub name: Option<String>,
    /// What they did.
    pub role: Option<String>,
}

/// The document of an article, with everything else named by its id: what is edited and copied from draft to live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its name in addresses.
    pub slug: Slug,
    /// What kind of article it is.
    pub kind: ArticleType,
    /// The headline.
    pub headline: String,
    /// The sentence under the headline.
    pub standfirst: Option<String>,
    /// The word or two above the headline.
    pub kicker: Option<String>,
    /// The section that gives it its address.
    pub section: Option<SectionId>,
    /// Other sections that show it.
    pub sections: Vec<SectionId>,
    /// What it is about; the first is the lead tag.
    pub tags: Vec<TagId>,
    /// Who wrote it.
    pub bylines: Vec<DocumentByline>,
    /// The picture on top.
    pub lead_image: Option<Image>,
    /// Its language, BCP 47.
    pub language: String,
    /// Where it was written, such as "PORT ELLERY".
    pub dateline: Option<String>,
    /// Who may read the whole of it; older documents do not say.
    #[serde(default)]
    pub access: Access,
    /// Words for search engines.
    pub seo: Seo,
    /// The text.
    pub body: Body,
    /// Its links, inline ones included, in order.
    pub links: Vec<Link>,
}

impl Document {
    /// The document of an article that was read with its body and links.
    ///
    /// # Errors
    /// When the stored body cannot be read.
    pub fn of(article: &Article) -> Result<Self, Error> {
        let body = article.body.as_deref().unwrap_or("[]");
        let body =
            serde_json::from_str(body).map_err(|error| Error::internal("reading a stored body", error))?;
        let printed = |byline: &Byline| {
            let own = byline.author.as_ref().map(|author| &author.name);
            (own != Some(&byline.name)).then(|| byline.name.clone())
        };
        Ok(Self {
            slug: article.slug.clone(),
            kind: article.kind,
            headline: article.headline.clone(),
            standfirst: article.standfirst.clone(),
            kicker: article.kicker.clone(),
            section: article.section.as_ref().map(|section| section.id),
            sections: article.sections.iter().map(|section| section.id).collect(),
            tags: article.tags.iter().map(|tag| tag.id).collect(),
            bylines: article
                .bylines
                .iter()
                .map(|byline| DocumentByline {
                    author: byline.author.as_ref().map(|author| author.id),
                    name: printed(byline),
                    role: byline.role.clone(),
                })
                .collect(),
            lead_image: article.lead_image.clone(),
            language: article.language.clone(),
            dateline: article.dateline.clone(),
            access: article.access,
            seo: article.seo.clone(),
            body,
            links: article.links.iter().flatten().map(|related| related.link.clone()).collect(),
        })
    }

    /// The names of the fields in which two documents differ, and of the parts of their bodies.
    pub fn differences(&self, new: &Self) -> Vec<String> {
        let fields = [
            ("slug", self.slug != new.slug),
            ("type", self.kind != new.kind),
            ("headline", self.headline != new.headline),
            ("standfirst", self.standfirst != new.standfirst),
            ("kicker", self.kicker != new.kicker),
            ("section", self.section != new.section),
            ("sections", self.sections != new.sections),
            ("tags", self.tags != new.tags),
            ("bylines", self.bylines != new.bylines),
            ("lead_image", self.lead_image != new.lead_image),
            ("language", self.language != new.language),
            ("dateline", self.dateline != new.dateline),
            ("access", self.access != new.access),
            ("seo", self.seo != new.seo),
            ("links", self.links != new.links),
        ];
        let mut changed: Vec<String> =
            fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned()).collect();
        changed.extend(super::body::differences(&self.body, &new.body));
        changed
    }
}

/// The members of a document to write. A new article begins empty, so that creating and editing are one thing.
#[derive(Debug, Clone, Default)]
pub struct DocumentChanges {
    /// A new slug; made from the headline when a new article has none.
    pub slug: Option<Slug>,
    /// The slug may be a former one of another article, which loses it.
    pub take_slug: bool,
    /// A new type.
    pub kind: Option<ArticleType>,
    /// A new headline.
    pub headline: Option<String>,
    /// A new standfirst, or none.
    pub standfirst: Option<Option<String>>,
    /// A new kicker, or none.
    pub kicker: Option<Option<String>>,
    /// A new section, by id or path, or none.
    pub section: Option<Option<Reference>>,
    /// New secondary sections, by id or path.
    pub sections: Option<Vec<Reference>>,
    /// New tags, by id or slug.
    pub tags: Option<Vec<Reference>>,
    /// New bylines.
    pub bylines: Option<Vec<BylineDraft>>,
    /// A new lead image, or none.
    pub lead_image: Option<Option<Image>>,
    /// A new language.
    pub language: Option<String>,
    /// A new dateline, or none.
    pub dateline: Option<Option<String>>,
    /// Others who may read the whole of it.
    pub access: Option<Access>,
    /// New words for search engines.
    pub seo: Option<Seo>,
    /// A new body.
    pub body: Option<Vec<BodySectionDraft>>,
}

/// When a document is public, now or at a set instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LiveDates {
    /// The version of the draft that it is.
    pub version: i64,
    /// When it becomes visible.
    pub live_from: Instant,
    /// When it ceases to be.
    pub live_until: Option<Instant>,
    /// When it is to end by itself; `live_until` is earlier if another version takes its place before.
    #[serde(skip)]
    pub planned_until: Option<Instant>,
    /// When it was published, as readers see it.
    pub published_at: Instant,
}

impl LiveDates {
    /// Whether readers see it at an instant.
    pub fn is_visible_at(&self, now: Instant) -> bool {
        self.live_from <= now && self.live_until.is_none_or(|until| until > now)
    }
}

/// What does not change with an edit.
#[derive(Debug, Clone, PartialEq)]
pub struct ArticleRecord {
    /// Its id.
    pub id: ArticleId,
    /// Where it stands in the workflow.
    pub state: State,
    /// The version of the draft.
    pub version: i64,
    /// The version that is live.
    pub live_version: Option<i64>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Instant,
    /// When it was first public.
    pub first_published_at: Option<Instant>,
    /// Who is to work on it.
    pub assignee: Option<UserId>,
    /// What readers are told of a retracted article.
    pub retraction_reason: Option<String>,
    /// The scheduled release that holds it.
    pub release: Option<ReleaseId>,
    /// The live document, if there is one.
    pub live: Option<LiveDates>,
    /// The scheduled document, if there is one.
    pub scheduled: Option<LiveDates>,
    /// Users whose author profile stands in the bylines of the draft.
    pub byline_users: Vec<UserId>,
}

impl ArticleRecord {
    /// What a user is to this article.
    pub fn standing(&self, user: UserId) -> Standing {
        Standing {
            own: self.created_by == user || self.byline_users.contains(&user),
            ever_published: self.first_published_at.is_some(),
        }
    }

    /// Where it stands at an instant: what was due by then counts, whether or not it has been recorded yet.
    pub fn position_at(&self, now: Instant) -> Position {
        let is_due = |dates: &Option<LiveDates>| dates.is_some_and(|dates| dates.live_from <= now);
        let is_visible = |dates: &Option<LiveDates>| dates.is_some_and(|dates| dates.is_visible_at(now));
        let took_effect = is_due(&self.scheduled);
        let state = match self.state {
            State::Scheduled | State::Published if is_visible(&self.live) || is_visible(&self.scheduled) => {
                State::Published
            }
            State::Published if self.scheduled.is_some() && !took_effect => State::Scheduled,
            State::Published => State::Unpublished,
            State::Scheduled if took_effect => State::Unpublished,
            state => state,
        };
        let live_version =
            if took_effect { self.scheduled.map(|dates| dates.version) } else { self.live_version };
        Position {
            state,
            ever_published: self.first_published_at.is_some() || took_effect,
            has_scheduled: self.scheduled.is_some() && !took_effect,
            has_changes: live_version.is_some_and(|live| live != self.version),
        }
    }
}

/// An article as it is read: one stage of its document with cards of all that it refers to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// Which stage this is.
    pub stage: Stage,
    /// The version of the document in this stage.
    pub version: i64,
    /// What kind of article it is.
    pub kind: ArticleType,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its path on the site.
    pub path: String,
    /// Its address.
    pub url: String,
    /// The headline.
    pub headline: String,
    /// The sentence under the headline.
    pub standfirst: Option<String>,
    /// The word or two above the headline.
    pub kicker: Option<String>,
    /// The section that gives it its address.
    pub section: Option<Card<SectionCard>>,
    /// Other sections that show it.
    pub sections: Vec<Card<SectionCard>>,
    /// What it is about.
    pub tags: Vec<Card<TagCard>>,
    /// Who wrote it.
    pub bylines: Vec<Byline>,
    /// The picture on top.
    pub lead_image: Option<Image>,
    /// Its language.
    pub language: String,
    /// Where it was written.
    pub dateline: Option<String>,
    /// Who may read the whole of it; older revisions do not say.
    #[serde(default)]
    pub access: Access,
    /// Words for search engines.
    pub seo: Seo,
    /// Words of the body.
    pub word_count: u32,
    /// The text, as the JSON in which it is stored; none in lists that do not include it.
    pub body: Option<String>,
    /// Its links, inline ones included; none in lists that do not include them.
    pub links: Option<Vec<RelatedLink>>,
    /// What it links to and readers cannot see now; what they are shown changes with it all the same.
    #[serde(skip)]
    pub hidden_links: Vec<ArticleId>,
    /// What readers are told of what was put right; none in lists that do not include it.
    #[serde(default)]
    pub corrections: Option<Vec<Correction>>,
    /// When it was first public.
    pub first_published_at: Option<Instant>,
    /// When it was published, as readers see it.
    pub published_at: Option<Instant>,
    /// When this stage was last changed.
    pub updated_at: Instant,
    /// When the live document becomes visible.
    pub live_from: Option<Instant>,
    /// When it ceases to be.
    pub live_until: Option<Instant>,
}

impl Article {
    /// The article as a link to it shows it.
    pub fn card(&self, state: CardState) -> LinkCard {
        LinkCard {
            headline: self.headline.clone(),
            url: Some(self.url.clone()),
            path: Some(self.path.clone()),
            standfirst: self.standfirst.clone(),
            lead_image: self.lead_image.clone(),
            section: self.section.clone(),
            published_at: self.published_at,
            scheduled_for: None,
            state,
        }
    }
}

/// What the workflow knows of an article, for those who may read its draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Workflow {
    /// Where it stands.
    pub state: State,
    /// When the live document becomes or became visible.
    pub live_from: Option<Instant>,
    /// When it ceases to be visible.
    pub live_until: Option<Instant>,
    /// Whether the draft is ahead of what readers see.
    pub has_unpublished_changes: bool,
    /// The version that readers see.
    pub live_version: Option<i64>,
    /// The version of the draft.
    pub draft_version: i64,
    /// The version that readers will see, and when.
    pub scheduled: Option<LiveDates>,
    /// The scheduled release that holds the article until it takes effect.
    pub release: Option<ReleaseId>,
    /// What readers are told of a retracted article.
    pub retraction_reason: Option<String>,
    /// What the caller may do now: `edit`, `delete`, and steps of the workflow.
    pub allowed_actions: Vec<&'static str>,
    /// Who made it.
    pub created_by: UserId,
    /// Who is to work on it.
    pub assignee: Option<UserCard>,
}

/// What a list of articles holds beside the cards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Include {
    /// The text.
    pub body: bool,
    /// The links.
    pub related: bool,
    /// The corrections.
    pub corrections: bool,
}

impl Include {
    /// Everything.
    pub const ALL: Self = Self { body: true, related: true, corrections: true };
}
