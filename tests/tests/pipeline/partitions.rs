//! Keys of other languages' producers land where ours do.

use crate::undisturbed::undisturbed;
use tests::{Isolation, PATIENCE, Pipeline, partition_of, read};

/// Of every length modulo four, and beyond ASCII.
const GROUPS: [&str; 8] = ["a", "bc", "def", "ghij", "команда", "klmno-42", "pqr_s", "日本"];

#[test]
fn every_record_lies_where_javas_partitioner_would_put_it() {
    let Some(run) = undisturbed() else { return };
    for seen in &run.seen {
        let key = seen.key.as_deref().expect("every event has a key");
        assert_eq!(seen.partition, partition_of(key, 4), "{} {}", seen.topic, seen.key_text());
    }
}

#[test]
fn keys_of_every_length_and_script_lie_where_javas_partitioner_would_put_them() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("partitions")? else { return Ok(()) };
    let mut started = Vec::new();
    for group in GROUPS {
        started.push(pipeline.spawn(group, &["group", "set", "--tenant", "acme", "--group", group], &[])?);
    }
    for mut process in started {
        assert!(process.wait(PATIENCE)?.success(), "{}: {}", process.name(), process.log()?);
    }
    let seen = read(&pipeline, Isolation::Committed)?;
    assert_eq!(seen.len(), GROUPS.len());
    for seen in &seen {
        let key = seen.key.as_deref().expect("every event has a key");
        assert_eq!(seen.partition, partition_of(key, 4), "{}", seen.key_text());
    }
    pipeline.finish()
}
