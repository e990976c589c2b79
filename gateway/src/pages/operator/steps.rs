//! Events of a digest's way, as pages show them.

use console_pages::Step;
use operate::TraceStep;
use serde_json::Value;

pub(super) fn step(of: TraceStep) -> Step {
    let details = of.details.into_iter().map(|(name, value)| (name.to_owned(), text(value)));
    Step {
        topic: of.topic,
        unit: of.unit.unwrap_or_default(),
        partition: of.partition,
        offset: of.offset,
        appended_at_ms: of.appended_at_ms,
        queue_and_work_seconds: of.queue_and_work_seconds,
        work_seconds: of.work_seconds,
        lookup_seconds: of.lookup_seconds,
        model_seconds: of.model_seconds,
        transaction_seconds: of.transaction_seconds,
        details: details.collect(),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
