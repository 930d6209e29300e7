//! Single sign-on: who somebody is to the newsroom's identity provider, and what the newsroom makes of it.

use std::{fmt, net::IpAddr, str::FromStr};

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::user::{EmailAddress, Role};

/// The longest subject identifier, in characters (OpenID Connect Core 1.0, section 2).
pub const MAX_SUBJECT: usize = 255;

/// How the newsroom uses its identity provider.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The provider, exactly as its discovery document and its tokens name it: the slash at the end counts.
    pub issuer: Issuer,
    /// The name of this newsroom at the provider.
    pub client_id: String,
    /// Its password there.
    pub client_secret: SecretString,
    /// What tools write on their button.
    pub name: String,
    /// What the provider is asked to tell.
    pub scopes: Vec<String>,
    /// Where tools may have the browser sent in the end.
    pub return_urls: Vec<ReturnUrl>,
    /// How roles follow from what the provider tells.
    pub roles: RoleRules,
    /// Whether those whom nobody knows become users.
    pub create_users: bool,
    /// Whether a verified e-mail address is enough to become the user who has it.
    pub link_by_email: bool,
}

/// An identity provider: an `https` URL, or an `http` URL on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// The text is no issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an https address without query and fragment (http only on this machine)")]
pub struct NotAnIssuer;

impl Issuer {
    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is on this machine, where `http` will do.
    pub fn is_local(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "http")
    }
}

impl FromStr for Issuer {
    type Err = NotAnIssuer;

    fn from_str(text: &str) -> Result<Self, NotAnIssuer> {
        let url = Url::parse(text).map_err(|_| NotAnIssuer)?;
        let plain = url.query().is_none() && url.fragment().is_none() && !has_credentials(&url);
        let short = text.len() <= 500 && is_printable(text);
        if plain && short && is_secure(&url) { Ok(Self(text.to_owned())) } else { Err(NotAnIssuer) }
    }
}

/// Where the browser may be sent after a log-in: an `https` URL without fragment, or an `http` URL on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnUrl(String);

/// The text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be https addresses without fragment (http only on this machine)")]
pub struct NotAReturnUrl;

impl ReturnUrl {
    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReturnUrl {
    type Err = NotAReturnUrl;

    fn from_str(text: &str) -> Result<Self, NotAReturnUrl> {
        let url = Url::parse(text).map_err(|_| NotAReturnUrl)?;
        let plain = url.fragment().is_none() && !has_credentials(&url);
        let short = text.len() <= 2000 && is_printable(text) && !text.contains('\\');
        if plain && short && is_secure(&url) { Ok(Self(text.to_owned())) } else { Err(NotAReturnUrl) }
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether what is sent there stays between this machine and that: `https`, or `http` on this machine.
pub fn is_secure(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    };
    url.scheme() == "https" && url.has_host() || url.scheme() == "http" && local
}

/// How roles follow from what the provider tells.
#[derive(Debug, Clone, Default)]
pub struct RoleRules {
    /// The claim that has the groups of a user, such as `groups` or `realm_access.roles`; without one, roles are given
    /// in Masthead.
    pub claim: Option<String>,
    /// The role of each group.
    pub map: RoleMap,
    /// The role of those who have none by their groups. Without one, they are refused.
    pub default: Option<Role>,
}

impl RoleRules {
    /// The role of somebody with these claims: the highest of their groups. `None` refuses them.
    pub fn role(&self, claims: &Map<String, Value>) -> Option<Role> {
        let groups = self.claim.as_deref().and_then(|claim| find_claim(claims, claim));
        let groups = groups.map(texts).unwrap_or_default();
        groups.into_iter().filter_map(|group| self.map.role(group)).max().or(self.default)
    }
}

/// A claim by its name. A name with dots that is no claim itself is a path through objects.
fn find_claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        find_claim(claims.get(first)?.as_object()?, rest)
    })
}

/// The text, or the texts of a list.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The role of each group: `newsroom-admins=admin, desk=editor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleMap(Vec<(String, Role)>);

/// The text does not give roles to groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct NotARoleMap;

impl fmt::Display for NotARoleMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let roles = roles.join(", ");
        write!(f, "must be groups with their roles, such as desk=editor, chiefs=admin; the roles are {roles}")
    }
}

impl RoleMap {
    /// Whether no group has a role.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The role of a group; the highest if it was given several.
    fn role(&self, group: &str) -> Option<Role> {
        self.0.iter().filter(|(name, _)| name == group).map(|(_, role)| *role).max()
    }
}

impl FromStr for RoleMap {
    type Err = NotARoleMap;

    fn from_str(text: &str) -> Result<Self, NotARoleMap> {
        let pair = |pair: &str| {
            let (group, role) = pair.rsplit_once('=').ok_or(NotARoleMap)?;
            let (group, role) = (group.trim(), parse_role(role.trim()).ok_or(NotARoleMap)?);
            if group.is_empty() { Err(NotARoleMap) } else { Ok((group.to_owned(), role)) }
        };
        text.split(',').map(pair).collect::<Result<_, _>>().map(Self)
    }
}

