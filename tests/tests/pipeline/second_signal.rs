//! A second signal ends a process that is still finishing what it has, and loses nothing.

use crate::undisturbed::{export, undisturbed};
use rustix::process::Signal;
use tests::{PATIENCE, Pipeline, assert_once, eventually, settle};

#[test]
fn a_second_signal_ends_a_stop_at_once_and_loses_nothing() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(pipeline) = Pipeline::start("second")? else { return Ok(()) };
    // Answers that wait for rows which nobody stores hold the stop up for seconds.
    let mut up = pipeline.up_without(&["postgres_sink"])?;
    for chat in &calm.chats {
        pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    }
    eventually("context_builder waits for the sink", PATIENCE, || {
        let lag: serde_json::Value = serde_json::from_str(&pipeline.gistmill(&["lag", "--json"])?)?;
        Ok(lag["waiting"].as_array().is_some_and(|waiting| !waiting.is_empty()).then_some(()))
    })?;
    up.signal(Signal::TERM)?;
    eventually("it has heard the first", PATIENCE, || {
        Ok(up.log()?.contains("a second signal ends the process at once").then_some(()))
    })?;
    up.signal(Signal::INT)?;
    assert_eq!(up.wait(PATIENCE)?.code(), Some(1), "{}", up.log()?);
    assert!(up.log()?.contains("ended by a second signal"), "{}", up.log()?);
    assert!(!up.log()?.contains("all units ended"), "{}", up.log()?);
    let again = pipeline.spawn("up-again", &["up"], &[])?;
    assert_once(&settle(&pipeline)?.into_seen());
    assert_eq!(export(&pipeline)?, calm.export);
    again.stop(PATIENCE)?;
    pipeline.finish()
}
