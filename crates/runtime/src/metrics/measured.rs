//! What is measured from time to time, not counted as it happens: lag, outbox, open transactions.
//!
//! Invariant: what is not known has no series; an old number never stands for a new one.

use super::catalogue::{
    LAG_OFFSETS, LAG_RECORDS, LAG_SECONDS, LAST_MAINTENANCE, MEASURED, OLDEST_TRANSACTION, OPEN_TRANSACTIONS,
    OUTBOX_AGE, OUTBOX_ROWS, STALLED,
};
use super::registrar::Registrar;
use prometheus::{GaugeVec, IntGaugeVec};

/// How far a unit is behind in a topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicLag {
    /// Its name in the map.
    pub(crate) unit: String,
    /// Logical topic.
    pub(crate) topic: String,
    /// To the last stable offset; 0 where nothing is left that a reader of committed records is given.
    pub(crate) records: i64,
    /// To the high watermark.
    pub(crate) offsets: i64,
    /// Since the first record before it was appended.
    pub(crate) seconds: f64,
}

/// What a source has still to publish.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutboxLag {
    /// The source.
    pub(crate) unit: String,
    pub(crate) rows: i64,
    pub(crate) oldest_seconds: f64,
}

/// Open transactions of the pipeline, by partition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct OpenTransactions {
    /// Somebody writes them.
    pub(crate) running: i64,
    /// Their markers are on their way.
    pub(crate) ending: i64,
    /// No marker will come.
    pub(crate) hanging: i64,
    pub(crate) oldest_seconds: f64,
}

/// All of one look.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) lag: Vec<TopicLag>,
    /// Partitions in which units stand still.
    pub(crate) stalled: Vec<(String, i64)>,
    pub(crate) outboxes: Vec<OutboxLag>,
    pub(crate) transactions: OpenTransactions,
    /// When maintenance last came to its end, in seconds since 1970; none where it has not, or is not ours to tell.
    pub(crate) maintained_at_seconds: Option<f64>,
    /// When, in seconds since 1970.
    pub(crate) at_seconds: f64,
}

#[derive(Debug)]
pub(super) struct Measured {
    records: IntGaugeVec,
    offsets: IntGaugeVec,
    seconds: GaugeVec,
    stalled: IntGaugeVec,
    outbox_rows: IntGaugeVec,
    outbox_age: GaugeVec,
    open: IntGaugeVec,
    oldest: GaugeVec,
    maintained: GaugeVec,
    taken: GaugeVec,
}

impl Measured {
    pub(super) fn new(registrar: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            records: registrar.gauge(&LAG_RECORDS)?,
            offsets: registrar.gauge(&LAG_OFFSETS)?,
            seconds: registrar.fine_gauge(&LAG_SECONDS)?,
            stalled: registrar.gauge(&STALLED)?,
            outbox_rows: registrar.gauge(&OUTBOX_ROWS)?,
            outbox_age: registrar.fine_gauge(&OUTBOX_AGE)?,
            open: registrar.gauge(&OPEN_TRANSACTIONS)?,
            oldest: registrar.fine_gauge(&OLDEST_TRANSACTION)?,
            maintained: registrar.fine_gauge(&LAST_MAINTENANCE)?,
            taken: registrar.fine_gauge(&MEASURED)?,
        })
    }

    /// Takes the findings of a look in the place of those before; none when the look failed.
    pub(super) fn take(&self, findings: Option<&Findings>) {
        for whole in [&self.records, &self.offsets, &self.stalled, &self.outbox_rows, &self.open] {
            whole.reset();
        }
        for fine in [&self.seconds, &self.outbox_age, &self.oldest, &self.maintained] {
            fine.reset();
        }
        let Some(findings) = findings else { return };
        for TopicLag { unit, topic, records, offsets, seconds } in &findings.lag {
            self.records.with_label_values(&[unit, topic]).set(*records);
            self.offsets.with_label_values(&[unit, topic]).set(*offsets);
            self.seconds.with_label_values(&[unit, topic]).set(*seconds);
        }
        for (unit, partitions) in &findings.stalled {
            self.stalled.with_label_values(&[unit]).set(*partitions);
        }
        for OutboxLag { unit, rows, oldest_seconds } in &findings.outboxes {
            self.outbox_rows.with_label_values(&[unit]).set(*rows);
            self.outbox_age.with_label_values(&[unit]).set(*oldest_seconds);
        }
        let OpenTransactions { running, ending, hanging, oldest_seconds } = findings.transactions;
        for (state, count) in [("running", running), ("ending", ending), ("hanging", hanging)] {
            self.open.with_label_values(&[state]).set(count);
        }
        self.oldest.with_label_values::<&str>(&[]).set(oldest_seconds);
        if let Some(at_seconds) = findings.maintained_at_seconds {
            self.maintained.with_label_values::<&str>(&[]).set(at_seconds);
        }
        self.taken.with_label_values::<&str>(&[]).set(findings.at_seconds);
    }
}
