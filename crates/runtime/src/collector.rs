//! The collector that spans are sent to, and what is said when it takes none.

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter as Exporter},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tracing::{info, warn};

/// Sends spans, and tells once when they are refused, and once when they are taken again.
#[derive(Debug)]
pub(crate) struct Collector {
    exporter: SpanExporter,
    address: String,
    is_refusing: AtomicBool,
}

impl Collector {
    /// One at the whole `address`; headers, compression and timeout are those of the environment's
    /// `OTEL_EXPORTER_OTLP_*`.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(address)
            .with_protocol(Protocol::HttpBinary)
            .build()
            .map_err(|error| format!("could not use otlp endpoint {address}: {error}"))?;
        Ok(Self { exporter, address: address.to_owned(), is_refusing: AtomicBool::new(false) })
    }

    /// Says what came of sending spans, where that is news.
    fn tell(&self, sent: &OTelSdkResult) {
        let was_refusing = self.is_refusing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(error) if !was_refusing => warn!(
                %error,
                endpoint = self.address,
                "could not send traces: see that an OTLP collector over HTTP listens at telemetry.otlp_endpoint"
            ),
            Ok(()) if was_refusing => info!(endpoint = self.address, "traces are sent again"),
            _ => {}
        }
    }
}

impl Exporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.tell(&self.exporter.export(batch).await);
        // It has been told; the processor would tell it again for each batch.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Log;
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    /// Answers one request after the other with these codes; the first line of each.
    fn answers(
        listener: TcpListener,
        codes: &'static [&'static str],
    ) -> std::thread::JoinHandle<Vec<String>> {
        std::thread::spawn(move || {
            let mut lines = Vec::new();
            for code in codes {
                let (mut stream, _) = listener.accept().expect("a request");
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).expect("readable");
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                lines.push(text.lines().next().unwrap_or_default().to_owned());
                let answer = format!("HTTP/1.1 {code}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).expect("writable");
            }
            lines
        })
    }

    #[test]
    fn a_collector_that_refuses_is_told_once_and_once_when_it_takes_spans_again() {
        crate::telemetry::use_tls_provider();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let served = answers(listener, &["404 Not Found", "404 Not Found", "200 OK"]);
        let collector = Collector::at(&format!("http://127.0.0.1:{port}/v1/traces")).expect("an address");
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(crate::telemetry::filter("info").expect("a filter"))
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..3 {
                waited_for(collector.export(Vec::new())).expect("told, not failed");
            }
        });
        let lines = served.join().expect("served");
        assert_eq!(lines, ["POST /v1/traces HTTP/1.1"; 3]);
        let text = log.text();
        assert_eq!(text.matches("could not send traces").count(), 1, "{text}");
        assert_eq!(text.matches("traces are sent again").count(), 1, "{text}");
        assert!(text.contains("404"), "{text}");
        assert!(!text.contains("OTLP export failed"), "the exporter says it for each batch: {text}");
    }

    /// Polled on this thread: the blocking client must not be used inside an asynchronous runtime.
    fn waited_for<F: Future>(future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
        }
    }
}
