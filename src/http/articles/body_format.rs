//! `body_format`: the body of an article as blocks, or as text in one of the formats of `render`.

use serde::Deserialize;
use utoipa::{
    ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use super::dto::{Article, BodyAnswer};
use crate::{
    domain::{article, error::Error},
    render::{Context, body_of, html, markdown, text},
    service::articles::ArticleView,
};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// Headed sections of blocks.
    #[default]
    Blocks,
    /// Semantic HTML, without styles or scripts, in which everything is escaped that is no markup.
    Html,
    /// Plain text.
    Text,
    /// Markdown: CommonMark, with tables as GitHub has them.
    Markdown,
}

impl BodyFormat {
    /// The body of an article as text; `None` for blocks, and if it was read without its body. Links that the caller
    /// cannot follow are not among those that it was read with.
    fn write(self, article: &article::Article) -> Result<Option<String>, Error> {
        if article.body.is_none() {
            return Ok(None);
        }
        let context = Context::of(article);
        let write = match self {
            Self::Blocks => return Ok(None),
            Self::Html => html::body,
            Self::Text => text::body,
            Self::Markdown => markdown::body,
        };
        Ok(Some(write(&body_of(article)?, context)))
    }
}

impl Article {
    /// The article with its body in a format.
    ///
    /// # Errors
    /// When the stored body cannot be read.
    pub fn with_format(mut view: ArticleView, format: BodyFormat) -> Result<Self, Error> {
        let written = format.write(&view.article)?;
        if written.is_some() {
            view.article.body = None;
        }
        let article = Self::try_from(view)?;
        Ok(match written {
            Some(text) => Self { body: Some(BodyAnswer::Written(text)), ..article },
            None => article,
        })
    }
}

/// The schema of `body`: a list, or with another `body_format` than `blocks` a text.
pub(super) fn schema() -> RefOr<Schema> {
    let blocks = ArrayBuilder::new()
        .items(Ref::from_schema_name("BodySection_InlineLink"))
        .description(Some("With `body_format=blocks`: headed sections of blocks."))
        .build();
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("With `body_format=html`, `text` or `markdown`."))
        .examples([
            "<section id=\"what-happens-next\"><h2>What happens next</h2>\n<p>The lower deck opens in June.</p></section>\n",
        ])
        .build();
    let choice = OneOfBuilder::new()
        .item(blocks)
        .item(text)
        .description(Some("The text: headed sections of blocks, or what `body_format` makes of them."))
        .build();
    Schema::OneOf(choice).into()
}
