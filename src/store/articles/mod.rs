//! Articles in the database.
pub mod facet;
