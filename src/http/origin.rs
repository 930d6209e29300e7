//! Where requests come from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
    web,
};
use ipnet::IpNet;
use tracing_actix_web::RequestId;

use super::options::ProxyHeader;
use crate::domain::{error::Error, origin::Origin};

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 300;

/// Extractor: where the request comes from.
#[derive(Debug, Clone)]
pub struct From(pub Origin);

impl FromRequest for From {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(origin(request))))
    }
}

/// Where a request comes from.
pub(super) fn origin(request: &HttpRequest) -> Origin {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        address: client_address(request),
        user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
    }
}

/// The proxies that are believed when they tell who the client is.
#[derive(Debug)]
pub(crate) struct TrustedProxies {
    /// Their addresses.
    pub networks: Vec<IpNet>,
    /// The header in which they do.
    pub header: ProxyHeader,
}

impl TrustedProxies {
    fn contains(&self, address: &IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// The address of the client: the peer, or, as far as it and those before it are trusted, whom they name.
pub(super) fn client_address(request: &HttpRequest) -> IpAddr {
    let peer =
        request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip().to_canonical());
    match request.app_data::<web::Data<TrustedProxies>>() {
        Some(proxies) if proxies.contains(&peer) => forwarded_for(request.headers(), proxies, peer),
        _ => peer,
    }
}

/// Follows the chain of proxies from its near end to the first address that is not trusted. An entry that is no address
/// ends it: who is beyond is unknown.
fn forwarded_for(headers: &HeaderMap, proxies: &TrustedProxies, peer: IpAddr) -> IpAddr {
    type Reader = fn(&str) -> Option<IpAddr>;
    let (name, read): (_, Reader) = match proxies.header {
        ProxyHeader::Forwarded => (header::FORWARDED, forwarded_element),
        ProxyHeader::XForwardedFor => (header::X_FORWARDED_FOR, node_address),
    };
    let lines: Vec<_> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    // No address holds a comma, so a quote that a client has opened cannot swallow what a proxy has added.
    let mut chain = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut client = peer;
    while proxies.contains(&client)
        && let Some(address) = chain.next().and_then(read)
    {
        client = address;
    }
    client
}

/// The address in an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https` (RFC 7239, section 4).
fn forwarded_element(element: &str) -> Option<IpAddr> {
    let mut addresses = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    });
    match (addresses.next(), addresses.next()) {
        (Some(address), None) => node_address(address),
        _ => None,
    }
}

/// The address of a node, with or without quotes, brackets and port (RFC 7239, section 6).
fn node_address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let node = node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node);
    let host = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        // A lone colon is in front of a port, more are in an IPv6 address.
        None => node.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(node, |(host, _)| host),
    };
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn lines_of_a_header_are_one_chain() {
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let proxies = TrustedProxies { networks, header: ProxyHeader::XForwardedFor };
        let mut headers = HeaderMap::new();
        let client =
            |headers: &HeaderMap| forwarded_for(headers, &proxies, IpAddr::from([10, 0, 0, 1])).to_string();
        assert_eq!(client(&headers), "10.0.0.1");
        headers.append(header::X_FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        headers.append(header::X_FORWARDED_FOR, HeaderValue::from_static("192.0.2.2, 10.0.0.3"));
        headers.append(header::X_FORWARDED_FOR, HeaderValue::from_static("10.0.0.2"));
        assert_eq!(client(&headers), "192.0.2.2");
        let not_text = HeaderValue::from_bytes(b"192.0.2.3, \xff").unwrap();
        headers.append(header::X_FORWARDED_FOR, not_text);
        assert_eq!(client(&headers), "10.0.0.1");
    }

    #[test]
    fn nodes_are_read_as_proxies_write_them() {
        for (node, address) in [
            ("192.0.2.43", "192.0.2.43"),
            (" 192.0.2.43:47011 ", "192.0.2.43"),
            ("\"192.0.2.43:_port\"", "192.0.2.43"),
            ("\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(node_address(node), Some(address.parse().unwrap()), "{node}");
        }
        for node in
            ["", "unknown", "_hidden", "192.0.2", "192.0.2.300", "[::1", "\"192.0.2.1", "0x7f000001", "a b"]
        {
            assert_eq!(node_address(node), None, "{node}");
        }
        let element = "proto=http; For=192.0.2.60;by=203.0.113.43";
        assert_eq!(forwarded_element(element), Some("192.0.2.60".parse().unwrap()));
        for element in ["", "by=192.0.2.1", "for=192.0.2.1;for=192.0.2.2", "192.0.2.1"] {
            assert_eq!(forwarded_element(element), None, "{element}");
        }
    }
}
