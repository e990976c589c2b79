//! What a restore does between its records: it polls the group, which would give the member up otherwise, and hears
//! whether the process has been asked to stop.
//!
//! Invariant: what the group's consumer tells meanwhile ends the restore and reaches the loop's next poll.

use super::{
    GroupConsumer,
    consumer::{ConsumerFault, consumer_fault},
};
use std::time::{Duration, Instant};

/// Records between two looks where they come fast.
const RECORDS: u32 = 1_000;
/// Time between two looks where they come slowly.
const INTERVAL: Duration = Duration::from_secs(1);

/// Asked now and then during a restore; an error says why it is not to go on.
pub(crate) type GoesOn = Box<dyn Fn() -> Result<(), String> + Send>;

/// One read of a restore.
pub(super) struct Restore<'a> {
    consumer: &'a GroupConsumer,
    fault: &'a mut Option<ConsumerFault>,
    goes_on: &'a GoesOn,
    records: u32,
    looked: Option<Instant>,
}

impl<'a> Restore<'a> {
    /// `fault` is where an error of the consumer is kept for the loop.
    pub(super) fn new(
        consumer: &'a GroupConsumer,
        fault: &'a mut Option<ConsumerFault>,
        goes_on: &'a GoesOn,
    ) -> Self {
        Self { consumer, fault, goes_on, records: 0, looked: None }
    }

    /// Between two records: looks around when it is time to.
    pub(super) fn between(&mut self) -> Result<(), String> {
        self.records += 1;
        if self.records < RECORDS && self.looked.is_some_and(|looked| looked.elapsed() < INTERVAL) {
            return Ok(());
        }
        (self.records, self.looked) = (0, Some(Instant::now()));
        (self.goes_on)()?;
        self.poll_group()
    }

    /// Rebalances are queued for the loop. Of records there are none to lose: what the loop holds is paused, and of a
    /// rewind sought afterwards.
    fn poll_group(&mut self) -> Result<(), String> {
        let Some(Err(error)) = self.consumer.poll(Duration::ZERO) else { return Ok(()) };
        let Some(fault) = consumer_fault(&error) else { return Ok(()) };
        *self.fault = Some(fault);
        Err(format!("could not go on with a restore: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            KafkaLog,
            mock::{self, log},
        },
        *,
    };
    use engine::log::{Log, Polled, Reader, RecordView, Restored};
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
    use std::{
        ops::ControlFlow,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    /// Reads the input up to `until`; what it ended with, and how many records it gave.
    fn restore(log: &mut KafkaLog, until: i64) -> (Result<(), String>, usize) {
        let mut count = 0;
        let mut visit = |_: &RecordView<'_>| {
            count += 1;
            Ok(())
        };
        let ended = log.read(Restored::Input, 0, (None, Some(until)), &mut visit);
        (ended, count)
    }

    #[test]
    fn an_error_of_the_group_during_a_restore_reaches_the_loop() {
        let broker = mock::Broker::start();
        broker.produce(0, 5);
        broker.cluster.request_errors(
            RDKafkaApiKey::JoinGroup,
            &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID],
        );
        let mut log = log(&broker, Box::new(|| Ok(())));
        // The member is told some time after it has joined.
        let told = (0..500).find_map(|_| restore(&mut log, 5).0.err()).expect("a restore ends with it");
        assert!(told.starts_with("could not go on with a restore: "), "{told}");
        let polled = log.poll(Duration::ZERO, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(polled, Polled::Expelled(_)), "{polled:?}");
    }

    #[test]
    fn a_long_restore_shows_life_and_hears_a_stop() {
        let broker = mock::Broker::start();
        broker.produce(0, 3_000);
        let looks = Arc::new(AtomicUsize::new(0));
        let looking = Arc::clone(&looks);
        let mut living = log(
            &broker,
            Box::new(move || {
                looking.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }),
        );
        assert_eq!(restore(&mut living, 3_000), (Ok(()), 3_000));
        assert!(looks.load(Ordering::Relaxed) >= 3, "{looks:?}");
        drop(living);

        let looks = AtomicUsize::new(0);
        let stopped = move || {
            let is_first = looks.fetch_add(1, Ordering::Relaxed) == 0;
            if is_first { Ok(()) } else { Err("stop".to_owned()) }
        };
        let (ended, count) = restore(&mut log(&broker, Box::new(stopped)), 3_000);
        assert_eq!(ended, Err("stop".to_owned()));
        assert!(count < 3_000, "{count}");
    }
}
