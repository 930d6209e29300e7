//! The states of an article and the steps between them.

use super::text_enum::text_enum;

/// Where an article stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never public; being written.
    Draft,
    /// Written; waits for an editor.
    InReview,
    /// Becomes public at a set instant.
    Scheduled,
    /// Readers see the live document; the draft may be ahead of it.
    Published,
    /// Was public and has been withdrawn.
    Unpublished,
    /// Was public and has been taken back, with a reason that readers are told.
    Retracted,
    /// Put away. Nobody reads or edits it until it is reopened.
    Archived,
}

text_enum!(State {
    Draft "draft",
    InReview "in_review",
    Scheduled "scheduled",
    Published "published",
    Unpublished "unpublished",
    Retracted "retracted",
    Archived "archived",
});

/// A step of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Ask an editor to look at the draft.
    Submit,
    /// Give it back to its author.
    Return,
    /// Make the draft what readers see, now.
    Publish,
    /// Make the draft, as it is now, what readers see from an instant on.
    Schedule,
    /// Take that back.
    Unschedule,
    /// Withdraw what readers see.
    Unpublish,
    /// Drop the changes of the draft: it becomes what readers see.
    Discard,
    /// Withdraw what readers see and tell them why.
    Retract,
    /// Put the article away.
    Archive,
    /// Take it up again.
    Reopen,
}

text_enum!(Step {
    Submit "submit",
    Return "return",
    Publish "publish",
    Schedule "schedule",
    Unschedule "unschedule",
    Unpublish "unpublish",
    Discard "discard",
    Retract "retract",
    Archive "archive",
    Reopen "reopen",
});

/// What decides which steps are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Where the article stands.
    pub state: State,
    /// It has been public at some time.
    pub ever_published: bool,
    /// A version of it becomes public at a set instant.
    pub has_scheduled: bool,
    /// The draft is ahead of what readers see.
    pub has_changes: bool,
}

impl Position {
    /// The state after a step; `None` where the workflow has no such step. Publishing a published article makes its
    /// unpublished changes public.
    pub const fn after(self, step: Step) -> Option<State> {
        use State::{Archived, Draft, InReview, Published, Retracted, Scheduled, Unpublished};
        let at_rest = if self.ever_published { Unpublished } else { Draft };
        let after = match (step, self.state) {
            (Step::Submit, Draft | Unpublished) => InReview,
            (Step::Return, InReview) => at_rest,
            (Step::Publish, Draft | InReview | Scheduled | Published | Unpublished) => Published,
            (Step::Schedule, Draft | InReview | Scheduled | Unpublished) => Scheduled,
            (Step::Schedule, Published) => Published,
            (Step::Unschedule, Scheduled) => at_rest,
            (Step::Unschedule, Published) if self.has_scheduled => Published,
            (Step::Unpublish, Published) => Unpublished,
            (Step::Discard, Published) if self.has_changes => Published,
            (Step::Retract, Published | Unpublished) => Retracted,
            (Step::Archive, Draft | InReview | Published | Unpublished) => Archived,
            (Step::Reopen, Retracted | Archived) => at_rest,
            _ => return None,
        };
        Some(after)
    }

    /// Whether the draft can be edited.
    pub const fn is_editable(self) -> bool {
        !matches!(self.state, State::Retracted | State::Archived)
    }

    /// Whether the article can be deleted: nobody reads it, now or at a set instant.
    pub const fn is_deletable(self) -> bool {
        !matches!(self.state, State::Published | State::Scheduled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions() -> impl Iterator<Item = Position> {
        let flags = [(false, false), (false, true), (true, false), (true, true)];
        State::ALL.iter().flat_map(move |state| {
            [false, true].into_iter().flat_map(move |ever_published| {
                flags.into_iter().map(move |(has_scheduled, has_changes)| Position {
                    state: *state,
                    ever_published,
                    has_scheduled,
                    has_changes,
                })
            })
        })
    }

    #[test]
    fn only_publishing_makes_public() {
        for position in positions().filter(|position| position.state != State::Published) {
            for step in Step::ALL.iter().filter(|step| **step != Step::Publish) {
                assert_ne!(position.after(*step), Some(State::Published), "{position:?} {step}");
            }
        }
    }

    #[test]
    fn no_state_is_a_dead_end() {
        for position in positions() {
            assert!(Step::ALL.iter().any(|step| position.after(*step).is_some()), "{position:?}");
        }
    }

    #[test]
    fn what_was_public_never_becomes_a_draft_again() {
        for position in
            positions().filter(|position| position.ever_published && position.state != State::Draft)
        {
            for step in Step::ALL {
                assert_ne!(position.after(*step), Some(State::Draft), "{position:?} {step}");
            }
        }
    }
}
