//! Where a request came from.

use std::net::IpAddr;

/// Where a request came from, as the audit log and the list of sessions tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address of the client; behind a trusted proxy, the one that the proxy saw.
    pub address: IpAddr,
    /// What the client says that it is, cut to 300 characters.
    pub user_agent: Option<String>,
    /// The request, as the server's log names it.
    pub request_id: Option<String>,
}
