//! Evaluates search on a large group: a question is the query, and the replies to it are what should be found.
//!
//! Invariant: ranked by what `gistmill search` ranks by ([`text::word_weight`], [`text::score`], [`text::bringing`]), in
//! memory. Postgres splits texts and stems words by its own rules, a little otherwise than [`text::lemmas`].

use crate::{Error, Report, telegram, thread_builder::held_out};
use schemas::ContextMessage;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

/// Hits that count.
const SHOWN: usize = 10;
/// Hits of each way of searching that are fused.
const FUSED: usize = 100;

/// Recall of the first ten and mean reciprocal rank, over the questions of the last fifth that somebody else replied to.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let messages = telegram::load(data_dir)?;
    let questions = questions(&messages);
    let index = Words::of(&messages);
    let vectors: Vec<Vec<f32>> = messages.iter().map(|message| embedding::embed(&message.text)).collect();
    let mut scores = [Score::default(); 3];
    for (at, answers) in &questions {
        let by_words = index.search(*at, FUSED);
        let by_vector = nearest(&vectors, *at);
        let fused = text::fuse(&[by_words.clone(), by_vector.clone()]);
        let fused: Vec<usize> = fused.into_iter().map(|(at, _)| at).collect();
        for (score, found) in scores.iter_mut().zip([&by_words, &by_vector, &fused]) {
            score.add(found, answers);
        }
    }
    let mut report = Report::new("search");
    let set = "telegram_qa_load, last fifth";
    for (way, score) in ["words", "built-in embedding", "fused"].iter().zip(scores) {
        report.add(set, &format!("recall@10 of {way}"), score.recall / questions.len().max(1) as f64, None);
        report.add(set, &format!("MRR of {way}"), score.rank / questions.len().max(1) as f64, None);
    }
    report.add(set, "questions", questions.len() as f64, None);
    Ok(report)
}

/// Places of the questions, with those of the replies to them by others.
fn questions(messages: &[ContextMessage]) -> Vec<(usize, BTreeSet<usize>)> {
    let places: HashMap<i64, usize> =
        messages.iter().enumerate().map(|(at, message)| (message.id, at)).collect();
    let first = messages.len() - held_out(messages).len();
    let mut answers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        let Some(&asked) = message.reply_to.and_then(|id| places.get(&id)) else { continue };
        let question = &messages[asked];
        if asked >= first && question.author_id != message.author_id && text::is_question(&question.text) {
            answers.entry(asked).or_default().insert(at);
        }
    }
    answers.into_iter().collect()
}

/// An index of words.
struct Words {
    /// Words of each message.
    of: Vec<BTreeSet<String>>,
    /// Messages with each word.
    with: HashMap<String, Vec<usize>>,
}

impl Words {
    fn of(messages: &[ContextMessage]) -> Self {
        let of: Vec<BTreeSet<String>> =
            messages.iter().map(|message| text::lemmas(&message.text).into_iter().collect()).collect();
        let mut with: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, words) in of.iter().enumerate() {
            for word in words {
                with.entry(word.clone()).or_default().push(at);
            }
        }
        Self { of, with }
    }

    /// The messages that answer the one at this place best, without itself.
    fn search(&self, asked: usize, limit: usize) -> Vec<usize> {
        let texts = |word: &String| u32::try_from(self.with[word].len()).unwrap_or(u32::MAX);
        let words: Vec<(&String, u32)> = self.of[asked].iter().map(|word| (word, texts(word))).collect();
        let counts: Vec<u32> = words.iter().map(|(_, texts)| *texts).collect();
        let bringing = text::bringing(&counts);
        let mut hits: BTreeSet<usize> =
            bringing.iter().flat_map(|&place| &self.with[words[place].0]).copied().collect();
        if bringing.is_empty() {
            let has_all = |at: &usize| words.iter().all(|(word, _)| self.of[*at].contains(*word));
            let first = words.first().map(|(word, _)| &self.with[*word]);
            hits = first.into_iter().flatten().copied().filter(has_all).collect();
        }
        hits.remove(&asked);
        let score = |at: usize| {
            let held = words.iter().filter(|(word, _)| self.of[at].contains(*word));
            let weights = held.map(|(_, texts)| text::word_weight(*texts)).sum();
            text::score(weights, u32::try_from(self.of[at].len()).unwrap_or(u32::MAX))
        };
        best(hits.into_iter().map(|at| (score(at), at)).collect(), limit)
    }
}

/// The messages whose vectors lie nearest to the one at this place, without itself.
fn nearest(vectors: &[Vec<f32>], asked: usize) -> Vec<usize> {
    let question = &vectors[asked];
    let near = |vector: &Vec<f32>| vector.iter().zip(question).map(|(a, b)| a * b).sum::<f32>();
    let all = vectors.iter().enumerate().filter(|(at, _)| *at != asked);
    best(all.map(|(at, vector)| (f64::from(near(vector)), at)).collect(), FUSED)
}

/// Places by score, the later message first where scores are equal.
fn best(mut scored: Vec<(f64, usize)>, limit: usize) -> Vec<usize> {
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(Reverse(left.1).cmp(&Reverse(right.1))));
    scored.into_iter().take(limit).map(|(_, at)| at).collect()
}

/// Sums over questions.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    recall: f64,
    rank: f64,
}

impl Score {
    fn add(&mut self, found: &[usize], answers: &BTreeSet<usize>) {
        let shown = &found[..found.len().min(SHOWN)];
        let right = shown.iter().filter(|at| answers.contains(at)).count();
        self.recall += right as f64 / answers.len() as f64;
        let first = shown.iter().position(|at| answers.contains(at));
        self.rank += first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: i64, author: &str, text: &str, reply_to: Option<i64>) -> ContextMessage {
        ContextMessage { reply_to, ..ContextMessage::plain(id, id * 1_000, author, text) }
    }

    #[test]
    fn recall_and_rank_by_hand() {
        let mut score = Score::default();
        score.add(&[4, 7, 9], &BTreeSet::from([7, 8]));
        score.add(&[1], &BTreeSet::from([2]));
        assert_eq!((score.recall, score.rank), (0.5, 0.5));
    }

    #[test]
    fn a_question_is_relevant_with_the_replies_of_others_and_finds_them_by_rare_words() {
        let mut messages: Vec<ContextMessage> =
            (0..16).map(|id| said(id, "x", "nothing of that kind", None)).collect();
        messages.push(said(16, "a", "why does the scheduler stall?", None));
        messages.push(said(17, "a", "the scheduler is stalled I mean", Some(16)));
        messages.push(said(18, "b", "schedulers stall on locks", Some(16)));
        messages.push(said(19, "c", "thanks", Some(18)));
        assert_eq!(questions(&messages), [(16, BTreeSet::from([18]))]);
        let found = Words::of(&messages).search(16, SHOWN);
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([17, 18]));
    }
}
