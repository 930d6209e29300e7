//! Site paths: what they are, and where those that editors retired lead.

use super::{error::Faults, id::RedirectId, instant::Instant, text::is_web_url, user::UserCard};

/// The longest path, in bytes.
pub const MAX_PATH: usize = 2000;

/// A path on the site in the one spelling in which it is compared: decoded, lower case, without a slash at the end,
/// without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SitePath(String);

/// The text is no path on the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a path on the site: it begins with one slash and has at most {MAX_PATH} bytes")]
pub struct NotASitePath;

impl SitePath {
    /// Reads a path as a reader's browser or an editor wrote it.
    pub fn parse(text: &str) -> Result<Self, NotASitePath> {
        let bare = text.split(['?', '#']).next().unwrap_or_default();
        if !bare.starts_with('/') || bare.starts_with("//") || text.len() > MAX_PATH {
            return Err(NotASitePath);
        }
        let decoded = percent_encoding::percent_decode_str(bare).decode_utf8().map_err(|_| NotASitePath)?;
        // Browsers take a backslash for a slash, and two slashes for another site.
        if decoded.chars().any(|c| c.is_control() || c == '\\') || decoded.starts_with("//") {
            return Err(NotASitePath);
        }
        let trimmed = decoded.trim_end_matches('/').to_lowercase();
        Ok(Self(if trimmed.is_empty() { "/".to_owned() } else { trimmed }))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts between the slashes, the last first.
    pub fn segments_from_end(&self) -> impl Iterator<Item = &str> {
        self.0.trim_start_matches('/').rsplit('/')
    }
}

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a path on the site.
    Path(SitePath),
    /// To another site.
    Url(String),
}

impl Target {
    /// Reads what an editor wrote; a fault is told at `/to`.
    pub fn parse(faults: &mut Faults, text: &str) -> Option<Self> {
        if is_web_url(text) && text.len() <= MAX_PATH {
            return Some(Self::Url(text.to_owned()));
        }
        let message = "must be a path on the site, which begins with one slash, or an http or https address";
        faults.take("/to", "bad_target", SitePath::parse(text).map(Self::Path).map_err(|_| message))
    }

    /// The target as it is stored and sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Path(path) => path.as_str(),
            Self::Url(url) => url,
        }
    }
}

/// A redirect that an editor made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Its id.
    pub id: RedirectId,
    /// The path that is redirected.
    pub from: String,
    /// The path or address to which it leads, never one that is itself redirected.
    pub to: String,
    /// Counts its edits.
    pub version: i64,
    /// Who made it.
    pub created_by: UserCard,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last edited.
    pub updated_at: Instant,
}

/// A redirect to make or, in an edit, the members to change.
#[derive(Debug, Clone, Default)]
pub struct RedirectChanges {
    /// The path that is redirected.
    pub from: Option<SitePath>,
    /// Where it leads.
    pub to: Option<Target>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for text in ["/World/Europe/", "/world/europe?page=2#top", "/w%6Frld/europe", "/world/europe///"] {
            assert_eq!(SitePath::parse(text).map(|path| path.0), Ok("/world/europe".to_owned()), "{text}");
        }
        assert_eq!(SitePath::parse("/").map(|path| path.0), Ok("/".to_owned()));
        for text in [
            "",
            "world",
            "//evil.example",
            "/%2Fevil.example",
            "/\\evil.example",
            "https://a.example/",
            "/%ff",
            "/a%00b",
        ] {
            assert_eq!(SitePath::parse(text), Err(NotASitePath), "{text}");
        }
    }
}
