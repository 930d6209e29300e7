//! Feeds: what is in them, what is not, and what stays the same.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::{
    app::{Answer, PUBLIC_URL, TestApp},
    newsroom::{paragraph, path_of, read_more},
};

/// A feed of each format, read by the crates that read such feeds.
struct Feeds {
    rss: rss::Channel,
    atom: atom_syndication::Feed,
    json: Value,
}

async fn feeds(app: &TestApp, folder: &str) -> Feeds {
    // A path with slashes is no template of OpenAPI.
    let reader = app.anonymous().raw();
    let rss = reader.get(&format!("/feeds{folder}/rss.xml")).await.expect(200);
    assert_eq!(rss.header("content-type"), "application/rss+xml; charset=utf-8");
    let atom = reader.get(&format!("/feeds{folder}/atom.xml")).await.expect(200);
    assert_eq!(atom.header("content-type"), "application/atom+xml; charset=utf-8");
    let json = reader.get(&format!("/feeds{folder}/feed.json")).await.expect(200);
    assert_eq!(json.header("content-type"), "application/feed+json");
    Feeds {
        rss: rss::Channel::read_from(rss.text.as_bytes()).unwrap(),
        atom: atom_syndication::Feed::read_from(atom.text.as_bytes()).unwrap(),
        json: json.json,
    }
}

impl Feeds {
    /// The titles in each format, which are the same.
    fn titles(&self) -> Vec<&str> {
        let titles: Vec<_> = self.rss.items().iter().map(|item| item.title().unwrap()).collect();
        let of_atom: Vec<_> = self.atom.entries().iter().map(|entry| entry.title().as_str()).collect();
        let of_json: Vec<_> = self.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["title"].as_str().unwrap())
            .collect();
        assert_eq!((&titles, &titles), (&of_atom, &of_json));
        titles
    }

    /// The ids in each format, which are the same.
    fn ids(&self) -> Vec<&str> {
        let ids: Vec<_> = self.rss.items().iter().map(|item| item.guid().unwrap().value()).collect();
        let of_atom: Vec<_> = self.atom.entries().iter().map(|entry| entry.id()).collect();
        let of_json: Vec<_> =
            self.json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!((&ids, &ids), (&of_atom, &of_json));
        ids
    }
}

async fn withdraw(app: &TestApp, article: &Answer) {
    app.editor().await.act(&format!("{}/unpublish", path_of(article))).await.expect(200);
}

