//! Entity tags: what has not changed is not sent again.

use crate::problem::Problem;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
    middleware::Next,
    response::IntoResponse,
};
use sha2::{Digest, Sha256};

/// Bytes of the hash that a tag has.
const TAG_BYTES: usize = 16;
/// A program keeps an answer for itself, and asks before it uses it again.
const PRIVATE: &str = "private, no-cache";
/// What an answer depends on.
const VARIES: &str = "authorization, accept";

/// Tags the answer to a GET by its bytes, and leaves them out where the client has them.
pub(crate) async fn tagged(request: Request, next: Next) -> Response<Body> {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK || is_stream(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let tag = format!("\"{}\"", operate::hex(&Sha256::digest(&bytes)[..TAG_BYTES]));
    let is_known = known.is_some_and(|known| names(&known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PRIVATE));
    parts.headers.insert(header::VARY, HeaderValue::from_static(VARIES));
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::empty())
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|name| name.as_bytes().starts_with(b"text/event-stream"))
}

/// Whether `If-None-Match` names this tag (RFC 9110: weakly compared).
fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_those_that_the_client_has() {
        let names = |known: &'static str| names(&HeaderValue::from_static(known), "\"ab\"");
        assert!(names("\"ab\"") && names("W/\"ab\"") && names("\"x\", \"ab\"") && names("*"));
        assert!(!names("ab") && !names("\"abc\"") && !names(""));
    }
}
