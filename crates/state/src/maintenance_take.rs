//! The batches of [`Maintainer`]: what they take of a tenant, and of the outbox.
//!
//! Invariant: what could be found goes before what it is found by: a digest before its messages, words before the message they
//! are of.

use crate::{
    Error, Maintainer, OutboxPlace, Taken,
    maintenance::end,
    maintenance_sql::{
        ANSWERS, ANY_MESSAGE, CLAIMS, CODES, COUNT_OUTBOX, KEPT, OF_WINDOWS, OUTBOX, PAST_WINDOWS,
        READ_OUTBOX, RESERVATIONS, Table, WORD_BLOCKS, WORDS,
    },
};
use sqlx::{Postgres, Transaction};

/// Rows of a batch.
const BATCH_ROWS: i64 = 2_000;
/// Windows of a batch: each has some versions, and each of these some deliveries.
const BATCH_WINDOWS: i64 = 200;
/// Blocks of the words of messages that are looked through at once: 16 MiB.
const BATCH_BLOCKS: i64 = 2_048;
/// A published row stays so long in the outbox: a source that is reset to its beginning tells it again.
const OUTBOX_DAYS: i32 = 7;
/// An answer of a model is kept so long, or as long as messages where that is shorter: a replay finds it.
const ANSWER_DAYS: i64 = 90;
/// Longer than the month that a reservation counts in.
const RESERVATION_DAYS: i64 = 62;
const CLAIM_DAYS: i64 = 1;
const CODE_DAYS: i64 = 1;
const DAY_MS: i64 = 86_400_000;

