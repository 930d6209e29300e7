//! An answer that is kept: its head and its bytes, also compressed.

use std::{cell::RefCell, io::Write as _, str::FromStr, sync::OnceLock};

use actix_web::{
    http::header::{self, AcceptEncoding, Encoding, HeaderMap, HeaderName, HeaderValue, Preference},
    web::Bytes,
};

use super::freshness::Stamp;

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

/// Those that are offered, the best first.
const OFFERED: [(&str, Coding); 4] =
    [("br", Coding::Brotli), ("zstd", Coding::Zstd), ("gzip", Coding::Gzip), ("identity", Coding::Identity)];

/// Shorter answers are not compressed: it would save less than a packet.
const MIN_COMPRESSED: usize = 860;

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
    const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn compress(self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(body.to_vec()),
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 6, 20);
                writer.write_all(body)?;
                Ok(writer.into_inner())
            }
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                writer.write_all(body)?;
                writer.finish()
            }
            Self::Zstd => zstd::encode_all(body, 6),
        }
    }
}

/// The bytes of an answer in one coding, with their head.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The bytes.
    pub body: Bytes,
    /// A strong validator of these bytes (RFC 9110, section 8.8.3.3): another one for each coding.
    pub etag: HeaderValue,
    /// What every reader is told, in the form in which most are: it is copied as it is, and what is different for one
    /// reader takes the place of what is there.
    pub head: HeaderMap,
}

/// An answer that is kept.
#[derive(Debug)]
pub struct Entry {
    /// Until when it is good, in milliseconds, even if nothing changes.
    pub expires_at: i64,
    /// Whether it is still true.
    pub stamp: Stamp,
    identity: Variant,
    compressed: [OnceLock<Option<Variant>>; 3],
}

impl Entry {
    /// An answer with its validator, from which those of its compressed forms are made.
    pub fn new(mut head: HeaderMap, etag: HeaderValue, body: Bytes, stamp: Stamp, expires_at: i64) -> Self {
        head.insert(header::ETAG, etag.clone());
        let identity = Variant { body, etag, head };
        Self { expires_at, stamp, identity, compressed: [const { OnceLock::new() }; 3] }
    }

    /// The form in a coding, if it is made; a body that gains nothing by it stands for itself.
    pub fn variant(&self, coding: Coding) -> Option<&Variant> {
        match self.slot(coding) {
            Some(slot) => slot.get().map(|variant| variant.as_ref().unwrap_or(&self.identity)),
            None => Some(&self.identity),
        }
    }

    /// As [`Self::variant`], and makes it if it is not made yet, which takes milliseconds for large bodies.
    pub fn make_variant(&self, coding: Coding) -> &Variant {
        let Some(slot) = self.slot(coding) else { return &self.identity };
        let made = slot.get_or_init(|| {
            let body = coding.compress(&self.identity.body).ok()?;
            let is_smaller = body.len() < self.identity.body.len();
            let etag = self.identity.etag.to_str().ok()?.strip_suffix('"')?;
            let etag = HeaderValue::from_str(&format!("{etag}-{}\"", coding.name())).ok()?;
            let mut head = self.identity.head.clone();
            head.insert(header::ETAG, etag.clone());
            head.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            is_smaller.then(|| Variant { body: body.into(), etag, head })
        });
        made.as_ref().unwrap_or(&self.identity)
    }

    fn slot(&self, coding: Coding) -> Option<&OnceLock<Option<Variant>>> {
        let [brotli, gzip, zstd] = &self.compressed;
        match coding {
            _ if self.identity.body.len() < MIN_COMPRESSED => None,
            Coding::Identity => None,
            Coding::Brotli => Some(brotli),
            Coding::Gzip => Some(gzip),
            Coding::Zstd => Some(zstd),
        }
    }

    /// The bytes that it takes, with those of the compressed forms that are yet to be made: JSON and text shrink to less
    /// than a third in each.
    pub fn weight(&self) -> u64 {
        let head = self.identity.head.iter();
        let head: usize = head.map(|(name, value)| name_len(name) + value.len() + 64).sum();
        let variants = 1 + self.compressed.len();
        let bytes = size_of::<Self>() + variants * head + 2 * self.identity.body.len() + 2 * self.stamp.len();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

fn name_len(name: &HeaderName) -> usize {
    name.as_str().len()
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
