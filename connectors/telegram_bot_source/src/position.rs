//! Where the source stands: the next update to ask for, and of which groups windows may be open.

use crate::seen::Seen;
use commands::Limits;
use ingest::{Group, Heard};
use runtime::{Position, SourceError};
use serde::{Deserialize, Serialize};

const POSITION_VERSION: u32 = 1;
/// State of the source after some updates; committed with what they told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BotPosition {
    pub(crate) version: u32,
    /// Offset to ask for: one more than the id of the last update read. `None`: none was read.
    pub(crate) next: Option<i64>,
    /// When the last update was read, by the source's clock in ms.
    pub(crate) read_at: i64,
    /// Groups that may have open windows, by tenant and group.
    pub(crate) groups: Vec<Heard>,
    /// Commands of the last minute. Absent from positions of versions that knew none.
    #[serde(default)]
    pub(crate) commands: Limits,
    /// Codes of the last hour.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub(crate) codes: Limits,
    /// Updates that a webhook has brought. Polls need none: what is before their offset does not come again.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub(crate) seen: Seen,
}

impl Default for BotPosition {
    fn default() -> Self {
        Self {
            version: POSITION_VERSION,
            next: None,
            read_at: 0,
            groups: Vec::new(),
            commands: Limits::default(),
            codes: Limits::default(),
            seen: Seen::default(),
        }
    }
}

impl BotPosition {
    pub(crate) fn parse(position: Option<&Position>) -> Result<Self, SourceError> {
        let Some(Position(text)) = position else { return Ok(Self::default()) };
        let parsed =
            serde_json::from_str(text).ok().filter(|position: &Self| position.version == POSITION_VERSION);
        parsed.ok_or_else(|| {
            SourceError::Fatal(format!(
                "could not read position {text:?} of the bot: it was written by another version; upgrade to it"
            ))
        })
    }

    pub(crate) fn encode(&self) -> Result<Position, SourceError> {
        let encoded = serde_json::to_string(self).map(Position);
        encoded.map_err(|error| SourceError::Fatal(format!("could not write the bot's position: {error}")))
    }

    /// Updates that were read and may be brought by a webhook again at `now`, those that were polled included.
    pub(crate) fn offered(&self, now: i64) -> Seen {
        let mut seen = self.seen.clone();
        self.next.into_iter().for_each(|next| seen.add_polled(next));
        seen.offered(self.read_at, now)
    }

    /// Notes that groups were heard at `now`.
    pub(crate) fn heard<'a>(&mut self, groups: impl Iterator<Item = &'a Group>, now: i64) {
        ingest::heard(&mut self.groups, groups, now);
    }

    /// Groups of which a mark is due at `now`; they count as marked.
    pub(crate) fn take_due(&mut self, now: i64) -> Vec<Group> {
        ingest::take_due(&mut self.groups, now)
    }

    /// How long in ms until the next mark is due; none where no group has talked.
    pub(crate) fn until_due(&self, now: i64) -> Option<i64> {
        ingest::until_due(&self.groups, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        Group::new("acme", name).expect("names")
    }

    #[test]
    fn a_position_is_json_that_reads_back_and_anothers_is_refused() {
        let mut position = BotPosition { next: Some(7), read_at: 5, ..BotPosition::default() };
        position.heard([group("qa")].iter(), 5);
        let encoded = position.encode().expect("encodes");
        assert_eq!(
            encoded.0,
            r#"{"version":1,"next":7,"read_at":5,"groups":[{"tenant_id":"acme","group_id":"qa","traffic_at":5,"marked_at":5}],"commands":[]}"#
        );
        assert_eq!(BotPosition::parse(Some(&encoded)).expect("parses"), position);
        let before = Position(encoded.0.replace(r#","commands":[]"#, ""));
        assert_eq!(BotPosition::parse(Some(&before)).expect("parses"), position);
        assert_eq!(BotPosition::parse(None).expect("parses"), BotPosition::default());
        for other in ["", r#"{"version":2,"next":7,"read_at":5,"groups":[]}"#] {
            let refused = BotPosition::parse(Some(&Position(other.to_owned())));
            assert!(matches!(refused, Err(SourceError::Fatal(_))), "{other}");
        }
    }
}
