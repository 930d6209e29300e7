//! Users and set-up links in the database.

use diesel::prelude::*;

use super::{
    Lock,
    conn::Db,
    exclusive,
    schema::{authors, setup_links, users},
};
use crate::domain::{
    error::Error,
    id::{AuthorId, UserId},
    instant::Instant,
    user::{EmailAddress, Role, User, UserCard},
};

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
}

impl UserRow {
    fn into_user(self, author_id: Option<i64>) -> Result<User, Error> {
        Ok(User {
            id: UserId::new(self.id),
            email: self.email,
            name: self.name,
            role: self.role.parse()?,
            suspended: self.suspended,
            author_id: author_id.map(AuthorId::new),
            created_at: Instant::from_millis(self.created_at),
        })
    }
}

/// The user with this id.
pub fn find(db: &mut Db, id: UserId) -> Result<Option<User>, Error> {
    let row: Option<(UserRow, Option<i64>)> = users::table
        .left_join(authors::table.on(authors::user_id.eq(users::id.nullable())))
        .filter(users::id.eq(id.get()))
        .select((UserRow::as_select(), authors::id.nullable()))
        .first(db)
        .optional()?;
    row.map(|(row, author)| row.into_user(author)).transpose()
}

/// The user with this address, and the hash of their password.
pub fn find_by_email(db: &mut Db, email: &EmailAddress) -> Result<Option<(User, String)>, Error> {
    let row: Option<(UserRow, Option<i64>)> = users::table
        .left_join(authors::table.on(authors::user_id.eq(users::id.nullable())))
        .filter(users::email.eq(email.as_str().to_owned()))
        .select((UserRow::as_select(), authors::id.nullable()))
        .first(db)
        .optional()?;
    let Some((mut row, author)) = row else { return Ok(None) };
    let password_hash = std::mem::take(&mut row.password_hash);
    Ok(Some((row.into_user(author)?, password_hash)))
}

/// All users by address.
pub fn list(db: &mut Db) -> Result<Vec<User>, Error> {
    let rows: Vec<(UserRow, Option<i64>)> = users::table
        .left_join(authors::table.on(authors::user_id.eq(users::id.nullable())))
        .order(users::email)
        .select((UserRow::as_select(), authors::id.nullable()))
        .load(db)?;
    rows.into_iter().map(|(row, author)| row.into_user(author)).collect()
}

/// The number of users.
pub fn count(db: &mut Db) -> Result<i64, Error> {
    Ok(users::table.count().get_result(db)?)
}

/// Adds a user.
///
/// # Errors
/// 409 if another has the address.
pub fn insert(db: &mut Db, user: &User, password_hash: &str) -> Result<(), Error> {
    let row = UserRow {
        id: user.id.get(),
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role.as_str().to_owned(),
        suspended: user.suspended,
        password_hash: password_hash.to_owned(),
        created_at: user.created_at.millis(),
        updated_at: user.created_at.millis(),
    };
    diesel::insert_into(users::table).values(row).execute(db)?;
    Ok(())
}

/// Gives a user another password by its hash; an empty one is no password.
pub fn set_password_hash(db: &mut Db, id: UserId, password_hash: &str) -> Result<(), Error> {
    let set = users::password_hash.eq(password_hash.to_owned());
    diesel::update(users::table.find(id.get())).set(set).execute(db)?;
    Ok(())
}

/// Gives a user another role.
pub fn set_role(db: &mut Db, id: UserId, role: Role, now: Instant) -> Result<(), Error> {
    let set = (users::role.eq(role.as_str()), users::updated_at.eq(now.millis()));
    diesel::update(users::table.find(id.get())).set(set).execute(db)?;
    Ok(())
}

/// Whether no other user is an administrator who is not suspended.
pub fn is_last_admin(db: &mut Db, id: UserId) -> Result<bool, Error> {
    exclusive(db, Lock::Setup)?;
    let others = users::table
        .filter(users::id.ne(id.get()))
        .filter(users::role.eq(Role::Admin.as_str()))
        .filter(users::suspended.eq(false));
    let any: bool = diesel::select(diesel::dsl::exists(others)).get_result(db)?;
    Ok(!any)
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
