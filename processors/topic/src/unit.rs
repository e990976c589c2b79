//! Segments as the things that topics are made of.
//!
//! Invariant: posts of bots and repeated posts belong to a unit but do not speak for its subject.

use schemas::{ContextMessage, Segment};
use std::collections::{BTreeMap, BTreeSet};
use text::{SparseVector, TfIdf};

/// A segment, with what it is about and who talks.
#[derive(Debug)]
pub(crate) struct Unit<'a> {
    pub(crate) thread_id: i64,
    pub(crate) messages: Vec<&'a ContextMessage>,
    pub(crate) terms: SparseVector,
    pub(crate) people: BTreeSet<&'a str>,
    pub(crate) forum_topic: Option<i64>,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

/// Whether a message speaks for a subject.
pub(crate) fn is_content(message: &ContextMessage) -> bool {
    !message.is_bot && message.duplicate_of.is_none()
}

/// Units in the order of the segments.
pub(crate) fn units<'a>(messages: &'a [ContextMessage], segments: &[Segment]) -> Vec<Unit<'a>> {
    let by_id: BTreeMap<i64, &ContextMessage> =
        messages.iter().map(|message| (message.id, message)).collect();
    let mut units = Vec::with_capacity(segments.len());
    let mut documents = Vec::with_capacity(segments.len());
    for segment in segments {
        let held: Vec<&ContextMessage> =
            segment.message_ids.iter().filter_map(|id| by_id.get(id).copied()).collect();
        let content = held.iter().filter(|message| is_content(message));
        documents.push(content.flat_map(|message| text::lemmas(&message.text)).collect::<Vec<_>>());
        units.push(unit(segment.thread_id, held));
    }
    let model = TfIdf::fit_specific(&documents);
    for (unit, document) in units.iter_mut().zip(&documents) {
        unit.terms = model.vector(document);
    }
    units
}

fn unit(thread_id: i64, messages: Vec<&ContextMessage>) -> Unit<'_> {
    let people = messages.iter().filter(|message| is_content(message) && !message.author_id.is_empty());
    Unit {
        thread_id,
        people: people.map(|message| message.author_id.as_str()).collect(),
        forum_topic: messages.first().and_then(|message| message.topic_id),
        start_ms: messages.iter().map(|message| message.sent_at).min().unwrap_or_default(),
        end_ms: messages.iter().map(|message| message.sent_at).max().unwrap_or_default(),
        messages,
        terms: SparseVector::default(),
    }
}

impl Unit<'_> {
    /// Share of the smaller company that is in both.
    pub(crate) fn shared_people(&self, other: &Self) -> f64 {
        let shared = self.people.intersection(&other.people).count();
        let smaller = self.people.len().min(other.people.len());
        if smaller == 0 { 0.0 } else { shared as f64 / smaller as f64 }
    }

    /// Minutes of silence between two units; 0 when they overlap.
    pub(crate) fn minutes_apart(&self, other: &Self) -> f64 {
        let later = self.start_ms.max(other.start_ms);
        let earlier = self.end_ms.min(other.end_ms);
        later.saturating_sub(earlier).max(0) as f64 / 60_000.0
    }
}
