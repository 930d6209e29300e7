//! The program itself: it starts on nothing, serves until it is told to stop, and keeps what it acknowledged.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// A server on its own data, with settings as a user would give them.
struct Server {
    process: Child,
    url: String,
    /// Kept open: what it prints must have somewhere to go.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(data: &Path, log: &str) -> Self {
        let mut command = command(data);
        command.arg("serve").env("MASTHEAD_LISTEN", "127.0.0.1:0").env("MASTHEAD_LOG", log);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { process, url, _stdout: stdout }
    }

    async fn status(&self, path: &str) -> u16 {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().status().as_u16()
    }

    fn end(mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.process.wait().unwrap()
    }
}

pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_masthead"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MASTHEAD_")) {
        command.env_remove(name);
    }
    command.current_dir(data).env("MASTHEAD_DATA", data);
    command
}

#[actix_web::test]
async fn it_serves_until_it_is_told_to_stop_whatever_it_logs() {
    for log in ["off", "info"] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), log);
        for path in
            ["/healthz", "/readyz", "/v1/articles", "/docs/", "/openapi.json", "/problems/stale", "/setup"]
        {
            assert_eq!(server.status(path).await, 200, "{path} with log={log}");
        }
        assert!(server.end("-TERM").success());
    }
}

#[actix_web::test]
async fn who_waits_for_changes_does_not_keep_it_from_stopping() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "off");
    let poll = reqwest::get(format!("{}/v1/changes?since=latest&wait=60", server.url));
    let poll = actix_web::rt::spawn(poll);
    let mut stream = reqwest::get(format!("{}/v1/changes/stream?since=latest", server.url)).await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some(), "it has begun");
    let stopping = std::thread::spawn(move || server.end("-TERM"));
    // Both come to their end as they should, and are not cut off.
    while stream.chunk().await.unwrap().is_some() {}
    match poll.await.unwrap() {
        Ok(answer) => assert_eq!(answer.status(), 200),
        // It came too late to be let in.
        Err(error) => assert!(error.is_connect() || error.is_request(), "{error:?}"),
    }
    assert!(stopping.join().unwrap().success());
}

#[actix_web::test]
async fn what_was_acknowledged_survives_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let password = "correct horse battery staple 7";
    let migrated = command(data.path()).arg("migrate").stdout(Stdio::null()).status().unwrap();
    assert!(migrated.success());
    let add = ["user", "add", "--email", "ada@courier.example", "--name", "Ada", "--role", "editor"];
    let added =
        command(data.path()).args(add).env("MASTHEAD_PASSWORD", password).stdout(Stdio::null()).status();
    assert!(added.unwrap().success());

    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let server = Server::start(data.path(), "off");
        let client = reqwest::Client::new();
        let credentials = serde_json::json!({"email": "ada@courier.example", "password": password});
        let login =
            client.post(format!("{}/v1/auth/login", server.url)).json(&credentials).send().await.unwrap();
        let token =
            login.json::<serde_json::Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
        for slug in &acknowledged {
            assert_eq!(server.status(&format!("/v1/tags/{slug}")).await, 200, "{slug} was acknowledged");
        }
        for number in 0..20 {
            let name = format!("Tag {round} {number}");
            let tag = client.post(format!("{}/v1/tags", server.url)).bearer_auth(&token);
            let made = tag.json(&serde_json::json!({ "name": name })).send().await.unwrap();
            assert_eq!(made.status(), 201);
            acknowledged
                .push(made.json::<serde_json::Value>().await.unwrap()["slug"].as_str().unwrap().to_owned());
        }
        assert!(!server.end("-KILL").success());
    }
}
