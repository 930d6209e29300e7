//! Users: make.

use secrecy::{ExposeSecret as _, SecretString};

use super::Newsroom;
use crate::{
    domain::{
        error::{Error, Fault, Faults},
        id::UserId,
        text,
        user::{EmailAddress, Role, User},
    },
    store::users,
};

/// The shortest password, in characters.
pub const MIN_PASSWORD: usize = 12;
/// The longest password, in characters.
pub const MAX_PASSWORD: usize = 128;

/// Tells what is wrong with a new password at `pointer`. It must be long enough and not easy to guess, least of all for
/// those who know the user's own words: address and name.
pub fn check_password(faults: &mut Faults, pointer: &str, password: &SecretString, own_words: &[&str]) {
    let password = password.expose_secret();
    let length = password.chars().count();
    if length < MIN_PASSWORD {
        let message = format!("must be at least {MIN_PASSWORD} characters");
        faults.push(Fault::body(pointer, "too_short", message).with("min", MIN_PASSWORD));
    } else if length > MAX_PASSWORD {
        let message = format!("must be at most {MAX_PASSWORD} characters");
        faults.push(Fault::body(pointer, "too_long", message).with("max", MAX_PASSWORD));
    } else if zxcvbn::zxcvbn(password, own_words).score() < zxcvbn::Score::Two {
        faults.add(
            pointer,
            "too_weak",
            "is easy to guess; take several words that have nothing to do with each other",
        );
    }
}

/// A user who may be made, and the hash of their password.
pub(super) async fn prepare(
    newsroom: &Newsroom,
    email: EmailAddress,
    name: &str,
    role: Role,
    password: SecretString,
) -> Result<(User, String), Error> {
    let mut faults = Faults::default();
    let line = text::line(&mut faults, "/name", name, 200);
    check_password(&mut faults, "/password", &password, &[email.as_str(), name]);
    faults.check()?;
    let password_hash = newsroom.passwords.hash(password).await?;
    let user = User {
        id: UserId::new(newsroom.ids.next()),
        email: email.as_str().to_owned(),
        name: line.unwrap_or_default(),
        role,
        suspended: false,
        author_id: None,
        created_at: newsroom.clock.now(),
    };
    Ok((user, password_hash))
}

/// Makes a user, for whoever runs the server; no principal is asked.
///
/// # Errors
/// 409 if another has the address; 422 if the name or the password will not do.
pub async fn add(
    newsroom: &Newsroom,
    email: EmailAddress,
    name: String,
    role: Role,
    password: SecretString,
) -> Result<User, Error> {
    let (user, password_hash) = prepare(newsroom, email, &name, role, password).await?;
    newsroom
        .store
        .write(move |db| {
            users::insert(db, &user, &password_hash)?;
            Ok(user)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(password: &str) -> Vec<&'static str> {
        let mut faults = Faults::default();
        check_password(&mut faults, "/password", &password.into(), &["ada@example.org", "Ada Lovelace"]);
        faults.into_vec().into_iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn passwords_are_long_and_hard_to_guess() {
        assert_eq!(codes("kXv8#qPz2!w"), ["too_short"]);
        assert_eq!(codes(&"kXv8#qPz2!w".repeat(12)), ["too_long"]);
        assert_eq!(codes("passwordpassword"), ["too_weak"]);
        assert_eq!(codes("aaaaaaaaaaaa"), ["too_weak"]);
        assert_eq!(codes("ada@example.org"), ["too_weak"]);
        assert!(codes("correct horse battery").is_empty());
    }
}
