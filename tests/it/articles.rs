//! The life of an article: made, published, edited, renamed, withdrawn, deleted.

use chrono::TimeDelta;
use masthead::domain::user::Role;
use serde_json::json;

use crate::{
    app::TestApp,
    newsroom::{each, paragraph, path_of},
};

#[actix_web::test]
async fn a_draft_is_nobodys_business_but_the_newsrooms() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let made = editor.post("/v1/articles", json!({"headline": "Harbour bridge reopens"})).await.expect(201);
    assert_eq!(made.json["slug"], "harbour-bridge-reopens");
    assert_eq!(made.json["stage"], "draft");
    assert_eq!(made.json["version"], 1);
    assert_eq!(made.header("location"), path_of(&made));
    assert_eq!(made.json["workflow"]["state"], "draft");
    let again = editor.post("/v1/articles", json!({"headline": "Harbour bridge reopens"})).await.expect(201);
    assert_eq!(again.json["slug"], "harbour-bridge-reopens-2");
    let taken = json!({"headline": "Other", "slug": "harbour-bridge-reopens"});
    editor.post("/v1/articles", taken).await.problem(409, "taken");

    for path in [path_of(&made), "/v1/articles/harbour-bridge-reopens".to_owned()] {
        reader.get(&path).await.problem(404, "not_found");
        editor.get(&path).await.problem(404, "not_found");
        reader.get(&format!("{path}?stage=draft")).await.problem(401, "unauthenticated");
        assert_eq!(editor.get(&format!("{path}?stage=draft")).await.expect(200).json["id"], made.json["id"]);
    }
    let list = reader.get("/v1/articles?count=true").await.expect(200);
    assert!(list.each("id").is_empty());
    assert_eq!(list.json["page"]["total"], 0);
    let drafts = editor.get("/v1/articles?stage=draft&count=true").await.expect(200);
    assert_eq!(drafts.json["page"]["total"], 2);
}

#[actix_web::test]
async fn what_is_not_ready_is_not_published() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let made = editor.post("/v1/articles", json!({"headline": "Bare"})).await.expect(201);
    let publish = format!("{}/publish", path_of(&made));
    let refused = editor.act(&publish).await.problem(422, "not_ready");
    refused.fault("/section", "no_section").fault("/body", "no_body").faults(2);
    app.section("city").await;
    let ready = json!({"section": "/city", "body": [{"blocks": [paragraph("Text.")]}]});
    let edited = editor.if_match(&made.etag()).patch(&path_of(&made), ready).await.expect(200);
    editor.if_match(&made.etag()).act(&publish).await.problem(412, "stale");
    let published = editor.if_match(&edited.etag()).act(&publish).await.expect(200);
    assert_eq!(published.json["workflow"]["state"], "published");
    assert_eq!(published.json["workflow"]["has_unpublished_changes"], false);
}

#[actix_web::test]
async fn a_published_article_is_read_by_slug_and_by_id() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada Okafor"})).await.expect(201);
    let members = json!({"tags": ["port"], "bylines": [{"author": "ada-okafor"}, {"name": "Agencies"}],
        "lead_image": {"media": {"url": "https://images.example/a.jpg"}, "alt": "A bridge"}});
    let article = app.published_with("Bridge reopens", members).await;
    let reader = app.anonymous();
    let by_id = reader.get(&path_of(&article)).await.expect(200);
    assert_eq!(reader.get("/v1/articles/bridge-reopens").await.expect(200).json, by_id.json);
    let json = &by_id.json;
    assert_eq!(json["path"], "/city/bridge-reopens");
    assert_eq!(json["section"]["path"], "/city");
    assert_eq!(each(&json["tags"], "slug"), ["port"]);
    assert_eq!(each(&json["bylines"], "name"), ["Ada Okafor", "Agencies"]);
    assert_eq!(json["body"][0]["blocks"][0]["html"], "The bridge reopened on Monday.");
    assert_eq!(json["stage"], "live");
    assert!(json.get("workflow").is_none(), "readers hear nothing of the workflow");
    assert_eq!(json["word_count"], 5);
    let few = reader.get("/v1/articles/bridge-reopens?fields=headline,section.name").await.expect(200);
    assert_eq!(few.json, json!({"headline": "Bridge reopens", "section": {"name": "city"}}));
}

