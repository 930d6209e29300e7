//! The OpenAPI 3.1 document: generated from the handlers, completed by rules.
//!
//! The rules keep handlers short: which problems an operation can answer follows from what it takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::error::Problem;
use crate::domain::error::ErrorCode;

/// What the handlers do not say.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Masthead",
        description = "A headless CMS for newsrooms. Editors write and publish; web, app and partner frontends read.\n\n\
            Ids are strings of decimal digits. Instants are RFC 3339 in UTC. Lists are `{\"data\": […], \"page\": {…}}`. \
            `PATCH` is a merge patch (RFC 7396). Errors are `application/problem+json` (RFC 9457) and tell every fault \
            at once. An unknown parameter or field is an error that names it; \
            a parameter that takes several values takes them behind commas, or repeated. Every `GET` has a strong `ETag` and \
            answers `If-None-Match` with 304; `HEAD` works wherever `GET` does, and `OPTIONS` everywhere.\n\n\
            A caller may send so many requests a minute: `RateLimit-Policy` and `RateLimit` of every answer tell how many \
            and what is left, 429 when to come back. Log-ins, reading without and with credentials, and everything else \
            are counted apart. Pages of any origin may read without credentials, unless the server's settings forbid \
            it; those of the origins in its settings may do everything.\n\n\
            Answers to reads without credentials may be kept as `Cache-Control` says. `Surrogate-Key` (or `Cache-Tag`, as \
            the server is set up) names what an answer shows, and each change in `/v1/changes` names the keys that it \
            concerns. `Server-Timing` tells whether the server had an answer already, and what it cost if not.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "articles", description = "What the newsroom writes: one document in two stages, draft and live."),
        (name = "workflow", description = "The steps from draft to publication and back."),
        (name = "collaboration", description = "The thread of an article, its assignee, and who is editing it."),
        (name = "revisions", description = "What an article was."),
        (name = "releases", description = "Articles that change together at one instant."),
        (name = "corrections", description = "What readers are told of what was put right."),
        (name = "previews", description = "Links under which a draft can be read without logging in."),
        (name = "body", description = "The headed sections and blocks of an article's draft, one at a time."),
        (name = "links", description = "Related-article links, listed or inline, with cards that are always current."),
        (name = "sections", description = "The sections of the site: a tree."),
        (name = "tags", description = "What articles are about."),
        (name = "authors", description = "Who is named in bylines."),
        (name = "site", description = "The site itself, and what lives at its paths."),
        (name = "redirects", description = "Paths that editors send elsewhere."),
        (name = "feeds", description = "RSS, Atom and JSON Feed of the site, a section, a tag or an author."),
        (name = "discovery", description = "What search engines and social networks read: sitemaps, structured data, meta tags."),
        (name = "changes", description = "Every public change, in order."),
        (name = "access", description = "Coming in: sessions, second factors, API tokens."),
        (name = "users", description = "Who may come in."),
        (name = "audit", description = "Who did what to what, from where."),
        (name = "operations", description = "For those who run the server."),
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
)]
pub struct Document;

#[derive(Debug)]
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "The `access_token` of `POST /v1/auth/login`, or an API token of `POST /v1/tokens`.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The document as it is in the repository: what is served, and what requests are checked by ([`super::contract`]). A test
/// tells when it is no longer what the code says; `masthead openapi` writes it anew.
pub const TEXT: &str = include_str!("../../openapi/openapi.json");

/// Completes the generated document.
///
/// # Errors
/// When it does not serialise.
pub fn complete(document: &utoipa::openapi::OpenApi) -> serde_json::Result<Value> {
    let text = serde_json::to_string(document)?;
    // utoipa calls `List<Tag>` "List_Tag".
    let mut document: Value = serde_json::from_str(&readable_names(&text))?;
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        merge_variants(schemas, "Block", "BlockContent", "InlineLink", false);
        merge_variants(schemas, "BlockInput", "BlockContentInput", "LinkInput", true);
    }
    let schemas = document["components"]["schemas"].clone();
    if let Some(paths) = document["paths"].as_object_mut() {
        for item in paths.values_mut() {
            if let Some(post) = item.get_mut("post").and_then(Value::as_object_mut) {
                add_idempotency(post);
            }
            let operations = item.as_object_mut().into_iter().flat_map(Map::values_mut);
            for operation in operations.filter_map(Value::as_object_mut) {
                complete_operation(operation, &schemas);
            }
        }
    }
    document["components"]["headers"] = headers();
    Ok(document)
}

/// Headers that answers of many operations have.
fn headers() -> Value {
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "RateLimit-Policy": text(
            "The budget that the request was paid from: its name, requests (`q`) and seconds (`w`) \
             (draft-ietf-httpapi-ratelimit-headers). Absent if there is no limit.",
            "\"anonymous-reads\";q=6000;w=60",
        ),
        "RateLimit": text(
            "What is left of that budget: requests (`r`), and the seconds (`t`) until it is whole again.",
            "\"anonymous-reads\";r=5999;t=1",
        ),
        "Retry-After": {
            "description": "Seconds after which it is worth another try.",
            "schema": {"type": "integer", "minimum": 1},
            "required": true,
            "example": 1,
        },
    })
}

