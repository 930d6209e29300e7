//! Sitemaps: every page once, in files of bounded size.

use chrono::{TimeDelta, Utc};
use quick_xml::{Reader, events::Event};
use serde_json::json;

use crate::{
    app::{Answer, PUBLIC_URL, TestApp},
    newsroom::path_of,
};

/// The texts of all elements of this name, in order.
fn texts(answer: &Answer, element: &str) -> Vec<String> {
    assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
    let mut reader = Reader::from_str(&answer.text);
    let (mut found, mut inside) = (Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.name().as_ref() == element.as_bytes() => {
                inside = true;
                found.push(String::new());
            }
            Event::End(_) => inside = false,
            Event::Text(text) if inside => found.last_mut().unwrap().push_str(&text.decode().unwrap()),
            Event::GeneralRef(reference) if inside => {
                found.last_mut().unwrap().push_str(&format!("&{};", reference.decode().unwrap()));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// The files of the index, without the server.
async fn files(app: &TestApp) -> Vec<String> {
    let index = app.anonymous().get("/sitemap.xml").await.expect(200);
    let files = texts(&index, "loc");
    files.iter().map(|file| file.strip_prefix(PUBLIC_URL).unwrap().to_owned()).collect()
}

/// Published at this instant.
async fn published_at(app: &TestApp, at: &str, headline: &str) -> Answer {
    let editor = app.editor().await;
    let draft = app.draft_of(&editor, headline, json!({})).await;
    let at = json!({ "published_at": at });
    editor.post(&format!("{}/publish", path_of(&draft)), at).await.expect(200)
}

#[actix_web::test]
async fn months_are_split_into_files_that_have_every_article_once() {
    let app = TestApp::start().await;
    app.newsroom.sitemaps.set_length(3);
    let mut wanted = Vec::new();
    // At one instant, so that the id decides; a whole number of files; one month in between with nothing.
    for number in 0..7 {
        wanted.push(published_at(&app, "2023-01-31T23:59:59.999Z", &format!("A {number}")).await);
    }
    for number in 0..3 {
        wanted.push(
            published_at(&app, &format!("2023-02-0{}T00:00:00Z", number + 1), &format!("B {number}")).await,
        );
    }
    for number in 0..4 {
        wanted.push(
            published_at(&app, &format!("2023-04-0{}T00:00:00Z", number + 1), &format!("C {number}")).await,
        );
    }
    wanted.push(app.published("Now").await);

    let files = files(&app).await;
    let of_articles: Vec<_> = files.iter().filter(|file| file.starts_with("/sitemaps/articles-")).collect();
    let of_month = |month: &str| of_articles.iter().filter(|file| file.contains(month)).count();
    assert_eq!((of_month("2023-01"), of_month("2023-02"), of_month("2023-03")), (3, 1, 0), "{files:?}");
    assert_eq!(of_month("2023-04"), 2);
    let mut found = Vec::new();
    for file in &of_articles {
        let file = app.anonymous().get(file).await.expect(200);
        let urls = texts(&file, "loc");
        assert!(urls.len() <= 3, "{urls:?}");
        assert_eq!(texts(&file, "lastmod").len(), urls.len());
        found.extend(urls);
    }
    let mut wanted: Vec<_> =
        wanted.iter().map(|article| article.json["url"].as_str().unwrap().to_owned()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    for name in ["nowhere.xml", "articles-2999-01.xml", "articles-2023-01-after-1-1.xml", "tags-after-0.xml"]
    {
        app.anonymous().get(&format!("/sitemaps/{name}")).await.problem(404, "not_found");
    }
}

/// When each file of the index was last changed, if that is told.
async fn changed(app: &TestApp) -> Vec<(String, Option<String>)> {
    let index = app.anonymous().get("/sitemap.xml").await.expect(200);
    let files = index.text.split("<sitemap>").skip(1);
    let part = |file: &str, name: &str| {
        let (_, rest) = file.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    files.map(|file| (part(file, "loc").unwrap().replace(PUBLIC_URL, ""), part(file, "lastmod"))).collect()
}

#[actix_web::test]
async fn the_index_tells_when_files_were_last_changed() {
    let app = TestApp::start().await;
    app.newsroom.sitemaps.set_length(2);
    let editor = app.bold_editor().await;
    let mut articles = Vec::new();
    for day in 1..=3 {
        articles.push(published_at(&app, &format!("2023-01-0{day}T00:00:00Z"), &format!("A {day}")).await);
    }
    let other = published_at(&app, "2023-03-01T00:00:00Z", "B").await;
    let now = app.published("Now").await;
    app.newsroom.clock.advance(TimeDelta::minutes(1));
    // A draft that is ahead has changed nothing; a publication that says so has.
    editor.patch(&path_of(&other), json!({"kicker": "Soon"})).await.expect(200);
    editor.patch(&path_of(&articles[0]), json!({"kicker": "Now"})).await.expect(200);
    let updated = json!({"updated": true});
    editor.post(&format!("{}/publish", path_of(&articles[0])), updated).await.expect(200);

    let of = async |article: &Answer| {
        let live = app.anonymous().get(&path_of(article)).await.expect(200);
        live.json["updated_at"].as_str().map(str::to_owned)
    };
    let changed = changed(&app).await;
    let [sections, tags, authors, january, more, march, current] = &changed[..] else {
        panic!("{changed:?}")
    };
    assert_eq!((&sections.0[..], &sections.1), ("/sitemaps/sections.xml", &of(&now).await));
    assert_eq!((&tags.1, &authors.1), (&None, &None));
    assert_eq!((&january.0[..], &january.1), ("/sitemaps/articles-2023-01.xml", &of(&articles[0]).await));
    assert!(more.0.starts_with("/sitemaps/articles-2023-01-after-"), "{more:?}");
    assert_eq!((&more.1, &march.1), (&of(&articles[2]).await, &of(&other).await));
    assert_eq!(current.1, of(&now).await);
    assert!(january.1 > current.1, "{changed:?}");
    // It is what the file says.
    for (file, changed) in changed.iter().filter(|(_, changed)| changed.is_some()) {
        let file = app.anonymous().get(file).await.expect(200);
        assert_eq!(texts(&file, "lastmod").into_iter().max(), *changed);
    }
}

#[actix_web::test]
async fn pages_that_are_not_for_search_engines_are_left_out() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let plain = app.published("Plain").await;
    let url = plain.json["url"].as_str().unwrap();
    app.published_with("Hidden", json!({"seo": {"noindex": true}})).await;
    app.published_with("Copied", json!({"seo": {"canonical_url": "https://elsewhere.example/original"}}))
        .await;
    let own =
        app.published_with("Own", json!({"seo": {"canonical_url": "http://localhost:3000/city/own"}})).await;
    app.draft("Draft").await;
    let gone = app.published("Gone").await;
    editor.act(&format!("{}/unpublish", path_of(&gone))).await.expect(200);
    let later = app.draft("Later").await;
    let at = (Utc::now() + TimeDelta::hours(3)).to_rfc3339();
    editor.post(&format!("{}/publish", path_of(&later)), json!({ "at": at })).await.expect(200);

    let wanted = [url, own.json["url"].as_str().unwrap()];
    let file = format!("/sitemaps/articles-{}.xml", Utc::now().format("%Y-%m"));
    let month = app.anonymous().get(&file).await.expect(200);
    assert_eq!(texts(&month, "loc"), wanted);
    let news = app.anonymous().get("/news-sitemap.xml").await.expect(200);
    assert_eq!(texts(&news, "loc"), [wanted[1], wanted[0]]);
    app.newsroom.clock.advance(TimeDelta::hours(4));
    let news = app.anonymous().get("/news-sitemap.xml").await.expect(200);
    assert_eq!(texts(&news, "news:title"), ["Later", "Own", "Plain"]);
}

#[actix_web::test]
async fn news_are_those_of_two_days() {
    let app = TestApp::start_with_tokens_for(10_000).await;
    app.admin().await.patch("/v1/site", json!({"name": "The Courier & more"})).await.expect(200);
    let first = app.published_with("First & <foremost>", json!({"language": "pt-BR"})).await;
    app.newsroom.clock.advance(TimeDelta::hours(47));
    app.published("Second").await;
    let news = app.anonymous().get("/news-sitemap.xml").await.expect(200);
    assert_eq!(texts(&news, "news:title"), ["Second", "First &amp; &lt;foremost&gt;"]);
    assert_eq!(texts(&news, "news:language"), ["en", "pt"]);
    assert_eq!(texts(&news, "news:name")[0], "The Courier &amp; more");
    assert_eq!(texts(&news, "news:publication_date")[1], first.json["published_at"].as_str().unwrap());
    app.newsroom.clock.advance(TimeDelta::hours(2));
    let news = app.anonymous().get("/news-sitemap.xml").await.expect(200);
    assert_eq!(texts(&news, "news:title"), ["Second"]);
}

#[actix_web::test]
async fn sections_tags_and_authors_have_pages() {
    let app = TestApp::start().await;
    app.newsroom.sitemaps.set_length(2);
    let editor = app.bold_editor().await;
    app.section("/world/europe").await;
    app.section("/secret").await;
    editor.patch("/v1/sections/secret", json!({"seo": {"noindex": true}})).await.expect(200);
    for name in ["Port", "Rail", "Air", "Nothing"] {
        editor.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    let members =
        json!({"tags": ["port", "rail", "air"], "bylines": [{"author": "ada"}], "section": "world/europe"});
    let article = app.published_with("Bridge", members).await;
    let sections = app.anonymous().get("/sitemaps/sections.xml").await.expect(200);
    let home = "http://localhost:3000";
    let (pages, changed) = (texts(&sections, "loc"), texts(&sections, "lastmod"));
    assert_eq!(pages, ["/", "/world", "/world/europe", "/city"].map(|path| format!("{home}{path}")));
    assert_eq!(changed[2], article.json["published_at"].as_str().unwrap());
    let mut tags = Vec::new();
    let files = files(&app).await;
    for file in files.iter().filter(|file| file.starts_with("/sitemaps/tags")) {
        tags.extend(texts(&app.anonymous().get(file).await.expect(200), "loc"));
    }
    assert_eq!(tags, ["/tags/port", "/tags/rail", "/tags/air"].map(|path| format!("{home}{path}")));
    let authors = app.anonymous().get("/sitemaps/authors.xml").await.expect(200);
    assert_eq!(texts(&authors, "loc"), [format!("{home}/authors/ada")]);
}

#[actix_web::test]
async fn sitemaps_are_fetched_again_only_when_they_have_changed() {
    let app = TestApp::start().await;
    app.published("First").await;
    let reader = app.anonymous();
    let month = format!("/sitemaps/articles-{}.xml", Utc::now().format("%Y-%m"));
    for path in ["/sitemap.xml", "/sitemaps/sections.xml", "/news-sitemap.xml", &month] {
        let first = reader.get(path).await.expect(200);
        assert!(!first.header("surrogate-key").is_empty());
        reader.header("if-none-match", &first.etag()).get(path).await.expect(304);
        assert_eq!(reader.head(path).await.expect(200).etag(), first.etag());
    }
    let before = reader.get(&month).await.expect(200);
    app.published("Second").await;
    reader.header("if-none-match", &before.etag()).get(&month).await.expect(200);
}
