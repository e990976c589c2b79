//! The ledger of calls to language models: a row a call, reserved before it and settled after it.
//!
//! Invariant: what a month may use of a provider, and a user in a day, is compared with rows under a lock, so that calls at once do
//! not exceed it together; a row of which nobody knows what it took, by a process that died or an answer that broke off, counts as reserved
//! until it expires and is told as unknown.

use crate::{Error, Store, model_answers, model_answers::QuestionHash};
use sqlx::{Postgres, Row, Transaction};

pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('llm:' || $1 || '/' || $2, 0))";

pub(crate) const USED: &str = "
SELECT coalesce(sum(CASE
    WHEN status IN ('reserved', 'unknown') AND expires_at > now() THEN tokens_reserved
    ELSE tokens_in + tokens_out END), 0)::bigint
FROM llm_requests
WHERE tenant_id = $1 AND provider = $2 AND created_at_ms >=
    (extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC')) * 1000)::bigint";

pub(crate) const ASKED: &str = "
SELECT count(*) FROM llm_requests
WHERE tenant_id = $1 AND user_id = $2 AND user_id <> '' AND payer <> 'user' AND created_at_ms >=
    (extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')) * 1000)::bigint";

pub(crate) const RESERVE: &str = "
INSERT INTO llm_requests (tenant_id, provider, group_id, stage, model, prompt, question, tokens_reserved, expires_at,
    user_id, payer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 second', $10, $11)
RETURNING created_at_ms, id";

pub(crate) const END: &str = "
UPDATE llm_requests SET status = $3, reason = $4, tokens_in = $5, tokens_out = $6, cost_micros = $7,
    currency = $8,
    ended_at = now()
WHERE tenant_id = $1 AND created_at_ms = $2 AND id = $9 AND status = 'reserved'";

pub(crate) const COSTS: &str = "
SELECT to_char(to_timestamp(created_at_ms / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
    group_id, user_id, stage, provider, model, payer, currency,
    CASE WHEN status = 'reserved' AND expires_at <= now() THEN 'unknown' ELSE status END AS state,
    count(*) AS calls, sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out,
    sum(CASE WHEN status IN ('reserved', 'unknown') THEN tokens_reserved ELSE 0 END)::bigint AS tokens_reserved,
    sum(cost_micros)::bigint AS cost_micros
FROM llm_requests
WHERE tenant_id = $1 AND created_at_ms >= $2 AND created_at_ms < $3
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9";

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct LlmCall<'a> {
    /// Who pays.
    pub tenant_id: &'a str,
    /// Whose messages are told.
    pub group_id: &'a str,
    /// Stage that asks.
    pub stage: &'a str,
    /// Name and version of the prompt.
    pub prompt: &'a str,
    /// Provider, by its name in the settings.
    pub provider: &'a str,
    /// Model asked.
    pub model: &'a str,
    /// Who asked for the digest; empty for one of the schedule.
    pub user_id: &'a str,
    /// Whose key is used: `operator`, `tenant` or `user`.
    pub payer: &'a str,
    /// The question.
    pub question: &'a QuestionHash,
    /// Most tokens that it may take.
    pub tokens: i64,
    /// Seconds after which it is of unknown outcome.
    pub expires_in_s: f64,
}

/// What calls are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmBounds {
    /// Most tokens of the tenant at the provider in a month (UTC).
    pub monthly_tokens: Option<i64>,
    /// Most calls of the user in a day (UTC), at all providers, but for those that the user pays.
    pub daily_requests: i64,
}

/// What became of a call that was to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmReserved {
    /// It has a row, and may be made.
    Row(LlmTicket),
    /// It would exceed the tenant's month.
    OverMonth,
    /// It would exceed the user's day.
    OverDay,
}

/// The row of a call that was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmTicket {
    created_at_ms: i64,
    id: i64,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmEnd<'a> {
    /// Why it failed; none where it was answered.
    pub failed: Option<&'a str>,
    /// Whether nobody knows what it took: it may have been paid for.
    pub is_unknown: bool,
    /// Tokens of the question.
    pub tokens_in: i64,
    /// Tokens of the answer.
    pub tokens_out: i64,
    /// Millionths of the currency.
    pub cost_micros: i64,
    /// Currency of the price; empty where the model has none.
    pub currency: &'a str,
}

/// What calls of one kind came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmCosts {
    /// Day of UTC, as in 2026-11-29.
    pub day: String,
    /// Group.
    pub group_id: String,
    /// Who asked for the digests; empty for those of the schedule.
    pub user_id: String,
    /// Stage.
    pub stage: String,
    /// Provider.
    pub provider: String,
    /// Model.
    pub model: String,
    /// Whose key was used: `operator`, `tenant` or `user`.
    pub payer: String,
    /// Currency; empty where the model has no price.
    pub currency: String,
    /// `reserved`, `settled`, `failed`, or `unknown`.
    pub state: String,
    /// Calls.
    pub calls: i64,
    /// Tokens of questions.
    pub tokens_in: i64,
    /// Tokens of answers.
    pub tokens_out: i64,
    /// Most tokens of calls that have not ended.
    pub tokens_reserved: i64,
    /// Millionths of the currency.
    pub cost_micros: i64,
}

