//! The steps of the workflow, the check before publication, and trying a step without effect.

use chrono::TimeDelta;
use masthead::domain::instant::Instant;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{each, paragraph, path_of, read_more},
};

/// What this client may do to an article now.
async fn allowed(client: &Client, path: &str) -> Vec<String> {
    let draft = client.get(&format!("{path}?stage=draft")).await.expect(200);
    let actions = draft.json["workflow"]["allowed_actions"].as_array().unwrap().clone();
    actions.into_iter().map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn state(answer: &Answer) -> &Value {
    &answer.json["workflow"]["state"]
}

#[actix_web::test]
async fn an_article_goes_from_draft_to_publication_and_back() {
    let app = TestApp::start().await;
    let (contributor, editor, reader) = (app.contributor().await, app.editor().await, app.anonymous());
    let draft = app.draft_of(&contributor, "Bridge", json!({})).await;
    let path = path_of(&draft);
    let step = |name: &str| format!("{path}/{name}");
    assert_eq!(allowed(&contributor, &path).await, ["edit", "submit"]);
    let expected = ["edit", "submit", "publish", "archive", "delete"];
    assert_eq!(allowed(&editor, &path).await, expected);

    let submitted = contributor.post(&step("submit"), json!({"note": "Ready"})).await.expect(200);
    assert_eq!(state(&submitted), "in_review");
    assert_eq!(allowed(&contributor, &path).await, ["edit"]);
    let twice = contributor.act(&step("submit")).await.problem(409, "invalid_transition");
    assert_eq!(twice.json["allowed_actions"], json!(["edit"]));
    contributor.act(&step("publish")).await.problem(403, "forbidden");
    editor.post(&step("return"), json!({})).await.problem(422, "invalid").fault("/note", "required");
    let returned = editor.post(&step("return"), json!({"note": "A source, please"})).await.expect(200);
    assert_eq!(state(&returned), "draft");
    contributor.act(&step("submit")).await.expect(200);

    let published = editor.act(&step("publish")).await.expect(200);
    assert_eq!(state(&published), "published");
    assert_eq!(published.json["outcome"], json!({"dry_run": false, "findings": [], "affected_links": []}));
    reader.get(&path).await.expect(200);
    assert_eq!(allowed(&contributor, &path).await, [""; 0], "it was published, so it is theirs no more");
    editor.act(&step("discard")).await.problem(409, "invalid_transition");

    assert_eq!(state(&editor.act(&step("unpublish")).await.expect(200)), "unpublished");
    reader.get(&path).await.problem(404, "not_found");
    assert_eq!(state(&editor.act(&step("submit")).await.expect(200)), "in_review");
    let returned = editor.post(&step("return"), json!({"note": "No"})).await.expect(200);
    assert_eq!(state(&returned), "unpublished", "what was public is a draft no more");
    editor.delete(&path).await.expect(200);
    reader.get(&path).await.problem(404, "not_found");
}

#[actix_web::test]
async fn a_retracted_article_tells_why() {
    let app = TestApp::start().await;
    let (author, editor, reader) = (app.author().await, app.editor().await, app.anonymous());
    let draft = app.draft_of(&author, "Bridge", json!({})).await;
    let path = path_of(&draft);
    author.act(&format!("{path}/publish")).await.expect(200);
    let wanted = json!({"reason": "The documents were forged."});
    author.post(&format!("{path}/retract"), wanted.clone()).await.problem(403, "forbidden");
    let retracted = editor.post(&format!("{path}/retract"), wanted).await.expect(200);
    assert_eq!(state(&retracted), "retracted");
    for name in [&path, "/v1/articles/bridge"] {
        let gone = reader.get(name).await.problem(410, "retracted");
        assert_eq!(gone.json["detail"], "The documents were forged.");
    }
    assert!(reader.get("/v1/articles").await.expect(200).each("id").is_empty());
    let edit = editor.if_match("*").patch(&path, json!({"kicker": "A"})).await;
    edit.problem(409, "invalid_transition");
    assert_eq!(allowed(&editor, &path).await, ["reopen", "delete"]);
    assert_eq!(state(&editor.act(&format!("{path}/reopen")).await.expect(200)), "unpublished");
    reader.get(&path).await.problem(404, "not_found");
    let changes = reader.get("/v1/changes?limit=100").await.expect(200);
    let of_article = changes.json["data"].as_array().unwrap().iter();
    let kinds: Vec<_> =
        of_article.filter(|change| change["entity_id"] == draft.id()).map(|c| &c["kind"]).collect();
    assert_eq!(kinds, ["created", "removed"]);
}

#[actix_web::test]
async fn an_archived_article_is_put_away() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let path = path_of(&app.published("Bridge").await);
    assert_eq!(state(&editor.act(&format!("{path}/archive")).await.expect(200)), "archived");
    reader.get(&path).await.problem(404, "not_found");
    editor.patch(&path, json!({"kicker": "A"})).await.problem(409, "invalid_transition");
    // What the workflow has no step for is not first checked for its text.
    editor.act(&format!("{path}/publish")).await.problem(409, "invalid_transition");
    assert_eq!(state(&editor.act(&format!("{path}/reopen")).await.expect(200)), "unpublished");
    editor.patch(&path, json!({"kicker": "A"})).await.expect(200);
    editor.act(&format!("{path}/publish")).await.expect(200);
}

