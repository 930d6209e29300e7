//! Articles as they go out.

use serde::{
    Deserialize, Serialize, Serializer,
    ser::{Error as _, SerializeSeq as _},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{super::answer::PageInfo, actions::Outcome};
use crate::{
    domain::{
        article::{Access, ArticleType, Byline, Image, Seo, Stage, Workflow},
        body::{self, Block, BlockContent, Body, BodySection},
        card::Card,
        correction::Correction,
        error::Error,
        id::{ArticleId, BlockId, LinkId},
        instant::Instant,
        link::{self, LinkCard, LinkKind, LinkTarget, RelatedLink},
        search::{Facets, Highlights},
        section::SectionCard,
        slug::Slug,
        tag::TagCard,
    },
    service::articles::ArticleView,
};

/// An article. In lists `body`, `related` and `corrections` are left out unless they are included.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "type": "news", "slug": "harbour-bridge-reopens", "path": "/city/harbour-bridge-reopens",
    "url": "https://courier.example/city/harbour-bridge-reopens", "headline": "Harbour bridge reopens after two years",
    "standfirst": "Traffic is back on the upper deck.", "kicker": null,
    "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"}, "sections": [],
    "tags": [{"id": "184467440737095101", "slug": "harbour-authority", "name": "Harbour Authority", "type": "organisation"}],
    "bylines": [{"author": {"id": "184467440737095201", "slug": "ada-okafor", "name": "Ada Okafor", "role": "City editor"},
                 "name": "Ada Okafor", "role": null}],
    "lead_image": null, "language": "en", "dateline": null, "access": "free",
    "seo": {"title": null, "description": null, "canonical_url": null, "noindex": false, "og_image": null},
    "word_count": 6, "reading_minutes": 1,
    "body": [{"id": "184467440737095301", "heading": null, "level": 2, "anchor": "section-184467440737095301",
              "blocks": [{"id": "184467440737095302", "type": "paragraph", "html": "The bridge <em>reopened</em> on Monday."}]}],
    "related": [], "corrections": [], "first_published_at": "2026-05-18T09:30:00.000Z", "published_at": "2026-05-18T09:30:00.000Z",
    "updated_at": "2026-05-18T09:30:00.000Z", "stage": "live", "version": 1
}))]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// What kind of article it is.
    #[serde(rename = "type")]
    pub kind: ArticleType,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its path on the site.
    pub path: String,
    /// Its address on the site.
    pub url: String,
    /// The headline.
    pub headline: String,
    /// The sentence under the headline.
    pub standfirst: Option<String>,
    /// The word or two above the headline.
    pub kicker: Option<String>,
    /// The section that gives it its address.
    #[schema(value_type = Option<SectionCard>)]
    pub section: Option<Card<SectionCard>>,
    /// Other sections that show it.
    #[schema(value_type = Vec<SectionCard>)]
    pub sections: Vec<Card<SectionCard>>,
    /// What it is about; the first is the lead tag.
    #[schema(value_type = Vec<TagCard>)]
    pub tags: Vec<Card<TagCard>>,
    /// Who wrote it.
    pub bylines: Vec<Byline>,
    /// The picture on top.
    pub lead_image: Option<Image>,
    /// Its language, BCP 47.
    pub language: String,
    /// Where it was written.
    pub dateline: Option<String>,
    /// Who may read the whole of it on the site, which is to see to that: answers hold the whole text, feeds do not.
    pub access: Access,
    /// Words for search engines.
    pub seo: Seo,
    /// Words of the body.
    pub word_count: u32,
    /// Minutes to read it, rounded up.
    pub reading_minutes: u32,
    /// The text: headed sections of blocks, or what `body_format` makes of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::body_format::schema, required = false)]
    pub body: Option<BodyAnswer>,
    /// Its links, inline ones included, in order; for readers those that they can follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub related: Option<Vec<Link>>,
    /// What readers are told of what was put right, by date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub corrections: Option<Vec<Correction>>,
    /// When it was first public.
    pub first_published_at: Option<Instant>,
    /// When it was published.
    pub published_at: Option<Instant>,
    /// When this stage was last changed.
    pub updated_at: Instant,
    /// Which form of the document this is.
    pub stage: Stage,
    /// The version of the document; also the beginning of its `ETag`.
    pub version: i64,
    /// For those who may read the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub workflow: Option<Workflow>,
    /// In the results of a search: where the hits are.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub matched: Option<Highlights>,
    /// After a step of the workflow: what it did, or with `dry_run` would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub outcome: Option<Outcome>,
}

