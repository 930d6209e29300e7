//! What the OpenAPI document promises, enforced: its schemas check the bodies and parameters of requests, so that what
//! is documented and what is accepted cannot differ.

mod faults;

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use actix_web::{HttpMessage as _, HttpRequest, http::Method, web::Data};
use jsonschema::Validator;
use matchit::Router;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

pub(super) use self::faults::escape;
use self::faults::{describe, remove};
use crate::domain::{
    error::{Error, Fault},
    instant::Instant,
};

/// The parts of the document that matter here. What is rarely needed stays text.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    paths: HashMap<&'a str, HashMap<&'a str, DocumentedOperation<'a>>>,
    #[serde(borrow)]
    components: Components<'a>,
}

#[derive(Deserialize)]
struct Components<'a> {
    #[serde(borrow)]
    schemas: HashMap<&'a str, &'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentedOperation<'a> {
    operation_id: &'a str,
    #[serde(borrow, default)]
    parameters: Vec<DocumentedParameter<'a>>,
    /// The ways in; an empty one is open to everybody.
    #[serde(default)]
    security: Vec<HashMap<&'a str, serde::de::IgnoredAny>>,
    #[serde(borrow, default)]
    responses: DocumentedResponses<'a>,
}

#[derive(Deserialize, Default)]
struct DocumentedResponses<'a> {
    #[serde(rename = "200", borrow, default)]
    ok: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DocumentedParameter<'a> {
    name: &'a str,
    #[serde(rename = "in")]
    place: &'a str,
    #[serde(default)]
    required: bool,
    #[serde(borrow)]
    schema: &'a RawValue,
}

/// The document, with what is to be checked compiled when it is first needed.
#[derive(Clone)]
pub struct Contract(Arc<Inner>);

struct Inner {
    /// By path and method.
    operations: Router<HashMap<Method, Arc<Operation>>>,
    /// Of schemas by name.
    validators: HashMap<&'static str, LazyValidator>,
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contract")
    }
}

/// The schemas of the document by name; each is read when it is first needed.
struct Schemas(HashMap<&'static str, (&'static RawValue, OnceLock<Value>)>);

impl Schemas {
    fn get(&self, name: &str) -> Option<&Value> {
        let (text, read) = self.0.get(name)?;
        // It was read as JSON before.
        Some(read.get_or_init(|| serde_json::from_str(text.get()).unwrap_or_default()))
    }

    /// What a `$ref` means.
    fn resolve(&self, reference: &str) -> Option<&Value> {
        self.get(reference.strip_prefix(SCHEMAS)?)
    }

    /// The schemas to which a schema refers, and those to which they do.
    fn referred(&self, schema: &Value, found: &mut Map<String, Value>) {
        match schema {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|reference| reference.strip_prefix(SCHEMAS));
                if let Some((name, target)) = name.and_then(|name| Some((name, self.get(name)?)))
                    && !found.contains_key(name)
                {
                    found.insert(name.to_owned(), target.clone());
                    self.referred(target, found);
                }
                members.values().for_each(|member| self.referred(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| self.referred(item, found)),
            _ => {}
        }
    }

    /// Whether a schema has a dotted path of properties, looking through references, arrays and variants.
    fn has_path(&self, schema: &Value, path: &str) -> bool {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.resolve(reference).is_some_and(|schema| self.has_path(schema, path));
        }
        let variants =
            ["oneOf", "anyOf", "allOf"].iter().flat_map(|key| schema[*key].as_array().into_iter().flatten());
        if variants.into_iter().any(|variant| self.has_path(variant, path)) {
            return true;
        }
        if schema["items"].is_object() {
            return self.has_path(&schema["items"], path);
        }
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let property = &schema["properties"][name];
        property.is_object() && rest.is_none_or(|rest| self.has_path(property, rest))
    }
}

/// What a reference to a schema begins with.
const SCHEMAS: &str = "#/components/schemas/";

/// An operation.
pub(super) struct Operation {
    pub id: &'static str,
    /// Whether nobody may use it without credentials.
    pub needs_credentials: bool,
    /// Its query parameters.
    pub parameters: Vec<Parameter>,
    schemas: Arc<Schemas>,
    /// What it answers if all is well, and the schema of the thing that this shows, read when it is first needed.
    answer: Option<&'static RawValue>,
    shown: OnceLock<Value>,
}

/// A query parameter.
pub(super) struct Parameter {
    pub name: &'static str,
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
    schema: Cow<'static, str>,
    schemas: Arc<Schemas>,
    compiled: OnceLock<Option<Validator>>,
}

impl LazyValidator {
    fn new(schema: impl Into<Cow<'static, str>>, schemas: &Arc<Schemas>) -> Self {
        Self { schema: schema.into(), schemas: Arc::clone(schemas), compiled: OnceLock::new() }
    }

    fn compile(&self) -> Result<Validator, Error> {
        let broken = |error: &dyn std::fmt::Display| {
            Error::Internal(format!("a schema of the OpenAPI document does not compile: {error}"))
        };
        let mut schema: Value = serde_json::from_str(&self.schema).map_err(|error| broken(&error))?;
        let mut referred = Map::new();
        self.schemas.referred(&schema, &mut referred);
        if let Some(object) = schema.as_object_mut() {
            object.insert("components".to_owned(), json!({ "schemas": referred }));
        }
        let options = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            // As the domain reads it.
            .with_format("date-time", |text: &str| text.parse::<Instant>().is_ok());
        options.build(&schema).map_err(|error| broken(&error))
    }

    fn get(&self) -> Result<&Validator, Error> {
        let compile = || self.compile().map_err(|error| tracing::error!(%error)).ok();
        let compiled = self.compiled.get_or_init(compile).as_ref();
        compiled
            .ok_or_else(|| Error::Internal("a schema of the OpenAPI document does not compile".to_owned()))
    }
}

