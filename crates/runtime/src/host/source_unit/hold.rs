//! Who may run a source: of all processes that read the same thing, the one member of a group that holds the partition
//! of positions. The others stand by.
//!
//! Invariant: the group only chooses, and may be mistaken for a moment, as about a process that was suspended. What
//! keeps two from writing is the transactional id: whoever takes it over fences the one before.

use crate::{
    host::{Shared, Wait, supervisor::Failure},
    kafka::{ConsumerFault, GroupConsumer, Rebalanced, Standing, close, consumer_fault, join, settings},
    source::group,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use rdkafka::{Offset, TopicPartitionList, config::ClientConfig, consumer::Consumer};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tracing::warn;

/// Longest wait of the member for news of its group.
const POLL_WAIT: Duration = Duration::from_millis(250);
/// Wait before a member that cannot be one tries again.
const REJOIN_WAIT: Duration = Duration::from_secs(5);
/// A group that has not let the process in by then is worth a word.
const JOINS_SOON: Duration = Duration::from_secs(2);
/// Time between two looks of somebody who waits.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the member to leave the group, so that the next one need not wait for its session to end.
const LEAVE_WAIT: Duration = Duration::from_secs(3);

/// What the group says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Nothing yet, or it cannot be joined: why.
    Outside(Option<String>),
    StandingBy,
    /// The group has not heard of this process for too long: who reads now is not known.
    Lost,
    Holding,
}

/// A membership, on a thread of its own, for as long as this lives.
pub(super) struct Hold {
    place: watch::Receiver<Place>,
    is_over: Arc<AtomicBool>,
    /// Ends with the member.
    left: Receiver<()>,
    identity: String,
}

impl Hold {
    /// Joins the group of what a source called `name` reads, over the topic of positions.
    pub(super) fn start(
        shared: &Shared,
        (name, identity): (&str, &str),
        positions: &str,
    ) -> Result<Self, Failure> {
        let group = group(&shared.config.prefix, name, identity);
        let mut settings = settings::consumer(&shared.config.kafka, &group, "", shared.consumers);
        // Members come and go: one that leaves in order is not waited for.
        settings.remove("group.instance.id");
        let member = Member::join(settings, positions, &shared.standing).map_err(Failure::Lasting)?;
        let (sender, place) = watch::channel(Place::Outside(None));
        let is_over = Arc::new(AtomicBool::new(false));
        let (leaving, left) = bounded(1);
        let over = Arc::clone(&is_over);
        std::thread::Builder::new()
            .name("source group".to_owned())
            .spawn(move || {
                member.run(&over, &sender);
                drop(leaving);
            })
            .map_err(|error| format!("could not start a thread: {error}"))?;
        Ok(Self { place, is_over, left, identity: identity.to_owned() })
    }

    /// True while this process is the one.
    pub(super) fn is_held(&self) -> bool {
        // A member that has ended by itself holds nothing.
        *self.place.borrow() == Place::Holding && self.place.has_changed().is_ok()
    }

    /// Resolves once this process is not the one any more.
    pub(super) async fn lost(&self) {
        let mut place = self.place.clone();
        // The member ends only with `self`.
        drop(place.wait_for(|place| *place != Place::Holding).await);
    }

