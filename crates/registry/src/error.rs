//! What can go wrong between this program and the registry.

use serde::Deserialize;

/// A request to the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one.
    #[error("could not use {address:?} as the address of the schema registry: {reason}")]
    Address {
        /// As given, without credentials.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answered in time, or what answered does not speak HTTP.
    #[error("could not reach the schema registry at {address}")]
    Unreachable {
        /// Without credentials.
        address: String,
        /// What the HTTP client says.
        #[source]
        source: Box<reqwest::Error>,
    },
    /// The registry has no such subject, version or schema.
    #[error("could not find {what} in the schema registry: {message}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Code of the Confluent API: 40401 subject, 40402 version, 40403 schema; 0 when it gave none.
        code: i64,
        /// What the registry says.
        message: String,
    },
    /// The schema breaks the subject's compatibility rule.
    #[error("could not {what}: the schema is incompatible with an earlier version: {message}")]
    Incompatible {
        /// What was attempted.
        what: String,
        /// What the registry says.
        message: String,
    },
    /// The registry answered with another error.
    #[error("could not {what}: the schema registry answered {status}: {message}")]
    Refused {
        /// What was attempted.
        what: String,
        /// HTTP status.
        status: u16,
        /// Code of the Confluent API; 0 when it gave none.
        code: i64,
        /// What the registry says.
        message: String,
    },
    /// The registry answered something that is not of its API.
    #[error("could not {what}: the answer of {address} is not a schema registry's")]
    Answer {
        /// What was attempted.
        what: String,
        /// Without credentials.
        address: String,
        /// What the decoder says.
        #[source]
        source: Box<reqwest::Error>,
    },
}

/// Error body of the Confluent API.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    pub(crate) error_code: i64,
    #[serde(default)]
    pub(crate) message: String,
}

const SCHEMA_NOT_FOUND: i64 = 40403;

impl Error {
    /// True when the registry itself says that it has no schema of that id. A 404 without its code comes from
    /// something in between (a proxy, a wrong path) and says nothing about the schema.
    pub fn is_unknown_schema(&self) -> bool {
        matches!(self, Self::NotFound { code: SCHEMA_NOT_FOUND, .. })
    }

    /// True when nobody answered at the registry's address.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(crate) fn from_answer(what: &str, status: u16, body: ErrorBody) -> Self {
        let (what, code, message) = (what.to_owned(), body.error_code, body.message);
        match status {
            404 => Self::NotFound { what, code, message },
            409 => Self::Incompatible { what, message },
            _ => Self::Refused { what, status, code, message },
        }
    }
}
