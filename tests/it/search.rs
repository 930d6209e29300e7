//! Search: what is found, in which order, by whom, and what of it is shown.

mod index;

use chrono::TimeDelta;
use masthead::{domain::instant::Instant, service::articles::settle_due};
use proptest::{prelude::*, strategy::ValueTree as _};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{each, paragraph, path_of},
};

/// A path with this query text, and other parameters behind it.
fn path(q: &str, more: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    format!("/v1/articles?{query}{more}")
}

async fn found_by(client: &Client, q: &str, more: &str) -> Vec<String> {
    let answer = client.get(&path(q, more)).await.expect(200);
    answer.each("headline").into_iter().map(str::to_owned).collect()
}

/// The headlines of what readers find.
async fn found(app: &TestApp, q: &str, more: &str) -> Vec<String> {
    found_by(&app.anonymous(), q, more).await
}

fn body(html: &str) -> Value {
    json!({"body": [{"blocks": [paragraph(html)]}]})
}

/// Published at this date.
async fn published_on(app: &TestApp, date: &str, headline: &str, members: Value) -> Answer {
    let editor = app.editor().await;
    let draft = app.draft_of(&editor, headline, members).await;
    let published_at = json!({"published_at": format!("{date}T00:00:00Z")});
    editor.post(&format!("{}/publish", path_of(&draft)), published_at).await.expect(200)
}

#[actix_web::test]
async fn words_phrases_beginnings_and_exclusions() {
    let app = TestApp::start().await;
    app.published_with("Night ferry to Ellery", body("The <em>old</em> harbour bridge is closed.")).await;
    app.published_with("Harbour fees rise", body("A bridge too far; the harbourmaster spoke.")).await;
    let table = json!({"type": "table", "caption": "Tides", "header": ["Port"], "rows": [["Brackwater"]]});
    let list = json!({"type": "list", "items": ["First <strong>lighthouse</strong>", "Second"]});
    let quote = json!({"type": "quote", "html": "Never &amp; ever", "cite": "Prof. Quill"});
    let blocks = json!({"kicker": "Kickerword", "standfirst": "Standfirstword",
        "body": [{"heading": "Headingword", "blocks": [table, list, quote]}]});
    app.published_with("Every block", blocks).await;

    let cases: &[(&str, &[&str])] = &[
        ("harbour bridge", &["Harbour fees rise", "Night ferry to Ellery"]),
        ("\"harbour bridge\"", &["Night ferry to Ellery"]),
        ("“harbour bridge”", &["Night ferry to Ellery"]),
        ("harbour bridge -ferry", &["Harbour fees rise"]),
        ("bridge -\"harbour bridge\"", &["Harbour fees rise"]),
        ("harbourm*", &["Harbour fees rise"]),
        ("\"night fer*\"", &["Night ferry to Ellery"]),
        ("harbour lighthouse", &[]),
        ("old harbour", &["Night ferry to Ellery"]),
        (
            "kickerword standfirstword headingword tides port brackwater lighthouse quill ever",
            &["Every block"],
        ),
        ("em strong", &[]),
        // Phrases do not reach from one field into the next.
        ("\"ellery the old\"", &[]),
        ("\"block kickerword\"", &[]),
        ("harbour OR bridge", &[]),
        ("NEAR(harbour", &[]),
        ("headline:harbour", &[]),
    ];
    for (q, expected) in cases {
        assert_eq!(found(&app, q, "").await, *expected, "{q}");
    }
}

#[actix_web::test]
async fn accents_and_case_make_no_difference() {
    let app = TestApp::start().await;
    for headline in ["Café Zürich", "Große Straße", "Ångström", "Øresund", "Ёлка в Москве", "東京都の天気"]
    {
        app.published(headline).await;
    }
    for (q, expected) in [
        ("CAFE zurich", "Café Zürich"),
        ("cafe\u{301}", "Café Zürich"),
        ("grosse strasse", "Große Straße"),
        ("GROSSE STRASSE", "Große Straße"),
        ("angstrom", "Ångström"),
        ("A\u{30a}NGSTRO\u{308}M", "Ångström"),
        ("oresund", "Øresund"),
        ("Øre*", "Øresund"),
        ("елка москве", "Ёлка в Москве"),
        ("東京", "東京都の天気"),
        ("天気", "東京都の天気"),
    ] {
        assert_eq!(found(&app, q, "").await, [expected], "{q}");
    }
    assert_eq!(found(&app, "京東", "").await, [""; 0]);
}

