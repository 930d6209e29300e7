//! Who the client is behind proxies, seen by whose budget is spent.

use masthead::http::{
    limits::RateLimits,
    options::{HttpOptions, ProxyHeader},
};

use crate::app::{Client, TestApp};

async fn start(trusted: &[&str], proxy_header: ProxyHeader) -> TestApp {
    let options = HttpOptions {
        proxy_header,
        trusted_proxies: trusted.iter().map(|network| network.parse().unwrap()).collect(),
        // Five seconds for each: nothing comes back while a test goes on.
        limits: RateLimits { anonymous_reads: 12, ..RateLimits::default() },
        ..HttpOptions::default()
    };
    TestApp::start_with(options).await
}

/// Whether this request came from an address that has asked for nothing before.
async fn is_new(client: &Client) -> bool {
    let answer = client.get("/v1/tags").await.expect(200);
    answer.header("ratelimit").contains(";r=11;")
}

/// Sends a value of the header from each address on the left, and tells if the client is the one on the right.
async fn check(app: &TestApp, header: &'static str, plain: fn(&str) -> String, cases: &[(&str, &str)]) {
    for (value, client) in cases {
        let app = app.anonymous();
        // By now the client on the right has asked for something, the one who is named has not.
        is_new(&app.header(header, &plain(client))).await;
        assert!(!is_new(&app.header(header, value)).await, "{header}: {value} is not {client}");
    }
}

const TRUSTED: &[&str] = &["127.0.0.0/8", "10.0.0.0/8", "2001:db8:ff::/48"];

#[actix_web::test]
async fn each_client_of_a_trusted_proxy_is_known() {
    let app = start(TRUSTED, ProxyHeader::XForwardedFor).await;
    let reader = app.anonymous();
    let name = "x-forwarded-for";
    assert!(is_new(&reader.header(name, "192.0.2.1")).await);
    assert!(is_new(&reader.header(name, "192.0.2.2")).await);
    assert!(!is_new(&reader.header(name, "192.0.2.1")).await);
    assert!(is_new(&reader).await, "the proxy itself");
    let cases = [
        // Ways to write an address.
        ("192.0.2.10:4711", "192.0.2.10"),
        ("::ffff:192.0.2.11", "192.0.2.11"),
        ("[2001:db8:1::1]:4711", "2001:db8:1::"),
        ("2001:db8:2::1", "2001:db8:2::ffff"),
        // Trusted ones are skipped from the right; the first that is not is the client.
        ("198.51.100.1, 192.0.2.20, 10.1.2.3, 127.0.0.5", "192.0.2.20"),
        ("192.0.2.21, 2001:db8:ff::7", "192.0.2.21"),
        // All are trusted: the leftmost.
        ("10.9.9.9, 10.8.8.8", "10.9.9.9"),
        // What is no address ends the walk: nobody beyond it is believed.
        ("198.51.100.3, unknown, 10.7.7.7", "10.7.7.7"),
        ("198.51.100.4, , 10.7.7.8", "10.7.7.8"),
    ];
    check(&app, name, str::to_owned, &cases).await;
    // A proxy that sets one header may let the other through as the client has written it.
    let both = reader.header(name, "192.0.2.1").header("forwarded", "for=192.0.2.31");
    assert!(!is_new(&both).await);
}

#[actix_web::test]
async fn a_proxy_may_speak_by_the_standard_header() {
    let app = start(TRUSTED, ProxyHeader::Forwarded).await;
    let reader = app.anonymous();
    let name = "forwarded";
    assert!(is_new(&reader.header(name, "for=192.0.2.1")).await);
    let cases = [
        ("proto=https;For=\"192.0.2.12:80\";by=_edge", "192.0.2.12"),
        ("for=\"[2001:db8:3::1]:80\"", "[2001:db8:3::1]"),
        ("for=198.51.100.2, for=192.0.2.22, for=10.0.0.1", "192.0.2.22"),
        ("for=198.51.100.5, for=_hidden, for=10.7.7.9", "10.7.7.9"),
        ("for=198.51.100.6, by=10.0.0.1, for=10.7.7.10", "10.7.7.10"),
        // A client that opens a quote does not swallow what the proxy adds.
        ("for=\"198.51.100.7, for=192.0.2.23", "192.0.2.23"),
        ("for=198.51.100.8;for=198.51.100.9, for=192.0.2.24", "192.0.2.24"),
    ];
    check(&app, name, |client| format!("for=\"{client}\""), &cases).await;
    let both = reader.header("x-forwarded-for", "192.0.2.30").header(name, "for=192.0.2.1");
    assert!(!is_new(&both).await);
}

#[actix_web::test]
async fn nobody_else_is_believed() {
    for trusted in [&[][..], &["10.0.0.0/8", "::1/128"]] {
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let app = start(trusted, header).await;
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
}
