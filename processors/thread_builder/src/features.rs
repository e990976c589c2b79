//! What speaks for a message continuing another one, and what speaks for a new thread.
//!
//! Invariant: features are finite numbers of order one, a function of the window and of the links already
//! made. The set follows Kummerfeld et al., "A Large-Scale Corpus for Conversation Disentanglement" (ACL
//! 2019), appendix, with tf-idf and thread state added.

use crate::{conversation::Conversation, post::Post};

/// Features of a candidate. The first block describes a parent, the last a new thread; the other is zero.
pub const FEATURES: usize = PARENT_FEATURES + START_FEATURES;
const PARENT_FEATURES: usize = 86;
/// The feature that is one for a new thread and zero for a parent.
pub const START_FEATURE: usize = PARENT_FEATURES;
const START_FEATURES: usize = 30;

/// Values of all features for one candidate.
pub type Features = [f64; FEATURES];

struct Row {
    values: Features,
    next: usize,
}

impl Row {
    fn at(next: usize) -> Self {
        Self { values: [0.0; FEATURES], next }
    }
    fn put(&mut self, value: f64) {
        if let Some(slot) = self.values.get_mut(self.next) {
            *slot = if value.is_finite() { value } else { 0.0 };
        }
        self.next += 1;
    }
    fn flag(&mut self, holds: bool) {
        self.put(f64::from(u8::from(holds)));
    }
    fn flags(&mut self, all: &[bool]) {
        for &holds in all {
            self.flag(holds);
        }
    }
    /// One flag per bucket; the last bucket is open.
    fn bucket(&mut self, value: usize, upper: &[usize]) {
        let found = upper.iter().position(|&bound| value <= bound).unwrap_or(upper.len());
        for bucket in 0..=upper.len() {
            self.flag(bucket == found);
        }
    }
}

/// A child, the window and what is known of its conversations so far.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) posts: &'a [Post],
    pub(crate) conversation: &'a Conversation,
    pub(crate) child: usize,
    /// Median pause between posts in seconds.
    pub(crate) pace_s: f64,
}

/// What only the whole list of candidates tells about one of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Placement {
    /// Candidates between it and the child.
    pub(crate) distance: usize,
    /// Changes of author between it and the child.
    pub(crate) turns: usize,
    /// Posts of its author after it.
    pub(crate) later_by_author: usize,
    /// Cosine with the child.
    pub(crate) cosine: f64,
    /// Cosine of its thread with the child.
    pub(crate) thread_cosine: f64,
    /// Highest cosine of all candidates.
    pub(crate) best_cosine: f64,
}

/// Seconds from a post to a later one.
pub(crate) fn seconds(later: &Post, earlier: &Post) -> f64 {
    later.at_ms.saturating_sub(earlier.at_ms).max(0) as f64 / 1000.0
}

fn log(value: f64) -> f64 {
    value.max(0.0).ln_1p()
}

fn count(value: usize) -> f64 {
    log(value as f64) / 3.0
}

/// Features of `parent` as the message that the child continues.
pub(crate) fn of_parent(scene: Scene, parent: usize, placement: &Placement) -> Features {
    let mut row = Row::at(0);
    nearness(&mut row, scene, parent, placement);
    people(&mut row, scene, parent, placement);
    content(&mut row, scene, parent, placement);
    state(&mut row, scene, parent);
    debug_assert_eq!(row.next, PARENT_FEATURES);
    row.values
}

fn nearness(row: &mut Row, scene: Scene, parent: usize, placement: &Placement) {
    let (child, parent) = (&scene.posts[scene.child], &scene.posts[parent]);
    let gap = seconds(child, parent);
    row.flag(true);
    row.bucket(placement.distance, &[1, 2, 3, 5, 10, 20, 40]);
    row.put(count(placement.distance));
    row.bucket(placement.turns, &[0, 1, 2, 3, 6]);
    row.put(count(placement.turns));
    row.flag(placement.later_by_author == 0);
    row.put(count(placement.later_by_author));
    row.put(log(gap) / 10.0);
    row.flags(&[gap < 60.0, gap < 300.0, gap < 1800.0, gap < 10_800.0, gap >= 43_200.0]);
    row.put(log(gap / scene.pace_s) / 5.0);
}

