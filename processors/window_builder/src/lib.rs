//! Cuts each group's messages into windows of event time, and tells when a window is complete, or complete anew.
//!
//! Invariant: every output is a function of the log alone. The counts of a revision are those of an as-of read
//! between its bounds at its source offset.

mod authors;
mod codec;
mod entries;
mod grid;
mod lane_clocks;
mod lanes;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod parts;
mod set_back;
mod settings;
mod shelf;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;
mod topics;
mod window;

pub use lane_clocks::{LaneClock, LaneClocks};
pub use state::GroupState;

use processor::{Event, Fold, Outcome, Port, PortSpec, Reject};
use schemas::{END_OF_LANE, GroupMessageIngested, GroupWindowReady, window_id};
use serde::Deserialize;
use settings::Epoch;
use state::{Closed, Novelty, RecordPlace, Revision};

const READY: Port<GroupWindowReady> = Port::new("ready");
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The Fold over ingested messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowBuilder {
    /// How long a lane waits for stragglers, in ms of event time, and how far apart revisions of a closed live
    /// window are at least. Default 5 minutes: slow networks fit in, and a digest is not late for it.
    pub grace_ms: i64,
    /// How long after its end a live window takes revisions, in ms of event time. Default 7 days; 0 turns
    /// revisions off. Imports know no horizon.
    pub horizon_ms: i64,
}

impl Default for WindowBuilder {
    fn default() -> Self {
        Self { grace_ms: 5 * MINUTE_MS, horizon_ms: 7 * DAY_MS }
    }
}

impl Fold for WindowBuilder {
    const NAME: &'static str = "window_builder";
    const STATE_VERSION: u32 = 3;
    type In = GroupMessageIngested;
    type State = GroupState;

    fn ports(&self) -> Vec<PortSpec> {
        vec![READY.spec()]
    }

    fn step(&self, state: &mut GroupState, event: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        let record = &event.value;
        let epoch = record.settings.as_ref().map(Epoch::of).transpose()?;
        let new_settings = epoch.is_some();
        if let Some(epoch) = epoch {
            state.adopt(epoch);
        }
        let set_back = record.set_back_to;
        let was_set_back = set_back
            .is_some_and(|to_ms| state.set_back(&record.lane, to_ms, (self.grace_ms, self.horizon_ms)));
        let is_control = new_settings || was_set_back;
        if !record.tells_of_its_lane() {
            return Ok(match set_back {
                _ if is_control => Outcome::absorbed(),
                Some(_) => Outcome::drop("duplicate"),
                None if record.command.is_some() => Outcome::drop("command"),
                None => Outcome::drop("empty"),
            });
        }
        let lane = state.lanes.lane(&record.lane);
        let visit = RecordPlace {
            lane: lane.number,
            clock_ms: lane.clock_ms(self.grace_ms),
            offset: event.source.offset,
            grace_and_horizon_ms: (self.grace_ms, self.horizon_ms),
        };
        let (fate, late) = state.absorb(record, visit);
        let clock_ms = state.advance(record, self.grace_ms);
        let (ready, repeated) = close(state, event, visit.lane, clock_ms);
        if clock_ms == END_OF_LANE {
            state.lanes.end(visit.lane);
        }
        Ok(match fate {
            _ if !ready.is_empty() => {
                Outcome::Emit(ready.into_iter().map(|ready| READY.emit(ready)).collect())
            }
            _ if is_control => Outcome::absorbed(),
            Some(Novelty::Late | Novelty::Known) if late => Outcome::drop("late"),
            Some(Novelty::Known) => Outcome::drop("duplicate"),
            None if repeated => Outcome::drop("duplicate"),
            _ => Outcome::absorbed(),
        })
    }
}

/// Closes the windows that are due in a lane: their revisions, and whether one had nothing new to tell.
fn close(
    state: &mut GroupState,
    event: &Event<GroupMessageIngested>,
    lane: u32,
    clock_ms: i64,
) -> (Vec<GroupWindowReady>, bool) {
    let (mut ready, mut repeated) = (Vec::new(), false);
    while let Some(closed) = state.close_next(lane, clock_ms) {
        match closed {
            Closed::Ready(revision) => ready.push(window_ready(event, &revision)),
            Closed::Unchanged => repeated = true,
        }
    }
    (ready, repeated)
}

fn window_ready(event: &Event<GroupMessageIngested>, revision: &Revision<'_>) -> GroupWindowReady {
    let GroupMessageIngested { tenant_id, group_id, lane, .. } = &event.value;
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    GroupWindowReady {
        tenant_id: tenant_id.clone(),
        group_id: group_id.clone(),
        window_id: window_id(tenant_id, group_id, revision.size_hours, revision.start_ms),
        size_hours: revision.size_hours,
        window_start: revision.start_ms,
        window_end: revision.end_ms,
        revision: i32::try_from(revision.number).unwrap_or(i32::MAX),
        lane: lane.clone(),
        message_count: count(revision.summary.messages),
        participant_count: count(revision.summary.participants),
        scopes: revision.settings.scopes.clone(),
        settings: revision.settings.clone(),
        source_partition: event.source.partition,
        source_offset: revision.last_offset,
    }
}
