//! One answer of `getUpdates` → records, and the position after them.
//!
//! Invariant: pure. Updates are taken in the order in which they are given, whatever their ids: ids are drawn anew after a
//! quiet week, and may be smaller then.

use crate::{
    command::{Linking, Written, answer, judged},
    convert::{Told, told},
    permission::Asking,
    position::BotPosition,
    seen::Seen,
    wish::{Tap, Wanted, Wish},
};
use commands::Verdict;
use ingest::{Batch, Group, Origin};
use schemas::{Command, GroupCommandAnswered, GroupMessageIngested, LIVE_LANE};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// After so long without an update, in ms, the next one's id is drawn anew.
const QUIET_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A promise lies this far back, in ms: for messages on their way, and for clocks that differ.
const PROMISE_BEHIND_MS: i64 = 15 * 1000;

/// Something that an operator wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// Updates of these ids, the second not included, never came.
    Gap { from: i64, to: i64 },
    /// Ids were drawn anew.
    Renumbered { from: i64, to: i64 },
    /// The bot came into a chat or out of it.
    Membership { chat: i64, status: String },
    /// A basic group goes on as a supergroup.
    Migrated { from: i64, to: i64 },
    /// A chat was linked by a code.
    Linked { chat: i64 },
    /// Messages of a chat were passed over, since nobody has linked it.
    Unlinked { chat: i64 },
}

/// An update as it was read.
pub(crate) struct Read {
    id: i64,
    told: Told,
}

/// Reads the updates of an answer; none where it is not one of the Bot API's.
pub(crate) fn read(answer: Vec<Value>) -> Option<Vec<Read>> {
    let read = |update: Value| Some(Read { id: update["update_id"].as_i64()?, told: told(update) });
    answer.into_iter().map(read).collect()
}

impl Read {
    /// Passes it over where it was read before.
    pub(crate) fn unless_seen(self, seen: &Seen) -> Self {
        if seen.contains(self.id) { Self { told: Told::Skipped("repeated"), ..self } } else { self }
    }

    /// True for what may link a chat, so that what follows it has to be looked up afterwards: the word that a group goes on
    /// as a supergroup, and a code; and for what somebody has to be asked about first.
    pub(crate) fn ends_a_turn(&self) -> bool {
        match &self.told {
            Told::Migrated { .. } | Told::Tapped(_) => true,
            Told::Command(written) => {
                written.is_link() || written.is_for_administrators() || written.is_wish()
            }
            _ => false,
        }
    }

    /// Chats that have to be looked up.
    pub(crate) fn chat(&self) -> Option<i64> {
        match &self.told {
            Told::Message { chat, .. } | Told::Topic { chat, .. } => Some(*chat),
            Told::Command(written) => Some(written.chat),
            Told::Migrated { from, .. } => Some(*from),
            Told::Membership { .. } | Told::Tapped(_) | Told::Skipped(_) => None,
        }
    }
}

/// What stands around an answer.
pub(crate) struct Around<'a> {
    /// The source's identity, from which trace ids follow.
    pub(crate) identity: &'a str,
    /// Groups by chat.
    pub(crate) links: &'a BTreeMap<i64, Group>,
    /// Chats of which a user's session tells the messages.
    pub(crate) of_sessions: &'a BTreeSet<i64>,
    /// The bot's own name, without the `@`.
    pub(crate) bot: Option<&'a str>,
    /// The source's clock when the answer came, in ms.
    pub(crate) now: i64,
    /// Nothing more is waiting.
    pub(crate) is_drained: bool,
}

/// What came of an answer.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    pub(crate) records: Vec<GroupMessageIngested>,
    /// Answers in chats that are no group's.
    pub(crate) answers: Vec<GroupCommandAnswered>,
    /// A code that is still to be looked up, and answered. Nothing comes after it.
    pub(crate) linking: Option<Linking>,
    /// A command of which somebody has to be asked whether it may be given. Nothing comes after it.
    pub(crate) asking: Option<Asking>,
    /// What a person wishes, which has to be carried out. Nothing comes after it.
    pub(crate) wish: Option<Wish>,
    /// A button that was tapped. Nothing comes after it.
    pub(crate) tap: Option<Tap>,
    pub(crate) position: BotPosition,
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    pub(crate) notes: Vec<Note>,
}

/// Takes updates after `before`.
pub(crate) fn turn(before: &BotPosition, updates: Vec<Read>, around: &Around<'_>) -> Turned {
    let mut turn = Turn {
        around,
        turned: Turned { position: before.clone(), ..Turned::default() },
        batches: BTreeMap::new(),
    };
    for update in updates {
        turn.follow(update.id, before.read_at);
        turn.take(update);
    }
    turn.finish()
}

struct Turn<'a> {
    around: &'a Around<'a>,
    turned: Turned,
    batches: BTreeMap<Group, Batch>,
}

