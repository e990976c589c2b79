//! Kafka killed and started again in mid-stream, on a stack of the test's own.

use crate::undisturbed::{export, import, undisturbed};
use tests::{Isolation, OwnStack, Pipeline, assert_equal, eventually, read, settle};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

#[test]
fn a_broker_killed_in_mid_stream_changes_nothing() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(own) = OwnStack::start()? else { return Ok(()) };
    let pipeline = Pipeline::start_on(own.addresses()?, "restart")?;
    let mut up = pipeline.up_without(&[])?;
    import(&pipeline, &calm.chats[..1])?;
    eventually("digests come", PATIENCE, || {
        Ok((pipeline.rows.number("SELECT count(*) FROM digests")? > 0).then_some(()))
    })?;
    own.kill("kafka")?;
    own.restart()?;
    import(&pipeline, &calm.chats[1..])?;
    let live = settle(&pipeline)?.into_seen();
    assert!(up.is_running()?, "the processors went on: {}", up.log()?);
    assert_equal(&calm.seen, &live);
    assert_equal(&calm.seen, &read(&pipeline, Isolation::Committed)?);
    assert_eq!(export(&pipeline)?, calm.export);
    pipeline.finish()
}
