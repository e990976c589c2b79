//! A database that another Kafka cluster filled: nobody publishes its rows here, and nobody takes its offsets for ours.

use tests::{Chat, Isolation, PATIENCE, Pipeline, Readiness, Stranger, eventually, free_port, settle};

/// Units with a store.
const UNITS: [&str; 4] = ["postgres_sink", "file_sink", "postgres_outbox_source", "context_builder"];

#[test]
fn units_with_a_store_refuse_the_database_of_another_cluster() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("foreign_db")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 4, 12).write(pipeline.directory())?, "alpha")?;
    let before = settle(&pipeline)?.into_seen();
    up.stop(PATIENCE)?;
    pipeline.rows.query("UPDATE installation SET cluster_id = 'elsewhere'", &[])?;
    let row = "INSERT INTO outbox (tenant_id, group_id, port, payload)
        SELECT tenant_id, group_id, port, payload FROM outbox LIMIT 1";
    pipeline.rows.query(row, &[])?;

    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let up = pipeline.spawn("up-again", &["up"], &[("GISTMILL_HTTP__LISTEN", &listen)])?;
    let readiness = eventually("all units with a store have ended", PATIENCE, || {
        let of_all = |found: &Readiness| UNITS.iter().all(|unit| found.of(unit).contains("elsewhere"));
        Ok(Readiness::at(port)?.filter(of_all))
    })?;
    assert!(!readiness.is_ready, "{readiness:?}");
    pipeline.import(&Chat::later("beta", 5, 2, 12).write(pipeline.directory())?, "beta")?;
    let mut stranger = Stranger::of(&pipeline, Isolation::Committed)?;
    eventually("windows of the second import have come", PATIENCE, || {
        stranger.catch_up()?;
        let more = stranger.count("digest.generate.requested.v1") + stranger.count("digest.blocked.v1");
        let had = |topic: &str| before.iter().filter(|seen| seen.topic == topic).count();
        Ok((more > had("digest.generate.requested.v1") + had("digest.blocked.v1")).then_some(()))
    })?;
    for topic in ["digest.persisted.v1", "digest.context.prepared.v1", "digest.dlq.v1"] {
        let had = before.iter().filter(|seen| seen.topic == topic).count();
        assert_eq!(stranger.count(topic), had, "{topic}");
    }
    up.kill()?;
    pipeline.finish()
}
