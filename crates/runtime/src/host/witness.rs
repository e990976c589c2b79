//! What is kept of a stage's work: its time in metrics, its spans and lines.

use super::Shared;
use crate::{metrics::Metrics, trail::Trail};
use engine::{
    log::RecordView,
    shapes::{Took, Witness},
};
use processor::{AnyRecord, Emission};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Tells metrics, traces and the log of what is made of an input.
pub(super) struct Kept {
    metrics: Arc<Metrics>,
    trail: Trail,
    began: Instant,
}

impl Kept {
    pub(super) fn by(shared: &Shared) -> Self {
        Self { metrics: Arc::clone(&shared.metrics), trail: shared.trail.clone(), began: Instant::now() }
    }
}

impl Witness for Kept {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn read(&self, stage: &'static str, input: &RecordView<'_>, record: &dyn AnyRecord) {
        self.trail.read(stage, input, record);
    }

    fn made(&self, stage: &'static str, input: &RecordView<'_>, made: &[Emission], took: Took) {
        for emission in made {
            self.metrics.emitted(emission.record.as_ref(), took.work);
        }
        self.metrics.waited(stage, took);
        self.trail.made(stage, input, made, took);
    }
}
