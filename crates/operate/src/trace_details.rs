//! What an event of a digest says that a trace shows.
//!
//! Invariant: no text of messages, and nothing of who wrote them.

use super::Error;
use engine::log::RecordView;
use schemas::{
    Decoder, DigestBlocked, DigestContextPrepared, DigestDelivered, DigestGenerateRequested,
    DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested, GroupWindowReady, Record,
    SchemaSource,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

type Shown = BTreeMap<&'static str, Value>;

/// Decodes what is shown of each topic.
pub(super) struct Details {
    schemas: Arc<dyn SchemaSource>,
}

impl Details {
    pub(super) fn new(schemas: &Arc<dyn SchemaSource>) -> Self {
        Self { schemas: Arc::clone(schemas) }
    }

    /// What a record of a topic says; nothing of a topic that a digest only passes.
    pub(super) fn of(&self, topic: &str, record: &RecordView<'_>) -> Result<Shown, Error> {
        match topic {
            GroupMessageIngested::TYPE => self.shown(record, |it: &GroupMessageIngested| {
                vec![("lane", json!(it.lane)), ("messages", json!(it.messages.len()))]
            }),
            GroupWindowReady::TYPE => self.shown(record, |it: &GroupWindowReady| {
                let counts = [("messages", json!(it.message_count)), ("people", json!(it.participant_count))];
                let ids = [("revision", json!(it.revision)), ("size_hours", json!(it.size_hours))];
                ids.into_iter().chain(counts).collect()
            }),
            DigestGenerateRequested::TYPE => self.shown(record, |it: &DigestGenerateRequested| {
                vec![("version", json!(it.version)), ("requested_by", json!(it.requested_by))]
            }),
            DigestContextPrepared::TYPE => self.shown(record, |it: &DigestContextPrepared| {
                let in_budget = it.messages.iter().filter(|message| message.in_budget).count();
                vec![
                    ("messages", json!(it.message_total)),
                    ("duplicates_removed", json!(it.duplicates_removed)),
                    ("in_budget", json!(in_budget)),
                ]
            }),
            DigestReadyForDelivery::TYPE => self.shown(record, |it: &DigestReadyForDelivery| {
                vec![("quality_score", json!(it.quality_score)), ("channels", json!(it.channels))]
            }),
            DigestBlocked::TYPE => self.shown(record, |it: &DigestBlocked| {
                vec![("reason", json!(it.reason)), ("quality_score", json!(it.quality_score))]
            }),
            DigestDelivered::TYPE => self.shown(record, |it: &DigestDelivered| {
                let mut shown = vec![("channel", json!(it.channel)), ("status", json!(it.status))];
                shown.extend(it.error.as_ref().map(|error| ("error", json!(error))));
                shown
            }),
            stage if stage.starts_with("digest.stage.") => self.shown(record, |it: &DigestStageCompleted| {
                vec![
                    ("stage", json!(it.stage)),
                    ("outcome", json!(it.outcome)),
                    ("run_id", json!(it.run_id)),
                    ("model", json!(it.model_id)),
                    ("tokens", json!(it.tokens)),
                    ("cost", json!(it.cost)),
                ]
            }),
            _ => Ok(Shown::new()),
        }
    }

    fn shown<R: Record>(
        &self,
        record: &RecordView<'_>,
        show: impl FnOnce(&R) -> Vec<(&'static str, Value)>,
    ) -> Result<Shown, Error> {
        match Decoder::<R>::new(Arc::clone(&self.schemas)).decode(record.value) {
            Ok(read) => Ok(show(&read).into_iter().collect()),
            Err(error) if error.is_transient() => Err(Error::no_schema(&error)),
            Err(error) => Ok(Shown::from([("undecodable", json!(error.to_string()))])),
        }
    }
}
