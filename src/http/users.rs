//! `/v1/users`

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    answer::{self, Answer, List},
    articles::id_segment,
    auth::exposed,
    caller::{Caller, OptionalIfMatch},
    input::{Input, NoQuery, Parse, QueryInput},
    paging::page_request,
    path::parameter,
};
use crate::{
    domain::{
        error::{Error, Faults},
        id::{AuthorId, UserId},
        instant::Instant,
        page::{DEFAULT_LIMIT, PageRequest},
        text,
        user::{self, EmailAddress, Role, UserChanges, UserFilter},
    },
    service::{
        Newsroom, second_factor,
        users::{self, PasswordLink},
    },
    store::users::ORDER,
};

/// Somebody who can log in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "email": "ada@example.org", "name": "Ada Lovelace", "role": "author",
    "suspended": false, "has_password": true, "has_second_factor": false, "author_id": "184467440737095520",
    "version": 1, "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z"
}))]
pub struct User {
    /// Their id.
    id: UserId,
    /// The address with which they log in.
    email: String,
    /// Their name.
    name: String,
    /// What they may do.
    role: Role,
    /// Whether they are shut out.
    suspended: bool,
    /// Whether they can log in with a password: not while an invitation is open, and not through single sign-on alone.
    has_password: bool,
    /// Whether they have a second factor.
    has_second_factor: bool,
    /// The author profile that is theirs; `PATCH /v1/authors/{name}` with `user_id` makes it so.
    author_id: Option<AuthorId>,
    /// Counts the edits; also the beginning of the `ETag`.
    version: i64,
    /// When they were made.
    created_at: Instant,
    /// When they were last edited.
    updated_at: Instant,
}

impl From<user::User> for User {
    fn from(user: user::User) -> Self {
        let user::User {
            id,
            email,
            name,
            role,
            suspended,
            has_password,
            has_second_factor,
            author_id,
            version,
            created_at,
            updated_at,
        } = user;
        Self {
            id,
            email,
            name,
            role,
            suspended,
            has_password,
            has_second_factor,
            author_id,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A one-time link with which a user sets a password. Whoever has it can do so; it is told this once.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "token": "masthead_link_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
    "url": "https://cms.example.org/password#masthead_link_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
    "expires_at": "2026-05-21T09:30:00.000Z"
}))]
pub struct OneTimeLink {
    /// For `POST /v1/auth/password-link`.
    #[schema(value_type = String)]
    #[serde(serialize_with = "exposed")]
    token: SecretString,
    /// A page of this server that asks for the password.
    url: String,
    /// Until when it can be used.
    expires_at: Instant,
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeLink").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl OneTimeLink {
    fn new(link: PasswordLink, public_url: &str) -> Self {
        let PasswordLink { token, expires_at } = link;
        Self { url: format!("{public_url}/password#{}", token.expose_secret()), token, expires_at }
    }
}

/// A user who has just been made, and the link to send to them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "184467440737095516", "email": "ada@example.org", "name": "Ada Lovelace", "role": "author",
    "suspended": false, "has_password": false, "has_second_factor": false, "author_id": null, "version": 1,
    "created_at": "2026-05-18T09:30:00.000Z", "updated_at": "2026-05-18T09:30:00.000Z",
    "invitation": {
        "token": "masthead_link_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
        "url": "https://cms.example.org/password#masthead_link_pHYzJ1mOeFQnJv6cW1cVxk1mB0QqBq3m3o0Yw2Yd2lE",
        "expires_at": "2026-05-21T09:30:00.000Z"
    }
}))]
pub struct UserInvited {
    /// The user.
    #[serde(flatten)]
    user: User,
    /// With which they set a password. Nothing is sent by this server.
    invitation: OneTimeLink,
}

/// A user to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "name": "Ada Lovelace", "role": "author"}))]
pub struct UserCreate {
    /// The address to log in with.
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What they may do.
    role: Role,
}

/// A user to invite.
#[derive(Debug)]
pub struct NewUser {
    email: EmailAddress,
    name: String,
    role: Role,
}

impl Parse for UserCreate {
    type Command = NewUser;

    fn parse(self, faults: &mut Faults) -> Option<NewUser> {
        let email = faults.take("/email", "bad_email", self.email.parse());
        let name = text::line(faults, "/name", &self.name, 200);
        Some(NewUser { email: email?, name: name?, role: self.role })
    }
}

/// The members of a user to change (RFC 7396): what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "editor"}))]
pub struct UserPatch {
    /// Another address to log in with.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 254, nullable = false)]
    email: Option<String>,
    /// Another name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Another role; takes effect at once.
    #[serde(default)]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// Whether they are shut out; takes effect at once. Their sessions end; their API tokens rest.
    #[serde(default)]
    #[schema(nullable = false)]
    suspended: Option<bool>,
}

impl Parse for UserPatch {
    type Command = UserChanges;

