//! Names in paths.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};

use crate::domain::{error::Error, slug::Reference, text::is_forbidden_character};

/// Extractor: the segment `{name}`, an id or a slug.
#[derive(Debug, Clone)]
pub struct Named(String);

impl Named {
    /// As it stands in the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it refers to.
    pub fn reference(&self) -> Reference {
        Reference::parse(&self.0)
    }
}

impl FromRequest for Named {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(segment(request, "name").map(Self))
    }
}

impl IntoParams for Named {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("name", "An id or a slug.", "harbour-authority")]
    }
}

/// A segment of the path, with percent-escapes resolved.
///
/// # Errors
/// 400 for escapes that are not UTF-8.
pub(super) fn segment(request: &HttpRequest, name: &str) -> Result<String, Error> {
    let text = request.match_info().query(name);
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| Error::Malformed("The path is not UTF-8.".to_owned()))?;
    // Nothing has such a name, and PostgreSQL takes no NUL.
    if text.chars().any(is_forbidden_character) {
        return Err(Error::not_found("thing"));
    }
    Ok(text.into_owned())
}

/// The documentation of a path parameter.
pub(super) fn parameter(name: &str, description: &str, example: &str) -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).examples([serde_json::json!(example)]).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
