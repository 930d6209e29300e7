//! The harness: a server with a database of its own for each test, and clients of every role.
//!
//! ```ignore
//! let app = TestApp::start().await;
//! let tag = app.author().await.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
//! app.anonymous().get("/v1/tags/port").await.expect(200);
//! app.anonymous().post("/v1/tags", json!({})).await.problem(401, "unauthenticated");
//! ```
//!
//! Every answer is checked against the OpenAPI document on its way; [`Client::raw`] is for paths that it does not have.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, LazyLock, mpsc},
    thread,
};

use actix_web::dev::ServerHandle;
use masthead::{
    domain::{
        identity::OidcSettings,
        user::{Role, User},
    },
    http::options::HttpOptions,
    service::{
        Newsroom, NewsroomOptions,
        auth::{self, AccessTokens},
        signing_keys, users,
    },
    store::{Store, StoreOptions},
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex as AsyncMutex;

use crate::{postgres, secrets::Secrets, spec};

/// Of every user that the harness makes.
pub const PASSWORD: &str = "salt-marsh-ferry-timetable-49";

/// Where others would reach the server; it is not there.
pub const PUBLIC_URL: &str = "https://cms.newsroom.example";

/// A server of one test.
pub struct TestApp {
    /// What the server serves. Its clock can be advanced.
    pub newsroom: Newsroom,
    address: SocketAddr,
    http: reqwest::Client,
    /// By e-mail address.
    clients: AsyncMutex<HashMap<String, Client>>,
    server: Option<(ServerHandle, thread::JoinHandle<()>)>,
    database: Database,
    secrets: Secrets,
}

enum Database {
    /// Somebody else's, by its URL.
    Borrowed(String),
    Sqlite(TempDir),
    Postgres(postgres::Database),
}

impl Database {
    fn create() -> Self {
        match postgres::of_run() {
            Some(server) => Self::Postgres(postgres::Database::create(server)),
            None => Self::Sqlite(tempfile::tempdir().unwrap()),
        }
    }

    fn sqlite_path(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(folder) => Some(folder.path().join("newsroom.db")),
            Self::Postgres(_) | Self::Borrowed(_) => None,
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}/newsroom.db", folder.path().display()),
            Self::Postgres(database) => database.url(),
            Self::Borrowed(url) => url.clone(),
        }
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with_tokens_for(10).await
    }

    /// One whose access tokens live so many minutes, for tests that advance the clock a lot.
    pub async fn start_with_tokens_for(minutes: u32) -> Self {
        Self::launch(minutes, HttpOptions::default(), None).await
    }

    /// One that lets requests in as these options say.
    pub async fn start_with(options: HttpOptions) -> Self {
        Self::launch(10, options, None).await
    }

    /// One with single sign-on.
    pub async fn start_with_oidc(settings: OidcSettings) -> Self {
        Self::launch(10, HttpOptions::default(), Some(settings)).await
    }

    async fn launch(minutes: u32, http_options: HttpOptions, oidc: Option<OidcSettings>) -> Self {
        static KEY: LazyLock<SecretString> = LazyLock::new(|| auth::generate_key().unwrap());
        Self::start_on(Database::create(), 1, &KEY, minutes, http_options, oidc).await
    }

    async fn start_on(
        database: Database,
        node: u16,
        key: &SecretString,
        minutes: u32,
        http_options: HttpOptions,
        oidc: Option<OidcSettings>,
    ) -> Self {
        let secrets = Secrets::new();
        secrets.add(PASSWORD);
        let options = StoreOptions {
            url: database.url().parse().unwrap(),
            connections: 4,
            synchronous: Default::default(),
        };
        let store = Store::open(&options).unwrap();
        store.migrate().unwrap();
        let options = NewsroomOptions {
            node,
            tokens: AccessTokens::from_pem(key, minutes).unwrap(),
            password_hashing_concurrency: 2,
            session_days: 30,
            public_url: PUBLIC_URL.to_owned(),
            oidc,
        };
        let newsroom = Newsroom::open(store, options).unwrap();
        signing_keys::announce(&newsroom).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (started, starting) = mpsc::channel();
        let served = newsroom.clone();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = masthead::app::serve(&served, listener, 2, &http_options).unwrap();
                drop(served);
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = starting.recv().expect("the server starts");
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (clients, server) = (AsyncMutex::default(), Some((handle, thread)));
        Self { newsroom, address, http, clients, server, database, secrets }
    }

    /// Another server on the same database, with a key of its own.
    pub async fn another_node(&self) -> Self {
        let database = Database::Borrowed(self.database.url());
        let key = auth::generate_key().unwrap();
        Self::start_on(database, 2, &key, 10, HttpOptions::default(), None).await
    }

    /// Logs in; the answer has the tokens.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.anonymous().post("/v1/auth/login", json!({"email": email, "password": password})).await
    }

    /// A session of this user beside the one that the harness has.
    pub async fn another_session(&self, client: &Client) -> (Client, String) {
        let answer = self.log_in(&client.user().email, PASSWORD).await.expect(200);
        let refresh_token = answer.json["refresh_token"].as_str().unwrap().to_owned();
        (
            Client { user: client.user.clone(), ..self.with_token(answer.json["access_token"].as_str()) },
            refresh_token,
        )
    }

    /// The file with the data; `None` on PostgreSQL.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.database.sqlite_path()
    }

    /// Does this to the PostgreSQL database beside the server; false on SQLite.
    pub fn on_postgres(&self, sql: &str) -> bool {
        match &self.database {
            Database::Postgres(database) => database.execute(sql),
            Database::Sqlite(_) | Database::Borrowed(_) => return false,
        }
        true
    }

    /// Lets nobody connect to the PostgreSQL database any more, and cuts those off who hear of changes there; false on
    /// SQLite.
    pub fn deafen(&self) -> bool {
        match &self.database {
            Database::Postgres(database) => database.deafen(),
            Database::Sqlite(_) | Database::Borrowed(_) => return false,
        }
        true
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the test fail if this is in the log.
    pub fn keep_secret(&self, secret: &str) {
        self.secrets.add(secret);
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn anonymous(&self) -> Client {
        self.with_token(None)
    }

    /// A client that sends this as its token.
    pub fn with_token(&self, token: Option<&str>) -> Client {
        let (http, origin) = (self.http.clone(), self.origin());
        Client {
            http,
            origin,
            token: token.map(Arc::from),
            raw: false,
            headers: HeaderMap::new(),
            user: None,
            secrets: self.secrets.clone(),
        }
    }

    pub async fn contributor(&self) -> Client {
        self.user(Role::Contributor, "Cleo Contributor").await
    }

    pub async fn author(&self) -> Client {
        self.user(Role::Author, "Ada Author").await
    }

    pub async fn editor(&self) -> Client {
        self.user(Role::Editor, "Edda Editor").await
    }

    pub async fn admin(&self) -> Client {
        self.user(Role::Admin, "Abe Admin").await
    }

    /// A user of a role with a name, made and logged in when first asked for. Each costs two password hashes.
    pub async fn user(&self, role: Role, name: &str) -> Client {
        let email = format!("{}.{role}@newsroom.example", name.to_lowercase().replace(' ', "."));
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&email) {
            return client.clone();
        }
        let password = SecretString::from(PASSWORD);
        let user = users::add(&self.newsroom, email.parse().unwrap(), name.to_owned(), role, password)
            .await
            .unwrap();
        let answer =
            self.anonymous().post("/v1/auth/login", json!({"email": email, "password": PASSWORD})).await;
        let token = answer.expect(200).json["access_token"].as_str().unwrap().to_owned();
        let client = Client { user: Some(Arc::new(user)), ..self.with_token(Some(&token)) };
        clients.insert(email, client.clone());
        client
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let Some((handle, thread)) = self.server.take() else { return };
        // The order to stop is sent by the call; the future only waits for it.
        drop(handle.stop(false));
        if thread.join().is_err() && !thread::panicking() {
            panic!("the server panicked");
        }
        let leaked = self.secrets.leaked();
        assert!(leaked.is_empty() || thread::panicking(), "secrets in the log: {leaked:#?}");
    }
}

