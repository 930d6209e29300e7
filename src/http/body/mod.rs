//! `/v1/articles/{name}/body` and `…/blocks`: the parts of a draft's text, one at a time.

pub mod input;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use self::input::{
    BlockInput, BlockInsert, BlockPatch, BodyOrder, BodySectionInput, BodySectionInsert, BodySectionPatch,
    BodyWrite,
};
use super::{
    answer::Answer,
    articles::{
        dto::{Article, InlineLink, with_links},
        editing::{Editing, changed, created},
        id_segment,
    },
    caller::{Caller, IfMatch},
    contract::Contract,
    input::{Input, Query, contract, parse_value},
    path::{Named, parameter},
};
use crate::{
    domain::{
        article::Stage,
        body::{Block, Body, BodySection, OutlineEntry, outline, reading_minutes},
        error::Error,
        id::{BlockId, BodySectionId, LinkId},
        surrogate::SurrogateKeys,
    },
    service::{
        Newsroom,
        articles::{self, ArticleView, BlockPlace},
    },
};

/// A body with its outline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "body": [{"id": "184467440737095301", "heading": "What happens next", "level": 2, "anchor": "what-happens-next",
              "blocks": [{"id": "184467440737095302", "type": "paragraph", "html": "The lower deck opens in June."}]}],
    "outline": [{"id": "184467440737095301", "heading": "What happens next", "level": 2, "anchor": "what-happens-next",
                 "word_count": 9, "reading_minutes": 1}],
    "word_count": 9, "reading_minutes": 1, "version": 3
}))]
pub struct BodyAnswer {
    /// The sections.
    body: Vec<BodySection<InlineLink>>,
    /// The headings with their anchors, words and minutes.
    outline: Vec<OutlineEntry>,
    /// All words.
    word_count: u32,
    /// Minutes to read it, rounded up.
    reading_minutes: u32,
    /// The version of the document.
    version: i64,
}

/// Which body.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct BodyQuery {
    /// Which form of the document: `live`, or with credentials `draft`.
    #[param(default = "live")]
    stage: Stage,
}

impl BodyQuery {
    /// Which stage.
    pub(super) const fn stage(&self) -> Stage {
        self.stage
    }
}

/// The segment `{section}` of a path.
#[derive(Debug)]
pub struct SectionSegment;

impl IntoParams for SectionSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("section", "The id of a section of the body.", "184467440737095301")]
    }
}

/// The segment `{block}` of a path.
#[derive(Debug)]
pub struct BlockSegment;

impl IntoParams for BlockSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("block", "The id of a block of the body.", "184467440737095302")]
    }
}

fn section_id(request: &HttpRequest) -> Result<BodySectionId, Error> {
    id_segment(request, "section", "section of the body")
}

fn block_id(request: &HttpRequest) -> Result<BlockId, Error> {
    id_segment(request, "block", "block")
}

fn parse_stored(view: &ArticleView) -> Result<Body, Error> {
    let stored = view.article.body.as_deref().unwrap_or("[]");
    serde_json::from_str(stored).map_err(|error| Error::internal("reading a stored body", error))
}

/// Get the body of an article
///
/// With an outline: headings, anchors, words and minutes for each section.
#[utoipa::path(tag = "body", params(Named, BodyQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The body.", body = BodyAnswer)))]
#[get("/articles/{name}/body")]
pub async fn get_body(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<BodyQuery>,
) -> Result<HttpResponse, Error> {
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage).await?;
    let body = parse_stored(&view)?;
    let article = &view.article;
    let answer = BodyAnswer {
        outline: outline(&body),
        body: with_links(body, article.links.as_deref().unwrap_or_default()),
        word_count: article.word_count,
        reading_minutes: reading_minutes(article.word_count),
        version: article.version,
    };
    let keys = SurrogateKeys::default().article(article);
    Answer::ok(&request, &principal, answer).version(article.version).keys(keys).send()
}

