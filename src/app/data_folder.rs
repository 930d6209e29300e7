//! The files that the server keeps: their folder, the key, the place of the SQLite database.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::error::Error;

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::Internal(format!("{what} {}: {error}", path.display()))
}

/// Makes a folder, and those above it, for its owner only. One that is there stays as it is.
pub(super) fn make(folder: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed("cannot make the folder", folder, &error))
}

/// Makes the folder of a SQLite database and checks that SQLite can write there: it keeps files beside the database.
pub(super) fn prepare_sqlite(database: &Path) -> Result<(), Error> {
    let folder = match database.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(Error::Internal(format!("{} cannot be a database", database.display()))),
    };
    make(folder)?;
    if database.is_dir() {
        return Err(Error::Internal(format!("the database {} is a folder", database.display())));
    }
    let probe = beside(&folder.join("masthead"), "probe");
    let written =
        OpenOptions::new().write(true).create_new(true).open(&probe).and_then(|_| fs::remove_file(&probe));
    written.map_err(|error| {
        failed("the database needs a folder that can be written, which this is not:", folder, &error)
    })?;
    match OpenOptions::new().read(true).write(true).open(database) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("cannot open the database", database, &error))
        }
        _ => Ok(()),
    }
}

/// A name beside `path` that no other process uses.
fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_extension(format!("{:016x}.{what}", rand::random::<u64>()))
}

/// Reads the key, or makes one. Of two that start at once, one makes it and the other reads that.
pub(super) fn load_or_make_key(
    path: &Path,
    generate: impl Fn() -> Result<SecretString, Error>,
) -> Result<SecretString, Error> {
    if let Some(folder) = path.parent() {
        make(folder)?;
    }
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    // Written whole under another name first: a key is never seen half written. A link does not replace what is there.
    let temporary = beside(path, "new");
    let made = write_key(&temporary, &generate()?).and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("cannot make the key", path, &error));
        }
        _ => removed.map_err(|error| failed("cannot remove", &temporary, &error))?,
    }
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("cannot keep", path, &error))?;
    }
    read_key(path)?.ok_or_else(|| Error::Internal(format!("the key {} is gone", path.display())))
}

/// Puts another key in the place of the one that is there.
pub(super) fn replace_key(path: &Path, key: &SecretString) -> Result<(), Error> {
    let temporary = beside(path, "new");
    write_key(&temporary, key)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()))
        .map_err(|error| failed("cannot replace the key", path, &error))
}

/// Tells one key file from the next: [`replace_key`] changes this. `None` while it cannot be looked at.
pub(super) fn stamp(path: &Path) -> Option<(u64, i64, i64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

fn write_key(path: &Path, key: &SecretString) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.expose_secret().as_bytes())?;
    file.sync_all()
}

pub(super) fn read_key(path: &Path) -> Result<Option<SecretString>, Error> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("cannot read the key", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| failed("cannot read the key", path, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Error::Internal(format!(
            "the key {path} can be reached by others (mode {mode:04o}): whoever reads it can sign tokens. \
             Delete it if somebody may have read it, else run: chmod 600 {path}"
        )));
    }
    io::read_to_string(&mut file)
        .map(|text| Some(text.into()))
        .map_err(|error| failed("cannot read the key", path, &error))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn key(text: &str) -> impl Fn() -> Result<SecretString, Error> {
        let text = text.to_owned();
        move || Ok(text.clone().into())
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/access-token.pem");
        assert_eq!(load_or_make_key(&path, key("one")).unwrap().expose_secret(), "one");
        assert_eq!(load_or_make_key(&path, key("two")).unwrap().expose_secret(), "one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_replaced_key_is_told_from_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access-token.pem");
        load_or_make_key(&path, key("one")).unwrap();
        let before = stamp(&path);
        assert_eq!(stamp(&path), before);
        replace_key(&path, &"two".into()).unwrap();
        assert_ne!(stamp(&path), before);
        assert_eq!(read_key(&path).unwrap().unwrap().expose_secret(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn who_comes_second_takes_the_key_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access-token.pem");
        let calls = AtomicU32::new(0);
        let generate = || {
            // Another start makes its key between our look and our making.
            calls.fetch_add(1, Ordering::Relaxed);
            write_key(&path, &"first".into()).unwrap();
            Ok("second".into())
        };
        assert_eq!(load_or_make_key(&path, generate).unwrap().expose_secret(), "first");
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access-token.pem");
        load_or_make_key(&path, key("one")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_or_make_key(&path, key("two")).unwrap_err().to_string();
        assert!(
            error.contains("mode 0640") && error.contains("chmod 600") && !error.contains("one\n"),
            "{error}"
        );
    }

    #[test]
    fn the_folder_of_a_database_is_made() {
        let folder = tempfile::tempdir().unwrap();
        prepare_sqlite(&folder.path().join("a/b/masthead.db")).unwrap();
        assert!(folder.path().join("a/b").is_dir());
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_or_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(prepare_sqlite(&folder.path().join("file/masthead.db")).is_err());
        let error = prepare_sqlite(Path::new("/proc/masthead.db")).unwrap_err().to_string();
        assert!(error.contains("folder that can be written"), "{error}");
        assert!(prepare_sqlite(folder.path()).is_err());
    }
}
