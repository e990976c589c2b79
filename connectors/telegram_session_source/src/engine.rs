//! What a session does next: asks, looks up, gives, or waits.
//!
//! Invariant: pure; time is an argument. One request is under way at a time, and nothing is given while what was given before is not
//! committed; from what is committed everything that follows is told again, and nothing else.

mod answers;
mod requests;

use crate::{
    chat::{Chat, Heap, Link},
    line::Line,
    order::Order,
    peer::{End, Event, Method, Push, Request, State},
    position::{AccountState, account_part, chat_part},
    recent::Known,
};
use runtime::Position;
use schemas::GroupMessageIngested;
use std::collections::BTreeMap;

/// Pages of a history are this far apart, in ms: updates of the same session have to pass.
const PAGE_EVERY_MS: i64 = 1_000;
/// A count that has moved with nothing to tell is committed so long after, in ms.
const COUNT_EVERY_MS: i64 = 10_000;

/// What a session reads, and how patiently.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The account.
    pub(crate) user: i64,
    pub(crate) links: Vec<Link>,
    /// A chat from which nothing came for so long is asked, in ms.
    pub(crate) silence_ms: i64,
    /// Id of the pipeline's own bot.
    pub(crate) own_bot: Option<i64>,
}

/// Something that an operator wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// Telegram has asked to wait.
    Flood { method: Method, seconds: u32 },
    /// Telegram was not reached so often that it is left alone for a while.
    Broken(String),
    /// It is reached again.
    Mended,
    /// The connection ended.
    Interrupted(String),
    /// A chat cannot be read.
    Lost { chat: i64, why: String },
    /// More than Telegram tells of has passed: messages are read from the history; edits and deletions between are not known.
    TooLong { chat: i64 },
}

/// What came of some events.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) records: Vec<GroupMessageIngested>,
    /// Positions by part.
    pub(crate) positions: BTreeMap<String, Position>,
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// Basic groups that go on as supergroups, which are to be linked before this is committed.
    pub(crate) migrated: Vec<(i64, crate::peer::Place)>,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask Telegram, and give the answer.
    Ask(Request),
    /// Ask the database for messages of a chat, and give what was found.
    Look { chat: i64, group: (String, String), ids: Vec<i64> },
    /// Commit it, and say so.
    Give(Box<Turn>),
    /// Nothing until then in ms, unless something is told.
    Wait(i64),
    /// Nothing ever again.
    Over(End),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Stand,
    Account,
    Begin(i64),
    Channel(i64),
    Fill(i64),
    ImportStart(i64),
    Import(i64),
}

/// A session.
#[derive(Debug)]
pub(crate) struct Engine {
    plan: Plan,
    chats: BTreeMap<i64, Chat>,
    /// Where basic groups stand together; none until it was looked, and where none is read.
    account: Option<State>,
    account_order: Order,
    account_checked_at: i64,
    is_account_moved: bool,
    line: Line,
    /// Number of the last packet.
    seq: Option<i32>,
    asked: Option<Asked>,
    is_given: bool,
    heap: Heap,
    notes: Vec<Note>,
    over: Option<End>,
    /// The chat that was served last, so that each has its turn.
    served: i64,
    given_at: i64,
}

impl Engine {
    /// A session from where it stood.
    ///
    /// # Errors
    /// A position that another version wrote.
    pub(crate) fn new(plan: Plan, parts: &BTreeMap<String, Position>) -> Result<Self, String> {
        let mut chats = BTreeMap::new();
        for link in &plan.links {
            let part = parts.get(&chat_part(plan.user, link.place.chat));
            chats.insert(link.place.chat, Chat::new(plan.user, link.clone(), part)?);
        }
        let account = AccountState::parse(parts.get(&account_part(plan.user)))?;
        let heap = Heap { own_bot: plan.own_bot, ..Heap::default() };
        Ok(Self {
            account: account.filter(|_| plan.links.iter().any(|link| !link.place.is_channel())),
            plan,
            chats,
            account_order: Order::behind(),
            account_checked_at: 0,
            is_account_moved: false,
            line: Line::default(),
            seq: None,
            asked: None,
            is_given: false,
            heap,
            notes: Vec::new(),
            over: None,
            served: 0,
            given_at: 0,
        })
    }

