//! What units take while nothing happens: each alone in a process, and all in one.

use crate::{
    error::Error,
    figures::Sheet,
    pipeline::{Pipeline, readers, units},
    report::{Report, Target},
    running::Running,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{Say, Testbed},
    usage::resident_bytes,
};
use std::time::{Duration, Instant};

const MIB: f64 = 1024.0 * 1024.0;
const ALL: &str = "gistmill up";
/// Between two looks whether all are still there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Columns of the table.
const RESIDENT: usize = 0;

/// Leaves units alone for a while, on a stack of their own.
///
/// # Errors
/// The stack does not start, or a unit ends.
pub fn memory(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("memory", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let columns = [("resident MiB", 1), ("greatest MiB", 1), ("% of a core", 2)];
    let (mut each, mut whole) = (Sheet::new("unit", &columns), Sheet::new("whole", &columns));
    let rest = Duration::from_secs(options.idle_seconds);
    for number in 0..options.runs {
        let said = format!("run {} of {}: each unit alone, then all in one …", number + 1, options.runs);
        session.say(said);
        let pipeline = Pipeline::with_tables(&bed, &options.program)?;
        // At once, since a minute of each would be a quarter of an hour; they take nothing from one another.
        let apart = units()?.iter().map(|name| pipeline.unit(name)).collect::<Result<Vec<_>, Error>>()?;
        leave_alone(&pipeline, apart, rest, &mut each, None)?;
        pipeline.delete()?;
        let pipeline = Pipeline::with_tables(&bed, &options.program)?;
        let together = vec![pipeline.spawn(ALL, &["up"])?];
        leave_alone(&pipeline, together, rest, &mut whole, Some(&bed))?;
        pipeline.delete()?;
    }
    let most = each.greatest(RESIDENT);
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    let what = "resident memory of the largest processor, idle";
    findings.targets.push(Target::at_most(what, 40.0, "MiB", most).of("memory"));
    findings.tables = vec![each.finish(), whole.finish()];
    findings.notes = vec![
        format!("{} s without a record, after all had their partitions.", options.idle_seconds),
        NOTE.to_owned(),
    ];
    session.finish(findings)
}

/// Looks at processes before and after a rest.
fn leave_alone(
    pipeline: &Pipeline<'_>,
    mut running: Vec<Running>,
    rest: Duration,
    sheet: &mut Sheet,
    broker: Option<&Testbed>,
) -> Result<(), Error> {
    pipeline.settle(&readers()?, &mut running)?;
    let before = running.iter().map(Running::usage).collect::<Result<Vec<_>, Error>>()?;
    let around =
        broker.map(|bed| Ok::<_, Error>((bed.broker_seconds()?, bed.postgres_seconds()?))).transpose()?;
    let began = Instant::now();
    while began.elapsed() < rest {
        std::thread::park_timeout(LOOK_INTERVAL.min(rest.saturating_sub(began.elapsed())));
        for process in &mut running {
            process.check()?;
        }
    }
    let passed = began.elapsed().as_secs_f64();
    let share = |before: f64, after: f64| Some((after - before) * 100.0 / passed);
    for (process, before) in running.iter().zip(before) {
        let (now, resident) = (process.usage()?, resident_bytes(process.pid())?);
        let figures = [
            Some(resident as f64 / MIB),
            Some(now.peak_bytes as f64 / MIB),
            share(before.cpu_seconds, now.cpu_seconds),
        ];
        sheet.add(process.name(), &figures);
    }
    if let (Some((kafka, postgres)), Some(bed)) = (around, broker) {
        sheet.add("Kafka meanwhile", &[None, None, share(kafka, bed.broker_seconds()?)]);
        sheet.add("Postgres meanwhile", &[None, None, share(postgres, bed.postgres_seconds()?)]);
    }
    stop_all(running)
}

/// Asks all to end, and waits for each.
pub(crate) fn stop_all(running: Vec<Running>) -> Result<(), Error> {
    running.iter().for_each(Running::ask_to_stop);
    running.into_iter().try_for_each(Running::stop)
}

const NOTE: &str = "Resident memory counts pages of the program's file that processes share; the greatest is that of the whole \
     life of a process, its start too.";
