//! Reads several partitions of one topic side by side, each up to an end known beforehand.
//!
//! Invariant: order holds within a partition; a broker that falls silent ends the reading.

use super::{Error, broker::Broker, error::WAIT};
use crate::{
    engine::log::RecordView,
    kafka::{Record, reader_error},
};
use kafka_client::Complaints;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Message,
};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    time::{Duration, Instant},
};

const POLL_WAIT: Duration = Duration::from_millis(100);

/// Offsets `[from, until)` of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// Hears of a record; `Break` when it wants no more of that partition.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&RecordView<'_>) -> Result<ControlFlow<()>, Error>;

/// The same, and of every pause as `None`.
pub(super) type VisitOrPause<'a> =
    &'a mut dyn FnMut(Option<&RecordView<'_>>) -> Result<ControlFlow<()>, Error>;

/// A client that reads span after span.
pub(super) struct Scanner<'a> {
    broker: &'a Broker<'a>,
    consumer: BaseConsumer<Complaints>,
}

impl<'a> Scanner<'a> {
    /// Sees what is committed, or everything.
    pub(super) fn new(broker: &'a Broker<'a>, is_committed: bool) -> Result<Self, Error> {
        let consumer = kafka_client::create(&broker.reader(is_committed), Complaints::default())?;
        Ok(Self { broker, consumer })
    }

    /// Hands every record of the spans to `visit`.
    pub(super) fn scan(
        &self,
        topic: &str,
        spans: &BTreeMap<i32, Span>,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        let mut open: BTreeMap<i32, Span> = spans.clone();
        open.retain(|_, span| span.from < span.until);
        if open.is_empty() {
            return Ok(());
        }
        self.assign(topic, &open)?;
        let mut heard = Instant::now();
        while !open.is_empty() {
            match self.consumer.poll(POLL_WAIT) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some(span) = open.get(&partition) else { continue };
                    let is_last = offset + 1 >= span.until;
                    if offset >= span.until
                        || visit(&RecordView::from(&Record(&message)))?.is_break()
                        || is_last
                    {
                        self.end(topic, partition, &mut open)?;
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
            if heard.elapsed() > WAIT {
                return Err(Error::KafkaAway { brokers: self.broker.address().to_owned(), source: None });
            }
        }
        Ok(())
    }

    /// Reads on from the offsets for as long as `visit` likes.
    pub(super) fn follow(
        &self,
        topic: &str,
        from: &BTreeMap<i32, i64>,
        visit: VisitOrPause<'_>,
    ) -> Result<(), Error> {
        self.assign(
            topic,
            &from.iter().map(|(p, from)| (*p, Span { from: *from, until: i64::MAX })).collect(),
        )?;
        loop {
            let flow = match self.consumer.poll(POLL_WAIT) {
                Some(Ok(message)) => visit(Some(&RecordView::from(&Record(&message))))?,
                Some(Err(error)) => match scan_error(&error) {
                    Some(why) => return Err(self.read_error(topic, why)),
                    None => visit(None)?,
                },
                None => visit(None)?,
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    fn assign(&self, topic: &str, spans: &BTreeMap<i32, Span>) -> Result<(), Error> {
        // A client that does not know a topic looks it up once a second only.
        let failed = Error::kafka(self.broker.address(), "read the metadata");
        self.consumer.fetch_metadata(Some(topic), WAIT).map_err(failed)?;
        let mut list = TopicPartitionList::new();
        let listed = spans.iter().try_for_each(|(partition, span)| {
            list.add_partition_offset(topic, *partition, Offset::Offset(span.from))
        });
        listed
            .and_then(|()| self.consumer.assign(&list))
            .map_err(|error| self.read_error(topic, error.to_string()))
    }

    /// No more of a partition: what is fetched of it beyond its span would only be thrown away.
    fn end(&self, topic: &str, partition: i32, open: &mut BTreeMap<i32, Span>) -> Result<(), Error> {
        open.remove(&partition);
        if open.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        self.consumer.pause(&list).map_err(|error| self.read_error(topic, error.to_string()))
    }

    fn read_error(&self, topic: &str, why: String) -> Error {
        Error::Read { topic: topic.to_owned(), brokers: self.broker.address().to_owned(), why }
    }
}

/// An end of a partition is no error for who follows it.
fn scan_error(error: &KafkaError) -> Option<String> {
    if matches!(error, KafkaError::PartitionEOF(_)) { None } else { reader_error(error) }
}
