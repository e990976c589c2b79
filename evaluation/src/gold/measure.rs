//! One digest against one label.
//!
//! Invariant: pure; an item is found when a line of its kind cites one of its messages, and each item is found once.

use super::{label::Label, windows::Window};
use schemas::{Claim, Digest};
use std::collections::BTreeSet;

/// What a digest got right and wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Decisions.
    pub decisions: Hits,
    /// Actions.
    pub actions: Hits,
    /// Right owners among the actions found.
    pub owners_right: usize,
    /// Right dates among the actions found whose label has one.
    pub dates_right: usize,
    /// Actions found whose label has a date.
    pub dates: usize,
    /// Open questions.
    pub questions: Hits,
    /// Answered questions, told with one of their answers.
    pub answers: Hits,
    /// Messages that must be cited, and are.
    pub mentioned: usize,
    /// Messages that must be cited.
    pub must_mention: usize,
    /// Lines that cite noise.
    pub noisy_lines: usize,
    /// Lines that cite anything.
    pub lines: usize,
    /// Best F1 of each labelled topic of three messages or more with a conversation of the digest.
    pub overlaps: Vec<f64>,
    /// Titles of the digest's topics that share a word with the title of the labelled topic that they overlap most.
    pub titles_right: usize,
    /// Titles of the digest's topics that overlap a labelled topic.
    pub titles: usize,
}

/// Items of a list: those of the label that were found, and lines of the digest that belong to none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// Items of the label.
    pub labelled: usize,
    /// Items of the label that a line cites.
    pub found: usize,
    /// Lines.
    pub listed: usize,
    /// Indices of lines that belong to no item.
    pub wrong: Vec<usize>,
    /// First ids of items that no line cites.
    pub missed: Vec<i64>,
}

impl Hits {
    fn of(items: &[&[i64]], lines: &[Vec<i64>]) -> Self {
        let meets = |line: &[i64], item: &[i64]| line.iter().any(|id| item.contains(id));
        let missed = items.iter().filter(|item| !lines.iter().any(|line| meets(line, item)));
        let missed: Vec<i64> = missed.filter_map(|item| item.first().copied()).collect();
        let wrong = (0..lines.len()).filter(|at| !items.iter().any(|item| meets(&lines[*at], item)));
        Self {
            labelled: items.len(),
            found: items.len() - missed.len(),
            listed: lines.len(),
            wrong: wrong.collect(),
            missed,
        }
    }
}

/// Holds the digest of a window against its label.
pub fn measure(window: &Window) -> Measured {
    let label = &window.label;
    let Some(digest) = &window.state.digest else { return Measured::default() };
    let cited = |claims: &[Claim]| claims.iter().map(|claim| claim.message_ids.clone()).collect::<Vec<_>>();
    let items: Vec<&[i64]> = label.decisions.iter().map(|item| item.ids.as_slice()).collect();
    let mut measured =
        Measured { decisions: Hits::of(&items, &cited(&digest.decisions)), ..Measured::default() };
    let items: Vec<&[i64]> = label.open_questions.iter().map(|item| item.ids.as_slice()).collect();
    measured.questions = Hits::of(&items, &cited(&digest.questions));
    actions(label, digest, &mut measured);
    answers(label, digest, &mut measured);
    citations(window, digest, &mut measured);
    topics(label, digest, &mut measured);
    measured
}

fn actions(label: &Label, digest: &Digest, measured: &mut Measured) {
    let items: Vec<&[i64]> = label.actions.iter().map(|item| item.ids.as_slice()).collect();
    let lines: Vec<Vec<i64>> = digest.actions.iter().map(|action| action.message_ids.clone()).collect();
    measured.actions = Hits::of(&items, &lines);
    for wanted in &label.actions {
        let told =
            digest.actions.iter().find(|told| told.message_ids.iter().any(|id| wanted.ids.contains(id)));
        let Some(told) = told else { continue };
        measured.owners_right += usize::from(told.owner == wanted.owner);
        measured.dates += usize::from(wanted.due.is_some());
        measured.dates_right += usize::from(wanted.due.is_some() && told.due_date == wanted.due);
    }
}

