//! Who the client is behind proxies, seen by whose budget is spent.

use masthead::http::{limits::RateLimits, options::HttpOptions};

use crate::app::{Client, TestApp};

async fn start(trusted: &[&str]) -> TestApp {
    let options = HttpOptions {
        trusted_proxies: trusted.iter().map(|network| network.parse().unwrap()).collect(),
        limits: RateLimits { anonymous_reads: 1000, ..RateLimits::default() },
        ..HttpOptions::default()
    };
    TestApp::start_with(options).await
}

/// Whether this request came from an address that has asked for nothing before.
async fn is_new(client: &Client) -> bool {
    let answer = client.get("/v1/tags").await.expect(200);
    answer.header("ratelimit").contains(";r=999;")
}

/// Sends a header from each address on the left, and tells if the client is the one on the right.
async fn check(app: &TestApp, cases: &[(&'static str, &str, &str)]) {
    for (name, value, client) in cases {
        let app = app.anonymous();
        // By now the client on the right has asked for something, the one who is named has not.
        is_new(&app.header("forwarded", &format!("for=\"{client}\""))).await;
        assert!(!is_new(&app.header(name, value)).await, "{name}: {value} is not {client}");
    }
}

#[actix_web::test]
async fn each_client_of_a_trusted_proxy_is_known() {
    let app = start(&["127.0.0.0/8", "10.0.0.0/8", "2001:db8:ff::/48"]).await;
    let reader = app.anonymous();
    assert!(is_new(&reader.header("x-forwarded-for", "192.0.2.1")).await);
    assert!(is_new(&reader.header("x-forwarded-for", "192.0.2.2")).await);
    assert!(!is_new(&reader.header("x-forwarded-for", "192.0.2.1")).await);
    assert!(is_new(&reader).await, "the proxy itself");
    let cases = [
        // Ways to write an address.
        ("x-forwarded-for", "192.0.2.10:4711", "192.0.2.10"),
        ("x-forwarded-for", "::ffff:192.0.2.11", "192.0.2.11"),
        ("x-forwarded-for", "[2001:db8:1::1]:4711", "[2001:db8:1::]"),
        ("x-forwarded-for", "2001:db8:2::1", "[2001:db8:2::ffff]"),
        ("forwarded", "proto=https;For=\"192.0.2.12:80\";by=_edge", "192.0.2.12"),
        ("forwarded", "for=\"[2001:db8:3::1]:80\"", "[2001:db8:3::1]"),
        // Trusted ones are skipped from the right; the first that is not is the client.
        ("x-forwarded-for", "198.51.100.1, 192.0.2.20, 10.1.2.3, 127.0.0.5", "192.0.2.20"),
        ("x-forwarded-for", "192.0.2.21, 2001:db8:ff::7", "192.0.2.21"),
        ("forwarded", "for=198.51.100.2, for=192.0.2.22, for=10.0.0.1", "192.0.2.22"),
        // All are trusted: the leftmost.
        ("x-forwarded-for", "10.9.9.9, 10.8.8.8", "10.9.9.9"),
        // What is no address ends the walk: nobody beyond it is believed.
        ("x-forwarded-for", "198.51.100.3, unknown, 10.7.7.7", "10.7.7.7"),
        ("x-forwarded-for", "198.51.100.4, , 10.7.7.8", "10.7.7.8"),
        ("forwarded", "for=198.51.100.5, for=_hidden, for=10.7.7.9", "10.7.7.9"),
        ("forwarded", "for=198.51.100.6, by=10.0.0.1, for=10.7.7.10", "10.7.7.10"),
        // A client that opens a quote does not swallow what the proxy adds.
        ("forwarded", "for=\"198.51.100.7, for=192.0.2.23", "192.0.2.23"),
        ("forwarded", "for=198.51.100.8;for=198.51.100.9, for=192.0.2.24", "192.0.2.24"),
    ];
    check(&app, &cases).await;
    let both = reader.header("x-forwarded-for", "192.0.2.30").header("forwarded", "for=192.0.2.31");
    assert!(is_new(&both).await);
    assert!(is_new(&reader.header("x-forwarded-for", "192.0.2.30")).await, "Forwarded wins");
    assert!(!is_new(&reader.header("x-forwarded-for", "192.0.2.31")).await);
}

#[actix_web::test]
async fn nobody_else_is_believed() {
    for trusted in [&[][..], &["10.0.0.0/8", "::1/128"]] {
        let app = start(trusted).await;
        assert!(is_new(&app.anonymous()).await);
        for (name, value) in [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-for", "192.0.2.1, 127.0.0.1"),
            ("forwarded", "for=192.0.2.1"),
            ("x-real-ip", "192.0.2.1"),
            ("cf-connecting-ip", "192.0.2.1"),
            ("true-client-ip", "192.0.2.1"),
        ] {
            assert!(!is_new(&app.anonymous().header(name, value)).await, "{name}: {value}");
        }
    }
}
