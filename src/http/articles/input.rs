//! Articles and their parts as they come in.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        article::{ArticleType, BylineDraft, DocumentChanges, Image, Seo},
        body::{BlockContent, BlockDraft, BodySectionChanges, BodySectionDraft, LinkDraft, MAX_HEADING},
        error::Faults,
        id::{ArticleId, BlockId, BodySectionId, LinkId},
        instant::Instant,
        link::{InlinePlace, LinkChanges, LinkKind, LinkTarget, NewLink},
        slug::{Reference, Slug},
        text::{is_web_url, line, optional_line},
    },
    http::input::{Parse, present},
};

/// The label of a link that is given none.
const READ_MORE: &str = "Read More";

/// A byline to write: an author, a printed name, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BylineInput {
    /// The author, by id or slug.
    #[serde(default)]
    #[schema(max_length = 200)]
    author: Option<String>,
    /// The printed name, if it is not the author's own.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What they did, such as "Pictures".
    #[serde(default)]
    #[schema(max_length = 200)]
    role: Option<String>,
}

/// A block to write: its `type`, the members of that type, and the `id` of the block that it replaces, if any.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BlockInput {
    /// The block of this article that it is; none for a new one.
    #[serde(default)]
    id: Option<BlockId>,
    #[serde(flatten)]
    content: BlockContent<LinkInput>,
}

/// A section of a body to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"heading": "What happens next", "level": 2,
    "blocks": [{"type": "paragraph", "html": "The lower deck opens <em>in June</em>."}]}))]
pub struct BodySectionInput {
    /// The section of this article that it is; none for a new one.
    #[serde(default)]
    id: Option<BodySectionId>,
    /// Its heading; the first section may have none.
    #[serde(default)]
    #[schema(max_length = 200)]
    heading: Option<String>,
    /// The level of the heading.
    #[serde(default)]
    #[schema(minimum = 2, maximum = 4)]
    level: Option<u8>,
    /// An anchor of the editor's choice; made from the heading if there is none.
    #[serde(default)]
    #[schema(max_length = 120)]
    anchor: Option<String>,
    /// Its blocks in order.
    #[schema(max_items = 2000)]
    blocks: Vec<BlockInput>,
}

/// The link of a `read_more` block: the id of a link that the article has, or a link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LinkInput {
    /// A link that the article has.
    Id(LinkId),
    /// A link to make; or, with `id`, one that the article has, as it was read.
    Link(InlineLinkInput),
}

/// A link to make in place, or one that was read and is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineLinkInput {
    /// A link that the article has. Its other members are then not written: edit them under `/links`.
    #[serde(default)]
    id: Option<LinkId>,
    /// The words before the headline; "Read More" if there are none.
    #[serde(default)]
    #[schema(max_length = 100)]
    label: Option<String>,
    /// What it is to the article.
    #[serde(default)]
    kind: Option<LinkKind>,
    /// Where it leads.
    #[serde(default)]
    target: Option<TargetInput>,
    /// Read-only: what was read may be sent back.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "accepted so that what was read can be sent back")]
    card: Option<Value>,
}

/// Where a link leads: `article_id`, or `url` and `title`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetInput {
    /// An article of this newsroom.
    #[serde(default)]
    article_id: Option<ArticleId>,
    /// An `http` or `https` address elsewhere.
    #[serde(default)]
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// What readers see of the address.
    #[serde(default)]
    #[schema(max_length = 300)]
    title: Option<String>,
}

impl TargetInput {
    fn parse(self, faults: &mut Faults, pointer: &str) -> Option<LinkTarget> {
        match (self.article_id, self.url) {
            (Some(id), None) if self.title.is_none() => Some(LinkTarget::Article(id)),
            (None, Some(url)) => {
                if !is_web_url(&url) {
                    faults.add(format!("{pointer}/url"), "not_a_url", "must be an http or https address");
                }
                let title = self.title.unwrap_or_default();
                let title = line(faults, &format!("{pointer}/title"), &title, 300)?;
                Some(LinkTarget::External { url, title })
            }
            _ => {
                faults.add(pointer, "bad_target", "must be either article_id, or url with title");
                None
            }
        }
    }
}

