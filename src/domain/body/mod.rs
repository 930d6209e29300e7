//! The body of an article: headed sections of blocks.

mod build;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::build::{Builder, differences, finish};
use super::{
    error::{Fault, Faults},
    id::{BlockId, BodySectionId, LinkId},
    inline_html,
    link::NewLink,
    slug::Slug,
    text::{self, is_web_url},
};

/// Most sections of a body.
pub const MAX_SECTIONS: usize = 200;
/// Most blocks of a body.
pub const MAX_BLOCKS: usize = 2_000;
/// The longest heading, in characters.
pub const MAX_HEADING: usize = 200;
/// Words that a reader reads in a minute.
pub const WORDS_PER_MINUTE: u32 = 230;

/// A picture: its file and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFile {
    /// Where the file is: an `http` or `https` address.
    #[schema(max_length = 2000, examples("https://images.example.com/harbour.jpg"))]
    pub url: String,
    /// Its width in pixels.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100000)]
    pub width: Option<u32>,
    /// Its height in pixels.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100000)]
    pub height: Option<u32>,
}

/// What a block says, by its `type`. `html` is inline HTML: `a[href] em strong code sub sup s br mark span[lang]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BlockContent<L> {
    /// A paragraph.
    Paragraph {
        /// Inline HTML.
        #[schema(max_length = 20000, examples("The bridge <em>reopened</em> on Monday."))]
        html: String,
    },
    /// A picture.
    Image {
        /// The picture.
        media: ImageFile,
        /// What it shows, for those who cannot see it.
        #[serde(default)]
        #[schema(max_length = 1000)]
        alt: Option<String>,
        /// What readers see under it.
        #[serde(default)]
        #[schema(max_length = 1000)]
        caption: Option<String>,
        /// Who made it.
        #[serde(default)]
        #[schema(max_length = 300)]
        credit: Option<String>,
    },
    /// Somebody else's words.
    Quote {
        /// Inline HTML.
        #[schema(max_length = 20000)]
        html: String,
        /// Whose words they are.
        #[serde(default)]
        #[schema(max_length = 300)]
        cite: Option<String>,
    },
    /// Words of the article, set large.
    PullQuote {
        /// Inline HTML.
        #[schema(max_length = 20000)]
        html: String,
        /// Whose words they are.
        #[serde(default)]
        #[schema(max_length = 300)]
        cite: Option<String>,
    },
    /// A list.
    List {
        /// Whether it is numbered.
        #[serde(default)]
        ordered: bool,
        /// Its items, inline HTML.
        #[schema(min_items = 1, max_items = 500)]
        items: Vec<String>,
    },
    /// A table.
    Table {
        /// What it shows.
        #[serde(default)]
        #[schema(max_length = 1000)]
        caption: Option<String>,
        /// The heads of its columns, inline HTML; empty for a table without heads.
        #[serde(default)]
        #[schema(max_items = 50)]
        header: Vec<String>,
        /// Its rows of cells, inline HTML, all as wide as the header; a cell may be empty.
        #[schema(min_items = 1, max_items = 1000)]
        rows: Vec<Vec<String>>,
    },
    /// Something from another site.
    Embed {
        /// Its `http` or `https` address.
        #[schema(max_length = 2000)]
        url: String,
        /// Whose site it is.
        #[serde(default)]
        #[schema(max_length = 100)]
        provider: Option<String>,
        /// What it is.
        #[serde(default)]
        #[schema(max_length = 300)]
        title: Option<String>,
    },
    /// Code or data to be shown as it is.
    Code {
        /// What language it is.
        #[serde(default)]
        #[schema(max_length = 50)]
        language: Option<String>,
        /// The text.
        #[schema(min_length = 1, max_length = 50000)]
        code: String,
    },
    /// A line between parts.
    Divider {},
    /// A point of the summary, or an entry of a live blog that matters.
    KeyPoint {
        /// Inline HTML.
        #[schema(max_length = 20000)]
        html: String,
    },
    /// A "Read More" link to another article.
    ReadMore {
        /// The related-article link that stands here.
        link: L,
    },
}

/// One block of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Block<L> {
    /// Its id, the same for as long as it exists.
    pub id: BlockId,
    /// What it says.
    #[serde(flatten)]
    pub content: BlockContent<L>,
}

