//! How far the claims, answers and titles of a digest can be trusted: the parts of the score beside its statements.
//!
//! Invariant: pure; a digest of any producer is judged by its cited messages alone, and 1 is what nothing stands against.

use crate::{
    acts::{commitment_candidates, commitment_probability, decision_candidates, decision_probability, poll},
    findings::Findings,
    sound::sound,
    source::Source,
};
use schemas::{Action, Claim, Digest};
use std::collections::{BTreeMap, BTreeSet};
use text::{is_stopword, noise};

/// Name of the weakness of a digest whose claims may be none.
pub(crate) const UNCERTAIN_CLAIMS: &str = "uncertain_claims";
/// Name of the weakness of a digest whose lines readers would find fault with.
pub(crate) const UNSOUND_LINES: &str = "unsound_lines";
/// Name of the weakness of a digest that tells little of its window.
pub(crate) const THIN: &str = "thin";
/// From this probability on, nothing is held against a claim.
const CERTAIN: f64 = 0.7;
/// From this weight on, an answered question of the window is one that a digest is asked to tell; so many at most.
const ANSWER_MIN: f64 = 0.35;
const ANSWERS_MAX: usize = 8;
/// Share of a title's pairs of neighbouring words that the messages must hold, where it is no phrase with small words.
const PAIRS_HELD: f64 = 0.5;

/// The parts, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trust {
    /// How sure it is that each decision and action is one, and its owner right; 1 without any.
    pub(crate) claims: f64,
    /// Share of the window's answered questions that the digest tells, by weight; 1 without any.
    pub(crate) answers: f64,
    /// Share of titles that are more than a list of words; 1 without any.
    pub(crate) titles: f64,
    /// How likely a reader finds nothing wrong with a line; 1 without any.
    pub(crate) sound: f64,
}

/// Judges a digest by what was found in its source.
pub(crate) fn trust(source: &Source<'_>, findings: &Findings, digest: &Digest) -> Trust {
    Trust {
        claims: claims(source, digest),
        answers: answers(source, digest),
        titles: titles(source, digest),
        sound: sound(source, findings, digest),
    }
}

/// How sure it is of each post that it decides or promises something.
pub(crate) struct Sure {
    decided: BTreeMap<usize, f64>,
    promised: BTreeMap<usize, f64>,
}

impl Sure {
    pub(crate) fn of(source: &Source<'_>) -> Self {
        let post = |sentence: usize| source.sentences[sentence].post;
        let mut sure = Self { decided: BTreeMap::new(), promised: BTreeMap::new() };
        for (found, features) in decision_candidates(source) {
            let known = sure.decided.entry(post(found.sentence)).or_default();
            *known = known.max(decision_probability(&features));
        }
        for (found, features) in commitment_candidates(source) {
            let known = sure.promised.entry(post(found.sentence)).or_default();
            *known = known.max(commitment_probability(&features, found.acceptance.is_some()));
        }
        sure.decided.extend(poll::settled(source).iter().map(|found| (post(found.sentence), found.score)));
        sure.promised.extend(poll::to_do(source).iter().map(|found| (post(found.sentence), found.score)));
        sure
    }

    /// The most that any of these messages may be a decision.
    pub(crate) fn most_decided(&self, source: &Source<'_>, ids: &[i64]) -> f64 {
        most(&self.decided, source, ids)
    }

    /// The most that any of these messages may be a promise.
    pub(crate) fn most_promised(&self, source: &Source<'_>, ids: &[i64]) -> f64 {
        most(&self.promised, source, ids)
    }

    /// Whether nothing is held against a decision of this sentence.
    pub(crate) fn decided(&self, sentence: usize, source: &Source<'_>) -> bool {
        self.decided.get(&source.sentences[sentence].post).is_some_and(|p| *p >= CERTAIN)
    }

    /// Whether nothing is held against a commitment of this sentence.
    pub(crate) fn promised(&self, sentence: usize, source: &Source<'_>) -> bool {
        self.promised.get(&source.sentences[sentence].post).is_some_and(|p| *p >= CERTAIN)
    }
}

/// The largest probability of the posts of these messages; 0 for one that is not known.
fn most(probabilities: &BTreeMap<usize, f64>, source: &Source<'_>, ids: &[i64]) -> f64 {
    let cited = ids.iter().filter_map(|id| probabilities.get(&source.index(*id)?));
    cited.copied().fold(0.0, f64::max)
}

fn claims(source: &Source<'_>, digest: &Digest) -> f64 {
    if digest.decisions.is_empty() && digest.actions.is_empty() {
        return 1.0;
    }
    let sure = Sure::of(source);
    let decisions = digest.decisions.iter().map(|claim| sure.most_decided(source, &claim.message_ids));
    let promised = |ids: &[i64]| sure.most_promised(source, ids);
    let actions = digest.actions.iter();
    let actions =
        actions.map(|action| if owned(source, action) { promised(&action.message_ids) } else { 0.0 });
    let all: Vec<f64> = decisions.chain(actions).collect();
    all.iter().map(|p| (p / CERTAIN).min(1.0)).sum::<f64>() / all.len() as f64
}

/// Whether the owner wrote one of the cited messages, or is named in one: with the whole name, or somebody who writes in
/// the window with the first of it.
pub(crate) fn owned(source: &Source<'_>, action: &Action) -> bool {
    let Some(owner) = &action.owner else { return true };
    let name = text::tokens(owner);
    let writes = source.posts.iter().any(|post| post.message.author_name == *owner);
    let needed = if writes { name.len().min(1) } else { name.len() };
    action.message_ids.iter().filter_map(|id| source.post(*id)).any(|post| {
        let words = text::tokens(&post.message.text);
        let named = || needed > 0 && name[..needed].iter().all(|part| words.contains(part));
        post.message.author_name == *owner || named()
    })
}