/// Is told what a batch took of a table; false ends it.
pub type GoOn<'a> = &'a mut (dyn FnMut(&'static str, u64) -> bool + Send);

impl Maintainer {
    /// Counts what [`Self::take`] would take.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn look(&mut self, tenant_id: &str, due: Option<i64>) -> Result<Taken, Error> {
        let what = "count what is past its time";
        let tables = self.tables(due);
        let mut transaction = self.begin(tenant_id).await?;
        let mut found = Taken::new();
        for (table, before) in tables {
            let count: i64 = sqlx::query_scalar(table.count)
                .bind(tenant_id)
                .bind(before)
                .bind(1_i64)
                .fetch_one(&mut *transaction)
                .await
                .map_err(Error::query(what))?;
            add(&mut found, table.name, count.unsigned_abs());
        }
        if let Some(before) = due {
            let windows = past_windows(&mut transaction, (tenant_id, before), i64::MAX).await?;
            add(&mut found, "windows", windows.len() as u64);
        }
        end(transaction).await?;
        Ok(found)
    }

    /// What is taken of a tenant, in this order, and the time before which it is.
    fn tables(&self, due: Option<i64>) -> Vec<(&'static Table, i64)> {
        let aged = |days: i64| self.now_ms - days * DAY_MS;
        let answers = aged(ANSWER_DAYS).max(due.unwrap_or(i64::MIN));
        let own = [
            (&ANSWERS, answers),
            (&RESERVATIONS, aged(RESERVATION_DAYS)),
            (&CLAIMS, aged(CLAIM_DAYS)),
            (&CODES, aged(CODE_DAYS)),
        ];
        let kept = due.map(|before| KEPT.iter().map(move |table| (table, before)));
        kept.into_iter().flatten().chain(own).collect()
    }

    /// Takes all that is past of a tenant, whose mark is raised; asks between batches whether to go on. False where it was not.
    ///
    /// # Errors
    /// Those of any write; what earlier batches took is gone.
    pub async fn take(
        &mut self,
        (tenant_id, due): (&str, Option<i64>),
        go_on: GoOn<'_>,
    ) -> Result<bool, Error> {
        if let Some(before) = due
            && !(self.take_windows((tenant_id, before), go_on).await?
                && self.take_words((tenant_id, before), go_on).await?)
        {
            return Ok(false);
        }
        for (table, before) in self.tables(due) {
            loop {
                let taken = self.batch(table, tenant_id, before).await?;
                if !go_on(table.name, taken) {
                    return Ok(false);
                }
                if taken < BATCH_ROWS.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(true)
    }

    async fn batch(&mut self, table: &Table, tenant_id: &str, before_ms: i64) -> Result<u64, Error> {
        let what = "take what is past its time";
        let mut transaction = self.begin(tenant_id).await?;
        let done = sqlx::query(table.take)
            .bind(tenant_id)
            .bind(before_ms)
            .bind(BATCH_ROWS)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(done.rows_affected())
    }

    /// Digests of windows, why others have none, and the ledger of both.
    async fn take_windows(
        &mut self,
        (tenant_id, before_ms): (&str, i64),
        go_on: GoOn<'_>,
    ) -> Result<bool, Error> {
        let what = "take windows that are past";
        loop {
            let mut transaction = self.begin(tenant_id).await?;
            let windows = past_windows(&mut transaction, (tenant_id, before_ms), BATCH_WINDOWS).await?;
            if windows.is_empty() {
                end(transaction).await?;
                return Ok(true);
            }
            let mut taken = Vec::new();
            for (name, sql) in OF_WINDOWS {
                let query = sqlx::query(sql).bind(tenant_id).bind(&windows);
                let done = query.execute(&mut *transaction).await.map_err(Error::query(what))?;
                taken.push((name, done.rows_affected()));
            }
            transaction.commit().await.map_err(Error::query(what))?;
            if !taken.into_iter().fold(true, |on, (name, rows)| go_on(name, rows) && on) {
                return Ok(false);
            }
        }
    }

    async fn take_words(
        &mut self,
        (tenant_id, before_ms): (&str, i64),
        go_on: GoOn<'_>,
    ) -> Result<bool, Error> {
        let what = "take the words of messages";
        let mut transaction = self.begin(tenant_id).await?;
        let any: bool = sqlx::query_scalar(ANY_MESSAGE)
            .bind(tenant_id)
            .bind(before_ms)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let blocks: i64 =
            sqlx::query_scalar(WORD_BLOCKS).fetch_one(&mut *transaction).await.map_err(Error::query(what))?;
        end(transaction).await?;
        let mut from = 0;
        while any && from < blocks {
            let until = from + BATCH_BLOCKS;
            let mut transaction = self.begin(tenant_id).await?;
            let done = sqlx::query(WORDS)
                .bind(tenant_id)
                .bind(before_ms)
                .bind(from)
                .bind(until)
                .execute(&mut *transaction)
                .await
                .map_err(Error::query(what))?;
            transaction.commit().await.map_err(Error::query(what))?;
            if !go_on("message_words", done.rows_affected()) {
                return Ok(false);
            }
            from = until;
        }
        Ok(true)
    }

    /// Takes rows of the outbox before the one that was published last, which the place of its source names; or counts them.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn take_outbox(&mut self, published: OutboxPlace, go_on: GoOn<'_>) -> Result<(), Error> {
        let what = "take published rows of the outbox";
        loop {
            let mut transaction = self.begin("").await?;
            sqlx::query(READ_OUTBOX).execute(&mut *transaction).await.map_err(Error::query(what))?;
            let done = sqlx::query(OUTBOX)
                .bind(published.xid.to_string())
                .bind(published.seq)
                .bind(OUTBOX_DAYS)
                .bind(BATCH_ROWS)
                .execute(&mut *transaction)
                .await
                .map_err(Error::query(what))?;
            transaction.commit().await.map_err(Error::query(what))?;
            if !go_on("outbox", done.rows_affected()) || done.rows_affected() == 0 {
                return Ok(());
            }
        }
    }

    /// Counts what [`Self::take_outbox`] would take.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn look_outbox(&mut self, published: OutboxPlace) -> Result<u64, Error> {
        let what = "count published rows of the outbox";
        let mut transaction = self.begin("").await?;
        sqlx::query(READ_OUTBOX).execute(&mut *transaction).await.map_err(Error::query(what))?;
        let count: i64 = sqlx::query_scalar(COUNT_OUTBOX)
            .bind(published.xid.to_string())
            .bind(published.seq)
            .bind(OUTBOX_DAYS)
            .bind(1_i64)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        end(transaction).await?;
        Ok(count.unsigned_abs())
    }
}

async fn past_windows(
    transaction: &mut Transaction<'_, Postgres>,
    (tenant_id, before_ms): (&str, i64),
    most: i64,
) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(PAST_WINDOWS)
        .bind(tenant_id)
        .bind(before_ms)
        .bind(most)
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::query("look for windows that are past"))
}

fn add(found: &mut Taken, name: &'static str, rows: u64) {
    *found.entry(name).or_default() += rows;
}
