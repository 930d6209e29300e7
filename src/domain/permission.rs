//! Who may do what: one table.

use super::{
    error::Error,
    user::{Principal, Role, User},
};

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
    ($($action:ident $phrase:literal [$contributor:ident $author:ident $editor:ident $admin:ident])*) => {
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

            /// The action as the object of "your role does not let you …".
            pub const fn phrase(self) -> &'static str {
                match self { $(Self::$action => $phrase,)* }
            }
        }
    };
}

permissions! {
    //                                            contributor       author            editor admin
    CreateArticle "create articles"              [All               All               All All]
    ReadDraft     "read this draft"              [Own               All               All All]
    EditDraft     "edit this article"            [OwnNeverPublished Own               All All]
    Publish       "publish this article"         [No                Own               All All]
    Submit        "submit this article"          [Own               Own               All All]
    Unpublish     "unpublish this article"       [No                Own               All All]
    Discard       "discard the changes of this article" [No         Own               All All]
    Correct       "correct this article"         [No                Own               All All]
    Preview       "make preview links to this article" [No          Own               All All]
    Return        "return this article"          [No                No                All All]
    Retract       "retract this article"         [No                No                All All]
    Archive       "archive or reopen this article" [No              No                All All]
    DeleteArticle "delete this article"          [No                OwnNeverPublished All All]
    EditReleases  "make and schedule releases"   [No                No                All All]
    ReadHistory   "read what the site was or will be" [No           All               All All]
    CreateTag     "create tags"                  [No                All               All All]
    EditTaxonomy  "change sections, tags and authors" [No           No                All All]
    EditRedirects "change redirects"             [No                No                All All]
    EditSite      "change the site"              [No                No                No  All]
}

/// What a user is to an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// They created it or are linked to in its bylines.
    pub own: bool,
    /// It has been public at some time.
    pub ever_published: bool,
}

/// Whether the user may do this to an article to which they stand so.
pub fn allows(user: &User, action: Action, standing: Standing) -> bool {
    match action.grant(user.role) {
        Grant::No => false,
        Grant::OwnNeverPublished => standing.own && !standing.ever_published,
        Grant::Own => standing.own,
        Grant::All => true,
    }
}

/// Permits an action that is not about one article, or says why not: 401 or 403.
pub fn require(principal: &Principal, action: Action) -> Result<&User, Error> {
    let user = principal.user()?;
    match action.grant(user.role) {
        Grant::All => Ok(user),
        _ => Err(Error::forbidden(action.phrase())),
    }
}

/// Permits an action on one article, or says why not: 401; 404 if the user may not even read its draft; else 403.
pub fn require_on_article(user: &User, action: Action, standing: Standing) -> Result<(), Error> {
    if allows(user, action, standing) {
        Ok(())
    } else if allows(user, Action::ReadDraft, standing) {
        Err(Error::forbidden(action.phrase()))
    } else {
        Err(Error::not_found("article"))
    }
}