#[actix_web::test]
async fn a_feed_has_everything_that_aggregators_ask_for() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let site = json!({"name": "The <Courier>", "url": "https://courier.example", "tagline": "News & views", "language": "en-GB"});
    admin.patch("/v1/site", site).await.expect(200);
    app.section("/world/europe").await;
    editor.post("/v1/tags", json!({"name": "Port & harbour", "slug": "port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada Okafor"})).await.expect(201);
    let target = app.published("Target").await;
    let odd = "Bridge ]]> <b>opens</b> & \u{5e9}\u{5dc}\u{5d5}\u{5dd} 😀";
    let members = json!({
        "section": "world/europe", "tags": ["port"], "bylines": [{"author": "ada-okafor"}, {"name": "Wire & Co"}],
        "standfirst": "A <i>standfirst</i>", "language": "en",
        "lead_image": {"media": {"url": "https://images.example/a.jpg?x=1&y=2", "width": 800, "height": 600},
                       "alt": "A bridge", "credit": "Bo"},
        "body": [{"blocks": [paragraph("See <a href=\"/city\">the city</a> &amp; <a href=\"#end\">the end</a> ]]&gt;"), read_more(&target)]}],
    });
    let article = app.published_with(odd, members).await;
    let corrected = json!({"kind": "correction", "text": "It was <not> red."});
    editor.post(&format!("{}/corrections", path_of(&article)), corrected).await.expect(201);

    let feeds = feeds(&app, "").await;
    assert_eq!(feeds.titles(), [odd, "Target"]);
    let url = article.json["url"].as_str().unwrap();
    assert_eq!(
        url,
        "https://courier.example/world/europe/".to_owned() + article.json["slug"].as_str().unwrap()
    );

    let channel = &feeds.rss;
    assert_eq!((channel.title(), channel.link()), ("The <Courier>", "https://courier.example/"));
    assert_eq!((channel.description(), channel.language()), ("News &amp; views", Some("en-GB")));
    let own = &channel.atom_ext().unwrap().links()[0];
    assert_eq!((own.rel(), own.href()), ("self", format!("{PUBLIC_URL}/feeds/rss.xml").as_str()));
    let item = &channel.items()[0];
    assert_eq!((item.link(), item.description()), (Some(url), Some("A &lt;i&gt;standfirst&lt;/i&gt;")));
    assert!(!item.guid().unwrap().is_permalink());
    assert_eq!(item.dublin_core_ext().unwrap().creators(), ["Ada Okafor", "Wire & Co"]);
    let categories: Vec<_> = item.categories().iter().map(|c| (c.name(), c.domain().unwrap())).collect();
    assert_eq!(
        categories,
        [
            ("europe", "https://courier.example/world/europe"),
            ("Port & harbour", "https://courier.example/tags/port")
        ]
    );
    let enclosure = item.enclosure().unwrap();
    assert_eq!(
        (enclosure.url(), enclosure.mime_type(), enclosure.length()),
        ("https://images.example/a.jpg?x=1&y=2", "image/jpeg", "0")
    );
    let media = &item.extensions()["media"]["content"][0];
    assert_eq!((media.attrs["width"].as_str(), media.attrs["medium"].as_str()), ("800", "image"));
    let published = DateTime::parse_from_rfc3339(article.json["published_at"].as_str().unwrap()).unwrap();
    let dated = DateTime::parse_from_rfc2822(item.pub_date().unwrap()).unwrap();
    assert_eq!(dated.timestamp(), published.timestamp());
    DateTime::parse_from_rfc2822(channel.last_build_date().unwrap()).unwrap();

    // The reader takes off the last line feed.
    let html = item.content().unwrap();
    for expected in [
        "<a href=\"https://courier.example/city\">the city</a> &amp; ",
        &format!("<a href=\"{url}#end\">the end</a> ]]&gt;</p>"),
        "<aside class=\"read-more\">Read More: <a href=\"https://courier.example/city/target\">Target</a></aside>",
        "<aside class=\"correction\"><p>It was &lt;not&gt; red.</p></aside>",
    ] {
        assert!(html.contains(expected), "{expected}\nis not in\n{html}");
    }

    let atom = &feeds.atom;
    let links: Vec<_> = atom.links().iter().map(|link| (link.rel(), link.href())).collect();
    let own = format!("{PUBLIC_URL}/feeds/atom.xml");
    assert_eq!(links, [("self", own.as_str()), ("alternate", "https://courier.example/")]);
    let entry = &atom.entries()[0];
    assert_eq!(entry.published().unwrap(), &published);
    assert!(entry.updated() > &published && atom.updated() >= entry.updated());
    assert_eq!(entry.content().unwrap().content_type(), Some("html"));
    assert_eq!(entry.content().unwrap().value().map(str::trim_end), Some(html));
    let authors: Vec<_> = entry.authors().iter().map(|author| (author.name(), author.uri())).collect();
    assert_eq!(
        authors,
        [("Ada Okafor", Some("https://courier.example/authors/ada-okafor")), ("Wire & Co", None)]
    );
    assert_eq!(entry.links()[1].rel(), "enclosure");
    assert!(atom.id().starts_with("urn:uuid:") && entry.id().starts_with("urn:uuid:"));

    let json = &feeds.json;
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(json["feed_url"], format!("{PUBLIC_URL}/feeds/feed.json"));
    let item = &json["items"][0];
    assert_eq!(item["content_html"].as_str().map(str::trim_end), Some(html));
    assert_eq!(item["image"], "https://images.example/a.jpg?x=1&y=2");
    assert_eq!(item["tags"], json!(["europe", "Port & harbour"]));
    assert_eq!(
        item["authors"][0],
        json!({"name": "Ada Okafor", "url": "https://courier.example/authors/ada-okafor"})
    );
}