#[actix_web::test]
async fn an_edit_needs_the_version_that_was_read() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let made = app.draft("Bridge").await;
    let path = path_of(&made);
    let block = made.json["body"][0]["blocks"][0]["id"].as_str().unwrap();
    editor.patch(&path, json!({"kicker": "A"})).await.problem(428, "precondition_required");
    let mine = editor.if_match(&made.etag());
    mine.patch(&path, json!({"kicker": "A"})).await.expect(200);
    let block_path = format!("{path}/blocks/{block}");
    editor.if_match("\"2\"").patch(&block_path, json!({"html": "It did."})).await.expect(200);
    let stale = mine.patch(&path, json!({"kicker": "B"})).await.problem(412, "stale");
    assert_eq!(stale.json["current_version"], 3);
    let changed: Vec<_> = stale.json["changed"].as_array().unwrap().iter().flat_map(|c| c.as_str()).collect();
    assert!(changed.contains(&"kicker") && changed.contains(&&*format!("blocks/{block}")), "{changed:?}");
    let same = editor.if_match("\"3\"").patch(&path, json!({"kicker": "A"})).await.expect(200);
    assert_eq!(same.json["version"], 3, "what changes nothing makes no version");
}

#[actix_web::test]
async fn readers_see_an_edit_when_it_is_published() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    let before = reader.get(&path).await.expect(200);
    let edited = editor.patch(&path, json!({"headline": "Bridge reopens"})).await.expect(200);
    assert_eq!(edited.json["workflow"]["has_unpublished_changes"], true);
    assert_eq!(reader.get(&path).await.expect(200).json, before.json);
    app.newsroom.clock.advance(TimeDelta::minutes(5));
    editor.act(&format!("{path}/publish")).await.expect(200);
    let after = reader.get(&path).await.expect(200);
    assert_eq!(after.json["headline"], "Bridge reopens");
    assert_eq!(after.json["published_at"], before.json["published_at"]);
    assert_eq!(
        after.json["updated_at"], before.json["updated_at"],
        "nobody said that readers should be told"
    );
    assert_ne!(after.etag(), before.etag());
    editor.post(&format!("{path}/publish"), json!({"updated": true})).await.expect(200);
    let told = reader.get(&path).await.expect(200);
    assert_ne!(told.json["updated_at"], before.json["updated_at"]);
    assert_eq!(told.json["published_at"], before.json["published_at"]);
}

#[actix_web::test]
async fn a_withdrawn_article_is_gone_for_readers() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    assert_eq!(reader.get("/v1/articles?section=city").await.expect(200).each("slug"), ["bridge"]);
    editor.act(&format!("{path}/unpublish")).await.expect(200);
    for path in [path.as_str(), "/v1/articles/bridge"] {
        reader.get(path).await.problem(404, "not_found");
    }
    for query in ["", "?section=city", "?language=en", "?type=news"] {
        assert!(
            reader.get(&format!("/v1/articles{query}")).await.expect(200).each("id").is_empty(),
            "{query}"
        );
    }
    let refused = editor.act(&format!("{path}/unpublish")).await.problem(409, "invalid_transition");
    assert!(refused.json["allowed_actions"].as_array().unwrap().contains(&json!("publish")));
    editor.act(&format!("{path}/publish")).await.expect(200);
    reader.get("/v1/articles/bridge").await.expect(200);
}

#[actix_web::test]
async fn a_former_slug_redirects_once_the_new_one_is_public() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let path = path_of(&app.published("Bridge").await);
    editor.patch(&path, json!({"slug": "harbour-bridge"})).await.expect(200);
    reader.get("/v1/articles/bridge").await.expect(200);
    reader.get("/v1/articles/harbour-bridge").await.problem(404, "not_found");
    editor.act(&format!("{path}/publish")).await.expect(200);
    let moved = reader.get("/v1/articles/bridge").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/articles/harbour-bridge");
    let moved = reader.get("/v1/articles/bridge?fields=headline").await.expect(308);
    assert_eq!(moved.header("location"), "/v1/articles/harbour-bridge?fields=headline");
    reader.get("/v1/articles/harbour-bridge").await.expect(200);
    let other = json!({"headline": "Other", "slug": "bridge"});
    editor.post("/v1/articles", other).await.problem(409, "taken");
    editor.act(&format!("{path}/unpublish")).await.expect(200);
    reader.get("/v1/articles/bridge").await.problem(404, "not_found");
}

#[actix_web::test]
async fn only_what_readers_do_not_see_is_deleted() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let path = path_of(&app.published("Bridge").await);
    editor.delete(&path).await.problem(409, "conflict");
    editor.act(&format!("{path}/unpublish")).await.expect(200);
    editor.if_match("\"9\"").delete(&path).await.problem(412, "stale");
    editor.delete(&path).await.expect(200);
    editor.get(&format!("{path}?stage=draft")).await.problem(404, "not_found");
    reader.get("/v1/articles/bridge").await.problem(404, "not_found");
    let again = app.draft("Bridge").await;
    assert_eq!(again.json["slug"], "bridge", "the slug is free again");
}

