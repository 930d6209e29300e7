//! What lists understand: filters and their combinations, orders, pages, fields.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::path_of,
    spec,
};

/// Articles of which no two have the same in everything.
async fn fill(app: &TestApp) -> Vec<String> {
    let editor = app.editor().await;
    for path in ["/world/europe", "/city"] {
        app.section(path).await;
    }
    for name in ["Port", "Rail", "Air"] {
        editor.post("/v1/tags", json!({ "name": name })).await.expect(201);
        editor.post("/v1/authors", json!({"name": format!("Author {name}")})).await.expect(201);
    }
    let mut ids = Vec::new();
    for number in 0..17_usize {
        let pick = |list: &[&str], step: usize| list[(number / step) % list.len()].to_owned();
        let tags: Vec<_> = ["port", "rail", "air"]
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| (number + 1) >> bit & 1 == 1)
            .map(|(_, tag)| tag)
            .collect();
        let image = json!({"media": {"url": "https://images.example/a.jpg"}});
        let members = json!({
            "section": pick(&["city", "world", "world/europe"], 1),
            "sections": if number % 5 == 0 { vec!["world/europe"] } else { vec![] },
            "tags": tags,
            "bylines": if number % 3 == 0 { vec![] } else { vec![json!({"author": pick(&["author-port", "author-rail"], 2)})] },
            "type": pick(&["news", "opinion", "analysis"], 4),
            "language": pick(&["en", "de"], 3),
            "lead_image": if number % 4 == 0 { image } else { Value::Null },
        });
        let members = if number % 5 == 0 && number % 3 == 2 {
            let mut members = members;
            members["sections"] = json!([]);
            members
        } else {
            members
        };
        // Headlines and years repeat, so that the id decides.
        let draft = app.draft_of(&editor, &format!("Headline {}", number / 2), members).await;
        let published_at = json!({"published_at": format!("{}-01-01T00:00:00Z", 2010 + number / 3)});
        ids.push(editor.post(&format!("{}/publish", path_of(&draft)), published_at).await.expect(200).id());
    }
    ids
}

/// The pages of a list from the first to the last, and the last one.
async fn walk(client: &Client, path: &str) -> (Vec<Vec<String>>, Answer) {
    let with = |cursor: &str| format!("{path}{}cursor={cursor}", if path.contains('?') { '&' } else { '?' });
    let mut page = client.get(path).await.expect(200);
    let mut pages = Vec::new();
    loop {
        pages.push(page.each("id").into_iter().map(str::to_owned).collect());
        let Some(next) = page.json["page"]["next"].as_str() else { return (pages, page) };
        page = client.get(&with(next)).await.expect(200);
    }
}

