//! A linked chat: what its events and pages of its history become, and where it stands after them.
//!
//! Invariant: pure. State and records change together, and both are given together.

mod page;

use crate::{
    order::Order,
    peer::{Event, Place, Top},
    position::{ChatState, Fill, Import, encode},
    recent::Known,
};
use ingest::{
    Batch, Group, Origin,
    telegram::{self, Message},
};
use page::{Page, Piece, draft_of};
use runtime::Position;
use schemas::{GroupMessageIngested, LIVE_LANE, MessageKind, lane_id};
use std::collections::BTreeMap;

/// A promise lies this far back, in ms: for messages on their way, and for clocks that differ.
const PROMISE_BEHIND_MS: i64 = 15 * 1000;
/// The database has so long to know a message that is gone, in ms.
const LOOKED_FOR_MS: i64 = 10 * 60 * 1000;
/// It is asked again so often, in ms.
const LOOK_EVERY_MS: i64 = 30 * 1000;
/// Messages that are looked for at once.
const UNPLACED_MAX: usize = 500;

/// A chat that is read by a session, and the group that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) place: Place,
    pub(crate) group: Group,
    /// When it was linked, in ms: another one is another link.
    pub(crate) id: i64,
    /// From when on the history before it is wanted, in ms; none: it is not.
    pub(crate) history_from: Option<i64>,
    /// Where it stood when it was linked; none: that is to be asked for.
    pub(crate) begin: Option<Top>,
}

/// Counts and words beside the records.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    pub(crate) migrated: Vec<(i64, Place)>,
    /// Id of the pipeline's own bot, whose posts are digests.
    pub(crate) own_bot: Option<i64>,
}

impl Heap {
    pub(crate) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }
}

/// A linked chat.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) link: Link,
    pub(crate) state: ChatState,
    pub(crate) order: Order,
    /// When it was last heard or asked for, in ms.
    pub(crate) checked_at: i64,
    /// It cannot be read before that.
    pub(crate) lost_until: i64,
    pub(crate) page_at: i64,
    look_at: i64,
    identity: String,
    live: Batch,
    history: Batch,
    is_moved: bool,
    /// There is something to tell beside a count.
    is_urgent: bool,
}

impl Chat {
    /// A chat from where it stood.
    pub(crate) fn new(user: i64, link: Link, position: Option<&Position>) -> Result<Self, String> {
        let state = ChatState::parse(position, link.id)?;
        let begin = link.begin.filter(|_| !state.has_begun);
        let mut chat = Self {
            identity: format!("session/{user}/{}/{}", link.place.chat, link.id),
            link,
            state,
            order: Order::behind(),
            checked_at: 0,
            lost_until: 0,
            page_at: 0,
            look_at: 0,
            live: Batch::default(),
            history: Batch::default(),
            is_moved: false,
            is_urgent: false,
        };
        if let Some(top) = begin {
            chat.begin(top);
        }
        Ok(chat)
    }

    fn origin(&self) -> Origin {
        Origin { group: self.link.group.clone(), lane: LIVE_LANE.to_owned(), identity: self.identity.clone() }
    }

    fn history_origin(&self) -> Origin {
        let identity = format!("{}/history", self.identity);
        Origin { group: self.link.group.clone(), lane: lane_id(&identity), identity }
    }

    /// Takes what happened.
    pub(crate) fn take(&mut self, event: Event, now: i64, heap: &mut Heap) {
        self.is_moved = true;
        match event {
            Event::Other => {}
            Event::Migrated { from, to } => {
                // The group goes on there: what is still to come of it is not promised from here.
                self.state.heard.clear();
                heap.migrated.push((from, to));
            }
            Event::Deleted(ids) => {
                for id in ids {
                    self.delete(id + self.shift(), now, heap);
                }
            }
            Event::Message(message) => {
                let is_new = message.edit_date.is_none();
                if is_new && message.message_id <= self.state.floor {
                    return heap.skip("repeated");
                }
                self.state.top = self.state.top.max(message.message_id);
                self.tell(*message, now, heap);
            }
        }
    }

