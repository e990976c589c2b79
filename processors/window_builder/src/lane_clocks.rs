//! The lanes of a group as an operator reads them from its log.
//!
//! Invariant: the clocks are the Fold's, moved by the same code, without its windows.

use crate::{WindowBuilder, lanes::Lanes};
use schemas::{END_OF_LANE, GroupMessageIngested};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far a lane has come in event time, in ms; none where nothing was told yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneClock {
    /// `live`, or the id of an import that has not ended.
    pub lane: String,
    /// Windows that end by then are closed.
    pub clock: Option<i64>,
    /// Newest promise of the source that the lane is complete.
    pub complete_until: Option<i64>,
    /// Newest send time, leaving out stamps ahead of the source's clock.
    pub newest_message: Option<i64>,
    /// Where an operator last set the lane back to.
    pub set_back_to: Option<i64>,
}

/// The lanes of one group.
#[derive(Debug, Default)]
pub struct LaneClocks {
    options: WindowBuilder,
    lanes: Lanes,
    set_back: BTreeMap<String, i64>,
}

impl LaneClocks {
    /// Takes the group's next record in.
    pub fn take(&mut self, record: &GroupMessageIngested) {
        let grace_ms = self.options.grace_ms;
        if let Some(to_ms) = record.set_back_to
            && self.lanes.set_back(&record.lane, to_ms, grace_ms).is_some()
        {
            self.set_back.insert(record.lane.clone(), to_ms);
        }
        if !record.tells_of_its_lane() {
            return;
        }
        let number = self.lanes.lane(&record.lane).number;
        if self.lanes.advance(record, grace_ms) == END_OF_LANE {
            self.lanes.end(number);
        }
    }

    /// The lanes that go on, as they began.
    pub fn lanes(&self) -> Vec<LaneClock> {
        let told = |ms: i64| Some(ms).filter(|ms| *ms != i64::MIN);
        let (lanes, _) = self.lanes.all();
        let clock = |(name, lane): &(String, crate::lanes::Lane)| LaneClock {
            lane: name.clone(),
            clock: told(lane.clock_ms(self.options.grace_ms)),
            complete_until: told(lane.promised_ms),
            newest_message: told(lane.newest_ms),
            set_back_to: self.set_back.get(name).copied(),
        };
        lanes.iter().map(clock).collect()
    }
}
