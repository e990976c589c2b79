//! A transactional producer: one transaction at a time, committed in the time that librdkafka itself needs.

use super::{
    budget::Budget,
    caller::Caller,
    errors::{CallError, classify, transactional},
    ffi, settings,
    standing::Standing,
};
use crate::Config;
use engine::log::{OutRecord, OwnedRecord, TxnError};
use kafka_client::with_missing_permission;
use rdkafka::{
    TopicPartitionList,
    config::ClientConfig,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Longest wait for an abort. What it does not end in time, the coordinator does.
const ABORT_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for a transactional id: whoever waits for it tries again, and may have been asked to stop meanwhile.
const INIT_TIMEOUT: Duration = Duration::from_secs(8);
/// Calls made again when librdkafka asks for it.
const ATTEMPTS: u32 = 5;

type Inner = BaseProducer<Standing>;

/// Time between two polls when there is nothing to serve. Each costs up to a millisecond of a core, because the wrapper
/// spins through the last one: at the 100 ms of its own `ThreadedProducer` that is 1 % of a core for every producer.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Serves a producer's delivery reports until it is dropped.
struct Poller(Arc<AtomicBool>);

impl Poller {
    fn start(producer: Arc<Inner>) -> Result<Self, TxnError> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let poll = move || {
            while !over.load(Ordering::Relaxed) {
                producer.poll(POLL_INTERVAL);
            }
        };
        let started = std::thread::Builder::new().name("producer poll".to_owned()).spawn(poll);
        started.map_err(|error| TxnError::Fatal(format!("could not start a thread: {error}")))?;
        Ok(Self(is_over))
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One transactional producer and the settings to make the next one from.
pub struct TransactionalProducer {
    settings: ClientConfig,
    standing: Standing,
    inner: Arc<Inner>,
    /// Holds `inner` too, up to a second longer: a producer is dropped on a thread of its own, because that can hang.
    _poller: Poller,
    caller: Caller,
    budget: Cell<Budget>,
}

impl std::fmt::Debug for TransactionalProducer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.settings.get("transactional.id");
        f.debug_struct("TransactionalProducer").field("transactional_id", &id).finish_non_exhaustive()
    }
}

impl TransactionalProducer {
    /// The producer of an operator's order: the pipeline's transactional id of that name is taken over, which fences
    /// whoever has it.
    ///
    /// # Errors
    /// The broker is away, or does not let this user write under that id.
    pub fn named(config: &Config, name: &str) -> Result<Self, TxnError> {
        let id = config.prefix.transactional_id(name);
        Self::start(settings::producer(&config.kafka, &id), Standing::default())
    }

    /// Creates the producer and takes its transactional id over, which fences and aborts what an earlier holder
    /// left open.
    pub(crate) fn start(settings: ClientConfig, standing: Standing) -> Result<Self, TxnError> {
        let (inner, poller) = Self::make(&settings, &standing)?;
        let budget = Cell::new(Budget::of(&settings));
        Ok(Self { settings, standing, inner, _poller: poller, caller: start_caller()?, budget })
    }

    fn make(settings: &ClientConfig, standing: &Standing) -> Result<(Arc<Inner>, Poller), TxnError> {
        let inner: Inner = kafka_client::create(settings, standing.clone())
            .map_err(|error| TxnError::Fatal(error.to_string()))?;
        let inner = Arc::new(inner);
        let poller = Poller::start(Arc::clone(&inner))?;
        transactional("init transactions", ATTEMPTS, || {
            inner.init_transactions(INIT_TIMEOUT).map_err(CallError::from)
        })?;
        Ok((inner, poller))
    }

    /// Replaces the producer by a new one.
    pub(crate) fn rebuild(&mut self) -> Result<(), TxnError> {
        *self = Self::start(self.settings.clone(), self.standing.clone())?;
        Ok(())
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// Why not, by what to do about it.
    pub fn begin(&self) -> Result<(), TxnError> {
        self.budget.set(self.budget.get().begin(Instant::now()));
        transactional("begin transaction", ATTEMPTS, || {
            self.inner.begin_transaction().map_err(CallError::from)
        })
    }

    /// Queues a record; waits while the queue is full, for as long as the transaction can still be committed.
    ///
    /// # Errors
    /// Why not, by what to do about it.
    pub fn produce(&self, record: &OutRecord) -> Result<(), TxnError> {
        self.queue(&|| self.try_produce(record))
    }

    /// [`Self::produce`] of a record whose key, value and headers are others', some of them none.
    ///
    /// # Errors
    /// As there.
    pub fn produce_as_is(&self, topic: &str, record: &OwnedRecord) -> Result<(), TxnError> {
        self.queue(&|| {
            let mut base = BaseRecord::<[u8], [u8]>::to(topic).partition(record.partition);
            base.key = record.key.as_deref();
            base.payload = record.value.as_deref();
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            let insert = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
                headers.insert(Header { key, value: value.as_ref() })
            };
            let base = base.headers(record.headers.iter().fold(headers, insert));
            self.inner.send(base).map_err(|(error, _)| error)
        })
    }

