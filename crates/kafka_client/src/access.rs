//! Why a client gets nowhere before the broker has done anything for it.

use crate::{CreateError, Denial};

/// What stands between a client and what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The broker does not let this client in.
    #[error("{0}")]
    Denied(Denial),
    /// The broker does not let the user do that.
    #[error("could not {what} on kafka at {brokers}: {missing}")]
    NotAllowed {
        /// What was attempted.
        what: String,
        /// Address.
        brokers: String,
        /// What the user lacks.
        missing: &'static str,
    },
    /// The client's settings cannot work.
    #[error(transparent)]
    Settings(#[from] CreateError),
}

impl AccessError {
    /// What to do about a log-in or an address that the broker does not take; none where the message says it.
    pub fn advice(&self) -> Option<&str> {
        if let Self::Denied(denial) = self { Some(denial.advice()) } else { None }
    }
}

impl From<Denial> for AccessError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}
