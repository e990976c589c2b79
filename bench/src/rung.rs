//! A rung of the ladder: a loop over librdkafka by hand, with one thing more than the rung below.
//!
//! Invariant: it runs in a process of its own, which says a line when it is done and ends when its input does, so that its
//! processor time is read while it is there.

use crate::{
    clients,
    error::{Error, kafka, system},
    generator::PARTITIONS,
    watcher::Shipped,
};
use processor::{Event, Fold as _, SourcePosition};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use schemas::{Decoder, Encoder, GroupMessageIngested, Record as _, frame_schema_id};
use std::{
    collections::HashMap,
    io::{Read as _, Write},
    sync::Arc,
    time::{Duration, Instant},
};
use window_builder::{GroupState, WindowBuilder};

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL_WAIT: Duration = Duration::from_millis(20);
/// Age at which a transaction commits, as the job has it.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// Records after which the clock is looked at.
const LOOK_RECORDS: u64 = 64;

/// A rung. Each does what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// L0: records are read and left.
    Consume,
    /// L1: each is written again, by an idempotent producer.
    Produce,
    /// L2: in transactions with the offsets: the least that a processor can do exactly once.
    Copy,
    /// L3: each is decoded too.
    Decode,
    /// L4: what was decoded is folded into the windows of its chat.
    Fold,
    /// L5: what was decoded is encoded, and that is what is written.
    Encode,
}

impl Rung {
    /// All, from the lowest.
    pub const ALL: [Self; 6] =
        [Self::Consume, Self::Produce, Self::Copy, Self::Decode, Self::Fold, Self::Encode];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::Produce => "produce",
            Self::Copy => "copy",
            Self::Decode => "decode",
            Self::Fold => "fold",
            Self::Encode => "encode",
        }
    }

    /// The rung of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }

    /// The name in results.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Consume => "L0 consume",
            Self::Produce => "L1 + produce",
            Self::Copy => "L2 exactly-once copy",
            Self::Decode => "L3 + decode",
            Self::Fold => "L4 + window fold",
            Self::Encode => "L5 + encode",
        }
    }

    /// Whether it writes records.
    pub(crate) fn writes(self) -> bool {
        self >= Self::Produce
    }

    fn is_transactional(self) -> bool {
        self >= Self::Copy
    }
}

/// What a rung is told.
#[derive(Debug, Clone)]
pub struct RungOptions {
    /// Which.
    pub rung: Rung,
    /// Kafka's bootstrap servers.
    pub brokers: String,
    /// Topic to read.
    pub input: String,
    /// Topic to write, of all rungs but the first.
    pub output: String,
    /// Records to read.
    pub records: u64,
}

/// Runs a rung: says `done` on `out` when all is read, written and committed, and returns when standard input ends.
pub fn run(options: &RungOptions, out: &mut dyn Write) -> Result<(), Error> {
    climb(options)?;
    writeln!(out, "done").and_then(|()| out.flush()).map_err(system("say that it is done"))?;
    std::io::stdin().read_to_end(&mut Vec::new()).map(|_| ()).map_err(system("wait for the end"))
}

fn climb(options: &RungOptions) -> Result<(), Error> {
    let consumer = clients::consumer(&options.brokers, &format!("{}.rung", options.output))?;
    clients::assign(&consumer, &options.input)?;
    let mut work = Work::new(options.rung);
    let mut writer = options.rung.writes().then(|| Writer::new(options)).transpose()?;
    let mut read = 0;
    while read < options.records {
        let Some(polled) = consumer.poll(POLL_WAIT) else {
            writer.as_mut().map_or(Ok(()), |writer| writer.commit_if_due(&consumer))?;
            continue;
        };
        let message = polled.map_err(kafka("read the input"))?;
        read += 1;
        let value = work.on(&message)?;
        if let Some(writer) = &mut writer {
            writer.write(&message, value.unwrap_or_default())?;
            if read % LOOK_RECORDS == 0 {
                writer.commit_if_due(&consumer)?;
            }
        }
    }
    writer.as_mut().map_or(Ok(()), |writer| writer.finish(&consumer))
}

/// What is done with each value.
struct Work {
    rung: Rung,
    decoder: Decoder<GroupMessageIngested>,
    topic: Arc<str>,
    fold: WindowBuilder,
    states: HashMap<String, GroupState>,
    encoder: Option<Encoder<GroupMessageIngested>>,
    encoded: Vec<u8>,
}

impl Work {
    fn new(rung: Rung) -> Self {
        Self {
            rung,
            decoder: Shipped::decoder(),
            topic: "ingested".into(),
            fold: WindowBuilder::default(),
            states: HashMap::new(),
            encoder: None,
            encoded: Vec::new(),
        }
    }