#[actix_web::test]
async fn plain_text_never_becomes_markup() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let text = r#"Use <img src=x onerror=alert(1)> & "AT&T" in a < b"#;
    let html = "Use &lt;img src=x onerror=alert(1)&gt; &amp; &quot;AT&amp;T&quot; in a &lt; b";
    admin.patch("/v1/site", json!({"name": text, "tagline": text})).await.expect(200);
    editor.post("/v1/tags", json!({"name": text, "slug": "tag"})).await.expect(201);
    let members = json!({"standfirst": text, "tags": ["tag"], "bylines": [{"name": text}],
        "lead_image": {"media": {"url": "https://images.example/a.jpg"}, "alt": text, "caption": text, "credit": text}});
    app.published_with(text, members).await;

    let feeds = feeds(&app, "").await;
    assert_eq!(feeds.titles(), [text]);
    // Descriptions of RSS are HTML.
    let channel = &feeds.rss;
    assert_eq!((channel.title(), channel.description()), (text, html));
    let item = &channel.items()[0];
    assert_eq!(item.description(), Some(html));
    assert_eq!(item.dublin_core_ext().unwrap().creators(), [text]);
    assert_eq!(item.categories()[1].name(), text);
    for texts in item.extensions()["media"]["content"][0].children().values() {
        assert_eq!((texts[0].value(), texts[0].attrs().get("type")), (Some(text), None));
    }

    // Those of Atom say what they are.
    let plain = |found: &atom_syndication::Text| {
        assert_eq!((found.as_str(), found.r#type), (text, atom_syndication::TextType::Text));
    };
    let entry = &feeds.atom.entries()[0];
    for found in [feeds.atom.title(), feeds.atom.subtitle().unwrap(), entry.title(), entry.summary().unwrap()]
    {
        plain(found);
    }
    assert_eq!((entry.authors()[0].name(), entry.categories()[1].term()), (text, text));

    // In JSON all but `content_html` is plain text.
    let (feed, item) = (&feeds.json, &feeds.json["items"][0]);
    for found in [
        &feed["title"],
        &feed["description"],
        &item["summary"],
        &item["tags"][1],
        &item["authors"][0]["name"],
    ] {
        assert_eq!(found, text);
    }
}

#[actix_web::test]
async fn sections_tags_and_authors_have_feeds_and_keep_them_when_renamed() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous().raw());
    let europe = app.section("/world/europe").await;
    for (kind, name) in [("tags", "Port"), ("authors", "Ada")] {
        editor.post(&format!("/v1/{kind}"), json!({ "name": name })).await.expect(201);
    }
    app.published_with("In Europe", json!({"section": "world/europe"})).await;
    app.published_with("In the world", json!({"section": "world"})).await;
    app.published_with("On the port", json!({"tags": ["port"]})).await;
    app.published_with("By Ada", json!({"bylines": [{"author": "ada"}]})).await;

    let section = feeds(&app, "/sections/world").await;
    assert_eq!(section.titles(), ["In the world", "In Europe"]);
    assert_eq!(section.rss.title(), "world – Untitled newsroom");
    assert_eq!(section.json["home_page_url"], "http://localhost:3000/world");
    let below = feeds(&app, "/sections/world/europe").await;
    assert_eq!(below.titles(), ["In Europe"]);
    assert_eq!(below.json["feed_url"], format!("{PUBLIC_URL}/feeds/sections/world/europe/feed.json"));
    assert_eq!(feeds(&app, &format!("/sections/{europe}")).await.titles(), ["In Europe"]);
    assert_eq!(feeds(&app, "/sections/world%2Feurope").await.titles(), ["In Europe"]);
    assert_eq!(feeds(&app, "/tags/port").await.titles(), ["On the port"]);
    assert_eq!(feeds(&app, "/authors/ada").await.titles(), ["By Ada"]);
    let id = below.atom.id().to_owned();

    editor.patch("/v1/sections/world", json!({"slug": "globe"})).await.expect(200);
    editor.patch("/v1/tags/port", json!({"slug": "harbour"})).await.expect(200);
    editor.patch("/v1/authors/ada", json!({"slug": "ada-okafor"})).await.expect(200);
    for (old, new) in [
        ("/feeds/sections/world/europe/rss.xml", "/feeds/sections/globe/europe/rss.xml"),
        ("/feeds/sections/world%2Feurope/rss.xml", "/feeds/sections/globe/europe/rss.xml"),
        ("/feeds/sections/world/atom.xml", "/feeds/sections/globe/atom.xml"),
        ("/feeds/tags/port/feed.json", "/feeds/tags/harbour/feed.json"),
        ("/feeds/authors/ada/rss.xml", "/feeds/authors/ada-okafor/rss.xml"),
    ] {
        assert_eq!(reader.get(old).await.expect(308).header("location"), new);
        reader.get(new).await.expect(200);
    }
    assert_eq!(feeds(&app, "/sections/globe/europe").await.atom.id(), id);
    for path in [
        "/feeds/sections/nowhere/rss.xml",
        "/feeds/tags/nowhere/rss.xml",
        "/feeds/rss",
        "/feeds/tags/harbour/x.xml",
    ] {
        reader.get(path).await.problem(404, "not_found");
    }
}

