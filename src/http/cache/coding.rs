//! Compression: which form of an answer a client takes, and how it is made.

use std::{cell::RefCell, io::Write as _, str::FromStr};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody as _, to_bytes},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{self, AcceptEncoding, Encoding, HeaderValue, Preference},
    },
    web::Bytes,
};

use super::super::answer;
use crate::domain::error::Error;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// `br` (RFC 7932).
    Brotli,
    /// `gzip` (RFC 1952).
    Gzip,
    /// `zstd` (RFC 8878).
    Zstd,
}

/// How much work goes into a compressed form.
#[derive(Debug, Clone, Copy)]
pub enum Effort {
    /// It is kept for many.
    Once,
    /// It is made for one.
    EachTime,
}

/// Those that are offered, the best first.
const OFFERED: [(&str, Coding); 4] =
    [("br", Coding::Brotli), ("zstd", Coding::Zstd), ("gzip", Coding::Gzip), ("identity", Coding::Identity)];

/// Shorter answers are not compressed: it would save less than a packet.
pub const MIN_COMPRESSED: usize = 860;

/// Values of `Accept-Encoding` that a thread remembers. Browsers send a handful.
const MAX_REMEMBERED: usize = 64;

thread_local! {
    static REMEMBERED: RefCell<Vec<(HeaderValue, Coding)>> = const { RefCell::new(Vec::new()) };
}

impl Coding {
    /// The one that a client likes best of those that are offered; the answer as it is if it likes none, which is what
    /// most servers do (RFC 9110, section 12.5.3, allows it).
    pub fn wanted(accept: Option<&HeaderValue>) -> Self {
        let Some(accept) = accept else { return Self::Identity };
        REMEMBERED.with_borrow_mut(|remembered| {
            if let Some((_, coding)) = remembered.iter().find(|(value, _)| value == accept) {
                return *coding;
            }
            let coding = Self::negotiate(accept);
            if remembered.len() < MAX_REMEMBERED {
                remembered.push((accept.clone(), coding));
            }
            coding
        })
    }

    fn negotiate(accept: &HeaderValue) -> Self {
        let items = accept.to_str().unwrap_or_default().split(',');
        let items =
            items.filter_map(|item| header::QualityItem::<Preference<Encoding>>::from_str(item.trim()).ok());
        let offered =
            OFFERED.iter().filter_map(|(name, _)| Encoding::from_str(name).ok()).collect::<Vec<_>>();
        let chosen = AcceptEncoding(items.collect()).negotiate(offered.iter());
        let chosen = chosen.map(|encoding| encoding.to_string()).unwrap_or_default();
        OFFERED.iter().find(|(name, _)| *name == chosen).map_or(Self::Identity, |(_, coding)| *coding)
    }

    /// As in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The validator of what has this one when it is written as it is (RFC 9110, section 8.8.3.3).
    pub fn entity_tag(self, identity: &HeaderValue) -> Option<HeaderValue> {
        let tag = identity.to_str().ok()?.strip_suffix('"')?;
        HeaderValue::try_from(format!("{tag}-{}\"", self.name())).ok()
    }

    /// A body in this coding, which takes milliseconds for large ones.
    pub fn compress(self, body: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
        let (quality, level) = match effort {
            Effort::Once => (6, 6),
            Effort::EachTime => (4, 3),
        };
        match self {
            Self::Identity => Ok(body.to_vec()),
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, quality, 20);
                writer.write_all(body)?;
                Ok(writer.into_inner())
            }
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(quality));
                writer.write_all(body)?;
                writer.finish()
            }
            Self::Zstd => zstd::encode_all(body, level),
        }
    }
}

/// Compresses an answer that is not kept, if its client takes that; 304 to one that has these very bytes. What is streamed,
/// compressed already or no text stays as it is. `validators` take the place of those of the request.
pub async fn coded(
    mut response: ServiceResponse<BoxBody>,
    validators: Option<&[HeaderValue]>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let request = response.request();
    let coding = Coding::wanted(request.headers().get(header::ACCEPT_ENCODING));
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_text = content_type.is_some_and(|media_type| {
        ["text/", "json", "xml", "javascript"].iter().any(|part| media_type.contains(part))
    });
    let is_long = matches!(response.response().body().size(),
        BodySize::Sized(size) if usize::try_from(size).is_ok_and(|size| size >= MIN_COMPRESSED));
    let is_plain = response.status() == StatusCode::OK && !headers.contains_key(header::CONTENT_ENCODING);
    if coding == Coding::Identity || !request.method().is_safe() || !(is_plain && is_text && is_long) {
        return Ok(response);
    }
    let etag = headers.get(header::ETAG).and_then(|etag| coding.entity_tag(etag));
    let has_it = etag.as_ref().is_some_and(|etag| match validators {
        Some(validators) => answer::fits(validators.iter(), etag),
        None => answer::fits(request.headers().get_all(header::IF_NONE_MATCH), etag),
    });
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    if !response.headers().contains_key(header::VARY) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let (request, mut response) = response.into_parts();
    if has_it {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(Bytes::new()))));
    }
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    let (response, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|error| Error::Internal(error.to_string()))?;
    let made = tokio::task::spawn_blocking(move || coding.compress(&body, Effort::EachTime)).await;
    let compressing = |error: &dyn std::fmt::Display| Error::internal("compressing an answer", error);
    let made = made.map_err(|error| compressing(&error))?.map_err(|error| compressing(&error))?;
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(Bytes::from(made)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> Coding {
        let accept = HeaderValue::from_bytes(accept.as_bytes()).expect("a value that can be sent");
        Coding::wanted(Some(&accept))
    }

    #[test]
    fn the_best_of_what_a_client_takes_is_chosen() {
        assert_eq!(Coding::wanted(None), Coding::Identity);
        assert_eq!(wanted("gzip, deflate, br, zstd"), Coding::Brotli);
        assert_eq!(wanted("gzip, deflate"), Coding::Gzip);
        assert_eq!(wanted("zstd;q=1.0, gzip;q=0.5"), Coding::Zstd);
        assert_eq!(wanted("br;q=0, gzip"), Coding::Gzip);
        assert_eq!(wanted("deflate"), Coding::Identity);
        assert_eq!(wanted("identity"), Coding::Identity);
        assert_eq!(wanted(""), Coding::Identity);
        assert_eq!(wanted("\u{80}, ,;q=x"), Coding::Identity);
    }
}
