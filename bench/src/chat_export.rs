//! A chat of four years as Telegram Desktop exports it.
//!
//! Invariant: the file is a function of the seed and the number of messages, on every machine; its sha256 is told with each
//! result. What a pipeline has to make of it is found here, from what was written, and by none of the pipeline's code.

use crate::{
    dice::Dice,
    error::{Error, system},
    fingerprint::{Fingerprint, hex},
    generator::{DAY_MS, HOUR_MS},
};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// 2022-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_640_995_200_000;
const DAYS: usize = 1_461;
const SEED: u64 = 11;
const AUTHORS: u64 = 40;
/// People write between these hours.
const FIRST_HOUR: i64 = 7;
const HOURS: u64 = 16;
/// Messages that the size of one is estimated from.
const SAMPLE: u64 = 2_000;

const THINGS: [&str; 16] = [
    "the forklift",
    "the second key",
    "the release",
    "the roof of the shed",
    "the invoice",
    "the new broker",
    "the labels",
    "the parking place",
    "the test bench",
    "the migration",
    "the printer",
    "the budget",
    "the spare pump",
    "the rota",
    "the backup",
    "the contract",
];
const DEEDS: [&str; 12] = [
    "book",
    "repair",
    "move",
    "check",
    "order",
    "write down",
    "measure",
    "replace",
    "send",
    "clean",
    "roll back",
    "test",
];
const TIMES: [&str; 10] = [
    "on Monday",
    "tomorrow",
    "before noon",
    "by Friday",
    "next week",
    "tonight",
    "on the 14th",
    "after the meeting",
    "as soon as it rains less",
    "when Omar is back",
];
const SHORT: [&str; 10] = [
    "ok",
    "thanks!",
    "+1",
    "no idea",
    "yes, please",
    "same here",
    "I'm late, sorry",
    "done",
    "let me look",
    "good morning",
];
const TAILS: [&str; 8] = [
    "",
    ", and somebody has to tell the neighbours",
    " — it costs 240 a month",
    ", the old one leaks again",
    ", I've written it into the list",
    ", otherwise we lose the slot",
    ", as we said last time",
    ", it took three hours before",
];

/// A file, and what is in it.
#[derive(Debug, Clone)]
pub(crate) struct ChatExport {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Messages, bytes and sha256 of the file.
    pub(crate) fingerprint: Fingerprint,
    /// Starts of the days that hold a message, in ms.
    pub(crate) days: BTreeSet<i64>,
}

/// Writes a chat of so many messages.
pub(crate) fn write(path: &Path, messages: u64) -> Result<ChatExport, Error> {
    let what = || format!("write {}", path.display());
    let file = File::create(path).map_err(system(what()))?;
    let mut sink = Hashing { file: BufWriter::with_capacity(1 << 20, file), hash: Sha256::new(), bytes: 0 };
    let days = fill(&mut sink, messages).and_then(|days| sink.flush().map(|()| days));
    let days = days.map_err(system(what()))?;
    let fingerprint =
        Fingerprint { records: messages, bytes: sink.bytes, sha256: hex(sink.hash), partitions: Vec::new() };
    Ok(ChatExport { path: path.to_owned(), fingerprint, days })
}

/// Messages of a file of about so many bytes.
pub(crate) fn messages_of(bytes: u64) -> u64 {
    let mut sink = Hashing { file: std::io::sink(), hash: Sha256::new(), bytes: 0 };
    // A sink takes everything.
    fill(&mut sink, SAMPLE).ok();
    (bytes * SAMPLE).checked_div(sink.bytes).unwrap_or_default().max(1)
}

