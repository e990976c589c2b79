//! Proves that kills change no digest: one run left alone, one in which every processor, sink and source is killed
//! with SIGKILL while something of its is uncommitted, and the canonical exports of both.
//!
//! `prove DIRECTORY [EXPORT]`: writes `undisturbed.jsonl` and `killed.jsonl` into the directory. Without an export the
//! two samples and a made-up chat of 120 days are imported. `tests/prove` runs it on a stack of its own and compares.

use anyhow::{Context, bail, ensure};
use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tests::{
    Chat, Hit, OpenTransactions, Pipeline, Process, Stretch, TENANT, committed, eventually,
    kill_in_transaction, kill_in_write, settle_within,
};

/// Longest wait for rest, and for a moment to kill in: an export may be large.
const LONG: Duration = Duration::from_mins(15);
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
const UNITS: [(&str, Work); 13] = [
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
    ("delivery_manager", Work::Topic("digest.stage.delivery_manager.completed.v1")),
    ("file_sink", Work::Tables("deliveries")),
    ("postgres_outbox_source", Work::Topic("digest.persisted.v1")),
];

struct Proof {
    began: Instant,
    /// Groups and the files imported into them.
    inputs: Vec<(String, PathBuf)>,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().context("usage: prove DIRECTORY [EXPORT]")?);
    let inputs = if let Some(export) = arguments.next() {
        vec![("qa_load".to_owned(), std::fs::canonicalize(export)?)]
    } else {
        // The samples alone give each stage a handful of transactions, too few to be sure to hit one.
        let long = Chat::new("made_up", 120, 12);
        let samples = ["engineering_en", "garden_ru"].map(|name| (name.to_owned(), sample(name)));
        samples.into_iter().chain([(long.group.clone(), long.write(&directory)?)]).collect()
    };
    let proof = Proof { began: Instant::now(), inputs };
    proof.run("undisturbed", &directory, Proof::undisturbed)?;
    proof.run("killed", &directory, Proof::killed)
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format!("{name}.json"))
}

impl Proof {
    fn say(&self, text: &str) -> anyhow::Result<()> {
        writeln!(stdout(), "{:7.1} s  {text}", self.began.elapsed().as_secs_f64()).context("could not write")
    }

    /// One run from an empty pipeline to its canonical export.
    fn run(
        &self,
        name: &str,
        directory: &Path,
        flow: impl Fn(&Self, &Pipeline) -> anyhow::Result<Vec<Process>>,
    ) -> anyhow::Result<()> {
        let Some(pipeline) = Pipeline::start(name)? else { bail!("no stack") };
        let processes = flow(self, &pipeline)?;
        let seen = settle_within(&pipeline, &[], LONG)?;
        let rows = pipeline.rows.number("SELECT count(*) FROM messages")?;
        let export = pipeline.gistmill(&["digest", "export", "--tenant", TENANT, "--canonical"])?;
        std::fs::write(directory.join(format!("{name}.jsonl")), &export)?;
        self.say(&format!(
            "{name}: at rest; {} records on {} topics, {rows} message rows, {} digests, {} blocked, {} delivered",
            seen.seen().len(),
            pipeline.map.topics().filter(|topic| topic.record.is_some()).count(),
            export.lines().count(),
            seen.count("digest.blocked.v1"),
            seen.count("digest.delivered.v1"),
        ))?;
        drop(processes);
        pipeline.finish()
    }

    fn undisturbed(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<Process>> {
        let up = pipeline.up_without(&[])?;
        for (group, file) in &self.inputs {
            let summary = pipeline.import(file, group)?;
            self.say(&format!("undisturbed: imported {group}: {} messages", summary["read"]))?;
        }
        Ok(vec![up])
    }

    fn killed(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<Process>> {
        for statement in SLOW_WRITES {
            pipeline.rows.query(statement, &[])?;
        }
        for (group, file) in &self.inputs {
            self.kill_import(pipeline, group, file)?;
        }
        UNITS.iter().map(|(name, work)| self.kill_unit(pipeline, name, work)).collect()
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
