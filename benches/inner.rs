//! The inner loops: what a read is made of. `cargo bench`.

#![expect(clippy::expect_used, reason = "a benchmark has nobody to tell of a failure")]

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use criterion::{Criterion, criterion_group, criterion_main};
use masthead::{
    app,
    cli::demo,
    domain::{
        article::{Article as Document, Include, Stage},
        error::{Error, Faults},
        inline_html,
        slug::Reference,
        user::Principal,
    },
    http::{articles::dto::Article, options::HttpOptions},
    render::{self, Context},
    service::{
        Newsroom, NewsroomOptions,
        articles::{self, ArticleListRequest},
        auth::{self, AccessTokens},
    },
    store::{Store, StoreOptions},
};
use tokio::runtime::Runtime;

/// A newsroom with a thousand articles in a folder that is gone with it.
struct Room {
    newsroom: Newsroom,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Room {
    fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&StoreOptions {
            url: format!("sqlite:{}", folder.path().join("bench.db").display()).parse()?,
            connections: 4,
            synchronous: Default::default(),
        })?;
        store.migrate()?;
        let options = NewsroomOptions {
            node: 1,
            tokens: AccessTokens::from_pem(&auth::generate_key()?, 10)?,
            password_hashing_concurrency: 1,
            session_days: 1,
            public_url: "http://127.0.0.1".to_owned(),
            oidc: None,
        };
        let newsroom = Newsroom::open(store, options)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(demo::run(&newsroom, &demo::Args { articles: Some(1000), seed: 1 }))?;
        Ok(Self { newsroom, runtime, _folder: folder })
    }

    fn list(&self, include: Include) -> Result<Vec<articles::ArticleView>, Error> {
        let request = ArticleListRequest {
            descending: true,
            sort: "-published_at".to_owned(),
            stage: Stage::Live,
            include,
            ..ArticleListRequest::default()
        };
        let listed = articles::list(&self.newsroom, Principal::Anonymous, request);
        self.runtime.block_on(listed).map(|(page, _)| page.items)
    }

    fn one(&self, reference: &Reference) -> Result<Document, Error> {
        let read = articles::get(&self.newsroom, Principal::Anonymous, reference.clone(), Stage::Live);
        self.runtime.block_on(read).map(|view| view.article)
    }
}

/// Asks for a path over a connection that stays open, and reads the whole answer.
fn ask(connection: &mut TcpStream, path: &str, buffer: &mut [u8]) -> std::io::Result<usize> {
    write!(connection, "GET {path} HTTP/1.1\r\nhost: masthead\r\n\r\n")?;
    let mut read = 0;
    loop {
        read += connection.read(buffer.get_mut(read..).unwrap_or_default())?;
        let text = buffer.get(..read).unwrap_or_default();
        let Some(end) = text.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(text.get(..end).unwrap_or_default()).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or_default();
        if read >= end + 4 + length {
            return Ok(read);
        }
    }
}

fn reads(criterion: &mut Criterion) {
    let room = Room::open().expect("a newsroom");
    let newest = room.list(Include::default()).expect("a list").remove(0).article;
    let reference = Reference::Slug(newest.slug.to_string());
    criterion.bench_function("load one by slug", |bench| bench.iter(|| room.one(&reference)));
    criterion.bench_function("list of 20", |bench| bench.iter(|| room.list(Include::default())));
    criterion.bench_function("list of 20 with everything", |bench| bench.iter(|| room.list(Include::ALL)));
    criterion.bench_function("write 20 as JSON", |bench| {
        let views = room.list(Include::default()).expect("a list");
        bench.iter(|| {
            let listed = views.iter().cloned().map(Article::try_from).collect::<Result<Vec<_>, _>>();
            serde_json::to_vec(&listed.unwrap_or_default())
        });
    });

    let document = room.one(&reference).expect("an article");
    let body = render::body_of(&document).expect("a body");
    criterion.bench_function("body as HTML", |bench| {
        bench.iter(|| render::html::body(black_box(&body), Context::of(&document)));
    });
    criterion.bench_function("check inline HTML", |bench| {
        let html = "The <em>bridge</em> reopened on <a href=\"https://example.org/\">Monday</a> &amp; traffic is back.";
        bench.iter(|| inline_html::parse(&mut Faults::default(), "/html", black_box(html)));
    });

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let newsroom = room.newsroom.clone();
    let serving = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = app::serve(&newsroom, listener, 1, &HttpOptions::default()).expect("a server");
            server.await
        })
    });
    let mut connection = TcpStream::connect(address).expect("a connection");
    let mut buffer = vec![0; 1 << 20];
    for (name, path) in [
        ("cache hit, one", format!("/v1/articles/{}", newest.slug)),
        ("cache hit, list of 20", "/v1/articles".to_owned()),
    ] {
        criterion.bench_function(name, |bench| bench.iter(|| ask(&mut connection, &path, &mut buffer)));
    }
    drop(serving);
}

criterion_group!(inner, reads);
criterion_main!(inner);
