//! The quality score: `q = G·K·D·(.10 F + .55 C + .10 A + .05 T + .05 S + .10 R + .05 L)`, each part in [0, 1].
//!
//! G caps what cites or states something that does not exist, K is halved by claims that are none, D by lines that readers
//! find fault with; F is the share of supported sentences, C how much of the window is told, A its answers, T its titles, S its speakers, R what is not said
//! twice, L the length.
//!
//! Invariant: pure; judges any digest of a source, not only those made here.

use crate::{
    coverage::{Choice, Coverage},
    findings::Findings,
    judge::{Trust, trust},
    source::Source,
    support::{Support, support},
};
use schemas::{ANSWER_MARK, Digest, Quality};
use std::collections::{BTreeMap, BTreeSet};
use text::tokens;

/// Share of messages that makes a participant one who must be named.
const ACTIVE_SHARE: f64 = 0.05;
/// Recall against the oracle's that earns 1 − 1/e of the part: the first things told matter most to a reader.
const COVERED: f64 = 0.5;
/// Least tokens of a digest: this share of its source, or this many where the source is large.
const LENGTH_LEAST: (f64, f64) = (0.25, 60.0);
/// Share of the source's tokens that the oracle of coverage has at least, within these bounds; a source that is shorter
/// is covered by recall alone.
const ORACLE_SHARE: f64 = 0.25;
const ORACLE_LEAST: (f64, f64) = (100.0, 600.0);
/// Most tokens: this share of the source, or this many where the source is small.
const LENGTH_MOST: (f64, f64) = (0.6, 120.0);

/// A statement of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement<'d> {
    /// Who is said to have said or to do it.
    pub speaker: Option<&'d str>,
    /// What.
    pub text: &'d str,
    /// Ids of the messages it rests on; without any, it is held against the whole source.
    pub message_ids: &'d [i64],
}

/// The statements of a digest, each once, in reading order. `names` are the names of the participants.
pub fn statements<'d>(digest: &'d Digest, names: &BTreeSet<&str>) -> Vec<Statement<'d>> {
    let threads = digest.topics.iter().flat_map(|topic| &topic.threads).flat_map(|thread| &thread.claims);
    let claims = digest.summary.iter().chain(threads).chain(&digest.decisions).chain(&digest.questions);
    let answers = digest.answers.iter().flat_map(|answer| answer.answers.iter().chain([&answer.question]));
    let spoken = claims.chain(answers).flat_map(|claim| {
        let of = |(speaker, text)| Statement { speaker, text, message_ids: claim.message_ids.as_slice() };
        attributed(&claim.text, names).into_iter().map(of)
    });
    // A request is told in the words of who asked; what is judged is that its owner does it.
    let actions = digest.actions.iter().map(|action| Statement {
        speaker: action.owner.as_deref(),
        text: attributed(&action.text, names).pop().map_or(&action.text, |(_, text)| text),
        message_ids: &action.message_ids,
    });
    let did = digest.participants.iter().flat_map(|person| {
        person.did.iter().map(|claim| Statement {
            speaker: Some(person.name.as_str()),
            text: &claim.text,
            message_ids: &claim.message_ids,
        })
    });
    let mut seen = BTreeSet::new();
    spoken
        .chain(actions)
        .chain(did)
        .filter(|statement| seen.insert((statement.text, statement.speaker)))
        .collect()
}

/// Speakers and texts of `Name: text` and of `text — Name: text`, where the name is a participant's.
pub(crate) fn attributed<'d>(text: &'d str, names: &BTreeSet<&str>) -> Vec<(Option<&'d str>, &'d str)> {
    let ends: Vec<usize> = text.match_indices(": ").map(|(at, _)| at).collect();
    if let Some(at) = ends.iter().rev().find(|at| names.contains(&text[..**at])) {
        return vec![(Some(&text[..*at]), &text[at + 2..])];
    }
    for (dash, mark) in text.match_indices(ANSWER_MARK) {
        let from = dash + mark.len();
        let named = ends.iter().find(|at| **at > from && names.contains(&text[from..**at]));
        if let Some(at) = named {
            return vec![(None, &text[..dash]), (Some(&text[from..*at]), &text[at + 2..])];
        }
    }
    vec![(None, text)]
}

/// Scores a digest against its source.
pub fn digest_quality(source: &Source<'_>, digest: &Digest) -> Quality {
    quality_by(source, &Findings::of(source), digest)
}

/// Scores a digest against its source, by what was found in it.
pub(crate) fn quality_by(source: &Source<'_>, findings: &Findings, digest: &Digest) -> Quality {
    let names = source.author_names();
    scored(source, &statements(digest, &names), trust(source, findings, digest))
}

/// Scores statements against their source; nothing is held against claims, answers, titles and lines, which they do not
/// tell.
pub fn quality_score(source: &Source<'_>, statements: &[Statement<'_>]) -> Quality {
    scored(source, statements, Trust { claims: 1.0, answers: 1.0, titles: 1.0, sound: 1.0 })
}