impl LinkInput {
    fn parse(self, faults: &mut Faults, pointer: &str) -> Option<LinkDraft> {
        match self {
            Self::Id(id) | Self::Link(InlineLinkInput { id: Some(id), .. }) => Some(LinkDraft::Existing(id)),
            Self::Link(InlineLinkInput { label, kind, target: Some(target), .. }) => {
                let target = target.parse(faults, &format!("{pointer}/target"))?;
                let label = label.as_deref().unwrap_or(READ_MORE);
                let label = line(faults, &format!("{pointer}/label"), label, 100)?;
                Some(LinkDraft::New(NewLink { label, kind: kind.unwrap_or_default(), target }))
            }
            Self::Link(_) => {
                faults.add(format!("{pointer}/target"), "required", "is required for a new link");
                None
            }
        }
    }
}

impl BlockInput {
    fn at(self, faults: &mut Faults, pointer: &str) -> Option<BlockDraft> {
        let content = self.content.canonical(faults, pointer);
        let content = content.try_map_link(|link| link.parse(faults, &format!("{pointer}/link")).ok_or(()));
        Some(BlockDraft { id: self.id, content: content.ok()? })
    }
}

impl BodySectionInput {
    fn at(self, faults: &mut Faults, pointer: &str) -> BodySectionDraft {
        let heading = self.heading.as_deref();
        let heading = optional_line(faults, &format!("{pointer}/heading"), heading, MAX_HEADING);
        let anchor = self.anchor.filter(|anchor| self.id.is_none_or(|id| *anchor != format!("section-{id}")));
        let anchor = anchor.and_then(|anchor| {
            faults.take(format!("{pointer}/anchor"), "bad_anchor", anchor.parse::<Slug>())
        });
        let blocks = self.blocks.into_iter().enumerate();
        let blocks =
            blocks.filter_map(|(index, block)| block.at(faults, &format!("{pointer}/blocks/{index}")));
        BodySectionDraft { id: self.id, heading, level: self.level, anchor, blocks: blocks.collect() }
    }
}

fn parse_body(faults: &mut Faults, pointer: &str, body: Vec<BodySectionInput>) -> Vec<BodySectionDraft> {
    body.into_iter()
        .enumerate()
        .map(|(index, section)| section.at(faults, &format!("{pointer}/{index}")))
        .collect()
}

fn parse_image(faults: &mut Faults, image: Image) -> Image {
    let Image { media, alt, caption, credit } = image;
    if !is_web_url(&media.url) {
        faults.add("/lead_image/media/url", "not_a_url", "must be an http or https address");
    }
    let mut text = |name: &str, text: Option<String>, max| {
        optional_line(faults, &format!("/lead_image/{name}"), text.as_deref(), max)
    };
    Image {
        media,
        alt: text("alt", alt, 1000),
        caption: text("caption", caption, 1000),
        credit: text("credit", credit, 300),
    }
}

fn parse_bylines(faults: &mut Faults, bylines: Vec<BylineInput>) -> Vec<BylineDraft> {
    let parse = |(index, byline): (usize, BylineInput)| {
        let pointer = format!("/bylines/{index}");
        let author = byline.author.as_deref().map(Reference::parse);
        let name = optional_line(faults, &format!("{pointer}/name"), byline.name.as_deref(), 200);
        if author.is_none() && name.is_none() {
            faults.add(pointer.clone(), "empty_byline", "must have an author or a name");
        }
        BylineDraft {
            author,
            name,
            role: optional_line(faults, &format!("{pointer}/role"), byline.role.as_deref(), 200),
        }
    };
    bylines.into_iter().enumerate().map(parse).collect()
}

fn parse_seo(faults: &mut Faults, seo: Seo) -> Seo {
    for (name, url) in [("canonical_url", &seo.canonical_url), ("og_image", &seo.og_image)] {
        if url.as_deref().is_some_and(|url| !is_web_url(url)) {
            faults.add(format!("/seo/{name}"), "not_a_url", "must be an http or https address");
        }
    }
    Seo {
        title: optional_line(faults, "/seo/title", seo.title.as_deref(), 200),
        description: optional_line(faults, "/seo/description", seo.description.as_deref(), 500),
        ..seo
    }
}

fn parse_language(faults: &mut Faults, language: &str) -> Option<String> {
    let well_formed = (2..=35).contains(&language.len())
        && language
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && language.split('-').next().is_some_and(|part| (2..=3).contains(&part.len()));
    if well_formed {
        Some(language.to_owned())
    } else {
        faults.add("/language", "bad_language", "must be a language tag (BCP 47), such as en or pt-BR");
        None
    }
}

fn references(names: &[String]) -> Vec<Reference> {
    names.iter().map(|name| Reference::parse(name)).collect()
}