/// Sends requests as one user and checks what comes back.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    token: Option<Arc<str>>,
    raw: bool,
    headers: HeaderMap,
    user: Option<Arc<User>>,
    secrets: Secrets,
}

impl Client {
    /// One that may ask for what the OpenAPI document does not have.
    #[must_use]
    pub fn raw(&self) -> Self {
        Self { raw: true, ..self.clone() }
    }

    /// One that also sends this header.
    #[must_use]
    pub fn header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name, value.parse().unwrap());
        client
    }

    /// One that builds on this version: an `ETag`, or a number in quotes.
    #[must_use]
    pub fn if_match(&self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Who this is.
    pub fn user(&self) -> &User {
        self.user.as_deref().expect("an anonymous client is nobody")
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("an anonymous client has no token")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn head(&self, path: &str) -> Answer {
        self.send(Method::HEAD, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// A `POST` without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, &body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some(("application/json", body.to_string().into_bytes()))).await
    }

    /// Any request: the content type and the bytes of the body are as given.
    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request =
            self.http.request(method.clone(), format!("{}{path}", self.origin)).headers(self.headers.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, bytes)) = body {
            self.secrets.add_of(&serde_json::from_slice(&bytes).unwrap_or_default());
            request = request.header("content-type", kind).body(bytes);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let json = serde_json::from_str(&text).unwrap_or_default();
        self.secrets.add_of(&json);
        let answer = Answer { asked: format!("{method} {path}"), status, headers, json, text };
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{}: {}", answer.asked, answer.text);
        if !self.raw {
            spec::check(&method, path, &answer);
        } else if (status.is_client_error() || status.is_server_error()) && method != Method::HEAD {
            spec::check_problem(&answer.asked, &answer);
        }
        answer
    }
}

impl Client {
    /// Reads bytes that may be no text, such as compressed ones.
    pub async fn bytes(&self, path: &str) -> (Answer, Vec<u8>) {
        let mut request = self.http.get(format!("{}{path}", self.origin)).headers(self.headers.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        let (asked, json, text) = (format!("GET {path}"), Value::Null, String::new());
        (Answer { asked, status, headers, json, text }, bytes)
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    asked: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `null` if the body is not JSON.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// The path and the query that were asked for.
    pub fn asked_path(&self) -> &str {
        self.asked.split_once(' ').map_or("", |(_, path)| path)
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), &self.json["code"]),
            (status, &code.into()),
            "{}: {}",
            self.asked,
            self.text
        );
        self
    }

    /// The problem tells this fault of the body, or, if the place has no slash in front, of a parameter.
    #[track_caller]
    pub fn fault(self, place: &str, code: &str) -> Self {
        let member = if place.is_empty() || place.starts_with('/') { "pointer" } else { "parameter" };
        let faults = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let is_told = faults.iter().any(|fault| fault[member] == place && fault["code"] == code);
        assert!(is_told, "{}: no fault {code:?} at {place:?}: {}", self.asked, self.text);
        self
    }

    /// The problem tells this number of faults.
    #[track_caller]
    pub fn faults(self, number: usize) -> Self {
        assert_eq!(
            self.json["errors"].as_array().map_or(0, Vec::len),
            number,
            "{}: {}",
            self.asked,
            self.text
        );
        self
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("{}: no header {name}", self.asked));
        value.to_str().unwrap()
    }

    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// Without its parameters.
    pub fn content_type(&self) -> &str {
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.split(';').next().unwrap_or_default()
    }

    #[track_caller]
    pub fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("{}: no id: {}", self.asked, self.text)).to_owned()
    }

    /// One member of every item of a list.
    #[track_caller]
    pub fn each(&self, member: &str) -> Vec<&str> {
        let data =
            self.json["data"].as_array().unwrap_or_else(|| panic!("{}: no list: {}", self.asked, self.text));
        data.iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
    }
}
