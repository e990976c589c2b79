//! What a session does next: asks, looks up, gives, or waits.
//!
//! Invariant: pure; time is an argument. One request is under way at a time, and nothing is given while what was given before is not
//! committed; from what is committed everything that follows is told again, and nothing else.

mod answers;
mod pushes;
mod requests;

use crate::{
    chat::{Chat, Heap, Link},
    line::Line,
    note::Note,
    order::Order,
    peer::{Place, Request, State},
    position::{AccountState, account_part, chat_part},
    recent::Known,
    refusal::End,
};
use runtime::Position;
use schemas::GroupMessageIngested;
use std::collections::{BTreeMap, BTreeSet};

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

/// What came of some events.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) records: Vec<GroupMessageIngested>,
    /// Positions by part.
    pub(crate) positions: BTreeMap<String, Position>,
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// Basic groups that go on as supergroups, which are to be linked before this is committed.
    pub(crate) migrated: Vec<(i64, Place)>,
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
    /// Basic groups that are asked for one by one, since one of several, and nobody knows which, cannot be read.
    doubted: BTreeSet<i64>,
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
            doubted: BTreeSet::new(),
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
        self.basic_groups().next().is_some()
    }

    fn basic_groups(&self) -> impl Iterator<Item = &Chat> {
        self.chats.values().filter(|chat| !chat.link.place.is_channel())
    }

    /// Basic groups that may be asked for.
    fn readable_groups(&self, now: i64) -> Vec<Place> {
        self.basic_groups().filter(|chat| chat.lost_until <= now).map(|chat| chat.link.place).collect()
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
        for (id, chat) in &mut self.chats {
            let is_channel = chat.link.place.is_channel();
            let heard_at = if is_channel { chat.checked_at } else { since };
            let is_told = chat.is_whole() && !self.doubted.contains(id) && (is_channel || account_is_whole);
            if is_told && now - heard_at < silence {
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
}

#[cfg(test)]
mod tests;
