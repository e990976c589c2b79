//! A question that two processes have at once, asked by one of them.
//!
//! Invariant: nothing is held open while a model is asked: a claim is a row that is renewed, and one whose holder is gone ends by itself.
//! Whoever has claimed looks once more for an answer, since the holder before may have left one.

use super::models::{Inquiry, ModelsClient, RETRY};
use engine::shapes::lookup::Awaited;
use processor::{ModelQuestion, ModelText};
use state::QuestionHash;
use std::{convert::Infallible, time::Duration};
use tracing::debug;

/// How long a claim holds that is not renewed, in seconds: so long a question waits for a process that was killed.
const CLAIM_S: f64 = 15.0;
const RENEW: Duration = Duration::from_secs(5);
/// Longest wait between two looks for another's answer.
const LOOK_MAX: Duration = Duration::from_secs(1);

impl ModelsClient {
    /// Claims a question for this process; waits while another asks it, and for the database. The answer, where the other had one.
    pub(super) async fn claim(
        &self,
        inquiry: &Inquiry<'_>,
        key: &QuestionHash,
        awaited: &Awaited,
    ) -> Option<ModelText> {
        let question = inquiry.question;
        let mut wait = RETRY.0;
        loop {
            match self.store.claim_question(&question.tenant_id, key, (&self.holder, CLAIM_S)).await {
                Ok(is_claimed) => {
                    if !is_claimed {
                        let stage = question.stage;
                        awaited.is(format!("another process asks a language model the same for {stage}"));
                    }
                    let kept = self.known(inquiry, key, awaited).await;
                    if is_claimed && kept.is_some() {
                        self.release(question, key).await;
                    }
                    if is_claimed || kept.is_some() {
                        return kept;
                    }
                }
                Err(error) => awaited.has_failed(error.describe()),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LOOK_MAX);
        }
    }

    /// Renews the claim until somebody has answered.
    pub(super) async fn renewing<T>(
        &self,
        question: &ModelQuestion,
        key: &QuestionHash,
        asking: impl Future<Output = T>,
    ) -> T {
        tokio::select! {
            biased;
            answer = asking => answer,
            never = self.renew(question, key) => match never {},
        }
    }

    async fn renew(&self, question: &ModelQuestion, key: &QuestionHash) -> Infallible {
        loop {
            tokio::time::sleep(RENEW).await;
            let renewed = self.store.claim_question(&question.tenant_id, key, (&self.holder, CLAIM_S)).await;
            if let Err(error) = renewed {
                debug!(error = error.describe(), "could not renew the claim of a question to a model");
            }
        }
    }

    /// Gives the claim back; where that fails it ends by itself.
    pub(super) async fn release(&self, question: &ModelQuestion, key: &QuestionHash) {
        if let Err(error) = self.store.release_question(&question.tenant_id, key, &self.holder).await {
            debug!(error = error.describe(), "could not release a question to a model");
        }
    }
}
