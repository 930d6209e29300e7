//! What the OpenAPI document promises, enforced: its schemas check the bodies and parameters of requests, so that what
//! is documented and what is accepted cannot differ.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use actix_web::{dev::ResourceDef, http::Method};
use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value, json};

use crate::domain::error::{Error, Fault};

/// The compiled document.
#[derive(Clone)]
pub struct Contract(Arc<Inner>);

struct Inner {
    document: Value,
    /// The path templates with their methods, for `Allow`.
    paths: Vec<(ResourceDef, Vec<String>)>,
    /// By template and method.
    operations: HashMap<String, HashMap<String, Operation>>,
    bodies: HashMap<String, LazyValidator>,
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contract")
    }
}

/// An operation.
struct Operation {
    id: String,
    /// Whether nobody may use it without credentials.
    needs_credentials: bool,
    /// Its query parameters.
    parameters: Vec<Parameter>,
}

/// A query parameter.
pub(super) struct Parameter {
    pub name: String,
    pub kind: ParameterKind,
    pub required: bool,
    validator: LazyValidator,
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterKind {
    Text,
    Integer,
    Boolean,
    /// May be repeated.
    List,
}

/// Compiled when it is first needed, so that starting costs nothing.
struct LazyValidator {
    schema: Value,
    components: Arc<Value>,
    compiled: OnceLock<Option<Validator>>,
}

/// The schemas to which a schema refers, and those to which they do.
fn referred(schema: &Value, all: &Value, found: &mut Map<String, Value>) {
    match schema {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            if let Some((name, target)) = name.and_then(|name| Some((name, all.get(name)?)))
                && !found.contains_key(name)
            {
                found.insert(name.to_owned(), target.clone());
                referred(target, all, found);
            }
            members.values().for_each(|member| referred(member, all, found));
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, all, found)),
        _ => {}
    }
}

impl LazyValidator {
    fn new(schema: &Value, components: &Arc<Value>) -> Self {
        let (schema, components) = (schema.clone(), Arc::clone(components));
        Self { schema, components, compiled: OnceLock::new() }
    }

    fn get(&self) -> Result<&Validator, Error> {
        let compile = || {
            let mut schemas = Map::new();
            referred(&self.schema, &self.components, &mut schemas);
            let mut schema = self.schema.clone();
            if let Some(object) = schema.as_object_mut() {
                object.insert("components".to_owned(), json!({ "schemas": schemas }));
            }
            let options = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .should_validate_formats(false);
            options.build(&schema).map_err(|error| tracing::error!(%error, "schema does not compile")).ok()
        };
        self.compiled
            .get_or_init(compile)
            .as_ref()
            .ok_or_else(|| Error::Internal("a schema of the OpenAPI document does not compile".to_owned()))
    }
}

impl Contract {
    /// Reads the document.
    pub fn new(document: Value) -> Self {
        let components = Arc::new(document["components"]["schemas"].clone());
        let mut paths = Vec::new();
        let mut operations = HashMap::<_, HashMap<_, _>>::new();
        let mut bodies = HashMap::new();
        for (template, item) in document["paths"].as_object().into_iter().flatten() {
            let mut methods = Vec::new();
            for (method, operation) in item.as_object().into_iter().flatten() {
                let method = method.to_uppercase();
                let body = &operation["requestBody"]["content"]["application/json"]["schema"];
                if let Some(reference) = body["$ref"].as_str() {
                    bodies.insert(reference.to_owned(), LazyValidator::new(body, &components));
                }
                let of_query = operation["parameters"].as_array().into_iter().flatten();
                let of_query = of_query.filter(|parameter| parameter["in"] == "query");
                let of_query = of_query.map(|parameter| Parameter::new(parameter, &components)).collect();
                let ways = operation["security"].as_array();
                let operation = Operation {
                    id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                    needs_credentials: ways
                        .is_some_and(|ways| !ways.is_empty() && !ways.contains(&json!({}))),
                    parameters: of_query,
                };
                operations.entry(template.clone()).or_default().insert(method.clone(), operation);
                if method == "GET" {
                    methods.push("HEAD".to_owned());
                }
                methods.push(method);
            }
            methods.sort();
            paths.push((ResourceDef::new(template.as_str()), methods));
        }
        // What a block becomes under a patch is checked like a block that is sent whole.
        let block = "#/components/schemas/BlockInput";
        bodies
            .entry(block.to_owned())
            .or_insert_with(|| LazyValidator::new(&json!({ "$ref": block }), &components));
        Self(Arc::new(Inner { document, paths, operations, bodies }))
    }

