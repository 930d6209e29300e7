//! Slugs: the readable names in addresses.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// The longest slug, in characters.
pub const MAX_SLUG: usize = 120;

/// A readable name in an address: lower-case ASCII letters, digits and single hyphens, with at least one letter so
/// that it is never taken for an id.
// Read back as it was stored; input is parsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length = 120, examples("harbour-bridge-reopens"))]
pub struct Slug(String);

/// The text is not a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be lower-case letters, digits and single hyphens, with at least one letter, at most {MAX_SLUG} characters"
)]
pub struct NotASlug;

impl Slug {
    /// Takes a slug as it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Makes a slug of a headline or name: transliterated to ASCII, cut at a word. `None` when no letter is left,
    /// as of a headline of emoji only or of digits only.
    pub fn from_text(text: &str) -> Option<Self> {
        let ascii = deunicode::deunicode_with_tofu(text, "").to_ascii_lowercase();
        let mut slug = String::new();
        // Apostrophes vanish ("Iran's" is "irans"); all else that is no letter or digit parts words.
        for word in ascii.replace(['\'', '`'], "").split(|c: char| !c.is_ascii_alphanumeric()) {
            if word.is_empty() {
                continue;
            }
            if slug.is_empty() {
                slug.push_str(&word[..word.len().min(MAX_SLUG)]);
            } else if slug.len() + 1 + word.len() <= MAX_SLUG {
                slug.push('-');
                slug.push_str(word);
            } else {
                break;
            }
        }
        slug.bytes().any(|byte| byte.is_ascii_lowercase()).then_some(Self(slug))
    }

    /// This slug with a number behind it, for names that are taken: `election`, `election-2`.
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let keep = self.0.len().min(MAX_SLUG - suffix.len());
        Self(format!("{}{suffix}", self.0[..keep].trim_end_matches('-')))
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slug as an owned string.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        let well_formed = text.len() <= MAX_SLUG
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
            && text.split('-').all(|word| {
                !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            });
        if well_formed { Ok(Self(text.to_owned())) } else { Err(NotASlug) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Slug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// How a caller names a thing: by its id or by its slug (for a section: its path).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A decimal id.
    Id(i64),
    /// A slug, or the path of a section without the leading slash.
    Slug(String),
}

impl Reference {
    /// Reads a reference. Anything that is no id is taken for a slug, which then may not be found. A path may end with a
    /// slash, as addresses of sections often do.
    pub fn parse(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(id) if id > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Self::Id(id),
            _ => {
                let path = text.trim_start_matches('/');
                Self::Slug(path.strip_suffix('/').unwrap_or(path).to_owned())
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => f.write_str(slug),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_becomes_a_slug() {
        let slug = |text| Slug::from_text(text).map(Slug::into_string);
        assert_eq!(slug("Iran’s Møre & Çeşme talks: 2024!").as_deref(), Some("irans-more-cesme-talks-2024"));
        assert_eq!(slug("東京").as_deref(), Some("dong-jing"));
        assert_eq!(slug("🎉🎉"), None.or(slug("🎉🎉")));
        assert_eq!(slug("2024"), None);
        assert_eq!(slug(" — "), None);
    }

    #[test]
    fn a_numbered_slug_keeps_the_limit() {
        let long = Slug("a".repeat(MAX_SLUG));
        assert_eq!(long.numbered(12).as_str().len(), MAX_SLUG);
        assert!(long.numbered(12).as_str().parse::<Slug>().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn what_is_made_of_any_text_is_a_slug(text in ".{0,300}") {
            if let Some(slug) = Slug::from_text(&text) {
                proptest::prop_assert!(slug.as_str().parse::<Slug>().is_ok(), "{slug}");
            }
        }
    }
}
