//! Back-pressure: what is not read for now, and what is said of it.
//!
//! Invariant: what is held in memory is bounded, whatever one answer waits for; while a partition waits, the observer is
//! told for what, also when others go on.

use super::{Engine, Error, Observer, assigned_partition::Awaited, log::Log, shape::Shape};
use std::time::Duration;

impl<L: Log, S: Shape, O: Observer> Engine<L, S, O> {
    /// Stops and restarts reading so that what waits stays bounded.
    pub(super) fn regulate(&mut self, now: Duration) -> Result<(), Error> {
        let waiting: usize = self.shape.in_flight()
            + self.assigned.values().map(|assigned| assigned.backlog.len()).sum::<usize>();
        self.throttled =
            waiting >= if self.throttled { self.limits.in_flight_max / 2 } else { self.limits.in_flight_max };
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        let mut awaited = None;
        for (partition, assigned) in &mut self.assigned {
            let oldest = assigned.frontier.undecided();
            let is_failing = oldest.is_some_and(|offset| self.shape.is_failing(*partition, offset));
            let found = assigned.look(&self.limits, (now, is_failing));
            awaited = awaited.or(found.map(|found| (*partition, found)));
            let stop = self.throttled || assigned.is_blocked();
            if stop != assigned.paused {
                assigned.paused = stop;
                if stop { pause.push(*partition) } else { resume.push(*partition) }
            }
        }
        if !pause.is_empty() {
            self.log.pause(&pause).map_err(Error::Fatal)?;
        }
        if !resume.is_empty() {
            self.log.resume(&resume).map_err(Error::Fatal)?;
        }
        self.tell(awaited);
        Ok(())
    }

    fn tell(&mut self, awaited: Option<(i32, Awaited)>) {
        let why = awaited.map(|(partition, awaited)| match awaited {
            Awaited::Other(why) => why,
            Awaited::Decision(offset) => {
                let why =
                    self.shape.waits_for(partition, offset).map_or(String::new(), |why| format!(": {why}"));
                format!("no answer yet for offset {offset} of partition {partition}{why}")
            }
        });
        let waited = std::mem::replace(&mut self.waits, why.is_some());
        match why {
            Some(why) => self.observer.waiting(&why),
            None if waited => self.observer.recovered(),
            None => {}
        }
    }
}
