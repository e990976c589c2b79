//! Judgements of what a model wrote, by a provider's endpoint: kept, settled and paid as answers are.
//!
//! Invariant: a judgement is of a tenant's texts and one model; a user's quota and key have no part in it.

use super::models::{Inquiry, ModelsClient};
use engine::shapes::lookup::Awaited;
use llm::dialect::moderation::judged;
use processor::{Judgement, ModelQuestion, Moderated, ModerationQuestion};

/// In the place of a prompt's name, in the ledger and in the key of what is kept.
const MODERATION: &str = "moderation";

impl ModelsClient {
    /// What of some texts should not go out; never an error.
    pub(super) async fn judge(&self, asked: &ModerationQuestion, awaited: &Awaited) -> Moderated {
        let Some(moderator) = self.moderator() else { return Moderated::Off };
        let question = question(asked);
        let inquiry = Inquiry { question: &question, models: vec![moderator], is_moderation: true };
        match self.obtain(&inquiry, awaited).await {
            Ok(said) => match judged(&said.text) {
                Some(categories) => Moderated::Judged(Judgement {
                    model_id: said.model_id,
                    categories,
                    tokens: said.tokens,
                    cost: said.cost,
                }),
                None => Moderated::Failed("malformed".to_owned()),
            },
            Err(why) => Moderated::Failed(why),
        }
    }
}

/// The texts as a question that is kept like any other.
fn question(ModerationQuestion { tenant_id, group_id, stage, texts }: &ModerationQuestion) -> ModelQuestion {
    ModelQuestion {
        tenant_id: tenant_id.clone(),
        group_id: group_id.clone(),
        user_id: None,
        paid_before: None,
        stage,
        prompt: MODERATION,
        system: String::new(),
        turns: texts.clone(),
        schema: "",
        output_tokens_max: 0,
    }
}
