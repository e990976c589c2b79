//! `gistmill stack`: Kafka, the schema registry and Postgres for development and tests.

mod addresses;
mod table;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use stack::{LogRequest, Options, Part, PortChoice, Progress, Status};

use self::table::write_table;
use crate::exit::Exit;

/// Run Kafka, the schema registry and Postgres on this machine
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Where everything of one stack lies; another directory is another stack
    #[arg(long, global = true, value_name = "DIR", default_value = ".stack")]
    data_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill stack up                                    on ports 29090 to 29095, data in .stack/
  gistmill stack up --data-dir /tmp/b --base-port 29190    a second one beside it
  gistmill stack up --data-dir /tmp/ci --free-ports    on any free ports
  eval \"$(gistmill stack env)\"                         its addresses for this shell
  gistmill stack logs kafka -f
  gistmill stack reset --yes                           stop it and delete its data

All listeners are on 127.0.0.1. Native processes outlive the command; `stack down` ends them.
Exit codes: 0 done (status: all healthy), 1 failed, 2 wrong command line, 3 not running.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start what does not run yet, and wait until everything is healthy
    #[command(after_help = "\
Examples:
  gistmill stack up
  gistmill stack up --data-dir /tmp/b --base-port 29190")]
    Up {
        /// The first of seven ports [default: those of the last start, at first 29090]; 0 picks free ones
        #[arg(long, value_name = "PORT")]
        base_port: Option<u16>,
        /// Pick free ports, and keep them for later starts
        #[arg(long, conflicts_with = "base_port")]
        free_ports: bool,
        /// Run processes of this machine even where docker compose could be used
        #[arg(long)]
        native: bool,
        /// Passwords, certificates and permissions, as production has them; from the first start on, without docker
        #[arg(long)]
        secure: bool,
        /// Qdrant too, for search; a stack that had it once keeps it. Natively it is a development front, without passwords
        #[arg(long, conflicts_with = "secure")]
        qdrant: bool,
    },
    /// Show each part's process, port, health and size
    #[command(after_help = "\
Examples:
  gistmill stack status
  gistmill stack status --json | jq -r '.parts[] | select(.health != \"healthy\").part'")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the addresses as shell exports, for `eval`
    #[command(after_help = "\
Examples:
  eval \"$(gistmill stack env)\" && gistmill up
  gistmill stack env --json | jq -r .GISTMILL_KAFKA__BROKERS

Where a part of the stack is not healthy, its address is printed all the same, and `eval` fails after that.")]
    Env {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop everything, in order
    #[command(after_help = "\
Examples:
  gistmill stack down
  gistmill stack down --data-dir /tmp/b")]
    Down,
    /// Print the ends of the logs
    #[command(after_help = "\
Examples:
  gistmill stack logs -n 200
  gistmill stack logs kafka -f")]
    Logs {
        /// One part only
        part: Option<PartName>,
        /// How many of the last lines of each log
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: usize,
        /// Go on with what is appended
        #[arg(short, long)]
        follow: bool,
    },
    /// Stop everything and delete the data directory
    #[command(after_help = "\
Examples:
  gistmill stack reset
  gistmill stack reset --yes --data-dir /tmp/b")]
    Reset {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PartName {
    Kafka,
    Registry,
    Postgres,
    Qdrant,
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Kafka => Self::Kafka,
            PartName::Registry => Self::Registry,
            PartName::Postgres => Self::Postgres,
            PartName::Qdrant => Self::Qdrant,
        }
    }
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut options = Options { data_dir: arguments.data_dir, ..Options::default() };
    match arguments.command {
        Command::Up { base_port, free_ports, native, secure, qdrant } => {
            options.ports = port_choice(base_port, free_ports);
            options.native = native;
            options.secure = secure;
            options.qdrant = qdrant;
            stack::up(&options, &mut say)?;
            Ok(Exit::Done)
        }
        Command::Status { json } => status(&stack::status(&options)?, json, out),
        Command::Env { json } => addresses::print(&options, json, out),
        Command::Down => {
            let ran = stack::down(&options, &mut say)?;
            note(if ran { "the stack is stopped" } else { "nothing was running" });
            Ok(Exit::Done)
        }
        Command::Logs { part, lines, follow } => {
            stack::logs(&options, LogRequest { part: part.map(Part::from), lines, follow }, out)?;
            Ok(Exit::Done)
        }
        Command::Reset { yes } => reset(&options, yes),
    }
}

fn port_choice(base_port: Option<u16>, free_ports: bool) -> PortChoice {
    match base_port {
        _ if free_ports => PortChoice::Free,
        Some(0) => PortChoice::Free,
        Some(base) => PortChoice::Base(base),
        None => PortChoice::Remembered,
    }
}

/// Progress is for people: a standard error that cannot be written to does not stop the work.
fn say(progress: Progress) {
    let Progress { subject, message, elapsed } = progress;
    note(&format!("[{:5.1}s] {subject:<8} {message}", elapsed.as_secs_f64()));
}

fn note(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

fn status(status: &Status, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(status)?)?;
    } else {
        write_table(status, out)?;
    }
    Ok(match () {
        () if status.all_healthy() => Exit::Done,
        () if status.all_stopped() => Exit::NotRunning,
        () => Exit::Failed,
    })
}

fn reset(options: &Options, yes: bool) -> anyhow::Result<Exit> {
    if !yes && !confirmed(options)? {
        note("nothing was deleted");
        return Ok(Exit::Failed);
    }
    let existed = stack::reset(options, &mut say)?;
    if !existed {
        note("there was nothing to delete");
    }
    Ok(Exit::Done)
}

fn confirmed(options: &Options) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("reset deletes {} with everything in it: confirm with --yes", options.data_dir.display());
    }
    write!(io::stderr(), "Stop the stack and delete {}? [y/N] ", options.data_dir.display())?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_chosen_by_number_or_freely() {
        assert_eq!(port_choice(None, false), PortChoice::Remembered);
        assert_eq!(port_choice(None, true), PortChoice::Free);
        assert_eq!(port_choice(Some(0), false), PortChoice::Free);
        assert_eq!(port_choice(Some(4000), false), PortChoice::Base(4000));
    }

    #[test]
    fn a_reset_without_a_terminal_wants_to_be_confirmed() {
        let data_dir = tempfile::tempdir().unwrap();
        let options = Options { data_dir: data_dir.path().join("stack"), ..Options::default() };
        assert_eq!(reset(&options, true).unwrap(), Exit::Done);
    }
}