/// Messages that the digest's lines cite: what a reader gets to see.
fn told(digest: &Digest) -> BTreeSet<i64> {
    let stories = digest.topics.iter().flat_map(|topic| {
        let threads = topic.threads.iter().flat_map(|thread| &thread.claims);
        topic.story.iter().chain(threads.filter(|_| topic.story.is_empty()))
    });
    let claims = digest.summary.iter().chain(&digest.decisions).chain(&digest.questions).chain(stories);
    let cited = claims.map(|claim: &Claim| &claim.message_ids);
    cited.chain(digest.actions.iter().map(|action| &action.message_ids)).flatten().copied().collect()
}

fn answers(source: &Source<'_>, digest: &Digest) -> f64 {
    let told = told(digest);
    let id = |post: usize| source.posts[post].message.id;
    let mut wanted: Vec<(f64, bool)> = Vec::new();
    for found in source.questions().answered() {
        let answered = found.answers.iter().any(|post| told.contains(&id(*post)));
        if found.score >= ANSWER_MIN {
            wanted.push((found.score, answered));
        }
    }
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    wanted.truncate(ANSWERS_MAX);
    let all: f64 = wanted.iter().map(|(weight, _)| weight).sum();
    let known: f64 = wanted.iter().filter(|(_, answered)| *answered).map(|(weight, _)| weight).sum();
    if wanted.is_empty() { 1.0 } else { known / all }
}

fn titles(source: &Source<'_>, digest: &Digest) -> f64 {
    if digest.topics.is_empty() {
        return 1.0;
    }
    let good = digest.topics.iter().filter(|topic| reads(source, &topic.title, &topic.message_ids)).count();
    good as f64 / digest.topics.len() as f64
}

/// Whether a title is one that a person would write: it names something that the messages speak of, and is either in
/// their own words or joined by small words; a list of keywords is neither.
fn reads(source: &Source<'_>, title: &str, message_ids: &[i64]) -> bool {
    let words: Vec<String> = text::tokens(title);
    let (terms, _) = source.terms(title);
    if noise(title).is_some() || terms.is_empty() {
        return false;
    }
    let joined = words.iter().any(|word| is_stopword(word));
    let listed = title.matches([',', ';', '·', '/']).count() + 1 >= words.len();
    if words.len() == 1 || joined && !listed {
        return true;
    }
    let posts = message_ids.iter().filter_map(|id| source.post(*id));
    let said: Vec<&str> = posts
        .flat_map(|post| source.sentences[post.sentences.clone()].iter())
        .map(|sentence| sentence.padded.as_str())
        .collect();
    let pairs = words.windows(2);
    let total = pairs.len() as f64;
    let held = pairs.filter(|pair| {
        let pair = format!(" {} {} ", pair[0], pair[1]);
        said.iter().any(|sentence| sentence.contains(&pair))
    });
    held.count() as f64 >= PAIRS_HELD * total
}

/// What is held against a digest, by name, worst first: names are part of the contract of the events.
pub(crate) fn weaknesses(digest: &Digest) -> Vec<String> {
    let quality = &digest.quality;
    let parts = [
        ("invented", quality.guard, 1.0),
        (UNCERTAIN_CLAIMS, quality.claims, 0.8),
        ("unsupported", quality.faithfulness, 0.9),
        (UNSOUND_LINES, quality.sound, 0.4),
        ("untold_answers", quality.answers, 0.5),
        (THIN, quality.coverage, 0.4),
        ("keyword_titles", quality.titles, 0.8),
        ("repeats", quality.repetition, 0.8),
        ("too_long_or_short", quality.length, 0.5),
    ];
    let weak = parts.into_iter().filter(|(_, value, least)| value < least);
    weak.map(|(name, _, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    #[test]
    fn a_list_of_keywords_is_no_title() {
        let messages = [
            message(1, "Ann", "Logical replication goes straight to the new cluster"),
            message(2, "Bob", "the straight road was closed"),
        ];
        let source = Source::new(&messages, None);
        for (title, wanted) in [
            ("replication, logical, straight", false),
            ("replication cluster straight", false),
            ("logical replication", true),
            ("Replication to the new cluster", true),
            ("Hello!", false),
            ("", false),
        ] {
            assert_eq!(reads(&source, title, &[1, 2]), wanted, "{title}");
        }
    }

    #[test]
    fn an_owner_wrote_or_is_named() {
        let messages = [
            message(1, "Ann", "Bob, can you book the room?"),
            message(2, "Bob", "ok"),
            message(3, "Cid", "hm"),
        ];
        let source = Source::new(&messages, None);
        let action = |owner: &str, ids: &[i64]| Action {
            text: "book the room".to_owned(),
            owner: Some(owner.to_owned()),
            due: None,
            message_ids: ids.to_vec(),
            due_date: None,
        };
        assert!(owned(&source, &action("Bob", &[1])));
        assert!(owned(&source, &action("Bob", &[1, 2])));
        assert!(!owned(&source, &action("Cid", &[1, 2])));
        // A word of a sentence that stands for a name names nobody; a name that nobody here has is one as a whole.
        assert!(!owned(&source, &action("The room costs 98765431 dollars.", &[1])));
        assert!(!owned(&source, &action("...", &[1])));
        assert!(!owned(&source, &action("Bob Smith", &[1])));
        assert!(!owned(&source, &action("Ann", &[2])));
    }
}