#[actix_web::test]
async fn only_what_readers_see_is_in_a_feed() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.draft("A draft").await;
    let gone = app.published("Gone").await;
    withdraw(&app, &gone).await;
    let hidden = json!({"seo": {"noindex": true}});
    app.published_with("Not for search engines", hidden).await;
    let later = app.draft("Later").await;
    let at = (chrono::Utc::now() + TimeDelta::hours(1)).to_rfc3339();
    editor.post(&format!("{}/publish", path_of(&later)), json!({ "at": at })).await.expect(200);
    assert_eq!(feeds(&app, "").await.titles(), ["Not for search engines"]);
    // Those who work here get the same.
    let seen = editor.get("/feeds/feed.json").await.expect(200);
    assert_eq!(seen.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen.header("cache-control"), "private, no-store");
    app.newsroom.clock.advance(TimeDelta::hours(2));
    assert_eq!(feeds(&app, "").await.titles(), ["Later", "Not for search engines"]);
}

#[actix_web::test]
async fn an_item_keeps_its_id_whatever_becomes_of_the_article() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    let before = feeds(&app, "").await;
    editor.patch(&path, json!({"headline": "Tunnel", "slug": "tunnel"})).await.expect(200);
    editor.act(&format!("{path}/publish")).await.expect(200);
    let admin = app.admin().await;
    admin
        .patch("/v1/site", json!({"url": "https://elsewhere.example", "permalink": "/{id}"}))
        .await
        .expect(200);
    let after = feeds(&app, "").await;
    assert_eq!(after.titles(), ["Tunnel"]);
    assert_ne!(before.rss.items()[0].link(), after.rss.items()[0].link());
    assert_eq!(before.ids(), after.ids());
    assert_eq!(before.atom.id(), after.atom.id());
}

#[actix_web::test]
async fn a_feed_is_fetched_again_only_when_it_has_changed() {
    let app = TestApp::start().await;
    app.published("First").await;
    let reader = app.anonymous();
    for file in ["rss.xml", "atom.xml", "feed.json"] {
        let path = format!("/feeds/{file}");
        let first = reader.get(&path).await.expect(200);
        assert!(first.header("surrogate-key").split(' ').any(|key| key == "articles"), "{path}");
        assert!(first.headers.contains_key("last-modified"));
        let known = reader.header("if-none-match", &first.etag());
        known.get(&path).await.expect(304);
        let head = reader.head(&path).await.expect(200);
        assert_eq!(head.etag(), first.etag());
        app.published(&format!("More for {file}")).await;
        known.get(&path).await.expect(200);
    }
}

#[actix_web::test]
async fn a_feed_has_the_newest_fifty() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for number in 0..53 {
        let draft = app.draft_of(&editor, &format!("Number {number}"), json!({})).await;
        let at = json!({"published_at": format!("2024-01-01T00:00:{number:02}Z")});
        editor.post(&format!("{}/publish", path_of(&draft)), at).await.expect(200);
    }
    let feeds = feeds(&app, "").await;
    let titles = feeds.titles();
    assert_eq!((titles.len(), titles[0], titles[49]), (50, "Number 52", "Number 3"));
}
