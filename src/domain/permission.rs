//! Who may do what: one table.

use super::{
    error::Error,
    text_enum::text_enum,
    user::{Actor, Credential, Principal, Role, User},
};

/// What an API token may be used for. A token never permits more than its owner's role does.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
pub enum Scope {
    /// Read drafts, revisions, notes, and what the site was or will be.
    #[serde(rename = "articles:read_drafts")]
    ReadDrafts,
    /// Create, edit and submit articles; includes reading drafts.
    #[serde(rename = "articles:write")]
    WriteArticles,
    /// Publish, withdraw, correct and delete articles, releases, preview links; includes reading drafts.
    #[serde(rename = "articles:publish")]
    PublishArticles,
    /// Sections, tags and authors.
    #[serde(rename = "taxonomy:write")]
    WriteTaxonomy,
    /// Media. Nothing asks for it yet.
    #[serde(rename = "media:write")]
    WriteMedia,
    /// The site and its redirects.
    #[serde(rename = "site:write")]
    WriteSite,
    /// Webhooks. Nothing asks for it yet.
    #[serde(rename = "webhooks:manage")]
    ManageWebhooks,
    /// Users.
    #[serde(rename = "users:manage")]
    ManageUsers,
    /// The audit log.
    #[serde(rename = "audit:read")]
    ReadAudit,
}

text_enum!(Scope {
    ReadDrafts "articles:read_drafts",
    WriteArticles "articles:write",
    PublishArticles "articles:publish",
    WriteTaxonomy "taxonomy:write",
    WriteMedia "media:write",
    WriteSite "site:write",
    ManageWebhooks "webhooks:manage",
    ManageUsers "users:manage",
    ReadAudit "audit:read",
});

/// On which articles an action is permitted to a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// On none.
    No,
    /// On those that the user created or is linked to in the bylines, while they were never published.
    OwnNeverPublished,
    /// On those that the user created or is linked to in the bylines.
    Own,
    /// On all.
    All,
}

macro_rules! permissions {
    ($($action:ident $phrase:literal [$contributor:ident $author:ident $editor:ident $admin:ident] $($scope:ident)+;)*) => {
        /// Something that needs permission.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Action { $(#[doc = $phrase] $action,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// What a role may do; the columns are contributor, author, editor, admin.
            pub const fn grant(self, role: Role) -> Grant {
                let row = match self {
                    $(Self::$action => [Grant::$contributor, Grant::$author, Grant::$editor, Grant::$admin],)*
                };
                row[role as usize]
            }

            /// The scopes of which an API token needs one.
            pub const fn scopes(self) -> &'static [Scope] {
                match self { $(Self::$action => &[$(Scope::$scope),+],)* }
            }

            /// The action as the object of "your role does not let you …".
            pub const fn phrase(self) -> &'static str {
                match self { $(Self::$action => $phrase,)* }
            }
        }
    };
}

permissions! {
    //                                            contributor       author            editor admin   scopes
    CreateArticle "create articles"              [All               All               All All] WriteArticles;
    ReadDraft     "read this draft"              [Own               All               All All] ReadDrafts WriteArticles PublishArticles;
    EditDraft     "edit this article"            [OwnNeverPublished Own               All All] WriteArticles;
    Publish       "publish this article"         [No                Own               All All] PublishArticles;
    Submit        "submit this article"          [Own               Own               All All] WriteArticles;
    Unpublish     "unpublish this article"       [No                Own               All All] PublishArticles;
    Discard       "discard the changes of this article" [No         Own               All All] PublishArticles;
    Correct       "correct this article"         [No                Own               All All] PublishArticles;
    Preview       "make preview links to this article" [No          Own               All All] PublishArticles;
    Return        "return this article"          [No                No                All All] PublishArticles;
    Retract       "retract this article"         [No                No                All All] PublishArticles;
    Archive       "archive or reopen this article" [No              No                All All] PublishArticles;
    DeleteArticle "delete this article"          [No                OwnNeverPublished All All] PublishArticles;
    EditReleases  "make and schedule releases"   [No                No                All All] PublishArticles;
    ReadHistory   "read what the site was or will be" [No           All               All All] ReadDrafts WriteArticles PublishArticles;
    CreateTag     "create tags"                  [No                All               All All] WriteTaxonomy;
    EditTaxonomy  "change sections, tags and authors" [No           No                All All] WriteTaxonomy;
    EditRedirects "change redirects"             [No                No                All All] WriteSite;
    EditSite      "change the site"              [No                No                No  All] WriteSite;
    ManageUsers   "manage users"                 [No                No                No  All] ManageUsers;
    ReadAudit     "read the audit log"           [No                No                No  All] ReadAudit;
}

/// What a user is to an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// They created it or are linked to in its bylines.
    pub own: bool,
    /// It has been public at some time.
    pub ever_published: bool,
}

/// Whether the role of a user permits this on an article to which they stand so.
pub fn role_allows(user: &User, action: Action, standing: Standing) -> bool {
    match action.grant(user.role) {
        Grant::No => false,
        Grant::OwnNeverPublished => standing.own && !standing.ever_published,
        Grant::Own => standing.own,
        Grant::All => true,
    }
}

/// Whether a credential permits this, whatever the role.
pub fn credential_allows(credential: &Credential, action: Action) -> bool {
    match credential {
        Credential::System | Credential::Session(_) => true,
        Credential::Token(_, scopes) => action.scopes().iter().any(|scope| scopes.contains(scope)),
    }
}

/// Whether somebody may do this to an article to which they stand so.
pub fn allows(actor: &Actor, action: Action, standing: Standing) -> bool {
    credential_allows(&actor.credential, action) && role_allows(actor, action, standing)
}

/// Why somebody may not do what they may not.
fn refusal(actor: &Actor, action: Action) -> Error {
    if credential_allows(&actor.credential, action) {
        Error::forbidden(action.phrase())
    } else {
        Error::insufficient_scope(action.scopes())
    }
}

/// Permits an action that is not about one article, or says why not: 401 or 403.
pub fn require(principal: &Principal, action: Action) -> Result<&Actor, Error> {
    let actor = principal.user()?;
    if credential_allows(&actor.credential, action) && action.grant(actor.role) == Grant::All {
        Ok(actor)
    } else {
        Err(refusal(actor, action))
    }
}

/// Permits an action on one article, or says why not: 401; 404 if the user may not even read its draft; else 403.
pub fn require_on_article(actor: &Actor, action: Action, standing: Standing) -> Result<(), Error> {
    if allows(actor, action, standing) {
        Ok(())
    } else if allows(actor, Action::ReadDraft, standing) {
        Err(refusal(actor, action))
    } else {
        Err(Error::not_found("article"))
    }
}
