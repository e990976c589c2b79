//! Lines that somebody posts under a name of their own: all of them once, or none.
//!
//! Invariant: records and the mark of the post, with the hash of its lines, share a transaction, so that whoever posts again is
//! told what was written, and that it was something else where it was.

use crate::{
    batch::{self, Origin},
    clock::{Clock, SystemClock},
    draft::Item,
    error::Error,
    line,
    lines::Line,
    repair::Counts,
};
use ingest::{Batch, Group};
use processor::PortSpec;
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{GroupMessageIngested, LIVE_LANE, identity_hash};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Lines of a post: they are one transaction.
pub const POSTED_LINES_MAX: usize = 1_000;
const VERSION: u32 = 1;

/// What became of the lines of a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Lines that were not blank.
    pub lines: u64,
    /// States of messages.
    pub messages: u64,
    /// Lines that are nothing for the pipeline, by reason.
    pub skipped: BTreeMap<String, u64>,
}

/// How a post ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It is written now.
    Now(Accepted),
    /// It was written before.
    Before(Accepted),
    /// Other lines were posted under this name.
    OtherLines,
}

/// Why lines cannot be posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPost {
    /// A line that is no JSON.
    #[error("line {line} is no JSON: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong; quotes nothing of it.
        what: String,
    },
    /// More lines than a transaction takes.
    #[error("{0} lines are more than {POSTED_LINES_MAX}: post them in parts, each under a key of its own")]
    TooMany(usize),
    /// Nothing but white space.
    #[error("there is no line")]
    Empty,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    version: u32,
    lines: String,
    accepted: Accepted,
}

/// Lines for the lane `live` of a group. Reading it is done once all are written, or were before.
#[derive(Debug)]
pub struct PostedLines {
    identity: String,
    records: Vec<GroupMessageIngested>,
    mark: Mark,
    is_given: bool,
    found: Option<Posted>,
}

impl PostedLines {
    /// Lines in the documented shape, posted to `group` under `key`.
    ///
    /// # Errors
    /// [`BadPost`]: nothing of them is written.
    pub fn new(group: &Group, key: &str, body: &[u8]) -> Result<Self, BadPost> {
        Self::at(group, key, body, SystemClock.now_ms())
    }

    fn at(group: &Group, key: &str, body: &[u8], now: i64) -> Result<Self, BadPost> {
        let identity = group.identity("post", &identity_hash("post", &[key]).to_string());
        let origin = Origin { group: group.clone(), lane: LIVE_LANE.to_owned(), identity: identity.clone() };
        let (mut records, mut accepted) = (Batch::default(), Accepted::default());
        for (number, bytes) in body.split(|byte| *byte == b'\n').enumerate() {
            let line = Line { bytes: bytes.to_vec(), is_ended: true, ..Line::default() };
            let item = line::parse(&line, &mut Counts::new());
            let item = item.map_err(|bad| BadPost::Line { line: number + 1, what: bad.0 })?;
            let Some(item) = item else { continue };
            accepted.lines += 1;
            match &item {
                Item::Message(_) => accepted.messages += 1,
                Item::Skipped(reason) => *accepted.skipped.entry((*reason).to_owned()).or_default() += 1,
                Item::CompleteUntil(_) | Item::Topic(_) | Item::Damaged(_) => {}
            }
            batch::push(&mut records, &origin, (number as u64, now), item);
        }
        match usize::try_from(accepted.lines).unwrap_or(usize::MAX) {
            0 => return Err(BadPost::Empty),
            lines if lines > POSTED_LINES_MAX => return Err(BadPost::TooMany(lines)),
            _ => {}
        }
        let lines = crate::input::hex(&Sha256::digest(body));
        let mark = Mark { version: VERSION, lines, accepted };
        Ok(Self { identity, records: records.finish(&origin), mark, is_given: false, found: None })
    }

    /// How it ended; none before it has.
    pub fn posted(self) -> Option<Posted> {
        self.found
    }

    fn compare(&self, position: &Position) -> Result<Posted, SourceError> {
        let mark: Mark = serde_json::from_str(&position.0)
            .ok()
            .filter(|mark: &Mark| mark.version == VERSION)
            .ok_or_else(|| Error::Position { position: position.0.clone() })?;
        Ok(match (mark.lines == self.mark.lines, self.is_given) {
            (true, true) => Posted::Now(mark.accepted),
            (true, false) => Posted::Before(mark.accepted),
            (false, _) => Posted::OtherLines,
        })
    }
}

impl Source for PostedLines {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        crate::ports()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        if let Some(position) = position {
            self.found = Some(self.compare(position)?);
            return Ok(SourceBatch::End);
        }
        self.is_given = true;
        let mark = serde_json::to_string(&self.mark);
        let position = Position(mark.map_err(|error| SourceError::Fatal(error.to_string()))?);
        Ok(SourceBatch::Records { emissions: batch::emit(self.records.iter().cloned()), position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id": 1, "sent_at": "2026-03-02T10:00:00Z", "text": "Release at 15:00?"}"#;

    fn post(key: &str, body: &str) -> Result<PostedLines, BadPost> {
        PostedLines::at(&Group::new("acme", "qa").expect("names"), key, body.as_bytes(), 7)
    }

    fn next(source: &mut PostedLines, position: Option<&Position>) -> SourceBatch {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(source.next(position)).expect("a batch")
    }

    #[test]
    fn lines_are_written_once_and_whoever_posts_again_is_told_what_was_written() {
        let body = format!("{LINE}\n\n{{\"id\": 2}}\n{{\"complete_until\": 1772446500000}}");
        let mut first = post("k", &body).expect("lines");
        let SourceBatch::Records { emissions, position } = next(&mut first, None) else {
            panic!("no records")
        };
        let kinds: Vec<(usize, bool)> = emissions
            .iter()
            .map(|emission| emission.downcast::<GroupMessageIngested>().expect("its type"))
            .map(|record| (record.messages.len(), record.complete_until.is_some()))
            .collect();
        assert_eq!(kinds, [(1, false), (0, true)]);
        assert!(matches!(next(&mut first, Some(&position)), SourceBatch::End));
        let accepted =
            Accepted { lines: 3, messages: 1, skipped: BTreeMap::from([("no_date".to_owned(), 1)]) };
        assert_eq!(first.posted(), Some(Posted::Now(accepted.clone())));
        let mut again = post("k", &body).expect("lines");
        assert!(matches!(next(&mut again, Some(&position)), SourceBatch::End));
        assert_eq!(again.posted(), Some(Posted::Before(accepted)));
        let mut other = post("k", LINE).expect("lines");
        assert!(matches!(next(&mut other, Some(&position)), SourceBatch::End));
        assert_eq!(other.posted(), Some(Posted::OtherLines));
    }

    #[test]
    fn the_name_of_a_post_is_its_key_in_its_group() {
        let identity = |key| post(key, LINE).expect("lines").identity();
        assert_eq!(identity("a"), identity("a"));
        assert_ne!(identity("a"), identity("b"));
    }

    #[test]
    fn of_a_post_that_cannot_be_read_nothing_is_taken() {
        let error = post("k", &format!("{LINE}\n{{\"id\":")).expect_err("no JSON").to_string();
        assert!(error.starts_with("line 2 is no JSON: "), "{error}");
        assert_eq!(post("k", "\n \n").expect_err("blank"), BadPost::Empty);
        let many = format!("{LINE}\n").repeat(POSTED_LINES_MAX + 1);
        assert_eq!(post("k", &many).expect_err("long"), BadPost::TooMany(POSTED_LINES_MAX + 1));
    }
}
