//! Delivers digests to Telegram: posted once, edited in place from then on.
//!
//! Invariant: an effect is in the ledger before it is done, and how it ended is there before the offset passes it. What may
//! have been posted is never posted again: it is `unknown` until an operator says what became of it. While a part of a batch
//! has to wait, what comes before it is passed.

mod answer;
mod api;
mod copies;
mod job;
mod keyboard;
mod membership;
mod muting;
mod only_for;
mod pass;
mod post;
mod pursuit;
mod record;
mod rich;
mod target;

pub use api::BotApi;
pub use target::is_target;

use answer::Answer;
use delivery::{BLOCKED, READY, blocked, effects::Call, put_dead_letter, ready};
use job::Job;
use pass::{Pass, Progress};
use runtime::{Claim, InputSpec, PartitionId, Sink, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestReadyForDelivery, GroupCommandAnswered};
use state::{Batch, BatchBounds, Delivery, Opened, Store, VERSIONS_KEPT};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// Name of the channel.
const CHANNEL: &str = "telegram";

/// The input of what is said to people who wrote a command.
const ANSWERED: InputSpec = InputSpec::of::<GroupCommandAnswered>("answered");

/// Answers by window, target, version and part.
type Answers = BTreeMap<(String, String, String, i32), (Call, Answer)>;

/// The sink.
#[derive(Debug, Clone)]
pub struct TelegramSink {
    store: Store,
    cluster_id: String,
    api: BotApi,
    versions_kept: u32,
    /// What was answered and could not be written down, since the database was away.
    unwritten: Arc<Mutex<Answers>>,
}

impl TelegramSink {
    /// A sink that posts by `api`, with its ledger in `store`, for the records of the Kafka cluster with this id.
    pub fn new(store: Store, cluster_id: impl Into<String>, api: BotApi) -> Self {
        let (cluster_id, versions_kept) = (cluster_id.into(), VERSIONS_KEPT);
        Self { store, cluster_id, api, versions_kept, unwritten: Arc::default() }
    }

    /// Remembers so many versions of each window, the newest of them. Default: [`VERSIONS_KEPT`].
    #[must_use]
    pub fn keeping(self, versions_kept: u32) -> Self {
        Self { versions_kept, ..self }
    }

    /// The batch's transaction; `None` for one that is written already.
    async fn open(&self, batch: &SinkBatch) -> Result<Option<Box<Batch>>, SinkError> {
        match self.store.open_batch(&batch.bounds(Self::NAME)).await.map_err(failed)? {
            Opened::Batch(open) => Ok(Some(open)),
            Opened::Written => Ok(None),
        }
    }

    async fn deliver(
        &self,
        batch: &SinkBatch,
        (ready, offset): (&DigestReadyForDelivery, i64),
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        if !ready.channels.iter().any(|channel| channel == CHANNEL) {
            return Ok(Progress::Ended);
        }
        let delivery = Job::delivery(ready, offset)?;
        let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
        if self.is_muted(&mut open, ready, &delivery).await? {
            open.commit_without_offset().await.map_err(failed)?;
            return Ok(Progress::Ended);
        }
        let before = open.stated_before(&delivery).await.map_err(failed)?;
        open.abandon().await.map_err(failed)?;
        let job = Job::of_ready(ready, (delivery, before), self.versions_kept);
        self.carry_out(batch, (job, &ready.delivery_payload.language), pass).await
    }

    async fn answer(
        &self,
        batch: &SinkBatch,
        answered: &GroupCommandAnswered,
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        if answered.channel != CHANNEL {
            return Ok(Progress::Ended);
        }
        self.pursue(batch, &Job::of_answer(answered, self.versions_kept), pass).await
    }

    /// Edits what was posted of older versions, wherever that was; who asked in a chat is told why there is none.
    async fn withdraw(
        &self,
        batch: &SinkBatch,
        blocked: &DigestBlocked,
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        let digest_id = schemas::digest_id(&blocked.window_id, &blocked.version);
        let Some(delivery) = delivery::of_blocked(blocked, &digest_id, (CHANNEL, "")) else {
            return Ok(Progress::Ended);
        };
        if blocked.window.is_asked_in_chat() {
            let chat = blocked.window.settings.chat.as_deref().unwrap_or_default();
            let job = Job::of_refusal(blocked, Delivery { chat, ..delivery }, self.versions_kept);
            return self.carry_out(batch, (job, &blocked.window.settings.language), pass).await;
        }
        let mut progress = Progress::Ended;
        for chat in self.begin_withdrawal(batch, blocked, &delivery).await? {
            let of_chat = Delivery { chat: &chat, ..delivery };
            let job = Job::of_blocked(&blocked.window, of_chat, self.versions_kept);
            if let Progress::Later(why) = self.pursue(batch, &job, pass).await? {
                progress = Progress::Later(why);
            }
        }
        Ok(progress)
    }

