//! What comes in: JSON bodies and query parameters, checked against the contract, all faults told at once.

use std::{fmt, future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    contract::{Contract, FIELDS, Operation, ParameterKind, QueryObject, escape},
    slow::BodyTimeout,
};
use crate::domain::{
    error::{Error, ErrorCode, Fault, Faults},
    text::is_forbidden_character,
};

/// The largest body, in bytes.
pub const MAX_BODY: usize = 2 * 1024 * 1024;

/// A body, or the parameters of a query, that is turned into a command of the domain.
pub trait Parse: DeserializeOwned {
    /// What services understand.
    type Command;

    /// Turns it into a command and tells every fault. `None` only if there are faults. Those of the schema of a query are
    /// known already, and the parameters that have them count as not given.
    fn parse(self, faults: &mut Faults) -> Option<Self::Command>;
}

/// Extractor: the command in the JSON body.
pub struct Input<T: Parse>(pub T::Command);

impl<T: Parse> fmt::Debug for Input<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Input")
    }
}

impl<T: Parse + ToSchema + 'static> FromRequest for Input<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = check_content_type(request);
        let contract = contract(request);
        let timeout = BodyTimeout::of(request);
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            content_type?;
            let bytes = timeout?.wait(bytes).await?.map_err(unreadable)?;
            let contract = contract?;
            parse_body::<T>(&contract, &bytes).map(Self)
        })
    }
}

/// Extractor: [`Input`] where the body may be left out.
pub struct OptionalInput<T: Parse>(pub T::Command);

impl<T: Parse> fmt::Debug for OptionalInput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OptionalInput")
    }
}

impl<T: Parse + ToSchema + 'static> FromRequest for OptionalInput<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let timeout = BodyTimeout::of(&request);
        let bytes = web::Bytes::from_request(&request, payload);
        Box::pin(async move {
            let bytes = timeout?.wait(bytes).await?.map_err(unreadable)?;
            if bytes.is_empty() {
                return parse_body::<T>(&*contract(&request)?, b"{}").map(Self);
            }
            check_content_type(&request)?;
            parse_body::<T>(&*contract(&request)?, &bytes).map(Self)
        })
    }
}

pub(super) fn unreadable(error: actix_web::Error) -> Error {
    match error.as_response_error().status_code().as_u16() {
        413 => Error::Other(ErrorCode::TooLarge, format!("The body must be at most {MAX_BODY} bytes.")),
        _ => Error::Malformed(format!("The body cannot be read: {error}.")),
    }
}

pub(super) fn contract(request: &HttpRequest) -> Result<web::Data<Contract>, Error> {
    let contract = request.app_data::<web::Data<Contract>>().cloned();
    contract.ok_or_else(|| Error::Internal("the application has no contract".to_owned()))
}

fn check_content_type(request: &HttpRequest) -> Result<(), Error> {
    let mut kinds = request.headers().get_all(header::CONTENT_TYPE);
    let kind = kinds.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // Of two types nobody knows which one a proxy went by.
    let is_json = kinds.next().is_none()
        && (kind.eq_ignore_ascii_case("application/json")
            || kind.eq_ignore_ascii_case("application/merge-patch+json"));
    if is_json {
        Ok(())
    } else {
        Err(Error::Other(
            ErrorCode::UnsupportedMediaType,
            ErrorCode::UnsupportedMediaType.meaning().to_owned(),
        ))
    }
}

/// Reads a body: strict JSON, then the documented schema, then the rules of the domain. A fault that the schema has told
/// is not told again by the domain.
pub(super) fn parse_body<T: Parse + ToSchema>(
    contract: &Contract,
    bytes: &[u8],
) -> Result<T::Command, Error> {
    let (body, mut faults) = strict_json(bytes)?;
    parse_value::<T>(contract, body, &mut faults)
}

