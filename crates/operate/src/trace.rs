//! The way of one digest through the topics, from the record that completed its window to its delivery, with the times at
//! which the broker appended each event.
//!
//! Invariant: only the partition of the group is read, each topic from the time of the event before; what has not come yet
//! is said, never guessed.

use super::{Error, Peers, trace_waits, trace_way::Way};
use runtime::{
    Config,
    observe::{Broker, Partition, RecordHandler, Scanner, Span, connect},
};
use schemas::{
    Decoder, DigestGenerateRequested, GroupWindowReady, Record, SchemaSource, WindowRef, digest_id, trace_id,
};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use topology::{Map, Processor, processors_in_order};

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct TraceOptions {
    /// Id of a window or of a digest.
    pub id: String,
    /// Tenant and group, where they are known: then one partition is read.
    pub group: Option<(String, String)>,
}

/// An event of a digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceStep {
    /// Logical topic.
    pub topic: String,
    /// Who wrote it, as it says itself.
    pub unit: Option<String>,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// When the broker appended it, in ms.
    pub appended_at_ms: i64,
    /// Seconds since the event before: queue, work and transaction.
    pub after_seconds: f64,
    /// Seconds from its append until the broker ended its transaction: nobody was given it before. None where that is not
    /// known: in no transaction, in one that is open, or gone from the topic.
    pub transaction_seconds: Option<f64>,
    /// Seconds from when its input could be read until its append: the input's queue and the unit's work. None where the
    /// input or the end of its transaction is not known, and for a window, which waits for messages.
    pub queue_and_work_seconds: Option<f64>,
    /// Seconds of it that were work, by the unit's own clock; the rest is queue, also behind those before it whose work was
    /// not done. None where the unit does not tell.
    pub work_seconds: Option<f64>,
    /// Seconds of the work that waited for what was looked up in Postgres and the index, also until they had what was asked
    /// for. None where the unit asked for nothing, or does not tell.
    pub lookup_seconds: Option<f64>,
    /// Seconds of the work that waited for language models; where the unit does not tell, those that they took to answer,
    /// by the ledger of calls. None where no model was asked; by the ledger, also where the answer was kept from an earlier
    /// run, and where calls of the time are not surely those of this run.
    pub model_seconds: Option<f64>,
    /// What it says: outcome, model, tokens, cost and so on.
    pub details: BTreeMap<&'static str, Value>,
}

/// The way of one version of a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// The window.
    pub window_id: String,
    /// The digest, whether there is one or not.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Id of its spans.
    pub trace_id: String,
    /// Where the window begins and ends, in ms.
    pub window: (i64, i64),
    /// Seconds from its first event to its last.
    pub seconds: f64,
    /// Its events, in order.
    pub steps: Vec<TraceStep>,
    /// Topics in which its event has not come yet.
    pub missing: Vec<String>,
}

/// A version of a window, as its request or its completion tells.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) tenant_id: String,
    pub(super) group_id: String,
    pub(super) window_id: String,
    pub(super) version: String,
    pub(super) trace_id: String,
    pub(super) window: WindowRef,
    pub(super) partition: i32,
}

impl Candidate {
    fn order(&self) -> (i32, i32) {
        let attempt = self.version.rsplit('.').next().and_then(|text| text.parse().ok());
        (self.window.revision, attempt.unwrap_or_default())
    }

    fn is(&self, id: &str) -> bool {
        self.window_id == id || digest_id(&self.window_id, &self.version) == id
    }
}

/// Follows the newest version of a window, or the digest that is meant; none when no window or digest has this id.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn trace(config: &Config, map: &Map, options: &TraceOptions) -> Result<Option<Trace>, Error> {
    let found = traces(config, map, options.group.as_ref(), &[&options.id])?;
    Ok(found.into_iter().next())
}

