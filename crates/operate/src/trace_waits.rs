//! Where the time between two events went, as far as the broker knows it: in the transaction of the first, or after it; and, as far
//! as the ledger of calls knows it, how much of that a language model took.
//!
//! Invariant: nothing is guessed. When a unit began with an input stands nowhere: queue and work are one number, of which the work
//! is what the unit tells itself.

use super::{Error, Peers, Trace, TraceStep};
use kafka_admin::{Cluster, TopicPartition, marked_at};
use schemas::{DigestBlocked, DigestReadyForDelivery, GroupWindowReady, Record};
use serde_json::Value;
use state::AnsweredCall;
use topology::{Map, Prefix};

/// Sets the waits of each step.
pub(super) fn measure(
    cluster: &mut Cluster,
    (map, prefix): (&Map, &Prefix),
    steps: &mut [TraceStep],
) -> Result<(), Error> {
    for step in &mut *steps {
        let at = TopicPartition::new(prefix.topic(&step.topic), step.partition);
        let marked = marked_at(cluster, &at, step.offset)?;
        step.transaction_seconds = marked.map(|marked| seconds(step.appended_at_ms, marked));
    }
    attribute(map, steps);
    Ok(())
}

/// The time since each step's input could be read.
fn attribute(map: &Map, steps: &mut [TraceStep]) {
    for number in 0..steps.len() {
        let Some(input) = input(map, &steps[number], steps) else { continue };
        let seen = |transaction: f64| input.appended_at_ms + (transaction * 1000.0).round() as i64;
        let since = input.transaction_seconds.map(seen);
        steps[number].queue_and_work_seconds =
            since.map(|since| seconds(since, steps[number].appended_at_ms));
    }
}

/// What models took of each step that one of them wrote and whose unit does not tell.
pub(super) fn ask_ledger(peers: &Peers, trace: &mut Trace) -> Result<(), Error> {
    // What the unit tells itself is also right where several windows are asked for at once.
    for step in trace.steps.iter_mut().filter(|step| step.work_seconds.is_none()) {
        let tokens = step.details.get("tokens").and_then(Value::as_i64).filter(|tokens| *tokens > 0);
        let (Some(tokens), Some(stage)) = (tokens, step.unit.as_deref()) else { continue };
        let Some(work) = step.queue_and_work_seconds else { continue };
        let began_ms = step.appended_at_ms - (work * 1000.0).round() as i64;
        let of = (&*trace.tenant_id, &*trace.group_id, stage);
        let calls = peers.wait(peers.store.answered_calls(of, (began_ms, step.appended_at_ms)))?;
        step.model_seconds = taken(&calls, tokens);
    }
    Ok(())
}

/// Time of these calls, if they are those of a run of so many tokens: other windows of the group may be asked for at once.
fn taken(calls: &[AnsweredCall], tokens: i64) -> Option<f64> {
    let is_run = calls.iter().map(|call| call.tokens).sum::<i64>() == tokens;
    is_run.then(|| calls.iter().map(|call| seconds(call.asked_at_ms, call.answered_at_ms)).sum())
}

/// The step that another came of. A window's completion waits for messages, not for one record; none for it.
fn input<'a>(map: &Map, step: &TraceStep, steps: &'a [TraceStep]) -> Option<&'a TraceStep> {
    if step.topic == GroupWindowReady::TYPE {
        return None;
    }
    let of = |topic: &str| steps.iter().find(|step| step.topic == topic);
    match map.processor(step.unit.as_deref()?) {
        Ok(processor) => of(&processor.input),
        // What sinks say of how a digest ended.
        Err(_)
            if step.topic.starts_with("digest.persisted") || step.topic.starts_with("digest.delivered") =>
        {
            of(DigestReadyForDelivery::TYPE).or_else(|| of(DigestBlocked::TYPE))
        }
        Err(_) => None,
    }
}

/// Clocks of two brokers may differ by a little.
fn seconds(from_ms: i64, until_ms: i64) -> f64 {
    (until_ms - from_ms).max(0) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn step(topic: &str, unit: &str, (appended_at_ms, transaction): (i64, Option<f64>)) -> TraceStep {
        TraceStep {
            topic: topic.to_owned(),
            unit: Some(unit.to_owned()),
            partition: 0,
            offset: 0,
            appended_at_ms,
            after_seconds: 0.0,
            transaction_seconds: transaction,
            queue_and_work_seconds: None,
            work_seconds: None,
            lookup_seconds: None,
            model_seconds: None,
            details: BTreeMap::new(),
        }
    }

    #[test]
    fn calls_are_a_runs_where_their_tokens_are() {
        let call =
            |asked_at_ms, tokens| AnsweredCall { asked_at_ms, answered_at_ms: asked_at_ms + 250, tokens };
        assert_eq!(taken(&[call(0, 40), call(900, 2)], 42), Some(0.5));
        assert_eq!(taken(&[call(0, 40), call(0, 40)], 40), None, "another window's is among them");
        assert_eq!(taken(&[], 40), None, "its answer was kept from an earlier run");
    }

    #[test]
    fn a_step_is_measured_from_when_its_own_input_could_be_read() {
        let mut steps = [
            step("group.message.ingested.v1", "telegram_export_source", (0, Some(0.5))),
            step("group.window.ready.v1", "window_builder", (1_000, Some(0.02))),
            step("digest.generate.requested.v1", "digest_trigger", (1_050, Some(0.01))),
            step("digest.context.prepared.v1", "context_builder", (1_100, None)),
            step("digest.stage.thread_builder.completed.v1", "thread_builder", (1_200, Some(0.0))),
            step("digest.ready_for_delivery.v1", "delivery_manager", (2_000, Some(0.1))),
            step("digest.persisted.v1", "postgres_outbox_source", (2_150, Some(0.0))),
            step("digest.delivered.v1", "postgres_outbox_source", (2_099, Some(0.0))),
        ];
        attribute(&Map::embedded().expect("the map"), &mut steps);
        let waits: Vec<_> = steps.iter().map(|step| step.queue_and_work_seconds).collect();
        // No one for a window, none below an input whose marker is not there, none for a digest whose way has a gap.
        let expected = [None, None, Some(0.03), Some(0.04), None, None, Some(0.05), Some(0.0)];
        assert_eq!(waits, expected);
    }
}
