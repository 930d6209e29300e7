//! What search engines and social networks are told of an article.

use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    newsroom::{paragraph, path_of},
};

async fn schema(app: &TestApp, article: &Answer) -> Value {
    let answer = app.anonymous().get(&format!("{}/schema.org", path_of(article))).await.expect(200);
    assert_eq!(answer.content_type(), "application/ld+json");
    answer.json
}

/// The contents of the elements with this key.
fn contents<'a>(head: &'a Answer, key: &str) -> Vec<&'a str> {
    let meta = head.json["meta"].as_array().unwrap().iter();
    let meta = meta.filter(|meta| meta["name"] == key || meta["property"] == key);
    meta.map(|meta| meta["content"].as_str().unwrap()).collect()
}

async fn full(app: &TestApp) -> Answer {
    let (admin, editor) = (app.admin().await, app.editor().await);
    let site = json!({"name": "The Courier", "url": "https://courier.example", "language": "en-GB"});
    admin.patch("/v1/site", site).await.expect(200);
    app.section("/world/europe").await;
    editor.post("/v1/tags", json!({"name": "Port", "type": "place"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada Okafor", "role": "City editor"})).await.expect(201);
    let members = json!({
        "section": "world/europe", "sections": ["city"], "tags": ["port"], "type": "analysis", "language": "en-GB",
        "bylines": [{"author": "ada-okafor"}, {"name": "Guest Writer"}], "standfirst": "Why it </script> matters",
        "dateline": "PORT ELLERY",
        "lead_image": {"media": {"url": "https://images.example/a.jpg", "width": 800, "height": 600}, "alt": "A bridge", "credit": "Bo"},
        "body": [{"blocks": [paragraph("One two three.")]}],
    });
    app.published_with("Bridge reopens", members).await
}

#[actix_web::test]
async fn an_article_is_a_news_article_of_schema_org() {
    let app = TestApp::start().await;
    let article = full(&app).await;
    let editor = app.editor().await;
    let corrections = format!("{}/corrections", path_of(&article));
    editor.post(&corrections, json!({"kind": "correction", "text": "It was red."})).await.expect(201);
    editor.post(&corrections, json!({"kind": "update", "text": "More."})).await.expect(201);
    let data = schema(&app, &article).await;
    let url = article.json["url"].as_str().unwrap();
    for (member, expected) in [
        ("@context", json!("https://schema.org")),
        ("@type", json!("AnalysisNewsArticle")),
        ("headline", json!("Bridge reopens")),
        ("description", json!("Why it </script> matters")),
        ("url", json!(url)),
        ("mainEntityOfPage", json!({"@type": "WebPage", "@id": url})),
        ("datePublished", article.json["published_at"].clone()),
        ("articleSection", json!(["europe", "city"])),
        ("keywords", json!(["Port"])),
        ("about", json!([{"@type": "Place", "name": "Port", "url": "https://courier.example/tags/port"}])),
        ("inLanguage", json!("en-GB")),
        ("wordCount", json!(3)),
        ("dateline", json!("PORT ELLERY")),
        ("isAccessibleForFree", json!(true)),
        (
            "author",
            json!([
                {"@type": "Person", "name": "Ada Okafor", "url": "https://courier.example/authors/ada-okafor", "jobTitle": "City editor"},
                {"@type": "Person", "name": "Guest Writer"}
            ]),
        ),
        (
            "image",
            json!({"@type": "ImageObject", "url": "https://images.example/a.jpg", "width": 800, "height": 600,
                   "caption": "A bridge", "creditText": "Bo"}),
        ),
    ] {
        assert_eq!(data[member], expected, "{member}: {data:#}");
    }
    assert_eq!(data["publisher"]["name"], "The Courier");
    assert_eq!(data["isPartOf"][0]["url"], "https://courier.example/world/europe");
    assert_eq!(data["correction"].as_array().unwrap().len(), 1);
    assert_eq!(data["correction"][0]["text"], "It was red.");
    assert!(data["dateModified"].as_str() > data["datePublished"].as_str());
    // It can stand in a page as it is.
    let text = app.anonymous().get(&format!("{}/schema.org", path_of(&article))).await.text;
    assert!(!text.contains('<'), "{text}");
}

#[actix_web::test]
async fn each_type_of_article_has_its_own() {
    let app = TestApp::start().await;
    for (kind, expected) in [
        ("news", json!("NewsArticle")),
        ("analysis", json!("AnalysisNewsArticle")),
        ("opinion", json!("OpinionNewsArticle")),
        ("feature", json!("NewsArticle")),
        ("interview", json!("NewsArticle")),
        ("explainer", json!("BackgroundNewsArticle")),
        ("live", json!(["LiveBlogPosting", "NewsArticle"])),
    ] {
        let headline = format!("{kind} {}", "word ".repeat(40).trim());
        let article = app.published_with(&headline, json!({ "type": kind })).await;
        let data = schema(&app, &article).await;
        assert_eq!(data["@type"], expected);
        assert!(data["headline"].as_str().unwrap().chars().count() <= 110);
        assert_eq!(data["alternativeHeadline"], headline);
        // Nobody is named: the newsroom wrote it.
        assert_eq!(data["author"], data["publisher"]);
        assert_eq!(data["coverageStartTime"].is_string(), kind == "live");
    }
}

#[actix_web::test]
async fn a_page_has_meta_elements() {
    let app = TestApp::start().await;
    let article = full(&app).await;
    let head = app.anonymous().get(&format!("{}/meta", path_of(&article))).await.expect(200);
    let url = article.json["url"].as_str().unwrap();
    assert_eq!(head.json["title"], "Bridge reopens – The Courier");
    assert_eq!(head.json["canonical_url"], url);
    for (key, expected) in [
        ("description", vec!["Why it </script> matters"]),
        ("author", vec!["Ada Okafor", "Guest Writer"]),
        ("og:type", vec!["article"]),
        ("og:site_name", vec!["The Courier"]),
        ("og:title", vec!["Bridge reopens"]),
        ("og:url", vec![url]),
        ("og:locale", vec!["en_GB"]),
        ("og:image", vec!["https://images.example/a.jpg"]),
        ("og:image:width", vec!["800"]),
        ("og:image:alt", vec!["A bridge"]),
        ("article:published_time", vec![article.json["published_at"].as_str().unwrap()]),
        ("article:author", vec!["https://courier.example/authors/ada-okafor"]),
        ("article:content_tier", vec!["free"]),
        ("article:section", vec!["europe"]),
        ("article:tag", vec!["Port"]),
        ("twitter:card", vec!["summary_large_image"]),
        ("twitter:image:alt", vec!["A bridge"]),
    ] {
        assert_eq!(contents(&head, key), expected, "{key}: {:#}", head.json);
    }
    let seo = json!({"title": "For search", "description": "Short", "canonical_url": "https://elsewhere.example/a",
                     "noindex": true, "og_image": "https://images.example/b.png"});
    let other = app.published_with("Other", json!({ "seo": seo })).await;
    let head = app.anonymous().get(&format!("{}/meta", path_of(&other))).await.expect(200);
    assert_eq!((&head.json["title"], &head.json["robots"]), (&json!("For search"), &json!("noindex")));
    assert_eq!(contents(&head, "og:url"), ["https://elsewhere.example/a"]);
    assert_eq!(contents(&head, "og:image"), ["https://images.example/b.png"]);
    assert_eq!(contents(&head, "robots"), ["noindex"]);
    // Its language is that of no country.
    let language = app.published_with("In English", json!({"language": "en"})).await;
    let head = app.anonymous().get(&format!("{}/meta", path_of(&language))).await.expect(200);
    assert_eq!(contents(&head, "og:locale"), [""; 0]);
}

#[actix_web::test]
async fn only_what_readers_see_is_told() {
    let app = TestApp::start().await;
    let editor = app.bold_editor().await;
    let draft = app.draft("Draft").await;
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    editor.patch(&path, json!({"headline": "Unseen", "slug": "tunnel"})).await.expect(200);
    for part in ["schema.org", "meta"] {
        for client in [app.anonymous(), app.editor().await] {
            client.get(&format!("{}/{part}", path_of(&draft))).await.problem(404, "not_found");
            let seen = client.get(&format!("/v1/articles/bridge/{part}")).await.expect(200);
            assert!(!seen.text.contains("Unseen"));
        }
        let first = app.anonymous().get(&format!("{path}/{part}")).await.expect(200);
        let known = app.anonymous().header("if-none-match", &first.etag());
        known.get(&format!("{path}/{part}")).await.expect(304);
        assert!(first.header("surrogate-key").contains(&format!("article/{}", article.id())));
    }
    editor.act(&format!("{path}/publish")).await.expect(200);
    let moved = app.anonymous().get("/v1/articles/bridge/meta").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/articles/tunnel/meta");
    editor.post(&format!("{path}/retract"), json!({"reason": "It was wrong."})).await.expect(200);
    for part in ["schema.org", "meta"] {
        app.anonymous().get(&format!("{path}/{part}")).await.problem(410, "retracted");
    }
}
