//! Why a question to the broker has no answer.

use kafka_protocol::ResponseError;
use std::{fmt, io};

/// A question or an order that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers at the address, or the connection ended.
    #[error("could not reach kafka at {address}")]
    Away {
        /// `host:port`.
        address: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The connection could not be encrypted: another protocol, a certificate that is not trusted, another host's name.
    #[error(
        "could not agree on encryption with kafka at {address}: {why}; see security.protocol, ssl.ca.location and \
         ssl.endpoint.identification.algorithm"
    )]
    Encryption {
        /// `host:port`.
        address: String,
        /// Why.
        why: String,
    },
    /// The broker does not let this client in.
    #[error(
        "could not log in to kafka at {address} as {username}: {why}; see sasl.mechanism, sasl.username and sasl.password"
    )]
    Login {
        /// `host:port`.
        address: String,
        /// `sasl.username`.
        username: String,
        /// The broker's reason.
        why: String,
    },
    /// A broker from before KIP-664.
    #[error("kafka at {address} does not know {request}: it is older than 3.0")]
    TooOld {
        /// `host:port`.
        address: String,
        /// The request's name in the protocol.
        request: &'static str,
    },
    /// The broker refused.
    #[error("kafka refused to answer {request} for {subject}: {code}")]
    Refused {
        /// The request's name in the protocol.
        request: &'static str,
        /// Topic, transactional id, ...
        subject: String,
        /// Its reason.
        code: ResponseError,
    },
    /// The broker leaves out of its lists what this client may not see, and what is not there.
    #[error("could not find {subject} on kafka: it is not there yet, or this client may not see it")]
    Hidden {
        /// Topic and partition.
        subject: String,
    },
    /// The broker's answer, or what it keeps, is not what the protocol says.
    #[error("could not read {what}: {why}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// A setting that this client cannot work with.
    #[error("could not use {setting}: {why}")]
    Setting {
        /// Name of the librdkafka property.
        setting: &'static str,
        /// Why, and what would work.
        why: String,
    },
}

impl Error {
    /// True when nobody answers.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    /// True for a refusal that ends by itself: a coordinator that loads, a leader that is being elected.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code.is_retriable())
    }

    /// True when a permission is missing, or may be.
    pub fn is_missing_permission(&self) -> bool {
        use ResponseError as Code;
        match self {
            Self::Hidden { .. } => true,
            Self::Refused { code, .. } => matches!(
                code,
                Code::TopicAuthorizationFailed
                    | Code::GroupAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::TransactionalIdAuthorizationFailed
            ),
            _ => false,
        }
    }

    /// A refusal with this code; `Ok` for none.
    pub(crate) fn check(request: &'static str, subject: &dyn fmt::Display, code: i16) -> Result<(), Self> {
        match ResponseError::try_from_code(code) {
            None => Ok(()),
            Some(code) => Err(Self::Refused { request, subject: subject.to_string(), code }),
        }
    }

    pub(crate) fn unreadable(what: impl Into<String>, why: &dyn fmt::Display) -> Self {
        Self::Unreadable { what: what.into(), why: why.to_string() }
    }
}