/// A page of articles, with `q` of those found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArticleList {
    /// The items of the page, in order.
    pub data: Vec<Article>,
    /// Where the page is in the list.
    pub page: PageInfo,
    /// How many of the articles found are under what; only with `facets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub facets: Option<Facets>,
    /// Whether there may be more articles that a search did not look at: they are not counted, and only in the list if that
    /// goes by date. Only with `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub is_partial: Option<bool>,
}

/// A body on its way out: as it was stored, or with the cards of its links put in.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum BodyAnswer {
    /// It has no links; its bytes go out as they are.
    Stored(Box<RawValue>),
    /// With links.
    Linked(LinkedBody),
    /// In another format than blocks.
    Written(String),
}

/// A stored body into which the cards of its links are put as it is written. All that is no link passes as it is.
#[derive(Debug)]
pub struct LinkedBody {
    stored: String,
    links: Vec<InlineLink>,
}

/// A section of a stored body, with what passes as it is.
#[derive(Serialize, Deserialize)]
struct PassedSection<'a, B> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    heading: &'a RawValue,
    #[serde(borrow)]
    level: &'a RawValue,
    #[serde(borrow)]
    anchor: &'a RawValue,
    blocks: Vec<B>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PassedBlock<'a> {
    Stored(&'a RawValue),
    Link(Block<&'a InlineLink>),
}

/// How a link begins in a stored body. Quotes of a text would be escaped.
const LINK: &str = r#""type":"read_more""#;

impl Serialize for LinkedBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sections: Vec<PassedSection<'_, &RawValue>> =
            serde_json::from_str(&self.stored).map_err(S::Error::custom)?;
        let mut written = serializer.serialize_seq(Some(sections.len()))?;
        for PassedSection { id, heading, level, anchor, blocks } in sections {
            let mut passed = Vec::with_capacity(blocks.len());
            for block in blocks {
                if !block.get().contains(LINK) {
                    passed.push(PassedBlock::Stored(block));
                    continue;
                }
                let block: Block<LinkId> = serde_json::from_str(block.get()).map_err(S::Error::custom)?;
                let link = |id| self.links.iter().find(|link| link.id == id).ok_or(());
                // One that the reader cannot follow is left out.
                if let Ok(content) = block.content.try_map_link(link) {
                    passed.push(PassedBlock::Link(Block { id: block.id, content }));
                }
            }
            written.serialize_element(&PassedSection { id, heading, level, anchor, blocks: passed })?;
        }
        written.end()
    }
}

/// A link that stands in a body.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InlineLink {
    /// Its id, as in `related`.
    pub id: LinkId,
    /// The words before the headline, such as "Read More".
    #[schema(examples("Read More"))]
    pub label: String,
    /// What it is to the article.
    pub kind: LinkKind,
    /// The target as it is now.
    pub card: LinkCard,
}

/// A related-article link.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095401", "label": "Read More", "kind": "related",
    "target": {"article_id": "184467440737095516", "url": null, "title": null}, "position": 0,
    "block_id": "184467440737095303",
    "card": {"headline": "Harbour bridge reopens after two years",
             "url": "https://courier.example/city/harbour-bridge-reopens", "path": "/city/harbour-bridge-reopens",
             "standfirst": "Traffic is back on the upper deck.", "lead_image": null,
             "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"},
             "published_at": "2026-05-18T09:30:00.000Z", "state": "live"}
}))]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The words before the headline.
    pub label: String,
    /// What it is to the article.
    pub kind: LinkKind,
    /// Where it leads.
    pub target: Target,
    /// Its place among the article's links, from 0.
    pub position: i32,
    /// The `read_more` block in which it stands; `null` for a listed link.
    pub block_id: Option<BlockId>,
    /// The target as it is now.
    pub card: LinkCard,
}

