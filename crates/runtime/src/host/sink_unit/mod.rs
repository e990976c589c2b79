//! A sink's loop: the group splits the partitions, the sink's own store says where each begins.
//!
//! Invariant: a batch is written with its offset or not at all; while it cannot be, its partition is paused and
//! polling goes on.

mod claims;
mod partition_buffer;
mod writing;

use super::{Shared, Wait, binding, status::UnitStatus, supervisor::Failure};
use crate::{
    kafka::{ConsumerFault, GroupConsumer, Record, close, consumer_fault, join, settings},
    sink::{Sink, SinkRecord},
};
use engine::{
    chain,
    dead_letter::{Cause, Origin},
    guard::{Guard, Rejected},
    log::RecordView,
    replayed::{FOR_ANOTHER, is_for_another},
    shape::Fate,
    wire_check::{Placement, is_the_producers},
};
use partition_buffer::{Held, Input, PartitionBuffer};
use processor::SourcePosition;
use rdkafka::{ClientConfig, TopicPartitionList, message::Message};
use schemas::SchemaSource;
use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

const RECORDS_MAX: usize = 2_000;
const BYTES_MAX: usize = 4 << 20;
/// Age at which a batch is written in any case.
const AGE_MAX: Duration = Duration::from_millis(100);
const POLL_WAIT: Duration = Duration::from_millis(250);
/// Longer than the group's session: a lost partition is known as lost by then.
const FENCED_WAIT: Duration = Duration::from_secs(15);
/// Expelled from the group twice within this time, somebody else has this name.
const EXPELLED_AGAIN: Duration = Duration::from_mins(10);
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

struct SinkLoop<'a, S: Sink> {
    shared: &'a Shared,
    sink: S,
    /// The consumer's.
    settings: ClientConfig,
    consumer: GroupConsumer,
    inputs: Vec<Input>,
    buffers: BTreeMap<(Arc<str>, i32), PartitionBuffer>,
    /// Partitions given by the group and not yet claimed.
    offered: Vec<(String, i32)>,
    /// Partitions that somebody else claimed although the group still gives them to us, and since when.
    fenced: BTreeMap<(Arc<str>, i32), Instant>,
    /// When the group last gave this member's name away.
    expelled_at: Option<Instant>,
    status: &'a UnitStatus,
}

/// Runs a sink to its end.
pub(super) fn run<S: Sink>(
    shared: &Shared,
    status: &Arc<UnitStatus>,
    make: &impl Fn(String) -> S,
) -> Result<(), Failure> {
    let wait = Wait { stop: &shared.stop, status };
    let topics = shared.topics_of(S::NAME)?;
    let cluster = binding::patiently(&wait, || {
        shared
            .topics_fit(&topics)
            .and_then(|()| shared.database_is_ready())
            .and_then(|()| shared.cluster_id())
    })?;
    let Some(cluster_id) = cluster else { return Ok(()) };
    let sink = make(cluster_id);
    if let Some(channel) = S::CHANNEL {
        shared.metrics.delivers_by(channel);
    }
    let group = shared.config.prefix.group(S::NAME);
    let inputs = inputs(shared, &sink, &group.as_str().into())?;
    let instance = format!("{}-0", shared.config.instance);
    let settings = settings::consumer(&shared.config.kafka, &group, &instance, shared.consumers);
    let consumer = join(&settings, &names(&inputs), &shared.standing)?;
    let mut sink_loop = SinkLoop {
        shared,
        sink,
        settings,
        consumer,
        inputs,
        buffers: BTreeMap::new(),
        offered: Vec::new(),
        fenced: BTreeMap::new(),
        expelled_at: None,
        status,
    };
    sink_loop.run(&topics)
}

fn names(inputs: &[Input]) -> Vec<&str> {
    inputs.iter().map(|input| &*input.origin.physical).collect()
}

fn inputs<S: Sink>(shared: &Shared, sink: &S, group: &Arc<str>) -> Result<Vec<Input>, String> {
    let letters = Rc::new(binding::letters_of_sink(shared, S::NAME)?);
    let entry = shared.map.connector(S::NAME).map_err(|error| error.to_string())?;
    let source = || Arc::clone(&shared.schemas) as Arc<dyn SchemaSource>;
    sink.inputs()
        .into_iter()
        .map(|spec| {
            let unbound = || format!("input {} of {} is not bound in the map", spec.name, S::NAME);
            let logical = entry.input(spec.name).ok_or_else(unbound)?;
            let topic = shared.map.topic(logical).map_err(|error| error.to_string())?;
            binding::check_input(S::NAME, topic, spec.record_type)?;
            Ok(Input {
                name: spec.name,
                origin: Origin {
                    stage: S::NAME,
                    topic: logical.into(),
                    physical: shared.config.prefix.topic(logical).into(),
                    group: Arc::clone(group),
                },
                letters: Rc::clone(&letters),
                decoder: (spec.decoder)(source()),
                placement: Placement { partitions: topic.partitions },
                is_dlq_owner: shared.map.is_dlq_owner(S::NAME, logical),
                guard: Guard::new(),
            })
        })
        .collect()
}