#[actix_web::test]
async fn every_list_is_walked_both_ways_in_every_order() {
    let app = TestApp::start().await;
    let (editor, admin) = (app.bold_editor().await, app.admin().await);
    let ids = fill(&app).await;
    let article = format!("/v1/articles/{}", ids[0]);
    for number in 0..5 {
        let text = format!("Text {number}");
        editor.post(&format!("{article}/notes"), json!({ "text": text })).await.expect(201);
        editor.post(&format!("{article}/revisions"), json!({ "note": text })).await.expect(201);
        editor.post("/v1/releases", json!({ "name": text })).await.expect(201);
        editor
            .post("/v1/redirects", json!({"from": format!("/old-{number}"), "to": "/city"}))
            .await
            .expect(201);
        app.draft(&text).await;
    }
    let mut lists: Vec<String> = ["tags", "authors", "sections", "releases", "redirects", "users", "audit"]
        .map(|name| format!("/v1/{name}?"))
        .into();
    lists.extend(["notes", "revisions"].map(|part| format!("{article}/{part}?")));
    let list = spec::operation(&Method::GET, "/v1/articles").unwrap();
    let sort = list.parameters("query").find(|parameter| parameter["name"] == "sort").unwrap();
    let sorts = sort["schema"]["enum"].as_array().unwrap().iter().map(|sort| sort.as_str().unwrap());
    lists.push("/v1/articles?q=headline&sort=relevance&".to_owned());
    for sort in sorts.filter(|sort| *sort != "relevance") {
        lists.push(format!("/v1/articles?sort={sort}&"));
        lists.push(format!("/v1/articles?section=world&tag=port,air&sort={sort}&"));
        lists.push(format!("/v1/articles?stage=draft&sort={sort}&"));
    }
    for list in lists {
        let (whole, _) = walk(&admin, &format!("{list}limit=100")).await;
        for limit in [1, 3] {
            if whole.concat().len() > 30 * limit {
                continue;
            }
            let path = format!("{list}limit={limit}");
            let (pages, mut page) = walk(&admin, &path).await;
            assert_eq!(pages.concat(), whole.concat(), "{path}");
            let mut back = vec![pages.last().unwrap().clone()];
            while let Some(prev) = page.json["page"]["prev"].as_str() {
                page = admin.get(&format!("{path}&cursor={prev}")).await.expect(200);
                back.push(page.each("id").into_iter().map(str::to_owned).collect());
            }
            back.reverse();
            assert_eq!(back, pages, "{path}: the way back");
            if let (Some(next), true) = (page.json["page"]["next"].as_str(), pages.len() > 1) {
                let second = admin.get(&format!("{path}&cursor={next}")).await.expect(200);
                assert_eq!(second.each("id"), pages[1], "{path}: forward again");
            }
        }
        let counted = admin.get(&format!("{list}limit=1&count=true")).await.expect(200);
        assert_eq!(counted.json["page"]["total"], whole.concat().len(), "{list}");
    }
}

#[actix_web::test]
async fn what_comes_and_goes_moves_nothing_else() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    for sort in ["-published_at", "published_at", "-updated_at", "headline", "-headline"] {
        let mut there = BTreeSet::new();
        for number in 0..8 {
            there.insert(app.published(&format!("Article {number}")).await.id());
        }
        let path = format!("/v1/articles?limit=2&sort={sort}");
        let mut page = reader.get(&path).await.expect(200);
        let mut seen = Vec::new();
        loop {
            let ids: Vec<_> = page.each("id").into_iter().map(str::to_owned).collect();
            seen.extend(ids.iter().cloned());
            let Some(next) = page.json["page"]["next"].as_str().map(str::to_owned) else { break };
            // The row at which the page ended goes, and another comes.
            editor.act(&format!("/v1/articles/{}/unpublish", ids.last().unwrap())).await.expect(200);
            app.published("Article 4 and a half").await;
            page = reader.get(&format!("{path}&cursor={next}")).await.expect(200);
            if seen.len() > 40 {
                panic!("{sort}: no end");
            }
        }
        let unique: BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "{sort}: one came twice");
        assert!(there.is_subset(&unique), "{sort}: one was left out");
        for id in reader.get("/v1/articles?limit=100").await.expect(200).each("id") {
            editor.act(&format!("/v1/articles/{id}/unpublish")).await.expect(200);
        }
    }
}

#[actix_web::test]
async fn several_values_stand_behind_commas_or_are_repeated() {
    let app = TestApp::start().await;
    let ids = fill(&app).await;
    let reader = app.anonymous();
    let values: [(&str, Vec<&str>); 7] = [
        ("tag", vec!["port", "air"]),
        ("all_tags", vec!["port", "air"]),
        ("type", vec!["news", "opinion"]),
        ("ids", vec![&ids[1], &ids[3], &ids[8]]),
        ("exclude", vec![&ids[1], &ids[3]]),
        ("include", vec!["body", "related", "corrections"]),
        ("fields", vec!["id", "section.name", "tags.slug"]),
    ];
    let mut sizes = Vec::new();
    for (name, values) in values {
        let commas =
            reader.get(&format!("/v1/articles?limit=100&{name}={}", values.join(","))).await.expect(200);
        let repeated: Vec<_> = values.iter().map(|value| format!("{name}={value}")).collect();
        let repeated =
            reader.get(&format!("/v1/articles?limit=100&{}", repeated.join("&"))).await.expect(200);
        assert_eq!(commas.json, repeated.json, "{name}");
        sizes.push(commas.json["data"].as_array().unwrap().len());
        if name == "include" {
            let article = &commas.json["data"][0];
            assert!(["body", "related", "corrections"].iter().all(|part| article[part].is_array()));
        }
        if name == "fields" {
            let article = commas.json["data"][0].as_object().unwrap();
            assert_eq!(article.keys().collect::<Vec<_>>(), ["id", "section", "tags"]);
        }
    }
    assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    assert_eq!((sizes[3], sizes[4]), (3, 15));
    let many = |number: usize| vec![ids[0].as_str(); number].join(",");
    let hundred = reader.get(&format!("/v1/articles?ids={}", many(100))).await.expect(200);
    assert_eq!(hundred.each("id"), [&*ids[0]]);
    for name in ["ids", "exclude"] {
        let answer = reader.get(&format!("/v1/articles?{name}={}", many(101))).await;
        answer.problem(400, "invalid_parameter").fault(name, "too_many");
    }
}

