//! The one corrective pass over a weak draft, by what the score holds against it.

use crate::{
    findings::{Breadth, Findings},
    judge::{self, UNCERTAIN_CLAIMS},
    source::Source,
};

/// A second draft tells twice as much, down to posts that are less surely worth a line.
const WIDER: Breadth = Breadth { lines: 12, telling_min: 0.1, stands_min: 0.0, posts_per_line: 4 };

/// Sets the findings of a weak draft right: claims that are not sure go where the score doubts them, and more is told.
pub(crate) fn correct(findings: &mut Findings, source: &Source<'_>, weaknesses: &[String]) {
    findings.breadth = WIDER;
    if weaknesses.iter().any(|weakness| weakness == UNCERTAIN_CLAIMS) {
        let sure = judge::Sure::of(source);
        findings.decisions.retain(|found| sure.decided(found.sentence, source));
        findings.actions.retain(|action| sure.promised(action.sentence, source));
    }
}