/// [`trace`] of several windows or digests, in their order; those of which nothing is known are left out.
///
/// # Errors
/// As there.
pub fn traces(
    config: &Config,
    map: &Map,
    group: Option<&(String, String)>,
    ids: &[&str],
) -> Result<Vec<Trace>, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let mut found = Vec::new();
    let search =
        || Search { config, broker: &broker, schemas: &peers.schemas, kept: Scanner::keeping(&broker) };
    let listed = search();
    let mut versions = listed.completed(group)?;
    versions.extend(listed.requested(group)?);
    let mut cluster = connect(config)?;
    for id in ids {
        let meant = versions.iter().filter(|version| version.is(id)).max_by_key(|version| version.order());
        let Some(meant) = meant else { continue };
        let mut trace = search().follow(map, meant)?;
        trace_waits::measure(&mut cluster, (map, &config.prefix), &mut trace.steps)?;
        trace_waits::ask_ledger(&peers, &mut trace)?;
        found.push(trace);
    }
    Ok(found)
}

/// Where events are looked for.
pub(super) struct Search<'a> {
    config: &'a Config,
    pub(super) broker: &'a Broker<'a>,
    pub(super) schemas: &'a Arc<dyn SchemaSource>,
    /// Of all versions, or of one digest: each topic is read once.
    kept: Scanner<'a>,
}

impl Search<'_> {
    /// Every window that is complete.
    fn completed(&self, group: Option<&(String, String)>) -> Result<Vec<Candidate>, Error> {
        let version = |ready: GroupWindowReady, partition| {
            let version = format!("{}.0", ready.revision);
            let trace_id = trace_id(&format!("{}/{version}", ready.window_id));
            let window = WindowRef::from(&ready);
            let (tenant_id, group_id, window_id) = (ready.tenant_id, ready.group_id, ready.window_id);
            Candidate { tenant_id, group_id, window_id, version, trace_id, window, partition }
        };
        self.versions(group, &version)
    }

    /// Every request for a digest.
    fn requested(&self, group: Option<&(String, String)>) -> Result<Vec<Candidate>, Error> {
        let version = |request: DigestGenerateRequested, partition| Candidate {
            tenant_id: request.tenant_id,
            group_id: request.group_id,
            window_id: request.window_id,
            version: request.version,
            trace_id: request.trace_id,
            window: request.window,
            partition,
        };
        self.versions(group, &version)
    }

    fn versions<R: Record>(
        &self,
        group: Option<&(String, String)>,
        version: &dyn Fn(R, i32) -> Candidate,
    ) -> Result<Vec<Candidate>, Error> {
        let key = group.map(|(tenant, group)| format!("{tenant}/{group}"));
        let partitions: Vec<Partition> = match &key {
            Some(key) => self.broker.partition_of(R::TYPE, key)?.into_iter().collect(),
            None => self.broker.partitions(R::TYPE)?,
        };
        let bounds = self.broker.bounds(&partitions)?;
        let span = |(partition, bounds): (Partition, super::Bounds)| {
            (partition.1, Span { from: bounds.low, until: bounds.stable })
        };
        let spans = bounds.into_iter().map(span).collect();
        let (mut decoder, mut found) = (Decoder::<R>::new(Arc::clone(self.schemas)), Vec::new());
        self.scan_once(R::TYPE, &spans, &mut |record| {
            let is_asked = key.as_ref().is_none_or(|key| record.key == Some(key.as_bytes()));
            match decoder.read(record.value, record.timestamp_ms) {
                Ok(read) if is_asked => found.push(version(read, record.partition)),
                Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
                // Poison is its reader's to dead-letter.
                Ok(_) | Err(_) => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// All its events, in the order of the map.
    fn follow(&self, map: &Map, version: &Candidate) -> Result<Trace, Error> {
        let mut way = Way::new(version, self);
        way.window()?;
        let is_digests = |unit: &&Processor| unit.input.starts_with("digest.");
        for unit in processors_in_order(map).into_iter().filter(is_digests) {
            if !way.event(&unit.input)? {
                break;
            }
        }
        way.end()?;
        way.beginnings(map)?;
        Ok(way.finished())
    }

    /// Reads a partition that is read this once.
    pub(super) fn scan_once(
        &self,
        logical: &str,
        spans: &BTreeMap<i32, Span>,
        visit: RecordHandler<'_>,
    ) -> Result<(), Error> {
        self.kept.scan(&self.config.prefix.topic(logical), spans, visit)
    }
}