    /// Writes down that a version was blocked, for every target that the window's digests go or went to.
    async fn begin_withdrawal(
        &self,
        batch: &SinkBatch,
        blocked: &DigestBlocked,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<String>, SinkError> {
        let Some(mut open) = self.open(batch).await? else { return Ok(Vec::new()) };
        let mut chats = open.chats(delivery).await.map_err(failed)?;
        let settings = &blocked.window.settings;
        if settings.channels.iter().any(|channel| channel == CHANNEL) {
            chats.push(settings.chat.clone().unwrap_or_default());
        }
        chats.sort_unstable();
        chats.dedup();
        for chat in &chats {
            open.mark_blocked(&Delivery { chat, ..*delivery }).await.map_err(failed)?;
        }
        open.commit_without_offset().await.map_err(failed)?;
        Ok(chats)
    }

    /// Commits dead letters before `end_offset`, and this offset.
    async fn finish(&self, batch: &SinkBatch, end_offset: i64) -> Result<(), SinkError> {
        let bounds = BatchBounds { end_offset, ..batch.bounds(Self::NAME) };
        let Opened::Batch(mut open) = self.store.open_batch(&bounds).await.map_err(failed)? else {
            return Ok(());
        };
        let begin_offset = open.begin_offset();
        for record in &batch.records {
            if let SinkRecord::DeadLetter(letter) = record
                && (begin_offset..end_offset).contains(&letter.offset)
            {
                put_dead_letter(&mut open, letter).await.map_err(failed)?;
            }
        }
        open.commit().await.map_err(failed)
    }
}

impl Sink for TelegramSink {
    const NAME: &'static str = "telegram_sink";
    const CHANNEL: Option<&'static str> = Some(CHANNEL);

    fn inputs(&self) -> Vec<InputSpec> {
        vec![READY, BLOCKED, ANSWERED]
    }

    fn breaker(&self) -> Option<(&'static str, bool)> {
        Some((CHANNEL, self.api.is_left_alone()))
    }

    async fn claim(&self, partition: &PartitionId) -> Result<Claim, SinkError> {
        let claimed = self.store.claim(&partition.of_sink(Self::NAME), &self.cluster_id).await;
        claimed.map(Claim::from).map_err(|error| SinkError::of_state("the claim of a partition", error))
    }

    async fn write(&self, batch: &SinkBatch) -> Result<(), SinkError> {
        let Some(mut open) = self.open(batch).await? else { return Ok(()) };
        let (begin_offset, past) = (open.begin_offset(), past(&mut open, batch).await.map_err(failed)?);
        open.abandon().await.map_err(failed)?;
        let (mut pass, mut later) = (Pass::begin(), None);
        for record in &batch.records {
            let SinkRecord::Decoded { source, .. } = record else { continue };
            let offset = source.offset;
            if offset < begin_offset || past.contains(&offset) {
                continue;
            }
            let progress = if let Some((ready, offset)) = ready(record) {
                let own = self.deliver(batch, (ready, offset), &mut pass).await?;
                match (own, self.deliver_copies(batch, (ready, offset), &mut pass).await?) {
                    (Progress::Later(why), _) => Progress::Later(why),
                    (_, copied) => copied,
                }
            } else if let Some((blocked, _)) = blocked(record) {
                self.withdraw(batch, blocked, &mut pass).await?
            } else if let Some(answered) = answered(record) {
                self.answer(batch, answered, &mut pass).await?
            } else {
                continue;
            };
            // A target that has to wait does not hold up the others.
            if let Progress::Later(why) = progress {
                later.get_or_insert((offset, why));
            }
        }
        let Some((offset, why)) = later else { return self.finish(batch, batch.next_offset).await };
        if offset > begin_offset {
            self.finish(batch, offset).await?;
        }
        Err(SinkError::Transient { what: "messages to Telegram", source: why.into() })
    }
}

/// Offsets of digests, and of refusals, that the tenant's retention took: what was posted of them is not known any more.
async fn past(open: &mut Batch, batch: &SinkBatch) -> Result<BTreeSet<i64>, state::Error> {
    let mut past = BTreeSet::new();
    for record in &batch.records {
        let of = ready(record).map(|(it, offset)| (&it.tenant_id, &it.window, offset));
        let of = of.or_else(|| blocked(record).map(|(it, offset)| (&it.tenant_id, &it.window, offset)));
        if let Some((tenant_id, window, offset)) = of
            && open.is_past(tenant_id, window).await?
        {
            past.insert(offset);
        }
    }
    Ok(past)
}

fn answered(record: &SinkRecord) -> Option<&GroupCommandAnswered> {
    let SinkRecord::Decoded { record, .. } = record else { return None };
    record.as_any().downcast_ref()
}

fn failed(error: state::Error) -> SinkError {
    SinkError::of_state("the ledger of messages", error)
}
