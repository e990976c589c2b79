//! A lane is set back to a time that it ran ahead of: a wrong promise, or a source with a wrong clock.
//!
//! Invariant: nothing that was emitted is undone. Windows that the lane closed too early stay closed until something
//! new comes, and what came late since then is told.

use crate::{
    GroupState,
    lanes::{Due, LIVE, due_ms},
    window::Opening,
};

impl GroupState {
    /// Sets the clock of a lane back to `to_ms`; false when there is no such lane, or none that is ahead of that.
    pub(crate) fn set_back(&mut self, lane: &str, to_ms: i64, grace_and_horizon_ms: (i64, i64)) -> bool {
        let (grace_ms, horizon_ms) = grace_and_horizon_ms;
        let Some(lane) = self.lanes.set_back(lane, to_ms, grace_ms) else { return false };
        self.changed.header = true;
        let clock_ms = lane.clock_ms(grace_ms);
        let oldest_ms = if lane.number == LIVE { clock_ms.saturating_sub(horizon_ms) } else { i64::MIN };
        for shelf in 0..self.shelves.len() {
            for (start_ms, end_ms) in self.shelves[shelf].ending_after(oldest_ms) {
                let due_ms = due_ms(lane.number, clock_ms, end_ms, grace_and_horizon_ms);
                if let Some(due_ms) = due_ms {
                    self.bring_forward(shelf, start_ms, Opening { lane: lane.number, due_ms });
                }
                self.shelves[shelf].rest(start_ms);
            }
        }
        true
    }

    /// A window that is open in the lane closes no later than `wanted`; one that holds what no revision has told opens.
    fn bring_forward(&mut self, shelf: usize, start_ms: i64, wanted: Opening) {
        let shelf = &mut self.shelves[shelf];
        let size_hours = shelf.size_hours;
        let Some(window) = shelf.window(start_ms) else { return };
        let due = |at_ms| Due { at_ms, start_ms, size_hours };
        let open = window.openings.iter().position(|opening| opening.lane == wanted.lane);
        match open.map(|index| (index, window.openings[index].due_ms)) {
            Some((_, known_ms)) if known_ms <= wanted.due_ms => return,
            Some((index, known_ms)) => {
                self.lanes.close(wanted.lane, due(known_ms));
                window.openings[index] = wanted;
            }
            None if wanted.lane == LIVE && window.has_untold() => window.openings.push(wanted),
            None => return,
        }
        self.lanes.open(wanted.lane, due(wanted.due_ms));
        window.changed = true;
        self.changed.windows.insert((size_hours, start_ms));
    }
}