/// As [`parse_body`], for a body that was put together here.
pub(super) fn parse_value<T: Parse + ToSchema>(
    contract: &Contract,
    mut body: Value,
    faults: &mut Vec<Fault>,
) -> Result<T::Command, Error> {
    faults.extend(contract.body_faults(&T::name(), &mut body)?);
    let mut domain_faults = Faults::default();
    let command = match serde_json::from_value::<T>(body) {
        Ok(input) => input.parse(&mut domain_faults),
        // What a schema cannot say, such as an id past 63 bits.
        Err(error) if faults.is_empty() => {
            faults.push(Fault::body("", "bad_value", error.to_string()));
            None
        }
        Err(_) => None,
    };
    let domain_faults = domain_faults.into_vec();
    // A pattern is for machines; the domain says in words what form is meant.
    let is_told_in_words = |fault: &Fault| domain_faults.iter().any(|told| told.pointer == fault.pointer);
    faults.retain(|fault| fault.code != "bad_format" || !is_told_in_words(fault));
    let told: Vec<_> = faults.iter().map(|fault| fault.pointer.clone()).collect();
    faults.extend(domain_faults.into_iter().filter(|fault| !told.contains(&fault.pointer)));
    match command {
        Some(command) if faults.is_empty() => Ok(command),
        _ if faults.is_empty() => Err(Error::Internal("an input was refused without a fault".to_owned())),
        _ => Err(Error::Invalid(std::mem::take(faults))),
    }
}

/// Reads JSON that repeats no key and holds no control characters; such faults are told with their places.
pub(super) fn strict_json(bytes: &[u8]) -> Result<(Value, Vec<Fault>), Error> {
    let mut faults = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { pointer: String::new(), faults: &mut faults }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| Error::Malformed(format!("The body is not JSON: {error}.")))?;
    Ok((value, faults))
}

struct Strict<'a> {
    pointer: String,
    faults: &'a mut Vec<Fault>,
}

impl Strict<'_> {
    fn text(&mut self, text: &str) {
        if let Some(found) = text.chars().find(|c| is_forbidden_character(*c)) {
            let message = format!("holds the character U+{:04X}, which text cannot have", u32::from(found));
            self.faults.push(Fault::body(self.pointer.clone(), "control_character", message));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(mut self, value: &str) -> Result<Value, E> {
        self.text(value);
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let pointer = format!("{}/{}", self.pointer, list.len());
            match items.next_element_seed(Strict { pointer, faults: self.faults })? {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.text(&key);
            let pointer = format!("{}/{}", self.pointer, escape(&key));
            let value = members.next_value_seed(Strict { pointer: pointer.clone(), faults: self.faults })?;
            if object.insert(key, value).is_some() {
                self.faults.push(Fault::body(pointer, "duplicate_key", "is given twice"));
            }
        }
        Ok(object.into())
    }
}

/// A member of a merge patch (RFC 7396): absent is `None`, `null` is `Some(None)`. With `#[serde(default)]`.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Extractor: the query parameters. One that is not documented, repeated or of the wrong form is 400.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request, |query, _| Some(query)).map(Self))
    }
}

/// Extractor: the command in the query parameters, where there are rules that their schemas cannot say.
pub struct QueryInput<T: Parse>(pub T::Command);

impl<T: Parse> fmt::Debug for QueryInput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueryInput")
    }
}

impl<T: Parse> FromRequest for QueryInput<T> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request, T::parse).map(Self))
    }
}

/// Extractor: there are no query parameters.
#[derive(Debug)]
pub struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request, |_: QueryObject, _| Some(Self)))
    }
}

/// Reads a query: the documented schemas, then the rules of the domain. All faults are told at once.
fn parse_query<T: DeserializeOwned, U>(
    request: &HttpRequest,
    parse: impl FnOnce(T, &mut Faults) -> Option<U>,
) -> Result<U, Error> {
    let (object, faults) = read_query(request)?;
    let mut faults = Faults::from(faults);
    let parsed = deserialize(object, &mut faults).and_then(|query| parse(query, &mut faults));
    match parsed {
        Some(parsed) if faults.is_empty() => Ok(parsed),
        _ if faults.is_empty() => Err(Error::Malformed("The query cannot be read.".to_owned())),
        _ => Err(Error::InvalidParameters(faults.into_vec())),
    }
}

