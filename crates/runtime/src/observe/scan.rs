//! Reads several partitions of one topic side by side, each up to an end known beforehand.
//!
//! Invariant: order holds within a partition; a broker that does not answer ends the reading, a partition that is silent
//! for a while does not.

use super::{
    Error,
    broker::{Broker, Partition},
    error::WAIT,
};
use crate::kafka::{Record, reader_error};
use engine::log::RecordView;
use kafka_client::Complaints;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Message,
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    ops::ControlFlow,
    time::{Duration, Instant},
};

const POLL_WAIT: Duration = Duration::from_millis(100);
/// Longest silence of a broker that answers other questions.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Offsets `[from, until)` of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First offset.
    pub from: i64,
    /// The first offset that is not meant.
    pub until: i64,
}

/// Hears of a record; `Break` when it wants no more of that partition.
pub type RecordHandler<'a> = &'a mut dyn FnMut(&RecordView<'_>) -> Result<ControlFlow<()>, Error>;

/// The same, and of every pause as `None`.
pub type PollHandler<'a> = &'a mut dyn FnMut(Option<&RecordView<'_>>) -> Result<ControlFlow<()>, Error>;

/// The same of several topics, each record with its physical topic.
pub type TopicsHandler<'a> =
    &'a mut dyn FnMut(Option<(&str, &RecordView<'_>)>) -> Result<ControlFlow<()>, Error>;

/// Reads span after span, each with a client of its own: a partition that was paused at its end stays silent when the
/// same client is given it again. A scanner that [keeps](Self::keeping) its client reads each partition once.
pub struct Scanner<'a> {
    broker: &'a Broker<'a>,
    is_committed: bool,
    kept: Option<RefCell<Option<Client>>>,
}

type Client = BaseConsumer<Complaints>;

impl std::fmt::Debug for Scanner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("is_committed", &self.is_committed).finish_non_exhaustive()
    }
}

impl<'a> Scanner<'a> {
    /// Sees what is committed, or everything.
    pub fn new(broker: &'a Broker<'a>, is_committed: bool) -> Self {
        Self { broker, is_committed, kept: None }
    }

    /// Sees what is committed, and connects once for all that it reads, one partition after the other and none twice: a client
    /// for each would be most of the time that a look at twenty topics takes.
    pub fn keeping(broker: &'a Broker<'a>) -> Self {
        Self { broker, is_committed: true, kept: Some(RefCell::new(None)) }
    }

    /// Hands every record of the spans to `handle`.
    pub fn scan(
        &self,
        topic: &str,
        spans: &BTreeMap<i32, Span>,
        handle: RecordHandler<'_>,
    ) -> Result<(), Error> {
        let mut open: BTreeMap<i32, Span> = spans.clone();
        open.retain(|_, span| span.from < span.until);
        if open.is_empty() {
            return Ok(());
        }
        let client = self.assigned(topic, &open)?;
        self.read(&client, (topic, open), handle)?;
        if let Some(kept) = &self.kept {
            kept.replace(Some(client));
        }
        Ok(())
    }

