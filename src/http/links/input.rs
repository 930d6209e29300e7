//! Links as they come in.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        body::LinkDraft,
        error::Faults,
        id::{ArticleId, BlockId, LinkId},
        link::{InlinePlace, LinkChanges, LinkKind, LinkTarget, NewLink},
        text::{is_web_url, line},
    },
    http::input::Parse,
};

/// The label of a link that is given none.
const READ_MORE: &str = "Read More";

/// The link of a `read_more` block: the id of a link that the article has, or a link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LinkInput {
    /// A link that the article has.
    Id(LinkId),
    /// A link to make; or, with `id`, one that the article has, as it was read.
    Link(InlineLinkInput),
}

/// A link to make in place, or one that was read and is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineLinkInput {
    /// A link that the article has. Its other members are then not written: edit them under `/links`.
    #[serde(default)]
    id: Option<LinkId>,
    /// The words before the headline; "Read More" if there are none.
    #[serde(default)]
    #[schema(max_length = 100)]
    label: Option<String>,
    /// What it is to the article.
    #[serde(default)]
    kind: Option<LinkKind>,
    /// Where it leads.
    #[serde(default)]
    target: Option<TargetInput>,
    /// Read-only: what was read may be sent back.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "accepted so that what was read can be sent back")]
    card: Option<Value>,
}

/// Where a link leads: `article_id`, or `url` and `title`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetInput {
    /// An article of this newsroom.
    #[serde(default)]
    article_id: Option<ArticleId>,
    /// An `http` or `https` address elsewhere.
    #[serde(default)]
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// What readers see of the address.
    #[serde(default)]
    #[schema(max_length = 300)]
    title: Option<String>,
}

impl TargetInput {
    fn at(self, faults: &mut Faults, pointer: &str) -> Option<LinkTarget> {
        match (self.article_id, self.url) {
            (Some(id), None) if self.title.is_none() => Some(LinkTarget::Article(id)),
            (None, Some(url)) => {
                if !is_web_url(&url) {
                    faults.add(format!("{pointer}/url"), "not_a_url", "must be an http or https address");
                }
                let title = self.title.unwrap_or_default();
                let title = line(faults, &format!("{pointer}/title"), &title, 300)?;
                Some(LinkTarget::External { url, title })
            }
            _ => {
                faults.add(pointer, "bad_target", "must be either article_id, or url with title");
                None
            }
        }
    }
}

impl LinkInput {
    pub(crate) fn at(self, faults: &mut Faults, pointer: &str) -> Option<LinkDraft> {
        match self {
            Self::Id(id) | Self::Link(InlineLinkInput { id: Some(id), .. }) => Some(LinkDraft::Existing(id)),
            Self::Link(InlineLinkInput { label, kind, target: Some(target), .. }) => {
                let target = target.at(faults, &format!("{pointer}/target"))?;
                let label = label.as_deref().unwrap_or(READ_MORE);
                let label = line(faults, &format!("{pointer}/label"), label, 100)?;
                Some(LinkDraft::New(NewLink { label, kind: kind.unwrap_or_default(), target }))
            }
            Self::Link(_) => {
                faults.add(format!("{pointer}/target"), "required", "is required for a new link");
                None
            }
        }
    }
}

/// A related-article link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Read More", "kind": "related", "target": {"article_id": "184467440737095516"}}))]
pub struct LinkCreate {
    /// The words before the headline; "Read More" if there are none.
    #[serde(default)]
    #[schema(max_length = 100)]
    label: Option<String>,
    /// What it is to the article.
    #[serde(default)]
    kind: Option<LinkKind>,
    /// Where it leads.
    target: TargetInput,
    /// Makes it an inline link: a `read_more` block behind this block. Without it the link is listed.
    #[serde(default)]
    after_block: Option<BlockId>,
}

impl Parse for LinkCreate {
    type Command = (NewLink, Option<InlinePlace>);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let label = line(faults, "/label", self.label.as_deref().unwrap_or(READ_MORE), 100);
        let target = self.target.at(faults, "/target");
        let new = NewLink { label: label?, kind: self.kind.unwrap_or_default(), target: target? };
        Some((new, self.after_block.map(|after| InlinePlace { after })))
    }
}

/// The members of a link to change (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Background"}))]
pub struct LinkPatch {
    /// New words before the headline.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    label: Option<String>,
    /// A new kind.
    #[serde(default)]
    #[schema(nullable = false)]
    kind: Option<LinkKind>,
    /// A new target.
    #[serde(default)]
    #[schema(nullable = false)]
    target: Option<TargetInput>,
}

impl Parse for LinkPatch {
    type Command = LinkChanges;

    fn parse(self, faults: &mut Faults) -> Option<LinkChanges> {
        Some(LinkChanges {
            label: self.label.and_then(|label| line(faults, "/label", &label, 100)),
            kind: self.kind,
            target: self.target.and_then(|target| target.at(faults, "/target")),
        })
    }
}

/// The links of an article in their new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"order": ["184467440737095401"]}))]
pub struct LinkOrder {
    /// Every link once.
    #[schema(max_items = 100)]
    order: Vec<LinkId>,
}

impl Parse for LinkOrder {
    type Command = Vec<LinkId>;

    fn parse(self, _: &mut Faults) -> Option<Self::Command> {
        Some(self.order)
    }
}
