//! Cuts each thread where its subject changes.
//!
//! Invariant: every message of every thread is in exactly one segment, and a segment keeps the order of time.

mod cohesion;
mod cues;
mod weights;

pub use cohesion::{FEATURES, Features, gaps, model};

use processor::{Reject, Stage, StageReport};
use schemas::{ContextMessage, DigestStageCompleted, DigestState, Segment, Segments, Threads};
use std::collections::BTreeMap;

/// Probability from which a gap is a boundary: the best for the score on the training dialogues.
const BOUNDARY_MIN: f64 = 0.3;
/// Silence inside a thread that always cuts it: half a day.
const SILENCE_MS: i64 = 12 * 3_600_000;
/// Fewer messages are one segment.
const SEGMENT_MIN: usize = 2;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Segmenter;

impl Stage for Segmenter {
    const NAME: &'static str = "segmenter";
    const CODE_VERSION: &'static str = "1";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestStageCompleted;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        let Some(threads) = &state.threads else {
            return Err(Reject::new("missing_artifact", "no threads in the state"));
        };
        let segments = segment(&state.messages, threads);
        let count = segments.segments.len() as f64;
        let messages: usize = segments.segments.iter().map(|segment| segment.message_ids.len()).sum();
        let report = StageReport::ok()
            .metric("segments", count)
            .metric("segments_per_thread", count / threads.threads.len() as f64)
            .metric("messages_per_segment", messages as f64 / count);
        state.segments = Some(segments);
        Ok(report)
    }
}

/// Segments of all threads, by first message. Ids without a message stay with their neighbours.
pub fn segment(messages: &[ContextMessage], threads: &Threads) -> Segments {
    let model = cohesion::model(messages);
    let by_id: BTreeMap<i64, &ContextMessage> =
        messages.iter().map(|message| (message.id, message)).collect();
    let mut segments = Vec::new();
    for thread in &threads.threads {
        let known: Vec<&ContextMessage> =
            thread.message_ids.iter().filter_map(|id| by_id.get(id).copied()).collect();
        let starts: Vec<i64> = boundaries(&known, &model).into_iter().map(|at| known[at].id).collect();
        segments.extend(cut(thread.thread_id, &thread.message_ids, &starts));
    }
    let place = |segment: &Segment| {
        let first = segment.message_ids.first().copied().unwrap_or_default();
        (by_id.get(&first).map_or(i64::MAX, |message| message.sent_at), first)
    };
    segments.sort_by_key(place);
    Segments { segments }
}

fn cut(thread_id: i64, ids: &[i64], starts: &[i64]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for id in ids {
        match segments.last_mut().filter(|_| !starts.contains(id)) {
            Some(segment) => segment.message_ids.push(*id),
            None => segments.push(Segment { thread_id, message_ids: vec![*id] }),
        }
    }
    segments
}

/// Indices, ascending and never 0, of the messages that begin a segment of a conversation.
pub fn boundaries(messages: &[&ContextMessage], model: &text::TfIdf) -> Vec<usize> {
    let likelihoods: Vec<f64> = gaps(messages, model).iter().map(probability).collect();
    let pauses = messages.windows(2).map(|pair| pair[1].sent_at.saturating_sub(pair[0].sent_at));
    let silent: Vec<bool> = pauses.map(|pause| pause >= SILENCE_MS).collect();
    let mut found: Vec<usize> = Vec::new();
    for at in 0..likelihoods.len() {
        let room = at + 1 - found.last().copied().unwrap_or(0) >= SEGMENT_MIN
            && messages.len() - (at + 1) >= SEGMENT_MIN;
        let peak = neighbours(at).all(|other| {
            likelihoods
                .get(other)
                .is_none_or(|&there| there < likelihoods[at] || (there <= likelihoods[at] && other > at))
        });
        if silent[at] || (room && peak && likelihoods[at] >= BOUNDARY_MIN) {
            found.push(at + 1);
        }
    }
    found
}

fn neighbours(at: usize) -> impl Iterator<Item = usize> {
    at.checked_sub(1).into_iter().chain([at + 1])
}

/// Probability that a gap is a boundary.
pub fn probability(features: &Features) -> f64 {
    let score: f64 = features.iter().zip(weights::WEIGHTS).map(|(value, weight)| value * weight).sum();
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests;
