//! `gistmill bench`: the pipeline's speed against the limits of the broker's client and against other engines.
//!
//! Invariant: it starts a stack of its own and touches no other.

mod help;
mod size;

use std::{
    io::{Write, stderr},
    path::PathBuf,
};

use anyhow::Context;
use bench::{Error, Line, Options, Report, Rung, RungOptions};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use stack::Progress;

use crate::exit::Exit;
use help::{
    AFTER_HELP, ALL_HELP, CHAIN_HELP, CODEC_HELP, HOP_HELP, IMPORT_HELP, LADDER_HELP, MEMORY_HELP,
    SEARCH_HELP, SINK_HELP, WINDOW_HELP,
};
use size::Size;

/// Measure speed against the broker's client and other engines
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

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
    /// How long a record is on its way through one processor, and from the end of a window to its row
    #[command(after_help = HOP_HELP)]
    Hop(Wanted),
    /// A chat of four years, from its import to its last digest
    #[command(after_help = CHAIN_HELP)]
    Chain(Wanted),
    /// A large export of Telegram into Kafka
    #[command(after_help = IMPORT_HELP)]
    Import(Wanted),
    /// `postgres_sink` beside COPY and upsert by hand
    #[command(after_help = SINK_HELP)]
    Sink(Wanted),
    /// Searches for words among many messages
    #[command(after_help = SEARCH_HELP)]
    Search(Wanted),
    /// Memory and processor time of units that have nothing to do
    #[command(after_help = MEMORY_HELP)]
    Memory(Wanted),
    /// All of them in turn, and what is kept of what was promised
    #[command(after_help = ALL_HELP)]
    All(Wanted),
    /// One rung of the ladder, as the others start it
    #[command(hide = true, after_help = "Examples:\n  gistmill bench ladder")]
    Rung(Climb),
}

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
    /// Runs of each engine, taken in turns; results are medians [default: 5; of chain, import, sink, search and memory 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: Option<u32>,
    /// Messages of the job; several with commas are several jobs [default: 1000000; hop 400000, sink and search 200000, chain 80000]
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    records: Vec<u64>,
    /// Size of the export that `import` reads, such as 100MB or 1GB
    #[arg(long, value_name = "SIZE", default_value = "100MB")]
    bytes: Size,
    /// How long `memory` leaves units alone, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    idle: u64,
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

type Measure = fn(&Options, &mut dyn FnMut(Progress)) -> Result<Report, Error>;

/// A benchmark, and what it is asked for where the command line does not say.
struct Bench {
    name: &'static str,
    run: Measure,
    runs: u32,
    records: &'static [u64],
}

const WINDOW: Bench = Bench { name: "window", run: bench::window, runs: 5, records: &[1_000_000] };
const LADDER: Bench = Bench { name: "ladder", run: bench::ladder, runs: 5, records: &[1_000_000] };
const CODEC: Bench = Bench { name: "codec", run: bench::codec, runs: 5, records: &[1_000_000] };
const HOP: Bench = Bench { name: "hop", run: bench::hop, runs: 5, records: &[400_000] };
const CHAIN: Bench = Bench { name: "chain", run: bench::chain, runs: 3, records: &[80_000] };
const IMPORT: Bench = Bench { name: "import", run: bench::import, runs: 3, records: &[] };
const SINK: Bench = Bench { name: "sink", run: bench::sink, runs: 3, records: &[200_000] };
const SEARCH: Bench = Bench { name: "search", run: bench::search, runs: 3, records: &[200_000] };
const MEMORY: Bench = Bench { name: "memory", run: bench::memory, runs: 3, records: &[] };
const ALL: [Bench; 9] = [WINDOW, LADDER, CODEC, HOP, CHAIN, IMPORT, SINK, SEARCH, MEMORY];

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.what {
        What::Window(wanted) => measure(&WINDOW, &wanted, out),
        What::Ladder(wanted) => measure(&LADDER, &wanted, out),
        What::Codec(wanted) => measure(&CODEC, &wanted, out),
        What::Hop(wanted) => measure(&HOP, &wanted, out),
        What::Chain(wanted) => measure(&CHAIN, &wanted, out),
        What::Import(wanted) => measure(&IMPORT, &wanted, out),
        What::Sink(wanted) => measure(&SINK, &wanted, out),
        What::Search(wanted) => measure(&SEARCH, &wanted, out),
        What::Memory(wanted) => measure(&MEMORY, &wanted, out),
        What::All(wanted) => all(&wanted, out),
        What::Rung(climb) => {
            let Climb { rung, brokers, input, output, records } = climb;
            let rung = Rung::from_name(&rung).context("no rung has that name")?;
            bench::rung(&RungOptions { rung, brokers, input, output, records }, out)?;
            Ok(Exit::Done)
        }
    }
}

