//! The ladder: what a loop over the broker's client costs, and what each thing costs that a processor does on top of it.

use crate::{
    clients,
    contest::RungRun,
    error::Error,
    generator::Job,
    report::{Base, Line, Report},
    rung::Rung,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{Say, Testbed},
};

/// Climbs the ladder so many times, on a stack of its own.
///
/// # Errors
/// The stack does not start, or a rung writes other records than it read.
pub fn ladder(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("ladder", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let base = Some(Base { name: Rung::Copy.title().to_owned(), title: "of L2" });
    let mut findings = Findings { versions: kafka_versions(), base, ..Findings::default() };
    for messages in &options.records {
        climb(&bed, Job::of(*messages), &mut session, &mut findings)?;
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    session.finish(findings)
}

fn climb(bed: &Testbed, job: Job, session: &mut Session<'_>, findings: &mut Findings) -> Result<(), Error> {
    session.say(format!("writing {} records …", job.records()));
    let loaded = bed.load(job)?;
    let mut lines: Vec<Line> = Rung::ALL.iter().map(|rung| Line::new(rung.title(), job.records())).collect();
    for number in 0..session.options.runs {
        for turn in 0..Rung::ALL.len() {
            let at = (turn + number) % Rung::ALL.len();
            let rung = Rung::ALL[at];
            session.say(format!("run {} of {}: {} …", number + 1, session.options.runs, rung.title()));
            let output = format!("{}.{}.{number}", loaded.prefix, rung.name());
            bed.topic(&output)?;
            let run = RungRun { rung, loaded: &loaded, output: &output }.run(bed, session.options)?;
            if rung.writes() {
                let copied = clients::fingerprint(&bed.addresses.kafka, &output, loaded.fingerprint.records)?;
                if copied.partitions != loaded.fingerprint.partitions {
                    return Err(Error::Copy { name: rung.title() });
                }
            }
            lines[at].add(run, Ok(format!("{} records", job.records())));
        }
    }
    findings.lines.append(&mut lines);
    findings.inputs.push(loaded.fingerprint.clone());
    bed.delete(&loaded.prefix)
}

const NOTES: [&str; 3] = [
    "One thread, one consumer and one producer a rung, by hand over librdkafka, committed every 100 ms; what a rung writes is \
     compared with what was read, each partition by its sha256.",
    "L2 is the least that any processor can do exactly once; a processor's own figure is told as a share of it.",
    "L4 makes the rows of the windows and leaves them; L5 writes what it encoded, which is the input again, byte for byte.",
];