    /// An operation.
    fn operation(&self, template: &str, method: &str) -> Option<&Operation> {
        self.0.operations.get(template)?.get(method)
    }

    /// The name of an operation.
    pub(super) fn operation_id(&self, template: &str, method: &Method) -> Option<&str> {
        self.operation(template, method.as_str()).map(|operation| operation.id.as_str())
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.0.document
    }

    /// The methods that a path has; none for a path that is not there.
    pub fn methods(&self, path: &str) -> Vec<&str> {
        let mut found = self.0.paths.iter().filter(|(template, _)| template.is_match(path));
        found.next().map(|(_, methods)| methods.iter().map(String::as_str).collect()).unwrap_or_default()
    }

    /// Whether an operation is only for those who have credentials.
    pub(super) fn needs_credentials(&self, template: &str, method: &str) -> bool {
        self.operation(template, method).is_some_and(|operation| operation.needs_credentials)
    }

    /// The query parameters of an operation.
    pub(super) fn parameters(&self, template: &str, method: &str) -> &[Parameter] {
        self.operation(template, method).map_or(&[], |operation| &operation.parameters)
    }

    /// Every way in which a body breaks the schema of that name. Members that the schema does not have are taken out of
    /// the body, so that the rest of it can still be looked at.
    pub(super) fn body_faults(&self, schema: &str, body: &mut Value) -> Result<Vec<Fault>, Error> {
        let validator = self.0.bodies.get(&format!("#/components/schemas/{schema}"));
        let validator =
            validator.ok_or_else(|| Error::Internal(format!("no operation documents the body {schema}")))?;
        let mut faults = Vec::new();
        for error in validator.get()?.iter_errors(body) {
            describe(&error, &mut faults);
        }
        for fault in faults.iter().filter(|fault| fault.code == "unknown_field") {
            remove(body, fault.pointer.as_deref().unwrap_or_default());
        }
        Ok(faults)
    }
}

impl Parameter {
    fn new(parameter: &Value, components: &Arc<Value>) -> Self {
        let schema = &parameter["schema"];
        let types = |name: &str| match &schema["type"] {
            Value::String(kind) => kind == name,
            Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
            _ => false,
        };
        let kind = if types("integer") {
            ParameterKind::Integer
        } else if types("boolean") {
            ParameterKind::Boolean
        } else if types("array") {
            ParameterKind::List
        } else {
            ParameterKind::Text
        };
        Self {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            kind,
            required: parameter["required"] == true,
            validator: LazyValidator::new(schema, components),
        }
    }

