//! Metrics under the names of the event contract, and the runtime's own.
//!
//! Invariant: no label carries a chat or a user; a tenant only where the contract says so.

mod catalogue;
mod fate_counters;
mod labels;
mod measured;
mod registrar;

use crate::{host::UnitStatus, source::Sessions};
use catalogue::{
    BREAKER_OPEN, COMMIT_SECONDS, COMMITTED, CONTEXT_DUPLICATES, CONTEXT_HISTORY_MATCHES, CONTEXT_MESSAGES,
    DEAD_LETTERS, DELIVERY_LATENCY, DIGESTS, EVENTS, FLOOD_WAIT, GENERATION_SECONDS, LAST_COMMIT,
    LOOKUP_SECONDS, MODEL_COST, MODEL_HEDGES, MODEL_REQUESTS, PARTITIONS, PEER_AWAY, QUALITY_SCORE, READY,
    RECOVERIES, SESSIONS, STAGE_STATUS, SYNTHESIS_FALLBACK, TOKENS, UNIT_STATE, WAITING, WINDOW_QUALITY,
};
pub use catalogue::{Family, Kind, catalogue};
use engine::shapes::Took;
pub(crate) use fate_counters::FateCounters;
use labels::{FINGERPRINTS_MAX, Labels, TENANTS_MAX};
use measured::Measured;
pub(crate) use measured::{Findings, OpenTransactions, OutboxLag, TopicLag};
use processor::{AnyRecord, Emission};
use prometheus::{Encoder, HistogramVec, IntCounterVec, IntGaugeVec, Registry, TextEncoder};
use registrar::Registrar;
use schemas::{
    DigestBlocked, DigestContextPrepared, DigestDelivered, DigestDlq, DigestStageCompleted, Fingerprint,
    WindowRef,
};
use std::{sync::Arc, time::Duration};

/// Stages that make a digest: by what was found, and in a model's words.
const SYNTHESIS: &str = "synthesis";
const WRITER: &str = "writer";
/// Unit that makes contexts.
const CONTEXT_BUILDER: &str = "context_builder";

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    threshold: String,
    tenants: Labels,
    fingerprints: Labels,
    generation_seconds: HistogramVec,
    tokens: IntCounterVec,
    quality_score: HistogramVec,
    window_quality: HistogramVec,
    digests: IntCounterVec,
    delivery_latency: HistogramVec,
    lookup_seconds: HistogramVec,
    synthesis_fallback: IntCounterVec,
    model_requests: IntCounterVec,
    model_cost: IntCounterVec,
    model_hedges: IntCounterVec,
    stage_status: IntCounterVec,
    context_messages: HistogramVec,
    context_duplicates: IntCounterVec,
    context_history_matches: IntCounterVec,
    events: IntCounterVec,
    dead_letters: IntCounterVec,
    commit_seconds: HistogramVec,
    committed: IntCounterVec,
    last_commit: IntGaugeVec,
    recoveries: IntCounterVec,
    partitions: IntGaugeVec,
    unit_states: IntGaugeVec,
    ready: IntGaugeVec,
    waiting: IntGaugeVec,
    peer_away: IntGaugeVec,
    breaker_open: IntGaugeVec,
    sessions: IntGaugeVec,
    flood_wait: IntCounterVec,
    measured: Measured,
}

