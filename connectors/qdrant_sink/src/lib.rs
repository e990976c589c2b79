//! Keeps an index of vectors in Qdrant: messages, conversations and digests.
//!
//! Invariant: an offset is committed in Postgres after its points are kept in Qdrant, under the lock of its row, so that nothing
//! is left out and a zombie writes nothing; points written twice are the same. A bound in Postgres keeps what was deleted or
//! taken back from coming again, in whichever order topics tell of it.

mod accept;
mod changes;
mod draft;
mod embedder;
mod vectors;

pub use embedder::{EmbedError, Embedder, begin, clients};
pub use runtime::index;
use runtime::{Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested};
use state::{BatchBounds, Filling, Opened, Store};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tracing::{info, warn};
use vector_index::{Error, Index};
use vectors::Vectors;

const MESSAGES: InputSpec = InputSpec::of::<GroupMessageIngested>("messages");
const THREADS: InputSpec = InputSpec::of::<DigestStageCompleted>("threads");
const READY: InputSpec = InputSpec::of::<DigestReadyForDelivery>("ready");
const BLOCKED: InputSpec = InputSpec::of::<DigestBlocked>("blocked");
/// Port of `postgres_outbox_source`.
const DEAD_LETTERS: &str = "dead_letters";
/// Messages of a slice: points of one request, and of one transaction, which must not idle long.
const SLICE_MESSAGES: usize = 256;

/// The sink.
#[derive(Debug, Clone)]
pub struct QdrantSink {
    store: Store,
    cluster_id: String,
    index: Index,
    embedder: Embedder,
    /// Whether the collection may be one that is being filled anew.
    is_filling: Arc<AtomicBool>,
    /// Whether the fields of the collection are known to be indexed.
    is_indexed: Arc<AtomicBool>,
}

impl QdrantSink {
    /// A sink into an index, with what makes its vectors and its offsets in `store`, for the records of the Kafka cluster
    /// with this id.
    pub fn new(store: Store, cluster_id: impl Into<String>, (index, embedder): (Index, Embedder)) -> Self {
        let (is_filling, is_indexed) = (Arc::default(), Arc::default());
        Self { store, cluster_id: cluster_id.into(), index, embedder, is_filling, is_indexed }
    }

