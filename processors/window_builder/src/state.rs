//! State of a group: its settings, lanes and windows, and what a record does to them.
//!
//! Invariant: after a record at offset L every window holds exactly the messages that a reader of the log up to L
//! finds between its bounds, late ones too; that is what makes counts equal to as-of reads.

use crate::{
    authors::Authors,
    entries::{Entry, Summary},
    grid,
    lanes::{Due, LIVE, Lanes, due_ms},
    settings::Epoch,
    shelf::Shelf,
    topics::Topics,
    window::{Opening, Window},
};
use schemas::{Author, GroupMessageIngested, GroupSettings, Home, Known, Message};
use std::collections::BTreeSet;

/// State of a group.
#[derive(Debug)]
pub struct GroupState {
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) shelves: Vec<Shelf>,
    pub(crate) lanes: Lanes,
    pub(crate) authors: Authors,
    pub(crate) topics: Topics,
    pub(crate) changed: Changed,
}

/// What differs from the snapshot, beside authors and topics.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) header: bool,
    pub(crate) epochs: BTreeSet<u32>,
    /// (size in hours, start in ms)
    pub(crate) windows: BTreeSet<(i32, i64)>,
}

/// What a message did; the higher of two is what it did to several windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Novelty {
    /// Its windows are beyond the horizon: remembered, but no reason for a revision.
    Late,
    /// It told nothing new.
    Known,
    /// It changed a window.
    Changed,
}

/// The lane of a record, and where the record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordPlace {
    pub(crate) lane: u32,
    /// The lane's clock before the record.
    pub(crate) clock_ms: i64,
    pub(crate) offset: i64,
    pub(crate) grace_and_horizon_ms: (i64, i64),
}

/// What closing a window comes to.
#[derive(Debug)]
pub(crate) enum Closed<'a> {
    /// It has something new to tell.
    Ready(Revision<'a>),
    /// Its messages are those of its newest revision.
    Unchanged,
}

/// A revision of a window.
#[derive(Debug)]
pub(crate) struct Revision<'a> {
    pub(crate) size_hours: i32,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) number: u32,
    pub(crate) summary: Summary,
    pub(crate) settings: &'a GroupSettings,
    pub(crate) last_offset: i64,
}

impl Default for GroupState {
    fn default() -> Self {
        let first = Epoch::default();
        let shelves = first.settings.window_hours.iter().map(|size| Shelf::new(*size, Some(0))).collect();
        Self {
            epochs: vec![first],
            shelves,
            lanes: Lanes::default(),
            authors: Authors::default(),
            topics: Topics::default(),
            changed: Changed::default(),
        }
    }
}

impl GroupState {
    /// Puts settings in force for windows opened from now on; settings that are in force already change nothing.
    pub(crate) fn adopt(&mut self, epoch: Epoch) {
        if self.epochs.last().is_some_and(|last| last.settings == epoch.settings) {
            return;
        }
        let number = self.epochs.len() as u32;
        let sizes = &epoch.settings.window_hours;
        for shelf in &mut self.shelves {
            shelf.since = shelf.since.or(Some(number)).filter(|_| sizes.contains(&shelf.size_hours));
        }
        for size in sizes {
            if let Err(index) = self.shelves.binary_search_by_key(size, |shelf| shelf.size_hours) {
                self.shelves.insert(index, Shelf::new(*size, Some(number)));
            }
        }
        self.epochs.push(epoch);
        self.changed.epochs.insert(number);
        self.changed.header = true;
    }

    /// Takes topics and messages of a record in; each lateness is judged by the lane's clock before the record.
    /// Returns the highest fate, and whether any message was late.
    pub(crate) fn absorb(
        &mut self,
        record: &GroupMessageIngested,
        visit: RecordPlace,
    ) -> (Option<Novelty>, bool) {
        let (mut highest, mut late, mut found) = (None, false, BTreeSet::new());
        for topic in &record.topics {
            let fate = if self.create(*topic, &mut found) { Novelty::Changed } else { Novelty::Known };
            highest = highest.max(Some(fate));
        }
        for message in &record.messages {
            let fate = self.enter_windows(message, visit, &mut found);
            highest = highest.max(Some(fate));
            late |= fate == Novelty::Late;
        }
        (highest.max(self.place_answers(found, visit)), late)
    }

    fn create(&mut self, topic: i64, found: &mut BTreeSet<i64>) -> bool {
        let is_new = self.topics.create(topic);
        if is_new {
            found.insert(topic);
        }
        is_new
    }

    /// `found` gets the topics and messages whose answers can be placed from now on.
    fn enter_windows(&mut self, message: &Message, visit: RecordPlace, found: &mut BTreeSet<i64>) -> Novelty {
        let deleted = message.is_deletion();
        let author = match &message.author {
            Some(author) if !deleted => self.authors.number(&author.id),
            _ => 0,
        };
        if let Some(topic) = message.topic_id.filter(|_| !deleted) {
            self.create(topic, found);
        }
        let home = message.home(|id| self.topics.is_topic(id), |id| self.topics.is_placed(id));
        if home != Home::Unknown && self.topics.place(message.id) {
            found.insert(message.id);
        }
        let Message { id, revision, reply_to, .. } = *message;
        let (known, answers) = (message.known().settled(home), reply_to.unwrap_or_default());
        let is_by_name = message.author.as_ref().is_some_and(Author::is_by_name);
        let entry = Entry { id, revision, author, deleted, known, is_by_name, answers };
        let mut fate = Novelty::Late;
        for shelf in 0..self.shelves.len() {
            if let Some(start_ms) = self.window_at(shelf, message.sent_at) {
                fate = fate.max(self.enter(shelf, start_ms, entry, visit));
            }
        }
        fate
    }

