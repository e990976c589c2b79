//! Sums over windows, and the shares that are reported.
//!
//! Invariant: pure; precision of a list without lines is 1, since nothing wrong was said.

use super::measure::{Hits, Measured};

/// A list over several windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    /// Items of the labels.
    pub labelled: usize,
    /// Items found.
    pub found: usize,
    /// Lines.
    pub listed: usize,
    /// Lines that belong to no item.
    pub wrong: usize,
}

impl Listed {
    fn add(&mut self, hits: &Hits) {
        self.labelled += hits.labelled;
        self.found += hits.found;
        self.listed += hits.listed;
        self.wrong += hits.wrong.len();
    }

    /// Share of lines that are right; 1 without lines.
    pub fn precision(self) -> f64 {
        share(self.listed - self.wrong, self.listed)
    }

    /// Share of items found; 1 without items.
    pub fn recall(self) -> f64 {
        share(self.found, self.labelled)
    }

    /// Harmonic mean of both.
    pub fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Sums over windows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Windows.
    pub windows: usize,
    /// Decisions.
    pub decisions: Listed,
    /// Windows without any decision.
    pub quiet_windows: usize,
    /// Decisions told of windows that have none.
    pub invented: usize,
    /// Actions.
    pub actions: Listed,
    /// Open questions.
    pub questions: Listed,
    /// Answered questions.
    pub answers: Listed,
    sums: Measured,
}

impl Tally {
    /// Of one window.
    pub fn of(measured: &Measured) -> Self {
        let mut tally = Self::default();
        tally.add(measured);
        tally
    }

    /// Adds a window.
    pub fn add(&mut self, measured: &Measured) {
        self.windows += 1;
        self.decisions.add(&measured.decisions);
        self.actions.add(&measured.actions);
        self.questions.add(&measured.questions);
        self.answers.add(&measured.answers);
        if measured.decisions.labelled == 0 {
            self.quiet_windows += 1;
            self.invented += measured.decisions.listed;
        }
        let sums = &mut self.sums;
        sums.owners_right += measured.owners_right;
        sums.dates += measured.dates;
        sums.dates_right += measured.dates_right;
        sums.mentioned += measured.mentioned;
        sums.must_mention += measured.must_mention;
        sums.noisy_lines += measured.noisy_lines;
        sums.lines += measured.lines;
        sums.overlaps.extend(&measured.overlaps);
        sums.titles += measured.titles;
        sums.titles_right += measured.titles_right;
    }

    /// Every measure by name.
    pub fn rows(&self) -> Vec<(&'static str, f64)> {
        let sums = &self.sums;
        let invented = if self.quiet_windows == 0 {
            0.0
        } else {
            20.0 * self.invented as f64 / self.quiet_windows as f64
        };
        let overlap = sums.overlaps.iter().sum::<f64>() / sums.overlaps.len().max(1) as f64;
        vec![
            ("windows", self.windows as f64),
            ("decisions labelled", self.decisions.labelled as f64),
            ("decisions listed", self.decisions.listed as f64),
            ("decisions precision", self.decisions.precision()),
            ("decisions recall", self.decisions.recall()),
            ("decisions invented per 20 days without any", invented),
            ("actions labelled", self.actions.labelled as f64),
            ("actions listed", self.actions.listed as f64),
            ("actions precision", self.actions.precision()),
            ("actions recall", self.actions.recall()),
            ("actions owner right", share(sums.owners_right, self.actions.found)),
            ("actions date right", share(sums.dates_right, sums.dates)),
            ("open questions labelled", self.questions.labelled as f64),
            ("open questions listed", self.questions.listed as f64),
            ("open questions precision", self.questions.precision()),
            ("open questions recall", self.questions.recall()),
            ("open questions F1", self.questions.f1()),
            ("answers listed", self.answers.listed as f64),
            ("answers precision", self.answers.precision()),
            ("answers recall", self.answers.recall()),
            ("must-mention cited", share(sums.mentioned, sums.must_mention)),
            ("lines a window", sums.lines as f64 / self.windows.max(1) as f64),
            ("lines without noise", 1.0 - sums.noisy_lines as f64 / sums.lines.max(1) as f64),
            ("threads best overlap F1", overlap),
            ("titles sharing a word", share(sums.titles_right, sums.titles)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_precise_and_finds_nothing() {
        let silent = Listed { labelled: 2, ..Listed::default() };
        assert!((silent.precision() - 1.0).abs() < 1e-12 && silent.recall().abs() < 1e-12);
        let half = Listed { labelled: 2, found: 1, listed: 2, wrong: 1 };
        assert!((half.f1() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn decisions_of_days_without_any_are_invented() {
        let mut tally = Tally::default();
        let invented = Hits { listed: 1, wrong: vec![0], ..Hits::default() };
        tally.add(&Measured { decisions: invented, ..Measured::default() });
        tally.add(&Measured::default());
        let rows = tally.rows();
        let value = rows.iter().find(|(name, _)| name.starts_with("decisions invented"));
        assert_eq!(value, Some(&("decisions invented per 20 days without any", 10.0)));
    }
}
