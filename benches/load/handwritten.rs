//! What Masthead is measured against: the same reads from a copy of the same SQLite file, written straight down with
//! Actix, rusqlite and serde, from normalised tables by index, without a cache. `run.py` makes the copy, with a search index
//! of its own.
//!
//! `cargo run --release --example handwritten -- data/masthead.db 127.0.0.1:8090`

use std::{cell::RefCell, sync::Mutex};

use actix_web::{App, HttpResponse, HttpServer, error::ErrorInternalServerError, get, post, web};
use chrono::Utc;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Card {
    id: String,
    slug: String,
    name: String,
    extra: Option<String>,
}

#[derive(Serialize)]
struct Article {
    id: String,
    slug: String,
    #[serde(rename = "type")]
    kind: String,
    headline: String,
    standfirst: Option<String>,
    kicker: Option<String>,
    language: String,
    dateline: Option<String>,
    lead_image: Option<Box<RawValue>>,
    seo: Option<Box<RawValue>>,
    word_count: i64,
    published_at: Option<i64>,
    updated_at: i64,
    section: Option<Card>,
    tags: Vec<Card>,
    bylines: Vec<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<Vec<Link>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrections: Option<Vec<Correction>>,
}

#[derive(Serialize)]
struct Link {
    id: String,
    label: String,
    kind: String,
    block_id: Option<String>,
    url: Option<String>,
    title: Option<String>,
    target: Option<Target>,
}

#[derive(Serialize)]
struct Target {
    id: String,
    slug: String,
    headline: String,
    standfirst: Option<String>,
    lead_image: Option<Box<RawValue>>,
    published_at: Option<i64>,
    section: Option<Card>,
}

#[derive(Serialize)]
struct Correction {
    id: String,
    kind: String,
    text: String,
    published_at: i64,
}

const HEAD: &str = "c.article_id, c.slug, c.type, c.headline, c.standfirst, c.kicker, c.language, c.dateline, \
    c.lead_image, c.seo, c.word_count, c.published_at, c.updated_at, s.id, s.slug, s.name, s.path";

fn raw(text: Option<String>) -> Option<Box<RawValue>> {
    text.and_then(|text| RawValue::from_string(text).ok())
}

fn head(row: &rusqlite::Row<'_>, body: Option<String>) -> rusqlite::Result<Article> {
    let section = match row.get::<_, Option<i64>>(13)? {
        Some(id) => {
            Some(Card { id: id.to_string(), slug: row.get(14)?, name: row.get(15)?, extra: row.get(16)? })
        }
        None => None,
    };
    Ok(Article {
        id: row.get::<_, i64>(0)?.to_string(),
        slug: row.get(1)?,
        kind: row.get(2)?,
        headline: row.get(3)?,
        standfirst: row.get(4)?,
        kicker: row.get(5)?,
        language: row.get(6)?,
        dateline: row.get(7)?,
        lead_image: raw(row.get(8)?),
        seo: raw(row.get(9)?),
        word_count: row.get(10)?,
        published_at: row.get(11)?,
        updated_at: row.get(12)?,
        section,
        tags: Vec::new(),
        bylines: Vec::new(),
        body: raw(body),
        related: None,
        corrections: None,
    })
}

fn add_cards(db: &Connection, article: &mut Article) -> rusqlite::Result<()> {
    let id: i64 = article.id.parse().unwrap_or_default();
    let mut tags = db.prepare_cached(
        "SELECT t.id, t.slug, t.name, t.type FROM content_tags c JOIN tags t ON t.id = c.tag_id \
         WHERE c.article_id = ? AND c.stage = 1 ORDER BY c.position",
    )?;
    let card = |row: &rusqlite::Row<'_>| {
        Ok(Card {
            id: row.get::<_, i64>(0)?.to_string(),
            slug: row.get(1)?,
            name: row.get(2)?,
            extra: row.get(3)?,
        })
    };
    article.tags = tags.query_map([id], card)?.collect::<Result<_, _>>()?;
    let mut bylines = db.prepare_cached(
        "SELECT a.id, a.slug, a.name, a.role FROM content_bylines c JOIN authors a ON a.id = c.author_id \
         WHERE c.article_id = ? AND c.stage = 1 ORDER BY c.position",
    )?;
    article.bylines = bylines.query_map([id], card)?.collect::<Result<_, _>>()?;
    Ok(())
}