#[actix_web::test]
async fn place_and_date_decide_the_order() {
    let app = TestApp::start().await;
    let day = |days: i64| {
        let at = Instant::from_millis(app.newsroom.clock.now().millis() - days * 86_400_000).to_string();
        at[..10].to_owned()
    };
    published_on(&app, &day(1), "In the body", body("About the harbour.")).await;
    published_on(&app, &day(1), "In the standfirst", json!({"standfirst": "The harbour."})).await;
    published_on(&app, &day(400), "The harbour of old", json!({})).await;
    published_on(&app, &day(60), "The harbour of spring", json!({})).await;
    published_on(&app, &day(400), "Old body", body("About the harbour.")).await;
    let expected =
        ["The harbour of spring", "In the standfirst", "The harbour of old", "In the body", "Old body"];
    assert_eq!(found(&app, "harbour", "").await, expected);
    assert_eq!(found(&app, "harbour", "&sort=relevance").await, expected);
    let oldest = found(&app, "harbour", "&sort=published_at").await;
    assert_eq!(oldest[2], "The harbour of spring");
    assert_eq!(found(&app, "harbour", "&sort=headline&limit=1").await, ["In the body"]);
    let reader = app.anonymous();
    reader
        .get("/v1/articles?sort=relevance")
        .await
        .problem(400, "invalid_parameter")
        .fault("sort", "only_search");
    reader
        .get("/v1/articles?facets=tag")
        .await
        .problem(400, "invalid_parameter")
        .fault("facets", "only_search");
    let as_of = app.editor().await.get(&path("harbour", "&as_of=2026-01-01T00:00:00Z")).await;
    as_of.problem(400, "invalid_parameter").fault("q", "excluded");
}

#[actix_web::test]
async fn filters_and_facets_go_with_a_search() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.section("/world/europe").await;
    for name in ["Port", "Rail"] {
        editor.post("/v1/tags", json!({ "name": name })).await.expect(201);
    }
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    let image = json!({"media": {"url": "https://images.example/a.jpg"}});
    let of = |members| published_on_any(&app, members);
    let a = of(json!({"headline": "Harbour A", "section": "world/europe", "tags": ["port", "rail"]})).await;
    of(json!({"headline": "Harbour B", "section": "world", "tags": ["port"], "type": "opinion", "language": "de"}))
        .await;
    of(json!({"headline": "Harbour C", "bylines": [{"author": "ada"}], "lead_image": image})).await;
    of(json!({"headline": "Other D", "section": "world", "tags": ["port"]})).await;
    let id = a.id();
    for (filter, expected) in [
        ("&section=world", vec!["Harbour A", "Harbour B"]),
        ("&section=world&section_scope=exact", vec!["Harbour B"]),
        ("&tag=port", vec!["Harbour A", "Harbour B"]),
        ("&all_tags=port,rail", vec!["Harbour A"]),
        ("&tag=nowhere", vec![]),
        ("&author=ada", vec!["Harbour C"]),
        ("&type=opinion", vec!["Harbour B"]),
        ("&language=de", vec!["Harbour B"]),
        ("&has=lead_image", vec!["Harbour C"]),
        (&format!("&ids={id}"), vec!["Harbour A"]),
        (&format!("&exclude={id}"), vec!["Harbour B", "Harbour C"]),
        ("&published_before=2020-01-01T00:00:00Z", vec![]),
        ("&published_after=2020-01-01T00:00:00Z&section=world", vec!["Harbour A", "Harbour B"]),
    ] {
        let found = found(&app, "harbour", &format!("&sort=headline{filter}")).await;
        assert_eq!(found, expected, "{filter}");
    }
    let answer = app.anonymous().get(&path("harbour", "&facets=section,tag,type&count=true&limit=1")).await;
    let answer = answer.expect(200);
    assert_eq!((&answer.json["page"]["total"], &answer.json["is_partial"]), (&json!(3), &json!(false)));
    let facets = &answer.json["facets"];
    let counts = |kind: &str, name: &str| -> Vec<(String, i64)> {
        let names = each(&facets[kind], name).into_iter().map(str::to_owned);
        let counts = facets[kind].as_array().unwrap().iter().map(|value| value["count"].as_i64().unwrap());
        names.zip(counts).collect()
    };
    let owned = |expected: &[(&str, i64)]| -> Vec<(String, i64)> {
        expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(counts("section", "path"), owned(&[("/world", 2), ("/city", 1), ("/world/europe", 1)]));
    assert_eq!(counts("tag", "slug"), owned(&[("port", 2), ("rail", 1)]));
    assert_eq!(counts("type", "type"), owned(&[("news", 2), ("opinion", 1)]));
    let some = app.anonymous().get(&path("harbour", "&facets=tag&section=world/europe")).await.expect(200);
    assert_eq!(some.json["facets"], json!({"tag": some.json["facets"]["tag"]}));
    assert_eq!(each(&some.json["facets"]["tag"], "slug"), ["port", "rail"]);
    let plain = app.anonymous().get("/v1/articles").await.expect(200);
    assert!(plain.json.get("facets").is_none() && plain.json.get("is_partial").is_none());
    assert!(plain.json["data"][0].get("match").is_none());
}

