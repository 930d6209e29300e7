//! What an attacker tries. Each file keeps promises that holes in other systems have broken:
//!
//! | file | promise |
//! |---|---|
//! | `paths` | no spelling of a path evades the guard of a route: slashes, dot segments, encoded slashes, case, `;params` |
//! | `headers` | no header changes the method, the path or who is asking; broken framing is refused and breaks nothing |
//! | `bodies` | nobody assigns what the server decides (`id`, `state`, `role`, …); hostile JSON and text are refused |
//! | `queries` | filters and orders reach only what is listed; SQL is text; no number or cursor breaks a list |
//! | `drafts` | a draft cannot be told from nothing by those who may not read it, and is counted nowhere |
//! | `answers` | nothing unkeyed changes an answer; every answer is guarded by its headers; internals stay inside |
//! | `wire` | requests as bytes, for what an HTTP client would not send |

mod answers;
mod bodies;
mod drafts;
mod headers;
mod paths;
mod queries;
mod wire;
