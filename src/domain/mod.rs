//! Types and rules without I/O: what a newsroom is made of, and what may happen to it.

pub mod article;
pub mod author;
pub mod body;
pub mod change;
pub mod correction;
pub mod diff;
pub mod error;
pub mod id;
pub mod inline_html;
pub mod instant;
pub mod link;
pub mod merge;
pub mod note;
pub mod page;
pub mod permission;
pub mod preflight;
pub mod preview;
pub mod release;
pub mod revision;
pub mod section;
pub mod site;
pub mod slug;
pub mod tag;
pub mod text;
mod text_enum;
pub mod user;
pub mod workflow;