/// Published now; the headline is among the members.
async fn published_on_any(app: &TestApp, members: Value) -> Answer {
    app.published_with("-", members).await
}

#[actix_web::test]
async fn nobody_finds_what_they_may_not_read() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let (contributor, author) = (app.contributor().await, app.author().await);
    app.draft_of(&editor, "Secret of the editor", json!({})).await;
    app.draft_of(&contributor, "Secret of the contributor", json!({})).await;
    let live = app.published("Plain").await;
    editor.patch(&path_of(&live), json!({"headline": "Secret to be"})).await.expect(200);

    let hidden = reader.get(&path("secret", "&count=true&facets=section,tag,type")).await.expect(200);
    assert_eq!((&hidden.json["data"], &hidden.json["page"]["total"]), (&json!([]), &json!(0)));
    assert_eq!(hidden.json["facets"], json!({"section": [], "tag": [], "type": []}));
    reader.get(&path("secret", "&stage=draft")).await.problem(401, "unauthenticated");
    assert_eq!(found_by(&author, "secret", "").await, [""; 0], "drafts only when asked for");
    let own = ["Secret of the contributor"];
    assert_eq!(found_by(&contributor, "secret", "&stage=draft").await, own);
    let mine = contributor.get(&path("secret", "&stage=draft&count=true&facets=type")).await.expect(200);
    assert_eq!(
        (&mine.json["page"]["total"], &mine.json["facets"]["type"][0]["count"]),
        (&json!(1), &json!(1))
    );
    let all = found_by(&editor, "secret", "&stage=draft&sort=headline").await;
    assert_eq!(all, ["Secret of the contributor", "Secret of the editor", "Secret to be"]);
    assert_eq!(found_by(&editor, "plain", "&stage=draft").await, [""; 0]);
    assert_eq!(found(&app, "plain", "").await, ["Plain"]);
}

#[actix_web::test]
async fn a_scheduled_article_is_found_from_its_instant_on() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let draft = app.draft("Embargo harbour").await;
    let at = Instant::from_millis(app.newsroom.clock.now().millis() + 60_000).to_string();
    editor.post(&format!("{}/publish", path_of(&draft)), json!({ "at": at })).await.expect(200);
    let article = app.published("Old words").await;
    editor.patch(&path_of(&article), json!({"headline": "Embargo words"})).await.expect(200);
    editor.post(&format!("{}/publish", path_of(&article)), json!({ "at": at })).await.expect(200);

    let before = reader.get(&path("embargo", "&count=true&facets=type")).await.expect(200);
    assert_eq!((before.each("id").len(), &before.json["page"]["total"]), (0, &json!(0)));
    assert_eq!(before.json["facets"]["type"], json!([]));
    assert_eq!(found(&app, "old words", "").await, ["Old words"]);
    let scheduled = found_by(&editor, "embargo", "&stage=scheduled&sort=headline").await;
    assert_eq!(scheduled, ["Embargo harbour", "Embargo words"]);
    assert_eq!(found_by(&editor, "old", "&stage=scheduled").await, [""; 0]);
    let listed = editor.get("/v1/articles?stage=scheduled&sort=headline").await.expect(200);
    assert_eq!(listed.each("headline"), scheduled, "as without a search");

    app.newsroom.clock.advance(TimeDelta::seconds(61));
    let now_live = ["Embargo harbour", "Embargo words"];
    assert_eq!(found(&app, "embargo", "&sort=headline").await, now_live, "with nobody having done anything");
    assert_eq!(found(&app, "old words", "").await, [""; 0]);
    settle_due(&app.newsroom).await.unwrap();
    assert_eq!(found(&app, "embargo", "&sort=headline").await, now_live);
    assert_eq!(found(&app, "old", "").await, [""; 0]);
}