#[actix_web::test]
async fn the_changes_of_a_draft_can_be_dropped() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let article = app.published("Bridge").await;
    let path = path_of(&article);
    let live = reader.get(&path).await.expect(200);
    let changes =
        json!({"headline": "Nonsense", "slug": "nonsense", "body": [{"blocks": [paragraph("No.")]}]});
    editor.patch(&path, changes).await.expect(200);
    let tried = editor.act(&format!("{path}/discard?dry_run=true")).await.expect(200);
    assert_eq!(
        (&tried.json["headline"], &tried.json["outcome"]["dry_run"]),
        (&json!("Bridge"), &json!(true))
    );
    let still = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    assert_eq!(still.json["headline"], "Nonsense");

    let dropped = editor.act(&format!("{path}/discard")).await.expect(200);
    for member in ["headline", "slug", "body", "section"] {
        assert_eq!(dropped.json[member], live.json[member], "{member}");
    }
    assert_eq!(dropped.json["workflow"]["has_unpublished_changes"], false);
    assert!(dropped.json["version"].as_i64() > still.json["version"].as_i64(), "a stale editor is told");
    assert_eq!(reader.get(&path).await.expect(200).json, live.json);
    let kept = editor.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(kept.each("headline"), ["Nonsense", "Bridge"], "what was dropped is not lost");
}

#[actix_web::test]
async fn preflight_tells_what_blocks_and_what_warns() {
    let app = TestApp::start().await;
    let (editor, admin) = (app.bold_editor().await, app.admin().await);
    app.section("city").await;
    let unborn = app.draft("Unborn").await;
    let bare = editor.post("/v1/articles", json!({"headline": "Bare"})).await.expect(201);
    let found = editor.get(&format!("{}/preflight", path_of(&bare))).await.expect(200);
    assert_eq!(found.json["publishable"], false);
    assert_eq!(each(&found.json["findings"], "code"), ["no_section", "no_body"]);
    assert_eq!(each(&found.json["findings"], "severity"), ["blocker", "blocker"]);
    let refused = editor.act(&format!("{}/publish", path_of(&bare))).await.problem(422, "not_ready");
    refused.fault("/section", "no_section").fault("/body", "no_body").faults(2);

    let picture = json!({"media": {"url": "https://images.example/a.jpg"}});
    let image = json!({"type": "image", "media": {"url": "https://images.example/b.jpg"}});
    let body = json!([
        {"blocks": [paragraph("Text."), image, read_more(&unborn)]},
        {"heading": "Deep", "level": 4, "blocks": [paragraph("Text.")]},
    ]);
    let seo = json!({"title": "A title that is quite a bit longer than what search engines show of it"});
    let members = json!({"section": "city", "lead_image": picture, "body": body, "seo": seo});
    let draft = editor.patch(&path_of(&bare), members).await.expect(200);
    let path = path_of(&draft);
    let found = editor.get(&format!("{path}/preflight")).await.expect(200);
    assert_eq!(found.json["publishable"], true);
    let places = found.json["findings"].as_array().unwrap().iter();
    let places: Vec<_> =
        places.map(|f| (f["code"].as_str().unwrap(), f["pointer"].as_str().unwrap())).collect();
    let expected = [
        ("seo_title_too_long", "/seo/title"),
        ("no_alt_text", "/lead_image/alt"),
        ("no_alt_text", "/body/0/blocks/1/alt"),
        ("heading_level_jumps", "/body/1/level"),
        ("link_not_public", "/related/0/target"),
    ];
    assert_eq!(places, expected);

    admin.patch("/v1/site", json!({"confirm_warnings": true})).await.expect(200);
    let publish = format!("{path}/publish");
    editor.act(&publish).await.problem(422, "unconfirmed_warnings").faults(5);
    let confirmed = editor.post(&publish, json!({"confirm_warnings": true})).await.expect(200);
    assert_eq!(each(&confirmed.json["outcome"]["findings"], "code").len(), 5);
    editor.patch(&path, json!({"slug": "other"})).await.expect(200);
    let found = editor.get(&format!("{path}/preflight")).await.expect(200);
    assert!(each(&found.json["findings"], "code").contains(&"slug_changed"), "{}", found.text);
}