/// A headed part of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BodySection<L> {
    /// Its id, the same for as long as it exists.
    pub id: BodySectionId,
    /// Its heading; the first section may have none.
    pub heading: Option<String>,
    /// The level of the heading, 2 to 4.
    pub level: u8,
    /// The fragment under which it is reached, unique in the article and stable once published.
    #[schema(examples("what-happens-next"))]
    pub anchor: String,
    /// Its blocks in order.
    pub blocks: Vec<Block<L>>,
}

/// A body as a document holds it: `read_more` blocks hold ids of links.
pub type Body = Vec<BodySection<LinkId>>;

/// What a `read_more` block of the input refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkDraft {
    /// A link that the article has.
    Existing(LinkId),
    /// A link to be made.
    New(NewLink),
}

/// A block to write.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockDraft {
    /// The block that it replaces; none for a new one.
    pub id: Option<BlockId>,
    /// What it says.
    pub content: BlockContent<LinkDraft>,
}

/// A section to write.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BodySectionDraft {
    /// The section that it replaces; none for a new one.
    pub id: Option<BodySectionId>,
    /// Its heading.
    pub heading: Option<String>,
    /// The level of the heading, 2 to 4.
    pub level: Option<u8>,
    /// An anchor of the editor's choice.
    pub anchor: Option<Slug>,
    /// Its blocks.
    pub blocks: Vec<BlockDraft>,
}

/// The members of a section to change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BodySectionChanges {
    /// A new heading, or none.
    pub heading: Option<Option<String>>,
    /// A new level.
    pub level: Option<u8>,
    /// A new anchor.
    pub anchor: Option<Slug>,
    /// New blocks.
    pub blocks: Option<Vec<BlockDraft>>,
}

impl BodySectionChanges {
    /// The section as it is to be written.
    pub fn apply(self, section: &BodySection<LinkId>) -> BodySectionDraft {
        let kept = || {
            let draft = |block: &Block<LinkId>| {
                let content =
                    block.content.clone().try_map_link(|link| Ok::<_, ()>(LinkDraft::Existing(link)));
                content.ok().map(|content| BlockDraft { id: Some(block.id), content })
            };
            section.blocks.iter().filter_map(draft).collect()
        };
        BodySectionDraft {
            id: Some(section.id),
            heading: self.heading.unwrap_or_else(|| section.heading.clone()),
            level: Some(self.level.unwrap_or(section.level)),
            anchor: self.anchor,
            blocks: self.blocks.unwrap_or_else(kept),
        }
    }
}

/// A part of an outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutlineEntry {
    /// The section.
    pub id: BodySectionId,
    /// Its heading.
    pub heading: Option<String>,
    /// The level of the heading.
    pub level: u8,
    /// Its anchor.
    pub anchor: String,
    /// Its words.
    pub word_count: u32,
    /// The minutes that it takes to read, rounded up.
    pub reading_minutes: u32,
}

/// Minutes to read so many words, rounded up.
pub const fn reading_minutes(words: u32) -> u32 {
    words.div_ceil(WORDS_PER_MINUTE)
}

impl<L> BlockContent<L> {
    /// The same content with another kind of link.
    pub fn try_map_link<M, E>(self, f: impl FnOnce(L) -> Result<M, E>) -> Result<BlockContent<M>, E> {
        Ok(match self {
            Self::Paragraph { html } => BlockContent::Paragraph { html },
            Self::Image { media, alt, caption, credit } => {
                BlockContent::Image { media, alt, caption, credit }
            }
            Self::Quote { html, cite } => BlockContent::Quote { html, cite },
            Self::PullQuote { html, cite } => BlockContent::PullQuote { html, cite },
            Self::List { ordered, items } => BlockContent::List { ordered, items },
            Self::Table { caption, header, rows } => BlockContent::Table { caption, header, rows },
            Self::Embed { url, provider, title } => BlockContent::Embed { url, provider, title },
            Self::Code { language, code } => BlockContent::Code { language, code },
            Self::Divider {} => BlockContent::Divider {},
            Self::KeyPoint { html } => BlockContent::KeyPoint { html },
            Self::ReadMore { link } => BlockContent::ReadMore { link: f(link)? },
        })
    }

    /// The words of the block, for readers.
    pub fn word_count(&self) -> u32 {
        let words = |html: &str| count(inline_html::text(html).split_whitespace().count());
        match self {
            Self::Paragraph { html }
            | Self::Quote { html, .. }
            | Self::PullQuote { html, .. }
            | Self::KeyPoint { html } => words(html),
            Self::List { items, .. } => items.iter().map(|item| words(item)).sum(),
            Self::Table { header, rows, .. } => {
                header.iter().chain(rows.iter().flatten()).map(|cell| words(cell)).sum()
            }
            Self::Image { .. }
            | Self::Embed { .. }
            | Self::Code { .. }
            | Self::Divider {}
            | Self::ReadMore { .. } => 0,
        }
    }

