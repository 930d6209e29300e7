//! A PostgreSQL server for tests that need one: that of `MASTHEAD_TEST_DATABASE_URL`, else one that is started here.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use tempfile::TempDir;
use url::Url;

/// The variable that makes the whole run use PostgreSQL.
pub const VARIABLE: &str = "MASTHEAD_TEST_DATABASE_URL";

/// The server that the whole run uses, if it uses one.
pub fn of_run() -> Option<Server> {
    std::env::var(VARIABLE).ok().map(|url| Server { url: url.parse().unwrap(), _started: None })
}

/// The server of the run, or one started for this test; it stops when the last test lets go of it. `None`, and a line
/// that says so, where no server can be had.
pub fn any() -> Option<Server> {
    static STARTED: Mutex<Weak<Started>> = Mutex::new(Weak::new());
    if let Some(server) = of_run() {
        return Some(server);
    }
    let mut shared = STARTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let started = shared.upgrade().map_or_else(|| Started::new().map(Arc::new), Ok);
    match started {
        Ok(started) => {
            *shared = Arc::downgrade(&started);
            Some(Server { url: started.url(), _started: Some(started) })
        }
        Err(reason) => {
            eprintln!("skipped: no PostgreSQL server ({reason})");
            None
        }
    }
}

/// A server on which databases can be made.
#[derive(Clone)]
pub struct Server {
    url: Url,
    _started: Option<Arc<Started>>,
}

impl Server {
    fn execute(&self, sql: &str) {
        PgConnection::establish(self.url.as_str()).unwrap().batch_execute(sql).unwrap();
    }
}

/// A database of one test, gone at its end.
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    pub fn create(server: Server) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("masthead_test_{}_{number}", std::process::id());
        // One left behind by a run that was killed.
        server.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        server.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        Self { server, name }
    }

    pub fn url(&self) -> String {
        let mut url = self.server.url.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// Does this to the database, beside whoever uses it.
    pub fn execute(&self, sql: &str) {
        PgConnection::establish(&self.url()).unwrap().batch_execute(sql).unwrap();
    }

    /// Lets nobody connect any more, and cuts those off who listen for notifications.
    pub fn deafen(&self) {
        let name = &self.name;
        self.server.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        self.server.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = '{name}' AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
        ));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Ok(mut connection) = PgConnection::establish(self.server.url.as_str()) else { return };
        if let Err(error) = connection.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("database {} remains: {error}", self.name);
        }
    }
}

/// A server in a temporary folder that listens on a socket there and nowhere else.
struct Started {
    programs: PathBuf,
    folder: TempDir,
}

impl Started {
    fn new() -> Result<Self, String> {
        let output = Command::new("pg_config")
            .arg("--bindir")
            .output()
            .map_err(|error| format!("pg_config: {error}"))?;
        let programs = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if !programs.join("initdb").exists() {
            return Err(format!("no initdb in {}", programs.display()));
        }
        // A path to a socket has at most 107 bytes.
        let folder =
            tempfile::Builder::new().prefix("masthead-pg-").tempdir_in("/tmp").map_err(|e| e.to_string())?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let server = Self { programs, folder };
        let data = server.data();
        run(server
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
            .arg("--no-sync")
            .arg("-D")
            .arg(&data))?;
        let options = format!("-c listen_addresses= -c fsync=off -k {}", server.folder.path().display());
        run(server
            .program("pg_ctl")
            .args(["start", "--wait", "--silent", "-o", &options])
            .arg("-l")
            .arg(server.folder.path().join("log"))
            .arg("-D")
            .arg(&data))?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The server refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&path) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(path);
        }
        command.current_dir(self.folder.path());
        command
    }

    fn url(&self) -> Url {
        let mut url: Url = "postgres:///postgres?user=postgres".parse().unwrap();
        url.query_pairs_mut().append_pair("host", &self.folder.path().display().to_string());
        url
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        if let Err(reason) = run(stop.args(["stop", "--mode=immediate", "--silent", "-D"]).arg(self.data())) {
            eprintln!("a PostgreSQL server goes on running: {reason}");
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}

fn run(command: &mut Command) -> Result<(), String> {
    // Not a pipe for the output: the server would hold it open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
