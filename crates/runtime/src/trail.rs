//! What a process tells of each record that it has made, written or given up: a span at the collector, and a line in the log for
//! some of what went well and all that did not.
//!
//! Invariant: which traces have lines is a function of their id, so that of a digest all stages in all processes say something or
//! none does; and no line holds a word of a message.

use crate::{config::Telemetry, span_attributes::window, tracer::Tracer};
use engine::{log::RecordView, shapes::Took};
use processor::{AnyRecord, Emission};
use schemas::{DigestDelivered, DigestStageCompleted, DigestStageStarted, outcome};
use std::time::Duration;
use tracing::{info, warn};

/// Spans and lines of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    tracer: Option<Tracer>,
    sample: Sample,
}

impl Trail {
    /// As the settings say.
    pub(crate) fn start(telemetry: &Telemetry) -> Result<Self, String> {
        let tracer = Tracer::start(telemetry.otlp_endpoint.as_deref())?;
        Ok(Self { tracer, sample: Sample::of(telemetry.sample) })
    }

    /// A processor has read `record`.
    pub(crate) fn read(&self, stage: &str, input: &RecordView<'_>, record: &dyn AnyRecord) {
        if let Some(tracer) = &self.tracer {
            tracer.read(stage, input, record);
        }
    }

    /// A processor has made these out of `input`, in the time `took` up to now.
    pub(crate) fn made(&self, stage: &str, input: &RecordView<'_>, made: &[Emission], took: Took) {
        for record in made.iter().map(|emission| emission.record.as_ref()) {
            if record.as_any().is::<DigestStageStarted>() {
                // Told with what it came to.
                continue;
            }
            if let Some(tracer) = &self.tracer {
                tracer.record(stage, input, record, took);
            }
            self.say(stage, record, took.work);
        }
    }

    /// A source has written these, in a transaction that took so long up to now.
    pub(crate) fn published(&self, source: &str, emissions: &[Emission], took: Duration) {
        if let Some(tracer) = &self.tracer {
            tracer.published(source, emissions, took);
        }
        for emission in emissions {
            self.say(source, emission.record.as_ref(), took);
        }
    }

    /// A sink has written `record`, `took` after it had read it.
    pub(crate) fn written(&self, sink: &str, input: &RecordView<'_>, record: &dyn AnyRecord, took: Duration) {
        if let Some(tracer) = &self.tracer {
            tracer.written(sink, input, record, took);
        }
        self.say(sink, record, took);
    }

    /// Sends the spans that are there, and goes on.
    pub(crate) fn flush(&self) {
        if let Some(tracer) = &self.tracer {
            tracer.flush();
        }
    }

    /// Sends the spans that are left.
    pub(crate) fn finish(&self) {
        if let Some(tracer) = &self.tracer {
            tracer.finish();
        }
    }

    fn say(&self, unit: &str, record: &dyn AnyRecord, took: Duration) {
        let (trace_id, failure) = (record.trace_id(), failure(record));
        if failure.is_none() && !self.sample.takes(&trace_id) {
            return;
        }
        let (tenant_id, event, took_ms) = (record.tenant_id(), record.type_name(), millis(took));
        let (window_id, _) = window(record).unwrap_or_default();
        match failure {
            None => {
                info!(stage = unit, event, tenant_id, window_id, trace_id, took_ms, "event passed");
            }
            Some(why) => {
                warn!(stage = unit, event, tenant_id, window_id, trace_id, took_ms, why, "event failed");
            }
        }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// What went wrong in the work that a record tells of.
fn failure(record: &dyn AnyRecord) -> Option<&str> {
    let any = record.as_any();
    if let Some(completed) = any.downcast_ref::<DigestStageCompleted>() {
        return (completed.outcome == outcome::FALLBACK).then_some(outcome::FALLBACK);
    }
    let delivered = any.downcast_ref::<DigestDelivered>()?;
    (delivered.status == "failed").then_some("delivery failed")
}

/// The share of traces that have lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Random parts of trace ids below this are taken; of all [`Sample::ALL`].
    below: u64,
}

impl Sample {
    /// Ids have 56 random bits at their end, by W3C's trace context.
    const DIGITS: usize = 14;
    const ALL: u64 = 1 << (4 * Self::DIGITS);

    /// A share between 0 and 1.
    fn of(share: f64) -> Self {
        Self { below: (share.clamp(0.0, 1.0) * Self::ALL as f64) as u64 }
    }

    /// The same for every unit: what a smaller share takes a greater one takes too.
    fn takes(self, trace_id: &str) -> bool {
        let random = trace_id.len().checked_sub(Self::DIGITS).and_then(|begin| trace_id.get(begin..));
        random
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .is_some_and(|number| number < self.below)
    }
}

#[cfg(test)]
mod tests;
