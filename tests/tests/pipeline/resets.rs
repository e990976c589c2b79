//! Resets that are carried out, and a group without offsets.

use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use std::collections::BTreeMap;
use tests::{Bytes, Chat, PATIENCE, Pipeline, Seen, TENANT, committed, eventually, settle, settle_without};

/// Whose offsets are set: one in the middle of the chain.
const UNIT: &str = "segmenter";
const OUTPUT: &str = "digest.stage.segmenter.completed.v1";

type Said = (Option<Bytes>, Option<Bytes>, String);

/// Keys, values and ids of what the unit has said, with how often it has.
fn said(seen: &[Seen]) -> BTreeMap<Said, usize> {
    let mut counted = BTreeMap::new();
    for record in seen.iter().filter(|record| record.topic == OUTPUT) {
        let said = (record.key.clone(), record.value.clone(), record.header("ce_id"));
        *counted.entry(said).or_default() += 1;
    }
    counted
}

fn import(pipeline: &Pipeline, chat: &Chat) -> anyhow::Result<()> {
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group).map(drop)
}

#[test]
fn a_processor_set_back_says_all_again_with_the_same_ids_and_set_on_leaves_out() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("resets")? else { return Ok(()) };
    let (first, second) = (Chat::new("alpha", 6, 12), Chat::new("beta", 6, 12));
    let up = pipeline.up_without(&[])?;
    import(&pipeline, &first)?;
    let once = said(settle(&pipeline)?.seen());
    let announced = pipeline.rows.outbox()?;
    assert!(once.len() >= first.digested().count() && once.values().all(|count| *count == 1));

    up.stop(PATIENCE)?;
    let told = pipeline.gistmill(&["reset", UNIT, "--to", "beginning", "--yes"])?;
    assert!(told.ends_with("done\n"), "{told}");
    assert_eq!(committed(&pipeline, UNIT)?, [0; 4]);
    let up = pipeline.up_without(&[])?;
    let twice = said(settle(&pipeline)?.seen());
    assert_eq!(twice, once.into_iter().map(|(said, count)| (said, count * 2)).collect());
    assert_eq!(pipeline.rows.outbox()?, announced, "what was said to the outside is not said again");
    up.stop(PATIENCE)?;

    let others = pipeline.up_without(&[UNIT])?;
    import(&pipeline, &second)?;
    settle_without(&pipeline, &[UNIT])?;
    pipeline.gistmill(&["reset", UNIT, "--to", "end", "--yes"])?;
    let unit = pipeline.unit(UNIT, &[])?;
    assert_eq!(said(settle(&pipeline)?.seen()), twice, "what was gone past is not said");
    let kept = pipeline.gistmill(&["digest", "ls", "--tenant", TENANT, "--group", "beta"])?;
    assert!(!kept.contains("v1.0"), "{kept}");
    unit.stop(PATIENCE)?;
    others.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_group_without_offsets_waits_to_be_told_where_to_begin() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("offsetless")? else { return Ok(()) };
    let admin: AdminClient<DefaultClientContext> = pipeline.stack.client().create()?;
    let group = pipeline.prefix.group(UNIT);
    for deleted in pipeline.rows.block_on(admin.delete_groups(&[&group], &AdminOptions::new()))? {
        deleted.map_err(|(group, code)| anyhow::anyhow!("could not delete {group}: {code}"))?;
    }
    let mut unit = pipeline.unit(UNIT, &[])?;
    eventually("it says what it lacks", PATIENCE, || {
        let log = unit.log()?;
        Ok((log.contains("no offset to start from: partition") && log.contains("`gistmill reset`"))
            .then_some(()))
    })?;
    let lag = pipeline.gistmill(&["lag"])?;
    assert!(
        lag.contains("segmenter on digest.stage.thread_builder.completed.v1/0: no committed offset"),
        "{lag}"
    );
    unit.signal(rustix::process::Signal::TERM)?;
    unit.wait(PATIENCE)?;
    // One that failed is a member until its session ends.
    eventually("its offsets can be set", PATIENCE, || {
        let reset = pipeline.output(&["reset", UNIT, "--to", "beginning", "--yes"], &[])?;
        Ok(reset.status.success().then_some(()))
    })?;
    let unit = pipeline.unit(UNIT, &[])?;
    eventually("it begins where it was told", PATIENCE, || {
        Ok(unit.log()?.contains("[0, 1, 2, 3]").then_some(()))
    })?;
    unit.stop(PATIENCE)?;
    pipeline.finish()
}