    /// Start of the window of a shelf that `at_ms` lies in. A new one begins where older windows of its size end;
    /// a size that came later leaves out what windows under older settings cover, because messages there may have
    /// passed before the size was known.
    fn window_at(&mut self, shelf: usize, at_ms: i64) -> Option<i64> {
        let own = &self.shelves[shelf];
        if let Some(start_ms) = own.covering(at_ms) {
            return Some(start_ms);
        }
        let since = own.since?;
        let epoch = self.epochs.len() as u32 - 1;
        let grid = self.epochs.last()?.grid();
        let mut bounds = own.clip(grid::bounds(grid, own.size_hours, at_ms), at_ms, u32::MAX)?;
        for other in self.shelves.iter().filter(|_| since > 0) {
            bounds = other.clip(bounds, at_ms, since)?;
        }
        let window = Window { end_ms: bounds.end, epoch, ..Window::default() };
        self.shelves[shelf].insert(bounds.start, window);
        Some(bounds.start)
    }

    fn enter(&mut self, shelf: usize, start_ms: i64, entry: Entry, visit: RecordPlace) -> Novelty {
        let unplaced = entry.known.has(Known::REPLY) && !entry.known.has(Known::TOPIC);
        self.shelves[shelf].answer(unplaced.then_some(entry.answers));
        let Some(window) = self.shelves[shelf].window(start_ms) else { return Novelty::Known };
        let news = window.entries.apply(entry, &self.topics);
        self.visit(shelf, start_ms, news, visit)
    }

    /// Places the messages that answer one of `found`, and those that answer them, wherever they are: their windows are
    /// not what they were. Returns the highest fate.
    fn place_answers(&mut self, mut found: BTreeSet<i64>, visit: RecordPlace) -> Option<Novelty> {
        let mut highest = None;
        while !found.is_empty() {
            let mut placed = BTreeSet::new();
            for shelf in 0..self.shelves.len() {
                for start_ms in self.shelves[shelf].answering(&found) {
                    let Some(window) = self.shelves[shelf].window(start_ms) else { continue };
                    let answers = window.entries.place_answers(&found, &self.topics);
                    if answers.is_empty() {
                        self.shelves[shelf].rest(start_ms);
                        continue;
                    }
                    placed.extend(answers);
                    highest = highest.max(Some(self.visit(shelf, start_ms, true, visit)));
                }
            }
            placed.retain(|id| self.topics.place(*id));
            found = placed;
        }
        highest
    }

    /// Notes that a record told something of a window, news or not, and opens it in the record's lane if it is in time.
    fn visit(&mut self, shelf: usize, start_ms: i64, news: bool, visit: RecordPlace) -> Novelty {
        let shelf = &mut self.shelves[shelf];
        let size_hours = shelf.size_hours;
        let Some(window) = shelf.window(start_ms) else { return Novelty::Known };
        let mut late = false;
        if !window.is_open_in(visit.lane) {
            match due_ms(visit.lane, visit.clock_ms, window.end_ms, visit.grace_and_horizon_ms) {
                Some(due_ms) => {
                    window.openings.push(Opening { lane: visit.lane, due_ms });
                    self.lanes.open(visit.lane, Due { at_ms: due_ms, start_ms, size_hours });
                }
                None => late = true,
            }
        }
        window.last_offset = visit.offset;
        if !std::mem::replace(&mut window.changed, true) {
            self.changed.windows.insert((size_hours, start_ms));
        }
        shelf.rest(start_ms);
        match (late, news) {
            (true, _) => Novelty::Late,
            (false, true) => Novelty::Changed,
            (false, false) => Novelty::Known,
        }
    }

    /// Moves the clock of a record's lane, and tells up to which time its windows are to be closed now.
    pub(crate) fn advance(&mut self, record: &GroupMessageIngested, grace_ms: i64) -> i64 {
        self.changed.header = true;
        self.lanes.advance(record, grace_ms)
    }

    /// Closes one more window that is due in a lane at `clock_ms`, if there is one.
    pub(crate) fn close_next(&mut self, lane: u32, clock_ms: i64) -> Option<Closed<'_>> {
        let Due { start_ms, size_hours, .. } = self.lanes.next_due(lane, clock_ms)?;
        let index = self.shelves.binary_search_by_key(&size_hours, |shelf| shelf.size_hours).ok()?;
        let shelf = &mut self.shelves[index];
        let window = shelf.window(start_ms)?;
        window.openings.retain(|opening| opening.lane != lane);
        let resting = window.openings.is_empty();
        let summary = window.entries.summary();
        let first_of_live = lane == LIVE && !window.live;
        let news = if window.revision == 0 {
            summary.messages > 0
        } else {
            first_of_live || window.digest != summary.digest
        };
        if news {
            window.revision = window.revision.saturating_add(1);
            window.live |= lane == LIVE;
            window.digest = summary.digest;
        }
        let (end_ms, number, last_offset) = (window.end_ms, window.revision, window.last_offset);
        let epoch = window.epoch as usize;
        self.changed.windows.insert((size_hours, start_ms));
        if resting {
            shelf.pack(start_ms);
        }
        let settings = &self.epochs.get(epoch)?.settings;
        if !news {
            return Some(Closed::Unchanged);
        }
        let revision = Revision { size_hours, start_ms, end_ms, number, summary, settings, last_offset };
        Some(Closed::Ready(revision))
    }
}