    fn queue(&self, try_produce: &dyn Fn() -> Result<(), KafkaError>) -> Result<(), TxnError> {
        loop {
            let Err(error) = try_produce() else { return Ok(()) };
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(self.produce_error(&error));
            }
            self.budget.get().call(Instant::now())?;
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn try_produce(&self, record: &OutRecord) -> Result<(), KafkaError> {
        let mut base = BaseRecord::<[u8], [u8]>::to(&record.topic).key(&record.key);
        if let Some(value) = &record.value {
            base = base.payload(value);
        }
        if let Some(partition) = record.partition {
            base = base.partition(partition);
        }
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            let insert = |headers: OwnedHeaders, (key, value): &(&'static str, Vec<u8>)| {
                headers.insert(Header { key, value: Some(value) })
            };
            base = base.headers(record.headers.iter().fold(headers, insert));
        }
        self.inner.send(base).map_err(|(error, _)| error)
    }

    /// A produce that is refused at once: the transaction is failed, or the producer is.
    fn produce_error(&self, error: &KafkaError) -> TxnError {
        match self.inner.client().fatal_error() {
            Some((code, text)) => {
                classify("produce", &CallError { code, fatal: true, retriable: false, abort: false, text })
            }
            None => TxnError::Abort(with_missing_permission(
                format!("could not produce: {error}"),
                error.rdkafka_error_code(),
            )),
        }
    }

    /// Adds consumed offsets to the transaction.
    pub(crate) fn send_offsets(
        &self,
        offsets: TopicPartitionList,
        group: ConsumerGroupMetadata,
    ) -> Result<(), TxnError> {
        let timeout = self.budget.get().call(Instant::now())?;
        self.call("send offsets to transaction", timeout, move |inner| {
            inner.send_offsets_to_transaction(&offsets, &group, timeout).map_err(CallError::from)
        })
    }

    /// Commits the open transaction, for as long as its timeout allows.
    ///
    /// # Errors
    /// Why not, by what to do about it: its outcome is unknown where that is a rebuild.
    pub fn commit(&self) -> Result<(), TxnError> {
        let timeout = self.budget.get().call(Instant::now())?;
        self.call("commit transaction", timeout, move |inner| ffi::commit_transaction(inner, timeout))
    }

    /// Aborts the open transaction, after the first delivery report is in: an `EndTxn` that overtakes it is fatal
    /// (librdkafka#4849).
    ///
    /// # Errors
    /// Why not, by what to do about it.
    pub fn abort(&self) -> Result<(), TxnError> {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.inner.in_flight_count() > 0 && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let abort = |inner: &Inner| inner.abort_transaction(ABORT_TIMEOUT).map_err(CallError::from);
        self.call("abort transaction", ABORT_TIMEOUT, abort)
    }

    /// Makes a transactional call, again where librdkafka asks for it, and gives it up when it does not keep its
    /// timeout.
    fn call(
        &self,
        what: &'static str,
        timeout: Duration,
        call: impl Fn(&Inner) -> Result<(), CallError> + Send + 'static,
    ) -> Result<(), TxnError> {
        let inner = Arc::clone(&self.inner);
        let calls = move || transactional(what, ATTEMPTS, || call(&inner));
        let stuck =
            || Err(TxnError::Rebuild(format!("could not {what}: no answer, not even that there is none")));
        self.caller.call(timeout + self.budget.get().grace(), calls).unwrap_or_else(stuck)
    }
}

fn start_caller() -> Result<Caller, TxnError> {
    Caller::start().map_err(|error| TxnError::Fatal(format!("could not start a thread: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kafka;
    use rdkafka::{
        consumer::{BaseConsumer, Consumer, DefaultConsumerContext},
        mocking::MockCluster,
        types::{RDKafkaApiKey, RDKafkaRespErr},
    };

    fn record() -> OutRecord {
        OutRecord {
            topic: "out".into(),
            partition: Some(0),
            key: Vec::new(),
            value: Some(b"x".to_vec()),
            headers: Vec::new(),
        }
    }

    /// After idle days the coordinator has forgotten the producer: whichever call hears of it, the loop mends it at
    /// once. A call after the one that heard of it is told less, and asks for an abort.
    #[test]
    fn a_producer_that_the_coordinator_has_forgotten_goes_on() {
        let forgotten = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING];
        let broker = MockCluster::new(1).expect("a mock broker");
        broker.create_topic("out", 1, 1).expect("a topic");
        let kafka = Kafka { brokers: broker.bootstrap_servers(), ..Kafka::default() };
        let settings = super::super::settings::producer(&kafka, "idle");
        let mut producer = TransactionalProducer::start(settings, Standing::default()).expect("a producer");
        let settings = super::super::settings::reader(&kafka, "read_committed");
        let consumer: BaseConsumer<DefaultConsumerContext> = settings.create().expect("a consumer");
        for call in [RDKafkaApiKey::AddPartitionsToTxn, RDKafkaApiKey::TxnOffsetCommit, RDKafkaApiKey::EndTxn]
        {
            broker.request_errors(call, &forgotten);
            let transact = |producer: &TransactionalProducer| {
                let mut offsets = TopicPartitionList::new();
                offsets.add_partition_offset("out", 0, rdkafka::Offset::Offset(1)).expect("an offset");
                let group = consumer.group_metadata().expect("a group");
                producer.begin()?;
                producer.produce(&record())?;
                producer.send_offsets(offsets, group)?;
                producer.commit()
            };
            match transact(&producer).expect_err("refused") {
                TxnError::Abort(_) if producer.abort().is_ok() => {}
                TxnError::Abort(_) | TxnError::Rebuild(_) => producer.rebuild().expect("a new producer"),
                error => panic!("{call:?}: {error:?}"),
            }
            transact(&producer).expect("goes on");
        }
    }
}
