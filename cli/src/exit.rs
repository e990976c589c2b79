//! Exit codes for scripts. Two, a wrong command line, is clap's own.

use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// What it needs is not running.
    NotRunning = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Writes an error and its causes, and gives the exit code that belongs to it. A reader that closed the output early
/// (`| head`) has what it wanted.
pub(crate) fn report(error: &anyhow::Error, err: &mut dyn Write) -> Exit {
    let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(closed) {
        return Exit::Done;
    }
    let asked = error.downcast_ref::<runtime::operate::Error>();
    let advice = asked.and_then(runtime::operate::Error::advice).map(|advice| format!("; {advice}"));
    // Nothing is left to tell a failure of standard error to.
    drop(writeln!(err, "error: {error:#}{}", advice.unwrap_or_default()));
    match error.downcast_ref() {
        Some(stack::Error::NotRunning { .. }) => Exit::NotRunning,
        _ if asked.is_some_and(runtime::operate::Error::is_away) => Exit::NotRunning,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(error: impl Into<anyhow::Error>) -> (Exit, String) {
        let mut err = Vec::new();
        let exit = report(&error.into(), &mut err);
        (exit, String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_stack_that_is_not_running_has_its_own_code() {
        let error = stack::Error::NotRunning { data_dir: "d".into(), detail: "not running: kafka".into() };
        let expected = "error: not running: kafka in d; start it with `gistmill stack up`\n";
        assert_eq!(reported(error), (Exit::NotRunning, expected.to_owned()));
    }

    #[test]
    fn a_peer_that_is_away_has_that_code_too_and_is_told_how_to_start_it() {
        let error = runtime::operate::Error::KafkaAway { brokers: "b:1".to_owned(), source: None };
        let (exit, text) = reported(error);
        assert_eq!(exit, Exit::NotRunning);
        let expected = "error: could not reach kafka at b:1 within 6 s; start it with `gistmill stack up`, or set \
                        GISTMILL_KAFKA__BROKERS to where it is\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn causes_are_shown_and_a_closed_pipe_is_no_failure() {
        let file = |kind: io::ErrorKind| stack::Error::Output(kind.into());
        assert_eq!(reported(file(io::ErrorKind::BrokenPipe)), (Exit::Done, String::new()));
        let (exit, text) = reported(file(io::ErrorKind::StorageFull));
        assert_eq!(
            (exit, text.as_str()),
            (Exit::Failed, "error: could not write the output: no storage space\n")
        );
    }
}
