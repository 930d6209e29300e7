//! Users and their one-time links in the database.

use diesel::prelude::*;

use super::{
    Lock, audit,
    conn::{Backend, Db},
    exclusive,
    schema::{authors, password_links, second_factors, setup_links, users},
    signals::{self, Signal},
};
use crate::domain::{
    error::{Error, ErrorCode},
    id::{AuthorId, UserId},
    instant::Instant,
    page::{Page, PageRequest, SortValue},
    user::{EmailAddress, Role, User, UserCard, UserFilter},
};

/// The only order of a list of users: by address.
pub const ORDER: &str = "email";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
struct UserRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    suspended: bool,
    password_hash: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

/// A user with the id of their author profile, and when their second factor was confirmed.
type Row = (UserRow, Option<i64>, Option<i64>);

/// Users with what belongs to them.
macro_rules! user_rows {
    () => {
        users::table
            .left_join(authors::table.on(authors::user_id.eq(users::id.nullable())))
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .select((UserRow::as_select(), authors::id.nullable(), second_factors::confirmed_at.nullable()))
    };
}

fn read((row, author_id, confirmed_at): Row) -> Result<User, Error> {
    Ok(User {
        id: UserId::new(row.id),
        email: row.email,
        name: row.name,
        role: row.role.parse()?,
        suspended: row.suspended,
        has_password: !row.password_hash.is_empty(),
        has_second_factor: confirmed_at.is_some(),
        author_id: author_id.map(AuthorId::new),
        version: row.version,
        created_at: Instant::from_millis(row.created_at),
        updated_at: Instant::from_millis(row.updated_at),
    })
}

/// The user with this id.
pub fn find(db: &mut Db, id: UserId) -> Result<Option<User>, Error> {
    let row: Option<Row> = user_rows!().filter(users::id.eq(id.get())).first(db).optional()?;
    row.map(read).transpose()
}

/// The user with this id, or 404.
///
/// # Errors
/// 404 if there is none.
pub fn get(db: &mut Db, id: UserId) -> Result<User, Error> {
    find(db, id)?.ok_or_else(|| Error::not_found("user"))
}

/// The user with this address, and the hash of their password, if they have one.
pub fn find_by_email(db: &mut Db, email: &EmailAddress) -> Result<Option<(User, Option<String>)>, Error> {
    let row: Option<Row> =
        user_rows!().filter(users::email.eq(email.as_str().to_owned())).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    let password_hash = Some(row.0.password_hash.clone()).filter(|hash| !hash.is_empty());
    Ok(Some((read(row)?, password_hash)))
}

/// The hash of a user's password, if they have one.
pub fn password_hash(db: &mut Db, id: UserId) -> Result<Option<String>, Error> {
    let hash: Option<String> =
        users::table.find(id.get()).select(users::password_hash).first(db).optional()?;
    Ok(hash.filter(|hash| !hash.is_empty()))
}

/// All users by address.
pub fn all(db: &mut Db) -> Result<Vec<User>, Error> {
    let rows: Vec<Row> = user_rows!().order(users::email).load(db)?;
    rows.into_iter().map(read).collect()
}

/// A page of users by address.
pub fn list(db: &mut Db, filter: &UserFilter, request: &PageRequest) -> Result<Page<User>, Error> {
    let total = if request.count {
        let mut query = users::table.into_boxed::<Backend>();
        if let Some(role) = filter.role {
            query = query.filter(users::role.eq(role.as_str()));
        }
        if let Some(suspended) = filter.suspended {
            query = query.filter(users::suspended.eq(suspended));
        }
        Some(query.count().get_result(db)?)
    } else {
        None
    };
    let mut query = user_rows!().limit(request.fetch()).into_boxed::<Backend>();
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role.as_str()));
    }
    if let Some(suspended) = filter.suspended {
        query = query.filter(users::suspended.eq(suspended));
    }
    if let Some(cursor) = request.cursor() {
        let SortValue::Text(email) = cursor.value.clone() else {
            return Err(Error::invalid_parameter("cursor", "bad_format", "is not a cursor of this list"));
        };
        query = if request.backwards() {
            query.filter(users::email.lt(email))
        } else {
            query.filter(users::email.gt(email))
        };
    }
    query =
        if request.backwards() { query.order(users::email.desc()) } else { query.order(users::email.asc()) };
    let rows: Vec<Row> = query.load(db)?;
    let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let key = |user: &User| (SortValue::Text(user.email.clone()), user.id.get());
    Ok(Page::from_rows(found, request, ORDER, total, key))
}

/// The number of users.
pub fn count(db: &mut Db) -> Result<i64, Error> {
    Ok(users::table.count().get_result(db)?)
}

/// Holds the set of administrators to the end of the transaction, and tells whether there is another one who can work.
pub fn has_other_admin(db: &mut Db, id: UserId) -> Result<bool, Error> {
    exclusive(db, Lock::Administrators)?;
    let others = users::table
        .filter(users::role.eq(Role::Admin.as_str()))
        .filter(users::suspended.eq(false))
        .filter(users::id.ne(id.get()));
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(db)?)
}

/// Adds a user. Without a hash no password is theirs.
///
/// # Errors
/// 409 if another has the address.
pub fn insert(db: &mut Db, user: &User, password_hash: Option<&str>) -> Result<(), Error> {
    let row = UserRow {
        id: user.id.get(),
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role.as_str().to_owned(),
        suspended: user.suspended,
        password_hash: password_hash.unwrap_or_default().to_owned(),
        created_at: user.created_at.millis(),
        updated_at: user.updated_at.millis(),
        version: user.version,
    };
    diesel::insert_into(users::table).values(row).execute(db)?;
    audit::about("user", user.id.get());
    Ok(())
}

