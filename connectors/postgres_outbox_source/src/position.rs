//! Where the source stands: a place in the outbox of one server, as JSON.

use runtime::{Position, SourceError};
use serde::{Deserialize, Serialize};
use state::{OutboxMark, OutboxPlace};

/// A place and the server whose transactions it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutboxPosition {
    /// Postgres' `system_identifier`; digits, as a string, for JSON readers that have no 64-bit integers.
    pub(crate) system_identifier: String,
    /// Timeline that the server wrote when the row was read. This and the next are absent from older positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeline: Option<i32>,
    /// When the last row published was written, in microseconds of the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written_at_us: Option<i64>,
    /// Transaction of the last row published.
    pub(crate) xid: u64,
    /// Sequence number of the last row published.
    pub(crate) seq: i64,
}

impl OutboxPosition {
    /// The position after the row of this mark, read from a server and its timeline.
    pub(crate) fn new((system_identifier, timeline): (&str, i32), last: OutboxMark) -> Self {
        Self {
            system_identifier: system_identifier.to_owned(),
            timeline: Some(timeline),
            written_at_us: Some(last.written_at_us),
            xid: last.place.xid,
            seq: last.place.seq,
        }
    }

    pub(crate) fn place(&self) -> OutboxPlace {
        OutboxPlace { xid: self.xid, seq: self.seq }
    }

    pub(crate) fn parse(position: &Position) -> Result<Self, SourceError> {
        serde_json::from_str(&position.0).map_err(|error| {
            SourceError::Fatal(format!(
                "could not read the outbox position {:?}: {error}; it was written by another version",
                position.0
            ))
        })
    }

    pub(crate) fn encode(&self) -> Result<Position, SourceError> {
        match serde_json::to_string(self) {
            Ok(text) => Ok(Position(text)),
            Err(error) => Err(SourceError::Fatal(format!("could not write the outbox position: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_json_that_reads_back() {
        let last = OutboxMark { place: OutboxPlace { xid: 9, seq: 4 }, written_at_us: 7 };
        let position = OutboxPosition::new(("7710540912429302877", 2), last);
        let encoded = position.encode().expect("encodes");
        assert_eq!(
            encoded.0,
            r#"{"system_identifier":"7710540912429302877","timeline":2,"written_at_us":7,"xid":9,"seq":4}"#
        );
        assert_eq!(OutboxPosition::parse(&encoded).expect("parses"), position);
        let older = Position(r#"{"system_identifier":"7710540912429302877","xid":9,"seq":4}"#.to_owned());
        let older = OutboxPosition::parse(&older).expect("positions of older versions are read");
        assert_eq!((older.place(), older.timeline, older.written_at_us), (position.place(), None, None));
        assert!(matches!(OutboxPosition::parse(&Position("{}".to_owned())), Err(SourceError::Fatal(_))));
    }
}
