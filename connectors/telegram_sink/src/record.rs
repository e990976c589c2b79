//! Writes down how a call ended, and says what came of the delivery, in one transaction.
//!
//! Invariant: a delivery is said to have succeeded in the transaction that calls its last part sent, and to have failed in
//! the one that calls a part of it failed.

use crate::{
    TelegramSink,
    answer::Answer,
    failed,
    job::{Job, Way},
    pursuit::{Known, Turn},
    target::{ephemeral, reference},
};
use delivery::{
    DELIVERED, Ended, delivered,
    effects::{Call, CallKind, Outcome, Step, decide, newest_past, to_withdraw},
    now_ms,
};
use runtime::{SinkBatch, SinkError, config::Unknown};
use state::{Batch, Delivery, DeliveryStatus, Effect, EffectState};
use std::{collections::BTreeMap, sync::PoisonError};
use tracing::warn;

/// How to go on, or why that has to wait.
type Next = Result<Turn, String>;

impl TelegramSink {
    /// Writes down what was answered. An answer to a new message is kept where the database is away, and written down when
    /// it is back.
    pub(crate) async fn write_down(
        &self,
        batch: &SinkBatch,
        job: &Job<'_>,
        (call, answer): (Call, Answer),
    ) -> Result<Next, SinkError> {
        let written = self.try_to_write_down(batch, job, (&call, &answer)).await;
        if written.is_err() {
            let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            unwritten.insert(key(job, call.part), (call, answer));
        }
        written
    }

