//! Whose account a log-in opens, and with which role.

use super::*;

#[actix_web::test]
async fn it_is_off_until_it_is_configured() {
    let app = TestApp::start().await;
    let reader = app.anonymous();
    let answer = reader.get("/v1/auth/oidc").await.expect(200);
    assert_eq!(answer.json, json!({"enabled": false, "name": null}));
    let bodies =
        [("start", json!({"return_to": TOOL})), ("complete", json!({"login_code": "x", "verifier": "x"}))];
    for (step, body) in bodies {
        reader.post(&format!("/v1/auth/oidc/{step}"), body).await.problem(404, "not_found");
    }
    reader.get("/v1/auth/oidc/callback?code=x&state=x").await.problem(404, "not_found");
}

#[actix_web::test]
async fn somebody_new_becomes_a_user_with_the_role_of_their_groups() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    let answer = app.anonymous().get("/v1/auth/oidc").await.expect(200);
    assert_eq!(answer.json, json!({"enabled": true, "name": "Courier account"}));

    provider.tells(person("ada", "Ada@Newsroom.example", &["others", "desk", "writers"]));
    let (client, me) = log_in(&app).await;
    assert_eq!(
        (&me["email"], &me["name"], &me["role"]),
        (&json!(ADA), &json!("Ada Lovelace"), &json!("editor"))
    );
    client.post("/v1/sections", json!({"name": "City"})).await.expect(201);

    // It is the subject that counts from now on.
    provider.tells(person("ada", "ada.lovelace@newsroom.example", &["desk"]));
    let (_, again) = log_in(&app).await;
    assert_eq!((&again["id"], &again["email"]), (&me["id"], &me["email"]));
    provider.tells(person("other", "other@newsroom.example", &["desk"]));
    let (_, other) = log_in(&app).await;
    assert_ne!(other["id"], me["id"]);
    // Nobody can log in with a password that was never set.
    password_login(&app).await.problem(401, "bad_credentials");
}

#[actix_web::test]
async fn a_new_user_may_have_no_name() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({"name": null})));
    assert_eq!(log_in(&app).await.1["name"], ADA);
}

#[actix_web::test]
async fn the_role_follows_the_groups_at_every_log_in() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    app.admin().await;
    for (groups, role) in
        [(&["writers"][..], "author"), (&["desk"], "editor"), (&["writers", "chiefs"], "admin")]
    {
        provider.tells(person("ada", ADA, groups));
        assert_eq!(log_in(&app).await.1["role"], role);
    }
    provider.tells(person("ada", ADA, &["writers"]));
    assert_eq!(log_in(&app).await.1["role"], "author", "there is another administrator");
    for groups in
        [json!({"roles": ["others"]}), json!({"roles": []}), json!({}), json!(["desk"]), Value::Null]
    {
        provider.tells(ada(json!({ "realm_access": groups })));
        assert_eq!(refusal(&app).await, "not_permitted", "{groups}");
    }
}

#[actix_web::test]
async fn the_last_administrator_is_not_demoted() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(person("ada", ADA, &["chiefs"]));
    assert_eq!(log_in(&app).await.1["role"], "admin");
    provider.tells(person("ada", ADA, &["writers"]));
    assert_eq!(log_in(&app).await.1["role"], "admin");
    app.admin().await;
    assert_eq!(log_in(&app).await.1["role"], "author");
}

#[actix_web::test]
async fn without_a_claim_roles_are_given_here() {
    let provider = Provider::start();
    let roles = RoleRules { default: Some(Role::Contributor), ..RoleRules::default() };
    let both = OidcSettings { roles, link_by_email: true, ..creating(&provider) };
    let app = TestApp::start_with_oidc(both).await;
    let user = add_user(&app, Role::Editor).await;
    provider.tells(person("ada", ADA, &["chiefs"]));
    let (_, me) = log_in(&app).await;
    assert_eq!((&me["id"], &me["role"]), (&json!(user.id), &json!("editor")));
    provider.tells(person("new", "new@newsroom.example", &["chiefs"]));
    assert_eq!(log_in(&app).await.1["role"], "contributor");
}

