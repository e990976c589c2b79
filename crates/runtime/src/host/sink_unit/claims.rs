//! Partitions of a sink: claimed in its store when the group gives them, written out before they go.

use super::{EXPELLED_AGAIN, FENCED_WAIT, SinkLoop, names, partition_buffer::PartitionBuffer};
use crate::{
    host::{Wait, supervisor::Failure},
    kafka::{Rebalanced, close, join},
    sink::{PartitionId, Sink, SinkError},
};
use engine::{chain, let_through::Orders};
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer, topic_partition_list::TopicPartitionListElem};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// Longest wait for the group's coordinator.
const ORDERS_TIMEOUT: Duration = Duration::from_secs(10);

impl<S: Sink> SinkLoop<'_, S> {
    pub(super) fn rebalance(&mut self) -> Result<(), Failure> {
        while let Some(news) = self.consumer.context().next() {
            match news {
                Rebalanced::Assigned(partitions) if partitions.is_empty() => self.status.ready(),
                Rebalanced::Revoked(partitions) | Rebalanced::Lost(partitions) if partitions.is_empty() => {}
                Rebalanced::Assigned(partitions) => self.offered.extend(partitions),
                Rebalanced::Revoked(partitions) => {
                    // Answered in any case: an unanswered revocation would hold the consumer for ever.
                    let flushed = self.flush(true);
                    self.give_up(&partitions)?;
                    flushed?;
                }
                Rebalanced::Lost(partitions) => {
                    self.give_up(&partitions)?;
                    self.status.joining();
                }
            }
        }
        Ok(())
    }

    /// Joins the group anew after it gave this member's name away, once: see the engine's [`crate::engine`]. What is
    /// not written is read again from the offsets of the sink's own store.
    pub(super) fn rejoin(&mut self, why: &str) -> Result<(), Failure> {
        let before = self.expelled_at.replace(Instant::now());
        if before.is_some_and(|before| before.elapsed() < EXPELLED_AGAIN) {
            return Err(engine::Error::Rival(format!("expelled again: {why}")).into());
        }
        warn!(sink = S::NAME, why, "joining the group anew");
        self.shared.metrics.recovering(S::NAME);
        self.buffers.clear();
        self.offered.clear();
        self.fenced.clear();
        self.observe();
        let consumer = join(&self.settings, &names(&self.inputs), &self.shared.standing)?;
        close(&std::mem::replace(&mut self.consumer, consumer));
        Ok(())
    }

    pub(super) fn give_up(&mut self, partitions: &[(String, i32)]) -> Result<(), Failure> {
        self.offered.retain(|offered| !partitions.contains(offered));
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            let key = (topic.as_str().into(), *partition);
            self.buffers.remove(&key);
            self.fenced.remove(&key);
            list.add_partition(topic, *partition);
        }
        self.observe();
        if self.buffers.values().all(|buffer| buffer.retry.is_none()) {
            // What was waited for is somebody else's to wait for.
            self.status.working();
        }
        self.consumer.incremental_unassign(&list).map_err(|error| format!("could not unassign: {error}"))?;
        Ok(())
    }

    /// A zombie hears soon from the group that its partitions are lost. Who hears nothing was fenced by an operator's
    /// reset or by another group of the same name: it claims the partition anew when the unit starts again.
    pub(super) fn check_fenced(&self) -> Result<(), Failure> {
        match self.fenced.iter().find(|(_, since)| since.elapsed() > FENCED_WAIT) {
            Some(((topic, partition), _)) => Err(format!(
                "{topic}/{partition} was claimed by another instance or reset, and the group did not take it away"
            )
            .into()),
            None => Ok(()),
        }
    }

    pub(super) fn observe(&self) {
        self.shared.metrics.partitions(S::NAME, self.buffers.len());
        info!(sink = S::NAME, partitions = self.buffers.len(), "partitions held");
    }

    /// What operators have ordered for the offered partitions. A sink commits no offsets to its group: of what lies there
    /// the metadata alone counts, below the end that an order names.
    fn orders(&self) -> Result<BTreeMap<(Arc<str>, i32), Orders>, String> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in &self.offered {
            list.add_partition(topic, *partition);
        }
        let answer = self.consumer.committed_offsets(list, ORDERS_TIMEOUT);
        let answer =
            answer.map_err(|error| format!("could not read what is ordered for the group: {error}"))?;
        let order = |it: &TopicPartitionListElem<'_>| {
            ((Arc::from(it.topic()), it.partition()), Orders::read(it.metadata()))
        };
        Ok(answer.elements().iter().map(order).collect())
    }

    /// Claims offered partitions in the sink's store and begins to read where it says.
    pub(super) fn claim_offered(&mut self) -> Result<(), Failure> {
        if self.offered.is_empty() {
            return Ok(());
        }
        let mut starts = TopicPartitionList::new();
        let mut claimed = Vec::new();
        for (topic, partition) in &self.offered {
            let Some(input) = self.inputs.iter().find(|input| &*input.origin.physical == topic) else {
                continue;
            };
            let id = PartitionId {
                topic: Arc::clone(&input.origin.physical),
                logical: Arc::clone(&input.origin.topic),
                partition: *partition,
            };
            match self.shared.tasks.block_on(self.sink.claim(&id)) {
                Ok(claim) => {
                    let start = if claim.next_offset == 0 {
                        Offset::Beginning
                    } else {
                        Offset::Offset(claim.next_offset)
                    };
                    starts
                        .add_partition_offset(topic, *partition, start)
                        .map_err(|error| error.to_string())?;
                    claimed.push((id, claim));
                }
                Err(SinkError::Fatal(why)) => return Err(why.into()),
                Err(error) => {
                    Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&chain(&error));
                    return Ok(());
                }
            }
        }
        let mut orders = match self.orders() {
            Ok(orders) => orders,
            Err(why) => {
                Wait { stop: &self.shared.stop, status: self.status }.for_a_while(&why);
                return Ok(());
            }
        };
        self.consumer
            .incremental_assign(&starts)
            // A partition that was paused when it was given up comes back paused.
            .and_then(|()| self.consumer.resume(&starts))
            .map_err(|error| format!("could not assign: {error}"))?;
        for (id, claim) in claimed {
            let key = (Arc::clone(&id.topic), id.partition);
            let orders = orders.remove(&key).unwrap_or_default();
            self.buffers.insert(key, PartitionBuffer::new(id, claim, orders));
        }
        self.offered.clear();
        self.observe();
        self.status.ready();
        Ok(())
    }
}
