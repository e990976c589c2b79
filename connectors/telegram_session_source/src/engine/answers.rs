//! What an answer changes, and what a refusal.

use super::{Asked, Engine, PAGE_EVERY_MS};
use crate::{
    note::Note,
    order::Order,
    peer::{Answer, Difference, Method, State},
    refusal::Refusal,
};

/// A chat that cannot be read is tried again so often, in ms.
const LOST_MS: i64 = 30 * 60 * 1_000;

impl Engine {
    /// Takes an answer, or why there is none.
    pub(crate) fn answer(&mut self, answer: Result<Answer, Refusal>, method: Method, now: i64) {
        let Some(asked) = self.asked.take() else { return };
        match answer {
            Ok(answer) => {
                if self.line.is_open() {
                    self.notes.push(Note::Mended);
                }
                self.line.answered();
                self.answered(asked, answer, now);
            }
            Err(refusal) => self.refused(asked, refusal, method, now),
        }
    }

    fn answered(&mut self, asked: Asked, answer: Answer, now: i64) {
        match (asked, answer) {
            (Asked::Stand, Answer::Dialogs { tops, state }) => {
                for top in tops {
                    if let Some(chat) = self.chats.get_mut(&top.chat) {
                        chat.begin(top);
                    }
                }
                self.account_checked_at = now;
                self.account_order = Order::behind();
                self.move_account(state);
            }
            (Asked::Begin(id), Answer::Dialogs { tops, .. }) => {
                let top = tops.into_iter().find(|top| top.chat == id);
                match (top, self.chats.get_mut(&id)) {
                    (Some(top), Some(chat)) => {
                        chat.checked_at = now;
                        chat.begin(top);
                        self.doubted.remove(&id);
                    }
                    _ => self.lose(id, "Telegram does not list it among the account's chats".to_owned(), now),
                }
            }
            (Asked::Account, Answer::Difference(difference)) => self.follow_account(difference, now),
            (Asked::Channel(id), Answer::ChannelDifference(difference)) => self.follow(id, difference, now),
            (Asked::Fill(id), Answer::History(messages)) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.fill(messages, now, &mut self.heap);
                }
            }
            (Asked::ImportStart(id), Answer::History(messages)) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.import_from(&messages);
                }
            }
            (Asked::Import(id), Answer::History(messages)) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.page_at = now + PAGE_EVERY_MS;
                    chat.import(messages, &mut self.heap);
                }
            }
            // Of another request: what was asked for is asked again.
            _ => {}
        }
    }

    fn follow(&mut self, id: i64, difference: Difference<i32>, now: i64) {
        let Some(chat) = self.chats.get_mut(&id) else { return };
        chat.checked_at = now;
        match difference {
            Difference::Events { events, state: mut pts, is_last } => {
                for event in events {
                    chat.take(event, now, &mut self.heap);
                }
                if is_last {
                    chat.order.caught_up();
                    for event in chat.order.follow(&mut pts, now) {
                        chat.take(event, now, &mut self.heap);
                    }
                }
                if chat.state.pts != Some(pts) {
                    chat.state.pts = Some(pts);
                    chat.moved();
                }
            }
            Difference::TooLong(top) => {
                self.notes.push(Note::TooLong { chat: id });
                if let Some(top) = top {
                    chat.begin(top);
                } else {
                    chat.state.pts = None;
                    chat.moved();
                }
            }
        }
    }

    fn follow_account(&mut self, difference: Difference<State>, now: i64) {
        self.account_checked_at = now;
        match difference {
            Difference::Events { events, mut state, is_last } => {
                self.take_all(events, now);
                if is_last {
                    self.account_order.caught_up();
                    let events = self.account_order.follow(&mut state.pts, now);
                    self.take_all(events, now);
                }
                self.move_account(state);
            }
            Difference::TooLong(_) => {
                let basic = self.chats.values().filter(|chat| !chat.link.place.is_channel());
                self.notes.extend(basic.map(|chat| Note::TooLong { chat: chat.link.place.chat }));
                self.account = None;
            }
        }
    }

    fn refused(&mut self, asked: Asked, refusal: Refusal, method: Method, now: i64) {
        let chat = match asked {
            Asked::Begin(id)
            | Asked::Channel(id)
            | Asked::Fill(id)
            | Asked::ImportStart(id)
            | Asked::Import(id) => Some(id),
            Asked::Stand | Asked::Account => None,
        };
        if matches!(refusal, Refusal::NoAnswer(_)) {
            // By the connection that is gone more may have come than this answer.
            self.seq = None;
            self.miss_all();
        }
        match (refusal, chat) {
            (Refusal::Flood(seconds), _) => {
                self.line.flood(method, seconds, now);
                self.notes.push(Note::Flood { method, seconds });
            }
            (Refusal::Ended(end), _) => self.over = Some(end),
            (Refusal::BadPosition, Some(id)) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    self.notes.push(Note::TooLong { chat: id });
                    chat.state.pts = None;
                    chat.moved();
                }
            }
            (Refusal::BadPosition, None) => self.account = None,
            (Refusal::NoAccess(why) | Refusal::Refused(why), Some(id)) => self.lose(id, why, now),
            (Refusal::NoAccess(why) | Refusal::Refused(why), None) if asked == Asked::Stand => {
                self.doubt(why, now);
            }
            (refusal, _) => {
                if self.line.failed(now) {
                    self.notes.push(Note::Broken(refusal.to_string()));
                }
            }
        }
    }

    /// One of the basic groups cannot be read: each is asked for by itself before they are asked for together.
    fn doubt(&mut self, why: String, now: i64) {
        let places = self.readable_groups(now);
        match *places {
            [only] => self.lose(only.chat, why, now),
            _ => self.doubted.extend(places.iter().map(|place| place.chat)),
        }
        // Where each can be read by itself it is not asked again at once.
        self.line.failed(now);
    }

    fn lose(&mut self, id: i64, why: String, now: i64) {
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.lost_until = now + LOST_MS;
            if !chat.link.place.is_channel() {
                // What it tells meanwhile is not heard: it is looked where it stands when it can be read again.
                self.doubted.insert(id);
            }
            self.notes.push(Note::Lost { chat: id, why });
        }
    }
}