fn measure(bench: &Bench, wanted: &Wanted, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let report = (bench.run)(&options(bench, wanted)?, &mut say)?;
    if wanted.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", bench::markdown(&report))?;
    }
    Ok(verdict(&[report]))
}

fn all(wanted: &Wanted, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    for (number, bench) in ALL.iter().enumerate() {
        let mut asked = options(bench, wanted)?;
        // What ran before has kept the machine busy: it is looked at once.
        asked.anyway |= number > 0;
        match (bench.run)(&asked, &mut say) {
            Ok(report) => {
                if !wanted.json {
                    writeln!(out, "{}", bench::markdown(&report))?;
                }
                reports.push(report);
            }
            Err(error @ (Error::Busy { .. } | Error::DebugBuild | Error::NoFolder(_))) => {
                return Err(error.into());
            }
            Err(error) => failed.push(format!("bench {}: {:#}", bench.name, anyhow::Error::from(error))),
        }
    }
    let promises = bench::promises(&reports);
    if wanted.json {
        let told = serde_json::json!({ "reports": reports, "promises": promises, "failed": failed });
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
    } else {
        writeln!(out, "{}", bench::summary(&promises, &failed))?;
    }
    if wanted.write {
        bench::write_summary(&wanted.folder, &bench::summary(&promises, &failed))?;
    }
    Ok(if failed.is_empty() { verdict(&reports) } else { Exit::Failed })
}

fn verdict(reports: &[Report]) -> Exit {
    let is_wrong = |line: &Line| matches!(line.verdict, bench::Verdict::Wrong(_));
    if reports.iter().flat_map(|report| &report.lines).any(is_wrong) { Exit::Failed } else { Exit::Done }
}

fn options(bench: &Bench, wanted: &Wanted) -> anyhow::Result<Options> {
    let mut records = wanted.records.clone();
    if records.is_empty() {
        records = bench.records.to_vec();
    }
    records.sort_unstable();
    records.dedup();
    let runs = wanted.runs.unwrap_or(bench.runs);
    Ok(Options {
        runs: runs as usize,
        command: command(bench, wanted, &records, runs),
        records,
        bytes: wanted.bytes.0,
        idle_seconds: wanted.idle,
        with_peers: !wanted.without_peers,
        write: wanted.write,
        anyway: wanted.anyway,
        folder: wanted.folder.clone(),
        program: std::env::current_exe().context("could not find this program's own file")?,
    })
}

/// The command that makes these results again.
fn command(bench: &Bench, wanted: &Wanted, records: &[u64], runs: u32) -> String {
    let mut words = vec!["gistmill bench".to_owned(), bench.name.to_owned()];
    if !bench.records.is_empty() {
        let list: Vec<String> = records.iter().map(ToString::to_string).collect();
        words.push(format!("--records {}", list.join(",")));
    }
    match bench.name {
        "import" => words.push(format!("--bytes {}", wanted.bytes.0)),
        "memory" => words.push(format!("--idle {}", wanted.idle)),
        _ => {}
    }
    words.push(format!("--runs {runs}"));
    let without = wanted.without_peers && bench.name == WINDOW.name;
    for (is_set, flag) in
        [(without, "--without-peers"), (wanted.write, "--write"), (wanted.anyway, "--anyway")]
    {
        words.extend(is_set.then(|| flag.to_owned()));
    }
    words.join(" ")
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
        Wanted {
            json: false,
            write: true,
            anyway: false,
            runs: None,
            records,
            bytes: Size(2_000_000),
            idle: 7,
            without_peers: true,
            folder: PathBuf::from("bench"),
        }
    }

    #[test]
    fn results_tell_the_command_that_makes_them_again() {
        let told = |bench: &Bench, records| options(bench, &wanted(records)).unwrap().command;
        let window = "gistmill bench window --records 1000000,4000000 --runs 5 --without-peers --write";
        assert_eq!(told(&WINDOW, vec![4_000_000, 1_000_000, 4_000_000]), window);
        assert_eq!(told(&CHAIN, Vec::new()), "gistmill bench chain --records 80000 --runs 3 --write");
        assert_eq!(told(&IMPORT, vec![5]), "gistmill bench import --bytes 2000000 --runs 3 --write");
        assert_eq!(told(&MEMORY, Vec::new()), "gistmill bench memory --idle 7 --runs 3 --write");
        let options = options(&WINDOW, &wanted(vec![4_000_000, 1_000_000, 4_000_000])).unwrap();
        assert_eq!(options.records, [1_000_000, 4_000_000]);
        assert!(!options.with_peers);
    }
}
