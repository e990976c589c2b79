//! The rows of one question in the ledger of calls to models.
//!
//! Invariant: a row is reserved before its call begins and ends once: settled together with its answer, failed, or unknown.

use super::{
    models::{Inquiry, MILLION, ModelsClient, RETRY},
    own_keys::Opened,
};
use jiff::{Timestamp, tz::TimeZone};
use llm_client::{Answered, Attempt, Begun, Refusal, Witness};
use processor::{ModelQuestion, ModelText};
use state::{LlmBounds, LlmCall, LlmEnd, LlmReserved, LlmTicket, QuestionHash};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::warn;

/// How long an answer that was paid for waits for a database that is away, before it is used without being kept.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// A call that has not ended so long after its deadline never will: its process is gone.
const EXPIRES_AFTER_DEADLINE: Duration = Duration::from_mins(1);

/// The ledger's rows of one question.
pub(super) struct Ledger<'a> {
    pub(super) client: &'a ModelsClient,
    pub(super) inquiry: &'a Inquiry<'a>,
    pub(super) key: &'a QuestionHash,
    pub(super) own: Opened,
    /// The rows of attempts that are on their way, by provider.
    pub(super) tickets: Mutex<BTreeMap<String, LlmTicket>>,
}

impl Ledger<'_> {
    /// The row of a call; with an answer, `model` is what the memo will be asked for.
    fn call<'c>(&'c self, provider: &'c str, model: &'c str, tokens: i64) -> LlmCall<'c> {
        let ModelQuestion { tenant_id, group_id, stage, prompt, user_id, .. } = self.inquiry.question;
        let terms = &self.client.terms;
        let within = if self.inquiry.is_moderation { terms.judged_within } else { terms.within };
        let expires_in = within + EXPIRES_AFTER_DEADLINE;
        LlmCall {
            tenant_id,
            group_id,
            stage,
            prompt,
            provider,
            model,
            user_id: user_id.as_deref().unwrap_or_default(),
            payer: self.own.payer(provider).name(),
            question: self.key,
            tokens,
            expires_in_s: expires_in.as_secs_f64(),
        }
    }

    fn tickets(&self) -> MutexGuard<'_, BTreeMap<String, LlmTicket>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settles the last call together with its answer.
    pub(super) async fn keep(&self, answered: Answered) -> ModelText {
        let Answered { completion, provider, attempts } = answered;
        let Some(attempt) = attempts.last() else {
            return ModelText {
                text: completion.text,
                model_id: provider,
                tokens: 0,
                cost: 0.0,
                payer: None,
            };
        };
        let end = self.client.end(attempt);
        self.settle(attempt, &end, Some(&completion.text)).await;
        ModelText {
            text: completion.text,
            model_id: format!("{provider}/{}", attempt.model),
            tokens: end.tokens_in.saturating_add(end.tokens_out),
            cost: end.cost_micros as f64 / MILLION,
            payer: Some(self.own.payer(&attempt.provider)),
        }
    }

    async fn settle(&self, attempt: &Attempt, end: &LlmEnd<'_>, answer: Option<&str>) {
        let Some(ticket) = self.tickets().remove(&attempt.provider) else { return };
        if !end.currency.is_empty() {
            self.client.metrics.model_cost(&attempt.model, end.currency, end.cost_micros);
        }
        // As `Client::models` names it.
        let model = format!("{}/{}", attempt.provider, attempt.model);
        let call = self.call(&attempt.provider, &model, 0);
        let settled = async {
            let mut wait = RETRY.0;
            while let Err(error) = self.client.store.end_llm_call(&call, ticket, end, answer).await {
                warn!(error = error.describe(), "could not settle a call to a model; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY.1);
            }
        };
        if tokio::time::timeout(SETTLES_WITHIN, settled).await.is_err() {
            warn!("a call to a model was not settled: it will be shown as unknown");
        }
    }
}

impl Witness for Ledger<'_> {
    async fn begin(&self, begun: Begun<'_>) -> Result<(), Refusal> {
        let call = self.call(begun.provider, begun.model, signed(begun.tokens));
        let terms = &self.client.terms;
        let bounds = LlmBounds {
            // A judgement is no use of the model that the quota is about.
            monthly_tokens: terms
                .monthly_tokens
                .get(begun.provider)
                .copied()
                .filter(|_| !self.inquiry.is_moderation),
            daily_requests: terms.daily_requests,
        };
        match self.client.store.reserve_llm_call(&call, bounds).await {
            Ok(LlmReserved::Row(ticket)) => {
                self.tickets().insert(begun.provider.to_owned(), ticket);
                Ok(())
            }
            Ok(LlmReserved::OverMonth) => Err(Refusal { reason: "quota", tries_next: true }),
            // The next may be one that the user pays.
            Ok(LlmReserved::OverDay) => Err(Refusal { reason: "user_quota", tries_next: true }),
            Err(error) => {
                warn!(error = error.describe(), "a model is not asked: the call could not be written down");
                Err(Refusal { reason: "ledger_away", tries_next: false })
            }
        }
    }

    async fn end(&self, attempt: &Attempt) {
        self.client.metrics.model_asked(&attempt.model, attempt.outcome());
        if attempt.is_hedge {
            self.client.metrics.model_hedged(&attempt.model, attempt.outcome());
        }
        // One that was answered is settled together with its answer.
        if attempt.failure.is_some() {
            self.settle(attempt, &self.client.end(attempt), None).await;
        }
    }
}

impl ModelsClient {
    fn end<'a>(&'a self, attempt: &'a Attempt) -> LlmEnd<'a> {
        let usage = attempt.usage.unwrap_or_default();
        let day = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let price = self.terms.prices.find(&attempt.vendor, &attempt.model, day);
        let cost = price.map(|price| price.cost(usage).micros).unwrap_or_default();
        LlmEnd {
            failed: attempt.failure.map(llm::Failure::reason),
            is_unknown: attempt.is_unknown(),
            tokens_in: signed(usage.input_tokens),
            tokens_out: signed(usage.output_tokens),
            cost_micros: signed(cost),
            currency: price.map_or("", |price| &price.currency),
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
