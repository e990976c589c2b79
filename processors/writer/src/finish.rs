//! From what a model answered to the digest in its words, or to the one that was there.
//!
//! Invariant: nothing of a model goes on that the guard has not seen; what is withheld, flagged or not judged stands in the report, also
//! where the digest goes on as it came.

use crate::{
    DROPPED_MAX, IDENTITY, Writer,
    cursor::Cursor,
    draft::{self, Draft, Numbers},
    moderation::{self, Moderation},
};
use processor::{ModelUse, Moderated, Outcome, Request, StageReport, Step};
use schemas::{Digest, DigestStageCompleted, outcome};
use synthesis::{Source, redraft};

impl Writer {
    /// The draft in the model's words, less what the lists withhold.
    fn draft(
        &self,
        input: &DigestStageCompleted,
        cursor: &Cursor,
        offline: &Digest,
    ) -> (Digest, usize, Moderation) {
        let state = &input.state;
        let numbers = Numbers(self.parts(input, offline).ids());
        let drafts: Vec<Draft> = cursor.drafts.iter().flatten().cloned().collect();
        let summary = draft::summary(&drafts, cursor.chosen.as_ref(), &numbers);
        let mut draft = draft::digest(offline, &drafts, summary, &numbers);
        let claimed = claims(&draft);
        let mut moderation = Moderation::default();
        moderation.withhold(&mut draft, offline, &state.messages);
        (draft, claimed, moderation)
    }

    /// Asks for the judgement of what the model wrote where somebody is set for that, and ends.
    pub(crate) fn finish(&self, input: &DigestStageCompleted, mut cursor: Cursor) -> Step<Box<Cursor>> {
        if let (true, Some(offline)) = (self.moderates, &input.state.digest) {
            let (mut draft, _, _) = self.draft(input, &cursor, offline);
            if let Some(Request::Moderation(question)) = moderation::question(input, &mut draft, offline) {
                cursor.judging = Some(question.texts.clone());
                return Step::Ask(Box::new(cursor), vec![Request::Moderation(question)]);
            }
        }
        self.end(input, cursor, None)
    }

    /// The digest in the model's words, as far as the messages hold them and nobody objects.
    pub(crate) fn end(
        &self,
        input: &DigestStageCompleted,
        mut cursor: Cursor,
        judgement: Option<&Moderated>,
    ) -> Step<Box<Cursor>> {
        let state = &input.state;
        let Some(offline) = &state.digest else { return unchanged(input, StageReport::ok()) };
        let parts = self.parts(input, offline);
        let (mut draft, claimed, mut moderation) = self.draft(input, &cursor, offline);
        if let Some(Moderated::Judged(judgement)) = judgement {
            cursor.uses_judgement(judgement);
        }
        if let (Some(answer), Some(texts)) = (judgement, &cursor.judging) {
            moderation.judge(&mut draft, offline, texts, answer);
        }
        let fallback = |why| unchanged(input, moderation.tell(failed(why, cursor.used.clone())));
        let source = Source::new(&state.messages, state.threads.as_ref());
        let held = redraft(state, &source, &parts.shown(), (offline, draft));
        if held.summary.is_empty() && moderation.has_found() {
            return fallback("moderated");
        }
        if held.summary.is_empty() || f64::from(held.claims_dropped) > DROPPED_MAX * claimed as f64 {
            return fallback("guard");
        }
        if held.quality.score < offline.quality.score - self.worse_by {
            return fallback("worse");
        }
        let mut report = StageReport::ok()
            .metric("quality_score", held.quality.score)
            .metric("offline_score", offline.quality.score)
            .metric("claims_dropped", f64::from(held.claims_dropped))
            .metric("facts_struck", f64::from(held.facts_struck))
            .metric("parts", parts.each.len() as f64)
            .metric("withheld", parts.withheld as f64)
            .metric("left_out", parts.left_out as f64)
            .metric("cut", parts.cut as f64);
        report = moderation.tell(report);
        if let Some(why) = &cursor.unbegun {
            report = report.metric(&format!("unbegun_{why}"), 1.0);
        }
        if parts.left_out > 0 {
            report.outcome = outcome::DEGRADED;
        }
        report.model.clone_from(&cursor.used);
        let mut state = state.clone();
        state.digest = Some(held);
        Step::Done(Ok(Outcome::Emit(IDENTITY.records(input, state, report).emit())))
    }
}

/// Lines of a draft that the guard judges.
fn claims(draft: &Digest) -> usize {
    let stories: usize = draft.topics.iter().map(|topic| topic.story.len()).sum();
    draft.summary.len() + draft.decisions.len() + draft.questions.len() + draft.actions.len() + stories
}

/// The digest as it came.
pub(crate) fn unchanged(input: &DigestStageCompleted, report: StageReport) -> Step<Box<Cursor>> {
    Step::Done(Ok(Outcome::Emit(IDENTITY.records(input, input.state.clone(), report).emit())))
}

/// The digest as it came, and why no model had a part in it.
pub(crate) fn fallback(input: &DigestStageCompleted, why: &str, used: Option<ModelUse>) -> Step<Box<Cursor>> {
    unchanged(input, failed(why, used))
}

fn failed(why: &str, used: Option<ModelUse>) -> StageReport {
    let mut report = StageReport::fallback().metric(&format!("{}{why}", outcome::FALLBACK_MEASURE), 1.0);
    report.model = used;
    report
}
