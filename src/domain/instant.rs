//! Instants in UTC with milliseconds, and the clock that tells them.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Datelike as _, SecondsFormat, Timelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant: milliseconds since the Unix epoch. In JSON it is RFC 3339 in UTC, `2026-05-18T09:30:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-05-18T09:30:00.000Z"))]
pub struct Instant(i64);

/// The text is not an instant in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an instant in RFC 3339, such as 2026-05-18T09:30:00Z")]
pub struct NotAnInstant;

impl Instant {
    /// The instant this many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The same as the operating system tells it; the epoch for what was before.
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or_default())
    }

    /// The date and time in UTC; the epoch for instants outside chrono's range.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

/// The length of `2026-05-18T09:30:00.000Z`.
const TEXT_LENGTH: usize = 24;

impl Instant {
    /// As in JSON. Each article has several, and a page of a list dozens: chrono, which can write any format, takes ten
    /// times as long for this one. `None` for years that do not have four digits.
    fn text(self) -> Option<[u8; TEXT_LENGTH]> {
        let at = self.to_utc();
        let year = u32::try_from(at.year()).ok().filter(|year| *year < 10_000)?;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut write = |end: usize, length: usize, mut number: u32| {
            for digit in text[end - length..end].iter_mut().rev() {
                *digit += u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        };
        write(4, 4, year);
        write(7, 2, at.month());
        write(10, 2, at.day());
        write(13, 2, at.hour());
        write(16, 2, at.minute());
        write(19, 2, at.second());
        write(23, 3, at.timestamp_subsec_millis());
        Some(text)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text().as_ref().and_then(|text| str::from_utf8(text).ok()) {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

impl FromStr for Instant {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| NotAnInstant)?;
        // Years outside 0000 to 9999 cannot be written in RFC 3339 again.
        Ok(Self(parsed.timestamp_millis()))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text().as_ref().and_then(|text| str::from_utf8(text).ok()) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Tells the time: the system's, moved by as much as a test asks for.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
    stopped_at: Option<Instant>,
}

impl Clock {
    /// The present instant.
    pub fn now(&self) -> Instant {
        if let Some(instant) = self.stopped_at {
            return instant;
        }
        Instant(Utc::now().timestamp_millis().saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// A clock that always tells the present instant of this one.
    pub fn frozen(&self) -> Self {
        Self { stopped_at: Some(self.now()), ..self.clone() }
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: chrono::TimeDelta) {
        self.offset.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_instant_is_written_as_rfc_3339_says(millis in prop_oneof![any::<i64>(), -70_000_000_000_000..300_000_000_000_000_i64]) {
            let instant = Instant::from_millis(millis);
            prop_assert_eq!(instant.to_string(), instant.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true));
            let json = serde_json::to_string(&instant).unwrap();
            prop_assert_eq!(json, format!("\"{instant}\""));
        }
    }
}
