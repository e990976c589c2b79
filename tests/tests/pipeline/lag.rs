//! `gistmill lag` where topics end with plain records, and where Postgres is away.

use anyhow::ensure;
use schemas::GroupMessageIngested;
use serde_json::Value;
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

fn count(lag: &Value, unit: &str) -> Option<u64> {
    let units = lag["units"].as_array()?;
    units.iter().find(|found| found["unit"] == unit)?["consumable"]["count"].as_u64()
}
