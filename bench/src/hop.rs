//! How long a record is on its way: through one processor at half of what it can do, and from the record that closes a
//! window to the window's row.

use crate::{
    clients, closing,
    contest::RungRun,
    error::Error,
    figures::{LATENCY, Sheet, latency},
    fingerprint::Fingerprinting,
    report::{Base, Line, Report, Run, Target},
    requests::{READY, REQUESTED, Windows},
    rung::Rung,
    running::Running,
    sender::Sender,
    session::{Findings, Options, Session, kafka_versions},
    steady::Steady,
    testbed::{Loaded, Say, Testbed},
    watcher::Watcher,
};
use topology::Prefix;

const UNIT: &str = "digest_trigger";
/// How long a steady rate is kept at most.
const STEADY_SECONDS: f64 = 10.0;
/// The rate that windows are closed at, in records a second.
const CLOSE_PER_SECOND: f64 = 20_000.0;
const HALF: &str = "digest_trigger, half load";
const CLOSE: &str = "window_builder, record that closes a window → its row";

/// Measures throughput, then latency at half of it, then that of closing windows, on a stack of its own.
///
/// # Errors
/// The stack does not start, or a unit ends.
pub fn hop(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("hop", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let base = Some(Base { name: Rung::Copy.title().to_owned(), title: "of L2" });
    let mut findings = Findings { versions: kafka_versions(), base, ..Findings::default() };
    for messages in &options.records {
        let mut trial = Trial::new(&bed, *messages);
        for number in 0..options.runs {
            trial.run(number, &mut session, &mut findings)?;
        }
        trial.conclude(&mut findings);
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    session.finish(findings)
}

struct Trial<'a> {
    bed: &'a Testbed,
    windows: Windows,
    lines: [Line; 4],
    sheet: Sheet,
    /// Records a second that the unit has passed on in each run, at full load.
    full: Vec<f64>,
}

/// Places of the lines.
const COPY: usize = 0;
const FULL: usize = 1;
const STEADY: usize = 2;
const CLOSING: usize = 3;

impl<'a> Trial<'a> {
    fn new(bed: &'a Testbed, records: u64) -> Self {
        let line = |name: &str| Line::new(name, records);
        let lines = [line(Rung::Copy.title()), line(UNIT), line(HALF), line(CLOSE)];
        let columns: Vec<_> = std::iter::once(("records per s", 0)).chain(LATENCY).collect();
        let sheet = Sheet::new("latency", &columns);
        Self { bed, windows: Windows(records), lines, sheet, full: Vec::new() }
    }

    fn run(
        &mut self,
        number: usize,
        session: &mut Session<'_>,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let runs = session.options.runs;
        let said = |what: &str| format!("run {} of {runs}: {what} …", number + 1);
        session.say(said("writing windows"));
        let loaded = self.load()?;
        if number == 0 {
            findings.inputs.push(loaded.fingerprint.clone());
        }
        // Another one first in each run.
        for turn in 0..2 {
            if (turn + number) % 2 == COPY {
                session.say(said(Rung::Copy.title()));
                self.copy(&loaded, session.options)?;
            } else {
                session.say(said("digest_trigger at full load"));
                self.full_load(&loaded, session.options)?;
            }
        }
        self.bed.delete(&loaded.prefix)?;
        session.say(said(HALF));
        self.half_load(session.options)?;
        session.say(said("closing windows"));
        let steady = closing::run(self.bed, session.options, self.windows.0, CLOSE_PER_SECOND)?;
        if number == 0 {
            findings.inputs.push(steady.fingerprint.clone());
        }
        self.take(CLOSING, CLOSE_PER_SECOND, steady);
        Ok(())
    }

    fn load(&self) -> Result<Loaded, Error> {
        let prefix = self.bed.apply()?;
        let records = self.windows.encoded(self.bed, &prefix)?;
        let mut taken = Fingerprinting::default();
        let topic = prefix.topic(READY);
        let sender = Sender::new(&self.bed.addresses.kafka, &topic, clients::LINGER_MS)?;
        for record in &records {
            taken.take(record.partition, record.key.as_bytes(), &record.value);
            sender.send(record.partition, record.key.as_bytes(), &record.value)?;
        }
        sender.finish()?;
        let ends = clients::ends(&self.bed.addresses.kafka, &topic)?;
        Ok(Loaded { prefix, topic, fingerprint: taken.finish(), ends })
    }

    fn copy(&mut self, loaded: &Loaded, options: &Options) -> Result<(), Error> {
        let output = format!("{}.copy", loaded.prefix);
        self.bed.topic(&output)?;
        let run = RungRun { rung: Rung::Copy, loaded, output: &output }.run(self.bed, options)?;
        let records = loaded.fingerprint.records;
        let copied = clients::fingerprint(&self.bed.addresses.kafka, &output, records)?;
        if copied.partitions != loaded.fingerprint.partitions {
            return Err(Error::Copy { name: Rung::Copy.title() });
        }
        self.lines[COPY].add(run, Ok(format!("{records} records")));
        Ok(())
    }

    fn full_load(&mut self, loaded: &Loaded, options: &Options) -> Result<(), Error> {
        let (bed, prefix) = (self.bed, &loaded.prefix);
        let mut watcher =
            Watcher::new(&bed.addresses.kafka, &prefix.topic(REQUESTED), &prefix.group(UNIT), loaded)?;
        let broker = bed.broker_seconds()?;
        let mut running = unit(bed, options, prefix)?;
        let done = watcher.until_done(&mut running, self.windows.0 as usize)?;
        let (usage, broker) = (running.usage()?, bed.broker_seconds()? - broker);
        running.stop()?;
        let compared = self.windows.held_to(watcher.values()?.iter().map(Vec::as_slice))?;
        self.full.push(self.windows.0 as f64 / done.between.as_secs_f64().max(0.001));
        let run = Run {
            cpu_seconds: usage.cpu_seconds,
            broker_cpu_seconds: Some(broker),
            wall_seconds: done.wall.as_secs_f64(),
            peak_bytes: Some(usage.peak_bytes),
        };
        self.lines[FULL].add(run, compared);
        Ok(())
    }

    fn half_load(&mut self, options: &Options) -> Result<(), Error> {
        let per_second = self.full.last().copied().unwrap_or_default() / 2.0;
        let count = (self.windows.0 as f64).min(per_second * STEADY_SECONDS).max(1.0) as usize;
        let prefix = self.bed.apply()?;
        let mut records = self.windows.encoded(self.bed, &prefix)?;
        records.truncate(count);
        let running = unit(self.bed, options, &prefix)?;
        let (input, output) = (prefix.topic(READY), prefix.topic(REQUESTED));
        let plan = Steady {
            bed: self.bed,
            group: &prefix.group(UNIT),
            topics: (&input, &output),
            records: &records,
            per_second,
        };
        let (passed, running) = plan.run(running, count)?;
        running.stop()?;
        let values = passed.seen.iter().map(|(_, value)| value.as_slice());
        let compared = Windows(count as u64).held_to(values)?;
        let times = Windows::times(&passed)?;
        self.bed.delete(&prefix)?;
        let result = closing::Closed { fingerprint: passed.fingerprint, run: passed.run, compared, times };
        self.take(STEADY, per_second, result);
        Ok(())
    }

    fn take(&mut self, at: usize, per_second: f64, found: closing::Closed) {
        let is_right = found.compared.is_ok();
        self.lines[at].records = found.fingerprint.records;
        self.lines[at].add(found.run, found.compared);
        if is_right {
            let [p50, p99, most] = latency(found.times);
            self.sheet.add(&self.lines[at].name, &[Some(per_second), p50, p99, most]);
        }
    }

    fn conclude(self, findings: &mut Findings) {
        let speed = |at: usize| self.lines[at].speed().map(|spread| spread.median);
        let share = speed(FULL).zip(speed(COPY)).map(|(ours, limit)| ours * 100.0 / limit);
        let records = self.windows.0;
        let what = format!("digest_trigger's records per CPU s, of L2, {records} records");
        findings.targets.push(Target::at_least(what, 75.0, "%", share).of("pass-through"));
        for (name, most, promise) in [(HALF, [15.0, 40.0], "hop"), (CLOSE, [30.0, 80.0], "window-close")] {
            for (column, (share, most)) in (1..).zip(["p50", "p99"].into_iter().zip(most)) {
                let found = self.sheet.median(name, column);
                let what = format!("{name}: {share}");
                findings.targets.push(Target::at_most(what, most, "ms", found).of(promise));
            }
        }
        findings.lines.extend(self.lines);
        findings.tables.push(self.sheet.finish());
    }
}

fn unit(bed: &Testbed, options: &Options, prefix: &Prefix) -> Result<Running, Error> {
    let command = bed.command(&options.program, prefix, &["run", UNIT]);
    Running::start(&prefix.group(UNIT), command, bed.directory())
}

const NOTES: [&str; 4] = [
    "A time begins when a record is handed to its producer (no linger), and ends when a read_committed consumer of this program \
     has what became of it: the producer's and the consumer's own way is in it, and all of them share the machine's cores.",
    "Half load is half of the records a second that the unit has passed on between its first and its last output, in the same run.",
    "Rates are kept by the clock: a record that could not be handed over in time is late for the next ones too.",
    "L2 copies the same records; digest_trigger decodes each, decides, and encodes a request.",
];
