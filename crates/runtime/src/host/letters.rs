//! What a unit has given up as dead letters, and what of that the log is to hear: the first of each kind one by one, then
//! how many, so that ten thousand equal failures are not ten thousand lines.
//!
//! Invariant: no letter is in no line: it has one of its own, or is counted in one. Nothing of its content is in either.

use engine::{dead_letter::FailureKind, guard::Rejected};
use schemas::{DigestDlq, Fingerprint};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tracing::warn;

/// Letters of a kind that have lines of their own, since the unit was started.
const FULL_MAX: u64 = 10;
/// Time over which the others of a kind are counted.
const COUNTED_OVER: Duration = Duration::from_mins(1);
/// Kinds that are told apart, as many as have series; all that come later are one.
const KINDS_MAX: usize = 200;
const OTHER: &str = "(other)";

/// An input that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Logical topic.
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// A code, as in metrics.
    pub(crate) reason: String,
    pub(crate) fingerprint: Fingerprint,
}

impl Letter {
    pub(crate) fn of_rejected(topic: &str, rejected: &Rejected) -> Self {
        let Rejected { partition, offset, kind: FailureKind { reason, fingerprint } } = *rejected;
        Self { topic: topic.to_owned(), partition, offset, reason: reason.to_owned(), fingerprint }
    }

    pub(crate) fn of_record(letter: &DigestDlq) -> Self {
        Self {
            topic: letter.topic.clone(),
            partition: letter.partition,
            offset: letter.offset,
            reason: letter.error_class.clone(),
            fingerprint: Fingerprint::of_letter(letter),
        }
    }

    fn place(&self) -> String {
        format!("{}/{}:{} {}", self.topic, self.partition, self.offset, self.reason)
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// One letter.
    Full(Letter),
    /// So many of a kind since its line before; the last of them, and how many there have been in all.
    Count { kind: String, new: u64, total: u64, last: Letter },
}

impl Line {
    pub(super) fn tell(&self, unit: &str) {
        let advice = "see `gistmill dlq ls`";
        match self {
            Self::Full(Letter { topic, partition, offset, reason, fingerprint }) => {
                warn!(unit, topic, partition, offset, %fingerprint, reason, "input given up as a dead letter, {advice}");
            }
            Self::Count { kind, new, total, last: Letter { topic, partition, offset, reason, .. } } => {
                warn!(
                    unit,
                    topic,
                    fingerprint = kind,
                    reason,
                    new,
                    total,
                    last_partition = partition,
                    last_offset = offset,
                    "inputs given up as dead letters, {advice}"
                );
            }
        }
    }
}

/// Letters of one kind.
#[derive(Debug, Default)]
struct Kind {
    total: u64,
    /// Those that no line has told, since when, and the last of them.
    untold: Option<(u64, Instant, Letter)>,
}

impl Kind {
    fn line(&mut self, name: &str) -> Option<Line> {
        let (new, _, last) = self.untold.take()?;
        Some(Line::Count { kind: name.to_owned(), new, total: self.total, last })
    }

    fn is_due(&self, now: Instant) -> bool {
        let since = self.untold.as_ref().map(|(_, since, _)| *since);
        since.is_some_and(|since| now.saturating_duration_since(since) >= COUNTED_OVER)
    }
}

/// Inputs that a unit has given up since it was started.
#[derive(Debug, Default)]
pub(super) struct Letters {
    count: u64,
    last: String,
    kinds: BTreeMap<String, Kind>,
}

impl Letters {
    /// Takes one more in; its line, where it has one of its own.
    pub(super) fn add(&mut self, letter: Letter, now: Instant) -> Option<Line> {
        self.count += 1;
        self.last = letter.place();
        let mut name = letter.fingerprint.to_string();
        if !self.kinds.contains_key(&name) && self.kinds.len() >= KINDS_MAX {
            OTHER.clone_into(&mut name);
        }
        let kind = self.kinds.entry(name).or_default();
        kind.total += 1;
        if kind.total <= FULL_MAX {
            return Some(Line::Full(letter));
        }
        let (new, since, _) = kind.untold.take().unwrap_or_else(|| (0, now, letter.clone()));
        kind.untold = Some((new + 1, since, letter));
        None
    }

    /// Counts whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        let due = self.kinds.iter_mut().filter(|(_, kind)| kind.is_due(now));
        due.filter_map(|(name, kind)| kind.line(name)).collect()
    }

    /// Counts of all that no line has told yet.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        self.kinds.iter_mut().filter_map(|(name, kind)| kind.line(name)).collect()
    }

    /// When the next count is to be told; none while all is told.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let since = |kind: &Kind| kind.untold.as_ref().map(|(_, since, _)| *since);
        self.kinds.values().filter_map(since).min().map(|since| since + COUNTED_OVER)
    }

    /// What the unit's line says of them; nothing while there are none.
    pub(super) fn told(&self) -> String {
        match self.count {
            0 => String::new(),
            count => {
                format!("; dead letters since its start: {count}, last {} (`gistmill dlq ls`)", self.last)
            }
        }
    }
}

#[cfg(test)]
mod tests;
