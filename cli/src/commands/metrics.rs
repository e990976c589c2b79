//! `gistmill metrics`: every metric of a process, as `/metrics` names them.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use runtime::{Family, Kind};
use serde_json::json;

use crate::exit::Exit;

/// List every metric that a process exposes at /metrics
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gistmill metrics
  gistmill metrics --json
  gistmill metrics --write docs/METRICS.md")]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long, conflicts_with = "write")]
    json: bool,
    /// Write the page to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    write: Option<std::path::PathBuf>,
}

const HEAD: &str = "\
# Metrics

What a process exposes at `/metrics` (`http.listen`, such as `127.0.0.1:9100`), in Prometheus' text format. Written by
`gistmill metrics --write docs/METRICS.md`.

A series appears with the first thing it counts. `unit` is a processor, sink or source by its name in the map; no label names a group, a
chat or a person. `http_*` and `gistmill_gateway_*` are the gateway's, on its own address. Lag, outbox and open transactions are measured every 15 s by each process for its own units: of
several instances take the `max`, not the sum. Where they cannot be measured their series are gone.

| metric | kind | labels | |
|---|---|---|---|
";

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if arguments.json {
        for Family { name, kind, labels, help } in metrics_catalogue() {
            let line = json!({ "name": name, "kind": word(kind), "labels": labels, "help": help });
            writeln!(out, "{line}")?;
        }
    } else if let Some(path) = &arguments.write {
        std::fs::write(path, page()).with_context(|| format!("could not write {}", path.display()))?;
    } else {
        out.write_all(page().as_bytes())?;
    }
    Ok(Exit::Done)
}

/// Every metric of a process, and those that the gateway alone has.
fn metrics_catalogue() -> Vec<Family> {
    let mut all = runtime::metrics_catalogue();
    all.extend(gateway::metrics_catalogue());
    all
}

fn page() -> String {
    let line = |Family { name, kind, labels, help }| {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{name}` | {} | {} | {help} |\n", word(kind), labels.join(", "))
    };
    std::iter::once(HEAD.to_owned()).chain(metrics_catalogue().into_iter().map(line)).collect()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

#[cfg(test)]
mod tests;
