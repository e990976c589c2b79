//! What becomes of one unit's inputs, counted for each of them: a counter is looked up by its labels once.

use prometheus::{IntCounter, IntCounterVec};

/// Fate and reason, as a metric's labels.
type Label = (&'static str, &'static str);

/// Counters of one unit, of the fates that it has seen. There are as many as reasons in its code.
pub(crate) struct FateCounters {
    events: IntCounterVec,
    unit: &'static str,
    seen: Vec<(Label, IntCounter)>,
}

impl FateCounters {
    pub(super) fn new(events: IntCounterVec, unit: &'static str) -> Self {
        Self { events, unit, seen: Vec::new() }
    }

    /// Counts an input.
    pub(crate) fn count(&mut self, label: Label) {
        if let Some((_, counter)) = self.seen.iter().find(|(seen, _)| *seen == label) {
            return counter.inc();
        }
        let counter = self.events.with_label_values(&[self.unit, label.0, label.1]);
        counter.inc();
        self.seen.push((label, counter));
    }
}
