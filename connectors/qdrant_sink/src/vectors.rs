//! The texts of records, and the vectors that were made of them. Invariant: what a record may put has its vector before a
//! transaction begins: an endpoint may take its time, a transaction must not.

use crate::draft;
use runtime::SinkRecord;
use schemas::{DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested, MessageKind, Version};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// No text depends on it.
const ANY: Version = Version { revision: 0, attempt: 0 };

/// Texts by tenant.
pub(crate) type Texts = BTreeMap<String, BTreeSet<String>>;

/// Vectors by text.
#[derive(Debug, Default)]
pub(crate) struct Vectors(HashMap<String, Vec<f32>>);

impl Vectors {
    pub(crate) fn new(by_text: HashMap<String, Vec<f32>>) -> Self {
        Self(by_text)
    }

    /// The vector of a text that a record has.
    pub(crate) fn of(&self, text: &str) -> Vec<f32> {
        self.0.get(text).cloned().unwrap_or_default()
    }
}

/// The texts of all points that the records may put.
pub(crate) fn texts(records: &[&SinkRecord]) -> Texts {
    let mut texts = Texts::new();
    for record in records {
        let (tenant_id, found) = of_record(record);
        if !found.is_empty() {
            texts.entry(tenant_id.to_owned()).or_default().extend(found);
        }
    }
    texts
}

/// Whether a record has this text.
pub(crate) fn has(record: &SinkRecord, text: &str) -> bool {
    of_record(record).1.iter().any(|found| found == text)
}

fn of_record(record: &SinkRecord) -> (&str, Vec<String>) {
    let SinkRecord::Decoded { record, .. } = record else { return ("", Vec::new()) };
    let record = record.as_any();
    if let Some(ingested) = record.downcast_ref::<GroupMessageIngested>() {
        let is_kept =
            |message: &&schemas::Message| MessageKind::parse(&message.kind) != Some(MessageKind::Deleted);
        let texts = ingested.messages.iter().filter(is_kept).map(|message| message.text.clone());
        (&ingested.tenant_id, texts.collect())
    } else if let Some(completed) = record.downcast_ref::<DigestStageCompleted>() {
        (&completed.tenant_id, drafted(draft::threads(completed, ANY, (0, 0))))
    } else if let Some(ready) = record.downcast_ref::<DigestReadyForDelivery>() {
        (&ready.tenant_id, drafted(vec![draft::digest(ready, ANY, (0, 0))]))
    } else {
        ("", Vec::new())
    }
}

fn drafted(drafts: Vec<draft::Draft>) -> Vec<String> {
    drafts.into_iter().map(|draft| draft.text).collect()
}
