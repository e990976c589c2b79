//! A large export of Telegram into Kafka, and no further.

use crate::{
    chat_export::{self, ChatExport},
    clients,
    error::{Error, kafka},
    generator::TENANT,
    pipeline::Pipeline,
    report::{Line, Report, Run, Target},
    session::{Findings, Options, Session, kafka_versions},
    testbed::{INGESTED, Say, Testbed},
    watcher::Shipped,
};
use rdkafka::{Message as _, consumer::BaseConsumer};
use schemas::{Decoder, END_OF_LANE, GroupMessageIngested};
use std::time::Duration;

/// Longest wait for an import.
pub(crate) const PATIENCE: Duration = Duration::from_hours(1);
/// An import's last record is there when it has ended: a reader that finds nothing for so long has read it.
const SILENCE_LOOKS: u32 = 100;
const POLL_WAIT: Duration = Duration::from_millis(20);
const MIB: f64 = 1024.0 * 1024.0;

/// Imports a file of so many bytes, on a stack of its own.
///
/// # Errors
/// The stack does not start, or an import fails.
pub fn import(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("import", options, say)?;
    let bed = Testbed::start(session.teller())?;
    session.say("writing the export …");
    let path = bed.directory().join("result.json");
    let export = chat_export::write(&path, chat_export::messages_of(options.bytes))?;
    let messages = export.fingerprint.records;
    let mut line = Line::new("gistmill import", messages);
    for number in 0..options.runs {
        session.say(format!("run {} of {}: {messages} messages …", number + 1, options.runs));
        let pipeline = Pipeline::start(&bed, &options.program)?;
        let run = imported(&pipeline, &export)?;
        line.add(run, held_to(&read(&pipeline)?, messages));
        bed.delete(&pipeline.prefix)?;
    }
    let wall = line.spread(|run| Some(run.wall_seconds));
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    if let Some(wall) = wall {
        let speed = messages as f64 / wall.median;
        let size = export.fingerprint.bytes as f64 / MIB;
        findings
            .notes
            .push(format!("{speed:.0} messages and {:.1} MiB a second by the clock.", size / wall.median));
    }
    let peak = line.peak_mib().map(|spread| spread.median);
    let what = "memory of an import, whatever the size of its file";
    findings.targets.push(Target::at_most(what, 160.0, "MiB", peak).of("memory"));
    findings.notes.push(NOTE.to_owned());
    findings.inputs.push(export.fingerprint);
    findings.lines.push(line);
    session.finish(findings)
}

/// Arguments of an import of the export.
pub(crate) fn arguments(export: &ChatExport) -> [String; 7] {
    let path = export.path.display().to_string();
    ["import", &path, "--tenant", TENANT, "--group", "chat", "--json"].map(str::to_owned)
}

fn imported(pipeline: &Pipeline<'_>, export: &ChatExport) -> Result<Run, Error> {
    let arguments = arguments(export);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let broker_before = pipeline.bed.broker_seconds()?;
    let running = pipeline.spawn("import", &arguments)?;
    let started = running.started;
    let (usage, _) = running.finish(PATIENCE)?;
    Ok(Run {
        cpu_seconds: usage.cpu_seconds,
        broker_cpu_seconds: Some(pipeline.bed.broker_seconds()? - broker_before),
        wall_seconds: started.elapsed().as_secs_f64(),
        peak_bytes: Some(usage.peak_bytes),
    })
}

/// What a reader of the topic finds: the ids of the messages in order, and whether the lane has ended after them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    ids: Vec<i64>,
    ends: usize,
}

fn read(pipeline: &Pipeline<'_>) -> Result<Found, Error> {
    let consumer: BaseConsumer = clients::consumer(&pipeline.bed.addresses.kafka, "bench")?;
    clients::assign(&consumer, &pipeline.topic(INGESTED))?;
    let mut decoder: Decoder<GroupMessageIngested> = Shipped::decoder();
    let (mut found, mut idle) = (Found::default(), 0);
    while idle < SILENCE_LOOKS {
        let Some(polled) = consumer.poll(POLL_WAIT) else {
            idle += 1;
            continue;
        };
        idle = 0;
        let message = polled.map_err(kafka("read what was imported"))?;
        let record = decoder.decode(message.payload())?;
        found.ids.extend(record.messages.iter().map(|message| message.id));
        found.ends += usize::from(record.complete_until == Some(END_OF_LANE));
    }
    Ok(found)
}

/// Every message once, in the order of the file, and one end of the lane.
fn held_to(found: &Found, messages: u64) -> Result<String, String> {
    let Found { ids, ends } = found;
    if *ends != 1 {
        return Err(format!("the lane ends {ends} times and not once"));
    }
    let wrong = ids.iter().zip(1..).find(|(found, expected)| **found != *expected);
    match wrong {
        Some((found, expected)) => Err(format!("message {found} stands where {expected} has to be")),
        None if ids.len() as u64 == messages => Ok(format!("{messages} messages")),
        None => Err(format!("{} messages and not {messages}", ids.len())),
    }
}

const NOTE: &str = "A process that reads the file twice: once whole, to check it and to name it by its hash, then as it writes. \
     Messages are compared by their ids, each once and in order.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_missing_twice_there_or_without_an_end_are_told() {
        let held = |ids: Vec<i64>, ends| held_to(&Found { ids, ends }, 3);
        assert_eq!(held(vec![1, 2, 3], 1), Ok("3 messages".to_owned()));
        assert_eq!(held(vec![1, 3], 1), Err("message 3 stands where 2 has to be".to_owned()));
        assert_eq!(held(vec![1, 2, 2, 3], 1), Err("message 2 stands where 3 has to be".to_owned()));
        assert_eq!(held(vec![1, 2], 1), Err("2 messages and not 3".to_owned()));
        assert_eq!(held(vec![1, 2, 3], 0), Err("the lane ends 0 times and not once".to_owned()));
    }
}