    /// Waits until this process is the one; false when it is asked to stop before.
    ///
    /// # Errors
    /// A member that has ended by itself.
    pub(super) fn wait(&self, shared: &Shared, wait: &Wait<'_>) -> Result<bool, Failure> {
        let began = Instant::now();
        let mut place = self.place.clone();
        while !shared.stop.is_asked() {
            // Seen with that: only what comes after it is news.
            let now = place.borrow_and_update().clone();
            match now {
                Place::Holding => return Ok(true),
                Place::Lost => wait.status.joining(),
                Place::StandingBy => {
                    wait.status.standing_by(&format!("another process reads {}", self.identity));
                }
                Place::Outside(Some(why)) => wait.status.waiting(&why),
                Place::Outside(None) if began.elapsed() > JOINS_SOON => {
                    wait.status.waiting(&format!(
                        "for the group of those who read {}; one that was killed is a member until its session ends",
                        self.identity
                    ));
                }
                Place::Outside(None) => wait.status.turned(),
            }
            let member = shared.tasks.block_on(async {
                tokio::select! {
                    () = shared.stop.asked() => Ok(()),
                    news = place.changed() => news,
                    () = tokio::time::sleep(LOOK_INTERVAL) => Ok(()),
                }
            });
            member
                .map_err(|_| format!("the member of the group of {} has ended by itself", self.identity))?;
        }
        Ok(false)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if self.left.recv_timeout(LEAVE_WAIT) == Err(RecvTimeoutError::Timeout) {
            warn!(identity = self.identity, "could not leave the group of a source in time");
        }
    }
}

/// The member itself.
struct Member {
    settings: ClientConfig,
    positions: String,
    standing: Standing,
    consumer: GroupConsumer,
}

impl Member {
    fn join(settings: ClientConfig, positions: &str, standing: &Standing) -> Result<Self, String> {
        let consumer = join(&settings, &[positions], standing)?;
        Ok(Self { settings, positions: positions.to_owned(), standing: standing.clone(), consumer })
    }

    fn run(mut self, is_over: &AtomicBool, place: &watch::Sender<Place>) {
        while !is_over.load(Ordering::Relaxed) {
            let fault = match self.consumer.poll(POLL_WAIT) {
                Some(Err(error)) => consumer_fault(&error),
                // What it is given of the topic is not what it came for.
                Some(Ok(_)) | None => None,
            };
            if let Some(ConsumerFault::Expelled(why) | ConsumerFault::Broken(why)) = fault {
                place.send_replace(Place::Outside(Some(why)));
                self.rejoin();
            }
            if let Some(news) = self.news() {
                place.send_replace(news);
            }
        }
        close(&self.consumer);
    }

    /// Answers what the group says.
    fn news(&self) -> Option<Place> {
        let mut place = None;
        while let Some(news) = self.consumer.context().next() {
            let (partitions, is_given, without) = match &news {
                Rebalanced::Assigned(partitions) => (partitions, true, Place::StandingBy),
                Rebalanced::Revoked(partitions) => (partitions, false, Place::StandingBy),
                Rebalanced::Lost(partitions) => (partitions, false, Place::Lost),
            };
            let mut list = TopicPartitionList::new();
            for (topic, partition) in partitions {
                // Of no interest is what lies there.
                if let Err(error) = list.add_partition_offset(topic, *partition, Offset::End) {
                    warn!(%error, "could not name a partition");
                }
            }
            let answered = match (partitions.is_empty(), is_given) {
                (true, _) => Ok(()),
                (false, true) => {
                    self.consumer.incremental_assign(&list).and_then(|()| self.consumer.pause(&list))
                }
                (false, false) => self.consumer.incremental_unassign(&list),
            };
            if let Err(error) = answered {
                warn!(%error, "could not answer the group of a source");
            }
            let is_it = |(topic, partition): &(String, i32)| *topic == self.positions && *partition == 0;
            place = match (partitions.iter().any(is_it), is_given) {
                (true, true) => Some(Place::Holding),
                (true, false) => Some(without),
                // Let in, with nothing to hold beyond what it may hold already.
                (false, true) if !self.holds() => Some(Place::StandingBy),
                (false, _) => place,
            };
        }
        place
    }

    fn holds(&self) -> bool {
        self.consumer.assignment().is_ok_and(|held| held.find_partition(&self.positions, 0).is_some())
    }

    /// Begins anew after a fault that the client does not mend.
    fn rejoin(&mut self) {
        close(&self.consumer);
        std::thread::park_timeout(REJOIN_WAIT);
        match join(&self.settings, &[&self.positions], &self.standing) {
            Ok(consumer) => self.consumer = consumer,
            Err(error) => warn!(error, "could not join the group of a source"),
        }
    }
}