    fn read(
        &self,
        client: &Client,
        (topic, mut open): (&str, BTreeMap<i32, Span>),
        handle: RecordHandler<'_>,
    ) -> Result<(), Error> {
        let (mut heard, mut asked) = (Instant::now(), Instant::now());
        while !open.is_empty() {
            match client.poll(POLL_WAIT) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    // Of a client that is kept, what it had fetched of the topic before.
                    let Some(span) = open.get(&partition).filter(|_| message.topic() == topic) else {
                        continue;
                    };
                    let is_last = offset + 1 >= span.until;
                    if offset >= span.until
                        || handle(&RecordView::from(&Record(&message)))?.is_break()
                        || is_last
                    {
                        self.end(client, (topic, partition), &mut open)?;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    heard = Instant::now();
                    open.remove(&partition);
                }
                Some(Err(error)) => {
                    if let Some(why) = reader_error(&error) {
                        return Err(self.read_error(topic, why));
                    }
                }
                None => {}
            }
            if heard.elapsed() > SILENCE_MAX {
                let partitions: Vec<i32> = open.into_keys().collect();
                let why =
                    format!("nothing came of partitions {partitions:?} for {} s", SILENCE_MAX.as_secs());
                return Err(self.read_error(topic, why));
            }
            if heard.max(asked).elapsed() > WAIT {
                // Silence is a busy machine's, or a broker's that is away: that one answers nothing at all.
                self.ask(client, topic)?;
                asked = Instant::now();
            }
        }
        Ok(())
    }

    /// Reads on from the offsets for as long as `handle` likes.
    pub fn follow(
        &self,
        topic: &str,
        from: &BTreeMap<i32, i64>,
        handle: PollHandler<'_>,
    ) -> Result<(), Error> {
        let client = self.assigned(
            topic,
            &from.iter().map(|(p, from)| (*p, Span { from: *from, until: i64::MAX })).collect(),
        )?;
        self.listen(&client, topic, &mut |record| handle(record.map(|(_, record)| record)))
    }

    /// [`Self::follow`] for several topics, by physical topic and partition, with one client.
    ///
    /// # Errors
    /// A broker that is away, a topic that is not on it, or an offset that its topic has no more.
    pub fn follow_topics(
        &self,
        from: &BTreeMap<Partition, i64>,
        handle: TopicsHandler<'_>,
    ) -> Result<(), Error> {
        let client: Client = kafka_client::create(&self.settings(), Complaints::default())?;
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in from {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
                .map_err(|error| self.read_error(topic, error.to_string()))?;
        }
        client.assign(&list).map_err(|error| self.read_error("topics", error.to_string()))?;
        self.listen(&client, "topics", handle)
    }

    /// Tells of what a client is given, until whoever hears of it breaks.
    fn listen(&self, client: &Client, what: &str, handle: TopicsHandler<'_>) -> Result<(), Error> {
        loop {
            let flow = match client.poll(POLL_WAIT) {
                Some(Ok(message)) => handle(Some((message.topic(), &RecordView::from(&Record(&message)))))?,
                Some(Err(error)) => match scan_error(&error) {
                    Some(why) => return Err(self.read_error(what, why)),
                    None => handle(None)?,
                },
                None => handle(None)?,
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    fn assigned(&self, topic: &str, spans: &BTreeMap<i32, Span>) -> Result<Client, Error> {
        let client = match self.kept.as_ref().and_then(RefCell::take) {
            Some(client) => client,
            None => kafka_client::create(&self.settings(), Complaints::default())?,
        };
        // A client that does not know a topic looks it up once a second only.
        self.ask(&client, topic)?;
        let mut list = TopicPartitionList::new();
        let listed = spans.iter().try_for_each(|(partition, span)| {
            list.add_partition_offset(topic, *partition, Offset::Offset(span.from))
        });
        listed
            .and_then(|()| client.assign(&list))
            .map_err(|error| self.read_error(topic, error.to_string()))?;
        Ok(client)
    }

    /// A client that goes from topic to topic is given each only once the fetch of the one before has ended, which the broker
    /// holds for as long as there is nothing: 20 ms each were most of the time of a look at twenty.
    fn settings(&self) -> ClientConfig {
        let mut settings = self.broker.reader(self.is_committed);
        if self.kept.is_some() {
            settings.set("fetch.wait.max.ms", "1");
        }
        settings
    }

    /// Whether the broker answers.
    fn ask(&self, client: &Client, topic: &str) -> Result<(), Error> {
        let failed = Error::kafka(self.broker.address(), "read the metadata");
        client.fetch_metadata(Some(topic), WAIT).map(drop).map_err(failed)
    }

    /// No more of a partition: what is fetched of it beyond its span would only be thrown away.
    fn end(
        &self,
        client: &Client,
        (topic, partition): (&str, i32),
        open: &mut BTreeMap<i32, Span>,
    ) -> Result<(), Error> {
        open.remove(&partition);
        if open.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        client.pause(&list).map_err(|error| self.read_error(topic, error.to_string()))
    }

    fn read_error(&self, topic: &str, why: String) -> Error {
        Error::Read { topic: topic.to_owned(), brokers: self.broker.address().to_owned(), why }
    }
}

/// An end of a partition is no error for who follows it.
fn scan_error(error: &KafkaError) -> Option<String> {
    if matches!(error, KafkaError::PartitionEOF(_)) { None } else { reader_error(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, kafka::mock};

    /// Nothing tells the end of a partition that ends with a plain record: no marker of a transaction follows it.
    #[test]
    fn a_partition_that_ends_with_a_plain_record_is_read_again_and_again() {
        let mock = mock::Broker::start();
        mock.produce(0, 3);
        mock.produce(1, 5);
        let config = Config { kafka: mock.kafka.clone(), ..Config::default() };
        let broker = Broker::connect(&config).expect("a broker");
        let scanner = Scanner::new(&broker, true);
        let spans = BTreeMap::from([(0, Span { from: 1, until: 3 }), (1, Span { from: 0, until: 5 })]);
        for _ in 0..3 {
            let mut read: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
            let scanned = scanner.scan(mock::TOPIC, &spans, &mut |record| {
                read.entry(record.partition).or_default().push(record.offset);
                Ok(ControlFlow::Continue(()))
            });
            assert!(scanned.is_ok(), "{scanned:?}");
            assert_eq!(read, BTreeMap::from([(0, vec![1, 2]), (1, vec![0, 1, 2, 3, 4])]));
        }
    }
}
