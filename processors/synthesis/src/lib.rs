//! `synthesis`: a digest made of quotations, each with its author and the ids of its messages, in Russian and English.
//!
//! Invariant: nothing is invented: every statement is found in the messages that it cites, and every id exists.

pub mod acts;
mod asked;
mod compose;
mod compress;
mod continuity;
mod correction;
mod coverage;
mod findings;
mod guard;
mod judge;
mod lone;
mod memory;
mod people;
mod quality;
mod recall;
mod redraft;
mod sentence;
mod sound;
mod source;
mod story;
mod support;
mod telling;
mod thin;
mod title;
mod topics;
mod wording;

pub use findings::extract;
pub use guard::guard;
pub use lone::{LONE_FEATURES, LoneFeatures, lone_candidates};
pub use memory::{Memory, WINDOWS_MAX as WINDOWS_REMEMBERED};
pub use quality::{Statement, digest_quality, quality_score, statements};
pub use redraft::redraft;
pub use sentence::Sentence;
pub use sound::{LINE_FEATURES, LineFeatures, Part, line_features};
pub use source::{Post, Source};
pub use telling::{TELLING_FEATURES, TellingFeatures, telling_candidates};
pub use title::{TITLE_FEATURES, TitleFeatures, title_candidates};

use compose::compose;
use continuity::compare;
use findings::Findings;
use judge::weaknesses;
use processor::{Reject, StageFold, StageReport};
use quality::quality_by;
use schemas::{Digest, DigestStageCompleted, DigestState, outcome};
use serde::Deserialize;

/// The stage.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Synthesis {
    /// A draft that scores less is corrected once.
    pub retry_below: f64,
    /// A digest that scores less than its group's last ones do on average, by more than this, is `degraded`.
    pub degraded_by: f64,
}

impl Default for Synthesis {
    /// Above the threshold of delivery, so that a weak draft gets its second chance before it is held back: one in seven.
    fn default() -> Self {
        Self { retry_below: 0.6, degraded_by: 0.15 }
    }
}

impl StageFold for Synthesis {
    const NAME: &'static str = "synthesis";
    const CODE_VERSION: &'static str = "18";
    const SCHEMA_VERSION: i32 = 1;
    const STATE_VERSION: u32 = 1;
    type In = DigestStageCompleted;
    type Memory = Memory;

    fn run(
        &self,
        memory: &mut Memory,
        _: &DigestStageCompleted,
        state: &mut DigestState,
    ) -> Result<StageReport, Reject> {
        Ok(self.add(memory, state))
    }
}

impl Synthesis {
    /// Adds the digest of a window, held against what is remembered of the windows before it.
    pub fn add(&self, memory: &mut Memory, state: &mut DigestState) -> StageReport {
        let source = Source::new(&state.messages, state.threads.as_ref());
        let mut findings = Findings::of(&source);
        let (mut digest, corrected) = self.composed(state, &source, &mut findings);
        let comparison = compare(memory, state, &source, &findings, &digest);
        let score = digest.quality.score;
        let fell = comparison.usual_score.is_some_and(|usual| score < usual - self.degraded_by);
        let left_out =
            usize::try_from(state.window.message_count).is_ok_and(|all| all > state.messages.len());
        let mut report = report(&digest);
        if let Some(continuity) = &comparison.continuity {
            report = report
                .metric("topics_continued", continuity.continued.len() as f64)
                .metric("topics_gone", comparison.gone as f64)
                .metric("questions_closed", continuity.closed.len() as f64);
        }
        if let Some(usual) = comparison.usual_score {
            report = report.metric("usual_score", usual);
        }
        if fell || left_out {
            report.outcome = outcome::DEGRADED;
        } else if corrected {
            report.outcome = outcome::RETRY;
        }
        digest.continuity = comparison.continuity;
        digest.recalls = recall::recalls(state, &digest);
        state.digest = Some(digest);
        report
    }

    /// The digest of a window that is known alone, with its quality, and whether it took a corrective pass.
    pub fn digest(&self, state: &DigestState) -> (Digest, bool) {
        let source = Source::new(&state.messages, state.threads.as_ref());
        self.composed(state, &source, &mut Findings::of(&source))
    }

    fn composed(&self, state: &DigestState, source: &Source<'_>, findings: &mut Findings) -> (Digest, bool) {
        let draft = judged(compose(state, source, findings), source, findings);
        if draft.quality.score >= self.retry_below {
            return (draft, false);
        }
        correction::correct(findings, source, &draft.weaknesses);
        let second = judged(compose(state, source, findings), source, findings);
        if second.quality.score > draft.quality.score { (second, true) } else { (draft, false) }
    }
}

fn report(digest: &Digest) -> StageReport {
    let quality = digest.quality;
    StageReport::ok()
        .metric("quality_score", quality.score)
        .metric("guard", quality.guard)
        .metric("faithfulness", quality.faithfulness)
        .metric("coverage", quality.coverage)
        .metric("speakers", quality.speakers)
        .metric("repetition", quality.repetition)
        .metric("length", quality.length)
        .metric("claims_trusted", quality.claims)
        .metric("answers_told", quality.answers)
        .metric("titles_read", quality.titles)
        .metric("lines_sound", quality.sound)
        .metric("claims_dropped", f64::from(digest.claims_dropped))
        .metric("facts_struck", f64::from(digest.facts_struck))
        .metric("decisions", digest.decisions.len() as f64)
        .metric("questions", digest.questions.len() as f64)
        .metric("actions", digest.actions.len() as f64)
}

/// The digest held to its source, with its quality and what is held against it.
fn judged(mut digest: Digest, source: &Source<'_>, findings: &Findings) -> Digest {
    guard(&mut digest, source);
    digest.quality = quality_by(source, findings, &digest);
    digest.weaknesses = weaknesses(&digest);
    digest
}
