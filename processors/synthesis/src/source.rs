//! The window as the digest's source: who said what, in which thread, in which sentences, of which terms.
//!
//! Invariant: posts keep the order of the messages, by (`sent_at`, id); every post is in exactly one thread.

use crate::{
    acts::Questions,
    sentence::{Sentence, sorted},
    support::facts_of,
};
use schemas::{ContextMessage, Threads};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::{ops::Range, sync::OnceLock};
use text::{Noise, TfIdf, lemmas, lemmas_of, noise, sentences, tokenize};

/// From more than this on a window is one of people who work together; see [`Source::working`].
const WORKS_TOGETHER: f64 = 0.6;
/// A pause after which a message without a thread starts one.
const THREAD_GAP_MS: i64 = 15 * 60 * 1000;

/// A message of the window.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// The message.
    pub message: &'a ContextMessage,
    /// Index of its thread.
    pub thread: usize,
    /// Its place in its thread.
    pub place: usize,
    /// False for bots' posts, repeated posts and posts without words: they are never quoted.
    pub quotable: bool,
    /// Its sentences.
    pub sentences: Range<usize>,
    /// Why it tells nothing, if so.
    pub noise: Option<Noise>,
    /// Numbers of its terms, sorted, each once.
    pub terms: Vec<u32>,
    /// Its numbers and addresses, folded.
    pub facts: BTreeSet<String>,
}

/// A window, indexed.
#[derive(Debug)]
pub struct Source<'a> {
    /// Messages by time.
    pub posts: Vec<Post<'a>>,
    /// Sentences of all posts, in order.
    pub sentences: Vec<Sentence>,
    /// Indices of posts by thread.
    pub threads: Vec<Vec<usize>>,
    /// Terms of the quotable posts by thread, sorted, each once.
    pub thread_terms: Vec<Vec<u32>>,
    /// Weight of each term.
    pub idf: Vec<f64>,
    /// How little each term is everyday speech, in (0, 1].
    pub specificity: Vec<f64>,
    model: TfIdf,
    by_id: HashMap<i64, usize>,
    working: f64,
    marks_replies: bool,
    /// Folded words of the authors' names.
    names: BTreeSet<String>,
    questions: OnceLock<Questions>,
}

impl<'a> Source<'a> {
    /// Indexes the messages of a window. Messages outside every thread are threaded by replies and pauses.
    pub fn new(messages: &'a [ContextMessage], threads: Option<&Threads>) -> Self {
        let by_id = messages.iter().enumerate().map(|(at, message)| (message.id, at)).collect();
        let read = messages.iter().map(|message| {
            let tokens = tokenize(&message.text);
            (lemmas_of(&tokens).collect(), facts_of(&tokens).collect())
        });
        let (documents, facts): (Vec<Vec<String>>, Vec<BTreeSet<String>>) = read.unzip();
        let model = TfIdf::fit(&documents);
        drop(documents);
        let mut source = Self {
            posts: Vec::with_capacity(messages.len()),
            sentences: Vec::new(),
            threads: Vec::new(),
            thread_terms: Vec::new(),
            idf: Vec::new(),
            specificity: Vec::new(),
            model,
            by_id,
            working: 0.0,
            marks_replies: messages.iter().filter(|message| message.reply_to.is_some()).count() * 8
                >= messages.len(),
            names: messages.iter().flat_map(|message| text::tokens(&message.author_name)).collect(),
            questions: OnceLock::new(),
        };
        for (message, facts) in messages.iter().zip(facts) {
            source.push(message, facts);
        }
        source.thread(threads);
        source.working = crate::acts::working(&source);
        source.thread_terms = source
            .threads
            .iter()
            .map(|posts| posts.iter().map(|post| &source.posts[*post]).filter(|post| post.quotable))
            .map(|posts| sorted(posts.flat_map(|post| &post.terms)))
            .collect();
        source.idf =
            (0..).map_while(|term| source.model.term(term)).map(|term| source.model.idf(term)).collect();
        source.specificity = (0..).map_while(|term| source.model.term(term)).map(text::specificity).collect();
        source
    }

    fn push(&mut self, message: &'a ContextMessage, facts: BTreeSet<String>) {
        let post = self.posts.len();
        let start = self.sentences.len();
        for range in sentences(&message.text) {
            let sentence = Sentence::read(&self.model, post, &message.text, range);
            self.sentences.push(sentence);
        }
        let sentences = start..self.sentences.len();
        let quotable = !message.is_bot && message.duplicate_of.is_none() && !sentences.is_empty();
        let terms = sorted(self.sentences[sentences.clone()].iter().flat_map(|sentence| &sentence.terms));
        self.posts.push(Post {
            message,
            thread: 0,
            place: 0,
            quotable,
            sentences,
            noise: noise(&message.text),
            terms,
            facts,
        });
    }

