//! Open transactions as any client can see them: what `read_uncommitted` is given and `read_committed` is not yet.

use crate::{
    pipeline::Pipeline,
    stranger::{Isolation, READ_TIMEOUT},
};
use rdkafka::consumer::{BaseConsumer, Consumer};

/// Looks at partitions for open transactions.
pub struct OpenTransactions {
    committed: BaseConsumer,
    uncommitted: BaseConsumer,
    partitions: Vec<(String, String, i32)>,
}

/// A stretch of a partition that no `read_committed` reader is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Last stable offset.
    pub stable: i64,
    /// High watermark.
    pub high: i64,
}

impl std::fmt::Debug for OpenTransactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTransactions").field("partitions", &self.partitions.len()).finish_non_exhaustive()
    }
}

impl OpenTransactions {
    /// Looks at all partitions of some logical topics.
    ///
    /// # Errors
    /// The map does not have them.
    pub fn on(pipeline: &Pipeline, topics: &[&str]) -> anyhow::Result<Self> {
        let mut partitions = Vec::new();
        for topic in topics {
            for partition in 0..pipeline.map.topic(topic)?.partitions {
                partitions.push((pipeline.topic(topic), (*topic).to_owned(), partition));
            }
        }
        let stack = &pipeline.stack;
        Ok(Self {
            committed: Isolation::Committed.client(stack)?,
            uncommitted: Isolation::Uncommitted.client(stack)?,
            partitions,
        })
    }

    /// The first stretch that is open now. The high watermark is asked first, so that what is found was open at the
    /// second question.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn find(&self) -> anyhow::Result<Option<Stretch>> {
        for (physical, topic, partition) in &self.partitions {
            let (_, high) = self.uncommitted.fetch_watermarks(physical, *partition, READ_TIMEOUT)?;
            let (_, stable) = self.committed.fetch_watermarks(physical, *partition, READ_TIMEOUT)?;
            if stable < high {
                return Ok(Some(Stretch { topic: topic.clone(), partition: *partition, stable, high }));
            }
        }
        Ok(None)
    }

    /// Last stable offsets, summed up: grows with what is committed.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn stable(&self) -> anyhow::Result<i64> {
        let mut sum = 0;
        for (physical, _, partition) in &self.partitions {
            sum += self.committed.fetch_watermarks(physical, *partition, READ_TIMEOUT)?.1;
        }
        Ok(sum)
    }
}