#[actix_web::test]
async fn hits_are_marked_and_everything_else_is_escaped() {
    let app = TestApp::start().await;
    let members = json!({"standfirst": "A \"harbour\" story",
        "body": [{"blocks": [paragraph("Ships &amp; <em>harbour</em> &lt;script&gt; lights.")]}]});
    app.published_with("<script>alert('harbour')</script> & more", members).await;
    let answer = app.anonymous().get(&path("harbour ligh*", "")).await.expect(200);
    let item = &answer.json["data"][0];
    assert_eq!(
        item["match"],
        json!({
            "headline": "&lt;script&gt;alert(&#39;<mark>harbour</mark>&#39;)&lt;/script&gt; &amp; more",
            "standfirst": "A &quot;<mark>harbour</mark>&quot; story",
            "snippet": "Ships &amp; <mark>harbour</mark> &lt;script&gt; <mark>lights</mark>.",
        })
    );
    assert!(item.get("body").is_none() && item.get("related").is_none());
    let with_body = app.anonymous().get(&path("harbour", "&include=body,related")).await.expect(200);
    assert!(with_body.json["data"][0]["body"].is_array() && with_body.json["data"][0]["related"].is_array());
    let few = app.anonymous().get(&path("harbour", "&fields=match.snippet")).await.expect(200);
    assert_eq!(few.json["data"][0].as_object().unwrap().len(), 1);
    assert!(few.json["data"][0]["match"]["snippet"].as_str().unwrap().contains("<mark>harbour</mark>"));
    let public = app.anonymous().get(&path("harbour", "")).await.expect(200);
    assert!(public.header("surrogate-key").contains("articles"));
}

