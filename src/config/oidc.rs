//! The settings of single sign-on.

use super::{layers::Reader, values::*};
use crate::domain::identity::{OidcSettings, RoleMap, RoleRules};

/// Takes the settings of single sign-on. It is on if any of them is set, and then some are needed.
pub(super) fn oidc(reader: &mut Reader) -> Option<OidcSettings> {
    if !reader.has_any("oidc_") {
        return None;
    }
    let before = reader.faults.len();
    let issuer = reader.take("oidc_issuer", parsed);
    let client_id = reader.take("oidc_client_id", |value| text(value).map(str::to_owned));
    let client_secret = reader.take("oidc_client_secret", secret);
    let name = reader.take("oidc_name", |value| text(value).map(str::to_owned));
    let scopes = reader.take("oidc_scopes", words);
    let return_urls = reader.take("oidc_return_urls", return_urls);
    let claim = reader.take("oidc_role_claim", |value| text(value).map(str::to_owned));
    let map: Option<RoleMap> = reader.take("oidc_roles", parsed);
    let default = reader.take("oidc_default_role", role);
    let create_users = reader.take("oidc_create_users", truth).unwrap_or_default();
    let link_by_email = reader.take("oidc_link_by_email", truth).unwrap_or_default();
    if reader.faults.len() == before {
        let needed = [
            ("oidc_issuer", issuer.is_some()),
            ("oidc_client_id", client_id.is_some()),
            ("oidc_client_secret", client_secret.is_some()),
            ("oidc_return_urls", return_urls.is_some()),
        ];
        let missing = needed.iter().filter(|(_, is_there)| !is_there);
        reader.faults.extend(missing.map(|(key, _)| format!("single sign-on needs `{key}`")));
        if claim.is_some() != map.is_some() {
            reader.faults.push("`oidc_role_claim` and `oidc_roles` need each other".to_owned());
        }
        if create_users && claim.is_none() && default.is_none() {
            let fault =
                "`oidc_create_users` needs `oidc_default_role`, or `oidc_role_claim` with `oidc_roles`";
            reader.faults.push(fault.to_owned());
        }
    }
    Some(OidcSettings {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        name: name.unwrap_or_else(|| "Single sign-on".to_owned()),
        scopes: scopes.unwrap_or_else(|| ["openid", "email", "profile"].map(str::to_owned).to_vec()),
        return_urls: return_urls?,
        roles: RoleRules { claim, map: map.unwrap_or_default(), default },
        create_users,
        link_by_email,
    })
}
