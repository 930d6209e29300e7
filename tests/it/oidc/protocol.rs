//! Codes, states, tokens and keys: what of the exchange with the provider is believed.

use super::*;

#[actix_web::test]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let unknown = async |path: &str| {
        let answer = app.anonymous().get(path).await.problem(400, "invalid_parameter");
        assert!(!answer.headers.contains_key("location"));
        answer.fault("state", "unknown_state");
    };
    for query in
        ["", "?code=x", "?code=x&state=", "?code=x&state=guessed", "?error=access_denied&state=guessed"]
    {
        unknown(&format!("/v1/auth/oidc/callback{query}")).await;
    }
    let path = start(&app).await.visit_provider().await;
    come_back(&app, &path).await;
    unknown(&path).await;

    let path = start(&app).await.visit_provider().await;
    unknown(&format!("{path}&state=x")).await;
    app.newsroom.clock.advance(TimeDelta::minutes(9));
    assert!(come_back(&app, &path).await.starts_with("login_code="));
    let path = start(&app).await.visit_provider().await;
    app.newsroom.clock.advance(TimeDelta::minutes(10));
    unknown(&path).await;

    // One that failed is used up too.
    let path = start(&app).await.visit_provider().await;
    let state = path.split(['?', '&']).find(|part| part.starts_with("state=")).unwrap();
    let forged = format!("/v1/auth/oidc/callback?code=guessed&{state}");
    assert_eq!(come_back(&app, &forged).await, "error=provider");
    unknown(&path).await;
}

#[actix_web::test]
async fn a_login_code_is_good_once_for_a_minute_and_with_its_verifier() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (attempt, code) = login_code(&app).await;
    attempt.complete(&app, &code).await.expect(200);
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    attempt.complete(&app, "guessed").await.problem(401, "bad_login_code");

    let (attempt, code) = login_code(&app).await;
    app.newsroom.clock.advance(TimeDelta::seconds(60));
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");

    // Somebody else began: the log-in is not for this browser. The code is gone then, for whoever has it.
    let (attempt, code) = login_code(&app).await;
    start(&app).await.complete(&app, &code).await.problem(401, "bad_login_code");
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");

    // An Idempotency-Key does not save it.
    let (attempt, code) = login_code(&app).await;
    let keyed = app.anonymous().header("idempotency-key", "one");
    let guess = json!({"login_code": code, "verifier": "guessed"});
    keyed.post("/v1/auth/oidc/complete", guess).await.problem(401, "bad_login_code");
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
}

#[actix_web::test]
async fn of_several_at_once_one_has_it() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let attempt = start(&app).await;
    let path = attempt.visit_provider().await;
    let visits: Vec<_> = (0..8)
        .map(|_| {
            let (browser, path) = (app.anonymous(), path.clone());
            spawn(async move { browser.get(&path).await })
        })
        .collect();
    let mut fragments = Vec::new();
    for visit in visits {
        let answer = visit.await.unwrap();
        match answer.status.as_u16() {
            303 => fragments.push(answer.header("location").split_once('#').unwrap().1.to_owned()),
            _ => drop(answer.problem(400, "invalid_parameter")),
        }
    }
    assert_eq!(fragments.len(), 1, "{fragments:?}");
    let body = json!({"login_code": fragments[0].strip_prefix("login_code="), "verifier": attempt.verifier});
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (tool, body) = (app.anonymous(), body.clone());
            spawn(async move { tool.post("/v1/auth/oidc/complete", body).await })
        })
        .collect();
    let mut successes = 0;
    for answer in tries {
        let answer = answer.await.unwrap();
        match answer.status.as_u16() {
            200 => successes += 1,
            _ => drop(answer.problem(401, "bad_login_code")),
        }
    }
    assert_eq!(successes, 1);
}

#[actix_web::test]
async fn a_code_of_the_provider_cannot_be_replayed() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let path = start(&app).await.visit_provider().await;
    come_back(&app, &path).await;
    // The code in a log-in of somebody else: used, and if it were not, made for another challenge.
    for used in [true, false] {
        let stolen = start(&app).await.visit_provider().await;
        if used {
            come_back(&app, &stolen).await;
        }
        let own = start(&app).await.visit_provider().await;
        let mixed = format!(
            "/v1/auth/oidc/callback?code={}&state={}",
            parameter_of_path(&stolen, "code"),
            parameter_of_path(&own, "state")
        );
        assert_eq!(come_back(&app, &mixed).await, "error=provider", "used: {used}");
    }
}