    /// Every way in which a value breaks the parameter's schema.
    pub fn faults(&self, value: &Value) -> Result<Vec<Fault>, Error> {
        let mut faults = Vec::new();
        for error in self.validator.get()?.iter_errors(value) {
            describe(&error, &mut faults);
        }
        for fault in &mut faults {
            fault.pointer = None;
            fault.parameter = Some(self.name.clone());
        }
        Ok(faults)
    }
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(parent) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(&unescape(name));
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A token of a JSON pointer (RFC 6901, section 3).
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Translates what the schema validator says into faults of ours.
fn describe(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let pointer = error.instance_path().to_string();
    let fault = |code, message: String| Fault::body(pointer.clone(), code, message);
    let limited = |code, message: String, name: &str, limit: Value| fault(code, message).with(name, limit);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|name| {
                Fault::body(
                    format!("{pointer}/{}", escape(name)),
                    "unknown_field",
                    format!("there is no field {name:?} here"),
                )
            }));
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(Fault::body(format!("{pointer}/{}", escape(name)), "required", "is required"));
        }
        ValidationErrorKind::Type { kind } => {
            faults.push(fault("wrong_type", format!("must be {}", types(kind))))
        }
        ValidationErrorKind::MaxLength { limit } => {
            faults.push(limited(
                "too_long",
                format!("must be at most {limit} characters"),
                "max",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MinLength { limit: 1 } => {
            faults.push(fault("blank", "must not be empty".to_owned()))
        }
        ValidationErrorKind::MinLength { limit } => {
            faults.push(limited(
                "too_short",
                format!("must be at least {limit} characters"),
                "min",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MaxItems { limit } => {
            faults.push(limited(
                "too_many",
                format!("must have at most {limit} items"),
                "max",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::MinItems { limit } => {
            faults.push(limited(
                "too_few",
                format!("must have at least {limit} items"),
                "min",
                (*limit).into(),
            ));
        }
        ValidationErrorKind::Maximum { limit } => {
            faults.push(limited("too_large", format!("must be at most {limit}"), "max", limit.clone()));
        }
        ValidationErrorKind::Minimum { limit } => {
            faults.push(limited("too_small", format!("must be at least {limit}"), "min", limit.clone()));
        }
        ValidationErrorKind::Enum { options } => {
            faults.push(limited(
                "not_allowed",
                format!("must be one of {options}"),
                "allowed",
                (**options).clone(),
            ));
        }
        ValidationErrorKind::Pattern { pattern } => {
            let message = "does not have the right form".to_owned();
            faults.push(limited("bad_format", message, "pattern", Value::from(pattern.clone())));
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            describe_variant(&pointer, context, faults);
        }
        _ => faults.push(fault("invalid", error.to_string())),
    }
}

/// None of several variants fits. The variant that was meant is the one with the right `type`, or the one of the right
/// JSON type; its faults are told. If there is none, the allowed values of `type` are.
fn describe_variant(pointer: &str, context: &[Vec<ValidationError<'static>>], faults: &mut Vec<Fault>) {
    let type_pointer = format!("{pointer}/type");
    let misses_tag = |errors: &[ValidationError<'static>]| {
        errors.iter().any(|error| match error.kind() {
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
                error.instance_path().as_str() == type_pointer
            }
            ValidationErrorKind::Required { property } => {
                error.instance_path().as_str() == pointer && property == "type"
            }
            ValidationErrorKind::Type { .. } => error.instance_path().as_str() == pointer,
            _ => false,
        })
    };
    if let Some(meant) = context.iter().find(|errors| !misses_tag(errors)) {
        for error in meant {
            describe(error, faults);
        }
        return;
    }
    let mut allowed = Vec::new();
    let mut kinds = Vec::new();
    for error in context.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::Enum { options } => {
                allowed.extend(options.as_array().into_iter().flatten().cloned())
            }
            ValidationErrorKind::Constant { expected_value } => allowed.push((**expected_value).clone()),
            ValidationErrorKind::Type { kind } => kinds.push(types(kind)),
            _ => {}
        }
    }
    if allowed.is_empty() {
        kinds.dedup();
        faults.push(Fault::body(pointer, "wrong_type", format!("must be {}", kinds.join(" or "))));
    } else {
        let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        let message = format!("must be one of {}", names.join(", "));
        faults.push(Fault::body(type_pointer, "not_allowed", message).with("allowed", allowed));
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

/// The members of a query as JSON, read by the types of its parameters.
pub(super) type QueryObject = Map<String, Value>;
