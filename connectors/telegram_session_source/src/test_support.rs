//! A peer with a script: chats as Telegram keeps them, what it tells of them without being asked, and its answers.
//!
//! Invariant: deterministic. Counts go on as <https://core.telegram.org/api/updates> has it: supergroups and channels count for
//! themselves, everything else counts together.

use crate::{
    peer::{Answer, Difference, Event, PAGE, Place, Push, Request, State, Top},
    refusal::Refusal,
};
use ingest::telegram::Message;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Time at which a script begins, in ms.
pub(crate) const BEGIN: i64 = 1_772_446_000_000;

/// What happened, by count.
#[derive(Debug, Clone)]
enum Entry {
    New(i64, i64),
    Edited(i64, i64),
    Deleted(i64),
    /// A chat of somebody else's.
    Private,
}

#[derive(Debug, Default)]
struct Log {
    pts: i32,
    entries: VecDeque<(i32, Entry)>,
}

impl Log {
    fn add(&mut self, entry: Entry) -> i32 {
        self.pts += 1;
        self.entries.push_back((self.pts, entry));
        self.pts
    }
}

/// Telegram, as far as a session sees it.
#[derive(Debug, Default)]
pub(crate) struct Server {
    /// By chat and id.
    pub(crate) messages: BTreeMap<(i64, i64), Message>,
    newest: BTreeMap<i64, i64>,
    logs: BTreeMap<Option<i64>, Log>,
    /// Most events of an answer.
    pub(crate) slice: usize,
    /// Chats that the account is not in any more.
    pub(crate) unreadable: BTreeSet<i64>,
    /// What the next requests are refused with, first first.
    pub(crate) refusals: VecDeque<Refusal>,
    /// Requests that were made.
    pub(crate) requests: Vec<Request>,
    pub(crate) now: i64,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { slice: 1_000, now: BEGIN, ..Self::default() }
    }

    /// Basic groups share ids and counts with all private chats.
    fn log_of(chat: i64) -> Option<i64> {
        Some(chat).filter(|chat| Place { chat: *chat, hash: 0 }.is_channel())
    }

    fn push(&mut self, chat: i64, entry: &Entry) -> Push {
        let channel = Self::log_of(chat);
        let pts = self.logs.entry(channel).or_default().add(entry.clone());
        let event = self.event(entry).unwrap_or_default();
        Push::Event { channel, pts, count: 1, event }
    }

    /// Somebody writes; what is told of it.
    pub(crate) fn post(&mut self, chat: i64, text: &str) -> Push {
        let counter = Self::log_of(chat).unwrap_or(0);
        let id = self.newest.get(&counter).copied().unwrap_or(0) + 1;
        self.newest.insert(counter, id);
        let kind = if counter == 0 { "group" } else { "supergroup" };
        let message = json!({
            "message_id": id, "date": self.now / 1000, "text": text,
            "chat": { "id": chat, "type": kind, "title": "Garden" },
            "from": { "id": 7, "first_name": "Ann" },
        });
        self.messages.insert((chat, id), serde_json::from_value(message).expect("a message"));
        self.push(chat, &Entry::New(chat, id))
    }

    /// Somebody edits a message.
    pub(crate) fn edit(&mut self, chat: i64, id: i64, text: &str) -> Push {
        let now = self.now / 1000;
        if let Some(message) = self.messages.get_mut(&(chat, id)) {
            (message.text, message.edit_date) = (Some(text.to_owned()), Some(now));
        }
        self.push(chat, &Entry::Edited(chat, id))
    }

    /// Somebody deletes a message.
    pub(crate) fn delete(&mut self, chat: i64, id: i64) -> Push {
        self.messages.remove(&(chat, id));
        self.push(chat, &Entry::Deleted(id))
    }

    /// Something happens in a private chat of the account.
    pub(crate) fn private(&mut self) -> Push {
        let id = self.newest.entry(0).or_default();
        *id += 1;
        self.push(0, &Entry::Private)
    }

    /// Forgets all but this many of the events of a chat.
    pub(crate) fn forget(&mut self, chat: i64, kept: usize) {
        let log = self.logs.entry(Self::log_of(chat)).or_default();
        let surplus = log.entries.len().saturating_sub(kept);
        log.entries.drain(..surplus);
    }

    /// Ids of a chat's messages.
    pub(crate) fn ids(&self, chat: i64) -> Vec<i64> {
        self.messages.range((chat, 0)..=(chat, i64::MAX)).map(|((_, id), _)| *id).collect()
    }

    fn event(&self, entry: &Entry) -> Option<Event> {
        match entry {
            Entry::New(chat, id) | Entry::Edited(chat, id) => {
                self.messages.get(&(*chat, *id)).map(|message| Event::Message(Box::new(message.clone())))
            }
            Entry::Deleted(id) => Some(Event::Deleted(vec![*id])),
            Entry::Private => Some(Event::Other),
        }
    }

    fn top(&self, chat: i64) -> Top {
        let pts = Self::log_of(chat).map(|_| self.logs.get(&Some(chat)).map_or(0, |log| log.pts));
        Top { chat, pts, message: self.ids(chat).last().copied().unwrap_or(0) }
    }

    fn state(&self) -> State {
        State { pts: self.logs.get(&None).map_or(0, |log| log.pts), qts: 0, date: (self.now / 1000) as i32 }
    }

    /// What follows a position: events, the count after them, and whether it is the last; none where it was forgotten.
    fn after(&self, channel: Option<i64>, pts: i32) -> Option<(Vec<Event>, i32, bool)> {
        let Some(log) = self.logs.get(&channel) else { return Some((Vec::new(), pts, true)) };
        let kept_from = log.entries.front().map_or(log.pts, |(first, _)| first - 1);
        if pts < kept_from {
            return None;
        }
        let following = log.entries.iter().filter(|(at, _)| *at > pts);
        let taken: Vec<_> = following.clone().take(self.slice).collect();
        let is_last = taken.len() == following.count();
        let at = taken.last().map_or(log.pts, |(at, _)| *at);
        // New messages come first, as they are now; those that are gone are left out.
        let (new, other): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|(_, entry)| matches!(entry, Entry::New(..)));
        let events = new.into_iter().chain(other).filter_map(|(_, entry)| self.event(entry)).collect();
        Some((events, at, is_last))
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, request: &Request) -> Result<Answer, Refusal> {
        self.requests.push(request.clone());
        if let Some(refusal) = self.refusals.pop_front() {
            return Err(refusal);
        }
        Ok(match request {
            Request::Dialogs(places) => {
                if places.iter().any(|place| self.unreadable.contains(&place.chat)) {
                    return Err(Refusal::of(400, "CHAT_ID_INVALID", None));
                }
                let tops = places.iter().map(|place| self.top(place.chat)).collect();
                Answer::Dialogs { tops, state: self.state() }
            }
            Request::Difference { pts, qts, .. } => Answer::Difference(self.after(None, *pts).map_or(
                Difference::TooLong(None),
                |(events, pts, is_last)| {
                    let state = State { pts, qts: *qts, date: (self.now / 1000) as i32 };
                    Difference::Events { events, state, is_last }
                },
            )),
            Request::ChannelDifference { place, pts } => {
                let too_long = || Difference::TooLong(Some(self.top(place.chat)));
                Answer::ChannelDifference(self.after(Some(place.chat), *pts).map_or_else(
                    too_long,
                    |(events, pts, is_last)| Difference::Events { events, state: pts, is_last },
                ))
            }
            Request::History { place, offset_id, offset_date, add_offset, limit } => {
                assert!(*limit <= PAGE);
                Answer::History(self.history(place.chat, (*offset_id, *offset_date), *add_offset, *limit))
            }
        })
    }

    /// Newest first; the page begins below an id or a time, moved by an offset.
    fn history(&self, chat: i64, (below, before): (i64, i64), add_offset: i32, limit: i32) -> Vec<Message> {
        let newest_first: Vec<&Message> =
            self.messages.range((chat, 0)..=(chat, i64::MAX)).map(|(_, message)| message).rev().collect();
        let is_above = |message: &&&Message| {
            (below > 0 && message.message_id >= below) || (before > 0 && message.date >= before)
        };
        let start = newest_first.iter().take_while(is_above).count() as i32 + add_offset;
        let end = (start + limit).max(0) as usize;
        let start = start.max(0) as usize;
        newest_first.into_iter().take(end).skip(start).cloned().collect()
    }
}
