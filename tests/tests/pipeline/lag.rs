//! `gistmill lag` where topics end with plain records, and where Postgres is away.

use anyhow::{Context, ensure};
use schemas::GroupMessageIngested;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};
use tests::{Foreign, Pipeline, TENANT, free_port, said};

/// Two units read these records, one after the other by the same command. A stock producer leaves no marker of a
/// transaction behind them.
#[test]
fn lag_counts_plain_records_and_tells_without_postgres_what_kafka_knows() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("lag")? else { return Ok(()) };
    let foreign = Foreign::<GroupMessageIngested>::to(&pipeline)?;
    for (id, partition) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)] {
        foreign.send(&said("alpha", id), Some(&format!("{TENANT}/alpha")), partition)?;
    }
    foreign.flush()?;

    let whole = lag(&pipeline, None)?;
    assert_eq!((count(&whole, "window_builder"), count(&whole, "postgres_sink")), (Some(5), Some(5)));
    assert_eq!((&whole["postgres_unknown"], &whole["unknown"]), (&Value::Null, &Value::Array(Vec::new())));

    assert_eq!([failed_above(&pipeline, "15")?, failed_above(&pipeline, "14")?], [Some(0), Some(1)]);
    watched(&pipeline)?;

    let nobody = format!("postgres://nobody@127.0.0.1:{}/gistmill", free_port()?);
    let partial = lag(&pipeline, Some(&nobody))?;
    assert_eq!((count(&partial, "window_builder"), count(&partial, "postgres_sink")), (Some(5), None));
    let unknown: Vec<&str> = partial["unknown"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|unit| unit["unit"].as_str())
        .collect();
    assert_eq!(unknown, ["file_sink", "postgres_sink", "postgres_outbox_source"]);
    let why = partial["postgres_unknown"].as_str().expect("a reason");
    assert!(why.contains("could not reach postgres at 127.0.0.1"), "{why}");
    pipeline.finish()
}

fn lag(pipeline: &Pipeline, postgres: Option<&str>) -> anyhow::Result<Value> {
    let mut command = pipeline.command(&["lag", "--json"]);
    command.envs(postgres.map(|url| ("GISTMILL_POSTGRES__URL", url)));
    let output = command.output()?;
    ensure!(output.status.success(), "lag: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The exit code of `lag --fail-above`.
fn failed_above(pipeline: &Pipeline, most: &str) -> anyhow::Result<Option<i32>> {
    Ok(pipeline.output(&["lag", "--fail-above", most], &[])?.status.code())
}

/// `lag --watch` looks again and again, a line for each look.
fn watched(pipeline: &Pipeline) -> anyhow::Result<()> {
    let mut watch = pipeline.command(&["lag", "--watch", "--json"]).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(watch.stdout.take().context("it has an output")?).lines();
    let looks: Vec<Value> =
        lines.take(2).map(|line| Ok(serde_json::from_str(&line?)?)).collect::<anyhow::Result<_>>()?;
    watch.kill()?;
    watch.wait()?;
    assert_eq!(looks.iter().map(|look| count(look, "postgres_sink")).collect::<Vec<_>>(), [Some(5), Some(5)]);
    assert!(looks[0]["measured_at_ms"].as_i64() < looks[1]["measured_at_ms"].as_i64());
    Ok(())
}

fn count(lag: &Value, unit: &str) -> Option<u64> {
    let units = lag["units"].as_array()?;
    units.iter().find(|found| found["unit"] == unit)?["consumable"]["count"].as_u64()
}