/// Whether a filter admits an article as a list shows it.
fn admits(name: &str, value: &str, article: &Value) -> bool {
    let each = |list: &Value, member: &str| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|item| item[member].as_str().unwrap_or_default().to_owned()).collect()
    };
    let text = |member: &str| article[member].as_str().unwrap_or_default();
    let tags = each(&article["tags"], "slug");
    let mut values = value.split(',');
    let is_in = |path: &str| {
        let mut places = each(&article["sections"], "path");
        places.push(article["section"]["path"].as_str().unwrap().to_owned());
        places.iter().any(|place| place == path || place.starts_with(&format!("{path}/")))
    };
    match name {
        "section" => is_in(value),
        "tag" => values.any(|value| tags.iter().any(|tag| tag == value)),
        "all_tags" => values.all(|value| tags.iter().any(|tag| tag == value)),
        "author" => {
            let bylines = article["bylines"].as_array().unwrap();
            bylines.iter().any(|byline| byline["author"]["slug"] == value)
        }
        "type" => values.any(|value| text("type") == value),
        "language" => text("language") == value,
        // Instants of one form sort like their text.
        "published_after" => text("published_at") >= value,
        "published_before" => text("published_at") < value,
        "ids" => values.any(|value| text("id") == value),
        "exclude" => !values.any(|value| text("id") == value),
        "has" => !article["lead_image"].is_null(),
        _ => panic!("{name}"),
    }
}

#[actix_web::test]
async fn filters_are_combined_as_all_of_them() {
    let app = TestApp::start().await;
    let ids = fill(&app).await;
    let reader = app.anonymous();
    let some = |step: usize| ids.iter().step_by(step).cloned().collect::<Vec<_>>().join(",");
    let filters: Vec<(&str, Vec<String>)> = vec![
        ("section", vec!["/world".into(), "/world/europe".into(), "/city".into()]),
        ("tag", vec!["port".into(), "rail,air".into()]),
        ("all_tags", vec!["port,rail".into(), "air".into()]),
        ("author", vec!["author-port".into(), "author-rail".into()]),
        ("type", vec!["news,opinion".into(), "analysis".into()]),
        ("language", vec!["en".into(), "de".into()]),
        ("published_after", vec!["2011-01-01T00:00:00.000Z".into(), "2013-01-01T00:00:00.000Z".into()]),
        ("published_before", vec!["2014-01-01T00:00:00.000Z".into(), "2012-06-01T00:00:00.000Z".into()]),
        ("ids", vec![some(2), some(3)]),
        ("exclude", vec![some(4), some(5)]),
        ("has", vec!["lead_image".into()]),
    ];
    let mut found = 0;
    for sort in ["-published_at", "headline"] {
        let whole = reader.get(&format!("/v1/articles?limit=100&sort={sort}")).await.expect(200);
        let whole = whole.json["data"].as_array().unwrap().clone();
        // Every pair, and a spread of larger sets.
        for set in 0_u32..1 << filters.len() {
            if set.count_ones() > 2 && set % 37 != 0 || set.count_ones() > 5 {
                continue;
            }
            let chosen: Vec<_> = filters
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(bit, (name, values))| (*name, &values[(set as usize + bit) % values.len()]))
                .collect();
            let expected = whole
                .iter()
                .filter(|article| chosen.iter().all(|(name, value)| admits(name, value, article)));
            let expected: Vec<_> = expected.map(|article| article["id"].as_str().unwrap()).collect();
            let query: String = chosen.iter().map(|(name, value)| format!("&{name}={value}")).collect();
            let answer = reader
                .get(&format!("/v1/articles?limit=100&count=true&sort={sort}{query}"))
                .await
                .expect(200);
            assert_eq!(answer.each("id"), expected, "{sort} {query}");
            assert_eq!(answer.json["page"]["total"], expected.len(), "{query}");
            found += expected.len().min(1);
        }
    }
    assert!(found > 50, "only {found} found anything");
}

