//! `synthesis`: a digest made of quotations, each with its author and the ids of its messages, in Russian and English.
//!
//! Invariant: nothing is invented: every statement is found in the messages that it cites, and every id exists.

pub mod acts;
mod asked;
mod compose;
mod compress;
mod correction;
mod coverage;
mod findings;
mod guard;
mod judge;
mod people;
mod quality;
mod sentence;
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
pub use quality::{Statement, digest_quality, quality_score, statements};
pub use sentence::Sentence;
pub use source::{Post, Source};
pub use telling::{TELLING_FEATURES, TellingFeatures, telling_candidates};
pub use title::{TITLE_FEATURES, TitleFeatures, title_candidates};

use compose::compose;
use findings::Findings;
use judge::weaknesses;
use processor::{Reject, Stage, StageReport};
use schemas::{Digest, DigestStageCompleted, DigestState, outcome};
use serde::Deserialize;

/// The stage.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Synthesis {
    /// A draft that scores less is corrected once.
    pub retry_below: f64,
}

impl Default for Synthesis {
    /// Above the threshold of delivery, so that a weak draft gets its second chance before it is held back.
    fn default() -> Self {
        Self { retry_below: 0.7 }
    }
}

impl Stage for Synthesis {
    const NAME: &'static str = "synthesis";
    const CODE_VERSION: &'static str = "8";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestStageCompleted;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        let (digest, corrected) = self.digest(state);
        let quality = digest.quality;
        let mut report = StageReport::ok()
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
            .metric("claims_dropped", f64::from(digest.claims_dropped))
            .metric("facts_struck", f64::from(digest.facts_struck))
            .metric("decisions", digest.decisions.len() as f64)
            .metric("questions", digest.questions.len() as f64)
            .metric("actions", digest.actions.len() as f64);
        if corrected {
            report.outcome = outcome::RETRY;
        }
        state.digest = Some(digest);
        Ok(report)
    }
}

impl Synthesis {
    /// The digest of a window with its quality, and whether it took a corrective pass.
    pub fn digest(&self, state: &DigestState) -> (Digest, bool) {
        let source = Source::new(&state.messages, state.threads.as_ref());
        let mut findings = Findings::of(&source);
        let draft = judged(compose(state, &source, &findings), &source);
        if draft.quality.score >= self.retry_below {
            return (draft, false);
        }
        correction::correct(&mut findings, &source, &draft.weaknesses);
        let second = judged(compose(state, &source, &findings), &source);
        if second.quality.score > draft.quality.score { (second, true) } else { (draft, false) }
    }
}

/// The digest held to its source, with its quality and what is held against it.
fn judged(mut digest: Digest, source: &Source<'_>) -> Digest {
    guard(&mut digest, source);
    digest.quality = digest_quality(source, &digest);
    digest.weaknesses = weaknesses(&digest);
    digest
}
