//! Authors: the people named in bylines. An author may be a user's profile, or nobody who logs in.

use super::{
    article::Image,
    error::Faults,
    id::{AuthorId, UserId},
    instant::Instant,
    slug::Slug,
    text,
};

/// A labelled link, of an author's profile or of the site's navigation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelledLink {
    /// What readers see.
    #[schema(min_length = 1, max_length = 100, examples("Home page"))]
    pub label: String,
    /// Where it leads: `http` or `https`, or a path of the site.
    #[schema(min_length = 1, max_length = 2000, examples("https://example.com/people/ada"))]
    pub url: String,
}

impl LabelledLink {
    /// Trims the label and checks the address; faults are told under `pointer`.
    pub fn canonical(self, faults: &mut Faults, pointer: &str) -> Option<Self> {
        let label = text::line(faults, &format!("{pointer}/label"), &self.label, 100);
        // Two slashes would begin the name of a host.
        let is_path = self.url.starts_with('/')
            && !self.url.starts_with("//")
            && !self.url.contains(char::is_whitespace);
        if !is_path && !text::is_web_url(&self.url) {
            let message = "must be an http or https address, or a path that begins with a slash";
            faults.add(format!("{pointer}/url"), "not_a_url", message);
            return None;
        }
        Some(Self { label: label?, url: self.url })
    }

    /// As [`Self::canonical`], for a list.
    pub fn canonical_list(links: Vec<Self>, faults: &mut Faults, pointer: &str) -> Vec<Self> {
        let links = links.into_iter().enumerate();
        links.filter_map(|(index, link)| link.canonical(faults, &format!("{pointer}/{index}"))).collect()
    }
}

/// An author.
#[derive(Debug, Clone, PartialEq)]
pub struct Author {
    /// Their id.
    pub id: AuthorId,
    /// Their name in addresses.
    pub slug: Slug,
    /// Their name for readers.
    pub name: String,
    /// What they are, such as "Political editor".
    pub role: Option<String>,
    /// A text for their page.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar: Option<Image>,
    /// Where else to find them.
    pub links: Vec<LabelledLink>,
    /// The user whose profile this is.
    pub user_id: Option<UserId>,
    /// Counts their edits.
    pub version: i64,
    /// When they were made.
    pub created_at: Instant,
    /// When they were last edited.
    pub updated_at: Instant,
}

/// An author to make or, in an edit, the members to change.
#[derive(Debug, Clone, Default)]
pub struct AuthorChanges {
    /// A new slug; made from the name when a new author has none.
    pub slug: Option<Slug>,
    /// A new name.
    pub name: Option<String>,
    /// A new role, or none.
    pub role: Option<Option<String>>,
    /// A new text, or none.
    pub bio: Option<Option<String>>,
    /// A new picture, or none.
    pub avatar: Option<Option<Image>>,
    /// New links.
    pub links: Option<Vec<LabelledLink>>,
    /// A new user, or none.
    pub user_id: Option<Option<UserId>>,
}

/// An author as they stand in a byline.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct AuthorCard {
    /// Their id.
    pub id: AuthorId,
    /// Their name in addresses.
    pub slug: Slug,
    /// Their name for readers.
    #[schema(examples("Ada Okafor"))]
    pub name: String,
    /// What they are.
    #[schema(examples("Political editor"))]
    pub role: Option<String>,
}
