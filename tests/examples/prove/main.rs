//! Proves that disturbances change no digest: one run left alone, one that is disturbed, and the canonical exports of both.
//!
//! `prove DIRECTORY [EXPORT]` kills every processor, sink and source with SIGKILL while something of its is uncommitted.
//! Without an export the two samples and a made-up chat of 120 days are imported. `prove DIRECTORY --instances MINUTES`
//! runs three processes with every unit each, and kills and stops them in turn. Both write `undisturbed.jsonl` and
//! `disturbed.jsonl` into the directory; `tests/prove` runs it on a stack of its own and compares.

mod instances;
mod kills;

use anyhow::{Context, bail};
use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tests::{Chat, Pipeline, Process, TENANT, end_children_on_signals, settle_within};

/// Longest wait for rest, and for a moment to kill in: an export may be large.
const LONG: Duration = Duration::from_mins(15);
const USAGE: &str = "usage: prove DIRECTORY [EXPORT | --instances MINUTES]";

/// Groups and the files imported into them, in order.
type Inputs = Vec<(String, PathBuf)>;

struct Proof {
    began: Instant,
    inputs: Inputs,
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().context(USAGE)?);
    let mut proof = Proof { began: Instant::now(), inputs: Vec::new() };
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--instances"), Some(minutes), None) => {
            let minutes = Duration::from_mins(minutes.parse().context(USAGE)?);
            proof.inputs = proof.run("disturbed", &directory, |proof, pipeline| {
                proof.instances(pipeline, &directory, minutes)
            })?;
            proof.run("undisturbed", &directory, |proof, pipeline| Ok((proof.undisturbed(pipeline)?, ())))
        }
        (export, None, None) => {
            proof.inputs = inputs(&directory, export)?;
            proof.run("undisturbed", &directory, |proof, pipeline| Ok((proof.undisturbed(pipeline)?, ())))?;
            proof.run("disturbed", &directory, |proof, pipeline| Ok((proof.killed(pipeline)?, ())))
        }
        _ => bail!(USAGE),
    }
}

fn inputs(directory: &Path, export: Option<&str>) -> anyhow::Result<Inputs> {
    if let Some(export) = export {
        return Ok(vec![("qa_load".to_owned(), std::fs::canonicalize(export)?)]);
    }
    // The samples alone give each stage a handful of transactions, too few to be sure to hit one.
    let long = Chat::new("made_up", 120, 12);
    let samples = ["engineering_en", "garden_ru"].map(|name| (name.to_owned(), sample(name)));
    Ok(samples.into_iter().chain([(long.group.clone(), long.write(directory)?)]).collect())
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format!("{name}.json"))
}

impl Proof {
    fn say(&self, text: &str) -> anyhow::Result<()> {
        writeln!(stdout(), "{:7.1} s  {text}", self.began.elapsed().as_secs_f64()).context("could not write")
    }

    /// One run from an empty pipeline to its canonical export. The processes of `flow` live until rest.
    fn run<T>(
        &self,
        name: &str,
        directory: &Path,
        flow: impl Fn(&Self, &Pipeline) -> anyhow::Result<(Vec<Process>, T)>,
    ) -> anyhow::Result<T> {
        let Some(pipeline) = Pipeline::start(name)? else { bail!("no stack") };
        let (processes, told) = flow(self, &pipeline)?;
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
        pipeline.finish()?;
        Ok(told)
    }

    fn undisturbed(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<Process>> {
        let up = pipeline.up_without(&[])?;
        for (group, file) in &self.inputs {
            let summary = pipeline.import(file, group)?;
            self.say(&format!("undisturbed: imported {group}: {} messages", summary["read"]))?;
        }
        Ok(vec![up])
    }
}
