//! What was told without being asked for.

use super::Engine;
use crate::{
    chat::Chat,
    note::Note,
    peer::{Event, Push, State},
};

impl Engine {
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

    pub(super) fn miss_all(&mut self) {
        self.account_order.miss();
        self.chats.values_mut().for_each(|chat| chat.order.miss());
    }

    pub(super) fn move_account(&mut self, state: State) {
        if self.account != Some(state) {
            self.account = Some(state);
            self.is_account_moved = true;
        }
    }

    /// Events of basic groups, among those of all private chats, which are passed over unseen.
    pub(super) fn take_all(&mut self, events: Vec<Event>, now: i64) {
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
