//! A draft cannot be told from nothing by those who may not read it, and is counted nowhere.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    newsroom::{paragraph, path_of, read_more},
    spec::operations,
};

/// Makes a body that names an article, and a block of one's own.
type MakeBody = fn(&str, &Value) -> Value;

/// All of an answer that could tell something: without the instant and the name of the request, and with every name of
/// the article replaced by the same word.
fn told(answer: &Answer, names: &[&str]) -> String {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date" && *name != "content-length")
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        // How long a read took is not the same twice, and the ETag of an answer that names the article is made of that.
        .filter(|(name, _)| {
            !(answer.status.is_success()
                && (*name == "server-timing" || (*name == "etag" && !names.is_empty())))
        })
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    let mut body = answer.json.clone();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    let mut whole = format!("{}\n{}\n{body:#}", answer.status, headers.join("\n"));
    for name in names {
        whole = whole.replace(name, "NAME");
    }
    whole
}

/// Asks for everything of an article as this client, under several names, and compares it with what is told of nothing.
async fn cannot_tell(client: &Client, draft: &Answer) {
    let client = client.if_match("*");
    let (id, slug) = (draft.id(), draft.json["slug"].as_str().unwrap());
    let section = draft.json["body"][0]["id"].as_str().unwrap();
    let block = draft.json["body"][0]["blocks"][0]["id"].as_str().unwrap();
    let link = draft.json["related"][0]["id"].as_str().unwrap();
    let mut asked = 0;
    for operation in operations() {
        if !operation.template.starts_with("/v1/articles/{name}") {
            continue;
        }
        // The parts are those of the draft, so that only the article is in question.
        let path = operation
            .template
            .replace("{section}", section)
            .replace("{block}", block)
            .replace("{link}", link);
        let path = path.replace("{revision}", "1").replace("{other}", "1");
        let path = path.replace("{note}", "7").replace("{correction}", "7").replace("{preview}", "7");
        assert_eq!(path.matches('{').count(), 1, "{path}");
        let mut queries = vec![String::new()];
        for (parameter, value) in [
            ("stage", "draft"),
            ("stage", "live"),
            ("preview", "mhp_wrong"),
            ("fields", "headline"),
            ("dry_run", "true"),
            ("merge", "true"),
            ("as_of", "2020-01-01T00:00:00Z"),
            ("count", "true"),
        ] {
            if operation.parameters("query").any(|known| known["name"] == parameter) {
                queries.push(format!("?{parameter}={value}"));
            }
        }
        for query in queries {
            let ask = async |name: &str| {
                let path = path.replace("{name}", name);
                let body =
                    operation.example_body().map(|body| ("application/json", body.to_string().into_bytes()));
                client.send(operation.method(), &format!("{path}{query}"), body).await
            };
            for (name, nothing) in [(id.as_str(), "184467440737095516"), (slug, "nowhere-to-be-seen")] {
                let (there, absent) = (ask(name).await, ask(nothing).await);
                assert!(there.status.is_client_error(), "{} {path}{query}: {}", operation.method, there.text);
                let names = [name, nothing];
                assert_eq!(told(&there, &names), told(&absent, &names), "{} {path}{query}", operation.method);
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "only {asked} requests");
}

#[actix_web::test]
async fn a_draft_cannot_be_told_from_nothing() {
    let app = TestApp::start().await;
    let (author, contributor) = (app.author().await, app.contributor().await);
    let target = app.published("Target").await;
    let body = json!({"body": [{"blocks": [paragraph("Secret."), read_more(&target)]}]});
    let draft = app.draft_of(&author, "Zanzibar secret", body).await;
    cannot_tell(&contributor, &draft).await;
    cannot_tell(&app.anonymous(), &draft).await;

    // What was never public and rests in a release, is submitted, scheduled or archived is no more visible.
    let editor = app.bold_editor().await;
    editor.act(&format!("{}/submit", path_of(&draft))).await.expect(200);
    cannot_tell(&contributor, &draft).await;
    editor
        .post(&format!("{}/publish", path_of(&draft)), json!({"at": "2999-01-01T00:00:00Z"}))
        .await
        .expect(200);
    cannot_tell(&contributor, &draft).await;
    cannot_tell(&app.anonymous(), &draft).await;
    editor.act(&format!("{}/unschedule", path_of(&draft))).await.expect(200);
    editor.act(&format!("{}/archive", path_of(&draft))).await.expect(200);
    cannot_tell(&contributor, &draft).await;
    cannot_tell(&app.anonymous(), &draft).await;
}

#[actix_web::test]
async fn a_draft_that_a_body_names_is_not_there() {
    let app = TestApp::start().await;
    let (author, contributor) = (app.author().await, app.contributor().await.if_match("*"));
    let secret = app.draft_of(&author, "Zanzibar secret", json!({})).await;
    let own = app.draft_of(&contributor, "Own", json!({})).await;
    let id = secret.id();
    let block = own.json["body"][0]["blocks"][0]["id"].clone();
    let path = path_of(&own);
    let requests: [(reqwest::Method, String, MakeBody); 6] = [
        (reqwest::Method::POST, format!("{path}/links"), |id, _| json!({"target": {"article_id": id}})),
        (
            reqwest::Method::POST,
            format!("{path}/links"),
            |id, block| json!({"target": {"article_id": id}, "after_block": block}),
        ),
        (
            reqwest::Method::PUT,
            format!("{path}/body"),
            |id, _| json!({"body": [{"blocks": [{"type": "read_more", "link": {"target": {"article_id": id}}}]}]}),
        ),
        (
            reqwest::Method::PATCH,
            path.clone(),
            |id, _| json!({"body": [{"blocks": [{"type": "read_more", "link": {"target": {"article_id": id}}}]}]}),
        ),
        (
            reqwest::Method::POST,
            "/v1/articles/bulk".to_owned(),
            |id, _| json!({"actions": [{"action": "publish", "article": id}]}),
        ),
        (
            reqwest::Method::POST,
            "/v1/articles/bulk".to_owned(),
            |id, _| json!({"atomic": true, "actions": [{"action": "delete", "article": id}]}),
        ),
    ];
    for (method, path, body) in requests {
        let nothing = "184467440737095516";
        let there = contributor.json(method.clone(), &path, &body(&id, &block)).await;
        let absent = contributor.json(method.clone(), &path, &body(nothing, &block)).await;
        let names = [&*id, nothing];
        assert_eq!(told(&there, &names), told(&absent, &names), "{method} {path}");
        assert!(!there.text.contains("Zanzibar"), "{}", there.text);
    }
    let lists = ["ids", "exclude"].map(|filter| format!("/v1/articles?{filter}={id}&stage=draft&count=true"));
    let [ids, exclude] = lists;
    let found = contributor.get(&ids).await.expect(200);
    assert_eq!((&found.json["data"], &found.json["page"]["total"]), (&json!([]), &json!(0)));
    let found = contributor.get(&exclude).await.expect(200);
    assert_eq!((found.each("id"), &found.json["page"]["total"]), (vec![&*own.id()], &json!(1)));
    author.get(&path_of(&secret)).await.problem(404, "not_found");
    author.get(&format!("{}?stage=draft", path_of(&secret))).await.expect(200);
}

#[actix_web::test]
async fn a_draft_is_counted_and_listed_nowhere() {
    let app = TestApp::start().await;
    let (editor, author, contributor) = (app.editor().await, app.author().await, app.contributor().await);
    editor.post("/v1/tags", json!({"name": "Port"})).await.expect(201);
    editor.post("/v1/authors", json!({"name": "Ada"})).await.expect(201);
    let target = app.published_with("Target", json!({"tags": ["port"]})).await;
    let everything = [
        "/v1/articles",
        "/v1/articles?count=true",
        "/v1/articles?count=true&stage=live",
        "/v1/articles?tag=port&count=true",
        "/v1/articles?author=ada&count=true",
        "/v1/articles?section=city&count=true",
        "/v1/articles?sort=-updated_at&count=true",
        "/v1/articles?sort=headline",
        "/v1/articles?include=body",
        "/v1/articles?type=analysis&count=true",
        "/v1/articles?language=de&count=true",
        "/v1/articles?has=lead_image",
        "/v1/articles?exclude=7&count=true",
        "/v1/tags?count=true",
        "/v1/tags/port",
        "/v1/authors?count=true",
        "/v1/authors/ada",
        "/v1/sections?tree=true&include=article_count",
        "/v1/sections/city?include=article_count",
        "/v1/sections?count=true&include=article_count",
        "/v1/resolve?path=/city/zanzibar-secret",
        "/v1/resolve?path=/zanzibar-secret",
        "/v1/articles/zanzibar-secret",
        "/v1/articles/target",
        "/v1/articles/target/inbound",
        "/v1/articles/target/links",
        "/v1/articles/target/corrections",
        "/v1/changes",
        "/v1/changes?since=0",
        "/v1/site",
    ];
    let of_contributor =
        ["/v1/articles?stage=draft&count=true", "/v1/articles?stage=draft&state=draft&count=true"];
    let look = async || {
        let mut seen = Vec::new();
        for (client, paths) in [
            (app.anonymous(), &everything[..]),
            (contributor.clone(), &everything),
            (contributor.clone(), &of_contributor),
        ] {
            for path in paths {
                let answer = client.get(path).await;
                assert!([200, 400, 403, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.text);
                seen.push(format!("{path}\n{}", told(&answer, &[])));
            }
        }
        seen
    };
    let before = look().await;
    assert!(before.iter().filter(|answer| answer.contains("\n200 OK")).count() > 40, "{before:#?}");
    let members = json!({
        "tags": ["port"], "bylines": [{"author": "ada"}], "type": "analysis", "language": "de",
        "lead_image": {"media": {"url": "https://images.example/a.jpg"}},
        "body": [{"blocks": [paragraph("Secret."), read_more(&target)]}],
    });
    let draft = app.draft_of(&author, "Zanzibar secret", members).await;
    app.bold_editor().await.patch(&path_of(&target), json!({"headline": "Zanzibar edit"})).await.expect(200);
    for (then, now) in before.iter().zip(look().await) {
        assert_eq!(*then, now);
    }
    app.bold_editor()
        .await
        .post(&format!("{}/publish", path_of(&draft)), json!({"at": "2999-01-01T00:00:00Z"}))
        .await
        .expect(200);
    for (then, now) in before.iter().zip(look().await) {
        assert_eq!(*then, now, "scheduled");
    }
    app.bold_editor().await.act(&format!("{}/unschedule", path_of(&draft))).await.expect(200);
    app.bold_editor().await.act(&format!("{}/publish", path_of(&draft))).await.expect(200);
    let changed = before.iter().zip(look().await).filter(|(then, now)| *then != now).count();
    assert!(changed > 20, "what is published is seen: {changed}");
}
