//! The common job: windows of an hour over a day of 200 chats, by `window_builder`, by Kafka Streams, and by a consumer that
//! does nothing with what it reads.

use crate::{
    error::Error,
    generator::Job,
    oracle::{Row, Rule, difference, rows},
    peers::{KafkaStreams, PeerJob, Store, java_version},
    report::{Base, Line, Report, Run, Target, Verdict, marginal},
    rung::Rung,
    running::Running,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{Loaded, Say, Testbed},
    watcher::{Form, Watcher},
};
use std::{collections::BTreeMap, process::Command};

const OURS: &str = "window_builder";
const READY: &str = "group.window.ready.v1";
/// Messages of the two jobs that Kafka Streams is compared on: start and warm-up weigh less in the longer one.
const LONG: u64 = 4_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Consumer,
    WindowBuilder,
    KafkaStreams(Store),
}

impl Engine {
    const ALL: [Self; 4] = [
        Self::Consumer,
        Self::WindowBuilder,
        Self::KafkaStreams(Store::InMemory),
        Self::KafkaStreams(Store::RocksDb),
    ];

    fn title(self) -> String {
        match self {
            Self::Consumer => Rung::Consume.title().to_owned(),
            Self::WindowBuilder => OURS.to_owned(),
            Self::KafkaStreams(store) => store.title(),
        }
    }

    fn rule(self) -> Option<Rule> {
        match self {
            Self::Consumer => None,
            Self::WindowBuilder => Some(Rule::ChatRevised),
            Self::KafkaStreams(_) => Some(Rule::PartitionOnce),
        }
    }
}

/// Runs the engines in turns, on a stack of their own.
///
/// # Errors
/// The stack does not start, or something other than a peer fails.
pub fn window(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("window", options, say)?;
    session.say("building the peers …");
    let streams = if options.with_peers {
        KafkaStreams::build(&options.folder)
    } else {
        Err("it was left out".to_owned())
    };
    let bed = Testbed::start(session.teller())?;
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    if let Ok(streams) = &streams {
        findings.versions.extend(streams.versions.iter().cloned());
        findings.versions.push(java_version(&bed.java));
    }
    for messages in &options.records {
        let contest = Contest { bed: &bed, streams: streams.as_ref(), job: Job::of(*messages) };
        contest.hold(&mut session, &mut findings)?;
    }
    findings.base = Some(Base { name: Rung::Consume.title().to_owned(), title: "of L0" });
    conclude(&mut findings, options);
    session.finish(findings)
}

/// All engines on one job.
struct Contest<'a> {
    bed: &'a Testbed,
    streams: Result<&'a KafkaStreams, &'a String>,
    job: Job,
}

impl Contest<'_> {
    fn hold(&self, session: &mut Session<'_>, findings: &mut Findings) -> Result<(), Error> {
        let engines = Engine::ALL;
        session.say(format!("finding the rows of {} messages …", self.job.messages));
        let mut expected: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (engine, rule) in engines.iter().filter_map(|engine| Some((engine, engine.rule()?))) {
            expected.insert(engine.title(), rows(rule, self.job.generate()));
        }
        let mut lines: Vec<Line> =
            engines.iter().map(|engine| Line::new(engine.title(), self.job.records())).collect();
        for number in 0..session.options.runs {
            session.say(format!("run {} of {}: writing the records …", number + 1, session.options.runs));
            let loaded = self.bed.load(self.job)?;
            if number == 0 {
                findings.inputs.push(loaded.fingerprint.clone());
            }
            // Each engine is first in turn, since what ran before leaves the broker's caches and its garbage to the next.
            for turn in 0..engines.len() {
                let at = (turn + number) % engines.len();
                if let (Engine::KafkaStreams(_), Err(why)) = (engines[at], self.streams) {
                    lines[at].verdict = Verdict::Missing(why.clone());
                    continue;
                }
                session.say(format!("run {}: {} …", number + 1, engines[at].title()));
                let expected = expected.get(&lines[at].name).map_or(&[][..], Vec::as_slice);
                match self.run(engines[at], &loaded, (number, session.options), expected) {
                    Ok((run, compared)) => lines[at].add(run, compared),
                    // What becomes of a peer is no reason to lose the others' figures.
                    Err(error @ (Error::Ended { .. } | Error::Slow { .. }))
                        if matches!(engines[at], Engine::KafkaStreams(_)) =>
                    {
                        lines[at].verdict = Verdict::Wrong(error.to_string());
                    }
                    Err(error) => return Err(error),
                }
            }
            self.bed.delete(&loaded)?;
        }
        findings.lines.append(&mut lines);
        Ok(())
    }

    fn run(
        &self,
        engine: Engine,
        loaded: &Loaded,
        (number, options): (usize, &Options),
        expected: &[Row],
    ) -> Result<(Run, Result<String, String>), Error> {
        if engine == Engine::Consumer {
            let work = RungRun { rung: Rung::Consume, loaded, output: &format!("{}.none", loaded.prefix) };
            return Ok((work.run(self.bed, options)?, Ok(format!("{} records", self.job.records()))));
        }
        let bed = self.bed;
        let (brokers, directory) = (bed.addresses.kafka.as_str(), bed.directory());
        let (output, group, form, command) =
            if let (Engine::KafkaStreams(store), Ok(streams)) = (engine, self.streams) {
                let output = format!("{}.{}.{number}", loaded.prefix, store.title().replace(", ", "_"));
                bed.topic(&output)?;
                let application = output.clone();
                let job = PeerJob {
                    brokers,
                    loaded,
                    output: &output,
                    application: &application,
                    directory,
                    java: &bed.java,
                };
                let command = streams.command(store, &job)?;
                (output, application, Form::Json, command)
            } else {
                let output = loaded.prefix.topic(READY);
                (output, loaded.prefix.group(OURS), Form::Avro, ours(bed, loaded, options))
            };
        let mut watcher = Watcher::new(brokers, &output, &group, loaded)?;
        let broker_before = bed.broker_seconds()?;
        let mut running = Running::start(&group, command, directory)?;
        let done = watcher.until_done(&mut running, expected.len())?;
        let (usage, broker) = (running.usage()?, bed.broker_seconds()?);
        let found = watcher.rows(form)?;
        running.stop()?;
        let run = Run {
            cpu_seconds: usage.cpu_seconds,
            broker_cpu_seconds: Some(broker - broker_before),
            wall_seconds: done.wall.as_secs_f64(),
            peak_bytes: Some(usage.peak_bytes),
        };
        let compared = match difference(expected, &found) {
            None => Ok(format!("{} rows", found.len())),
            Some(difference) => Err(difference.to_string()),
        };
        Ok((run, compared))
    }
}

