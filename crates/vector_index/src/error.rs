//! What can go wrong with the index. Invariant: each message says what was attempted or found, and none holds words or keys.

use qdrant_client::QdrantError;

/// Codes of gRPC.
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const ALREADY_EXISTS: i32 = 6;
const PERMISSION_DENIED: i32 = 7;
const UNIMPLEMENTED: i32 = 12;
const UNAUTHENTICATED: i32 = 16;

/// Why the index could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("could not use qdrant.url {url:?}: expected http://HOST:PORT of Qdrant's gRPC interface")]
    Url {
        /// The address.
        url: String,
    },
    /// It does not answer, or is not able to now.
    #[error("could not {what}: Qdrant at {url}: {detail}")]
    Away {
        /// What was attempted.
        what: &'static str,
        /// Its address.
        url: String,
        /// What it or the connection said.
        detail: String,
    },
    /// It wants another key.
    #[error("Qdrant at {url} does not let us in: {detail}; see qdrant.api_key")]
    Denied {
        /// Its address.
        url: String,
        /// What it said.
        detail: String,
    },
    /// A development front where a server is wanted.
    #[error(
        "{url} is the {title}, no Qdrant server: set qdrant.development_front = true where that is meant, else another qdrant.url"
    )]
    DevelopmentFront {
        /// Its address.
        url: String,
        /// What it calls itself.
        title: String,
    },
    /// The collection is not what this model fills.
    #[error("could not use collection {collection}: {detail}; delete it in Qdrant, or choose another model")]
    OtherCollection {
        /// Its name.
        collection: String,
        /// What is different.
        detail: String,
    },
    /// The collection is not there (any more).
    #[error("collection {collection} is not there")]
    Gone {
        /// Its name.
        collection: String,
    },
    /// Qdrant will never take this.
    #[error("could not {what}: Qdrant refuses it: {detail}")]
    Refused {
        /// What was attempted.
        what: &'static str,
        /// What it said.
        detail: String,
    },
}

impl Error {
    /// True when it may get better by itself or by somebody's work on Qdrant.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Gone { .. } | Self::Denied { .. })
    }

    pub(crate) fn already_exists(error: &QdrantError) -> bool {
        code(error) == Some(ALREADY_EXISTS)
    }

    /// What a call's failure means.
    pub(crate) fn of_call(what: &'static str, (url, collection): (&str, &str), error: &QdrantError) -> Self {
        let detail = said(error);
        match code(error) {
            Some(NOT_FOUND) => Self::Gone { collection: collection.to_owned() },
            Some(INVALID_ARGUMENT | UNIMPLEMENTED | ALREADY_EXISTS) => Self::Refused { what, detail },
            Some(PERMISSION_DENIED | UNAUTHENTICATED) => Self::Denied { url: url.to_owned(), detail },
            _ => Self::Away { what, url: url.to_owned(), detail },
        }
    }
}

fn code(error: &QdrantError) -> Option<i32> {
    match error {
        QdrantError::ResponseError { status } => Some(status.code().into()),
        _ => None,
    }
}

/// Without the metadata of the answer.
fn said(error: &QdrantError) -> String {
    match error {
        QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. } => {
            let text = status.message();
            if text.is_empty() { status.code().to_string() } else { text.to_owned() }
        }
        other => other.to_string(),
    }
}