fn scored(source: &Source<'_>, statements: &[Statement<'_>], trust: Trust) -> Quality {
    let supports: Vec<Support> = statements.iter().map(|statement| support(source, statement)).collect();
    let sentences: usize = supports.iter().map(|support| support.sentences).sum();
    let supported: f64 = supports.iter().map(|support| support.supported).sum();
    let guard = supports.iter().map(|support| support.cap).fold(1.0, f64::min);
    let faithfulness = if sentences == 0 { 0.0 } else { supported / sentences as f64 };
    let words: Vec<Vec<String>> = statements.iter().map(|statement| tokens(statement.text)).collect();
    let length: usize = words.iter().map(Vec::len).sum();
    let coverage = coverage(source, statements, length);
    let speakers = speakers(source, statements);
    let repetition = repetition(&words);
    let length = length_fit(source, length);
    let Trust { claims, answers, titles, sound } = trust;
    let told = 0.10 * faithfulness + 0.55 * coverage + 0.10 * answers + 0.05 * titles;
    let form = 0.05 * speakers + 0.10 * repetition + 0.05 * length;
    let held = guard * f64::midpoint(1.0, claims) * f64::midpoint(1.0, sound);
    Quality {
        score: held * (told + form),
        guard,
        faithfulness,
        coverage,
        speakers,
        repetition,
        length,
        claims,
        answers,
        titles,
        sound,
    }
}

/// Recall of the source's terms, by thread, over that of a greedy choice of sentences of equal length, or of
/// [`ORACLE_LEAST`] where the statements are shorter: brevity alone earns nothing.
fn coverage(source: &Source<'_>, statements: &[Statement<'_>], length: usize) -> f64 {
    let mut covered = Coverage::new(source);
    for statement in statements {
        cover(source, statement, &mut covered);
    }
    let candidates: Vec<usize> =
        (0..source.sentences.len()).filter(|at| source.posts[source.sentences[*at].post].quotable).collect();
    let least = (ORACLE_SHARE * spoken_tokens(source)).clamp(ORACLE_LEAST.0, ORACLE_LEAST.1);
    let tokens_max = length.max(least as usize);
    let choice = Choice { tokens_max, sentences_max: candidates.len(), overhead: 0.0, diversity: 0.0 };
    let mut oracle = Coverage::new(source);
    oracle.choose(&candidates, choice, |_| 1.0);
    1.0 - (-covered.against(&oracle) / COVERED).exp()
}

/// A statement covers terms in the threads that it cites; one without citations, in all.
fn cover(source: &Source<'_>, statement: &Statement<'_>, covered: &mut Coverage<'_, '_>) {
    let (terms, _) = source.terms(statement.text);
    let mut threads: Vec<usize> =
        statement.message_ids.iter().filter_map(|id| source.post(*id)).map(|post| post.thread).collect();
    if statement.message_ids.is_empty() {
        threads = (0..source.threads.len()).collect();
    }
    threads.sort_unstable();
    threads.dedup();
    for thread in threads {
        covered.cover(thread, &terms);
    }
}

/// Share of active participants that a statement names, as its speaker or in its text.
fn speakers(source: &Source<'_>, statements: &[Statement<'_>]) -> f64 {
    let quotable: Vec<_> = source.posts.iter().filter(|post| post.quotable).collect();
    let mut spoken: BTreeMap<&str, usize> = BTreeMap::new();
    for post in &quotable {
        *spoken.entry(&post.message.author_id).or_default() += 1;
    }
    let authors: BTreeSet<(&str, &str)> = quotable
        .iter()
        .map(|post| (post.message.author_id.as_str(), post.message.author_name.as_str()))
        .collect();
    let active: Vec<&str> = authors
        .iter()
        .filter(|(id, _)| spoken[id] as f64 >= ACTIVE_SHARE * quotable.len() as f64)
        .map(|(_, name)| *name)
        .collect();
    let words: BTreeSet<String> = statements.iter().flat_map(|statement| tokens(statement.text)).collect();
    let named = |name: &&&str| {
        statements.iter().any(|statement| statement.speaker == Some(**name))
            || tokens(name).first().is_some_and(|first| words.contains(first))
    };
    if active.is_empty() { 1.0 } else { active.iter().filter(named).count() as f64 / active.len() as f64 }
}

/// 1 − share of bigrams that repeat an earlier one.
fn repetition(statements: &[Vec<String>]) -> f64 {
    let bigrams = || statements.iter().flat_map(|words| words.windows(2));
    let total = bigrams().count();
    let distinct: BTreeSet<&[String]> = bigrams().collect();
    if total == 0 { 1.0 } else { distinct.len() as f64 / total as f64 }
}

/// Tokens that people said.
fn spoken_tokens(source: &Source<'_>) -> f64 {
    let said = source.sentences.iter().filter(|sentence| source.posts[sentence.post].quotable);
    said.map(|sentence| sentence.length).sum::<usize>() as f64
}

/// Least and most tokens of a digest of the source.
fn length_band(source: &Source<'_>) -> (f64, f64) {
    let total = spoken_tokens(source);
    let least = (LENGTH_LEAST.0 * total).min(LENGTH_LEAST.1).max(1.0);
    (least, (LENGTH_MOST.0 * total).max(LENGTH_MOST.1))
}

/// 1 inside the band, falling in proportion outside.
fn length_fit(source: &Source<'_>, length: usize) -> f64 {
    let (least, most) = length_band(source);
    let length = length as f64;
    if length < least {
        length / least
    } else if length > most {
        most / length
    } else {
        1.0
    }
}
