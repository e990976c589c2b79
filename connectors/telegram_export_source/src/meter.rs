//! What was read, skipped and why, shared between a source and whoever draws its progress.

use crate::{export::Fault, lines::LINE_BYTES_MAX, repair::Counts};
use ingest::TEXT_BYTES_MAX;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Damaged elements that are named.
const DAMAGED_MAX: usize = 20;
const DAMAGED: &str = "damaged";

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Reads the whole file once, to name and to check it: nothing is written. Bytes are those of the file.
    #[default]
    Checking,
    /// Reads it again and gives its messages. Bytes are decompressed ones.
    Reading,
    /// Everything was given.
    Done,
}

/// A damaged element that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Id of the message, where it can be read.
    pub id: Option<i64>,
    /// Line of the fault, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

impl Damage {
    pub(crate) fn of(fault: &Fault) -> Self {
        Self { id: fault.message, line: fault.line, reason: fault.kind.words().to_owned() }
    }

    pub(crate) fn of_line(line: u64, reason: String) -> Self {
        Self { id: None, line, reason }
    }
}

/// Counts of one source since its start; what an earlier run committed is in `read` but not in `given`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Messages read: given or given before.
    pub read: u64,
    /// Messages given by this run, whether the group had them or not.
    pub given: u64,
    /// Of `read`: states that are edits.
    pub edited: u64,
    /// Of `read`: deletions.
    pub deleted: u64,
    /// Of `read`: dated by a local time without zone, taken in `time_zone`.
    pub zone_assumed: u64,
    /// Of `zone_assumed`: the clock was set back and showed the time twice; the first was taken.
    pub zone_twice: u64,
    /// Zone of local times; empty for feeds, whose dates have their own.
    pub time_zone: String,
    /// Of `read`: dated in the far future.
    pub future_date: u64,
    /// What was not imported, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// The first of `skipped` as `damaged`, at most 20.
    pub damaged: Vec<Damage>,
    /// Slips of Telegram Desktop that were undone, by name.
    pub repaired: BTreeMap<&'static str, u64>,
    /// Forum topics met.
    pub topics: u64,
    /// What was found out about the export of another maker: whose it is, how its dates are read.
    pub notes: Vec<String>,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// Earliest send time in ms, future dates left out.
    pub first_sent_at: Option<i64>,
    /// Latest send time in ms, future dates left out.
    pub last_sent_at: Option<i64>,
}

impl Summary {
    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    pub(crate) fn damage(&mut self, damage: &Damage) {
        self.skip(DAMAGED);
        if self.damaged.len() < DAMAGED_MAX {
            self.damaged.push(damage.clone());
        }
    }

    pub(crate) fn repair(&mut self, slips: &Counts) {
        for (name, count) in slips {
            *self.repaired.entry(name).or_default() += count;
        }
    }

    /// Damaged elements that are not in `damaged`.
    pub fn damaged_more(&self) -> u64 {
        self.skipped.get(DAMAGED).map_or(0, |count| count - self.damaged.len() as u64)
    }

    /// `service 3, unsupported 1`, or `nothing`; a limit that was passed is told.
    pub fn skipped_text(&self) -> String {
        let part = |(reason, count): (&&str, &u64)| format!("{reason} {count}{}", limit(reason));
        let parts: Vec<String> = self.skipped.iter().map(part).collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }
}

fn limit(reason: &str) -> String {
    if reason != "too_large" {
        return String::new();
    }
    let [text, line] = [TEXT_BYTES_MAX, LINE_BYTES_MAX].map(|bytes| bytes / (1024 * 1024));
    format!(" (text above {text} MiB, or a line above {line} MiB)")
}

/// A look at a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes done in this phase.
    pub bytes_done: u64,
    /// Bytes of this phase; `None` for a feed.
    pub bytes_total: Option<u64>,
    /// What came of it so far.
    pub summary: Summary,
}

/// A handle on a [`Snapshot`]; cheap to clone, to be kept when the source is given away.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Snapshot>>);

impl Meter {
    /// The state as of the last call of the source.
    pub fn snapshot(&self) -> Snapshot {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_was_passed_is_told() {
        let mut summary = Summary::default();
        assert_eq!(summary.skipped_text(), "nothing");
        for reason in ["too_large", "service", "service"] {
            summary.skip(reason);
        }
        let expected = "service 2, too_large 1 (text above 1 MiB, or a line above 4 MiB)";
        assert_eq!(summary.skipped_text(), expected);
    }
}
