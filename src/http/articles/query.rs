//! Which articles: the query parameters of lists and of one article.

use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{body_format::BodyFormat, dto::Article, parameter_fault};
use crate::{
    domain::{
        article::{ArticleFilter, ArticleOrder, ArticleType, AssigneeFilter, Include, Stage},
        error::Error,
        id::ArticleId,
        instant::Instant,
        page::DEFAULT_LIMIT,
        search::{FacetKind, SearchQuery},
        slug::Reference,
        workflow::State,
    },
    http::{answer::Fields, contract::Contract, fields::parse_fields, paging::page_request},
    service::articles::ArticleListRequest,
};

/// The orders of a list of articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum ArticleSort {
    /// The newest first; drafts by their making.
    #[serde(rename = "-published_at")]
    NewestFirst,
    /// The oldest first.
    #[serde(rename = "published_at")]
    OldestFirst,
    /// The last changed first.
    #[serde(rename = "-updated_at")]
    LastChangedFirst,
    /// The longest unchanged first.
    #[serde(rename = "updated_at")]
    LongestUnchangedFirst,
    /// By headline.
    #[serde(rename = "headline")]
    Headline,
    /// By headline, the other way round.
    #[serde(rename = "-headline")]
    HeadlineDescending,
    /// By relevance and recency; only with `q`, and then the default.
    #[serde(rename = "relevance")]
    Relevance,
}

/// How far a section reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SectionScope {
    /// It and the sections below it.
    Tree,
    /// Only it.
    Exact,
}

/// What an article must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Having {
    /// A lead image.
    LeadImage,
}

/// Parts that a list leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncludePart {
    /// The text.
    Body,
    /// The links.
    Related,
    /// The corrections.
    Corrections,
}

/// Which articles, in which order, with what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ArticleListQuery {
    /// Search: only articles with all these words. `"…"` is a phrase, `harb*` the beginning of a word (a single letter is a
    /// whole word), `-word` and `-"…"` are what must not occur. Other signs mean nothing. Case and accents make no
    /// difference; words are not reduced to their stems. At most 20 terms. Without a word that must occur nothing is found.
    #[param(max_length = 500, example = "\"harbour bridge\" reop* -ferry")]
    q: Option<String>,
    /// Also count, in the result of the search, sections, tags or types, the 20 most frequent of each; only with `q`.
    #[param(inline)]
    facets: Vec<FacetKind>,
    /// Which form of the documents: `live`, or with credentials `draft` or `scheduled`.
    #[param(default = "live")]
    stage: Stage,
    /// In this section, by id or path.
    #[param(max_length = 1000, example = "/world/europe")]
    section: Option<String>,
    /// Whether `section` includes those below it.
    #[param(inline)]
    section_scope: Option<SectionScope>,
    /// With any of these tags, by id or slug.
    #[param(max_items = 50)]
    tag: Vec<String>,
    /// With all of these tags, by id or slug.
    #[param(max_items = 10)]
    all_tags: Vec<String>,
    /// By this author, by id or slug.
    #[param(max_length = 200)]
    author: Option<String>,
    /// Of any of these types.
    #[serde(rename = "type")]
    kind: Vec<ArticleType>,
    /// In this language, exactly as the articles have it.
    #[param(max_length = 35, example = "en")]
    language: Option<String>,
    /// Published at or after this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    published_after: Option<String>,
    /// Published before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    published_before: Option<String>,
    /// Changed at or after this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_after: Option<String>,
    /// Changed before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_before: Option<String>,
    /// Only these.
    #[param(max_items = 100)]
    ids: Vec<ArticleId>,
    /// Not these.
    #[param(max_items = 100)]
    exclude: Vec<ArticleId>,
    /// Only articles that have this.
    #[param(inline)]
    has: Option<Having>,
    /// In this state of the workflow; only with `stage=draft`.
    state: Option<State>,
    /// That this user, by id, or `me` is to work on; only with `stage=draft`.
    #[param(pattern = "^(me|[1-9][0-9]{0,18})$", example = "me")]
    assignee: Option<String>,
    /// What readers saw at this instant or, for one to come, will see as things stand. Authors and above. For an instant
    /// that has passed `section` is the only filter and `-published_at` the only order.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// The order; `-published_at` by default, with `q` `relevance`.
    #[param(inline, value_type = Option<ArticleSort>)]
    sort: Option<ArticleSort>,
    /// Parts that lists leave out otherwise.
    #[param(inline)]
    include: Vec<IncludePart>,
    /// How bodies are written, if they are included: as `blocks` if nothing is said.
    #[param(inline, example = "text")]
    body_format: BodyFormat,
    /// Only these fields, of a list those of each item; a dot goes into a field: `headline`, `section.name`.
    #[param(max_items = 100)]
    fields: Vec<String>,
    /// Most items of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another page in the same order.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// The number of the page, from 1; down to 10,000 rows.
    #[param(minimum = 1, maximum = 10000)]
    page: Option<u32>,
    /// Also count all articles, which costs more the more there are.
    count: bool,
}

