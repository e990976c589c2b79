//! What each record passes through, over input made before, so that `benches/guard.rs` can count its instructions: the
//! codec, a Fold's step, and the exactly-once loop with each shape on a log in memory.

use crate::{
    chat_export,
    codec::Sample,
    dice::Dice,
    error::Error,
    generator::{Generated, Job, PARTITIONS},
    memory_log::{Done, MemoryLog, Unheard},
    watcher::{OURS, READY, Shipped},
};
use engine::{
    Engine, Limits,
    dead_letter::Origin,
    shapes::{
        Inlet, ProcessorShape,
        fold::FoldShape,
        outlet::{Bound, Outlet},
    },
    wire_check::Placement,
};
use processor::{Event, Fold, Outcome, Port, PortSpec, Processor, Reject, SourcePosition};
use schemas::{ContextMessage, DigestDlq, GroupMessageIngested, Record};
use std::{cell::RefCell, collections::BTreeMap, hint::black_box, rc::Rc, sync::Arc, time::Duration};
use window_builder::{GroupState, WindowBuilder};

/// Messages of each: few enough for a simulated processor, enough for windows to close.
const MESSAGES: u64 = 2_000;
const SCHEMA_ID: u32 = 1;
const SEED: u64 = 5;
const AUTHORS: u64 = 12;
const POST_EVERY_MS: i64 = 40_000;
const PLACEMENT: Placement = Placement { partitions: PARTITIONS };
const TOPIC: &str = "group.message.ingested.v1";
/// Of the loop's own clock, so that it commits as often on every machine.
const TURN: Duration = Duration::from_millis(2);
const RECORD_BYTES_MAX: usize = 8 << 20;
const COPY: Port<GroupMessageIngested> = Port::new("copy");

/// The records of a small job.
#[derive(Debug)]
pub struct Records(Sample);

impl Records {
    /// Makes them.
    ///
    /// # Errors
    /// One does not come back from its bytes as it was.
    pub fn make() -> Result<Self, Error> {
        Sample::new(Job::of(MESSAGES)).map(Self)
    }

    /// Decodes all.
    ///
    /// # Errors
    /// One cannot be decoded.
    pub fn decode(&self) -> Result<(), Error> {
        self.0.decode()
    }

    /// Decodes and checks all, as readers do.
    ///
    /// # Errors
    /// One is refused.
    pub fn read(&self) -> Result<(), Error> {
        self.0.read()
    }

    /// Encodes all.
    ///
    /// # Errors
    /// One does not fit its schema.
    pub fn encode(&self) -> Result<(), Error> {
        self.0.encode()
    }
}

/// `window_builder` alone: decoded events and the state of each chat.
#[derive(Debug)]
pub struct Folding {
    fold: WindowBuilder,
    events: Vec<Event<GroupMessageIngested>>,
    states: BTreeMap<String, GroupState>,
}

impl Folding {
    /// Makes the events.
    pub fn make() -> Self {
        let topic: Arc<str> = TOPIC.into();
        let event = |generated: Generated| Event {
            source: SourcePosition {
                topic: Arc::clone(&topic),
                partition: generated.partition,
                offset: generated.offset,
                append_time_ms: 0,
            },
            value: generated.record,
        };
        let events = Job::of(MESSAGES).generate().map(event).collect();
        Self { fold: WindowBuilder::default(), events, states: BTreeMap::new() }
    }

    /// Steps over all; how many windows it has told of.
    pub fn step(&mut self) -> usize {
        let mut told = 0;
        for event in &self.events {
            let state = self.states.entry(event.value.key()).or_default();
            if let Ok(Outcome::Emit(emissions)) = self.fold.step(state, black_box(event)) {
                told += emissions.len();
            }
        }
        told
    }
}

/// A day of a chat, as stages get it: so many messages, one in six an answer to one before.
pub fn posts(count: i64) -> Vec<ContextMessage> {
    let mut dice = Dice::new(SEED);
    let post = |id: i64| {
        let author = format!("Member number {}", dice.below(AUTHORS));
        let text = chat_export::said(&mut dice);
        let reply_to = (id % 6 == 5).then_some(id - 3);
        ContextMessage { reply_to, ..ContextMessage::plain(id, id * POST_EVERY_MS, &author, &text) }
    };
    (1..=count).map(post).collect()
}