#[actix_web::test]
async fn a_step_can_be_tried_without_effect() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.bold_editor().await, app.anonymous());
    let target = app.published("Target").await;
    let body = json!([{"blocks": [paragraph("Text."), read_more(&target)]}]);
    let source = app.published_with("Source", json!({ "body": body })).await;
    let path = path_of(&target);
    let before = editor.get(&format!("{path}?stage=draft")).await.expect(200);
    let feed = reader.get("/v1/changes?limit=100").await.expect(200);
    for step in ["unpublish", "retract", "archive", "publish", "submit"] {
        let body = if step == "retract" { json!({"reason": "Wrong"}) } else { json!({}) };
        let url = format!("{path}/{step}?dry_run=true");
        let tried = if step == "retract" || step == "publish" {
            editor.post(&url, body).await
        } else {
            editor.act(&url).await
        };
        if step == "submit" {
            tried.problem(409, "invalid_transition");
            continue;
        }
        let outcome = &tried.expect(200).json["outcome"];
        assert_eq!(outcome["dry_run"], true);
        let affected = if step == "publish" { vec![] } else { vec![source.id()] };
        assert_eq!(each(&outcome["affected_links"], "article_id"), affected, "{step}");
    }
    let tried = editor.delete(&format!("{path}?dry_run=true")).await;
    tried.problem(409, "conflict");
    assert_eq!(editor.get(&format!("{path}?stage=draft")).await.expect(200).json, before.json);
    assert_eq!(reader.get("/v1/changes?limit=100").await.expect(200).json, feed.json);

    let unpublished = editor.act(&format!("{path}/unpublish")).await.expect(200);
    assert_eq!(each(&unpublished.json["outcome"]["affected_links"], "article_id"), [source.id()]);
    let tried = editor.delete(&format!("{path}?dry_run=true")).await.expect(200);
    assert_eq!(each(&tried.json["affected_links"], "article_id"), [source.id()]);
    editor.get(&format!("{path}?stage=draft")).await.expect(200);
    editor.delete(&path).await.expect(200);
    editor.get(&format!("{path}?stage=draft")).await.problem(404, "not_found");
}

#[actix_web::test]
async fn an_article_is_made_and_published_in_one_step_or_not_at_all() {
    let app = TestApp::start().await;
    let (author, editor, reader) = (app.author().await, app.editor().await, app.anonymous());
    let admin = app.admin().await;
    let made = app.draft_of(&author, "Bridge", json!({"publish": {"note": "From the wire"}})).await;
    let path = path_of(&made);
    assert_eq!((made.header("location"), state(&made)), (path.as_str(), &json!("published")));
    assert_eq!(made.json["outcome"]["dry_run"], false);
    let seen = reader.get("/v1/articles/bridge").await.expect(200);
    assert_eq!(seen.json["published_at"], made.json["published_at"]);
    assert_eq!(reader.get("/v1/articles").await.expect(200).each("headline"), ["Bridge"]);
    let revisions = author.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(
        (revisions.each("kind"), revisions.each("note")),
        (vec!["publication"], vec!["From the wire"])
    );
    let log = admin.get(&format!("/v1/audit?entity=article&entity_id={}", made.id())).await.expect(200);
    assert_eq!(log.each("action"), ["create_article", "create_article"]);
    assert_eq!(log.each("detail"), ["publish", "create"]);
    // It can be edited and published further as any other.
    author.if_match(&made.etag()).patch(&path, json!({"kicker": "Live"})).await.expect(200);
    author.act(&format!("{path}/publish")).await.expect(200);

    // What cannot be published is not made: no article, no name taken, no event.
    let article = |publish: Value| {
        json!({"headline": "Tram", "section": "city", "publish": publish,
            "body": [{"blocks": [paragraph("It runs again.")]}]})
    };
    let create = async |client: &Client, publish: Value| client.post("/v1/articles", article(publish)).await;
    let wrong = create(&editor, json!({"until": "2020-01-01T00:00:00Z"})).await;
    wrong.problem(422, "invalid").fault("/publish/until", "before_start");
    let wrong = create(&editor, json!({"at": "tomorrow", "until": "2020"})).await.problem(422, "invalid");
    wrong.fault("/publish/at", "bad_instant").fault("/publish/until", "bad_instant");
    create(&editor, json!({"when": "now"})).await.problem(422, "invalid");
    create(&app.contributor().await, json!({})).await.problem(403, "forbidden");
    let unfit = editor.post("/v1/articles", json!({"headline": "Tram", "publish": {}})).await;
    unfit.problem(422, "not_ready").fault("/body", "no_body").fault("/section", "no_section");
    editor.get("/v1/articles/tram?stage=draft").await.problem(404, "not_found");
    let whole = create(&editor, json!({})).await.expect(201);
    assert_eq!(whole.json["slug"], "tram");

    // For later.
    let at = Instant::from_millis(app.newsroom.clock.now().millis() + 3_600_000).to_string();
    let later = app.draft_of(&editor, "Ferry", json!({"publish": {"at": at}})).await;
    assert_eq!(state(&later), "scheduled");
    reader.get("/v1/articles/ferry").await.problem(404, "not_found");
    app.newsroom.clock.advance(TimeDelta::hours(2));
    reader.get("/v1/articles/ferry").await.expect(200);
}
