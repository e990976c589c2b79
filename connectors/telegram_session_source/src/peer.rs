//! The seam: what Telegram is asked and what it tells, at the level of its own requests.
//!
//! Invariant: nothing here knows a library. Messages have the Bot API's shape, so that one that a bot hears too becomes the same
//! bytes; ids are raw.

use crate::refusal::Refusal;
use ingest::telegram::Message;
use std::future::Future;

/// Most messages of an answer.
pub(crate) const PAGE: i32 = 100;

/// A chat as one account reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The chat's id, as bots see it.
    pub(crate) chat: i64,
    /// What proves that the account knows it; 0 for a basic group.
    pub(crate) hash: i64,
}

/// Ids of supergroups and channels lie below this; those of basic groups above.
const CHANNELS_BELOW: i64 = -1_000_000_000_000;

impl Place {
    /// True for a supergroup or a channel, which counts its updates for itself; those of basic groups are counted with all
    /// others of the account.
    pub(crate) fn is_channel(&self) -> bool {
        self.chat < CHANNELS_BELOW
    }

    /// Its number without what bots see before it.
    pub(crate) fn bare(&self) -> i64 {
        if self.is_channel() { CHANNELS_BELOW - self.chat } else { -self.chat }
    }

    /// The id that bots see for the number of a supergroup or channel.
    pub(crate) fn channel(bare: i64) -> i64 {
        CHANNELS_BELOW - bare
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// `messages.getPeerDialogs`: where chats stand now.
    Dialogs(Vec<Place>),
    /// `updates.getDifference`: what basic groups (and all private chats) did since.
    Difference {
        /// As of the last answer.
        pts: i32,
        /// Secret chats, which are not read; the server wants it.
        qts: i32,
        /// Seconds.
        date: i32,
    },
    /// `updates.getChannelDifference`: what a supergroup or channel did since.
    ChannelDifference {
        /// The chat.
        place: Place,
        /// As of the last answer.
        pts: i32,
    },
    /// `messages.getHistory`.
    History {
        /// The chat.
        place: Place,
        /// The page begins below this id, before `add_offset` moves it.
        offset_id: i64,
        /// The page begins before this time in seconds; 0: it does not matter.
        offset_date: i64,
        /// Negative: the page lies above.
        add_offset: i32,
        /// Most messages.
        limit: i32,
    },
}

/// Kinds of requests, which Telegram limits each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Dialogs,
    Difference,
    ChannelDifference,
    History,
}

impl Method {
    /// Telegram's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dialogs => "messages.getPeerDialogs",
            Self::Difference => "updates.getDifference",
            Self::ChannelDifference => "updates.getChannelDifference",
            Self::History => "messages.getHistory",
        }
    }
}

impl Request {
    /// Its kind.
    pub(crate) fn method(&self) -> Method {
        match self {
            Self::Dialogs(_) => Method::Dialogs,
            Self::Difference { .. } => Method::Difference,
            Self::ChannelDifference { .. } => Method::ChannelDifference,
            Self::History { .. } => Method::History,
        }
    }
}

/// Where the account stands, apart from supergroups and channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) pts: i32,
    pub(crate) qts: i32,
    pub(crate) date: i32,
}

/// Where a chat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Top {
    pub(crate) chat: i64,
    /// Of supergroups and channels.
    pub(crate) pts: Option<i32>,
    /// Id of its newest message.
    pub(crate) message: i64,
}

/// Something that happened in a chat.
#[derive(Debug, Clone, Default)]
pub(crate) enum Event {
    /// A message, new or edited.
    Message(Box<Message>),
    /// Messages are gone. Of which chat, only supergroups and channels tell.
    Deleted(Vec<i64>),
    /// A basic group goes on as a supergroup.
    Migrated { from: i64, to: Place },
    /// Nothing for this pipeline.
    #[default]
    Other,
}

/// What follows a position.
#[derive(Debug, Clone)]
pub(crate) enum Difference<S> {
    /// These, in order; `is_last`: nothing more is known.
    Events { events: Vec<Event>, state: S, is_last: bool },
    /// More than is told so: what lies between has to be read from the history.
    TooLong(Option<Top>),
}

/// An answer, to the request of the same name.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Dialogs {
        tops: Vec<Top>,
        state: State,
    },
    Difference(Difference<State>),
    ChannelDifference(Difference<i32>),
    /// In any order.
    History(Vec<Message>),
}

/// What is told without being asked for.
#[derive(Debug, Clone)]
pub(crate) enum Push {
    /// It counts `count` up to `pts`, of a supergroup or channel, or of all the rest.
    Event { channel: Option<i64>, pts: i32, count: i32, event: Event },
    /// Something happened there that is not told whole.
    Behind(Option<i64>),
    /// Packets from `start` to `seq`; one that does not follow the last means that some were lost.
    Numbered { start: i32, seq: i32 },
    /// The connection was closed, or updates were dropped.
    Interrupted(String),
}

/// One session's connection. Updates come beside it, by a channel.
pub(crate) trait Peer: Send + Sync + 'static {
    /// Asks for something; connects first where that is needed.
    fn call(&self, request: Request) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_has_its_number_with_and_without_what_bots_see() {
        let channel = Place { chat: Place::channel(1_234_567_890), hash: 5 };
        assert_eq!(
            (channel.chat, channel.is_channel(), channel.bare()),
            (-1_001_234_567_890, true, 1_234_567_890)
        );
        let basic = Place { chat: -4_321, hash: 0 };
        assert_eq!((basic.is_channel(), basic.bare()), (false, 4_321));
    }
}