/// Replace the body of a draft
///
/// Sections and blocks that are kept carry their ids; those without one are new, and what is not named is gone.
#[utoipa::path(tag = "body", params(Named, IfMatch), request_body = BodyWrite, security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[put("/articles/{name}/body")]
pub async fn replace_body(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(sections): Input<BodyWrite>,
) -> Result<HttpResponse, Error> {
    let view = articles::edit_body(&newsroom, on, sections).await?;
    changed(&request, view)
}

/// Insert a section into a draft
///
/// At a position, or at the end.
#[utoipa::path(tag = "body", params(Named, IfMatch), request_body = BodySectionInsert, security(("bearer" = [])),
    responses((status = 201, description = "The draft as it is now; `Location` is the new section.", body = Article)))]
#[post("/articles/{name}/body")]
pub async fn create_body_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input((position, section)): Input<BodySectionInsert>,
) -> Result<HttpResponse, Error> {
    let (view, id) = articles::insert_section(&newsroom, on, position, section).await?;
    let location = format!("/v1/articles/{}/body/{id}", view.article.id);
    created(&request, view, location)
}

/// Order the sections of a draft
///
/// Every section is named once.
#[utoipa::path(tag = "body", params(Named, IfMatch), request_body = BodyOrder, security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[put("/articles/{name}/body/order")]
pub async fn order_body(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(order): Input<BodyOrder>,
) -> Result<HttpResponse, Error> {
    let view = articles::order_sections(&newsroom, on, order).await?;
    changed(&request, view)
}

/// Get a section of a body
///
/// With its blocks.
#[utoipa::path(tag = "body", params(Named, SectionSegment, BodyQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The section.", body = BodySection<InlineLink>, example = json!({
        "id": "184467440737095301", "heading": "What happens next", "level": 2, "anchor": "what-happens-next",
        "blocks": [{"id": "184467440737095302", "type": "paragraph", "html": "The lower deck opens in June."}]}))))]
#[get("/articles/{name}/body/{section}")]
pub async fn get_body_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<BodyQuery>,
) -> Result<HttpResponse, Error> {
    let id = section_id(&request)?;
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage).await?;
    let body = with_links(parse_stored(&view)?, view.article.links.as_deref().unwrap_or_default());
    let section = body.into_iter().find(|section| section.id == id);
    let section = section.ok_or_else(|| Error::not_found("section of the body"))?;
    let keys = SurrogateKeys::default().article(&view.article);
    Answer::ok(&request, &principal, section).version(view.article.version).keys(keys).send()
}

/// Replace a section of a draft
///
/// Its blocks are replaced too; those that are kept carry their ids.
#[utoipa::path(tag = "body", params(Named, SectionSegment, IfMatch), request_body = BodySectionInput,
    security(("bearer" = [])), responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[put("/articles/{name}/body/{section}")]
pub async fn replace_body_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(section): Input<BodySectionInput>,
) -> Result<HttpResponse, Error> {
    let id = section_id(&request)?;
    let view = articles::replace_section(&newsroom, on, id, |_| section).await?;
    changed(&request, view)
}

/// Edit a section of a draft
///
/// A merge patch (RFC 7396): its heading, level, anchor, or all of its blocks.
#[utoipa::path(tag = "body", params(Named, SectionSegment, IfMatch), request_body = BodySectionPatch,
    security(("bearer" = [])), responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[patch("/articles/{name}/body/{section}")]
pub async fn update_body_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(changes): Input<BodySectionPatch>,
) -> Result<HttpResponse, Error> {
    let id = section_id(&request)?;
    let write = move |section: &BodySection<LinkId>| changes.apply(section);
    let view = articles::replace_section(&newsroom, on, id, write).await?;
    changed(&request, view)
}