/// An article to make. It begins as a draft; what is absent can be written later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "headline": "Harbour bridge reopens after two years", "standfirst": "Traffic is back on the upper deck.",
    "section": "/city", "tags": ["harbour-authority"], "bylines": [{"author": "ada-okafor"}],
    "body": [
        {"blocks": [{"type": "paragraph", "html": "The bridge <em>reopened</em> on Monday."}]},
        {"heading": "What happens next", "blocks": [{"type": "paragraph", "html": "The lower deck opens in June."}]}
    ]
}))]
pub struct ArticleCreate {
    /// The headline, one line.
    #[schema(min_length = 1, max_length = 300)]
    headline: String,
    /// What kind of article it is; news if nothing is said.
    #[serde(default, rename = "type")]
    kind: Option<ArticleType>,
    /// Its name in addresses; made from the headline if there is none.
    #[serde(default)]
    #[schema(max_length = 120)]
    slug: Option<String>,
    /// The sentence under the headline.
    #[serde(default)]
    #[schema(max_length = 1000)]
    standfirst: Option<String>,
    /// The word or two above the headline.
    #[serde(default)]
    #[schema(max_length = 100)]
    kicker: Option<String>,
    /// The section that gives it its address, by id or path.
    #[serde(default)]
    #[schema(max_length = 1000)]
    section: Option<String>,
    /// Other sections that show it, by id or path.
    #[serde(default)]
    #[schema(max_items = 10)]
    sections: Vec<String>,
    /// What it is about, by id or slug; the first is the lead tag.
    #[serde(default)]
    #[schema(max_items = 50)]
    tags: Vec<String>,
    /// Who wrote it.
    #[serde(default)]
    #[schema(max_items = 30)]
    bylines: Vec<BylineInput>,
    /// The picture on top.
    #[serde(default)]
    lead_image: Option<Image>,
    /// Its language, BCP 47; the site's if nothing is said.
    #[serde(default)]
    #[schema(max_length = 35)]
    language: Option<String>,
    /// Where it was written.
    #[serde(default)]
    #[schema(max_length = 100)]
    dateline: Option<String>,
    /// Words for search engines.
    #[serde(default)]
    seo: Option<Seo>,
    /// The text.
    #[serde(default)]
    #[schema(max_items = 200)]
    body: Vec<BodySectionInput>,
}

impl Parse for ArticleCreate {
    type Command = DocumentChanges;

    fn parse(self, faults: &mut Faults) -> Option<DocumentChanges> {
        Some(DocumentChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            kind: self.kind,
            headline: line(faults, "/headline", &self.headline, 300),
            standfirst: Some(optional_line(faults, "/standfirst", self.standfirst.as_deref(), 1000)),
            kicker: Some(optional_line(faults, "/kicker", self.kicker.as_deref(), 100)),
            section: self.section.as_deref().map(Reference::parse).map(Some),
            sections: Some(references(&self.sections)),
            tags: Some(references(&self.tags)),
            bylines: Some(parse_bylines(faults, self.bylines)),
            lead_image: self.lead_image.map(|image| Some(parse_image(faults, image))),
            language: self.language.and_then(|language| parse_language(faults, &language)),
            dateline: Some(optional_line(faults, "/dateline", self.dateline.as_deref(), 100)),
            seo: self.seo.map(|seo| parse_seo(faults, seo)),
            body: Some(parse_body(faults, "/body", self.body)),
        })
    }
}

/// The members of a draft to change (RFC 7396): what is absent stays, `null` clears, a list replaces the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"headline": "Harbour bridge reopens", "kicker": null}))]
pub struct ArticlePatch {
    /// A new headline.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 300, nullable = false)]
    headline: Option<String>,
    /// A new type.
    #[serde(default, rename = "type")]
    #[schema(nullable = false)]
    kind: Option<ArticleType>,
    /// A new slug. Once published, the old one redirects to it.
    #[serde(default)]
    #[schema(max_length = 120, nullable = false)]
    slug: Option<String>,
    /// A new standfirst.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 1000)]
    standfirst: Option<Option<String>>,
    /// A new kicker.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 100)]
    kicker: Option<Option<String>>,
    /// A new section, by id or path.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 1000)]
    section: Option<Option<String>>,
    /// New secondary sections, by id or path.
    #[serde(default)]
    #[schema(max_items = 10, nullable = false)]
    sections: Option<Vec<String>>,
    /// New tags, by id or slug.
    #[serde(default)]
    #[schema(max_items = 50, nullable = false)]
    tags: Option<Vec<String>>,
    /// New bylines.
    #[serde(default)]
    #[schema(max_items = 30, nullable = false)]
    bylines: Option<Vec<BylineInput>>,
    /// A new lead image.
    #[serde(default, deserialize_with = "present")]
    lead_image: Option<Option<Image>>,
    /// A new language.
    #[serde(default)]
    #[schema(max_length = 35, nullable = false)]
    language: Option<String>,
    /// A new dateline.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 100)]
    dateline: Option<Option<String>>,
    /// New words for search engines.
    #[serde(default, deserialize_with = "present")]
    seo: Option<Option<Seo>>,
    /// A new body. Sections and blocks that are kept carry their ids.
    #[serde(default)]
    #[schema(max_items = 200, nullable = false)]
    body: Option<Vec<BodySectionInput>>,
}

