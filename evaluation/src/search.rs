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
const FUSED: usize = 30;

/// Makes vectors as a model wants them: some models take a query otherwise than a text that is searched.
pub trait Embeddings {
    /// What the report calls it.
    fn name(&self) -> &str;
    /// The vectors of texts, in their order; as many numbers each.
    ///
    /// # Errors
    /// They cannot be had.
    fn of_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Failure>;
    /// The vectors of queries, in their order.
    ///
    /// # Errors
    /// They cannot be had.
    fn of_queries(&self, queries: &[&str]) -> Result<Vec<Vec<f32>>, Failure>;
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// All messages.
    All,
    /// Those of the last fifth, which the questions are of.
    LastFifth,
}

/// Why a model has no vectors.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The built-in embedding.
struct BuiltIn;

impl Embeddings for BuiltIn {
    fn name(&self) -> &'static str {
        "built-in embedding"
    }

    fn of_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
        Ok(texts.iter().map(|text| embedding::embed(text)).collect())
    }

    fn of_queries(&self, queries: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
        self.of_texts(queries)
    }
}

/// The messages and the questions as a model sees them.
struct Space<'a> {
    name: &'a str,
    texts: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
}

impl<'a> Space<'a> {
    fn of(
        model: &'a dyn Embeddings,
        messages: &[ContextMessage],
        questions: &[(usize, BTreeSet<usize>)],
    ) -> Result<Self, Error> {
        let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
        let queries: Vec<&str> = questions.iter().map(|(at, _)| texts[*at]).collect();
        let queries = model.of_queries(&queries).map_err(Error::Vectors)?;
        Ok(Self { name: model.name(), texts: model.of_texts(&texts).map_err(Error::Vectors)?, queries })
    }
}

/// Recall of the first ten and mean reciprocal rank, over the questions of the last fifth that somebody else replied to: by
/// words, by the built-in embedding and by `other`, and by words together with each. Searched are all messages, or those of
/// the last fifth alone, which answers are among.
pub(crate) fn evaluate(
    data_dir: &Path,
    other: Option<&dyn Embeddings>,
    among: Among,
) -> Result<Report, Error> {
    let mut messages = telegram::load(data_dir)?;
    let mut first = messages.len() - held_out(&messages).len();
    if among == Among::LastFifth {
        messages.drain(..std::mem::take(&mut first));
    }
    let questions = questions(&messages, first);
    let models: Vec<&dyn Embeddings> =
        [Some(&BuiltIn as &dyn Embeddings), other].into_iter().flatten().collect();
    let mut report = Report::new("search");
    let set = match among {
        Among::All => "telegram_qa_load, last fifth",
        Among::LastFifth => "telegram_qa_load, among the last fifth",
    };
    let count = questions.len().max(1) as f64;
    for (way, score) in measured(&messages, &questions, &models)? {
        report.add(set, &format!("recall@10 of {way}"), score.recall / count, None);
        report.add(set, &format!("MRR of {way}"), score.rank / count, None);
    }
    report.add(set, "questions", questions.len() as f64, None);
    Ok(report)
}

/// Sums of each way of searching: words, and each model alone and together with them.
fn measured(
    messages: &[ContextMessage],
    questions: &[(usize, BTreeSet<usize>)],
    models: &[&dyn Embeddings],
) -> Result<Vec<(String, Score)>, Error> {
    let index = Words::of(messages);
    let spaces: Vec<Space<'_>> =
        models.iter().map(|model| Space::of(*model, messages, questions)).collect::<Result<_, _>>()?;
    let mut by_words = Score::default();
    let mut by_vector = vec![[Score::default(); 2]; spaces.len()];
    for (number, (at, answers)) in questions.iter().enumerate() {
        let words = index.search(*at, FUSED);
        by_words.add(&words, answers);
        for (space, [alone, fused]) in spaces.iter().zip(&mut by_vector) {
            let near = nearest(&space.texts, &space.queries[number], *at);
            alone.add(&near, answers);
            let both: Vec<usize> = text::fuse(&[words.clone(), near]).into_iter().map(|(at, _)| at).collect();
            fused.add(&both, answers);
        }
    }
    let mut ways = vec![("words".to_owned(), by_words)];
    for (space, [alone, fused]) in spaces.iter().zip(by_vector) {
        ways.push((space.name.to_owned(), alone));
        ways.push((format!("words and {}, fused", space.name), fused));
    }
    Ok(ways)
}

/// Places of the questions from a place on, with those of the replies to them by others.
fn questions(messages: &[ContextMessage], first: usize) -> Vec<(usize, BTreeSet<usize>)> {
    let places: HashMap<i64, usize> =
        messages.iter().enumerate().map(|(at, message)| (message.id, at)).collect();
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

/// The messages whose vectors lie nearest to a question's, without itself.
fn nearest(vectors: &[Vec<f32>], question: &[f32], asked: usize) -> Vec<usize> {
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
        assert_eq!(questions(&messages, 16), [(16, BTreeSet::from([18]))]);
        assert_eq!(questions(&messages, 17), []);
        let found = Words::of(&messages).search(16, SHOWN);
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([17, 18]));
    }

    /// Takes a query for its answer.
    struct Knowing;

    impl Embeddings for Knowing {
        fn name(&self) -> &'static str {
            "knowing"
        }

        fn of_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
            let is_answer = |text: &&str| f32::from(u8::from(text.contains("locks")));
            Ok(texts.iter().map(|text| vec![is_answer(text), 0.5]).collect())
        }

        fn of_queries(&self, queries: &[&str]) -> Result<Vec<Vec<f32>>, Failure> {
            Ok(queries.iter().map(|_| vec![1.0, 0.0]).collect())
        }
    }

    #[test]
    fn a_model_is_asked_for_queries_and_texts_each_in_its_way_and_measured_alone_and_with_words() {
        let mut messages: Vec<ContextMessage> =
            (0..16).map(|id| said(id, "x", "nothing of that kind", None)).collect();
        messages.push(said(16, "a", "why does the scheduler stall?", None));
        messages.push(said(17, "a", "scheduler stall", None));
        messages.push(said(18, "b", "it waits for locks", Some(16)));
        let questions = questions(&messages, 16);
        let ways = measured(&messages, &questions, &[&Knowing]).expect("vectors");
        let told: Vec<(&str, f64, f64)> =
            ways.iter().map(|(way, score)| (way.as_str(), score.recall, score.rank)).collect();
        assert_eq!(
            told,
            [("words", 0.0, 0.0), ("knowing", 1.0, 1.0), ("words and knowing, fused", 1.0, 0.5)]
        );
    }
}
