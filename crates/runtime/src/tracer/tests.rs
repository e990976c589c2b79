//! A digest's spans hang together: whoever reads a record stands below whoever wrote it.

mod windows;

use super::Tracer;
use crate::test_support::{example, on_topic};
use engine::shapes::Took;
use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use processor::{AnyRecord, Emission};
use schemas::{
    DigestBlocked, DigestDelivered, DigestGenerateRequested, DigestPersisted, DigestReadyForDelivery,
    GroupMessageIngested, GroupWindowReady, Record, digest_id,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const TOOK: Duration = Duration::from_millis(20);

fn took() -> Took {
    Took::working(TOOK)
}

/// What was sent.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl Kept {
    /// The span of a unit that was sent last.
    fn of(&self, unit: &str) -> SpanData {
        let name = format!("group_digest_orchestrator.{unit}");
        let spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().rfind(|span| span.name == name).expect("a span of the unit").clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
        Ok(())
    }
}

fn emitted(record: impl AnyRecord + 'static) -> Vec<Emission> {
    vec![Emission { port: "any", record: Box::new(record) }]
}

#[test]
fn a_window_is_linked_to_its_message_and_a_digest_to_its_window() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    let (message, ready): (GroupMessageIngested, GroupWindowReady) = (example(), example());
    let request: DigestGenerateRequested = example();
    tracer.published("telegram_export_source", &emitted(message.clone()), TOOK);
    tracer.record("window_builder", &on_topic("telegram_export_source", &message).view(), &ready, took());
    tracer.record("digest_trigger", &on_topic("window_builder", &ready).view(), &request, took());
    let (source, window, digest) =
        (kept.of("telegram_export_source"), kept.of("window_builder"), kept.of("digest_trigger"));
    for (linked, to) in [(&window, &source), (&digest, &window)] {
        assert_eq!(linked.parent_span_id, SpanId::INVALID, "{}", linked.name);
        let contexts: Vec<_> = linked.links.iter().map(|link| &link.span_context).collect();
        assert_eq!(contexts.len(), 1, "{}", linked.name);
        assert_eq!(
            (contexts[0].trace_id(), contexts[0].span_id()),
            (to.span_context.trace_id(), to.span_context.span_id())
        );
    }
    assert_eq!((source.span_kind, digest.span_kind), (SpanKind::Producer, SpanKind::Internal));
    assert!(source.end_time.duration_since(source.start_time).expect("in order") >= TOOK);
}

#[test]
fn a_sinks_span_stands_below_the_stage_and_its_announcement_below_the_sink() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    let mut ready: DigestReadyForDelivery = example();
    let persisted = DigestPersisted {
        digest_id: ready.digest_id.clone(),
        window_id: ready.window_id.clone(),
        version: ready.version.clone(),
        ..example()
    };
    let delivered = DigestDelivered {
        digest_id: ready.digest_id.clone(),
        window_id: ready.window_id.clone(),
        version: ready.version.clone(),
        channel: "file".to_owned(),
        ..example()
    };
    // An example's trace is anyone's; a digest's is that of its window and version.
    ready.trace_id = Record::trace_id(&persisted);
    let input = on_topic("delivery_manager", &ready);
    tracer.written("postgres_sink", &input.view(), &ready, TOOK);
    tracer.written("file_sink", &input.view(), &ready, TOOK);
    for (sink, told) in [("postgres_sink", emitted(persisted)), ("file_sink", emitted(delivered))] {
        tracer.published("postgres_outbox_source", &told, TOOK);
        let (sink, told) = (kept.of(sink), kept.of("postgres_outbox_source"));
        assert_eq!(told.parent_span_id, sink.span_context.span_id());
        assert_eq!(told.span_context.trace_id(), sink.span_context.trace_id());
        assert_eq!(sink.span_kind, SpanKind::Consumer);
        assert_ne!(sink.parent_span_id, SpanId::INVALID, "delivery_manager's");
    }
    assert_eq!(kept.count(), 4);
}

#[test]
fn what_is_said_of_a_blocked_digest_stands_below_the_sink_and_an_answered_command_alone() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    let mut blocked: DigestBlocked = example();
    let delivered = DigestDelivered {
        digest_id: digest_id(&blocked.window_id, &blocked.version),
        window_id: blocked.window_id.clone(),
        version: blocked.version.clone(),
        channel: "telegram".to_owned(),
        ..example()
    };
    blocked.trace_id = Record::trace_id(&delivered);
    tracer.written("telegram_sink", &on_topic("context_builder", &blocked).view(), &blocked, TOOK);
    tracer.published("postgres_outbox_source", &emitted(delivered.clone()), TOOK);
    let told = kept.of("postgres_outbox_source");
    assert_eq!(told.parent_span_id, kept.of("telegram_sink").span_context.span_id());
    tracer.published(
        "postgres_outbox_source",
        &emitted(DigestDelivered { version: "0.0".to_owned(), ..delivered }),
        TOOK,
    );
    assert_eq!(kept.of("postgres_outbox_source").parent_span_id, SpanId::INVALID);
}
