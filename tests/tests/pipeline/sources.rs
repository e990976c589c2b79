//! Processes that read the same thing: one does, the others stand by.

use crate::kills::SLOW;
use rustix::process::Signal;
use schemas::GroupMessageIngested;
use std::{
    collections::BTreeSet,
    fs,
    thread::park_timeout,
    time::{Duration, Instant},
};
use tests::{
    Chat, Isolation, OpenTransactions, PATIENCE, Pipeline, Process, TENANT, catch, decode_all, eventually,
    read,
};

const INGESTED: &str = "group.message.ingested.v1";
/// Time that a process which is let go in steps is kept still between two of them.
const REST: Duration = Duration::from_millis(40);

/// States of messages on the topic, in its order.
fn ingested(pipeline: &Pipeline) -> anyhow::Result<Vec<(i64, i64)>> {
    let records: Vec<GroupMessageIngested> =
        decode_all(pipeline, &read(pipeline, Isolation::Committed)?, INGESTED)?;
    let messages = records.iter().flat_map(|record| &record.messages);
    Ok(messages.map(|message| (message.id, message.revision)).collect())
}

#[test]
fn an_import_started_twice_is_done_once() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("twice")? else { return Ok(()) };
    let chat = Chat::new("alpha", 60, 200);
    let file = chat.write(pipeline.directory())?;
    let arguments = Pipeline::import_arguments(file.to_str().expect("UTF-8"), &chat.group);
    let transactions = OpenTransactions::on(&pipeline, &[INGESTED])?;
    let first = pipeline.spawn("first", &arguments, &SLOW)?;
    assert!(catch(&first, PATIENCE, || Ok(transactions.find()?.is_some()))?, "{}", first.log()?);
    let mut others = Vec::new();
    for name in ["second", "third"] {
        others.push(pipeline.spawn(name, &arguments, &SLOW)?);
    }
    // The first one is let go in steps meanwhile, so that the others find it at work however slowly they start.
    let met = catch(&first, PATIENCE, || {
        std::thread::park_timeout(REST);
        Ok(others.iter().all(|import| stands_by(import).is_ok_and(|stands| stands)))
    })?;
    assert!(met, "{}{}", others[0].log()?, others[1].log()?);
    first.signal(Signal::CONT)?;
    others.push(first);
    for import in &mut others {
        assert!(import.wait(PATIENCE)?.success(), "{}", import.log()?);
    }
    let summary = pipeline.import(&file, &chat.group)?;
    assert_eq!((&summary["finished"], &summary["new"]), (&true.into(), &0.into()));
    let found = ingested(&pipeline)?;
    assert_eq!((found.len(), distinct(&found)), (chat.lines(), chat.states));
    pipeline.finish()
}

fn distinct(states: &[(i64, i64)]) -> BTreeSet<(i64, i64)> {
    states.iter().copied().collect()
}

fn stands_by(process: &Process) -> anyhow::Result<bool> {
    Ok(process.log()?.contains("standing by: another process reads"))
}

#[test]
fn a_followed_feed_is_taken_over_from_a_process_that_was_killed() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("follow")? else { return Ok(()) };
    let (before, after) = (Chat::new("alpha", 3, 12), Chat::later("alpha", 4, 3, 12));
    let feed = pipeline.directory().join("feed.jsonl");
    fs::copy(before.write(pipeline.directory())?, &feed)?;
    let feed_name = feed.to_str().expect("UTF-8");
    let arguments =
        ["import", feed_name, "--follow", "--id", "bridge", "--tenant", TENANT, "--group", "alpha"];
    let first = pipeline.spawn("first", &arguments, &[])?;
    eventually("the feed is read", PATIENCE, || {
        Ok((ingested(&pipeline)?.len() >= before.lines()).then_some(()))
    })?;
    let mut second = pipeline.spawn("second", &arguments, &[])?;
    eventually("the second stands by", PATIENCE, || Ok(stands_by(&second)?.then_some(())))?;
    let (began, used) = (Instant::now(), second.processor_time()?);
    park_timeout(Duration::from_secs(2));
    let share = second.processor_time()?.saturating_sub(used).as_secs_f64() / began.elapsed().as_secs_f64();
    assert!(share < 0.5, "who stands by waits, and takes {share} of a processor");
    first.kill()?;
    let more = fs::read(after.write(pipeline.directory())?)?;
    std::io::Write::write_all(&mut fs::File::options().append(true).open(&feed)?, &more)?;
    let states: BTreeSet<(i64, i64)> = before.states.union(&after.states).copied().collect();
    let found = eventually("the second goes on", PATIENCE, || {
        let found = ingested(&pipeline)?;
        Ok((distinct(&found) == states).then_some(found))
    })?;
    assert_eq!(found.len(), before.lines() + after.lines(), "none of them twice");
    assert!(second.is_running()?, "{}", second.log()?);
    second.stop(PATIENCE)?;
    pipeline.finish()
}