fn answers(label: &Label, digest: &Digest, measured: &mut Measured) {
    let told = |wanted: &super::label::Answered| {
        digest.answers.iter().any(|answer| {
            answer.question.message_ids.contains(&wanted.question)
                && answer
                    .answers
                    .iter()
                    .any(|claim| claim.message_ids.iter().any(|id| wanted.answers.contains(id)))
        })
    };
    let missed: Vec<i64> = label
        .answered_questions
        .iter()
        .filter(|wanted| !told(wanted))
        .map(|wanted| wanted.question)
        .collect();
    let known = |id: &i64| label.answered_questions.iter().any(|wanted| wanted.question == *id);
    let wrong = digest.answers.iter().enumerate();
    measured.answers = Hits {
        labelled: label.answered_questions.len(),
        found: label.answered_questions.len() - missed.len(),
        listed: digest.answers.len(),
        wrong: wrong
            .filter(|(_, told)| !told.question.message_ids.iter().any(known))
            .map(|(at, _)| at)
            .collect(),
        missed,
    };
}

/// What the page cites that readers get, as it is rendered.
fn citations(window: &Window, digest: &Digest, measured: &mut Measured) {
    let label = &window.label;
    let page = rendering::cited(&rendering::View {
        tenant_id: "",
        group_id: "",
        digest_id: "",
        version: "",
        window: &window.state.window,
        digest,
        extent: rendering::Extent::Page,
    });
    let lines: Vec<&Vec<i64>> = page.lines.iter().filter(|ids| !ids.is_empty()).collect();
    let cited: BTreeSet<i64> = page.lines.iter().chain(&page.links).flatten().copied().collect();
    measured.must_mention = label.must_mention.len();
    measured.mentioned = label.must_mention.iter().filter(|id| cited.contains(id)).count();
    measured.lines = lines.len();
    measured.noisy_lines = lines.iter().filter(|line| line.iter().any(|id| label.noise.contains(id))).count();
}

/// Messages of a labelled topic from which its overlap is counted: smaller ones are remarks.
const TOPIC_MESSAGES_MIN: usize = 3;

fn topics(label: &Label, digest: &Digest, measured: &mut Measured) {
    let threads = digest.topics.iter().flat_map(|topic| &topic.threads).map(|thread| &thread.message_ids);
    let whole = digest.topics.iter().map(|topic| &topic.message_ids);
    let told: Vec<BTreeSet<i64>> = whole.chain(threads).map(|ids| ids.iter().copied().collect()).collect();
    let wanted: Vec<BTreeSet<i64>> =
        label.topics.iter().map(|topic| topic.ids.iter().copied().collect()).collect();
    for topic in wanted.iter().filter(|topic| topic.len() >= TOPIC_MESSAGES_MIN) {
        measured.overlaps.push(told.iter().map(|told| f1(told, topic)).fold(0.0, f64::max));
    }
    for topic in &digest.topics {
        let told: BTreeSet<i64> = topic.message_ids.iter().copied().collect();
        let best = (0..wanted.len()).max_by(|a, b| f1(&told, &wanted[*a]).total_cmp(&f1(&told, &wanted[*b])));
        let Some(best) = best.filter(|best| f1(&told, &wanted[*best]) > 0.0) else { continue };
        let known = text::lemmas(&label.topics[best].title);
        measured.titles += 1;
        measured.titles_right +=
            usize::from(text::lemmas(&topic.title).iter().any(|lemma| known.contains(lemma)));
    }
}

fn f1(a: &BTreeSet<i64>, b: &BTreeSet<i64>) -> f64 {
    2.0 * a.intersection(b).count() as f64 / (a.len() + b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_found_once_and_other_lines_are_wrong() {
        let found = Hits::of(&[&[1, 2], &[5]], &[vec![2], vec![1], vec![9]]);
        assert_eq!((found.labelled, found.found, found.listed), (2, 1, 3));
        assert_eq!((found.wrong, found.missed), (vec![2], vec![5]));
    }

    #[test]
    fn overlap_is_the_harmonic_mean() {
        let set = |ids: &[i64]| ids.iter().copied().collect::<BTreeSet<_>>();
        assert!((f1(&set(&[1, 2, 3, 4]), &set(&[3, 4])) - 2.0 / 3.0).abs() < 1e-12);
        assert!(f1(&set(&[1]), &set(&[2])).abs() < 1e-12);
    }
}
