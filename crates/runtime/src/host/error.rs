//! Why a process ends other than by being asked to.

use super::LockError;

/// Why a process could not begin or had to end.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The instance name is taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Something that this process needs from its own machine.
    #[error("could not {what}: {why}")]
    Start {
        /// What was attempted.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// A unit could not go on.
    #[error("{unit} stopped: {why}")]
    Unit {
        /// Its name.
        unit: String,
        /// Why.
        why: String,
    },
}

/// Something that failed while the process was put together.
pub(super) fn start_error<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> HostError {
    move |why| HostError::Start { what, why: why.to_string() }
}
