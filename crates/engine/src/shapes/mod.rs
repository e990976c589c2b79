//! The shapes a processor may have, each fitted to the engine.

#[cfg(test)]
pub(crate) mod fixtures;
pub mod fold;
pub mod lookup;
pub mod outlet;
mod snapshot;
#[cfg(test)]
mod tests;
mod took;

use crate::exactly_once::{
    log::RecordView,
    shape::{Accepted, Shape},
};
use crate::wire_check::{Placement, WireFault};
pub use outlet::Witness;
use outlet::{Outlet, chain};
use processor::{Event, Processor, SourcePosition};
use schemas::{Decoder, Record};
use std::sync::Arc;
pub use took::Took;

/// The input side of a processor: bytes to events.
pub struct Inlet<R> {
    /// Decoder of the input.
    pub decoder: Decoder<R>,
    /// Logical topic.
    pub topic: Arc<str>,
    /// Where records of a key lie.
    pub placement: Placement,
}

impl<R> std::fmt::Debug for Inlet<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inlet").finish_non_exhaustive()
    }
}

impl<R: Record> Inlet<R> {
    /// A record that passes the wire check, as an event.
    pub fn event(&mut self, record: &RecordView<'_>) -> Result<Event<R>, WireFault> {
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

/// The event of a record that this reader is to take; else what becomes of the record.
fn admitted<R: Record>(
    inlet: &mut Inlet<R>,
    outlet: &Outlet,
    record: &RecordView<'_>,
) -> Result<Event<R>, Accepted> {
    if let Some(fate) = outlet.for_another(record) {
        return Err(Accepted::Done(fate));
    }
    inlet.event(record).map_err(|fault| {
        if fault.is_transient() {
            Accepted::Stalled(chain(&fault))
        } else {
            Accepted::Done(outlet.unfit(&fault, record))
        }
    })
}

/// Shape 1: pure and synchronous.
pub struct ProcessorShape<P: Processor> {
    /// The processor.
    pub processor: Arc<P>,
    /// Its input side.
    pub inlet: Inlet<P::In>,
    /// Its output side.
    pub outlet: Outlet,
}

impl<P: Processor> std::fmt::Debug for ProcessorShape<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessorShape").finish_non_exhaustive()
    }
}

impl<P: Processor> Shape for ProcessorShape<P> {
    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        match admitted(&mut self.inlet, &self.outlet, record) {
            Ok(event) => {
                let began = self.outlet.witness.now();
                Accepted::Done(self.outlet.ended(self.processor.process(&event), record, began))
            }
            Err(accepted) => accepted,
        }
    }
}
