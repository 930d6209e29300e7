//! Filters and orders reach only what is listed, SQL is text, and no number or cursor breaks a list.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    newsroom::path_of,
    spec::{Operation, operations},
};

/// A newsroom in which every list has something.
async fn fill(app: &TestApp) -> String {
    let editor = app.editor().await;
    app.published("Bridge").await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    editor.post("/v1/releases", json!({"name": "Release"})).await.expect(201);
    editor.post("/v1/redirects", json!({"from": "/old", "to": "/city"})).await.expect(201);
    let draft = app.draft("Draft").await;
    editor.post(&format!("{}/notes", path_of(&draft)), json!({"text": "Why?"})).await.expect(201);
    draft.id()
}

/// Operations that read, with the path of a draft that is there.
fn reading(draft: &str) -> Vec<(Operation, String)> {
    let operations = operations().into_iter().filter(|operation| operation.method == "get");
    operations
        .filter(|operation| operation.template.matches('{').count() <= 1)
        .map(|operation| {
            let is_article = operation.template.starts_with("/v1/articles/");
            let path = if is_article {
                operation.template.replace("{name}", draft)
            } else {
                operation.example_path()
            };
            (operation, path)
        })
        .collect()
}

/// `application/x-www-form-urlencoded`, as one value.
fn encoded(text: &str) -> String {
    url_of(text.as_bytes())
}

fn url_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn sql_in_a_parameter_is_text() {
    let app = TestApp::start().await;
    let draft = fill(&app).await;
    let admin = app.admin().await;
    let attacks = [
        "' OR '1'='1",
        "\" OR 1=1 --",
        "'; DROP TABLE articles; --",
        "a' UNION SELECT password_hash FROM users --",
        "%' OR 1=1 --",
        "1); --",
        "\\' OR 1=1 --",
        "'||(SELECT email FROM users)||'",
        "1 OR 1=1",
        "port' AND '1'='1",
        "*",
        "NEAR(",
        "x:",
        "\"",
        "$1",
        "?1",
        ":name",
        "';SELECT pg_sleep(9);--",
        "{\"$gt\": \"\"}",
        "[$ne]",
    ];
    let mut answered = 0;
    for (operation, path) in reading(&draft) {
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap();
            for attack in attacks {
                let answer = admin.get(&format!("{path}?{name}={}", encoded(attack))).await;
                let status = answer.status.as_u16();
                assert!([200, 400, 404].contains(&status), "{path}?{name}={attack}: {}", answer.text);
                if status == 200 {
                    assert_eq!(answer.json["data"], json!([]), "{path}?{name}={attack}");
                    answered += 1;
                }
            }
        }
    }
    assert!(answered > 100, "only {answered} attacks reached a list");
    // `%` and `_` are no wildcards of a prefix either.
    for wild in ["%25", "_ort", "%25o", "P%25"] {
        let tags = admin.get(&format!("/v1/tags?prefix={wild}")).await.expect(200);
        assert_eq!(tags.json["data"], json!([]), "{wild}");
    }
    assert_eq!(admin.get("/v1/tags?prefix=Po").await.expect(200).each("name"), ["Port"]);
}