/// Writes address, name, role and suspension over the version before; false if somebody else has changed the user.
///
/// # Errors
/// 409 if another has the address.
pub fn update(db: &mut Db, user: &User) -> Result<bool, Error> {
    let target = users::table.find(user.id.get()).filter(users::version.eq(user.version - 1));
    let updated = diesel::update(target)
        .set((
            users::email.eq(&user.email),
            users::name.eq(&user.name),
            users::role.eq(user.role.as_str()),
            users::suspended.eq(user.suspended),
            users::version.eq(user.version),
            users::updated_at.eq(user.updated_at.millis()),
        ))
        .execute(db)?;
    audit::about("user", user.id.get());
    signals::send(db, Signal::User(user.id))?;
    Ok(updated == 1)
}

/// Gives a user another password, or none.
pub fn set_password(db: &mut Db, id: UserId, password_hash: Option<&str>, at: Instant) -> Result<(), Error> {
    diesel::update(users::table.find(id.get()))
        .set((
            users::password_hash.eq(password_hash.unwrap_or_default().to_owned()),
            users::version.eq(users::version + 1),
            users::updated_at.eq(at.millis()),
        ))
        .execute(db)?;
    audit::about("user", id.get());
    signals::send(db, Signal::User(id))
}

/// Deletes a user with all that is only theirs.
///
/// # Errors
/// 409 `in_use` if something that they made is still there.
pub fn delete(db: &mut Db, id: UserId) -> Result<(), Error> {
    diesel::delete(users::table.find(id.get())).execute(db).map_err(|error| match Error::from(error) {
        Error::Other(ErrorCode::Conflict, _) => Error::Other(
            ErrorCode::InUse,
            "Articles or other things of this user are still there. Suspend the user instead.".to_owned(),
        ),
        error => error,
    })?;
    audit::about("user", id.get());
    signals::send(db, Signal::User(id))
}

/// Adds a one-time link with which a user sets a password; those before end.
pub fn insert_password_link(
    db: &mut Db,
    id: UserId,
    token_hash: &str,
    expires_at: Instant,
) -> Result<(), Error> {
    delete_password_links(db, id)?;
    let row = (
        password_links::token_hash.eq(token_hash.to_owned()),
        password_links::user_id.eq(id.get()),
        password_links::expires_at.eq(expires_at.millis()),
    );
    diesel::insert_into(password_links::table).values(row).execute(db)?;
    audit::about("user", id.get());
    Ok(())
}

/// Whose link this is, unless it has expired.
pub fn find_password_link(db: &mut Db, token_hash: &str, now: Instant) -> Result<Option<UserId>, Error> {
    let link = password_links::table
        .filter(password_links::token_hash.eq(token_hash.to_owned()))
        .filter(password_links::expires_at.gt(now.millis()));
    let id: Option<i64> = link.select(password_links::user_id).first(db).optional()?;
    Ok(id.map(UserId::new))
}

/// Uses up a link; false if somebody else just has.
pub fn consume_password_link(db: &mut Db, token_hash: &str) -> Result<bool, Error> {
    Ok(diesel::delete(password_links::table.find(token_hash.to_owned())).execute(db)? == 1)
}

/// Ends all links of a user.
pub fn delete_password_links(db: &mut Db, id: UserId) -> Result<(), Error> {
    diesel::delete(password_links::table.filter(password_links::user_id.eq(id.get()))).execute(db)?;
    Ok(())
}

/// Begins what only a newsroom without users may do: false if there are users. Until the transaction ends nobody else
/// gets past here.
pub fn begin_setup(db: &mut Db) -> Result<bool, Error> {
    exclusive(db, Lock::Setup)?;
    Ok(count(db)? == 0)
}

/// Adds a set-up link by the hash of its token.
pub fn insert_setup_link(db: &mut Db, token_hash: &str, expires_at: Instant) -> Result<(), Error> {
    let row =
        (setup_links::token_hash.eq(token_hash.to_owned()), setup_links::expires_at.eq(expires_at.millis()));
    diesel::insert_into(setup_links::table).values(row).execute(db)?;
    Ok(())
}

/// Whether there is such a set-up link and it has not expired.
pub fn has_setup_link(db: &mut Db, token_hash: &str, now: Instant) -> Result<bool, Error> {
    let link = setup_links::table
        .filter(setup_links::token_hash.eq(token_hash.to_owned()))
        .filter(setup_links::expires_at.gt(now.millis()));
    Ok(diesel::select(diesel::dsl::exists(link)).get_result(db)?)
}

/// Uses up a set-up link; false if there is none or it has expired.
pub fn consume_setup_link(db: &mut Db, token_hash: &str, now: Instant) -> Result<bool, Error> {
    let link = setup_links::table
        .filter(setup_links::token_hash.eq(token_hash.to_owned()))
        .filter(setup_links::expires_at.gt(now.millis()));
    Ok(diesel::delete(link).execute(db)? == 1)
}

/// Deletes all set-up links.
pub fn delete_setup_links(db: &mut Db) -> Result<(), Error> {
    diesel::delete(setup_links::table).execute(db)?;
    Ok(())
}

/// These users as others see them; none costs no statement.
pub fn cards(db: &mut Db, ids: &[UserId]) -> Result<Vec<UserCard>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<(i64, String)> =
        users::table.filter(users::id.eq_any(ids)).select((users::id, users::name)).load(db)?;
    Ok(rows.into_iter().map(|(id, name)| UserCard { id: UserId::new(id), name }).collect())
}