    fn shift(&self) -> i64 {
        if self.link.place.is_channel() { 0 } else { telegram::BASIC_GROUP_SHIFT }
    }

    /// A message of the live lane.
    fn tell(&mut self, message: Message, now: i64, heap: &mut Heap) {
        let origin = self.origin();
        let at = (self.state.given, now);
        match draft_of(message, heap) {
            Some(Piece::Topic(id)) => self.live.topic(&origin, at, id),
            Some(Piece::Message(draft)) => {
                if !self.state.recent.add(&draft) {
                    return heap.skip("repeated");
                }
                self.live.message(&origin, at, *draft);
            }
            None => return,
        }
        self.is_urgent = true;
        self.state.given += 1;
        ingest::heard(&mut self.state.heard, std::iter::once(&self.link.group), now);
    }

    fn delete(&mut self, id: i64, now: i64, heap: &mut Heap) {
        match self.state.recent.take(id) {
            Some(known) => self.gone(known, now),
            None if self.state.unplaced.len() >= UNPLACED_MAX => heap.skip("unknown_deleted"),
            None => {
                self.state.unplaced.push((id, now + LOOKED_FOR_MS));
                self.look_at = self.look_at.min(now);
            }
        }
    }

    /// The message is gone. Later than all that is known of it.
    fn gone(&mut self, known: Known, now: i64) {
        let message = schemas::Message {
            revision: known.revision.saturating_add(1),
            kind: MessageKind::Deleted.as_str().to_owned(),
            ..schemas::Message::plain(known.id, known.sent_at, "")
        };
        let draft = ingest::Draft { message, text: ingest::RichText::default() };
        let origin = self.origin();
        self.live.message(&origin, (self.state.given, now), draft);
        self.state.given += 1;
        ingest::heard(&mut self.state.heard, std::iter::once(&self.link.group), now);
        (self.is_moved, self.is_urgent) = (true, true);
    }

    /// Ids that the database is to be asked for.
    pub(crate) fn sought(&self, now: i64) -> Option<Vec<i64>> {
        let is_due = !self.state.unplaced.is_empty() && self.look_at <= now;
        is_due.then(|| self.state.unplaced.iter().map(|(id, _)| *id).collect())
    }

    /// When that is due again.
    pub(crate) fn sought_at(&self) -> Option<i64> {
        (!self.state.unplaced.is_empty()).then_some(self.look_at)
    }

    /// What the database knows of those.
    pub(crate) fn found(&mut self, known: &[Known], now: i64, heap: &mut Heap) {
        self.look_at = now + LOOK_EVERY_MS;
        for (id, until) in std::mem::take(&mut self.state.unplaced) {
            match known.iter().find(|known| known.id == id) {
                Some(known) => self.gone(*known, now),
                None if until <= now => {
                    heap.skip("unknown_deleted");
                    self.is_moved = true;
                }
                None => self.state.unplaced.push((id, until)),
            }
        }
    }

    /// The chat stands here. At first the history up to there is another lane's; later what lies between is still to be read.
    pub(crate) fn begin(&mut self, top: Top) {
        let state = &mut self.state;
        (self.is_moved, self.is_urgent) = (true, true);
        if !state.has_begun {
            (state.has_begun, state.top, state.floor, state.pts) = (true, top.message, top.message, top.pts);
            let wanted = self.link.history_from.filter(|_| top.message > 0);
            state.import = wanted.map(|from| Import {
                last: (from <= 0).then_some(0),
                until: top.message,
                observed_at: 0,
                given: 0,
            });
            self.order = Order::behind();
            return;
        }
        state.fill = match state.fill.take() {
            Some(fill) => Some(fill.extended(state.top, top.message, top.pts)),
            None if top.message > state.top => Some(Fill::new(state.top, top.message, top.pts)),
            None => None,
        };
        state.pts = if state.fill.is_some() { None } else { top.pts };
        self.order = Order::behind();
    }

