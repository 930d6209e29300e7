//! `POST /v1/articles/bulk`

use actix_web::{HttpRequest, HttpResponse, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    actions::DryRun,
    input::{PublishRequest, RetractRequest, ReturnRequest, SubmitRequest},
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::ArticleId,
        slug::Reference,
        workflow::State,
    },
    http::{
        answer::Answer,
        caller::Caller,
        error::Problem,
        input::{Input, Parse, Query},
    },
    service::{
        Newsroom,
        articles::{self, BulkAction, BulkItem, Command, EditRequest},
    },
};

/// What to do with an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkVerb {
    /// As `POST …/submit`; takes `note`.
    Submit,
    /// As `POST …/return`; takes `note`.
    Return,
    /// As `POST …/publish`; takes `publish`.
    Publish,
    /// As `POST …/unschedule`.
    Unschedule,
    /// As `POST …/unpublish`.
    Unpublish,
    /// As `POST …/discard`.
    Discard,
    /// As `POST …/retract`; takes `reason`.
    Retract,
    /// As `POST …/archive`.
    Archive,
    /// As `POST …/reopen`.
    Reopen,
    /// As `DELETE`.
    Delete,
    /// Puts `tags` behind those that the draft has.
    AddTags,
    /// Takes `tags` from the draft.
    RemoveTags,
    /// Puts the draft into `section`.
    Move,
}

/// One action. Members that the action does not take are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkActionInput {
    /// What to do.
    action: BulkVerb,
    /// The article, by id or slug.
    #[schema(min_length = 1, max_length = 200)]
    article: String,
    /// The version of the draft that the action builds on, or `*` for whatever is there. Needed to edit a draft, as
    /// `If-Match` is.
    #[serde(default)]
    #[schema(pattern = r"^(\*|[0-9]{1,18})$", examples("7"))]
    version: Option<String>,
    /// For `submit` and `return`.
    #[serde(default)]
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// For `retract`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// For `publish`.
    #[serde(default)]
    publish: Option<PublishRequest>,
    /// For `add_tags` and `remove_tags`: by id or slug.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    tags: Option<Vec<String>>,
    /// For `move`: by id or path.
    #[serde(default)]
    #[schema(max_length = 1000)]
    section: Option<String>,
}

/// What a [`BulkActionInput`] is turned into: everything but who asks.
#[derive(Debug)]
pub struct Wanted {
    verb: BulkVerb,
    article: String,
    version: Option<String>,
    action: BulkAction,
}

impl BulkActionInput {
    fn parse(self, faults: &mut Faults, pointer: &str) -> Option<Wanted> {
        let Self { action: verb, article, version, note, reason, publish, tags, section } = self;
        let given = [
            ("note", note.is_some(), matches!(verb, BulkVerb::Submit | BulkVerb::Return)),
            ("reason", reason.is_some(), verb == BulkVerb::Retract),
            ("publish", publish.is_some(), verb == BulkVerb::Publish),
            ("tags", tags.is_some(), matches!(verb, BulkVerb::AddTags | BulkVerb::RemoveTags)),
            ("section", section.is_some(), verb == BulkVerb::Move),
        ];
        for (name, _, _) in given.iter().filter(|(_, is_given, is_taken)| *is_given && !is_taken) {
            faults.add(format!("{pointer}/{name}"), "not_taken", "is not taken by this action");
        }
        let mut inner = Faults::default();
        let references = |tags: Vec<String>| tags.iter().map(|tag| Reference::parse(tag)).collect();
        let action = match verb {
            BulkVerb::Submit => SubmitRequest { note }.parse(&mut inner).map(BulkAction::Step),
            BulkVerb::Return => {
                let note = required(&mut inner, "/note", note);
                note.and_then(|note| ReturnRequest { note }.parse(&mut inner)).map(BulkAction::Step)
            }
            BulkVerb::Publish => {
                let publish = publish.unwrap_or_default().parse(&mut inner);
                inner = inner.under("/publish");
                publish.map(BulkAction::Step)
            }
            BulkVerb::Retract => {
                let reason = required(&mut inner, "/reason", reason);
                reason.and_then(|reason| RetractRequest { reason }.parse(&mut inner)).map(BulkAction::Step)
            }
            BulkVerb::Unschedule => Some(BulkAction::Step(Command::Unschedule)),
            BulkVerb::Unpublish => Some(BulkAction::Step(Command::Unpublish)),
            BulkVerb::Discard => Some(BulkAction::Step(Command::Discard)),
            BulkVerb::Archive => Some(BulkAction::Step(Command::Archive)),
            BulkVerb::Reopen => Some(BulkAction::Step(Command::Reopen)),
            BulkVerb::Delete => Some(BulkAction::Delete),
            BulkVerb::AddTags => required(&mut inner, "/tags", tags).map(references).map(BulkAction::AddTags),
            BulkVerb::RemoveTags => {
                required(&mut inner, "/tags", tags).map(references).map(BulkAction::RemoveTags)
            }
            BulkVerb::Move => required(&mut inner, "/section", section)
                .map(|section| BulkAction::Move(Reference::parse(&section))),
        };
        faults.extend(inner.under(pointer).into_vec());
        Some(Wanted { verb, article, version, action: action? })
    }
}

