//! What can go wrong between this program and the registry.

use certificate::{Fault, Trust};
use reqwest::StatusCode;
use serde::Deserialize;
use std::{error::Error as StdError, fmt};

/// The registry, and how it is met.
pub(crate) struct Peer<'a> {
    /// Without credentials.
    pub(crate) address: &'a str,
    pub(crate) username: Option<&'a str>,
    pub(crate) ca_location: Option<&'a str>,
}

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
        source: Cause,
    },
    /// It answers and does not let this client in.
    #[error("{finding}")]
    Denied {
        /// Who does not let whom do what, and why.
        finding: String,
        /// What to do, and the setting to look at.
        advice: String,
    },
    /// A file that the settings name cannot be used.
    #[error("could not use the certificates in {path} (registry.ca_location): {why}")]
    Authority {
        /// As configured.
        path: String,
        /// Why.
        why: String,
    },
    /// The registry has no such subject, version or schema.
    #[error("could not {what}: the schema registry has no such thing: {message}")]
    NotFound {
        /// What was attempted.
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
        source: Cause,
    },
}

/// Why, in the words of what failed: kept as text, for `schema_registry_converter` lends its errors only.
#[derive(Debug)]
pub struct Cause {
    text: String,
    cause: Option<Box<Self>>,
}

impl Cause {
    /// An error with its causes, but for the address in reqwest's words: it has been told.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut text = error.to_string();
        if let Some(url) = error.downcast_ref::<reqwest::Error>().and_then(reqwest::Error::url) {
            text = text.replace(&format!(" for url ({url})"), "");
        }
        Self { text, cause: error.source().map(|cause| Box::new(Self::of(cause))) }
    }

    pub(crate) fn text(text: String) -> Self {
        Self { text, cause: None }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Error body of the Confluent API.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    pub(crate) error_code: i64,
    #[serde(default)]
    pub(crate) message: String,
}

impl ErrorBody {
    /// In place of a body that is not the API's (a proxy's page), which is kept out of messages.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let message = status.canonical_reason().unwrap_or("no reason given").to_owned();
        Self { error_code: 0, message }
    }
}

const SCHEMA_NOT_FOUND: i64 = 40403;

impl Error {
    /// True when the registry itself says that it has no schema of that id. A 404 without its code comes from
    /// something in between (a proxy, a wrong path) and says nothing about the schema.
    pub fn is_unknown_schema(&self) -> bool {
        matches!(self, Self::NotFound { code: SCHEMA_NOT_FOUND, .. })
    }

    /// True when the registry does not serve: nobody answers at its address, or what answers has failed (5xx).
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { status: 500..=599, .. })
    }

    /// The message with all its causes and, where there is one, what to do.
    pub fn describe(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        match self {
            Self::Denied { advice, .. } => format!("{text}; {advice}"),
            _ => text,
        }
    }

    /// Why a request had no answer: nobody is there, or who is there is not to be trusted or speaks otherwise.
    pub(crate) fn unanswered(peer: &Peer<'_>, source: &reqwest::Error) -> Self {
        let registry = format!("the schema registry at {}", peer.address);
        if let Some(fault) = Fault::in_causes(source) {
            let trust = Trust {
                setting: "registry.ca_location",
                value: Some(peer.ca_location.unwrap_or("not set")),
                address: "registry.url",
            };
            return Self::Denied { finding: fault.finding(&registry), advice: fault.advice(trust) };
        }
        if certificate::speaks_no_tls(source) {
            let advice =
                "registry.url begins with https: correct it, or name the port that speaks TLS".to_owned();
            return Self::Denied { finding: format!("{registry} does not speak TLS"), advice };
        }
        Self::Unreachable { address: peer.address.to_owned(), source: Cause::of(source) }
    }

    /// The answers 401 and 403.
    fn refused_entry(peer: &Peer<'_>, what: &str, status: u16, message: &str) -> Self {
        let registry = format!("the schema registry at {}", peer.address);
        let who = peer
            .username
            .map_or_else(|| "a client without a user".to_owned(), |user| format!("user {user:?}"));
        if status == 403 {
            return Self::Denied {
                finding: format!("{registry} does not allow {who} to {what}: {message}"),
                advice: "give the user a role that may, or name another in registry.username".to_owned(),
            };
        }
        Self::Denied {
            finding: format!("{registry} refused the log-in of {who}: {message}"),
            advice: "check registry.username and registry.password".to_owned(),
        }
    }

    /// An answer that is an error.
    pub(crate) fn answered(peer: &Peer<'_>, what: &str, status: StatusCode, body: ErrorBody) -> Self {
        match status.as_u16() {
            entry @ (401 | 403) => Self::refused_entry(peer, what, entry, &body.message),
            other => Self::from_answer(what, other, body),
        }
    }

    fn from_answer(what: &str, status: u16, body: ErrorBody) -> Self {
        let (what, code, message) = (what.to_owned(), body.error_code, body.message);
        match status {
            404 => Self::NotFound { what, code, message },
            409 => Self::Incompatible { what, message },
            _ => Self::Refused { what, status, code, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Error {
        Error::from_answer("read schema 11", status, ErrorBody { error_code: 0, message: "Oops".to_owned() })
    }

    #[test]
    fn every_answer_reads_as_a_sentence() {
        let table = [
            (404, "could not read schema 11: the schema registry has no such thing: Oops"),
            (409, "could not read schema 11: the schema is incompatible with an earlier version: Oops"),
            (422, "could not read schema 11: the schema registry answered 422: Oops"),
        ];
        for (status, text) in table {
            assert_eq!(answered(status).to_string(), text);
        }
    }

    #[test]
    fn a_registry_that_fails_is_away() {
        let away = [401, 404, 409, 422, 500, 503].map(|status| answered(status).is_away());
        assert_eq!(away, [false, false, false, false, true, true]);
    }
}
