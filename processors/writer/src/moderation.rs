//! What a model wrote, looked over before it goes out: by built-in lists, and by a provider where one is set.
//!
//! Invariant: nothing is withheld silently: each line that goes is counted by its category and by who found it. What people said in the
//! cited messages may be told in their words, by the lists; who judges for a provider sees the lines alone.

use llm::moderation::check;
use processor::{Judgement, Moderated, ModerationQuestion, Request, StageReport};
use schemas::{Claim, ContextMessage, Digest, DigestStageCompleted};
use std::collections::BTreeMap;

/// What became of a draft's lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Moderation {
    /// Lines that the lists withhold, by category.
    by_lists: BTreeMap<&'static str, u32>,
    /// Lines that a provider flags, by category.
    flagged: BTreeMap<String, u32>,
    /// Who judged how many texts; or why nobody has, where somebody was to.
    judged: Option<Result<(String, usize), String>>,
}

/// A draft's lines and those titles that are the model's own, each once: what a provider is to judge.
pub(crate) fn question(
    input: &DigestStageCompleted,
    draft: &mut Digest,
    offline: &Digest,
) -> Option<Request> {
    let mut texts: Vec<String> = Vec::new();
    strike(draft, offline, |text, _| {
        if !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
        true
    });
    let question = ModerationQuestion {
        tenant_id: input.tenant_id.clone(),
        group_id: input.group_id.clone(),
        stage: crate::NAME,
        texts,
    };
    (!question.texts.is_empty()).then_some(Request::Moderation(question))
}

impl Moderation {
    /// Takes lines out of a draft that nobody should read in a digest, by the lists.
    pub(crate) fn withhold(&mut self, draft: &mut Digest, offline: &Digest, messages: &[ContextMessage]) {
        strike(draft, offline, |text, ids| {
            let found = check(text).categories();
            let cited = messages.iter().filter(|message| ids.contains(&message.id));
            let said: Vec<&str> = cited.flat_map(|message| check(&message.text).categories()).collect();
            let own: Vec<&str> = found.into_iter().filter(|category| !said.contains(category)).collect();
            for category in &own {
                *self.by_lists.entry(category).or_default() += 1;
            }
            own.is_empty()
        });
    }

    /// Takes out what a provider flags; `texts` are those of the question.
    pub(crate) fn judge(
        &mut self,
        draft: &mut Digest,
        offline: &Digest,
        texts: &[String],
        answer: &Moderated,
    ) {
        let judgement = match answer {
            Moderated::Judged(judgement) if judgement.categories.len() == texts.len() => judgement,
            Moderated::Judged(_) => return self.judged = Some(Err("malformed".to_owned())),
            Moderated::Failed(why) => return self.judged = Some(Err(why.clone())),
            Moderated::Off => return,
        };
        let Judgement { model_id, categories, .. } = judgement;
        self.judged = Some(Ok((model_id.clone(), texts.len())));
        let by_text: BTreeMap<&str, &[String]> =
            texts.iter().map(String::as_str).zip(categories.iter().map(Vec::as_slice)).collect();
        strike(draft, offline, |text, _| {
            let found = by_text.get(text).copied().unwrap_or_default();
            for category in found {
                *self.flagged.entry(category.clone()).or_default() += 1;
            }
            found.is_empty()
        });
    }

    /// Whether anything was withheld or flagged.
    pub(crate) fn has_found(&self) -> bool {
        !self.by_lists.is_empty() || !self.flagged.is_empty()
    }

    /// Says all of it in a report.
    pub(crate) fn tell(&self, mut report: StageReport) -> StageReport {
        for (category, count) in &self.by_lists {
            report = report.metric(&format!("moderated_{category}"), f64::from(*count));
        }
        for (category, count) in &self.flagged {
            report = report.metric(&format!("flagged_{category}"), f64::from(*count));
        }
        match &self.judged {
            Some(Ok((model_id, texts))) => report.metric(&format!("judged_by_{model_id}"), *texts as f64),
            Some(Err(why)) => report.metric(&format!("unjudged_{why}"), 1.0),
            None => report,
        }
    }
}

/// Asks of each line whether it may stand, and takes those out that may not; a title that may not is the one that was there.
fn strike(draft: &mut Digest, offline: &Digest, mut may_stand: impl FnMut(&str, &[i64]) -> bool) {
    let mut hold =
        |claims: &mut Vec<Claim>| claims.retain(|claim| may_stand(&claim.text, &claim.message_ids));
    hold(&mut draft.summary);
    hold(&mut draft.decisions);
    hold(&mut draft.questions);
    draft.topics.iter_mut().for_each(|topic| hold(&mut topic.story));
    draft.actions.retain(|action| may_stand(&action.text, &action.message_ids));
    for (topic, known) in draft.topics.iter_mut().zip(&offline.topics) {
        if topic.title != known.title && !may_stand(&topic.title, &topic.message_ids) {
            topic.title.clone_from(&known.title);
        }
    }
}