    /// A call was begun and the ledger does not know how it ended: this process may, else nobody does.
    pub(crate) async fn settle_lost(
        &self,
        batch: &SinkBatch,
        job: &Job<'_>,
        part: i32,
    ) -> Result<(), SinkError> {
        let kept = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(job, part));
        let nobody_knows = || {
            let call = Call { part, kind: CallKind::Post { reply_to: None } };
            (call, Answer::Lost("the sink ended before it knew".to_owned()))
        };
        self.write_down(batch, job, kept.unwrap_or_else(nobody_knows)).await.map(drop)
    }

    async fn try_to_write_down(
        &self,
        batch: &SinkBatch,
        job: &Job<'_>,
        (call, answer): (&Call, &Answer),
    ) -> Result<Next, SinkError> {
        let Some(mut open) = self.open(batch).await? else { return Ok(Ok(Turn::AsAsked)) };
        let next = self.mark(&mut open, job, (call, answer)).await?;
        open.commit_without_offset().await.map_err(failed)?;
        Ok(next)
    }

    async fn mark(
        &self,
        open: &mut Batch,
        job: &Job<'_>,
        (call, answer): (&Call, &Answer),
    ) -> Result<Next, SinkError> {
        let at = (call.part, call.reference());
        let as_asked = Ok(Turn::AsAsked);
        match answer {
            Answer::Done(id) => {
                let known = open.target(&job.delivery).await.map_err(failed)?;
                let reference = match job.way {
                    Way::Ephemeral => ephemeral(*id),
                    Way::Plain | Way::Private | Way::Notice => reference(*id, known.moved_to.as_deref()),
                };
                self.done(open, job, (call.part, &reference)).await.map(|()| as_asked)
            }
            Answer::NotModified => self
                .done(open, job, (call.part, call.reference().unwrap_or_default()))
                .await
                .map(|()| as_asked),
            Answer::Entities(_) => not_done(open, job, call).await.map(|()| Ok(Turn::Plain)),
            Answer::TooMany(wait) => {
                let known = open.target(&job.delivery).await.map_err(failed)?;
                if let Ok(target) = job.target(&known) {
                    self.api.hold(&target, *wait);
                }
                not_done(open, job, call).await.map(|()| Err(format!("Telegram asks to wait for {wait:.0?}")))
            }
            Answer::Later(why) => not_done(open, job, call).await.map(|()| Err(why.clone())),
            Answer::BadToken(why) => {
                let why = format!("the bot's token in telegram.token is refused: {why}");
                not_done(open, job, call).await.map(|()| Err(why))
            }
            Answer::Moved(to) => {
                open.move_target(&job.delivery, &to.to_string()).await.map_err(failed)?;
                // What was to be edited is in the chat that was left.
                put(open, job, (call.part, None), (DeliveryStatus::Planned, None)).await.map(|()| as_asked)
            }
            Answer::NoChat(why) if job.is_in_a_private_chat() => {
                self.end_copies(open, &job.delivery, why).await?;
                self.fail(open, job, at, why).await.map(|()| as_asked)
            }
            Answer::NoChat(why) => {
                warn!(tenant = job.delivery.tenant_id, group = job.delivery.group_id, why, "target disabled");
                open.disable_target(&job.delivery, why).await.map_err(failed)?;
                self.fail(open, job, at, why).await.map(|()| as_asked)
            }
            Answer::Uneditable(why) => match &call.kind {
                CallKind::Edit { reference } => {
                    let kind = CallKind::Post { reply_to: Some(reference.clone()) };
                    Ok(Ok(Turn::Correction(Call { part: call.part, kind })))
                }
                // What is left of a longer version stays.
                CallKind::Blank { reference } => {
                    self.done(open, job, (call.part, reference)).await.map(|()| as_asked)
                }
                CallKind::Post { .. } => self.fail(open, job, at, why).await.map(|()| as_asked),
            },
            Answer::Refused(why) => self.fail(open, job, at, why).await.map(|()| as_asked),
            Answer::Lost(why) if call.reference().is_some() => Ok(Err(why.clone())),
            Answer::Lost(why) if self.lets_resend(open, job, call).await? => {
                let (tenant, group, digest) =
                    (job.delivery.tenant_id, job.delivery.group_id, job.delivery.digest_id);
                warn!(
                    tenant,
                    group, digest, why, "nobody knows whether a message was posted: it is posted again"
                );
                Ok(as_asked)
            }
            Answer::Lost(why) => {
                put(open, job, at, (DeliveryStatus::Unknown, Some(why))).await.map(|()| as_asked)
            }
        }
    }

    /// Of a digest alone, once for each part, and where the operator would rather have it twice than never.
    async fn lets_resend(&self, open: &mut Batch, job: &Job<'_>, call: &Call) -> Result<bool, SinkError> {
        if self.api.unknown == Unknown::Keep || !(job.is_digest() || job.is_copy()) {
            return Ok(false);
        }
        open.resend_effect(&job.part(call.part)).await.map_err(failed)
    }

    async fn done(
        &self,
        open: &mut Batch,
        job: &Job<'_>,
        (part, reference): (i32, &str),
    ) -> Result<(), SinkError> {
        put(open, job, (part, Some(reference)), (job.wanted.done, None)).await?;
        let known = Known::of(open, job).await?;
        if decide(&known.effects, &job.wanted(&known.effects)) != Step::Done(Outcome::Done) {
            return Ok(());
        }
        open.put_stated(&job.delivery, job.stated.as_deref()).await.map_err(failed)?;
        if job.is_digest() {
            say(open, &job.delivery, Ended::Success).await?;
        } else if job.is_undelivered() {
            let why = "the bot may not write to the one who asked, which the chat was told";
            say(open, &job.delivery, Ended::Failed(why)).await?;
        } else if job.is_blocked() {
            withdraw_older(open, job).await?;
        }
        if let Some(newest) = newest_past(&known.effects, self.versions_kept) {
            open.forget_effects(&job.delivery, &newest).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Writes down that a part failed for good, and says so of a digest.
    pub(crate) async fn fail(
        &self,
        open: &mut Batch,
        job: &Job<'_>,
        at: (i32, Option<&str>),
        why: &str,
    ) -> Result<(), SinkError> {
        put(open, job, at, (DeliveryStatus::Failed, Some(why))).await?;
        if job.is_digest() {
            say(open, &job.delivery, Ended::Failed(why)).await?;
        }
        Ok(())
    }
}

fn key(job: &Job<'_>, part: i32) -> (String, String, String, i32) {
    let of = &job.delivery;
    (of.window_id.to_owned(), of.chat.to_owned(), of.version.to_string(), part)
}

async fn put(
    open: &mut Batch,
    job: &Job<'_>,
    (part, reference): (i32, Option<&str>),
    (status, error): (DeliveryStatus, Option<&str>),
) -> Result<(), SinkError> {
    let state = EffectState { status, reference, error };
    open.put_effect(&job.part(part), &state).await.map_err(failed)
}

/// A new message was not posted. An edit stays begun: it is done again, whether or not it was done.
async fn not_done(open: &mut Batch, job: &Job<'_>, call: &Call) -> Result<(), SinkError> {
    match call.kind {
        CallKind::Post { .. } => put(open, job, (call.part, None), (DeliveryStatus::Planned, None)).await,
        CallKind::Edit { .. } | CallKind::Blank { .. } => Ok(()),
    }
}

async fn say(open: &mut Batch, delivery: &Delivery<'_>, ended: Ended<'_>) -> Result<(), SinkError> {
    let event = delivered(delivery, ended, now_ms());
    open.append_outbox(DELIVERED, &event).await.map_err(failed)
}

/// Calls older versions withdrawn, and says so of those that were said to be delivered.
async fn withdraw_older(open: &mut Batch, job: &Job<'_>) -> Result<(), SinkError> {
    let by = job.delivery.version;
    let ledger = open.effects(&job.delivery).await.map_err(failed)?;
    let mut versions: BTreeMap<_, Vec<&Effect>> = BTreeMap::new();
    for effect in to_withdraw(&ledger, by) {
        versions.entry(effect.version).or_default().push(effect);
    }
    for (version, parts) in versions {
        let is_whole = parts.iter().all(|part| part.status == DeliveryStatus::Sent);
        for part in &parts {
            let state = EffectState {
                status: DeliveryStatus::Withdrawn,
                reference: part.reference.as_deref(),
                error: None,
            };
            let of_part = Delivery { version, digest_id: &part.digest_id, ..job.part(part.part) };
            open.put_effect(&of_part, &state).await.map_err(failed)?;
        }
        if let Some(first) = parts.first().filter(|_| is_whole) {
            let delivery = Delivery { version, digest_id: &first.digest_id, ..job.delivery };
            say(open, &delivery, Ended::Withdrawn(Some(by))).await?;
        }
    }
    Ok(())
}
