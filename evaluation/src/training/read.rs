//! What is learnt of pages that were read line by line.

use super::logistic::Example;
use crate::gold::{ReadLine, Reading};
use synthesis::{
    LINE_FEATURES, LONE_FEATURES, Part, Source,
    acts::{ANSWER_FEATURES, OPEN_FEATURES, answer_candidates, open_candidates},
    line_features, lone_candidates,
};

/// How much a line that a reader judged counts beside the candidates of a labelled window: it is one that a page told.
const WEIGHT: f64 = 1.0;

/// Candidates of lines, with what readers said of them.
#[derive(Default)]
pub(super) struct Read {
    pub(super) lone: Vec<Example<LONE_FEATURES>>,
    pub(super) answers: Vec<Example<ANSWER_FEATURES>>,
    pub(super) open: Vec<Example<OPEN_FEATURES>>,
    pub(super) lines: Vec<Example<LINE_FEATURES>>,
    /// Windows with the mean of their readers' ratings.
    pub(super) ratings: Vec<(usize, f64)>,
}

impl Read {
    /// Adds the lines of a day; one that says again what another said is no example.
    pub(super) fn add(&mut self, window: usize, source: &Source<'_>, reading: &Reading) {
        let id = |sentence: usize| source.posts[source.sentences[sentence].post].message.id;
        let lines = |part: &'static str| {
            let of_part = reading.lines.iter().filter(move |line| line.part == part);
            of_part.filter(|line| line.fault.as_deref() != Some("repeated"))
        };
        let found = |part: &'static str, id: i64| lines(part).find(|line| line.ids.last() == Some(&id));
        for (sentence, features) in lone_candidates(source) {
            if let Some(line) = found("told", id(sentence)) {
                self.lone.push(Example { window, features, right: line.fault.is_none(), weight: 1.0 });
            }
        }
        for (sentence, features) in open_candidates(source) {
            if let Some(line) = found("open", id(sentence)).filter(|line| tells_of(line, "not_open")) {
                self.open.push(Example { window, features, right: line.fault.is_none(), weight: WEIGHT });
            }
        }
        for (part, does) in [("told", Part::Told), ("answers", Part::Answered), ("open", Part::Open)] {
            let cited: Vec<(Part, &[i64])> = lines(part).map(|line| (does, line.ids.as_slice())).collect();
            for (line, features) in lines(part).zip(line_features(source, &cited)) {
                let Some(features) = features else { continue };
                self.lines.push(Example { window, features, right: line.fault.is_none(), weight: 1.0 });
            }
        }
        let ratings = reading.ratings.as_slice();
        let sum: f64 = ratings.iter().copied().map(f64::from).sum();
        self.ratings.push((window, sum / ratings.len().max(1) as f64));
        for line in lines("answers").filter(|line| tells_of(line, "wrong_answer")) {
            let [.., question, answer] = line.ids.as_slice() else { continue };
            let Some(asked) = source.index(*question) else { continue };
            let pairs = answer_candidates(source, asked).into_iter();
            for (_, features) in pairs.filter(|(post, _)| source.posts[*post].message.id == *answer) {
                self.answers.push(Example { window, features, right: line.fault.is_none(), weight: WEIGHT });
            }
        }
    }
}

/// Whether a line was right, or wrong in this way: another fault says nothing of it.
fn tells_of(line: &ReadLine, fault: &str) -> bool {
    line.fault.as_deref().is_none_or(|found| found == fault)
}