#[actix_web::test]
async fn strangers_are_refused_unless_the_rules_let_them_in() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(settings(&provider)).await;
    let user = add_user(&app, Role::Editor).await;
    provider.tells(ada(json!({})));
    assert_eq!(refusal(&app).await, "not_permitted", "linking is off");
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted", "creating is off");
    password_login(&app).await.expect(200);

    let app = TestApp::start_with_oidc(OidcSettings { link_by_email: true, ..creating(&provider) }).await;
    let there = add_user(&app, Role::Editor).await;
    assert_ne!(user.id, there.id);
    for (change, why) in [
        (json!({"email_verified": false}), "not verified"),
        (json!({"email_verified": null}), "not said to be verified"),
        (json!({"email": null}), "no address"),
        (json!({"email": "ada"}), "no e-mail address"),
        (json!({"realm_access": {"roles": ["others"]}}), "no role"),
        (
            json!({"sub": "new", "email": "new@newsroom.example", "email_verified": false}),
            "new and not verified",
        ),
        (
            json!({"sub": "new", "email": "new@newsroom.example", "realm_access": {}}),
            "new and without a role",
        ),
    ] {
        provider.tells(ada(change));
        assert_eq!(refusal(&app).await, "not_permitted", "{why}");
    }
    // What is not a boolean is not believed to be one.
    provider.tells(ada(json!({"email_verified": "true"})));
    assert_ne!(refusal(&app).await, "");
    password_login(&app).await.expect(200);
}

