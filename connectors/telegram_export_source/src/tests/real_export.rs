//! A real export of five years, where it lies beside the clone.

use super::support::{drain, options};
use crate::{FileSource, Meter};
use std::{collections::BTreeSet, path::Path};

#[test]
fn every_message_of_a_real_chat_is_read() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/telegram_qa_load/result.json.gz");
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return;
    }
    let meter = Meter::default();
    let mut source = FileSource::open(&options(&path), meter.clone()).expect("importable");
    let given = drain(&mut source, None);
    let summary = meter.snapshot().summary;
    let (position, _) = &given[60];
    assert_eq!(drain(&mut source, Some(position.clone())), &given[61..], "gone back far into the file");
    let records: Vec<_> = given.into_iter().flat_map(|(_, records)| records).collect();
    let ids: BTreeSet<i64> =
        records.iter().flat_map(|record| &record.messages).map(|message| message.id).collect();
    assert_eq!((ids.len(), summary.read, summary.given), (78_744, 78_744, 78_744));
    assert_eq!(summary.skipped_text(), "service 6652");
    assert_eq!((summary.topics, summary.edited, summary.zone_assumed, summary.future_date), (11, 0, 0, 0));
}
