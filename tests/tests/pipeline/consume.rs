//! The programs of docs/EVENTS.md read every digest once, in the languages that this machine has.

use crate::programs::{LANGUAGES, Page, start};
use anyhow::{Context, ensure};
use schemas::DigestReadyForDelivery;
use std::path::Path;
use tests::{Pipeline, decode_all, settle};

const READY: &str = "digest.ready_for_delivery.v1";

#[test]
fn each_program_of_the_page_reads_every_digest() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("consume")? else { return Ok(()) };
    if pipeline.stack.skips_foreign_clients() {
        return pipeline.finish();
    }
    let up = pipeline.up_without(&[])?;
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/garden_ru.json");
    pipeline.import(Path::new(sample), "garden")?;
    let seen = settle(&pipeline)?.into_seen();
    drop(up);
    let digests: Vec<DigestReadyForDelivery> = decode_all(&pipeline, &seen, READY)?;
    ensure!(digests.len() > 1, "{} digests", digests.len());
    let mut expected: Vec<String> = digests
        .iter()
        .map(|ready| format!("{} {} {}", ready.group_id, ready.version, ready.delivery_payload.headline))
        .collect();
    expected.sort();
    let page = Page {
        path: "docs/EVENTS.md",
        text: include_str!("../../../docs/EVENTS.md"),
        name: "Reader",
        topic: READY,
    };
    let mut running = Vec::new();
    for language in &LANGUAGES {
        if let Some(child) = start(&pipeline, &page, language)? {
            running.push((language.fence, child));
        }
    }
    for (fence, child) in running {
        let ended = child.wait_with_output().context("could not wait for a program")?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.success(), "the {fence} program ended with {}: {said}", ended.status);
        let printed = String::from_utf8(ended.stdout).context("a program printed no text")?;
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, expected, "{fence}");
    }
    pipeline.finish()
}
