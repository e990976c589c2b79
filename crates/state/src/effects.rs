//! Effects that cannot be repeated, such as messages to people: where each part of a delivery is, and what is known of its
//! target.
//!
//! Invariant: a row that says `unknown` is never deleted: while it is there, nothing is delivered in its place.

use crate::{
    Batch, Delivery, DeliveryStatus, EffectState, Error, LedgerVersion, deliveries::of_delivery,
    json::storable,
};
use schemas::Version;
use sqlx::{Row, postgres::PgRow};

/// One part of one version of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Version.
    pub version: Version,
    /// Part, from 1; 0 for a version that was blocked.
    pub part: i32,
    /// State.
    pub status: DeliveryStatus,
    /// Id of the digest.
    pub digest_id: String,
    /// Where it is, in the channel's own terms. Known before the effect where something is edited that is there.
    pub reference: Option<String>,
}

/// What is known of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetState {
    /// Its new name, where it has moved.
    pub moved_to: Option<String>,
    /// Why nothing is delivered there.
    pub disabled: Option<String>,
}

pub(crate) const EFFECTS: &str = "
SELECT revision, attempt, part, status, digest_id, reference FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4
ORDER BY revision, attempt, part";

pub(crate) const CHATS: &str = "
SELECT DISTINCT chat FROM deliveries WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 ORDER BY chat";

pub(crate) const PUT: &str = "
INSERT INTO deliveries AS old (tenant_id, window_id, channel, chat, revision, attempt, part, group_id, digest_id,
    status, error, reference, sending_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
    CASE WHEN $10 = 'sending' THEN now() END, CASE WHEN $10 NOT IN ('planned', 'sending') THEN now() END)
ON CONFLICT (tenant_id, window_id, channel, chat, revision, attempt, part) DO UPDATE SET
    status = excluded.status, reference = excluded.reference,
    error = CASE WHEN excluded.status IN ('planned', 'sending') THEN coalesce(excluded.error, old.error)
        ELSE excluded.error END,
    sending_at = coalesce(excluded.sending_at, old.sending_at), finished_at = excluded.finished_at";

pub(crate) const FORGET: &str = "
DELETE FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND (revision, attempt) <= ($5, $6)
    AND status <> 'unknown'";

pub(crate) const STATED: &str = "
SELECT stated FROM deliveries
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND (revision, attempt) < ($5, $6)
    AND stated IS NOT NULL
ORDER BY revision DESC, attempt DESC, part DESC LIMIT 1";

pub(crate) const STATE: &str = "
UPDATE deliveries SET stated = CASE WHEN (revision, attempt, part) = ($5, $6, 1) THEN $7 END
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND (revision, attempt) <= ($5, $6)
    AND (stated IS NOT NULL OR (revision, attempt, part) = ($5, $6, 1))";

pub(crate) const RESEND: &str = "
UPDATE deliveries SET status = 'planned', error = $8, finished_at = NULL
WHERE tenant_id = $1 AND window_id = $2 AND channel = $3 AND chat = $4 AND (revision, attempt, part) = ($5, $6, $7)
    AND error IS DISTINCT FROM $8";

/// Stays with an effect until it has ended.
const RESENT: &str = "nobody knew whether it was done, and it is done again";

pub(crate) const TARGET: &str = "
SELECT moved_to, disabled FROM delivery_targets WHERE tenant_id = $1 AND channel = $2 AND chat = $3";

pub(crate) const MOVE_TARGET: &str = "
INSERT INTO delivery_targets (tenant_id, channel, chat, moved_to) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, channel, chat) DO UPDATE SET moved_to = excluded.moved_to, updated_at = now()";

pub(crate) const DISABLE_TARGET: &str = "
INSERT INTO delivery_targets (tenant_id, channel, chat, disabled) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, channel, chat) DO UPDATE SET disabled = excluded.disabled, updated_at = now()";

