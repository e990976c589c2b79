//! The events of one version of a window, found one after the other.
//!
//! Invariant: a record is known by the trace id of its headers, so that nothing is decoded that is not shown.

use super::{
    Error, Trace, TraceStep,
    trace::{Candidate, Search},
    trace_details::Details,
    trace_told::{self, Told},
};
use engine::log::RecordView;
use runtime::observe::{MESSAGES_TOPIC, Partition, Span};
use schemas::{
    DigestBlocked, DigestDelivered, DigestPersisted, DigestReadyForDelivery, DigestStageStarted,
    GroupWindowReady, Record, digest_id, trace_id,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use topology::Map;

type Header = (String, Option<Vec<u8>>);

/// The events of a version that have been found so far.
pub(super) struct Way<'a> {
    version: &'a Candidate,
    search: &'a Search<'a>,
    details: Details,
    steps: Vec<TraceStep>,
    missing: Vec<String>,
    told: BTreeMap<String, Told>,
}

impl<'a> Way<'a> {
    pub(super) fn new(version: &'a Candidate, search: &'a Search<'a>) -> Self {
        let details = Details::new(search.schemas);
        Self { version, search, details, steps: Vec::new(), missing: Vec::new(), told: BTreeMap::new() }
    }

    /// The record that completed the window, which retention may have taken, and its completion. One that was asked for
    /// has neither.
    pub(super) fn window(&mut self) -> Result<(), Error> {
        let window = &self.version.window;
        if window.is_asked() {
            return Ok(());
        }
        let span = Span { from: window.source_offset, until: window.source_offset + 1 };
        self.take(MESSAGES_TOPIC, &BTreeMap::from([(window.source_partition, span)]), &|_| true)?;
        let id = trace_id(&format!("{}/{}", self.version.window_id, window.revision));
        self.traced(GroupWindowReady::TYPE, &id).map(drop)
    }

    /// The version's event in a topic; false when there is none.
    pub(super) fn event(&mut self, topic: &str) -> Result<bool, Error> {
        let found = self.traced(topic, &self.version.trace_id)?;
        if !found {
            self.missing.push(topic.to_owned());
        }
        Ok(found)
    }

