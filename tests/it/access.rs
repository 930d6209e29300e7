//! Who may do what, for every documented operation. An operation without a row here fails the test.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use masthead::domain::user::Role;
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    spec::{Operation, operations},
};

/// An operation and the statuses for anonymous, contributor, author, editor, admin.
struct Row {
    operation: &'static str,
    expected: [u16; 5],
    /// The body; `{n}` in its texts becomes a number that no other request has.
    body: fn() -> Value,
}

const fn row(operation: &'static str, expected: [u16; 5], body: fn() -> Value) -> Row {
    Row { operation, expected, body }
}

const NO_BODY: fn() -> Value = || Value::Null;

/// The matrix. Things in the path are made anew for each request, by [`place`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    //                  anon cont auth edit admin
    row("list_tags",   [200, 200, 200, 200, 200], NO_BODY),
    row("get_tag",     [200, 200, 200, 200, 200], NO_BODY),
    row("create_tag",  [401, 403, 201, 201, 201], || json!({"name": "Tag {n}"})),
    row("update_tag",  [401, 403, 403, 200, 200], || json!({"name": "Tag {n}"})),
    row("merge_tag",   [401, 403, 403, 200, 200], || json!({"into": "other"})),
    row("delete_tag",  [401, 403, 403, 204, 204], NO_BODY),
];

/// Operations whose rows are still to be written. This list may only shrink.
const PENDING: &[&str] = &[
    "login",
    "get_me",
    "get_setup",
    "complete_setup",
    "list_users",
    "create_user",
    "get_user",
    "update_user",
    "get_site",
    "update_site",
    "list_sections",
    "create_section",
    "get_section",
    "update_section",
    "delete_section",
    "list_authors",
    "create_author",
    "get_author",
    "update_author",
    "delete_author",
    "list_articles",
    "create_article",
    "get_article",
    "update_article",
    "delete_article",
    "publish_article",
    "unpublish_article",
    "discard_article",
    "get_body",
    "replace_body",
    "create_body_section",
    "get_body_section",
    "replace_body_section",
    "update_body_section",
    "delete_body_section",
    "order_body",
    "create_block",
    "get_block",
    "update_block",
    "delete_block",
    "list_links",
    "create_link",
    "get_link",
    "update_link",
    "delete_link",
    "order_links",
    "list_inbound_links",
    "list_changes",
    "resolve_path",
    "get_health",
    "get_readiness",
    "get_openapi",
];

fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The path of a request, with things made for it by an administrator.
async fn place(app: &TestApp, operation: Operation) -> String {
    let admin = app.admin().await;
    let mut path = operation.template.to_owned();
    if path.starts_with("/v1/tags/{name}") {
        let tag = admin.post("/v1/tags", json!({"name": format!("Thing {}", number())})).await.expect(201);
        path = path.replace("{name}", &tag.id());
    }
    assert!(!path.contains('{'), "{}: place() does not know how to fill {path}", operation.id());
    path
}

async fn client(app: &TestApp, role: Option<Role>) -> Client {
    match role {
        None => app.anonymous(),
        Some(Role::Contributor) => app.contributor().await,
        Some(Role::Author) => app.author().await,
        Some(Role::Editor) => app.editor().await,
        Some(Role::Admin) => app.admin().await,
    }
}

#[actix_web::test]
async fn every_operation_admits_whom_it_should() {
    let app = TestApp::start().await;
    app.admin().await.post("/v1/tags", json!({"name": "Other"})).await.expect(201);
    let operations = operations();
    let mut faults = Vec::new();
    for row in ROWS {
        let operation = operations.iter().find(|operation| operation.id() == row.operation);
        let operation = *operation.unwrap_or_else(|| panic!("{} is not documented", row.operation));
        let roles = [None].into_iter().chain(Role::ALL.map(Some));
        for (role, expected) in roles.zip(row.expected) {
            let path = place(&app, operation).await;
            let body = (row.body)().to_string().replace("{n}", &number().to_string());
            let body = (body != "null").then(|| ("application/json", body.into_bytes()));
            let mut client = client(&app, role).await;
            assert!(role.is_none_or(|role| client.user().role == role));
            if operation.parameters("header").any(|parameter| parameter["name"] == "If-Match") {
                client = client.if_match("*");
            }
            let answer = client.send(operation.method(), &path, body).await;
            if answer.status != expected {
                let who = role.map_or("anonymous", Role::as_str);
                faults.push(format!(
                    "{} as {who}: {} instead of {expected}: {}",
                    row.operation, answer.status, answer.text
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_operation_has_a_row() {
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.operation).collect();
    let pending: BTreeSet<_> = PENDING.iter().copied().collect();
    let missing: Vec<_> = operations()
        .iter()
        .map(Operation::id)
        .filter(|id| !rows.contains(id) && !pending.contains(id))
        .collect();
    assert!(missing.is_empty(), "give these a row in tests/it/access.rs: {missing:?}");
    let done: Vec<_> = rows.intersection(&pending).collect();
    assert!(done.is_empty(), "these have rows now, take them off PENDING: {done:?}");
}

#[test]
fn the_document_says_what_needs_a_token() {
    for row in ROWS {
        let operations = operations();
        let Some(operation) = operations.iter().find(|operation| operation.id() == row.operation) else {
            continue;
        };
        let optional = json!([{}]);
        let secured = operation.document["security"] != optional;
        assert_eq!(secured, row.expected[0] == 401, "{}: {}", row.operation, operation.document["security"]);
    }
}
