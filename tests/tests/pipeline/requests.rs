//! Requests of digests that name a place which the messages' topic does not hold: refused, and passed.

use schemas::{DigestContextPrepared, DigestDlq, DigestGenerateRequested};
use std::collections::BTreeMap;
use tests::{Chat, Foreign, Pipeline, decode_all, partition_of, settle};

const REQUESTED: &str = "digest.generate.requested.v1";

#[test]
fn a_request_as_of_an_offset_that_never_comes_stops_nobody() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("requests")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 3, 12).write(pipeline.directory())?, "alpha")?;
    let stranger = settle(&pipeline)?;
    let requests: Vec<DigestGenerateRequested> = decode_all(&pipeline, stranger.seen(), REQUESTED)?;
    let right = requests.last().expect("a digest was asked for");
    let partition = partition_of(b"acme/alpha", 4);
    assert_eq!(right.window.source_partition, partition);
    // The import's last transaction ends with a marker, which is no record.
    let marker = stranger.end("group.message.ingested.v1", partition);

    let producer = Foreign::to(&pipeline)?;
    let places = [(99, 0), (partition, 1_000_000_000), (partition, -1), (partition, marker)];
    for (number, (source_partition, source_offset)) in (1..).zip(places) {
        let mut request = DigestGenerateRequested { version: format!("9.{number}"), ..right.clone() };
        (request.window.source_partition, request.window.source_offset) = (source_partition, source_offset);
        producer.send(&request, Some("acme/alpha"), partition)?;
    }
    let again = DigestGenerateRequested { version: "9.9".to_owned(), ..right.clone() };
    producer.send(&again, Some("acme/alpha"), partition)?;
    producer.flush()?;

    let seen = settle(&pipeline)?.into_seen();
    let letters: Vec<DigestDlq> = decode_all(&pipeline, &seen, "digest.dlq.v1")?;
    let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for letter in &letters {
        *reasons.entry((&letter.stage, &letter.error_class)).or_default() += 1;
    }
    // An offset below the first is passed already: nothing is in the store as of it.
    let expected = BTreeMap::from([
        (("context_builder", "empty_window"), 1),
        (("context_builder", "no_such_offset"), 3),
    ]);
    assert_eq!(reasons, expected);
    assert!(letters.iter().any(|letter| letter.error.contains("has no partition 99; there are 0 to 3")));
    assert!(letters.iter().any(|letter| letter.error.contains("has no offset 1000000000; it holds 0 to ")));
    assert!(letters.iter().any(|letter| letter.error.contains("only the end of a transaction")));
    let contexts: Vec<DigestContextPrepared> = decode_all(&pipeline, &seen, "digest.context.prepared.v1")?;
    let made: Vec<&str> = contexts
        .iter()
        .map(|context| context.version.as_str())
        .filter(|version| version.starts_with('9'))
        .collect();
    assert_eq!(made, ["9.9"], "what was asked for after them is answered");
    pipeline.finish()
}