    /// A page of what lies between.
    pub(crate) fn fill(&mut self, messages: Vec<Message>, now: i64, heap: &mut Heap) {
        let Some(fill) = self.state.fill.take() else { return };
        (self.is_moved, self.is_urgent) = (true, true);
        let page = Page::of(messages, fill.last, fill.until);
        for message in page.messages {
            if fill.has_told(message.message_id) && message.edit_date.is_none() {
                heap.skip("repeated");
            } else {
                self.tell(message, now, heap);
            }
        }
        self.state.top = self.state.top.max(page.last);
        if page.is_last {
            self.state.top = self.state.top.max(fill.until);
            self.state.floor = self.state.floor.max(fill.until);
            self.state.pts = fill.pts;
            self.order = Order::behind();
        } else {
            self.state.fill = Some(Fill { last: page.last, ..fill });
        }
    }

    /// The newest message before the history that is wanted.
    pub(crate) fn import_from(&mut self, messages: &[Message]) {
        if let Some(import) = &mut self.state.import {
            let before = messages.iter().map(|message| message.message_id).max();
            import.last = Some(before.unwrap_or(0));
            (self.is_moved, self.is_urgent) = (true, true);
        }
    }

    /// A page of the history.
    pub(crate) fn import(&mut self, messages: Vec<Message>, heap: &mut Heap) {
        let Some(mut import) = self.state.import.take() else { return };
        (self.is_moved, self.is_urgent) = (true, true);
        let origin = self.history_origin();
        let page = Page::of(messages, import.last.unwrap_or(0), import.until);
        for message in page.messages {
            let piece = draft_of(message, heap);
            let at = import.given;
            match piece {
                Some(Piece::Topic(id)) => self.history.topic(&origin, (at, import.observed_at), id),
                Some(Piece::Message(draft)) => {
                    import.observed_at = import.observed_at.max(draft.message.sent_at);
                    self.history.message(&origin, (at, import.observed_at), *draft);
                }
                None => continue,
            }
            import.given += 1;
        }
        if page.is_last {
            self.history.end(&origin, import.observed_at);
        } else {
            self.state.import = Some(Import { last: Some(page.last), ..import });
        }
    }

    /// Promises that the lane is complete, where that is due. The chat is told whole up to now.
    pub(crate) fn mark(&mut self, now: i64) {
        for _ in ingest::take_due(&mut self.state.heard, now) {
            let origin = self.origin();
            self.live.control(&origin, &format!("mark:{now}"), now, now - PROMISE_BEHIND_MS);
            (self.is_moved, self.is_urgent) = (true, true);
        }
    }

    /// When the next promise is due.
    pub(crate) fn mark_at(&self, now: i64) -> Option<i64> {
        ingest::until_due(&self.state.heard, now).map(|wait| now + wait)
    }

    /// True where everything is told up to now; of a basic group, as far as it is known here.
    pub(crate) fn is_whole(&self) -> bool {
        let is_told = !self.link.place.is_channel() || self.order.is_whole();
        self.state.has_begun && self.state.fill.is_none() && is_told
    }

    /// Moves a count without anything to tell.
    pub(crate) fn moved(&mut self) {
        self.is_moved = true;
    }

    pub(crate) fn is_moved(&self) -> bool {
        self.is_moved
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// True for a message that is remembered.
    pub(crate) fn remembers(&self, id: i64) -> bool {
        self.state.recent.has(id + self.shift())
    }

    /// What came of it, and where the chat stands after it.
    pub(crate) fn give(&mut self) -> Result<(Vec<GroupMessageIngested>, Position), String> {
        (self.is_moved, self.is_urgent) = (false, false);
        let mut records = std::mem::take(&mut self.history).finish(&self.history_origin());
        records.extend(std::mem::take(&mut self.live).finish(&self.origin()));
        Ok((records, encode(&self.state)?))
    }
}
