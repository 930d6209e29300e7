//! What goes out: JSON with strong validators, lists with links, sparse fields.

use std::fmt::Write as _;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use xxhash_rust::xxh3::xxh3_128;

use super::cache::SURROGATE_KEY;
use crate::domain::{change::Entity, error::Error, page::Page, surrogate::SurrogateKeys, user::Principal};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The items of the page, in order.
    pub data: Vec<T>,
    /// Where the page is in the list.
    pub page: PageInfo,
}

/// Where a page is in its list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"limit": 20, "next": "eyJzIjoiLXB1Ymxpc2hlZF9hdCJ9", "prev": null}))]
pub struct PageInfo {
    /// Most items of a page.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: u32,
    /// The `cursor` of the next page; `null` at the end.
    pub next: Option<String>,
    /// The `cursor` of the page before; `null` at the start.
    pub prev: Option<String>,
    /// The number of all items; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// An answer with a body, about to be sent.
#[derive(Debug)]
pub struct Answer<'a, T> {
    request: &'a HttpRequest,
    body: T,
    status: StatusCode,
    version: Option<i64>,
    private: bool,
    location: Option<String>,
    link: Option<String>,
    fields: Option<Fields>,
    keys: SurrogateKeys,
}

impl<'a, T: Serialize> Answer<'a, T> {
    /// 200 with this body.
    pub fn ok(request: &'a HttpRequest, principal: &Principal, body: T) -> Self {
        Self { private: !principal.is_anonymous(), ..Self::private(request, body) }
    }

    /// 200 with this body, for the caller only.
    pub fn private(request: &'a HttpRequest, body: T) -> Self {
        let status = StatusCode::OK;
        let keys = SurrogateKeys::default();
        let (version, location, link, fields) = (None, None, None, None);
        Self { request, body, status, version, private: true, location, link, fields, keys }
    }

    /// Puts a version in front of the `ETag`: what `If-Match` is compared with.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// 201 with the place of what was made.
    #[must_use]
    pub fn created(mut self, location: String) -> Self {
        self.status = StatusCode::CREATED;
        self.location = Some(location);
        self
    }

    /// Keeps only these fields of the body.
    #[must_use]
    pub fn fields(mut self, fields: Option<Fields>) -> Self {
        self.fields = fields;
        self
    }

    /// The same answer with another body.
    #[must_use]
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<'a, U> {
        let Self { request, body, status, version, private, location, link, fields, keys } = self;
        Answer { request, body: f(body), status, version, private, location, link, fields, keys }
    }

    /// What the answer shows: with keys a public answer is kept by caches until one of them changes.
    #[must_use]
    pub fn keys(mut self, keys: SurrogateKeys) -> Self {
        self.keys = keys;
        self
    }

    /// Writes the answer as JSON; 304 if the caller has these very bytes.
    ///
    /// # Errors
    /// When the body does not serialise.
    pub fn send(self) -> Result<HttpResponse, Error> {
        let body = match &self.fields {
            None => {
                // Most answers are no longer; one that is need not be moved again and again as it grows.
                let mut body = Vec::with_capacity(8 << 10);
                serde_json::to_writer(&mut body, &self.body).map(|()| body)
            }
            Some(fields) => {
                serde_json::to_value(&self.body).and_then(|body| serde_json::to_vec(&fields.keep_in(body)))
            }
        };
        let body = body.map_err(|error| Error::internal("writing an answer", error))?;
        Ok(self.send_bytes("application/json", body))
    }

    fn send_bytes(self, content_type: &str, body: Vec<u8>) -> HttpResponse {
        let etag = entity_tag(self.version, &body);
        let safe = self.request.method().is_safe();
        let mut builder = HttpResponse::build(self.status);
        if safe && fits(self.request.headers().get_all(header::IF_NONE_MATCH), &etag) {
            builder = HttpResponse::NotModified();
        }
        builder.insert_header((header::ETAG, etag));
        let is_public = safe && !self.private;
        builder.insert_header((
            header::CACHE_CONTROL,
            if is_public { "public, no-cache" } else { "private, no-store" },
        ));
        if is_public && !self.keys.is_empty() {
            let keys = self.keys.one(Entity::Site, 1).header();
            builder.insert_header((SURROGATE_KEY, keys));
        }
        builder.insert_header((header::VARY, "Authorization, Accept-Encoding"));
        for (name, value) in [(header::LOCATION, self.location), (header::LINK, self.link)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                builder.insert_header((name, value));
            }
        }
        builder.content_type(content_type).body(body)
    }
}

