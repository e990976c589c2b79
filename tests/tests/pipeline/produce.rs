//! The programs of docs/PRODUCE.md are sources, in the languages that this machine has.

use crate::programs::{LANGUAGES, Page, start};
use anyhow::{Context, ensure};
use schemas::{DigestDlq, GroupWindowReady};
use std::collections::BTreeMap;
use tests::{Pipeline, decode_all, partition_of, settle};

const INGESTED: &str = "group.message.ingested.v1";

#[test]
fn each_program_of_the_page_is_a_source() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("produce")? else { return Ok(()) };
    if pipeline.stack.skips_foreign_clients() {
        return pipeline.finish();
    }
    let page = Page {
        path: "docs/PRODUCE.md",
        text: include_str!("../../../docs/PRODUCE.md"),
        name: "Source",
        topic: INGESTED,
    };
    let mut running = Vec::new();
    for language in &LANGUAGES {
        if let Some(child) = start(&pipeline, &page, language)? {
            running.push((language, child));
        }
    }
    let mut expected = BTreeMap::new();
    for (language, child) in running {
        let ended = child.wait_with_output().context("could not wait for a program")?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.success(), "the {} program ended with {}: {said}", language.fence, ended.status);
        let name = if language.fence == "js" { "javascript" } else { language.fence };
        expected.insert(format!("from-{name}"), 2);
    }
    let _up = pipeline.up_without(&[])?;
    let seen = settle(&pipeline)?.into_seen();
    let ready: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    let counts: BTreeMap<String, i32> = ready.into_iter().map(|r| (r.group_id, r.message_count)).collect();
    assert_eq!(counts, expected);
    for record in seen.iter().filter(|seen| seen.topic == INGESTED) {
        assert_eq!(record.partition, partition_of(record.key_text().as_bytes(), 4), "{}", record.key_text());
    }
    assert_eq!(decode_all::<DigestDlq>(&pipeline, &seen, "digest.dlq.v1")?, []);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, 2 * expected.len() as i64);
    pipeline.finish()
}
