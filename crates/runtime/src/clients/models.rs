//! Answers of language models: one that was had before is read, another is asked for and kept.
//!
//! Invariant: a call stands in the ledger before a byte of it is sent, and an answer is kept in the transaction that settles
//! its call, so that it is paid for once. Postgres is waited for, a model only within its time.

use super::own_keys::{Opened, OwnKeys};
use crate::metrics::Metrics;
use engine::shapes::lookup::Awaited;
use jiff::{Timestamp, tz::TimeZone};
use llm::{ChatRequest, Turn, chat::Role, price::Prices};
use llm_client::{Answered, Attempt, Begun, Client, Refusal, Witness};
use processor::{ModelAnswer, ModelQuestion, ModelText};
use sha2::{Digest as _, Sha256};
use state::{KeptAnswer, LlmBounds, LlmCall, LlmEnd, LlmReserved, LlmTicket, QuestionHash, Store};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tracing::warn;

const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long an answer that was paid for waits for a database that is away, before it is used without being kept.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// A call that has not ended so long after its deadline never will: its process is gone.
const EXPIRES_AFTER_DEADLINE: Duration = Duration::from_mins(1);
const MILLION: f64 = 1_000_000.0;

/// What a model's use is bounded by, and paid with.
pub(crate) struct Terms {
    /// Longest wait for an answer, all attempts together.
    pub(crate) within: Duration,
    /// Most tokens of a tenant in a month (UTC), by provider.
    pub(crate) monthly_tokens: BTreeMap<String, i64>,
    /// Most calls in a day (UTC) for digests that one user asked for and does not pay for.
    pub(crate) daily_requests: i64,
    /// What tenants' own keys are opened with.
    pub(crate) keys: OwnKeys,
    /// What tokens cost.
    pub(crate) prices: Prices,
}

/// The asker. One per process.
pub(crate) struct ModelsClient {
    models: Client,
    store: Store,
    terms: Terms,
    metrics: Arc<Metrics>,
    /// Questions that are being asked: an equal one waits for the answer.
    asking: Mutex<BTreeMap<QuestionHash, Weak<tokio::sync::Mutex<()>>>>,
}

impl ModelsClient {
    pub(crate) fn new(models: Client, store: Store, terms: Terms, metrics: Arc<Metrics>) -> Self {
        Self { models, store, terms, metrics, asking: Mutex::default() }
    }

    /// The answer; never an error.
    pub(super) async fn answer(&self, question: &ModelQuestion, awaited: &Awaited) -> ModelAnswer {
        if !self.models.asks(question.stage) {
            return ModelAnswer::Off;
        }
        let key = question_hash(question);
        let turn = self.turn(key);
        let _alone = turn.lock().await;
        awaited.is(format!("a language model has not answered {}", question.stage));
        if let Some(kept) = self.known(question, &key, awaited).await {
            let cost = kept.cost_micros as f64 / MILLION;
            let KeptAnswer { model: model_id, text, tokens, .. } = kept;
            return ModelAnswer::Said(ModelText { text, model_id, tokens, cost, payer: None });
        }
        let own = match self.terms.keys.of(question, &self.store).await {
            Ok(own) => own,
            Err(why) => return ModelAnswer::Failed(why.to_owned()),
        };
        let models = self.models.with_keys(own.secrets.clone());
        let ledger = Ledger { client: self, question, key: &key, own, tickets: Mutex::default() };
        let asked =
            models.complete(question.stage, &chat_request(question), self.terms.within, &ledger).await;
        match asked {
            Ok(answered) => ModelAnswer::Said(ledger.keep(answered).await),
            Err(exhausted) => {
                // Said by the metrics for each, by the log without words of the chat.
                let attempts = exhausted.attempts.iter();
                let detail: Vec<&str> = attempts.filter_map(|attempt| attempt.detail.as_deref()).collect();
                warn!(
                    stage = question.stage,
                    reason = exhausted.reason,
                    ?detail,
                    "no language model has answered"
                );
                ModelAnswer::Failed(exhausted.reason.to_owned())
            }
        }
    }

    /// The lock of a question; those that nobody holds are forgotten.
    fn turn(&self, key: QuestionHash) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = asking.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        asking.insert(key, Arc::downgrade(&turn));
        turn
    }

    /// What was answered before, by a model that the stage still has; waits for the database.
    async fn known(
        &self,
        question: &ModelQuestion,
        key: &QuestionHash,
        awaited: &Awaited,
    ) -> Option<KeptAnswer> {
        let models = self.models.models(question.stage);
        let mut wait = RETRY.0;
        loop {
            match self.store.known_answer(&question.tenant_id, key, &models).await {
                Ok(known) => return known,
                Err(error) => awaited.has_failed(error.describe()),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

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

/// The ledger's rows of one question.
struct Ledger<'a> {
    client: &'a ModelsClient,
    question: &'a ModelQuestion,
    key: &'a QuestionHash,
    own: Opened,
    /// The rows of attempts that are on their way, by provider.
    tickets: Mutex<BTreeMap<String, LlmTicket>>,
}

impl Ledger<'_> {
    /// The row of a call; with an answer, `model` is what the memo will be asked for.
    fn call<'c>(&'c self, provider: &'c str, model: &'c str, tokens: i64) -> LlmCall<'c> {
        let ModelQuestion { tenant_id, group_id, stage, prompt, .. } = self.question;
        let expires_in = self.client.terms.within + EXPIRES_AFTER_DEADLINE;
        LlmCall {
            tenant_id,
            group_id,
            stage,
            prompt,
            provider,
            model,
            user_id: self.question.user_id.as_deref().unwrap_or_default(),
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
    async fn keep(&self, answered: Answered) -> ModelText {
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
            monthly_tokens: terms.monthly_tokens.get(begun.provider).copied(),
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

/// SHA-256 over the length-prefixed parts of a question.
/// All that an answer depends on beside the model.
pub fn question_hash(question: &ModelQuestion) -> QuestionHash {
    let ModelQuestion { stage, prompt, system, turns, schema, output_tokens_max, .. } = question;
    let mut hash = Sha256::new();
    let mut put = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    for part in
        [*stage, *prompt, system.as_str(), *schema].into_iter().chain(turns.iter().map(String::as_str))
    {
        put(part.as_bytes());
    }
    put(&output_tokens_max.to_be_bytes());
    hash.finalize().into()
}

/// The question in the words of the library that asks.
pub fn chat_request(question: &ModelQuestion) -> ChatRequest {
    let role = |at: usize| if at.is_multiple_of(2) { Role::User } else { Role::Assistant };
    let turns = question.turns.iter().enumerate();
    ChatRequest {
        system: question.system.clone(),
        user: turns.map(|(at, text)| Turn { role: role(at), text: text.clone() }).collect(),
        schema: serde_json::from_str(question.schema).ok(),
        max_output_tokens: question.output_tokens_max,
        temperature: None,
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