#[actix_web::test]
async fn the_date_of_publication_can_lie_back_but_not_ahead() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.anonymous());
    let publish = format!("{}/publish", path_of(&app.draft("Bridge").await));
    let future = json!({"published_at": "2999-01-01T00:00:00Z"});
    editor.post(&publish, future).await.problem(422, "invalid").fault("/published_at", "in_future");
    let bad = editor.post(&publish, json!({"published_at": "yesterday"})).await.problem(422, "invalid");
    bad.fault("/published_at", "bad_instant");
    reader.get("/v1/articles/bridge").await.problem(404, "not_found");
    editor.post(&publish, json!({"published_at": "2019-05-18T09:30:00+02:00"})).await.expect(200);
    let live = reader.get("/v1/articles/bridge").await.expect(200);
    assert_eq!(live.json["published_at"], "2019-05-18T07:30:00.000Z");
}

#[actix_web::test]
async fn all_faults_of_an_article_are_told_at_once() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    // The first look is at the text itself, the second at what it refers to.
    let bad = json!({
        "headline": "", "slug": "Not A Slug!", "nonsense": 1, "language": "?",
        "body": [{"blocks": [{"type": "paragraph", "html": "<b onclick=x>no</b>"}, {"type": "hologram"}]}],
    });
    let answer = editor.post("/v1/articles", bad).await.problem(422, "invalid");
    let places = each(&answer.json["errors"], "pointer");
    for place in ["/headline", "/nonsense", "/body/0/blocks/1/type"] {
        assert!(places.contains(&place), "{place}: {}", answer.text);
    }
    let bad =
        json!({"headline": "A", "body": [{"blocks": [paragraph("<script>x</script>")]}], "slug": "A B"});
    let answer = editor.post("/v1/articles", bad).await.problem(422, "invalid");
    let places = each(&answer.json["errors"], "pointer");
    assert_eq!(places, ["/slug", "/body/0/blocks/0/html"], "{}", answer.text);
    let bad =
        json!({"headline": "A", "section": "nowhere", "tags": ["none"], "bylines": [{"author": "no-one"}]});
    let answer = editor.post("/v1/articles", bad).await.problem(422, "invalid");
    answer
        .fault("/section", "unknown_section")
        .fault("/tags/0", "unknown_tag")
        .fault("/bylines/0/author", "unknown_author")
        .faults(3);
}

#[actix_web::test]
async fn drafts_belong_to_those_who_made_them() {
    let app = TestApp::start().await;
    let contributor = app.contributor().await;
    let (author, other) = (app.author().await, app.user(Role::Author, "Otto Author").await);
    let theirs = path_of(&app.draft("Not yours").await);
    contributor.get(&format!("{theirs}?stage=draft")).await.problem(404, "not_found");
    contributor.if_match("*").patch(&theirs, json!({"kicker": "x"})).await.problem(404, "not_found");
    author.get(&format!("{theirs}?stage=draft")).await.expect(200);
    author.if_match("*").patch(&theirs, json!({"kicker": "x"})).await.problem(403, "forbidden");
    author.act(&format!("{theirs}/publish")).await.problem(403, "forbidden");
    author.delete(&theirs).await.problem(403, "forbidden");

    let own = app.draft_of(&contributor, "Mine", json!({})).await;
    let drafts = contributor.get("/v1/articles?stage=draft").await.expect(200);
    assert_eq!(drafts.each("slug"), ["mine"], "a contributor sees their own");
    contributor.if_match("*").patch(&path_of(&own), json!({"kicker": "x"})).await.expect(200);
    contributor.act(&format!("{}/publish", path_of(&own))).await.problem(403, "forbidden");
    app.editor().await.act(&format!("{}/publish", path_of(&own))).await.expect(200);
    let closed = contributor.if_match("*").patch(&path_of(&own), json!({"kicker": "y"})).await;
    closed.problem(403, "forbidden");

    let profile = json!({"name": "Otto", "user_id": other.user().id});
    app.editor().await.post("/v1/authors", profile).await.expect(201);
    let shared = app.draft_of(&author, "Ours", json!({"bylines": [{"author": "otto"}]})).await;
    other.if_match("*").patch(&path_of(&shared), json!({"kicker": "x"})).await.expect(200);
    other.act(&format!("{}/publish", path_of(&shared))).await.expect(200);
    author.delete(&path_of(&shared)).await.problem(403, "forbidden");
    let mine = app.draft_of(&author, "Short-lived", json!({})).await;
    author.delete(&path_of(&mine)).await.expect(200);
}