    /// Goes back to what is committed; waits that Telegram has asked for hold on.
    pub(crate) fn reset(&mut self, parts: &BTreeMap<String, Position>) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        *self = Self { line, over: self.over, ..Self::new(self.plan.clone(), parts)? };
        Ok(())
    }

    /// Reads these from now on.
    pub(crate) fn relink(&mut self, plan: Plan, parts: &BTreeMap<String, Position>) -> Result<(), String> {
        self.plan = plan;
        self.reset(parts)
    }

    /// No answer comes: what was asked for is asked again.
    pub(crate) fn give_up(&mut self) {
        self.asked = None;
    }

    /// What an operator wants to know since the last time.
    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// True while Telegram is left alone, or has asked to wait.
    pub(crate) fn is_held(&self, now: i64) -> bool {
        self.line.is_held(now)
    }

    fn reads_basic_groups(&self) -> bool {
        self.chats.values().any(|chat| !chat.link.place.is_channel())
    }

    /// What was given last is committed.
    pub(crate) fn committed(&mut self) {
        self.is_given = false;
    }

    /// What to do at `now`.
    ///
    /// # Errors
    /// A position that cannot be written.
    pub(crate) fn step(&mut self, now: i64) -> Result<Step, String> {
        if let Some(end) = self.over {
            return Ok(Step::Over(end));
        }
        if self.is_given || self.asked.is_some() {
            return Ok(Step::Wait(i64::MAX));
        }
        self.mark(now);
        if let Some(turn) = self.give(now)? {
            return Ok(Step::Give(Box::new(turn)));
        }
        if let Some((asked, request)) = self.request(now) {
            self.asked = Some(asked);
            return Ok(Step::Ask(request));
        }
        for (chat, state) in &self.chats {
            if let Some(ids) = state.sought(now) {
                let group = &state.link.group;
                let group = (group.tenant_id().to_owned(), group.group_id().to_owned());
                return Ok(Step::Look { chat: *chat, group, ids });
            }
        }
        Ok(Step::Wait(self.due(now)))
    }

    fn has_moved(&self) -> bool {
        self.is_account_moved || self.chats.values().any(Chat::is_moved)
    }

    fn give(&mut self, now: i64) -> Result<Option<Turn>, String> {
        let is_due = now - self.given_at >= COUNT_EVERY_MS || self.chats.values().any(Chat::is_urgent);
        if !is_due {
            return Ok(None);
        }
        let mut turn = Turn::default();
        for (id, chat) in &mut self.chats {
            if chat.is_moved() {
                let (records, position) = chat.give()?;
                turn.records.extend(records);
                turn.positions.insert(chat_part(self.plan.user, *id), position);
            }
        }
        if let Some(state) = self.account.filter(|_| self.is_account_moved) {
            self.is_account_moved = false;
            turn.positions.insert(account_part(self.plan.user), AccountState::encode(state)?);
        }
        if turn.positions.is_empty() {
            return Ok(None);
        }
        turn.skipped = std::mem::take(&mut self.heap.skipped);
        turn.migrated = std::mem::take(&mut self.heap.migrated);
        (self.is_given, self.given_at) = (true, now);
        Ok(Some(turn))
    }

    /// Promises what is due of chats of which everything is told.
    fn mark(&mut self, now: i64) {
        if self.line.is_open() {
            return;
        }
        let account_is_whole = self.account.is_some() && self.account_order.is_whole();
        let (silence, since) = (self.plan.silence_ms, self.account_checked_at);
        for chat in self.chats.values_mut() {
            let is_channel = chat.link.place.is_channel();
            let heard_at = if is_channel { chat.checked_at } else { since };
            if chat.is_whole() && (is_channel || account_is_whole) && now - heard_at < silence {
                chat.mark(now);
            }
        }
    }

    /// What the database knows of messages of a chat.
    pub(crate) fn found(&mut self, chat: i64, known: &[Known], now: i64) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.found(known, now, &mut self.heap);
        }
    }

    /// Takes what was told without being asked for.
    pub(crate) fn push(&mut self, push: Push, now: i64) {
        match push {
            Push::Event { channel: Some(id), pts, count, event } => {
                let Some(chat) = self.chats.get_mut(&id) else { return };
                chat.checked_at = now;
                let Some(mut at) = chat.state.pts else { return };
                let events = chat.order.push(&mut at, (pts, count), event, now);
                if chat.state.pts != Some(at) {
                    chat.state.pts = Some(at);
                    chat.moved();
                }
                for event in events {
                    chat.take(event, now, &mut self.heap);
                }
            }
            Push::Event { channel: None, pts, count, event } => {
                self.account_checked_at = now;
                let Some(mut state) = self.account else { return };
                let events = self.account_order.push(&mut state.pts, (pts, count), event, now);
                self.move_account(state);
                self.take_all(events, now);
            }
            Push::Behind(Some(id)) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.order.miss();
                }
            }
            Push::Behind(None) => self.account_order.miss(),
            Push::Numbered { start, seq } => self.number(start, seq),
            Push::Interrupted(why) => {
                self.notes.push(Note::Interrupted(why));
                self.seq = None;
                self.miss_all();
            }
        }
    }

    fn number(&mut self, start: i32, seq: i32) {
        if self.seq.is_some_and(|last| start > last + 1) {
            self.miss_all();
        }
        self.seq = Some(self.seq.map_or(seq, |last| last.max(seq)));
    }

    fn miss_all(&mut self) {
        self.account_order.miss();
        self.chats.values_mut().for_each(|chat| chat.order.miss());
    }

    fn move_account(&mut self, state: State) {
        if self.account != Some(state) {
            self.account = Some(state);
            self.is_account_moved = true;
        }
    }

    /// Events of basic groups, among those of all private chats, which are passed over unseen.
    fn take_all(&mut self, events: Vec<Event>, now: i64) {
        for event in events {
            match event {
                Event::Message(message) => {
                    if let Some(chat) = self.chats.get_mut(&message.chat.id) {
                        chat.take(Event::Message(message), now, &mut self.heap);
                    }
                }
                Event::Migrated { from, to } => {
                    if let Some(chat) = self.chats.get_mut(&from) {
                        chat.take(Event::Migrated { from, to }, now, &mut self.heap);
                    }
                }
                Event::Deleted(ids) => self.delete_somewhere(&ids, now),
                Event::Other => {}
            }
        }
    }

    /// Ids are those of the account, and may be of any chat: each basic group looks for them.
    fn delete_somewhere(&mut self, ids: &[i64], now: i64) {
        let is_basic = |chat: &&mut Chat| !chat.link.place.is_channel();
        for id in ids {
            let one = || Event::Deleted(vec![*id]);
            let mut owner = self.chats.values_mut().filter(is_basic).filter(|chat| chat.remembers(*id));
            if let Some(chat) = owner.next() {
                chat.take(one(), now, &mut self.heap);
                continue;
            }
            for chat in self.chats.values_mut().filter(is_basic) {
                chat.take(one(), now, &mut self.heap);
            }
        }
    }
}

#[cfg(test)]
mod tests;
