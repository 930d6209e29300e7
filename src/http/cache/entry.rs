//! An answer that is kept: its head and its bytes, also compressed.

use std::{sync::OnceLock, time::SystemTime};

use actix_web::{
    http::header::{self, HeaderMap, HeaderValue},
    web::Bytes,
};

use super::{
    coding::{Coding, Effort, MIN_COMPRESSED},
    freshness::Stamp,
};

/// The bytes of an answer in one coding, with a strong validator of them (RFC 9110, section 8.8.3.3): another one for each.
#[derive(Debug)]
struct Coded {
    body: Bytes,
    etag: HeaderValue,
}

/// A form of an answer that is ready to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    entry: &'a Entry,
    coded: &'a Coded,
    /// How it is compressed, if it is.
    coding: Option<Coding>,
}

impl Form<'_> {
    /// The bytes.
    pub fn body(&self) -> Bytes {
        self.coded.body.clone()
    }

    /// Their validator.
    pub fn etag(&self) -> &HeaderValue {
        &self.coded.etag
    }

    /// What every reader is told, in the form in which most are: what is different for one reader takes the place of what
    /// is there.
    pub fn head(&self) -> HeaderMap {
        let mut head = self.entry.head.clone();
        if let Some(coding) = self.coding {
            head.insert(header::ETAG, self.coded.etag.clone());
            head.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        }
        head
    }
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
    head: HeaderMap,
    identity: Coded,
    compressed: [OnceLock<Option<Coded>>; 3],
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
        let identity = Coded { body, etag };
        Self { expires_at, modified, stamp, head, identity, compressed: [const { OnceLock::new() }; 3] }
    }

    /// The answer as it is.
    pub fn identity(&self) -> Form<'_> {
        Form { entry: self, coded: &self.identity, coding: None }
    }

    /// The form in a coding, if it is made; a body that gains nothing by it stands for itself.
    pub fn form(&self, coding: Coding) -> Option<Form<'_>> {
        let Some(slot) = self.slot(coding) else { return Some(self.identity()) };
        let coded = slot.get()?.as_ref();
        let form = |coded| Form { entry: self, coded, coding: Some(coding) };
        Some(coded.map_or_else(|| self.identity(), form))
    }

    /// Makes the form in a coding if it is not made yet, which takes milliseconds for large bodies.
    pub fn make(&self, coding: Coding) {
        let Some(slot) = self.slot(coding) else { return };
        slot.get_or_init(|| {
            let body = coding.compress(&self.identity.body, Effort::Once).ok()?;
            let is_smaller = body.len() < self.identity.body.len();
            let etag = coding.entity_tag(&self.identity.etag)?;
            // It was written with room to grow.
            is_smaller.then(|| Coded { body: body.into_boxed_slice().into(), etag })
        });
    }

    fn slot(&self, coding: Coding) -> Option<&OnceLock<Option<Coded>>> {
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
        let values: usize = self.head.iter().map(|(_, value)| value.len()).sum();
        let head = self.head.capacity() * HEADER + values;
        let bytes = size_of::<Self>() + head + 2 * self.identity.body.len() + 2 * self.stamp.len();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// What a place for a header takes in a map of them, in bytes: it has room for a name and four values.
const HEADER: usize = 240;
