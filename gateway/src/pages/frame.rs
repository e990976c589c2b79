//! A page as an answer: its head, its policy, and what stands in its place when it cannot be shown.

use super::entry::preferences;
use crate::{
    problem::{AsItIs, Problem},
    times,
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use console_pages::{Failure, Frame, Page, csp, routes};

const HTML: &str = "text/html; charset=utf-8";
/// Problems whose words say more than the page of their status does.
const TOLD: [&str; 7] =
    ["bad_request", "missing_scope", "stale_form", "withdrawn", "no_messages", "empty_span", "refused"];

/// Whether a path is the console's: a person looks at what is answered there.
pub(crate) fn is_page(path: &str) -> bool {
    path.strip_prefix(routes::HOME).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A view as a page.
pub(super) fn page(frame: &Frame, view: &impl Page) -> Result<Response<Body>, Problem> {
    page_with(StatusCode::OK, frame, view)
}

/// A view as a page with a status that is no success.
pub(super) fn page_with(
    status: StatusCode,
    frame: &Frame,
    view: &impl Page,
) -> Result<Response<Body>, Problem> {
    let html = view.html(frame).map_err(|error| Problem::internal(&error))?;
    let head = [(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, csp())];
    let mut response = (status, head, html).into_response();
    // Forms say where they come from by it; nobody else is told.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

/// The page of a failure; a success, and a page that tells of one itself, as they are.
pub(super) fn told(mut response: Response<Body>, frame: &Frame, request_id: &str) -> Response<Body> {
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    if !is_failure || response.extensions().get::<AsItIs>().is_some() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::of_status(status));
    problem.log(request_id);
    let detail = if TOLD.contains(&problem.code()) { problem.detail() } else { "" };
    let view = Failure {
        status: problem.status().as_u16(),
        detail: detail.to_owned(),
        request_id: request_id.to_owned(),
    };
    let Ok(mut page) = page_with(problem.status(), frame, &view) else {
        return problem.written(request_id, response);
    };
    if let Some(allow) = response.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if let Some(seconds) = problem.retry_after_s() {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}

/// The page of a failure that came before or instead of a page: a panic, or an answer that was too slow.
pub(crate) fn formed(response: Response<Body>, headers: &HeaderMap, request_id: &str) -> Response<Body> {
    let (language, theme) = preferences(headers);
    let frame = Frame {
        language,
        theme,
        now_ms: times::now_ms(),
        time_zone: "UTC".to_owned(),
        path: routes::HOME.to_owned(),
        ..Frame::default()
    };
    told(response, &frame, request_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_consoles_by_its_first_part() {
        assert!(is_page("/console") && is_page("/console/") && is_page("/console/groups/a"));
        assert!(!is_page("/consoles") && !is_page("/api/v1/console") && !is_page("/"));
    }

    #[test]
    fn a_failure_is_a_page_that_says_when_to_come_again_and_not_why() {
        let problem = Problem::away("the database", &"password authentication failed");
        let response = formed(problem.into_response(), &HeaderMap::new(), "4bf9");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let head = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!((head(header::CONTENT_TYPE), head(header::RETRY_AFTER)), (Some(HTML), Some("2")));
        assert_eq!(head(header::CONTENT_SECURITY_POLICY), Some(csp()));
        assert!(response.extensions().get::<AsItIs>().is_some());
    }
}
