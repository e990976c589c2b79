//! A registry that takes connections and never answers: said by everything that says something, and gone on from.

use std::collections::BTreeSet;
use tests::{Chat, PATIENCE, Pipeline, Readiness, Relay, eventually, free_port, metrics, settle_without};

/// They read what the import writes, under a schema that they have not seen.
const READERS: [&str; 2] = ["window_builder", "postgres_sink"];

#[test]
fn a_registry_that_never_answers_is_told_by_log_readiness_and_metric() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("silent")? else { return Ok(()) };
    let url = &pipeline.stack.registry_url;
    let host = url.split('/').nth(2).expect("an address");
    let relay = Relay::to(host)?;
    let (port, relayed) = (free_port()?, url.replace(host, &relay.address().to_string()));
    let listen = format!("127.0.0.1:{port}");
    let others = others(&pipeline);
    let without = others.iter().flat_map(|unit| ["--without", unit]);
    let arguments: Vec<&str> = ["up"].into_iter().chain(without).collect();
    let variables = [("GISTMILL_REGISTRY__URL", &*relayed), ("GISTMILL_HTTP__LISTEN", &*listen)];
    let up = pipeline.spawn("up", &arguments, &variables)?;
    let is_ready = || Ok(Readiness::at(port)?.filter(|found| found.is_ready).map(drop));
    eventually("both are ready", PATIENCE, is_ready)?;

    relay.fall_silent(true);
    let chat = Chat::new("alpha", 6, 12);
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    let state = |unit: &str| format!(r#"gistmill_unit_state{{state="waiting",unit="{unit}"}} 1"#);
    for unit in READERS {
        let readiness = eventually(&format!("{unit} says that it waits"), PATIENCE, || {
            Ok(Readiness::at(port)?.filter(|found| found.of(unit).starts_with("waiting: ")))
        })?;
        assert!(readiness.of(unit).contains(&relay.address().to_string()), "{readiness:?}");
        assert!(!readiness.is_ready);
        let metrics = metrics(port)?;
        assert!(metrics.contains(&state(unit)), "{metrics}");
        let log = up.log()?;
        let said = log.lines().filter(|line| line.contains("waiting: ") && line.contains(unit));
        assert!(said.count() > 0, "{log}");
    }

    relay.fall_silent(false);
    settle_without(&pipeline, &others.iter().copied().collect::<Vec<_>>())?;
    eventually("both are ready again", PATIENCE, is_ready)?;
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, chat.states.len() as i64);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

fn others(pipeline: &Pipeline) -> BTreeSet<&str> {
    let processors = pipeline.map.processors().map(|unit| unit.name.as_str());
    let connectors = ["file_sink", "postgres_outbox_source"];
    processors.chain(connectors).filter(|unit| !READERS.contains(unit)).collect()
}
