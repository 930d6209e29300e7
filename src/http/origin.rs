//! Where requests come from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header};
use tracing_actix_web::RequestId;

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

/// The address of the client.
pub(super) fn client_address(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip().to_canonical())
}