impl Default for ArticleListQuery {
    fn default() -> Self {
        Self {
            q: None,
            facets: Vec::new(),
            stage: Stage::Live,
            section: None,
            section_scope: None,
            tag: Vec::new(),
            all_tags: Vec::new(),
            author: None,
            kind: Vec::new(),
            language: None,
            published_after: None,
            published_before: None,
            updated_after: None,
            updated_before: None,
            ids: Vec::new(),
            exclude: Vec::new(),
            has: None,
            state: None,
            assignee: None,
            as_of: None,
            sort: None,
            include: Vec::new(),
            body_format: BodyFormat::Blocks,
            fields: Vec::new(),
            limit: DEFAULT_LIMIT,
            cursor: None,
            page: None,
            count: false,
        }
    }
}

impl ArticleListQuery {
    /// The fields that the caller wants.
    pub(super) fn fields(&self, contract: &Contract) -> Result<Option<Fields>, Error> {
        parse_fields::<Article>(&self.fields, contract)
    }

    /// How bodies are written.
    pub(super) const fn body_format(&self) -> BodyFormat {
        self.body_format
    }

    /// The parts that are wanted.
    pub(super) fn includes(&self) -> Include {
        let has = |part| self.include.contains(&part);
        Include {
            body: has(IncludePart::Body),
            related: has(IncludePart::Related),
            corrections: has(IncludePart::Corrections),
        }
    }

    /// The instant of which the list is asked for.
    pub(super) fn as_of(&self) -> Result<Option<Instant>, Error> {
        let at = instant("as_of", self.as_of.as_deref())?;
        if at.is_some() && self.stage != Stage::Live {
            return parameter_fault("stage", "excluded", "cannot be combined with as_of");
        }
        Ok(at)
    }

    /// What is searched for, if anything.
    pub(super) fn search(&self) -> Result<Option<SearchQuery>, Error> {
        let Some(text) = &self.q else {
            return match self.facets.is_empty() {
                true => Ok(None),
                false => parameter_fault("facets", "only_search", "are for searches, with q, only"),
            };
        };
        if self.as_of.is_some() {
            return parameter_fault("q", "excluded", "cannot be combined with as_of");
        }
        SearchQuery::parse(text).map(Some).map_err(|fault| Error::InvalidParameters(vec![fault]))
    }

    /// What is to be counted in the result.
    pub(super) fn facets(&self) -> Vec<FacetKind> {
        self.facets.clone()
    }

