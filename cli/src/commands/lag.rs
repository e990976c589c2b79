//! `gistmill lag`: how far every processor and sink is behind, and what it waits for.

mod table;
mod windows;

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};

use clap::Args;
use operate::{COUNT_OFFSETS_MAX, Lag, PartitionLag, Records, UnitLag};
use runtime::Config;
use topology::Map;

use self::table::{TITLES, Table};
use crate::{
    exit::Exit,
    printing::{age, columns},
    settings::Settings,
};

/// Show how far every processor and sink is behind
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(crate) struct Arguments {
    /// Each partition, too
    #[arg(long)]
    partitions: bool,
    /// Split consumable records by tenant
    #[arg(long)]
    tenants: bool,
    /// Instead: windows that are closed and not delivered, by tenant and by the unit that has them before it
    #[arg(long, conflicts_with_all = ["partitions", "tenants", "json"])]
    windows: bool,
    /// Look again every two seconds, until interrupted
    #[arg(long)]
    watch: bool,
    /// Exit with 1 when more records than this are still to be consumed
    #[arg(long, value_name = "N", conflicts_with = "watch")]
    fail_above: Option<u64>,
    /// Print JSON; a line for each look with --watch
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill lag
  gistmill lag --partitions --tenants
  gistmill lag --watch
  gistmill lag --windows --watch
  gistmill lag --fail-above 0 && echo 'all caught up'

CONSUMABLE  records that a read_committed reader still gets; transaction markers and aborted records do not count.
            Up to 10,000 offsets are counted by reading; beyond, ~ marks the distance, markers with it.
            What is read counts until it is committed, also while its answer is awaited: /readyz says for what.
TO STABLE   offsets to the last stable one; a few at rest, which are markers.
TO END      offsets to the high watermark: what open transactions hold is in it.
BEHIND      time since the first record not yet read was appended.
OPEN TXN    time since the oldest open transaction in the input wrote its first record.
UP          members of the group: 0 is a unit that is stopped, or joining; one that was killed counts for 6 s more.
            Of several that publish an outbox all but one stand by.";

const WATCH_EVERY: Duration = Duration::from_secs(2);
/// Columns of names; the longest unit and the longest topic of the map.
const WIDTH_OF_UNITS: usize = 23;
const WIDTH_OF_TOPICS: usize = 38;
const CLEAR: &str = "\x1b[2J\x1b[H";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    if arguments.watch {
        return watch(arguments, &config, &map, out);
    }
    let lag = operate::lag(&config, &map)?;
    print(&lag, arguments, out)?;
    // What is not known may be above any number.
    let is_above = arguments.fail_above.is_some_and(|most| lag.consumable().count > most || !lag.is_whole());
    Ok(if is_above { Exit::Failed } else { Exit::Done })
}

