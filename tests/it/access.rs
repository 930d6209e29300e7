//! Who may do what, for every documented operation. An operation without a row here fails the test.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use masthead::domain::{permission::Scope, user::Role};
use serde_json::{Value, json};

use crate::{
    app::{Client, PASSWORD, TestApp},
    spec::{Operation, operations},
};

/// Who may use an operation.
struct Row {
    operation: &'static str,
    /// The statuses for anonymous, contributor, author, editor, admin on what is an administrator's.
    expected: [u16; 5],
    /// With which API tokens of an administrator it can be used.
    tokens: Tokens,
    /// The body; `{n}` in its texts becomes a number that no other request has.
    body: fn() -> Value,
}

/// With which API tokens of an administrator an operation can be used. With others it is 403, or 404 for a thing that the
/// token may not read; what is public they see as readers do.
#[derive(Clone, Copy)]
enum Tokens {
    /// With those that have one of these scopes.
    With(&'static [Scope]),
    /// With any.
    Any,
    /// With none: it needs somebody who has logged in.
    No,
}

use Tokens::{Any, No, With};

const READ: Tokens = With(&[Scope::ReadDrafts, Scope::WriteArticles, Scope::PublishArticles]);
const WRITE: Tokens = With(&[Scope::WriteArticles]);
const PUBLISH: Tokens = With(&[Scope::PublishArticles]);
const TAXONOMY: Tokens = With(&[Scope::WriteTaxonomy]);
const SITE: Tokens = With(&[Scope::WriteSite]);
const USERS: Tokens = With(&[Scope::ManageUsers]);
const AUDIT: Tokens = With(&[Scope::ReadAudit]);

const fn row(operation: &'static str, expected: [u16; 5], tokens: Tokens, body: fn() -> Value) -> Row {
    Row { operation, expected, tokens, body }
}

const ADMIN: &str = "abe.admin.admin@newsroom.example";
const NO_BODY: fn() -> Value = || Value::Null;

/// The matrix. Things in the path are made anew for each request, by [`place`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    //                  anon cont auth edit admin
    row("login",                [200, 200, 200, 200, 200], Any, || json!({"email": ADMIN, "password": PASSWORD})),
    row("refresh",              [200, 200, 200, 200, 200], Any, NO_BODY),
    row("redeem_password_link", [204, 204, 204, 204, 204], Any, NO_BODY),
    // Somebody's own account: with users of their own.
    row("log_out",              [401, 204, 204, 204, 204], No, NO_BODY),
    row("log_out_everywhere",   [401, 204, 204, 204, 204], No, NO_BODY),
    row("change_password",      [401, 200, 200, 200, 200], No, || json!({"current_password": PASSWORD, "new_password": "lantern tidal staple {n}"})),
    row("begin_second_factor",  [401, 201, 201, 201, 201], No, || json!({"password": PASSWORD})),
    row("confirm_second_factor", [401, 409, 409, 409, 409], No, || json!({"code": "123456"})),
    row("renew_recovery_codes", [401, 422, 422, 422, 422], No, || json!({"code": "123456"})),
    row("disable_second_factor", [401, 422, 422, 422, 422], No, || json!({"code": "123456"})),
    row("list_sessions",        [401, 200, 200, 200, 200], No, NO_BODY),
    row("list_tokens",          [401, 200, 200, 200, 200], No, NO_BODY),
    row("create_token",         [401, 201, 201, 201, 201], No, || json!({"name": "Robot", "scopes": []})),
    // Sessions, API tokens and users are another user's.
    row("delete_session",       [401, 404, 404, 404, 204], USERS, NO_BODY),
    row("get_token",            [401, 404, 404, 404, 200], USERS, NO_BODY),
    row("delete_token",         [401, 404, 404, 404, 204], USERS, NO_BODY),
    row("list_users",           [401, 403, 403, 403, 200], USERS, NO_BODY),
    row("create_user",          [401, 403, 403, 403, 201], USERS, || json!({"email": "new{n}@newsroom.example", "name": "New", "role": "author"})),
    row("get_user",             [401, 403, 403, 403, 200], USERS, NO_BODY),
    row("update_user",          [401, 403, 403, 403, 200], USERS, || json!({"name": "Name {n}"})),
    row("delete_user",          [401, 403, 403, 403, 204], USERS, NO_BODY),
    row("create_password_link", [401, 403, 403, 403, 201], USERS, NO_BODY),
    row("reset_second_factor",  [401, 403, 403, 403, 404], USERS, NO_BODY),
    row("list_audit",           [401, 403, 403, 403, 200], AUDIT, NO_BODY),
    row("get_signing_keys",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_me",               [401, 200, 200, 200, 200], Any, NO_BODY),
    // Single sign-on is not configured here; tests/it/oidc.rs has the rest.
    row("get_single_sign_on",   [200, 200, 200, 200, 200], Any, NO_BODY),
    row("start_single_sign_on", [404, 404, 404, 404, 404], Any, || json!({"return_to": "https://tool.example/"})),
    row("receive_single_sign_on", [404, 404, 404, 404, 404], Any, NO_BODY),
    row("complete_single_sign_on", [404, 404, 404, 404, 404], Any, || json!({"login_code": "x", "verifier": "x"})),
    row("complete_setup",       [410, 410, 410, 410, 410], Any, || json!({"token": "x", "email": "a@b.example", "name": "A", "password": PASSWORD})),
    row("get_site",             [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_site",          [401, 403, 403, 403, 200], SITE, || json!({"tagline": "{n}"})),
    row("list_sections",        [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_section",       [401, 403, 403, 201, 201], TAXONOMY, || json!({"name": "Section {n}"})),
    row("get_section",          [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_section",       [401, 403, 403, 200, 200], TAXONOMY, || json!({"name": "Section {n}"})),
    row("delete_section",       [401, 403, 403, 204, 204], TAXONOMY, NO_BODY),
    row("list_tags",            [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_tag",              [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_tag",           [401, 403, 201, 201, 201], TAXONOMY, || json!({"name": "Tag {n}"})),
    row("update_tag",           [401, 403, 403, 200, 200], TAXONOMY, || json!({"name": "Tag {n}"})),
    row("merge_tag",            [401, 403, 403, 200, 200], TAXONOMY, || json!({"into": "other"})),
    row("delete_tag",           [401, 403, 403, 204, 204], TAXONOMY, NO_BODY),
    row("list_authors",         [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_author",        [401, 403, 403, 201, 201], TAXONOMY, || json!({"name": "Author {n}"})),
    row("get_author",           [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_author",        [401, 403, 403, 200, 200], TAXONOMY, || json!({"name": "Author {n}"})),
    row("delete_author",        [401, 403, 403, 204, 204], TAXONOMY, NO_BODY),
    // Articles are an administrator's and public; that which is to be deleted or published is a draft.
    row("list_articles",        [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_article",       [401, 201, 201, 201, 201], WRITE, || json!({"headline": "Article {n}"})),
    row("bulk_articles",        [401, 200, 200, 200, 200], Any, || json!({"actions": [{"action": "publish", "article": "nowhere"}]})),
    row("get_article",          [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_article",       [401, 404, 403, 200, 200], WRITE, || json!({"kicker": "{n}"})),
    row("delete_article",       [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("publish_article",      [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("submit_article",       [401, 404, 403, 200, 200], WRITE, NO_BODY),
    row("return_article",       [401, 404, 403, 200, 200], PUBLISH, || json!({"note": "Again {n}"})),
    row("get_preflight",        [401, 404, 200, 200, 200], READ, NO_BODY),
    row("unschedule_article",   [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("unpublish_article",    [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("discard_article",      [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("retract_article",      [401, 404, 403, 200, 200], PUBLISH, || json!({"reason": "Wrong {n}"})),
    row("archive_article",      [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("reopen_article",       [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("list_revisions",       [401, 404, 200, 200, 200], READ, NO_BODY),
    row("create_revision",      [401, 404, 403, 201, 201], WRITE, || json!({"note": "Note {n}"})),
    row("get_revision",         [401, 404, 200, 200, 200], READ, NO_BODY),
    row("diff_revisions",       [401, 404, 200, 200, 200], READ, NO_BODY),
    row("restore_revision",     [401, 404, 403, 200, 200], WRITE, NO_BODY),
    // The article and its note are an administrator's.
    row("list_notes",           [401, 404, 200, 200, 200], READ, NO_BODY),
    row("create_note",          [401, 404, 201, 201, 201], READ, || json!({"text": "Note {n}"})),
    row("get_note",             [401, 404, 200, 200, 200], READ, NO_BODY),
    row("update_note",          [401, 404, 403, 403, 200], READ, || json!({"text": "Note {n}"})),
    row("delete_note",          [401, 404, 403, 403, 204], READ, NO_BODY),
    row("assign_article",       [401, 404, 403, 422, 422], WRITE, || json!({"user_id": "7"})),
    row("unassign_article",     [401, 404, 403, 200, 200], WRITE, NO_BODY),
    row("get_lock",             [401, 404, 200, 200, 200], READ, NO_BODY),
    row("acquire_lock",         [401, 404, 403, 200, 200], WRITE, || json!({"take_over": true})),
    row("release_lock",         [401, 404, 403, 204, 204], WRITE, NO_BODY),
    row("resolve_path",         [200, 200, 200, 200, 200], Any, NO_BODY),
    row("list_redirects",       [401, 403, 403, 200, 200], SITE, NO_BODY),
    row("create_redirect",      [401, 403, 403, 201, 201], SITE, || json!({"from": "/old-{n}", "to": "/city"})),
    row("get_redirect",         [401, 403, 403, 200, 200], SITE, NO_BODY),
    row("update_redirect",      [401, 403, 403, 200, 200], SITE, || json!({"to": "/city?{n}"})),
    row("delete_redirect",      [401, 403, 403, 204, 204], SITE, NO_BODY),
    // Releases hold one draft that can be published.
    row("list_releases",        [401, 403, 403, 200, 200], PUBLISH, NO_BODY),
    row("create_release",       [401, 403, 403, 201, 201], PUBLISH, || json!({"name": "Release {n}"})),
    row("get_release",          [401, 403, 403, 200, 200], PUBLISH, NO_BODY),
    row("update_release",       [401, 403, 403, 200, 200], PUBLISH, || json!({"name": "Release {n}"})),
    row("delete_release",       [401, 403, 403, 204, 204], PUBLISH, NO_BODY),
    row("get_release_preflight", [401, 403, 403, 200, 200], PUBLISH, NO_BODY),
    row("schedule_release",     [401, 403, 403, 200, 200], PUBLISH, || json!({"at": "2999-01-01T00:00:00Z"})),
    row("publish_release",      [401, 403, 403, 200, 200], PUBLISH, NO_BODY),
    row("cancel_release",       [401, 403, 403, 200, 200], PUBLISH, NO_BODY),
    row("list_corrections",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_correction",    [401, 404, 403, 201, 201], PUBLISH, || json!({"kind": "update", "text": "Update {n}"})),
    row("get_correction",       [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_correction",    [401, 404, 403, 200, 200], PUBLISH, || json!({"text": "Update {n}"})),
    row("delete_correction",    [401, 404, 403, 204, 204], PUBLISH, NO_BODY),
    row("list_previews",        [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("create_preview",       [401, 404, 403, 201, 201], PUBLISH, || json!({"note": "Note {n}"})),
    row("get_preview",          [401, 404, 403, 200, 200], PUBLISH, NO_BODY),
    row("delete_preview",       [401, 404, 403, 204, 204], PUBLISH, NO_BODY),
    row("get_body",             [200, 200, 200, 200, 200], Any, NO_BODY),
    row("replace_body",         [401, 404, 403, 200, 200], WRITE, || json!({"body": []})),
    row("create_body_section",  [401, 404, 403, 201, 201], WRITE, || json!({"section": {"blocks": []}})),
    row("order_body",           [401, 404, 403, 422, 422], WRITE, || json!({"order": []})),
    row("get_body_section",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("replace_body_section", [401, 404, 403, 200, 200], WRITE, || json!({"blocks": []})),
    row("update_body_section",  [401, 404, 403, 200, 200], WRITE, || json!({"heading": "Heading {n}"})),
    row("delete_body_section",  [401, 404, 403, 200, 200], WRITE, NO_BODY),
    row("create_block",         [401, 404, 403, 201, 201], WRITE, || json!({"block": {"type": "divider"}})),
    row("get_block",            [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_block",         [401, 404, 403, 200, 200], WRITE, || json!({"html": "{n}"})),
    row("delete_block",         [401, 404, 403, 200, 200], WRITE, NO_BODY),
    row("list_links",           [200, 200, 200, 200, 200], Any, NO_BODY),
    row("create_link",          [401, 404, 403, 201, 201], WRITE, || json!({"target": {"url": "https://a.example", "title": "A"}})),
    row("order_links",          [401, 404, 403, 422, 422], WRITE, || json!({"order": []})),
    row("get_link",             [200, 200, 200, 200, 200], Any, NO_BODY),
    row("update_link",          [401, 404, 403, 200, 200], WRITE, || json!({"label": "Label {n}"})),
    row("delete_link",          [401, 404, 403, 200, 200], WRITE, NO_BODY),
    row("list_inbound_links",   [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_article_schema",   [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_article_meta",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_site_feed",        [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_section_feed",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_tag_feed",         [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_author_feed",      [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_sitemap_index",    [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_sitemap",          [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_news_sitemap",     [200, 200, 200, 200, 200], Any, NO_BODY),
    row("list_related",         [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_section_front",    [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_front",            [200, 200, 200, 200, 200], Any, NO_BODY),
    row("list_changes",         [200, 200, 200, 200, 200], Any, NO_BODY),
    row("stream_changes",       [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_health",           [200, 200, 200, 200, 200], Any, NO_BODY),
    row("get_readiness",        [200, 200, 200, 200, 200], Any, NO_BODY),
];

/// What contributors and authors may do to what is their own, where that differs from what is somebody else's: the
/// statuses for a contributor and an author. The article is theirs, and an administrator has published it for the
/// operations that need that.
#[rustfmt::skip]
const OWN: &[(&str, [u16; 2])] = &[
    //                     cont auth
    ("update_article",      [403, 200]),
    ("delete_article",      [403, 200]),
    ("publish_article",     [403, 200]),
    ("submit_article",      [200, 200]),
    ("return_article",      [403, 403]),
    ("get_preflight",       [200, 200]),
    ("unschedule_article",  [403, 200]),
    ("unpublish_article",   [403, 200]),
    ("discard_article",     [403, 200]),
    ("retract_article",     [403, 403]),
    ("archive_article",     [403, 403]),
    ("reopen_article",      [403, 403]),
    ("list_revisions",      [200, 200]),
    ("create_revision",     [403, 201]),
    ("get_revision",        [200, 200]),
    ("diff_revisions",      [200, 200]),
    ("restore_revision",    [403, 200]),
    ("list_notes",          [200, 200]),
    ("create_note",         [201, 201]),
    ("get_note",            [200, 200]),
    // The note is an administrator's.
    ("update_note",         [403, 403]),
    ("delete_note",         [403, 403]),
    ("assign_article",      [403, 422]),
    ("unassign_article",    [403, 200]),
    ("get_lock",            [200, 200]),
    ("acquire_lock",        [403, 200]),
    // An administrator holds it.
    ("release_lock",        [403, 403]),
    ("create_correction",   [403, 201]),
    ("update_correction",   [403, 200]),
    ("delete_correction",   [403, 204]),
    ("list_previews",       [403, 200]),
    ("create_preview",      [403, 201]),
    ("get_preview",         [403, 200]),
    ("delete_preview",      [403, 204]),
    ("replace_body",        [403, 200]),
    ("create_body_section", [403, 201]),
    ("order_body",          [403, 422]),
    ("replace_body_section", [403, 200]),
    ("update_body_section", [403, 200]),
    ("delete_body_section", [403, 200]),
    ("create_block",        [403, 201]),
    ("update_block",        [403, 200]),
    ("delete_block",        [403, 200]),
    ("create_link",         [403, 201]),
    ("order_links",         [403, 422]),
    ("update_link",         [403, 200]),
    ("delete_link",         [403, 200]),
];

fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The path of a request, with things made for it by an administrator; an article by whoever is named.
pub async fn place(app: &TestApp, operation: Operation, writer: &Client) -> String {
    let admin = app.admin().await;
    let mut path = operation.template.to_owned();
    for (collection, body) in [
        ("tags", json!({"name": format!("Thing {}", number())})),
        ("sections", json!({"name": format!("Thing {}", number())})),
        ("authors", json!({"name": format!("Thing {}", number())})),
    ] {
        let of = |folder: &str| path.starts_with(&format!("{folder}/{collection}/{{name}}"));
        if of("/v1") || of("/feeds") {
            let made = admin.post(&format!("/v1/{collection}"), body).await.expect(201);
            path = path.replace("{name}", &made.id());
        }
    }
    if path.starts_with("/v1/articles/{name}") {
        let link = json!({"target": {"url": "https://elsewhere.example", "title": "Elsewhere"}});
        let blocks = json!([{"type": "paragraph", "html": "Text."}, {"type": "read_more", "link": link}]);
        let body = json!({"headline": format!("Thing {}", number()), "section": "city", "body": [{"blocks": blocks}]});
        let article = writer.post("/v1/articles", body).await.expect(201);
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
    if path.contains("{session}") || path.contains("{token}") || path.contains("{user}") {
        let somebody = throw_away(app, Role::Author).await;
        let session = somebody.get("/v1/sessions").await.expect(200).each("id")[0].to_owned();
        let token =
            somebody.post("/v1/tokens", json!({"name": "Robot", "scopes": []})).await.expect(201).id();
        path = path.replace("{session}", &session).replace("{token}", &token);
        path = path.replace("{user}", &somebody.user().id.to_string());
    }
    path = path.replace("{file}", if path.starts_with("/feeds") { "rss.xml" } else { "sections.xml" });
    if path == "/v1/changes/stream" {
        path.push_str("?follow=false");
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

/// Operations that end the session of those who use them, or change their account.
const OF_ONES_ACCOUNT: [&str; 7] = [
    "log_out",
    "log_out_everywhere",
    "change_password",
    "begin_second_factor",
    "confirm_second_factor",
    "renew_recovery_codes",
    "disable_second_factor",
];

/// Somebody whom nobody needs afterwards.
async fn throw_away(app: &TestApp, role: Role) -> Client {
    app.user(role, &format!("Somebody {}", number())).await
}

async fn client(app: &TestApp, operation: &str, role: Option<Role>) -> Client {
    match role {
        None => app.anonymous(),
        Some(role) if OF_ONES_ACCOUNT.contains(&operation) => throw_away(app, role).await,
        Some(Role::Contributor) => app.contributor().await,
        Some(Role::Author) => app.author().await,
        Some(Role::Editor) => app.editor().await,
        Some(Role::Admin) => app.admin().await,
    }
}

/// The body of a request, with what it needs made for it.
async fn body_of(app: &TestApp, row: &Row) -> Option<Vec<u8>> {
    let body = match row.operation {
        "refresh" => {
            let somebody = throw_away(app, Role::Author).await;
            json!({"refresh_token": app.another_session(&somebody).await.1})
        }
        "redeem_password_link" => {
            let wanted =
                json!({"email": format!("n{}@newsroom.example", number()), "name": "N", "role": "author"});
            let invited = app.admin().await.post("/v1/users", wanted).await.expect(201);
            json!({"token": invited.json["invitation"]["token"], "password": "lantern tidal staple 17"})
        }
        _ => (row.body)(),
    };
    let body = body.to_string().replace("{n}", &number().to_string());
    (body != "null").then(|| body.into_bytes())
}

async fn newsroom() -> TestApp {
    let app = TestApp::start().await;
    app.admin().await.post("/v1/tags", json!({"name": "Other"})).await.expect(201);
    app.admin().await.post("/v1/sections", json!({"name": "City"})).await.expect(201);
    app
}

/// A request of a row, with all that it needs made for it.
struct Request {
    operation: Operation,
    path: String,
    body: Option<Vec<u8>>,
}

impl Request {
    async fn new(app: &TestApp, row: &Row, writer: &Client) -> Self {
        let operations = operations();
        let operation = operations.iter().find(|operation| operation.id() == row.operation);
        let operation = *operation.unwrap_or_else(|| panic!("{} is not documented", row.operation));
        Self { operation, path: place(app, operation, writer).await, body: body_of(app, row).await }
    }

    /// The status, and what to say if that is not the expected one.
    async fn send(&self, mut client: Client) -> (u16, String) {
        if self.operation.parameters("header").any(|parameter| parameter["name"] == "If-Match") {
            client = client.if_match("*");
        }
        let body = self.body.clone().map(|body| ("application/json", body));
        let answer = client.send(self.operation.method(), &self.path, body).await;
        (answer.status.as_u16(), answer.text)
    }
}

#[actix_web::test]
async fn every_operation_admits_whom_it_should() {
    let app = newsroom().await;
    let admin = app.admin().await;
    let mut faults = Vec::new();
    for row in ROWS {
        let roles = [None].into_iter().chain(Role::ALL.iter().copied().map(Some));
        for (role, expected) in roles.zip(row.expected) {
            let client = client(&app, row.operation, role).await;
            assert!(role.is_none_or(|role| client.user().role == role));
            let (status, text) = Request::new(&app, row, &admin).await.send(client).await;
            if status != expected {
                let who = role.map_or("anonymous", Role::as_str);
                faults.push(format!("{} as {who}: {status} instead of {expected}: {text}", row.operation));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn contributors_and_authors_do_more_to_what_is_their_own() {
    let app = newsroom().await;
    let mut faults = Vec::new();
    for (operation, expected) in OWN {
        let row = ROWS.iter().find(|row| row.operation == *operation).unwrap();
        for (client, expected) in [app.contributor().await, app.author().await].into_iter().zip(expected) {
            let (status, text) = Request::new(&app, row, &client).await.send(client.clone()).await;
            if status != *expected {
                let who = client.user().role;
                faults.push(format!(
                    "{operation} on their own as {who}: {status} instead of {expected}: {text}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn whatever_is_about_an_article_tells_its_own_from_others() {
    let own: BTreeSet<_> = OWN.iter().map(|(operation, _)| *operation).collect();
    let missing: Vec<_> = operations()
        .iter()
        .filter(|operation| operation.template.starts_with("/v1/articles/{name}"))
        .map(Operation::id)
        .filter(|id| {
            !own.contains(id) && ROWS.iter().any(|row| row.operation == *id && row.expected[0] == 401)
        })
        .collect();
    assert!(missing.is_empty(), "give these a row in OWN: {missing:?}");
}

#[actix_web::test]
async fn each_scope_admits_to_what_it_names() {
    let app = newsroom().await;
    let admin = app.admin().await;
    let mut robots = Vec::new();
    for scope in Scope::ALL {
        let wanted = json!({"name": "Robot", "scopes": [scope.as_str()]});
        let token = admin.post("/v1/tokens", wanted).await.expect(201);
        robots.push((scope, app.with_token(token.json["token"].as_str())));
    }
    let mut faults = Vec::new();
    for row in ROWS {
        let admits = |scope: &Scope| match row.tokens {
            With(scopes) => scopes.contains(scope),
            Any => true,
            No => false,
        };
        // What is refused changes nothing, so that one thing will do for all who are.
        let untouched = Request::new(&app, row, &admin).await;
        for (scope, robot) in &robots {
            let (status, text) = if !admits(scope) {
                untouched.send(robot.clone()).await
            } else if row.expected[0] == 401 {
                Request::new(&app, row, &admin).await.send(robot.clone()).await
            } else {
                continue;
            };
            let is_right =
                if admits(scope) { status == row.expected[4] } else { [403, 404].contains(&status) };
            if !is_right {
                faults.push(format!("{} with {scope}: {status}: {text}", row.operation));
            }
        }
        if matches!(row.tokens, Any) && row.expected[0] != 401 {
            let (status, text) = untouched.send(robots[0].1.clone()).await;
            if status != row.expected[4] {
                faults.push(format!("{} with a token: {status}: {text}", row.operation));
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
