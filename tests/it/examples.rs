//! The examples of the document: each is one of its schema, and each read answers as documented when it is asked with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    access,
    app::TestApp,
    spec::{Operation, check_schema, operations},
};

/// Everything documented that has a schema and an example: where the schema is, and the example.
fn examples(operation: &Operation) -> Vec<(String, &'static Value)> {
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let place = format!("/paths/{}/{}", escape(operation.template), operation.method);
    let mut found = Vec::new();
    let mut add = |place: String, content: &'static Value| {
        for (kind, media) in content.as_object().into_iter().flatten() {
            if let Some(example) = media.get("example") {
                found.push((format!("{place}/content/{}/schema", escape(kind)), example));
            }
        }
    };
    for (status, response) in operation.document["responses"].as_object().unwrap() {
        add(format!("{place}/responses/{status}"), &response["content"]);
    }
    add(format!("{place}/requestBody"), &operation.document["requestBody"]["content"]);
    for (index, parameter) in operation.document["parameters"].as_array().into_iter().flatten().enumerate() {
        let place = format!("{place}/parameters/{index}/schema");
        found.extend(parameter.get("example").map(|example| (place, example)));
    }
    found
}

#[test]
fn every_example_is_one_of_its_schema() {
    let mut number = 0;
    // The schema of a patch of a block does not say what the block has, and is not closed.
    let closed = operations().into_iter().filter(|operation| operation.id() != "update_block");
    for operation in closed {
        for (pointer, example) in examples(&operation) {
            check_schema(operation.id(), &pointer, example);
            number += 1;
        }
    }
    assert!(number > 150, "{number}");
}

#[test]
fn every_read_has_an_example() {
    let reads = operations().into_iter().filter(|operation| operation.method == "get");
    let missing: Vec<_> = reads
        .flat_map(|operation| {
            let content = operation.document["responses"]["200"]["content"].as_object().into_iter().flatten();
            let without = content.filter(|(_, media)| media.get("example").is_none());
            without.map(move |(kind, _)| format!("{} ({kind})", operation.id()))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A value of a parameter: its example, or one that its schema allows.
fn value_of(parameter: &Value) -> Option<String> {
    let schema = &parameter["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(reference) => crate::spec::DOCUMENT.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    let item = if schema["type"] == "array" { &schema["items"] } else { schema };
    let item = match item["$ref"].as_str() {
        Some(reference) => crate::spec::DOCUMENT.pointer(&reference[1..]).unwrap(),
        None => item,
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let given = [&parameter["example"], &schema["examples"][0], &item["examples"][0], &item["enum"][0]];
    given
        .into_iter()
        .find(|value| !value.is_null())
        .map(text)
        .or_else(|| (item["type"] == "boolean").then(|| "true".to_owned()))
        .or_else(|| item["minimum"].as_i64().map(|least| least.to_string()))
}

/// Parameters that need something to refer to, with a test of their own, or wait.
const APART: [&str; 4] = ["preview", "cursor", "since", "wait"];

#[actix_web::test]
async fn every_read_answers_as_documented_when_asked_with_the_examples() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.section("city").await;
    admin.post("/v1/tags", json!({"name": "Other"})).await.expect(201);
    app.published("Bridge").await;
    let mut asked = BTreeSet::new();
    for operation in operations().into_iter().filter(|operation| operation.method == "get") {
        if operation.template.starts_with("/v1/auth/oidc") {
            continue;
        }
        let path = access::place(&app, operation, &admin).await;
        let with = |query: &str| format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
        let mut paths = vec![path.clone()];
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap();
            if APART.contains(&name) || path.contains(&format!("{name}=")) {
                continue;
            }
            let Some(value) = value_of(parameter) else { continue };
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // What is counted is what a search has found.
            let search = if name == "facets" { "q=bridge&" } else { "" };
            paths.push(with(&format!("{search}{name}={value}")));
        }
        for path in paths {
            // Whether a stage is there, or a filter is for this stage, is another question.
            let answer = admin.get(&path).await;
            let status = answer.status.as_u16();
            let is_for_drafts = status == 400 && answer.text.contains("only_drafts");
            let is_absent = status == 404 && ["stage=", "user="].iter().any(|name| path.contains(name));
            assert!(status == 200 || is_for_drafts || is_absent, "{path}: {status} {}", answer.text);
            asked.insert(operation.id());
        }
    }
    assert!(asked.len() > 40, "{asked:?}");
}
