//! What a form sends.
//!
//! Invariant: no handler reads a field of a form whose token is not that of the session.

use super::entry::{Guest, Visit, stale_form};
use crate::problem::Problem;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use console_pages::Frame;
use serde::{Deserialize, de::DeserializeOwned};

const TYPE: &str = "application/x-www-form-urlencoded";

/// Fields of a form of this session.
pub(super) struct Form<T>(pub(super) T);

#[derive(Deserialize)]
struct Carried {
    #[serde(default)]
    form_token: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Problem> {
        let extensions = request.extensions();
        let visit = extensions.get::<Visit>().map(|visit| &visit.frame);
        let frame = visit.or_else(|| extensions.get::<Guest>().map(|guest| &guest.0)).cloned();
        let frame = frame.ok_or_else(|| Problem::internal(&"a form comes from nobody"))?;
        let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !is_form.is_some_and(|name| name.trim().to_ascii_lowercase().starts_with(TYPE)) {
            return Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|why| match why.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE),
            _ => Problem::bad_request(""),
        })?;
        let carried = serde_urlencoded::from_bytes::<Carried>(&bytes).map_err(|_| unread())?;
        if !is_of(&frame, &carried.form_token) {
            return Err(stale_form(frame.language));
        }
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(|_| unread())
    }
}

fn unread() -> Problem {
    Problem::bad_request("")
}

/// Whether a token is that of the frame's session, told in constant time.
fn is_of(frame: &Frame, token: &str) -> bool {
    let is_one = !frame.form_token.is_empty();
    is_one && verify_slices_are_equal(frame.form_token.as_bytes(), token.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use console_pages::locale::Language;

    #[test]
    fn a_token_is_that_of_the_session_or_none() {
        let frame = Frame { form_token: "00ff".to_owned(), language: Language::English, ..Frame::default() };
        assert!(is_of(&frame, "00ff"));
        assert!(!is_of(&frame, "00fe") && !is_of(&frame, "") && !is_of(&frame, "00ff00ff"));
        assert!(!is_of(&Frame::default(), ""));
    }
}