    /// Puts every post into a thread: the given one, else that of the post it answers or follows closely.
    fn thread(&mut self, threads: Option<&Threads>) {
        let mut given: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, thread) in threads.iter().flat_map(|threads| &threads.threads).enumerate() {
            for id in &thread.message_ids {
                if let Some(&post) = self.by_id.get(id) {
                    given.entry(post).or_insert(number);
                }
            }
        }
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        for post in 0..self.posts.len() {
            let thread = match given.get(&post) {
                Some(number) => *numbers.entry(*number).or_insert(self.threads.len()),
                None => self.fallback_thread(post, threads.is_none()),
            };
            if thread == self.threads.len() {
                self.threads.push(Vec::new());
            }
            self.posts[post].thread = thread;
            self.posts[post].place = self.threads[thread].len();
            self.threads[thread].push(post);
        }
    }

    fn fallback_thread(&self, post: usize, by_pause: bool) -> usize {
        let message = self.posts[post].message;
        let answered = message.reply_to.and_then(|id| self.by_id.get(&id)).filter(|parent| **parent < post);
        if let Some(&parent) = answered {
            return self.posts[parent].thread;
        }
        match post.checked_sub(1).map(|before| &self.posts[before]) {
            Some(before)
                if by_pause && message.sent_at.saturating_sub(before.message.sent_at) <= THREAD_GAP_MS =>
            {
                before.thread
            }
            _ => self.threads.len(),
        }
    }

    /// The questions of the window and what became of them; looked for once.
    pub fn questions(&self) -> &Questions {
        self.questions.get_or_init(|| Questions::of(self))
    }

    /// Index of the post of a message id.
    pub fn index(&self, id: i64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The post of a message id.
    pub fn post(&self, id: i64) -> Option<&Post<'a>> {
        self.index(id).map(|post| &self.posts[post])
    }

    /// Numbers of the known terms of a text, sorted, each once; and how many terms are unknown.
    pub fn terms(&self, text: &str) -> (Vec<u32>, usize) {
        let lemmas = lemmas(text);
        let terms: Vec<u32> = lemmas.iter().filter_map(|lemma| self.model.number(lemma)).collect();
        (sorted(&terms), lemmas.len() - terms.len())
    }

    /// The term of a number.
    pub fn term(&self, number: u32) -> Option<&str> {
        self.model.term(number)
    }

    /// Sum of the weights of terms.
    pub fn weight(&self, terms: &[u32]) -> f64 {
        terms.iter().map(|&term| self.idf[term as usize]).sum()
    }

    /// Whether a folded word occurs in the messages, in some form, or in a participant's name.
    pub fn knows(&self, word: &str) -> bool {
        text::is_stopword(word) || self.names.contains(word) || self.model.number(&text::stem(word)).is_some()
    }

    /// Number of words of a text that are participants' names.
    pub fn named(&self, text: &str) -> usize {
        text::tokens(text).iter().filter(|word| self.names.contains(*word)).count()
    }

    /// Names of the participants.
    pub fn author_names(&self) -> BTreeSet<&'a str> {
        self.posts.iter().map(|post| post.message.author_name.as_str()).collect()
    }

    /// The text of a sentence.
    pub fn text(&self, sentence: &Sentence) -> &'a str {
        &self.posts[sentence.post].message.text[sentence.range.clone()]
    }

    /// Posts of the same thread after `post`, in order.
    pub fn later(&self, post: usize) -> &[usize] {
        let post = &self.posts[post];
        &self.threads[post.thread][post.place + 1..]
    }

    /// Posts of the same thread before `post`, in order.
    pub fn earlier(&self, post: usize) -> &[usize] {
        let post = &self.posts[post];
        &self.threads[post.thread][..post.place]
    }

    /// How much the window is one of people who work together: the share of posts that speak of what "we" do, promise
    /// or assent, in [0, 1], where strangers who ask and answer hardly do.
    pub fn working(&self) -> f64 {
        self.working
    }

    /// Whether it is such a window.
    pub fn works_together(&self) -> bool {
        self.working > WORKS_TOGETHER
    }

    /// Whether people of this window mark what they answer: one post in eight, or more, is a native reply.
    pub fn marks_replies(&self) -> bool {
        self.marks_replies
    }

    /// The author of a post; ids are compared, names shown.
    pub fn author(&self, post: usize) -> &'a str {
        &self.posts[post].message.author_id
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use schemas::Thread;

    /// A message for tests: the id is also the minute.
    pub(crate) fn message(id: i64, author: &str, text: &str) -> ContextMessage {
        ContextMessage { rank: 0.5, ..fixtures::message(id, id * 60_000, author, text) }
    }

    #[test]
    fn every_post_is_in_one_thread() {
        let mut messages: Vec<_> = (1..=4).map(|id| message(id, "A", "some words")).collect();
        messages[3].sent_at += THREAD_GAP_MS * 2;
        let source = Source::new(&messages, None);
        assert_eq!(source.threads, [vec![0, 1, 2], vec![3]]);
        let given = Threads {
            links: Vec::new(),
            threads: vec![Thread { thread_id: 2, message_ids: vec![2, 4, 99] }],
        };
        let source = Source::new(&messages, Some(&given));
        assert_eq!(source.threads, [vec![0], vec![1, 3], vec![2]]);
    }

    #[test]
    fn sentences_are_padded_and_asked() {
        let messages = [message(1, "A", "Ёлку берём! Кто-нибудь против?)")];
        let source = Source::new(&messages, None);
        assert_eq!(source.sentences[0].padded, " елку берем ");
        assert!(!source.sentences[0].asks);
        assert!(source.sentences[1].asks);
    }
}
