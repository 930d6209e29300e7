//! An answer that is kept: its head and its bytes, also compressed.

use std::{sync::OnceLock, time::SystemTime};

use actix_web::{
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    web::Bytes,
};

use super::{
    coding::{Coding, Effort, MIN_COMPRESSED},
    freshness::Stamp,
};

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
    /// Since when nothing that it shows has changed, in whole seconds, if that can be told.
    pub modified: Option<SystemTime>,
    /// Whether it is still true.
    pub stamp: Stamp,
    identity: Variant,
    compressed: [OnceLock<Option<Variant>>; 3],
}

impl Entry {
    /// An answer with its validator, from which those of its compressed forms are made.
    pub fn new(
        mut head: HeaderMap,
        etag: HeaderValue,
        body: Bytes,
        stamp: Stamp,
        expires_at: i64,
        modified: Option<SystemTime>,
    ) -> Self {
        head.insert(header::ETAG, etag.clone());
        let identity = Variant { body, etag, head };
        Self { expires_at, modified, stamp, identity, compressed: [const { OnceLock::new() }; 3] }
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
            let body = coding.compress(&self.identity.body, Effort::Once).ok()?;
            let is_smaller = body.len() < self.identity.body.len();
            let etag = coding.entity_tag(&self.identity.etag)?;
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
