//! `/v1/articles/{article}/related`

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{answer::Answer, articles::dto::Target, caller::Caller, input::Query, path::Named};
use crate::{
    domain::{
        change::Entity,
        error::Error,
        id::LinkId,
        link::{LinkCard, LinkKind, LinkTarget},
        related::{Reason, Related, RelatedSource},
        surrogate::SurrogateKeys,
    },
    service::{Newsroom, articles},
};

/// Something to read next to an article.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "source": "auto", "link_id": null, "label": null, "kind": null,
    "target": {"article_id": "184467440737095516", "url": null, "title": null},
    "card": {"headline": "Harbour bridge reopens after two years",
             "url": "https://courier.example/city/harbour-bridge-reopens", "path": "/city/harbour-bridge-reopens",
             "standfirst": "Traffic is back on the upper deck.", "lead_image": null,
             "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"},
             "published_at": "2026-05-18T09:30:00.000Z", "state": "live"},
    "score": 72,
    "reasons": [
        {"kind": "lead_tag", "section": null, "points": 47,
         "tag": {"id": "184467440737095101", "slug": "harbour-authority", "name": "Harbour Authority", "type": "organisation"}},
        {"kind": "same_section", "tag": null, "points": 15,
         "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"}},
        {"kind": "recent", "tag": null, "section": null, "points": 10}
    ]
}))]
pub struct RelatedArticle {
    /// Who says so: an editor, by a link, or what the articles have in common.
    pub source: RelatedSource,
    /// The editor's link.
    pub link_id: Option<LinkId>,
    /// The words that the editor put before the headline, such as "Read More".
    pub label: Option<String>,
    /// What the editor says it is to the article.
    pub kind: Option<LinkKind>,
    /// Where it leads.
    pub target: Target,
    /// The target as it is now.
    pub card: LinkCard,
    /// How much they have in common: the sum of the points of `reasons`; `null` for an editor's link.
    pub score: Option<u32>,
    /// What they have in common, what counts most first; empty for an editor's link.
    pub reasons: Vec<Reason>,
}

impl From<Related> for RelatedArticle {
    fn from(related: Related) -> Self {
        match related {
            Related::Linked(related) => Self {
                source: RelatedSource::Editor,
                link_id: Some(related.link.id),
                label: Some(related.link.label),
                kind: Some(related.link.kind),
                target: related.link.target.into(),
                card: related.card,
                score: None,
                reasons: Vec::new(),
            },
            Related::Found(found, card) => Self {
                source: RelatedSource::Auto,
                link_id: None,
                label: None,
                kind: None,
                target: LinkTarget::Article(found.id).into(),
                card: *card,
                score: Some(found.score),
                reasons: found.reasons,
            },
        }
    }
}

/// What to read next to an article.
#[derive(Debug, Serialize, ToSchema)]
pub struct RelatedArticles {
    /// The editors' links in their order, then the others, the best first.
    pub data: Vec<RelatedArticle>,
}

/// How many, and of which kind.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RelatedQuery {
    /// Most of them.
    #[param(minimum = 1, maximum = 50)]
    limit: u32,
    /// Only the editors' links, or only the others.
    #[param(inline, example = "auto")]
    source: Option<RelatedSource>,
}

impl Default for RelatedQuery {
    fn default() -> Self {
        Self { limit: 10, source: None }
    }
}

/// List related articles
///
/// What readers may want to read next to an article, as they see it at this moment: first what editors link to, then
/// articles that have something in common with it. Neither the article itself nor one that an editor links to is found.
///
/// Of the first 10 tags of the article and of its section the newest 200 articles each are looked at. A shared tag counts 10
/// points if at least 200 articles have it and more the fewer do, up to 40; the lead tag 10 more; the same section 15; and
/// the newest of all that come into question 10, one less for each week that another is older. The sum is the `score`, its
/// parts are the `reasons`. Of two with the same score the newer goes first.
#[utoipa::path(tag = "links", params(Named, RelatedQuery),
    responses((status = 200, description = "The related articles.", body = RelatedArticles)))]
#[get("/articles/{name}/related")]
pub async fn list_related(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<RelatedQuery>,
) -> Result<HttpResponse, Error> {
    let limit = query.limit as usize;
    let (article, related) = articles::list_related(&newsroom, name.reference(), query.source, limit).await?;
    let mut keys = SurrogateKeys::default().article(&article);
    for tag in &article.tags {
        keys = keys.articles_of(Entity::Tag, tag.id.get());
    }
    if let Some(section) = &article.section {
        keys = keys.articles_of(Entity::Section, section.id.get());
    }
    for found in &related {
        let Related::Found(found, card) = found else { continue };
        keys = keys.one(Entity::Article, found.id.get());
        if let Some(section) = &card.section {
            keys = keys.one(Entity::Section, section.id.get());
        }
    }
    let data = related.into_iter().map(RelatedArticle::from).collect();
    Answer::ok(&request, &principal, RelatedArticles { data }).keys(keys).send()
}