impl Parse for ArticlePatch {
    type Command = DocumentChanges;

    fn parse(self, faults: &mut Faults) -> Option<DocumentChanges> {
        let mut text = |pointer: &str, value: Option<Option<String>>, max| {
            value.map(|value| optional_line(faults, pointer, value.as_deref(), max))
        };
        let standfirst = text("/standfirst", self.standfirst, 1000);
        let kicker = text("/kicker", self.kicker, 100);
        let dateline = text("/dateline", self.dateline, 100);
        Some(DocumentChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            kind: self.kind,
            headline: self.headline.and_then(|headline| line(faults, "/headline", &headline, 300)),
            standfirst,
            kicker,
            section: self.section.map(|section| section.as_deref().map(Reference::parse)),
            sections: self.sections.map(|sections| references(&sections)),
            tags: self.tags.map(|tags| references(&tags)),
            bylines: self.bylines.map(|bylines| parse_bylines(faults, bylines)),
            lead_image: self.lead_image.map(|image| image.map(|image| parse_image(faults, image))),
            language: self.language.and_then(|language| parse_language(faults, &language)),
            dateline,
            seo: self.seo.map(|seo| parse_seo(faults, seo.unwrap_or_default())),
            body: self.body.map(|body| parse_body(faults, "/body", body)),
        })
    }
}

/// How an article is published.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"published_at": "2026-05-18T09:30:00Z"}))]
pub struct PublishRequest {
    /// The date of publication that readers see, for what was published elsewhere before; now if nothing is said. Not in
    /// the future.
    #[serde(default)]
    published_at: Option<String>,
}

impl Parse for PublishRequest {
    type Command = Option<Instant>;

    fn parse(self, faults: &mut Faults) -> Option<Option<Instant>> {
        Some(self.published_at.and_then(|text| faults.take("/published_at", "bad_instant", text.parse())))
    }
}

/// A section to insert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": 1, "section": {"heading": "What happens next",
    "blocks": [{"type": "paragraph", "html": "The lower deck opens in June."}]}}))]
pub struct BodySectionInsert {
    /// Its place among the sections, from 0; at the end if nothing is said.
    #[serde(default)]
    #[schema(minimum = 0)]
    position: Option<u32>,
    /// The section.
    section: BodySectionInput,
}

impl Parse for BodySectionInsert {
    type Command = (Option<usize>, BodySectionDraft);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((self.position.map(|position| position as usize), self.section.at(faults, "/section")))
    }
}

/// The members of a section to change (RFC 7396): what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"heading": "What comes next", "level": 3}))]
pub struct BodySectionPatch {
    /// A new heading.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 200)]
    heading: Option<Option<String>>,
    /// A new level.
    #[serde(default)]
    #[schema(minimum = 2, maximum = 4, nullable = false)]
    level: Option<u8>,
    /// A new anchor.
    #[serde(default)]
    #[schema(max_length = 120, nullable = false)]
    anchor: Option<String>,
    /// New blocks. Those that are kept carry their ids.
    #[serde(default)]
    #[schema(max_items = 2000, nullable = false)]
    blocks: Option<Vec<BlockInput>>,
}

impl Parse for BodySectionPatch {
    type Command = BodySectionChanges;