#[actix_web::test]
async fn id_tokens_that_are_not_for_this_log_in_are_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    let now = chrono::Utc::now().timestamp();
    for (change, why) in [
        (json!({"nonce": "another"}), "wrong nonce"),
        (json!({"nonce": null}), "no nonce"),
        (json!({"aud": "another"}), "wrong audience"),
        (json!({"aud": []}), "no audience"),
        (json!({"aud": [CLIENT_ID, "another"]}), "another audience too"),
        (json!({"azp": "another"}), "another party"),
        (json!({"iss": "https://id.example"}), "wrong issuer"),
        (json!({"iss": format!("{}/", provider.issuer())}), "almost the issuer"),
        (json!({"exp": now - 1}), "expired"),
        (json!({"exp": null}), "never expires"),
        (json!({"sub": null}), "no subject"),
        (json!({"sub": ""}), "empty subject"),
        (json!({"sub": "a\u{0}"}), "NUL in the subject"),
        (json!({"sub": "x".repeat(256)}), "long subject"),
    ] {
        provider.tells(ada(change));
        assert_eq!(refusal(&app).await, "provider", "{why}");
    }
    provider.tells(ada(json!({"aud": [CLIENT_ID], "azp": CLIENT_ID})));
    log_in(&app).await;
    // The newsroom's clock is the one that counts.
    app.newsroom.clock.advance(TimeDelta::hours(2));
    assert_eq!(refusal(&app).await, "provider");
}

#[actix_web::test]
async fn id_tokens_that_the_provider_has_not_signed_are_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    let own = provider.behaviour().signs_with.clone();
    provider.behaviour().signs_with = Key::generate(&own.kid);
    assert_eq!(refusal(&app).await, "provider", "another key of the same name");
    provider.behaviour().signs_with = Key::generate("unknown");
    assert_eq!(refusal(&app).await, "provider", "another key");

    let encode = |value: Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let now = chrono::Utc::now().timestamp();
    let attempt = start(&app).await;
    let nonce = parameter(&attempt.authorization_url, "nonce");
    let path = attempt.visit_provider().await;
    let claims = encode(ada(json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": nonce,
    })));
    let unsigned = format!("{}.{claims}.", encode(json!({"alg": "none"})));
    provider.behaviour().id_token = Some(unsigned);
    assert_eq!(come_back(&app, &path).await, "error=provider", "no signature");

    // Signed with the password that we share with the provider: whoever reads our configuration could do that.
    let attempt = start(&app).await;
    let nonce = parameter(&attempt.authorization_url, "nonce");
    let path = attempt.visit_provider().await;
    let claims = ada(json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": nonce,
    }));
    let key = jsonwebtoken::EncodingKey::from_secret(CLIENT_SECRET.as_bytes());
    let symmetric = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    provider.behaviour().id_token = Some(symmetric);
    assert_eq!(come_back(&app, &path).await, "error=provider", "symmetric");

    for broken in ["", "x", "a.b.c", "...."] {
        provider.behaviour().id_token = Some(broken.to_owned());
        assert_eq!(refusal(&app).await, "provider", "{broken:?}");
    }
}

#[actix_web::test]
async fn new_keys_are_found_but_not_sought_all_the_time() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    log_in(&app).await;
    assert_eq!(provider.discoveries(), 1);
    let new = Key::generate("two");
    provider.behaviour().keys.push(new.clone());
    provider.behaviour().signs_with = new;
    assert_eq!(refusal(&app).await, "provider", "the keys were fetched a moment ago");
    assert_eq!(provider.discoveries(), 1);
    app.newsroom.clock.advance(TimeDelta::seconds(61));
    log_in(&app).await;
    assert_eq!(provider.discoveries(), 2);
    app.newsroom.clock.advance(TimeDelta::minutes(59));
    start(&app).await;
    assert_eq!(provider.discoveries(), 2);
    app.newsroom.clock.advance(TimeDelta::minutes(2));
    start(&app).await;
    assert_eq!(provider.discoveries(), 3);
}

#[actix_web::test]
async fn rsa_will_do_as_well() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let key = Key::rsa("rsa");
    provider.behaviour().keys.push(key.clone());
    provider.behaviour().signs_with = key;
    log_in(&app).await;
}