#[actix_web::test]
async fn fields_go_as_deep_as_the_answer() {
    let app = TestApp::start().await;
    fill(&app).await;
    let reader = app.anonymous();
    for (path, fields, expected) in [
        ("/v1/tags/port", "name,type", json!({"name": "Port", "type": "topic"})),
        ("/v1/authors/author-air", "slug", json!({"slug": "author-air"})),
        (
            "/v1/sections/world%2Feurope",
            "path,seo.noindex",
            json!({"path": "/world/europe", "seo": {"noindex": false}}),
        ),
        ("/v1/site", "version", json!({"version": 1})),
    ] {
        assert_eq!(reader.get(&format!("{path}?fields={fields}")).await.expect(200).json, expected, "{path}");
    }
    for (path, fields, first) in [
        ("/v1/tags", "slug", json!({"slug": "air"})),
        ("/v1/authors", "name", json!({"name": "Author Air"})),
        ("/v1/sections", "path,name", json!({"name": "city", "path": "/city"})),
        ("/v1/changes", "kind,entity", json!({"kind": "created", "entity": "section"})),
    ] {
        let answer = reader.get(&format!("{path}?fields={fields}&limit=1")).await.expect(200);
        assert_eq!(answer.json["data"], json!([first]), "{path}");
        assert_eq!(answer.json["page"]["limit"], 1);
    }
    let tree = reader.get("/v1/sections?tree=true&fields=name,children.name").await.expect(200);
    let world =
        tree.json["data"].as_array().unwrap().iter().find(|section| section["name"] == "world").unwrap();
    assert_eq!(*world, json!({"name": "world", "children": [{"name": "europe"}]}));
    let article = reader
        .get("/v1/articles?limit=1&fields=headline,bylines.author.slug,section.path&include=body")
        .await;
    let article =
        article.expect(200).json["data"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(article, ["bylines", "headline", "section"]);
    for path in [
        "/v1/articles",
        "/v1/tags",
        "/v1/tags/port",
        "/v1/authors",
        "/v1/sections",
        "/v1/changes",
        "/v1/site",
    ] {
        let answer = reader
            .get(&format!("{path}?fields=name.nothing,nonsense"))
            .await
            .problem(400, "invalid_parameter");
        answer.fault("fields", "unknown_field").faults(2);
    }
}

#[actix_web::test]
async fn what_a_list_does_not_understand_is_refused() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    app.published("Bridge").await;
    let first = reader.get("/v1/articles?limit=1").await.expect(200);
    assert!(first.json["page"]["next"].is_null() && first.json["page"]["prev"].is_null());
    app.published("Rail").await;
    let first = reader.get("/v1/articles?limit=1").await.expect(200);
    let next = first.json["page"]["next"].as_str().unwrap();
    let both = reader.get(&format!("/v1/articles?page=2&cursor={next}")).await;
    both.problem(400, "invalid_parameter").fault("page", "excluded");
    for path in ["/v1/articles", "/v1/tags", "/v1/authors", "/v1/sections", "/v1/changes", "/v1/front"] {
        for (query, parameter, code) in [
            ("limit=0", "limit", "too_small"),
            ("limit=101", "limit", "too_large"),
            ("limit=ten", "limit", "wrong_type"),
            ("limit=1&limit=2", "limit", "repeated_parameter"),
            ("nonsense=1", "nonsense", "unknown_parameter"),
            ("Limit=1", "Limit", "unknown_parameter"),
        ] {
            let answer = reader.get(&format!("{path}?{query}")).await.problem(400, "invalid_parameter");
            answer.fault(parameter, code);
        }
    }
    for path in ["/v1/articles", "/v1/tags", "/v1/authors", "/v1/sections"] {
        for (query, parameter, code) in [
            ("page=0", "page", "too_small"),
            ("page=501", "page", "too_deep"),
            ("cursor=x", "cursor", "bad_format"),
            ("cursor=", "cursor", "blank"),
            ("fields=", "fields", "blank"),
            ("count=yes", "count", "wrong_type"),
        ] {
            let answer = reader.get(&format!("{path}?{query}")).await.problem(400, "invalid_parameter");
            answer.fault(parameter, code);
        }
        let last = reader.get(&format!("{path}?page=500")).await.expect(200);
        assert!(last.each("id").is_empty(), "{path}");
        // A cursor of a list means nothing in another.
        if path != "/v1/articles" {
            let other = reader.get(&format!("{path}?cursor={next}")).await.problem(400, "invalid_parameter");
            other.fault("cursor", "other_order");
        }
    }
}

