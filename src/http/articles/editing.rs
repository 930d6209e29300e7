//! An edit of one article, as a request names it: the caller, the article in the path, the version in `If-Match`.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};
use serde::Deserialize;

use super::dto::Article;
use crate::{
    domain::error::Error,
    http::{
        answer::Answer,
        caller::{Caller, IfMatch, OptionalIfMatch},
        input::{NoQuery, Query},
        path::Named,
    },
    service::articles::{ArticleView, EditRequest},
};

/// What every edit takes beside the version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EditQuery {
    merge: bool,
}

/// Extractor: an edit under a version. 428 without `If-Match`. Its parameters are documented by [`IfMatch`].
#[derive(Debug)]
pub struct Editing(pub EditRequest);

/// Extractor: a step or deletion, under a version if the caller names one.
#[derive(Debug)]
pub struct OptionalEditing(pub EditRequest);

impl FromRequest for Editing {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = <(Caller, Named, Query<EditQuery>, IfMatch)>::from_request(request, payload);
        Box::pin(async move {
            let (Caller(principal), name, Query(EditQuery { merge }), version) = parts.await?;
            let (reference, version) = (name.reference(), version.version());
            Ok(Self(EditRequest { principal, reference, version, merge }))
        })
    }
}

impl FromRequest for OptionalEditing {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = <(Caller, Named, NoQuery, OptionalIfMatch)>::from_request(request, payload);
        Box::pin(async move {
            let (Caller(principal), name, NoQuery, version) = parts.await?;
            let (reference, version) = (name.reference(), version.version());
            Ok(Self(EditRequest { principal, reference, version, merge: false }))
        })
    }
}

/// The draft as it is after a change.
pub(crate) fn changed(request: &HttpRequest, view: ArticleView) -> Result<HttpResponse, Error> {
    let version = view.article.version;
    Answer::private(request, Article::try_from(view)?).version(version).send()
}

/// The draft as it is after something was added, and where that is.
pub(crate) fn created(
    request: &HttpRequest,
    view: ArticleView,
    location: String,
) -> Result<HttpResponse, Error> {
    let version = view.article.version;
    Answer::private(request, Article::try_from(view)?).created(location).version(version).send()
}