fn people(row: &mut Row, scene: Scene, parent: usize, placement: &Placement) {
    let (child, parent) = (&scene.posts[scene.child], &scene.posts[parent]);
    let same = child.same_author(parent);
    let other = !same;
    let gap = seconds(child, parent);
    let adjacent = placement.distance == 1;
    row.flags(&[same, same && adjacent, same && gap < 60.0, same && adjacent && gap < 120.0]);
    row.put(if same { log(gap) / 10.0 } else { 0.0 });
    row.flags(&[same && child.asks, same && parent.asks, same && placement.turns > 0]);
    row.flag(same && !parent.named.none() && child.named.none());
    let addresses = child.named.addresses(parent.author);
    let mentions = child.named.mentions(parent.author);
    let elsewhere = !child.named.addressed.is_empty() && !addresses;
    let answers_me = parent.named.addresses(child.author);
    let third = !parent.named.addressed.is_empty() && !answers_me;
    let latest = placement.later_by_author == 0;
    row.flags(&[addresses, mentions, elsewhere && other, elsewhere && same, child.named.none()]);
    row.flags(&[answers_me, third && other, parent.named.none() && other]);
    let shares_addressee = child.named.addressed.iter().any(|who| parent.named.addressed.contains(who));
    row.flags(&[shares_addressee && same, shares_addressee && other]);
    row.flags(&[addresses && latest, addresses && answers_me, answers_me && child.named.none()]);
    row.flags(&[
        answers_me && latest,
        addresses && parent.named.none(),
        third && other && child.named.none(),
    ]);
    row.flags(&[parent.is_bot, child.is_bot && other]);
}

fn content(row: &mut Row, scene: Scene, parent_at: usize, placement: &Placement) {
    let (child, parent) = (&scene.posts[scene.child], &scene.posts[parent_at]);
    let other = !child.same_author(parent);
    row.put(placement.cosine);
    row.flag(placement.cosine > 0.0);
    row.flag(placement.cosine > 0.0 && placement.cosine >= placement.best_cosine);
    row.put((placement.cosine * child.norm.min(parent.norm)).min(9.0) / 9.0);
    row.put(placement.thread_cosine);
    let unanswered = scene.conversation.children(parent_at) == 0;
    row.flags(&[parent.asks && !child.asks && other, parent.asks && unanswered && other]);
    row.flags(&[child.asks && parent.asks, child.asks && !parent.asks && other]);
    row.flags(&[child.opens_answer && other, child.thanks && other, child.thanks && parent.asks]);
    row.flags(&[parent.opens_answer, parent.greets, parent.thanks, parent.has_link, parent.has_media]);
    row.put(count(parent.words));
    row.flag(parent.words < 3);
}

fn state(row: &mut Row, scene: Scene, parent_at: usize) {
    let (child, parent, talk) = (&scene.posts[scene.child], &scene.posts[parent_at], scene.conversation);
    let thread = talk.thread_of(parent_at);
    let last = thread.last;
    row.flag(last == parent_at);
    row.put(count(thread.posts));
    row.put(log(seconds(child, &scene.posts[last])) / 10.0);
    row.flag(child.author.is_some_and(|author| thread.people.contains(&author)));
    row.flag(thread.people.len() > 1);
    row.bucket(talk.children(parent_at), &[0, 1]);
    row.flag(talk.parent(parent_at).is_some_and(|grand| scene.posts[grand].same_author(child)));
    let mine = talk.last_by(child.author);
    let partner = mine.and_then(|mine| talk.parent(mine));
    row.flag(partner.is_some_and(|post| scene.posts[post].same_author(parent)));
    row.flag(mine.is_some_and(|mine| talk.root(mine) == talk.root(parent_at)));
    row.flag(mine.is_some_and(|mine| talk.root(mine) == talk.root(parent_at)) && last == parent_at);
    row.flag(talk.parent(parent_at).is_none());
    row.flag(scene.posts[talk.root(parent_at)].same_author(child));
}

/// Features of the child as the start of a thread.
pub(crate) fn of_start(
    scene: Scene,
    previous: Option<usize>,
    best_cosine: f64,
    best_thread: f64,
) -> Features {
    let child = &scene.posts[scene.child];
    let mut row = Row::at(PARENT_FEATURES);
    row.flags(&[true, previous.is_none()]);
    let pause = previous.map_or(86_400.0, |post| seconds(child, &scene.posts[post]));
    row.put(log(pause) / 10.0);
    row.put(log(pause / scene.pace_s) / 5.0);
    row.flags(&[pause > 300.0, pause > 1800.0, pause > 10_800.0]);
    let mine = scene.conversation.last_by(child.author);
    let silence = mine.map_or(86_400.0, |post| seconds(child, &scene.posts[post]));
    row.put(log(silence) / 10.0);
    row.flags(&[mine.is_none(), mine.is_some() && mine == previous, silence > 1800.0]);
    row.flags(&[child.asks, child.greets, child.thanks, child.opens_answer, child.is_bot]);
    row.flags(&[
        mine.is_none() && child.asks,
        mine.is_none() && child.greets,
        silence > 1800.0 && child.asks,
    ]);
    let named = &child.named;
    row.flags(&[!named.addressed.is_empty(), !named.mentioned.is_empty(), named.none() && child.asks]);
    row.flags(&[child.has_link, child.has_media, child.words < 4, child.words > 15]);
    row.put(count(child.words));
    row.put(best_cosine);
    row.put(best_thread);
    row.flag(previous.is_some_and(|post| scene.posts[post].asks));
    debug_assert_eq!(row.next, FEATURES);
    row.values
}
