//! Requests as bytes, for what an HTTP client would not send.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::app::TestApp;

/// A server that has said nothing for so long waits for more of the request.
const HANGS: Duration = Duration::from_secs(30);

/// What came back on a connection.
#[derive(Debug, Clone)]
pub struct Reply(pub String);

impl Reply {
    /// The status of the first answer; `None` if the server hung up without one.
    pub fn status(&self) -> Option<u16> {
        self.0.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()
    }

    /// Whether the request was refused: with a 4xx, or by hanging up.
    pub fn is_refusal(&self) -> bool {
        self.status().is_none_or(|status| (400..500).contains(&status))
    }

    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.0.matches("HTTP/1.1 ").count()
    }

    /// What follows the headers of the first answer.
    pub fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_default()
    }

    /// A header of the first answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl TestApp {
    /// Sends bytes on a connection of their own and reads until the server ends it. The request should ask for that:
    /// `Connection: close`.
    pub fn exchange(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.origin().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        // The server may refuse before it has read everything, and then also cuts the connection.
        let is_cut = |kind| {
            matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
        };
        if let Err(error) = stream.write_all(bytes) {
            assert!(is_cut(error.kind()), "{error}");
        }
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            let sent = String::from_utf8_lossy(&bytes[..bytes.len().min(500)]);
            assert!(is_cut(error.kind()), "{error}: {sent}");
        }
        Reply(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A request without a body, its target as it is given.
    pub fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Reply {
        self.tell(method, target, headers, "")
    }

    /// A request with a JSON body, its target as it is given.
    pub fn tell(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Reply {
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nHost: newsroom.example\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if !body.is_empty() {
            let length = body.len();
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"));
        }
        self.exchange(format!("{request}\r\n{body}").as_bytes())
    }
}