impl Turn<'_> {
    /// Moves the position past an update, and notes what does not follow.
    fn follow(&mut self, id: i64, last_read_at: i64) {
        let position = &mut self.turned.position;
        let was_quiet = self.around.now - last_read_at >= QUIET_MS;
        match position.next {
            Some(next) if id > next && !was_quiet => self.turned.notes.push(Note::Gap { from: next, to: id }),
            Some(next) if id != next => self.turned.notes.push(Note::Renumbered { from: next, to: id }),
            _ => {}
        }
        position.next = Some(id + 1);
        position.read_at = self.around.now;
    }

    fn take(&mut self, update: Read) {
        let at = (update.id.unsigned_abs(), self.around.now);
        match update.told {
            Told::Skipped(reason) => self.skip(reason),
            Told::Membership { chat, status } => self.note(Note::Membership { chat, status }),
            Told::Migrated { from, to } => {
                self.skip("service");
                if self.around.links.contains_key(&from) {
                    self.note(Note::Migrated { from, to });
                }
            }
            Told::Topic { chat, .. } | Told::Message { chat, .. }
                if self.around.of_sessions.contains(&chat) =>
            {
                self.skip("read_by_session");
            }
            Told::Topic { chat, id } => {
                if let Some((batch, origin)) = self.batch(chat) {
                    batch.topic(&origin, at, id);
                }
            }
            Told::Message { chat, draft } => {
                if let Some((batch, origin)) = self.batch(chat) {
                    batch.message(&origin, at, *draft);
                }
            }
            Told::Command(written) => self.command(&written, at),
            Told::Tapped(tap) => self.tap(*tap),
        }
    }

    /// In a group's chat it takes its place in the log; elsewhere it is answered here.
    fn command(&mut self, written: &Written, at: (u64, i64)) {
        let Some(command) = written.command(self.around.identity, self.around.bot) else {
            return self.skip("command");
        };
        let verdict = self.turned.position.commands.take(written.chat, written.person, written.asked_at);
        let Some(command) = judged(command, verdict) else { return self.skip("too_many_commands") };
        if written.is_link() {
            return self.link(command, written);
        }
        if let Some(wanted) = Wanted::of(&command, written.chat)
            && !command.is_over_limit
        {
            let (chat, person) = (written.chat, written.person);
            self.turned.wish = Some(Wish { command, chat, person, wanted });
            return;
        }
        if let Some(group) = self.around.links.get(&written.chat) {
            if written.is_for_administrators() && !command.is_over_limit {
                let (chat, person, group) = (written.chat, written.person, group.clone());
                self.turned.asking = Some(Asking { command, chat, person, group, at });
                return;
            }
            let batch = self.batches.entry(group.clone()).or_default();
            batch.command(&origin(group, self.around.identity), at, command);
        } else {
            self.turned.answers.extend(answer(&command, written.chat));
        }
    }

    /// Taps are counted as what the person writes to the bot alone.
    fn tap(&mut self, tap: Tap) {
        let now = self.around.now;
        match self.turned.position.commands.take(tap.person, tap.person, now) {
            Verdict::Take => self.turned.tap = Some(tap),
            Verdict::Tell | Verdict::Ignore => self.skip("too_many_commands"),
        }
    }

    /// A code is no group's: it enters no log, whoever's the chat is.
    fn link(&mut self, command: Command, written: &Written) {
        let linking = match Linking::of(command, written.chat) {
            Ok(linking) => linking,
            Err(answer) => return self.turned.answers.push(*answer),
        };
        match self.turned.position.codes.take_code(written.chat, written.person, written.asked_at) {
            Verdict::Take => self.turned.linking = Some(linking),
            Verdict::Tell => self.turned.answers.push(linking.refused()),
            Verdict::Ignore => self.skip("too_many_codes"),
        }
    }

    /// The open batch of a chat's group; none for a chat that nobody has linked.
    fn batch(&mut self, chat: i64) -> Option<(&mut Batch, Origin)> {
        let Some(group) = self.around.links.get(&chat) else {
            self.skip("unlinked");
            self.note(Note::Unlinked { chat });
            return None;
        };
        let batch = self.batches.entry(group.clone()).or_default();
        Some((batch, origin(group, self.around.identity)))
    }

    fn skip(&mut self, reason: &'static str) {
        *self.turned.skipped.entry(reason).or_default() += 1;
    }

    fn note(&mut self, note: Note) {
        if !self.turned.notes.contains(&note) {
            self.turned.notes.push(note);
        }
    }

    fn finish(mut self) -> Turned {
        let Around { identity, now, is_drained, .. } = *self.around;
        // What a session reads it alone can say to be complete.
        let is_read_here = |group: &&Group| {
            let of_session =
                |(chat, of): (&i64, &Group)| of == *group && self.around.of_sessions.contains(chat);
            !self.around.links.iter().any(of_session)
        };
        self.turned.position.heard(self.batches.keys().filter(is_read_here), now);
        if is_drained {
            for group in self.turned.position.take_due(now) {
                let origin = origin(&group, identity);
                let batch = self.batches.entry(group).or_default();
                batch.control(&origin, &format!("mark:{now}"), now, now - PROMISE_BEHIND_MS);
            }
        }
        for (group, batch) in self.batches {
            self.turned.records.extend(batch.finish(&origin(&group, identity)));
        }
        self.turned
    }
}

pub(crate) fn origin(group: &Group, identity: &str) -> Origin {
    Origin { group: group.clone(), lane: LIVE_LANE.to_owned(), identity: identity.to_owned() }
}

#[cfg(test)]
mod tests;
