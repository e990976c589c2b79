//! Kills `qdrant_sink` with SIGKILL between its points and their offset, again and again.

use crate::{
    kill::{Hit, kill_in_write},
    pipeline::Pipeline,
    points::Points,
};
use std::time::Duration;

const CATCH: Duration = Duration::from_secs(10);
/// Keeps the transaction that moves an offset open, after its points are written, and marks it: a claim touches the same row.
const SLOW_OFFSETS: [&str; 3] = [
    "CREATE TABLE slow_offsets (marked boolean)",
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
     AS 'BEGIN INSERT INTO slow_offsets VALUES (true); PERFORM pg_sleep(0.1); RETURN NULL; END'",
    "CREATE TRIGGER slowly AFTER UPDATE ON sink_offsets FOR EACH ROW \
     WHEN (NEW.consumer_group = 'qdrant_sink' AND NEW.next_offset > OLD.next_offset) EXECUTE FUNCTION slowly()",
];
const FAST_OFFSETS: &str = "DROP TRIGGER slowly ON sink_offsets";

/// Starts and kills the sink until so many kills have hit a moment at which points are written whose offset is not; how many
/// were needed.
///
/// # Errors
/// Twice as many and ten are not enough, or the stack refuses.
pub fn kill_index_sink(pipeline: &Pipeline, points: &Points<'_>, wanted: usize) -> anyhow::Result<usize> {
    for statement in SLOW_OFFSETS {
        pipeline.rows.query(statement, &[])?;
    }
    let (mut hits, mut kills) = (0, 0);
    while hits < wanted {
        anyhow::ensure!(kills < 2 * wanted + 10, "{hits} of {kills} kills hit, {wanted} were wanted");
        kills += 1;
        if let Some(Hit::Postgres(_)) = kill_in_write(points.sink()?, pipeline, "slow_offsets", CATCH)? {
            hits += 1;
        }
    }
    pipeline.rows.query(FAST_OFFSETS, &[])?;
    Ok(kills)
}