#[actix_web::test]
async fn orders_and_fields_are_those_that_are_listed() {
    let app = TestApp::start().await;
    fill(&app).await;
    let admin = app.admin().await;
    for sort in [
        "password_hash",
        "-password_hash",
        "id;drop",
        "id",
        "created_by.email",
        "headline,password_hash",
        "headline;--",
        "(SELECT 1)",
        "headline%20DESC",
        "HEADLINE",
        "headline%00",
        "",
        "-",
        "--headline",
        "author.password_hash",
        "1",
        "rowid",
    ] {
        let answer = admin.get(&format!("/v1/articles?sort={sort}")).await.problem(400, "invalid_parameter");
        assert_eq!(answer.json["errors"][0]["parameter"], "sort", "{sort}");
    }
    for fields in [
        "created_by.email",
        "password_hash",
        "workflow.created_by.password_hash",
        "bylines.user.email",
        "*",
        "headline,password_hash",
        "section.parent.parent.secret",
        "__proto__",
        "headline.constructor",
        "headline'",
        "$ref",
        "properties",
        "tags.0.password_hash",
    ] {
        for path in ["/v1/articles", "/v1/articles/bridge"] {
            let answer =
                admin.get(&format!("{path}?fields={fields}")).await.problem(400, "invalid_parameter");
            answer.fault("fields", "unknown_field");
        }
    }
    for query in [
        "include=password_hash",
        "type=secret",
        "stage=secret",
        "state=secret",
        "has=password_hash",
        "section_scope=all",
        "count=yes",
        "count=1",
        "filter[password_hash]=a",
        "password_hash_startsWith=a",
        "where={}",
        "populate=*",
        "_where=1",
        "id=1",
        "created_by=1",
        "email=a",
        "limit[]=1",
        "limit[$gt]=0",
        "page[limit]=1",
        "Limit=1",
        "limit%00=1",
    ] {
        admin.get(&format!("/v1/articles?{query}")).await.problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn a_list_is_as_long_as_it_may_be() {
    let app = TestApp::start().await;
    let draft = fill(&app).await;
    let admin = app.admin().await;
    let mut lists = 0;
    for (operation, path) in reading(&draft) {
        let Some(limit) = operation.parameters("query").find(|parameter| parameter["name"] == "limit") else {
            continue;
        };
        lists += 1;
        let over = (limit["schema"]["maximum"].as_i64().unwrap() + 1).to_string();
        for value in [
            "-1",
            "0",
            &over,
            "1000000",
            "99999999999999999999",
            "-99999999999999999999",
            "9223372036854775808",
            "1e3",
            "0x10",
            "1.0",
            "",
            "%20",
            "1%20",
            "null",
            "true",
            "%EF%BC%91",
            "1,2",
            "%2D1",
            "all",
        ] {
            let answer = admin.get(&format!("{path}?limit={value}")).await;
            answer.problem(400, "invalid_parameter");
        }
        let twice = admin.get(&format!("{path}?limit=1&limit=2")).await.problem(400, "invalid_parameter");
        twice.fault("limit", "repeated_parameter");
        let encoded_twice = admin.get(&format!("{path}?limit=1&%6Cimit=100")).await;
        encoded_twice.problem(400, "invalid_parameter").fault("limit", "repeated_parameter");
        let page = admin.get(&format!("{path}?limit=1")).await;
        // What is related to a draft is nobody's question, and the section is not there.
        if ["list_related", "get_section_front"].contains(&operation.id()) {
            page.problem(404, "not_found");
            continue;
        }
        let page = page.expect(200);
        let list = if operation.id() == "get_front" { "articles" } else { "data" };
        assert!(page.json[list].as_array().unwrap().len() <= 1, "{path}");
    }
    assert!(lists >= 8);
    for value in ["0", "-1", "10001", "4294967296", "99999999999999999999"] {
        admin.get(&format!("/v1/tags?page={value}")).await.problem(400, "invalid_parameter");
    }
    admin
        .get("/v1/tags?page=10000&limit=100")
        .await
        .problem(400, "invalid_parameter")
        .fault("page", "too_deep");
    let many = format!("/v1/articles?ids={}", vec!["1"; 2000].join(","));
    admin.get(&many).await.problem(400, "invalid_parameter");
}

async fn headlines(client: &Client, query: &str) -> Option<Vec<String>> {
    let answer = client.get(&format!("/v1/articles?{query}")).await;
    assert!([200, 400].contains(&answer.status.as_u16()), "{query}: {}", answer.text);
    (answer.status == 200).then(|| answer.each("headline").into_iter().map(str::to_owned).collect())
}

#[actix_web::test]
async fn a_cursor_of_ones_own_making_shows_nothing_new() {
    let app = TestApp::start().await;
    let draft = fill(&app).await;
    let reader = app.anonymous();
    let draft: i64 = draft.parse().unwrap();
    let values = [
        json!(0),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("Draft"),
        json!("\u{10ffff}"),
        json!("' OR 1=1 --"),
        json!("\0"),
    ];
    let mut shown = 0;
    for sort in [
        "-published_at",
        "published_at",
        "headline",
        "-headline",
        "-updated_at",
        "updated_at",
        "password_hash",
        "",
    ] {
        for value in &values {
            for (before, id) in [(false, 0), (true, draft), (false, i64::MAX), (true, i64::MIN)] {
                let cursor = json!({"s": sort, "b": before, "v": value, "i": id}).to_string();
                let cursor = URL_SAFE_NO_PAD.encode(cursor);
                for query in [
                    format!("cursor={cursor}"),
                    format!("sort={sort}&cursor={cursor}"),
                    format!("count=true&cursor={cursor}"),
                ] {
                    if let Some(found) = headlines(&reader, &query).await {
                        assert!(found.iter().all(|headline| headline == "Bridge"), "{query}: {found:?}");
                        shown += found.len();
                    }
                }
            }
        }
    }
    assert!(shown > 0, "no cursor was taken");
    let nested = |depth: usize| URL_SAFE_NO_PAD.encode("[".repeat(depth));
    for cursor in ["", "e30", "bnVsbA", "AAAA", "%00", "%FF", "...", &nested(1400), &"A".repeat(2001)] {
        for path in ["/v1/articles", "/v1/tags", "/v1/authors", "/v1/sections"] {
            reader.get(&format!("{path}?cursor={cursor}")).await.problem(400, "invalid_parameter");
        }
    }
    for since in ["-1", "x", "9223372036854775808", "%00", "' OR 1=1", "1e9"] {
        let answer = reader.get(&format!("/v1/changes?since={}", since.replace(' ', "%20"))).await;
        assert!(answer.status == 400, "{since}: {}", answer.text);
    }
    assert_eq!(reader.get("/v1/articles").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(Value::Null, reader.get("/v1/articles").await.expect(200).json["page"]["next"]);
}
