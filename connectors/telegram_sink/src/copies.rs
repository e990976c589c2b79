//! A group's digest in the private chats of those who have subscribed to it.
//!
//! Invariant: each copy is a delivery of its own in the ledger, posted once and edited from then on, also where its reader has
//! unsubscribed since: what was deleted in the group does not stay in a private chat. Before the first post of
//! a window Telegram is asked whether the person is still in the group's chat. What becomes of copies is in the ledger;
//! `digest.delivered` speaks of the group's own chat.

use crate::{
    CHANNEL, TelegramSink, failed,
    job::Job,
    pass::{Pass, Progress},
};
use delivery::now_ms;
use runtime::{SinkBatch, SinkError};
use schemas::DigestReadyForDelivery;
use state::{Batch, Delivery, Subscriber, Subscription, SubscriptionEnd};
use tracing::warn;

/// Why a subscription has ended of a person who is not in the chat any more.
const GONE: &str = "the person has left the group's chat";

impl TelegramSink {
    /// Delivers a digest to each subscriber, and corrects what those have who were. One who has to wait does not hold up the
    /// others.
    pub(crate) async fn deliver_copies(
        &self,
        batch: &SinkBatch,
        (ready, offset): (&DigestReadyForDelivery, i64),
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        if ready.window.is_asked() || !ready.channels.iter().any(|channel| channel == CHANNEL) {
            return Ok(Progress::Ended);
        }
        let group = (&*ready.tenant_id, &*ready.group_id);
        let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
        let subscribers = open.subscribers(group, ready.window.window_end).await.map_err(failed)?;
        let posted = open.chats(&Job::delivery(ready, offset)?).await.map_err(failed)?;
        open.abandon().await.map_err(failed)?;
        let mut progress = Progress::Ended;
        let is_own = |chat: &str| ready.window.settings.chat.as_deref() == Some(chat);
        let of_subscribers: Vec<String> = subscribers.iter().map(|it| it.person_id.to_string()).collect();
        // Groups have numbers below zero, or names.
        let is_former = |chat: &&String| {
            chat.parse::<i64>().is_ok_and(|number| number > 0)
                && !of_subscribers.contains(chat)
                && !is_own(chat)
        };
        for chat in posted.iter().filter(is_former) {
            let delivery = Delivery { chat, ..Job::delivery(ready, offset)? };
            if let Progress::Later(why) = self.correct_copy(batch, (ready, delivery), pass).await? {
                progress = Progress::Later(why);
            }
        }
        for (subscriber, chat) in subscribers.iter().zip(&of_subscribers) {
            if is_own(chat) {
                continue;
            }
            let delivery = Delivery { chat, ..Job::delivery(ready, offset)? };
            let copied = self.deliver_copy(batch, (ready, delivery, subscriber), pass).await?;
            if let Progress::Later(why) = copied {
                progress = Progress::Later(why);
            }
        }
        Ok(progress)
    }

    async fn deliver_copy(
        &self,
        batch: &SinkBatch,
        (ready, delivery, subscriber): (&DigestReadyForDelivery, Delivery<'_>, &Subscriber),
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
        let before = open.stated_before(&delivery).await.map_err(failed)?;
        let is_new = open.effects(&delivery).await.map_err(failed)?.is_empty();
        open.abandon().await.map_err(failed)?;
        if is_new {
            match self.api.is_in_chat(subscriber.chat_id, subscriber.person_id).await {
                Err(why) => return Ok(Progress::Later(why)),
                Ok(true) => {}
                Ok(false) => {
                    let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
                    self.end_copies(&mut open, &delivery, GONE).await?;
                    open.commit_without_offset().await.map_err(failed)?;
                    return Ok(Progress::Ended);
                }
            }
        }
        let language = &*ready.delivery_payload.language;
        let job =
            Job::of_ready(ready, (delivery, before), self.versions_kept).into_copy(subscriber, language);
        self.carry_out(batch, (job, language), pass).await
    }

    /// Edits what somebody has who is no subscriber any more; where nothing is, nothing is posted.
    async fn correct_copy(
        &self,
        batch: &SinkBatch,
        (ready, delivery): (&DigestReadyForDelivery, Delivery<'_>),
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
        let before = open.stated_before(&delivery).await.map_err(failed)?;
        open.abandon().await.map_err(failed)?;
        let job = Job::of_ready(ready, (delivery, before), self.versions_kept).into_correction();
        self.carry_out(batch, (job, &ready.delivery_payload.language), pass).await
    }

    /// Ends the subscription that a delivery is of, with the reason.
    pub(crate) async fn end_copies(
        &self,
        open: &mut Batch,
        of: &Delivery<'_>,
        why: &str,
    ) -> Result<(), SinkError> {
        let Ok(person_id) = of.chat.parse() else { return Ok(()) };
        warn!(tenant = of.tenant_id, group = of.group_id, why, "subscription ended");
        let subscription = Subscription { tenant_id: of.tenant_id, group_id: of.group_id, person_id };
        let end = SubscriptionEnd { at_ms: now_ms(), why };
        open.end_subscription(&subscription, &end).await.map_err(failed)
    }
}
