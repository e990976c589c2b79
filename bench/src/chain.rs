//! A chat of four years through the whole pipeline: from the start of its import to its last digest, stored and delivered.

use crate::{
    chat_export::{self, ChatExport},
    digests::{self, Digests, Told},
    error::Error,
    figures::Sheet,
    import::{self, PATIENCE},
    memory::stop_all,
    pipeline::{Pipeline, readers, units},
    report::{Line, Report, Run, Target},
    running::Running,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{Say, Testbed},
    usage::Usage,
};

/// Messages of the group that the target was set for.
const REAL: u64 = 78_744;
const MIB: f64 = 1024.0 * 1024.0;

/// How the units are cut into processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Together,
    Apart,
}

impl Layout {
    const ALL: [Self; 2] = [Self::Together, Self::Apart];

    fn title(self) -> &'static str {
        match self {
            Self::Together => "gistmill up",
            Self::Apart => "a process for each unit",
        }
    }

    fn start(self, pipeline: &Pipeline<'_>) -> Result<Vec<Running>, Error> {
        match self {
            Self::Together => Ok(vec![pipeline.spawn("all units", &["up"])?]),
            Self::Apart => units()?.iter().map(|name| pipeline.unit(name)).collect(),
        }
    }
}

/// Imports a chat and waits for its digests, on a stack of its own.
///
/// # Errors
/// The stack does not start, or a unit ends.
pub fn chain(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("chain", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    for messages in &options.records {
        session.say(format!("writing an export of {messages} messages …"));
        let export = chat_export::write(&bed.directory().join("result.json"), *messages)?;
        let mut trial = Trial::new(&bed, &export);
        trial.run(&mut session)?;
        trial.conclude(&mut findings);
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    session.finish(findings)
}

/// One chat in both layouts.
struct Trial<'a> {
    bed: &'a Testbed,
    export: &'a ChatExport,
    lines: Vec<Line>,
    sheets: Vec<Sheet>,
    first: Option<Vec<Told>>,
}

impl<'a> Trial<'a> {
    fn new(bed: &'a Testbed, export: &'a ChatExport) -> Self {
        let line = |layout: Layout| Line::new(layout.title(), export.fingerprint.records);
        let sheet = |layout: Layout| Sheet::new(layout.title(), &[("CPU s", 2), ("peak MiB", 0)]);
        let (lines, sheets) = (Layout::ALL.map(line).into(), Layout::ALL.map(sheet).into());
        Self { bed, export, lines, sheets, first: None }
    }

    fn run(&mut self, session: &mut Session<'_>) -> Result<(), Error> {
        for number in 0..session.options.runs {
            for turn in 0..Layout::ALL.len() {
                let at = (turn + number) % Layout::ALL.len();
                let (layout, runs) = (Layout::ALL[at], session.options.runs);
                session.say(format!("run {} of {runs}: {} …", number + 1, layout.title()));
                let pipeline = Pipeline::with_tables(self.bed, &session.options.program)?;
                let (run, compared) = self.once(at, &pipeline)?;
                self.lines[at].add(run, compared);
                pipeline.delete()?;
            }
        }
        Ok(())
    }

    fn once(&mut self, at: usize, pipeline: &Pipeline<'_>) -> Result<(Run, Result<String, String>), Error> {
        let mut running = Layout::ALL[at].start(pipeline)?;
        pipeline.settle(&readers()?, &mut running)?;
        let mut digests = Digests::watch(pipeline, self.export.days.len())?;
        let before = running.iter().map(Running::usage).collect::<Result<Vec<_>, Error>>()?;
        let (kafka, postgres) = (self.bed.broker_seconds()?, self.bed.postgres_seconds()?);
        let arguments = import::arguments(self.export);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let imports = pipeline.spawn("import", &arguments)?;
        let started = imports.started;
        let (imported, _) = imports.finish(PATIENCE)?;
        let last = digests.wait(&mut running)?;
        let kafka = self.bed.broker_seconds()? - kafka;
        let postgres = self.bed.postgres_seconds()? - postgres;
        let mut taken = vec![("import".to_owned(), imported)];
        for (process, before) in running.iter().zip(before) {
            let now = process.usage()?;
            let cpu_seconds = now.cpu_seconds - before.cpu_seconds;
            taken.push((process.name().to_owned(), Usage { cpu_seconds, ..now }));
        }
        self.note(at, &taken, (kafka, postgres));
        let told = digests.finish()?;
        stop_all(running)?;
        let run = Run {
            cpu_seconds: taken.iter().map(|(_, usage)| usage.cpu_seconds).sum(),
            broker_cpu_seconds: Some(kafka),
            wall_seconds: last.saturating_duration_since(started).as_secs_f64(),
            peak_bytes: Some(taken.iter().map(|(_, usage)| usage.peak_bytes).sum()),
        };
        Ok((run, self.held(told)))
    }

    fn note(&mut self, at: usize, taken: &[(String, Usage)], (kafka, postgres): (f64, f64)) {
        let sheet = &mut self.sheets[at];
        for (name, usage) in taken {
            sheet.add(name, &[Some(usage.cpu_seconds), Some(usage.peak_bytes as f64 / MIB)]);
        }
        sheet.add("Kafka", &[Some(kafka), None]);
        sheet.add("Postgres", &[Some(postgres), None]);
    }

    /// Holds what a run told to the days of the chat, and to what the first run told.
    fn held(&mut self, told: Result<Vec<Told>, String>) -> Result<String, String> {
        let told = told?;
        let what = digests::held_to(&told, &self.export.days, self.first.as_deref())?;
        self.first.get_or_insert(told);
        Ok(what)
    }

    fn conclude(self, findings: &mut Findings) {
        let messages = self.export.fingerprint.records;
        let wall = self.lines[0].spread(|run| Some(run.wall_seconds)).map(|spread| spread.median);
        let what = format!("{messages} messages, import → every digest, `gistmill up`, seconds");
        let target = Target::at_most(what, 90.0, "s", wall);
        findings.targets.push(if messages >= REAL { target.of("chain") } else { target });
        findings.inputs.push(self.export.fingerprint.clone());
        findings.lines.extend(self.lines);
        findings.tables.extend(self.sheets.into_iter().map(Sheet::finish));
    }
}

const NOTES: [&str; 4] = [
    "From the start of the import's process until each day's digest is there, ready ones stored and written to files; the \
     units had their partitions before.",
    "CPU s and peak MiB of a line are those of all processes of the pipeline, the import's too, their peaks added up; Kafka's and \
     Postgres' processor time stand in the tables.",
    "Digests are compared between runs, whole but for the offset that a window names: where transactions end in a topic, and with \
     them its offsets, is a matter of time.",
    "No model takes part.",
];
