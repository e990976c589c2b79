//! Predicts which message each one continues, and gathers the conversations of a window.
//!
//! Invariant: every message of the window is in exactly one thread, a native reply inside the window is never
//! overruled, and forum topics never mix.

mod conversation;
mod features;
mod linker;
mod model;
mod names;
mod post;
mod rhythm;

pub use features::{FEATURES, Features, START_FEATURE};
pub use linker::{CANDIDATES_MAX, Candidate, Linker, choose};
pub use model::{HIDDEN, Habit, Model, WEIGHTS};

use processor::{Reject, Stage, StageReport};
use schemas::{ContextMessage, DigestContextPrepared, DigestState, ReplyLink, Thread, Threads};
use std::collections::BTreeMap;

/// Confidence of a link that the messenger itself states.
const CERTAIN: f64 = 1.0;

/// Confidences are written in thousandths.
const SCORE_STEPS: f64 = 1000.0;
/// Highest confidence of a prediction: below that of a native reply.
const SCORE_MAX: f64 = 0.999;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadBuilder;

impl Stage for ThreadBuilder {
    const NAME: &'static str = "thread_builder";
    const CODE_VERSION: &'static str = "2";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestContextPrepared;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        let threads = build(&state.messages);
        let count = |value: usize| value as f64;
        let native = threads.links.iter().filter(|link| link.score >= CERTAIN).count();
        let scores: f64 = threads.links.iter().map(|link| link.score).sum();
        let report = StageReport::ok()
            .metric("threads", count(threads.threads.len()))
            .metric("links", count(threads.links.len()))
            .metric("native_links", count(native))
            .metric("link_confidence_mean", scores / count(threads.links.len()));
        state.threads = Some(threads);
        Ok(report)
    }
}

/// Links and threads of a window; the order of `messages` does not matter.
pub fn build(messages: &[ContextMessage]) -> Threads {
    let ordered = in_order(messages);
    let known: BTreeMap<i64, usize> = ordered.iter().enumerate().map(|(at, post)| (post.id, at)).collect();
    let mut linker = Linker::new(&ordered);
    let model = Model::trained(linker.habit());
    let mut outside = BTreeMap::new();
    let mut links = Vec::new();
    for (at, message) in ordered.iter().enumerate() {
        let reply = message.reply_to.filter(|&to| Some(to) != message.topic_id && to != message.id);
        let found = match reply.map(|to| (to, known.get(&to))) {
            Some((_, Some(&parent))) if parent < at => Some((parent, CERTAIN)),
            // Answers to the same message before the window belong together; alone, one starts a thread.
            Some((to, None)) => outside.insert(to, at).map(|parent| (parent, CERTAIN)),
            _ => predict(&linker, &model),
        };
        linker.accept(found.map(|(parent, _)| parent));
        links.extend(found.map(|(parent, score)| ReplyLink {
            id: message.id,
            parent: ordered[parent].id,
            score,
        }));
    }
    Threads { links, threads: gather(&ordered, &linker) }
}

/// The messages by (`sent_at`, id); of equal ids the first counts.
fn in_order(messages: &[ContextMessage]) -> Vec<&ContextMessage> {
    let unique: BTreeMap<i64, &ContextMessage> =
        messages.iter().rev().map(|message| (message.id, message)).collect();
    let mut ordered: Vec<_> = unique.into_values().collect();
    ordered.sort_by_key(|message| (message.sent_at, message.id));
    ordered
}

fn predict(linker: &Linker, model: &Model) -> Option<(usize, f64)> {
    let candidates = linker.candidates();
    let (best, score) = choose(model, &candidates)?;
    // The last bits of a logarithm differ between machines; nobody needs them.
    Some((candidates[best].parent?, ((score * SCORE_STEPS).round() / SCORE_STEPS).min(SCORE_MAX)))
}

fn gather(ordered: &[&ContextMessage], linker: &Linker) -> Vec<Thread> {
    let mut threads: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for (at, message) in ordered.iter().enumerate() {
        threads.entry(linker.root(at)).or_default().push(message.id);
    }
    let named =
        threads.into_iter().map(|(root, message_ids)| Thread { thread_id: ordered[root].id, message_ids });
    named.collect()
}

#[cfg(test)]
mod tests;
