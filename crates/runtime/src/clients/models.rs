//! Answers of language models: one that was had before is read, another is asked for and kept.
//!
//! Invariant: a call stands in the ledger before a byte of it is sent, and an answer is kept in the transaction that settles
//! its call, so that it is paid for once. Postgres is waited for, a model only within its time.

use super::{ledger::Ledger, own_keys::OwnKeys};
use crate::metrics::Metrics;
use engine::shapes::lookup::Awaited;
use llm::{ChatRequest, Turn, chat::Role, price::Prices};
use llm_client::Client;
use processor::{ModelAnswer, ModelQuestion, ModelText};
use sha2::{Digest as _, Sha256};
use state::{KeptAnswer, QuestionHash, Store};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tracing::warn;

pub(super) const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
pub(super) const MILLION: f64 = 1_000_000.0;

/// What a model's use is bounded by, and paid with.
pub(crate) struct Terms {
    /// Longest wait for an answer, all attempts together.
    pub(crate) within: Duration,
    /// Most tokens of a tenant in a month (UTC), by provider.
    pub(crate) monthly_tokens: BTreeMap<String, i64>,
    /// Most calls in a day (UTC) for digests that one user asked for and does not pay for.
    pub(crate) daily_requests: i64,
    /// Longest wait for a judgement of what goes out.
    pub(crate) judged_within: Duration,
    /// What tenants' own keys are opened with.
    pub(crate) keys: OwnKeys,
    /// What tokens cost.
    pub(crate) prices: Prices,
}

/// The asker. One per process.
pub(crate) struct ModelsClient {
    models: Client,
    pub(super) store: Store,
    pub(super) terms: Terms,
    pub(super) metrics: Arc<Metrics>,
    /// Name of this process, by which it claims what it asks.
    pub(super) holder: String,
    /// Questions that are being asked here: an equal one waits for the answer.
    asking: Mutex<BTreeMap<QuestionHash, Weak<tokio::sync::Mutex<()>>>>,
}

impl ModelsClient {
    /// Of the process of this name, which it keeps over restarts and shares with no other.
    pub(crate) fn new(
        models: Client,
        store: Store,
        terms: Terms,
        (holder, metrics): (String, Arc<Metrics>),
    ) -> Self {
        Self { models, store, terms, metrics, holder, asking: Mutex::default() }
    }

    /// Who judges what goes out, where somebody is set for that.
    pub(super) fn moderator(&self) -> Option<String> {
        self.models.moderator()
    }

    /// The answer; never an error.
    pub(super) async fn answer(&self, question: &ModelQuestion, awaited: &Awaited) -> ModelAnswer {
        if !self.models.asks(question.stage) {
            return ModelAnswer::Off;
        }
        let inquiry = Inquiry { question, models: self.models.models(question.stage), is_moderation: false };
        self.obtain(&inquiry, awaited).await.map_or_else(ModelAnswer::Failed, ModelAnswer::Said)
    }

    /// The answer that was had before, or that somebody gives now; else why there is none.
    pub(super) async fn obtain(&self, inquiry: &Inquiry<'_>, awaited: &Awaited) -> Result<ModelText, String> {
        let question = inquiry.question;
        let key = question_hash(question);
        let turn = self.turn(key);
        let _alone = turn.lock().await;
        let awaits = || awaited.is(format!("a language model has not answered {}", question.stage));
        awaits();
        if let Some(kept) = self.known(inquiry, &key, awaited).await {
            return Ok(kept);
        }
        if let Some(kept) = self.claim(inquiry, &key, awaited).await {
            return Ok(kept);
        }
        awaits();
        let claimed = self.renewing(question, &key, Box::pin(self.ask(inquiry, &key))).await;
        self.release(question, &key).await;
        claimed
    }

    /// Asks somebody now.
    async fn ask(&self, inquiry: &Inquiry<'_>, key: &QuestionHash) -> Result<ModelText, String> {
        let Inquiry { question, is_moderation, .. } = inquiry;
        let own = self.terms.keys.of(question, &self.store).await?;
        let models = self.models.with_keys(own.secrets.clone());
        let ledger = Ledger { client: self, inquiry, key, own, tickets: Mutex::default() };
        let asked = if *is_moderation {
            models.moderate(&question.turns, self.terms.judged_within, &ledger).await
        } else {
            models.complete(question.stage, &chat_request(question), self.terms.within, &ledger).await
        };
        match asked {
            Ok(answered) => Ok(ledger.keep(answered).await),
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
                Err(exhausted.reason.to_owned())
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
    pub(super) async fn known(
        &self,
        Inquiry { question, models, .. }: &Inquiry<'_>,
        key: &QuestionHash,
        awaited: &Awaited,
    ) -> Option<ModelText> {
        let mut wait = RETRY.0;
        loop {
            match self.store.known_answer(&question.tenant_id, key, models).await {
                Ok(known) => return known.map(text),
                Err(error) => awaited.has_failed(error.describe()),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }
}

/// An answer that was had before.
fn text(KeptAnswer { model: model_id, text, tokens, cost_micros }: KeptAnswer) -> ModelText {
    ModelText { text, model_id, tokens, cost: cost_micros as f64 / MILLION, payer: None }
}

/// What is asked of whom.
pub(super) struct Inquiry<'a> {
    pub(super) question: &'a ModelQuestion,
    /// Whose earlier answers are taken.
    pub(super) models: Vec<String>,
    /// Whether it is for whoever judges what goes out: the turns are texts.
    pub(super) is_moderation: bool,
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
