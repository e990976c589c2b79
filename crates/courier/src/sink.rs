//! The sink of a door: it plans, and a courier beside it delivers.
//!
//! Invariant: what is planned of a batch, the ledger and the offset are one transaction, which waits for no target.

use crate::{
    Door, Kind,
    judge::{self, Judged},
    round::Courier,
};
use delivery::{
    BLOCKED, DELIVERED, Ended, READY, blocked, delivered, effects::newest_past, now_ms, put_dead_letter,
    ready,
};
use runtime::{Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery};
use state::{Batch, Delivery, DeliveryStatus, Effect, EffectState, Opened, Store, ToQueue, VERSIONS_KEPT};
use std::sync::Arc;

/// The sink of a door.
#[derive(Debug)]
pub struct DoorSink<D: Door> {
    store: Store,
    cluster_id: String,
    door: Arc<D>,
    versions_kept: u32,
    courier: Courier<D>,
}

impl<D: Door> DoorSink<D> {
    /// A sink that delivers by `door`, with its queue and ledger in `store`, for the records of the Kafka cluster with this id.
    /// `worker` is the name of this process, which it has again when it is started again.
    pub fn new(store: Store, cluster_id: impl Into<String>, (door, worker): (D, &str)) -> Self {
        let door = Arc::new(door);
        let courier = Courier::new(store.clone(), Arc::clone(&door), worker);
        Self { store, cluster_id: cluster_id.into(), door, versions_kept: VERSIONS_KEPT, courier }
    }

    /// Remembers so many versions of each window, the newest of them. Default: [`VERSIONS_KEPT`].
    #[must_use]
    pub fn keeping(self, versions_kept: u32) -> Self {
        self.courier.keep(versions_kept);
        Self { versions_kept, ..self }
    }