/// Where a link leads: an article, or an address with a title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Target {
    /// The article; `null` for an external target and for an article that was deleted.
    pub article_id: Option<ArticleId>,
    /// The address of an external target.
    pub url: Option<String>,
    /// The title of an external target, or the last headline of an article that was deleted.
    pub title: Option<String>,
}

impl From<LinkTarget> for Target {
    fn from(target: LinkTarget) -> Self {
        match target {
            LinkTarget::Article(id) => Self { article_id: Some(id), url: None, title: None },
            LinkTarget::External { url, title } => {
                Self { article_id: None, url: Some(url), title: Some(title) }
            }
            LinkTarget::Deleted { title } => Self { article_id: None, url: None, title: Some(title) },
        }
    }
}

impl From<RelatedLink> for Link {
    fn from(related: RelatedLink) -> Self {
        let RelatedLink { link: link::Link { id, label, kind, target, block_id }, position, card } = related;
        Self { id, label, kind, target: target.into(), position, block_id, card }
    }
}

impl From<&RelatedLink> for InlineLink {
    fn from(related: &RelatedLink) -> Self {
        let link::Link { id, label, kind, .. } = &related.link;
        Self { id: *id, label: label.clone(), kind: *kind, card: related.card.clone() }
    }
}

/// Puts the links into a body; a `read_more` whose link is not among them is left out.
pub(crate) fn with_links(body: Body, links: &[RelatedLink]) -> Vec<BodySection<InlineLink>> {
    let block = |block: Block<LinkId>| {
        let link = |id| links.iter().find(|related| related.link.id == id).map(InlineLink::from).ok_or(());
        let content = block.content.try_map_link(link);
        content.ok().map(|content: BlockContent<InlineLink>| Block { id: block.id, content })
    };
    let section = |section: BodySection<LinkId>| {
        let BodySection { id, heading, level, anchor, blocks } = section;
        BodySection { id, heading, level, anchor, blocks: blocks.into_iter().filter_map(block).collect() }
    };
    body.into_iter().map(section).collect()
}

impl BodyAnswer {
    fn new(stored: String, links: &[RelatedLink]) -> Result<Self, Error> {
        if stored.contains(LINK) {
            let links = links.iter().filter(|related| related.link.block_id.is_some());
            return Ok(Self::Linked(LinkedBody { stored, links: links.map(InlineLink::from).collect() }));
        }
        let stored = RawValue::from_string(stored);
        stored.map(Self::Stored).map_err(|error| Error::internal("reading a stored body", error))
    }
}

impl TryFrom<ArticleView> for Article {
    type Error = Error;

    fn try_from(view: ArticleView) -> Result<Self, Error> {
        let ArticleView { article, workflow } = view;
        let body =
            article.body.map(|body| BodyAnswer::new(body, article.links.as_deref().unwrap_or_default()));
        Ok(Self {
            id: article.id,
            kind: article.kind,
            slug: article.slug,
            path: article.path,
            url: article.url,
            headline: article.headline,
            standfirst: article.standfirst,
            kicker: article.kicker,
            section: article.section,
            sections: article.sections,
            tags: article.tags,
            bylines: article.bylines,
            lead_image: article.lead_image,
            language: article.language,
            dateline: article.dateline,
            access: article.access,
            seo: article.seo,
            word_count: article.word_count,
            reading_minutes: body::reading_minutes(article.word_count),
            body: body.transpose()?,
            related: article.links.map(|links| links.into_iter().map(Link::from).collect()),
            corrections: article.corrections,
            first_published_at: article.first_published_at,
            published_at: article.published_at,
            updated_at: article.updated_at,
            stage: article.stage,
            version: article.version,
            workflow,
            matched: None,
            outcome: None,
        })
    }
}
