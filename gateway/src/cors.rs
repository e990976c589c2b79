//! Whose pages may call: those of the origins that the settings list, and nobody else's.

use crate::app::App;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
    middleware::Next,
    response::IntoResponse,
};

const METHODS: &str = "GET, HEAD, POST, PATCH";
const HEADERS: &str =
    "authorization, content-type, idempotency-key, if-none-match, last-event-id, traceparent";
const EXPOSED: &str =
    "etag, location, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-request-id";
/// Seconds for which a browser remembers the answer.
const REMEMBERED: &str = "600";

/// Answers for an origin that is listed.
pub(crate) async fn cors(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let listed = &app.0.config.gateway.cors_origins;
    let origin = request.headers().get(header::ORIGIN).filter(|origin| is_listed(listed, origin)).cloned();
    let Some(origin) = origin else { return next.run(request).await };
    let asks_before = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if asks_before { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let fields: &[_] = if asks_before {
        &[
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ]
    } else {
        &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)]
    };
    tell(headers, fields);
    response
}

fn tell(headers: &mut HeaderMap, fields: &[(header::HeaderName, &'static str)]) {
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn is_listed(listed: &str, origin: &HeaderValue) -> bool {
    listed.split(',').map(str::trim).any(|one| !one.is_empty() && one.as_bytes() == origin.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_listed_whole_or_not_at_all() {
        let listed = "https://a.example, https://b.example:8443";
        let is = |origin: &'static str| is_listed(listed, &HeaderValue::from_static(origin));
        assert!(is("https://a.example") && is("https://b.example:8443"));
        assert!(!is("https://a.example.evil") && !is("https://b.example") && !is("null") && !is(""));
        assert!(!is_listed("", &HeaderValue::from_static("")));
    }
}
