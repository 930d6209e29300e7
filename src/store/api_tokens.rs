//! API tokens in the database.

use diesel::prelude::*;

use super::{
    audit,
    conn::Db,
    from_json,
    schema::api_tokens,
    signals::{self, Signal},
    to_json,
};
use crate::domain::{
    api_token::ApiToken,
    error::Error,
    id::{ApiTokenId, UserId},
    instant::Instant,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_tokens)]
struct Row {
    id: i64,
    user_id: i64,
    name: String,
    prefix: String,
    token_hash: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    used_at: Option<i64>,
}

impl TryFrom<Row> for ApiToken {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: ApiTokenId::new(row.id),
            user_id: UserId::new(row.user_id),
            name: row.name,
            prefix: row.prefix,
            scopes: from_json("api_tokens.scopes", &row.scopes)?,
            created_at: Instant::from_millis(row.created_at),
            expires_at: row.expires_at.map(Instant::from_millis),
            used_at: row.used_at.map(Instant::from_millis),
        })
    }
}

/// Adds a token.
pub fn insert(db: &mut Db, token: &ApiToken, token_hash: &str) -> Result<(), Error> {
    let row = Row {
        id: token.id.get(),
        user_id: token.user_id.get(),
        name: token.name.clone(),
        prefix: token.prefix.clone(),
        token_hash: token_hash.to_owned(),
        scopes: to_json(&token.scopes)?,
        created_at: token.created_at.millis(),
        expires_at: token.expires_at.map(Instant::millis),
        used_at: None,
    };
    diesel::insert_into(api_tokens::table).values(row).execute(db)?;
    audit::about("api_token", token.id.get());
    Ok(())
}

/// The token with this hash.
pub fn find_by_hash(db: &mut Db, token_hash: &str) -> Result<Option<ApiToken>, Error> {
    let row: Option<Row> = api_tokens::table
        .filter(api_tokens::token_hash.eq(token_hash.to_owned()))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(ApiToken::try_from).transpose()
}

/// The token with this id.
pub fn find(db: &mut Db, id: ApiTokenId) -> Result<Option<ApiToken>, Error> {
    let row: Option<Row> = api_tokens::table.find(id.get()).select(Row::as_select()).first(db).optional()?;
    row.map(ApiToken::try_from).transpose()
}

/// The tokens of a user, the newest first.
pub fn list(db: &mut Db, user: UserId) -> Result<Vec<ApiToken>, Error> {
    let rows: Vec<Row> = api_tokens::table
        .filter(api_tokens::user_id.eq(user.get()))
        .order(api_tokens::id.desc())
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(ApiToken::try_from).collect()
}

/// The number of tokens of a user.
pub fn count(db: &mut Db, user: UserId) -> Result<i64, Error> {
    Ok(api_tokens::table.filter(api_tokens::user_id.eq(user.get())).count().get_result(db)?)
}

/// Notes that a token is used.
pub fn note_use(db: &mut Db, id: ApiTokenId, now: Instant) -> Result<(), Error> {
    diesel::update(api_tokens::table.find(id.get())).set(api_tokens::used_at.eq(now.millis())).execute(db)?;
    Ok(())
}

/// Revokes a token.
pub fn delete(db: &mut Db, token: &ApiToken) -> Result<(), Error> {
    diesel::delete(api_tokens::table.find(token.id.get())).execute(db)?;
    audit::about("api_token", token.id.get());
    signals::send(db, Signal::User(token.user_id))
}

/// Revokes all tokens of a user.
pub fn delete_all(db: &mut Db, user: UserId) -> Result<(), Error> {
    diesel::delete(api_tokens::table.filter(api_tokens::user_id.eq(user.get()))).execute(db)?;
    signals::send(db, Signal::User(user))
}
