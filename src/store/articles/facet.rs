//! Kinds of facets: the things under which an article can be listed.

/// Every article; the id is 0.
pub const EVERYTHING: i16 = 0;
/// A section, for its own articles and those of its descendants.
pub const SECTION: i16 = 1;
/// A section, for its own articles only.
pub const SECTION_EXACT: i16 = 2;
/// A tag.
pub const TAG: i16 = 3;
/// An author.
pub const AUTHOR: i16 = 4;
/// A type of article; the id is the type's place in `ArticleType::ALL`.
pub const TYPE: i16 = 5;

/// The listing of live and scheduled documents; that of drafts is 0.
pub const LIVE_LISTING: i16 = 1;
