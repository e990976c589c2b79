//! A digest held against those of the windows before it: topics that go on, questions that are answered now, a score
//! that has fallen.
//!
//! Invariant: what it says is in the words of this window; of earlier ones it knows who asked, and when.

use crate::{
    compose::claim,
    findings::Findings,
    memory::{Memory, Open, Remembered},
    source::Source,
    story::tells,
    wording,
};
use jiff::{Timestamp, tz::TimeZone};
use schemas::{Answer, Claim, Continuity, Digest, DigestState, DigestTopic};
use std::collections::BTreeMap;

/// Terms that stand for a topic, and how many of them two topics share at least when one goes on in the other.
const TERMS: usize = 12;
const SHARED_MIN: usize = 4;
/// Questions and topics of a window that are kept.
const KEPT_MAX: usize = 8;
/// Answers to an earlier question that are told.
const ANSWERS_MAX: usize = 3;
const THOUSAND: f64 = 1000.0;
/// So many earlier windows make a usual score.
const USUAL_OF: usize = 3;

/// A digest and the windows before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    /// What became of the previous digest; none where none is known.
    pub(crate) continuity: Option<Continuity>,
    /// Topics of the previous digest that nobody spoke of again.
    pub(crate) gone: usize,
    /// Mean score of the windows before; none where they are too few.
    pub(crate) usual_score: Option<f64>,
}

/// Holds a digest against what is remembered, and remembers it. One that somebody asked for is none of the group's days: it
/// is held against nothing, and not remembered.
pub(crate) fn compare(
    memory: &mut Memory,
    state: &DigestState,
    source: &Source<'_>,
    findings: &Findings,
    digest: &Digest,
) -> Comparison {
    let window = &state.window;
    if window.is_asked() {
        return Comparison { continuity: None, gone: 0, usual_score: None };
    }
    let terms: Vec<Vec<u32>> = digest.topics.iter().map(|topic| terms(source, topic)).collect();
    let earlier = memory.before(window.size_hours, window.window_start);
    let closed = closed(earlier, state, source, findings);
    let goes_on = |a: &Vec<u32>, b: &Vec<u32>| a.iter().filter(|term| b.contains(term)).count() >= SHARED_MIN;
    let mut gone = 0;
    let continuity = earlier.last().map(|previous| {
        let continued = digest.topics.iter().zip(&terms);
        let continued =
            continued.filter(|(_, terms)| previous.topics.iter().any(|known| goes_on(known, terms)));
        gone =
            previous.topics.iter().filter(|known| !terms.iter().any(|terms| goes_on(known, terms))).count();
        Continuity {
            continued: continued.map(|(topic, _)| topic.title.clone()).collect(),
            gone: Vec::new(),
            closed: closed.iter().map(|(_, answer)| answer.clone()).collect(),
        }
    });
    let scores: i32 = earlier.iter().map(|window| window.score).sum();
    let usual_score =
        (earlier.len() >= USUAL_OF).then(|| f64::from(scores) / earlier.len() as f64 / THOUSAND);
    let remembered = Remembered {
        start: window.window_start,
        score: (digest.quality.score * THOUSAND).round() as i32,
        topics: terms.into_iter().take(KEPT_MAX).collect(),
        open: open(source, digest),
    };
    let closed: Vec<i64> = closed.iter().map(|(id, _)| *id).collect();
    memory.keep(window.size_hours, remembered, &closed);
    Comparison { continuity, gone, usual_score }
}

/// The terms that tell a topic from the rest of its window, the most telling first.
fn terms(source: &Source<'_>, topic: &DigestTopic) -> Vec<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for post in topic.message_ids.iter().filter_map(|id| source.post(*id)).filter(|post| post.quotable) {
        for term in &post.terms {
            *counts.entry(*term).or_default() += 1;
        }
    }
    let weight = |(term, count): (u32, usize)| {
        (1.0 + (count as f64).ln()) * source.idf[term as usize] * source.specificity[term as usize]
    };
    let mut found: Vec<(u32, f64)> = counts.into_iter().map(|found| (found.0, weight(found))).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found.iter().take(TERMS).filter_map(|(term, _)| source.term(*term)).map(text::term_hash).collect()
}

/// Earlier questions that somebody else answers in this window by a reply, with their message ids.
fn closed(
    earlier: &[Remembered],
    state: &DigestState,
    source: &Source<'_>,
    findings: &Findings,
) -> Vec<(i64, Answer)> {
    let window = &state.window;
    let still_open = |open: &&Open| open.closed_in.is_none_or(|closed_in| closed_in >= window.window_start);
    let questions = earlier.iter().flat_map(|window| &window.open).filter(still_open);
    let answered = questions.filter_map(|open| {
        let posts = source.posts.iter().enumerate();
        let replies = posts.filter(|(_, post)| {
            post.message.reply_to == Some(open.id) && post.message.author_id != open.author_id
        });
        let answers: Vec<Claim> = replies
            .filter_map(|(post, _)| answering(source, post))
            .map(|sentence| claim(source, findings, sentence))
            .take(ANSWERS_MAX)
            .collect();
        let question = Claim {
            text: wording::earlier_question(
                &state.language,
                &day(open.asked_at, &window.settings.time_zone),
                &open.author_name,
            ),
            message_ids: vec![open.id],
        };
        (!answers.is_empty()).then_some((open.id, Answer { question, answers }))
    });
    answered.collect()
}

/// Who says so has not found the answer yet, whatever else was found out.
const UNKNOWN: &[&str] = &[
    " don't understand ",
    " do not understand ",
    " no idea ",
    " don't know yet ",
    " не понимаю ",
    " не понял ",
    " не поняла ",
    " понятия не имею ",
    " пока не знаю ",
];

/// The sentence of a reply that answers; none where it asks back, assents, tells nothing or says that nobody knows.
fn answering(source: &Source<'_>, post: usize) -> Option<usize> {
    let found = &source.posts[post];
    let asks = found.sentences.clone().any(|sentence| source.sentences[sentence].asks);
    let unknown = found.sentences.clone().any(|sentence| {
        let padded = source.sentences[sentence].padded.as_str();
        UNKNOWN.iter().any(|words| padded.contains(words))
    });
    if !found.quotable || found.noise.is_some() || asks || unknown {
        return None;
    }
    found.sentences.clone().find(|sentence| tells(source, *sentence))
}

/// The day of a time, in a zone.
fn day(at_ms: i64, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_millisecond(at_ms).map(|at| at.to_zoned(zone).date().to_string()).unwrap_or_default()
}

/// The questions that a digest calls open, as they are kept.
fn open(source: &Source<'_>, digest: &Digest) -> Vec<Open> {
    let asked = digest.questions.iter().filter_map(|claim| claim.message_ids.last());
    let posts = asked.filter_map(|id| source.post(*id)).take(KEPT_MAX);
    posts
        .map(|post| Open {
            id: post.message.id,
            author_id: post.message.author_id.clone(),
            author_name: post.message.author_name.clone(),
            asked_at: post.message.sent_at,
            closed_in: None,
        })
        .collect()
}
