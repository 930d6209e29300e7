//! stub
use std::collections::HashMap;
use super::{conn::Db, schema::sections};
use crate::domain::{error::Error, id::SectionId, section::SectionCard, slug::Slug};
pub(super) type CardColumns = (sections::id, sections::slug, sections::path, sections::name);
pub(super) const CARD: CardColumns = (sections::id, sections::slug, sections::path, sections::name);
pub(super) fn card((id, slug, path, name): (i64, String, String, String)) -> SectionCard {
    SectionCard { id: SectionId::new(id), slug: Slug::from_stored(slug), path, name }
}
pub fn ancestors(_db: &mut Db, _ids: &[i64]) -> Result<HashMap<i64, Vec<i64>>, Error> { Ok(HashMap::new()) }