#[actix_web::test]
async fn a_result_is_walked_both_ways_and_each_article_comes_once() {
    let app = TestApp::start().await;
    for number in 0..7 {
        // Two of each year, and two places for the word.
        let date = format!("{}-01-01", 2020 + number / 2);
        let headline = if number % 3 == 0 { format!("Harbour {number}") } else { format!("Number {number}") };
        published_on(&app, &date, &headline, body("The harbour.")).await;
    }
    let reader = app.anonymous();
    for sort in ["relevance", "-published_at", "published_at", "headline", "-updated_at"] {
        let whole = found(&app, "harbour", &format!("&sort={sort}")).await;
        assert_eq!(whole.len(), 7);
        let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
        let at = |cursor: &str| path("harbour", &format!("&limit=3&sort={sort}&cursor={cursor}"));
        let mut page = reader.get(&path("harbour", &format!("&limit=3&sort={sort}"))).await.expect(200);
        loop {
            forwards.extend(page.each("headline").into_iter().map(str::to_owned));
            let Some(next) = page.json["page"]["next"].as_str() else { break };
            // Scores do not drift, and what is new does not push in.
            if sort == "relevance" {
                app.newsroom.clock.advance(TimeDelta::days(10));
                app.editor().await;
            }
            page = reader.get(&at(next)).await.expect(200);
        }
        assert_eq!(forwards, whole, "{sort}");
        loop {
            backwards.splice(0..0, page.each("headline").into_iter().map(str::to_owned));
            let Some(prev) = page.json["page"]["prev"].as_str() else { break };
            page = reader.get(&at(prev)).await.expect(200);
        }
        assert_eq!(backwards, whole, "{sort}");
    }
    assert_eq!(found(&app, "harbour", "&limit=3&page=3").await.len(), 1);
    assert_eq!(found(&app, "harbour", "&limit=3&page=9").await.len(), 0);
    let first = reader.get(&path("harbour", "&limit=1")).await.expect(200);
    let cursor = first.json["page"]["next"].as_str().unwrap();
    let other = reader.get(&path("harbour", &format!("&sort=headline&cursor={cursor}"))).await;
    other.problem(400, "invalid_parameter").fault("cursor", "other_order");
    // Made up: {"s":"relevance","b":false,"v":"x","i":1}
    let false_one = "eyJzIjoicmVsZXZhbmNlIiwiYiI6ZmFsc2UsInYiOiJ4IiwiaSI6MX0";
    reader.get(&path("harbour", &format!("&cursor={false_one}"))).await.problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn what_is_still_being_typed_is_no_error() {
    let app = TestApp::start().await;
    app.published("Plan B for the ferry").await;
    let reader = app.anonymous();
    for q in ["\"", "*", "-", "🎉 \"", "-ferry", "-\"the ferry\" -", "- *"] {
        for sort in ["relevance", "published_at", "headline"] {
            let more = format!("&count=true&facets=section,tag,type&sort={sort}");
            let answer = reader.get(&path(q, &more)).await.expect(200);
            assert_eq!(answer.json["data"], json!([]), "{q}");
            assert_eq!(answer.json["page"]["total"], 0, "{q}");
            assert_eq!(answer.json["facets"], json!({"section": [], "tag": [], "type": []}), "{q}");
            assert_eq!(answer.json["is_partial"], false, "{q}");
        }
        let plain = reader.get(&path(q, "&tag=nowhere&page=2")).await.expect(200);
        assert!(plain.json.get("facets").is_none() && plain.json["page"]["next"].is_null(), "{q}");
    }
    for (q, expected) in
        [("b*", 1), ("p*", 0), ("pl*", 1), ("\"plan b*\"", 1), ("\"plan b", 1), ("plan -", 1)]
    {
        assert_eq!(found(&app, q, "").await.len(), expected, "{q}");
    }
    assert_eq!(found(&app, &"plan b ".repeat(30), "").await.len(), 1);
    let many: Vec<String> = (0..30).map(|number| format!("w{number}")).collect();
    reader
        .get(&path(&many.join(" "), ""))
        .await
        .problem(400, "invalid_parameter")
        .fault("q", "too_many_words");
    reader.raw().get(&path(&"long ".repeat(200), "")).await.expect(400);
    reader.raw().get(&path("a\u{1}b", "")).await.expect(400);
}

#[actix_web::test]
async fn no_text_is_an_error_of_the_database() {
    let app = TestApp::start().await;
    app.published("Harbour: AND OR NOT (NEAR)").await;
    let words = [
        "harbour",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "^",
        "*",
        "\"",
        "'",
        ":",
        "-",
        "(",
        ")",
        "{",
        "}",
        "+",
        "!",
        "&",
        "|",
        "<->",
        "\\",
        "%",
        "🎉",
        "é",
        "東",
        "\u{301}",
        "ﷺ",
        ",",
        "a*",
        "headline:",
        " ",
        " ",
    ];
    let texts = prop_oneof![
        proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..9)
            .prop_map(|words| words.concat()),
        "\\PC{0,30}",
    ];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let reader = app.anonymous().raw();
    for _ in 0..150 {
        let text = texts.new_tree(&mut runner).unwrap().current();
        let answer = reader.get(&path(&text, "")).await;
        let expected = masthead::domain::search::SearchQuery::parse(&text);
        // What a broken encoding is read as; refused like control characters.
        let is_plain =
            !text.contains(masthead::domain::text::is_forbidden_character) && !text.contains('\u{fffd}');
        // An empty parameter is refused wherever it stands.
        let is_given = !text.is_empty();
        assert_eq!(
            answer.status == 200,
            expected.is_ok() && is_plain && is_given,
            "{text:?}: {}",
            answer.text
        );
    }
}

#[actix_web::test]
async fn a_search_costs_as_few_statements_whatever_its_length() {
    let app = TestApp::start().await;
    for number in 0..25 {
        app.published(&format!("Harbour {number}")).await;
    }
    let reader = app.anonymous();
    let statements = |answer: &Answer| -> usize {
        let timing = answer.header("server-timing");
        let number = timing.split("desc=\"").nth(1).and_then(|rest| rest.split(' ').next());
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{timing}"))
    };
    reader.get(&path("harbour", "")).await.expect(200);
    let two = reader.get(&path("harbour", "&limit=2")).await.expect(200);
    let many = reader.get(&path("harbour", "&limit=100")).await.expect(200);
    assert_eq!((two.each("id").len(), many.each("id").len()), (2, 25));
    assert!(statements(&many) <= 11, "{}", many.header("server-timing"));
    assert!(statements(&two).abs_diff(statements(&many)) <= 1);
}
