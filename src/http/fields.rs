//! Sparse answers: `fields=name,section.name`.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{answer::Fields, input::Query};
use crate::domain::error::Error;

/// Which fields of what is answered.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FieldsQuery {
    /// Only these fields, of a list those of each item; a dot goes into a field: `name`, `seo.title`. One that is
    /// shown only to callers with credentials is absent without them.
    #[param(max_items = 100)]
    fields: Vec<String>,
}

/// Extractor: the fields that are wanted. One that the answer does not have is 400, as the contract finds.
#[derive(Debug)]
pub struct Sparse(pub Option<Fields>);

impl Sparse {
    /// Whether a field of this name is asked for.
    pub(super) fn names(&self, field: &str) -> bool {
        self.0.as_ref().is_some_and(|fields| fields.names(field))
    }
}

impl FromRequest for Sparse {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = Query::<FieldsQuery>::from_request(request, payload).into_inner();
        std::future::ready(query.map(|Query(query)| Self(Fields::of(&query.fields))))
    }
}