    /// Tries what is due, each once, and waits until that is over; for tests, which do without the courier's own rounds.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn try_what_is_due(&self) -> Result<usize, state::Error> {
        self.courier.try_what_is_due().await
    }

    /// Plans a batch, and delivers nothing.
    ///
    /// # Errors
    /// Those of [`Sink::write`].
    pub async fn plan(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        let opened = self.store.open_batch(&batch.bounds(D::NAME)).await.map_err(failed)?;
        let Opened::Batch(mut open) = opened else { return Ok(()) };
        let begin_offset = open.begin_offset();
        for record in &batch.records {
            match record {
                SinkRecord::DeadLetter(letter) if letter.offset >= begin_offset => {
                    put_dead_letter(&mut open, letter).await.map_err(failed)?;
                }
                SinkRecord::Decoded { source, .. } if source.offset >= begin_offset => {
                    if let Some((digest, offset)) = ready(record) {
                        self.plan_ready(&mut open, digest, (offset, source.append_time_ms)).await?;
                    } else if let Some((version, _)) = blocked(record) {
                        self.plan_blocked(&mut open, version, source.append_time_ms).await?;
                    }
                }
                SinkRecord::DeadLetter(_) | SinkRecord::Decoded { .. } => {}
            }
        }
        open.commit().await.map_err(failed)
    }

    async fn plan_ready(
        &self,
        open: &mut Batch,
        ready: &DigestReadyForDelivery,
        (offset, appended_ms): (i64, i64),
    ) -> Result<(), SinkError> {
        let is_ours = ready.channels.iter().any(|channel| channel == D::CHANNEL);
        if !is_ours || open.is_past(&ready.tenant_id, &ready.window).await.map_err(failed)? {
            return Ok(());
        }
        let delivery = delivery::of_ready(ready, offset, (D::CHANNEL, ""))?;
        let targets = self.door.targets(open, (&ready.tenant_id, &ready.group_id)).await.map_err(failed)?;
        if targets.is_empty() {
            return self.fail(open, &delivery).await;
        }
        // It was made before the deletion: it may hold words that were erased since.
        let is_erased = open.tells_of_erased(ready).await.map_err(failed)?;
        let payload = self.door.digest(ready, appended_ms);
        for chat in &targets {
            let delivery = Delivery { chat, ..delivery };
            open.hold_queued(&delivery).await.map_err(failed)?;
            let ledger = open.effects(&delivery).await.map_err(failed)?;
            let judged = match judge::of_ready(&ledger, delivery.version, self.versions_kept) {
                Judged::Queue if is_erased => Judged::Mark(DeliveryStatus::Superseded),
                judged => judged,
            };
            let wanted = ToQueue { delivery, kind: None, payload: &payload, appended_ms };
            self.carry_out(open, &wanted, (judged, &ledger)).await?;
        }
        Ok(())
    }

    /// Tells every target that may have an older version.
    async fn plan_blocked(
        &self,
        open: &mut Batch,
        blocked: &DigestBlocked,
        appended_ms: i64,
    ) -> Result<(), SinkError> {
        let digest_id = schemas::digest_id(&blocked.window_id, &blocked.version);
        let Some(delivery) = delivery::of_blocked(blocked, &digest_id, (D::CHANNEL, "")) else {
            return Ok(());
        };
        if open.is_past(&blocked.tenant_id, &blocked.window).await.map_err(failed)? {
            return Ok(());
        }
        let mut chats = open.chats(&delivery).await.map_err(failed)?;
        if blocked.window.settings.channels.iter().any(|channel| channel == D::CHANNEL) {
            let of = (&*blocked.tenant_id, &*blocked.group_id);
            chats.extend(self.door.targets(open, of).await.map_err(failed)?);
        }
        chats.sort_unstable();
        chats.dedup();
        let payload = self.door.withdrawal(blocked, appended_ms);
        for chat in &chats {
            let delivery = Delivery { chat, ..delivery };
            let queued = open.hold_queued(&delivery).await.map_err(failed)?;
            let ledger = open.effects(&delivery).await.map_err(failed)?;
            open.mark_blocked(&delivery).await.map_err(failed)?;
            for older in judge::planned_before(&ledger, delivery.version) {
                mark(open, (&delivery, older), DeliveryStatus::Withdrawn).await?;
            }
            match judge::of_blocked(&ledger, delivery.version) {
                Judged::Queue => {
                    let kind = Some(Kind::Withdrawn.as_str());
                    let wanted = ToQueue { delivery, kind, payload: &payload, appended_ms };
                    self.carry_out(open, &wanted, (Judged::Queue, &[])).await?;
                }
                Judged::Mark(_) | Judged::Nothing => {
                    if queued.is_some_and(|queued| queued < delivery.version) {
                        open.drop_queued(&delivery).await.map_err(failed)?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        open: &mut Batch,
        wanted: &ToQueue<'_>,
        (judged, ledger): (Judged, &[Effect]),
    ) -> Result<(), SinkError> {
        let delivery = &wanted.delivery;
        match judged {
            Judged::Nothing => return Ok(()),
            Judged::Mark(status) => open.mark_delivery(delivery, status, None).await.map_err(failed)?,
            Judged::Queue => {
                for older in judge::planned_before(ledger, delivery.version) {
                    mark(open, (delivery, older), DeliveryStatus::Superseded).await?;
                }
                open.mark_delivery(delivery, DeliveryStatus::Planned, None).await.map_err(failed)?;
                open.queue(wanted).await.map_err(failed)?;
            }
        }
        if let Some(newest) = newest_past(ledger, self.versions_kept) {
            open.forget_effects(delivery, &newest).await.map_err(failed)?;
        }
        Ok(())
    }

    /// A digest of a group without a target.
    async fn fail(&self, open: &mut Batch, delivery: &Delivery<'_>) -> Result<(), SinkError> {
        let ledger = open.effects(delivery).await.map_err(failed)?;
        if judge::own(&ledger, delivery.version).next().is_some() {
            return Ok(());
        }
        let failure = Some(D::NO_TARGET);
        open.mark_delivery(delivery, DeliveryStatus::Failed, failure).await.map_err(failed)?;
        let event = delivered(delivery, Ended::Failed(D::NO_TARGET), now_ms());
        open.append_outbox(DELIVERED, &event).await.map_err(failed)
    }
}

/// Writes how an older version stands.
async fn mark(
    open: &mut Batch,
    (delivery, older): (&Delivery<'_>, &Effect),
    status: DeliveryStatus,
) -> Result<(), SinkError> {
    let of_older = Delivery { version: older.version, digest_id: &older.digest_id, ..*delivery };
    let state = EffectState { status, reference: None, error: None };
    open.put_effect(&of_older, &state).await.map_err(failed)
}

impl<D: Door> Sink for DoorSink<D> {
    const NAME: &'static str = D::NAME;
    const CHANNEL: Option<&'static str> = Some(D::CHANNEL);
    const DELIVERS_LATER: bool = true;

    fn inputs(&self) -> Vec<InputSpec> {
        vec![READY, BLOCKED]
    }

    fn breaker(&self) -> Option<(&'static str, bool)> {
        self.door.breaker()
    }

    fn delivered(&self) -> Vec<f64> {
        self.courier.waited()
    }

    async fn claim(&self, partition: &PartitionId) -> Result<Claim, SinkError> {
        self.courier.begin();
        let claimed = self.store.claim(&partition.of_sink(D::NAME), &self.cluster_id).await;
        claimed.map(Claim::from).map_err(|error| SinkError::of_state("the claim of a partition", error))
    }

    async fn write(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        self.plan(batch).await?;
        self.courier.wake();
        Ok(())
    }
}

fn failed(error: state::Error) -> SinkError {
    SinkError::of_state("the queue of deliveries", error)
}
