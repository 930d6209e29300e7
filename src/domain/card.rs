//! Cards of things that stand beside many others.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A card that is shared by all whom it stands beside, and written as JSON once for all of them: a page of articles holds
/// some two hundred cards of tags, sections and authors.
#[derive(Debug)]
pub struct Card<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    card: T,
    /// `None` if it cannot be written.
    json: OnceLock<Option<Box<RawValue>>>,
}

impl<T> From<T> for Card<T> {
    fn from(card: T) -> Self {
        Self(Arc::new(Shared { card, json: OnceLock::new() }))
    }
}

impl<T> Clone for Card<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Card<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.card
    }
}

impl<T: PartialEq> PartialEq for Card<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.card == other.0.card
    }
}

impl<T: Serialize> Serialize for Card<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.json.get_or_init(|| to_raw_value(&self.0.card).ok()) {
            Some(json) => json.serialize(serializer),
            None => self.0.card.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Card<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