impl Metrics {
    /// All metrics, registered; `quality_threshold` is the label of quality scores.
    ///
    /// # Errors
    /// A name registered twice: a defect that the unit test finds.
    pub fn new(quality_threshold: Option<f64>) -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let all = Registrar(&registry);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Arc::new(Self {
            threshold: quality_threshold.map_or_else(|| "default".to_owned(), |score| score.to_string()),
            tenants: Labels::at_most(TENANTS_MAX),
            fingerprints: Labels::at_most(FINGERPRINTS_MAX),
            generation_seconds: all.histogram(&GENERATION_SECONDS)?,
            tokens: all.counter(&TOKENS)?,
            quality_score: all.histogram(&QUALITY_SCORE)?,
            window_quality: all.histogram(&WINDOW_QUALITY)?,
            digests: all.counter(&DIGESTS)?,
            delivery_latency: all.histogram(&DELIVERY_LATENCY)?,
            lookup_seconds: all.histogram(&LOOKUP_SECONDS)?,
            synthesis_fallback: all.counter(&SYNTHESIS_FALLBACK)?,
            model_requests: all.counter(&MODEL_REQUESTS)?,
            model_cost: all.counter(&MODEL_COST)?,
            model_hedges: all.counter(&MODEL_HEDGES)?,
            stage_status: all.counter(&STAGE_STATUS)?,
            context_messages: all.histogram(&CONTEXT_MESSAGES)?,
            context_duplicates: all.counter(&CONTEXT_DUPLICATES)?,
            context_history_matches: all.counter(&CONTEXT_HISTORY_MATCHES)?,
            events: all.counter(&EVENTS)?,
            dead_letters: all.counter(&DEAD_LETTERS)?,
            commit_seconds: all.histogram(&COMMIT_SECONDS)?,
            committed: all.counter(&COMMITTED)?,
            last_commit: all.gauge(&LAST_COMMIT)?,
            recoveries: all.counter(&RECOVERIES)?,
            partitions: all.gauge(&PARTITIONS)?,
            unit_states: all.gauge(&UNIT_STATE)?,
            ready: all.gauge(&READY)?,
            waiting: all.gauge(&WAITING)?,
            peer_away: all.gauge(&PEER_AWAY)?,
            breaker_open: all.gauge(&BREAKER_OPEN)?,
            sessions: all.gauge(&SESSIONS)?,
            flood_wait: all.counter(&FLOOD_WAIT)?,
            measured: Measured::new(&all)?,
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

    /// Counts how long a unit waited for answers to its questions, where it has asked.
    pub(crate) fn waited(&self, unit: &str, Took { lookup, model, .. }: Took) {
        for (of, waited) in [("lookup", lookup), ("model", model)] {
            if !waited.is_zero() {
                self.lookup_seconds.with_label_values(&[unit, of]).observe(waited.as_secs_f64());
            }
        }
    }

    fn stage_completed(&self, completed: &DigestStageCompleted, took: Duration) {
        let (stage, outcome) = (completed.stage.as_str(), completed.outcome.as_str());
        self.generation_seconds.with_label_values(&[stage, outcome]).observe(took.as_secs_f64());
        self.tokens.with_label_values(&[&completed.model_id]).inc_by(completed.tokens.unsigned_abs());
        self.stage_status.with_label_values(&[stage, "completed", outcome, ""]).inc();
        if stage == WRITER {
            if let Some(digest) = &completed.state.digest {
                let score = digest.quality.score;
                self.quality_score.with_label_values(&[&self.threshold]).observe(score);
                let window = window(&completed.state.window);
                self.window_quality.with_label_values(&[&window]).observe(score);
            }
            let tenant = self.tenants.label(&completed.tenant_id);
            self.digests.with_label_values(&[tenant, worst(completed)]).inc();
            if outcome == schemas::outcome::FALLBACK {
                let mut measures = completed.quality_metrics.keys();
                let why = measures.find_map(|name| name.strip_prefix(schemas::outcome::FALLBACK_MEASURE));
                self.synthesis_fallback.with_label_values(&[why.unwrap_or("unknown")]).inc();
            }
        }
    }

    /// Counts a call to a language model: `ok`, or why it failed.
    pub(crate) fn model_asked(&self, model: &str, status: &str) {
        self.model_requests.with_label_values(&[model, status]).inc();
    }

    /// Adds what a call to a language model came to, in millionths of a currency.
    pub(crate) fn model_cost(&self, model: &str, currency: &str, micros: i64) {
        self.model_cost.with_label_values(&[model, currency]).inc_by(micros.unsigned_abs());
    }

    /// Counts a call to a second language model beside a slow first.
    pub(crate) fn model_hedged(&self, model: &str, outcome: &str) {
        self.model_hedges.with_label_values(&[model, outcome]).inc();
    }

    fn context(&self, context: &DigestContextPrepared) {
        let total = f64::from(context.message_total);
        self.context_messages.with_label_values(&["original"]).observe(total);
        self.context_messages
            .with_label_values(&["deduplicated"])
            .observe(total - f64::from(context.duplicates_removed));
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let tenant = self.tenants.label(&context.tenant_id);
        self.context_duplicates
            .with_label_values(&[tenant])
            .inc_by(u64::from(context.duplicates_removed.unsigned_abs()));
        self.context_history_matches
            .with_label_values(&[tenant])
            .inc_by(count(context.history_matches.len()));
        for (status, present) in [
            ("context_trimmed", context.messages.iter().any(|message| !message.in_budget)),
            ("context_dedup", context.duplicates_removed > 0),
            ("context_history", !context.history_matches.is_empty()),
        ] {
            if present {
                self.stage_status.with_label_values(&[CONTEXT_BUILDER, status, "ok", ""]).inc();
            }
        }
    }

    /// Seconds from `digest.ready_for_delivery` on the topic to its delivery.
    pub(crate) fn delivered(&self, channel: &str, seconds: f64) {
        self.delivery_latency.with_label_values(&[channel]).observe(seconds.max(0.0));
    }

    /// Counters of what becomes of a unit's inputs.
    pub(crate) fn fates_of(&self, unit: &'static str) -> FateCounters {
        FateCounters::new(self.events.clone(), unit)
    }

    /// Counts an input's fate.
    pub(crate) fn fate(&self, unit: &str, (fate, reason): (&str, &str)) {
        self.events.with_label_values(&[unit, fate, reason]).inc();
    }

    /// Counts inputs that have one fate.
    pub(crate) fn fates(&self, unit: &str, (fate, reason): (&str, &str), count: u64) {
        self.events.with_label_values(&[unit, fate, reason]).inc_by(count);
    }

    /// Counts an input of a topic that has become a dead letter.
    pub(crate) fn buried(&self, unit: &str, topic: &str, (reason, fingerprint): (&str, Fingerprint)) {
        let fingerprint = fingerprint.to_string();
        let fingerprint = self.fingerprints.label(&fingerprint);
        self.dead_letters.with_label_values(&[unit, topic, reason, fingerprint]).inc();
    }

    /// Has the series of a channel from the start: one that first shows with its first delivery cannot be seen to grow by it.
    pub(crate) fn delivers_by(&self, channel: &str) {
        let _first = self.delivery_latency.with_label_values(&[channel]);
    }

    /// Counts a committed transaction.
    pub(crate) fn committed(&self, unit: &str, records: usize, took: Duration) {
        self.commit_seconds.with_label_values(&[unit]).observe(took.as_secs_f64());
        self.committed.with_label_values(&[unit]).inc_by(records as u64);
        self.last_commit.with_label_values(&[unit]).set(jiff::Timestamp::now().as_second());
    }

    /// Counts a committed transaction of a source. What it gives up itself is a dead letter of its own; what it publishes
    /// for others, those have counted.
    pub(crate) fn published(&self, source: &str, emissions: &[Emission], took: Duration) {
        self.committed(source, emissions.len(), took);
        for emission in emissions {
            if let Some(letter) = emission.record.as_any().downcast_ref::<DigestDlq>()
                && letter.stage == source
            {
                let kind = (letter.error_class.as_str(), Fingerprint::of_letter(letter));
                self.buried(source, &letter.topic, kind);
            }
        }
    }

    /// Counts a failure that is being mended.
    pub(crate) fn recovering(&self, unit: &str) {
        self.recoveries.with_label_values(&[unit]).inc();
    }

    /// Sets how many partitions a unit holds.
    pub(crate) fn partitions(&self, unit: &str, count: usize) {
        self.partitions.with_label_values(&[unit]).set(count as i64);
    }

    /// Takes what a look at lag, outbox and transactions has found; none when it failed.
    pub(crate) fn measured(&self, findings: Option<&Findings>) {
        self.measured.take(findings);
    }

    /// Sets whether each of the peers answers.
    pub(crate) fn peers(&self, peers: &[(&str, bool)]) {
        for (peer, is_away) in peers {
            self.peer_away.with_label_values(&[peer]).set(i64::from(*is_away));
        }
    }

    /// Sets whether a unit leaves a peer alone.
    pub(crate) fn breaker(&self, unit: &str, (peer, is_open): (&str, bool)) {
        self.breaker_open.with_label_values(&[unit, peer]).set(i64::from(is_open));
    }

    /// Sets how the sessions are that a source reads by, and counts what they were asked to wait.
    pub(crate) fn sessions(&self, unit: &str, sessions: &Sessions) {
        let Sessions { reading, held, over, flood_seconds } = sessions;
        for (state, count) in [("reading", reading), ("held", held), ("over", over)] {
            self.sessions.with_label_values(&[unit, state]).set(*count as i64);
        }
        for (method, seconds) in flood_seconds {
            self.flood_wait.with_label_values(&[unit, *method]).inc_by(*seconds);
        }
    }

    /// Sets what the units are doing.
    pub(crate) fn units<'a>(&self, units: impl IntoIterator<Item = &'a UnitStatus>) {
        self.waiting.reset();
        for unit in units {
            let (name, state) = (unit.name.as_str(), unit.state());
            for possible in UnitStatus::STATES {
                self.unit_states.with_label_values(&[name, possible]).set(i64::from(possible == state));
            }
            self.ready.with_label_values(&[name]).set(i64::from(unit.is_ready()));
            if let Some(peer) = unit.awaited() {
                self.waiting.with_label_values(&[name, peer]).set(1);
            }
        }
    }
}

/// The outcome of a digest: that of the stage which worded it, unless that is `ok`, else that of the one which found it.
fn worst(completed: &DigestStageCompleted) -> &str {
    if completed.outcome != schemas::outcome::OK {
        return &completed.outcome;
    }
    let found = completed.state.runs.iter().find(|run| run.stage == SYNTHESIS);
    found.map_or(completed.outcome.as_str(), |run| run.outcome.as_str())
}

/// The size of a window as a label; asked for one by one they have none.
fn window(window: &WindowRef) -> String {
    if window.is_asked() { "asked".to_owned() } else { format!("{}h", window.size_hours) }
}

#[cfg(test)]
mod tests;
