//! What a request brings, read so that what is wrong with it is told as a problem.

use crate::{guard::Caller, problem::Problem};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|why| Problem::bad_request(why.body_text()))
    }
}

/// Parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|why| Problem::bad_request(why.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::internal(&"an operation without a key asks who calls"))
    }
}

/// A body in JSON, of a request or an answer.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        read(&bytes(request, state).await?, is_json).map(Self)
    }
}

/// A body in JSON that may be left out: then it is that of `T::default()`.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = bytes(request, state).await?;
        if bytes.is_empty() { Ok(Self(T::default())) } else { read(&bytes, is_json).map(Self) }
    }
}

/// Largest body in JSON: none says much, and read it takes many times its bytes.
const JSON_BYTES_MAX: usize = 64 << 10;

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).as_deref() == Some("application/json")
}

fn read<T: DeserializeOwned>(bytes: &[u8], is_json: bool) -> Result<T, Problem> {
    if !is_json {
        return Err(other_type("application/json"));
    }
    if bytes.len() > JSON_BYTES_MAX {
        return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    // serde_json's message names fields and places, not what stands there, but for unknown words.
    let bad = |error| Problem::bad_request(format!("the body is not what is expected: {error}"));
    // An object first: serde takes a list for the fields of a struct, too.
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(bad)?;
    serde_json::from_value(Value::Object(object)).map_err(bad)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

/// A body in lines of JSON.
pub(crate) struct Lines(pub(crate) Bytes);

/// Media types that lines may have.
const LINES: [&str; 2] = ["application/x-ndjson", "application/jsonl"];

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Problem> {
        let type_of = media_type(request.headers());
        if !type_of.is_some_and(|name| LINES.contains(&name.as_str())) {
            return Err(other_type("application/x-ndjson or application/jsonl"));
        }
        bytes(request, state).await.map(Self)
    }
}

fn other_type(expected: &str) -> Problem {
    let detail = format!("the body has to be of type {expected}");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

/// The whole body, as long as it is not longer than the router lets through.
async fn bytes<S: Send + Sync>(request: Request<Body>, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|why| match why.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Problem::bad_request("the body could not be read"),
    })
}

/// The media type of a body, without its parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?;
    Some(name.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_list_is_no_object_and_a_field_that_is_unknown_is_told() {
        #[derive(Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Named {
            name: Option<String>,
        }
        let named = |body: &[u8]| read::<Named>(body, true).ok();
        assert_eq!(named(b"{\"name\": \"a\"}"), Some(Named { name: Some("a".to_owned()) }));
        for wrong in [&b"[\"a\"]"[..], b"[]", b"null", b"{\"nmae\": null}", b""] {
            assert_eq!(named(wrong), None);
        }
        assert!(read::<Named>(b"{}", false).is_err());
        let padded = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
        assert!(read::<Named>(padded(JSON_BYTES_MAX).as_bytes(), true).is_ok());
        let large = read::<Named>(padded(JSON_BYTES_MAX + 1).as_bytes(), true).unwrap_err();
        assert_eq!(large.code(), "too_large");
    }

    #[test]
    fn a_media_type_is_told_without_its_parameters() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            media_type(&headers)
        };
        assert_eq!(of("Application/JSON; charset=utf-8").as_deref(), Some("application/json"));
        assert_eq!(media_type(&HeaderMap::new()), None);
    }
}
