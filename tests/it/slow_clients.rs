//! Clients that send slowly, or too much.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use masthead::http::options::HttpOptions;

use crate::app::TestApp;

/// Sends these bytes and then nothing more; what the server says until it hangs up. A server that waits for ever fails.
fn converse(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    // Who has sent too much may be cut off before they have heard why.
    let heard = stream.write_all(bytes).and_then(|()| stream.read_to_end(&mut answer));
    if let Err(error) = heard {
        assert!([ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()), "{error}");
    }
    String::from_utf8(answer).unwrap()
}

const SHORT: Duration = Duration::from_millis(100);

async fn with_body_timeout() -> TestApp {
    TestApp::start_with(HttpOptions { body_timeout: SHORT, ..HttpOptions::default() }).await
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_408() {
    let app = with_body_timeout().await;
    let token = app.author().await.token().to_owned();
    for length in [
        "Content-Length: 30",
        "Transfer-Encoding: chunked",
        "Idempotency-Key: 1\r\nContent-Length: 30",
        "Idempotency-Key: 1\r\nTransfer-Encoding: chunked",
    ] {
        let head = format!(
            "POST /v1/tags HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n"
        );
        let answer = converse(&app, head.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("\"code\":\"too_slow\""), "{answer}");
    }
    app.anonymous().get("/v1/tags").await.expect(200);
}

#[actix_web::test]
async fn a_body_that_nobody_waits_for_is_not_waited_for() {
    let app = with_body_timeout().await;
    for request in [
        "GET /v1/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{",
        "POST /v1/tags HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{",
        "DELETE /v1/tags/port HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let answer = converse(&app, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
}

#[actix_web::test]
async fn a_head_that_does_not_come_is_408() {
    let app = TestApp::start_with(HttpOptions { head_timeout: SHORT, ..HttpOptions::default() }).await;
    let answer = converse(&app, b"GET /v1/tags HTTP/1.1\r\nHost: x\r\nX-");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[actix_web::test]
async fn a_head_that_is_too_large_is_refused() {
    let app = TestApp::start().await;
    let many = "X-Y: z\r\n".repeat(200);
    let answer = converse(&app, format!("GET /v1/tags HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let long = "x".repeat(1_000_000);
    for head in [
        format!("GET /v1/tags?q={long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /v1/tags HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
    ] {
        let answer = converse(&app, head.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    // What the server reads in full is an ordinary request.
    let long = format!("/v1/tags/{}", "x".repeat(60_000));
    app.anonymous().get(&long).await.problem(404, "not_found");
}
