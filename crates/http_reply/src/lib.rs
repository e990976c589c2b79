//! What an HTTP peer answers, within a bound, and what went wrong on the way.
//!
//! Invariant: no text of an error holds the address, which may hold a token or a key.

use std::error::Error as _;

/// An answer that was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection broke.
    #[error("{0}")]
    Broken(String),
    /// It is longer than is taken.
    #[error("its answer is too long")]
    TooLong,
}

/// The body of an answer of at most `bytes_max` bytes.
///
/// # Errors
/// See [`ReadError`].
pub async fn read(mut response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| ReadError::Broken(told(error)))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(ReadError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error with its causes, without the address.
pub fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
