//! A real OpenTelemetry Collector, which keeps the spans that it is sent in a file.

use crate::{
    health::free_port,
    patience::{PATIENCE, eventually},
    process::Process,
};
use anyhow::Context;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

/// A span as the collector has kept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSpan {
    /// Its name.
    pub name: String,
    /// Its trace, 32 hex digits.
    pub trace_id: String,
    /// Itself, 16 hex digits.
    pub span_id: String,
    /// The span above it; empty where there is none.
    pub parent_span_id: String,
    /// Trace and span of each link.
    pub links: Vec<(String, String)>,
    /// Attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// When it began and ended, in ns.
    pub times: (u64, u64),
}

/// The collector, for as long as this lives.
#[derive(Debug)]
pub struct OtlpCollector {
    process: Process,
    file: PathBuf,
    address: String,
}

impl OtlpCollector {
    /// Starts the program that `TEST_GISTMILL_COLLECTOR` names (`tests/collector/prepare` makes it); `None`, said on standard
    /// error, without one.
    ///
    /// # Errors
    /// It does not listen.
    pub fn start(directory: &Path) -> anyhow::Result<Option<Self>> {
        let program = std::env::var_os("TEST_GISTMILL_COLLECTOR").unwrap_or_default();
        if program.is_empty() {
            eprintln!("skipped: TEST_GISTMILL_COLLECTOR names no collector");
            return Ok(None);
        }
        let (port, file) = (free_port()?, directory.join("spans.json"));
        let settings = directory.join("collector.yaml");
        fs::write(&settings, settings_text(port, &file))?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&settings);
        let mut process = Process::spawn("collector", command, directory)?;
        eventually("the collector listens", PATIENCE, || {
            if let Some(status) = process.ended()? {
                anyhow::bail!("the collector ended with {status}: {}", process.log()?);
            }
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
        })?;
        Ok(Some(Self { process, file, address: format!("http://127.0.0.1:{port}") }))
    }

    /// What `telemetry.otlp_endpoint` is to be.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends it; its file, as text.
    ///
    /// # Errors
    /// It does not end, or kept nothing.
    pub fn stop(self) -> anyhow::Result<String> {
        self.process.stop(PATIENCE)?;
        fs::read_to_string(&self.file).context("could not read the collector's file")
    }
}

fn settings_text(port: u16, file: &Path) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
         exporters: {{file: {{path: '{}'}}}}\n\
         service:\n  telemetry: {{metrics: {{level: none}}}}\n  \
         pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}\n",
        file.display()
    )
}

/// The spans of a collector's file: a line for each batch that it was sent.
///
/// # Errors
/// A line is no batch of spans.
pub fn kept_spans(text: &str) -> anyhow::Result<Vec<KeptSpan>> {
    let mut spans = Vec::new();
    for line in text.lines() {
        let batch: Value = serde_json::from_str(line).context("could not read a batch of spans")?;
        for resource in items(&batch, "resourceSpans") {
            for scope in items(resource, "scopeSpans") {
                for span in items(scope, "spans") {
                    spans.push(kept(span)?);
                }
            }
        }
    }
    Ok(spans)
}

fn kept(span: &Value) -> anyhow::Result<KeptSpan> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let time = |name: &str| text(span, name).parse().with_context(|| format!("no {name}: {span}"));
    let of_attribute = |pair: &Value| {
        let value = &pair["value"];
        let is_true = value["boolValue"].as_bool().map(|it| it.to_string());
        let number = value["intValue"].as_str().map(str::to_owned);
        (text(pair, "key"), is_true.or(number).unwrap_or_else(|| text(value, "stringValue")))
    };
    Ok(KeptSpan {
        name: text(span, "name"),
        trace_id: text(span, "traceId"),
        span_id: text(span, "spanId"),
        parent_span_id: text(span, "parentSpanId"),
        links: items(span, "links").map(|link| (text(link, "traceId"), text(link, "spanId"))).collect(),
        attributes: items(span, "attributes").map(of_attribute).collect(),
        times: (time("startTimeUnixNano")?, time("endTimeUnixNano")?),
    })
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}