    /// What the service is asked for.
    pub(super) fn request(&self) -> Result<ArticleListRequest, Error> {
        let drafts_only = [("state", self.state.is_some()), ("assignee", self.assignee.is_some())];
        let refused = drafts_only.into_iter().find(|(_, is_given)| *is_given && self.stage != Stage::Draft);
        if let Some((name, _)) = refused {
            return parameter_fault(name, "only_drafts", "is for stage=draft only");
        }
        let by_default = if self.q.is_some() { ArticleSort::Relevance } else { ArticleSort::NewestFirst };
        let (order, descending, sort) = match self.sort.unwrap_or(by_default) {
            ArticleSort::Relevance if self.q.is_none() => {
                return parameter_fault("sort", "only_search", "relevance is for searches, with q, only");
            }
            ArticleSort::Relevance => (ArticleOrder::Relevance, true, "relevance"),
            ArticleSort::NewestFirst => (ArticleOrder::PublishedAt, true, "-published_at"),
            ArticleSort::OldestFirst => (ArticleOrder::PublishedAt, false, "published_at"),
            ArticleSort::LastChangedFirst => (ArticleOrder::UpdatedAt, true, "-updated_at"),
            ArticleSort::LongestUnchangedFirst => (ArticleOrder::UpdatedAt, false, "updated_at"),
            ArticleSort::Headline => (ArticleOrder::Headline, false, "headline"),
            ArticleSort::HeadlineDescending => (ArticleOrder::Headline, true, "-headline"),
        };
        let references = |names: &[String]| names.iter().map(|name| Reference::parse(name.trim())).collect();
        Ok(ArticleListRequest {
            stage: self.stage,
            filter: ArticleFilter {
                section: self.section.as_deref().map(Reference::parse),
                section_exact: self.section_scope == Some(SectionScope::Exact),
                any_tag: references(&self.tag),
                all_tags: references(&self.all_tags),
                author: self.author.as_deref().map(Reference::parse),
                kinds: self.kind.clone(),
                language: self.language.clone(),
                published_after: instant("published_after", self.published_after.as_deref())?,
                published_before: instant("published_before", self.published_before.as_deref())?,
                updated_after: instant("updated_after", self.updated_after.as_deref())?,
                updated_before: instant("updated_before", self.updated_before.as_deref())?,
                ids: self.ids.clone(),
                exclude: self.exclude.clone(),
                has_lead_image: self.has.is_some(),
                state: self.state,
                assignee: self.assignee.as_deref().map(|assignee| match assignee.parse() {
                    Ok(user) => AssigneeFilter::User(user),
                    Err(_) => AssigneeFilter::Me,
                }),
            },
            order,
            descending,
            sort: sort.to_owned(),
            include: self.includes(),
            page: page_request(self.limit, self.cursor.as_deref(), self.page, self.count, sort)?,
        })
    }
}

fn instant(name: &str, text: Option<&str>) -> Result<Option<Instant>, Error> {
    match text.map(str::parse) {
        None => Ok(None),
        Some(Ok(instant)) => Ok(Some(instant)),
        Some(Err(error)) => parameter_fault(name, "bad_instant", format!("{error}")),
    }
}

/// How one article is read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ArticleQuery {
    /// Which form of the document: `live`, or with credentials `draft` or `scheduled`.
    #[param(value_type = Stage, required = false, default = "live")]
    stage: Option<Stage>,
    /// What readers saw at this instant or, for one to come, will see as things stand. Authors and above.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// The token of a preview of this article: answers the draft that it shows, without credentials.
    #[param(value_type = Option<String>, max_length = 200)]
    preview: Option<SecretString>,
    /// How the body is written: as `blocks` if nothing is said.
    #[param(inline, example = "html")]
    body_format: BodyFormat,
    /// Only these fields, of a list those of each item; a dot goes into a field: `headline`, `section.name`.
    #[param(max_items = 100)]
    fields: Vec<String>,
}

/// What of an article is asked for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// One of its stages.
    Stage(Stage),
    /// What readers saw at an instant.
    AsOf(Instant),
    /// What the preview with this token shows.
    Preview(SecretString),
}

impl ArticleQuery {
    /// What is asked for.
    pub(super) fn wanted(&self) -> Result<Wanted, Error> {
        let at = instant("as_of", self.as_of.as_deref())?;
        match (&self.preview, at, self.stage) {
            (Some(_), Some(_), _) => parameter_fault("as_of", "excluded", "cannot be combined with preview"),
            (Some(_), _, Some(_)) => parameter_fault("stage", "excluded", "cannot be combined with preview"),
            (Some(token), None, None) => Ok(Wanted::Preview(token.clone())),
            (None, Some(_), Some(Stage::Draft | Stage::Scheduled)) => {
                parameter_fault("stage", "excluded", "cannot be combined with as_of")
            }
            (None, Some(at), _) => Ok(Wanted::AsOf(at)),
            (None, None, stage) => Ok(Wanted::Stage(stage.unwrap_or_default())),
        }
    }

    /// The fields that the caller wants.
    pub(super) fn fields(&self, contract: &Contract) -> Result<Option<Fields>, Error> {
        parse_fields::<Article>(&self.fields, contract)
    }

    /// How the body is written.
    pub(super) const fn body_format(&self) -> BodyFormat {
        self.body_format
    }
}