/// Delete a section of a draft
///
/// With its blocks and the links that stand in them.
#[utoipa::path(tag = "body", params(Named, SectionSegment, IfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[delete("/articles/{name}/body/{section}")]
pub async fn delete_body_section(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
) -> Result<HttpResponse, Error> {
    let id = section_id(&request)?;
    let view = articles::delete_section(&newsroom, on, id).await?;
    changed(&request, view)
}

/// Insert a block into a section of a draft
///
/// At a position, or at the end. A `read_more` block makes its link.
#[utoipa::path(tag = "body", params(Named, SectionSegment, IfMatch), request_body = BlockInsert,
    security(("bearer" = [])),
    responses((status = 201, description = "The draft as it is now; `Location` is the new block.", body = Article)))]
#[post("/articles/{name}/body/{section}/blocks")]
pub async fn create_block(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input((position, block)): Input<BlockInsert>,
) -> Result<HttpResponse, Error> {
    let place = BlockPlace { section: section_id(&request)?, position };
    let (view, id) = articles::insert_block(&newsroom, on, place, block).await?;
    let location = format!("/v1/articles/{}/blocks/{id}", view.article.id);
    created(&request, view, location)
}

/// Get a block of a body
///
/// A `read_more` block has the card of its target as it is now.
#[utoipa::path(tag = "body", params(Named, BlockSegment, BodyQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "The block.", body = Block<InlineLink>, example = json!({
        "id": "184467440737095302", "type": "paragraph", "html": "The lower deck opens in June."}))))]
#[get("/articles/{name}/blocks/{block}")]
pub async fn get_block(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<BodyQuery>,
) -> Result<HttpResponse, Error> {
    let id = block_id(&request)?;
    let view = articles::get(&newsroom, principal.clone(), name.reference(), query.stage).await?;
    let body = with_links(parse_stored(&view)?, view.article.links.as_deref().unwrap_or_default());
    let block = body.into_iter().flat_map(|section| section.blocks).find(|block| block.id == id);
    let block = block.ok_or_else(|| Error::not_found("block"))?;
    let keys = SurrogateKeys::default().article(&view.article);
    Answer::ok(&request, &principal, block).version(view.article.version).keys(keys).send()
}

/// Edit a block of a draft
///
/// A merge patch (RFC 7396) on the block: the members of its type, or another `type` with its members.
#[utoipa::path(tag = "body", params(Named, BlockSegment, IfMatch), request_body = BlockPatch,
    security(("bearer" = [])), responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[patch("/articles/{name}/blocks/{block}")]
pub async fn update_block(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
    Input(patch): Input<BlockPatch>,
) -> Result<HttpResponse, Error> {
    let id = block_id(&request)?;
    let contract = Contract::clone(&*contract(&request)?);
    let write = move |block: &Block<LinkId>| {
        let mut value =
            serde_json::to_value(block).map_err(|error| Error::internal("reading a stored block", error))?;
        if patch.get("type").is_some_and(|kind| *kind != value["type"]) {
            value = serde_json::json!({"id": block.id});
        }
        if let Some(members) = value.as_object_mut() {
            for (name, change) in patch {
                if change.is_null() {
                    members.remove(&name)
                } else {
                    members.insert(name, change)
                };
            }
        }
        parse_value::<BlockInput>(&contract, value, &mut Vec::new())
    };
    let view = articles::replace_block(&newsroom, on, id, write).await?;
    changed(&request, view)
}

/// Delete a block of a draft
///
/// The link of a `read_more` block goes with it.
#[utoipa::path(tag = "body", params(Named, BlockSegment, IfMatch), security(("bearer" = [])),
    responses((status = 200, description = "The draft as it is now.", body = Article)))]
#[delete("/articles/{name}/blocks/{block}")]
pub async fn delete_block(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Editing(on): Editing,
) -> Result<HttpResponse, Error> {
    let id = block_id(&request)?;
    let view = articles::delete_block(&newsroom, on, id).await?;
    changed(&request, view)
}