#[actix_web::test]
async fn linking_ends_what_was_set_before() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(linking(&provider)).await;
    let user = add_user(&app, Role::Author).await;
    // Somebody was here first: password, session, refresh token, API token, one-time link.
    let before = password_login(&app).await.expect(200);
    let squatter = app.with_token(before.json["access_token"].as_str());
    let wanted = json!({"name": "Mine", "scopes": ["articles:read_drafts"]});
    let token = squatter.post("/v1/tokens", wanted).await.expect(201);
    let token = app.with_token(token.json["token"].as_str());
    let link = app.admin().await.act(&format!("/v1/users/{}/password-link", user.id)).await.expect(201);
    let link = link.json["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    for client in [&squatter, &token] {
        client.get("/v1/me").await.expect(200);
    }

    provider.tells(person("ada", "ADA@newsroom.EXAMPLE", &["desk"]));
    let (_, me) = log_in(&app).await;
    assert_eq!((&me["id"], &me["role"]), (&json!(user.id), &json!("editor")));
    password_login(&app).await.problem(401, "bad_credentials");
    for client in [&squatter, &token] {
        client.get("/v1/me").await.problem(401, "unauthenticated");
    }
    let reader = app.anonymous();
    let refresh = json!({"refresh_token": before.json["refresh_token"]});
    reader.post("/v1/auth/refresh", refresh).await.problem(401, "bad_refresh_token");
    let redeem = json!({"token": link, "password": PASSWORD});
    reader.post("/v1/auth/password-link", redeem).await.problem(410, "dead_link");

    // Later log-ins end nothing.
    let (first, _) = log_in(&app).await;
    log_in(&app).await;
    first.get("/v1/me").await.expect(200);

    // The address was given to somebody else there.
    provider.tells(person("successor", ADA, &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted");
}

#[actix_web::test]
async fn linking_ends_a_second_factor() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(linking(&provider)).await;
    let user = add_user(&app, Role::Editor).await;
    let (id, now) = (user.id, app.newsroom.clock.now());
    let enrol = move |db: &mut Db| {
        second_factors::begin(db, id, &"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into())?;
        second_factors::confirm(db, id, now)
    };
    app.newsroom.store.write(enrol).await.unwrap();
    password_login(&app).await.problem(401, "second_factor_required");
    provider.tells(ada(json!({})));
    assert_eq!(log_in(&app).await.1["has_second_factor"], false);
}

#[actix_web::test]
async fn a_session_is_as_good_as_one_with_a_password() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (attempt, code) = login_code(&app).await;
    let answer = attempt.complete(&app, &code).await.expect(200);
    let next = json!({"refresh_token": answer.json["refresh_token"]});
    let next = app.anonymous().post("/v1/auth/refresh", next).await.expect(200);
    let client = app.with_token(next.json["access_token"].as_str());
    let sessions = client.get("/v1/sessions").await.expect(200);
    assert_eq!(sessions.each("method"), ["oidc"]);
    client.act("/v1/auth/logout").await.expect(204);
    client.get("/v1/me").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn the_audit_log_tells_what_single_sign_on_did() {
    let provider = Provider::start();
    let both = OidcSettings { create_users: true, ..linking(&provider) };
    let app = TestApp::start_with_oidc(both).await;
    let user = add_user(&app, Role::Author).await;
    provider.tells(ada(json!({})));
    log_in(&app).await;
    provider.tells(person("new", "new@newsroom.example", &["desk"]));
    log_in(&app).await;
    provider.tells(person("nobody", "nobody@newsroom.example", &["others"]));
    assert_eq!(refusal(&app).await, "not_permitted");
    let admin = app.admin().await;
    let of =
        async |query: &str| admin.get(&format!("/v1/audit?{query}")).await.expect(200).json["data"].clone();
    for action in ["link_identity", "update_user", "login"] {
        let events = of(&format!("action={action}&actor={}", user.id)).await;
        assert_eq!(events[0]["entity_id"], json!(user.id.to_string()), "{action}: {events}");
        assert!(events[0]["address"].is_string(), "{action}: {events}");
    }
    let changed = of(&format!("action=update_user&actor={}", user.id)).await;
    assert_eq!(
        (&changed[0]["before"], &changed[0]["after"]),
        (&json!({"role": "author"}), &json!({"role": "editor"}))
    );
    let made = of("action=create_user").await;
    let by_provider = made.as_array().unwrap().iter().find(|event| event["detail"] == "single sign-on");
    assert_eq!(by_provider.unwrap()["after"]["email"], "new@newsroom.example");
    let refused = of("action=login&outcome=failed").await;
    assert_eq!(refused[0]["actor"]["name"], "nobody@newsroom.example");
}

#[actix_web::test]
async fn a_user_who_is_deleted_takes_their_identity_along() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(creating(&provider)).await;
    provider.tells(ada(json!({})));
    let (_, me) = log_in(&app).await;
    // A login code is on its way.
    let (attempt, code) = login_code(&app).await;
    let path = format!("/v1/users/{}", me["id"].as_str().unwrap());
    app.admin().await.if_match("*").delete(&path).await.expect(204);
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    let (_, again) = log_in(&app).await;
    assert_ne!(again["id"], me["id"]);
}

#[actix_web::test]
async fn a_suspended_user_is_refused() {
    let provider = Provider::start();
    let app = TestApp::start_with_oidc(OidcSettings { create_users: true, ..linking(&provider) }).await;
    let admin = app.admin().await.if_match("*");
    let suspend = async |id: &str| {
        admin.patch(&format!("/v1/users/{id}"), json!({"suspended": true})).await.expect(200);
    };
    provider.tells(ada(json!({})));
    let (_, me) = log_in(&app).await;
    // Between the provider and the tool, and before.
    let (attempt, code) = login_code(&app).await;
    suspend(me["id"].as_str().unwrap()).await;
    attempt.complete(&app, &code).await.problem(401, "bad_login_code");
    assert_eq!(refusal(&app).await, "not_permitted");

    let other = "eva@newsroom.example";
    let email = other.parse().unwrap();
    let eva =
        users::add(&app.newsroom, email, "Eva".to_owned(), Role::Editor, PASSWORD.into()).await.unwrap();
    suspend(&eva.id.to_string()).await;
    provider.tells(person("eva", other, &["desk"]));
    assert_eq!(refusal(&app).await, "not_permitted", "not linked either");
}