    /// Does it; the value to be written.
    fn on<'a>(&'a mut self, message: &'a BorrowedMessage<'_>) -> Result<Option<&'a [u8]>, Error> {
        let payload = message.payload();
        if self.rung < Rung::Decode {
            return Ok(payload);
        }
        let value = self.decoder.read(payload, 0)?;
        if self.rung < Rung::Fold {
            return Ok(payload);
        }
        let event = Event {
            value,
            source: SourcePosition {
                topic: Arc::clone(&self.topic),
                partition: message.partition(),
                offset: message.offset(),
                append_time_ms: 0,
            },
        };
        self.fold(&event);
        if self.rung < Rung::Encode {
            return Ok(payload);
        }
        let id = frame_schema_id(payload.unwrap_or_default())?;
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(Encoder::new(id)?),
        };
        self.encoded.clear();
        encoder.encode(&event.value, &mut self.encoded)?;
        Ok(Some(&self.encoded))
    }

    /// Rows are made and left: what is written is the input.
    fn fold(&mut self, event: &Event<GroupMessageIngested>) {
        let state = self.states.entry(event.value.key()).or_default();
        drop(self.fold.step(state, event));
    }
}

/// The producer of a rung, and the transaction that it has open.
struct Writer {
    producer: BaseProducer,
    options: RungOptions,
    began: Option<Instant>,
    next: [i64; PARTITIONS as usize],
}

impl Writer {
    fn new(options: &RungOptions) -> Result<Self, Error> {
        let mut config = clients::producer(&options.brokers, clients::LINGER_MS);
        if options.rung.is_transactional() {
            config.set("transactional.id", format!("{}.rung", options.output));
        }
        let producer: BaseProducer = config.create().map_err(kafka("make a producer"))?;
        if options.rung.is_transactional() {
            producer.init_transactions(TIMEOUT).map_err(kafka("init transactions"))?;
        }
        Ok(Self { producer, options: options.clone(), began: None, next: [0; PARTITIONS as usize] })
    }

    fn write(&mut self, message: &BorrowedMessage<'_>, value: &[u8]) -> Result<(), Error> {
        if self.options.rung.is_transactional() && self.began.is_none() {
            self.producer.begin_transaction().map_err(kafka("begin a transaction"))?;
            self.began = Some(Instant::now());
        }
        self.next[message.partition() as usize] = message.offset() + 1;
        let key = message.key().unwrap_or_default();
        let mut record =
            BaseRecord::to(&self.options.output).partition(message.partition()).key(key).payload(value);
        while let Err((error, back)) = self.producer.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(kafka("write a record")(error));
            }
            self.producer.poll(Duration::from_millis(1));
            record = back;
        }
        Ok(())
    }

    fn commit_if_due(&mut self, consumer: &BaseConsumer) -> Result<(), Error> {
        self.producer.poll(Duration::ZERO);
        match self.began {
            Some(began) if began.elapsed() >= COMMIT_INTERVAL => self.commit(consumer),
            _ => Ok(()),
        }
    }

    /// librdkafka's flush in the wrapper polls in steps of 100 ms: waiting is done here.
    fn flush(&self) {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
        }
    }

    fn commit(&mut self, consumer: &BaseConsumer) -> Result<(), Error> {
        self.began = None;
        self.flush();
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in (0..).zip(self.next) {
            let added = offsets.add_partition_offset(&self.options.input, partition, Offset::Offset(next));
            added.map_err(kafka("name an offset"))?;
        }
        if let Some(group) = consumer.group_metadata() {
            let sent = self.producer.send_offsets_to_transaction(&offsets, &group, TIMEOUT);
            sent.map_err(kafka("put offsets into a transaction"))?;
        }
        self.producer.commit_transaction(TIMEOUT).map_err(kafka("commit a transaction"))
    }

    fn finish(&mut self, consumer: &BaseConsumer) -> Result<(), Error> {
        if self.began.is_some() {
            return self.commit(consumer);
        }
        self.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_known_by_name_and_each_does_more_than_the_last() {
        for rung in Rung::ALL {
            assert_eq!(Rung::from_name(rung.name()), Some(rung));
        }
        assert_eq!(Rung::from_name("jump"), None);
        assert!(Rung::ALL.is_sorted());
        let writes: Vec<bool> = Rung::ALL.iter().map(|rung| rung.writes()).collect();
        assert_eq!(writes, [false, true, true, true, true, true]);
    }
}
