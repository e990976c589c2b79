//! Spans at a real OpenTelemetry Collector: from a delivered digest back to the messages of its window.
//!
//! Skipped, and said so, where `TEST_GISTMILL_COLLECTOR` names no collector; `tests/run` builds one where there is Go.

use anyhow::{Context, ensure};
use serde_json::json;
use std::{collections::BTreeMap, fs};
use tests::{KeptSpan, OtlpCollector, PATIENCE, Pipeline, kept_spans, settle};

/// 2026-01-05T12:00:00Z.
const NOON: i64 = 1_767_614_400_000;
/// From its request to the sinks, each the parent of the next.
const CHAIN: [&str; 10] = [
    "digest_trigger",
    "context_builder",
    "thread_builder",
    "segmenter",
    "emotion",
    "roles",
    "topic",
    "synthesis",
    "writer",
    "delivery_manager",
];
const SAID: [(&str, &str); 7] = [
    ("Cy", "Which day does the release go out?"),
    ("Ann", "We decided: the release goes out on Thursday."),
    ("Bo", "I will write the notes by Friday."),
    ("Ann", "Could somebody look at the invoice export?"),
    ("Bo", "The invoice export works again since this morning."),
    ("Ann", "Thanks, the invoice export looks great now!"),
    ("Bo", "Then that is done."),
];

/// The unit that a span is of.
fn unit(span: &KeptSpan) -> &str {
    span.name.strip_prefix("group_digest_orchestrator.").unwrap_or_default()
}

/// Spans by trace and id; a span that is sent twice is the same.
struct Spans(BTreeMap<(String, String), KeptSpan>);

impl Spans {
    fn of(text: &str) -> anyhow::Result<Self> {
        let mut spans = BTreeMap::new();
        for span in kept_spans(text)? {
            spans.insert((span.trace_id.clone(), span.span_id.clone()), span);
        }
        Ok(Self(spans))
    }

    fn parent(&self, span: &KeptSpan) -> anyhow::Result<&KeptSpan> {
        let place = (span.trace_id.clone(), span.parent_span_id.clone());
        self.0.get(&place).with_context(|| format!("nothing above {span:?}"))
    }

    /// The one that a span without a parent is linked to.
    fn linked(&self, span: &KeptSpan) -> anyhow::Result<&KeptSpan> {
        ensure!(span.links.len() == 1, "no single link: {span:?}");
        self.first_linked(span)
    }

    /// The one that a span without a parent is linked to before others.
    fn first_linked(&self, span: &KeptSpan) -> anyhow::Result<&KeptSpan> {
        ensure!(span.parent_span_id.is_empty() && !span.links.is_empty(), "no link: {span:?}");
        self.0.get(&span.links[0]).with_context(|| format!("what {span:?} links to was not sent"))
    }

    /// Those of a unit in a trace.
    fn in_trace(&self, trace_id: &str, of: &str) -> Vec<&KeptSpan> {
        self.0.values().filter(|span| span.trace_id == trace_id && unit(span) == of).collect()
    }
}

#[test]
fn a_delivered_digests_spans_lead_back_to_the_messages_of_its_window() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("spans")? else { return Ok(()) };
    let Some(collector) = OtlpCollector::start(pipeline.directory())? else { return pipeline.finish() };
    let traced = [("GISTMILL_TELEMETRY__OTLP_ENDPOINT", collector.address())];
    let up = pipeline.spawn("up", &["up"], &traced)?;
    let lines = SAID.iter().zip(1..).map(|((person, text), id)| {
        let author = json!({ "id": format!("u_{}", person.to_lowercase()), "name": person });
        json!({ "id": id, "sent_at": NOON + id * 60_000, "author": author, "text": text }).to_string()
    });
    let path = pipeline.directory().join("chat.jsonl");
    fs::write(&path, lines.collect::<Vec<_>>().join("\n"))?;
    let arguments = Pipeline::import_arguments(path.to_str().context("a path")?, "alpha");
    let imported = pipeline.output(&arguments, &traced)?;
    ensure!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    settle(&pipeline)?;
    up.stop(PATIENCE)?;
    let text = collector.stop()?;
    for (_, words) in SAID {
        assert!(!text.contains(words), "a span holds {words:?}");
    }
    assert_leads_back(&Spans::of(&text)?)?;
    pipeline.finish()
}

fn assert_leads_back(spans: &Spans) -> anyhow::Result<()> {
    let ends: Vec<_> = spans.0.values().filter(|span| unit(span) == "file_sink").collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    let mut span = ends[0];
    let (trace_id, window_id) = (&span.trace_id, &span.attributes["window_id"]);
    // Who kept it and who delivered it, and below each what is told of it.
    for sink in ["postgres_sink", "file_sink"] {
        let found = spans.in_trace(trace_id, sink);
        assert_eq!(found.len(), 1, "{sink}: {found:?}");
        assert_eq!(unit(spans.parent(found[0])?), "delivery_manager", "{sink}");
        let told = spans.in_trace(trace_id, "postgres_outbox_source");
        let below = told.iter().filter(|span| span.parent_span_id == found[0].span_id);
        assert_eq!(below.count(), 1, "{sink}: {told:?}");
    }
    for of in CHAIN.iter().rev() {
        let below = span;
        span = spans.parent(span)?;
        assert_eq!(unit(span), *of);
        assert_eq!(&span.attributes["window_id"], window_id, "{of}");
        assert_eq!(
            (span.attributes["retry"].as_str(), span.attributes["tenant_id"].as_str()),
            ("false", "acme")
        );
        assert!(span.times.0 <= span.times.1 && span.times.0 <= below.times.1, "{of}: {span:?}");
    }
    let window = spans.linked(span)?;
    assert_eq!((unit(window), &window.attributes["window_id"]), ("window_builder", window_id));
    let completed = spans.first_linked(window)?;
    assert_eq!(unit(completed), "telegram_export_source");
    // All seven messages, in the record that completed the window or in others.
    assert_eq!(window.attributes["messages_unlinked"], "0");
    for link in &window.links {
        let record = spans.0.get(link).with_context(|| format!("what {window:?} links to was not sent"))?;
        assert_eq!(unit(record), "telegram_export_source");
    }
    let context = spans.in_trace(trace_id, "context_builder");
    assert!(context.iter().all(|span| span.attributes.contains_key("lookup_ms")), "{context:?}");
    // Sources and sinks of messages, each below the source.
    for sink in ["postgres_sink", "telegram_export_source"] {
        assert!(!spans.in_trace(&completed.trace_id, sink).is_empty(), "{sink}");
    }
    Ok(())
}
