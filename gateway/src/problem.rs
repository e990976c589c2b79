//! What is answered when something cannot be done: RFC 9457, whoever found it.
//!
//! Invariant: no answer tells what a peer said, a statement or an address; that is in the log, under the trace id.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Display};
use tracing::{error, warn};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, response::Response as Documented},
};

/// Media type of a problem.
pub(crate) const PROBLEM: &str = "application/problem+json";
/// Seconds after which a peer that is away is worth another attempt.
const AWAY_RETRY_S: u64 = 2;

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after_s: Option<u64>,
    /// What only the log is told.
    why: Option<String>,
}

/// An answer that is no success and has a body of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsItIs;

/// A problem as it is written (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Always `about:blank`: `code` tells what it is.
    r#type: &'a str,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What it is, for programs.
    code: &'a str,
    /// What it is, for people.
    detail: &'a str,
    /// Id of the request, as in the log and in `x-request-id`.
    trace_id: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after_s: None, why: None }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    pub(crate) fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// A peer is away; `why` goes into the log.
    pub(crate) fn away(peer: &'static str, why: &dyn Display) -> Self {
        let detail = format!("{peer} does not answer at the moment; nothing was lost, try again");
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        Self { why: Some(why.to_string()), ..problem }.retry_after(AWAY_RETRY_S)
    }

    /// A failure of this program or of its set-up; `why` goes into the log.
    pub(crate) fn internal(why: &dyn Display) -> Self {
        let detail = "something failed here; the log has it under the trace id";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        Self { why: Some(why.to_string()), ..problem }
    }

    /// The problem of an answer that has only a status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method_not_allowed", "this address does not take this method")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is too large"),
            StatusCode::REQUEST_TIMEOUT => ("timeout", "the request was not over in time"),
            status if status.is_server_error() => ("internal", "something failed here"),
            _ => ("bad_request", "the request cannot be read"),
        };
        Self::new(status, code, detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// Tells the log of a failure that is not the client's.
    pub(crate) fn log(&self, trace_id: &str) {
        let why = self.why.as_deref().unwrap_or(&self.detail);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            warn!(trace_id, code = self.code, why, "could not serve a request for now");
        } else if self.status.is_server_error() {
            error!(trace_id, code = self.code, why, "could not serve a request");
        }
    }

    /// The answer with its body, for a request of this id; `allow` and other headers of `before` stay.
    pub(crate) fn written(&self, trace_id: &str, before: Response<Body>) -> Response<Body> {
        self.log(trace_id);
        let body = ProblemBody {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            trace_id,
        };
        let (mut parts, _) = before.into_parts();
        parts.status = self.status;
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        parts.headers.remove(header::CONTENT_LENGTH);
        if let Some(seconds) = self.retry_after_s {
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"gistmill\"");
            parts.headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        // Strings and a number: there is nothing that serde_json could refuse.
        Response::from_parts(parts, Body::from(serde_json::to_vec(&body).unwrap_or_default()))
    }
}

impl IntoResponse for Problem {
    /// The status; the body is written where the trace id is known.
    fn into_response(self) -> Response<Body> {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<state::Error> for Problem {
    fn from(error: state::Error) -> Self {
        if error.is_transient() {
            return Self::away("the database", &error.describe());
        }
        Self::internal(&error.describe())
    }
}

impl From<operate::Error> for Problem {
    fn from(error: operate::Error) -> Self {
        if error.is_away() {
            return Self::away("the broker", &error);
        }
        match error {
            operate::Error::UnknownPartition { .. } => Self::not_found("there is no such partition"),
            operate::Error::Postgres(error) => (*error).into(),
            error @ (operate::Error::Kafka { .. } | operate::Error::Read { .. }) => {
                Self::away("the broker", &error)
            }
            error => Self::internal(&error),
        }
    }
}

/// What every operation may answer besides its own, for the document.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        let response = |description: &str| {
            let schema = Ref::from_schema_name(ProblemBody::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            RefOr::T(ResponseBuilder::new().description(description).content(PROBLEM, content).build())
        };
        BTreeMap::from([
            ("4XX".to_owned(), response("The request cannot be served as it is; `code` says why")),
            (
                "5XX".to_owned(),
                response("Something failed here or is away; with `Retry-After` it is worth trying again"),
            ),
        ])
    }
}
