//! The common job: windows of an hour over a day of 200 chats, by `window_builder`, by Kafka Streams, by Quix Streams, and by
//! a consumer that does nothing with what it reads.

use crate::{
    contest::Contest,
    error::Error,
    generator::Job,
    peers::{Peers, QUIX_STREAMS, Store},
    report::{Base, Line, Report, Target, marginal},
    rung::Rung,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{Say, Testbed},
    watcher::OURS,
};

/// Messages of the two jobs that Kafka Streams is compared on: start and warm-up weigh less in the longer one.
const LONG: u64 = 4_000_000;

/// Runs the engines in turns, on a stack of their own.
///
/// # Errors
/// The stack does not start, or something other than a peer fails.
pub fn window(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("window", options, say)?;
    session.say("building the peers …");
    let peers = Peers::build(&options.folder, options.with_peers);
    let bed = Testbed::start(session.teller())?;
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    findings.versions.extend(peers.versions(&bed.java));
    Contest::learn(&bed, &peers, &mut session)?;
    for messages in &options.records {
        let contest = Contest { bed: &bed, peers: &peers, job: Job::of(*messages) };
        contest.hold(&mut session, &mut findings)?;
    }
    findings.base = Some(Base { name: Rung::Consume.title().to_owned(), title: "of L0" });
    conclude(&mut findings, options);
    session.finish(findings)
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
        findings.targets.push(Target::at_least(what, 70.0, "%", share).of("window-client"));
        let best = stores.iter().filter_map(|store| speed(find(store, messages))).reduce(f64::max);
        let times = speed(ours).zip(best).map(|(ours, peer)| ours / peer);
        let what = format!("its records per CPU s, of Kafka Streams', {job}");
        let least = if messages < LONG { 4.0 } else { 3.0 };
        findings.targets.push(Target::at_least(what, least, "×", times).of("window-kafka-streams"));
        let times = speed(ours).zip(speed(find(QUIX_STREAMS, messages))).map(|(ours, peer)| ours / peer);
        let what = format!("its records per CPU s, of Quix Streams', {job}");
        findings.targets.push(Target::at_least(what, 20.0, "×", times).of("window-quix-streams"));
        let least = stores.iter().filter_map(|store| peak(find(store, messages))).reduce(f64::min);
        let memory = peak(ours).zip(least).map(|(ours, peer)| ours * 100.0 / peer);
        let what = format!("its peak memory, of Kafka Streams', {job}");
        findings.targets.push(Target::at_most(what, 25.0, "%", memory).of("window-memory"));
        let what = format!("its peak memory, {job}");
        findings.targets.push(Target::at_most(what, 160.0, "MiB", peak(ours)).of("memory"));
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    if let [short, .., long] = options.records[..] {
        let names = [Rung::Consume.title(), OURS, QUIX_STREAMS].into_iter().map(str::to_owned).chain(stores);
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

const NOTES: [&str; 5] = [
    "window_builder tells late messages as revisions of their windows, up to seven days; Kafka Streams drops them: the former \
     has a few hundred rows more to make. Each is held to its own rule.",
    "Processor time is read when all rows are there and the group has committed the end of the input, so that writing the \
     state is in it; start, and of the JVM its warm-up, are in it too.",
    "Kafka Streams: DSL, emitted on window close, exactly_once_v2, two threads, 512 MiB of heap, on a JVM of version 25 or later with an \
     ahead-of-time cache from a run before; it writes fewer fields a row \
     than window_builder does, and decodes only the fields that it needs.",
    "Quix Streams: one process, which is one thread, tumbling windows closed by key, exactly-once, RocksDB with a changelog. It drops \
     late messages by the chat's clock.",
    "The consumer reads the same topic and does nothing with it.",
];