/// The shipped unit in a process of its own, with nothing of this process's settings.
fn ours(bed: &Testbed, loaded: &Loaded, options: &Options) -> Command {
    let mut command = Command::new(&options.program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("GISTMILL_") || name.starts_with("DIGEST_") {
            command.env_remove(&*name);
        }
    }
    command
        .args(["run", OURS])
        .envs(bed.addresses.variables())
        .env("GISTMILL_PREFIX", loaded.prefix.as_str())
        .env("GISTMILL_LOCK_DIR", bed.directory())
        .current_dir(bed.directory());
    command
}

/// A rung of the ladder on a job.
pub(crate) struct RungRun<'a> {
    pub(crate) rung: Rung,
    pub(crate) loaded: &'a Loaded,
    pub(crate) output: &'a str,
}

impl RungRun<'_> {
    pub(crate) fn run(&self, bed: &Testbed, options: &Options) -> Result<Run, Error> {
        let mut command = Command::new(&options.program);
        let records = self.loaded.fingerprint.records.to_string();
        command.args(["bench", "rung", self.rung.name(), "--brokers", &bed.addresses.kafka]);
        command.args(["--input", &self.loaded.topic, "--output", self.output, "--records", &records]);
        let broker_before = bed.broker_seconds()?;
        let mut running = Running::start(self.output, command, bed.directory())?;
        running.line()?;
        let wall = running.started.elapsed();
        let (usage, broker) = (running.usage()?, bed.broker_seconds()?);
        running.stop()?;
        Ok(Run {
            cpu_seconds: usage.cpu_seconds,
            broker_cpu_seconds: Some(broker - broker_before),
            wall_seconds: wall.as_secs_f64(),
            peak_bytes: Some(usage.peak_bytes),
        })
    }
}

/// The targets, against the better of the peer's stores, and what the figures are not.
fn conclude(findings: &mut Findings, options: &Options) {
    let lines = &findings.lines;
    let find = |name: &str, records: u64| {
        lines.iter().find(|line| line.name == name && line.records == Job::of(records).records())
    };
    let speed = |line: Option<&Line>| line.and_then(Line::speed).map(|spread| spread.median);
    let peak = |line: Option<&Line>| line.and_then(Line::peak_mib).map(|spread| spread.median);
    let stores = Store::ALL.map(Store::title);
    for &messages in &options.records {
        let job = format!("{messages} messages");
        let ours = find(OURS, messages);
        let limit = speed(find(Rung::Consume.title(), messages));
        let share = speed(ours).zip(limit).map(|(ours, limit)| ours * 100.0 / limit);
        let what = format!("window_builder's records per CPU s, of L0, {job}");
        findings.targets.push(Target::at_least(what, 70.0, "%", share));
        let best = stores.iter().filter_map(|store| speed(find(store, messages))).reduce(f64::max);
        let times = speed(ours).zip(best).map(|(ours, peer)| ours / peer);
        let what = format!("its records per CPU s, of Kafka Streams', {job}");
        findings.targets.push(Target::at_least(what, if messages < LONG { 4.0 } else { 3.0 }, "×", times));
        let least = stores.iter().filter_map(|store| peak(find(store, messages))).reduce(f64::min);
        let memory = peak(ours).zip(least).map(|(ours, peer)| ours * 100.0 / peer);
        findings.targets.push(Target::at_most(
            format!("its peak memory, of Kafka Streams', {job}"),
            25.0,
            "%",
            memory,
        ));
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    if let [short, .., long] = options.records[..] {
        let names = [Rung::Consume.title(), OURS].into_iter().map(str::to_owned).chain(stores);
        for name in names {
            let (Some(short), Some(long)) = (find(&name, short), find(&name, long)) else { continue };
            if let Some(more) = marginal(short, long) {
                let note =
                    format!("{name}: {more:.0} records per CPU s for what the longer job adds (marginal).");
                findings.notes.push(note);
            }
        }
    }
}

const NOTES: [&str; 4] = [
    "window_builder tells late messages as revisions of their windows, up to seven days; Kafka Streams drops them: the former \
     has a few hundred rows more to make. Each is held to its own rule.",
    "Processor time is read when all rows are there and the group has committed the end of the input, so that writing the \
     state is in it; start, and of the JVM its warm-up, are in it too.",
    "Kafka Streams: DSL, emitted on window close, exactly_once_v2, two threads, 512 MiB of heap; it writes fewer fields a row \
     than window_builder does, and decodes only the fields that it needs.",
    "The consumer reads the same topic and does nothing with it.",
];