fn watch(arguments: &Arguments, config: &Config, map: &Map, out: &mut dyn Write) -> anyhow::Result<Exit> {
    loop {
        match operate::lag(config, map) {
            Ok(lag) => {
                if stdout().is_terminal() && !arguments.json {
                    out.write_all(CLEAR.as_bytes())?;
                }
                print(&lag, arguments, out)?;
                out.flush()?;
            }
            // Whoever watches a restart wants to see it come back.
            Err(error) if error.is_away() => drop(writeln!(stderr(), "waiting: {error}")),
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(WATCH_EVERY);
    }
}

fn print(lag: &Lag, arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    if arguments.json {
        let mut value = serde_json::to_value(lag)?;
        value["consumable"] = serde_json::to_value(lag.consumable())?;
        return Ok(writeln!(out, "{value}")?);
    }
    if arguments.windows {
        return Ok(windows::print(lag, out)?);
    }
    let width = if arguments.partitions { WIDTH_OF_TOPICS } else { WIDTH_OF_UNITS };
    let table = Table::of(columns(), width);
    table.line("UNIT", "UP", &TITLES.map(str::to_owned), out)?;
    for unit in &lag.units {
        table.line(&unit.unit, &unit.members.to_string(), &Numbers::of_unit(unit).texts(), out)?;
        if arguments.tenants {
            tenants(unit, out)?;
        }
        for partition in unit.partitions.iter().filter(|_| arguments.partitions) {
            let name = format!("  {}/{}", short(&partition.topic), partition.partition);
            table.line(&name, "", &Numbers::of_partition(partition).texts(), out)?;
        }
    }
    for unknown in &lag.unknown {
        let texts = TITLES.map(|_| "?".to_owned());
        table.line(&unknown.unit, &unknown.members.to_string(), &texts, out)?;
    }
    if let Some(left_out) = table.left_out() {
        writeln!(out, "no room for {left_out}")?;
    }
    if let Some(why) = &lag.postgres_unknown {
        writeln!(out, "? is in postgres: {why}")?;
    }
    notes(lag, out)
}

/// The numbers of a line.
struct Numbers {
    consumable: Records,
    to_stable: i64,
    to_end: i64,
    seconds: f64,
    open: Option<f64>,
}

impl Numbers {
    fn of_unit(unit: &UnitLag) -> Self {
        Self {
            consumable: unit.consumable,
            to_stable: unit.to_stable,
            to_end: unit.to_end,
            seconds: unit.seconds,
            open: unit.open_transaction_seconds,
        }
    }

    fn of_partition(partition: &PartitionLag) -> Self {
        Self {
            consumable: partition.consumable,
            to_stable: partition.to_stable,
            to_end: partition.to_end,
            seconds: partition.seconds,
            open: partition.open_transaction_seconds,
        }
    }

    /// In the order of [`TITLES`].
    fn texts(&self) -> [String; 5] {
        let open = self.open.map_or_else(|| "-".to_owned(), age);
        let (stable, end) = (self.to_stable.to_string(), self.to_end.to_string());
        [self.consumable.to_string(), stable, end, age(self.seconds), open]
    }
}

/// A topic without what all topics have in common, to keep lines short.
fn short(topic: &str) -> &str {
    topic.trim_start_matches("digest.").trim_start_matches("group.").trim_end_matches(".v1")
}

fn tenants(unit: &UnitLag, out: &mut dyn Write) -> std::io::Result<()> {
    if unit.consumable.is_estimate {
        writeln!(out, "    split by tenant only up to {COUNT_OFFSETS_MAX} offsets")?;
    }
    unit.tenants.iter().try_for_each(|(tenant, count)| {
        let tenant = if tenant.is_empty() { "(no tenant)" } else { tenant };
        writeln!(out, "    {tenant}: {count}")
    })
}

fn notes(lag: &Lag, out: &mut dyn Write) -> anyhow::Result<()> {
    for outbox in &lag.outboxes {
        let width = WIDTH_OF_UNITS;
        write!(out, "{:<width$} {:>3} {:>11} rows to publish", outbox.unit, outbox.members, outbox.readable)?;
        if outbox.members > 1 {
            write!(out, "; {} standing by", outbox.members - 1)?;
        }
        if outbox.stalled > 0 {
            write!(out, "; {} more wait for an older transaction on the server to end", outbox.stalled)?;
        }
        writeln!(out)?;
    }
    if let Some(why) = &lag.registry_away {
        writeln!(out, "{why}; records of a schema that a unit has not met yet wait")?;
    }
    for waiting in &lag.waiting {
        let stored =
            waiting.stored.map_or_else(|| "nothing yet".to_owned(), |next| format!("up to {}", next - 1));
        writeln!(
            out,
            "{} waits until {} has stored offset {} of partition {}; it has stored {stored}",
            waiting.unit, waiting.sink, waiting.offset, waiting.partition
        )?;
    }
    for hanging in &lag.hanging {
        writeln!(out, "{}: see `gistmill txn finish`", hanging.line())?;
    }
    for stalled in &lag.stalled {
        writeln!(out, "{}", stalled.line())?;
    }
    if let Some(why) = &lag.hanging_unknown {
        writeln!(out, "what hangs and who stands still is not known: {why}")?;
    }
    for unit in &lag.units {
        for partition in &unit.partitions {
            if let Some(problem) = &partition.problem {
                writeln!(out, "{} on {}/{}: {problem}", unit.unit, partition.topic, partition.partition)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
