//! `/v1/front` and `/v1/sections/{section}/front`

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::{Answer, Fields},
    articles::dto::Article,
    caller::Caller,
    fields::{FieldsQuery, Sparse},
    input::Query,
    path::Named,
    sections::Section,
};
use crate::{
    domain::{
        article,
        change::Entity,
        error::Error,
        section::{self, SectionCard},
        surrogate::SurrogateKeys,
        user::Principal,
    },
    service::{
        Newsroom,
        articles::ArticleView,
        fronts::{self, Front as Built},
    },
};

/// A section of a front.
#[derive(Debug, Serialize, ToSchema)]
pub struct FrontPart {
    /// The section.
    pub section: SectionCard,
    /// Its newest articles, and those below it, that do not stand further up.
    pub articles: Vec<Article>,
}

/// The front of a section or of the site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "section": {
        "id": "184467440737095001", "parent_id": null, "slug": "city", "path": "/city", "name": "City",
        "description": "What moves Port Ellery.",
        "seo": {"title": null, "description": null, "canonical_url": null, "noindex": false, "og_image": null},
        "position": 0, "article_count": null, "children": null, "version": 1,
        "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
    },
    "articles": [{
        "id": "184467440737095516", "type": "news", "slug": "harbour-bridge-reopens",
        "path": "/city/harbour-bridge-reopens", "url": "https://courier.example/city/harbour-bridge-reopens",
        "headline": "Harbour bridge reopens after two years", "standfirst": "Traffic is back on the upper deck.",
        "kicker": null, "section": {"id": "184467440737095001", "slug": "city", "path": "/city", "name": "City"},
        "sections": [], "tags": [], "bylines": [], "lead_image": null, "language": "en", "dateline": null, "access": "free",
        "seo": {"title": null, "description": null, "canonical_url": null, "noindex": false, "og_image": null},
        "word_count": 6, "reading_minutes": 1, "first_published_at": "2026-05-18T09:30:00.000Z",
        "published_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z", "stage": "live",
        "version": 1
    }],
    "sections": [{
        "section": {"id": "184467440737095002", "slug": "harbour", "path": "/city/harbour", "name": "Harbour"},
        "articles": []
    }]
}))]
pub struct Front {
    /// The section; `null` for the site.
    pub section: Option<Section>,
    /// The newest articles in it and below it.
    pub articles: Vec<Article>,
    /// The sections directly below it, in their order.
    pub sections: Vec<FrontPart>,
}

/// How much of a front.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FrontQuery {
    /// Most articles on top.
    #[param(minimum = 1, maximum = 50)]
    limit: u32,
    /// Most articles of each section below it.
    #[param(minimum = 1, maximum = 20)]
    per_section: u32,
}

impl Default for FrontQuery {
    fn default() -> Self {
        Self { limit: 10, per_section: 4 }
    }
}

/// Get the front of a section
///
/// The section, its newest articles with those below it, and the sections directly below it, the first 20 in their order,
/// each with its newest articles: no article stands twice on it. Articles are as in lists. A former path answers 308.
#[utoipa::path(tag = "sections", params(Named, FrontQuery, FieldsQuery),
    responses((status = 200, description = "The front.", body = Front)))]
#[get("/sections/{name}/front")]
pub async fn get_section_front(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    name: Named,
    Query(query): Query<FrontQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let reference = Some(name.reference());
    let front = fronts::get(&newsroom, reference, query.limit as usize, query.per_section as usize).await?;
    send(&request, &principal, front, fields.0)
}

/// Get the front of the site
///
/// As that of a section: the newest of all articles, and the sections at the root, the first 20 in their order, each with
/// its newest articles. No article stands twice on it.
#[utoipa::path(tag = "site", params(FrontQuery, FieldsQuery),
    responses((status = 200, description = "The front.", body = Front)))]
#[get("/front")]
pub async fn get_front(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    Query(query): Query<FrontQuery>,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let front = fronts::get(&newsroom, None, query.limit as usize, query.per_section as usize).await?;
    send(&request, &principal, front, fields.0)
}

fn send(
    request: &HttpRequest,
    principal: &Principal,
    front: Built,
    fields: Option<Fields>,
) -> Result<HttpResponse, Error> {
    let Built { section, articles, parts } = front;
    // Whatever section comes, goes or moves may change which ones are below this.
    let mut keys = SurrogateKeys::default().all(Entity::Section);
    keys = match &section {
        Some(section) => {
            let id = section.id.get();
            keys.one(Entity::Section, id).articles_of(Entity::Section, id)
        }
        None => keys.all(Entity::Article),
    };
    keys = articles.iter().fold(keys, SurrogateKeys::article);
    for (part, articles) in &parts {
        let id = part.id.get();
        keys = keys.one(Entity::Section, id).articles_of(Entity::Section, id);
        keys = articles.iter().fold(keys, SurrogateKeys::article);
    }
    let shown = |articles: Vec<article::Article>| {
        let view = |article| Article::try_from(ArticleView { article, workflow: None });
        articles.into_iter().map(view).collect::<Result<Vec<_>, Error>>()
    };
    let part = |(section, articles): (section::Section, _)| {
        let section::Section { id, slug, path, name, .. } = section;
        Ok(FrontPart { section: SectionCard { id, slug, path, name }, articles: shown(articles)? })
    };
    let sections = parts.into_iter().map(part).collect::<Result<Vec<_>, Error>>()?;
    let front = Front { section: section.map(Section::from), articles: shown(articles)?, sections };
    Answer::ok(request, principal, front).keys(keys).fields(fields).send()
}
