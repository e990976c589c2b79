//! What is done for every request, whatever becomes of it: its id, its time, its count, and the form of its answer.
//!
//! Invariant: every answer that is no success has a problem's body, also where a handler panicked or was too slow.

use crate::{
    app::App,
    pages,
    problem::{AsItIs, Problem},
};
use aws_lc_rs::rand;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
    middleware::Next,
    response::IntoResponse,
};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tracing::debug;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// Nothing is loaded, framed or sent from an answer, unless a page says otherwise.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const PROTECTION: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];
/// The path of requests that no route takes, as a label.
const UNMATCHED: &str = "unmatched";

/// The route that a request came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<OnceLock<&'static str>>);

impl Seen {
    /// Notes the template of the route.
    pub(crate) fn is_at(&self, path: &'static str) {
        self.0.get_or_init(|| path);
    }

    fn path(&self) -> &'static str {
        self.0.get().copied().unwrap_or(UNMATCHED)
    }
}

/// The id of a request, which is that of its trace.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Serves a request, and sees to the form of its answer.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response<Body> {
    let (began, seen) = (Instant::now(), Seen::default());
    let trace_id = trace_id(request.headers());
    let method = label(request.method());
    let headers = pages::is_page(request.uri().path()).then(|| request.headers().clone());
    request.extensions_mut().insert(seen.clone());
    request.extensions_mut().insert(RequestId(trace_id.as_str().into()));
    let served =
        tokio::time::timeout(app.request_timeout(), AssertUnwindSafe(next.run(request)).catch_unwind());
    let response = match served.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal(&"a handler panicked").into_response(),
        Err(_) => too_slow().into_response(),
    };
    let response = match &headers {
        Some(headers) => pages::formed(response, headers, &trace_id),
        None => response,
    };
    let mut response = formed(response, &trace_id);
    if let Ok(id) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    protect(response.headers_mut());
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.0.metrics.answered((method, seen.path()), status, took);
    debug!(trace_id, method, path = seen.path(), status, took_ms = took.as_millis() as u64, "request");
    response
}

fn too_slow() -> Problem {
    let detail = "the answer did not come in time; what was asked for may be done all the same";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).retry_after(1)
}

/// An answer that is no success gets the body of a problem, whoever made it.
fn formed(mut response: Response<Body>, trace_id: &str) -> Response<Body> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return problem.written(trace_id, response);
    }
    let status = response.status();
    let is_whole = response.extensions_mut().remove::<AsItIs>().is_some();
    if is_whole {
        return response;
    }
    if status.is_client_error() || status.is_server_error() {
        return Problem::of_status(status).written(trace_id, response);
    }
    response
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The trace that a request is of, else a new one.
fn trace_id(headers: &HeaderMap) -> String {
    let told = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok()).and_then(of_parent);
    told.map_or_else(new_trace_id, str::to_owned)
}

/// The trace id of a W3C `traceparent`.
fn of_parent(parent: &str) -> Option<&str> {
    let id = parent.strip_prefix("00-")?.get(..32)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (id.bytes().all(is_digit) && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

fn new_trace_id() -> String {
    let mut bytes = [0; 16];
    // Where the system has no random numbers requests share an id, and are served all the same.
    rand::fill(&mut bytes).unwrap_or_default();
    operate::hex(&bytes)
}

/// A method as a label: whatever else is sent is one.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// How long a header may take to come, so that a slow client holds no connection.
pub(crate) const HEADERS_IN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_gone_on_with_where_one_is_told() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of_parent(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        let none = "0".repeat(32);
        for wrong in
            [String::new(), format!("01-{id}"), format!("00-{none}-1"), format!("00-{}", id.to_uppercase())]
        {
            assert_eq!(of_parent(&wrong), None, "{wrong}");
        }
        assert_eq!(trace_id(&HeaderMap::new()).len(), 32);
        assert_ne!(trace_id(&HeaderMap::new()), trace_id(&HeaderMap::new()));
    }
}