impl Batch {
    /// Lets an effect be done again of which nobody knows how it ended. True the first time; false for one that was let before.
    pub async fn resend_effect(&mut self, delivery: &Delivery<'_>) -> Result<bool, Error> {
        let done = of_delivery(RESEND, delivery)
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .bind(delivery.part)
            .bind(RESENT)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("let an effect be done again"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Every part of every version of a delivery, oldest first. From here on the transaction is alone with it, as after
    /// [`Batch::ledger`].
    pub async fn effects(&mut self, delivery: &Delivery<'_>) -> Result<Vec<Effect>, Error> {
        self.be_alone().await?;
        let rows = of_delivery(EFFECTS, delivery)
            .fetch_all(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read the ledger of effects"))?;
        Ok(rows.iter().filter_map(effect).collect())
    }

    /// Targets that versions of the delivery's window were ever meant for, by this channel.
    pub async fn chats(&mut self, delivery: &Delivery<'_>) -> Result<Vec<String>, Error> {
        self.be_alone().await?;
        sqlx::query_scalar(CHATS)
            .bind(delivery.tenant_id)
            .bind(delivery.window_id)
            .bind(delivery.channel)
            .fetch_all(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read the targets of a window"))
    }

    /// Writes how an effect stands.
    pub async fn put_effect(
        &mut self,
        delivery: &Delivery<'_>,
        state: &EffectState<'_>,
    ) -> Result<(), Error> {
        self.know_tenant(delivery.tenant_id).await?;
        of_delivery(PUT, delivery)
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .bind(delivery.part)
            .bind(delivery.group_id)
            .bind(delivery.digest_id)
            .bind(state.status.as_str())
            .bind(state.error.map(storable))
            .bind(state.reference)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("write the ledger of effects"))?;
        Ok(())
    }

    /// What the newest version that is older than the delivery's states; none where it is not there any more.
    pub async fn stated_before(&mut self, delivery: &Delivery<'_>) -> Result<Option<String>, Error> {
        let row = of_delivery(STATED, delivery)
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .fetch_optional(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read what a digest stated"))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Writes down what a version of a delivery states that is there now; what older ones did is forgotten.
    pub async fn put_stated(&mut self, delivery: &Delivery<'_>, stated: Option<&str>) -> Result<(), Error> {
        of_delivery(STATE, delivery)
            .bind(delivery.version.revision)
            .bind(delivery.version.attempt)
            .bind(stated)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("write what a digest states"))?;
        Ok(())
    }

    /// Takes a version of a delivery, and all older ones, out of the ledger, but for what is unknown.
    pub async fn forget_effects(
        &mut self,
        delivery: &Delivery<'_>,
        newest: &LedgerVersion,
    ) -> Result<(), Error> {
        of_delivery(FORGET, delivery)
            .bind(newest.version.revision)
            .bind(newest.version.attempt)
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("forget old effects of a window"))?;
        Ok(())
    }

    /// What is known of the target of a delivery.
    pub async fn target(&mut self, delivery: &Delivery<'_>) -> Result<TargetState, Error> {
        let row = sqlx::query(TARGET)
            .bind(delivery.tenant_id)
            .bind(delivery.channel)
            .bind(storable(delivery.chat))
            .fetch_optional(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("read the target of a delivery"))?;
        let state = |row: PgRow| TargetState { moved_to: row.get(0), disabled: row.get(1) };
        Ok(row.map(state).unwrap_or_default())
    }

    /// Writes down that the target of a delivery has moved.
    pub async fn move_target(&mut self, delivery: &Delivery<'_>, to: &str) -> Result<(), Error> {
        self.put_target(MOVE_TARGET, delivery, to).await
    }

    /// Writes down why nothing is delivered to a target any more.
    pub async fn disable_target(&mut self, delivery: &Delivery<'_>, why: &str) -> Result<(), Error> {
        self.put_target(DISABLE_TARGET, delivery, why).await
    }

    async fn put_target(
        &mut self,
        sql: &'static str,
        delivery: &Delivery<'_>,
        value: &str,
    ) -> Result<(), Error> {
        self.know_tenant(delivery.tenant_id).await?;
        sqlx::query(sql)
            .bind(delivery.tenant_id)
            .bind(delivery.channel)
            .bind(storable(delivery.chat))
            .bind(storable(value))
            .execute(self.acting_for(delivery.tenant_id).await?)
            .await
            .map_err(Error::query("write the target of a delivery"))?;
        Ok(())
    }
}

/// A row with a state that this version knows.
pub(crate) fn effect(row: &PgRow) -> Option<Effect> {
    let status = DeliveryStatus::of(row.get(3))?;
    let version = Version { revision: row.get(0), attempt: row.get(1) };
    Some(Effect { version, part: row.get(2), status, digest_id: row.get(4), reference: row.get(5) })
}
