//! How likely a reader finds nothing wrong with a line: what is known of what it cites, weighed by a trained regression.
//!
//! Invariant: pure, from one window and the citations of a digest, whoever made it; nothing is known of the words of a line.

use crate::{
    acts::{self, ANSWER_FEATURES, OPEN_FEATURES, answer_candidates, open_candidate, poll::is_form},
    findings::Findings,
    lone::{self, LONE_FEATURES},
    source::Source,
    story::best_alone,
    telling::TELLING_FEATURES,
};
use schemas::{ANSWER_MARK, Claim, Digest};
use std::collections::BTreeSet;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Tells what one message says.
    Told,
    /// Tells a question, cited last but one, with its answer, cited last.
    Answered,
    /// Tells a question as one that nobody answered.
    Open,
}

/// What is thought of a line before it is looked at, and of how many lines that is: a page of one line is not judged by it
/// alone.
const EVEN: f64 = 0.5;
const UNKNOWN: f64 = 2.0;

const PARTS: usize = 3;
/// What is known of one message: of its sentence that would be told alone, and of the message.
const MESSAGE: usize = LONE_FEATURES + TELLING_FEATURES;
/// Number of features of a line.
pub const LINE_FEATURES: usize = PARTS + MESSAGE + ANSWER_FEATURES + 2 * LONE_FEATURES + OPEN_FEATURES;
/// Features of a line: its part, what is known of the message that it tells, of the pair of a question and its answer, and
/// of the open question. Those of other parts are 0.
pub type LineFeatures = [f64; LINE_FEATURES];

/// What is known of each line, given by what it does and the ids that it cites; none for one that cites no message of the
/// source, or a poll or a checklist, which say themselves what they are.
pub fn line_features(source: &Source<'_>, lines: &[(Part, &[i64])]) -> Vec<Option<LineFeatures>> {
    let findings = Findings::of(source);
    lines.iter().map(|(part, ids)| features(source, &findings, *part, ids)).collect()
}

/// Mean probability that a reader finds nothing wrong with a line of a digest, drawn towards even odds where there are few;
/// 1 where it has none that cites.
pub(crate) fn sound(source: &Source<'_>, findings: &Findings, digest: &Digest) -> f64 {
    let known = lines(digest);
    let known = known.iter().filter_map(|(part, ids)| features(source, findings, *part, ids));
    let judged: Vec<f64> = known.map(|features| acts::probability(&acts::LINE[..], &features)).collect();
    if judged.is_empty() {
        return 1.0;
    }
    (judged.iter().sum::<f64>() + EVEN * UNKNOWN) / (judged.len() as f64 + UNKNOWN)
}

/// The lines of a digest that are no decision and no promise, each once.
fn lines(digest: &Digest) -> BTreeSet<(Part, &[i64])> {
    let told = |claim: &'_ Claim| {
        if claim.message_ids.len() > 1 && claim.text.contains(ANSWER_MARK) {
            Part::Answered
        } else {
            Part::Told
        }
    };
    let open: BTreeSet<&[i64]> =
        digest.questions.iter().map(|question| question.message_ids.as_slice()).collect();
    let stories = digest.topics.iter().flat_map(|topic| {
        let threads = topic.threads.iter().flat_map(|thread| &thread.claims);
        topic.story.iter().chain(threads.filter(|_| topic.story.is_empty()))
    });
    let claimed: BTreeSet<i64> = (digest.decisions.iter().flat_map(|claim| &claim.message_ids))
        .chain(digest.actions.iter().flat_map(|action| &action.message_ids))
        .copied()
        .collect();
    let told = digest
        .summary
        .iter()
        .chain(stories)
        .map(|claim| (told(claim), claim.message_ids.as_slice()))
        .filter(|(_, ids)| !open.contains(ids) && !ids.iter().all(|id| claimed.contains(id)));
    told.chain(open.iter().map(|ids| (Part::Open, *ids))).collect()
}

fn features(source: &Source<'_>, findings: &Findings, part: Part, ids: &[i64]) -> Option<LineFeatures> {
    let post = source.index(*ids.last()?).filter(|post| !is_form(source.posts[*post].message))?;
    let alone = |post: usize| {
        best_alone(source, findings, post)
            .map_or([0.0; LONE_FEATURES], |sentence| lone::features(source, findings, sentence))
    };
    let nothing = [0.0; LONE_FEATURES];
    let of = |wanted: Part| part == wanted;
    let question = ids.len().checked_sub(2).and_then(|at| source.index(ids[at]));
    let pair = question.filter(|_| of(Part::Answered)).and_then(|question| {
        let pairs = answer_candidates(source, question).into_iter();
        pairs.filter(|(answer, _)| *answer == post).map(|(_, features)| features).next()
    });
    let open = Some(post).filter(|_| of(Part::Open)).and_then(|post| open_candidate(source, post));
    let kinds = [Part::Told, Part::Answered, Part::Open].map(|kind| f64::from(u8::from(of(kind))));
    let values = kinds
        .into_iter()
        .chain(if of(Part::Told) { alone(post) } else { nothing })
        .chain(findings.telling[post].features(source, post))
        .chain(pair.unwrap_or([0.0; ANSWER_FEATURES]))
        .chain(if of(Part::Answered) { alone(post) } else { nothing })
        .chain(question.filter(|_| of(Part::Answered)).map_or(nothing, alone))
        .chain(open.unwrap_or([0.0; OPEN_FEATURES]));
    let mut features = [0.0; LINE_FEATURES];
    features.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
    Some(features)
}
