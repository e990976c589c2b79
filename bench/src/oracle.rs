//! The rows that an engine has to make of the common job, found by one thread that reads the records once.
//!
//! Invariant: it shares no code with any engine. Each engine is held to its own stated rule for late records; a figure of
//! an engine whose rows are not exactly these does not count.

use crate::generator::Generated;
use schemas::Record as _;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const HOUR_MS: i64 = 3_600_000;
const GRACE_MS: i64 = 5 * 60_000;
const HORIZON_MS: i64 = 7 * 24 * HOUR_MS;

/// A window as an engine tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    /// Kafka key of the chat.
    pub(crate) key: String,
    /// Start in ms, inclusive.
    pub(crate) start_ms: i64,
    /// End in ms, exclusive.
    pub(crate) end_ms: i64,
    /// 1 where an engine tells a window once.
    pub(crate) revision: i32,
    /// Distinct messages.
    pub(crate) messages: i32,
    /// Distinct authors of them.
    pub(crate) participants: i32,
    /// Partition and offset as of which a reader of the log finds these messages, where an engine tells that.
    pub(crate) as_of: Option<(i32, i64)>,
}

/// A rule for late records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Of `window_builder`: the clock is the chat's newest send time less five minutes; a message behind it opens its
    /// window again for five minutes of the clock, and a window that has gained something is told as its next revision.
    ChatRevised,
    /// Of the DSL of Kafka Streams: the clock is the partition's newest event time less five minutes; a message whose
    /// window ends by then is dropped, and a window is told once.
    PartitionOnce,
    /// Of Quix Streams, which closes windows by key: the same with the chat's newest event time.
    ChatOnce,
}

/// The rows of these records by a rule, sorted.
pub(crate) fn rows(rule: Rule, records: impl Iterator<Item = Generated>) -> Vec<Row> {
    let mut rows = match rule {
        Rule::ChatRevised => closings(records).into_iter().map(|(row, _)| row).collect(),
        Rule::PartitionOnce => once(records, |generated| generated.partition.to_string()),
        Rule::ChatOnce => once(records, |generated| generated.record.key()),
    };
    rows.sort_unstable();
    rows
}

#[derive(Debug, Default)]
struct Window {
    ids: HashSet<i64>,
    authors: BTreeSet<String>,
    due_ms: Option<i64>,
    /// Messages in the newest revision, and its number.
    told: (usize, i32),
    last_offset: i64,
}

impl Window {
    /// True when the message is new to it.
    fn take(&mut self, message: &schemas::Message) -> bool {
        if let Some(author) = &message.author
            && !self.authors.contains(&author.id)
        {
            self.authors.insert(author.id.clone());
        }
        self.ids.insert(message.id)
    }

    fn row(&self, key: &str, start_ms: i64, (revision, as_of): (i32, Option<(i32, i64)>)) -> Row {
        Row {
            key: key.to_owned(),
            start_ms,
            end_ms: start_ms + HOUR_MS,
            revision,
            messages: self.ids.len() as i32,
            participants: self.authors.len() as i32,
            as_of,
        }
    }
}

fn start_of(sent_at: i64) -> i64 {
    sent_at - sent_at.rem_euclid(HOUR_MS)
}

#[derive(Debug)]
struct Chat {
    newest_ms: i64,
    windows: BTreeMap<i64, Window>,
}

impl Chat {
    fn clock_ms(&self) -> i64 {
        self.newest_ms.saturating_sub(GRACE_MS)
    }

    fn take(&mut self, generated: &Generated) {
        let clock_ms = self.clock_ms();
        for message in &generated.record.messages {
            let start_ms = start_of(message.sent_at);
            let window = self.windows.entry(start_ms).or_default();
            window.take(message);
            window.last_offset = generated.offset;
            let end_ms = start_ms + HOUR_MS;
            if window.due_ms.is_none() && clock_ms < end_ms {
                window.due_ms = Some(end_ms);
            } else if window.due_ms.is_none() && clock_ms < end_ms + HORIZON_MS {
                window.due_ms = Some(clock_ms + GRACE_MS);
            }
            if message.sent_at <= generated.record.observed_at {
                self.newest_ms = self.newest_ms.max(message.sent_at);
            }
        }
    }

