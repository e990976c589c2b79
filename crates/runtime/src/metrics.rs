//! Metrics under the names of the event contract, and the runtime's own.
//!
//! Invariant: no label carries a chat or a user; a tenant only where the contract says so.

use crate::host::UnitStatus;
use processor::AnyRecord;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use schemas::{DigestBlocked, DigestContextPrepared, DigestDelivered, DigestStageCompleted};
use std::{sync::Arc, time::Duration};

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    generation_seconds: HistogramVec,
    tokens: IntCounterVec,
    quality_score: HistogramVec,
    delivery_latency: HistogramVec,
    synthesis_fallback: IntCounterVec,
    stage_status: IntCounterVec,
    context_messages: HistogramVec,
    context_duplicates: IntCounterVec,
    context_history_matches: IntCounterVec,
    events: IntCounterVec,
    commit_seconds: HistogramVec,
    committed: IntCounterVec,
    recoveries: IntCounterVec,
    partitions: IntGaugeVec,
    unit_states: IntGaugeVec,
}

const SECONDS: [f64; 14] =
    [0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
const SHARES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const COUNTS: [f64; 10] = [5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 10000.0];

fn gauge(registry: &Registry, opts: Opts, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    let vec = IntGaugeVec::new(opts, labels)?;
    registry.register(Box::new(vec.clone()))?;
    Ok(vec)
}

impl Metrics {
    /// All metrics, registered.
    ///
    /// # Errors
    /// A name registered twice: a defect that the unit test finds.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let vec = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: &[f64]| {
            let vec = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| gauge(&registry, Opts::new(name, help), labels);
        Ok(Arc::new(Self {
            generation_seconds: histogram(
                "digest_generation_seconds",
                "Time a stage takes.",
                &["stage", "outcome"],
                &SECONDS,
            )?,
            tokens: counter("digest_tokens_total", "Tokens used.", &["model"])?,
            quality_score: histogram("digest_quality_score", "Quality scores.", &["threshold"], &SHARES)?,
            delivery_latency: histogram(
                "digest_delivery_latency_seconds",
                "From digest.ready_for_delivery on the topic to delivery.",
                &["channel"],
                &[1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86_400.0],
            )?,
            synthesis_fallback: counter(
                "digest_synthesis_fallback_total",
                "Offline results in place of a model's.",
                &["reason"],
            )?,
            stage_status: counter(
                "digest_stage_status_total",
                "Ends of stages.",
                &["stage", "status", "result", "reason"],
            )?,
            context_messages: histogram(
                "digest_context_messages",
                "Messages of a window.",
                &["metric"],
                &COUNTS,
            )?,
            context_duplicates: counter(
                "digest_context_duplicates_total",
                "Near-duplicates found.",
                &["tenant"],
            )?,
            context_history_matches: counter(
                "digest_context_history_matches_total",
                "History found.",
                &["tenant"],
            )?,
            events: counter("gistmill_events_total", "Inputs by fate.", &["processor", "fate", "reason"])?,
            commit_seconds: histogram(
                "commit_seconds",
                "Time a transaction's commit takes.",
                &["processor"],
                &SECONDS,
            )?,
            committed: counter("gistmill_committed_total", "Inputs committed.", &["processor"])?,
            recoveries: counter("gistmill_recoveries_total", "Failures mended.", &["processor"])?,
            partitions: gauge("gistmill_partitions", "Partitions held.", &["processor"])?,
            unit_states: gauge(
                "gistmill_unit_state",
                "1 for the state that a unit is in.",
                &["unit", "state"],
            )?,
            registry,
        }))
    }

    /// The exposition text.
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("# could not encode metrics: {error}\n"),
        }
    }

    /// Counts what an emitted record says; `took` is the time the step took.
    pub(crate) fn emitted(&self, record: &dyn AnyRecord, took: Duration) {
        let any = record.as_any();
        if let Some(completed) = any.downcast_ref::<DigestStageCompleted>() {
            self.stage_completed(completed, took);
        } else if let Some(context) = any.downcast_ref::<DigestContextPrepared>() {
            self.context(context);
        } else if let Some(blocked) = any.downcast_ref::<DigestBlocked>() {
            self.stage_status.with_label_values(&["digest", "blocked", "blocked", &blocked.reason]).inc();
        } else if let Some(delivered) = any.downcast_ref::<DigestDelivered>() {
            self.stage_status
                .with_label_values(&["delivery", &delivered.status, &delivered.channel, ""])
                .inc();
        }
    }

    fn stage_completed(&self, completed: &DigestStageCompleted, took: Duration) {
        let (stage, outcome) = (completed.stage.as_str(), completed.outcome.as_str());
        self.generation_seconds.with_label_values(&[stage, outcome]).observe(took.as_secs_f64());
        self.tokens.with_label_values(&[&completed.model_id]).inc_by(completed.tokens.unsigned_abs());
        self.stage_status.with_label_values(&[stage, "completed", outcome, ""]).inc();
        if stage == "synthesis" {
            if let Some(digest) = &completed.state.digest {
                self.quality_score.with_label_values(&["offline"]).observe(digest.quality.score);
            }
            if outcome == schemas::outcome::FALLBACK {
                self.synthesis_fallback.with_label_values(&["model_failed"]).inc();
            }
        }
    }

    fn context(&self, context: &DigestContextPrepared) {
        let total = f64::from(context.message_total);
        self.context_messages.with_label_values(&["original"]).observe(total);
        self.context_messages
            .with_label_values(&["deduplicated"])
            .observe(total - f64::from(context.duplicates_removed));
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        self.context_duplicates
            .with_label_values(&[&context.tenant_id])
            .inc_by(u64::from(context.duplicates_removed.unsigned_abs()));
        self.context_history_matches
            .with_label_values(&[&context.tenant_id])
            .inc_by(count(context.history_matches.len()));
        for (status, present) in [
            ("context_trimmed", context.messages.iter().any(|message| !message.in_budget)),
            ("context_dedup", context.duplicates_removed > 0),
            ("context_history", !context.history_matches.is_empty()),
        ] {
            if present {
                self.stage_status.with_label_values(&["ingest_validator", status, "ok", ""]).inc();
            }
        }
    }

    /// Seconds from `digest.ready_for_delivery` on the topic to its delivery.
    pub(crate) fn delivered(&self, channel: &str, seconds: f64) {
        self.delivery_latency.with_label_values(&[channel]).observe(seconds.max(0.0));
    }

    /// Counts an input's fate.
    pub(crate) fn fate(&self, processor: &str, (fate, reason): (&str, &str)) {
        self.events.with_label_values(&[processor, fate, reason]).inc();
    }

    /// Counts inputs that have one fate.
    pub(crate) fn fates(&self, processor: &str, (fate, reason): (&str, &str), count: u64) {
        self.events.with_label_values(&[processor, fate, reason]).inc_by(count);
    }

    /// Counts a committed transaction.
    pub(crate) fn committed(&self, processor: &str, records: usize, took: Duration) {
        self.commit_seconds.with_label_values(&[processor]).observe(took.as_secs_f64());
        self.committed.with_label_values(&[processor]).inc_by(records as u64);
    }

    /// Counts a failure that is being mended.
    pub(crate) fn recovering(&self, processor: &str) {
        self.recoveries.with_label_values(&[processor]).inc();
    }

    /// Sets how many partitions a processor holds.
    pub(crate) fn partitions(&self, processor: &str, count: usize) {
        self.partitions.with_label_values(&[processor]).set(count as i64);
    }

    /// Sets which of its states a unit is in.
    pub(crate) fn unit_state(&self, unit: &str, state: &str) {
        for possible in UnitStatus::STATES {
            self.unit_states.with_label_values(&[unit, possible]).set(i64::from(possible == state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_register_once_and_show() {
        let metrics = Metrics::new().expect("distinct names");
        metrics.fate("topic", ("emit", ""));
        metrics.committed("topic", 7, Duration::from_millis(4));
        let text = metrics.text();
        assert!(
            text.contains(r#"gistmill_events_total{fate="emit",processor="topic",reason=""} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"commit_seconds_bucket{processor="topic",le="0.005"} 1"#), "{text}");
        assert!(text.contains(r#"gistmill_committed_total{processor="topic"} 7"#), "{text}");
    }

    #[test]
    fn a_unit_is_in_one_state() {
        let metrics = Metrics::new().expect("distinct names");
        for state in ["starting", "waiting"] {
            metrics.unit_state("topic", state);
        }
        let text = metrics.text();
        let states = UnitStatus::STATES.map(|state| {
            let line = format!(r#"gistmill_unit_state{{state="{state}",unit="topic"}} "#);
            text.lines().find_map(|found| found.strip_prefix(&line)).map(str::to_owned)
        });
        let expected = UnitStatus::STATES.map(|state| Some(i32::from(state == "waiting").to_string()));
        assert_eq!(states, expected, "{text}");
    }
}
