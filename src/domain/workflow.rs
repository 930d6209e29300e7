//! The states of an article and the steps between them.

use super::text_enum::text_enum;

/// Where an article stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never public; being written.
    Draft,
    /// Readers see the live document; the draft may be ahead of it.
    Published,
    /// Was public and has been withdrawn.
    Unpublished,
}

/// A step of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Make the draft what readers see.
    Publish,
    /// Withdraw what readers see.
    Unpublish,
}

impl State {
    /// The state after a step; `None` where the workflow has no such step. Publishing a published article makes
    /// its unpublished changes public.
    pub const fn after(self, transition: Transition) -> Option<Self> {
        match (self, transition) {
            (Self::Draft | Self::Published | Self::Unpublished, Transition::Publish) => Some(Self::Published),
            (Self::Published, Transition::Unpublish) => Some(Self::Unpublished),
            (Self::Draft | Self::Unpublished, Transition::Unpublish) => None,
        }
    }
}

impl Transition {
    /// The step as it stands in `allowed_actions` and in the path of its operation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Unpublish => "unpublish",
        }
    }
}

text_enum!(State {
    Draft "draft",
    Published "published",
    Unpublished "unpublished",
});
