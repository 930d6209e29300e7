//! Searching articles.

use std::collections::HashMap;

use super::{super::Newsroom, ArticleListRequest, ArticleView, meaning, only_own, views};
use crate::{
    domain::{
        article::{Article, Include},
        body::Body,
        error::Error,
        page::Page,
        search::{FacetKind, Facets, Highlights, SearchQuery, body_text, highlight, snippet},
        user::Principal,
    },
    store::articles::{self, Audience, Found, LoadContext, Search},
};

/// What is searched for, in which articles, in which order.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The words.
    pub query: SearchQuery,
    /// Which articles.
    pub list: ArticleListRequest,
    /// What is to be counted.
    pub facets: Vec<FacetKind>,
}

/// An article that was found.
#[derive(Debug, Clone)]
pub struct FoundArticle {
    /// The article.
    pub view: ArticleView,
    /// Where the hits are.
    pub highlights: Highlights,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct SearchResult {
    /// A page of it.
    pub page: Page<FoundArticle>,
    /// What was counted, if anything.
    pub facets: Option<Facets>,
    /// Whether there may be matches that were not looked at: see [`Found`].
    pub is_partial: bool,
}

/// Articles with certain words, of those that [`super::list`] would list.
///
/// # Errors
/// Those of [`super::list`].
pub async fn search(
    newsroom: &Newsroom,
    principal: Principal,
    request: SearchRequest,
) -> Result<SearchResult, Error> {
    let now = newsroom.clock.now();
    let SearchRequest { query, list, facets } = request;
    let only_own = only_own(&principal, list.stage)?;
    let filter = meaning(list.filter, &principal)?;
    let site = newsroom.site.clone();
    newsroom
        .store
        .read(move |db| {
            let site = site.get(db)?;
            // The body is needed for the snippets of this page, whoever asked for it.
            let include = Include { body: true, ..list.include };
            let context = LoadContext { site: &site, now, audience: Audience::from(&principal), include };
            let wanted = Search {
                query: &query,
                stage: list.stage,
                filter: &filter,
                only_own,
                order: (list.order, list.descending, &list.sort),
                page: &list.page,
                facets: &facets,
            };
            let Found { page, facets, is_partial } = articles::search(db, wanted, context)?;
            let Page { items, limit, next, prev, total } = page;
            let mut highlights = HashMap::new();
            for article in &items {
                highlights.insert(article.id, highlights_of(article, &query)?);
            }
            let found = views(db, &principal, items, now)?.into_iter().filter_map(|view| {
                let highlights = highlights.remove(&view.article.id)?;
                Some(FoundArticle { view, highlights })
            });
            let page = Page { items: found.collect(), limit, next, prev, total };
            Ok(SearchResult { page, facets, is_partial })
        })
        .await
}

fn highlights_of(article: &Article, query: &SearchQuery) -> Result<Highlights, Error> {
    let body = article.body.as_deref().unwrap_or("[]");
    let body: Body =
        serde_json::from_str(body).map_err(|error| Error::internal("reading a stored body", error))?;
    Ok(Highlights {
        headline: highlight(&article.headline, query),
        standfirst: article.standfirst.as_deref().map(|text| highlight(text, query)),
        snippet: snippet(&body_text(&body), query),
    })
}