    fn parse(self, faults: &mut Faults) -> Option<BodySectionChanges> {
        let blocks = self.blocks.map(|blocks| {
            let blocks = blocks.into_iter().enumerate();
            blocks.filter_map(|(index, block)| block.at(faults, &format!("/blocks/{index}"))).collect()
        });
        Some(BodySectionChanges {
            heading: self
                .heading
                .map(|heading| optional_line(faults, "/heading", heading.as_deref(), MAX_HEADING)),
            level: self.level,
            anchor: self.anchor.and_then(|anchor| faults.take("/anchor", "bad_anchor", anchor.parse())),
            blocks,
        })
    }
}

impl Parse for BodySectionInput {
    type Command = BodySectionDraft;

    fn parse(self, faults: &mut Faults) -> Option<BodySectionDraft> {
        Some(self.at(faults, ""))
    }
}

/// The whole body to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": [{"blocks": [{"type": "paragraph", "html": "The bridge reopened on Monday."}]}]}))]
pub struct BodyWrite {
    /// The sections. Those that are kept carry their ids.
    #[schema(max_items = 200)]
    body: Vec<BodySectionInput>,
}

impl Parse for BodyWrite {
    type Command = Vec<BodySectionDraft>;

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some(parse_body(faults, "/body", self.body))
    }
}

/// The sections of a body in their new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"order": ["184467440737095301", "184467440737095311"]}))]
pub struct BodyOrder {
    /// Every section once.
    #[schema(max_items = 200)]
    order: Vec<BodySectionId>,
}

impl Parse for BodyOrder {
    type Command = Vec<BodySectionId>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.order)
    }
}

/// A block to insert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": 0, "block": {"type": "paragraph", "html": "The bridge reopened on Monday."}}))]
pub struct BlockInsert {
    /// Its place among the blocks of the section, from 0; at the end if nothing is said.
    #[serde(default)]
    #[schema(minimum = 0)]
    position: Option<u32>,
    /// The block.
    block: BlockInput,
}

impl Parse for BlockInsert {
    type Command = (Option<usize>, BlockDraft);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        Some((self.position.map(|position| position as usize), self.block.at(faults, "/block")?))
    }
}

/// The members of a block to change (RFC 7396): those of its type, or another `type` with its members.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"html": "The bridge reopened on <strong>Monday</strong>."}))]
pub struct BlockPatch {
    /// Members of the block.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties)]
    members: serde_json::Map<String, Value>,
}

impl Parse for BlockPatch {
    type Command = serde_json::Map<String, Value>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.members)
    }
}

impl Parse for BlockInput {
    type Command = BlockDraft;

    fn parse(self, faults: &mut Faults) -> Option<BlockDraft> {
        self.at(faults, "")
    }
}

/// A related-article link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Read More", "kind": "related", "target": {"article_id": "184467440737095516"}}))]
pub struct LinkCreate {
    /// The words before the headline; "Read More" if there are none.
    #[serde(default)]
    #[schema(max_length = 100)]
    label: Option<String>,
    /// What it is to the article.
    #[serde(default)]
    kind: Option<LinkKind>,
    /// Where it leads.
    target: TargetInput,
    /// Makes it an inline link: a `read_more` block behind this block. Without it the link is listed.
    #[serde(default)]
    after_block: Option<BlockId>,
}

impl Parse for LinkCreate {
    type Command = (NewLink, Option<InlinePlace>);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let label = line(faults, "/label", self.label.as_deref().unwrap_or(READ_MORE), 100);
        let target = self.target.parse(faults, "/target");
        let new = NewLink { label: label?, kind: self.kind.unwrap_or_default(), target: target? };
        Some((new, self.after_block.map(|after| InlinePlace { after })))
    }
}

/// The members of a link to change (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Background"}))]
pub struct LinkPatch {
    /// New words before the headline.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    label: Option<String>,
    /// A new kind.
    #[serde(default)]
    #[schema(nullable = false)]
    kind: Option<LinkKind>,
    /// A new target.
    #[serde(default)]
    #[schema(nullable = false)]
    target: Option<TargetInput>,
}

impl Parse for LinkPatch {
    type Command = LinkChanges;

    fn parse(self, faults: &mut Faults) -> Option<LinkChanges> {
        Some(LinkChanges {
            label: self.label.and_then(|label| line(faults, "/label", &label, 100)),
            kind: self.kind,
            target: self.target.and_then(|target| target.parse(faults, "/target")),
        })
    }
}

/// The links of an article in their new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"order": ["184467440737095401"]}))]
pub struct LinkOrder {
    /// Every link once.
    #[schema(max_items = 100)]
    order: Vec<LinkId>,
}

impl Parse for LinkOrder {
    type Command = Vec<LinkId>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.order)
    }
}