/// What only an article by itself comes with: its links with the present state of their targets, and its corrections.
fn add_parts(db: &Connection, article: &mut Article) -> rusqlite::Result<()> {
    let id: i64 = article.id.parse().unwrap_or_default();
    let mut links = db.prepare_cached(
        "SELECT l.id, l.label, l.kind, l.block_id, l.url, l.title, c.article_id, c.slug, c.headline, c.standfirst, \
         c.lead_image, c.published_at, s.id, s.slug, s.name, s.path FROM related_links l \
         LEFT JOIN article_contents c ON c.article_id = l.target_article_id AND c.stage = 1 \
         LEFT JOIN sections s ON s.id = c.section_id WHERE l.article_id = ? AND l.stage = 1 ORDER BY l.position",
    )?;
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    let link = |row: &rusqlite::Row<'_>| {
        let section = match row.get::<_, Option<i64>>(12)? {
            Some(id) => {
                Some(Card { id: id.to_string(), slug: row.get(13)?, name: row.get(14)?, extra: row.get(15)? })
            }
            None => None,
        };
        let target = match row.get::<_, Option<i64>>(6)? {
            Some(id) => Some(Target {
                id: id.to_string(),
                slug: row.get(7)?,
                headline: row.get(8)?,
                standfirst: row.get(9)?,
                lead_image: raw(row.get(10)?),
                published_at: row.get(11)?,
                section,
            }),
            None => None,
        };
        Ok(Link {
            id: row.get::<_, i64>(0)?.to_string(),
            label: row.get(1)?,
            kind: row.get(2)?,
            block_id: text(row.get(3)?),
            url: row.get(4)?,
            title: row.get(5)?,
            target,
        })
    };
    article.related = Some(links.query_map([id], link)?.collect::<Result<_, _>>()?);
    let mut corrections = db.prepare_cached(
        "SELECT id, kind, text, published_at FROM corrections WHERE article_id = ? ORDER BY published_at",
    )?;
    let correction = |row: &rusqlite::Row<'_>| {
        let id = row.get::<_, i64>(0)?.to_string();
        Ok(Correction { id, kind: row.get(1)?, text: row.get(2)?, published_at: row.get(3)? })
    };
    article.corrections = Some(corrections.query_map([id], correction)?.collect::<Result<_, _>>()?);
    Ok(())
}

/// A row as a whole article.
fn whole(db: &Connection, article: Option<Article>) -> rusqlite::Result<Option<Article>> {
    let Some(mut article) = article else { return Ok(None) };
    add_cards(db, &mut article)?;
    add_parts(db, &mut article)?;
    Ok(Some(article))
}