struct Hashing<W> {
    file: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn fill(sink: &mut impl Write, messages: u64) -> std::io::Result<BTreeSet<i64>> {
    let mut dice = Dice::new(SEED);
    let (mut days, mut id) = (BTreeSet::new(), 0);
    write!(sink, "{{\"name\":\"Bench\",\"type\":\"private_supergroup\",\"id\":4711,\"messages\":[")?;
    for (start_ms, count) in spread(&mut dice, messages) {
        let mut times: Vec<i64> = (0..count).map(|_| within_a_day(&mut dice, start_ms)).collect();
        times.sort_unstable();
        days.extend(times.first().map(|_| start_ms));
        for sent_at_ms in times {
            id += 1;
            let message = message(&mut dice, id, sent_at_ms);
            write!(sink, "{}\n{message}", if id > 1 { "," } else { "" })?;
        }
    }
    writeln!(sink, "\n]}}")?;
    Ok(days)
}

/// Days and how many messages each has: one in six is silent, some are loud.
fn spread(dice: &mut Dice, messages: u64) -> Vec<(i64, u64)> {
    let mut total = 0;
    let weight = |dice: &mut Dice| if dice.below(6) == 0 { 0 } else { (1 + dice.below(20)).pow(2) };
    let bounds: Vec<u64> = (0..DAYS)
        .map(|_| {
            total += weight(dice);
            total
        })
        .collect();
    let before = |bound: u64| u128::from(messages) * u128::from(bound) / u128::from(total.max(1));
    let starts = (0..).map(|day| BEGIN_MS + day * DAY_MS);
    let mut last = 0;
    starts
        .zip(bounds)
        .map(|(start_ms, bound)| {
            let count = (before(bound) - before(last)) as u64;
            last = bound;
            (start_ms, count)
        })
        .collect()
}

fn within_a_day(dice: &mut Dice, start_ms: i64) -> i64 {
    let hours = FIRST_HOUR * HOUR_MS;
    // Seconds: Telegram tells no parts of them.
    start_ms + hours + dice.below(HOURS * 3_600) as i64 * 1_000
}

fn message(dice: &mut Dice, id: u64, sent_at_ms: i64) -> serde_json::Value {
    let author = dice.below(AUTHORS);
    let text = said(dice);
    let date = Timestamp::from_millisecond(sent_at_ms).unwrap_or_default();
    let mut message = json!({
        "id": id, "type": "message",
        "date": date.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "date_unixtime": (sent_at_ms / 1_000).to_string(),
        "from": format!("Member number {author}"), "from_id": format!("user{}", 1_000 + author),
        "text": text, "text_entities": [{"type": "plain", "text": text}],
    });
    let to = dice.below(20) + 1;
    if dice.below(10) < 3 && to < id {
        message["reply_to_message_id"] = (id - to).into();
    }
    message
}

/// What somebody says: small talk, questions, promises, decisions, opinions.
pub(crate) fn said(dice: &mut Dice) -> String {
    let mut one = |of: &[&'static str]| of[dice.below(of.len() as u64) as usize];
    let (thing, deed, time, tail) = (one(&THINGS), one(&DEEDS), one(&TIMES), one(&TAILS));
    let (short, other) = (one(&SHORT), one(&THINGS));
    match dice.below(12) {
        0..3 => short.to_owned(),
        3 => format!("Who can {deed} {thing} {time}?"),
        4 => format!("Does anybody know where {thing} is{tail}?"),
        5 => format!("We decided to {deed} {thing} {time}{tail}."),
        6 => format!("I'll {deed} {thing} {time}{tail}."),
        7 => format!("Let's {deed} {thing} and {other} {time}{tail}"),
        8 => format!("I'm so glad that {thing} works again, thank you all!"),
        9 => format!("This is annoying: {thing} is broken, {other} too{tail}."),
        _ => format!("About {thing}: I think that we should {deed} it {time}{tail}, and {other} can wait."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(messages: u64) -> (ChatExport, serde_json::Value) {
        let directory = tempfile::tempdir().expect("a directory");
        let export = write(&directory.path().join("result.json"), messages).expect("written");
        let text = std::fs::read(&export.path).expect("a file");
        (export, serde_json::from_slice(&text).expect("JSON"))
    }

    #[test]
    fn the_file_holds_what_is_told_of_it() {
        let (export, json) = written(3_000);
        let messages = json["messages"].as_array().expect("messages");
        assert_eq!(messages.len(), 3_000);
        assert_eq!(export.fingerprint.records, 3_000);
        let day = |message: &serde_json::Value| {
            let seconds: i64 = message["date_unixtime"].as_str().expect("text").parse().expect("a number");
            seconds * 1_000 - (seconds * 1_000).rem_euclid(DAY_MS)
        };
        assert_eq!(messages.iter().map(day).collect::<BTreeSet<_>>(), export.days);
        assert!((700..1_300).contains(&export.days.len()), "{}", export.days.len());
        let ids: Vec<u64> = messages.iter().filter_map(|message| message["id"].as_u64()).collect();
        assert_eq!(ids, (1..=3_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_number_makes_the_same_bytes() {
        let sha256 = |messages| written(messages).0.fingerprint.sha256;
        assert_eq!(sha256(500), sha256(500));
        assert_ne!(sha256(500), sha256(501));
    }

    #[test]
    fn a_size_is_met_within_a_tenth() {
        let wanted = 2_000_000;
        let found = written(messages_of(wanted)).0.fingerprint.bytes;
        assert!(found.abs_diff(wanted) < wanted / 10, "{found}");
    }
}
