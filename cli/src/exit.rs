//! Exit codes for scripts. Two, a wrong command line, is clap's own; values that clap cannot judge have it too.

use std::error::Error as StdError;
use std::io::{self, Write};
use std::process::ExitCode;

use topology::broker;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// An argument has a value that cannot work.
    Usage = 2,
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
    let (exit, advice) = error.chain().find_map(judge).unwrap_or((Exit::Failed, None));
    let advice = advice.map(|advice| format!("; {advice}")).unwrap_or_default();
    // Nothing is left to tell a failure of standard error to.
    drop(writeln!(err, "error: {error:#}{advice}"));
    exit
}

/// What one cause of a failure says of all of it: its code, and what to do where the message does not say that.
fn judge(cause: &(dyn StdError + 'static)) -> Option<(Exit, Option<String>)> {
    if let Some(error) = cause.downcast_ref::<operate::Error>() {
        return match error {
            operate::Error::UnknownTopic { .. }
            | operate::Error::UnknownUnit { .. }
            | operate::Error::UnknownPartition { .. } => Some((Exit::Usage, None)),
            _ if error.is_away() => Some((Exit::NotRunning, error.advice())),
            _ => error.advice().map(|advice| (Exit::Failed, Some(advice))),
        };
    }
    if let Some(advice) = denied(cause) {
        return Some((Exit::Failed, Some(advice)));
    }
    if let Some(stack::Error::NotRunning { .. }) = cause.downcast_ref() {
        return Some((Exit::NotRunning, None));
    }
    if let Some(error) = cause.downcast_ref::<vector_index::Error>() {
        return Some(of_index(error));
    }
    if cause.is::<crate::commands::erase::NotRunning>() {
        return Some((Exit::NotRunning, None));
    }
    if let Some(error) = cause.downcast_ref::<crate::commands::search::NoIndex>() {
        return Some((if error.is_running() { Exit::Failed } else { Exit::NotRunning }, None));
    }
    if cause.is::<crate::commands::search::BadQuery>()
        || cause.is::<telegram_export_source::BadName>()
        || cause.downcast_ref().is_some_and(telegram_export_source::Error::is_usage)
    {
        return Some((Exit::Usage, None));
    }
    away(cause).map(|variable| {
        let advice = format!("start it with `gistmill stack up`, or set {variable} to where it is");
        (Exit::NotRunning, Some(advice))
    })
}

/// What to do about an index of vectors that cannot be searched.
fn of_index(error: &vector_index::Error) -> (Exit, Option<String>) {
    let words = "--text searches by words without it";
    match error {
        vector_index::Error::Away { .. } => {
            let start =
                "start it with `gistmill stack up --qdrant`, or set GISTMILL_QDRANT__URL to where it is";
            (Exit::NotRunning, Some(format!("{start}; {words}")))
        }
        vector_index::Error::Gone { .. } => {
            (Exit::Failed, Some(format!("qdrant_sink makes and fills it while the pipeline runs; {words}")))
        }
        _ => (Exit::Failed, Some(words.to_owned())),
    }
}

/// What to do about a peer that answers and does not let this client in.
fn denied(cause: &(dyn StdError + 'static)) -> Option<String> {
    match cause.downcast_ref() {
        Some(state::Error::Denied { advice, .. }) => return Some(advice.clone()),
        Some(_) => return None,
        None => {}
    }
    match cause.downcast_ref()? {
        broker::Error::Access(error) => error.advice().map(str::to_owned),
        broker::Error::Registry(registry::Error::Denied { advice, .. }) => Some(advice.clone()),
        _ => None,
    }
}

/// The setting that names a peer that is away.
fn away(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(state::Error::Unreachable { .. }) = cause.downcast_ref() {
        return Some("GISTMILL_POSTGRES__URL (for migrate GISTMILL_POSTGRES__OWNER_URL)");
    }
    match cause.downcast_ref()? {
        broker::Error::Unreachable { .. } => Some("GISTMILL_KAFKA__BROKERS"),
        broker::Error::Registry(registry) if registry.is_away() => Some("GISTMILL_REGISTRY__URL"),
        _ => None,
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
        let error = operate::Error::KafkaAway { brokers: "b:1".to_owned(), source: None };
        let (exit, text) = reported(error);
        assert_eq!(exit, Exit::NotRunning);
        let expected = "error: could not reach kafka at b:1 within 6 s; start it with `gistmill stack up`, or set \
                        GISTMILL_KAFKA__BROKERS to where it is\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_database_that_is_away_has_it_whichever_command_asks() {
        let url = "postgres://gistmill_owner@127.0.0.1:1/gistmill";
        let schema = state::Schema::of_prefix("").unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(state::migrate(url, &schema)).unwrap_err();
        let (exit, text) = reported(anyhow::Error::new(error).context("could not read digests"));
        assert_eq!(exit, Exit::NotRunning);
        assert!(
            text.starts_with("error: could not read digests: could not reach postgres at 127.0.0.1:1: "),
            "{text}"
        );
        assert!(
            text.contains("; start it with `gistmill stack up`, or set GISTMILL_POSTGRES__URL"),
            "{text}"
        );
    }

    #[test]
    fn a_search_that_lacks_its_index_says_what_to_do() {
        let away = vector_index::Error::Away { what: "search points", url: "u".into(), detail: "d".into() };
        let (exit, text) = reported(anyhow::Error::new(away).context("could not search by meaning"));
        assert_eq!(exit, Exit::NotRunning);
        assert!(
            text.contains("GISTMILL_QDRANT__URL") && text.ends_with("--text searches by words without it\n"),
            "{text}"
        );
        assert_eq!(reported(vector_index::Error::Gone { collection: "c".into() }).0, Exit::Failed);
        assert_eq!(reported(crate::commands::search::NoIndex::NotSetUp).0, Exit::NotRunning);
    }

    #[test]
    fn a_peer_that_refuses_the_log_in_is_not_told_to_be_started() {
        let (finding, advice) =
            ("the registry refused the log-in".to_owned(), "check the password".to_owned());
        let registry = registry::Error::Denied { finding: finding.clone(), advice: advice.clone() };
        let postgres = state::Error::Denied { finding, advice };
        let expected = "error: the registry refused the log-in; check the password\n".to_owned();
        assert_eq!(reported(broker::Error::Registry(registry)), (Exit::Failed, expected.clone()));
        assert_eq!(reported(postgres), (Exit::Failed, expected));
    }

    #[test]
    fn a_value_that_cannot_work_is_a_wrong_command_line() {
        let name = telegram_export_source::Group::new("a b", "team").unwrap_err();
        let topic = operate::Error::UnknownTopic { name: "a".to_owned(), known: vec!["b".to_owned()] };
        let unit = operate::Error::UnknownUnit { name: "a".to_owned(), known: vec!["b".to_owned()] };
        let exits = [reported(name).0, reported(topic).0, reported(unit).0];
        assert_eq!(exits, [Exit::Usage; 3]);
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
