//! Trains the weights of `thread_builder` on the parts of the data that are not evaluated on.
//!
//! Invariant: deterministic; the same data gives the same weights. The loss is the marginal log-likelihood of
//! the gold parents under a softmax over candidates; the optimiser is Adam (Kingma and Ba 2015).

use crate::{Error, irc, telegram, thread_builder::held_out};
use schemas::ContextMessage;
use std::{collections::BTreeMap, path::Path};
use thread_builder::{Candidate, FEATURES, HIDDEN, Linker, Model, START_FEATURE, WEIGHTS};

const ROW: usize = HIDDEN + 1;
const TAIL: usize = FEATURES * ROW;
const RATE: f64 = 0.002;
const DECAY: f64 = 1e-5;
const BATCH: usize = 32;
/// Unlabelled lines before the first gold one that are still read, for the state of the talk.
const CONTEXT_LINES: i64 = 150;
/// Messages of one training window of the Telegram group.
const WINDOW: usize = 2000;
/// Added to the score of a new thread: of the replies most are labelled, of the starts about a third, and the
/// logarithm of that ratio is what the loss cannot see.
const START_CORRECTION: f64 = 1.1;
/// Silence that parts talks of a day.
const SILENCE_MS: i64 = 1_800_000;
/// Fewest and most messages of a talk that are used.
const TALK_MIN: usize = 4;
const TALK_MAX: usize = 14;
/// Talks in a dense lesson.
const TALKS: usize = 40;

/// A window with what is known of its parents: for each message the right answers, empty when unknown.
struct Lesson {
    messages: Vec<ContextMessage>,
    answers: Vec<Vec<Option<usize>>>,
}

/// Trains on Ubuntu IRC `train` for `epochs` passes; the result is the text that the model reads.
pub fn addressing(data_dir: &Path, epochs: usize) -> Result<String, Error> {
    let logs = irc::load(&data_dir.join("irc_disentanglement/train"))?;
    let lessons: Vec<Lesson> = logs.iter().map(irc_lesson).collect();
    Ok(train(&lessons, epochs, 0.0))
}

/// Trains on the first four fifths of the Telegram group.
pub fn replying(data_dir: &Path, epochs: usize) -> Result<String, Error> {
    let messages = telegram::load(data_dir)?;
    let seen = &messages[..messages.len() - held_out(&messages).len()];
    let days: Vec<Lesson> = seen.chunks(WINDOW).map(telegram_lesson).collect();
    let dense = dense_lessons(seen);
    // In turn, so that neither kind has the last word in an epoch.
    let longest = days.len().max(dense.len());
    let mut pairs: Vec<Lesson> = Vec::with_capacity(days.len() + dense.len());
    let (mut days, mut dense) = (days.into_iter(), dense.into_iter());
    for _ in 0..longest {
        pairs.extend(days.next());
        pairs.extend(dense.next());
    }
    Ok(train(&pairs, epochs, START_CORRECTION))
}

/// Talks of different days put close after one another: their first messages are certain to start a thread,
/// though no silence precedes them.
fn dense_lessons(messages: &[ContextMessage]) -> Vec<Lesson> {
    let talks: Vec<&[ContextMessage]> = messages
        .chunk_by(|earlier, later| later.sent_at - earlier.sent_at < SILENCE_MS)
        .filter(|talk| talk.len() >= TALK_MIN)
        .map(|talk| &talk[..talk.len().min(TALK_MAX)])
        .collect();
    let lessons = talks.len() / TALKS;
    (0..lessons).map(|lesson| dense_lesson((0..TALKS).map(|talk| talks[talk * lessons + lesson]))).collect()
}

fn dense_lesson<'a>(talks: impl Iterator<Item = &'a [ContextMessage]>) -> Lesson {
    let mut messages: Vec<ContextMessage> = Vec::new();
    let mut starts = Vec::new();
    for (number, talk) in (0_i64..).zip(talks) {
        let begin = messages.last().map_or(0, |last| last.sent_at) + 30_000 + 20_000 * (number % 8);
        starts.push(messages.len());
        messages.extend(talk.iter().map(|message| ContextMessage {
            sent_at: begin + message.sent_at - talk[0].sent_at,
            ..message.clone()
        }));
    }
    let mut lesson = telegram_lesson(&messages);
    for start in starts {
        // What answers a message of its own day has no parent here, but does not look like a start.
        lesson.answers[start] = if messages[start].reply_to.is_none() { vec![None] } else { Vec::new() };
    }
    lesson
}

