//! How long a tenant's messages are kept, as operators set it, and what sinks do with what is past it.
//!
//! Invariant: what lies before a tenant's mark was taken, or is about to be, and nothing of it is written again, whatever the log
//! brings. The mark is raised before anything is taken and never lowered, also where all is kept from now on: the ledger of
//! what was posted is gone, so that a digest from before it would be posted a second time.

use crate::{
    Batch, Error, MessageRow, Store,
    audit::{self, AuditChange},
};
use schemas::WindowRef;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, Row};

/// Days that a retention has at least: a day's window is read, written and corrected before it is past.
pub const RETENTION_DAYS_MIN: u32 = 2;

pub(crate) const MARK: &str = "SELECT taken_before_ms FROM retention WHERE tenant_id = $1";

pub(crate) const SHOW: &str = "SELECT days, taken_before_ms FROM retention WHERE tenant_id = $1";

pub(crate) const SET: &str = "
INSERT INTO retention (tenant_id, days) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET days = excluded.days, set_at = now()";

/// How long a tenant's messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Retention {
    /// Days; none where all is kept.
    pub days: Option<u32>,
    /// What was sent before this time, in ms, was taken.
    pub taken_before: Option<i64>,
}

/// True for a window of which nothing may be written any more. One of the clock is past once it begins before the mark, since
/// it begins to lose its messages then; one that somebody asked for is made once, of what there is, and is past with its end.
pub fn is_past(window: &WindowRef, taken_before: Option<i64>) -> bool {
    taken_before.is_some_and(|mark| {
        if window.is_asked() { window.window_end <= mark } else { window.window_start < mark }
    })
}

/// A tenant's mark, on a connection that acts for it.
pub(crate) async fn mark(connection: &mut PgConnection, tenant_id: &str) -> Result<Option<i64>, Error> {
    let mark: Option<Option<i64>> = sqlx::query_scalar(MARK)
        .bind(tenant_id)
        .fetch_optional(connection)
        .await
        .map_err(Error::query("read what retention took"))?;
    Ok(mark.flatten())
}

/// The states of messages that are not past.
pub(crate) fn kept<'a>(rows: &[MessageRow<'a>], taken_before: Option<i64>) -> Vec<MessageRow<'a>> {
    let is_kept = |row: &&MessageRow<'_>| taken_before.is_none_or(|mark| row.message.sent_at >= mark);
    rows.iter().filter(is_kept).copied().collect()
}

impl Batch {
    /// What was sent before this time, in ms, was taken by the tenant's retention, and is not written again. Asked once of a
    /// tenant: what the batch writes from before a mark that is raised meanwhile, the next maintenance takes.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn taken_before(&mut self, tenant_id: &str) -> Result<Option<i64>, Error> {
        if let Some(mark) = self.marks.get(tenant_id) {
            return Ok(*mark);
        }
        let mark = mark(self.acting_for(tenant_id).await?, tenant_id).await?;
        self.marks.insert(tenant_id.to_owned(), mark);
        Ok(mark)
    }

    /// True for a window of which nothing may be written any more.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn is_past(&mut self, tenant_id: &str, window: &WindowRef) -> Result<bool, Error> {
        Ok(is_past(window, self.taken_before(tenant_id).await?))
    }
}

impl Store {
    /// How long a tenant's messages are kept.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn retention(&self, tenant_id: &str) -> Result<Retention, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        show(&mut transaction, tenant_id).await
    }

    /// Keeps a tenant's messages for so many days, or all of them, on record in the audit log; how it was before.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn set_retention(
        &self,
        tenant_id: &str,
        days: Option<u32>,
        actor: &str,
    ) -> Result<Retention, Error> {
        let what = "set a retention";
        let mut transaction = self.begin_for(tenant_id).await?;
        let before = show(&mut transaction, tenant_id).await?;
        if before.days == days {
            return Ok(before);
        }
        sqlx::query(SET)
            .bind(tenant_id)
            .bind(days.map(|days| i32::try_from(days).unwrap_or(i32::MAX)))
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let told = |days: Option<u32>| json!({ "retention_days": days });
        let change = AuditChange {
            tenant_id,
            actor,
            action: "tenant set",
            subject: tenant_id,
            before: Some(&told(before.days)),
            after: Some(&told(days)),
        };
        audit::append(&mut transaction, &change).await?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(before)
    }
}

async fn show(connection: &mut PgConnection, tenant_id: &str) -> Result<Retention, Error> {
    let row = sqlx::query(SHOW)
        .bind(tenant_id)
        .fetch_optional(connection)
        .await
        .map_err(Error::query("read a retention"))?;
    let Some(row) = row else { return Ok(Retention::default()) };
    let days: Option<i32> = row.get("days");
    Ok(Retention {
        days: days.and_then(|days| u32::try_from(days).ok()),
        taken_before: row.get("taken_before_ms"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::GroupSettings;

    fn window(size_hours: i32, window_start: i64, window_end: i64) -> WindowRef {
        WindowRef {
            size_hours,
            window_start,
            window_end,
            revision: 1,
            lane: "live".to_owned(),
            message_count: 1,
            participant_count: 1,
            settings: GroupSettings::default(),
            source_partition: 0,
            source_offset: 0,
        }
    }

    #[test]
    fn a_window_is_past_once_it_loses_a_message_and_one_asked_for_with_its_end() {
        for (size_hours, start, end, past) in [
            (24, 100, 200, false),
            (24, 99, 200, true),
            (24, 0, 100, true),
            (0, 0, 101, false),
            (0, 0, 100, true),
        ] {
            assert_eq!(
                is_past(&window(size_hours, start, end), Some(100)),
                past,
                "{size_hours}: {start} to {end}"
            );
            assert!(!is_past(&window(size_hours, start, end), None));
        }
    }
}