/// The role of that name.
pub fn parse_role(name: &str) -> Option<Role> {
    Role::ALL.iter().copied().find(|role| role.as_str() == name)
}

/// What the provider has told about somebody who logged in there, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Who it is there, for ever; never given to another.
    pub subject: String,
    /// Their address, if the provider has verified that it is theirs.
    pub verified_email: Option<EmailAddress>,
    /// Their name.
    pub name: Option<String>,
    /// The role that the rules give them.
    pub role: Option<Role>,
}

/// A log-in that is under way at the provider. The secrets that must come back are stored as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of the state that the provider gives back.
    pub state_hash: String,
    /// Of the verifier that the tool keeps.
    pub verifier_hash: String,
    /// What the ID token must repeat.
    pub nonce: String,
    /// What the provider wants with the code (RFC 7636).
    pub pkce_verifier: String,
    /// Where the browser goes in the end.
    pub return_to: String,
}

/// Why the browser comes back without a log-in: a word of ours, never a text of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They, or the provider in their name, have said no.
    AccessDenied,
    /// They are who they say, but may not come in.
    NotPermitted,
    /// The provider cannot be reached, or what it says cannot be trusted.
    Provider,
    /// A fault of this server.
    Failed,
}

impl Refusal {
    /// The word that stands in the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::NotPermitted => "not_permitted",
            Self::Provider => "provider",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn rules(claim: &str) -> RoleRules {
        let map = "chiefs=admin, desk = editor,a=b=author, desk=author".parse().unwrap();
        RoleRules { claim: Some(claim.to_owned()), map, default: None }
    }

    #[test]
    fn the_highest_role_of_the_groups_wins() {
        let role = |groups: Value| rules("groups").role(&claims(json!({ "groups": groups })));
        assert_eq!(role(json!(["desk", "chiefs", "others"])), Some(Role::Admin));
        assert_eq!(role(json!("desk")), Some(Role::Editor));
        assert_eq!(role(json!(["a=b"])), Some(Role::Author));
        for none in
            [json!([]), json!("Desk"), json!(7), json!(null), json!([["desk"]]), json!({"desk": true})]
        {
            assert_eq!(role(none.clone()), None, "{none}");
        }
        assert_eq!(rules("groups").role(&Map::new()), None);
        let lenient = RoleRules { default: Some(Role::Contributor), ..rules("groups") };
        assert_eq!(lenient.role(&claims(json!({"groups": ["others"]}))), Some(Role::Contributor));
        assert_eq!(lenient.role(&claims(json!({"groups": ["desk"]}))), Some(Role::Editor));
    }

    #[test]
    fn a_claim_may_be_deep_or_have_dots_in_its_name() {
        let deep = claims(json!({"realm_access": {"roles": ["desk"]}}));
        assert_eq!(rules("realm_access.roles").role(&deep), Some(Role::Editor));
        assert_eq!(rules("realm_access.roles.x").role(&deep), None);
        let named = claims(json!({"https://courier.example/groups": ["chiefs"]}));
        assert_eq!(rules("https://courier.example/groups").role(&named), Some(Role::Admin));
    }

    #[test]
    fn what_gives_no_roles_is_refused() {
        for wrong in ["", "desk", "desk=chief", "=editor", "desk=editor,", "desk=Editor"] {
            assert!(wrong.parse::<RoleMap>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn issuers_and_return_urls_are_secure() {
        for right in
            ["https://id.example", "https://id.example/realms/x/", "http://127.0.0.1:8000", "http://[::1]/"]
        {
            assert_eq!(right.parse::<Issuer>().unwrap().as_str(), right);
            assert_eq!(right.parse::<ReturnUrl>().unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "id.example",
            "http://id.example",
            "https://",
            "https://u:p@id.example",
            "https://id.example/#a",
            "ftp://localhost",
            "javascript:alert(1)",
            "http://localhost.evil.example",
            "https://id.example/\u{e9}",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(wrong.parse::<Issuer>().is_err(), "{wrong:?}");
            assert!(wrong.parse::<ReturnUrl>().is_err(), "{wrong:?}");
        }
        assert!("https://id.example/?a=b".parse::<Issuer>().is_err());
        assert!("https://tool.example/?a=b".parse::<ReturnUrl>().is_ok());
    }

    #[test]
    fn the_secret_does_not_show() {
        let settings = OidcSettings {
            issuer: "https://id.example".parse().unwrap(),
            client_id: "masthead".to_owned(),
            client_secret: "hunter2".into(),
            name: "Id".to_owned(),
            scopes: Vec::new(),
            return_urls: Vec::new(),
            roles: RoleRules::default(),
            create_users: false,
            link_by_email: false,
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