impl Answer<'_, String> {
    /// Writes the answer as it is, in another format than JSON; 304 if the caller has these very bytes.
    pub fn send_as(mut self, content_type: &str) -> HttpResponse {
        let body = std::mem::take(&mut self.body).into_bytes();
        self.send_bytes(content_type, body)
    }
}

impl<'a, T: Serialize> Answer<'a, List<T>> {
    /// 200 with a page, and `Link` to its neighbours (RFC 8288).
    pub fn page(request: &'a HttpRequest, principal: &Principal, page: Page<T>) -> Self {
        let Page { items, limit, next, prev, total } = page;
        let (next, prev) = (next.map(|cursor| cursor.encode()), prev.map(|cursor| cursor.encode()));
        let mut link = format!("<{}>; rel=\"first\"", with_cursor(request, None));
        for (cursor, relation) in [(&prev, "prev"), (&next, "next")] {
            if cursor.is_some() {
                let target = with_cursor(request, cursor.as_deref());
                let _ = write!(link, ", <{target}>; rel=\"{relation}\"");
            }
        }
        let list = List { data: items, page: PageInfo { limit, next, prev, total } };
        Self { link: Some(link), ..Self::ok(request, principal, list) }
    }
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The request's own address with another cursor.
fn with_cursor(request: &HttpRequest, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    query.extend_pairs(pairs.filter(|(name, _)| name != "cursor" && name != "page"));
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    match query.finish() {
        query if query.is_empty() => request.path().to_owned(),
        query => format!("{}?{query}", request.path()),
    }
}

/// A strong validator (RFC 9110, section 8.8.3): the version, if there is one, and a hash of the bytes.
fn entity_tag(version: Option<i64>, body: &[u8]) -> HeaderValue {
    let hash = xxh3_128(body);
    let tag = match version {
        Some(version) => format!("\"{version}-{hash:032x}\""),
        None => format!("\"{hash:032x}\""),
    };
    // Digits always make a header.
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a client that has what these `If-None-Match` headers name has this. `*` fits everything.
pub(super) fn fits<'a>(values: impl Iterator<Item = &'a HeaderValue>, etag: &HeaderValue) -> bool {
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
        // The comparison of If-None-Match is weak (RFC 9110, section 13.1.2).
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

/// The fields that a caller wants: a tree of names.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, Self)>);

impl Fields {
    /// Of names such as `headline` and `section.name`; none if none are named, which is all of them.
    pub fn of(names: &[String]) -> Option<Self> {
        let mut fields = Self::default();
        names.iter().for_each(|name| fields.insert(name.trim()));
        (!names.is_empty()).then_some(fields)
    }

    /// Whether a field of this name is among them, or a part of it, at whatever depth.
    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|(name, child)| name == field || child.names(field))
    }

    fn insert(&mut self, path: &str) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let index = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Self::default()));
            self.0.len() - 1
        });
        if let (Some(rest), Some((_, child))) = (rest, self.0.get_mut(index)) {
            child.insert(rest);
        }
    }

    /// Applies to the resource, or to each of the list.
    fn keep_in(&self, body: Value) -> Value {
        match body {
            Value::Object(mut list) if list.contains_key("data") && list.contains_key("page") => {
                if let Some(data) = list.remove("data") {
                    list.insert("data".to_owned(), self.keep(data));
                }
                Value::Object(list)
            }
            resource => self.keep(resource),
        }
    }

    fn keep(&self, value: Value) -> Value {
        match value {
            _ if self.0.is_empty() => value,
            Value::Array(items) => items.into_iter().map(|item| self.keep(item)).collect(),
            Value::Object(mut object) => {
                let kept = self.0.iter().filter_map(|(name, child)| {
                    object.remove(name).map(|value| (name.clone(), child.keep(value)))
                });
                Value::Object(kept.collect())
            }
            other => other,
        }
    }
}
