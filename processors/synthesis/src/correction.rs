//! The one corrective pass over a weak draft, by what the score holds against it.

use crate::{
    findings::{Breadth, Findings},
    judge::{self, THIN, UNCERTAIN_CLAIMS, UNSOUND_LINES},
    source::Source,
};

/// A second draft tells twice as much, down to posts that are less surely worth a line.
const WIDER: Breadth = Breadth { lines: 12, telling_min: 0.1, stands_min: 0.0, posts_per_line: 4 };

/// Or less, where lines are doubted and enough is told.
const NARROWER: Breadth = Breadth { lines: 5, telling_min: 0.35, stands_min: 0.55, posts_per_line: 12 };

/// Sets the findings of a weak draft right: claims that are not sure go where the score doubts them, and more is told, or
/// less where its lines are doubted.
pub(crate) fn correct(findings: &mut Findings, source: &Source<'_>, weaknesses: &[String]) {
    let weak = |name: &str| weaknesses.iter().any(|weakness| weakness == name);
    findings.breadth = if weak(UNSOUND_LINES) && !weak(THIN) { NARROWER } else { WIDER };
    if weak(UNCERTAIN_CLAIMS) {
        let sure = judge::Sure::of(source);
        findings.decisions.retain(|found| sure.decided(found.sentence, source));
        findings.actions.retain(|action| sure.promised(action.sentence, source));
    }
}