    /// Makes sure that the collection is there and that the offsets are those of what it holds: one that is not there, or of
    /// another model than the one that is searched, is filled from the beginning.
    async fn prepare(&self) -> Result<(), SinkError> {
        let (name, sink) = (self.index.collection(), Self::NAME);
        let is_there = self.index.is_there().await.map_err(of_index)?;
        let aliased = if is_there { self.index.aliased().await.map_err(of_index)? } else { None };
        let filling = self.store.filling(name, sink).await.map_err(of_state)?;
        let is_other = aliased.as_deref().is_some_and(|aliased| aliased != name);
        if !is_there || (is_other && filling == Filling::None) {
            warn!(sink, collection = name, "filling a collection from the beginning");
            self.store.begin_filling(name, sink).await.map_err(of_state)?;
        }
        if !is_there {
            self.index.create().await.map_err(of_index)?;
        } else if aliased.is_none() {
            self.index.take_alias().await.map_err(of_index)?;
        }
        if !self.is_indexed.load(Ordering::Relaxed) {
            // It may have been made by an older release.
            self.index.index_fields().await.map_err(of_index)?;
            self.is_indexed.store(true, Ordering::Relaxed);
        }
        self.is_filling.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Moves the alias to the collection once that holds what was there before.
    async fn confirm(&self) -> Result<(), SinkError> {
        let (name, sink) = (self.index.collection(), Self::NAME);
        match self.store.filling(name, sink).await.map_err(of_state)? {
            Filling::Behind => return Ok(()),
            Filling::None => {}
            Filling::Done => {
                self.index.take_alias().await.map_err(of_index)?;
                self.store.end_filling(name, sink).await.map_err(of_state)?;
                info!(sink, collection = name, "the collection is filled, and searched from now on");
            }
        }
        self.is_filling.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Writes records that follow one another, and commits `end_offset`.
    async fn write_slice(
        &self,
        batch: &SinkBatch,
        records: &[SinkRecord],
        end_offset: i64,
    ) -> Result<(), SinkError> {
        let all: Vec<&SinkRecord> = records.iter().collect();
        let vectors = self.vectors(&all).await?;
        let bounds = BatchBounds { end_offset, ..batch.bounds(Self::NAME) };
        let Opened::Batch(mut open) = self.store.open_batch(&bounds).await.map_err(of_state)? else {
            return Ok(());
        };
        let begin_offset = open.begin_offset();
        let fresh: Vec<&SinkRecord> =
            all.into_iter().filter(|record| offset(record) >= begin_offset).collect();
        let changes = changes::of_records(&mut open, &fresh, &vectors).await?;
        match self.index.apply(&changes).await {
            Ok(()) => {}
            Err(error @ Error::Refused { .. }) => {
                open.abandon().await.map_err(of_state)?;
                return Err(self.refused(batch, &fresh, (&vectors, error)).await);
            }
            Err(error) => return Err(of_index(error)),
        }
        for record in fresh {
            if let SinkRecord::DeadLetter(letter) = record {
                let letter = state::accept_dead_letter(letter.as_ref().clone());
                open.append_outbox(DEAD_LETTERS, &letter).await.map_err(of_state)?;
            }
        }
        open.commit().await.map_err(of_state)
    }

    /// The vectors of all that the records may put. A record with a text that the endpoint refuses can never be indexed.
    async fn vectors(&self, records: &[&SinkRecord]) -> Result<Vectors, SinkError> {
        match self.embedder.vectors(&vectors::texts(records)).await {
            Ok(vectors) => Ok(vectors),
            Err(EmbedError::State(error)) => Err(SinkError::of_state("vectors of texts", error)),
            Err(EmbedError::Text { text, source }) => {
                let holder = records.iter().find(|record| vectors::has(record, &text));
                Err(SinkError::Poison {
                    offset: holder.map_or(0, |record| offset(record)),
                    reason: "refused_by_embeddings",
                    detail: source.to_string(),
                })
            }
            // Whatever an endpoint does, somebody can mend it: nothing is lost, and this sink alone waits.
            Err(EmbedError::Endpoint(error)) => {
                Err(SinkError::Transient { what: "vectors of texts", source: Box::new(error) })
            }
        }
    }

    /// Tries each record by itself, to find the one that Qdrant refuses. What it takes is written, and written again later.
    /// A collection that is not ours any more refuses everything: no record is blamed for that.
    async fn refused(
        &self,
        batch: &SinkBatch,
        records: &[&SinkRecord],
        (vectors, error): (&Vectors, Error),
    ) -> SinkError {
        match self.index.is_there().await {
            Ok(true) => {}
            Ok(false) => return of_index(Error::Gone { collection: self.index.collection().to_owned() }),
            Err(error) => return of_index(error),
        }
        for record in records {
            let bounds = BatchBounds { end_offset: batch.next_offset, ..batch.bounds(Self::NAME) };
            let mut open = match self.store.open_batch(&bounds).await {
                Ok(Opened::Batch(open)) => open,
                Ok(Opened::Written) => break,
                Err(error) => return of_state(error),
            };
            let changes = match changes::of_records(&mut open, &[record], vectors).await {
                Ok(changes) => changes,
                Err(error) => return error,
            };
            match self.index.apply(&changes).await {
                Ok(()) => {}
                Err(Error::Refused { detail, .. }) => {
                    return SinkError::Poison { offset: offset(record), reason: "refused_by_qdrant", detail };
                }
                Err(error) => return of_index(error),
            }
        }
        of_index(error)
    }
}

impl Sink for QdrantSink {
    const NAME: &'static str = "qdrant_sink";

    fn inputs(&self) -> Vec<InputSpec> {
        vec![MESSAGES, THREADS, READY, BLOCKED]
    }

    async fn claim(&self, partition: &PartitionId) -> Result<Claim, SinkError> {
        self.prepare().await?;
        let claimed = self.store.claim(&partition.of_sink(Self::NAME), &self.cluster_id).await;
        claimed.map(Claim::from).map_err(|error| SinkError::of_state("the claim of a partition", error))
    }

    async fn write(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        accept::all(&batch.records)?;
        for slice in slices(&batch.records) {
            let is_last = slice.end == batch.records.len();
            let next = batch.records.get(slice.end).map(offset);
            let end_offset = next.filter(|_| !is_last).unwrap_or(batch.next_offset);
            self.write_slice(batch, &batch.records[slice], end_offset).await?;
        }
        if self.is_filling.load(Ordering::Relaxed) { self.confirm().await } else { Ok(()) }
    }
}

/// Records that follow one another with about so many messages each; one slice at least, which may be empty.
fn slices(records: &[SinkRecord]) -> Vec<std::ops::Range<usize>> {
    let (mut slices, mut begin, mut messages) = (Vec::new(), 0, 0);
    for (at, record) in records.iter().enumerate() {
        let count = points(record);
        if messages > 0 && messages + count > SLICE_MESSAGES {
            slices.push(begin..at);
            (begin, messages) = (at, 0);
        }
        messages += count;
    }
    slices.push(begin..records.len());
    slices
}

fn points(record: &SinkRecord) -> usize {
    let SinkRecord::Decoded { record, .. } = record else { return 0 };
    let record = record.as_any();
    if let Some(ingested) = record.downcast_ref::<GroupMessageIngested>() {
        return ingested.messages.len();
    }
    let completed = record.downcast_ref::<DigestStageCompleted>();
    completed.and_then(|completed| completed.state.threads.as_ref()).map_or(1, |found| found.threads.len())
}

fn offset(record: &SinkRecord) -> i64 {
    match record {
        SinkRecord::Decoded { source, .. } => source.offset,
        SinkRecord::DeadLetter(letter) => letter.offset,
    }
}

fn of_state(error: state::Error) -> SinkError {
    SinkError::of_state("the offset of the index", error)
}

/// A collection that is gone ends the unit, which is started again a moment later and makes it.
fn of_index(error: Error) -> SinkError {
    match error {
        Error::Gone { .. } => SinkError::Fatal(format!("{error} any more: it is made again and filled")),
        error if error.is_transient() => SinkError::Transient { what: "the index", source: Box::new(error) },
        error => SinkError::Fatal(error.to_string()),
    }
}