impl<S: Sink> SinkLoop<'_, S> {
    fn run(&mut self, topics: &[(String, i32)]) -> Result<(), Failure> {
        while !self.shared.stop.is_asked() {
            let idle = self.poll()?;
            self.rebalance()?;
            self.check_fenced()?;
            self.claim_offered()?;
            self.flush(idle)?;
            self.tell_deliveries();
            self.status.turned();
            self.shared.still_fits(topics)?;
        }
        self.flush(true)
    }

    /// True when nothing came within the wait.
    fn poll(&mut self) -> Result<bool, Failure> {
        let busy = self.buffers.values().any(|buffer| buffer.since.is_some() || buffer.retry.is_some());
        let wait = if busy || !self.offered.is_empty() { Duration::from_millis(5) } else { POLL_WAIT };
        let Self { consumer, inputs, buffers, .. } = self;
        match consumer.poll(wait) {
            Some(Ok(message)) => {
                let found = inputs.iter().position(|input| &*input.origin.physical == message.topic());
                if let Some(index) = found {
                    let key = (Arc::clone(&inputs[index].origin.physical), message.partition());
                    if let Some(buffer) = buffers.get_mut(&key) {
                        let view_of = Record(&message);
                        buffer
                            .undecided
                            .push(Held { raw: RecordView::from(&view_of).detach(), input: index });
                        if buffer.retry.is_none() {
                            self.decide(&key)?;
                        }
                    }
                }
                Ok(false)
            }
            Some(Err(error)) => match consumer_fault(&error) {
                Some(ConsumerFault::Broken(why)) => Err(why.into()),
                Some(ConsumerFault::Expelled(why)) => self.rejoin(&why).map(|()| true),
                None => Ok(true),
            },
            None => Ok(true),
        }
    }

    /// Decodes what a buffer holds undecided, in order, as far as the registry answers.
    fn decide(&mut self, key: &(Arc<str>, i32)) -> Result<(), Failure> {
        let Some(buffer) = self.buffers.get_mut(key) else { return Ok(()) };
        let mut stalled = None;
        let undecided = std::mem::take(&mut buffer.undecided);
        let mut rest = undecided.into_iter();
        for held in rest.by_ref() {
            let input = &mut self.inputs[held.input];
            if is_for_another(&held.raw.view(), &input.origin.group) {
                self.shared.metrics.fate(S::NAME, ("drop", FOR_ANOTHER));
                buffer.pass(held.raw.offset);
                continue;
            }
            match input.read(&held.raw) {
                Ok(record) => {
                    input.observe(None)?;
                    let source = SourcePosition {
                        topic: Arc::clone(&input.origin.topic),
                        partition: held.raw.partition,
                        offset: held.raw.offset,
                        append_time_ms: held.raw.timestamp_ms,
                    };
                    buffer.take(SinkRecord::Decoded { input: input.name, source, record }, held);
                }
                Err(fault) if fault.is_transient() => {
                    self.status.waiting(&chain(&fault));
                    stalled = Some(held);
                    break;
                }
                Err(fault) => {
                    let cause = Cause::of_fault(&fault);
                    let (kind, reason) = (cause.kind(&input.origin), cause.reason);
                    let (partition, offset) = (held.raw.partition, held.raw.offset);
                    let is_ours = !is_the_producers(reason);
                    let rejected = Rejected { partition, offset, kind };
                    if !buffer.orders.cover(&rejected) {
                        input.observe(is_ours.then_some(rejected))?;
                    }
                    if input.is_dlq_owner {
                        self.shared.metrics.fate(S::NAME, ("reject", reason));
                        let letter = input.letter(&cause, &held.raw)?;
                        buffer.take(letter, held);
                    } else {
                        self.shared.metrics.fate(S::NAME, Fate::LeftToOwner(kind).label());
                        buffer.pass(held.raw.offset);
                    }
                }
            }
        }
        if let Some(held) = stalled {
            buffer.undecided = std::iter::once(held).chain(rest).collect();
            self.hold(key)?;
        }
        Ok(())
    }
}

impl<S: Sink> Drop for SinkLoop<'_, S> {
    fn drop(&mut self) {
        self.shared.leaving.closes(&self.shared.stop, &self.consumer, &self.settings);
        close(&self.consumer);
    }
}

fn list((topic, partition): &(Arc<str>, i32)) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, *partition);
    list
}