/// Passes each record on.
#[derive(Debug, Clone, Copy)]
pub struct Copying;

impl Processor for Copying {
    const NAME: &'static str = "copying";
    type In = GroupMessageIngested;

    fn ports(&self) -> Vec<PortSpec> {
        vec![COPY.spec()]
    }

    fn process(&self, event: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        Ok(Outcome::Emit(vec![COPY.emit(event.value.clone())]))
    }
}

/// The exactly-once loop over a log in memory, to its end.
pub struct Loop<S> {
    engine: Engine<MemoryLog, S, Unheard>,
    done: Rc<RefCell<Done>>,
}

/// A loop of `window_builder`.
pub type FoldLoop = Loop<FoldShape<WindowBuilder>>;
/// A loop of a processor that decodes and encodes.
pub type ProcessorLoop = Loop<ProcessorShape<Copying>>;

impl<S> std::fmt::Debug for Loop<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loop").finish_non_exhaustive()
    }
}

/// A loop with the Fold of `window_builder`.
///
/// # Errors
/// A record cannot be encoded.
pub fn fold_loop() -> Result<FoldLoop, Error> {
    let fold = Arc::new(WindowBuilder::default());
    let outlet = outlet(OURS, (READY, fold.ports()))?;
    Loop::of(FoldShape::new(fold, inlet(), outlet, "state".into()))
}

/// A loop with a processor that passes each record on, decoded and encoded.
///
/// # Errors
/// A record cannot be encoded.
pub fn processor_loop() -> Result<ProcessorLoop, Error> {
    let outlet = outlet(Copying::NAME, ("copies", Copying.ports()))?;
    Loop::of(ProcessorShape { processor: Arc::new(Copying), inlet: inlet(), outlet })
}

impl<S: engine::shape::Shape> Loop<S> {
    fn of(shape: S) -> Result<Self, Error> {
        let (log, done) = MemoryLog::of(Sample::new(Job::of(MESSAGES))?, Job::of(MESSAGES));
        Ok(Self { engine: Engine::new(log, shape, Unheard, Limits::default()), done })
    }

    /// Turns until everything is read and committed; records written, snapshots among them.
    ///
    /// # Errors
    /// The loop has ended.
    pub fn run(&mut self) -> Result<usize, engine::Error> {
        let mut now = Duration::ZERO;
        while !self.done.borrow().is_read() {
            now += TURN;
            self.engine.turn(now)?;
        }
        self.engine.finish(now)?;
        Ok(self.done.borrow().written())
    }
}

fn inlet() -> Inlet<GroupMessageIngested> {
    Inlet { decoder: Shipped::decoder(), topic: TOPIC.into(), placement: PLACEMENT }
}

fn outlet(stage: &'static str, (topic, ports): (&str, Vec<PortSpec>)) -> Result<Outlet, Error> {
    let bound = |topic: &str, port: &PortSpec| -> Result<Bound, Error> {
        let encoder = (port.encoder)(SCHEMA_ID)?;
        Ok(Bound { topic: topic.into(), encoder, placement: PLACEMENT, record_bytes_max: RECORD_BYTES_MAX })
    };
    let ports = ports.iter().map(|port| Ok((port.name, bound(topic, port)?)));
    Ok(Outlet {
        origin: Origin { stage, topic: TOPIC.into(), physical: TOPIC.into(), group: stage.into() },
        ports: ports.collect::<Result<_, Error>>()?,
        dead_letters: bound("letters", &Port::<DigestDlq>::new("letters").spec())?,
        is_dlq_owner: true,
        witness: Arc::new(Unheard),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_tells_of_as_many_windows_as_the_fold_alone() -> Result<(), Box<dyn std::error::Error>> {
        let told = Folding::make().step();
        assert!(told > 0, "windows are closed");
        let mut looped = fold_loop()?;
        looped.run()?;
        assert_eq!(looped.done.borrow().written_to(READY), told);
        assert_eq!(looped.done.borrow().committed(), Job::of(MESSAGES).records());
        Ok(())
    }

    #[test]
    fn every_record_is_passed_on_once() -> Result<(), Box<dyn std::error::Error>> {
        let mut looped = processor_loop()?;
        assert_eq!(looped.run()? as u64, Job::of(MESSAGES).records());
        assert_eq!(looped.done.borrow().committed(), Job::of(MESSAGES).records());
        Ok(())
    }
}
