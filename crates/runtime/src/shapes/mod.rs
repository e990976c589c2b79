//! The shapes a processor may have, each fitted to the engine.

pub(crate) mod fold;
pub(crate) mod lookup;
pub(crate) mod outlet;
mod snapshot;
#[cfg(test)]
mod tests;

use crate::engine::{
    log::RecordView,
    shape::{Accepted, Shape},
};
use crate::wire_check::{Placement, WireFault};
use outlet::{Outlet, chain};
use processor::{Event, Processor, SourcePosition};
use schemas::{Decoder, Record};
use std::{sync::Arc, time::Instant};

/// The input side of a processor: bytes to events.
pub(crate) struct Inlet<R> {
    pub(crate) decoder: Decoder<R>,
    /// Logical topic.
    pub(crate) topic: Arc<str>,
    pub(crate) placement: Placement,
}

impl<R: Record> Inlet<R> {
    pub(crate) fn event(&mut self, record: &RecordView<'_>) -> Result<Event<R>, WireFault> {
        let value = self.decoder.read(record.value, record.timestamp_ms)?;
        self.placement.check(&value, record.key, record.partition)?;
        let source = SourcePosition {
            topic: Arc::clone(&self.topic),
            partition: record.partition,
            offset: record.offset,
            append_time_ms: record.timestamp_ms,
        };
        Ok(Event { value, source })
    }
}

/// Shape 1: pure and synchronous.
pub(crate) struct ProcessorShape<P: Processor> {
    pub(crate) processor: Arc<P>,
    pub(crate) inlet: Inlet<P::In>,
    pub(crate) outlet: Outlet,
}

impl<P: Processor> Shape for ProcessorShape<P> {
    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        match self.inlet.event(record) {
            Ok(event) => {
                let began = Instant::now();
                let result = self.processor.process(&event);
                Accepted::Done(self.outlet.measured(result, record, began.elapsed()))
            }
            Err(error) if error.is_transient() => Accepted::Stalled(chain(&error)),
            Err(error) => Accepted::Done(self.outlet.unfit(&error, record)),
        }
    }
}
