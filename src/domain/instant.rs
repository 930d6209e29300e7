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

use chrono::{DateTime, SecondsFormat, Utc};
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

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
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
        serializer.collect_str(self)
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
