//! Keeps messages, digests and blocked digests in Postgres.
//!
//! Invariant: rows, dead letters, `digest.persisted` and the offset of a batch are one transaction; what is announced
//! was stored, and what was stored already is not announced again. What a tenant's retention took is neither.

mod accept;
mod persisted;

pub use persisted::persisted;

use runtime::{Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, GroupMessageIngested};
use state::{Batch, BatchBounds, Error, MessageRow, Opened, Store, TopicRow, VERSIONS_KEPT};

const MESSAGES: InputSpec = InputSpec::of::<GroupMessageIngested>("messages");
const READY: InputSpec = InputSpec::of::<DigestReadyForDelivery>("ready");
const BLOCKED: InputSpec = InputSpec::of::<DigestBlocked>("blocked");
/// Ports of `postgres_outbox_source`.
const PERSISTED: &str = "persisted";
const DEAD_LETTERS: &str = "dead_letters";

/// The sink.
#[derive(Debug, Clone)]
pub struct PostgresSink {
    store: Store,
    cluster_id: String,
    versions_kept: u32,
}

impl PostgresSink {
    /// A sink into `store` for the records of the Kafka cluster with this id.
    pub fn new(store: Store, cluster_id: impl Into<String>) -> Self {
        Self { store, cluster_id: cluster_id.into(), versions_kept: VERSIONS_KEPT }
    }

    /// Keeps so many versions of each window, the newest of them. Default: [`VERSIONS_KEPT`].
    #[must_use]
    pub fn keeping(self, versions_kept: u32) -> Self {
        Self { versions_kept, ..self }
    }

    /// Tries each record by itself, keeping nothing, to find the one that Postgres refuses.
    async fn refused(&self, bounds: &BatchBounds, records: &[&SinkRecord], error: Error) -> SinkError {
        for record in records {
            let alone = match self.store.open_batch(bounds).await {
                Ok(Opened::Batch(mut batch)) => {
                    match apply(&mut batch, &[record], self.versions_kept).await {
                        Ok(()) => batch.abandon().await,
                        Err(error) => Err(error),
                    }
                }
                Ok(Opened::Written) => Ok(()),
                Err(error) => Err(error),
            };
            match alone {
                Ok(()) => {}
                Err(error) if error.is_refusal() => {
                    let detail = error.describe();
                    return SinkError::Poison {
                        offset: offset(record),
                        reason: "refused_by_postgres",
                        detail,
                    };
                }
                Err(error) => return SinkError::of_state("one record of a batch", error),
            }
        }
        SinkError::of_state("a batch", error)
    }
}

impl Sink for PostgresSink {
    const NAME: &'static str = "postgres_sink";

    fn inputs(&self) -> Vec<InputSpec> {
        vec![MESSAGES, READY, BLOCKED]
    }

    async fn claim(&self, partition: &PartitionId) -> Result<Claim, SinkError> {
        let claimed = self
            .store
            .claim(&partition.of_sink(Self::NAME), &self.cluster_id)
            .await
            .map_err(|error| SinkError::of_state("the claim of a partition", error))?;
        Ok(claimed.into())
    }

    async fn write(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        accept::all(&batch.records)?;
        let bounds = batch.bounds(Self::NAME);
        let opened =
            self.store.open_batch(&bounds).await.map_err(|error| SinkError::of_state("a batch", error))?;
        let Opened::Batch(mut open) = opened else { return Ok(()) };
        let records: Vec<&SinkRecord> =
            batch.records.iter().filter(|record| offset(record) >= open.begin_offset()).collect();
        match apply(&mut open, &records, self.versions_kept).await {
            Ok(()) => open.commit().await.map_err(|error| SinkError::of_state("the end of a batch", error)),
            Err(error) if error.is_refusal() => {
                drop(open);
                Err(self.refused(&bounds, &records, error).await)
            }
            Err(error) => Err(SinkError::of_state("a batch", error)),
        }
    }
}

fn offset(record: &SinkRecord) -> i64 {
    match record {
        SinkRecord::Decoded { source, .. } => source.offset,
        SinkRecord::DeadLetter(letter) => letter.offset,
    }
}

async fn apply(batch: &mut Batch, records: &[&SinkRecord], kept: u32) -> Result<(), Error> {
    let rows: Vec<MessageRow<'_>> = records.iter().flat_map(|record| message_rows(record)).collect();
    batch.insert_messages(&rows).await?;
    let topics: Vec<TopicRow<'_>> = records.iter().flat_map(|record| topic_rows(record)).collect();
    batch.insert_topics(&topics).await?;
    for record in records {
        match record {
            SinkRecord::DeadLetter(letter) => {
                let letter = state::accept_dead_letter(letter.as_ref().clone());
                batch.append_outbox(DEAD_LETTERS, &letter).await?;
            }
            SinkRecord::Decoded { record, .. } => {
                let record = record.as_any();
                if let Some(ready) = record.downcast_ref::<DigestReadyForDelivery>() {
                    put_ready(batch, ready, kept).await?;
                } else if let Some(blocked) = record.downcast_ref::<DigestBlocked>()
                    && !batch.is_past(&blocked.tenant_id, &blocked.window).await?
                {
                    batch.put_blocked(blocked).await?;
                    batch.forget_blocked(&blocked.tenant_id, &blocked.window_id, kept).await?;
                }
            }
        }
    }
    Ok(())
}

async fn put_ready(batch: &mut Batch, ready: &DigestReadyForDelivery, kept: u32) -> Result<(), Error> {
    if batch.is_past(&ready.tenant_id, &ready.window).await? {
        return Ok(());
    }
    let tells_of_erased = batch.tells_of_erased(ready).await?;
    let is_new = if tells_of_erased {
        batch.put_digest_without_words(ready).await?
    } else {
        batch.put_digest(ready).await?
    };
    let window = (&*ready.tenant_id, &*ready.window_id);
    let is_past = batch.forget_digests(window, &ready.version, kept).await?;
    // One that is too old to be kept was announced when it was new.
    if is_new && !is_past {
        let mut persisted = persisted(ready)?;
        if tells_of_erased {
            persisted.topics.clear();
        }
        batch.append_outbox(PERSISTED, &persisted).await?;
    }
    Ok(())
}

fn message_rows(record: &SinkRecord) -> Vec<MessageRow<'_>> {
    let SinkRecord::Decoded { source, record, .. } = record else { return Vec::new() };
    let Some(ingested) = record.as_any().downcast_ref::<GroupMessageIngested>() else { return Vec::new() };
    let row = |message| MessageRow {
        tenant_id: &ingested.tenant_id,
        group_id: &ingested.group_id,
        source_partition: source.partition,
        source_offset: source.offset,
        message,
    };
    ingested.messages.iter().map(row).collect()
}

/// The topics that the source of a record saw created.
fn topic_rows(record: &SinkRecord) -> Vec<TopicRow<'_>> {
    let SinkRecord::Decoded { source, record, .. } = record else { return Vec::new() };
    let Some(ingested) = record.as_any().downcast_ref::<GroupMessageIngested>() else { return Vec::new() };
    let row = |topic_id: &i64| TopicRow {
        tenant_id: &ingested.tenant_id,
        group_id: &ingested.group_id,
        source_partition: source.partition,
        source_offset: source.offset,
        topic_id: *topic_id,
    };
    ingested.topics.iter().map(row).collect()
}