fn required<T>(faults: &mut Faults, pointer: &str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        faults.add(pointer, "required", "is required for this action");
    }
    value
}

/// Actions to take one after the other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"atomic": true, "actions": [
    {"action": "add_tags", "article": "harbour-bridge-reopens", "version": "3", "tags": ["harbour-authority"]},
    {"action": "publish", "article": "ferry-timetable-changes", "publish": {"note": "Checked"}}
]}))]
pub struct BulkRequest {
    /// All or none. Without it each action is taken for itself, and a failure stops no other.
    #[serde(default)]
    atomic: bool,
    /// The actions.
    #[schema(min_items = 1, max_items = 100)]
    actions: Vec<BulkActionInput>,
}

impl Parse for BulkRequest {
    type Command = (bool, Vec<Wanted>);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let actions = self.actions.into_iter().enumerate();
        let wanted = actions.map(|(index, action)| action.parse(faults, &format!("/actions/{index}")));
        Some((self.atomic, wanted.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?))
    }
}

/// What came of one action.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// The article, as it was named.
    article: String,
    /// What was to be done.
    action: BulkVerb,
    /// The status that a single call would have had.
    status: u16,
    /// Its id; `null` for an action that failed or a deletion.
    article_id: Option<ArticleId>,
    /// The version of the draft now.
    version: Option<i64>,
    /// Where it stands now.
    state: Option<State>,
    /// Why the action was not taken.
    problem: Option<Problem>,
}

/// What came of the actions, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"atomic": true, "dry_run": false, "results": [{
    "article": "harbour-bridge-reopens", "action": "add_tags", "status": 200, "article_id": "184467440737095516",
    "version": 4, "state": "published", "problem": null
}]}))]
pub struct BulkAnswer {
    /// All or none.
    atomic: bool,
    /// Nothing was changed.
    dry_run: bool,
    /// One for each action.
    results: Vec<BulkResult>,
}

/// Take many actions
///
/// Up to 100, one after the other, each with the permissions and versions of a single call. Without `atomic` each is taken
/// for itself, and `results` tell what came of it; with it all are taken or none, and a failure is 422 `bulk_failed` that
/// tells every action that cannot be taken.
#[utoipa::path(tag = "workflow", params(DryRun), request_body = BulkRequest, security(("bearer" = [])),
    responses((status = 200, description = "What came of the actions.", body = BulkAnswer)))]
#[post("/articles/bulk")]
pub async fn bulk_articles(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    Query(dry_run): Query<DryRun>,
    Input((atomic, wanted)): Input<BulkRequest>,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let named: Vec<_> = wanted.iter().map(|wanted| (wanted.article.clone(), wanted.verb)).collect();
    let items = wanted.into_iter().map(|wanted| BulkItem {
        has_version: wanted.version.is_some(),
        on: EditRequest {
            principal: principal.clone(),
            reference: Reference::parse(&wanted.article),
            // What is no number is the asterisk.
            version: wanted.version.and_then(|version| version.parse().ok()),
            merge: false,
        },
        action: wanted.action,
    });
    let dry_run = dry_run.dry_run;
    let results = articles::bulk(&newsroom, items.collect(), atomic, dry_run).await?;
    let results = named.into_iter().zip(results).map(|((article, action), result)| match result {
        Ok(view) => BulkResult {
            article,
            action,
            status: 200,
            article_id: view.as_ref().map(|view| view.article.id),
            version: view.as_ref().map(|view| view.article.version),
            state: view.and_then(|view| view.workflow).map(|workflow| workflow.state),
            problem: None,
        },
        Err(error) => {
            let (article_id, version, state) = (None, None, None);
            let (status, problem) = (error.code().status(), Some(Problem::new(&error, None)));
            BulkResult { article, action, status, article_id, version, state, problem }
        }
    });
    Answer::private(&request, BulkAnswer { atomic, dry_run, results: results.collect() }).send()
}