/// The payer of calls that no quota of the user counts.
const PAID_BY_USER: &str = "user";

/// What is counted of a tenant, under the lock of that name, which is held until the transaction ends.
async fn counted(
    transaction: &mut Transaction<'_, Postgres>,
    sql: &'static str,
    (tenant_id, lock, of): (&str, &str, &str),
) -> Result<i64, Error> {
    let what = "count calls to models";
    sqlx::query(LOCK)
        .bind(tenant_id)
        .bind(lock)
        .execute(&mut **transaction)
        .await
        .map_err(Error::query(what))?;
    let count = sqlx::query_scalar(sql).bind(tenant_id).bind(of).fetch_one(&mut **transaction).await;
    count.map_err(Error::query(what))
}

impl Store {
    /// Writes a call down before it is made, unless it would exceed what the tenant may use of the provider in this month or the
    /// user in this day (both of UTC).
    ///
    /// # Errors
    /// Those of any write.
    pub async fn reserve_llm_call(
        &self,
        call: &LlmCall<'_>,
        bounds: LlmBounds,
    ) -> Result<LlmReserved, Error> {
        let what = "reserve a call to a model";
        let mut transaction = self.begin_for(call.tenant_id).await?;
        if let Some(most) = bounds.monthly_tokens {
            let used =
                counted(&mut transaction, USED, (call.tenant_id, call.provider, call.provider)).await?;
            if used.saturating_add(call.tokens) > most {
                return Ok(LlmReserved::OverMonth);
            }
        }
        if !call.user_id.is_empty() && call.payer != PAID_BY_USER {
            // No provider has a name with a colon.
            let name = format!("user:{}", call.user_id);
            let asked = counted(&mut transaction, ASKED, (call.tenant_id, &name, call.user_id)).await?;
            if asked >= bounds.daily_requests {
                return Ok(LlmReserved::OverDay);
            }
        }
        let row = sqlx::query(RESERVE)
            .bind(call.tenant_id)
            .bind(call.provider)
            .bind(call.group_id)
            .bind(call.stage)
            .bind(call.model)
            .bind(call.prompt)
            .bind(&call.question[..])
            .bind(call.tokens)
            .bind(call.expires_in_s)
            .bind(call.user_id)
            .bind(call.payer)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(LlmReserved::Row(LlmTicket { created_at_ms: row.get("created_at_ms"), id: row.get("id") }))
    }

    /// Writes down how a call ended, and with it the answer that it gave: both or neither.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn end_llm_call(
        &self,
        call: &LlmCall<'_>,
        ticket: LlmTicket,
        end: &LlmEnd<'_>,
        answer: Option<&str>,
    ) -> Result<(), Error> {
        let what = "settle a call to a model";
        let mut transaction = self.begin_for(call.tenant_id).await?;
        let status = match end.failed {
            _ if end.is_unknown => "unknown",
            Some(_) => "failed",
            None => "settled",
        };
        sqlx::query(END)
            .bind(call.tenant_id)
            .bind(ticket.created_at_ms)
            .bind(status)
            .bind(end.failed)
            .bind(end.tokens_in)
            .bind(end.tokens_out)
            .bind(end.cost_micros)
            .bind(end.currency)
            .bind(ticket.id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        if let Some(answer) = answer {
            sqlx::query(model_answers::KEEP)
                .bind(call.tenant_id)
                .bind(&call.question[..])
                .bind(call.model)
                .bind(call.group_id)
                .bind(answer)
                .bind(end.tokens_in.saturating_add(end.tokens_out))
                .bind(end.cost_micros)
                .execute(&mut *transaction)
                .await
                .map_err(Error::query(what))?;
        }
        transaction.commit().await.map_err(Error::query(what))
    }

    /// What a tenant's calls came to, of those begun from `since_ms` (inclusive) to `until_ms` (exclusive).
    ///
    /// # Errors
    /// Those of any read.
    pub async fn llm_costs(
        &self,
        tenant_id: &str,
        (since_ms, until_ms): (i64, i64),
    ) -> Result<Vec<LlmCosts>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let rows = sqlx::query(COSTS)
            .bind(tenant_id)
            .bind(since_ms)
            .bind(until_ms)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read what models cost"))?;
        let costs = rows.iter().map(|row| LlmCosts {
            day: row.get("day"),
            group_id: row.get("group_id"),
            user_id: row.get("user_id"),
            stage: row.get("stage"),
            provider: row.get("provider"),
            model: row.get("model"),
            payer: row.get("payer"),
            currency: row.get("currency"),
            state: row.get("state"),
            calls: row.get("calls"),
            tokens_in: row.get("tokens_in"),
            tokens_out: row.get("tokens_out"),
            tokens_reserved: row.get("tokens_reserved"),
            cost_micros: row.get("cost_micros"),
        });
        Ok(costs.collect())
    }
}