    /// How it ended: delivered, or blocked on the way.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        if self.missing.is_empty() && self.event(DigestReadyForDelivery::TYPE)? {
            for topic in [DigestPersisted::TYPE, DigestDelivered::TYPE] {
                self.event(topic)?;
            }
        } else if self.traced(DigestBlocked::TYPE, &self.version.trace_id)? {
            self.missing.clear();
        }
        Ok(())
    }

    /// When the event in a topic can have come at the earliest, in ms. Sinks say in any order what they have done.
    fn since(&self, topic: &str) -> i64 {
        let is_of_sinks = [DigestPersisted::TYPE, DigestDelivered::TYPE].contains(&topic);
        let is_before = |step: &&TraceStep| !is_of_sinks || step.topic == DigestReadyForDelivery::TYPE;
        self.steps.iter().rfind(is_before).map_or(0, |step| step.appended_at_ms)
    }

    /// What those who wrote its events tell of their work.
    pub(super) fn beginnings(&mut self, map: &Map) -> Result<(), Error> {
        let topic = DigestStageStarted::TYPE;
        let tells =
            |unit: &&str| map.processor(unit).is_ok_and(|unit| unit.ports.values().any(|port| port == topic));
        let of_digest = || self.steps.iter().filter(|step| step.topic.starts_with("digest."));
        let Some(since) = of_digest().map(|step| step.appended_at_ms).min() else { return Ok(()) };
        let mut wanted: BTreeSet<String> =
            of_digest().filter_map(|step| step.unit.as_deref()).filter(tells).map(str::to_owned).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (spans, is_it) = (self.spans(topic, since)?, carries(&self.version.trace_id));
        let Self { search, told, .. } = self;
        search.scan_once(topic, &spans, &mut |record| {
            if is_it(record)
                && let Some(source) = header(record, "ce_source")
                && wanted.remove(unit(&source))
            {
                told.extend(Told::of(record).map(|it| (unit(&source).to_owned(), it)));
            }
            Ok(if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// Takes what carries a trace id in its headers.
    fn traced(&mut self, topic: &str, trace_id: &str) -> Result<bool, Error> {
        let spans = self.spans(topic, self.since(topic))?;
        self.take(topic, &spans, &carries(trace_id))
    }

    /// What has come into the group's partition of a topic since a time in ms.
    fn spans(&self, topic: &str, since: i64) -> Result<BTreeMap<i32, Span>, Error> {
        let partitions = self.search.broker.partitions(topic)?;
        let at: Vec<Partition> =
            partitions.into_iter().filter(|(_, number)| *number == self.version.partition).collect();
        let ends = self.search.broker.stables(&at)?;
        let from = self.search.broker.at_time(&at, since)?;
        let span = |(partition, until): (Partition, i64)| {
            // Nothing was appended since then.
            let from = from.get(&partition).copied().unwrap_or(until);
            (partition.1, Span { from, until })
        };
        Ok(ends.into_iter().map(span).collect())
    }

    /// Takes the first record that is meant; deliveries, of which a digest has several, all.
    fn take(
        &mut self,
        topic: &str,
        spans: &BTreeMap<i32, Span>,
        is_it: &dyn Fn(&RecordView<'_>) -> bool,
    ) -> Result<bool, Error> {
        let (before, takes_all) = (self.steps.len(), topic == DigestDelivered::TYPE);
        let Self { search, steps, details, .. } = self;
        search.scan_once(topic, spans, &mut |record| {
            if !is_it(record) {
                return Ok(ControlFlow::Continue(()));
            }
            steps.push(TraceStep {
                topic: topic.to_owned(),
                unit: header(record, "ce_source").map(|source| unit(&source).to_owned()),
                partition: record.partition,
                offset: record.offset,
                appended_at_ms: record.timestamp_ms,
                after_seconds: 0.0,
                transaction_seconds: None,
                queue_and_work_seconds: None,
                work_seconds: None,
                lookup_seconds: None,
                model_seconds: None,
                details: details.of(topic, record)?,
            });
            Ok(if takes_all { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(self.steps.len() > before)
    }

    /// All of it, in the order in which the events came, each with the time since the one before.
    pub(super) fn finished(mut self) -> Trace {
        self.steps.sort_by_key(|step| step.appended_at_ms);
        trace_told::set(&mut self.steps, &self.told);
        let mut before = None;
        for step in &mut self.steps {
            let since = before.replace(step.appended_at_ms).unwrap_or(step.appended_at_ms);
            step.after_seconds = (step.appended_at_ms - since) as f64 / 1000.0;
        }
        let Candidate { tenant_id, group_id, window_id, version, trace_id, window, .. } =
            self.version.clone();
        let times = |step: Option<&TraceStep>| step.map_or(0, |step| step.appended_at_ms);
        let milliseconds = times(self.steps.last()) - times(self.steps.first());
        Trace {
            digest_id: digest_id(&window_id, &version),
            tenant_id,
            group_id,
            window_id,
            version,
            trace_id,
            window: (window.window_start, window.window_end),
            seconds: milliseconds as f64 / 1000.0,
            steps: self.steps,
            missing: self.missing,
        }
    }
}

/// Whether a record is of a trace.
fn carries(trace_id: &str) -> impl Fn(&RecordView<'_>) -> bool + use<> {
    let wanted = format!("00-{trace_id}-");
    move |record| header(record, "traceparent").is_some_and(|it| it.starts_with(&wanted))
}

/// A header's value as text.
fn header(record: &RecordView<'_>, wanted: &str) -> Option<String> {
    let found: Option<Header> = record.headers.to_vec().into_iter().find(|(name, _)| name == wanted);
    found.and_then(|(_, value)| String::from_utf8(value?).ok())
}

/// The unit that a source of events names.
fn unit(source: &str) -> &str {
    source.rsplit('/').next().unwrap_or(source)
}
