//! The span of a window leads to the records of all its messages, up to a bound that it tells.

use super::{Kept, took};
use crate::{
    test_support::{example, on_topic},
    tracer::{LINKS_MAX, Tracer, messages::Messages},
};
use engine::{log::OwnedRecord, shapes::Took};
use opentelemetry::{Value, trace::SpanId};
use opentelemetry_sdk::trace::SpanData;
use processor::Emission;
use schemas::{DigestContextPrepared, GroupMessageIngested, GroupWindowReady, Message, trace_id};
use std::{collections::BTreeSet, time::Duration};

const SOURCE: &str = "telegram_export_source";
const NOON: i64 = 1_767_614_400_000;

/// A record of a group with a message for each of these, an hour after noon.
fn said(group: &str, ids: &[i64]) -> GroupMessageIngested {
    let message = |id: &i64| Message::plain(*id, NOON + 3_600_000 + id, "any");
    GroupMessageIngested {
        tenant_id: "acme".to_owned(),
        group_id: group.to_owned(),
        messages: ids.iter().map(message).collect(),
        ingest_trace_id: trace_id(&format!("{group}/{ids:?}")),
        ..GroupMessageIngested::default()
    }
}

/// The twelve hours from noon.
fn window(message_count: i32) -> GroupWindowReady {
    GroupWindowReady {
        tenant_id: "acme".to_owned(),
        group_id: "alpha".to_owned(),
        window_start: NOON,
        window_end: NOON + 12 * 3_600_000,
        message_count,
        ..example()
    }
}

fn at(offset: i64, record: &GroupMessageIngested) -> OwnedRecord {
    OwnedRecord { offset, ..on_topic(SOURCE, record) }
}

fn attribute(span: &SpanData, name: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|pair| pair.key.as_str() == name);
    found.map(|pair| pair.value.clone())
}

fn linked(span: &SpanData) -> Vec<SpanId> {
    span.links.iter().map(|link| link.span_context.span_id()).collect()
}

#[test]
fn a_windows_span_is_linked_to_the_record_of_each_of_its_messages() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    let records = [said("alpha", &[1, 2]), said("alpha", &[3]), said("alpha", &[4])];
    let (other, end) = (said("beta", &[5]), said("alpha", &[]));
    let mut spans = Vec::new();
    for (record, offset) in records.iter().chain([&other]).zip(0..) {
        tracer.published(SOURCE, &[Emission { port: "any", record: Box::new(record.clone()) }], took().work);
        spans.push(kept.of(SOURCE).span_context.span_id());
        // Twice, as after a transaction that was aborted.
        for _ in 0..2 {
            tracer.read("window_builder", &at(offset, record).view(), record);
        }
    }
    tracer.read("command_router", &at(9, &said("alpha", &[6])).view(), &said("alpha", &[6]));
    tracer.record("window_builder", &at(3, &end).view(), &window(4), took());
    let span = kept.of("window_builder");
    // What completed it, then the newest first.
    assert_eq!(linked(&span)[1..], [spans[2], spans[1], spans[0]]);
    assert_eq!(span.links.dropped_count, 0);
    assert_eq!(attribute(&span, "messages_unlinked"), Some(Value::I64(0)));
    // The record that completed it may hold messages itself.
    tracer.record("window_builder", &at(2, &records[2]).view(), &window(5), took());
    let span = kept.of("window_builder");
    assert_eq!(linked(&span), [spans[2], spans[1], spans[0]]);
    assert_eq!(attribute(&span, "messages_unlinked"), Some(Value::I64(1)), "one that it has not read");
}

#[test]
fn links_are_bounded_beyond_opentelemetrys_own_limit_and_what_is_left_off_is_counted() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    for id in 0..700 {
        let record = said("alpha", &[id]);
        tracer.read("window_builder", &at(id, &record).view(), &record);
    }
    tracer.record("window_builder", &at(700, &said("alpha", &[])).view(), &window(700), took());
    let span = kept.of("window_builder");
    let distinct: BTreeSet<String> = linked(&span).iter().map(ToString::to_string).collect();
    assert_eq!((span.links.len(), distinct.len()), (LINKS_MAX as usize, LINKS_MAX as usize));
    assert_eq!(span.links.dropped_count, 0);
    let left_off = 700 - (i64::from(LINKS_MAX) - 1);
    assert_eq!(attribute(&span, "messages_unlinked"), Some(Value::I64(left_off)));
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_is_forgotten() {
    let messages = Messages::at_most(10);
    let kept = Kept::default();
    let tracer = Tracer { messages: std::sync::Arc::new(messages), ..Tracer::to(kept.clone()) };
    for id in 0..6 {
        let record = said("alpha", &[id * 3, id * 3 + 1, id * 3 + 2]);
        tracer.read("window_builder", &at(id, &record).view(), &record);
    }
    tracer.record("window_builder", &at(6, &said("alpha", &[])).view(), &window(18), took());
    let span = kept.of("window_builder");
    assert_eq!(span.links.len(), 1 + 3, "nine of at most ten messages, and what completed it");
    assert_eq!(attribute(&span, "messages_unlinked"), Some(Value::I64(9)));
}

#[test]
fn a_stages_span_says_how_long_it_waited_for_answers() {
    let kept = Kept::default();
    let tracer = Tracer::to(kept.clone());
    let context: DigestContextPrepared = example();
    let took = Took { lookup: Duration::from_millis(7), ..took() };
    tracer.record("context_builder", &on_topic("digest_trigger", &window(1)).view(), &context, took);
    let span = kept.of("context_builder");
    assert_eq!(attribute(&span, "lookup_ms"), Some(Value::I64(7)));
    assert_eq!((attribute(&span, "model_ms"), attribute(&span, "messages_unlinked")), (None, None));
}
