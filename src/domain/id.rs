//! Identifiers: 63-bit Snowflake ids, sorted by time of creation, never reused.
//!
//! In JSON they are strings of decimal digits, since a JavaScript number keeps 53 bits only. Each entity has a
//! type of its own, so that the id of a tag cannot be passed for the id of an article.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    thread,
    time::{Duration, Instant as Stopwatch},
};

use ferroid::{define_snowflake_id, generator::AtomicSnowflakeGenerator, time::TimeSource};

use super::instant::Instant;

/// The text is not an id: a positive decimal number below 2^63 without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id: a string of decimal digits")]
pub struct NotAnId;

fn parse(text: &str) -> Result<i64, NotAnId> {
    let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(id) if canonical && id > 0 => Ok(id),
        _ => Err(NotAnId),
    }
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
        #[schema(value_type = String, pattern = "^[1-9][0-9]{0,18}$", examples("184467440737095516"))]
        pub struct $name(i64);

        impl $name {
            /// Takes an id as it is stored.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The id as it is stored.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(itoa::Buffer::new().format(self.0))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id_types! {
    /// An article, the same through draft, publication and withdrawal.
    ArticleId,
    /// A headed part of an article's body.
    BodySectionId,
    /// One block of an article's body.
    BlockId,
    /// A related-article link, the same in the draft and in the live document.
    LinkId,
    /// A section of the site.
    SectionId,
    /// A tag.
    TagId,
    /// An author, as named in bylines.
    AuthorId,
    /// Somebody who can log in.
    UserId,
    /// An entry of an article's thread.
    NoteId,
    /// A link under which a draft can be read without logging in.
    PreviewId,
    /// A public note on what was put right.
    CorrectionId,
    /// A redirect that an editor made.
    RedirectId,
    /// A set of articles that go live together.
    ReleaseId,
    /// A log-in, until it ends.
    SessionId,
    /// What a program shows in place of a user's log-in.
    ApiTokenId,
    /// An entry of the audit log.
    AuditEventId,
}

define_snowflake_id!(
    /// 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of sequence.
    Snowflake, u64,
    reserved: 1,
    timestamp: 41,
    machine_id: 10,
    sequence: 12
);

/// 2024-01-01T00:00:00Z.
const EPOCH: i64 = 1_704_067_200_000;

/// Milliseconds since [`EPOCH`] by a clock that is never put back. That of the crate keeps a thread that wakes each
/// millisecond, also in a server that nobody asks anything.
#[derive(Debug, Clone)]
struct Ticks {
    begun: Stopwatch,
    at: Duration,
}

impl TimeSource<u64> for Ticks {
    fn current_millis(&self) -> u64 {
        u64::try_from((self.at + self.begun.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Makes ids that no other node with another node number makes.
#[derive(Clone)]
pub struct IdGenerator(Arc<AtomicSnowflakeGenerator<Snowflake, Ticks>>);

impl fmt::Debug for IdGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdGenerator")
    }
}

impl IdGenerator {
    /// The largest node number.
    pub const MAX_NODE: u16 = 1023;

    /// A generator for one node, at this instant; two nodes on one database need different numbers, at most
    /// [`Self::MAX_NODE`].
    pub fn new(node: u16, now: Instant) -> Self {
        let node = u64::from(node.min(Self::MAX_NODE));
        let at = Duration::from_millis(u64::try_from(now.millis() - EPOCH).unwrap_or_default());
        let ticks = Ticks { begun: Stopwatch::now(), at };
        Self(Arc::new(AtomicSnowflakeGenerator::new(node, ticks)))
    }

    /// A new id. Waits for the next millisecond when this one's 4,096 are used up.
    pub fn next(&self) -> i64 {
        let id = self.0.next_id(|milliseconds| thread::sleep(Duration::from_millis(milliseconds)));
        i64::try_from(id.to_raw()).unwrap_or(i64::MAX)
    }
}
