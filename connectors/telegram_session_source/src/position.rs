//! Where a session and each of its chats stand: what is committed with the records.
//!
//! Invariant: a record of its own for each chat, so that a message writes what its chat is at, and no more.

use crate::{peer::State, recent::Recent};
use ingest::Heard;
use runtime::Position;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const VERSION: u32 = 1;

/// Messages that were not told as they came, up to a newest one, after which updates go on at `pts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fill {
    /// Id of the last one that was read.
    pub(crate) last: i64,
    /// Id of the newest one.
    pub(crate) until: i64,
    /// Of supergroups and channels.
    pub(crate) pts: Option<i32>,
    /// Ids, the first and the last, of messages among them that were told as they came, while an earlier one was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) told: Vec<(i64, i64)>,
}

impl Fill {
    /// What lies between two messages.
    pub(crate) fn new(last: i64, until: i64, pts: Option<i32>) -> Self {
        Self { last, until, pts, told: Vec::new() }
    }

    /// Goes on to a newer message; `top` is the newest that was told.
    pub(crate) fn extended(mut self, top: i64, until: i64, pts: Option<i32>) -> Self {
        if top > self.until {
            self.told.push((self.until + 1, top));
        }
        Self { until: self.until.max(until), pts, ..self }
    }

    /// True for a message that was told as it came.
    pub(crate) fn has_told(&self, id: i64) -> bool {
        self.told.iter().any(|(first, last)| (*first..=*last).contains(&id))
    }
}

/// The history before a chat was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// Id of the last message that was read; none until it was looked where the history begins that is wanted.
    pub(crate) last: Option<i64>,
    /// Id of the newest one.
    pub(crate) until: i64,
    /// When the newest that was read was sent, in ms.
    pub(crate) observed_at: i64,
    /// Records that were given.
    pub(crate) given: u64,
}

/// Where a chat stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatState {
    version: u32,
    /// Which link it is of: one that is made anew begins anew.
    pub(crate) link: i64,
    /// True once it was looked where the chat stands.
    pub(crate) has_begun: bool,
    /// Count of updates that were told; none for basic groups, and where it has to be looked for anew.
    pub(crate) pts: Option<i32>,
    /// Id of the newest message that is told by the history: a new one up to it is told there.
    pub(crate) floor: i64,
    /// Id of the newest message that was told.
    pub(crate) top: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fill: Option<Fill>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) import: Option<Import>,
    pub(crate) recent: Recent,
    /// Ids of messages that are gone and were not found up to now, and until when in ms it is tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unplaced: Vec<(i64, i64)>,
    /// States that were given.
    pub(crate) given: u64,
    pub(crate) heard: Vec<Heard>,
}

impl ChatState {
    /// Before anything was read.
    pub(crate) fn new(link: i64) -> Self {
        Self { version: VERSION, link, ..Self::default() }
    }

    /// What a link has committed; another link's is none.
    pub(crate) fn parse(position: Option<&Position>, link: i64) -> Result<Self, String> {
        let found = parse::<Self>(position, |state| state.version)?;
        Ok(found.filter(|state| state.link == link).unwrap_or_else(|| Self::new(link)))
    }
}

/// Where the account stands, apart from supergroups and channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountState {
    version: u32,
    pts: i32,
    qts: i32,
    date: i32,
}

impl AccountState {
    /// What was committed, if anything was.
    pub(crate) fn parse(position: Option<&Position>) -> Result<Option<State>, String> {
        let found = parse::<Self>(position, |state| state.version)?;
        Ok(found.map(|Self { pts, qts, date, .. }| State { pts, qts, date }))
    }

    /// As a position.
    pub(crate) fn encode(State { pts, qts, date }: State) -> Result<Position, String> {
        encode(&Self { version: VERSION, pts, qts, date })
    }
}

fn parse<T: DeserializeOwned>(
    position: Option<&Position>,
    version: impl Fn(&T) -> u32,
) -> Result<Option<T>, String> {
    let Some(Position(text)) = position else { return Ok(None) };
    let parsed = serde_json::from_str(text).ok().filter(|state| version(state) == VERSION);
    parsed.map(Some).ok_or_else(|| {
        "could not read a position of a session: it was written by another version; upgrade to it".to_owned()
    })
}

/// As a position.
pub(crate) fn encode<T: Serialize>(state: &T) -> Result<Position, String> {
    let encoded = serde_json::to_string(state).map(Position);
    encoded.map_err(|error| format!("could not write the position of a session: {error}"))
}

/// Name of a session's own part.
pub(crate) fn account_part(user: i64) -> String {
    user.to_string()
}

/// Name of a chat's part.
pub(crate) fn chat_part(user: i64, chat: i64) -> String {
    format!("{user}/{chat}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_and_anothers_is_refused() {
        let state = ChatState { pts: Some(7), top: 5, has_begun: true, ..ChatState::new(3) };
        let encoded = encode(&state).expect("encodes");
        assert_eq!(
            encoded.0,
            r#"{"version":1,"link":3,"has_begun":true,"pts":7,"floor":0,"top":5,"recent":[],"given":0,"heard":[]}"#
        );
        assert_eq!(ChatState::parse(Some(&encoded), 3), Ok(state));
        assert_eq!(ChatState::parse(Some(&encoded), 4), Ok(ChatState::new(4)), "linked anew");
        assert_eq!(ChatState::parse(None, 4), Ok(ChatState::new(4)));
        let other = Position(encoded.0.replace(r#""version":1"#, r#""version":2"#));
        assert!(ChatState::parse(Some(&other), 3).is_err_and(|why| why.contains("another version")));
    }

    #[test]
    fn the_account_stands_where_it_stood() {
        let state = State { pts: 1, qts: 2, date: 3 };
        let encoded = AccountState::encode(state).expect("encodes");
        assert_eq!(AccountState::parse(Some(&encoded)), Ok(Some(state)));
        assert_eq!(AccountState::parse(None), Ok(None));
    }
}