/// Names that utoipa makes of generic types, and what the document calls them.
const RENAMED: [(&str, &str); 4] = [
    ("Block_InlineLink", "Block"),
    ("BlockContent_InlineLink", "BlockContent"),
    ("BodySection_InlineLink", "BodySection"),
    ("BlockContent_LinkInput", "BlockContentInput"),
];

/// Renames generic schemas: those above, and `List_X` to `XList`.
fn readable_names(text: &str) -> String {
    let mut renamed = text.to_owned();
    for (generic, name) in RENAMED {
        renamed = renamed.replace(&format!("{generic}\""), &format!("{name}\""));
    }
    let mut rest = text;
    let mut names = std::collections::BTreeSet::new();
    while let Some(start) = rest.find("#/components/schemas/List_") {
        rest = &rest[start + "#/components/schemas/".len()..];
        names.insert(rest[..rest.find('"').unwrap_or(rest.len())].to_owned());
    }
    for name in names {
        renamed =
            renamed.replace(&format!("{name}\""), &format!("{}List\"", name.trim_start_matches("List_")));
    }
    renamed
}

/// Turns "the content's variants, and an id" into variants that have the id, so that clients get a plain tagged union and
/// a member of another variant is told to be unknown.
fn merge_variants(schemas: &mut Map<String, Value>, outer: &str, content: &str, link: &str, is_input: bool) {
    let Some(Value::Array(mut variants)) = schemas.remove(content).map(|mut content| content["oneOf"].take())
    else {
        return;
    };
    let Some(block) = schemas.get_mut(outer) else { return };
    let own =
        block["allOf"].as_array().and_then(|parts| parts.iter().find(|part| part["properties"].is_object()));
    let id = own.map(|own| own["properties"]["id"].clone()).unwrap_or_default();
    let mut named_link = None;
    for variant in &mut variants {
        variant["properties"]["id"] = id.clone();
        if variant["properties"]["link"].is_object() {
            let inline = variant["properties"]["link"].take();
            named_link = Some(inline);
            variant["properties"]["link"] = json!({ "$ref": format!("#/components/schemas/{link}") });
        }
        if is_input {
            variant["additionalProperties"] = json!(false);
        } else if let Some(required) = variant["required"].as_array_mut() {
            required.insert(0, json!("id"));
        }
    }
    if let Some(block) = block.as_object_mut() {
        block.remove("allOf");
        block.insert("oneOf".to_owned(), variants.into());
    }
    if let Some(schema) = named_link {
        schemas.entry(link).or_insert(schema);
    }
}

/// Operations that do not look at the token.
const NO_TOKEN: [&str; 11] = [
    "get_health",
    "get_readiness",
    "get_signing_keys",
    "login",
    "refresh",
    "redeem_password_link",
    "complete_setup",
    "get_single_sign_on",
    "start_single_sign_on",
    "receive_single_sign_on",
    "complete_single_sign_on",
];

/// Every `POST` takes an `Idempotency-Key`.
fn add_idempotency(operation: &mut Map<String, Value>) {
    if let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
        parameters.push(super::record::parameter());
    }
}

/// No text in a query is empty: what is not to be said is left out. What a provider of log-ins sends is not ours to refuse.
fn refuse_empty(operation: &mut Map<String, Value>) {
    if operation.get("operationId").is_some_and(|id| id == "receive_single_sign_on") {
        return;
    }
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "query") {
        let schema = &mut parameter["schema"];
        let schema = if schema["type"] == "array" { &mut schema["items"] } else { schema };
        let is_told = ["enum", "pattern", "format", "minLength"].iter().any(|key| schema.get(key).is_some());
        if schema["type"] == "string" && !is_told {
            schema["minLength"] = json!(1);
        }
    }
}

