//! `gistmill stack`: Kafka, the schema registry and Postgres for development and tests.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use stack::{Health, LogRequest, Options, Part, PortChoice, Progress, Status};

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
  gistmill stack up                                    on ports 29090 to 29094, data in .stack/
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
    Up {
        /// The first of five ports [default: those of the last start, at first 29090]; 0 picks free ones
        #[arg(long, value_name = "PORT")]
        base_port: Option<u16>,
        /// Pick free ports, and keep them for later starts
        #[arg(long, conflicts_with = "base_port")]
        free_ports: bool,
        /// Run processes of this machine even where docker compose could be used
        #[arg(long)]
        native: bool,
    },
    /// Show each part's process, port, health and size
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the addresses as shell exports, for `eval`
    Env {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop everything, in order
    Down,
    /// Print the ends of the logs
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
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Kafka => Self::Kafka,
            PartName::Registry => Self::Registry,
            PartName::Postgres => Self::Postgres,
        }
    }
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut options = Options { data_dir: arguments.data_dir, ..Options::default() };
    match arguments.command {
        Command::Up { base_port, free_ports, native } => {
            options.ports = port_choice(base_port, free_ports);
            options.native = native;
            stack::up(&options, &mut say)?;
            Ok(Exit::Done)
        }
        Command::Status { json } => status(&stack::status(&options)?, json, out),
        Command::Env { json } => env(&stack::addresses(&options)?, json, out),
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

fn env(addresses: &stack::Addresses, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let variables = addresses.variables();
    if json {
        let object: serde_json::Map<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
    } else {
        for (name, value) in variables {
            writeln!(out, "export {name}='{value}'")?;
        }
    }
    Ok(Exit::Done)
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

fn write_table(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<9} {:>7} {:>6} {:<10} {:>9} {:>9}", "PART", "PID", "PORT", "HEALTH", "RSS", "UPTIME")?;
    for part in &status.parts {
        let health = match part.health {
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
            Health::Stopped => "stopped",
        };
        let pid = part.pid.map_or_else(dash, |pid| pid.to_string());
        let rss = part.rss_bytes.map_or_else(dash, bytes);
        let uptime = part.uptime_seconds.map_or_else(dash, duration);
        writeln!(out, "{:<9} {pid:>7} {:>6} {health:<10} {rss:>9} {uptime:>9}", part.part, part.port)?;
    }
    writeln!(out, "data      {} in {}", bytes(status.data_bytes), status.data_dir.display())
}

fn dash() -> String {
    "-".to_owned()
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
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
    fn sizes_and_times_are_short() {
        assert_eq!(bytes(2_048), "2 KiB");
        assert_eq!(bytes(400 * 1_048_576), "400 MiB");
        assert_eq!(bytes(12 * 1_073_741_824), "12 GiB");
        let times = [5, 65, 3_700, 90_000].map(duration);
        assert_eq!(times, ["5s", "1m05s", "1h01m", "1d01h"]);
    }

    #[test]
    fn a_reset_without_a_terminal_wants_to_be_confirmed() {
        let data_dir = tempfile::tempdir().unwrap();
        let options = Options { data_dir: data_dir.path().join("stack"), ..Options::default() };
        assert_eq!(reset(&options, true).unwrap(), Exit::Done);
    }
}
