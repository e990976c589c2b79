//! An import killed at random points and repeated: every message once, for a stranger and in Postgres.

use crate::kills::{SLOW, assert_aborted};
use schemas::{GroupMessageIngested, GroupWindowReady};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tests::{Chat, OpenTransactions, Pipeline, assert_once, decode_all, kill_in_transaction, settle_without};

const INGESTED: &str = "group.message.ingested.v1";
const UNITS: [&str; 2] = ["window_builder", "postgres_sink"];
const CATCH: Duration = Duration::from_mins(1);
const WANTED: usize = 4;
const KILLS_MAX: i64 = 12;

#[test]
fn a_killed_import_repeated_gives_every_message_once() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("imports")? else { return Ok(()) };
    // A transaction of an import is a thousand messages.
    let chat = Chat::new("alpha", 60, 200);
    let file = chat.write(pipeline.directory())?;
    let others: Vec<&str> = pipeline
        .map
        .processors()
        .map(|unit| unit.name.as_str())
        .chain(["file_sink", "postgres_outbox_source"])
        .collect();
    let others: Vec<&str> = others.into_iter().filter(|name| !UNITS.contains(name)).collect();
    let _up = pipeline.up_without(&others)?;
    let transactions = OpenTransactions::on(&pipeline, &[INGESTED])?;
    let arguments = Pipeline::import_arguments(file.to_str().expect("UTF-8"), "alpha");
    let mut hits = Vec::new();
    for attempt in 0..KILLS_MAX {
        if hits.len() == WANTED {
            break;
        }
        let import = pipeline.spawn("import", &arguments, &SLOW)?;
        if let Some(hit) = kill_in_transaction(import, &transactions, attempt % 2, CATCH)? {
            eprintln!("import: {hit:?}");
            hits.push(hit);
        }
    }
    assert_eq!(hits.len(), WANTED, "kills that hit an open transaction");
    let summary = pipeline.import(&file, "alpha")?;
    assert_eq!(summary["finished"], true);
    let seen = settle_without(&pipeline, &others)?.into_seen();
    assert_once(&seen);

    let records: Vec<GroupMessageIngested> = decode_all(&pipeline, &seen, INGESTED)?;
    let states: Vec<(i64, i64)> = records
        .iter()
        .flat_map(|record| &record.messages)
        .map(|message| (message.id, message.revision))
        .collect();
    let distinct: BTreeSet<(i64, i64)> = states.iter().copied().collect();
    assert_eq!(distinct, chat.states);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, distinct.len() as i64);
    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    let found: BTreeMap<i64, i32> =
        ready.iter().map(|ready| (ready.window_start, ready.message_count)).collect();
    let expected: BTreeMap<i64, i32> =
        chat.days.iter().map(|(start, day)| (*start, day.ids.len() as i32)).collect();
    assert_eq!((found, ready.len()), (expected.clone(), expected.len()));
    assert_aborted(&pipeline, &hits)?;

    let again = pipeline.import(&file, "alpha")?;
    assert_eq!(again["finished"], true);
    assert_eq!(settle_without(&pipeline, &others)?.into_seen().len(), seen.len(), "nothing new");
    pipeline.finish()
}
