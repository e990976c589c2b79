//! What is kept of a stage's work: its time in metrics, a span in traces.

use super::Shared;
use crate::{metrics::Metrics, telemetry::Tracer};
use engine::{log::RecordView, shapes::Witness};
use processor::Emission;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Tells metrics and traces of what is made of an input.
pub(super) struct Kept {
    metrics: Arc<Metrics>,
    tracer: Option<Tracer>,
    began: Instant,
}

impl Kept {
    pub(super) fn by(shared: &Shared) -> Self {
        Self { metrics: Arc::clone(&shared.metrics), tracer: shared.tracer.clone(), began: Instant::now() }
    }
}

impl Witness for Kept {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn made(&self, stage: &'static str, input: &RecordView<'_>, made: &[Emission], took: Duration) {
        for emission in made {
            self.metrics.emitted(emission.record.as_ref(), took);
        }
        if let (Some(tracer), Some(last)) = (&self.tracer, made.last()) {
            tracer.record(stage, input, last.record.as_ref(), took);
        }
    }
}