/// Parameters without those that are faulty.
fn deserialize<T: DeserializeOwned>(mut object: QueryObject, faults: &mut Faults) -> Option<T> {
    object.retain(|name, _| !faults.is_about(name));
    if let Ok(query) = T::deserialize(&object) {
        return Some(query);
    }
    // What a schema cannot say, such as an id past 63 bits. Which parameter it is shows when each is read by itself.
    object.retain(|name, value| {
        let alone = QueryObject::from_iter([(name.clone(), value.clone())]);
        let read = T::deserialize(&alone);
        faults.take_parameter(name, "bad_value", read).is_some()
    });
    T::deserialize(&object).ok()
}

fn read_query(request: &HttpRequest) -> Result<(QueryObject, Vec<Fault>), Error> {
    let mut object = QueryObject::new();
    let mut faults = Vec::new();
    let operation = Operation::of(request);
    let operation = operation.ok_or_else(|| Error::Internal("the operation is not documented".to_owned()))?;
    let parameters = &operation.parameters;
    for (name, text) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        let mut fault = |code, message: String| faults.push(Fault::parameter(name.as_ref(), code, message));
        let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
            let known: Vec<_> = parameters.iter().map(|parameter| parameter.name).collect();
            let known = if known.is_empty() {
                "takes none".to_owned()
            } else {
                format!("takes {}", known.join(", "))
            };
            fault("unknown_parameter", format!("there is no parameter {name:?}; this operation {known}"));
            continue;
        };
        if text.chars().any(|c| is_forbidden_character(c) || c == char::REPLACEMENT_CHARACTER) {
            fault("control_character", "holds a control character or is not UTF-8".to_owned());
            continue;
        }
        let value = match parameter.kind {
            ParameterKind::Text => Some(Value::from(text.as_ref())),
            ParameterKind::Integer => text.parse::<i64>().ok().map(Value::from),
            ParameterKind::Boolean => text.parse::<bool>().ok().map(Value::from),
            ParameterKind::List => {
                let list = object.entry(name.as_ref()).or_insert_with(|| Value::Array(Vec::new()));
                if let Some(list) = list.as_array_mut() {
                    list.extend(text.split(',').map(Value::from));
                }
                continue;
            }
        };
        match value {
            None => fault(
                "wrong_type",
                format!(
                    "must be {}",
                    if parameter.kind == ParameterKind::Integer { "an integer" } else { "true or false" }
                ),
            ),
            Some(_) if object.contains_key(name.as_ref()) => {
                fault("repeated_parameter", "is given twice".to_owned())
            }
            Some(value) => {
                object.insert(name.into_owned(), value);
            }
        }
    }
    for parameter in parameters {
        match object.get(parameter.name) {
            Some(value) => faults.extend(parameter.faults(value)?),
            None if parameter.required => {
                faults.push(Fault::parameter(parameter.name, "required", "is required"))
            }
            None => {}
        }
    }
    if let Some(names) = object.get(FIELDS) {
        faults.extend(operation.unknown_fields(names));
    }
    Ok((object, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_json_names_the_places_of_its_faults() {
        let json = br#"{"a": {"b": [1, "x\u0000y"]}, "c/d": 1, "c/d": 2}"#;
        let (value, faults) = strict_json(json).unwrap();
        assert_eq!(value["c/d"], 2);
        let places: Vec<_> = faults.iter().map(|f| (f.code, f.pointer.as_deref().unwrap())).collect();
        assert_eq!(places, [("control_character", "/a/b/1"), ("duplicate_key", "/c~1d")]);
        assert!(matches!(strict_json(b"{} x"), Err(Error::Malformed(_))));
        assert!(matches!(strict_json(&b"[".repeat(100_000)), Err(Error::Malformed(_))));
    }
}
