//! Parts of the stack killed and started again in mid-stream, on a stack of the test's own: one process lives through
//! all of it, and what comes out is the same.

use crate::{
    kills::SLOW,
    undisturbed::{export, undisturbed},
};
use std::time::Duration;
use tests::{
    Chat, Isolation, OpenTransactions, OwnStack, PATIENCE, Pipeline, Seen, assert_equal, eventually, read,
    settle_within,
};

const STAGES: [&str; 3] = [
    "digest.context.prepared.v1",
    "digest.stage.emotion.completed.v1",
    "digest.stage.synthesis.completed.v1",
];
/// A client that has lost its broker takes a while to come back.
const LONG: Duration = Duration::from_mins(3);

/// Kills the broker in mid-stream, with a transaction open.
fn kill_broker(own: &OwnStack, pipeline: &Pipeline, chat: &Chat) -> anyhow::Result<()> {
    let open = OpenTransactions::on(pipeline, &STAGES)?;
    let pid = own.pid("kafka")?;
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    eventually("a transaction is open", LONG, || open.find())?;
    OwnStack::kill(pid)?;
    own.restart()
}

/// Kills a part, then imports: the import finds the part away, or not; either way it goes on.
fn kill_before_import(own: &OwnStack, pipeline: &Pipeline, chat: &Chat, part: &str) -> anyhow::Result<()> {
    let file = chat.write(pipeline.directory())?;
    OwnStack::kill(own.pid(part)?)?;
    let arguments = Pipeline::import_arguments(file.to_str().expect("UTF-8"), &chat.group);
    let mut import = pipeline.spawn(&format!("import-{part}"), &arguments, &[])?;
    own.restart()?;
    assert!(import.wait(LONG)?.success(), "{}", import.log()?);
    Ok(())
}

/// Records without the ids of their schemas, which each stack's registry gives for itself.
fn contents(seen: &[Seen]) -> Vec<Seen> {
    seen.iter().map(Seen::without_schema_id).collect()
}

#[test]
fn parts_of_the_stack_killed_in_mid_stream_change_nothing() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(own) = OwnStack::start()? else { return Ok(()) };
    let pipeline = Pipeline::start_on(own.addresses()?, "parts")?;
    let mut up = pipeline.spawn("up", &["up"], &SLOW)?;
    let [first, second, third] = &calm.chats[..] else { panic!("three chats") };
    kill_broker(&own, &pipeline, first)?;
    kill_before_import(&own, &pipeline, second, "postgres")?;
    kill_before_import(&own, &pipeline, third, "registry")?;
    let live = settle_within(&pipeline, &[], LONG)?;
    assert!(up.is_running()?, "{}", up.log()?);
    assert_equal(&contents(&calm.seen), &contents(live.seen()));
    assert_equal(&contents(&calm.seen), &contents(&read(&pipeline, Isolation::Committed)?));
    assert_eq!(export(&pipeline)?, calm.export);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
