//! What a processor is: a pure function of its input (and, for some, of keyed state or of answers it asked for).
//!
//! Invariant: nothing in this crate or in an implementation of its traits knows Kafka, a clock, a client or a
//! random number; all of those are the runtime's.

mod boundary;
mod event;
mod fold;
mod lookup;
mod port;
mod stage;
mod stage_fold;
mod stage_input;

pub use boundary::{BOUNDARY_VIOLATION, check_boundary_integrity};
pub use event::{DropReason, Event, Outcome, Reject, SourcePosition};
pub use fold::{Fold, FoldState, StateError};
pub use lookup::{
    BeforeAsOf, Earlier, EarlierAsOf, Judgement, Lookup, MessagesAsOf, ModelAnswer, ModelQuestion, ModelText,
    Moderated, ModerationQuestion, Payer, Request, Response, Step,
};
pub use port::{AnyRecord, Emission, Port, PortSpec, RecordEncoder};
pub use stage::{COMPLETED, ModelUse, STARTED, Stage, StageIdentity, StageRecords, StageReport};
pub use stage_fold::StageFold;
pub use stage_input::StageInput;

/// The weakest shape: one input, no memory, no questions.
pub trait Processor: Send + Sync + 'static {
    /// Binary, crate, metric label and consumer group.
    const NAME: &'static str;
    /// What it reads.
    type In: schemas::Record;

    /// The ports it may emit to; the map binds each to a topic.
    fn ports(&self) -> Vec<PortSpec>;

    /// Decides the fate of one input.
    fn process(&self, event: &Event<Self::In>) -> Result<Outcome, Reject>;
}
