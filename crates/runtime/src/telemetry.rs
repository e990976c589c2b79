//! Logs, traces and signals: set up once per process.
//!
//! Invariant: no message text in logs; span ids are functions of the input, as in the records' `traceparent`.

use crate::{collector::Collector, config::Telemetry, span_attributes};
use engine::log::RecordView;
use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider,
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider};
use processor::AnyRecord;
use schemas::span_id;
use std::{
    cell::Cell,
    io::IsTerminal,
    time::{Duration, SystemTime},
};
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error, once; later calls change nothing.
pub fn start_logging(telemetry: &Telemetry) -> Result<(), String> {
    let filter = filter(&telemetry.log)
        .map_err(|error| format!("could not read telemetry.log {:?}: {error}", telemetry.log))?;
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if telemetry.json {
        base.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        let text = base.compact().with_target(false);
        // What is coloured by default is not where NO_COLOR is set: `with_ansi(true)` would be.
        if std::io::stderr().is_terminal() { text.try_init() } else { text.with_ansi(false).try_init() }
    };
    // A second start in one process keeps the first one's logger.
    drop(started);
    Ok(())
}

/// The lines that are logged: those that `log` names. What the exporter of traces says at each batch that is refused, its
/// [`Collector`] says once, unless `log` asks for both.
pub(crate) fn filter(log: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("opentelemetry-otlp=off,{log}"))
}

/// Chooses the process's TLS implementation, before any client is made.
pub(crate) fn use_tls_provider() {
    // Chosen already by an earlier host of the process: the same one.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// Listens for SIGTERM and SIGINT from when it is made.
#[derive(Debug)]
pub(crate) struct Termination(Option<[tokio::signal::unix::Signal; 2]>);

impl Termination {
    /// Begins to listen; to be called inside an async runtime. Where the system allows no handlers the signals end the
    /// process by themselves, uncommitted.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(
            signal(SignalKind::terminate())
                .ok()
                .zip(signal(SignalKind::interrupt()).ok())
                .map(<[_; 2]>::from),
        )
    }

    /// Resolves at the next of them.
    pub(crate) async fn asked(&mut self) {
        match &mut self.0 {
            Some([terminate, interrupt]) => {
                tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
            }
            None => std::future::pending().await,
        }
    }
}

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

/// Sends one span per input to an OTLP endpoint. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Tracer {
    /// A tracer to the whole address `endpoint`; none when there is no endpoint.
    pub(crate) fn start(endpoint: Option<&str>) -> Result<Option<Self>, String> {
        let Some(endpoint) = endpoint else { return Ok(None) };
        let exporter = Collector::at(endpoint)?;
        let resource = opentelemetry_sdk::Resource::builder().with_service_name("gistmill").build();
        let provider = SdkTracerProvider::builder()
            .with_id_generator(InputIds::default())
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { tracer: provider.tracer("gistmill"), provider }))
    }

    /// Records the work that made `output` out of `input`, in the time `took` up to now.
    pub(crate) fn record(&self, stage: &str, input: &RecordView<'_>, output: &dyn AnyRecord, took: Duration) {
        let trace = output.trace_id();
        let span = span_id(&trace, stage, &output.identity());
        let (Ok(trace), Ok(span)) = (TraceId::from_hex(&trace), SpanId::from_hex(&span)) else { return };
        NEXT_SPAN.set(Some(span));
        #[expect(clippy::disallowed_methods, reason = "a span tells when work was done; no record holds it")]
        let began = SystemTime::now().checked_sub(took).unwrap_or(SystemTime::UNIX_EPOCH);
        // What made a window complete, or a digest be asked for, is of another trace: a link, since a parent is of the same one.
        let (context, links) = match parent_span(input) {
            Some(parent) if parent.trace_id() == trace => {
                (opentelemetry::Context::new().with_remote_span_context(parent), Vec::new())
            }
            Some(other) => (opentelemetry::Context::new(), vec![Link::with_context(other)]),
            None => (opentelemetry::Context::new(), Vec::new()),
        };
        NEXT_TRACE.set(Some(trace));
        let builder: SpanBuilder = self
            .tracer
            .span_builder(format!("group_digest_orchestrator.{stage}"))
            .with_start_time(began)
            .with_links(links)
            .with_attributes(span_attributes::of(output));
        let mut span = builder.start_with_context(&self.tracer, &context);
        NEXT_TRACE.take();
        span.end();
    }

    /// Sends what is left.
    pub(crate) fn finish(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "could not send the last traces");
        }
    }
}

/// The span that the input's `traceparent` names.
fn parent_span(input: &RecordView<'_>) -> Option<SpanContext> {
    let headers = input.headers.to_vec();
    let (_, value) = headers.into_iter().find(|(key, _)| key == "traceparent")?;
    let text = String::from_utf8(value?).ok()?;
    let mut parts = text.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    Some(SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default()))
}
