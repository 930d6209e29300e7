//! What queries are refused for: all of it at once, each fault with its parameter.

use crate::{app::TestApp, spec};

#[actix_web::test]
async fn all_faults_of_a_query_are_told_at_once() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    app.published("Bridge").await;
    app.published("Rail").await;
    let by_headline = editor.get("/v1/articles?limit=1&sort=headline").await.expect(200);
    let by_headline = by_headline.json["page"]["next"].as_str().unwrap();
    let past = "as_of=2024-01-01T00:00:00Z";
    let many = (0..30).map(|number| format!("w{number}")).collect::<Vec<_>>().join("+");
    let cases: Vec<(String, Vec<(&str, &str)>)> = vec![
        (
            "/v1/articles?published_after=yesterday&published_before=today&sort=relevance&facets=tag"
                .to_owned(),
            vec![
                ("published_after", "bad_instant"),
                ("published_before", "bad_instant"),
                ("sort", "only_search"),
                ("facets", "only_search"),
            ],
        ),
        (
            "/v1/articles?published_after=zz&published_before=yy&updated_after=xx&updated_before=ww&as_of=vv"
                .to_owned(),
            ["published_after", "published_before", "updated_after", "updated_before", "as_of"]
                .map(|name| (name, "bad_instant"))
                .into(),
        ),
        (
            "/v1/articles?fields=nope&published_after=zz&limit=0&foo=1".to_owned(),
            vec![
                ("fields", "unknown_field"),
                ("published_after", "bad_instant"),
                ("limit", "too_small"),
                ("foo", "unknown_parameter"),
            ],
        ),
        (
            format!("/v1/articles?state=draft&assignee=me&cursor=x&page=2&q={many}"),
            vec![
                ("state", "only_drafts"),
                ("assignee", "only_drafts"),
                ("cursor", "bad_format"),
                ("page", "excluded"),
                ("q", "too_many_words"),
            ],
        ),
        (
            "/v1/articles?ids=9999999999999999999&exclude=9999999999999999999&cursor=x".to_owned(),
            vec![("ids", "bad_value"), ("exclude", "bad_value"), ("cursor", "bad_format")],
        ),
        (
            format!("/v1/articles?{past}&q=rail&stage=draft&page=501"),
            vec![("q", "excluded"), ("stage", "excluded"), ("page", "too_deep")],
        ),
        (
            "/v1/articles/bridge?preview=x&stage=draft&as_of=2024-01-01T00:00:00Z&fields=nope".to_owned(),
            vec![("stage", "excluded"), ("as_of", "excluded"), ("fields", "unknown_field")],
        ),
        (
            "/v1/tags?fields=nope&foo=1&cursor=x&type=colour".to_owned(),
            vec![
                ("fields", "unknown_field"),
                ("foo", "unknown_parameter"),
                ("cursor", "bad_format"),
                ("type", "not_allowed"),
            ],
        ),
        (
            "/v1/sections?tree=true&cursor=x&page=1&fields=nope".to_owned(),
            vec![("cursor", "excluded"), ("page", "excluded"), ("fields", "unknown_field")],
        ),
        (
            "/v1/changes?since=x&wait=61&fields=nope".to_owned(),
            vec![("since", "bad_format"), ("wait", "too_large"), ("fields", "unknown_field")],
        ),
        ("/v1/resolve?path=//&foo=1".to_owned(), vec![("path", "bad_format"), ("foo", "unknown_parameter")]),
        // What goes with a parameter that is faulty itself nobody knows.
        ("/v1/articles?stage=nope&state=draft".to_owned(), vec![("stage", "not_allowed")]),
        (format!("/v1/articles?q={}&facets=tag&sort=relevance", "a".repeat(501)), vec![("q", "too_long")]),
        (format!("/v1/articles?sort=nope&cursor={by_headline}"), vec![("sort", "not_allowed")]),
        ("/v1/articles?limit=many&page=501".to_owned(), vec![("limit", "wrong_type")]),
    ];
    for (path, faults) in cases {
        let mut answer = editor.get(&path).await.problem(400, "invalid_parameter").faults(faults.len());
        for (parameter, code) in faults {
            answer = answer.fault(parameter, code);
        }
    }
}

#[actix_web::test]
async fn no_parameter_is_empty() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.published("Bridge").await;
    let mut asked = 0;
    for operation in spec::operations().into_iter().filter(|operation| operation.method == "get") {
        // What the provider of log-ins sends is not ours.
        if operation.id() == "receive_single_sign_on" {
            continue;
        }
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap();
            let path = operation.example_path();
            let path = path.split('?').next().unwrap();
            let answer = admin.get(&format!("{path}?{name}=")).await.problem(400, "invalid_parameter");
            assert_eq!(answer.json["errors"][0]["parameter"], name, "{}", answer.text);
            asked += 1;
        }
    }
    assert!(asked > 80, "{asked}");
    for query in ["tag=port,,air", "tag=port,", "ids=1,", "all_tags=&all_tags=port"] {
        admin.get(&format!("/v1/articles?{query}")).await.problem(400, "invalid_parameter");
    }
}