impl Contract {
    /// Reads the document.
    ///
    /// # Errors
    /// When it is no OpenAPI document.
    pub fn new(document: &'static str) -> Result<Self, Error> {
        let document: Document<'static> = serde_json::from_str(document)
            .map_err(|error| Error::internal("reading the OpenAPI document", error))?;
        let schemas = document.components.schemas.into_iter();
        let schemas =
            Arc::new(Schemas(schemas.map(|(name, text)| (name, (text, OnceLock::new()))).collect()));
        let validators = schemas.0.keys().map(|name| {
            let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
            (*name, LazyValidator::new(reference.to_string(), &schemas))
        });
        let validators = validators.collect();
        let mut operations = Router::new();
        for (template, item) in document.paths {
            let mut of_path = HashMap::new();
            for (method, operation) in item {
                let method = Method::from_bytes(method.to_uppercase().as_bytes())
                    .map_err(|error| Error::internal("reading a method of the OpenAPI document", error))?;
                of_path.insert(method, Arc::new(Operation::new(operation, &schemas)));
            }
            operations
                .insert(template, of_path)
                .map_err(|error| Error::internal("reading a path of the OpenAPI document", error))?;
        }
        Ok(Self(Arc::new(Inner { operations, validators })))
    }

    /// The methods that a path has; none for a path that is not there.
    pub fn methods(&self, path: &str) -> Vec<&str> {
        let Ok(found) = self.0.operations.at(path) else { return Vec::new() };
        let mut methods: Vec<_> = found.value.keys().map(Method::as_str).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods
    }

    fn operation(&self, path: &str, method: &Method) -> Option<&Arc<Operation>> {
        self.0.operations.at(path).ok()?.value.get(method)
    }

    /// Every way in which a body breaks the schema of that name. Members that the schema does not have are taken out of
    /// the body, so that the rest of it can still be looked at.
    pub(super) fn body_faults(&self, schema: &str, body: &mut Value) -> Result<Vec<Fault>, Error> {
        let validator = self.0.validators.get(schema);
        let validator = validator.ok_or_else(|| Error::Internal(format!("no schema is called {schema}")))?;
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

/// What [`Operation::of`] has found.
#[derive(Clone)]
struct Found(Option<Arc<Operation>>);

impl Operation {
    /// The operation that a request asks for. It is found once for each request.
    pub fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        if let Some(Found(operation)) = request.extensions().get() {
            return operation.clone();
        }
        let operation = request.app_data::<Data<Contract>>().and_then(|contract| {
            // As routes see it, without the escapes that mean nothing.
            let found = contract.operation(request.match_info().as_str(), request.method());
            // A name that holds slashes, as a route takes it: the template fits itself.
            let template = || request.match_pattern().map(|pattern| pattern.replace(":.+", ""));
            found.or_else(|| contract.operation(&template()?, request.method())).cloned()
        });
        request.extensions_mut().insert(Found(operation.clone()));
        operation
    }

    fn new(documented: DocumentedOperation<'static>, schemas: &Arc<Schemas>) -> Self {
        let ways = &documented.security;
        let needs_credentials = !ways.is_empty() && ways.iter().all(|way| !way.is_empty());
        let of_query = documented.parameters.into_iter().filter(|parameter| parameter.place == "query");
        let parameters = of_query.map(|parameter| Parameter::new(&parameter, schemas)).collect();
        let (id, answer) = (documented.operation_id, documented.responses.ok);
        let schemas = Arc::clone(schemas);
        Self { id, needs_credentials, parameters, schemas, answer, shown: OnceLock::new() }
    }

    /// Whether what is answered, or each item if that is a page of a list, has a field, named by a dotted path.
    pub fn shows(&self, path: &str) -> bool {
        let shown = self.shown.get_or_init(|| {
            let answer = self.answer.and_then(|text| serde_json::from_str::<Value>(text.get()).ok());
            let mut answer = answer.unwrap_or_default();
            let schema = answer["content"]["application/json"]["schema"].take();
            let whole = schema["$ref"].as_str().and_then(|reference| self.schemas.resolve(reference));
            let member =
                |name: &str| whole.map(|whole| &whole["properties"][name]).filter(|it| it.is_object());
            match (member("data"), member("page")) {
                (Some(items), Some(_)) => items.clone(),
                _ => schema,
            }
        });
        self.schemas.has_path(shown, path)
    }

    /// A fault for each of these names that is none of a field of the answer.
    pub fn unknown_fields(&self, names: &Value) -> Vec<Fault> {
        let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
        let unknown = names.filter(|name| !name.is_empty() && !self.shows(name.trim()));
        let fault = |name| Fault::parameter(FIELDS, "unknown_field", format!("there is no field {name:?}"));
        unknown.map(fault).collect()
    }
}

/// The parameter that names fields of the answer.
pub(super) const FIELDS: &str = "fields";

/// The types that the schema of a parameter allows.
#[derive(Deserialize)]
struct Types {
    #[serde(rename = "type", default)]
    kinds: Value,
}

impl Parameter {
    fn new(parameter: &DocumentedParameter<'static>, schemas: &Arc<Schemas>) -> Self {
        let kinds =
            serde_json::from_str(parameter.schema.get()).map_or(Value::Null, |types: Types| types.kinds);
        let types = |name: &str| match &kinds {
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
            name: parameter.name,
            kind,
            required: parameter.required,
            validator: LazyValidator::new(parameter.schema.get(), schemas),
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
            fault.parameter = Some(self.name.to_owned());
        }
        Ok(faults)
    }
}

/// The members of a query as JSON, read by the types of its parameters.
pub(super) type QueryObject = Map<String, Value>;