#[actix_web::test]
async fn a_field_that_is_named_is_included() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let article = app.published("Bridge").await;
    let correction = json!({"kind": "correction", "text": "It was the other bridge."});
    editor.post(&format!("{}/corrections", path_of(&article)), correction).await.expect(201);
    let reader = app.anonymous();
    let full = reader.get("/v1/articles?include=body,related,corrections").await.expect(200);
    let full = &full.json["data"][0];
    for list in ["/v1/articles?", "/v1/articles?q=bridge&", "/v1/articles?include=related&"] {
        for field in ["body", "related", "corrections"] {
            let sparse = reader.get(&format!("{list}fields={field}")).await.expect(200);
            assert_eq!(sparse.json["data"], json!([{ field: full[field] }]), "{list}{field}");
        }
        let part = reader.get(&format!("{list}fields=body.blocks,headline")).await.expect(200);
        let part = &part.json["data"][0];
        let blocks = json!([{"blocks": full["body"][0]["blocks"]}]);
        assert_eq!(*part, json!({"body": blocks, "headline": "Bridge"}), "{list}");
    }
    let text = reader.get("/v1/articles?fields=body&body_format=text").await.expect(200);
    assert!(text.json["data"][0]["body"].is_string(), "{}", text.text);
    // Without credentials there is no such field.
    let hidden = reader.get("/v1/articles?fields=headline,workflow.state").await.expect(200);
    assert_eq!(hidden.json["data"], json!([{"headline": "Bridge"}]));
    let shown = editor.get("/v1/articles?fields=headline,workflow.state").await.expect(200);
    assert_eq!(shown.json["data"], json!([{"headline": "Bridge", "workflow": {"state": "published"}}]));

    for path in ["/v1/sections/city", "/v1/sections", "/v1/sections?tree=true"] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let counted = reader.get(&format!("{path}{separator}fields=article_count")).await.expect(200);
        let section = counted.json["data"].get(0).unwrap_or(&counted.json);
        assert_eq!(*section, json!({"article_count": 1}), "{path}");
    }
}

#[actix_web::test]
async fn a_path_of_a_section_may_end_with_a_slash() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.section("/world/europe").await;
    let draft = app.draft_of(&editor, "Bridge", json!({"section": "/world/europe/"})).await;
    editor.act(&format!("{}/publish", path_of(&draft))).await.expect(200);
    let reader = app.anonymous();
    for section in ["/world/europe/", "world/europe/", "/world/", "world", "/world/&section_scope=tree"] {
        let found = reader.get(&format!("/v1/articles?section={section}")).await.expect(200);
        assert_eq!(found.each("headline"), ["Bridge"], "{section}");
    }
    let two = reader.get("/v1/articles?section=/world//").await.expect(200);
    assert!(two.each("headline").is_empty());
}
