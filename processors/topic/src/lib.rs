//! Gathers the segments of a window into subjects and names them.
//!
//! Invariant: every segment is in exactly one topic, topics stand by size, largest first, and none spans two
//! forum topics.

mod cluster;
mod label;
mod unit;

use processor::{Reject, Stage, StageReport};
use schemas::{ContextMessage, DigestStageCompleted, DigestState, Segments, Topic, Topics};
use std::collections::BTreeSet;
use unit::{Unit, is_content};

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct TopicFinder;

impl Stage for TopicFinder {
    const NAME: &'static str = "topic";
    const CODE_VERSION: &'static str = "1";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestStageCompleted;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        if state.threads.is_none() {
            return Err(Reject::new("missing_artifact", "no threads in the state"));
        }
        let Some(segments) = &state.segments else {
            return Err(Reject::new("missing_artifact", "no segments in the state"));
        };
        let topics = find(&state.messages, segments);
        let labelled = topics.topics.iter().filter(|topic| !topic.label.is_empty()).count();
        let largest = topics.topics.first().map_or(0, |topic| topic.message_ids.len());
        let report = StageReport::ok()
            .metric("topics", topics.topics.len() as f64)
            .metric("labelled_share", labelled as f64 / topics.topics.len() as f64)
            .metric("largest_share", largest as f64 / state.messages.len() as f64);
        state.topics = Some(topics);
        Ok(report)
    }
}

/// Topics of a window.
pub fn find(messages: &[ContextMessage], segments: &Segments) -> Topics {
    let units = unit::units(messages, &segments.segments);
    let mut clusters = cluster::cluster(&units);
    let content = |cluster: &[usize]| {
        cluster.iter().flat_map(|&at| &units[at].messages).filter(|message| is_content(message)).count()
    };
    // By content, so that a chatty bot does not lead the digest; then by time.
    clusters.sort_by_key(|cluster| (std::cmp::Reverse(content(cluster)), start(&units, cluster)));
    let labels = label::labels(&units, &clusters);
    let topic = |(number, (cluster, label)): (usize, (&Vec<usize>, label::Label))| Topic {
        topic_id: number as i32,
        label: label.label,
        keywords: label.keywords,
        segment_ids: cluster.iter().map(|&at| at as i32).collect(),
        thread_ids: threads(&units, cluster),
        message_ids: message_ids(&units, cluster),
    };
    Topics { topics: clusters.iter().zip(labels).enumerate().map(topic).collect() }
}

fn start(units: &[Unit], cluster: &[usize]) -> (i64, usize) {
    let first = cluster.iter().map(|&at| units[at].start_ms).min().unwrap_or_default();
    (first, cluster.first().copied().unwrap_or_default())
}

/// Threads in the order in which they begin.
fn threads(units: &[Unit], cluster: &[usize]) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    cluster.iter().map(|&at| units[at].thread_id).filter(|&thread| seen.insert(thread)).collect()
}

fn message_ids(units: &[Unit], cluster: &[usize]) -> Vec<i64> {
    let mut held: Vec<(i64, i64)> = cluster
        .iter()
        .flat_map(|&at| &units[at].messages)
        .map(|message| (message.sent_at, message.id))
        .collect();
    held.sort_unstable();
    held.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests;
