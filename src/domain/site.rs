//! The site: its name, language and how addresses of articles are made.

use std::str::FromStr;

use super::{
    author::LabelledLink, id::ArticleId, instant::Instant, redirect::SitePath, slug::Reference,
    text::is_web_url, user::Role,
};

/// The site.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// A line under the name.
    pub tagline: Option<String>,
    /// The address of the website, without a slash at the end.
    pub url: String,
    /// The language of articles that name none, BCP 47.
    pub language: String,
    /// The IANA time zone of its days.
    pub time_zone: String,
    /// How addresses of articles are made.
    pub permalink: Permalink,
    /// The main menu.
    pub navigation: Vec<LabelledLink>,
    /// Whether publishing an article with warnings needs their confirmation.
    pub confirm_warnings: bool,
    /// The roles that cannot work without a second factor.
    pub second_factor_roles: Vec<Role>,
    /// The class of what is behind the paywall on the pages of articles, as a selector of CSS: `.paywall`.
    pub paywall_selector: Option<String>,
    /// Counts its edits.
    pub version: i64,
    /// When it was last edited.
    pub updated_at: Instant,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Untitled newsroom".to_owned(),
            tagline: None,
            url: "http://localhost:3000".to_owned(),
            language: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            permalink: Permalink("/{section}/{slug}".to_owned()),
            navigation: Vec::new(),
            confirm_warnings: false,
            second_factor_roles: Vec::new(),
            paywall_selector: None,
            version: 1,
            updated_at: Instant::from_millis(0),
        }
    }
}

/// The members of the site to change.
#[derive(Debug, Clone, Default)]
pub struct SiteChanges {
    /// A new name.
    pub name: Option<String>,
    /// A new line under the name, or none.
    pub tagline: Option<Option<String>>,
    /// A new address.
    pub url: Option<String>,
    /// A new language.
    pub language: Option<String>,
    /// A new time zone.
    pub time_zone: Option<String>,
    /// A new pattern of addresses.
    pub permalink: Option<Permalink>,
    /// A new menu.
    pub navigation: Option<Vec<LabelledLink>>,
    /// Whether warnings need confirmation from now on.
    pub confirm_warnings: Option<bool>,
    /// Other roles that cannot work without a second factor.
    pub second_factor_roles: Option<Vec<Role>>,
    /// A new selector of what is behind the paywall, or none.
    pub paywall_selector: Option<Option<String>>,
}

/// Whether a text has the shape of a language tag (BCP 47): `en`, `pt-BR`, `zh-Hant-TW`.
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    text.len() <= 35
        && (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Whether a text is a selector of one class, such as `.paywall`, of 200 characters at most: search engines read no others
/// (<https://developers.google.com/search/docs/appearance/structured-data/paywalled-content>).
pub fn is_class_selector(text: &str) -> bool {
    let Some(class) = text.strip_prefix('.') else { return false };
    text.len() <= 200
        && class.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-' || c == '_')
        && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether a text names a time zone of the IANA database, such as `Europe/Berlin`.
pub fn is_time_zone(text: &str) -> bool {
    text.parse::<chrono_tz::Tz>().is_ok()
}

/// The address of a website in its canonical spelling, without a slash at the end. `None` if it is not an absolute
/// `http` or `https` address, or has a query, a fragment or a password.
pub fn canonical_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|_| is_web_url(text))?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// How the address of an article is made: a path with `{section}` (the whole path of its section), `{slug}`, `{id}`,
/// and of its first publication in UTC `{year}`, `{month}`, `{day}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Permalink(String);

/// Why a permalink pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPermalink {
    /// It does not begin with a slash.
    #[error("must begin with a slash")]
    NoSlash,
    /// Neither the slug nor the id is in it, so that two articles could share an address.
    #[error("must contain {{slug}} or {{id}}")]
    Ambiguous,
    /// A placeholder that there is not, or a character that has no place in a path.
    #[error(
        "may hold lower-case letters, digits, '-', '/' and the placeholders {{section}}, {{slug}}, {{id}}, {{year}}, {{month}}, {{day}}; found {0:?}"
    )]
    Unknown(String),
}

impl Permalink {
    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a pattern as it was stored.
    pub fn from_stored(pattern: String) -> Self {
        Self(pattern)
    }

    /// The path of an article. An article without a section lies at the root; one never published has the date of
    /// `fallback`.
    pub fn path(&self, id: ArticleId, slug: &str, section_path: Option<&str>, date: Instant) -> String {
        let section = section_path.unwrap_or("").trim_start_matches('/');
        // The common case, without a search for each placeholder.
        if self.0 == "/{section}/{slug}" {
            return if section.is_empty() { format!("/{slug}") } else { format!("/{section}/{slug}") };
        }
        let date = date.to_utc();
        let path = self
            .0
            .replace("{section}", section)
            .replace("{slug}", slug)
            .replace("{id}", &id.to_string())
            .replace("{year}", &date.format("%Y").to_string())
            .replace("{month}", &date.format("%m").to_string())
            .replace("{day}", &date.format("%d").to_string());
        if section.is_empty() { path.replace("//", "/") } else { path }
    }
}

impl Permalink {
    /// The articles that a path may be of: what stands where this pattern has the slug or id, and the last part of the
    /// path, where older patterns may have had it.
    pub fn references(&self, path: &SitePath) -> Vec<Reference> {
        let is_name = |part: &str| part.contains("{slug}") || part.contains("{id}");
        let place = self.0.trim_start_matches('/').rsplit('/').position(is_name).unwrap_or_default();
        let mut references: Vec<Reference> = Vec::new();
        for part in path.segments_from_end().nth(place).into_iter().chain(path.segments_from_end().next()) {
            // A part such as "{id}-{slug}" begins with the id.
            let id = part.split('-').next().unwrap_or_default();
            for name in [part, id] {
                let reference = Reference::parse(name);
                let is_wanted = name == part || matches!(reference, Reference::Id(_));
                if is_wanted && !references.contains(&reference) {
                    references.push(reference);
                }
            }
        }
        references
    }
}

impl FromStr for Permalink {
    type Err = BadPermalink;

    fn from_str(pattern: &str) -> Result<Self, BadPermalink> {
        if !pattern.starts_with('/') {
            return Err(BadPermalink::NoSlash);
        }
        let mut rest = pattern.to_owned();
        for placeholder in ["{section}", "{slug}", "{id}", "{year}", "{month}", "{day}"] {
            rest = rest.replace(placeholder, "x");
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '/';
        if let Some(found) = rest.chars().find(|c| !allowed(*c)) {
            return Err(BadPermalink::Unknown(found.to_string()));
        }
        if rest.contains("//") {
            return Err(BadPermalink::Unknown("//".to_owned()));
        }
        if !pattern.contains("{slug}") && !pattern.contains("{id}") {
            return Err(BadPermalink::Ambiguous);
        }
        Ok(Self(pattern.to_owned()))
    }
}
