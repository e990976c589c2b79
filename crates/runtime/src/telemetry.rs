//! Logs, TLS and signals: set up once per process.
//!
//! Invariant: no message text in logs.

use crate::config::Telemetry;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error, once; later calls change nothing.
pub fn start_logging(telemetry: &Telemetry) -> Result<(), String> {
    let filter = filter(&telemetry.log)
        .map_err(|error| format!("could not read telemetry.log {:?}: {error}", telemetry.log))?;
    // A line that cannot be written is told of on standard error, where nobody reads either: that panics, in whichever thread.
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
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

/// Chooses the process's TLS implementation, once, before any client is made; later calls change nothing.
pub fn use_tls_provider() {
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
