//! SIGKILL of processors in mid-flow: the same bytes come out as of an undisturbed run, no more and no fewer.

use crate::undisturbed::{export, import, undisturbed};
use std::time::Duration;
use tests::{
    Hit, Isolation, OpenTransactions, Pipeline, Process, assert_equal, kill_in_transaction, read, settle,
};

/// A producer that holds one record at a time keeps its transactions open for long enough to be killed in.
pub(crate) const SLOW: [(&str, &str); 1] =
    [("GISTMILL_KAFKA__PRODUCER_PROPERTIES", "queue.buffering.max.messages=1;linger.ms=0")];
/// Processors that are killed, the topic that tells of their transactions, and kills that have to hit.
const VICTIMS: [(&str, &str, usize); 3] = [
    ("window_builder", "group.window.ready.v1", 3),
    ("context_builder", "digest.context.prepared.v1", 2),
    ("synthesis", "digest.stage.synthesis.completed.v1", 2),
];
/// Kills of one processor, whether they hit or not.
const KILLS_MAX: usize = 12;
const CATCH: Duration = Duration::from_mins(1);

#[test]
fn killed_processors_leave_the_same_bytes_on_every_topic() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(pipeline) = Pipeline::start("kills")? else { return Ok(()) };
    let _up = pipeline.up_without(&VICTIMS.map(|victim| victim.0))?;
    import(&pipeline, &calm.chats)?;
    let mut survivors = Vec::new();
    let mut hits = Vec::new();
    for (name, topic, wanted) in VICTIMS {
        let (survivor, hit) = kill_repeatedly(&pipeline, (name, topic), wanted, &[])?;
        assert!(hit.len() >= wanted, "{name}: {} of {wanted} kills hit an open transaction", hit.len());
        survivors.push(survivor);
        hits.extend(hit);
    }
    let live = settle(&pipeline)?.into_seen();
    let later = read(&pipeline, Isolation::Committed)?;
    assert_equal(&calm.seen, &live);
    assert_equal(&calm.seen, &later);
    assert_eq!(export(&pipeline)?, calm.export);
    assert_aborted(&pipeline, &hits)?;
    pipeline.finish()
}

/// Kills a processor, started with these variables, until enough kills have hit; the last one started goes on.
pub(crate) fn kill_repeatedly(
    pipeline: &Pipeline,
    (name, topic): (&str, &str),
    wanted: usize,
    variables: &[(&str, &str)],
) -> anyhow::Result<(Process, Vec<Hit>)> {
    let transactions = OpenTransactions::on(pipeline, &[topic])?;
    let mut hits = Vec::new();
    for _ in 0..KILLS_MAX {
        if hits.len() == wanted {
            break;
        }
        let victim = pipeline.unit(name, &[variables, &SLOW].concat())?;
        // In its first transaction: the next one may have all the work that is left.
        if let Some(hit) = kill_in_transaction(victim, &transactions, 0, CATCH)? {
            eprintln!("{name}: {hit:?}");
            hits.push(hit);
        }
    }
    Ok((pipeline.unit(name, variables)?, hits))
}

/// What was open at a kill is in the log and no reader of committed records was ever given it.
pub(crate) fn assert_aborted(pipeline: &Pipeline, hits: &[Hit]) -> anyhow::Result<()> {
    let everything = read(pipeline, Isolation::Uncommitted)?;
    let committed = read(pipeline, Isolation::Committed)?;
    for hit in hits {
        let Hit::Kafka(stretch) = hit else { continue };
        let within = |offset: i64| (stretch.stable..stretch.high).contains(&offset);
        let count = |seen: &[tests::Seen]| {
            let here =
                seen.iter().filter(|seen| seen.topic == stretch.topic && seen.partition == stretch.partition);
            here.filter(|seen| within(seen.offset)).count()
        };
        assert!(count(&everything) > 0, "{hit:?} held records");
        assert_eq!(count(&committed), 0, "{hit:?} was aborted");
    }
    Ok(())
}
