//! Sparse answers: `fields=name,section.name`.

use std::marker::PhantomData;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    answer::Fields,
    contract::Contract,
    input::{Query, contract},
};
use crate::domain::error::Error;

/// Which fields of what is answered.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FieldsQuery {
    /// Only these fields, of a list those of each item; a dot goes into a field: `name`, `seo.title`.
    #[param(max_items = 100)]
    fields: Vec<String>,
}

/// Extractor: the fields that are wanted of a `T`. One that it does not have is 400.
#[derive(Debug)]
pub struct Sparse<T>(pub Option<Fields>, PhantomData<T>);

impl<T: ToSchema> FromRequest for Sparse<T> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = Query::<FieldsQuery>::from_request(request, payload).into_inner();
        std::future::ready(query.and_then(|Query(query)| {
            let fields = parse_fields::<T>(&query.fields, &*contract(request)?)?;
            Ok(Self(fields, PhantomData))
        }))
    }
}

/// Reads the fields of a `T`; none if none are named.
///
/// # Errors
/// 400 that names the unknown fields.
pub(super) fn parse_fields<T: ToSchema>(
    fields: &[String],
    contract: &Contract,
) -> Result<Option<Fields>, Error> {
    if fields.is_empty() {
        return Ok(None);
    }
    Fields::parse(&fields.join(","), contract, &T::name()).map(Some)
}
