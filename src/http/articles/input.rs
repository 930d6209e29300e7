//! Articles as they come in.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        article::{Access, ArticleType, BylineDraft, DocumentChanges, Image, Seo},
        correction::MAX_TEXT,
        error::Faults,
        instant::Instant,
        site::is_language_tag,
        slug::{Reference, Slug},
        text::{is_web_url, line, optional_line, optional_paragraphs, paragraphs},
    },
    http::{
        body::input::{BodySectionInput, parse_body},
        input::{Parse, present},
    },
    service::articles::{Command, Publication},
};

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
    if is_language_tag(language) {
        return Some(language.to_owned());
    }
    faults.add("/language", "bad_language", "must be a language tag (BCP 47), such as en or pt-BR");
    None
}

fn references(names: &[String]) -> Vec<Reference> {
    names.iter().map(|name| Reference::parse(name)).collect()
}

/// An article to make. It begins as a draft, unless `publish` is there; what is absent can be written later.
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
    #[schema(value_type = Option<Slug>)]
    slug: Option<String>,
    /// Take the slug even if it is a former one of another article: what redirects there leads here once this article is
    /// public, and to nothing until then. For those who may publish it; a slug that another article has now is 409.
    #[serde(default)]
    take_slug: bool,
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
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
    language: Option<String>,
    /// Where it was written.
    #[serde(default)]
    #[schema(max_length = 100)]
    dateline: Option<String>,
    /// Who may read the whole of it on the site; everybody if nothing is said.
    #[serde(default)]
    access: Option<Access>,
    /// Words for search engines.
    #[serde(default)]
    seo: Option<Seo>,
    /// The text.
    #[serde(default)]
    #[schema(max_items = 200)]
    body: Vec<BodySectionInput>,
    /// Publish or schedule it in the same step, as `POST /v1/articles/{name}/publish` does; `{}` publishes it now. If it
    /// cannot be published, it is not made.
    #[serde(default)]
    publish: Option<PublishRequest>,
}

impl Parse for ArticleCreate {
    type Command = (DocumentChanges, Option<Command>);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let mut of_publication = Faults::default();
        let publish = self.publish.and_then(|publish| publish.parse(&mut of_publication));
        faults.extend(of_publication.under("/publish").into_vec());
        let changes = DocumentChanges {
            slug: self.slug.and_then(|slug| faults.take("/slug", "bad_slug", slug.parse())),
            take_slug: self.take_slug,
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
            access: self.access,
            seo: self.seo.map(|seo| parse_seo(faults, seo)),
            body: Some(parse_body(faults, "/body", self.body)),
        };
        Some((changes, publish))
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
    #[schema(value_type = Slug, required = false)]
    slug: Option<String>,
    /// Take the slug even if it is a former one of another article: what redirects there leads here once this article is
    /// public, and to nothing until then. For those who may publish it; a slug that another article has now is 409.
    #[serde(default)]
    take_slug: bool,
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
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", nullable = false)]
    language: Option<String>,
    /// A new dateline.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 100)]
    dateline: Option<Option<String>>,
    /// Others who may read the whole of it on the site.
    #[serde(default)]
    #[schema(nullable = false)]
    access: Option<Access>,
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
            take_slug: self.take_slug,
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
            access: self.access,
            seo: self.seo.map(|seo| parse_seo(faults, seo.unwrap_or_default())),
            body: self.body.map(|body| parse_body(faults, "/body", body)),
        })
    }
}

/// How an article is published.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "2026-05-18T09:30:00Z", "note": "With the new figures"}))]
pub struct PublishRequest {
    /// From when on readers see it; now if nothing is said or the instant has passed.
    #[serde(default)]
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Until when readers see it; for ever if nothing is said.
    #[serde(default)]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// The date of publication that readers are shown, for what was published elsewhere before. Not later than `at`.
    #[serde(default)]
    #[schema(format = DateTime)]
    published_at: Option<String>,
    /// Whether readers are told that a published article was updated: `updated_at` is set. Without it an edit leaves that
    /// stamp as it is.
    #[serde(default)]
    updated: bool,
    /// What readers are told of the update: a correction of the kind `update`, which appears together with it. `updated_at`
    /// is set, too. Plain text, which may have several lines.
    #[serde(default)]
    #[schema(max_length = 2000)]
    update_note: Option<String>,
    /// For the revision; readers do not see it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// The warnings of the preflight have been seen; needed if the site wants them confirmed.
    #[serde(default)]
    confirm_warnings: bool,
}

impl Parse for PublishRequest {
    type Command = Command;

    fn parse(self, faults: &mut Faults) -> Option<Command> {
        let mut instant = |pointer: &str, text: Option<String>| {
            text.and_then(|text| faults.take(pointer, "bad_instant", text.parse::<Instant>()))
        };
        let (at, until) = (instant("/at", self.at), instant("/until", self.until));
        let published_at = instant("/published_at", self.published_at);
        let update_note = optional_paragraphs(faults, "/update_note", self.update_note.as_deref(), MAX_TEXT);
        let note = optional_line(faults, "/note", self.note.as_deref(), 1000);
        let Self { updated, confirm_warnings, .. } = self;
        let publication =
            Publication { at, until, published_at, updated, update_note, note, confirm_warnings };
        Some(Command::Publish(publication))
    }
}

/// What an editor is asked to look at.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Please check the figures in the second section."}))]
pub struct SubmitRequest {
    /// For the thread of the article.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub(super) note: Option<String>,
}

impl Parse for SubmitRequest {
    type Command = Command;

    fn parse(self, faults: &mut Faults) -> Option<Command> {
        Some(Command::Submit { note: optional_paragraphs(faults, "/note", self.note.as_deref(), 5000) })
    }
}

/// Why a draft goes back to its author.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "The second quote needs a source."}))]
pub struct ReturnRequest {
    /// For the thread of the article.
    #[schema(min_length = 1, max_length = 5000)]
    pub(super) note: String,
}

impl Parse for ReturnRequest {
    type Command = Command;

    fn parse(self, faults: &mut Faults) -> Option<Command> {
        Some(Command::Return { note: paragraphs(faults, "/note", &self.note, 5000)? })
    }
}

/// Why an article is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The documents on which the report rested were forged."}))]
pub struct RetractRequest {
    /// What readers are told in the place of the article.
    #[schema(min_length = 1, max_length = 2000)]
    pub(super) reason: String,
}

impl Parse for RetractRequest {
    type Command = Command;

    fn parse(self, faults: &mut Faults) -> Option<Command> {
        Some(Command::Retract { reason: paragraphs(faults, "/reason", &self.reason, 2000)? })
    }
}

/// A revision to keep.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Before the lawyers' changes"}))]
pub struct SavePointRequest {
    /// Why it is kept.
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: Option<String>,
}

impl Parse for SavePointRequest {
    type Command = Option<String>;

    fn parse(self, faults: &mut Faults) -> Option<Option<String>> {
        Some(optional_line(faults, "/note", self.note.as_deref(), 1000))
    }
}
