//! What Prometheus is told by a running chain: text that its own linter takes, of metrics that are listed.

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};
use tests::{Chat, PATIENCE, Pipeline, Readiness, eventually, free_port, metrics, partition_of, settle};

/// Those that every chain exposes once it has worked and measured.
const EXPECTED: [&str; 20] = [
    "digest_generation_seconds",
    "digest_quality_score",
    "digest_stage_status_total",
    "digest_context_messages",
    "gistmill_commit_seconds",
    "gistmill_committed_total",
    "gistmill_dead_letters_total",
    "gistmill_digests_total",
    "gistmill_events_total",
    "gistmill_lag_offsets",
    "gistmill_lag_records",
    "gistmill_lag_seconds",
    "gistmill_last_commit_timestamp_seconds",
    "gistmill_measured_timestamp_seconds",
    "gistmill_open_transactions",
    "gistmill_outbox_rows",
    "gistmill_peer_away",
    "gistmill_ready",
    "process_cpu_seconds_total",
    "process_threads",
];

/// Names of families that a text describes.
fn described(text: &str) -> BTreeSet<String> {
    let help = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
    help.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

/// Consumable lag of all units; none until it has been measured.
fn lags(text: &str) -> Option<Vec<f64>> {
    let lines = text.lines().filter(|line| line.starts_with("gistmill_lag_records{"));
    let lags: Vec<f64> = lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    (!lags.is_empty()).then_some(lags)
}

/// Values of a label.
fn values(text: &str, label: &str) -> BTreeSet<String> {
    let starts = [format!("{{{label}=\""), format!(",{label}=\"")];
    let found = |start: &String| -> Vec<String> {
        text.split(start.as_str())
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    };
    starts.iter().flat_map(found).collect()
}

/// A record that nobody can read.
fn poison(pipeline: &Pipeline) -> anyhow::Result<()> {
    let producer: BaseProducer = pipeline.stack.client().create()?;
    let topic = pipeline.topic("group.message.ingested.v1");
    let partition = partition_of(b"acme/alpha", 4);
    let record = BaseRecord::to(&topic).key("acme/alpha").payload("no wire format").partition(partition);
    producer.send(record).map_err(|(error, _)| error)?;
    producer.flush(PATIENCE)?;
    Ok(())
}

/// Prometheus' own linter, where this machine has it.
fn lint(text: &str) -> anyhow::Result<()> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = command.spawn() else {
        eprintln!("skipped: promtool is not here");
        return Ok(());
    };
    promtool.stdin.take().expect("a pipe").write_all(text.as_bytes())?;
    let said = promtool.wait_with_output()?;
    let faults = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && faults.is_empty(), "{}", String::from_utf8_lossy(&faults));
    Ok(())
}

#[test]
fn a_chain_exposes_what_is_listed_and_prometheus_takes_it() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("metrics")? else { return Ok(()) };
    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let up = pipeline.spawn("up", &["up"], &[("GISTMILL_HTTP__LISTEN", &*listen)])?;
    let is_ready = || Ok(Readiness::at(port)?.filter(|found| found.is_ready).map(drop));
    eventually("all are ready", PATIENCE, is_ready)?;
    let chat = Chat::new("alpha", 6, 60);
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    poison(&pipeline)?;
    settle(&pipeline)?;
    let is_whole = || {
        let text = metrics(port)?;
        let at_rest = lags(&text).is_some_and(|lags| lags.iter().all(|lag| *lag == 0.0));
        let found = described(&text);
        Ok((at_rest && EXPECTED.iter().all(|name| found.contains(*name))).then_some(text))
    };
    let text = eventually("all metrics are there, and at rest no unit is behind", PATIENCE, is_whole)?;
    let listed: BTreeSet<String> = pipeline
        .gistmill(&["metrics", "--json"])?
        .lines()
        .map(|line| Ok(serde_json::from_str::<serde_json::Value>(line)?["name"].as_str().map(str::to_owned)))
        .collect::<anyhow::Result<Option<_>>>()?
        .unwrap_or_default();
    let found = described(&text);
    assert!(found.is_subset(&listed), "not listed: {:?}", found.difference(&listed));
    let units: BTreeSet<&str> = pipeline.map.processors().map(|unit| unit.name.as_str()).collect();
    let units: BTreeSet<&str> =
        units.into_iter().chain(pipeline.map.connectors().map(|c| c.name.as_str())).collect();
    for label in ["unit", "stage"] {
        for value in values(&text, label) {
            let is_known = units.contains(&*value) || ["digest", "delivery"].contains(&&*value);
            assert!(is_known, "{label}={value} is no unit: {text}");
        }
    }
    let letters =
        text.lines().find(|line| line.starts_with("gistmill_dead_letters_total{")).unwrap_or_default();
    assert!(letters.contains(r#"reason="wrong_magic""#) && letters.ends_with(" 1"), "{letters}");
    lint(&text)?;
    up.stop(PATIENCE)?;
    pipeline.finish()
}
