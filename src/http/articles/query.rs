//! Which articles: the query parameters of lists and of one article.

use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body_format::BodyFormat;
use crate::{
    domain::{
        article::{ArticleFilter, ArticleOrder, ArticleType, AssigneeFilter, Include, Stage},
        error::{Fault, Faults},
        id::ArticleId,
        instant::Instant,
        page::DEFAULT_LIMIT,
        search::{FacetKind, SearchQuery},
        slug::Reference,
        workflow::State,
    },
    http::{answer::Fields, input::Parse, paging::page_request},
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
    /// By the words of the headline; case, accents and quotation marks do not count.
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
    published_after: Option<Instant>,
    /// Published before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    published_before: Option<Instant>,
    /// Changed at or after this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_after: Option<Instant>,
    /// Changed before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_before: Option<Instant>,
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
    as_of: Option<Instant>,
    /// The order; `-published_at` by default, with `q` `relevance`.
    #[param(inline, value_type = Option<ArticleSort>)]
    sort: Option<ArticleSort>,
    /// Parts that lists leave out otherwise, unless `fields` names them.
    #[param(inline)]
    include: Vec<IncludePart>,
    /// How bodies are written, if they are included: as `blocks` if nothing is said.
    #[param(inline, example = "text")]
    body_format: BodyFormat,
    /// Only these fields of each item; a dot goes into a field: `headline`, `section.name`. `body`, `related` and
    /// `corrections` are included if they are named. What is shown only to callers with credentials, such as `workflow`, is
    /// absent without them.
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

/// A list that is asked for.
#[derive(Debug)]
pub struct WantedList {
    /// Which articles.
    pub(super) list: ArticleListRequest,
    /// What is searched for, if anything.
    pub(super) search: Option<SearchQuery>,
    /// What is to be counted in the result.
    pub(super) facets: Vec<FacetKind>,
    /// The instant of which the list is asked for.
    pub(super) as_of: Option<Instant>,
    /// How bodies are written.
    pub(super) format: BodyFormat,
    /// The fields that the caller wants.
    pub(super) fields: Option<Fields>,
}

impl Parse for ArticleListQuery {
    type Command = WantedList;

    fn parse(self, faults: &mut Faults) -> Option<WantedList> {
        self.check_combinations(faults);
        let search = self.q.as_deref().and_then(|text| match SearchQuery::parse(text) {
            Ok(search) => Some(search),
            Err(fault) => {
                faults.push(fault);
                None
            }
        });
        let fields = Fields::of(&self.fields);
        let include = self.includes(fields.as_ref());
        let (facets, as_of, format) = (self.facets.clone(), self.as_of, self.body_format);
        Some(WantedList { list: self.request(include, faults), search, facets, as_of, format, fields })
    }
}

impl ArticleListQuery {
    /// Parameters that do not go with others. Whether they do with one that is faulty itself nobody knows.
    fn check_combinations(&self, faults: &mut Faults) {
        let mut refuse = |name: &str, other: &str, code, message: &str| {
            if !faults.is_about(other) {
                faults.push(Fault::parameter(name, code, message));
            }
        };
        if self.stage != Stage::Draft {
            for (name, is_given) in [("state", self.state.is_some()), ("assignee", self.assignee.is_some())] {
                if is_given {
                    refuse(name, "stage", "only_drafts", "is for stage=draft only");
                }
            }
        }
        if self.as_of.is_some() && self.stage != Stage::Live {
            refuse("stage", "as_of", "excluded", "cannot be combined with as_of");
        }
        if self.q.is_some() {
            if self.as_of.is_some() {
                refuse("q", "as_of", "excluded", "cannot be combined with as_of");
            }
            return;
        }
        if self.sort == Some(ArticleSort::Relevance) {
            refuse("sort", "q", "only_search", "relevance is for searches, with q, only");
        }
        if !self.facets.is_empty() {
            refuse("facets", "q", "only_search", "are for searches, with q, only");
        }
    }

    /// The parts that are wanted: also those that `fields` names.
    fn includes(&self, fields: Option<&Fields>) -> Include {
        let has =
            |part, name| self.include.contains(&part) || fields.is_some_and(|fields| fields.names(name));
        Include {
            body: has(IncludePart::Body, "body"),
            related: has(IncludePart::Related, "related"),
            corrections: has(IncludePart::Corrections, "corrections"),
        }
    }

    /// What the service is asked for.
    fn request(self, include: Include, faults: &mut Faults) -> ArticleListRequest {
        let by_default = if self.q.is_some() { ArticleSort::Relevance } else { ArticleSort::NewestFirst };
        let (order, descending, sort) = match self.sort.unwrap_or(by_default) {
            ArticleSort::Relevance => (ArticleOrder::Relevance, true, "relevance"),
            ArticleSort::NewestFirst => (ArticleOrder::PublishedAt, true, "-published_at"),
            ArticleSort::OldestFirst => (ArticleOrder::PublishedAt, false, "published_at"),
            ArticleSort::LastChangedFirst => (ArticleOrder::UpdatedAt, true, "-updated_at"),
            ArticleSort::LongestUnchangedFirst => (ArticleOrder::UpdatedAt, false, "updated_at"),
            ArticleSort::Headline => (ArticleOrder::Headline, false, "headline"),
            ArticleSort::HeadlineDescending => (ArticleOrder::Headline, true, "-headline"),
        };
        // The order is not known if what tells it is faulty.
        let known = (!faults.is_about("sort") && !faults.is_about("q")).then_some(sort);
        let page = page_request(self.limit, self.cursor.as_deref(), self.page, self.count, known, faults);
        let references =
            |names: Vec<String>| names.iter().map(|name| Reference::parse(name.trim())).collect();
        ArticleListRequest {
            stage: self.stage,
            filter: ArticleFilter {
                section: self.section.as_deref().map(Reference::parse),
                section_exact: self.section_scope == Some(SectionScope::Exact),
                any_tag: references(self.tag),
                all_tags: references(self.all_tags),
                author: self.author.as_deref().map(Reference::parse),
                kinds: self.kind,
                language: self.language,
                published_after: self.published_after,
                published_before: self.published_before,
                updated_after: self.updated_after,
                updated_before: self.updated_before,
                ids: self.ids,
                exclude: self.exclude,
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
            include,
            page,
        }
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
    as_of: Option<Instant>,
    /// The token of a preview of this article: answers the draft that it shows, without credentials.
    #[param(value_type = Option<String>, max_length = 200)]
    preview: Option<SecretString>,
    /// How the body is written: as `blocks` if nothing is said.
    #[param(inline, example = "html")]
    body_format: BodyFormat,
    /// Only these fields; a dot goes into a field: `headline`, `section.name`. What is shown only to callers with credentials,
    /// such as `workflow`, is absent without them.
    #[param(max_items = 100)]
    fields: Vec<String>,
}

/// One article that is asked for.
#[derive(Debug)]
pub struct WantedArticle {
    /// Which form of it.
    pub(super) form: Wanted,
    /// How the body is written.
    pub(super) format: BodyFormat,
    /// The fields that the caller wants.
    pub(super) fields: Option<Fields>,
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

impl Parse for ArticleQuery {
    type Command = WantedArticle;

    fn parse(self, faults: &mut Faults) -> Option<WantedArticle> {
        let Self { stage, as_of, preview, body_format: format, fields } = self;
        let mut exclude = |name: &str, other: &str| {
            faults.push(Fault::parameter(name, "excluded", format!("cannot be combined with {other}")));
        };
        if preview.is_some() && as_of.is_some() {
            exclude("as_of", "preview");
        }
        if preview.is_some() && stage.is_some() {
            exclude("stage", "preview");
        } else if as_of.is_some() && stage.is_some_and(|stage| stage != Stage::Live) {
            exclude("stage", "as_of");
        }
        let form = match (preview, as_of) {
            (Some(token), _) => Wanted::Preview(token),
            (None, Some(at)) => Wanted::AsOf(at),
            (None, None) => Wanted::Stage(stage.unwrap_or_default()),
        };
        Some(WantedArticle { form, format, fields: Fields::of(&fields) })
    }
}
