//! What state's errors mean to a sink. Invariant: a transient one never ends the process, a fatal one says what to do.

use runtime::SinkError;
use state::Error;

/// The fate of a batch after `error` in writing `what`.
pub fn sink_error(what: &'static str, error: Error) -> SinkError {
    match error {
        Error::Fenced => SinkError::Fenced,
        error if error.is_transient() => SinkError::Transient { what, source: Box::new(error) },
        error => SinkError::Fatal(format!("could not write {what}: {}", error.describe())),
    }
}
