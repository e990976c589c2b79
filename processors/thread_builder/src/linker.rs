//! Walks a window in order of time and gives each message its parent.
//!
//! Invariant: a parent is earlier, in the same forum topic, and among the last [`CANDIDATES_MAX`] messages
//! unless a native reply says otherwise; work is linear in the number of messages.

use crate::{
    conversation::Conversation,
    features::{self, Features, Placement, Scene},
    model::{Habit, Model},
    post::{Post, prepare},
    rhythm::Rhythm,
};
use schemas::ContextMessage;
use std::collections::BTreeMap;

/// Earlier messages considered: beyond this distance 1 % of real replies lie.
pub const CANDIDATES_MAX: usize = 80;
/// Share of messages that open with a name from which a room addresses by name.
const ADDRESSING_SHARE: f64 = 0.1;
/// Pauses longer than this are nights, not the pace of a talk.
const PAUSE_MS_MAX: i64 = 3_600_000;

/// A possible decision about a message.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Index of the parent; `None` starts a thread.
    pub parent: Option<usize>,
    /// What speaks for it.
    pub features: Features,
    /// Evidence that the model does not see, in natural logarithms of odds: for a new thread, the silence before.
    pub evidence: f64,
}

/// Gives parents to messages one after another.
#[derive(Debug)]
pub struct Linker {
    posts: Vec<Post>,
    topics: Vec<Option<i64>>,
    conversation: Conversation,
    pace_s: f64,
    rhythm: Option<Rhythm>,
    recent: BTreeMap<Option<i64>, Vec<usize>>,
    next: usize,
}

impl Linker {
    /// A linker over messages sorted by (`sent_at`, id).
    pub fn new(messages: &[&ContextMessage]) -> Self {
        let mut linker = Self {
            posts: prepare(messages),
            topics: messages.iter().map(|message| message.topic_id).collect(),
            conversation: Conversation::default(),
            pace_s: pace(messages),
            rhythm: None,
            recent: BTreeMap::new(),
            next: 0,
        };
        // People who address each other talk across each other, too: there a pause is of the room, not of a talk.
        if linker.habit() == Habit::Replying {
            linker.rhythm = Rhythm::of(&pauses(messages));
        }
        linker
    }

    /// How people show whom they answer.
    pub fn habit(&self) -> Habit {
        let addressing = self.posts.iter().filter(|post| !post.named.addressed.is_empty()).count();
        if addressing as f64 >= self.posts.len() as f64 * ADDRESSING_SHARE && addressing > 0 {
            Habit::Addressing
        } else {
            Habit::Replying
        }
    }

    /// Candidates for the next message: recent ones of its forum topic, newest first, then a new thread.
    pub fn candidates(&self) -> Vec<Candidate> {
        let scene = Scene {
            posts: &self.posts,
            conversation: &self.conversation,
            child: self.next,
            pace_s: self.pace_s,
        };
        let recent = self.topics.get(self.next).and_then(|topic| self.recent.get(topic));
        let recent = recent.map(Vec::as_slice).unwrap_or_default();
        let placed = self.place(recent);
        let best_thread = placed.iter().map(|(_, placement)| placement.thread_cosine).fold(0.0, f64::max);
        let best = placed.first().map_or(0.0, |(_, placement)| placement.best_cosine);
        let mut candidates: Vec<Candidate> = placed
            .iter()
            .map(|(parent, placement)| Candidate {
                parent: Some(*parent),
                features: features::of_parent(scene, *parent, placement),
                evidence: 0.0,
            })
            .collect();
        let start = features::of_start(scene, recent.last().copied(), best, best_thread);
        candidates.push(Candidate { parent: None, features: start, evidence: self.silence(recent) });
        candidates
    }