fn one(db: &Connection, slug: &str) -> rusqlite::Result<Option<Article>> {
    let sql = format!(
        "SELECT {HEAD}, b.body FROM slugs n JOIN article_contents c ON c.article_id = n.entity_id AND c.stage = 1 \
         JOIN hand_bodies b ON b.article_id = c.article_id AND b.stage = 1 LEFT JOIN sections s ON s.id = c.section_id WHERE n.kind = 'article' AND n.slug = ?"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let article = statement.query_row([slug], |row| head(row, row.get(17)?)).optional()?;
    whole(db, article)
}

fn by_id(db: &Connection, id: i64) -> rusqlite::Result<Option<Article>> {
    let sql = format!(
        "SELECT {HEAD}, b.body FROM article_contents c JOIN hand_bodies b ON b.article_id = c.article_id AND b.stage = 1 \
         LEFT JOIN sections s ON s.id = c.section_id WHERE c.article_id = ? AND c.stage = 1"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let article = statement.query_row([id], |row| head(row, row.get(17)?)).optional()?;
    whole(db, article)
}

fn search(db: &Connection, query: &str, limit: i64) -> rusqlite::Result<Vec<Article>> {
    let sql = format!(
        "SELECT {HEAD} FROM hand_search f JOIN article_contents c ON c.article_id = f.rowid AND c.stage = 1 \
         LEFT JOIN sections s ON s.id = c.section_id WHERE hand_search MATCH ? \
         ORDER BY bm25(hand_search, 8.0, 4.0, 1.0) LIMIT ?"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![query, limit], |row| head(row, None))?;
    let mut articles = rows.collect::<Result<Vec<_>, _>>()?;
    for article in &mut articles {
        add_cards(db, article)?;
    }
    Ok(articles)
}

fn newest(db: &Connection, kind: i64, facet: i64, limit: i64, offset: i64) -> rusqlite::Result<Vec<Article>> {
    let now = Utc::now().timestamp_millis();
    let sql = format!(
        "SELECT {HEAD} FROM content_facets f JOIN article_contents c ON c.article_id = f.article_id AND c.stage = 1 \
         LEFT JOIN sections s ON s.id = c.section_id \
         WHERE f.listing = 1 AND f.kind = ? AND f.facet_id = ? AND f.published_at <= ? AND c.live_from <= ? \
         ORDER BY f.published_at DESC, f.article_id DESC LIMIT ? OFFSET ?"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![kind, facet, now, now, limit, offset], |row| head(row, None))?;
    let mut articles = rows.collect::<Result<Vec<_>, _>>()?;
    for article in &mut articles {
        add_cards(db, article)?;
    }
    Ok(articles)
}

fn tag_id(db: &Connection, slug: &str) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT id FROM tags WHERE slug = ?")?.query_row([slug], |row| row.get(0))
}

/// Writes an article and makes it public: one transaction, one row a table, no revision, event or audit.
fn create(db: &mut Connection, new: &NewArticle) -> rusqlite::Result<()> {
    let now = Utc::now().timestamp_millis();
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let owner: i64 = transaction.query_row("SELECT id FROM users LIMIT 1", [], |row| row.get(0))?;
    let id: i64 = transaction.query_row("SELECT max(id) + 1 FROM articles", [], |row| row.get(0))?;
    transaction.prepare_cached(
        "INSERT INTO articles (id, state, version, live_version, created_by, created_at, first_published_at) \
         VALUES (?1, 'published', 1, 1, ?2, ?3, ?3)",
    )?
    .execute(params![id, owner, now])?;
    let slug = format!("{}-{id}", new.headline.to_lowercase().replace(' ', "-"));
    for stage in [0, 1] {
        transaction.prepare_cached(
            "INSERT INTO article_contents (article_id, stage, version, slug, type, language, live_from, published_at, \
             updated_at, word_count, headline, seo, refs) VALUES (?1, ?2, 1, ?3, 'news', 'en', ?4, ?4, ?4, 100, ?5, '{}', '{}')",
        )?
        .execute(params![id, stage, slug, now, new.headline])?;
        transaction
            .prepare_cached("INSERT INTO hand_bodies (article_id, stage, body) VALUES (?, ?, ?)")?
            .execute(params![id, stage, new.body.get()])?;
        transaction.prepare_cached(
            "INSERT INTO content_facets (listing, kind, facet_id, published_at, article_id, stage) VALUES (?1, 0, 0, ?2, ?3, ?1)",
        )?
        .execute(params![stage, now, id])?;
    }
    transaction
        .prepare_cached("INSERT INTO slugs (kind, slug, entity_id, public) VALUES ('article', ?, ?, 1)")?
        .execute(params![slug, id])?;
    transaction
        .prepare_cached("INSERT INTO hand_search (rowid, headline, standfirst, body) VALUES (?, ?, '', ?)")?
        .execute(params![id, new.headline, new.body.get()])?;
    transaction.commit()
}

#[derive(serde::Deserialize)]
struct NewArticle {
    headline: String,
    body: Box<RawValue>,
}

thread_local! {
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Runs on the blocking pool with this thread's connection.
async fn read<T: Serialize + Send + 'static>(
    path: web::Data<String>,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> actix_web::Result<HttpResponse> {
    let work = move || {
        CONNECTION.with_borrow_mut(|connection| {
            if connection.is_none() {
                let opened = Connection::open_with_flags(&**path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                // As Masthead has it, which does without the map: its pages count as memory of the process.
                opened.pragma_update(None, "cache_size", -8000)?;
                opened.pragma_update(None, "mmap_size", 268_435_456)?;
                *connection = Some(opened);
            }
            connection.as_ref().map(work).transpose()
        })
    };
    let result = web::block(work).await?.map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(result))
}

#[post("/v1/articles")]
async fn create_article(
    writer: web::Data<Mutex<Connection>>,
    new: web::Json<NewArticle>,
) -> actix_web::Result<HttpResponse> {
    let work = move || {
        let mut writer = writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        create(&mut writer, &new)
    };
    web::block(work).await?.map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Created().finish())
}

#[get("/v1/articles/{slug}")]
async fn get_article(path: web::Data<String>, slug: web::Path<String>) -> actix_web::Result<HttpResponse> {
    read(path, move |db| match slug.parse() {
        Ok(id) => by_id(db, id),
        Err(_) => one(db, &slug),
    })
    .await
}

#[derive(serde::Deserialize)]
struct Listing {
    tag: Option<String>,
    q: Option<String>,
    limit: Option<i64>,
    page: Option<i64>,
}

#[get("/v1/articles")]
async fn list_articles(
    path: web::Data<String>,
    listing: web::Query<Listing>,
) -> actix_web::Result<HttpResponse> {
    read(path, move |db| {
        let limit = listing.limit.unwrap_or(20);
        let offset = (listing.page.unwrap_or(1) - 1) * limit;
        match (&listing.q, &listing.tag) {
            (Some(query), _) => search(db, query, limit),
            (None, Some(tag)) => newest(db, 3, tag_id(db, tag)?, limit, offset),
            (None, None) => newest(db, 0, 0, limit, offset),
        }
    })
    .await
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let database = arguments.next().unwrap_or_else(|| "data/masthead.db".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let writer = Connection::open(&database).map_err(std::io::Error::other)?;
    for (name, value) in [("journal_mode", "wal"), ("synchronous", "normal"), ("foreign_keys", "on")] {
        writer.pragma_update(None, name, value).map_err(std::io::Error::other)?;
    }
    let (database, writer) = (web::Data::new(database), web::Data::new(Mutex::new(writer)));
    HttpServer::new(move || {
        App::new()
            .app_data(database.clone())
            .app_data(writer.clone())
            .service(get_article)
            .service(list_articles)
            .service(create_article)
    })
    .workers(2)
    .bind(address)?
    .run()
    .await
}
