//! What lists and searches narrow their documents by, beside facets.

/// Narrows a boxed query over `article_contents` and `articles`. `id` and `date` are the columns with the article and
/// the date by which lists show it; `only_own` keeps to articles that this user made or is named in.
macro_rules! narrowed {
    ($query:expr, $filter:expr, $only_own:expr, id = $id:expr, date = $date:expr) => {{
        use $crate::{
            domain::article::AssigneeFilter,
            store::schema::{article_contents as contents, articles, authors, content_bylines},
        };
        let mut query = $query;
        if let Some(language) = &$filter.language {
            query = query.filter(contents::language.eq(language.clone()));
        }
        if let Some(instant) = $filter.published_after {
            query = query.filter($date.ge(instant.millis()));
        }
        if let Some(instant) = $filter.published_before {
            query = query.filter($date.lt(instant.millis()));
        }
        if let Some(instant) = $filter.updated_after {
            query = query.filter(contents::updated_at.ge(instant.millis()));
        }
        if let Some(instant) = $filter.updated_before {
            query = query.filter(contents::updated_at.lt(instant.millis()));
        }
        if !$filter.ids.is_empty() {
            query = query.filter($id.eq_any($filter.ids.iter().map(|id| id.get()).collect::<Vec<_>>()));
        }
        if !$filter.exclude.is_empty() {
            query = query.filter($id.ne_all($filter.exclude.iter().map(|id| id.get()).collect::<Vec<_>>()));
        }
        if $filter.has_lead_image {
            query = query.filter(contents::lead_image.is_not_null());
        }
        if let Some(state) = $filter.state {
            query = query.filter(articles::state.eq(state.as_str()));
        }
        if let Some(AssigneeFilter::User(user)) = $filter.assignee {
            query = query.filter(articles::assignee_id.eq(user.get()));
        }
        if let Some(user) = $only_own {
            let named = content_bylines::table
                .inner_join(authors::table)
                .filter(content_bylines::stage.eq(stage_number(Stage::Draft)))
                .filter(authors::user_id.eq(user.get()))
                .select(content_bylines::article_id);
            query = query.filter(articles::created_by.eq(user.get()).or(articles::id.eq_any(named)));
        }
        query
    }};
}
pub(super) use narrowed;
