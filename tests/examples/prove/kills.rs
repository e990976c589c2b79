//! Every unit, and the import, killed with SIGKILL while something of its is uncommitted.

use crate::{LONG, Proof};
use anyhow::{Context, bail, ensure};
use std::{path::Path, time::Duration};
use tests::{
    Hit, OpenTransactions, Pipeline, Process, Stretch, committed, eventually, kill_in_transaction,
    kill_in_write,
};

const CATCH: Duration = Duration::from_mins(1);
const KILLS_MAX: usize = 10;
/// Holds a transaction open for long enough to be killed in.
const SLOW: [(&str, &str); 1] =
    [("GISTMILL_KAFKA__PRODUCER_PROPERTIES", "queue.buffering.max.messages=1;linger.ms=0")];
/// The same for a write to Postgres.
const SLOW_WRITES: [&str; 3] = [
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END'",
    "CREATE TRIGGER slowly AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
    "CREATE TRIGGER slowly AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
];

/// How a unit's uncommitted work is seen.
enum Work {
    /// On a topic.
    Topic(&'static str),
    /// In these tables.
    Tables(&'static str),
}

/// Units in the order in which each has something to do once those before it run.
const UNITS: [(&str, Work); 14] = [
    ("window_builder", Work::Topic("group.window.ready.v1")),
    ("postgres_sink", Work::Tables("messages,digests,blocked_digests")),
    ("digest_trigger", Work::Topic("digest.generate.requested.v1")),
    ("context_builder", Work::Topic("digest.context.prepared.v1")),
    ("thread_builder", Work::Topic("digest.stage.thread_builder.completed.v1")),
    ("segmenter", Work::Topic("digest.stage.segmenter.completed.v1")),
    ("emotion", Work::Topic("digest.stage.emotion.completed.v1")),
    ("roles", Work::Topic("digest.stage.roles.completed.v1")),
    ("topic", Work::Topic("digest.stage.topic.completed.v1")),
    ("synthesis", Work::Topic("digest.stage.synthesis.completed.v1")),
    ("writer", Work::Topic("digest.stage.writer.completed.v1")),
    ("delivery_manager", Work::Topic("digest.stage.delivery_manager.completed.v1")),
    ("file_sink", Work::Tables("deliveries")),
    ("postgres_outbox_source", Work::Topic("digest.persisted.v1")),
];

impl Proof {
    pub(crate) fn killed(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<Process>> {
        for statement in SLOW_WRITES {
            pipeline.rows.query(statement, &[])?;
        }
        for (group, file) in &self.inputs {
            self.kill_import(pipeline, group, file)?;
        }
        let killed = UNITS.iter().map(|(name, work)| self.kill_unit(pipeline, name, work));
        let mut running = killed.collect::<anyhow::Result<Vec<Process>>>()?;
        // It reads the messages too, and has nothing to say: they hold no commands.
        running.push(pipeline.unit("command_router", &[])?);
        Ok(running)
    }

    fn kill_import(&self, pipeline: &Pipeline, group: &str, file: &Path) -> anyhow::Result<()> {
        let ingested = "group.message.ingested.v1";
        let open = OpenTransactions::on(pipeline, &[ingested])?;
        let arguments = Pipeline::import_arguments(file.to_str().context("could not name a file")?, group);
        let hit = first_hit("import", || {
            kill_in_transaction(pipeline.spawn("import", &arguments, &SLOW)?, &open, 0, CATCH)
        })?;
        self.say(&format!("import of {group}: killed with {}", in_words(&hit)))?;
        let summary = pipeline.import(file, group)?;
        self.say(&format!("import of {group}: repeated, {} messages", summary["read"]))
    }

    /// Kills a unit until it was in the middle of something, then starts it again and waits until it has gone on.
    fn kill_unit(&self, pipeline: &Pipeline, name: &str, work: &Work) -> anyhow::Result<Process> {
        let hit = match work {
            Work::Topic(topic) => {
                let open = OpenTransactions::on(pipeline, &[topic])?;
                first_hit(name, || kill_in_transaction(pipeline.unit(name, &SLOW)?, &open, 0, CATCH))?
            }
            Work::Tables(tables) => {
                first_hit(name, || kill_in_write(pipeline.unit(name, &[])?, pipeline, tables, CATCH))?
            }
        };
        let before = progress(pipeline, name)?;
        let again = pipeline.unit(name, &[])?;
        let after = eventually("it goes on", LONG, || {
            let now = progress(pipeline, name)?;
            Ok((now != before).then_some(now))
        })?;
        self.say(&format!(
            "{name}: killed with {}; offsets {before:?} before, {after:?} after",
            in_words(&hit)
        ))?;
        Ok(again)
    }
}

fn first_hit(name: &str, mut kill: impl FnMut() -> anyhow::Result<Option<Hit>>) -> anyhow::Result<Hit> {
    for _ in 0..KILLS_MAX {
        if let Some(hit) = kill()? {
            return Ok(hit);
        }
    }
    bail!("{name}: {KILLS_MAX} kills, none of which hit something uncommitted")
}

/// Where a unit stands: offsets of its group, of its sink, or records published.
fn progress(pipeline: &Pipeline, name: &str) -> anyhow::Result<Vec<i64>> {
    if pipeline.map.processor(name).is_ok() {
        return committed(pipeline, name);
    }
    let offsets = pipeline.rows.sink_offsets()?;
    let of_sink: Vec<i64> =
        offsets.iter().filter(|(key, _)| key.0 == name).map(|(_, offset)| *offset).collect();
    if of_sink.is_empty() {
        let published = OpenTransactions::on(pipeline, &["digest.persisted.v1", "digest.delivered.v1"])?;
        ensure!(name == "postgres_outbox_source" || name.ends_with("_sink"), "{name} is no unit");
        return Ok(vec![published.stable()?]);
    }
    Ok(of_sink)
}

fn in_words(hit: &Hit) -> String {
    match hit {
        Hit::Kafka(Stretch { topic, partition, stable, high }) => {
            format!("{} uncommitted on {topic}/{partition} at {stable}..{high}", high - stable)
        }
        Hit::Postgres(id) => format!("a write open in transaction {id}, aborted by the server"),
    }
}
