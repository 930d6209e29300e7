//! Passwords: which will do, and their hashes.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use argon2::{
    Algorithm as Argon2Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    Version,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Semaphore, oneshot};

use crate::domain::error::{Error, ErrorCode, Fault, Faults};

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

/// Passwords that may wait to be hashed, for each that is being hashed, before more are turned away.
const QUEUE_PER_HASH: usize = 64;

/// How much the threads that hash stand back behind those that answer: `nice` in the sense of POSIX. When there is enough
/// for all to do, they get a tenth of a core each.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce(&Argon2<'static>) + Send>;

/// Hashes passwords with Argon2id, a bounded number at a time, on threads of its own that do not keep others from
/// answering.
pub struct PasswordHasher {
    jobs: mpsc::Sender<Job>,
    places: Arc<Semaphore>,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("places", &self.places.available_permits())
            .finish_non_exhaustive()
    }
}

impl PasswordHasher {
    /// Hashes this many passwords at a time, each of which takes 19 MiB.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn new(concurrency: usize) -> Result<Self, Error> {
        let concurrency = concurrency.clamp(1, 1024);
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..concurrency {
            let queue = Arc::clone(&queue);
            let spawned = thread::Builder::new().name("passwords".to_owned()).spawn(move || hash_all(&queue));
            spawned.map_err(|error| Error::internal("starting a thread", error))?;
        }
        Ok(Self { jobs, places: Arc::new(Semaphore::new(concurrency * (QUEUE_PER_HASH + 1))) })
    }

    /// The hash of a password, as a PHC string with a salt of its own.
    ///
    /// # Errors
    /// 503 when too many passwords wait to be hashed.
    pub async fn hash(&self, password: SecretString) -> Result<String, Error> {
        self.run(move |argon2| {
            let hash: Result<PasswordHash, _> = argon2.hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal("hashing a password", error))
        })
        .await
    }

    /// Whether a password has this hash. Without a hash, for a user whom nobody knows or who has no password, the answer
    /// is no after the same work.
    ///
    /// # Errors
    /// 503 when too many passwords wait to be hashed.
    pub async fn verify(&self, phc: Option<String>, password: SecretString) -> Result<bool, Error> {
        self.run(move |argon2| {
            let known = phc.is_some();
            let phc = phc.unwrap_or_else(decoy);
            let hash =
                PasswordHash::new(&phc).map_err(|error| Error::internal("reading a password hash", error))?;
            Ok(argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || {
            Error::Other(ErrorCode::Busy, "Too many people log in at this moment; try again soon.".to_owned())
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |argon2| {
            // Whoever has gone away wants nothing done.
            if !done.is_closed() {
                let _ = done.send(work(argon2));
            }
            drop(place);
        });
        let stopped = || Error::Internal("the threads that hash passwords have stopped".to_owned());
        self.jobs.send(job).map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
    }
}

/// Does jobs until nobody can give any more.
fn hash_all(queue: &Mutex<mpsc::Receiver<Job>>) {
    // On Linux this is of the thread. Where it is refused, hashing is as urgent as everything else.
    let _ = rustix::process::nice(NICE);
    // 19,456 KiB, two passes, one lane: what OWASP's password storage cheat sheet has for Argon2id.
    let argon2 = Argon2::new(Argon2Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job(&argon2);
    }
}

/// A hash that no password is known to have, and that takes as long to check as any other.
fn decoy() -> String {
    let params = Params::DEFAULT;
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
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

    #[tokio::test]
    async fn a_password_has_its_own_hash_only() {
        let passwords = PasswordHasher::new(2).unwrap();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Some(hash.clone()), "correct horse battery".into()).await.unwrap());
        assert!(!passwords.verify(Some(hash), "wrong horse battery".into()).await.unwrap());
        assert!(!passwords.verify(None, "correct horse battery".into()).await.unwrap());
        assert!(PasswordHash::new(&decoy()).is_ok());
    }
}
