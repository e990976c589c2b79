//! One processor stopped in order, which runs as a program of its own beside an `up` of the others.

use crate::{
    look::Expected,
    round::{Round, imported},
};
use tests::{PATIENCE, Process, Readiness, eventually, free_port};

/// Who is stopped: in the middle of the chain.
const UNIT: &str = "segmenter";

pub(crate) fn step(round: &mut Round<'_>) -> anyhow::Result<()> {
    round.heading(&format!("{UNIT} runs as a program of its own, and up runs the others"))?;
    round.restart(&["--without", UNIT])?;
    let alone = start(round)?;
    round.healed(&Expected { nowhere: &["stopped, or joining"], ..Expected::default() })?;

    round.heading(&format!("{UNIT} is stopped in order, and a chat is imported"))?;
    alone.stop(PATIENCE)?;
    let import = round.import()?;
    imported(import)?;
    round.say(&format!(
        "so it is: {UNIT} has ended, and the requests wait before it; nothing else is wrong"
    ))?;
    round.told(&Expected {
        doctor: &["no member in the group of segmenter (stopped", "`gistmill run segmenter`"],
        lag: &["\nsegmenter 0 "],
        unwell: &["processes"],
        // Once it could have read on for longer than a transaction and a session may last.
        perhaps_unwell: &["progress"],
        nowhere: &["no member in the group of segmenter,", "could not reach", "away"],
        ..Expected::default()
    })?;

    round.heading(&format!("{UNIT} is started again"))?;
    let alone = start(round)?;
    round.healed(&Expected::default())?;
    alone.stop(PATIENCE)?;
    round.restart(&[])?;
    round.healed(&Expected::default())
}

/// Starts it, and waits until it is ready.
fn start(round: &Round<'_>) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = round.beside(UNIT);
    command.env("GISTMILL_HTTP__LISTEN", format!("127.0.0.1:{port}"));
    let alone = Process::spawn(UNIT, command, &round.directory())?;
    let ready =
        eventually("it is ready", PATIENCE, || Ok(Readiness::at(port)?.filter(|found| found.is_ready)))?;
    round.say(&format!("/readyz of {UNIT} says: {}", ready.text.trim_end()))?;
    Ok(alone)
}
