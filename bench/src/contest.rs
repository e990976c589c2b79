//! The engines of the common job in turns, each held to the rows of its own rule.
//!
//! Invariant: whatever becomes of a peer, the others keep their figures.

use crate::{
    error::Error,
    generator::Job,
    oracle::{Row, Rule, difference, rows},
    peers::{PeerJob, Peers, QUIX_STREAMS, Store},
    report::{Line, Run, Verdict},
    rung::Rung,
    running::Running,
    session::{Findings, Options, Session},
    testbed::{Loaded, Testbed},
    watcher::{Form, OURS, READY, Watcher},
};
use std::{collections::BTreeMap, process::Command};

/// Messages of the job that the JVM learns from.
const LEARNT_FROM: u64 = 200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Consumer,
    WindowBuilder,
    KafkaStreams(Store),
    QuixStreams,
}

impl Engine {
    const ALL: [Self; 5] = [
        Self::Consumer,
        Self::WindowBuilder,
        Self::KafkaStreams(Store::InMemory),
        Self::KafkaStreams(Store::RocksDb),
        Self::QuixStreams,
    ];

    fn title(self) -> String {
        match self {
            Self::Consumer => Rung::Consume.title().to_owned(),
            Self::WindowBuilder => OURS.to_owned(),
            Self::KafkaStreams(store) => store.title(),
            Self::QuixStreams => QUIX_STREAMS.to_owned(),
        }
    }

    fn rule(self) -> Option<Rule> {
        match self {
            Self::Consumer => None,
            Self::WindowBuilder => Some(Rule::ChatRevised),
            Self::KafkaStreams(_) => Some(Rule::PartitionOnce),
            Self::QuixStreams => Some(Rule::ChatOnce),
        }
    }

    fn is_peer(self) -> bool {
        matches!(self, Self::KafkaStreams(_) | Self::QuixStreams)
    }
}

/// All engines on one job.
pub(crate) struct Contest<'a> {
    pub(crate) bed: &'a Testbed,
    pub(crate) peers: &'a Peers,
    pub(crate) job: Job,
}

/// How an engine is started, and where its rows and its progress are seen.
struct Entry {
    command: Command,
    output: String,
    group: String,
    form: Form,
}

impl Contest<'_> {
    /// Lets Kafka Streams run a small job with each store once, before anything is measured. One that fails to shows
    /// itself in the runs that count.
    pub(crate) fn learn(bed: &Testbed, peers: &Peers, session: &mut Session<'_>) -> Result<(), Error> {
        let Ok(streams) = &peers.streams else { return Ok(()) };
        let job = Job::of(LEARNT_FROM);
        let contest = Contest { bed, peers, job };
        let expected = rows(Rule::PartitionOnce, job.generate()).len();
        for store in Store::ALL {
            session.say(format!("{}: a job to learn from …", store.title()));
            let loaded = bed.load(job)?;
            let output = format!("{}.learning", loaded.prefix);
            bed.topic(&output)?;
            let command = streams.learning(store, &contest.peer_job(&loaded, &output))?;
            let mut watcher = Watcher::new(&bed.addresses.kafka, &output, &output, &loaded)?;
            let mut running = Running::start(&output, command, bed.directory())?;
            if watcher.until_done(&mut running, expected).is_ok() {
                running.stop()?;
            }
            bed.delete(&loaded.prefix)?;
        }
        Ok(())
    }

    pub(crate) fn hold(&self, session: &mut Session<'_>, findings: &mut Findings) -> Result<(), Error> {
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
                if let Some(why) = self.missing(engines[at]) {
                    lines[at].verdict = Verdict::Missing(why.to_owned());
                    continue;
                }
                session.say(format!("run {}: {} …", number + 1, engines[at].title()));
                let expected = expected.get(&lines[at].name).map_or(&[][..], Vec::as_slice);
                match self.run(engines[at], &loaded, (number, session.options), expected) {
                    Ok((run, compared)) => lines[at].add(run, compared),
                    Err(error @ (Error::Ended { .. } | Error::Slow { .. } | Error::Json { .. }))
                        if engines[at].is_peer() =>
                    {
                        lines[at].verdict = Verdict::Wrong(error.to_string());
                    }
                    Err(error) => return Err(error),
                }
            }
            self.bed.delete(&loaded.prefix)?;
        }
        findings.lines.append(&mut lines);
        Ok(())
    }

    /// Why an engine does not take part.
    fn missing(&self, engine: Engine) -> Option<&str> {
        match engine {
            Engine::Consumer | Engine::WindowBuilder => None,
            Engine::KafkaStreams(_) => self.peers.streams.as_ref().err().map(String::as_str),
            Engine::QuixStreams => self.peers.quix.as_ref().err().map(String::as_str),
        }
    }

    fn peer_job<'b>(&'b self, loaded: &'b Loaded, output: &'b str) -> PeerJob<'b> {
        let bed = self.bed;
        let (brokers, directory) = (bed.addresses.kafka.as_str(), bed.directory());
        PeerJob { brokers, loaded, output, application: output, directory, java: &bed.java }
    }

    fn entry(
        &self,
        engine: Engine,
        loaded: &Loaded,
        (number, options): (usize, &Options),
    ) -> Result<Entry, Error> {
        let output = format!("{}.{}.{number}", loaded.prefix, engine.title().replace(", ", "_"));
        let job = self.peer_job(loaded, &output);
        let command = match (engine, &self.peers.streams, &self.peers.quix) {
            (Engine::KafkaStreams(store), Ok(streams), _) => streams.command(store, &job)?,
            (Engine::QuixStreams, _, Ok(quix)) => quix.command(&job)?,
            _ => {
                let (output, group) = (loaded.prefix.topic(READY), loaded.prefix.group(OURS));
                let command = self.bed.command(&options.program, &loaded.prefix, &["run", OURS]);
                return Ok(Entry { command, output, group, form: Form::Avro });
            }
        };
        self.bed.topic(&output)?;
        Ok(Entry { command, group: output.clone(), output, form: Form::Json })
    }

    fn run(
        &self,
        engine: Engine,
        loaded: &Loaded,
        asked: (usize, &Options),
        expected: &[Row],
    ) -> Result<(Run, Result<String, String>), Error> {
        let bed = self.bed;
        if engine == Engine::Consumer {
            let work = RungRun { rung: Rung::Consume, loaded, output: &format!("{}.none", loaded.prefix) };
            return Ok((work.run(bed, asked.1)?, Ok(format!("{} records", self.job.records()))));
        }
        let Entry { command, output, group, form } = self.entry(engine, loaded, asked)?;
        let mut watcher = Watcher::new(&bed.addresses.kafka, &output, &group, loaded)?;
        let broker_before = bed.broker_seconds()?;
        let mut running = Running::start(&group, command, bed.directory())?;
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
