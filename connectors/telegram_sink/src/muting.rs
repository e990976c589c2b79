//! Digests that a muted chat does not get.
//!
//! Invariant: whether a digest is posted depends on when its window ended and on what was commanded by then, and on no clock:
//! a version of it that comes later is decided alike. What is in the chat goes on being edited.

use crate::{TelegramSink, failed};
use delivery::effects::newest_past;
use runtime::SinkError;
use schemas::DigestReadyForDelivery;
use state::{Batch, Delivery, DeliveryStatus, Effect, EffectState};

const WHY: &str = "the chat was muted when the window ended: /unmute ends that";

impl TelegramSink {
    /// Writes down that a version is not posted, where its chat is muted; true where it is.
    pub(crate) async fn is_muted(
        &self,
        open: &mut Batch,
        ready: &DigestReadyForDelivery,
        delivery: &Delivery<'_>,
    ) -> Result<bool, SinkError> {
        // Who asks gets an answer.
        if ready.window.is_asked() || !is_chat_muted(open, delivery, ready.window.window_end).await? {
            return Ok(false);
        }
        let effects = open.effects(delivery).await.map_err(failed)?;
        if !effects.iter().all(leaves_nothing) {
            return Ok(false);
        }
        let state = EffectState { status: DeliveryStatus::Muted, reference: None, error: Some(WHY) };
        open.put_effect(delivery, &state).await.map_err(failed)?;
        if let Some(newest) = newest_past(&effects, self.versions_kept) {
            open.forget_effects(delivery, &newest).await.map_err(failed)?;
        }
        Ok(true)
    }
}

fn leaves_nothing(effect: &Effect) -> bool {
    effect.part == 0 || effect.status == DeliveryStatus::Muted
}

/// A chat is muted by the name that its target has, or by that of what it has become.
async fn is_chat_muted(open: &mut Batch, delivery: &Delivery<'_>, at_ms: i64) -> Result<bool, SinkError> {
    let moved_to = open.target(delivery).await.map_err(failed)?.moved_to;
    let group = (delivery.tenant_id, delivery.group_id);
    for target in [Some(delivery.chat), moved_to.as_deref()].into_iter().flatten() {
        let muted = open.muted_until(group, commands::chat_of(target.trim()), at_ms).await.map_err(failed)?;
        if muted.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
