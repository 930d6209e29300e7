//! `/v1/site`

use actix_web::{HttpRequest, HttpResponse, get, patch, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answer::Answer,
    caller::{Caller, OptionalIfMatch},
    fields::{FieldsQuery, Sparse},
    input::{Input, NoQuery, Parse, present},
};
use crate::{
    domain::{
        author::LabelledLink,
        change::Entity,
        error::{Error, Faults},
        instant::Instant,
        site::{self, SiteChanges, canonical_url, is_class_selector, is_language_tag, is_time_zone},
        surrogate::SurrogateKeys,
        text,
        user::Role,
    },
    service::{self, Newsroom},
};

/// The site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "The Port Ellery Courier", "tagline": "News from the harbour", "url": "https://courier.example",
    "language": "en-GB", "time_zone": "Europe/London", "permalink": "/{section}/{slug}",
    "navigation": [{"label": "World", "url": "/world"}], "confirm_warnings": false, "paywall_selector": ".paywall", "version": 2,
    "updated_at": "2026-05-18T09:30:00.000Z"
}))]
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
    pub permalink: String,
    /// The main menu.
    pub navigation: Vec<LabelledLink>,
    /// Whether publishing an article with warnings needs `confirm_warnings`.
    pub confirm_warnings: bool,
    /// The roles that cannot work without a second factor; told to those who have logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor_roles: Option<Vec<Role>>,
    /// The class of what is behind the paywall on the pages of articles, as a selector of CSS.
    pub paywall_selector: Option<String>,
    /// Counts its edits; also the beginning of its `ETag`.
    pub version: i64,
    /// When it was last edited.
    pub updated_at: Instant,
}

impl From<site::Site> for Site {
    fn from(site: site::Site) -> Self {
        let site::Site {
            name,
            tagline,
            url,
            language,
            time_zone,
            permalink,
            navigation,
            confirm_warnings,
            second_factor_roles,
            paywall_selector,
            version,
            updated_at,
        } = site;
        let second_factor_roles = Some(second_factor_roles);
        let permalink = permalink.as_str().to_owned();
        Self {
            name,
            tagline,
            url,
            language,
            time_zone,
            permalink,
            navigation,
            confirm_warnings,
            second_factor_roles,
            paywall_selector,
            version,
            updated_at,
        }
    }
}

/// The members of the site to change (RFC 7396): what is absent stays, `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "The Port Ellery Courier", "time_zone": "Europe/London"}))]
pub struct SitePatch {
    /// A new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// A new line under the name.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 300)]
    tagline: Option<Option<String>>,
    /// A new address, `http` or `https`; a slash at the end is dropped.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    url: Option<String>,
    /// A new language, BCP 47.
    #[serde(default)]
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", nullable = false)]
    language: Option<String>,
    /// A new time zone, by its IANA name.
    #[serde(default)]
    #[schema(max_length = 100, nullable = false)]
    time_zone: Option<String>,
    /// A new pattern of addresses: a path with `{section}`, `{slug}`, `{id}`, `{year}`, `{month}`, `{day}`, of which
    /// `{slug}` or `{id}` is needed.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    permalink: Option<String>,
    /// A new menu, in the place of all of the old one.
    #[serde(default)]
    #[schema(max_items = 100, nullable = false)]
    navigation: Option<Vec<LabelledLink>>,
    /// Whether publishing an article with warnings needs `confirm_warnings`.
    #[serde(default)]
    #[schema(nullable = false)]
    confirm_warnings: Option<bool>,
    /// The roles that cannot work without a second factor, in the place of all before. Those who have none can do nothing
    /// from now on but get one.
    #[serde(default)]
    #[schema(max_items = 4, nullable = false)]
    second_factor_roles: Option<Vec<Role>>,
    /// The class that the pages of articles give to what only subscribers see, as a selector of CSS: `.paywall`. JSON-LD names
    /// it to search engines.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 200, pattern = r"^\.[A-Za-z_-][A-Za-z0-9_-]*$", examples(".paywall"))]
    paywall_selector: Option<Option<String>>,
}

impl Parse for SitePatch {
    type Command = SiteChanges;

    fn parse(self, faults: &mut Faults) -> Option<SiteChanges> {
        let url = self.url.and_then(|url| {
            let message = "must be an http or https address without query and fragment";
            faults.take("/url", "not_a_url", canonical_url(url.trim()).ok_or(message))
        });
        let mut checked = |pointer, code, message: &str, text: Option<String>, is_good: fn(&str) -> bool| {
            text.and_then(|text| {
                faults.take(pointer, code, if is_good(&text) { Ok(text) } else { Err(message) })
            })
        };
        let language = "must be a language tag (BCP 47), such as en or pt-BR";
        let language = checked("/language", "bad_language", language, self.language, is_language_tag);
        let time_zone = "must be the IANA name of a time zone, such as Europe/Berlin";
        let time_zone = checked("/time_zone", "unknown_time_zone", time_zone, self.time_zone, is_time_zone);
        let selector = "must be the selector of one class, such as .paywall";
        let paywall_selector = match self.paywall_selector {
            Some(Some(text)) => {
                checked("/paywall_selector", "bad_selector", selector, Some(text), is_class_selector)
                    .map(Some)
            }
            absent => absent,
        };
        Some(SiteChanges {
            name: self.name.and_then(|name| text::line(faults, "/name", &name, 200)),
            tagline: self.tagline.map(|line| text::optional_line(faults, "/tagline", line.as_deref(), 300)),
            url,
            language,
            time_zone,
            permalink: self
                .permalink
                .and_then(|pattern| faults.take("/permalink", "bad_permalink", pattern.parse())),
            navigation: self
                .navigation
                .map(|links| LabelledLink::canonical_list(links, faults, "/navigation")),
            confirm_warnings: self.confirm_warnings,
            second_factor_roles: self.second_factor_roles.map(|mut roles| {
                roles.sort_unstable();
                roles.dedup();
                roles
            }),
            paywall_selector,
        })
    }
}

/// Get the site
///
/// Its name, language, time zone, menu, and how addresses of articles are made.
#[utoipa::path(tag = "site", params(FieldsQuery), responses((status = 200, description = "The site.", body = Site)))]
#[get("/site")]
pub async fn get_site(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    fields: Sparse,
) -> Result<HttpResponse, Error> {
    let site = service::site::get(&newsroom).await?;
    let version = site.version;
    let mut site = Site::from(site);
    site.second_factor_roles = site.second_factor_roles.filter(|_| !principal.is_anonymous());
    let keys = SurrogateKeys::default().one(Entity::Site, 1);
    Answer::ok(&request, &principal, site).version(version).keys(keys).fields(fields.0).send()
}

/// Edit the site
///
/// Admins only. A merge patch (RFC 7396). A new `url` or `permalink` changes the addresses of all articles.
#[utoipa::path(tag = "site", params(OptionalIfMatch), request_body = SitePatch, security(("bearer" = [])),
    responses((status = 200, description = "The site as it is now.", body = Site)))]
#[patch("/site")]
pub async fn update_site(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<SitePatch>,
) -> Result<HttpResponse, Error> {
    let site = service::site::update(&newsroom, &principal, if_match.version(), changes).await?;
    let version = site.version;
    Answer::ok(&request, &principal, Site::from(site)).version(version).send()
}
