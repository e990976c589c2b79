//! Which posts a digest should cite, and which it must not: what is known of a post, weighed by a trained regression.
//!
//! Invariant: pure, from one window; no name, product or subject of any chat is a feature.

use crate::{
    acts::{self, Questions},
    source::{Post, Source},
};
use text::Noise;

/// Number of features of a post.
pub const TELLING_FEATURES: usize = 28;
/// Features of a post, in the order of [`telling_candidates`].
pub type TellingFeatures = [f64; TELLING_FEATURES];

/// Posts that people wrote, each with what is known of it.
pub fn telling_candidates(source: &Source<'_>, questions: &Questions) -> Vec<(usize, TellingFeatures)> {
    let marks = marks(source, questions);
    let total = quotable(source);
    let posts = source.posts.iter().enumerate().filter(|(_, post)| post.quotable);
    posts.map(|(at, post)| (at, features(source, post, marks[at], total))).collect()
}

/// What others make of a post.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Marks {
    replies: f64,
    /// Probability that it asks in earnest.
    earnest: f64,
    /// Probability that it answers a question asked in earnest.
    answers: f64,
}

fn marks(source: &Source<'_>, questions: &Questions) -> Vec<Marks> {
    let mut marks = vec![Marks::default(); source.posts.len()];
    for post in &source.posts {
        if let Some(parent) = post.message.reply_to.and_then(|id| source.index(id)) {
            marks[parent].replies += 1.0;
        }
    }
    for asked in &questions.asked {
        let at = source.sentences[asked.sentence].post;
        marks[at].earnest = marks[at].earnest.max(asked.earnest);
        for (post, probability) in &asked.answers {
            marks[*post].answers = marks[*post].answers.max(asked.earnest * probability);
        }
    }
    marks
}

fn quotable(source: &Source<'_>) -> f64 {
    source.posts.iter().filter(|post| post.quotable).count() as f64
}

/// What is thought of a post.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Telling {
    /// Probability that a digest should cite it; 0 for a post that is never quoted.
    pub(crate) worth: f64,
    /// Probability that it tells a reader nothing.
    pub(crate) idle: f64,
    marks: Marks,
}

impl Telling {
    /// What is known of the post that this is thought of.
    pub(crate) fn features(&self, source: &Source<'_>, post: usize) -> TellingFeatures {
        features(source, &source.posts[post], self.marks, quotable(source))
    }
}

/// What is thought of each post, by post.
pub(crate) fn telling(source: &Source<'_>, questions: &Questions) -> Vec<Telling> {
    let marks = marks(source, questions);
    let total = quotable(source);
    let thought = |(post, marks): (&Post<'_>, Marks)| {
        if !post.quotable {
            return Telling { marks, ..Telling::default() };
        }
        let features = features(source, post, marks, total);
        let worth = acts::probability(&acts::TELLING[..], &features);
        let idle = acts::probability(&acts::IDLE[..], &features);
        Telling { worth, idle, marks }
    };
    source.posts.iter().zip(marks).map(thought).collect()
}

fn features(source: &Source<'_>, post: &Post<'_>, marks: Marks, total: f64) -> TellingFeatures {
    let Marks { replies, earnest, answers } = marks;
    let sentences = &source.sentences[post.sentences.clone()];
    let length: usize = sentences.iter().map(|sentence| sentence.length).sum();
    let thread = source.threads[post.thread].len() as f64;
    let specific: f64 = post.terms.iter().map(|term| source.specificity[*term as usize]).sum();
    let is = |kinds: &[Noise]| flag(post.noise.is_some_and(|noise| kinds.contains(&noise)));
    let acts = acts::manners(source, post);
    [
        1.0,
        (1.0 + length as f64).ln() / 2.0,
        flag(length < 4),
        flag(length > 60),
        (source.weight(&post.terms) / (length as f64 + 8.0).sqrt() / 5.0).min(3.0),
        specific / post.terms.len().max(1) as f64,
        flag(post.place == 0),
        (1.0 + post.place as f64).ln() / 2.0,
        (thread).ln() / 3.0,
        (thread / total.max(1.0)).min(1.0),
        flag(thread < 2.0),
        replies.min(3.0),
        f64::from(post.message.reactions.min(4)) / 2.0,
        flag(sentences.iter().any(|sentence| sentence.asks)),
        earnest,
        answers,
        flag(!post.message.links.is_empty()),
        flag(post.message.media_kind.is_some()),
        is(&[Noise::Code, Noise::Log]),
        is(&[Noise::Link, Noise::Sticker, Noise::Laugh, Noise::Greeting, Noise::Thanks, Noise::SmallTalk]),
        flag(post.message.forwarded),
        flag(post.message.poll.is_some()),
        acts.laughs,
        acts.courtesy,
        acts.we_do,
        acts.code,
        flag(post.message.reply_to.is_some()),
        source.working(),
    ]
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