    fn close(&mut self, generated: &Generated, key: &str, rows: &mut Vec<Row>) {
        let clock_ms = generated.record.complete_until.unwrap_or_else(|| self.clock_ms());
        for (start_ms, window) in &mut self.windows {
            if window.due_ms.is_none_or(|due_ms| due_ms > clock_ms) {
                continue;
            }
            window.due_ms = None;
            if window.told.0 < window.ids.len() {
                window.told = (window.ids.len(), window.told.1 + 1);
                let as_of = (generated.partition, window.last_offset);
                rows.push(window.row(key, *start_ms, (window.told.1, Some(as_of))));
            }
        }
    }
}

/// The rows by [`Rule::ChatRevised`], each with the number of the record that closed its window.
pub(crate) fn closings(records: impl Iterator<Item = Generated>) -> Vec<(Row, usize)> {
    let (mut chats, mut closed) = (BTreeMap::new(), Vec::new());
    for (number, generated) in records.enumerate() {
        let key = generated.record.key();
        let new = || Chat { newest_ms: i64::MIN, windows: BTreeMap::new() };
        let chat = chats.entry(key.clone()).or_insert_with(new);
        chat.take(&generated);
        let mut rows = Vec::new();
        chat.close(&generated, &key, &mut rows);
        closed.extend(rows.into_iter().map(|row| (row, number)));
    }
    closed
}

/// Windows that are told once, with one clock for each of what `clock` names.
fn once(records: impl Iterator<Item = Generated>, clock: impl Fn(&Generated) -> String) -> Vec<Row> {
    let mut newest: BTreeMap<String, i64> = BTreeMap::new();
    let mut windows: BTreeMap<(String, i64), Window> = BTreeMap::new();
    for generated in records {
        let newest_ms = newest.entry(clock(&generated)).or_insert(i64::MIN);
        for message in &generated.record.messages {
            *newest_ms = message.sent_at.max(*newest_ms);
            let start_ms = start_of(message.sent_at);
            if start_ms + HOUR_MS > newest_ms.saturating_sub(GRACE_MS) {
                windows.entry((generated.record.key(), start_ms)).or_default().take(message);
            }
        }
    }
    windows.iter().map(|((key, start_ms), window)| window.row(key, *start_ms, (1, None))).collect()
}

/// How rows differ from the ones expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Expected and not there.
    pub(crate) missing: usize,
    /// There and not expected, such as a row that came twice.
    pub(crate) extra: usize,
    /// One of them, in words.
    pub(crate) first: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { missing, extra, first } = self;
        write!(f, "{missing} rows are missing and {extra} are too many; the first is {first}")
    }
}

/// How two multisets of rows differ, both sorted; `None` when they are equal.
pub(crate) fn difference(expected: &[Row], found: &[Row]) -> Option<Difference> {
    let (mut missing, mut extra) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (expected.iter().peekable(), found.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(wanted), Some(row)) if wanted == row => {
                left.next();
                right.next();
            }
            (Some(wanted), Some(row)) if wanted > row => extra.extend(right.next()),
            (Some(_), _) => missing.extend(left.next()),
            (None, Some(_)) => extra.extend(right.next()),
            (None, None) => break,
        }
    }
    let first = match (missing.first(), extra.first()) {
        (Some(row), _) => format!("missing: {row:?}"),
        (None, Some(row)) => format!("too many: {row:?}"),
        (None, None) => return None,
    };
    Some(Difference { missing: missing.len(), extra: extra.len(), first })
}

#[cfg(test)]
mod tests;
