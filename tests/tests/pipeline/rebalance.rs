//! Instances that join and leave in mid-stream: the same bytes as of one instance that is left alone.

use crate::{
    kills::SLOW,
    undisturbed::{export, undisturbed},
};
use rustix::process::Signal;
use tests::{Isolation, PATIENCE, Pipeline, Process, assert_equal, eventually, read, settle};

const UNITS: [&str; 2] = ["window_builder", "thread_builder"];
const SECOND: [(&str, &str); 2] = [SLOW[0], ("GISTMILL_INSTANCE", "b")];

/// Waits until a process has been given partitions so many times.
fn has_joined(process: &Process, times: usize) -> anyhow::Result<()> {
    eventually("an instance gets partitions", PATIENCE, || {
        let log = process.log()?;
        let given =
            log.lines().filter(|line| line.contains("partitions held") && !line.contains("\"[]\"")).count();
        Ok((given >= times).then_some(()))
    })
}

#[test]
fn instances_that_join_and_leave_change_nothing() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(pipeline) = Pipeline::start("rebalance")? else { return Ok(()) };
    let _up = pipeline.up_without(&UNITS)?;
    let mut first = Vec::new();
    for name in UNITS {
        first.push(pipeline.unit(name, &SLOW)?);
    }
    for chat in &calm.chats {
        pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
        let mut second = Vec::new();
        for name in UNITS {
            second.push(pipeline.spawn(&format!("{name}-b-{}", chat.group), &["run", name], &SECOND)?);
        }
        for process in &second {
            has_joined(process, 1)?;
        }
        for process in second {
            process.stop(PATIENCE)?;
        }
    }
    let live = settle(&pipeline)?.into_seen();
    assert_equal(&calm.seen, &live);
    assert_equal(&calm.seen, &read(&pipeline, Isolation::Committed)?);
    assert_eq!(export(&pipeline)?, calm.export);
    for process in &mut first {
        assert!(process.is_running()?, "{} went on", process.name());
        process.signal(Signal::TERM)?;
    }
    pipeline.finish()
}
