//! Who may do what, for every documented operation. An operation without a row here fails the test.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use masthead::domain::user::Role;
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp},
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

const ADMIN: &str = "abe.admin.admin@newsroom.example";
const NO_BODY: fn() -> Value = || Value::Null;

/// The matrix. Things in the path are made anew for each request, by [`place`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    //                  anon cont auth edit admin
    row("login",                [200, 200, 200, 200, 200], || json!({"email": ADMIN, "password": PASSWORD})),
    row("get_me",               [401, 200, 200, 200, 200], NO_BODY),
    // Single sign-on is not configured here; tests/it/oidc.rs has the rest.
    row("get_single_sign_on",   [200, 200, 200, 200, 200], NO_BODY),
    row("start_single_sign_on", [404, 404, 404, 404, 404], || json!({"return_to": "https://tool.example/"})),
    row("receive_single_sign_on", [404, 404, 404, 404, 404], NO_BODY),
    row("complete_single_sign_on", [404, 404, 404, 404, 404], || json!({"login_code": "x", "verifier": "x"})),
    row("complete_setup",       [410, 410, 410, 410, 410], || json!({"token": "x", "email": "a@b.example", "name": "A", "password": PASSWORD})),
    row("get_site",             [200, 200, 200, 200, 200], NO_BODY),
    row("update_site",          [401, 403, 403, 403, 200], || json!({"tagline": "{n}"})),
    row("list_sections",        [200, 200, 200, 200, 200], NO_BODY),
    row("create_section",       [401, 403, 403, 201, 201], || json!({"name": "Section {n}"})),
    row("get_section",          [200, 200, 200, 200, 200], NO_BODY),
    row("update_section",       [401, 403, 403, 200, 200], || json!({"name": "Section {n}"})),
    row("delete_section",       [401, 403, 403, 204, 204], NO_BODY),
    row("list_tags",            [200, 200, 200, 200, 200], NO_BODY),
    row("get_tag",              [200, 200, 200, 200, 200], NO_BODY),
    row("create_tag",           [401, 403, 201, 201, 201], || json!({"name": "Tag {n}"})),
    row("update_tag",           [401, 403, 403, 200, 200], || json!({"name": "Tag {n}"})),
    row("merge_tag",            [401, 403, 403, 200, 200], || json!({"into": "other"})),
    row("delete_tag",           [401, 403, 403, 204, 204], NO_BODY),
    row("list_authors",         [200, 200, 200, 200, 200], NO_BODY),
    row("create_author",        [401, 403, 403, 201, 201], || json!({"name": "Author {n}"})),
    row("get_author",           [200, 200, 200, 200, 200], NO_BODY),
    row("update_author",        [401, 403, 403, 200, 200], || json!({"name": "Author {n}"})),
    row("delete_author",        [401, 403, 403, 204, 204], NO_BODY),
    // Articles are an administrator's and public; that which is to be deleted or published is a draft.
    row("list_articles",        [200, 200, 200, 200, 200], NO_BODY),
    row("create_article",       [401, 201, 201, 201, 201], || json!({"headline": "Article {n}"})),
    row("bulk_articles",        [401, 200, 200, 200, 200], || json!({"actions": [{"action": "publish", "article": "nowhere"}]})),
    row("get_article",          [200, 200, 200, 200, 200], NO_BODY),
    row("update_article",       [401, 404, 403, 200, 200], || json!({"kicker": "{n}"})),
    row("delete_article",       [401, 404, 403, 200, 200], NO_BODY),
    row("publish_article",      [401, 404, 403, 200, 200], NO_BODY),
    row("submit_article",       [401, 404, 403, 200, 200], NO_BODY),
    row("return_article",       [401, 404, 403, 200, 200], || json!({"note": "Again {n}"})),
    row("get_preflight",        [401, 404, 200, 200, 200], NO_BODY),
    row("unschedule_article",   [401, 404, 403, 200, 200], NO_BODY),
    row("unpublish_article",    [401, 404, 403, 200, 200], NO_BODY),
    row("discard_article",      [401, 404, 403, 200, 200], NO_BODY),
    row("retract_article",      [401, 404, 403, 200, 200], || json!({"reason": "Wrong {n}"})),
    row("archive_article",      [401, 404, 403, 200, 200], NO_BODY),
    row("reopen_article",       [401, 404, 403, 200, 200], NO_BODY),
    row("list_revisions",       [401, 404, 200, 200, 200], NO_BODY),
    row("create_revision",      [401, 404, 403, 201, 201], || json!({"note": "Note {n}"})),
    row("get_revision",         [401, 404, 200, 200, 200], NO_BODY),
    row("diff_revisions",       [401, 404, 200, 200, 200], NO_BODY),
    row("restore_revision",     [401, 404, 403, 200, 200], NO_BODY),
    // The article and its note are an administrator's.
    row("list_notes",           [401, 404, 200, 200, 200], NO_BODY),
    row("create_note",          [401, 404, 201, 201, 201], || json!({"text": "Note {n}"})),
    row("get_note",             [401, 404, 200, 200, 200], NO_BODY),
    row("update_note",          [401, 404, 403, 403, 200], || json!({"text": "Note {n}"})),
    row("delete_note",          [401, 404, 403, 403, 204], NO_BODY),
    row("assign_article",       [401, 404, 403, 422, 422], || json!({"user_id": "7"})),
    row("unassign_article",     [401, 404, 403, 200, 200], NO_BODY),
    row("get_lock",             [401, 404, 200, 200, 200], NO_BODY),
    row("acquire_lock",         [401, 404, 403, 200, 200], || json!({"take_over": true})),
    row("release_lock",         [401, 404, 403, 204, 204], NO_BODY),
    row("resolve_path",         [200, 200, 200, 200, 200], NO_BODY),
    row("list_redirects",       [401, 403, 403, 200, 200], NO_BODY),
    row("create_redirect",      [401, 403, 403, 201, 201], || json!({"from": "/old-{n}", "to": "/city"})),
    row("get_redirect",         [401, 403, 403, 200, 200], NO_BODY),
    row("update_redirect",      [401, 403, 403, 200, 200], || json!({"to": "/city?{n}"})),
    row("delete_redirect",      [401, 403, 403, 204, 204], NO_BODY),
    // Releases hold one draft that can be published.
    row("list_releases",        [401, 403, 403, 200, 200], NO_BODY),
    row("create_release",       [401, 403, 403, 201, 201], || json!({"name": "Release {n}"})),
    row("get_release",          [401, 403, 403, 200, 200], NO_BODY),
    row("update_release",       [401, 403, 403, 200, 200], || json!({"name": "Release {n}"})),
    row("delete_release",       [401, 403, 403, 204, 204], NO_BODY),
    row("get_release_preflight", [401, 403, 403, 200, 200], NO_BODY),
    row("schedule_release",     [401, 403, 403, 200, 200], || json!({"at": "2999-01-01T00:00:00Z"})),
    row("publish_release",      [401, 403, 403, 200, 200], NO_BODY),
    row("cancel_release",       [401, 403, 403, 200, 200], NO_BODY),
    row("list_corrections",     [200, 200, 200, 200, 200], NO_BODY),
    row("create_correction",    [401, 404, 403, 201, 201], || json!({"kind": "update", "text": "Update {n}"})),
    row("get_correction",       [200, 200, 200, 200, 200], NO_BODY),
    row("update_correction",    [401, 404, 403, 200, 200], || json!({"text": "Update {n}"})),
    row("delete_correction",    [401, 404, 403, 204, 204], NO_BODY),
    row("list_previews",        [401, 404, 403, 200, 200], NO_BODY),
    row("create_preview",       [401, 404, 403, 201, 201], || json!({"note": "Note {n}"})),
    row("get_preview",          [401, 404, 403, 200, 200], NO_BODY),
    row("delete_preview",       [401, 404, 403, 204, 204], NO_BODY),
    row("get_body",             [200, 200, 200, 200, 200], NO_BODY),
    row("replace_body",         [401, 404, 403, 200, 200], || json!({"body": []})),
    row("create_body_section",  [401, 404, 403, 201, 201], || json!({"section": {"blocks": []}})),
    row("order_body",           [401, 404, 403, 422, 422], || json!({"order": []})),
    row("get_body_section",     [200, 200, 200, 200, 200], NO_BODY),
    row("replace_body_section", [401, 404, 403, 200, 200], || json!({"blocks": []})),
    row("update_body_section",  [401, 404, 403, 200, 200], || json!({"heading": "Heading {n}"})),
    row("delete_body_section",  [401, 404, 403, 200, 200], NO_BODY),
    row("create_block",         [401, 404, 403, 201, 201], || json!({"block": {"type": "divider"}})),
    row("get_block",            [200, 200, 200, 200, 200], NO_BODY),
    row("update_block",         [401, 404, 403, 200, 200], || json!({"html": "{n}"})),
    row("delete_block",         [401, 404, 403, 200, 200], NO_BODY),
    row("list_links",           [200, 200, 200, 200, 200], NO_BODY),
    row("create_link",          [401, 404, 403, 201, 201], || json!({"target": {"url": "https://a.example", "title": "A"}})),
    row("order_links",          [401, 404, 403, 422, 422], || json!({"order": []})),
    row("get_link",             [200, 200, 200, 200, 200], NO_BODY),
    row("update_link",          [401, 404, 403, 200, 200], || json!({"label": "Label {n}"})),
    row("delete_link",          [401, 404, 403, 200, 200], NO_BODY),
    row("list_inbound_links",   [200, 200, 200, 200, 200], NO_BODY),
    row("list_changes",         [200, 200, 200, 200, 200], NO_BODY),
    row("get_health",           [200, 200, 200, 200, 200], NO_BODY),
    row("get_readiness",        [200, 200, 200, 200, 200], NO_BODY),
];

fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The path of a request, with things made for it by an administrator.
async fn place(app: &TestApp, operation: Operation) -> String {
    let admin = app.admin().await;
    let mut path = operation.template.to_owned();
    for (collection, body) in [
        ("tags", json!({"name": format!("Thing {}", number())})),
        ("sections", json!({"name": format!("Thing {}", number())})),
        ("authors", json!({"name": format!("Thing {}", number())})),
    ] {
        if path.starts_with(&format!("/v1/{collection}/{{name}}")) {
            let made = admin.post(&format!("/v1/{collection}"), body).await.expect(201);
            path = path.replace("{name}", &made.id());
        }
    }
    if path.starts_with("/v1/articles/{name}") {
        let link = json!({"target": {"url": "https://elsewhere.example", "title": "Elsewhere"}});
        let blocks = json!([{"type": "paragraph", "html": "Text."}, {"type": "read_more", "link": link}]);
        let body = json!({"headline": format!("Thing {}", number()), "section": "city", "body": [{"blocks": blocks}]});
        let article = admin.post("/v1/articles", body).await.expect(201);
        let path_of = |step: &str| format!("/v1/articles/{}{step}", article.id());
        let act = async |step: &str| admin.act(&path_of(step)).await.expect(200);
        match operation.id() {
            "publish_article" | "delete_article" | "submit_article" => {}
            "return_article" => drop(act("/submit").await),
            "reopen_article" => drop(act("/archive").await),
            "unschedule_article" => {
                let later = json!({"at": "2999-01-01T00:00:00Z"});
                admin.post(&path_of("/publish"), later).await.expect(200);
            }
            "discard_article" => {
                act("/publish").await;
                admin.if_match("*").patch(&path_of(""), json!({"kicker": "New"})).await.expect(200);
            }
            _ => drop(act("/publish").await),
        }
        if operation.id() == "get_lock" || operation.id() == "release_lock" {
            act("/lock").await;
        }
        let parts = [
            ("corrections", json!({"kind": "correction", "text": "Wrong."})),
            ("previews", json!({})),
            ("notes", json!({"text": "Why?"})),
        ];
        for (collection, body) in parts {
            let segment = format!("{{{}}}", collection.trim_end_matches('s'));
            if path.contains(&segment) {
                let made = admin.post(&path_of(&format!("/{collection}")), body).await.expect(201);
                path = path.replace(&segment, &made.id());
            }
        }
        let section = &article.json["body"][0];
        let places = [
            ("{name}", &article.json["id"]),
            ("{section}", &section["id"]),
            ("{block}", &section["blocks"][0]["id"]),
            ("{link}", &article.json["related"][0]["id"]),
            ("{revision}", &json!("1")),
            ("{other}", &json!("1")),
        ];
        for (segment, id) in places {
            path = path.replace(segment, id.as_str().unwrap());
        }
    }
    if path == "/v1/resolve" {
        path.push_str("?path=/city");
    }
    if path.contains("{redirect}") {
        let wanted = json!({"from": format!("/former-{}", number()), "to": "/city"});
        path = path.replace("{redirect}", &admin.post("/v1/redirects", wanted).await.expect(201).id());
    }
    if path.starts_with("/v1/releases/") {
        let body = json!([{"blocks": [{"type": "paragraph", "html": "Text."}]}]);
        let draft = json!({"headline": format!("Thing {}", number()), "section": "city", "body": body});
        let draft = admin.post("/v1/articles", draft).await.expect(201);
        let wanted = json!({"name": "Release", "items": [{"article": draft.id()}]});
        let release = admin.post("/v1/releases", wanted).await.expect(201).id();
        if operation.id() == "cancel_release" {
            let later = json!({"at": "2999-01-01T00:00:00Z"});
            admin.post(&format!("/v1/releases/{release}/schedule"), later).await.expect(200);
        }
        path = path.replace("{release}", &release);
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
    app.admin().await.post("/v1/sections", json!({"name": "City"})).await.expect(201);
    let operations = operations();
    let mut faults = Vec::new();
    for row in ROWS {
        let operation = operations.iter().find(|operation| operation.id() == row.operation);
        let operation = *operation.unwrap_or_else(|| panic!("{} is not documented", row.operation));
        let roles = [None].into_iter().chain(Role::ALL.iter().copied().map(Some));
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
    let missing: Vec<_> = operations().iter().map(Operation::id).filter(|id| !rows.contains(id)).collect();
    assert!(missing.is_empty(), "give these a row in tests/it/access.rs: {missing:?}");
}

#[test]
fn the_document_says_what_needs_a_token() {
    for row in ROWS {
        let operations = operations();
        let Some(operation) = operations.iter().find(|operation| operation.id() == row.operation) else {
            continue;
        };
        let ways = operation.document["security"].as_array().unwrap();
        let secured = !ways.contains(&json!({}));
        assert_eq!(secured, row.expected[0] == 401, "{}: {}", row.operation, operation.document["security"]);
    }
}
