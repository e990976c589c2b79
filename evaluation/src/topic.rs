//! Evaluates topics against the forum topics of a Telegram group, with the forum topic hidden.

use crate::{Error, Report, agreement::Contingency, telegram};
use schemas::ContextMessage;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

const DAY_MS: i64 = 24 * 3_600_000;
/// Silence that parts topics in the simple baseline: half an hour.
const GAP_MS: i64 = 30 * 60_000;
/// Days with fewer messages get no digest.
const MESSAGES_MIN: usize = 5;

/// Means over the days on which forum topics exist, weighted by messages.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let messages = telegram::load(data_dir)?;
    let mut days: BTreeMap<i64, Vec<ContextMessage>> = BTreeMap::new();
    for message in messages.into_iter().filter(|message| message.topic_id.is_some()) {
        days.entry(message.sent_at.div_euclid(DAY_MS)).or_default().push(message);
    }
    days.retain(|_, messages| messages.len() >= MESSAGES_MIN);
    let mut means = Means::default();
    for messages in days.values() {
        means.add(messages);
    }
    let mut report = Report::new("topic");
    let set = "telegram_qa_load forum days";
    report.add(set, "ARI", means.rand / means.weight, means.gap_rand / means.weight);
    report.add(set, "NMI", means.information / means.weight, means.gap_information / means.weight);
    report.add(set, "NPMI of keywords", means.coherence / means.weight, None);
    Ok(report)
}

#[derive(Default)]
struct Means {
    weight: f64,
    rand: f64,
    information: f64,
    gap_rand: f64,
    gap_information: f64,
    coherence: f64,
}

impl Means {
    fn add(&mut self, messages: &[ContextMessage]) {
        let weight = messages.len() as f64;
        let hidden: Vec<ContextMessage> =
            messages.iter().map(|message| ContextMessage { topic_id: None, ..message.clone() }).collect();
        let threads = thread_builder::build(&hidden);
        let topics = topic::find(&hidden, &segmenter::segment(&hidden, &threads));
        let mut found = BTreeMap::new();
        for topic in &topics.topics {
            found.extend(topic.message_ids.iter().map(|&id| (id, topic.topic_id)));
        }
        let ours = Contingency::of(messages.iter().map(|message| (found.get(&message.id), message.topic_id)));
        let gaps = Contingency::of(gap_labels(messages).into_iter().zip(messages.iter().map(|m| m.topic_id)));
        self.weight += weight;
        self.rand += weight * ours.adjusted_rand();
        self.information += weight * ours.normalized_mutual_information();
        self.gap_rand += weight * gaps.adjusted_rand();
        self.gap_information += weight * gaps.normalized_mutual_information();
        let words: Vec<BTreeSet<String>> =
            messages.iter().map(|message| text::lemmas(&message.text).into_iter().collect()).collect();
        let keywords = topics.topics.iter().map(|topic| topic.keywords.as_slice());
        self.coherence += weight * coherence(keywords, &words);
    }
}

/// Number of the stretch without a long silence that each message is in.
fn gap_labels(messages: &[ContextMessage]) -> Vec<usize> {
    let mut label = 0;
    let mut labels = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let pause = at.checked_sub(1).map_or(0, |before| message.sent_at - messages[before].sent_at);
        label += usize::from(pause > GAP_MS);
        labels.push(label);
    }
    labels
}

/// Mean NPMI over topics with at least two keywords that occur.
fn coherence<'a>(topics: impl Iterator<Item = &'a [String]>, documents: &[BTreeSet<String>]) -> f64 {
    let scores: Vec<f64> = topics
        .filter_map(|keywords| {
            let stems: Vec<String> = keywords.iter().take(10).flat_map(|word| text::lemmas(word)).collect();
            npmi(&stems, documents)
        })
        .collect();
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

/// Mean of ln(p12 / p1 p2) / −ln p12 over the pairs of words; a pair that never meets counts −1 (Bouma 2009).
/// `None` without a pair of words that occur.
pub(crate) fn npmi(words: &[String], documents: &[BTreeSet<String>]) -> Option<f64> {
    let total = documents.len() as f64;
    let share = |held: &dyn Fn(&BTreeSet<String>) -> bool| {
        documents.iter().filter(|document| held(document)).count() as f64 / total
    };
    let mut scores = Vec::new();
    for (at, first) in words.iter().enumerate() {
        for second in &words[at + 1..] {
            let alone =
                share(&|document| document.contains(first)) * share(&|document| document.contains(second));
            let both = share(&|document| document.contains(first) && document.contains(second));
            if alone > 0.0 && first != second {
                scores.push(match both {
                    0.0 => -1.0,
                    1.0 => 1.0,
                    _ => (both / alone).ln() / -both.ln(),
                });
            }
        }
    }
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npmi_by_hand() {
        let documents: Vec<BTreeSet<String>> = ["a b", "a b", "c", "a c"]
            .iter()
            .map(|words| words.split(' ').map(str::to_owned).collect())
            .collect();
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        // p(a) = 3/4, p(b) = 1/2, p(ab) = 1/2: ln(4/3) / ln 2.
        let found = npmi(&words("a b"), &documents).unwrap_or_default();
        assert!((found - (4.0_f64 / 3.0).ln() / 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(npmi(&words("b c"), &documents), Some(-1.0));
        assert_eq!(npmi(&words("a"), &documents), None);
    }
}
