//! A window of the oracle, and what a record does to it.
//!
//! Invariant: it is revised when something is known that its newest revision did not have.

use super::content::{Content, Contents};
use crate::WindowBuilder;
use schemas::{END_OF_LANE, LIVE_LANE};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Window {
    pub(super) size_hours: i32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) epoch: usize,
    /// Lanes in which it is open, and when each closes it.
    pub(super) open: BTreeMap<String, i64>,
    /// The newest revision emitted.
    pub(super) emitted: Option<Vec<Content>>,
    pub(super) revision: i32,
    pub(super) emitted_by_live: bool,
    /// Offset of the newest record that told something of it.
    pub(super) offset: i64,
    pub(super) contents: Contents,
}

/// A record in its lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordPlace<'a> {
    pub(super) lane: &'a str,
    /// The lane's clock before the record.
    pub(super) clock: i64,
    pub(super) offset: i64,
    pub(super) options: &'a WindowBuilder,
}

impl Window {
    /// Notes that a record told something of it, and opens it in the record's lane; false when it is too late for that.
    pub(super) fn visited(&mut self, visit: &RecordPlace<'_>) -> bool {
        self.offset = visit.offset;
        let due = self.open.get(visit.lane).copied().or(self.due(visit));
        self.open.extend(due.map(|due| (visit.lane.to_owned(), due)));
        due.is_some()
    }

    /// When a lane that has this clock has to close it.
    fn due(&self, visit: &RecordPlace<'_>) -> Option<i64> {
        let RecordPlace { lane, clock, options, .. } = *visit;
        if clock < self.end {
            Some(self.end)
        } else if lane != LIVE_LANE {
            Some(END_OF_LANE)
        } else if clock < self.end.saturating_add(options.horizon_ms) {
            Some(clock.saturating_add(options.grace_ms))
        } else {
            None
        }
    }

    /// The lane was set back to the visit's clock.
    pub(super) fn set_back(&mut self, visit: &RecordPlace<'_>) {
        let Some(due) = self.due(visit) else { return };
        if let Some(known) = self.open.get_mut(visit.lane) {
            *known = due.min(*known);
        } else if visit.lane == LIVE_LANE && self.is_news(&self.contents.current(), false) {
            self.open.insert(visit.lane.to_owned(), due);
        }
    }

    fn is_news(&self, current: &Vec<Content>, by_live: bool) -> bool {
        match &self.emitted {
            None => !current.is_empty(),
            Some(emitted) => emitted != current || (by_live && !self.emitted_by_live),
        }
    }

    /// True when there is to be a next revision, which is noted as emitted.
    pub(super) fn is_revised(&mut self, by_live: bool) -> bool {
        let current = self.contents.current();
        let wanted = self.is_news(&current, by_live);
        if wanted {
            self.revision += 1;
            self.emitted = Some(current);
            self.emitted_by_live |= by_live;
        }
        wanted
    }
}
