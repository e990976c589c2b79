//! Parts of the stack killed and started again in mid-stream, on a stack of the test's own.

use crate::{
    kills::SLOW,
    undisturbed::{export, undisturbed},
};
use std::time::Duration;
use tests::{Isolation, OwnStack, PATIENCE, Pipeline, Process, assert_equal, read, settle};

/// A client that has lost its broker takes a while to come back.
const LONG: Duration = Duration::from_secs(180);

#[test]
fn a_registry_and_a_database_killed_in_mid_stream_change_nothing() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(own) = OwnStack::start()? else { return Ok(()) };
    let pipeline = Pipeline::start_on(own.addresses()?, "restart")?;
    let mut up = pipeline.spawn("up", &["up"], &SLOW)?;
    for (chat, part) in calm.chats.iter().zip(["registry", "postgres", "registry"]) {
        let pid = own.pid(part)?;
        let file = chat.write(pipeline.directory())?;
        // The import finds it away, or not: either way it says so and goes on.
        OwnStack::kill(pid)?;
        let arguments = Pipeline::import_arguments(file.to_str().expect("UTF-8"), &chat.group);
        let mut import = pipeline.spawn(&format!("import-{part}"), &arguments, &[])?;
        own.restart()?;
        assert!(import.wait(LONG)?.success(), "{}", import.log()?);
        own.restart()?;
    }
    let live = settle(&pipeline)?.into_seen();
    went_on(&mut up)?;
    assert_equal(&calm.seen, &live);
    assert_equal(&calm.seen, &read(&pipeline, Isolation::Committed)?);
    assert_eq!(export(&pipeline)?, calm.export);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

fn went_on(up: &mut Process) -> anyhow::Result<()> {
    assert!(up.is_running()?, "the processors went on: {}", up.log()?);
    Ok(())
}
