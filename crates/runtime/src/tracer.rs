//! Spans of an OTLP collector: one for each piece of work on a record.
//!
//! Invariant: ids of spans are functions of the record, and the id of whoever wrote it is that of its `traceparent`; so what a
//! killed process tells again is the same span.

mod messages;

use crate::{collector::Collector, span_attributes, span_place::Place};
use engine::{log::RecordView, shapes::Took};
use messages::Messages;
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Link, Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
        Tracer as _, TracerProvider,
    },
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider, TracerProviderBuilder},
};
use processor::{AnyRecord, Emission};
use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, SystemTime},
};

thread_local! {
    static NEXT_TRACE: Cell<Option<TraceId>> = const { Cell::new(None) };
    static NEXT_SPAN: Cell<Option<SpanId>> = const { Cell::new(None) };
}

/// Gives spans the ids that the record's `traceparent` names.
#[derive(Debug, Default)]
struct InputIds(RandomIdGenerator);

impl IdGenerator for InputIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT_TRACE.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        NEXT_SPAN.take().unwrap_or_else(|| self.0.new_span_id())
    }
}

/// What was done, and for how long up to now.
struct Work<'a> {
    kind: SpanKind,
    unit: &'a str,
    record: &'a dyn AnyRecord,
    took: Duration,
    /// What is said besides what the record says.
    attributes: Vec<KeyValue>,
}

/// Most links of a span: the record that completed a window, and those that hold its messages. A link is some 40 bytes, so
/// that the exporter's largest batch, of 512 spans, stays below the 20 MiB that a Collector takes at once. OpenTelemetry's
/// own limit is 128.
const LINKS_MAX: u32 = 512;

/// Sends spans to an OTLP endpoint. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    spans: SdkTracer,
    provider: SdkTracerProvider,
    messages: Arc<Messages>,
}

impl Tracer {
    /// A tracer to the whole address `endpoint`; none when there is no endpoint.
    pub(crate) fn start(endpoint: Option<&str>) -> Result<Option<Self>, String> {
        let Some(endpoint) = endpoint else { return Ok(None) };
        let exporter = Collector::at(endpoint)?;
        Ok(Some(Self::with(|builder| builder.with_batch_exporter(exporter))))
    }

    /// One that hands each span over as it ends.
    #[cfg(test)]
    pub(crate) fn to(exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static) -> Self {
        Self::with(|builder| builder.with_simple_exporter(exporter))
    }

    fn with(exporting: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> Self {
        let resource = opentelemetry_sdk::Resource::builder().with_service_name("gistmill").build();
        let builder =
            SdkTracerProvider::builder().with_id_generator(InputIds::default()).with_resource(resource);
        let builder = builder.with_max_links_per_span(LINKS_MAX);
        let provider = exporting(builder).build();
        Self { spans: provider.tracer("gistmill"), provider, messages: Arc::default() }
    }

    /// Remembers what a unit has read, where the spans of what it makes are to be linked to it.
    pub(crate) fn read(&self, stage: &str, input: &RecordView<'_>, record: &dyn AnyRecord) {
        self.messages.read(stage, (input.partition, input.offset), record, || parent_span(input));
    }

    /// Records the work of a processor that made `output` out of `input`, in the time `took` up to now.
    pub(crate) fn record(&self, stage: &str, input: &RecordView<'_>, output: &dyn AnyRecord, took: Took) {
        let cause = parent_span(input);
        let held = self.messages.of_window(output, cause.as_ref(), LINKS_MAX as usize - 1);
        let unlinked = held.as_ref().map(|held| KeyValue::new("messages_unlinked", held.unlinked));
        let attributes = span_attributes::waits(took).chain(unlinked).collect();
        let work =
            Work { kind: SpanKind::Internal, unit: stage, record: output, took: took.work, attributes };
        let linked = held.map(|held| held.spans).unwrap_or_default();
        self.span(&work, &Place::of_output(stage, output), (cause, linked));
    }

    /// Records that a source has written these, whose transaction took so long up to now.
    pub(crate) fn published(&self, source: &str, emissions: &[Emission], took: Duration) {
        for record in emissions.iter().map(|emission| emission.record.as_ref()) {
            let work = Work { kind: SpanKind::Producer, unit: source, record, took, attributes: Vec::new() };
            let parent = Place::of_teller(record).and_then(|place| context(&place.trace, &place.span));
            self.span(&work, &Place::of_output(source, record), (parent, Vec::new()));
        }
    }

    /// Records that a sink has written `record`, `took` after it had read it.
    pub(crate) fn written(&self, sink: &str, input: &RecordView<'_>, record: &dyn AnyRecord, took: Duration) {
        let work = Work { kind: SpanKind::Consumer, unit: sink, record, took, attributes: Vec::new() };
        self.span(&work, &Place::in_sink(sink, record), (parent_span(input), Vec::new()));
    }

    fn span(&self, work: &Work<'_>, place: &Place, (cause, linked): (Option<SpanContext>, Vec<SpanContext>)) {
        let (Ok(trace), Ok(span)) = (TraceId::from_hex(&place.trace), SpanId::from_hex(&place.span)) else {
            return;
        };
        #[expect(clippy::disallowed_methods, reason = "a span tells when work was done; no record holds it")]
        let began = SystemTime::now().checked_sub(work.took).unwrap_or(SystemTime::UNIX_EPOCH);
        // What made a window complete, or a digest be asked for, is of another trace: a link, since a parent is of the same one.
        let (context, first) = match cause {
            Some(parent) if parent.trace_id() == trace => {
                (Context::new().with_remote_span_context(parent), None)
            }
            other => (Context::new(), other),
        };
        let links = first.into_iter().chain(linked).map(Link::with_context).collect();
        NEXT_SPAN.set(Some(span));
        NEXT_TRACE.set(Some(trace));
        let builder = self
            .spans
            .span_builder(format!("group_digest_orchestrator.{}", work.unit))
            .with_kind(work.kind.clone())
            .with_start_time(began)
            .with_links(links)
            .with_attributes(
                span_attributes::of(work.record).into_iter().chain(work.attributes.iter().cloned()),
            );
        let mut span = builder.start_with_context(&self.spans, &context);
        NEXT_TRACE.take();
        span.end();
    }

    /// Sends what is there, and goes on.
    pub(crate) fn flush(&self) {
        tell(self.provider.force_flush());
    }

    /// Sends what is left.
    pub(crate) fn finish(&self) {
        tell(self.provider.shutdown());
    }
}

fn tell(sent: OTelSdkResult) {
    if let Err(error) = sent {
        tracing::warn!(%error, "could not send the last traces");
    }
}

/// The span that the input's `traceparent` names.
fn parent_span(input: &RecordView<'_>) -> Option<SpanContext> {
    let headers = input.headers.to_vec();
    let (_, value) = headers.into_iter().find(|(key, _)| key == "traceparent")?;
    let text = String::from_utf8(value?).ok()?;
    let mut parts = text.split('-').skip(1);
    context(parts.next()?, parts.next()?)
}

fn context(trace: &str, span: &str) -> Option<SpanContext> {
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    Some(SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default()))
}

#[cfg(test)]
mod tests;