    /// Evidence of the silence before the next message that a talk has ended. Posts of bots do not break a silence.
    fn silence(&self, recent: &[usize]) -> f64 {
        let child = &self.posts[self.next];
        let before = recent.iter().rev().map(|&at| &self.posts[at]).find(|post| !post.is_bot);
        let evidence = |(rhythm, post)| Rhythm::evidence(&rhythm, features::seconds(child, post));
        self.rhythm.zip(before).map_or(0.0, evidence)
    }

    fn place(&self, recent: &[usize]) -> Vec<(usize, Placement)> {
        let child = &self.posts[self.next];
        let recent = &recent[recent.len().saturating_sub(CANDIDATES_MAX)..];
        let mut by_author = BTreeMap::new();
        let mut thread_cosines = BTreeMap::new();
        let mut turns = 0;
        let mut later = child;
        let mut placed = Vec::with_capacity(CANDIDATES_MAX);
        for (distance, &at) in recent.iter().rev().enumerate() {
            let post = &self.posts[at];
            turns += usize::from(distance > 0 && !post.same_author(later));
            later = post;
            let count = by_author.entry(post.author).or_insert(0);
            let root = self.conversation.root(at);
            let thread_cosine =
                *thread_cosines.entry(root).or_insert_with(|| self.conversation.thread_of(at).cosine(child));
            let cosine = child.cosine(post);
            let placement = Placement {
                distance: distance + 1,
                turns,
                later_by_author: *count,
                cosine,
                thread_cosine,
                best_cosine: 0.0,
            };
            placed.push((at, placement));
            *count += 1;
        }
        let best_cosine = placed.iter().map(|(_, placement)| placement.cosine).fold(0.0, f64::max);
        for (_, placement) in &mut placed {
            placement.best_cosine = best_cosine;
        }
        placed
    }

    /// Decides the next message and moves on; a parent that is not earlier is ignored.
    pub fn accept(&mut self, parent: Option<usize>) {
        let Some(post) = self.posts.get(self.next) else { return };
        self.conversation.accept(post, parent);
        let recent = self.recent.entry(self.topics[self.next]).or_default();
        recent.push(self.next);
        if recent.len() > 2 * CANDIDATES_MAX {
            recent.drain(..CANDIDATES_MAX);
        }
        self.next += 1;
    }

    /// Index of the first message of the thread that an accepted message is in.
    pub fn root(&self, at: usize) -> usize {
        self.conversation.root(at)
    }
}

/// Best candidate and its probability among all, with ties to the nearer one.
pub fn choose(model: &Model, candidates: &[Candidate]) -> Option<(usize, f64)> {
    let score = |candidate: &Candidate| model.score(&candidate.features) + candidate.evidence;
    let scores: Vec<f64> = candidates.iter().map(score).collect();
    let mut best = 0;
    for (at, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = at;
        }
    }
    let top = scores.get(best)?;
    let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
    Some((best, 1.0 / total))
}

/// Pauses in seconds between neighbours of each forum topic, by topic.
fn pauses(messages: &[&ContextMessage]) -> Vec<f64> {
    let mut last: BTreeMap<Option<i64>, i64> = BTreeMap::new();
    let people = messages.iter().filter(|message| !message.is_bot);
    let pause = |message: &&ContextMessage| {
        let before = last.insert(message.topic_id, message.sent_at)?;
        Some(message.sent_at.saturating_sub(before).max(0) as f64 / 1000.0)
    };
    people.filter_map(pause).collect()
}

/// Median pause in seconds inside talks, at least one.
fn pace(messages: &[&ContextMessage]) -> f64 {
    let mut pauses: Vec<i64> = messages
        .windows(2)
        .map(|pair| pair[1].sent_at.saturating_sub(pair[0].sent_at))
        .filter(|pause| (0..=PAUSE_MS_MAX).contains(pause))
        .collect();
    pauses.sort_unstable();
    pauses.get(pauses.len() / 2).map_or(60.0, |&pause| (pause as f64 / 1000.0).max(1.0))
}
