//! The OpenAPI document, and whether an answer is one that it promises.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::app::Answer;

/// The document of the program under test.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| masthead::app::openapi().unwrap());

/// An operation of the document.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub template: &'static str,
    pub method: &'static str,
    pub document: &'static Value,
}

impl Operation {
    pub fn id(&self) -> &'static str {
        self.document["operationId"].as_str().unwrap_or_default()
    }

    pub fn method(&self) -> Method {
        self.method.to_uppercase().parse().unwrap()
    }

    pub fn parameters(&self, place: &'static str) -> impl Iterator<Item = &'static Value> {
        let parameters = self.document["parameters"].as_array().into_iter().flatten();
        parameters.filter(move |parameter| parameter["in"] == place)
    }

    /// The path with the documented examples in place of its parameters.
    pub fn example_path(&self) -> String {
        let mut path = self.template.to_owned();
        for parameter in self.parameters("path") {
            let example = &parameter["schema"]["examples"][0];
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            path = path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &example);
        }
        path
    }

    /// The documented example of the JSON body, if the operation takes one.
    pub fn example_body(&self) -> Option<&'static Value> {
        self.document["requestBody"]["content"]["application/json"].get("example")
    }
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (template, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, document) in item.as_object().unwrap() {
            if ["get", "put", "post", "delete", "patch"].contains(&method.as_str()) {
                operations.push(Operation { template, method, document });
            }
        }
    }
    operations
}

/// The operation that a request is for. Literal segments go before parameters.
pub fn operation(method: &Method, path: &str) -> Option<Operation> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given))
                    if wanted == given || (wanted.contains('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    };
    let candidates = operations()
        .into_iter()
        .filter(|operation| operation.method() == *method && fits(operation.template));
    candidates.min_by_key(|operation| operation.template.matches('{').count())
}

/// Panics unless the document promises this answer.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let asked = format!("{method} {path}");
    let operation =
        operation(method, path).unwrap_or_else(|| panic!("{asked} is not in the OpenAPI document"));
    let status = answer.status.as_u16();
    let response = &operation.document["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "{asked}: {status} is not documented for {}: {}",
        operation.id(),
        answer.text
    );
    if *method == Method::HEAD || status == 304 {
        assert!(answer.text.is_empty(), "{asked}: {status} has a body");
    } else if status >= 400 {
        check_problem(&asked, answer);
    } else if status == 200 && path.contains("fields=") {
        // Nothing that is required has to be there then.
        assert!(answer.json.is_object(), "{asked}: {}", answer.text);
    } else if let Some(content) = response["content"].as_object() {
        let kind = answer.content_type();
        assert!(content.contains_key(kind), "{asked}: {status} as {kind:?} is not documented");
        if kind == "application/json" {
            let place = [
                "paths",
                operation.template,
                operation.method,
                "responses",
                &status.to_string(),
                "content",
                kind,
            ]
            .map(|name| name.replace('~', "~0").replace('/', "~1"))
            .join("/");
            check_schema(&asked, &format!("/{place}/schema"), &answer.json);
        }
    } else {
        assert!(answer.text.is_empty(), "{asked}: {status} has a body and documents none: {}", answer.text);
    }
}

/// Panics unless the answer is a problem as RFC 9457 and the document describe it.
pub fn check_problem(asked: &str, answer: &Answer) {
    assert_eq!(
        answer.content_type(),
        "application/problem+json",
        "{asked}: {} {}",
        answer.status,
        answer.text
    );
    check_schema(asked, "/components/schemas/Problem", &answer.json);
    let problem = &answer.json;
    assert_eq!(problem["status"], answer.status.as_u16(), "{asked}: {problem}");
    assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()), "{asked}: {problem}");
    assert!(problem["request_id"].is_string(), "{asked}: a problem without request_id: {problem}");
    if [429, 503].contains(&answer.status.as_u16()) {
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{asked}");
    }
}

pub fn check_schema(asked: &str, pointer: &str, value: &Value) {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(pointer).cloned();
    let validator = compiled.unwrap_or_else(|| {
        let validator = Arc::new(compile(pointer));
        COMPILED.lock().unwrap().insert(pointer.to_owned(), Arc::clone(&validator));
        validator
    });
    let faults: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{asked}: the answer breaks its schema\n{}\n{value:#}", faults.join("\n"));
}

fn compile(pointer: &str) -> Validator {
    static COMPONENTS: LazyLock<Value> = LazyLock::new(|| {
        let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
        let all = |closed| {
            schemas.iter().map(|(name, schema)| (name.clone(), strict(schema, closed))).collect::<Map<_, _>>()
        };
        json!({ "schemas": all(true), "open": all(false) })
    });
    let mut schema = strict(DOCUMENT.pointer(pointer).unwrap(), true);
    schema["components"] = COMPONENTS.clone();
    let options =
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|error| panic!("{pointer} does not compile: {error}"))
}

/// A schema that refuses members which it does not name. One that is a part of a composition cannot do so itself, since
/// it does not see the members of the others; it stays open and the whole is closed.
fn strict(schema: &Value, closed: bool) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let has = |name: &str| object.contains_key(name);
    let is_choice = has("oneOf") || has("anyOf");
    let closes_itself = has("allOf") || has("properties");
    let mut result = Map::new();
    for (name, value) in object {
        let value = match name.as_str() {
            "$ref" if !closed || closes_itself => {
                value.as_str().unwrap().replace("/schemas/", "/open/").into()
            }
            "allOf" => each(value, false),
            "oneOf" | "anyOf" => each(value, closed && !closes_itself),
            "properties" => {
                let members = value.as_object().unwrap().iter();
                members
                    .map(|(name, schema)| (name.clone(), strict(schema, true)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "prefixItems" => each(value, true),
            "items" | "additionalProperties" => strict(value, true),
            _ => value.clone(),
        };
        result.insert(name.clone(), value);
    }
    if closed
        && closes_itself
        && !has("additionalProperties")
        && !(is_choice && !has("properties") && !has("allOf"))
    {
        result.insert("unevaluatedProperties".to_owned(), false.into());
    }
    result.into()
}

fn each(schemas: &Value, closed: bool) -> Value {
    schemas.as_array().unwrap().iter().map(|schema| strict(schema, closed)).collect()
}

#[test]
fn the_document_in_the_repository_is_what_the_code_says() {
    let present: Value = serde_json::from_str(masthead::http::openapi::TEXT).unwrap();
    assert!(present == *DOCUMENT, "out of date; run: cargo run -- openapi");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, missing: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let pointer =
                    members.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
                if let Some(pointer) = pointer.filter(|pointer| DOCUMENT.pointer(pointer).is_none()) {
                    missing.push(pointer.to_owned());
                }
                members.values().for_each(|member| walk(member, missing));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, missing)),
            _ => {}
        }
    }
    let mut missing = Vec::new();
    walk(&DOCUMENT, &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn undocumented_members_break_a_strict_schema() {
    let part = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let whole = json!({"allOf": [part, {"type": "object", "properties": {"b": {"type": "string"}}}]});
    let validator = jsonschema::draft202012::new(&strict(&whole, true)).unwrap();
    assert!(validator.is_valid(&json!({"a": "x", "b": "y"})));
    assert!(!validator.is_valid(&json!({"a": "x", "b": "y", "c": "z"})));
    let choice = json!({"oneOf": [{"type": "null"}, part]});
    let validator = jsonschema::draft202012::new(&strict(&choice, true)).unwrap();
    assert!(validator.is_valid(&json!({"a": "x"})));
    assert!(!validator.is_valid(&json!({"c": "z"})));
}