#[actix_web::test]
async fn the_browser_is_sent_to_configured_addresses_only() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    let reader = app.anonymous();
    for return_to in [
        "https://tool.courier.example/login?from=sso#x",
        "https://tool.courier.example/login?from=sso&next=https://evil.example",
        "https://tool.courier.example/login",
        "https://tool.courier.example/login?from=sso/",
        "https://tool.courier.example/login?from=sso ",
        " https://tool.courier.example/login?from=sso",
        "HTTPS://tool.courier.example/login?from=sso",
        "https://TOOL.courier.example/login?from=sso",
        "http://tool.courier.example/login?from=sso",
        "https://tool.courier.example:443/login?from=sso",
        "https://tool.courier.example@evil.example/login?from=sso",
        "https://evil.example@tool.courier.example/login?from=sso",
        "https://tool.courier.example.evil.example/login?from=sso",
        "https://evil.example\\@tool.courier.example/login?from=sso",
        "https:\\\\tool.courier.example/login?from=sso",
        "//tool.courier.example/login?from=sso",
        "/login?from=sso",
        "javascript:alert(1)//https://tool.courier.example/login?from=sso",
        "https://other.courier.example",
        "https://other.courier.example//evil.example",
        "https://other.courier.example/,https://tool.courier.example/login?from=sso",
    ] {
        let answer = reader.post("/v1/auth/oidc/start", json!({ "return_to": return_to })).await;
        answer.problem(422, "invalid").fault("/return_to", "not_allowed");
    }
    for (return_to, code) in [(json!(""), "blank"), (json!(["x"]), "wrong_type"), (json!(null), "wrong_type")]
    {
        let answer = reader.post("/v1/auth/oidc/start", json!({ "return_to": return_to })).await;
        answer.problem(422, "invalid").fault("/return_to", code);
    }
    assert_eq!(provider.discoveries(), 0);
}

#[actix_web::test]
async fn what_the_provider_says_in_place_of_a_code_is_not_passed_on() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    for (told, word) in [
        ("access_denied", "access_denied"),
        ("server_error", "provider"),
        ("login_required", "provider"),
        ("<script>alert(1)</script>\r\nLocation: https://evil.example", "provider"),
    ] {
        provider.behaviour().authorization_error = Some(told.to_owned());
        assert_eq!(refusal(&app).await, word, "{told}");
    }
    provider.behaviour().authorization_error = None;
    // An answer that names another provider (RFC 9207).
    let path = start(&app).await.visit_provider().await;
    assert_eq!(come_back(&app, &format!("{path}&iss=https%3A%2F%2Fevil.example")).await, "error=provider");
    let path = start(&app).await.visit_provider().await;
    let own = url::form_urlencoded::byte_serialize(provider.issuer().as_bytes()).collect::<String>();
    assert!(come_back(&app, &format!("{path}&iss={own}")).await.starts_with("login_code="));
    // Neither a code nor an error.
    let path = start(&app).await.visit_provider().await;
    assert_eq!(come_back(&app, &path.replace("code=", "cod=")).await, "error=provider");
}

#[actix_web::test]
async fn a_provider_that_is_down_keeps_nobody_else_out() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    add_user(&app, Role::Editor).await;
    let begin = async || app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await;
    provider.behaviour().is_broken = true;
    begin().await.problem(503, "busy");
    assert_eq!(provider.discoveries(), 1);
    // It is left alone for a moment.
    provider.behaviour().is_broken = false;
    begin().await.problem(503, "busy");
    assert_eq!(provider.discoveries(), 1);
    password_login(&app).await.expect(200);
    app.anonymous().get("/v1/auth/oidc").await.expect(200);

    app.newsroom.clock.advance(TimeDelta::seconds(6));
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    let path = start(&app).await.visit_provider().await;
    provider.behaviour().is_broken = true;
    assert_eq!(come_back(&app, &path).await, "error=provider");
    provider.behaviour().is_broken = false;
    log_in(&app).await;

    let path = start(&app).await.visit_provider().await;
    drop(provider);
    assert_eq!(come_back(&app, &path).await, "error=provider");
    password_login(&app).await.expect(200);
}

#[actix_web::test]
async fn a_provider_that_says_strange_things_of_itself_is_not_used() {
    for (metadata, why) in [
        (json!({"issuer": "https://id.example"}), "another issuer"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "a script"),
        (json!({"authorization_endpoint": "http://id.example/authorize"}), "browsers without TLS"),
        (json!({"token_endpoint": "http://id.example/token"}), "our password without TLS"),
        (json!({"jwks_uri": "nowhere"}), "no keys"),
    ] {
        let provider = Provider::start();
        provider.behaviour().metadata = metadata;
        let app = TestApp::start_with_oidc(settings(&provider)).await;
        let answer = app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await;
        let answer = answer.problem(503, "busy");
        assert!(!answer.text.contains("id.example"), "{why}: {}", answer.text);
    }
    let provider = Provider::start();
    provider.behaviour().is_verbose = true;
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    app.anonymous().post("/v1/auth/oidc/start", json!({"return_to": TOOL})).await.problem(503, "busy");
}
