//! What `writer` remembers of a window between asking and being answered.
//!
//! Invariant: tokens and cost of every answer are counted, also of those that are not taken.

use crate::draft::{Draft, Summary};
use processor::{Judgement, ModelQuestion, ModelText, ModelUse, Payer, Request};

/// What is known so far of a window that is being asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// The questions about parts, with what was answered wrongly before.
    pub(crate) questions: Vec<ModelQuestion>,
    pub(crate) drafts: Vec<Option<Draft>>,
    pub(crate) summary: Option<ModelQuestion>,
    /// Whether what did not read was asked for again.
    pub(crate) again: bool,
    pub(crate) used: Option<ModelUse>,
    /// Whose key the first answer was paid with that was: a user's before a tenant's.
    pub(crate) paid: Option<Payer>,
    /// Why there is no beginning of a model's.
    pub(crate) unbegun: Option<String>,
    /// What of the parts' lines begins the digest, as a model chose it.
    pub(crate) chosen: Option<Summary>,
    /// The texts that a provider judges now.
    pub(crate) judging: Option<Vec<String>>,
}

impl Cursor {
    /// Of a window that nothing was answered about yet.
    pub(crate) fn of(questions: Vec<ModelQuestion>) -> Self {
        let drafts = questions.iter().map(|_| None).collect();
        Self {
            questions,
            drafts,
            summary: None,
            again: false,
            used: None,
            paid: None,
            unbegun: None,
            chosen: None,
            judging: None,
        }
    }

    /// Adds what a judgement took; the digest is not in its words.
    pub(crate) fn uses_judgement(&mut self, judgement: &Judgement) {
        if let Some(used) = &mut self.used {
            used.tokens = used.tokens.saturating_add(judgement.tokens);
            used.cost += judgement.cost;
        }
    }

    pub(crate) fn uses(&mut self, prompt: &str, said: &ModelText) {
        let used = self.used.get_or_insert_with(|| ModelUse {
            model_id: format!("{prompt} {}", said.model_id),
            tokens: 0,
            cost: 0.0,
        });
        used.tokens = used.tokens.saturating_add(said.tokens);
        used.cost += said.cost;
        self.paid = self.paid.max(said.payer);
    }

    /// A further question about the window, which nobody else pays for.
    pub(crate) fn asks(&self, question: &ModelQuestion) -> Request {
        Request::Model(ModelQuestion { paid_before: self.paid, ..question.clone() })
    }
}
