//! Lines counted: a hundredth of what went well, all that did not, and of one trace all or none.

use super::{Sample, Trail};
use crate::test_support::{Log, example, on_topic};
use engine::shapes::Took;
use processor::{AnyRecord, Emission};
use schemas::{
    DigestDelivered, DigestReadyForDelivery, DigestStageCompleted, DigestStageStarted, outcome, trace_id,
};
use std::time::Duration;

const TOOK: Duration = Duration::from_millis(20);

/// Lines of what is told with this share.
fn lines(share: f64, told: impl Fn(&Trail)) -> Vec<String> {
    let (log, trail) = (Log::default(), Trail { tracer: None, sample: Sample::of(share) });
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || told(&trail));
    log.text().lines().map(str::to_owned).collect()
}

fn emission(record: impl AnyRecord + 'static) -> Emission {
    Emission { port: "any", record: Box::new(record) }
}

/// A digest's way through a stage and a sink.
fn passes(trail: &Trail, trace_id: String, outcome: &str) {
    let completed =
        DigestStageCompleted { trace_id: trace_id.clone(), outcome: outcome.to_owned(), ..example() };
    let started = DigestStageStarted { trace_id: trace_id.clone(), ..example() };
    let ready = DigestReadyForDelivery { trace_id, ..example() };
    let input = on_topic("roles", &completed);
    trail.made("topic", &input.view(), &[emission(started), emission(completed)], Took::working(TOOK));
    trail.published("postgres_outbox_source", &[emission(ready.clone())], TOOK);
    trail.written("file_sink", &input.view(), &ready, TOOK);
}

fn count(lines: &[String], words: &str) -> usize {
    lines.iter().filter(|line| line.contains(words)).count()
}

#[test]
fn a_hundredth_of_what_went_well_is_told_and_of_each_trace_all_or_nothing() {
    let traces: Vec<String> = (0..3_000).map(|number| trace_id(&number.to_string())).collect();
    let told = lines(0.01, |trail| {
        for trace in &traces {
            passes(trail, trace.clone(), "ok");
        }
    });
    let counts: Vec<usize> =
        traces.iter().map(|trace| count(&told, trace)).filter(|count| *count > 0).collect();
    assert!(counts.iter().all(|count| *count == 3), "a stage, a source and a sink: {counts:?}");
    assert_eq!(told.len(), counts.len() * 3);
    assert!((15..=45).contains(&counts.len()), "{} of 3,000", counts.len());
    let line = &told[0];
    for part in ["INFO", "stage=\"topic\"", "event=\"digest.stage.completed.v1\"", "window_id=", "took_ms=20"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn what_failed_is_told_whatever_the_share() {
    let failed = DigestDelivered { status: "failed".to_owned(), ..example() };
    let told = lines(0.0, |trail| {
        for number in 0..50 {
            passes(trail, trace_id(&number.to_string()), outcome::FALLBACK);
        }
        trail.published("postgres_outbox_source", &[emission(failed.clone())], TOOK);
    });
    assert_eq!(told.len(), 51, "{told:?}");
    assert_eq!(count(&told, "WARN"), 51, "{told:?}");
    assert_eq!(count(&told, "why=\"fallback\""), 50, "{told:?}");
    assert_eq!(count(&told, "why=\"delivery failed\""), 1, "{told:?}");
}

#[test]
fn no_line_holds_a_word_of_a_digest() {
    let ready: DigestReadyForDelivery = example();
    let told = lines(1.0, |trail| trail.published("delivery_manager", &[emission(ready.clone())], TOOK));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].contains(&ready.delivery_payload.headline), "{told:?}");
}

#[test]
fn a_greater_share_takes_what_a_smaller_one_takes() {
    let traces: Vec<String> = (0..10_000).map(|number| trace_id(&number.to_string())).collect();
    let taken = |share: f64| traces.iter().filter(|trace| Sample::of(share).takes(trace)).count();
    assert_eq!((taken(0.0), taken(1.0)), (0, 10_000));
    assert!((70..=130).contains(&taken(0.01)), "{}", taken(0.01));
    assert!(traces.iter().all(|trace| !Sample::of(0.01).takes(trace) || Sample::of(0.1).takes(trace)));
    assert!(!Sample::of(1.0).takes("no id"));
}
