//! `gistmill bench`: the pipeline's speed against the limits of the broker's client and against other engines.
//!
//! Invariant: it starts a stack of its own and touches no other.

use std::{
    io::{Write, stderr},
    path::PathBuf,
};

use anyhow::Context;
use bench::{Error, Options, Report, Rung, RungOptions};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use stack::Progress;

use crate::exit::Exit;

/// Measure speed against the broker's client and other engines
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill bench window                                     window_builder and Kafka Streams on 1 million messages
  gistmill bench window --records 1000000,4000000 --write   both jobs, and what the longer adds; into bench/RESULTS.md
  gistmill bench ladder --runs 3
  gistmill bench codec --json

Use a release build on a machine that does nothing else: `cargo run --release -p cli -- bench window`. Figures are processor
time, so that other work distorts them less than it does the clock; they are told with the load all the same. bench/README.md says what
is measured and what a figure does not mean.";

#[derive(Debug, Subcommand)]
enum What {
    /// Windows of an hour over a day of 200 chats, exactly once
    #[command(after_help = WINDOW_HELP)]
    Window(Wanted),
    /// What each step of a processor costs on top of the bare client
    #[command(after_help = LADDER_HELP)]
    Ladder(Wanted),
    /// Decoding and encoding, without a broker
    #[command(after_help = CODEC_HELP)]
    Codec(Wanted),
    /// One rung of the ladder, as the others start it
    #[command(hide = true, after_help = "Examples:\n  gistmill bench ladder")]
    Rung(Climb),
}

const WINDOW_HELP: &str = "\
Examples:
  gistmill bench window
  gistmill bench window --records 100000 --runs 1           a look, within two minutes
  gistmill bench window --records 1000000,4000000 --write
  gistmill bench window --without-peers --json

The rows of each engine are compared with those that a single thread finds in the same records; where they differ, that is
told instead of a figure. Kafka Streams is built by Maven from bench/peers; where it cannot be, it is missing, not slower.";

const LADDER_HELP: &str = "\
Examples:
  gistmill bench ladder
  gistmill bench ladder --records 200000 --runs 3 --json";

const CODEC_HELP: &str = "\
Examples:
  gistmill bench codec --records 200000
  gistmill bench codec --json";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line, each of its own")]
struct Wanted {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Put the results into RESULTS.md; refused for a debug build, and on a busy machine
    #[arg(long)]
    write: bool,
    /// Write them even though the load average is above 1 before the start
    #[arg(long)]
    anyway: bool,
    /// Runs of each engine, taken in turns; results are medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Messages of the job; several with commas are several jobs
    #[arg(long, value_name = "N", default_value = "1000000", value_delimiter = ',',
          value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    records: Vec<u64>,
    /// Leave other engines out
    #[arg(long)]
    without_peers: bool,
    /// Folder of `peers` and RESULTS.md
    #[arg(long, value_name = "DIR", default_value = "bench")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
struct Climb {
    /// Its name
    #[arg(value_parser = PossibleValuesParser::new(Rung::ALL.map(Rung::name)))]
    rung: String,
    /// Bootstrap servers
    #[arg(long)]
    brokers: String,
    /// Topic to read
    #[arg(long)]
    input: String,
    /// Topic to write
    #[arg(long)]
    output: String,
    /// Records to read
    #[arg(long)]
    records: u64,
}

type Bench = fn(&Options, &mut dyn FnMut(Progress)) -> Result<Report, Error>;

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.what {
        What::Window(wanted) => measure("window", bench::window, wanted, out),
        What::Ladder(wanted) => measure("ladder", bench::ladder, wanted, out),
        What::Codec(wanted) => measure("codec", bench::codec, wanted, out),
        What::Rung(climb) => {
            let Climb { rung, brokers, input, output, records } = climb;
            let rung = Rung::from_name(&rung).context("no rung has that name")?;
            bench::rung(&RungOptions { rung, brokers, input, output, records }, out)?;
            Ok(Exit::Done)
        }
    }
}

fn measure(name: &str, bench: Bench, wanted: Wanted, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let json = wanted.json;
    let report = bench(&options(name, wanted)?, &mut say)?;
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", bench::markdown(&report))?;
    }
    let wrong = report.lines.iter().any(|line| matches!(line.verdict, bench::Verdict::Wrong(_)));
    Ok(if wrong { Exit::Failed } else { Exit::Done })
}

fn options(name: &str, wanted: Wanted) -> anyhow::Result<Options> {
    let Wanted { write, anyway, runs, mut records, without_peers, folder, .. } = wanted;
    records.sort_unstable();
    records.dedup();
    let list: Vec<String> = records.iter().map(ToString::to_string).collect();
    let mut command = format!("gistmill bench {name} --records {} --runs {runs}", list.join(","));
    for (is_set, flag) in [(without_peers, " --without-peers"), (write, " --write"), (anyway, " --anyway")] {
        command.push_str(if is_set { flag } else { "" });
    }
    Ok(Options {
        runs: runs as usize,
        records,
        with_peers: !without_peers,
        write,
        anyway,
        folder,
        program: std::env::current_exe().context("could not find this program's own file")?,
        command,
    })
}

fn say(progress: Progress) {
    let Progress { subject, message, elapsed } = progress;
    // Progress that cannot be shown is no reason to stop.
    drop(writeln!(stderr(), "[{:5.1}s] {subject:<8} {message}", elapsed.as_secs_f64()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(records: Vec<u64>) -> Wanted {
        let folder = PathBuf::from("bench");
        Wanted { json: false, write: true, anyway: false, runs: 3, records, without_peers: true, folder }
    }

    #[test]
    fn results_tell_the_command_that_makes_them_again() {
        let options = options("window", wanted(vec![4_000_000, 1_000_000, 4_000_000])).unwrap();
        assert_eq!(options.records, [1_000_000, 4_000_000]);
        let command = "gistmill bench window --records 1000000,4000000 --runs 3 --without-peers --write";
        assert_eq!(options.command, command);
        assert!(!options.with_peers);
    }
}