    /// Checks the texts of the block and brings them into their canonical spelling. Faults are told under `pointer`;
    /// the result is of use only if there are none.
    #[must_use]
    pub fn canonical(mut self, faults: &mut Faults, pointer: &str) -> Self {
        let html = |faults: &mut Faults, member: &str, text: &mut String| {
            if let Some(clean) = inline_html::parse(faults, &format!("{pointer}/{member}"), text) {
                *text = clean;
            }
        };
        let line = |faults: &mut Faults, member: &str, text: &mut Option<String>, max: usize| {
            *text = text::optional_line(faults, &format!("{pointer}/{member}"), text.as_deref(), max);
        };
        let url = |faults: &mut Faults, member: &str, text: &str| {
            if !is_web_url(text) {
                faults.add(format!("{pointer}/{member}"), "not_a_url", "must be an http or https address");
            }
        };
        match &mut self {
            Self::Paragraph { html: text } | Self::KeyPoint { html: text } => html(faults, "html", text),
            Self::Quote { html: text, cite } | Self::PullQuote { html: text, cite } => {
                html(faults, "html", text);
                line(faults, "cite", cite, 300);
            }
            Self::Image { media, alt, caption, credit } => {
                url(faults, "media/url", &media.url);
                line(faults, "alt", alt, 1000);
                line(faults, "caption", caption, 1000);
                line(faults, "credit", credit, 300);
            }
            Self::List { items, .. } => {
                for (index, item) in items.iter_mut().enumerate() {
                    html(faults, &format!("items/{index}"), item);
                }
            }
            Self::Table { caption, header, rows } => {
                line(faults, "caption", caption, 1000);
                let width = if header.is_empty() { rows.first().map_or(0, Vec::len) } else { header.len() };
                let cell = |faults: &mut Faults, member: String, text: &mut String| {
                    if !text.trim().is_empty() {
                        html(faults, &member, text);
                    }
                };
                for (column, head) in header.iter_mut().enumerate() {
                    cell(faults, format!("header/{column}"), head);
                }
                for (number, row) in rows.iter_mut().enumerate() {
                    if row.len() != width {
                        let message = format!("must have {width} cells, as many as the first row");
                        let fault = Fault::body(format!("{pointer}/rows/{number}"), "uneven_row", message);
                        faults.push(fault.with("cells", width));
                    }
                    for (column, text) in row.iter_mut().enumerate() {
                        cell(faults, format!("rows/{number}/{column}"), text);
                    }
                }
            }
            Self::Embed { url: address, provider, title } => {
                url(faults, "url", address);
                line(faults, "provider", provider, 100);
                line(faults, "title", title, 300);
            }
            Self::Code { language, .. } => line(faults, "language", language, 50),
            Self::Divider {} | Self::ReadMore { .. } => {}
        }
        self
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<L> BodySection<L> {
    /// The words of the section, its heading included.
    pub fn word_count(&self) -> u32 {
        let heading = self.heading.as_deref().map_or(0, |heading| count(heading.split_whitespace().count()));
        heading + self.blocks.iter().map(|block| block.content.word_count()).sum::<u32>()
    }
}

/// The words of a body.
pub fn word_count<L>(body: &[BodySection<L>]) -> u32 {
    body.iter().map(BodySection::word_count).sum()
}

/// The outline of a body.
pub fn outline<L>(body: &[BodySection<L>]) -> Vec<OutlineEntry> {
    body.iter()
        .map(|section| {
            let words = section.word_count();
            OutlineEntry {
                id: section.id,
                heading: section.heading.clone(),
                level: section.level,
                anchor: section.anchor.clone(),
                word_count: words,
                reading_minutes: reading_minutes(words),
            }
        })
        .collect()
}

/// The ids of the links that stand in a body, in order, with their blocks.
pub fn inline_links(body: &Body) -> impl Iterator<Item = (LinkId, BlockId)> + '_ {
    body.iter().flat_map(|section| &section.blocks).filter_map(|block| match block.content {
        BlockContent::ReadMore { link } => Some((link, block.id)),
        _ => None,
    })
}
