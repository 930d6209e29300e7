//! stub
use super::schema::authors;
use crate::domain::{author::AuthorCard, id::AuthorId, slug::Slug};
pub(super) type CardColumns = (authors::id, authors::slug, authors::name, authors::role);
pub(super) const CARD: CardColumns = (authors::id, authors::slug, authors::name, authors::role);
pub(super) fn card((id, slug, name, role): (i64, String, String, Option<String>)) -> AuthorCard {
    AuthorCard { id: AuthorId::new(id), slug: Slug::from_stored(slug), name, role }
}
