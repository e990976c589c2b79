//! Times the check of key and partition beside the decoding that every reader does before it:
//! `cargo run --release -p runtime --example wire_check [records]`.
//!
//! Invariant: the input is a function of the arguments, so two runs differ in time only.

use engine::wire_check::Placement;
use schemas::{Decoder, Encoder, GroupMessageIngested, Record, SchemaSource, SchemaSourceError};
use std::{
    hint::black_box,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

const GROUPS: usize = 200;
const PLACEMENT: Placement = Placement { partitions: 4 };

struct Registry;

impl SchemaSource for Registry {
    fn schema_by_id(&self, _: u32) -> Result<Arc<str>, SchemaSourceError> {
        Ok(GroupMessageIngested::AVSC.into())
    }
}

/// A record as it lies in its topic.
struct Lying {
    key: Vec<u8>,
    value: Vec<u8>,
    partition: i32,
}

/// One record of each group. They hold no message, so that decoding is at its cheapest.
fn records() -> Result<Vec<Lying>, schemas::EncodeError> {
    let encoder = Encoder::new(1)?;
    let encoded = |group: usize| {
        let record = GroupMessageIngested {
            tenant_id: "bench".to_owned(),
            group_id: format!("chat-of-the-usual-length-{group}"),
            ingest_trace_id: "0".repeat(32),
            ..GroupMessageIngested::default()
        };
        let (key, mut value) = (record.key().into_bytes(), Vec::new());
        encoder.encode(&record, &mut value)?;
        let partition = PLACEMENT.partition(&key);
        Ok(Lying { key, value, partition })
    };
    (0..GROUPS).map(encoded).collect()
}

fn per_record(took: Duration, count: usize) -> f64 {
    took.as_nanos() as f64 / count as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000_000_usize);
    let records = records()?;
    let mut decoder = Decoder::<GroupMessageIngested>::new(Arc::new(Registry));
    let (mut decoding, mut checking) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..count / GROUPS {
        let began = Instant::now();
        let decoded: Vec<_> =
            records.iter().map(|lying| decoder.decode(Some(&lying.value))).collect::<Result<_, _>>()?;
        decoding += began.elapsed();
        let began = Instant::now();
        for (record, Lying { key, partition, .. }) in decoded.iter().zip(&records) {
            PLACEMENT.check(black_box(record), Some(black_box(key)), black_box(*partition))?;
        }
        checking += began.elapsed();
    }
    let (decoding, checking) = (per_record(decoding, count), per_record(checking, count));
    writeln!(std::io::stdout(), "decode {decoding:.0} ns, check {checking:.1} ns a record")?;
    Ok(())
}