    fn parse(self, faults: &mut Faults) -> Option<UserChanges> {
        Some(UserChanges {
            email: self.email.and_then(|email| faults.take("/email", "bad_email", email.parse())),
            name: self.name.and_then(|name| text::line(faults, "/name", &name, 200)),
            role: self.role,
            suspended: self.suspended,
        })
    }
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct UserQuery {
    /// Only those of this role.
    role: Option<Role>,
    /// Only those who are shut out, or only those who are not.
    suspended: Option<bool>,
    /// Most users of the page.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
    /// Where the page begins: `page.next` or `page.prev` of another page.
    #[param(max_length = 2000)]
    cursor: Option<String>,
    /// Also count all.
    count: bool,
}

impl Default for UserQuery {
    fn default() -> Self {
        Self { role: None, suspended: None, limit: DEFAULT_LIMIT, cursor: None, count: false }
    }
}

impl Parse for UserQuery {
    type Command = (UserFilter, PageRequest);

    fn parse(self, faults: &mut Faults) -> Option<Self::Command> {
        let Self { role, suspended, limit, cursor, count } = self;
        let page = page_request(limit, cursor.as_deref(), None, count, Some(ORDER), faults);
        Some((UserFilter { role, suspended }, page))
    }
}

/// The segment `{user}`.
#[derive(Debug)]
pub struct UserSegment;

impl IntoParams for UserSegment {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("user", "The id of a user.", "184467440737095516")]
    }
}

fn user_id(request: &HttpRequest) -> Result<UserId, Error> {
    id_segment(request, "user", "user")
}

fn answer(request: &HttpRequest, user: user::User) -> Result<HttpResponse, Error> {
    let version = user.version;
    Answer::private(request, User::from(user)).version(version).send()
}

/// List users
///
/// Administrators. By address.
#[utoipa::path(tag = "users", params(UserQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of users.", body = List<User>)))]
#[get("/users")]
pub async fn list_users(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    QueryInput((filter, page)): QueryInput<UserQuery>,
) -> Result<HttpResponse, Error> {
    let page = users::list(&newsroom, &principal, filter, page).await?;
    Answer::page(&request, &principal, page.map(User::from)).send()
}

/// Invite a user
///
/// Administrators. The user sets a password with the one-time link in the answer, within three days; nothing is sent to
/// them by this server.
#[utoipa::path(tag = "users", request_body = UserCreate, security(("bearer" = [])),
    responses((status = 201, description = "The user, and their invitation.", body = UserInvited)))]
#[post("/users")]
pub async fn create_user(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    Input(NewUser { email, name, role }): Input<UserCreate>,
) -> Result<HttpResponse, Error> {
    let (user, link) = users::invite(&newsroom, &principal, email, name, role).await?;
    let (location, version) = (format!("/v1/users/{}", user.id), user.version);
    let invited = UserInvited { user: user.into(), invitation: OneTimeLink::new(link, &newsroom.public_url) };
    Answer::private(&request, invited).version(version).created(location).send()
}

/// Get a user
///
/// Administrators. `/v1/me` is the caller.
#[utoipa::path(tag = "users", params(UserSegment), security(("bearer" = [])),
    responses((status = 200, description = "The user.", body = User)))]
#[get("/users/{user}")]
pub async fn get_user(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    answer(&request, users::get(&newsroom, &principal, user_id(&request)?).await?)
}

/// Edit a user
///
/// Administrators. A merge patch (RFC 7396). The last administrator who can work cannot be demoted or suspended (409).
#[utoipa::path(tag = "users", params(UserSegment, OptionalIfMatch), request_body = UserPatch,
    security(("bearer" = [])), responses((status = 200, description = "The user as they are now.", body = User)))]
#[patch("/users/{user}")]
pub async fn update_user(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
    if_match: OptionalIfMatch,
    Input(changes): Input<UserPatch>,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let id = user_id(&request)?;
    answer(&request, users::update(&newsroom, &principal, id, if_match.version(), changes).await?)
}

/// Delete a user
///
/// Administrators. With their sessions and API tokens. Somebody whose articles are still there cannot be deleted (409
/// `in_use`): suspend them.
#[utoipa::path(tag = "users", params(UserSegment), security(("bearer" = [])),
    responses((status = 204, description = "The user is gone.")))]
#[delete("/users/{user}")]
pub async fn delete_user(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    users::delete(&newsroom, &principal, user_id(&request)?).await?;
    Ok(answer::no_content())
}

/// Make a one-time link to set a password
///
/// Administrators. For somebody who has forgotten theirs, or whose invitation has expired. Links made before are dead;
/// the present password and sessions stay until the link is used.
#[utoipa::path(tag = "users", params(UserSegment), security(("bearer" = [])),
    responses((status = 201, description = "The link.", body = OneTimeLink)))]
#[post("/users/{user}/password-link")]
pub async fn create_password_link(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    let id = user_id(&request)?;
    let link = users::create_password_link(&newsroom, &principal, id).await?;
    let link = OneTimeLink::new(link, &newsroom.public_url);
    Answer::private(&request, link).created(format!("/v1/users/{id}")).send()
}

/// Reset a second factor
///
/// Administrators. For somebody who has lost it; the password alone lets them in until they have another.
#[utoipa::path(tag = "users", params(UserSegment), security(("bearer" = [])),
    responses((status = 204, description = "The second factor and its recovery codes are gone.")))]
#[delete("/users/{user}/second-factor")]
pub async fn reset_second_factor(
    request: HttpRequest,
    newsroom: Data<Newsroom>,
    Caller(principal): Caller,
    _: NoQuery,
) -> Result<HttpResponse, Error> {
    principal.user()?;
    second_factor::reset(&newsroom, &principal, user_id(&request)?).await?;
    Ok(answer::no_content())
}
