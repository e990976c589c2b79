//! An operator's round through a day's faults: at each step what is so, and what the log of `up`, `/readyz`,
//! `gistmill lag` and `gistmill doctor` say of it.
//!
//! `operator_round DISK [--outage SECONDS] [STEP...]`: `DISK` is a directory to mount a small disk at. Prints a transcript,
//! in which everything untrue is marked, and fails if anything was. It needs `TEST_GISTMILL_BINARY`, and beside it the
//! binary of one processor; `tests/operator_round` builds them and clears up.

mod alerts;
mod disk;
mod look;
mod outages;
mod passwords;
mod poison;
mod round;
mod stopped;

use anyhow::{Context, bail};
use disk::Disk;
use round::Round;
use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use tests::{OwnStack, Pipeline, end_children_on_signals};

const USAGE: &str = "usage: operator_round DISK [--outage SECONDS] [STEP...]";
/// Every step, in the order of the round. Poison comes after the outages, because `doctor` tells of it for a day.
const STEPS: [&str; 8] =
    ["stopped", "postgres", "registry", "kafka", "disk", "poison", "passwords", "alerts"];
/// Those at its end that have stacks of their own.
const APART: usize = 2;

/// What is asked for on the command line.
struct Options {
    disk: PathBuf,
    outage: Duration,
    steps: Vec<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let disk = PathBuf::from(arguments.next().context(USAGE)?);
        let (mut outage, mut steps) = (Duration::from_mins(1), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--outage" => {
                    outage = Duration::from_secs(arguments.next().context(USAGE)?.parse().context(USAGE)?);
                }
                step if STEPS.contains(&step) => steps.push(argument),
                _ => bail!("{argument:?} is none of the steps {}; {USAGE}", STEPS.join(", ")),
            }
        }
        Ok(Self { disk, outage, steps })
    }

    fn wants(&self, step: &str) -> bool {
        self.steps.is_empty() || self.steps.iter().any(|wanted| wanted == step)
    }
}

fn main() -> anyhow::Result<ExitCode> {
    end_children_on_signals()?;
    let options = Options::read(std::env::args().skip(1))?;
    let binary =
        std::env::var_os("TEST_GISTMILL_BINARY").context("TEST_GISTMILL_BINARY names no gistmill")?;
    let binary = PathBuf::from(binary);
    let mut untrue = Vec::new();
    if STEPS[..STEPS.len() - APART].iter().any(|step| options.wants(step)) {
        untrue.extend(on_an_open_stack(&options, binary.clone())?);
    }
    if options.wants("passwords") {
        untrue.extend(passwords::step(binary.clone())?);
    }
    if options.wants("alerts") {
        untrue.extend(alerts::step(binary)?);
    }
    let verdict = match untrue.len() {
        0 => "everything that was said is so".to_owned(),
        count => format!("{count} things that were said are not so:\n{}", untrue.join("\n")),
    };
    writeln!(stdout(), "\n==== {verdict}")?;
    Ok(if untrue.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All steps but the last ones; what was untrue.
fn on_an_open_stack(options: &Options, binary: PathBuf) -> anyhow::Result<Vec<String>> {
    let own = OwnStack::start_with(binary)?;
    let pipeline = Pipeline::start_on(own.addresses()?, "round")?;
    let disk =
        if options.wants("disk") { Disk::mount(&options.disk) } else { Err("not asked for".to_owned()) };
    let files = disk.as_ref().map_or_else(|_| pipeline.files(), Disk::files);
    let mut round = Round::start(&pipeline, &files)?;
    round.healthy_at_start()?;
    if options.wants("stopped") {
        stopped::step(&mut round)?;
    }
    for part in outages::PARTS {
        if options.wants(part.step) {
            outages::step(&mut round, &own, &part, options.outage)?;
        }
    }
    match &disk {
        Ok(disk) => disk::step(&mut round, disk)?,
        Err(why) if options.wants("disk") => round.heading(&format!("a full disk: skipped, {why}"))?,
        Err(_) => {}
    }
    if options.wants("poison") {
        poison::step(&mut round)?;
    }
    let untrue = round.end()?;
    pipeline.leave();
    Ok(untrue)
}