fn complete_operation(operation: &mut Map<String, Value>, schemas: &Value) {
    refuse_empty(operation);
    let parameters = operation.get("parameters").cloned().unwrap_or_default();
    let has =
        |place: &str| parameters.as_array().into_iter().flatten().any(|parameter| parameter["in"] == place);
    let if_match =
        parameters.as_array().into_iter().flatten().find(|parameter| parameter["name"] == "If-Match");
    let secured = operation.get("security").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let is_write = ["201", "204"].iter().any(|status| !operation["responses"][*status].is_null())
        || operation.contains_key("requestBody")
        || if_match.is_some()
        || operation.get("operationId").and_then(Value::as_str).is_some_and(|id| {
            (id.ends_with("_article") || id.ends_with("_release")) && !id.starts_with("get_")
        });

    let mut problems = BTreeMap::new();
    let mut may = |code: ErrorCode| {
        let codes = problems.entry(code.status()).or_insert_with(Vec::new);
        codes.push(code);
    };
    may(ErrorCode::InvalidParameter);
    // A token that is not valid is 401 even where none is needed, but not where nobody looks at it.
    let looks_at_token =
        operation.get("operationId").and_then(Value::as_str).is_none_or(|id| !NO_TOKEN.contains(&id));
    if looks_at_token {
        may(ErrorCode::Unauthenticated);
    }
    let is_limited = !has_tag(operation, &["operations"]);
    if is_limited {
        may(ErrorCode::RateLimited);
    }
    may(ErrorCode::Internal);
    may(ErrorCode::Busy);
    let takes =
        |name: &str| parameters.as_array().into_iter().flatten().any(|parameter| parameter["name"] == name);
    let ways = operation.get("security").and_then(Value::as_array);
    let is_public = ways.is_none_or(|ways| ways.contains(&json!({})));
    if secured && (is_write || !is_public || takes("as_of")) {
        may(ErrorCode::Forbidden);
        may(ErrorCode::InsufficientScope);
    }
    if looks_at_token {
        may(ErrorCode::EnrolmentRequired);
    }
    // Who reads an article, or a part of it, in public is told if it was taken back.
    if is_public && !is_write && (takes("name") && is_about_articles(operation) || takes("path")) {
        may(ErrorCode::Retracted);
    }
    if has("path") || takes("path") || takes("user") {
        may(ErrorCode::NotFound);
    }
    if has_tag(operation, &["changes"]) {
        may(ErrorCode::CursorUnknown);
    }
    if is_write {
        may(ErrorCode::Conflict);
        may(ErrorCode::Invalid);
        may(ErrorCode::StorageFull);
    }
    if operation.get("operationId").is_some_and(|id| id == "receive_single_sign_on") {
        may(ErrorCode::StorageFull);
    }
    if operation.contains_key("requestBody") {
        may(ErrorCode::Malformed);
        may(ErrorCode::TooSlow);
        may(ErrorCode::TooLarge);
        may(ErrorCode::UnsupportedMediaType);
    }
    if takes("merge") {
        may(ErrorCode::MergeConflict);
    }
    if let Some(parameter) = if_match {
        may(ErrorCode::Stale);
        if parameter["required"] == true {
            may(ErrorCode::PreconditionRequired);
        }
    }
    // A file has no former names.
    let mut names = parameters.as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "path");
    let redirects = !is_write && names.any(|parameter| parameter["name"] != "file");
    let has_body = operation["responses"]["200"]["content"].is_object();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for response in responses.values_mut() {
        if let Some(media) = response.pointer_mut("/content/application~1json") {
            add_example(media, schemas);
        }
    }
    if has_body && !is_write {
        responses.insert(
            "304".to_owned(),
            json!({"description": "The caller has these very bytes (`If-None-Match`)."}),
        );
    }
    if redirects {
        let description = "The name is a former one; `Location` has the present one.";
        responses.insert("308".to_owned(), json!({ "description": description }));
    }
    for (status, codes) in problems {
        let meanings: Vec<_> =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
        let problem = json!({
            "description": meanings.join("\n\n"),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
        responses.entry(status.to_string()).or_insert(problem);
    }
    for (status, response) in responses {
        let mut names = Vec::new();
        if is_limited && (status.starts_with('2') || status == "429") {
            names.extend(["RateLimit-Policy", "RateLimit"]);
        }
        if ["429", "503"].contains(&status.as_str()) {
            names.push("Retry-After");
        }
        for name in names {
            response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        make_optional(body);
        add_example(&mut body["content"]["application/json"], schemas);
    }
    if let Some(item) = operation.get_mut("security").and_then(Value::as_array_mut) {
        item.dedup();
    } else {
        operation.insert("security".to_owned(), json!([{}]));
    }
}

/// Whether an operation is about an article or a part of it.
fn is_about_articles(operation: &Map<String, Value>) -> bool {
    has_tag(operation, &["articles", "body", "links", "corrections", "discovery"])
}

fn has_tag(operation: &Map<String, Value>, names: &[&str]) -> bool {
    let tags = operation.get("tags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(Value::as_str).any(|tag| names.contains(&tag))
}

/// utoipa writes a body that may be left out as "null or the schema"; JSON `null` is not what is meant.
fn make_optional(body: &mut Value) {
    let schema = &mut body["content"]["application/json"]["schema"];
    let variant = schema["oneOf"]
        .as_array()
        .and_then(|variants| variants.iter().find(|variant| variant["$ref"].is_string()));
    if let Some(variant) = variant.cloned() {
        *schema = variant;
        body["required"] = json!(false);
    }
}

/// Gives a body the example of its schema; a list gets that of its items.
fn add_example(media: &mut Value, schemas: &Value) {
    if let Some(example) = example(&media["schema"], schemas) {
        media["example"] = example;
    }
}

fn example(schema: &Value, schemas: &Value) -> Option<Value> {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return example(&schemas[name], schemas);
    }
    if schema["example"].is_object() {
        return Some(schema["example"].clone());
    }
    if schema["type"] == "array" {
        return Some(json!([example(&schema["items"], schemas)?]));
    }
    // A schema without properties ends here; a page of a list and what is optional may be left out.
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
    };
    let mut whole = Map::new();
    for (name, property) in schema["properties"].as_object()? {
        match example(property, schemas) {
            Some(example) => drop(whole.insert(name.clone(), example)),
            None if name == "page" || !required(name) => {}
            None => return None,
        }
    }
    Some(whole.into())
}