fn irc_lesson(log: &irc::Log) -> Lesson {
    let messages: Vec<ContextMessage> =
        log.messages.iter().filter(|message| message.id >= log.first - CONTEXT_LINES).cloned().collect();
    let places: BTreeMap<i64, usize> = messages.iter().enumerate().map(|(at, post)| (post.id, at)).collect();
    let answers = messages.iter().map(|message| {
        let gold = log.links.range((message.id, i64::MIN)..=(message.id, i64::MAX));
        let answer = |&(later, earlier): &(i64, i64)| {
            if later == earlier { Some(None) } else { places.get(&earlier).map(|&at| Some(at)) }
        };
        gold.filter_map(answer).collect()
    });
    Lesson { answers: answers.collect(), messages }
}

fn telegram_lesson(messages: &[ContextMessage]) -> Lesson {
    let places: BTreeMap<i64, usize> = messages.iter().enumerate().map(|(at, post)| (post.id, at)).collect();
    let mut answered = vec![false; messages.len()];
    for parent in messages.iter().filter_map(|message| places.get(&message.reply_to?)) {
        answered[*parent] = true;
    }
    let answers = (0..messages.len()).map(|at| telegram_answers(messages, &places, &answered, at)).collect();
    let hidden = messages.iter().map(|message| ContextMessage { reply_to: None, ..message.clone() });
    Lesson { messages: hidden.collect(), answers }
}

/// A native reply tells the parent. Of the rest, some are clear: a post that follows another by the same
/// author within two minutes continues it, and a question after half an hour of silence that is answered
/// starts a thread.
fn telegram_answers(
    messages: &[ContextMessage],
    places: &BTreeMap<i64, usize>,
    answered: &[bool],
    at: usize,
) -> Vec<Option<usize>> {
    let message = &messages[at];
    if let Some(to) = message.reply_to {
        return places
            .get(&to)
            .filter(|&&parent| parent < at)
            .map(|&parent| Some(parent))
            .into_iter()
            .collect();
    }
    let Some(previous) = at.checked_sub(1).map(|at| &messages[at]) else { return vec![None] };
    let pause = message.sent_at - previous.sent_at;
    if previous.author_id == message.author_id && pause <= 120_000 {
        return vec![Some(at - 1)];
    }
    let recent = messages[at.saturating_sub(40)..at].iter();
    let spoke = recent.rev().any(|earlier| {
        earlier.author_id == message.author_id && message.sent_at - earlier.sent_at < 6 * 3_600_000
    });
    let opens = pause > 1_800_000 || (!spoke && text::tokens(&message.text).len() > 6);
    if opens && !spoke && answered[at] && text::is_question(&message.text) { vec![None] } else { Vec::new() }
}

struct Adam {
    weights: Vec<f64>,
    gradient: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
    pending: usize,
}

impl Adam {
    fn new() -> Self {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut noise = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let weights =
            (0..WEIGHTS).map(|at| if at < TAIL && at % ROW == 0 { 0.0 } else { 0.5 * noise() }).collect();
        let zero = vec![0.0; WEIGHTS];
        Self { weights, gradient: zero.clone(), first: zero.clone(), second: zero, steps: 0, pending: 0 }
    }

    fn finish(&mut self, rate: f64) {
        self.pending += 1;
        if self.pending < BATCH {
            return;
        }
        self.steps += 1;
        let (bias_first, bias_second) = (1.0 - 0.9_f64.powi(self.steps), 1.0 - 0.999_f64.powi(self.steps));
        for at in 0..WEIGHTS {
            let gradient = self.gradient[at] / self.pending as f64 + DECAY * self.weights[at];
            self.first[at] = 0.9 * self.first[at] + 0.1 * gradient;
            self.second[at] = 0.999 * self.second[at] + 0.001 * gradient * gradient;
            let step = (self.first[at] / bias_first) / ((self.second[at] / bias_second).sqrt() + 1e-8);
            self.weights[at] -= rate * step;
            self.gradient[at] = 0.0;
        }
        self.pending = 0;
    }

