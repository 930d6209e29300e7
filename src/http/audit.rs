//! `/v1/audit`

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::{Answer, List},
    caller::Caller,
    input::{Parse, QueryInput},
    paging::page_request,
};
use crate::{
    domain::{
        audit::{self, AuditFilter, CredentialKind, Outcome},
        error::{Error, Faults},
        id::{AuditEventId, UserId},
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
    },
    service::{Newsroom, audit as service},
    store::audit::ORDER,
};

/// Something that was done, or tried.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737096001", "at": "2026-05-18T09:30:00.000Z",
    "actor": {"id": "184467440737095001", "name": "Edda Editor"}, "credential": "session",
    "credential_id": "184467440737095601", "action": "publish_article", "outcome": "done", "entity": "article",
    "entity_id": "184467440737095516", "target": "/v1/articles/harbour-bridge-reopens/publish", "detail": null,
    "before": null, "after": null, "address": "192.0.2.7", "user_agent": "Mozilla/5.0",
    "request_id": "0198c1a2-7c3e-7d55-9f0e-2b1f5a1c9e10"
}))]
pub struct AuditEvent {
    /// Its id.
    id: AuditEventId,
    /// When.
    at: Instant,
    /// Who; `null` if nothing is known.
    actor: Option<AuditActor>,
    /// By what they had shown who they are.
    credential: CredentialKind,
    /// Which session or API token that was.
    credential_id: Option<String>,
    /// What: the `operationId`.
    action: String,
    /// How it ended.
    outcome: Outcome,
    /// The kind of thing to which it was done.
    entity: Option<String>,
    /// Which one.
    entity_id: Option<String>,
    /// The path of the request.
    target: Option<String>,
    /// More, for people.
    detail: Option<String>,
    /// What was, for settings and users.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What is now, for settings and users.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The address of the network from which it came.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// With what.
    user_agent: Option<String>,
    /// The request, as the server's log names it.
    request_id: Option<String>,
}

/// Who.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditActor {
    /// Their id; `null` if it is not known whose address was tried.
    id: Option<UserId>,
    /// Their name then; of a failed log-in, the address that was tried.
    name: Option<String>,
}

impl From<audit::AuditEvent> for AuditEvent {
    fn from(event: audit::AuditEvent) -> Self {
        let (address, user_agent, request_id) = event
            .origin
            .map_or((None, None, None), |from| (Some(from.address), from.user_agent, from.request_id));
        let actor = (event.actor_id.is_some() || event.actor_name.is_some())
            .then_some(AuditActor { id: event.actor_id, name: event.actor_name });
        let (entity, entity_id) = event.entity.unzip();
        Self {
            id: event.id,
            at: event.at,
            actor,
            credential: event.credential,
            credential_id: event.credential_id.map(|id| id.to_string()),
            action: event.action,
            outcome: event.outcome,
            entity,
            entity_id: entity_id.map(|id| id.to_string()),
            target: event.target,
            detail: event.detail,
            before: event.before,
            after: event.after,
            address,
            user_agent,
            request_id,
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditQuery {
    /// Only those of this user.
    actor: Option<UserId>,
    /// Only this action: an `operationId`, such as `publish_article` or `login`.
    #[param(min_length = 1, max_length = 100)]
    action: Option<String>,
    /// Only those that ended so.
    outcome: Option<Outcome>,
    /// Only those done to things of this kind, such as `article` or `user`.
    #[param(min_length = 1, max_length = 100)]
    entity: Option<String>,
    /// Only those done to the thing with this id; together with `entity`.
    #[param(pattern = "^[1-9][0-9]{0,18}$")]
    entity_id: Option<String>,
    /// Only those at this instant or later.
    since: Option<Instant>,
    /// Only those before this instant.
    until: Option<Instant>,
    /// Most events of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another page.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// Also count all, which takes longer the more there are.
    count: bool,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            actor: None,
            action: None,
            outcome: None,
            entity: None,
            entity_id: None,
            since: None,
            until: None,
            limit: DEFAULT_LIMIT,
            cursor: None,
            count: false,
        }
    }
}

impl Parse for AuditQuery {
    type Command = (AuditFilter, PageRequest);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let page = page_request(self.limit, self.cursor.as_deref(), None, self.count, Some(ORDER), faults);
        let Self { actor, action, outcome, entity, since, until, .. } = self;
        let entity_id = self.entity_id.and_then(|id| {
            let id = id.parse().map_err(|_| "must be an id");
            faults.take_parameter("entity_id", "bad_format", id)
        });
        Some((AuditFilter { actor, action, outcome, entity, entity_id, since, until }, page))
    }
}

/// List the audit log
///
/// Administrators. Who did what to what, from where, the newest first: every write through the API, what was not
/// permitted, log-ins and failed ones. Nothing can change or remove an event. Nothing secret is in it.
#[utoipa::path(tag = "audit", params(AuditQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of events.", body = List<AuditEvent>)))]
#[get("/audit")]
pub async fn list_audit(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((filter, page)): QueryInput<AuditQuery>,
) -> Result<HttpResponse, Error> {
    let page = service::list(&newsroom, &principal, filter, page).await?;
    Answer::page(&request, &principal, page.map(AuditEvent::from)).send()
}