    /// Hidden units before rectification, and the score.
    fn forward(&self, candidate: &Candidate) -> ([f64; HIDDEN], f64) {
        let mut units = [0.0; HIDDEN];
        units.copy_from_slice(&self.weights[TAIL..TAIL + HIDDEN]);
        let mut score = 0.0;
        for (row, &value) in self.weights[..TAIL].chunks_exact(ROW).zip(&candidate.features) {
            if value != 0.0 {
                score += row[0] * value;
                units.iter_mut().zip(&row[1..]).for_each(|(unit, weight)| *unit += weight * value);
            }
        }
        let output = &self.weights[TAIL + HIDDEN..];
        (units, units.iter().zip(output).fold(score, |sum, (unit, weight)| sum + unit.max(0.0) * weight))
    }

    fn backward(&mut self, candidate: &Candidate, units: &[f64; HIDDEN], error: f64) {
        let mut flow = [0.0; HIDDEN];
        for unit in 0..HIDDEN {
            if units[unit] > 0.0 {
                self.gradient[TAIL + HIDDEN + unit] += error * units[unit];
                flow[unit] = error * self.weights[TAIL + HIDDEN + unit];
                self.gradient[TAIL + unit] += flow[unit];
            }
        }
        for (row, &value) in self.gradient[..TAIL].chunks_exact_mut(ROW).zip(&candidate.features) {
            if value != 0.0 {
                row[0] += error * value;
                row[1..].iter_mut().zip(&flow).for_each(|(slot, flow)| *slot += flow * value);
            }
        }
    }

    /// One example; returns the index of the best candidate under the current weights.
    fn learn(&mut self, candidates: &[Candidate], answers: &[Option<usize>], rate: f64) -> usize {
        let passes: Vec<_> = candidates.iter().map(|candidate| self.forward(candidate)).collect();
        let mut best = 0;
        for (at, (_, score)) in passes.iter().enumerate() {
            if *score > passes[best].1 {
                best = at;
            }
        }
        let right: Vec<bool> =
            candidates.iter().map(|candidate| answers.contains(&candidate.parent)).collect();
        if !right.contains(&true) {
            return best;
        }
        let top = passes[best].1;
        let mass: Vec<f64> = passes.iter().map(|(_, score)| (score - top).exp()).collect();
        let total: f64 = mass.iter().sum();
        let gold: f64 = mass.iter().zip(&right).map(|(mass, &right)| if right { *mass } else { 0.0 }).sum();
        for (at, (units, _)) in passes.iter().enumerate() {
            let wanted = if right[at] { mass[at] / gold } else { 0.0 };
            let error = mass[at] / total - wanted;
            if error.abs() > 1e-4 {
                self.backward(&candidates[at], units, error);
            }
        }
        self.finish(rate);
        best
    }
}

fn train(lessons: &[Lesson], epochs: usize, start_correction: f64) -> String {
    let mut adam = Adam::new();
    let mut average = vec![0.0; WEIGHTS];
    for epoch in 0..epochs {
        let rate = RATE * (1.0 - epoch as f64 / epochs as f64);
        for number in 0..lessons.len() {
            // A fixed stride visits lessons in another order each epoch.
            let lesson = &lessons[(number * (2 * epoch + 1) + 7 * epoch) % lessons.len()];
            teach(&mut adam, lesson, epoch, rate);
        }
        if epoch * 2 >= epochs {
            average.iter_mut().zip(&adam.weights).for_each(|(sum, weight)| *sum += weight);
        }
    }
    let taken = epochs - epochs.div_ceil(2);
    for weight in &mut average {
        *weight /= taken.max(1) as f64;
    }
    let mut weights = if taken == 0 { adam.weights } else { average };
    weights[START_FEATURE * ROW] += start_correction;
    Model::format(&weights)
}

/// The first pass follows gold, later ones every third message the model's own choice, since that is what it will
/// stand on.
fn teach(adam: &mut Adam, lesson: &Lesson, epoch: usize, rate: f64) {
    let references: Vec<&ContextMessage> = lesson.messages.iter().collect();
    let mut linker = Linker::new(&references);
    for (at, answers) in lesson.answers.iter().enumerate() {
        let candidates = linker.candidates();
        let best = adam.learn(&candidates, answers, rate);
        let own = epoch > 0 && !(at + epoch).is_multiple_of(3);
        let parent = match answers.first() {
            Some(&gold) if !own => gold,
            _ => candidates[best].parent,
        };
        linker.accept(parent);
    }
}
